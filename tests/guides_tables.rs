//! The tables of the guides against the code that they are about: codes, keys, bounds, imports.
//!
//! Invariant: both directions, so that neither a row nor what it tells of can come or go alone.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use hubcap::config::Config;
use hubcap::manifest::Manifest;

use crate::support::guests::root;

fn guide(name: &str) -> String {
    read(&format!("host/docs/{name}"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What stands under a heading, up to the next one.
fn section<'a>(guide: &'a str, heading: &str) -> &'a str {
    let from = guide.split_once(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no {heading}")).1;
    from.split_once("\n## ").map_or(from, |(section, _)| section)
}

/// The rows of the tables in a text, head and rule left out, each cell without the spaces around it.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let lines = text.lines().filter(|line| line.starts_with('|')).collect::<Vec<_>>();
    let body = lines.iter().enumerate().filter(|(at, line)| {
        let rule = |line: &str| line.starts_with("| --- |");
        !rule(line) && !lines.get(at + 1).is_some_and(|next| rule(next))
    });
    body.map(|(_, line)| line.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

/// The words in backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The words of an enum that `error.rs` declares.
fn words(name: &str) -> BTreeSet<String> {
    let source = read("host/src/error.rs");
    let body = source.split_once(&format!("\n    {name} {{")).unwrap().1.split_once("\n    }").unwrap().0;
    let word = |line: &str| Some(line.split_once(" = \"")?.1.split_once('"')?.0.to_owned());
    body.lines().filter_map(word).collect()
}

/// All sources of the host.
fn sources(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else {
            let name = path.strip_prefix(root().join("host/src")).unwrap().display().to_string();
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
    found
}

fn host() -> Vec<(String, String)> {
    sources(&root().join("host/src"))
}

#[test]
fn the_table_of_errors_has_every_code_and_every_blame() {
    let guide = guide("errors.md");
    let rows = rows(section(&guide, "The codes"));
    let codes: Vec<String> = rows.iter().map(|row| quoted(row[0])[0].to_owned()).collect();
    assert_eq!(codes.len(), codes.iter().collect::<BTreeSet<_>>().len(), "{codes:?}");
    assert_eq!(codes.into_iter().collect::<BTreeSet<_>>(), words("Code"));
    let blames: BTreeSet<String> = rows.iter().flat_map(|row| quoted(row[1])).map(str::to_owned).collect();
    assert_eq!(blames, words("Blame"));
}

/// `InvalidArguments` as `invalid-arguments`.
fn kebab(name: &str) -> String {
    let letter = |(at, c): (usize, char)| {
        let dash = if at > 0 && c.is_uppercase() { "-" } else { "" };
        format!("{dash}{}", c.to_lowercase())
    };
    name.char_indices().map(letter).collect()
}

#[test]
fn every_code_and_blame_that_the_host_gives_together_is_in_the_table_of_errors() {
    let guide = guide("errors.md");
    let table = rows(section(&guide, "The codes"));
    let mut seen = 0;
    for (file, text) in host() {
        for (_, after) in
            text.match_indices("CallError::new(Code::").map(|(at, found)| text.split_at(at + found.len()))
        {
            let Some((code, rest)) = after.split_once(", Blame::") else { continue };
            let blame: String = rest.chars().take_while(char::is_ascii_alphabetic).collect();
            let (code, blame) = (kebab(code), kebab(&blame));
            if !code.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') {
                continue;
            }
            let row = table.iter().find(|row| quoted(row[0]) == [code.as_str()]);
            let known = row.is_some_and(|row| quoted(row[1]).contains(&blame.as_str()));
            assert!(known, "host/src/{file} gives {code} with the blame {blame}: errors.md does not say so");
            seen += 1;
        }
    }
    assert!(seen > 10, "{seen}");
}

#[test]
fn every_example_of_an_error_is_what_the_host_says_or_a_console_shows() {
    let guide = guide("errors.md");
    let consoles: String =
        guide.split("```console").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    let said: String = host().into_iter().map(|(_, text)| text).collect::<String>() + &consoles;
    for row in rows(section(&guide, "The codes")) {
        for part in quoted(row[3]).iter().flat_map(|example| example.split('…')) {
            assert!(said.contains(part.trim()), "{}: nothing says {part:?}", row[0]);
        }
    }
}

/// What is wrong with a configuration, if anything.
fn wrong(toml: &str) -> Option<String> {
    Config::parse(Path::new("hubcap.toml"), toml).err().map(|error| error.to_string())
}

/// The value before or after this one, in its own unit.
fn beside(value: &str, step: i64) -> String {
    let plain = value.trim_matches('"').replace('_', "");
    let digits = plain.bytes().take_while(u8::is_ascii_digit).count();
    let number: i64 = plain[..digits].parse().unwrap();
    let next = format!("{}{}", number + step, &plain[digits..]);
    if value.starts_with('"') { format!("\"{next}\"") } else { next }
}

/// The keys that the program takes in a table.
fn keys(head: &str) -> BTreeSet<String> {
    valid(&wrong(&format!("{head}\nno-such-key = 1\n")).expect("the key is unknown"))
}

/// The keys that an error tells.
fn valid(told: &str) -> BTreeSet<String> {
    let valid = told.split_once("(valid here: ").expect("the valid keys").1;
    valid.trim_end_matches(')').split(", ").map(str::to_owned).collect()
}

#[test]
fn the_keys_of_the_manifest_are_those_that_the_program_takes() {
    let told = Manifest::parse("plugin.toml", "no-such-key = 1").unwrap_err().to_string();
    let guide = guide("contract.md");
    let rows = rows(section(&guide, "The manifest"));
    let listed = rows.iter().flat_map(|row| quoted(row[0])).map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!(listed, valid(&told));
}

#[test]
fn the_keys_of_the_configuration_are_those_that_the_program_takes() {
    let guide = guide("operate.md");
    let listed = |heading: &str| -> BTreeSet<String> {
        rows(section(&guide, heading)).iter().map(|row| quoted(row[0])[0].to_owned()).collect()
    };
    assert_eq!(listed("The whole of hubcap.toml"), keys(""));
    assert_eq!(listed("What the hub may do"), keys("[limits]"));
    assert_eq!(listed("What one call may use"), keys("[defaults]"));
    assert_eq!(listed("What is set for one plugin"), keys("[plugins.some]"));
    assert_eq!(listed("Grants"), keys("[plugins.some.grant]"));
    assert_eq!(keys("[plugins.some.budget]"), keys("[defaults]"));
    let approval = self::guide("approval.md");
    let listed = |heading: &str| -> BTreeSet<String> {
        rows(section(&approval, heading)).iter().map(|row| quoted(row[0])[0].to_owned()).collect()
    };
    assert_eq!(listed("Rules"), keys("[[policy]]"));
    assert_eq!(listed("Time"), keys("[approval]"));
}

#[test]
fn the_settings_of_the_audit_log_are_those_that_the_program_takes() {
    let guide = guide("audit.md");
    let rows = rows(section(&guide, "Settings"));
    let listed: BTreeSet<String> = rows.iter().map(|row| quoted(row[0])[0].to_owned()).collect();
    assert_eq!(listed, keys("[audit]"));
    let parsed = |toml: &str| Config::parse(Path::new("hubcap.toml"), toml).unwrap();
    for row in &rows {
        let default = format!("[audit]\n{} = {}\n", quoted(row[0])[0], quoted(row[1])[0]);
        assert_eq!(parsed(&default), parsed(""), "{row:?}");
    }
    let keep = rows.iter().find(|row| row[0] == "`keep`").expect("a row for `keep`");
    for (edge, step) in quoted(keep[2]).into_iter().zip([-1, 1]) {
        assert_eq!(wrong(&format!("[audit]\nkeep = {edge}\n")), None);
        assert!(wrong(&format!("[audit]\nkeep = {}\n", beside(edge, step))).is_some(), "{edge}");
    }
}

#[test]
fn the_fields_of_the_audit_log_are_those_that_are_written() {
    let guide = guide("audit.md");
    let rows = rows(section(&guide, "What stands in it"));
    let listed: BTreeSet<String> = rows.iter().flat_map(|row| quoted(row[0])).map(str::to_owned).collect();
    let source = read("host/src/audit/record.rs");
    let body = source.split_once("struct Written<'a> {").unwrap().1.split_once("\n}").unwrap().0;
    let field = |line: &str| Some(line.trim().split_once(": ")?.0.to_owned());
    let of_calls = body.lines().filter(|line| !line.contains('#')).filter_map(field);
    let of_all = ["seq", "kind", "lost", "prev", "hash"].map(str::to_owned);
    assert_eq!(
        listed.into_iter().chain(["kind".into()]).collect::<BTreeSet<_>>(),
        of_calls.chain(of_all).collect()
    );
    let of_deeds = self::rows(section(&guide, "What the operator does"));
    let listed: BTreeSet<String> =
        of_deeds.iter().flat_map(|row| quoted(row[0])).map(str::to_owned).collect();
    let source = read("host/src/audit/deed.rs");
    let body = source.split_once("struct Done<'a> {").unwrap().1.split_once("\n}").unwrap().0;
    let as_above = ["time", "run", "caller", "plugin", "digest"].map(str::to_owned);
    assert_eq!(
        listed.into_iter().chain(as_above).collect::<BTreeSet<_>>(),
        body.lines().filter(|line| !line.contains('#')).filter_map(field).collect()
    );
}

#[test]
fn defaults_and_bounds_of_the_configuration_are_as_the_guide_says() {
    for (page, heading, table) in [
        ("operate.md", "What the hub may do", "limits"),
        ("operate.md", "What one call may use", "defaults"),
        ("approval.md", "Time", "approval"),
    ] {
        for row in rows(section(&guide(page), heading)) {
            let value = |cell: usize| quoted(row[cell])[0];
            let with = |value: &str| format!("[{table}]\n{} = {value}\n", quoted(row[0])[0]);
            let parsed = |toml: &str| Config::parse(Path::new("hubcap.toml"), toml).unwrap();
            assert_eq!(parsed(&with(value(1))), parsed(""), "{row:?}: the default");
            for (edge, step) in [(value(2), -1), (value(3), 1)] {
                assert_eq!(wrong(&with(edge)), None, "{row:?}: the edge");
                assert!(wrong(&with(&beside(edge, step))).is_some(), "{row:?}: beyond {edge}");
            }
        }
    }
}

/// The value of a constant such as `2 << 10`, `10_000` or `Duration::from_secs(5)`.
fn constant(source: &str, name: &str) -> Option<u64> {
    let (_, after) = source.split_once(&format!("const {name}: "))?;
    let written = after.split_once(" = ")?.1.split_once(';')?.0;
    let plain = written.trim_start_matches("Duration::from_secs(").trim_end_matches(')').replace('_', "");
    let mut parts = plain.split("<<").map(|part| part.trim().parse::<u64>());
    let (number, shift) = (parts.next()?.ok()?, parts.next().unwrap_or(Ok(0)).ok()?);
    Some(number << shift)
}

/// A bound as a guide says it: `2 KiB`, `10,000`, `5 s`.
fn said(bound: &str) -> u64 {
    let (number, unit) = bound.split_once(' ').unwrap_or((bound, ""));
    let number: u64 = number.replace(',', "").parse().unwrap_or_else(|error| panic!("{bound}: {error}"));
    match unit {
        "KiB" => number << 10,
        "MiB" => number << 20,
        _ => number,
    }
}

/// How much of what is wrong an error tells: no bound of a plugin.
const OF_NO_PLUGIN: [&str; 2] = ["MAX_TOLD", "MAX_TOLD_IN"];

#[test]
fn the_bounds_of_the_contract_are_those_of_the_host() {
    let guide = guide("contract.md");
    let mut listed = BTreeSet::new();
    for row in rows(section(&guide, "Bounds")).iter().filter(|row| !row[3].is_empty()) {
        let [file, name] = quoted(row[3])[..] else { panic!("{row:?}") };
        let value = constant(&read(&format!("host/src/{file}")), name);
        assert_eq!(value, Some(said(row[1])), "{row:?}");
        listed.insert((file.to_owned(), name.to_owned()));
    }
    let of_plugins = ["plugin/", "schema/", "imports/", "sandbox/", "engine/", "manifest/"];
    for (file, text) in host().iter().filter(|(file, _)| of_plugins.iter().any(|part| file.starts_with(part)))
    {
        let names = text
            .lines()
            .filter_map(|line| line.split_once("const ")?.1.split_once(": "))
            .filter(|(_, kind)| !kind.starts_with('&'))
            .map(|(name, _)| name);
        let bounds = names.filter(|name| {
            let ends = ["_DEADLINE", "_FUEL", "_BYTES"].iter().any(|end| name.ends_with(end));
            (name.starts_with("MAX_") || ends) && !OF_NO_PLUGIN.contains(name)
        });
        for name in bounds {
            assert!(
                listed.contains(&(file.clone(), name.to_owned())),
                "contract.md does not tell of {file} {name}"
            );
        }
    }
}

#[test]
fn authors_are_told_the_bounds_that_hold_unless_the_operator_sets_others() {
    let guide = guide("write-a-plugin.md");
    let told: Vec<u64> = rows(section(&guide, "Bounds")).iter().map(|row| said(row[1])).collect();
    let budget = Config::default().defaults.0;
    let of = |file: &str, name: &str| constant(&read(&format!("host/src/{file}")), name).unwrap();
    let expected = [
        budget.fuel,
        budget.deadline.as_secs(),
        budget.memory as u64,
        of("plugin/convert.rs", "MAX_RESULT"),
        of("imports/random.rs", "MAX_BYTES"),
        of("imports/log.rs", "MAX_LINES"),
    ];
    assert_eq!(told, expected);
}

/// The interfaces that a section names.
fn interfaces(section: &str) -> BTreeSet<String> {
    let interface = |word: &&str| word.contains(':') && word.contains('/') && !word.contains(['@', ' ', '#']);
    quoted(section).into_iter().filter(interface).map(str::to_owned).collect()
}

#[test]
fn the_imports_of_the_contract_are_those_that_the_host_links() {
    let guide = guide("contract.md");
    let linker = read("host/src/imports/mod.rs");
    let linked: BTreeSet<String> = linker
        .lines()
        .filter_map(|line| {
            line.trim().split_once("::add_to_linker::").map(|(path, _)| path.replace('_', "-"))
        })
        .map(|path| match path.strip_prefix("bindings::") {
            Some(ours) => format!("hubcap:plugin/{ours}"),
            None => path.replacen("::", ":", 1).replacen("::", "/", 1),
        })
        .collect();
    assert!(linked.len() > 15, "{linked:?}");
    assert_eq!(interfaces(section(&guide, "Imports that are linked")), linked);
    let world = read("wit/plugin/worlds.wit");
    let offered = world.lines().filter_map(|line| line.trim().strip_prefix("import ")?.strip_suffix(';'));
    let names = offered.map(|name| match name.split_once('@') {
        Some((wasi, _)) => wasi.to_owned(),
        None => format!("hubcap:plugin/{name}"),
    });
    let others: BTreeSet<String> = names.filter(|name| !linked.contains(name)).collect();
    assert_eq!(interfaces(section(&guide, "Imports that are not")), others);
}

#[test]
fn the_exports_of_the_contract_are_those_of_the_wit() {
    let guide = guide("contract.md");
    let table: String = rows(section(&guide, "What a plugin is")).concat().concat();
    for file in ["lifecycle", "tools", "validators", "providers"] {
        let wit = read(&format!("wit/plugin/{file}.wit"));
        let interface = wit.split_once(&format!("interface {file} {{")).unwrap().1;
        let names: Vec<&str> = interface
            .lines()
            .filter_map(|line| line.trim().split_once(": func(").map(|(name, _)| name))
            .collect();
        assert_eq!(names.len(), 2, "{names:?}");
        assert!(table.contains(&format!("`hubcap:plugin/{file}@1.0.0`")), "{file}");
        for name in names {
            assert!(table.contains(&format!("`{name}(")), "contract.md does not tell of {name}");
        }
    }
}

#[test]
fn every_reason_that_the_guide_explains_is_one_that_the_host_gives() {
    let guide = guide("operate.md");
    let said: String = host().into_iter().map(|(_, text)| text).collect();
    let rows = rows(section(&guide, "Which plugins are there, and why not"));
    assert!(rows.len() > 10, "{rows:?}");
    for row in rows {
        let reason = quoted(row[0])[0];
        let begins = [": ", " {"].iter().any(|next| said.contains(&format!("\"{reason}{next}")));
        assert!(begins, "no reason begins with {reason:?}");
    }
}

#[test]
fn agents_are_told_what_to_do_with_every_code() {
    let guide = guide("agents.md");
    let rows = rows(section(&guide, "When a call fails"));
    let codes: BTreeSet<String> = rows.iter().flat_map(|row| quoted(row[0])).map(str::to_owned).collect();
    assert_eq!(codes, words("Code"));
}
