fn start() {}

hubcap_sdk::plugin!(init: start); //~

fn main() {}
