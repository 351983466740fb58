//! `greyplane doctor` as it is typed, on good and on broken machines.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that fails should fail loudly"
)]

use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const MASKS: &str = r#"{"format":1,"camera":"yard","zones":[{"id":"a","name":"a","mode":"hide",
  "shape":{"type":"image","points":[{"x":0.1,"y":0.1},{"x":0.4,"y":0.1},{"x":0.4,"y":0.4}]}}]}"#;

/// A configuration with `console` and `camera` added, in a folder with its masks.
fn configure(folder: &Path, console: &str, camera: &str) {
    fs::write(folder.join("yard.json"), MASKS).unwrap();
    fs::write(folder.join("users.toml"), "").unwrap();
    let text = format!(
        "{console}\n[[camera]]\nid = \"yard\"\nurl = \"rtsp://127.0.0.1/yard\"\n\
         masks = \"yard.json\"\n{camera}"
    );
    fs::write(folder.join("greyplane.toml"), text).unwrap();
}

/// The doctor's word, and how it ended.
fn ask(folder: &Path, before: &[&str], environment: &[(&str, &str)]) -> (i32, Value) {
    let mut line: Vec<&str> = before.to_vec();
    line.extend([env!("CARGO_BIN_EXE_greyplane"), "doctor", "--json"]);
    line.extend(["--config", "greyplane.toml"]);
    let (program, arguments) = line.split_first().unwrap();
    let Output { status, stdout, .. } = Command::new(program)
        .args(arguments)
        .envs(environment.iter().copied())
        .current_dir(folder)
        .output()
        .unwrap();
    let said = serde_json::from_slice(&stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&stdout)));
    (status.code().unwrap(), said)
}

/// What is said about one check: verdict and sentence of the worst of it.
fn about<'v>(said: &'v Value, check: &str) -> (&'v str, &'v str) {
    let findings = said["findings"].as_array().unwrap();
    let rank = |f: &&Value| {
        ["good", "doubt", "bad"]
            .iter()
            .position(|v| f["verdict"] == *v)
    };
    let worst = findings
        .iter()
        .filter(|f| f["check"] == check)
        .max_by_key(rank);
    let worst = worst.unwrap_or_else(|| panic!("nothing about {check} in {said:#}"));
    (
        worst["verdict"].as_str().unwrap(),
        worst["what"].as_str().unwrap(),
    )
}

const CONSOLE: &str = "[console]\nusers = \"users.toml\"";
const LOOKING: &str = "[camera.detect]\nclasses = [\"face\"]\n";

#[test]
fn a_machine_that_will_do_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), CONSOLE, "transport = \"udp\"\n");
    let (code, said) = ask(folder.path(), &[], &[]);
    assert_eq!((code, &said["ok"]), (0, &Value::Bool(true)), "{said:#}");
    for check in [
        "configuration",
        "gstreamer",
        "models",
        "core-dumps",
        "system-calls",
        "write",
    ] {
        assert_eq!(about(&said, check).0, "good", "{said:#}");
    }
    let written = about(&said, "write").1;
    assert!(written.starts_with(". can be written"), "{written}");
    // Those may be in doubt on the machine that runs the tests.
    for check in ["clock", "swap", "open-files", "udp-buffers", "disk", "cpu"] {
        assert_ne!(about(&said, check).0, "bad", "{said:#}");
    }
    assert!(
        about(&said, "cpu").1.contains("such cameras fit"),
        "{said:#}"
    );
    for finding in said["findings"].as_array().unwrap() {
        let is_good = finding["verdict"] == "good";
        assert_eq!(finding["remedy"].is_null(), is_good, "{finding}");
    }
}

#[test]
fn what_is_broken_is_named_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();

    // A mistake beside the next, masks that are none, models that are not there.
    configure(
        here,
        "[console]\nusers = \"users.toml\"\naudit = \"yard.json/audit\"\n\
         [detectors]\nfolder = \"nowhere\"",
        LOOKING,
    );
    fs::write(here.join("yard.json"), "{}").unwrap();
    let (code, said) = ask(here, &[], &[]);
    assert_eq!((code, &said["ok"]), (1, &Value::Bool(false)));
    assert!(
        about(&said, "configuration").1.contains("yard.json"),
        "{said:#}"
    );
    assert!(about(&said, "models").1.contains("nowhere"), "{said:#}");
    assert!(about(&said, "write").1.contains("is no folder"), "{said:#}");
    for check in ["configuration", "models", "write"] {
        assert_eq!(about(&said, check).0, "bad", "{said:#}");
    }
    assert_eq!(about(&said, "gstreamer").0, "good");

    // A key that nobody knows: the machine is looked at all the same.
    configure(here, "", "colour = 1\n");
    let (code, said) = ask(here, &[], &[]);
    assert_eq!((code, about(&said, "configuration").0), (1, "bad"));
    assert!(about(&said, "configuration").1.contains(":6:"), "{said:#}");
    assert_eq!(about(&said, "gstreamer").0, "good");

    // An encoder that no machine has beside a graphics card of another maker.
    configure(here, "", "[camera.encoder]\nname = \"nvh264enc\"\n");
    let (_, said) = ask(here, &[], &[]);
    let (verdict, what) = about(&said, "gstreamer");
    let has_it = verdict == "good" && what.contains("nvh264enc");
    assert!(
        has_it || (verdict == "bad" && what.contains("yard wants nvh264enc")),
        "{said:#}"
    );
}

#[test]
fn a_machine_that_will_not_do_is_told_why() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    configure(here, CONSOLE, "");
    // No plugins.
    let registry = here.join("registry");
    let none = [
        ("GST_PLUGIN_SYSTEM_PATH_1_0", "/nonexistent"),
        ("GST_REGISTRY_1_0", registry.to_str().unwrap()),
    ];
    let (code, said) = ask(here, &[], &none);
    assert_eq!((code, about(&said, "gstreamer").0), (1, "bad"), "{said:#}");
    assert_eq!(about(&said, "cpu").0, "bad");
    let remedies = said.to_string();
    assert!(remedies.contains("apt-get install"), "{said:#}");
    assert!(remedies.contains("gstreamer1.0-plugins-good"), "{said:#}");

    // Hardly any files.
    let (code, said) = ask(here, &["prlimit", "--nofile=90:90"], &[]);
    assert_eq!((code, about(&said, "open-files").0), (1, "bad"), "{said:#}");
}

#[test]
fn people_get_a_line_for_each_check() {
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), "", "colour = 1\n");
    let ask = |arguments: &[&str]| {
        let out = Command::new(env!("CARGO_BIN_EXE_greyplane"))
            .args(arguments)
            .current_dir(folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&out.stdout).into_owned();
        (out.status.code(), said)
    };
    let (code, said) = ask(&["doctor", "--config", "greyplane.toml"]);
    assert_eq!(code, Some(1), "{said}");
    let bad = said
        .lines()
        .position(|l| l.starts_with("bad   configuration"))
        .unwrap();
    assert!(said.lines().nth(bad + 1).unwrap().contains("→"), "{said}");
    assert!(said.contains("\nok    gstreamer"), "{said}");
    assert!(said.ends_with("see what is marked `bad`.\n"), "{said}");
    // Without a configuration there is nothing of it to be wrong.
    let (code, said) = ask(&["doctor"]);
    assert!(code == Some(0) && !said.contains("configuration"), "{said}");
}
