//! The guides in `host/docs`, followed to the letter: what they show is what happens.
//!
//! Invariant: a guide that is added is replayed or fails, and every check of this file can fail.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::support::guests::root;
use crate::support::shell::Shell;
use crate::support::transcript::{Guide, guides};

/// Follows a guide and gives the shell that did.
#[track_caller]
fn follow(name: &str) -> Shell {
    let (_, text) = guides(root()).into_iter().find(|(guide, _)| guide == name).expect("the guide is there");
    let guide = Guide::parse(name, &text).unwrap_or_else(|faults| panic!("{}", faults.join("\n")));
    let mut shell = Shell::new();
    let followed = guide.replay(&mut shell);
    followed.unwrap_or_else(|faults| panic!("host/docs does not say what happens:\n{}", faults.join("\n")));
    shell
}

#[test]
fn the_guide_for_operators_shows_what_happens() {
    follow("operate.md");
}

#[test]
fn the_guide_for_agents_shows_what_happens() {
    follow("agents.md");
}

#[test]
fn the_guide_to_errors_shows_what_happens() {
    follow("errors.md");
}

#[test]
fn the_guide_to_approval_shows_what_happens() {
    follow("approval.md");
}

#[test]
fn the_guide_to_trust_shows_what_happens() {
    follow("trust.md");
}

#[test]
fn the_guide_to_files_shows_what_happens() {
    follow("files.md");
}

#[test]
fn the_guide_to_the_contract_shows_what_happens() {
    follow("contract.md");
}

#[test]
fn the_guide_to_state_shows_what_happens() {
    follow("kv.md");
}

#[test]
fn the_guide_to_calls_between_plugins_shows_what_happens() {
    follow("hub.md");
}

#[test]
fn the_guide_to_consensus_shows_what_happens() {
    follow("consensus.md");
}

#[test]
fn the_guide_to_the_audit_log_shows_what_happens() {
    follow("audit.md");
}

#[test]
fn the_guide_to_programs_shows_what_happens() {
    follow("process.md");
}

#[test]
fn the_guide_to_requests_shows_what_happens() {
    follow("http.md");
}

#[test]
fn the_guide_to_secrets_shows_what_happens() {
    follow("secrets.md");
}

#[test]
fn the_guide_to_measurements_shows_what_happens() {
    follow("measurements.md");
}

#[test]
fn a_plugin_is_written_as_its_guide_says_and_in_less_than_five_minutes() {
    let shell = follow("write-a-plugin.md");
    let at = |words: &str| shell.history.iter().find(|(command, ..)| command.contains(words)).unwrap();
    let (_, started, _) = at("hubcap plugin new ");
    let (_, _, called) = at("hubcap call ");
    let time = called.duration_since(*started);
    eprintln!("from `plugin new` to the called tool: {time:.1?}");
    assert!(time < Duration::from_secs(300), "{time:?}");
}

#[test]
fn every_guide_is_followed() {
    let tests = include_str!("guides.rs");
    let names: Vec<String> = guides(root()).into_iter().map(|(name, _)| name).collect();
    assert!(names.len() >= 5, "{names:?}");
    let left_out: Vec<_> =
        names.iter().filter(|name| !tests.contains(&format!("follow(\"{name}\")"))).collect();
    assert!(left_out.is_empty(), "{left_out:?}");
}

/// The anchor of a heading, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect::<String>().to_lowercase()
}

/// What is wrong with a link of a page in this folder, if anything.
fn broken(page: &Path, link: &str) -> Option<String> {
    let (file, place) = link.split_once('#').unwrap_or((link, ""));
    let file = if file.is_empty() { page.to_owned() } else { page.parent().unwrap().join(file) };
    if !file.exists() {
        return Some(format!("{}: {link}: there is no such file", page.display()));
    }
    let has = |place: &str| {
        let text = fs::read_to_string(&file).unwrap();
        text.lines()
            .filter(|line| line.starts_with('#'))
            .any(|line| anchor(line.trim_matches(['#', ' '])) == place)
    };
    (!place.is_empty() && !has(place))
        .then(|| format!("{}: {link}: there is no such heading", page.display()))
}

#[test]
fn every_link_of_the_guides_and_the_readme_leads_somewhere() {
    let mut pages: Vec<PathBuf> =
        guides(root()).iter().map(|(name, _)| root().join("host/docs").join(name)).collect();
    pages.extend(["README.md", "CONTRIBUTING.md"].map(|page| root().join(page)));
    let (mut links, mut wrong) = (0, Vec::new());
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        let targets =
            text.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(target, _)| target));
        for target in targets.filter(|target| !target.contains("://")) {
            links += 1;
            wrong.extend(broken(&page, target));
        }
    }
    assert!(links > 40, "{links}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let page = root().join("host/docs/errors.md");
    assert!(broken(&page, "agents.md#no-such").is_some() && broken(&page, "none.md").is_some());
}

/// What reading and following a page comes to.
fn faults(page: &str) -> String {
    match Guide::parse("page.md", page) {
        Ok(guide) => guide.replay(&mut Shell::new()).err().unwrap_or_default().join("\n"),
        Err(faults) => faults.join("\n"),
    }
}

fn console(shown: &str) -> String {
    faults(&format!("```console\n{shown}\n```\n"))
}

#[test]
fn what_is_shown_has_to_be_what_happens() {
    assert_eq!(console("$ echo one; echo two >&2\none\ntwo"), "");
    let other = console("$ echo one\nmore");
    assert!(other.starts_with("page.md:3: `echo one`\n  expected: more\n  actual:   one\n"), "{other}");
    let less = console("$ printf 'one\\ntwo\\n'\none");
    assert!(less.contains("expected: (the end)\n  actual:   two"), "{less}");
    let more = console("$ echo one\none\ntwo");
    assert!(more.starts_with("page.md:4:") && more.contains("actual:   (the end)"), "{more}");
}

#[test]
fn an_ellipsis_stands_for_a_part_of_a_line_or_for_lines() {
    for shown in [
        "…",
        "…\nc d e",
        "a\n…\nc d e",
        "a\n…\nb\n…\nc d e",
        "a\nb\nc … e\n…",
        "a\nb\n…c…d…e…",
        "a\nb\nc d e",
    ] {
        assert_eq!(console(&format!("$ printf 'a\\nb\\nc d e\\n'\n{shown}")), "", "{shown}");
    }
    for shown in ["…\nb", "a\n…", "b\n…", "a\nb\nc …e e", "a\nb\nd…", "a\nb\nc…d", "…\na\n…\na\n…"]
    {
        let ok = shown == "a\n…";
        assert_eq!(console(&format!("$ printf 'a\\nb\\nc d e\\n'\n{shown}")).is_empty(), ok, "{shown}");
    }
}

#[test]
fn a_command_ends_with_the_exit_code_that_is_said() {
    assert!(console("$ exit 3").contains("expected: exit code 0\n  actual:   Some(3)"));
    assert_eq!(faults("<!-- exit: 3 -->\n```console\n$ exit 3\n```\n"), "");
    assert!(faults("<!-- exit: 3 -->\n```console\n$ true\n```\n").contains("exit code 3"));
}

#[test]
fn files_are_written_where_the_guide_says_and_a_later_one_replaces_the_first() {
    let file = |text: &str| format!("<!-- file: a/b.txt -->\n```text\n{text}\n```\n");
    let show = |text: &str| format!("```console\n$ cat a/b.txt\n{text}\n```\n");
    assert_eq!(faults(&[file("1"), show("1"), file("2"), show("2")].concat()), "");
    assert!(
        faults(&[file("1"), file("2"), show("2")].concat()).contains("page.md:2: no command after it reads")
    );
    assert!(faults("<!-- file: ../b -->\n```text\n```\n").contains("outside of the folder"));
}

#[test]
fn nothing_stands_in_a_guide_that_is_neither_run_nor_marked() {
    for (page, fault) in [
        ("```rust\nfn f() {}\n```\n", "`rust` is neither"),
        ("```\n$ true\n```\n", "`` is neither"),
        ("```console\ntrue\n```\n", "starts with `$ `"),
        ("```console\n```\n", "without a command"),
        ("  ```console\n$ true\n```\n", "indented"),
        ("<!-- flie: a -->\n```text\n```\n", "none of `file: …`"),
        ("<!-- not run:  -->\n```text\n```\n", "none of `file: …`"),
        ("<!-- file: a -->\n\ntext\n", "no fence after"),
        ("<!-- not run: because -->\n```json\n{\n```\n", "no JSON"),
        (
            "<!-- file: a/src/lib.rs -->\n```rust\n```\n```console\n$ cat a/src/lib.rs\n```\n",
            "no command after",
        ),
        (
            "<!-- file: hubcap.toml -->\n```toml\n```\n```console\n$ cat hubcap.toml\n```\n",
            "no command after",
        ),
    ] {
        assert!(faults(page).contains(fault), "{page}: {}", faults(page));
    }
    assert_eq!(faults("<!-- not run: it needs a display -->\n\n```text\nx\n```\n"), "");
}
