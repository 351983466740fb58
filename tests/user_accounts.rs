//! `greyplane user` as its user types it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that fails should fail loudly"
)]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Exit code, standard output, standard error.
fn user(file: &Path, arguments: &[&str], typed: &str) -> (i32, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_greyplane"))
        .args(["user", "--users"])
        .arg(file)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Whoever asks for nothing may be gone before it is typed.
    let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
    let out = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        out.status.code().unwrap(),
        text(out.stdout),
        text(out.stderr),
    )
}

#[test]
fn accounts_are_made_listed_changed_and_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("users.toml");
    let add = |name, more: &[&str], typed: &str| {
        let arguments = [&["add", name], more].concat();
        user(&file, &arguments, typed)
    };
    let observer: &[&str] = &["--role", "observer", "--camera", "market"];
    let good = "twelve letters\n";
    assert_eq!(add("anna", observer, good).0, 0);
    let all = ["--role", "officer", "--role", "admin", "--camera", "*"];
    assert_eq!(add("bert", &all, "another fit one\r\nrest").0, 0);
    let before = std::fs::read_to_string(&file).unwrap();
    for (name, more, typed, why) in [
        ("anna", observer, good, "already"),
        ("carl", observer, "short\n", "12 to 256 characters"),
        ("carl", observer, "", "12 to 256 characters"),
        (
            "carl",
            &["--role", "boss", "--camera", "*"][..],
            good,
            "known roles: observer",
        ),
        ("carl", &["--role", "admin"][..], good, "--camera"),
        ("../carl", observer, good, "no user name"),
    ] {
        let (code, _, said) = add(name, more, typed);
        assert!(
            code == 2 && said.contains(why),
            "{name} {more:?}: {code} {said}"
        );
        assert!(!said.contains("twelve letters"));
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), before);
    let (code, listed, _) = user(&file, &["list"], "");
    assert_eq!(
        (code, listed.as_str()),
        (0, "anna\tobserver\tmarket\nbert\tofficer,admin\t*\n")
    );

    assert_eq!(
        user(&file, &["password", "anna"], "quite another one\n").0,
        0
    );
    assert_ne!(std::fs::read_to_string(&file).unwrap(), before);
    assert_eq!(user(&file, &["remove", "bert"], "").0, 0);
    assert_eq!(user(&file, &["list"], "").1, "anna\tobserver\tmarket\n");
    for arguments in [["remove", "bert"], ["password", "bert"]] {
        let (code, _, said) = user(&file, &arguments, good);
        assert!(code == 2 && said.contains("no user `bert`"), "{said}");
    }
    std::fs::write(&file, "format = 9\n").unwrap();
    for arguments in [&["list"][..], &["remove", "anna"]] {
        let (code, _, said) = user(&file, arguments, "");
        assert!(code == 2 && said.contains("format 9"), "{said}");
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "format = 9\n");
}
