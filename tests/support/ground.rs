//! The ground of the tests of files: a plugin, the directories that it is granted, and what lies beside them.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::case::Case;
use super::guests::wasm;
use super::home::Home;
use super::message::{assert_says, text};
use super::server::Ended;
use super::{SOON, holds_within};

const MANIFEST: &str = "id = \"files\"\nversion = \"1.0.0\"\n\
    [[ask.files]]\nname = \"read\"\naccess = \"read\"\n\
    [[ask.files]]\nname = \"work\"\naccess = \"write\"\n\
    [[ask.files]]\nname = \"more\"\naccess = \"write\"\n";
const CANARY: &str = "the canary";

/// What a plugin is granted, and what lies beside it.
pub(crate) struct Ground {
    /// The folder that all of it is in.
    pub(crate) folder: TempDir,
}

impl Ground {
    /// `read/`, `work/` and `more/`, with a file in each, and a canary beside them.
    pub(crate) fn new() -> Self {
        let ground = Self { folder: tempfile::tempdir().unwrap() };
        for name in ["read", "work", "more"] {
            fs::create_dir_all(ground.at(name).join("d/below")).unwrap();
            fs::write(ground.at(name).join("a"), name).unwrap();
            fs::write(ground.at(name).join("d/b"), name).unwrap();
        }
        fs::write(ground.at("canary"), CANARY).unwrap();
        ground
    }

    /// The path of something in it.
    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// A home in which all three directories are granted.
    pub(crate) fn home(&self, quota: &str) -> Home {
        self.home_within(quota, "10s")
    }

    /// The same with a deadline of calls.
    pub(crate) fn home_within(&self, quota: &str, deadline: &str) -> Home {
        let config = format!(
            "[plugins.files]\nbudget = {{ deadline = \"{deadline}\", fuel = 20_000_000_000 }}\n\
             [plugins.files.grant]\nfiles.read = {:?}\n\
             files.work = {{ path = {:?}, write = true, quota = \"{quota}\" }}\n\
             files.more = {{ path = {:?}, write = true }}\n",
            self.at("read"),
            self.at("work"),
            self.at("more"),
        );
        home().config(&config).accept("files")
    }

    /// The same, served, with a quota of 1 MiB.
    pub(crate) fn case(&self) -> Case {
        Case::of(self.home("1MiB"))
    }

    /// What is outside is as it was.
    #[track_caller]
    pub(crate) fn assert_untouched(&self) {
        assert_eq!(fs::read_to_string(self.at("canary")).unwrap(), CANARY);
        let mut names: Vec<_> =
            fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["canary", "more", "read", "work"]);
    }
}

/// A home with the plugin and no grants.
pub(crate) fn home() -> Home {
    Home::new().file("files.wasm", &wasm("files")).file("files.toml", MANIFEST.as_bytes())
}

/// One operation of the standard library, and what it said.
#[track_caller]
pub(crate) fn act(case: &mut Case, op: &str, path: &str, more: Value) -> String {
    let mut arguments = json!({ "op": op, "path": path });
    arguments.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    let result = case.call("files_act", arguments);
    assert_ne!(result["isError"], true, "{op} {path}: {result:#}");
    text(&result).to_owned()
}

/// What WASI says to opening, looking at and making each path in a directory.
pub(crate) fn words(case: &mut Case, dir: &str, paths: &[&str]) -> Vec<String> {
    let result = case.call("files_paths", json!({ "dir": dir, "paths": paths }));
    text(&result).lines().map(str::to_owned).collect()
}

/// Makes a FIFO.
pub(crate) fn fifo(path: &Path) {
    rustix::fs::mkfifoat(CWD, path, Mode::RUSR | Mode::WUSR).unwrap();
}

/// The host is alive and holds nothing of the case open, and ends as it should. Threads that waited for the
/// disk stay for some seconds to be used again, so they are only bounded.
#[track_caller]
pub(crate) fn end(mut case: Case) -> Ended {
    assert_says(&case.call("plain_run", json!({})), "done");
    assert!(
        holds_within(SOON, || case.server.facts().fds <= case.before.fds + 1),
        "{:?}",
        case.server.facts()
    );
    let now = case.server.facts();
    assert!(now.threads <= case.before.threads + 64, "{now:?}");
    assert!(now.rss_kib <= case.before.rss_kib + 64 * 1024, "{:?}, {now:?}", case.before);
    case.server.end()
}
