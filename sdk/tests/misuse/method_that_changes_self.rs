struct Greeter;

#[hubcap_sdk::tools]
impl Greeter {
    /// Greets somebody by name.
    #[tool]
    fn greet(&mut self, name: String) -> String { //~
        format!("Hello, {name}!")
    }
}

hubcap_sdk::plugin!(tools: [Greeter]);

fn main() {}
