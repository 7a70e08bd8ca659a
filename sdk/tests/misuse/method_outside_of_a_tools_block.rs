struct Greeter;

impl Greeter {
    /// Greets somebody by name.
    #[hubcap_sdk::tool]
    fn greet(&self, name: String) -> String { //~
        format!("Hello, {name}!")
    }
}

fn main() {
    Greeter.greet(String::new());
}
