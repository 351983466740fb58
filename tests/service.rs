//! The gateway as a service: what systemd is told, how the journal reads, and
//! that the unit lets it do nothing else.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that fails should fail loudly"
)]

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Long enough for a busy machine; nothing is judged by how long it takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A gateway whose only camera has no masks and never sends.
struct Service {
    child: Child,
    told: UnixDatagram,
    folder: tempfile::TempDir,
}

impl Service {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        fs::write(
            file("greyplane.toml"),
            "[gateway]\nrtsp_listen = \"127.0.0.1:0\"\nhttp_listen = \"127.0.0.1:0\"\n\
             [[camera]]\nid = \"yard\"\nurl = \"rtsp://127.0.0.1:9/none\"\nmasks = \"none.json\"\n",
        )
        .unwrap();
        let told = UnixDatagram::bind(file("notify")).unwrap();
        told.set_read_timeout(Some(PATIENCE)).unwrap();
        let log = File::create(file("log")).unwrap();
        let of = log.metadata().unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_greyplane"))
            .args(["run", "--config", "greyplane.toml"])
            .current_dir(folder.path())
            .env("NOTIFY_SOCKET", file("notify"))
            .env("JOURNAL_STREAM", format!("{}:{}", of.dev(), of.ino()))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Self {
            child,
            told,
            folder,
        }
    }

    /// Waits until systemd is told `what`.
    fn tells(&self, what: &str) {
        let mut message = [0; 4096];
        loop {
            let length = self.told.recv(&mut message).unwrap();
            let said = String::from_utf8_lossy(&message[..length]).into_owned();
            if said.lines().any(|line| line == what) {
                return;
            }
        }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([name, &pid])
                .status()
                .unwrap()
                .success()
        );
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn systemd_is_told_and_the_journal_knows_what_matters() {
    let mut service = Service::start();
    service.tells("READY=1");
    service.tells("WATCHDOG=1");
    service.signal("-HUP");
    service.tells("RELOADING=1");
    service.tells("READY=1");
    service.signal("-TERM");
    service.tells("STOPPING=1");
    assert_eq!(service.child.wait().unwrap().code(), Some(0));
    let log = fs::read_to_string(service.folder.path().join("log")).unwrap();
    assert!(log.lines().count() > 1, "{log}");
    // A mistake's remedy is a line of its own, and belongs to the one before.
    for line in log.lines().filter(|line| !line.starts_with("    ")) {
        let priority = line.strip_prefix('<').and_then(|l| l.split_once('>'));
        let (priority, rest) = priority.unwrap_or_else(|| panic!("{line}"));
        // The journal has a time of its own.
        let level = match priority {
            "3" => "ERROR",
            "4" => "WARN",
            "6" => "INFO",
            other => panic!("{other} in {line}"),
        };
        assert!(rest.trim_start().starts_with(level), "{line}");
    }
    assert!(log.contains("the camera stays covered"), "{log}");
}

fn unit() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/debian/greyplane.service")
}

#[test]
fn the_unit_is_as_tight_as_promised() {
    let text = fs::read_to_string(unit()).unwrap();
    for line in [
        "Type=notify",
        "User=greyplane",
        "LimitCORE=0",
        "MemorySwapMax=0",
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=",
        "ProtectSystem=strict",
        "MemoryDenyWriteExecute=yes",
        // Its own filter comes on top.
        "SystemCallFilter=setpriority setrlimit prlimit64 adjtimex clock_adjtime seccomp",
        "RestartPreventExitStatus=2",
    ] {
        assert!(text.lines().any(|l| l == line), "{line} is missing");
    }
    // The figure, where there is systemd to tell it: at most 2.0.
    let judged = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--threshold=20"])
        .arg(unit())
        .output();
    if let Ok(judged) = judged {
        let said = String::from_utf8_lossy(&judged.stdout).into_owned();
        assert!(judged.status.success(), "{said}");
    }
}
