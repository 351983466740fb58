//! Cases of whole and broken logs. `writer/tests.rs` has those of the thread.

use super::key::Key;
use super::log::Log;
use super::open::open;
use super::record::timestamp;
use super::segment::{self, name};
use super::*;
use crate::clock::WallTime;
use proptest::prelude::*;
use std::path::{Path, PathBuf};
use std::{fs, io};

const TIME: &str = "2026-11-22T09:30:00.125Z";

/// A folder with a log in it.
pub(super) struct Folder(tempfile::TempDir);

impl Folder {
    pub(super) fn empty() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Three records more than the first one.
    fn with_log() -> Self {
        let folder = Self::empty();
        let mut log = folder.open(u64::MAX);
        log.commit(&[entry("anna"), entry("bert")], TIME).unwrap();
        log.commit(&[entry("carl")], TIME).unwrap();
        folder
    }

    pub(super) fn settings(&self, file_bytes: u64) -> Settings {
        Settings {
            folder: self.path().to_owned(),
            file_bytes,
        }
    }

    fn open(&self, file_bytes: u64) -> Log {
        open(&self.settings(file_bytes), TIME).unwrap()
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    fn log(&self) -> Vec<u8> {
        fs::read(self.file(&name(1))).unwrap()
    }

    pub(super) fn verify(&self) -> Report {
        self.verify_with(Asked::default())
    }

    fn verify_with(&self, asked: Asked) -> Report {
        verify(self.path(), asked, &|| true).unwrap()
    }

    pub(super) fn records(&self) -> Vec<Record> {
        let mut found = search(self.path(), &Filter::default(), 1000).unwrap();
        found.records.reverse();
        found.records
    }
}

fn entry(actor: &str) -> Entry {
    Entry::new("log-in", "session")
        .by(actor, "127.0.0.1")
        .detail("agent", "a \"browser\"\n\u{7f}ü")
}

#[track_caller]
fn is_whole(report: &Report) {
    assert!(report.is_whole(), "{report:#?}");
}

/// The first fault contains `what`.
#[track_caller]
fn is_broken(report: &Report, what: &str) {
    let first = report.faults.first().map(ToString::to_string);
    let first = first.unwrap_or_else(|| panic!("nothing is found wrong, and: {what}"));
    assert!(first.contains(what), "{first:?} does not say {what:?}");
    assert!(!report.is_whole());
}

#[test]
fn what_is_written_verifies_and_goes_on() {
    let folder = Folder::with_log();
    let report = folder.verify();
    is_whole(&report);
    assert_eq!((report.records, report.notes.len()), (4, 0));
    let noted = report.last.unwrap();
    assert_eq!(noted.to_string().parse(), Ok(noted));
    let mut log = folder.open(u64::MAX);
    log.commit(&[entry("dora")], TIME).unwrap();
    let key = report.key.unwrap();
    assert_eq!(key.to_string().parse(), Ok(key));
    let (key, from) = (Some(key), Some(noted));
    is_whole(&folder.verify_with(Asked { key, from }));
    let records = folder.records();
    let said: Vec<(u64, &str, &str)> = records
        .iter()
        .map(|r| (r.seq, r.action.as_str(), r.actor.as_str()))
        .collect();
    assert_eq!(
        said,
        [
            (1, "log-begun", "greyplane"),
            (2, "log-in", "anna"),
            (3, "log-in", "bert"),
            (4, "log-in", "carl"),
            (5, "log-opened", "greyplane"),
            (6, "log-in", "dora"),
        ]
    );
    assert_eq!(records[1].detail["agent"], "a \"browser\"\n\u{7f}ü");
    assert_eq!(
        (records[1].origin.as_str(), records[1].result),
        ("127.0.0.1", Outcome::Done)
    );
}

#[test]
fn every_changed_byte_is_found() {
    let folder = Folder::with_log();
    for file in [name(1), head::FILE.into()] {
        let file = folder.file(&file);
        let whole = fs::read(&file).unwrap();
        for at in 0..whole.len() {
            for bits in [0x01, 0x20, 0x80] {
                let mut changed = whole.clone();
                changed[at] ^= bits;
                fs::write(&file, &changed).unwrap();
                let report = folder.verify();
                assert!(!report.is_whole(), "byte {at} ^ {bits:#x} of {file:?}");
            }
        }
        fs::write(&file, &whole).unwrap();
    }
    is_whole(&folder.verify());
}

#[test]
fn every_end_that_is_cut_off_is_found() {
    let folder = Folder::with_log();
    let whole = folder.log();
    for length in 0..whole.len() {
        fs::write(folder.file(&name(1)), &whole[..length]).unwrap();
        assert!(!folder.verify().is_whole(), "cut to {length} bytes");
    }
    fs::write(folder.file(&name(1)), &whole[..whole.len() - 1]).unwrap();
    is_broken(
        &folder.verify(),
        "names record 4, and the log ends with 3: 1 cut off",
    );
}

#[test]
fn lines_that_are_gone_moved_or_put_in_are_found() {
    let folder = Folder::with_log();
    let whole = folder.log();
    let lines: Vec<&[u8]> = whole.split_inclusive(|b| *b == b'\n').collect();
    let cases: [(&[usize], &str); 8] = [
        (
            &[1, 2, 3],
            "audit-000001.jsonl:1 (record 1): is record 2: records 1 to 1 are missing",
        ),
        (
            &[0, 2, 3],
            "audit-000001.jsonl:2 (record 2): is record 3: records 2 to 2 are missing",
        ),
        (
            &[0, 1, 2],
            "audit.head (record 4): names record 4, and the log ends with 3: 1 cut off",
        ),
        (&[0], "3 cut off"),
        (
            &[0, 2, 1, 3],
            ":2 (record 2): is record 3: records 2 to 2 are missing or elsewhere",
        ),
        (
            &[0, 1, 1, 2, 3],
            ":3 (record 3): is record 2, which belongs elsewhere",
        ),
        (
            &[0, 1, 2, 3, 3],
            ":5 (record 5): is record 4, which belongs elsewhere",
        ),
        (&[], "4 cut off"),
    ];
    for (order, what) in cases {
        let text: Vec<u8> = order.iter().flat_map(|i| lines[*i]).copied().collect();
        fs::write(folder.file(&name(1)), text).unwrap();
        is_broken(&folder.verify(), what);
    }
    fs::remove_file(folder.file(&name(1))).unwrap();
    is_broken(&folder.verify(), "4 cut off");
    fs::write(folder.file(&name(1)), &whole).unwrap();
    fs::remove_file(folder.file(head::FILE)).unwrap();
    is_broken(&folder.verify(), "audit.head: is missing");
}

#[test]
fn another_writer_is_found_out() {
    let (folder, other) = (Folder::with_log(), Folder::with_log());
    let key = folder.verify().key;
    let noted = folder.verify().last;
    // All of it by somebody else, as whole as the first one.
    let asked = |key, from| Asked { key, from };
    is_broken(
        &other.verify_with(asked(key, None)),
        "is not signed by the key",
    );
    is_broken(
        &other.verify_with(asked(None, noted)),
        "is not the record that was noted",
    );
    // Only the log and its head, beside the gateway's own key.
    for file in [&name(1), head::FILE] {
        fs::copy(other.file(file), folder.file(file)).unwrap();
    }
    is_broken(&folder.verify(), "is not signed by the key");
    fs::remove_file(folder.file(key::FILE)).unwrap();
    is_whole(&folder.verify());
    let refused = open(&folder.settings(1), TIME).map(|_| ()).unwrap_err();
    assert!(
        refused.to_string().contains("the key is missing"),
        "{refused}"
    );
}

#[test]
fn a_head_that_was_put_back_is_found() {
    let folder = Folder::with_log();
    let old = fs::read(folder.file(head::FILE)).unwrap();
    let mut log = folder.open(u64::MAX);
    for _ in 0..AT_ONCE {
        log.commit(&[entry("anna")], TIME).unwrap();
    }
    fs::write(folder.file(head::FILE), old).unwrap();
    is_broken(&folder.verify(), "it is an old one");
}

#[test]
fn a_line_that_was_interrupted_is_kept_aside() {
    let next = |folder: &Folder| {
        let key = Key::read(folder.path()).unwrap().unwrap();
        let last = folder.verify().last.unwrap();
        record::line(&entry("dora"), TIME, last, &key).unwrap().0
    };
    let length = next(&Folder::with_log()).len();
    for cut in [1, 20, length / 2, length - 1] {
        let folder = Folder::with_log();
        let half = next(&folder)[..cut].to_vec();
        let log = [folder.log(), half.clone()].concat();
        fs::write(folder.file(&name(1)), &log).unwrap();
        let report = folder.verify();
        is_whole(&report);
        assert!(report.notes[0].contains("has no end"), "{report:?}");
        drop(folder.open(u64::MAX));
        is_whole(&folder.verify());
        let opened = folder.records().pop().unwrap();
        assert_eq!((opened.seq, opened.action.as_str()), (5, "log-opened"));
        let aside = &opened.detail["half_line"];
        assert_eq!(aside["bytes"], cut);
        let kept = fs::read(folder.file(aside["kept_as"].as_str().unwrap())).unwrap();
        assert_eq!(kept, half);
    }
}

#[test]
fn a_broken_log_is_left_as_it_is_and_another_begins() {
    for (what, says) in [
        ("changed", "audit-000001.jsonl:4 (record 4): is no record"),
        ("cut", "cut off"),
        ("rubbish", "are no line"),
        ("gone", "the log is gone"),
        ("no head", "audit.head: is missing"),
    ] {
        let folder = Folder::with_log();
        let mut log = folder.log();
        match what {
            "changed" => {
                let at = log.len() - 250;
                log[at] ^= 1;
            }
            "cut" => log.truncate(log.len() - 300),
            "rubbish" => log.extend_from_slice(b"rubbish"),
            "no head" => fs::remove_file(folder.file(head::FILE)).unwrap(),
            _ => fs::remove_file(folder.file(&name(1))).unwrap(),
        }
        if what != "gone" {
            fs::write(folder.file(&name(1)), &log).unwrap();
        }
        let mut opened = folder.open(u64::MAX);
        opened.commit(&[entry("dora")], TIME).unwrap();
        drop(opened);
        if what != "gone" {
            assert_eq!(folder.log(), log, "{what}: evidence");
        }
        let records = folder.records();
        let [.., begun, dora] = &records[..] else {
            panic!("{records:?}")
        };
        assert!(
            begun.seq > 3 && dora.seq == begun.seq + 1,
            "{what}: {}",
            begun.seq
        );
        let former = begun.detail["former"].as_str().unwrap();
        assert!(former.contains(says), "{what}: {former}");
        assert!(!folder.verify().is_whole(), "{what}");
        // It goes on with the other one after the next start.
        drop(folder.open(u64::MAX));
        assert_eq!(folder.records().pop().unwrap().action, "log-opened");
        assert_eq!(
            segment::list(folder.path()).unwrap().last().unwrap().number,
            2
        );
    }
}

#[test]
fn the_chain_goes_on_from_file_to_file() {
    let folder = Folder::empty();
    let mut log = folder.open(1);
    for actor in ["anna", "bert", "carl"] {
        log.commit(&[entry(actor)], TIME).unwrap();
    }
    drop(log);
    let report = folder.verify();
    is_whole(&report);
    assert_eq!((report.records, folder.records().len()), (7, 7));
    assert!(folder.file(&name(4)).exists());
    // A new file of which nothing was written yet.
    fs::write(folder.file(&name(5)), "").unwrap();
    is_whole(&folder.verify());
    drop(folder.open(u64::MAX));
    is_whole(&folder.verify());
    let third = fs::read(folder.file(&name(3))).unwrap();
    fs::remove_file(folder.file(&name(3))).unwrap();
    is_broken(&folder.verify(), "audit-000003.jsonl: is missing");
    fs::write(folder.file(&name(3)), "").unwrap();
    is_broken(&folder.verify(), "audit-000003.jsonl (record 4): is empty");
    fs::write(folder.file(&name(3)), third).unwrap();
    is_whole(&folder.verify());
    fs::rename(folder.file(&name(1)), folder.file("elsewhere")).unwrap();
    is_broken(&folder.verify(), "audit-000001.jsonl: is missing");
}

#[test]
fn records_are_found_by_what_they_say() {
    let folder = Folder::empty();
    let mut log = folder.open(1500);
    for i in 0..20 {
        let actor = ["anna", "bert"][i % 2];
        let result = Outcome::ALL[i % 3];
        let object = format!("camera c{}", i % 5);
        let entry = Entry::new(["watch", "unwatch"][i / 10], object);
        let time = timestamp(WallTime(i as i64 * 1_000_000_000));
        log.commit(&[entry.by(actor, "::1").result(result)], &time)
            .unwrap();
    }
    let all = search(folder.path(), &Filter::default(), 1000)
        .unwrap()
        .records;
    assert!(all.len() > 22 && all.is_sorted_by(|a, b| a.seq > b.seq));
    let some = |text: &str| Some(text.to_owned());
    let none = Filter::default;
    let cases = [
        (
            Filter {
                actor: some("anna"),
                ..none()
            },
            10,
        ),
        (
            Filter {
                actor: some("ann"),
                ..none()
            },
            0,
        ),
        (
            Filter {
                action: some("watch"),
                ..none()
            },
            10,
        ),
        (
            Filter {
                object: some("camera c3"),
                ..none()
            },
            4,
        ),
        (
            Filter {
                object: some("camera"),
                ..none()
            },
            20,
        ),
        (
            Filter {
                action: some("unwatch"),
                result: Some(Outcome::Refused),
                ..none()
            },
            4,
        ),
        (
            Filter {
                from: some("1970-01-01T00:00:18.000Z"),
                actor: some("bert"),
                ..none()
            },
            1,
        ),
        (
            Filter {
                to: some("1970-01-01T00:00:02.000Z"),
                ..none()
            },
            2,
        ),
        (
            Filter {
                before_seq: Some(2),
                ..none()
            },
            1,
        ),
    ];
    for (filter, count) in cases {
        let mut found = Vec::new();
        let mut rest = filter.clone();
        loop {
            let part = search(folder.path(), &rest, 3).unwrap();
            assert!(part.records.len() <= 3);
            found.extend(part.records);
            match part.next_before_seq {
                Some(next) => rest.before_seq = Some(next),
                None => break,
            }
        }
        let watched = found
            .iter()
            .filter(|r| r.actor != "greyplane" || filter.before_seq.is_some());
        assert_eq!(watched.count(), count, "{filter:?}");
    }
}

#[test]
fn an_export_is_the_log() {
    let folder = Folder::empty();
    let mut log = folder.open(1);
    log.commit(&[entry("anna")], TIME).unwrap();
    let mut text = String::new();
    io::Read::read_to_string(&mut export(folder.path()).unwrap(), &mut text).unwrap();
    let files = [1, 2].map(|n| fs::read_to_string(folder.file(&name(n))).unwrap());
    assert_eq!(text, files.concat());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_edit_goes_unseen(at in 0_usize..4000, gone in 0_usize..600, put in prop::collection::vec(any::<u8>(), 0..40)) {
        let folder = Folder::with_log();
        let whole = folder.log();
        let mut edited = whole.clone();
        let begin = at.min(edited.len());
        let end = (begin + gone).min(edited.len());
        edited.splice(begin..end, put);
        fs::write(folder.file(&name(1)), &edited).unwrap();
        let report = folder.verify();
        let seen = !report.is_whole() || !report.notes.is_empty();
        prop_assert_eq!(seen, edited != whole, "{:?}", report);
    }

    #[test]
    fn rubbish_is_no_log_and_no_harm(log in prop::collection::vec(any::<u8>(), 0..2000), head in prop::option::of(prop::collection::vec(any::<u8>(), 0..300))) {
        let folder = Folder::empty();
        fs::write(folder.file(&name(1)), &log).unwrap();
        if let Some(head) = head {
            fs::write(folder.file(head::FILE), head).unwrap();
        }
        prop_assert!(!folder.verify().is_whole());
        prop_assert!(search(folder.path(), &Filter::default(), 10).unwrap().records.is_empty());
        prop_assert!(open(&folder.settings(1), TIME).is_err());
        Key::make(folder.path()).unwrap();
        drop(folder.open(u64::MAX));
        prop_assert!(!folder.verify().is_whole());
        prop_assert_eq!(folder.records().len(), 1);
    }
}
