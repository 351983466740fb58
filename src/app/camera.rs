//! One running camera: telemetry, streams with one set of zones and positions for all of
//! them, and its places at the egress.

use super::Shared;
use super::exits::Exits;
use super::journal::Journal;
use super::judge::{Aim, Look};
use super::nogo::Standing;
use super::positions;
use super::presets::Presets;
use super::stills::CameraStills;
use super::stream::{Given, RunningStream, capture_time, percentiles, shown_and_covered};
use super::told;
use crate::archive::Archive;
use crate::clock::{Clock, Mono};
use crate::config::{self, Camera, Kind, Masks};
use crate::egress::PublicationFigures;
use crate::event::Reason;
use crate::geom::{Angle, Mount, Optics, Size};
use crate::metrics;
use crate::notify::{CameraReport, FORMAT};
use crate::pipeline::{MaskedStream, PipelineStats, Waker};
use crate::pose::clockwatch::ClockRules;
use crate::pose::{CameraProfile, HistoryRules, PoseSource};

use crate::steer::{Aim as Helmsman, Steer};
use crate::telemetry::Telemetry;
use crate::web::{
    CameraStatus, CameraView, DeskFault, MetadataStatus, MountView, PublicationStatus, SteerFault,
    Why,
};
use anyhow::Context;
use arc_swap::ArcSwap;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The grey picture's size before the camera has told its own.
pub(super) const IDLE_SIZE: Size = Size {
    width: 1280,
    height: 720,
};
/// Rounding of stamps, and what two clocks drift between two sender reports.
const STAMP_SLACK_S: f64 = 0.006;
/// Without a picture for so long nobody knows where it looks.
const SILENT: Duration = Duration::from_millis(400);

/// Where a camera looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gaze {
    /// Of the head, any turn.
    pub(super) pan_deg: f64,
    /// Of the head.
    pub(super) tilt_deg: f64,
    /// Zoom in the profile's unit, where that is known.
    pub(super) zoom: Option<f64>,
    /// Whether it turns or zooms right now.
    pub(super) moves: bool,
    /// Horizontal field of view.
    pub(super) hfov_deg: f64,
}

/// The field of view of a focal length in frame widths: 2·atan(1/(2f)).
fn hfov_deg(focal: f64) -> f64 {
    (2.0 * (0.5 / focal).atan()).to_degrees()
}

/// A camera that runs; dropping it stops it.
#[derive(Debug)]
pub(super) struct RunningCamera {
    id: String,
    kind: Kind,
    /// As it was configured last; the zones in force are the judges'.
    configured: ArcSwap<Camera>,
    /// The versions of its zones.
    archive: ArcSwap<Archive>,
    stills: CameraStills,
    // Fields are dropped in order: what turns is stopped first, and no more poses come
    // while the pipelines end.
    steer: Option<Steer>,
    telemetry: Option<Telemetry>,
    /// Where its positions come together; none for a fixed camera.
    poses: Option<Arc<PoseSource>>,
    /// Its presets, where the picture alone tells whether it rests on one.
    presets: Option<Arc<Presets>>,
    main: RunningStream,
    /// Those that show the same in other sizes.
    further: Vec<RunningStream>,
}

impl RunningCamera {
    pub(super) fn start(camera: &Camera, shared: &Shared) -> anyhow::Result<Self> {
        let wakers: Vec<Waker> = (0..=camera.streams.len())
            .map(|_| Waker::default())
            .collect();
        let aim = aim(camera, wakers.clone(), shared);
        let poses = match &aim {
            Aim::Turning { poses, .. } => Some(poses.clone()),
            Aim::Fixed | Aim::Resting(_) | Aim::Unknown(_) => None,
        };
        let presets = match &aim {
            Aim::Resting(presets) => Some(presets.clone()),
            Aim::Fixed | Aim::Turning { .. } | Aim::Unknown(_) => None,
        };
        let stills = CameraStills::new(shared.clear_still);
        let (sink, documents) = positions::metadata(camera).unzip();
        let mut wakers = wakers.into_iter();
        let given = Given {
            waker: wakers.next().unwrap_or_default(),
            metadata: sink,
            stills: stills.slot(),
            beside: None,
        };
        let main = RunningStream::start(camera, aim.clone(), given, shared)?;
        let further = camera.streams.iter().zip(wakers).map(|(stream, waker)| {
            let camera = camera.seen_by(stream);
            let given = Given {
                waker,
                metadata: None,
                stills: None,
                beside: Some(main.judge.main_stream()),
            };
            RunningStream::start(&camera, aim.of_further(&camera, shared), given, shared)
        });
        // Before the first report: all streams' clocks are to hear all of them.
        let further: Vec<RunningStream> = further.collect::<anyhow::Result<_>>()?;
        let (steer, telemetry) = match (&camera.kind, aim) {
            (
                Kind::Ptz {
                    telemetry,
                    profile: Ok(profile),
                },
                Aim::Turning { poses, mount, .. },
            ) => {
                let events = shared.journal.clone();
                let clock = shared.clock.clone();
                let heard = (profile.clone(), documents);
                let started = positions::start(camera, telemetry, heard, poses, events, clock);
                let helmsman = Helmsman::new(profile.clone(), mount);
                let clock = shared.clock.clone();
                let steer = positions::steering(telemetry)
                    .map(|onvif| Steer::start(onvif, helmsman, clock))
                    .transpose();
                (
                    steer.context("steering")?,
                    Some(started.context("telemetry")?),
                )
            }
            _ => (None, None),
        };
        shared.exits.add_camera(&camera.id, main.masked());
        for stream in &further {
            shared.exits.add_further(stream.id(), stream.masked());
        }
        shared
            .exits
            .publish(&camera.id, &main.masked(), &camera.publish);
        Ok(Self {
            id: camera.id.clone(),
            kind: camera.kind.clone(),
            configured: ArcSwap::from_pointee(camera.clone()),
            archive: ArcSwap::from_pointee(Archive::of(&camera.masks_file)),
            steer,
            stills,
            telemetry,
            poses,
            presets,
            main,
            further,
        })
    }

    /// Its presets, where the picture alone tells whether it rests on one.
    pub(super) fn presets(&self) -> Option<&Arc<Presets>> {
        self.presets.as_ref()
    }

    /// Puts the zones in force into what was configured.
    pub(super) fn presets_into(&self, kind: &mut Kind) {
        if let (Some(presets), Kind::Presets(list)) = (&self.presets, kind) {
            *list = presets.configured();
        }
    }

    /// Whether its metadata stream is listened to.
    fn hears_metadata(&self) -> bool {
        matches!(&self.kind, Kind::Ptz { telemetry, .. } if telemetry.metadata)
    }

    /// Its streams, the main one first.
    fn streams(&self) -> impl Iterator<Item = &RunningStream> {
        std::iter::once(&self.main).chain(&self.further)
    }

    /// The ids of its further streams.
    pub(super) fn further_ids(&self) -> impl Iterator<Item = &str> {
        self.further.iter().map(RunningStream::id)
    }

    /// Ends it; what the pipeline of each stream counted, by the stream's id.
    pub(super) fn end(mut self) -> Vec<(String, PipelineStats)> {
        drop(self.steer.take());
        drop(self.telemetry.take());
        let streams = std::iter::once(self.main).chain(self.further);
        // Side by side: each may take a moment to leave the camera.
        std::thread::scope(|scope| {
            let ending: Vec<_> = streams.map(|s| scope.spawn(move || s.end())).collect();
            let ended = ending.into_iter().filter_map(|end| end.join().ok());
            ended.collect()
        })
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Takes over masks and limits between two frames.
    pub(super) fn swap(&self, camera: &Camera) {
        self.archive
            .store(Arc::new(Archive::of(&camera.masks_file)));
        self.configured.store(Arc::new(camera.clone()));
        if let (Some(presets), Kind::Presets(list)) = (&self.presets, &camera.kind) {
            presets.set(list);
        }
        for stream in self.streams() {
            stream.judge.swap(camera);
            stream.wake();
        }
    }

    /// Its masked stream: the main one.
    pub(super) fn stream(&self) -> MaskedStream {
        self.main.masked()
    }

    /// Takes over other zones between two frames.
    pub(super) fn swap_masks(&self, masks: Masks) {
        for stream in self.streams() {
            stream.judge.swap_masks(&masks);
            stream.wake();
        }
    }

    /// Positions are believed again, by all streams; whether one of them doubted.
    pub(super) fn believe(&self) -> bool {
        // Each of them: one that doubted must not leave the others as they were.
        let doubted = self.streams().filter(|stream| stream.judge.believe());
        doubted.count() > 0
    }

    /// The zones in force.
    pub(super) fn masks(&self) -> Masks {
        self.main.judge.masks()
    }

    /// What it was told, with the zones in force.
    pub(super) fn configured(&self) -> Camera {
        let mut camera = Camera {
            masks: self.masks(),
            ..Camera::clone(&self.configured.load())
        };
        self.presets_into(&mut camera.kind);
        camera
    }

    /// The versions of its zones.
    pub(super) fn archive(&self) -> Arc<Archive> {
        self.archive.load_full()
    }

    /// Whether it never moves, or does not tell where it looks.
    pub(super) fn tells_no_position(&self) -> bool {
        !matches!(self.kind, Kind::Ptz { .. })
    }

    /// Clear stills of it: who permitted them, and where one waits.
    pub(super) fn stills(&self) -> &CameraStills {
        &self.stills
    }

    /// How it looks now, for drawing over its picture.
    pub(super) fn view(&self) -> Result<CameraView, DeskFault> {
        self.view_of(self.main.judge.look().map_err(DeskFault::NoPose)?)
    }

    /// How it looked when it looked so.
    pub(super) fn view_of(&self, look: Look) -> Result<CameraView, DeskFault> {
        let size = (look.size.width, look.size.height);
        let (state, reason) = self.shown();
        if let Some(presets) = &self.presets {
            return Ok(CameraView::Presets {
                size,
                resting: presets.resting(),
                still: look.still,
                state,
                reason,
            });
        }
        let (pose, profile) = match (look.pose, &self.kind) {
            (None, _) | (_, Kind::Fixed | Kind::Presets(_)) => {
                return Ok(CameraView::Fixed {
                    size,
                    state,
                    reason,
                });
            }
            (Some(pose), Kind::Ptz { profile, .. }) => (pose, profile.clone()),
        };
        let profile = profile.map_err(DeskFault::NoPose)?;
        let (lens, mount) = (profile.document().distortion, profile.document().mount);
        Ok(CameraView::Turning {
            size,
            pan_deg: pose.pan.deg(),
            tilt_deg: pose.tilt.deg(),
            roll_deg: pose.roll.deg(),
            zoom: profile.zoom_of(pose.focal.ln()),
            hfov_deg: hfov_deg(pose.focal),
            focal_px: pose.focal * f64::from(size.0),
            k1: lens.k1,
            k2: lens.k2,
            mount: MountView {
                pan_deg: mount.pan_deg,
                pitch_deg: mount.pitch_deg,
                roll_deg: mount.roll_deg,
                ceiling: mount.upside_down,
            },
            moving: pose.moves(),
            margin_deg: pose.margin.angle.deg(),
            state,
            reason,
        })
    }

    /// What is shown of it now, and why.
    fn shown(&self) -> (&'static str, Option<Why>) {
        let state = self.main.stats().state;
        let why = state.reason().map(|reason| Why {
            code: reason.code(),
            detail: reason.to_string(),
        });
        (state.name(), why)
    }

    /// The size of its masked picture, and frames a second: of each stream, the main one
    /// first, with the names of the further ones.
    pub(super) fn shown_sizes(&self) -> impl Iterator<Item = (Option<&str>, Size, f64)> {
        self.streams().map(|stream| {
            let name = stream.id().split_once('/').map(|(_, name)| name);
            let (size, fps) = stream.shown_size();
            (name, size, fps)
        })
    }

    /// Where it looks now, if that is known and pictures come that show it.
    pub(super) fn fresh_gaze(&self) -> Option<Gaze> {
        (self.main.judge.silent() < SILENT).then(|| self.gaze())?
    }

    /// Where it looked when its newest picture was taken, if that is known.
    pub(super) fn gaze(&self) -> Option<Gaze> {
        let pose = self.main.judge.look().ok()?.pose?;
        let profile = match &self.kind {
            Kind::Ptz { profile, .. } => profile.as_ref().ok(),
            Kind::Fixed | Kind::Presets(_) => None,
        };
        Some(Gaze {
            pan_deg: pose.pan.deg(),
            tilt_deg: pose.tilt.deg(),
            zoom: profile.and_then(|profile| profile.zoom_of(pose.focal.ln())),
            moves: pose.moves(),
            hfov_deg: hfov_deg(pose.focal),
        })
    }

    /// How far it may be steered.
    pub(super) fn steering_rules(&self) -> config::Steering {
        self.configured.load().steering
    }

    /// The share of its picture that zones would hide if it looked so, 0…1.
    pub(super) fn hidden_share(&self, at: Standing) -> f64 {
        self.main.judge.hidden_share(at)
    }

    /// What turns it.
    pub(super) fn steer(&self) -> Result<&Steer, SteerFault> {
        match (&self.steer, &self.kind) {
            (Some(steer), _) => Ok(steer),
            (None, Kind::Fixed) => Err(SteerFault::Fixed),
            (None, Kind::Presets(_)) => Err(SteerFault::ByItself),
            (None, Kind::Ptz { telemetry, .. }) if positions::steering(telemetry).is_none() => {
                Err(SteerFault::NotOver(telemetry.kind.name()))
            }
            (None, Kind::Ptz { profile, .. }) => Err(SteerFault::Unknown(match profile {
                Ok(_) => "its lens or its mount cannot be used".to_owned(),
                Err(why) => why.clone(),
            })),
        }
    }

    /// What is told about each of its streams, the main one first: `earlier` is what their
    /// pipelines before these counted.
    pub(super) fn figures(
        &self,
        journal: &Journal,
        exits: &Exits,
        earlier: &BTreeMap<String, PipelineStats>,
        now: Mono,
    ) -> Vec<metrics::Camera> {
        let of = |stream: &RunningStream| stream.figures(journal, earlier.get(stream.id()));
        let (gauges, tally) = (journal.gauges(&self.id), journal.tally(&self.id));
        let ms = |ms: f64| ms * 1e-3;
        let main = metrics::Camera {
            publications: exits
                .published(&self.id)
                .into_iter()
                .map(published)
                .collect(),
            telemetry: matches!(self.kind, Kind::Ptz { .. }).then(|| metrics::Telemetry {
                age_s: self
                    .poses
                    .as_ref()
                    .and_then(|poses| poses.age(now))
                    .map(|age| age.as_secs_f64()),
                rate_hz: gauges.telemetry_hz,
                lateness_s: gauges.telemetry_lateness_ms.map(ms),
                faults: tally.telemetry_faults,
            }),
            metadata: self.hears_metadata().then(|| metrics::Metadata {
                leads: gauges.metadata_leads.unwrap_or_default(),
                taken: tally.metadata.taken,
                passed_over: tally.metadata.passed_over(),
            }),
            ..of(&self.main)
        };
        std::iter::once(main)
            .chain(self.further.iter().map(of))
            .collect()
    }

    /// What message buses are told of it.
    pub(super) fn report(
        &self,
        journal: &Journal,
        exits: &Exits,
        clock: &dyn Clock,
    ) -> CameraReport {
        let stats = self.main.stats();
        // More says nothing, and would change at every look.
        let tenths = |value: f64| (value * 10.0).round() / 10.0;
        let (live_s, covered) = shown_and_covered(&stats);
        let down = exits.published(&self.id);
        let down = down.iter().filter(|p| !p.connected).count();
        CameraReport {
            format: FORMAT,
            camera: self.id.clone(),
            state: stats.state.name().to_owned(),
            hidden: told::hides(&stats.state),
            code: stats.state.reason().map(|reason| reason.code().to_owned()),
            reason: stats.state.reason().map(told::brief),
            viewers: stats.viewers,
            fps: tenths(stats.fps_out),
            covered_s: tenths(covered.values().sum()),
            covered_by_reason_s: covered
                .into_iter()
                .map(|(name, s)| (name.to_owned(), tenths(s)))
                .collect(),
            live_s: tenths(live_s),
            late_frames: stats.late,
            read_back_failures: journal.gauges(&self.id).read_back_failures,
            clear_still_permitted: self.stills.is_permitted(clock),
            publications_down: u32::try_from(down).unwrap_or(u32::MAX),
        }
    }

    pub(super) fn status(&self, journal: &Journal, exits: &Exits) -> CameraStatus {
        let stats = self.main.stats();
        let gauges = journal.gauges(&self.id);
        let (live_s, covered_s) = shown_and_covered(&stats);
        CameraStatus {
            id: self.id.clone(),
            state: stats.state.name(),
            code: stats.state.reason().map(Reason::code),
            reason: stats.state.reason().map(ToString::to_string),
            size: stats.size.map(|s| (s.width, s.height)),
            fps_in: stats.fps_in,
            fps_out: stats.fps_out,
            latency_ms: percentiles(&stats),
            budget_ms: self.main.budget_ms,
            late_frames: stats.late,
            capture_time: capture_time(&stats),
            sound: self.main.sound(),
            dropped: stats.dropped,
            live_s,
            covered_s,
            telemetry_hz: gauges.telemetry_hz,
            telemetry_lateness_ms: gauges.telemetry_lateness_ms,
            metadata: self.hears_metadata().then(|| {
                let leads = gauges.metadata_leads.unwrap_or_default();
                let counts = journal.tally(&self.id).metadata;
                MetadataStatus {
                    leads,
                    positions: counts.taken,
                    passed_over: counts.passed_over().into(),
                }
            }),
            detector: self.main.detector(&gauges),
            viewers: stats.viewers,
            publications: exits
                .published(&self.id)
                .into_iter()
                .map(publication)
                .collect(),
            read_back_failures: gauges.read_back_failures,
            streams: self.further.iter().map(|s| s.status(journal)).collect(),
            presets: self.presets.as_ref().map_or_else(Vec::new, |p| p.status()),
        }
    }
}

fn published(p: PublicationFigures) -> metrics::Publication {
    metrics::Publication {
        name: p.name,
        over: p.over,
        connected: p.connected,
        connects: p.connects,
        failures: p.failures,
        frames: p.frames,
        bytes: p.bytes,
        dropped: p.dropped,
    }
}

fn publication(p: PublicationFigures) -> PublicationStatus {
    PublicationStatus {
        name: p.name,
        over: p.over,
        connected: p.connected,
        problem: p.problem,
        connects: p.connects,
        failures: p.failures,
        frames: p.frames,
        bytes: p.bytes,
        dropped: p.dropped,
    }
}

/// Where the camera's pose will come from.
fn aim(camera: &Camera, wakers: Vec<Waker>, shared: &Shared) -> Aim {
    let (profile, telemetry) = match &camera.kind {
        Kind::Fixed => return Aim::Fixed,
        Kind::Presets(list) => return Aim::Resting(Arc::new(Presets::new(&camera.id, list))),
        Kind::Ptz { profile, telemetry } => (profile, telemetry),
    };
    let turning = profile.clone().and_then(|profile| {
        let (optics, mount) = optics_and_mount(&profile)?;
        let rules = HistoryRules {
            max_ahead_s: camera.limits.max_telemetry_age.as_secs_f64(),
            restart_takes_s: (camera.limits.restart_takes).map_or(0.0, |takes| takes.as_secs_f64()),
            ..HistoryRules::default()
        };
        // Beyond its stated uncertainty a time stamp is not believed: the margin
        // covers no more than that.
        let clocks = ClockRules {
            frame_tolerance_s: 2e-3 * profile.document().sigma.capture_ms + STAMP_SLACK_S,
            ..ClockRules::default()
        };
        let poses = PoseSource::new(profile.clone(), rules, clocks, move || {
            wakers.iter().for_each(Waker::wake);
        });
        Ok(Aim::Turning {
            poses: Arc::new(poses),
            optics,
            mount,
            pictures: (telemetry.check_picture).then(|| shared.pictures(camera, &profile)),
        })
    });
    turning.unwrap_or_else(|detail| {
        Aim::Unknown(Reason::NoMasks {
            detail: format!("camera profile: {detail}"),
        })
    })
}

impl Aim {
    /// The same for a further stream: the positions are the camera's, the frames' clock and
    /// the pictures that are compared are the stream's. `camera` is as seen by that stream.
    fn of_further(&self, camera: &Camera, shared: &Shared) -> Self {
        match (self, &camera.kind) {
            (
                Self::Turning {
                    poses,
                    optics,
                    mount,
                    pictures,
                },
                Kind::Ptz {
                    profile: Ok(profile),
                    ..
                },
            ) => Self::Turning {
                poses: Arc::new(poses.of_further_stream()),
                optics: *optics,
                mount: *mount,
                pictures: pictures.as_ref().map(|_| shared.pictures(camera, profile)),
            },
            (other, _) => other.clone(),
        }
    }
}

fn optics_and_mount(profile: &CameraProfile) -> Result<(Optics, Mount), String> {
    let d = profile.document();
    let optics =
        Optics::new(d.distortion.k1, d.distortion.k2).map_err(|e| format!("distortion: {e}"))?;
    let mount = Mount::new(
        Angle::from_deg(d.mount.pan_deg),
        Angle::from_deg(d.mount.pitch_deg),
        Angle::from_deg(d.mount.roll_deg),
        d.mount.upside_down,
    )
    .map_err(|e| format!("mount: {e}"))?;
    Ok((optics, mount))
}
