//! `greyplane demo`: a simulated camera that sweeps over a street, and the
//! gateway before it.

use super::Failure;
use super::run::announce;
use super::terminal::Screen;
use anyhow::{Context, anyhow};
use greyplane::app::{Gateway, try_models};
use greyplane::clock::{Clock, SystemClock};
use greyplane::config::{self, Config};
use greyplane::prove;
use greyplane::secret::Secret;
use greyplane::sim::motion::script::Script;
use greyplane::sim::{self, Sim, SimConfig};
use greyplane::users::{ALL_CAMERAS, PasswordHash, Role, User, Users};
use signal_hook::consts::{SIGINT, SIGTERM};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Watch the masked stream for 20 s as a viewer, print one line, and end:
    /// with 0 only if frames came and no private pixel did.
    #[arg(long)]
    check: bool,
    /// Hide private places only: look for no faces and plates, which takes the
    /// models that `make models` fetches.
    #[arg(long)]
    no_detect: bool,
    /// The port for the masked stream; 0 picks one.
    #[arg(long, default_value_t = 8554)]
    rtsp_port: u16,
    /// The port for the console; 0 picks one.
    #[arg(long, default_value_t = 8080)]
    http_port: u16,
    /// The UDP port for the console's video; 0 picks one.
    #[arg(long, default_value_t = 8189)]
    webrtc_port: u16,
}

/// The drawn mast is eight metres high.
const DETECT: &str = "\n[camera.detect]\nclasses = [\"face\", \"plate\"]\nnearest_m = 5.0\n";
const CHECK_SECONDS: f64 = 20.0;
const TICK: Duration = Duration::from_millis(250);

impl Args {
    pub(crate) fn run(self, screen: &Screen) -> Result<(), Failure> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let stop = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            signal_hook::flag::register(signal, stop.clone()).context("signals")?;
        }
        let folder = Folder::new()?;
        let sim = Sim::start(street(), clock.clone())
            .map_err(|e| anyhow!(e).context("the simulated camera"))?;
        let password = accounts(&folder.0.join("users.toml"))?;
        let config = self.configure(&sim, &folder.0)?;
        try_models(&config)
            .context("`make models` fetches the models; --no-detect does without")?;
        let mut gateway = Gateway::start(config.clone(), clock.clone()).context(
            "a port may be taken: choose others with --rtsp-port, --http-port and --webrtc-port",
        )?;
        screen.say(&format!("camera {}   what the camera sees", sim.rtsp_url()));
        screen.say(&format!(
            "masked {}   what the control room sees",
            gateway.stream_url("street")
        ));
        let result = if self.check {
            judge(screen, &gateway, &clock, &stop)
        } else {
            announce(screen, &gateway, &config);
            let roles = Role::ALL.map(Role::name).join(", ");
            screen.say(&format!("console {}", gateway.http_url()));
            screen.say(&format!("log in as one of {roles}; password {password}"));
            screen.say("Open a stream with: ffplay -rtsp_transport tcp ADDRESS");
            screen.say(&format!(
                "The files of this run are in {}.",
                folder.0.display()
            ));
            screen.say("Ctrl-C ends.");
            let mut board = screen.board();
            while !stop.load(Ordering::SeqCst) {
                board.show(&gateway.status(), TICK);
                std::thread::sleep(TICK);
            }
            Ok(())
        };
        gateway.stop();
        result
    }

    /// Writes masks, profile and configuration as an integrator would, and
    /// loads them as `run` does.
    fn configure(&self, sim: &Sim, folder: &Path) -> Result<Config, Failure> {
        let ports = if self.check {
            (0, 0, 0)
        } else {
            (self.rtsp_port, self.http_port, self.webrtc_port)
        };
        let text = format!(
            "[gateway]\nrtsp_listen = \"127.0.0.1:{}\"\nhttp_listen = \"127.0.0.1:{}\"\n\n\
             [console]\nusers = \"users.toml\"\nwebrtc_listen = \"127.0.0.1:{}\"\n\n\
             [[camera]]\nid = \"street\"\nurl = \"{}\"\nmasks = \"street.json\"\n\
             profile = \"street.profile.toml\"\n\n[camera.telemetry]\ndevice_url = \"{}\"\n{}",
            ports.0,
            ports.1,
            ports.2,
            sim.rtsp_url(),
            sim.onvif_url(),
            if self.no_detect { "" } else { DETECT },
        );
        let path = folder.join("greyplane.toml");
        let files = [
            (folder.join("street.json"), sim.zones_json()),
            (folder.join("street.profile.toml"), sim.profile().to_toml()),
            (path.clone(), text),
        ];
        for (path, text) in files {
            fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
        }
        config::load(&path).map_err(Failure::Configuration)
    }
}

/// Writes an account for each role; their password, of this run only.
fn accounts(file: &Path) -> anyhow::Result<String> {
    let password = format!("demo-{:08x}", rand::random::<u32>());
    let hash = PasswordHash::of(&Secret::new(password.as_str()))?;
    let mut users = Users::default();
    for role in Role::ALL {
        users.add(User {
            name: role.name().into(),
            password: hash.clone(),
            roles: vec![role],
            cameras: vec![ALL_CAMERAS.into()],
        })?;
    }
    users.write(file)?;
    Ok(password)
}

/// A 720p camera over a street whose private places are painted in the canary colour.
fn street() -> SimConfig {
    SimConfig {
        id: "street".into(),
        canary: true,
        // gst-rtsp-server 1.22 cannot describe a shared media to a second client
        // once the first has left one of its streams out, as the gateway does.
        metadata_hz: 0.0,
        motion: Script::Sweep {
            peak_deg_per_s: 20.0,
            amplitude_deg: 60.0,
            centre_pan_deg: 0.0,
            tilt_deg: -8.0,
            zoom: 0.0,
        },
        ..SimConfig::default()
    }
}

fn judge(
    screen: &Screen,
    gateway: &Gateway,
    clock: &Arc<dyn Clock>,
    stop: &AtomicBool,
) -> Result<(), Failure> {
    let url = gateway.stream_url("street");
    let canary = prove::Rgb(sim::CANARY_RGB);
    let report = prove::watch(&url, canary, CHECK_SECONDS, clock, stop, |_, _| {})
        .map_err(|e| anyhow!(e).context("watching the masked stream"))?;
    let camera = gateway
        .status()
        .cameras
        .into_iter()
        .next()
        .context("the demo has a camera")?;
    let clean = report.is_clean() && camera.live_s > 0.0;
    screen.say(&format!(
        "{}: {} frames, {} with private pixels; {:.1} s shown, {:.1} s covered; latency p99 {:.0} of {} ms",
        if clean { "ok" } else { "FAILED" },
        report.leaks.frames_seen,
        report.leaks.canary_frames,
        camera.live_s,
        camera.covered_s.values().sum::<f64>(),
        camera.latency_ms.p99,
        camera.budget_ms,
    ));
    if clean { Ok(()) } else { Err(Failure::Said) }
}

/// A folder for this run, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("greyplane-demo-{}", std::process::id()));
        fs::create_dir(&path).with_context(|| format!("making {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(folder = %self.0.display(), %error, "could not be removed");
        }
    }
}
