//! Holds ARCHITECTURE.md's module table: who may import whom.
//!
//! Reads every `crate::…` path in `src/`; a module that reaches for another
//! one that its row does not name fails here, with file and line.
#![allow(
    clippy::panic,
    clippy::expect_used,
    reason = "a test that fails should fail loudly"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Module → what it may import besides itself, in the order data flows.
const TABLE: &[(&str, &[&str])] = &[
    ("clock", &[]),
    ("event", &[]),
    ("secret", &[]),
    ("stamp", &["clock"]),
    ("av1", &[]),
    ("geom", &[]),
    ("frame", &["geom", "clock"]),
    ("pose", &["geom", "clock", "event"]),
    ("zone", &["geom", "pose"]),
    ("detect", &["frame", "geom"]),
    ("track", &["detect", "geom", "clock"]),
    ("eval", &["track", "detect", "frame", "geom", "clock"]),
    ("schedule", &["detect", "frame", "geom", "clock"]),
    ("plan", &["detect", "zone", "pose", "geom", "event"]),
    ("paint", &["plan", "zone", "frame", "geom", "event"]),
    ("hold", &["plan", "clock", "event"]),
    ("device_http", &["secret"]),
    ("machine", &[]),
    ("onvif", &["device_http", "pose", "clock", "secret"]),
    (
        "telemetry",
        &[
            "onvif",
            "device_http",
            "machine",
            "pose",
            "clock",
            "event",
            "secret",
        ],
    ),
    ("steer", &["onvif", "pose", "geom", "clock"]),
    ("register", &["frame", "pose", "geom", "clock"]),
    (
        "still",
        &[
            "plan", "paint", "zone", "pose", "frame", "geom", "clock", "event",
        ],
    ),
    (
        "pipeline",
        &[
            "still", "hold", "paint", "plan", "frame", "geom", "stamp", "av1", "clock", "event",
            "secret",
        ],
    ),
    ("tls", &["clock"]),
    (
        "egress",
        &["device_http", "pipeline", "tls", "clock", "event", "secret"],
    ),
    ("notify", &["pipeline", "tls", "clock", "event", "secret"]),
    (
        "traces",
        &["device_http", "pipeline", "clock", "event", "secret"],
    ),
    ("media", &["pipeline", "paint", "frame", "geom", "clock"]),
    (
        "redact",
        &[
            "media", "track", "plan", "paint", "detect", "zone", "pose", "frame", "geom", "clock",
            "event",
        ],
    ),
    (
        "config",
        &["device_http", "detect", "zone", "pose", "geom", "secret"],
    ),
    ("archive", &["clock"]),
    ("users", &["secret"]),
    ("audit", &["clock"]),
    (
        "proof",
        &[
            "archive", "audit", "config", "paint", "plan", "detect", "zone", "pose", "geom",
            "clock", "event",
        ],
    ),
    ("metrics", &["stamp", "event"]),
    (
        "web",
        &[
            "archive", "audit", "clock", "event", "metrics", "secret", "still", "tls", "users",
        ],
    ),
    ("onvif_device", &["web", "onvif", "tls", "clock", "secret"]),
    ("sim", &["clock"]),
    ("app", ALL),
    ("doctor", &["app", "config", "machine", "pipeline"]),
    (
        "probe",
        &[
            "doctor", "onvif", "pipeline", "pose", "stamp", "clock", "secret",
        ],
    ),
    ("prove", ALL),
    ("cli", ALL),
];

const ALL: &[&str] = &[
    "clock",
    "event",
    "secret",
    "stamp",
    "av1",
    "geom",
    "frame",
    "pose",
    "zone",
    "detect",
    "eval",
    "track",
    "schedule",
    "plan",
    "paint",
    "hold",
    "device_http",
    "onvif",
    "register",
    "still",
    "telemetry",
    "steer",
    "pipeline",
    "tls",
    "egress",
    "notify",
    "traces",
    "media",
    "redact",
    "config",
    "audit",
    "web",
    "sim",
    "app",
    "prove",
    "archive",
    "users",
    "metrics",
    "machine",
    "doctor",
    "probe",
    "proof",
    "onvif_device",
];

#[test]
fn imports_follow_the_table() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let table: BTreeMap<_, _> = TABLE.iter().copied().collect();
    let mut faults = Vec::new();
    let mut seen = 0;
    for file in rust_files(&src) {
        let relative = file.strip_prefix(&src).expect("inside src");
        let first = relative.components().next().expect("a file has a name");
        let module = first
            .as_os_str()
            .to_string_lossy()
            .trim_end_matches(".rs")
            .to_owned();
        if module == "lib" || module == "main" || is_test(&file) {
            continue;
        }
        let allowed = *table
            .get(module.as_str())
            .unwrap_or_else(|| panic!("`{module}` is not in the module table"));
        let text = fs::read_to_string(&file).expect("readable source");
        for (line, target) in imports(&text) {
            seen += 1;
            if target != module && !allowed.contains(&target.as_str()) {
                let place = format!("{}:{line}", relative.display());
                faults.push(format!("{place}: `{module}` imports `{target}`"));
            }
        }
    }
    assert!(
        seen > 50,
        "only {seen} imports found: the test looks in the wrong place"
    );
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The modules named by `crate::x` and `crate::{x, y::z}` outside comments,
/// with the line they stand in.
fn imports(text: &str) -> Vec<(usize, String)> {
    let code: Vec<&str> = text
        .lines()
        .map(|line| {
            if line.trim_start().starts_with("//") {
                ""
            } else {
                line
            }
        })
        .collect();
    let code = code.join("\n");
    let mut found = Vec::new();
    for (at, path) in code.match_indices("crate::") {
        let after = &code[at + path.len()..];
        let line = code[..at].matches('\n').count() + 1;
        let names = match after.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap_or("").split(',').collect(),
            None => vec![after],
        };
        for name in names {
            let name: String = name
                .trim()
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            if name.chars().next().is_some_and(char::is_lowercase) {
                found.push((line, name));
            }
        }
    }
    found
}

/// Unit tests may reach for whatever they need to make a case.
fn is_test(file: &Path) -> bool {
    file.file_name().is_some_and(|n| n == "tests.rs")
}

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).expect("readable folder") {
        let path = entry.expect("readable entry").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
    files
}

#[test]
fn no_file_is_beyond_nine_hundred_lines() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let long: Vec<String> = ["src", "tests", "benches"]
        .iter()
        .flat_map(|d| rust_files(&root.join(d)))
        .filter_map(|f| {
            let lines = fs::read_to_string(&f)
                .expect("readable source")
                .lines()
                .count();
            (lines > 900).then(|| format!("{}: {lines} lines", f.display()))
        })
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}
