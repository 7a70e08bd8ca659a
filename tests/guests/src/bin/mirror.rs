//! Is what its configuration says. Its tool has that schema, takes `mebibytes` or fails with `code` where the
//! arguments say so, and else gives them back; its health is the one that is wished for.

use std::sync::OnceLock;

use hubcap_sdk::{Code, Context, Error, Output, Plugin, Status, Tool, Tools, json};
use test_guests::{Value, number, text};

static CONFIG: OnceLock<Value> = OnceLock::new();

fn config() -> &'static Value {
    CONFIG.get().unwrap_or(&Value::Null)
}

struct Guest;

impl Plugin for Guest {
    fn init(config: &str) -> Result<(), Error> {
        let config: Value = serde_json::from_str(config)?;
        CONFIG.get_or_init(|| config);
        Ok(())
    }

    fn health() -> Result<Status, Error> {
        match text(config(), "health") {
            "endless" => loop {
                std::hint::spin_loop();
            },
            "asleep" => {
                std::thread::sleep(std::time::Duration::from_secs(3_600));
                Ok(Status { healthy: true, message: String::new() })
            }
            "broken" => Err(Error::new(Code::Unavailable, "the health cannot be told")),
            ill => Ok(Status { healthy: ill.is_empty(), message: ill.to_owned() }),
        }
    }
}

impl Tools for Guest {
    fn list_tools() -> Result<Vec<Tool>, Error> {
        let any = json!({ "type": "object" });
        Ok(vec![Tool::new("show", "Gives its arguments back.", config().get("schema").unwrap_or(&any))])
    }

    fn call_tool(_: &str, arguments: &str, _: Context) -> Result<Output, Error> {
        let arguments: Value = serde_json::from_str(arguments)?;
        let taken = vec![1u8; (number(&arguments, "mebibytes") as usize) << 20];
        match text(&arguments, "code") {
            "" => Output::structured(&json!({ "given": arguments, "taken": taken.len() })),
            "denied" => Err(Error::new(Code::Denied, "not allowed")),
            "unavailable" => Err(Error::new(Code::Unavailable, "not now")),
            _ => Err(Error::new(Code::Internal, "something else")),
        }
    }
}

test_guests::register!(Guest);
