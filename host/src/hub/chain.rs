//! Plugins that call plugins: how deep, never round in a circle, and what they are told of what is not there.
//!
//! Invariant: whatever would go too deep or come back is refused before anything is looked up or runs, and a
//! guest learns nothing of plugins that it may not call.

use crate::error::{Blame, CallError, Code};
use crate::model::{Call, text};
use crate::plugin::{Kind, Work};

/// Plugins that may stand between an agent or a person and a call.
pub(super) const MAX_DEPTH: usize = 4;

/// Whether the call goes on a way that a call may go.
///
/// # Errors
/// `denied`, where it goes too deep or to a plugin that waits for it.
pub(super) fn check<W: Work>(call: &Call<W>) -> Result<(), CallError> {
    let Some(caller) = call.caller.plugin() else { return Ok(()) };
    let callee = call.work.plugin_id();
    let why = if call.caller.chain().any(|plugin| plugin.as_str() == callee) {
        format!("the plugin {callee:?} waits for this call already: no call goes round in a circle")
    } else if call.depth() > MAX_DEPTH {
        format!("{MAX_DEPTH} plugins stand behind this call already: none goes deeper")
    } else {
        return Ok(());
    };
    tracing::warn!(plugin = %caller.plugin, call_id = %caller.call, "denied: {why}");
    Err(CallError::new(Code::Denied, Blame::Policy, why))
}

/// What a caller is told where nobody offers the work. A guest is not told more than that: the reason is the
/// operator's to know, and so is what else there is.
pub(super) fn not_there<W: Work>(call: &Call<W>, reason: CallError) -> CallError {
    let Some(caller) = call.caller.plugin() else { return reason };
    if reason.code == Code::Cancelled {
        return reason;
    }
    tracing::warn!(plugin = %caller.plugin, call_id = %caller.call, "not there: {}", reason.message());
    let kind = W::KIND.map_or("plugin", Kind::singular);
    let name = text::truncate(call.work.asked_for(), 100);
    let message =
        format!("the {kind} {name:?} cannot be called now; `hubcap plugin list` tells the operator why");
    CallError::new(Code::Unavailable, Blame::Host, message)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Instant;

    use super::{MAX_DEPTH, check, not_there};
    use crate::error::{Blame, CallError, Code};
    use crate::model::{Call, CallId, Caller, Calling, PluginId, ToolCall};

    /// A call of a tool of `callee`, with these plugins behind it, the outermost first.
    fn call(chain: &[&str], callee: &str) -> Call<ToolCall> {
        let caller = chain.iter().fold(Caller::Agent, |caller, plugin| {
            let plugin = PluginId::new(plugin).unwrap();
            let calling = Calling { plugin, call: CallId::next(), deadline: Instant::now(), caller };
            Caller::Plugin(Arc::new(calling))
        });
        Call { caller, ..Call::new(ToolCall::new(format!("{callee}_t"), serde_json::Map::new())) }
    }

    #[test]
    fn four_plugins_may_stand_behind_a_call_and_not_five() {
        let chain = ["a", "b", "c", "d", "e"];
        assert_eq!(call(&chain, "f").depth(), MAX_DEPTH + 1);
        assert!(check(&call(&chain[..MAX_DEPTH], "f")).is_ok());
        let denied = check(&call(&chain, "f")).unwrap_err();
        assert_eq!((denied.code, denied.blame), (Code::Denied, Blame::Policy));
    }

    #[test]
    fn no_call_comes_back_to_a_plugin_that_waits_for_it() {
        assert!(check(&call(&[], "a")).is_ok() && check(&call(&["a"], "b")).is_ok());
        for (chain, callee) in [(&["a"][..], "a"), (&["a", "b"], "a"), (&["a", "b", "c"], "b")] {
            let denied = check(&call(chain, callee)).unwrap_err();
            assert_eq!((denied.code, denied.blame), (Code::Denied, Blame::Policy), "{chain:?} {callee}");
        }
    }

    #[test]
    fn a_guest_is_told_less_than_an_agent_of_what_is_not_there() {
        let reason = || CallError::new(Code::UnknownTool, Blame::Caller, "there are secret_plugin");
        assert_eq!(not_there(&call(&[], "b"), reason()).code, Code::UnknownTool);
        let told = not_there(&call(&["a"], "b"), reason());
        assert_eq!(told.code, Code::Unavailable);
        assert!(told.message().contains("the tool \"b_t\"") && !told.message().contains("secret"), "{told}");
    }
}
