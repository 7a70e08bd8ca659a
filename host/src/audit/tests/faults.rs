//! What becomes of records and decisions where the log cannot be written, or another hubcap writes it.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::Duration;

use super::{Audit, Place, audit, decision, folder, lines, place, record, verdict};
use crate::error::{Blame, CallError, Code};

async fn holds(mut condition: impl AsyncFnMut() -> bool) {
    let holds = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), holds).await.expect("it holds in time");
}

#[tokio::test]
async fn a_decision_is_in_the_log_when_it_is_acknowledged() {
    let home = tempfile::tempdir().unwrap();
    let audit = audit(place(home.path(), 1 << 20));
    for n in 0..3 {
        audit.record(0, move || record(n));
        audit.before(decision(n)).await.unwrap();
        let records = lines(home.path(), "000001.jsonl");
        let last = records.last().unwrap();
        assert_eq!((&last["kind"], &last["approval"]["n"]), (&"decision".into(), &n.into()));
        assert!(last.get("outcome").is_none() && last.get("cost").is_none(), "{last:#}");
    }
    assert_eq!(verdict(home.path()).records, 7);
}

#[tokio::test]
async fn decisions_that_come_together_are_all_acknowledged() {
    let home = tempfile::tempdir().unwrap();
    let audit = audit(place(home.path(), 1 << 20));
    let all = futures::future::join_all((0..100).map(|n| audit.before(decision(n)))).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    assert_eq!(verdict(home.path()).records, 101);
}

#[tokio::test]
async fn what_was_written_down_is_there_at_the_end_and_anchored() {
    let home = tempfile::tempdir().unwrap();
    let audit = audit(place(home.path(), 1 << 20));
    for n in 0..1_000 {
        audit.record(0, move || record(n));
    }
    audit.close().await;
    assert_eq!((verdict(home.path()).records, verdict(home.path()).faults), (1_001, vec![]));
    let head = fs::read_to_string(folder(home.path()).join("head")).unwrap();
    assert!(head.contains("\"seq\":1001"), "{head}");
}

#[tokio::test]
async fn a_record_that_nobody_waits_for_is_anchored_soon() {
    let home = tempfile::tempdir().unwrap();
    let audit = audit(place(home.path(), 1 << 20));
    audit.record(0, || record(0));
    let head = folder(home.path()).join("head");
    holds(async || fs::read_to_string(&head).is_ok_and(|head| head.contains("\"seq\":2"))).await;
}

#[tokio::test]
async fn nothing_is_written_where_it_is_switched_off_and_decisions_count_without() {
    let audit = Audit::off();
    audit.record(0, || unreachable!("nobody asks for it"));
    assert_eq!(audit.before(decision(0)).await, Ok(()));
    audit.close().await;
    assert!(!audit.is_on());
}

/// What a caller is told whose decision could not be written down.
async fn refused(place: Place) -> CallError {
    let audit = audit(place);
    audit.record(0, || record(0));
    let refused = CallError::from(audit.before(decision(0)).await.unwrap_err());
    audit.close().await;
    assert_eq!((refused.code, refused.blame), (Code::Approval, Blame::Host), "{refused}");
    refused
}

#[tokio::test]
async fn a_decision_is_refused_where_the_log_cannot_be_written_and_no_path_is_told() {
    let there = |home: &Path| {
        drop(super::Log::open(place(home, 1 << 20), None).unwrap());
        folder(home)
    };
    let writable = |path: &Path| fs::set_permissions(path, Permissions::from_mode(0o770)).unwrap();
    type Break<'a> = &'a dyn Fn(&Path);
    let cases: [(Break<'_>, &str); 7] = [
        (&|home| fs::remove_dir(home).unwrap(), "there is no home"),
        (&|home| fs::write(home.join("state"), "").unwrap(), "not a directory"),
        (&|home| symlink("/tmp", home.join("state")).unwrap(), "symbolic link"),
        (&|home| writable(&there(home)), "others than its owner may write to it"),
        (&|home| writable(there(home).parent().unwrap()), "others than its owner may write to it"),
        (&|home| writable(&there(home).join("000001.jsonl")), "others than its owner may write to it"),
        (
            &|home| {
                fs::rename(there(home).join("000001.jsonl"), home.join("log")).unwrap();
                symlink(home.join("log"), folder(home).join("000001.jsonl")).unwrap();
            },
            "symbolic link",
        ),
    ];
    for (break_it, told) in cases {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        fs::create_dir(&home).unwrap();
        break_it(&home);
        let refused = refused(place(&home, 1 << 20)).await;
        let text = refused.message();
        assert!(text.contains("the audit log cannot be written") && text.contains(told), "{told}: {text}");
        assert!(!text.contains(folder.path().to_str().unwrap()), "{text}");
    }
}

#[tokio::test]
async fn a_second_host_waits_for_the_end_of_the_first_and_tells_how_many_records_it_lost() {
    let home = tempfile::tempdir().unwrap();
    let first = audit(place(home.path(), 1 << 20));
    first.before(decision(0)).await.unwrap();
    let second = audit(Place { run: "89abcdef".into(), ..place(home.path(), 1 << 20) });
    for n in 0..3 {
        second.record(0, move || record(n));
    }
    let error = second.before(decision(1)).await.unwrap_err();
    assert!(error.to_string().contains("another hubcap"), "{error}");
    first.close().await;
    drop(first);
    holds(async || second.before(decision(2)).await.is_ok()).await;
    let records = lines(home.path(), "000001.jsonl");
    let lost: Vec<_> = records.iter().filter_map(|record| record["lost"].as_u64()).collect();
    assert_eq!(lost, [3], "{records:#?}");
    assert_eq!((verdict(home.path()).lost, verdict(home.path()).faults), (3, vec![]));
}

#[tokio::test]
async fn a_log_that_was_moved_away_is_begun_anew_by_the_next_record() {
    let home = tempfile::tempdir().unwrap();
    let audit = audit(place(home.path(), 1 << 20));
    audit.before(decision(0)).await.unwrap();
    fs::rename(folder(home.path()), home.path().join("old")).unwrap();
    audit.before(decision(1)).await.unwrap();
    let records = lines(home.path(), "000001.jsonl");
    assert_eq!(records[0]["fault"], "record 2 was written, and there is no record");
    assert_eq!(records[1]["approval"]["n"], 1);
}
