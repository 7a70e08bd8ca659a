//! Counts its calls in a static, which no later call may see.

use std::sync::atomic::{AtomicU32, Ordering};

use hubcap_sdk::{Error, Output};
use test_guests::{Value, answer};

static CALLS: AtomicU32 = AtomicU32::new(0);

fn count(_: &Value) -> Result<Output, Error> {
    answer(CALLS.fetch_add(1, Ordering::Relaxed) + 1)
}

test_guests::tools! { "count" => count }
