//! What one namespace takes, and that it is alone.

use super::{MIB, code, end, space, state, text};
use crate::state::namespace::{MAX_KEY, MAX_KEYS, MAX_PAGE, MAX_VALUE};
use crate::state::tables::Usage;

#[tokio::test]
async fn what_was_written_is_read_by_whoever_opens_the_directory_next() {
    let home = tempfile::tempdir().unwrap();
    let first = state(home.path());
    let one = space(&first, "a", MIB);
    assert_eq!(one.get("k".into()).await.unwrap(), None);
    one.set("k".into(), b"one".to_vec()).await.unwrap();
    one.set("k".into(), b"two".to_vec()).await.unwrap();
    one.set("gone".into(), Vec::new()).await.unwrap();
    one.delete("gone".into()).await.unwrap();
    one.delete("never".into()).await.unwrap();
    drop(one);
    end(first).await;
    let next = state(home.path());
    assert_eq!(text(&space(&next, "a", MIB), "k").await.unwrap(), "two");
    assert_eq!(next.usage().await.unwrap(), [("a".to_owned(), Usage { keys: 1, bytes: 4 })]);
}

#[tokio::test]
async fn a_namespace_is_alone_whatever_stands_in_a_key() {
    let home = tempfile::tempdir().unwrap();
    let state = state(home.path());
    let (one, two) = (space(&state, "a", MIB), space(&state, "a-b", MIB));
    let keys = ["\0", "../a-b/k", "..", "/", "a-b", "a-b\0k", "k", "k\0", "é", "\u{10ffff}"];
    for key in keys {
        one.set(key.into(), key.as_bytes().to_vec()).await.unwrap();
        assert_eq!(two.get(key.into()).await.unwrap(), None, "{key:?}");
    }
    two.set("k".into(), b"other".to_vec()).await.unwrap();
    for key in keys {
        assert_eq!(text(&one, key).await.unwrap(), key);
    }
    let mut sorted = keys;
    sorted.sort_unstable();
    assert_eq!(one.list(String::new(), None).await.unwrap().keys, sorted);
    assert_eq!(two.list(String::new(), None).await.unwrap().keys, ["k"]);
    assert_eq!(one.list(String::new(), Some("zzzz".into())).await.unwrap().keys, ["é", "\u{10ffff}"]);
    one.clear().await.unwrap();
    assert_eq!(text(&two, "k").await.unwrap(), "other");
}

#[tokio::test]
async fn keys_have_1_to_512_bytes_and_values_at_most_64_kib() {
    let home = tempfile::tempdir().unwrap();
    let space = space(&state(home.path()), "a", MIB);
    let (longest, longer) = ("k".repeat(MAX_KEY), "k".repeat(MAX_KEY + 1));
    let (largest, larger) = (vec![7; MAX_VALUE], vec![7; MAX_VALUE + 1]);
    space.set(longest.clone(), largest.clone()).await.unwrap();
    assert_eq!(space.get(longest.clone()).await.unwrap().unwrap(), largest);
    assert_eq!(code(space.set("k".into(), larger.clone()).await), "limit");
    assert_eq!(code(space.compare_and_swap("k".into(), None, larger).await), "limit");
    for wrong in [String::new(), longer] {
        assert_eq!(code(space.get(wrong.clone()).await), "invalid-arguments");
        assert_eq!(code(space.set(wrong.clone(), Vec::new()).await), "invalid-arguments");
        assert_eq!(code(space.delete(wrong.clone()).await), "invalid-arguments");
        assert_eq!(code(space.increment(wrong.clone(), 1).await), "invalid-arguments");
        assert_eq!(code(space.compare_and_swap(wrong, None, Vec::new()).await), "invalid-arguments");
    }
    assert_eq!(space.list(String::new(), None).await.unwrap().keys, [longest]);
}

#[tokio::test]
async fn a_namespace_has_1000_keys_and_not_one_more() {
    let home = tempfile::tempdir().unwrap();
    let space = space(&state(home.path()), "a", MIB);
    let entries = |n: u64| (0..n).map(|n| (format!("{n:04}"), Vec::new())).collect::<Vec<_>>();
    assert_eq!(code(space.set_all(entries(MAX_KEYS + 1)).await), "limit");
    assert!(space.all().await.unwrap().is_empty(), "what is refused has changed nothing");
    space.set_all(entries(MAX_KEYS)).await.unwrap();
    assert_eq!(code(space.set("more".into(), Vec::new()).await), "limit");
    assert_eq!(code(space.increment("more".into(), 1).await), "limit");
    assert_eq!(code(space.compare_and_swap("more".into(), None, Vec::new()).await), "limit");
    space.set("0000".into(), b"over what was there".to_vec()).await.unwrap();
    space.delete("0001".into()).await.unwrap();
    space.set("more".into(), Vec::new()).await.unwrap();
    assert_eq!(space.all().await.unwrap().len() as u64, MAX_KEYS);
}

#[tokio::test]
async fn a_quota_is_filled_to_its_last_byte() {
    let home = tempfile::tempdir().unwrap();
    let state = state(home.path());
    let ten = space(&state, "a", 10);
    ten.set("key".into(), vec![0; 7]).await.unwrap();
    assert_eq!(code(ten.set("key".into(), vec![0; 8]).await), "limit");
    assert_eq!(code(ten.set("k".into(), Vec::new()).await), "limit");
    assert_eq!(ten.get("key".into()).await.unwrap().unwrap(), [0; 7]);
    ten.set("key".into(), Vec::new()).await.unwrap();
    ten.set("k".into(), vec![0; 6]).await.unwrap();
    assert_eq!(state.usage().await.unwrap(), [("a".to_owned(), Usage { keys: 2, bytes: 10 })]);
    // Whoever is over a quota that was lowered may write less and not more.
    let five = space(&state, "a", 5);
    assert_eq!(code(five.set("k".into(), vec![0; 7]).await), "limit");
    five.set("k".into(), vec![0; 5]).await.unwrap();
    assert_eq!(code(five.increment("key".into(), 1).await), "invalid-arguments");
    assert_eq!(space(&state, "b", 0).clear().await.unwrap(), Usage::default());
    assert_eq!(code(space(&state, "b", 0).set("k".into(), Vec::new()).await), "limit");
}

#[tokio::test]
async fn pages_follow_each_other_in_byte_order_to_the_end() {
    let home = tempfile::tempdir().unwrap();
    let space = space(&state(home.path()), "a", MIB);
    let count = 2 * MAX_PAGE + 1;
    let mut expected: Vec<String> = (0..count).map(|n| format!("p{n}")).collect();
    let keys = expected.iter().map(String::as_str).chain(["o", "q"]);
    space.set_all(keys.map(|key| (key.to_owned(), Vec::new())).collect()).await.unwrap();
    expected.sort();
    let (mut found, mut sizes, mut start) = (Vec::new(), Vec::new(), None);
    loop {
        let page = space.list("p".into(), start).await.unwrap();
        sizes.push(page.keys.len());
        found.extend(page.keys);
        start = page.next;
        if start.is_none() {
            break;
        }
    }
    assert_eq!((found, sizes), (expected, vec![MAX_PAGE, MAX_PAGE, 1]));
    let none = space.list("nothing".into(), None).await.unwrap();
    assert_eq!((none.keys, none.next), (Vec::new(), None));
}

#[tokio::test]
async fn a_counter_is_a_signed_64_bit_number_that_does_not_wrap() {
    let home = tempfile::tempdir().unwrap();
    let space = space(&state(home.path()), "a", MIB);
    assert_eq!(space.increment("n".into(), i64::MAX).await.unwrap(), i64::MAX);
    assert_eq!(code(space.increment("n".into(), 1).await), "invalid-arguments");
    assert_eq!(space.get("n".into()).await.unwrap().unwrap(), i64::MAX.to_le_bytes());
    assert_eq!(space.increment("n".into(), -i64::MAX).await.unwrap(), 0);
    assert_eq!(space.increment("n".into(), i64::MIN).await.unwrap(), i64::MIN);
    assert_eq!(code(space.increment("n".into(), -1).await), "invalid-arguments");
    for other in [Vec::new(), vec![0; 7], vec![0; 9]] {
        space.set("n".into(), other).await.unwrap();
        assert_eq!(code(space.increment("n".into(), 1).await), "invalid-arguments");
    }
}

#[tokio::test]
async fn a_swap_takes_place_only_where_exactly_what_is_expected_is_held() {
    let home = tempfile::tempdir().unwrap();
    let space = space(&state(home.path()), "a", MIB);
    let swap = async |expected: Option<&[u8]>, value: &[u8]| {
        space.compare_and_swap("k".into(), expected.map(<[u8]>::to_vec), value.to_vec()).await.unwrap()
    };
    assert!(!swap(Some(b""), b"x").await);
    assert!(swap(None, b"").await);
    assert!(!swap(None, b"x").await);
    assert!(swap(Some(b""), b"one").await);
    for other in [&b""[..], b"on", b"one\0", b"two"] {
        assert!(!swap(Some(other), b"x").await);
    }
    assert_eq!(text(&space, "k").await.unwrap(), "one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_that_many_change_at_once_is_lost() {
    let home = tempfile::tempdir().unwrap();
    let space = space(&state(home.path()), "a", MIB);
    let many = (0..16).map(|n| {
        let space = space.clone();
        tokio::spawn(async move {
            for _ in 0..25 {
                space.increment("sum".into(), n).await.unwrap();
                loop {
                    let held = space.get("swaps".into()).await.unwrap();
                    let count = held.as_ref().map_or(0, Vec::len) + 1;
                    if space.compare_and_swap("swaps".into(), held, vec![0; count]).await.unwrap() {
                        break;
                    }
                }
            }
        })
    });
    for one in many.collect::<Vec<_>>() {
        one.await.unwrap();
    }
    assert_eq!(space.increment("sum".into(), 0).await.unwrap(), 25 * (0..16).sum::<i64>());
    assert_eq!(space.get("swaps".into()).await.unwrap().unwrap().len(), 25 * 16);
}
