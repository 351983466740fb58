//! What a running gateway leaves on the machine: no core dump, and no clear picture
//! in any file it has open, has mapped or has made.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that fails should fail loudly"
)]

use greyplane::clock::SystemClock;
use greyplane::sim::{CANARY_RGB, CANARY_YUV, Sim, SimConfig};
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

/// So many samples beside each other are no chance: pictures that are painted all
/// over have none. Codecs may be off by a little.
const RUN: usize = 48;
const OFF_BY: u8 = 6;
/// Two bytes by which GSettings' store tells that somebody changed a setting; GIO
/// asks it for a proxy where it is installed.
const GSETTINGS_FLAG: &str = "run/dconf/user";

/// Whether `bytes` hold a row of the canary in any form in which a picture lies in
/// memory: planes of chroma, chroma in turns, or colours of three or four bytes.
fn holds_canary(bytes: &[u8]) -> bool {
    let [_, u, v] = CANARY_YUV;
    let [r, g, b] = CANARY_RGB;
    let near = |is: u8, should: u8| is.abs_diff(should) <= OFF_BY;
    let rows = |pattern: &[Option<u8>]| {
        let mut in_turn = 0;
        let mut phase = 0;
        bytes.iter().any(|byte| {
            // A broken row may begin anew with this very byte.
            let fits = |phase: usize| pattern[phase].is_none_or(|p| near(*byte, p));
            if fits(phase) {
                in_turn += 1;
                phase = (phase + 1) % pattern.len();
            } else {
                in_turn = usize::from(fits(0));
                phase = in_turn % pattern.len();
            }
            in_turn >= RUN * pattern.len()
        })
    };
    // A plane of U or of V, both in turns either way, and pixels.
    [
        vec![Some(u)],
        vec![Some(v)],
        vec![Some(u), Some(v)],
        vec![Some(v), Some(u)],
        vec![Some(r), Some(g), Some(b)],
        vec![Some(b), Some(g), Some(r)],
        vec![Some(r), Some(g), Some(b), None],
        vec![Some(b), Some(g), Some(r), None],
    ]
    .iter()
    .any(|pattern| rows(pattern))
}

#[test]
fn a_picture_in_a_file_would_be_found() {
    let pixel = |p: &[u8]| p.repeat(200);
    let [y, u, v] = CANARY_YUV;
    let [r, g, b] = CANARY_RGB;
    let mut noise = 1u32;
    let mut rubbish = || {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (noise >> 24) as u8
    };
    for (row, holds) in [
        (pixel(&[u]), true),
        (pixel(&[v, u]), true),
        (pixel(&[r, g, b]), true),
        (pixel(&[b, g, r, 255]), true),
        (pixel(&[u + 3, v - 3]), true),
        (pixel(&[128]), false),
        (pixel(&[y]), false),
        (vec![u; RUN - 1], false),
        (Vec::new(), false),
    ] {
        let mut file: Vec<u8> = (0..100_001).map(|_| rubbish()).collect();
        file.extend(&row);
        file.extend((0..1000).map(|_| rubbish()));
        assert_eq!(holds_canary(&file), holds, "{:?}", &row.get(..4));
    }
}

/// A gateway whose every usual place for files is in one folder.
struct Gateway {
    child: Child,
    place: tempfile::TempDir,
    _log: std::thread::JoinHandle<()>,
}

impl Gateway {
    /// Runs until the camera is live.
    fn start(sim: &Sim) -> Self {
        let place = tempfile::tempdir().unwrap();
        let file = |name: &str| place.path().join(name);
        fs::write(file("street.json"), sim.zones_json()).unwrap();
        fs::write(file("street.profile.toml"), sim.profile().to_toml()).unwrap();
        fs::write(file("users.toml"), "").unwrap();
        let text = format!(
            "[gateway]\nrtsp_listen = \"127.0.0.1:0\"\nhttp_listen = \"127.0.0.1:0\"\n\
             [console]\nusers = \"users.toml\"\nwebrtc_listen = \"127.0.0.1:0\"\nclear_still = true\n\
             [[camera]]\nid = \"street\"\nurl = \"{}\"\nmasks = \"street.json\"\n\
             profile = \"street.profile.toml\"\n[camera.telemetry]\ndevice_url = \"{}\"\n",
            sim.rtsp_url(),
            sim.onvif_url()
        );
        fs::write(file("greyplane.toml"), text).unwrap();
        for folder in ["tmp", "run"] {
            fs::create_dir(file(folder)).unwrap();
        }
        let mut child = Command::new(env!("CARGO_BIN_EXE_greyplane"))
            .args(["run", "--config", "greyplane.toml"])
            .current_dir(place.path())
            .env("TMPDIR", file("tmp"))
            .env("XDG_RUNTIME_DIR", file("run"))
            .env("HOME", place.path())
            .env("XDG_CACHE_HOME", file("cache"))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let live = log
            .by_ref()
            .map_while(Result::ok)
            .find(|l| l.contains("live camera=street"));
        assert!(live.is_some(), "the camera never was live");
        let log = std::thread::spawn(move || log.for_each(drop));
        Self {
            child,
            place,
            _log: log,
        }
    }

    fn proc(&self, what: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{what}", self.child.id()))
    }

    /// Everything on a disk that it has open, as one may read it; none where it does
    /// not even let its own user look.
    fn open(&self) -> Option<Vec<PathBuf>> {
        let open = fs::read_dir(self.proc("fd")).ok()?;
        let open = open.map(|entry| entry.unwrap().path());
        // What is closed meanwhile is gone.
        Some(
            open.filter(|fd| fs::metadata(fd).is_ok_and(|m| m.is_file()))
                .collect(),
        )
    }

    fn ends_by(&mut self, signal: &str) -> std::process::ExitStatus {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status().unwrap();
        assert!(sent.success());
        self.child.wait().unwrap()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn files_under(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map_while(Result::ok) {
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => files.extend(files_under(&entry.path())),
            kind if kind.is_file() => files.push(entry.path()),
            _ => {}
        }
    }
    files
}

#[test]
fn no_clear_picture_gets_to_a_file_and_no_core_is_dumped() {
    let sim = SimConfig {
        width: 640,
        height: 360,
        canary: true,
        ..SimConfig::default()
    };
    let sim = Sim::start(sim, Arc::new(SystemClock::new())).unwrap();
    let mut gateway = Gateway::start(&sim);

    let limits = fs::read_to_string(gateway.proc("limits")).unwrap();
    let core = limits
        .lines()
        .find(|l| l.starts_with("Max core file size"))
        .unwrap();
    let core: Vec<&str> = core.split_whitespace().skip(4).take(2).collect();
    assert_eq!(core, ["0", "0"]);

    // What was not changed since it began, as programs and libraries, holds nothing
    // of it, whatever bytes there are.
    let began = fs::metadata(gateway.place.path().join("greyplane.toml")).unwrap();
    let began = began.modified().unwrap();
    let (mut met, mut searched) = (BTreeSet::new(), BTreeSet::new());
    let mut look = |path: &Path, name: &str| {
        // What ended meanwhile is no file any more.
        let Ok(mut file) = fs::File::open(path) else {
            return;
        };
        met.insert(name.to_owned());
        let changed = file.metadata().unwrap().modified().unwrap();
        let mut bytes = Vec::new();
        if changed >= began && file.read_to_end(&mut bytes).is_ok() {
            searched.insert(name.to_owned());
            assert!(!holds_canary(&bytes), "{name} holds a clear picture");
        }
    };
    // What it wrote where programs write: nothing but what is known.
    for path in files_under(gateway.place.path()) {
        let name = path.strip_prefix(gateway.place.path()).unwrap();
        let name = name.display().to_string();
        look(&path, &name);
        let known = [
            "audit",
            "street.",
            "users.toml",
            "greyplane.toml",
            "cache/gstreamer-1.0/",
            GSETTINGS_FLAG,
        ];
        assert!(known.iter().any(|k| name.starts_with(k)), "{name} is new");
    }
    // What it has open, deleted or not, memory with a name included.
    match gateway.open() {
        Some(open) => {
            for fd in &open {
                let name = fs::read_link(fd).unwrap_or_default();
                look(fd, &name.display().to_string());
            }
            let maps = fs::read_to_string(gateway.proc("maps")).unwrap();
            assert!(maps.contains("libgstreamer"), "{maps}");
            for line in maps.lines() {
                let fields: Vec<&str> = line.split_whitespace().collect();
                let [_, rights, _, _, inode, name @ ..] = &fields[..] else {
                    panic!("{line}");
                };
                // What the kernel writes back by itself, but for memory that only
                // has a name.
                let written_back = rights.contains('w') && rights.ends_with('s') && *inode != "0";
                let is_known = ["/memfd:", "/dev/zero", GSETTINGS_FLAG];
                let is_known = is_known.iter().any(|k| line.contains(k));
                assert!(!written_back || is_known, "{line} gets to a disk");
                if let [name] = name
                    && name.starts_with('/')
                {
                    look(Path::new(name), name);
                }
            }
            assert!(met.len() > 30, "{met:?}");
        }
        // Its own user may not look: it is not dumpable.
        None => assert!(fs::read_dir("/proc/1/fd").is_err(), "root can look"),
    }

    assert!(
        searched
            .iter()
            .any(|name| name.starts_with("audit/audit-0")),
        "{searched:?}"
    );

    let ended = gateway.ends_by("-ABRT");
    assert!(
        ended.signal().is_some() && !ended.core_dumped(),
        "{ended:?}"
    );
    for path in files_under(gateway.place.path()) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        assert!(!name.starts_with("core"), "{name}");
    }
}
