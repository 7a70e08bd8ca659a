//! What the operator does on the command line, for the audit log.
//!
//! Invariant: it stops nobody. The operator is there to be told that it could not be written down.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::audit::{Audit, Deed};
use crate::cli::say;
use crate::home::Home;

/// How long another command is waited for that writes to the log for a moment.
const WAIT: Duration = Duration::from_secs(1);
/// How often that is looked at.
const PAUSE: Duration = Duration::from_millis(50);

/// Writes it down; where that cannot be done, as while a server writes to the log, says so.
pub(super) async fn write_down(home: &Home, deed: &Deed) {
    let audit = Audit::start(home);
    let until = Instant::now() + WAIT;
    while let Err(error) = audit.done(deed).await {
        if Instant::now() >= until {
            say(&format!("hubcap: there is no record of this in the audit log: {error}"));
            break;
        }
        sleep(PAUSE).await;
    }
    audit.close().await;
}
