//! Cases of the thread: full disks, other writers, losses, the end.

use super::super::tests::Folder;
use super::*;
use crate::clock::SystemClock;
use std::fs;
use std::os::unix::fs::symlink;

fn start(folder: &Folder) -> Audit {
    Audit::start(folder.settings(u64::MAX), Arc::new(SystemClock::new())).unwrap()
}

fn entry() -> Entry {
    Entry::new("log-in", "session").by("anna", "::1")
}

fn actions(folder: &Folder) -> Vec<String> {
    folder.records().into_iter().map(|r| r.action).collect()
}

#[test]
fn what_is_appended_is_on_disk_and_the_rest_before_the_end() {
    let folder = Folder::empty();
    let audit = start(&folder);
    assert_eq!(audit.append(entry()), Ok(Receipt { seq: 2 }));
    assert_eq!(actions(&folder), ["log-begun", "log-in"]);
    for _ in 0..200 {
        audit.note(Entry::new("noted", "it"));
    }
    drop(audit);
    assert_eq!(folder.records().len(), 202);
    assert!(folder.verify().is_whole());
    let audit = start(&folder);
    assert_eq!(audit.append(entry()), Ok(Receipt { seq: 204 }));
}

#[test]
fn many_at_once_get_a_place_each() {
    let folder = Folder::empty();
    let audit = start(&folder);
    let mut seqs: Vec<u64> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..40)
            .map(|_| scope.spawn(|| audit.append(entry()).unwrap().seq))
            .collect();
        all.into_iter().map(|t| t.join().unwrap()).collect()
    });
    seqs.sort_unstable();
    assert_eq!(seqs, (2..42).collect::<Vec<u64>>());
    assert!(folder.verify().is_whole());
}

#[test]
fn on_a_full_disk_nothing_is_recorded_and_losses_are_told() {
    let folder = Folder::empty();
    let audit = start(&folder);
    audit.append(entry()).unwrap();
    let before = fs::read(folder.file("audit-000001.jsonl")).unwrap();
    let part = folder.file("audit.head.part");
    symlink("/dev/full", &part).unwrap();
    for _ in 0..3 {
        audit.note(entry());
    }
    let Err(CannotRecord::Unwritable(why)) = audit.append(entry()) else {
        panic!("a full disk takes no record");
    };
    assert!(why.contains("No space left"), "{why}");
    let after = fs::read(folder.file("audit-000001.jsonl")).unwrap();
    assert_eq!(after, before, "what is not recorded leaves nothing");
    fs::remove_file(part).unwrap();
    assert_eq!(audit.append(entry()), Ok(Receipt { seq: 4 }));
    assert_eq!(actions(&folder)[2..], ["records-lost", "log-in"]);
    assert_eq!(folder.records()[2].detail["count"], 3);
    assert!(folder.verify().is_whole());
}

#[test]
fn when_there_is_room_again_losses_are_told_though_nothing_happens() {
    let folder = Folder::empty();
    let audit = start(&folder);
    audit.append(entry()).unwrap();
    let part = folder.file("audit.head.part");
    symlink("/dev/full", &part).unwrap();
    audit.note(entry());
    while audit.health().writable {
        std::thread::sleep(Duration::from_millis(10));
    }
    fs::remove_file(part).unwrap();
    while !audit.health().writable {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(actions(&folder)[2..], ["records-lost"]);
    assert!(folder.verify().is_whole());
}

#[test]
fn a_log_has_one_writer() {
    let folder = Folder::empty();
    let first = start(&folder);
    first.append(entry()).unwrap();
    let second = start(&folder);
    let Err(CannotRecord::Unwritable(why)) = second.append(entry()) else {
        panic!("two writers make no chain");
    };
    assert!(why.contains("another process writes"), "{why}");
    drop(first);
    assert_eq!(second.append(entry()), Ok(Receipt { seq: 4 }));
    assert!(folder.verify().is_whole());
}

#[test]
fn whoever_changes_the_log_while_it_is_written_is_found_out() {
    for how in ["longer", "shorter", "gone"] {
        let folder = Folder::empty();
        let audit = start(&folder);
        audit.append(entry()).unwrap();
        let file = folder.file("audit-000001.jsonl");
        let mut text = fs::read(&file).unwrap();
        match how {
            "longer" => text.extend_from_slice(b"rubbish\n"),
            _ => text.truncate(300),
        }
        match how {
            "gone" => fs::remove_file(&file).unwrap(),
            _ => fs::write(&file, &text).unwrap(),
        }
        assert!(audit.append(entry()).is_err(), "{how}");
        // Another file goes on, and says why.
        audit.append(entry()).unwrap();
        let records = folder.records();
        let begun = records.iter().rfind(|r| r.action == "log-begun").unwrap();
        assert!(begun.detail.contains_key("former"), "{how}: {begun:?}");
        assert!(folder.file("audit-000002.jsonl").exists(), "{how}");
        assert!(!folder.verify().is_whole(), "{how}");
    }
}

#[test]
fn whoever_gave_up_is_not_recorded_as_having_done_it() {
    let folder = Folder::empty();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let (opened, _open) = bounded(1);
    let mut writer = Writer {
        settings: folder.settings(u64::MAX),
        clock,
        log: None,
        failed: None,
        lost: Arc::default(),
        lost_ever: Arc::default(),
        writable: Arc::default(),
        opened,
    };
    let waiting = |state: u8| {
        let (answer, answered) = bounded(1);
        let state = Arc::new(AtomicU8::new(state));
        let who = Waiter { state, answer };
        let who = Some(who);
        (
            Waiting {
                entry: entry(),
                who,
            },
            answered,
        )
    };
    let ((gone, no_answer), (here, answer)) = (waiting(GIVEN_UP), waiting(OPEN));
    writer.write(vec![gone, here]);
    assert_eq!(answer.recv(), Ok(Ok(Receipt { seq: 2 })));
    assert!(no_answer.try_recv().is_err());
    assert_eq!(actions(&folder), ["log-begun", "log-in"]);
}
