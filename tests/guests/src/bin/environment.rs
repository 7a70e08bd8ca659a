//! Reads all that a program can know of where it was started: variables, arguments, directories.

use std::env;

use hubcap_sdk::{Error, Output, json};
use test_guests::Value;
use wasip2::cli::environment::{get_arguments, get_environment, initial_cwd};
use wasip2::filesystem::preopens::get_directories;

fn all(_: &Value) -> Result<Output, Error> {
    let lossy = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    let variables: Vec<String> =
        env::vars_os().map(|(name, value)| format!("{}={}", lossy(name), lossy(value))).collect();
    Output::structured(&json!({
        "variables": [variables, get_environment()],
        "arguments": [env::args_os().map(lossy).collect::<Vec<_>>(), get_arguments()],
        "directories": get_directories().into_iter().map(|(_, path)| path).collect::<Vec<_>>(),
        "started-in": initial_cwd(),
    }))
}

test_guests::tools! { "all" => all }
