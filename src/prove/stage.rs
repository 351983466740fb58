//! The stage: sets up camera, gateway and viewers for a scenario, plays it, and
//! brings home the report. Everything it starts ends with it.

use super::campaign::{Player, Scene};
use super::child::{Child, ChildError, Workplace, used};
use super::figures::Figures;
use super::gateway::{CameraFiles, Gateway, GatewayError, emptied, shifted, telemetry};
use super::judge::{Canary, CanaryError, Rgb};
use super::observer::{Notes, Observed};
use super::overcover::Truth;
use super::relay::Relay;
use super::report::{Report, Spread};
use super::scenario::Scenario;
use super::stalled::Stalled;
use super::status::{self, CameraStatus, StatusError};
use super::viewer::{Play, Viewer, ViewerError};
use crate::clock::{Clock, Mono};
use crate::sim::scene::private::private_places;
use crate::sim::{CANARY_RGB, Sim, SimError};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Why a scenario could not be played; a failed proof is not an error.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The simulated camera.
    #[error("the simulated camera: {0}")]
    Sim(#[from] SimError),
    /// The gateway.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// Another child.
    #[error(transparent)]
    Child(#[from] ChildError),
    /// A viewer.
    #[error(transparent)]
    Viewer(#[from] ViewerError),
    /// The canary.
    #[error(transparent)]
    Canary(#[from] CanaryError),
    /// The simulator's documents.
    #[error("the simulator's zones are not understood: {0}")]
    Zones(#[from] serde_json::Error),
    /// Its profile.
    #[error("the simulator's profile cannot be written: {0}")]
    Profile(#[from] toml::ser::Error),
    /// Files.
    #[error("{0}")]
    Files(#[from] std::io::Error),
    /// No frame came out of the gateway.
    #[error("no frame reached the viewer within {seconds:.0} s; the gateway's last words: {last}")]
    NoFrame {
        /// How long was waited.
        seconds: f64,
        /// The end of its log.
        last: String,
    },
    /// Stopped from outside.
    #[error("stopped")]
    Stopped,
}

/// How a scenario is played.
#[derive(Clone, Debug)]
pub struct Staging {
    /// The `greyplane` program.
    pub program: PathBuf,
    /// Where pictures of leaks and logs of failed runs are left, if anywhere.
    pub keep: Option<PathBuf>,
}

/// How far a run is, for the terminal.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// Seconds since the first frame.
    pub at_s: f64,
    /// Frames seen.
    pub frames_seen: u64,
    /// Canary pixels so far.
    pub canary_pixels: u64,
    /// The first camera's state by the gateway's word.
    pub state: String,
}

/// How long the first frame may take.
const FIRST_FRAME: Duration = Duration::from_secs(30);
/// How often the stage looks around.
const STEP: Duration = Duration::from_millis(50);
/// In a campaign a viewer to whom nothing comes for so long opens the stream again.
const SILENT: Duration = Duration::from_secs(2);
/// How often the gateway's status is read.
const STATUS_EVERY_S: f64 = 1.0;

/// CPU and memory count from here on: everything has started. Of a run of a
/// quarter of an hour or more, memory counts from the fifth minute on.
fn warm_s(seconds: f64) -> f64 {
    if seconds >= 900.0 {
        300.0
    } else {
        (seconds / 4.0).min(5.0)
    }
}

/// Plays `scenario` and judges it; `stop` ends it early, `progress` is called
/// many times a second.
///
/// # Errors
/// [`StageError`] where the stage itself fails.
pub fn run(
    scenario: &Scenario,
    staging: &Staging,
    clock: &Arc<dyn Clock>,
    stop: &AtomicBool,
    mut progress: impl FnMut(&Progress),
) -> Result<Report, StageError> {
    let place = Workplace::new(clock.as_ref())?;
    let mut stage = Stage::set(scenario, staging, &place, clock, stop)?;
    let played = stage.play(stop, &mut progress);
    if let Some(keep) = &staging.keep {
        let failed = !matches!(&played, Ok(r) if r.failures.is_empty());
        if failed {
            std::fs::create_dir_all(keep)?;
            let log = keep.join(format!("{}.gateway.log", scenario.name));
            std::fs::copy(place.file("gateway.log"), log)?;
        }
    }
    played
}

/// One camera with its judge; dropped in this order.
struct Judged {
    viewer: Viewer,
    /// When its stream was opened.
    opened: Mono,
    id: String,
    url: String,
    observed: Arc<Observed>,
    notes: Arc<Mutex<Notes>>,
    sim: Arc<Sim>,
}

/// Everything that runs; dropped in this order.
struct Stage<'a> {
    scenario: &'a Scenario,
    clock: Arc<dyn Clock>,
    judged: Vec<Judged>,
    ordinary: Vec<Viewer>,
    stalled: Vec<Stalled>,
    load: Load,
    plain: Option<Child>,
    /// CPU seconds per second of the plain chain, where it ran before.
    plain_before: Option<f64>,
    /// A campaign, and the files it changes.
    campaign: Option<(Player, [PathBuf; 2])>,
    figures: Option<Figures>,
    gateway: Gateway,
    /// Between the gateway and the camera, where a campaign cuts them.
    wires: Vec<Relay>,
    log: PathBuf,
    disconnects: u64,
    failures: Vec<String>,
}

impl<'a> Stage<'a> {
    fn set(
        scenario: &'a Scenario,
        staging: &Staging,
        place: &Workplace,
        clock: &Arc<dyn Clock>,
        stop: &AtomicBool,
    ) -> Result<Self, StageError> {
        let mut sims = Vec::new();
        let mut files = Vec::new();
        let mut wires = Vec::new();
        for i in 0..scenario.cameras {
            let mut config = scenario.camera.clone();
            let id = format!("{}-{}", config.id, i + 1);
            config.id.clone_from(&id);
            config.canary = true;
            config.frame_code = true;
            config.seed = config.seed.wrapping_add(u64::from(i));
            let sim = Arc::new(Sim::start(config, Arc::clone(clock))?);
            let mut camera = camera_files(scenario, &id, &sim)?;
            if scenario.campaign.is_some() {
                for url in [&mut camera.rtsp_url, &mut camera.telemetry] {
                    wires.push(wired(url)?);
                }
            }
            files.push(camera);
            sims.push(sim);
        }
        let before = match (scenario.plain_before_s, sims.first()) {
            (Some(seconds), Some(sim)) => {
                Some(alone(scenario, staging, place, sim, seconds, stop)?)
            }
            _ => None,
        };
        let books = scenario.campaign.is_some();
        let gateway = Gateway::start(&staging.program, place, &files, &scenario.gateway, books)?;
        let changed = files.first().map(|camera| {
            let masks = place.file(&format!("{}.json", camera.id));
            [place.file("greyplane.toml"), masks]
        });
        let player = |campaign| Player::new(campaign, scenario.seconds);
        let campaign = scenario.campaign.as_ref().map(player).zip(changed);
        let mut judged = Vec::new();
        for ((sim, url), camera) in sims.into_iter().zip(&gateway.streams).zip(&files) {
            let names = [camera.id.as_str(), url];
            judged.push(Judged::start(scenario, staging, sim, names, clock)?);
        }
        let plain = match judged.first() {
            Some(first) if scenario.cpu && before.is_none() => {
                Some(plain(scenario, staging, place, &first.sim)?)
            }
            _ => None,
        };
        Ok(Self {
            scenario,
            clock: Arc::clone(clock),
            judged,
            ordinary: Vec::new(),
            stalled: Vec::new(),
            load: Load::default(),
            plain,
            plain_before: before.flatten(),
            campaign,
            figures: None,
            gateway,
            wires,
            log: place.file("gateway.log"),
            disconnects: 0,
            failures: Vec::new(),
        })
    }

    fn play(
        &mut self,
        stop: &AtomicBool,
        progress: &mut impl FnMut(&Progress),
    ) -> Result<Report, StageError> {
        let first = self.first_frame(stop)?;
        self.join_others()?;
        self.load.start(self.scenario.busy_cores);
        let mut due = self.scenario.at.iter().peekable();
        let mut said: Vec<CameraStatus> = Vec::new();
        let (mut asked_s, mut warm) = (f64::NEG_INFINITY, None);
        loop {
            let at_s = self.clock.mono().since(first).as_secs_f64();
            if stop.load(Ordering::SeqCst) {
                return Err(StageError::Stopped);
            }
            if at_s >= warm_s(self.scenario.seconds) && warm.is_none() {
                warm = Some((at_s, self.used()));
            }
            let done = self.campaign.as_ref().is_some_and(|(p, _)| p.is_done());
            if at_s >= self.scenario.seconds || done || !self.gateway.child.is_running() {
                break;
            }
            while let Some(change) = due.next_if(|c| c.t_s <= at_s) {
                for judged in &self.judged {
                    judged.change(change)?;
                }
            }
            if at_s - asked_s >= STATUS_EVERY_S {
                asked_s = at_s;
                match self.ask() {
                    Ok(now) => said = now,
                    Err(error) => tracing::debug!(%error, at_s, "no status"),
                }
            }
            self.keep_watching()?;
            self.play_campaign(at_s)?;
            progress(&self.progress(at_s, &said));
            std::thread::sleep(STEP);
        }
        self.report(first, warm, said)
    }

    /// What the gateway says of its cameras.
    fn ask(&mut self) -> Result<Vec<CameraStatus>, StatusError> {
        let Some(url) = &self.gateway.metrics else {
            return status::read(&self.gateway.http);
        };
        let figures = Figures::read(url)?;
        let of = |judged: &Judged| figures.status(&judged.id);
        let said = self.judged.iter().map(of).collect();
        self.figures = Some(figures);
        Ok(said)
    }

    fn play_campaign(&mut self, at_s: f64) -> Result<(), StageError> {
        let (Some((player, [config, masks])), Some(judged)) =
            (&mut self.campaign, self.judged.first())
        else {
            return Ok(());
        };
        let now = self.clock.mono();
        player.play(&Scene {
            sim: &judged.sim,
            healthy: &self.scenario.camera.faults,
            wires: &self.wires,
            pid: self.gateway.child.pid(),
            config,
            masks,
            stream: &judged.url,
            camera: &judged.id,
            figures: self.figures.as_ref(),
            notes: &judged.notes(),
            disconnects: self.disconnects,
            now,
            at_s,
        })?;
        Ok(())
    }

    /// Waits until the first camera's viewer has decoded a frame.
    fn first_frame(&mut self, stop: &AtomicBool) -> Result<Mono, StageError> {
        let start = self.clock.mono();
        loop {
            let first = self
                .judged
                .iter()
                .map(|j| j.notes().first)
                .collect::<Option<Vec<_>>>();
            if let Some(last) = first.and_then(|all| all.into_iter().max()) {
                // What was lost while everything started does not count.
                self.disconnects = 0;
                return Ok(last);
            }
            let waited = self.clock.mono().since(start);
            if waited > FIRST_FRAME || !self.gateway.child.is_running() {
                return Err(StageError::NoFrame {
                    seconds: waited.as_secs_f64(),
                    last: self.gateway.child.last_words(),
                });
            }
            if stop.load(Ordering::SeqCst) {
                return Err(StageError::Stopped);
            }
            self.keep_watching()?;
            std::thread::sleep(STEP);
        }
    }

    fn join_others(&mut self) -> Result<(), StageError> {
        let Some(url) = self.gateway.streams.first() else {
            return Ok(());
        };
        for _ in 0..self.scenario.viewers.stalled {
            self.stalled.push(Stalled::start(url)?);
        }
        for _ in 0..self.scenario.viewers.ordinary {
            let play = Play {
                url: url.clone(),
                decode: false,
            };
            self.ordinary
                .push(Viewer::start(&play, Arc::clone(&self.clock), |_| {})?);
        }
        Ok(())
    }

    /// Opens judging viewers' streams again where they ended.
    fn keep_watching(&mut self) -> Result<(), StageError> {
        let now = self.clock.mono();
        for judged in &mut self.judged {
            // GStreamer 1.22 does not always tell that the server has hung up. But
            // frames come all the time, grey ones at least.
            let last = judged.notes().last.max(Some(judged.opened));
            let silent = last.is_some_and(|last| now.since(last) > SILENT);
            let ended = judged.viewer.check(Duration::ZERO);
            if ended.is_err() || (silent && self.campaign.is_some()) {
                tracing::info!(?ended, "the viewer opens the stream again");
                self.disconnects += 1;
                judged.viewer = judged.open(&self.clock)?;
                judged.opened = now;
            }
        }
        Ok(())
    }

    fn used(&self) -> [Option<super::child::Used>; 2] {
        let plain = self.plain.as_ref().and_then(|c| used(c.pid()));
        [used(self.gateway.child.pid()), plain]
    }

    fn progress(&self, at_s: f64, said: &[CameraStatus]) -> Progress {
        let mut progress = Progress {
            at_s,
            ..Progress::default()
        };
        for judged in &self.judged {
            let notes = judged.notes();
            progress.frames_seen += notes.leaks.frames_seen;
            progress.canary_pixels += notes.leaks.canary_pixels;
        }
        if let Some(first) = said.first() {
            progress.state = match &first.reason {
                Some(reason) => format!("{}: {reason}", first.state),
                None => first.state.clone(),
            };
        }
        progress
    }

    fn report(
        &mut self,
        first: Mono,
        warm: Option<(f64, [Option<super::child::Used>; 2])>,
        said: Vec<CameraStatus>,
    ) -> Result<Report, StageError> {
        let seconds = self.clock.mono().since(first).as_secs_f64();
        let mut report = Report {
            scenario: self.scenario.name.clone(),
            seconds,
            disconnects: self.disconnects,
            ..Report::default()
        };
        self.take_usage(&mut report, seconds, warm);
        if !self.gateway.child.is_running() {
            let last = self.gateway.child.last_words();
            self.failures
                .push(format!("the gateway ended by itself: {last}"));
        }
        for (i, viewer) in self.ordinary.iter().enumerate() {
            if let Err(error) = viewer.check(Duration::ZERO) {
                self.failures
                    .push(format!("ordinary viewer {}: {error}", i + 1));
            }
        }
        let said = self.ask().unwrap_or(said);
        if let Some((player, _)) = self.campaign.take() {
            let log = std::fs::read(&self.log).unwrap_or_default();
            let panics = String::from_utf8_lossy(&log).matches("panicked at").count();
            let (campaign, mut failures) = player.report(warm_s(seconds), panics as u64);
            self.failures.append(&mut failures);
            report.campaign = Some(campaign);
        }
        if said.len() != self.judged.len() {
            self.failures
                .push("the gateway's status could not be read".to_owned());
        }
        for camera in &said {
            report.add_status(camera);
        }
        let (mut over, mut capture_ms) = (Vec::new(), Vec::new());
        let (mut live, mut since_live) = (0, 0);
        for judged in &self.judged {
            let notes = judged.notes();
            report.add_leaks(&notes.leaks);
            report.leak_away_deg = [report.leak_away_deg, notes.leak_away_deg]
                .into_iter()
                .flatten()
                .reduce(f64::min);
            report.private_frames += notes.private_frames;
            over.extend_from_slice(&notes.overcover_deg);
            capture_ms.extend_from_slice(&notes.capture_error_ms);
            live += notes.live;
            since_live += notes.since_live;
        }
        report.live_ratio = live as f64 / (since_live as f64).max(1.0);
        report.overcover_frames = over.len() as u64;
        report.overcover_deg = Spread::of(&mut over);
        report.capture_error_ms = Spread::of(&mut capture_ms);
        let fps = f64::from(self.scenario.camera.fps);
        report.judge(self.scenario, fps, std::mem::take(&mut self.failures));
        Ok(report)
    }

    fn take_usage(
        &self,
        report: &mut Report,
        end_s: f64,
        warm: Option<(f64, [Option<super::child::Used>; 2])>,
    ) {
        let Some((start_s, [Some(gateway), plain])) = warm else {
            return;
        };
        let [Some(gateway_end), plain_end] = self.used() else {
            return;
        };
        report.rss_mib.start = gateway.rss_mib;
        report.rss_mib.end = gateway_end.rss_mib;
        let span_s = (end_s - start_s).max(f64::MIN_POSITIVE);
        let beside = plain.zip(plain_end);
        let beside = beside.map(|(start, end)| (end.cpu_s - start.cpu_s) / span_s);
        if let Some(theirs) = beside.or(self.plain_before) {
            let ours = (gateway_end.cpu_s - gateway.cpu_s) / span_s;
            report.cpu_s_per_s = Some([ours, theirs]);
            report.cpu_ratio = (theirs > 0.0).then(|| ours / theirs);
        }
    }
}

impl Judged {
    fn start(
        scenario: &Scenario,
        staging: &Staging,
        sim: Arc<Sim>,
        [id, url]: [&str; 2],
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, StageError> {
        let picture = match &staging.keep {
            Some(keep) => {
                std::fs::create_dir_all(keep)?;
                Some(keep.join(format!("{}.leak.png", scenario.name)))
            }
            None => None,
        };
        let posed = Arc::clone(&sim);
        let observed = Arc::new(Observed {
            canary: Canary::new(Rgb(CANARY_RGB))?,
            truth: Arc::new(Truth::new(
                private_places().into_iter().map(|place| place.outline),
            )),
            frame: Arc::new(move |number, capture| match (number, capture) {
                (Some(number), _) => posed.truth_of_frame(number.into()),
                (None, Some(capture)) => posed.pose_at(capture),
                (None, None) => None,
            }),
            distortion: [scenario.camera.k1, scenario.camera.k2],
            picture,
        });
        let notes = Arc::new(Mutex::new(Notes::default()));
        let viewer = open(url, &observed, &notes, clock)?;
        Ok(Self {
            sim,
            id: id.to_owned(),
            url: url.to_owned(),
            observed,
            notes,
            viewer,
            opened: clock.mono(),
        })
    }

    fn open(&self, clock: &Arc<dyn Clock>) -> Result<Viewer, StageError> {
        Ok(open(&self.url, &self.observed, &self.notes, clock)?)
    }

    fn notes(&self) -> Notes {
        self.notes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn change(&self, change: &super::scenario::Change) -> Result<(), StageError> {
        let patch = serde_json::Value::Object(change.faults.clone());
        self.sim.set_faults(&self.sim.faults().patched(&patch)?)?;
        if change.restart {
            self.sim.restart();
        }
        Ok(())
    }
}

fn open(
    url: &str,
    observed: &Arc<Observed>,
    notes: &Arc<Mutex<Notes>>,
    clock: &Arc<dyn Clock>,
) -> Result<Viewer, ViewerError> {
    let play = Play {
        url: url.to_owned(),
        decode: true,
    };
    let (observed, notes) = (Arc::clone(observed), Arc::clone(notes));
    Viewer::start(&play, Arc::clone(clock), move |seen| {
        notes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .look(&observed, &seen);
    })
}

fn camera_files(scenario: &Scenario, id: &str, sim: &Sim) -> Result<CameraFiles, StageError> {
    let mut zones_json = sim.zones_json();
    if scenario.mask_shift_deg != 0.0 {
        zones_json = shifted(&zones_json, scenario.mask_shift_deg)?;
    }
    if scenario.no_zones {
        zones_json = emptied(&zones_json)?;
    }
    let words = scenario.gateway.telemetry;
    Ok(CameraFiles {
        id: id.to_owned(),
        rtsp_url: sim.rtsp_url().to_owned(),
        telemetry: telemetry(sim, words),
        zones_json,
        profile_toml: toml::to_string(&sim.profile_in(words))?,
    })
}

/// A wire to the address in `text`, which then names the wire's instead.
fn wired(text: &mut String) -> Result<Relay, StageError> {
    let address = text
        .split_once("://")
        .and_then(|(_, rest)| rest.split('/').next())
        .and_then(|authority| authority.parse().ok())
        .ok_or_else(|| std::io::Error::other(format!("no address in {text}")))?;
    let wire = Relay::start(address)?;
    *text = text.replace(&address.to_string(), &wire.address().to_string());
    Ok(wire)
}

fn plain(
    scenario: &Scenario,
    staging: &Staging,
    place: &Workplace,
    sim: &Sim,
) -> Result<Child, ChildError> {
    let knobs = &scenario.gateway;
    let mut arguments = vec![
        "prove".to_owned(),
        "--plain".to_owned(),
        sim.rtsp_url().to_owned(),
    ];
    if let Some(transport) = &knobs.transport {
        arguments.extend(["--plain-transport".to_owned(), transport.clone()]);
    }
    if let Some(kbit) = knobs.bitrate_kbit {
        arguments.extend(["--plain-bitrate-kbit".to_owned(), kbit.to_string()]);
    }
    Child::start(
        "the plain chain",
        &staging.program,
        &arguments,
        &place.file("plain.log"),
    )
}

/// How long a plain chain takes to start.
const PLAIN_START: Duration = Duration::from_secs(3);

/// CPU seconds per second of a plain chain that runs alone for `seconds`; `None`
/// where it ended by itself.
fn alone(
    scenario: &Scenario,
    staging: &Staging,
    place: &Workplace,
    sim: &Sim,
    seconds: f64,
    stop: &AtomicBool,
) -> Result<Option<f64>, ChildError> {
    let mut chain = plain(scenario, staging, place, sim)?;
    let wait = |how_long: Duration| {
        for _ in 0..how_long.as_millis() / STEP.as_millis() {
            if stop.load(Ordering::SeqCst) {
                return;
            }
            std::thread::sleep(STEP);
        }
    };
    wait(PLAIN_START);
    let start = used(chain.pid());
    wait(Duration::from_secs_f64(seconds));
    let end = used(chain.pid()).filter(|_| chain.is_running());
    Ok(start
        .zip(end)
        .map(|(start, end)| (end.cpu_s - start.cpu_s) / seconds))
}

/// Threads that keep cores busy until dropped.
#[derive(Default)]
struct Load {
    stop: Arc<AtomicBool>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

impl Load {
    fn start(&mut self, cores: u32) {
        for _ in 0..cores {
            let stop = Arc::clone(&self.stop);
            self.threads.push(std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            }));
        }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
