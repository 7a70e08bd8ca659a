//! `hubcap.toml`: what is accepted is within its bounds and means the same however it is laid out.

use std::path::Path;

use hubcap::config::Config;
use hubcap::toml_file::{FileError, Places};

const FILE: &str = "/etc/hubcap/hubcap.toml";

/// Parses a configuration.
pub(crate) fn run(data: &[u8]) {
    let text = crate::lossy(data);
    match Config::parse(Path::new(FILE), &text) {
        Ok(config) => accepted(&text, config),
        Err(error) => refused(&text, &error),
    }
}

fn accepted(text: &str, config: Config) {
    let limits = config.limits;
    for (number, most) in [
        (limits.calls, 1_000),
        (limits.calls_per_plugin, 1_000),
        (limits.programs, 1_000),
        (limits.line_bytes, 64 << 20),
        (limits.component_bytes, 64 << 20),
    ] {
        assert!((1..=most).contains(&number), "{number} is more than {most}");
    }
    assert!(limits.queue <= 10_000 && limits.queue_wait.as_secs() <= 60);
    let budgets = config.by_plugin.values().map(|plugin| plugin.budget);
    for budget in budgets.chain([config.defaults.0]) {
        assert!((1..=100_000_000_000).contains(&budget.fuel));
        assert!((1..=3_600_000).contains(&budget.deadline.as_millis()));
        assert!((65_536..=1 << 30).contains(&budget.memory));
    }
    for plugin in config.by_plugin.values() {
        assert!(plugin.grant.process.values().all(|command| command.path.is_absolute()));
        assert!(plugin.grant.files.values().all(|files| files.path.is_absolute()));
    }
    assert!(config.plugins.iter().flatten().chain(&config.validate_dirs).all(|dir| dir.is_absolute()));
    let laid_out = toml::to_string(&text.parse::<toml::Table>().unwrap()).unwrap();
    let again = Config::parse(Path::new(FILE), &laid_out).unwrap();
    assert_eq!(without_places(again), without_places(config), "{laid_out}");
}

fn without_places(mut config: Config) -> Config {
    config.by_plugin.values_mut().for_each(|plugin| plugin.places = Places::default());
    config
}

/// An error names a place that is in the file, and says something.
pub(crate) fn refused(text: &str, error: &FileError) {
    assert!(!error.message.trim().is_empty());
    let Some((line, column)) = error.position else { return };
    // A file that ends with a line end has an empty line behind it.
    let at = text.split('\n').nth(line - 1).unwrap_or_else(|| panic!("there is no line {line}"));
    assert!(column <= at.chars().count() + 1, "line {line} has no column {column}: {at:?}");
}
