//! One record of each call, whatever its end.
//!
//! Invariant: a record is made where it is written, and not on the way of the call. One that is dropped
//! before its end, or that a panic ends, has its record too.

use std::sync::Arc;
use std::time::SystemTime;

use crate::audit::{Audit, End, Record};
use crate::error::{Blame, Code};
use crate::hub::Hub;
use crate::hub::registry::Loaded;
use crate::lock::Part;
use crate::model::{Call, CallId, Caller, text};
use crate::outcome::Outcome;
use crate::plugin::{Kind, Work};

/// Characters of a name that nobody here has.
const NAME: usize = 100;

/// A call that has not ended yet.
pub(super) struct Unended<'a, W: Work> {
    audit: &'a Audit,
    call: &'a Call<W>,
    by: Option<Loaded>,
    has_ended: bool,
}

impl<'a, W: Work> Unended<'a, W> {
    pub(super) fn new(audit: &'a Audit, call: &'a Call<W>) -> Self {
        Self { audit, call, by: None, has_ended: false }
    }

    /// Who does it.
    pub(super) fn by(&mut self, loaded: Loaded) -> Loaded {
        self.by.insert(loaded).clone()
    }

    /// It has ended, and whoever knows how writes the record.
    pub(super) fn end(mut self) -> Option<Loaded> {
        self.has_ended = true;
        self.by.take()
    }
}

impl<W: Work> Drop for Unended<'_, W> {
    fn drop(&mut self) {
        if self.has_ended || !self.audit.is_on() {
            return;
        }
        let error = match std::thread::panicking() {
            true => (Code::Internal, Blame::Host),
            false => (Code::Cancelled, Blame::Caller),
        };
        let about = About::of(self.call, self.by.take());
        let record = about.record(&self.call.work, Some(End { error: Some(error), receipt: None }));
        self.audit.record(self.call.work.sent_bytes(), || record);
    }
}

/// What a record tells besides what was sent and what came of it.
pub(super) struct About {
    time: SystemTime,
    id: CallId,
    caller: Caller,
    by: Option<Loaded>,
}

impl About {
    pub(super) fn of<W>(call: &Call<W>, by: Option<Loaded>) -> Self {
        Self { time: SystemTime::now(), id: call.id, caller: call.caller.clone(), by }
    }

    /// The record. One without an end is of a decision about the call.
    pub(super) fn record<W: Work>(&self, work: &W, end: Option<End>) -> Record {
        let (plugin, tool) = match work.plugin_id() {
            "" => ("", work.asked_for()),
            plugin => (plugin, work.name()),
        };
        let shown = |name| text::one_line(text::truncate(name, NAME)).into_owned();
        let part = W::KIND.map(|kind| match kind {
            Kind::Tools => Part::Tool(tool.to_owned()),
            Kind::Validators => Part::Rules,
            Kind::Providers => Part::Models,
        });
        let by = self.by.as_ref();
        let definition = part.and_then(|part| by?.definitions.get(&part).cloned());
        Record {
            time: self.time,
            call: self.id,
            caller: self.caller.clone(),
            plugin: shown(plugin),
            tool: shown(tool),
            digest: by.map(|loaded| loaded.plugin.about.digest.clone()),
            definition,
            arguments: work.sent(),
            secrets: by.map(|loaded| Arc::clone(loaded.plugin.secrets())),
            approval: None,
            end,
        }
    }
}

impl Hub {
    /// Writes down how a call ended.
    pub(super) fn write_down<W: Work, T>(&self, call: Call<W>, by: Option<Loaded>, outcome: &Outcome<T>) {
        if !self.audit.is_on() {
            return;
        }
        let error = outcome.result.as_ref().err().map(|error| (error.code, error.blame));
        let end = End { error, receipt: outcome.receipt.clone() };
        let (about, work) = (About::of(&call, by), call.work);
        self.audit.record(work.sent_bytes(), move || about.record(&work, Some(end)));
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use serde_json::{Map, Value, json};

    use super::Unended;
    use crate::audit::{Audit, last};
    use crate::config::Config;
    use crate::home::Home;
    use crate::model::{Call, ToolCall};

    #[tokio::test]
    async fn a_call_that_is_dropped_or_that_a_panic_ends_has_its_record_too() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home { directory: Some(folder.path().into()), ..Home::nowhere(Config::default()) };
        let audit = Audit::start(&home);
        let call = Call::new(ToolCall::new("echo_say", Map::new()));
        drop(Unended::new(&audit, &call));
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _unended = Unended::new(&audit, &call);
            panic!("in the middle of it");
        }));
        assert!(panicked.is_err());
        let ended = Unended::new(&audit, &call);
        assert!(ended.end().is_none());
        audit.close().await;
        let lines = last(&home.audit().unwrap(), 9).unwrap().records;
        let records: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        let outcomes: Vec<&Value> = records[1..].iter().map(|record| &record["outcome"]).collect();
        assert_eq!(
            outcomes,
            [
                &json!({ "code": "cancelled", "blame": "caller" }),
                &json!({ "code": "internal", "blame": "host" })
            ]
        );
    }
}
