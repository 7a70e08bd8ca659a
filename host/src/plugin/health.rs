//! The health of a plugin, as its `health` export tells it.

use serde_json::{Value, json};

use crate::error::CallError;
use crate::model::{Budget, Health, HealthCheck, text};
use crate::plugin::work::{Kind, Running, Work};
use crate::plugin::{LIST_DEADLINE, LOAD_FUEL, Plugin};
use crate::secrets::Secrets;

/// Characters of the message.
const MAX_MESSAGE: usize = 2 << 10;

impl Work for HealthCheck {
    type Output = Health;

    const KIND: Option<Kind> = None;

    fn asked_for(&self) -> &str {
        self.plugin.as_str()
    }

    fn plugin_id(&self) -> &str {
        self.plugin.as_str()
    }

    fn name(&self) -> &str {
        "health"
    }

    fn offered_by(&self, _plugin: &Plugin) -> bool {
        true
    }

    fn budget(&self, plugin: &Plugin) -> Budget {
        Budget { fuel: LOAD_FUEL, deadline: LIST_DEADLINE, memory: plugin.budget().memory }
    }

    fn check(&self, _plugin: &Plugin) -> Result<(), CallError> {
        Ok(())
    }

    fn sent(&self) -> Value {
        json!({})
    }

    fn sent_bytes(&self) -> usize {
        0
    }

    fn redact(output: &mut Health, secrets: &Secrets) {
        secrets.redact(&mut output.message);
    }

    async fn run(&self, plugin: &Plugin, running: Running<'_>) -> Result<(Health, u64), CallError> {
        let status = running
            .export(async |store, instance, _context| {
                let base = plugin.exports.base.load(&mut *store, instance)?;
                base.hubcap_plugin_lifecycle().call_health(store).await
            })
            .await?;
        let bytes = status.message.len() as u64;
        Ok((health(status.healthy, &status.message), bytes))
    }
}

fn health(healthy: bool, message: &str) -> Health {
    Health { healthy, message: text::clean_and_cut(message, MAX_MESSAGE) }
}

#[cfg(test)]
mod tests {
    use super::{MAX_MESSAGE, health};

    #[test]
    fn a_message_of_2048_characters_is_kept_and_a_longer_one_is_cut() {
        assert_eq!(health(true, &"é".repeat(MAX_MESSAGE)).message.chars().count(), MAX_MESSAGE);
        let cut = health(false, &"é".repeat(MAX_MESSAGE + 1)).message;
        assert!(cut.chars().count() == MAX_MESSAGE && cut.ends_with(" [cut]"));
        assert_eq!(health(true, "a\u{1b}[2Jb").message, "a[2Jb");
    }
}
