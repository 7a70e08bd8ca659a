struct Greeter;

hubcap_sdk::plugin!(tools: [Greeter]); //~

fn main() {}
