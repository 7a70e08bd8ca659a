//! One hostile guest beside a healthy neighbour, and the look whether the host is as well as before.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::facts::Facts;
use super::home::Home;
use super::message::assert_says;
use super::server::{Ended, Server};
use super::{holds_within, in_one_of_three};

/// A served home with the neighbour `plain`, and what the host used before the case.
pub(crate) struct Case {
    /// The server, to call and to look at.
    pub(crate) server: Server,
    /// What it used before.
    pub(crate) before: Facts,
}

impl Case {
    /// A Rust guest.
    pub(crate) fn guest(name: &str) -> Self {
        Self::of(Home::new().guest(name))
    }

    /// A Rust guest with a budget of its own.
    pub(crate) fn guest_with(name: &str, budget: &str) -> Self {
        Self::of(Home::new().guest(name).config(&budget_of(name, budget)))
    }

    /// A hand-written guest.
    pub(crate) fn wat(name: &str) -> Self {
        Self::of(Home::new().wat(name))
    }

    /// Any home; the neighbour moves in.
    pub(crate) fn of(home: Home) -> Self {
        let home = home.wat("plain");
        let mut server = home.serve();
        // The list waits until everything is loaded: what a plugin that is still loading has yet to open would
        // look like something that the case left open. Then some calls, to warm what stays warm.
        server.tool_names();
        for _ in 0..3 {
            assert_says(&server.call("plain_run", json!({})), "done");
        }
        let before = server.facts();
        server.forget_peak();
        Self { server, before }
    }

    /// Calls a tool.
    #[track_caller]
    pub(crate) fn call(&mut self, tool: &str, arguments: Value) -> Value {
        self.server.call(tool, arguments)
    }

    /// Calls a tool and says how long the caller waited.
    #[track_caller]
    pub(crate) fn timed(&mut self, tool: &str, arguments: Value) -> (Value, Duration) {
        let start = Instant::now();
        let result = self.call(tool, arguments);
        (result, start.elapsed())
    }

    /// How much the host's memory ever grew over what it was before the case.
    pub(crate) fn growth_mib(&self) -> u64 {
        self.server.facts().peak_kib.saturating_sub(self.before.rss_kib) / 1024
    }

    /// The host lists its tools at once, serves the neighbour, and uses no more than before.
    #[track_caller]
    pub(crate) fn assert_alive(&mut self) {
        let mut time = Duration::ZERO;
        let at_once = in_one_of_three(|| {
            let start = Instant::now();
            let listed = self.server.request("tools/list", json!({}));
            time = start.elapsed();
            assert!(listed["result"]["tools"].is_array(), "{listed:#}");
            time < Duration::from_millis(500)
        });
        assert!(at_once, "tools/list took {time:?}");
        assert_says(&self.server.call("plain_run", json!({})), "done");
        let mut now = self.server.facts();
        // Two seconds are enough where nothing else wants the processor; what leaked is there for ever.
        let back = holds_within(Duration::from_secs(5), || {
            now = self.server.facts();
            now.is_back_to(&self.before)
        });
        assert!(back, "before {:?}, five seconds after {now:?}", self.before);
    }

    /// The host is alive, and ends as it should with nothing but JSON-RPC on its standard output.
    #[track_caller]
    pub(crate) fn end(mut self) -> Ended {
        self.assert_alive();
        self.server.end()
    }
}

/// The configuration that gives a plugin a budget.
pub(crate) fn budget_of(plugin: &str, budget: &str) -> String {
    format!("[plugins.{plugin}]\nbudget = {{ {budget} }}\n")
}
