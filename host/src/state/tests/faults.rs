//! What becomes of the state where the disk, the file or another process is in the way.

use std::fs::{self, File};
use std::ops::Bound;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use redb::backends::FileBackend;
use redb::{BackendError, Builder, Database, StorageBackend, TableDefinition};

use super::{MIB, code, end, space, state, text};
use crate::state::{FILE, State};

/// What the disk of a test does.
#[derive(Debug, Default)]
struct Disk {
    is_full: AtomicBool,
    syncs: AtomicUsize,
    is_stuck: Mutex<bool>,
    moves: Condvar,
}

impl Disk {
    fn stick(&self, is_stuck: bool) {
        *self.is_stuck.lock().unwrap() = is_stuck;
        self.moves.notify_all();
    }
}

#[derive(Debug)]
struct Backend(FileBackend, Arc<Disk>);

type Io<T> = Result<T, std::io::Error>;

impl StorageBackend for Backend {
    fn len(&self) -> Io<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Io<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> Io<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> Io<()> {
        self.1.syncs.fetch_add(1, SeqCst);
        let is_stuck = self.1.is_stuck.lock().unwrap();
        drop(self.1.moves.wait_while(is_stuck, |is_stuck| *is_stuck).unwrap());
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> Io<()> {
        match self.1.is_full.load(SeqCst) {
            true => Err(std::io::ErrorKind::StorageFull.into()),
            false => self.0.write(offset, data),
        }
    }

    fn close(&self) -> Io<()> {
        self.0.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.try_lock_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.unlock_range(start, end)
    }
}

/// The state of a directory that has one, on a disk of the test's own until its first fault.
fn on(disk: &Arc<Disk>, directory: &Path) -> Arc<State> {
    let file = File::options().read(true).write(true).open(directory.join("state").join(FILE)).unwrap();
    let backend = Backend(FileBackend::new(file).unwrap(), Arc::clone(disk));
    let state = state(directory);
    *state.database.write().unwrap() = Some(Builder::new().create_with_backend(backend).unwrap());
    state
}

/// A directory with a state in which `a` has written `k`.
async fn written() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let state = state(home.path());
    space(&state, "a", MIB).set("k".into(), b"kept".to_vec()).await.unwrap();
    end(state).await;
    home
}

#[tokio::test]
async fn a_full_disk_refuses_what_is_new_and_keeps_what_was_acknowledged() {
    let home = written().await;
    let disk = Arc::new(Disk::default());
    let state = on(&disk, home.path());
    let space = space(&state, "a", MIB);
    space.set("k2".into(), b"kept too".to_vec()).await.unwrap();
    disk.is_full.store(true, SeqCst);
    let error = space.set("k".into(), vec![0; 10_000]).await.unwrap_err();
    assert_eq!(error.code.as_str(), "unavailable");
    assert!(error.message().starts_with("the state of plugins is not available: "), "{error}");
    // The next one opens the file anew, on a disk with room.
    assert_eq!(text(&space, "k").await.unwrap(), "kept");
    assert_eq!(text(&space, "k2").await.unwrap(), "kept too");
    space.set("k".into(), b"new".to_vec()).await.unwrap();
    assert_eq!(text(&space, "k").await.unwrap(), "new");
}

#[tokio::test]
async fn a_second_host_is_refused_until_the_first_has_ended() {
    let home = written().await;
    let (first, second) = (state(home.path()), state(home.path()));
    assert_eq!(text(&space(&first, "a", MIB), "k").await.unwrap(), "kept");
    let error = space(&second, "a", MIB).get("k".into()).await.unwrap_err();
    assert_eq!(error.code.as_str(), "unavailable");
    assert!(error.message().contains("another hubcap has it open"), "{error}");
    end(first).await;
    assert_eq!(text(&space(&second, "a", MIB), "k").await.unwrap(), "kept");
}

#[tokio::test]
async fn a_file_that_is_none_of_the_hosts_is_left_as_it_is() {
    let other_tables = |path: &Path| {
        let database = Database::create(path).unwrap();
        let transaction = database.begin_write().unwrap();
        drop(transaction.open_table(TableDefinition::<u64, u64>::new("values")).unwrap());
        transaction.commit().unwrap();
    };
    let text = |path: &Path| fs::write(path, "my notes\n".repeat(10_000)).unwrap();
    let makers: [&dyn Fn(&Path); 2] = [&text, &other_tables];
    for make in makers {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("state")).unwrap();
        let file = home.path().join("state").join(FILE);
        make(&file);
        let before = fs::read(&file).unwrap();
        let error = space(&state(home.path()), "a", MIB).get("k".into()).await.unwrap_err();
        assert!(error.message().contains("damaged or not one of hubcap's"), "{error}");
        assert_eq!(fs::read(&file).unwrap().len(), before.len());
    }
}

#[tokio::test]
async fn a_damaged_file_is_told_or_read_as_it_was_and_stops_nobody() {
    let home = written().await;
    let file = home.path().join("state").join(FILE);
    let whole = fs::read(&file).unwrap();
    let mut refused = 0;
    // Densely where the head is, in samples beyond it.
    let damages = (0..320).step_by(7).chain((320..whole.len()).step_by(1_499));
    for at in damages {
        let mut damaged = whole.clone();
        damaged[at] ^= 1 << (at % 8);
        fs::write(&file, &damaged).unwrap();
        let space = space(&state(home.path()), "a", MIB);
        match space.get("k".into()).await {
            Ok(value) => assert_eq!(value.as_deref(), Some(&b"kept"[..]), "byte {at}"),
            Err(error) => {
                refused += 1;
                assert_eq!(error.code.as_str(), "unavailable", "byte {at}");
            }
        }
    }
    assert!(refused > 0);
    for len in [1, 100, 4_096, whole.len() / 2, whole.len() - 1] {
        fs::write(&file, &whole[..len]).unwrap();
        assert_eq!(code(space(&state(home.path()), "a", MIB).get("k".into()).await), "unavailable", "{len}");
    }
    fs::write(&file, &whole).unwrap();
    assert_eq!(text(&space(&state(home.path()), "a", MIB), "k").await.unwrap(), "kept");
}

#[tokio::test]
async fn a_database_whose_making_was_cut_off_is_made_anew() {
    let made = written().await;
    let whole = fs::read(made.path().join("state").join(FILE)).unwrap();
    let header = [&[0; 9], &whole[9..320], &vec![0; whole.len() - 320][..]].concat();
    for left in [vec![], vec![0; 5], vec![0; whole.len()], header] {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("state")).unwrap();
        fs::write(home.path().join("state").join(FILE), &left).unwrap();
        let state = state(home.path());
        space(&state, "a", MIB).set("k".into(), b"new".to_vec()).await.unwrap();
        assert_eq!(text(&space(&state, "a", MIB), "k").await.unwrap(), "new", "{} bytes", left.len());
    }
    // What was written once is never taken for that, whatever became of its start.
    let mut headless = whole.clone();
    headless[..9].fill(0);
    for left in [headless, [vec![0; 4_096], b"notes".to_vec()].concat(), vec![0; 2 << 20]] {
        let file = made.path().join("state").join(FILE);
        fs::write(&file, &left).unwrap();
        assert_eq!(code(space(&state(made.path()), "a", MIB).get("k".into()).await), "unavailable");
        assert!(fs::read(&file).unwrap() == left, "it is left as it is");
    }
}

#[tokio::test]
async fn a_place_that_cannot_be_used_is_told_without_its_path() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("state"), "").unwrap();
    let error = space(&state(home.path()), "a", MIB).get("k".into()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "unavailable: the state of plugins is not available: its directory: it is not a directory"
    );
    let nowhere = space(&State::new(None), "a", MIB).get("k".into()).await.unwrap_err();
    assert!(nowhere.message().contains("--home"), "{nowhere}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_comes_while_the_disk_is_busy_shares_the_next_transaction() {
    let home = written().await;
    let disk = Arc::new(Disk::default());
    let state = on(&disk, home.path());
    space(&state, "a", MIB).increment("n".into(), 0).await.unwrap();
    let before = disk.syncs.load(SeqCst);
    space(&state, "a", MIB).increment("n".into(), 0).await.unwrap();
    let of_one = disk.syncs.load(SeqCst) - before;
    let before = before + of_one;
    disk.stick(true);
    let write = |n: i64| {
        let space = space(&state, "a", MIB);
        tokio::spawn(async move { space.increment("n".into(), n).await.unwrap() })
    };
    let first = write(1);
    wait_for(|| disk.syncs.load(SeqCst) > before).await;
    let others: Vec<_> = (2..=20).map(write).collect();
    wait_for(|| crate::state::lock(&state.queue).len() == 19).await;
    disk.stick(false);
    assert_eq!(first.await.unwrap(), 1);
    let mut sums = Vec::new();
    for other in others {
        sums.push(other.await.unwrap());
    }
    assert_eq!(sums.iter().max(), Some(&(1..=20).sum()));
    assert_eq!(disk.syncs.load(SeqCst) - before, 2 * of_one, "20 changes, two transactions");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_whose_caller_has_given_up_is_not_made() {
    let home = written().await;
    let disk = Arc::new(Disk::default());
    let state = on(&disk, home.path());
    let one = space(&state, "a", MIB);
    let before = disk.syncs.load(SeqCst);
    disk.stick(true);
    let first = tokio::spawn({
        let one = one.clone();
        async move { one.set("first".into(), Vec::new()).await }
    });
    wait_for(|| disk.syncs.load(SeqCst) > before).await;
    let waiting = tokio::time::timeout(Duration::from_millis(20), one.set("second".into(), Vec::new()));
    assert!(waiting.await.is_err(), "a stuck disk lets nobody through");
    // Those who read do not wait for the one who writes.
    assert_eq!(text(&one, "k").await.unwrap(), "kept");
    disk.stick(false);
    first.await.unwrap().unwrap();
    one.set("third".into(), Vec::new()).await.unwrap();
    assert_eq!(one.list(String::new(), None).await.unwrap().keys, ["first", "k", "third"]);
}

async fn wait_for(condition: impl Fn() -> bool) {
    let holds = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), holds).await.expect("it holds in time");
}
