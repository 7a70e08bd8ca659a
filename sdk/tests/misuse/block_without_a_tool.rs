struct Greeter;

#[hubcap_sdk::tools]
impl Greeter { //~
    /// Greets somebody by name.
    pub fn greet(&self, name: String) -> String {
        format!("Hello, {name}!")
    }
}

hubcap_sdk::plugin!(tools: [Greeter]);

fn main() {}
