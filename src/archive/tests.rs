//! Cases of versions.

use super::*;
use std::fs;

const NOW: WallTime = WallTime(1_795_000_000_000_000_000);

struct Desk {
    folder: tempfile::TempDir,
    archive: Archive,
}

impl Desk {
    fn with(document: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("market.json");
        fs::write(&file, document).unwrap();
        let archive = Archive::of(&file);
        Self { folder, archive }
    }

    fn document(&self) -> String {
        fs::read_to_string(self.folder.path().join("market.json")).unwrap()
    }

    fn draft(&self, document: &str, author: &str) -> Draft {
        Draft {
            document: document.into(),
            base_sha256: self.archive.active(NOW).unwrap().0.sha256,
            author: author.into(),
            reason: None,
            covers_less: false,
            restores: None,
            propose: false,
            at: NOW,
        }
    }
}

#[test]
fn versions_are_kept_with_who_when_and_why() {
    let desk = Desk::with("one");
    let (first, bytes) = desk.archive.active(NOW).unwrap();
    assert_eq!((first.number, bytes.as_slice()), (1, &b"one"[..]));
    assert_eq!(
        (first.author.as_str(), first.saved.as_str()),
        ("unknown (by hand)", "2026-11-18T11:06:40Z")
    );
    let mut draft = desk.draft("two", "iris");
    draft.reason = Some("a new window".into());
    let second = desk.archive.save(draft).unwrap();
    assert_eq!(
        (second.number, second.state, desk.document().as_str()),
        (2, State::Active, "two")
    );
    let all = desk.archive.versions(NOW).unwrap();
    assert_eq!(
        all.iter().map(|v| (v.number, v.state)).collect::<Vec<_>>(),
        [(2, State::Active), (1, State::Past),]
    );
    assert_eq!(all[0].reason.as_deref(), Some("a new window"));
    assert_eq!(desk.archive.version(1, NOW).unwrap().1, b"one");
    assert!(matches!(
        desk.archive.version(3, NOW),
        Err(Fault::NoVersion(3))
    ));

    // The same words again are the version that said them last.
    let mut back = desk.draft("one", "iris");
    back.restores = Some(1);
    let third = desk.archive.save(back).unwrap();
    assert_eq!(
        (third.number, desk.archive.active(NOW).unwrap().0.number),
        (3, 3)
    );
}

#[test]
fn two_at_once_get_a_conflict_and_no_lost_edit() {
    let desk = Desk::with("one");
    let (iris, joris) = (desk.draft("iris's", "iris"), desk.draft("joris's", "joris"));
    desk.archive.save(iris).unwrap();
    match desk.archive.save(joris) {
        Err(Fault::Conflict(now)) => assert_eq!((now.number, now.author.as_str()), (2, "iris")),
        other => panic!("{other:?}"),
    }
    assert_eq!(desk.document(), "iris's");
}

#[test]
fn a_document_changed_by_hand_is_a_version_too() {
    let desk = Desk::with("one");
    let draft = desk.draft("two", "iris");
    fs::write(desk.folder.path().join("market.json"), "by hand").unwrap();
    assert!(matches!(desk.archive.save(draft), Err(Fault::Conflict(_))));
    let (now, _) = desk.archive.active(NOW).unwrap();
    assert_eq!((now.number, now.author.as_str()), (2, "unknown (by hand)"));
    fs::write(desk.folder.path().join("market.json"), "one").unwrap();
    let numbers: Vec<u32> = desk
        .archive
        .versions(NOW)
        .unwrap()
        .iter()
        .map(|v| v.number)
        .collect();
    assert_eq!(
        numbers,
        [3, 2, 1],
        "an old one brought back by hand is news as well"
    );
}

#[test]
fn a_proposal_waits_for_somebody_else() {
    let desk = Desk::with("one");
    let propose = |text: &str| Draft {
        propose: true,
        ..desk.draft(text, "iris")
    };
    let two = desk.archive.save(propose("two")).unwrap();
    assert_eq!(
        (two.state, desk.document().as_str()),
        (State::Proposed, "one")
    );
    let settle = |number, who, yes| desk.archive.settle(number, who, yes, NOW);
    assert!(matches!(settle(2, "iris", true), Err(Fault::SamePerson)));
    assert!(matches!(
        settle(1, "joris", true),
        Err(Fault::NotProposed(1))
    ));
    assert!(matches!(settle(9, "joris", true), Err(Fault::NoVersion(9))));
    let (refused, document) = settle(2, "joris", false).unwrap();
    assert_eq!((refused.state, document), (State::Refused, None));
    assert!(matches!(
        settle(2, "joris", true),
        Err(Fault::NotProposed(2))
    ));

    desk.archive.save(propose("three")).unwrap();
    let (approved, document) = settle(3, "joris", true).unwrap();
    assert_eq!(
        (approved.state, document),
        (State::Active, Some(b"three".to_vec()))
    );
    assert_eq!(
        (approved.second.as_deref(), desk.document().as_str()),
        (Some("joris"), "three")
    );

    // One that was overtaken is no longer what the second person thinks it is.
    desk.archive.save(propose("four")).unwrap();
    desk.archive.save(desk.draft("five", "iris")).unwrap();
    assert!(matches!(settle(4, "joris", true), Err(Fault::Conflict(_))));
    assert_eq!(desk.document(), "five");
}

#[test]
fn what_was_tampered_with_is_said_and_nothing_is_lost() {
    let desk = Desk::with("one");
    desk.archive.save(desk.draft("two", "iris")).unwrap();
    let versions = desk.folder.path().join("market.json.versions");
    fs::write(versions.join("000001.json"), "other").unwrap();
    assert!(matches!(
        desk.archive.version(1, NOW),
        Err(Fault::Damaged { .. })
    ));
    fs::write(versions.join("000002.about.json"), "{}").unwrap();
    assert!(matches!(
        desk.archive.active(NOW),
        Err(Fault::Damaged { .. })
    ));
    assert_eq!(desk.document(), "two");
    fs::remove_file(desk.folder.path().join("market.json")).unwrap();
    assert!(matches!(desk.archive.active(NOW), Err(Fault::Io { .. })));
}

#[test]
fn a_full_disk_changes_nothing() {
    let desk = Desk::with("one");
    let draft = desk.draft("two", "iris");
    // The folder's place is taken by a file: nothing can be written there.
    let versions = desk.folder.path().join("market.json.versions");
    fs::remove_dir_all(&versions).unwrap();
    fs::write(&versions, "").unwrap();
    assert!(desk.archive.save(draft).is_err());
    assert_eq!(desk.document(), "one");
}
