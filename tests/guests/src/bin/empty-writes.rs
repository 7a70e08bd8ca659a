//! Writes nothing to standard output, very often. A host that queues empty writes grows without end.

use hubcap_sdk::{Error, Output};
use test_guests::{Value, answer, number};
use wasip2::cli::stdout::get_stdout;

fn write(arguments: &Value) -> Result<Output, Error> {
    let stdout = get_stdout();
    let mut writes = 0;
    while writes < number(arguments, "n") {
        stdout.write(&[])?;
        writes += 1;
    }
    answer(writes)
}

test_guests::tools! { "write" => write }
