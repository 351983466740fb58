//! The program as its users run it: a configuration, a camera, a viewer that is
//! not ours (retina), a reload, an end.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should fail loudly"
)]

mod pipeline_support;
mod players_support;
mod publish_support;
mod whip_support;

use greyplane::clock::SystemClock;
use greyplane::sim::{Faults, Sim, SimConfig};
use players_support::retina;
use publish_support::{RecordServer, Rules, SrtServer, free_udp_port};
use serde_json::json;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;
use whip_support::{WhipServer, there_is_aiortc};

/// Long enough for a busy machine; nothing is judged by how long it takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// `greyplane run`, ended when dropped.
struct Gateway {
    child: Child,
    lines: Receiver<String>,
    /// The log, where nobody reads it.
    unread: Option<ChildStderr>,
}

impl Gateway {
    fn start(config: &Path) -> Self {
        let mut gateway = Self::start_unread(config, "info");
        let log = gateway.unread.take().unwrap();
        gateway.lines = listen(vec![
            Box::new(gateway.child.stdout.take().unwrap()),
            Box::new(log),
        ]);
        gateway
    }

    /// With a log that is written into a pipe which nobody empties.
    fn start_unread(config: &Path, log: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_greyplane"))
            .args(["run", "--config"])
            .arg(config)
            .args(["--log", log])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let unread = child.stderr.take();
        Self {
            child,
            lines: listen(Vec::new()),
            unread,
        }
    }

    /// Waits for a line that contains `what`, on stdout or stderr.
    fn says(&self, what: &str) -> String {
        let mut heard = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(what) => return line,
                Ok(line) => heard.push(line),
                Err(_) => panic!("never said `{what}`; said {heard:#?}"),
            }
        }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([name, &pid]).status().unwrap();
        assert!(sent.success());
    }
}

/// The lines of several streams as they come.
fn listen(streams: Vec<Box<dyn std::io::Read + Send>>) -> Receiver<String> {
    let (said, lines) = sync_channel(10_000);
    for stream in streams {
        let said = said.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                if said.send(line).is_err() {
                    return;
                }
            }
        });
    }
    lines
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn configure(folder: &Path, sim: &Sim) -> std::path::PathBuf {
    let path = folder.join("greyplane.toml");
    fs::write(folder.join("street.json"), sim.zones_json()).unwrap();
    fs::write(folder.join("street.profile.toml"), sim.profile().to_toml()).unwrap();
    fs::write(folder.join("observer.password"), "grey & quiet\n").unwrap();
    let text = format!(
        r#"
[gateway]
rtsp_listen = "127.0.0.1:0"
http_listen = "127.0.0.1:0"
[[viewer]]
user = "observer"
password_file = "observer.password"
[[camera]]
id = "street"
url = "{}"
masks = "street.json"
profile = "street.profile.toml"
[camera.telemetry]
device_url = "{}"
"#,
        sim.rtsp_url(),
        sim.onvif_url()
    );
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn a_log_that_nobody_reads_holds_nothing_up() {
    let folder = tempfile::tempdir().unwrap();
    let sim_config = SimConfig {
        width: 320,
        height: 184,
        ..SimConfig::default()
    };
    let sim = Sim::start(sim_config, Arc::new(SystemClock::new())).unwrap();
    let config = configure(folder.path(), &sim);
    // Fills the pipe of 64 KiB within seconds.
    let mut gateway = Gateway::start_unread(&config, "trace");
    gateway.lines = listen(vec![Box::new(gateway.child.stdout.take().unwrap())]);
    let url = gateway
        .says("stream ")
        .trim_start_matches("stream ")
        .to_owned();
    let observer = Some(("observer", "grey & quiet"));
    for _ in 0..4 {
        assert_eq!(watch(&url, observer, 100), Ok(100));
    }
    let mut log = gateway.unread.take().unwrap();
    let _ = gateway.child.kill();
    let mut filled = Vec::new();
    std::io::Read::read_to_end(&mut log, &mut filled).unwrap();
    assert!(filled.len() >= 60_000, "only {} bytes", filled.len());
}

/// Watches with retina: how many frames came.
fn watch(url: &str, login: Option<(&str, &str)>, wanted: usize) -> Result<usize, String> {
    retina(url, login, wanted).map(|frames| frames.len())
}

#[test]
fn a_gateway_serves_reloads_and_ends() {
    let folder = tempfile::tempdir().unwrap();
    let sim_config = SimConfig {
        width: 640,
        height: 360,
        canary: true,
        ..SimConfig::default()
    };
    let sim = Sim::start(sim_config, Arc::new(SystemClock::new())).unwrap();
    let config = configure(folder.path(), &sim);
    let mut gateway = Gateway::start(&config);
    let url = gateway
        .says("stream ")
        .trim_start_matches("stream ")
        .to_owned();
    gateway.says("live camera=street");

    let observer = Some(("observer", "grey & quiet"));
    assert_eq!(watch(&url, observer, 50), Ok(50));
    for stranger in [None, Some(("observer", "wrong"))] {
        let refused = watch(&url, stranger, 1).unwrap_err();
        assert!(
            refused.contains("401") || refused.contains("nauthorized"),
            "{refused}"
        );
    }

    // A reload that cannot be used changes nothing.
    let masks = folder.path().join("street.json");
    let good = fs::read_to_string(&masks).unwrap();
    fs::write(&masks, good.replace("\"street\"", "\"elsewhere\"")).unwrap();
    gateway.signal("-HUP");
    gateway.says("reload refused");
    assert_eq!(watch(&url, observer, 10), Ok(10));

    // One that can takes effect and keeps the stream.
    fs::write(&masks, good.replacen("\"name\"", "\"name\" ", 1)).unwrap();
    let text = fs::read_to_string(&config).unwrap();
    fs::write(
        &config,
        format!("{text}\n[camera.limits]\nwidened_deg = 9.0\n"),
    )
    .unwrap();
    gateway.signal("-HUP");
    let reloaded = gateway.says("reloaded");
    assert!(
        reloaded.contains("street masks, limits and publications"),
        "{reloaded}"
    );
    assert_eq!(watch(&url, observer, 10), Ok(10));

    gateway.signal("-TERM");
    let ended = gateway.child.wait().unwrap();
    assert_eq!(ended.code(), Some(0));
}

/// Zones were drawn for the size that the stream had first. A reload that starts the camera
/// anew while the stream has another one must not take that for the right one.
#[test]
fn a_reload_takes_no_other_size_for_the_right_one() {
    let folder = tempfile::tempdir().unwrap();
    let sim_config = SimConfig {
        width: 640,
        height: 360,
        ..SimConfig::default()
    };
    let sim = Sim::start(sim_config, Arc::new(SystemClock::new())).unwrap();
    let config = configure(folder.path(), &sim);
    let gateway = Gateway::start(&config);
    gateway.says("live camera=street");
    let other = Faults {
        size: Some([320, 184]),
        ..Faults::default()
    };
    sim.set_faults(&other).unwrap();
    gateway.says("stream changed: 640x360 to 320x184");

    let text = fs::read_to_string(&config).unwrap();
    let anew = text.replace(
        "[camera.telemetry]",
        "jitter_buffer_ms = 60\n[camera.telemetry]",
    );
    fs::write(&config, anew).unwrap();
    gateway.signal("-HUP");
    gateway.says("reloaded");
    gateway.says("stream changed: 640x360 to 320x184");
    sim.set_faults(&Faults::default()).unwrap();
    gateway.says("live camera=street");
}

/// As whoever runs a media server has it: the stream is there without anybody asking.
#[test]
fn what_is_published_shows_nothing_private_and_follows_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let sim_config = SimConfig {
        width: 640,
        height: 360,
        canary: true,
        ..SimConfig::default()
    };
    let sim = Sim::start(sim_config, Arc::new(SystemClock::new())).unwrap();
    let config = configure(folder.path(), &sim);
    let without = fs::read_to_string(&config).unwrap();
    fs::write(folder.path().join("secret"), "open:sesame\n").unwrap();
    let rtsp = RecordServer::start(0, &Rules::default());
    let srt = SrtServer::start(free_udp_port(), Some("open:sesame"));
    let whip = there_is_aiortc().then(|| WhipServer::start(&json!({ "token": "open:sesame" })));
    let mut with = format!(
        "{without}\n[[camera.publish]]\nname = \"rtsp\"\nurl = \"{}\"\n\
         [[camera.publish]]\nname = \"srt\"\nurl = \"{}\"\npassphrase_file = \"secret\"\n",
        rtsp.url("rtsp"),
        srt.url()
    );
    let fewer = with.clone();
    if let Some(whip) = &whip {
        let url = whip.url();
        with += &format!(
            "[[camera.publish]]\nname = \"whip\"\nurl = \"{url}\"\ntoken_file = \"secret\"\n"
        );
    }
    fs::write(&config, &with).unwrap();
    let mut gateway = Gateway::start(&config);
    gateway.says("live camera=street");
    let many = |seen: &[pipeline_support::Picture]| {
        let live = seen.iter().filter(|p| !p.is_grey());
        (live.count() > 50).then_some(())
    };
    rtsp.pictures.wait("pictures over RTSP", many);
    srt.pictures.wait("pictures over SRT", many);
    if let Some(whip) = &whip {
        whip.pictures.wait("pictures over WHIP", many);
        let pixels = whip.canary_pixels();
        assert!(pixels.iter().all(|n| *n == 0), "{pixels:?}");

        fs::write(&config, &fewer).unwrap();
        gateway.signal("-HUP");
        gateway.says("reloaded");
        assert_eq!(whip.wait_for("delete")["status"], 200);
        let seen = rtsp.pictures.count();
        let more = |now: &[pipeline_support::Picture]| (now.len() > seen + 25).then_some(());
        rtsp.pictures.wait("the others", more);
        assert_eq!(whip.told("offer").len(), 1);

        fs::write(&config, &with).unwrap();
        gateway.signal("-HUP");
        gateway.says("reloaded");
        let seen = whip.pictures.count();
        whip.wait_for_pictures(seen + 25);
    }
    gateway.signal("-TERM");
    assert_eq!(gateway.child.wait().unwrap().code(), Some(0));
    if let Some(whip) = &whip {
        pipeline_support::until("the end", || (whip.told("delete").len() == 2).then_some(()));
        let pixels = whip.canary_pixels();
        assert!(pixels.iter().all(|n| *n == 0), "{pixels:?}");
    }
}

/// Runs the program to its end: its exit code and what it said on stderr.
fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_greyplane"))
        .args(arguments)
        .output()
        .unwrap();
    (
        out.status.code(),
        String::from_utf8_lossy(&out.stderr).into_owned(),
    )
}

#[test]
fn mistakes_end_with_2_and_say_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.toml");
    fs::write(
        &path,
        "[[camera]]\nid = \"a b\"\nurl = \"rtsp://h/x\"\nmasks = \"none.json\"\ncolour = 1\n",
    )
    .unwrap();
    let config = path.to_str().unwrap();
    for command in ["check", "run"] {
        let (code, said) = run(&[command, "--config", config]);
        assert_eq!(code, Some(2), "{said}");
        assert!(
            said.contains("c.toml:5:1: unknown field `colour`"),
            "{said}"
        );
    }
    assert_eq!(run(&["check", "--config", "/nonexistent"]).0, Some(2));
    assert_eq!(run(&["chekc"]).0, Some(2));
    let root = env!("CARGO_MANIFEST_DIR");
    assert_eq!(
        run(&["check", "--config", &format!("{root}/greyplane.toml")]).0,
        Some(0)
    );
    let mask = format!("{root}/masks/street.json");
    assert_eq!(run(&["mask", "check", &mask]).0, Some(0));
    assert_eq!(run(&["mask", "check", config]).0, Some(2));
}
