//! `hubcap.toml`: what the operator wants.
//!
//! Invariant: every value is within its bounds, and every key that is accepted is enforced.

mod audit;
mod command;
mod dirs;
mod grant;
mod policy;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::model::{Budget, PluginId};
use crate::toml_file::{self, FileError, Places};
use crate::trust::Trust;
use crate::units::{BytesWithin, Span};

use dirs::ReadDir;

pub use audit::{Arguments, Audit};
pub use command::GrantedCommand;
pub(crate) use grant::lexical;
pub use grant::{Grant, GrantedFiles, GrantedHttp, GrantedHub, GrantedSecret, Source};
pub use policy::{Action, Approval, Class, Pattern, Rule};

/// Most bytes of guest memory that a call can have.
pub const MAX_MEMORY: usize = 1 << 30;
/// Most milliseconds that a deadline can be: an hour.
const MAX_DEADLINE_MS: u64 = 3_600_000;
/// Most fuel that a call can have.
const MAX_FUEL: u64 = 100_000_000_000;

/// The whole file, defaults filled in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// Plugin directories, where the file names any.
    pub plugins: Option<Vec<PathBuf>>,
    /// Directories whose files the hub may read where an agent has them validated.
    pub validate_dirs: Vec<PathBuf>,
    /// Bounds of the hub itself.
    pub limits: Limits,
    /// What a call may use.
    pub defaults: Defaults,
    /// What is set for single plugins.
    pub by_plugin: BTreeMap<PluginId, PluginConfig>,
    /// Which plugins run before the operator has looked at them.
    pub trust: Trust,
    /// What is written down of calls.
    pub audit: Audit,
    /// Which calls run at once, which after a person was asked, and which not.
    pub policy: Vec<Rule>,
    /// How a person is asked.
    pub approval: Approval,
}

/// Bounds of the hub itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Calls that run at once.
    pub calls: usize,
    /// Calls of one plugin that run at once.
    pub calls_per_plugin: usize,
    /// Programs that run at once, of all plugins.
    pub programs: usize,
    /// Calls of one plugin that wait.
    pub queue: usize,
    /// Longest that a call waits.
    pub queue_wait: Duration,
    /// Bytes of a line from the client.
    pub line_bytes: usize,
    /// Bytes of a component file.
    pub component_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            calls: 32,
            calls_per_plugin: 8,
            programs: 16,
            queue: 32,
            queue_wait: Duration::from_secs(2),
            line_bytes: 4 << 20,
            component_bytes: 16 << 20,
        }
    }
}

/// The budget of a call of any plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Defaults(pub Budget);

impl Default for Defaults {
    fn default() -> Self {
        Self(Budget { fuel: 1_000_000_000, deadline: Duration::from_secs(30), memory: 64 << 20 })
    }
}

/// What is set for one plugin.
#[derive(Clone, Debug, PartialEq)]
pub struct PluginConfig {
    /// False leaves it out.
    pub enabled: bool,
    /// What its `init` gets.
    pub config: Map<String, Value>,
    /// Where that is written.
    pub places: Places,
    /// What it is allowed, as far as its author asks for it.
    pub grant: Grant,
    /// What differs from the defaults.
    pub budget: Budget,
    /// The operator's own classes of its tools, by their names inside the plugin.
    pub risk: BTreeMap<Pattern, Class>,
}

impl Config {
    /// Parses the file's text; `file` names it in errors, and directories are relative to its folder.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn parse(file: &Path, content: &str) -> Result<Self, FileError> {
        let name_of_file = file.display().to_string();
        let written: Written = toml_file::parse(&name_of_file, content)?;
        let folder = file.parent().unwrap_or(Path::new(""));
        let defaults = written.defaults.over(&Defaults::default().0);
        let fill = |(id, plugin): (PluginId, WrittenPlugin)| {
            let places = match plugin.config {
                Some(_) => Places::of(&name_of_file, content, &["plugins", id.as_str(), "config"]),
                None => Places::default(),
            };
            let plugin = plugin.fill(&defaults, places);
            let placed = plugin.grant.in_folder(folder).map_err(|(name, why)| {
                let grants = Places::of(&name_of_file, content, &["plugins", id.as_str(), "grant"]);
                grants.error(&format!("/files/{}", name.as_str()), why)
            });
            placed.map(|grant| (id, PluginConfig { grant, ..plugin }))
        };
        let by_plugin = written.plugin_tables.into_iter().map(fill).collect::<Result<_, _>>()?;
        let here = |dirs: Vec<PathBuf>| dirs.iter().map(|dir| folder.join(dir)).collect();
        let places = Places::of(&name_of_file, content, &["validate-dirs"]);
        let read = |(at, dir): (usize, ReadDir)| {
            dir.in_folder(folder).map_err(|why| places.error(&format!("/{at}"), why))
        };
        let validate_dirs = written.validate_dirs.unwrap_or_default().into_iter().enumerate().map(read);
        Ok(Self {
            plugins: written.plugin_dirs.map(here),
            validate_dirs: validate_dirs.collect::<Result<_, _>>()?,
            limits: written.limits.fill(),
            defaults: Defaults(defaults),
            by_plugin,
            trust: written.trust,
            audit: written.audit,
            policy: written.policy,
            approval: written.approval,
        })
    }

    /// What is set for a plugin, or the defaults.
    pub fn of(&self, id: &PluginId) -> PluginConfig {
        self.by_plugin.get(id).cloned().unwrap_or_else(|| PluginConfig {
            enabled: true,
            config: Map::new(),
            places: Places::default(),
            grant: Grant::default(),
            budget: self.defaults.0,
            risk: BTreeMap::new(),
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(rename = "plugin-dirs")]
    plugin_dirs: Option<Vec<PathBuf>>,
    #[serde(rename = "validate-dirs")]
    validate_dirs: Option<Vec<ReadDir>>,
    #[serde(default)]
    limits: WrittenLimits,
    #[serde(default)]
    defaults: WrittenBudget,
    #[serde(default, rename = "plugins")]
    plugin_tables: BTreeMap<PluginId, WrittenPlugin>,
    #[serde(default)]
    trust: Trust,
    #[serde(default)]
    audit: Audit,
    #[serde(default)]
    policy: Vec<Rule>,
    #[serde(default)]
    approval: Approval,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WrittenLimits {
    calls: Option<Within<1, 1_000>>,
    calls_per_plugin: Option<Within<1, 1_000>>,
    programs: Option<Within<1, 1_000>>,
    queue: Option<Within<0, 10_000>>,
    queue_wait: Option<SpanWithin<0, 60_000>>,
    line_bytes: Option<BytesWithin<1_024, { 64 << 20 }>>,
    component_bytes: Option<BytesWithin<1_024, { 64 << 20 }>>,
}

impl WrittenLimits {
    fn fill(self) -> Limits {
        let default = Limits::default();
        Limits {
            calls: self.calls.map_or(default.calls, |n| n.0),
            calls_per_plugin: self.calls_per_plugin.map_or(default.calls_per_plugin, |n| n.0),
            programs: self.programs.map_or(default.programs, |n| n.0),
            queue: self.queue.map_or(default.queue, |n| n.0),
            queue_wait: self.queue_wait.map_or(default.queue_wait, |span| span.0),
            line_bytes: self.line_bytes.map_or(default.line_bytes, |n| n.0),
            component_bytes: self.component_bytes.map_or(default.component_bytes, |n| n.0),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenBudget {
    fuel: Option<Fuel>,
    deadline: Option<SpanWithin<1, MAX_DEADLINE_MS>>,
    memory: Option<BytesWithin<65_536, MAX_MEMORY>>,
}

impl WrittenBudget {
    fn over(self, base: &Budget) -> Budget {
        Budget {
            fuel: self.fuel.map_or(base.fuel, |fuel| fuel.0),
            deadline: self.deadline.map_or(base.deadline, |deadline| deadline.0),
            memory: self.memory.map_or(base.memory, |memory| memory.0),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPlugin {
    enabled: Option<bool>,
    config: Option<toml::Table>,
    #[serde(default)]
    grant: Grant,
    #[serde(default)]
    budget: WrittenBudget,
    #[serde(default)]
    risk: BTreeMap<Pattern, Class>,
}

impl WrittenPlugin {
    fn fill(self, defaults: &Budget, places: Places) -> PluginConfig {
        PluginConfig {
            enabled: self.enabled.unwrap_or(true),
            config: self
                .config
                .unwrap_or_default()
                .into_iter()
                .map(|(key, value)| (key, toml_file::to_json(value)))
                .collect(),
            places,
            grant: self.grant,
            budget: self.budget.over(defaults),
            risk: self.risk,
        }
    }
}

/// A whole number within bounds, both included.
struct Within<const MIN: usize, const MAX: usize>(usize);

impl<'de, const MIN: usize, const MAX: usize> Deserialize<'de> for Within<MIN, MAX> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        match usize::try_from(number) {
            Ok(number) if (MIN..=MAX).contains(&number) => Ok(Self(number)),
            _ => Err(serde::de::Error::custom(format!("{number} is not between {MIN} and {MAX}"))),
        }
    }
}

struct Fuel(u64);

impl<'de> Deserialize<'de> for Fuel {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        match u64::try_from(number) {
            Ok(fuel) if (1..=MAX_FUEL).contains(&fuel) => Ok(Self(fuel)),
            _ => Err(serde::de::Error::custom(format!("{number} is not between 1 and {MAX_FUEL}"))),
        }
    }
}

/// A duration within bounds in milliseconds, both included.
struct SpanWithin<const MIN: u64, const MAX: u64>(Duration);

impl<'de, const MIN: u64, const MAX: u64> Deserialize<'de> for SpanWithin<MIN, MAX> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Span(span) = Span::deserialize(deserializer)?;
        if (u128::from(MIN)..=u128::from(MAX)).contains(&span.as_millis()) {
            return Ok(Self(span));
        }
        Err(serde::de::Error::custom(format!("{} ms is not between {MIN} ms and {MAX} ms", span.as_millis())))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use serde_json::json;

    use super::{Config, PluginId};

    fn parse(content: &str) -> Result<Config, String> {
        Config::parse(Path::new("/etc/hubcap.toml"), content).map_err(|error| error.to_string())
    }

    #[test]
    fn an_empty_file_is_the_defaults() {
        assert_eq!(parse("").unwrap(), Config::default());
    }

    #[test]
    fn a_plugins_budget_is_what_it_sets_over_the_defaults() {
        let config = parse(
            "plugin-dirs = [\"mine\", \"/abs\"]\nvalidate-dirs = [\"../src\"]\n[defaults]\nfuel = 7\ndeadline = \"5s\"\n[plugins.echo]\nconfig = { a = [1, 2.5], when = 2026-01-02 }\nbudget = { memory = \"1MiB\" }",
        )
        .unwrap();
        let echo = config.of(&PluginId::new("echo").unwrap());
        assert_eq!(
            (echo.budget.fuel, echo.budget.deadline, echo.budget.memory),
            (7, Duration::from_secs(5), 1 << 20)
        );
        assert_eq!(json!(echo.config), json!({ "a": [1, 2.5], "when": "2026-01-02" }));
        assert!(echo.enabled);
        assert_eq!(config.plugins.as_deref().unwrap(), [Path::new("/etc/mine"), Path::new("/abs")]);
        assert_eq!(config.validate_dirs, [Path::new("/etc/../src")]);
        assert_eq!(config.of(&PluginId::new("other").unwrap()).budget.memory, 64 << 20);
    }

    #[test]
    fn every_bound_is_taken_at_its_edge_and_refused_beyond() {
        let edges = [
            ("[defaults]\nfuel = 1", "[defaults]\nfuel = 0"),
            ("[defaults]\nfuel = 100000000000", "[defaults]\nfuel = 100000000001"),
            ("[defaults]\ndeadline = \"1ms\"", "[defaults]\ndeadline = \"0ms\""),
            ("[defaults]\ndeadline = \"1h\"", "[defaults]\ndeadline = \"3601s\""),
            ("[defaults]\nmemory = 65536", "[defaults]\nmemory = 65535"),
            ("[defaults]\nmemory = \"1GiB\"", "[defaults]\nmemory = \"1025MiB\""),
            ("[limits]\ncalls = 1000", "[limits]\ncalls = 1001"),
            ("[limits]\ncalls-per-plugin = 1", "[limits]\ncalls-per-plugin = 0"),
            ("[limits]\nprograms = 1000", "[limits]\nprograms = 0"),
            ("[limits]\nqueue = 0", "[limits]\nqueue = -1"),
            ("[limits]\nqueue-wait = \"60s\"", "[limits]\nqueue-wait = \"61s\""),
            ("[limits]\nline-bytes = \"64MiB\"", "[limits]\nline-bytes = \"65MiB\""),
            ("[limits]\ncomponent-bytes = 1024", "[limits]\ncomponent-bytes = 1023"),
        ];
        for (obeyed, violated) in edges {
            assert!(parse(obeyed).is_ok(), "{obeyed}: {:?}", parse(obeyed));
            assert!(
                parse(violated).unwrap_err().starts_with("/etc/hubcap.toml:2:"),
                "{violated}: {:?}",
                parse(violated)
            );
        }
    }

    #[test]
    fn an_unknown_key_and_an_id_that_cannot_be_are_told_with_their_place() {
        assert_eq!(
            parse("[limits]\n\nqueue-wiat = \"1s\"").unwrap_err(),
            "/etc/hubcap.toml:3:1: unknown key `queue-wiat`; did you mean `queue-wait`? (valid here: calls, calls-per-plugin, programs, queue, queue-wait, line-bytes, component-bytes)"
        );
        assert!(
            parse("[plugins.A_b]\nenabled = true")
                .unwrap_err()
                .starts_with("/etc/hubcap.toml:1:10: \"A_b\" is no plugin id")
        );
    }
}
