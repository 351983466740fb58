//! Wiring, supervision and shutdown: the one module that knows all others.
//!
//! It decides nothing about pictures; it joins the parts that do.

mod audited;
mod beside;
mod camera;
mod certificates;
mod desk;
mod detection;
mod exits;
mod figures;
mod journal;
mod judge;
mod models;
mod motion;
mod nogo;
mod positions;
mod presets;
mod proof;
mod steering;
mod stills;
mod stream;
mod told;
mod traced;
mod vms;

pub use certificates::check_certificates;
pub use models::{Loaded, Shelf, try_models, usual_face};

use crate::audit::{self, Audit};
use crate::clock::Clock;
use crate::config::{self, Camera, Change, Config, diff};
use crate::event::{Event, EventSink};
use crate::geom::Size;
use crate::notify::{Board, Notifier};
use crate::onvif_device::OnvifDevices;
use crate::pipeline::{MaskedStream, PipelineStats};
use crate::pose::CameraProfile;
use crate::register::PictureWatch;
use crate::traces::Outcome;
use crate::web::{self, GatewayStatus, Holds};
use anyhow::Context;
use camera::RunningCamera;
use certificates::Certificates;
use detection::Pool;
use exits::{Exits, access};
use figures::Watched;
use journal::Journal;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use told::{Hook, Teller};
use traced::Traced;

/// A running gateway. [`Gateway::stop`] or dropping it ends everything.
pub struct Gateway {
    config: Config,
    /// Whose classes the detectors were loaded for.
    started_with: Config,
    shared: Arc<Shared>,
    http: Option<web::Server>,
    /// The cameras as ONVIF devices.
    devices: Option<OnvifDevices>,
    certificates: Certificates,
    /// Puts reports on the board.
    teller: Option<Teller>,
}

/// What the HTTP server and the gateway both look at.
struct Shared {
    clock: Arc<dyn Clock>,
    journal: Arc<Journal>,
    board: Arc<Board>,
    /// Tells message buses.
    notifier: Notifier,
    /// Tells a collector of traces.
    traced: Arc<Traced>,
    exits: Exits,
    detectors: Pool,
    cameras: Mutex<Vec<RunningCamera>>,
    /// Held by whoever changes zones: the console, or a reload.
    edits: Mutex<()>,
    four_eyes: bool,
    /// As the detectors were configured at the start.
    models: config::Detectors,
    /// Whether clear stills may be permitted.
    clear_still: bool,
    /// What is told about beside the cameras.
    watched: Watched,
    /// What the pipelines counted of streams that were started anew or removed.
    earlier: Mutex<BTreeMap<String, PipelineStats>>,
    /// What turning cameras' pictures are compared with: a doubt outlives a restart of its
    /// camera.
    pictures: Mutex<BTreeMap<String, KeptPictures>>,
    /// Of which size each stream's first picture was, by the address it came from: a reload
    /// must not take another one for the right one.
    sizes: Mutex<BTreeMap<String, (String, FirstSize)>>,
}

/// The size of a stream's first picture, once it came.
type FirstSize = Arc<OnceLock<Size>>;

/// The pictures of one stream.
type Pictures = Arc<Mutex<PictureWatch>>;

/// The same, with the address they came from and the profile by which they lie where they do.
type KeptPictures = (String, Arc<CameraProfile>, Pictures);

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl Gateway {
    /// Starts every camera of `config`. A camera that cannot be reached, or
    /// whose masks are unusable, is covered; it does not stop the others.
    ///
    /// # Errors
    /// When an address cannot be bound or GStreamer lacks a part.
    pub fn start(config: Config, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let audit = open_audit(&config, &clock)?;
        let board = Arc::new(Board::default());
        let traced = Arc::new(Traced::new(clock.clone()));
        let hook = Hook {
            board: board.clone(),
            clock: clock.clone(),
            traced: traced.clone(),
        };
        let journal = Arc::new(Journal::new(audit.clone(), hook));
        let events: Arc<dyn EventSink> = journal.clone();
        let in_clear = told::in_clear(&config).into_iter();
        for warning in in_clear.chain(traced::in_clear(&config)) {
            tracing::warn!("{warning}");
        }
        // Before the cameras: what began before it is not told.
        traced.set(&config).context("no thread for traces")?;
        let exits = Exits::start(&config, &events, &clock)?;
        let detectors = models::pool(&config, &journal)?;
        let shared = Arc::new(Shared {
            journal,
            notifier: Notifier::new(board.clone(), events),
            board: board.clone(),
            traced,
            exits,
            detectors,
            cameras: Mutex::new(Vec::new()),
            edits: Mutex::new(()),
            four_eyes: config.console.as_ref().is_some_and(|c| c.four_eyes),
            models: config.detectors.clone(),
            clear_still: config.console.as_ref().is_some_and(|c| c.clear_still),
            watched: Watched::new(&config, &*clock),
            clock,
            earlier: Mutex::default(),
            pictures: Mutex::default(),
            sizes: Mutex::default(),
        });
        for camera in &config.cameras {
            let running = RunningCamera::start(camera, &shared)
                .with_context(|| format!("camera `{}` could not be started", camera.id))?;
            shared.cameras().push(running);
        }
        let holds = audit
            .as_ref()
            .map(|audit| Holds::new(shared.clone(), audit.clone(), shared.clock.clone()));
        let http = web::Server::start(
            http_settings(&config, audit.zip(holds.clone()), shared.clock.clone()),
            shared.clone(),
        )
        .with_context(|| match config.metrics_listen {
            None => format!("HTTP cannot be served at {}", config.http_listen),
            Some(metrics) => format!(
                "HTTP cannot be served at {} and metrics at {metrics}",
                config.http_listen
            ),
        })?;
        let devices = vms::start(&config, &shared, holds)?;
        let certificates = Certificates::watch([
            ("masked streams", shared.exits.certificate.clone()),
            ("console", http.certificate()),
        ])
        .context("no thread for certificates")?;
        let ids: Vec<&str> = config.cameras.iter().map(|c| c.id.as_str()).collect();
        board.keep_only(&ids);
        let teller = Teller::start(&shared, board).context("no thread for reports")?;
        shared
            .notifier
            .set(&told::buses(&config))
            .context("no thread for events")?;
        Ok(Self {
            started_with: config.clone(),
            config,
            shared,
            http: Some(http),
            devices,
            certificates,
            teller: Some(teller),
        })
    }

    /// Reads the configuration anew and makes it so. Unchanged cameras are not
    /// touched; a camera whose masks or limits changed gets them between two
    /// frames. One that cannot be used changes nothing.
    pub fn reload(&mut self, path: &Path) {
        let shared = self.shared.clone();
        // What the console saves meanwhile must not be put back to what was read before.
        let _edits = shared.edits();
        let began = shared.clock.mono();
        let all_done = match config::load(path) {
            Ok(new) => self.become_like(new),
            Err(problems) => {
                let detail = problems.to_string();
                shared.journal.emit(Event::ReloadRefused { detail });
                false
            }
        };
        let outcome = match (shared.journal.reloads().last_refused, all_done) {
            (true, _) => Outcome::Refused,
            (false, true) => Outcome::Done,
            (false, false) => Outcome::Failed,
        };
        shared.traced.reloaded(began, outcome);
    }

    /// Whether all of it was done.
    fn become_like(&mut self, mut new: Config) -> bool {
        // The console may have put other masks in force than were read last.
        for camera in &mut self.config.cameras {
            let cameras = self.shared.cameras();
            if let Some(running) = cameras.iter().find(|r| r.id() == camera.id) {
                camera.masks = running.masks();
                running.presets_into(&mut camera.kind);
            }
        }
        let unseen: Vec<String> = models::wanted(&new)
            .difference(&models::wanted(&self.started_with))
            .map(ToString::to_string)
            .collect();
        if !unseen.is_empty() {
            let detail = format!(
                "nobody looks for {} yet: a class that is new begins at the next start",
                unseen.join(", ")
            );
            self.shared.journal.emit(Event::ReloadRefused { detail });
            return false;
        }
        let mut said = Vec::new();
        // Accounts first: a camera that comes with them must not be open for a moment.
        if new.rtsp_tls != self.config.rtsp_tls {
            // A name counts for whoever signs it: with another CA it may be another's.
            // Whoever is gone is gone all the same; that nobody is left means everybody.
            let old = &self.config.viewers;
            new.viewers.retain(|viewer| old.contains(viewer));
            if new.viewers.is_empty() && !old.is_empty() {
                let detail = "[rtsp_tls] and all viewers change: restart".to_owned();
                self.shared.journal.emit(Event::ReloadRefused { detail });
                return false;
            }
            said.push("[rtsp_tls] and new viewers change at the next start".to_owned());
        }
        if new.viewers != self.config.viewers {
            said.push(self.change_accounts(&new));
        }
        said.extend(self.certificates.renew());
        let mut failed = Vec::new();
        for change in diff(&self.config, &new) {
            match self.apply(change) {
                Ok(done) => said.push(done),
                Err(id) => {
                    said.push(format!("{id} failed"));
                    failed.push(id);
                }
            }
        }
        said.extend(self.change_buses(&new));
        said.extend(self.shared.change_traces(&self.config, &new));
        let addresses = |c: &Config| (c.rtsp_listen, c.http_listen, c.metrics_listen);
        if addresses(&new) != addresses(&self.config) {
            said.push("addresses change at the next start".to_owned());
        }
        let device = |c: &Config, id: &str| {
            let mut cameras = c.cameras.iter();
            cameras.find(|c| c.id == id).map(|c| c.onvif_device)
        };
        let other_devices = new
            .cameras
            .iter()
            .any(|c| device(&self.config, &c.id).unwrap_or_default() != c.onvif_device);
        if other_devices {
            said.push("ONVIF devices change at the next start".to_owned());
        }
        if new.console != self.config.console {
            said.push("the console changes at the next start".to_owned());
        }
        if new.filter_system_calls != self.config.filter_system_calls {
            said.push("the filter of system calls changes at the next start".to_owned());
        }
        if new.detectors != self.config.detectors {
            said.push("detectors change at the next start".to_owned());
        }
        let detail = if said.is_empty() {
            "nothing changed".to_owned()
        } else {
            said.join(", ")
        };
        let order: Vec<&String> = new.cameras.iter().map(|c| &c.id).collect();
        self.shared
            .cameras()
            .sort_by_key(|c| order.iter().position(|id| *id == c.id()));
        // What failed is tried again at the next reload.
        new.cameras.retain(|c| !failed.contains(&c.id));
        // The addresses in use stay those of the start.
        new.rtsp_listen = self.config.rtsp_listen;
        new.rtsp_tls = self.config.rtsp_tls.clone();
        new.rtsp_beyond_in_clear = self.config.rtsp_beyond_in_clear;
        new.http_listen = self.config.http_listen;
        new.metrics_listen = self.config.metrics_listen;
        new.filter_system_calls = self.config.filter_system_calls;
        new.console = self.config.console.clone();
        new.detectors = self.config.detectors.clone();
        self.config = new;
        self.shared.journal.emit(Event::Reloaded { detail });
        failed.is_empty()
    }

    /// What message buses are told, and which.
    fn change_buses(&self, new: &Config) -> Option<String> {
        let shared = &self.shared;
        let configured: Vec<&str> = new.cameras.iter().map(|c| c.id.as_str()).collect();
        shared.board.keep_only(&configured);
        for camera in &self.config.cameras {
            if !configured.contains(&camera.id.as_str()) {
                let told = told::removed(&camera.id, &*shared.clock);
                shared.board.tell(told);
            }
        }
        if new.events == self.config.events {
            return None;
        }
        for warning in told::in_clear(new) {
            tracing::warn!("{warning}");
        }
        Some(match shared.notifier.set(&told::buses(new)) {
            Ok(()) => "where events are told".to_owned(),
            Err(error) => {
                tracing::error!(%error, "no thread for events");
                "events failed".to_owned()
            }
        })
    }

    fn change_accounts(&self, new: &Config) -> String {
        if new.viewers.is_empty() && !self.config.rtsp_listen.ip().is_loopback() {
            return "accounts stay: the streams are still served beyond this machine".to_owned();
        }
        match self.shared.exits.rtsp.set_access(&access(new)) {
            Ok(()) => {
                if let Some(devices) = &self.devices {
                    devices.set_access(vms::access(new));
                }
                "viewers' accounts".to_owned()
            }
            Err(error) => {
                tracing::error!(%error, "viewers' accounts stay as they were");
                "accounts stay".to_owned()
            }
        }
    }

    /// What was done; or the id of a camera that could not be started.
    fn apply(&self, change: Change) -> Result<String, String> {
        match change {
            Change::Add(camera) => {
                let done = format!("added{}", sound_changed(config::Sound::Drop, camera.sound));
                self.add(&camera, &done)
            }
            Change::Remove(id) => {
                self.remove(&id);
                Ok(format!("{id} removed"))
            }
            Change::Swap(camera) => {
                let streams: Vec<MaskedStream> = {
                    let cameras = self.shared.cameras();
                    let these = cameras.iter().filter(|r| r.id() == camera.id);
                    these
                        .map(|running| {
                            running.swap(&camera);
                            running.stream()
                        })
                        .collect()
                };
                // Outside the lock: a goodbye may take a moment.
                for stream in streams {
                    self.shared
                        .exits
                        .publish(&camera.id, &stream, &camera.publish);
                }
                Ok(format!("{} masks, limits and publications", camera.id))
            }
            Change::Restart(camera) => {
                let mut before = self.config.cameras.iter();
                let before = before.find(|before| before.id == camera.id);
                let before = before.map_or(config::Sound::Drop, |before| before.sound);
                self.remove(&camera.id);
                let done = format!("restarted{}", sound_changed(before, camera.sound));
                self.add(&camera, &done)
            }
        }
    }

    fn add(&self, camera: &Camera, done: &str) -> Result<String, String> {
        match RunningCamera::start(camera, &self.shared) {
            Ok(running) => {
                self.shared.cameras().push(running);
                Ok(format!("{} {done}", camera.id))
            }
            Err(error) => {
                tracing::error!(camera = %camera.id, "could not be started: {error:#}");
                Err(camera.id.clone())
            }
        }
    }

    fn remove(&self, id: &str) {
        let gone: Vec<RunningCamera> = {
            let mut cameras = self.shared.cameras();
            let all = std::mem::take(&mut *cameras);
            let (gone, kept) = all.into_iter().partition(|c| c.id() == id);
            *cameras = kept;
            gone
        };
        self.shared.exits.remove_camera(id);
        for camera in &gone {
            for stream in camera.further_ids() {
                self.shared.exits.remove_further(stream);
            }
            self.shared
                .end_permit(camera, "the camera was removed or restarted");
        }
        // Stopped outside the lock: it takes a moment, and the status must not wait.
        for (stream, mut counted) in gone.into_iter().flat_map(RunningCamera::end) {
            let mut earlier = self.shared.earlier();
            if let Some(before) = earlier.get(&stream) {
                counted.count_on_from(before);
            }
            self.shared.journal.forget(&stream);
            earlier.insert(stream, counted);
        }
        self.shared.journal.forget(id);
        self.shared.traced.gone(id);
    }

    /// Where HTTP is served: the console, or only the status.
    pub fn http_url(&self) -> String {
        let http = self.http.as_ref();
        http.map_or_else(String::new, web::Server::url)
    }

    /// Where metrics are served, besides at [`Gateway::http_url`] without a console.
    pub fn metrics_url(&self) -> Option<String> {
        let address = self.http.as_ref()?.metrics_address()?;
        Some(format!("http://{address}/metrics"))
    }

    /// Where the masked stream `id` is served: a camera's, or `<camera>/<name>` for a further
    /// stream of it.
    pub fn stream_url(&self, id: &str) -> String {
        let ip = self.config.rtsp_listen.ip();
        let scheme = self.config.rtsp_tls.as_ref().map_or("rtsp", |_| "rtsps");
        format!(
            "{scheme}://{}/{id}",
            SocketAddr::new(ip, self.shared.exits.rtsp.port())
        )
    }

    /// Where camera `id` is an ONVIF device, if it is one.
    pub fn onvif_url(&self, id: &str) -> Option<String> {
        self.devices.as_ref()?.url(id)
    }

    /// The gateway now.
    pub fn status(&self) -> GatewayStatus {
        web::Gateway::status(&*self.shared)
    }

    /// Stops everything; also called by dropping.
    pub fn stop(&mut self) {
        self.shared.exits.end_live();
        // A turn for a VMS ends with it.
        drop(self.devices.take());
        if self.http.take().is_some() {
            self.shared.journal.ending();
        }
        let cameras = std::mem::take(&mut *self.shared.cameras());
        for camera in &cameras {
            self.shared.end_permit(camera, "the gateway ends");
            self.shared.exits.remove_camera(camera.id());
            for stream in camera.further_ids() {
                self.shared.exits.remove_further(stream);
            }
        }
        // Side by side: each may take a moment to leave its camera.
        std::thread::scope(|scope| {
            scope.spawn(|| self.shared.notifier.stop());
            for camera in cameras {
                scope.spawn(move || camera.end());
            }
        });
        self.shared.exits.stop();
        drop(self.teller.take());
        self.shared.traced.stop();
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    /// The pictures of a camera with that profile, as they were left; none of another
    /// profile, by which they lie elsewhere, and none that came from elsewhere.
    fn pictures(&self, camera: &Camera, profile: &Arc<CameraProfile>) -> Pictures {
        let mut all = self.pictures.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = || {
            (
                camera.source.url.clone(),
                profile.clone(),
                Pictures::default(),
            )
        };
        let kept = all.entry(camera.id.clone()).or_insert_with(fresh);
        let (from, made_for, _) = &*kept;
        if *from != camera.source.url || made_for.document() != profile.document() {
            *kept = fresh();
        }
        kept.2.clone()
    }

    /// The size of the camera's first picture, as it was before it was started anew.
    fn first_size(&self, camera: &Camera) -> FirstSize {
        let mut all = self.sizes.lock().unwrap_or_else(PoisonError::into_inner);
        let (from, size) = all
            .entry(camera.id.clone())
            .or_insert_with(|| (camera.source.url.clone(), FirstSize::default()));
        if *from != camera.source.url {
            *from = camera.source.url.clone();
            *size = FirstSize::default();
        }
        size.clone()
    }

    fn edits(&self) -> MutexGuard<'_, ()> {
        self.edits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn earlier(&self) -> MutexGuard<'_, BTreeMap<String, PipelineStats>> {
        self.earlier.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cameras(&self) -> MutexGuard<'_, Vec<RunningCamera>> {
        self.cameras.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl web::Gateway for Shared {
    fn status(&self) -> GatewayStatus {
        GatewayStatus {
            version: env!("CARGO_PKG_VERSION"),
            rtsp_port: self.exits.rtsp.port(),
            cameras: self
                .cameras()
                .iter()
                .map(|c| c.status(&self.journal, &self.exits))
                .collect(),
            buses: self
                .notifier
                .figures()
                .into_iter()
                .map(told::status)
                .collect(),
        }
    }

    fn metrics(&self) -> Result<String, std::fmt::Error> {
        self.figures()
    }

    fn watch(&self, camera: &str, offer: &str) -> Result<web::Watching, web::CannotWatch> {
        self.exits.watch(camera, offer)
    }

    fn watch_live(&self, camera: &str) -> Result<web::Live, web::CannotWatch> {
        self.exits.watch_live(camera)
    }

    fn unwatch(&self, watching: &str) -> bool {
        self.exits.unwatch(watching)
    }
}

/// For the record: what becomes of a camera's sound now, where that is new.
fn sound_changed(before: config::Sound, now: config::Sound) -> String {
    match before == now {
        true => String::new(),
        false => format!(" (sound: {}, was {})", now.name(), before.name()),
    }
}

/// The audit log, where there is a console. One that cannot be written keeps
/// people out of the console; it does not keep pictures from being masked.
fn open_audit(config: &Config, clock: &Arc<dyn Clock>) -> anyhow::Result<Option<Audit>> {
    let Some(console) = &config.console else {
        return Ok(None);
    };
    let settings = audit::Settings::in_folder(&console.audit);
    let audit = Audit::start(settings, clock.clone()).context("the audit log")?;
    audit.note(audited::started(console.clear_still, &config.cameras));
    Ok(Some(audit))
}

fn http_settings(
    config: &Config,
    recorded: Option<(Audit, Holds)>,
    clock: Arc<dyn Clock>,
) -> web::Settings {
    let console = config.console.as_ref().zip(recorded);
    let console = console.map(|(console, (audit, holds))| web::ConsoleSettings {
        users: console.users.clone(),
        audit,
        holds,
        tls: console.tls.clone().map(|tls| (tls.certificate, tls.key)),
        session: console.session,
        clock,
    });
    web::Settings {
        listen: config.http_listen,
        metrics_listen: config.metrics_listen,
        console,
    }
}
