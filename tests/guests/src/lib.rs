//! What the guest programs share: a macro that makes a plugin of functions, and readers of arguments.
//!
//! Invariant: a program shows one behaviour and nothing else, so that a failing test points at one thing.

use hubcap_sdk::Error;
pub use hubcap_sdk::{Output, Tool, json};
pub use serde_json::Value;

/// The function behind one tool: arguments in, result out.
pub type Run = fn(&Value) -> Result<Output, Error>;

/// Makes a plugin whose tools are functions: `tools! { "spin" => spin, "count" => count }`. A tool takes
/// any object, unless `tools!` is given definitions of its own.
#[macro_export]
macro_rules! tools {
    ($($name:literal => $run:expr),+ $(,)?) => {
        $crate::tools! { definitions: vec![$($crate::tool($name)),+]; $($name => $run),+ }
    };
    (definitions: $definitions:expr; $($name:literal => $run:expr),+ $(,)?) => {
        struct Guest;

        impl hubcap_sdk::Plugin for Guest {}

        impl hubcap_sdk::Tools for Guest {
            fn list_tools() -> Result<Vec<hubcap_sdk::Tool>, hubcap_sdk::Error> {
                Ok($definitions)
            }

            fn call_tool(
                name: &str,
                arguments: &str,
                _context: hubcap_sdk::Context,
            ) -> Result<hubcap_sdk::Output, hubcap_sdk::Error> {
                let runs: &[(&str, $crate::Run)] = &[$(($name, $run)),+];
                $crate::run(runs, name, arguments)
            }
        }

        $crate::register!(Guest);
    };
}

/// Registers a type as the plugin of this program.
#[macro_export]
macro_rules! register {
    ($plugin:ident) => {
        hubcap_sdk::export!($plugin: tools);

        // The type is only used where the program is WebAssembly; this line names it elsewhere.
        fn main() {
            let _ = $plugin;
        }
    };
}

/// A tool that takes any object.
pub fn tool(name: &str) -> Tool {
    Tool::new(name, format!("Test tool {name}."), &json!({ "type": "object" }))
}

/// Finds the function of a tool and runs it.
pub fn run(runs: &[(&str, Run)], name: &str, arguments: &str) -> Result<Output, Error> {
    let arguments: Value = serde_json::from_str(arguments)?;
    match runs.iter().find(|(known, _)| *known == name) {
        Some((_, run)) => run(&arguments),
        None => Err(Error::unknown_tool(name)),
    }
}

/// A whole number of the arguments, 0 where there is none.
pub fn number(arguments: &Value, key: &str) -> u64 {
    arguments[key].as_u64().unwrap_or(0)
}

/// A text of the arguments, empty where there is none.
pub fn text<'a>(arguments: &'a Value, key: &str) -> &'a str {
    arguments[key].as_str().unwrap_or("")
}

/// A result that says a number.
pub fn answer(number: impl std::fmt::Display) -> Result<Output, Error> {
    Ok(Output::text(number.to_string()))
}
