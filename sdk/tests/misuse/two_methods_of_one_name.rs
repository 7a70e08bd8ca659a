struct Greeter;

#[hubcap_sdk::tools]
impl Greeter {
    /// Greets somebody by name.
    #[tool]
    fn greet(&self, name: String) -> String {
        format!("Hello, {name}!")
    }

    /// Greets everybody.
    #[tool(name = "greet")] //~
    fn greet_all() -> String {
        "Hello!".to_owned()
    }
}

hubcap_sdk::plugin!(tools: [Greeter]);

fn main() {}
