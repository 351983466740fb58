//! One running camera: telemetry, judge, pipeline, and its place at the egress.

use super::Shared;
use super::detection::Sight;
use super::exits::Exits;
use super::journal::Journal;
use super::judge::{Aim, Judge, Look};
use super::motion::Motion;
use super::nogo::Standing;
use super::positions;
use super::stills::CameraStills;
use super::told;
use crate::archive::Archive;
use crate::clock::{Clock, Mono};
use crate::config::{self, Camera, Kind, Masks};
use crate::egress::PublicationFigures;
use crate::event::Reason;
use crate::geom::{Angle, Mount, Optics, Size};
use crate::metrics;
use crate::notify::{CameraReport, FORMAT};
use crate::pipeline::{
    CameraPipeline, CameraSettings, EncoderSettings, Latencies, MaskedStream, PipelineStats,
    SourceSettings, Transport, Waker, X264Preset,
};
use crate::pose::clockwatch::ClockRules;
use crate::pose::{CameraProfile, HistoryRules, PoseSource};

use crate::steer::{Aim as Helmsman, Steer};
use crate::telemetry::Telemetry;
use crate::web::{
    CameraStatus, CameraView, CaptureTimeStatus, DeskFault, DetectorStatus, MetadataStatus,
    MountView, Percentiles, PublicationStatus, SteerFault, Why,
};
use anyhow::Context;
use arc_swap::ArcSwap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// The grey picture's size before the camera has told its own.
const IDLE_SIZE: Size = Size {
    width: 1280,
    height: 720,
};
/// Rounding of stamps, and what two clocks drift between two sender reports.
const STAMP_SLACK_S: f64 = 0.006;
/// Without a picture for so long nobody knows where it looks.
const SILENT: Duration = Duration::from_millis(400);
/// The most frames a second that a hold is laid out for.
const MAX_FPS: f64 = 60.0;

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
    budget_ms: u64,
    kind: Kind,
    /// As it was configured last; the zones in force are the judge's.
    configured: ArcSwap<Camera>,
    /// The versions of its zones.
    archive: ArcSwap<Archive>,
    judge: Arc<Judge>,
    sight: Option<Arc<Sight>>,
    stills: CameraStills,
    // Fields are dropped in order: what turns is stopped first, and no more poses come
    // while the pipeline ends.
    steer: Option<Steer>,
    telemetry: Option<Telemetry>,
    /// Where its positions come together; none for a fixed camera.
    poses: Option<Arc<PoseSource>>,
    pipeline: CameraPipeline,
}

impl RunningCamera {
    pub(super) fn start(camera: &Camera, shared: &Shared) -> anyhow::Result<Self> {
        let waker = Waker::default();
        let aim = aim(camera, &waker, shared);
        let poses = match &aim {
            Aim::Turning { poses, .. } => Some(poses.clone()),
            Aim::Fixed | Aim::Unknown(_) => None,
        };
        let size = shared.first_size(camera);
        let sight = camera.detect.as_ref().map(|detect| {
            let motion = motion(&aim, shared.clock.clone(), size.clone());
            let (waker, clock) = (waker.clone(), shared.clock.clone());
            shared
                .detectors
                .sight(&camera.id, detect, motion, waker, clock)
        });
        let clock = shared.clock.clone();
        let stills = CameraStills::new(shared.clear_still);
        let slot = stills.slot();
        let judge = Judge::new(camera, aim.clone(), clock, size, sight.clone(), slot);
        let judge = Arc::new(judge);
        let (sink, documents) = positions::metadata(camera).unzip();
        let pipeline = CameraPipeline::start(
            settings(camera),
            judge.clone(),
            (waker, sink),
            shared.journal.clone(),
            shared.clock.clone(),
        )?;
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
        shared.exits.add_camera(&camera.id, pipeline.stream());
        shared
            .exits
            .publish(&camera.id, &pipeline.stream(), &camera.publish);
        Ok(Self {
            id: camera.id.clone(),
            budget_ms: u64::try_from(camera.latency_budget.as_millis()).unwrap_or(u64::MAX),
            kind: camera.kind.clone(),
            configured: ArcSwap::from_pointee(camera.clone()),
            archive: ArcSwap::from_pointee(Archive::of(&camera.masks_file)),
            judge,
            sight,
            steer,
            stills,
            telemetry,
            poses,
            pipeline,
        })
    }

    /// Whether its metadata stream is listened to.
    fn hears_metadata(&self) -> bool {
        matches!(&self.kind, Kind::Ptz { telemetry, .. } if telemetry.metadata)
    }

    /// Ends it; all that its pipeline counted.
    pub(super) fn end(mut self) -> PipelineStats {
        drop(self.steer.take());
        drop(self.telemetry.take());
        self.pipeline.stop();
        self.pipeline.stats()
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Takes over masks and limits between two frames.
    pub(super) fn swap(&self, camera: &Camera) {
        self.archive
            .store(Arc::new(Archive::of(&camera.masks_file)));
        self.configured.store(Arc::new(camera.clone()));
        self.judge.swap(camera);
        self.pipeline.waker().wake();
    }

    /// Its masked stream.
    pub(super) fn stream(&self) -> MaskedStream {
        self.pipeline.stream()
    }

    /// Takes over other zones between two frames.
    pub(super) fn swap_masks(&self, masks: Masks) {
        self.judge.swap_masks(&masks);
        self.pipeline.waker().wake();
    }

    /// Positions are believed again; whether they were doubted.
    pub(super) fn believe(&self) -> bool {
        self.judge.believe()
    }

    /// The zones in force.
    pub(super) fn masks(&self) -> Masks {
        self.judge.masks()
    }

    /// What it was told, with the zones in force.
    pub(super) fn configured(&self) -> Camera {
        Camera {
            masks: self.masks(),
            ..Camera::clone(&self.configured.load())
        }
    }

    /// The versions of its zones.
    pub(super) fn archive(&self) -> Arc<Archive> {
        self.archive.load_full()
    }

    /// Whether it never moves.
    pub(super) fn is_fixed(&self) -> bool {
        matches!(self.kind, Kind::Fixed)
    }

    /// Clear stills of it: who permitted them, and where one waits.
    pub(super) fn stills(&self) -> &CameraStills {
        &self.stills
    }

    /// How it looks now, for drawing over its picture.
    pub(super) fn view(&self) -> Result<CameraView, DeskFault> {
        self.view_of(self.judge.look().map_err(DeskFault::NoPose)?)
    }

    /// How it looked when it looked so.
    pub(super) fn view_of(&self, look: Look) -> Result<CameraView, DeskFault> {
        let size = (look.size.width, look.size.height);
        let (state, reason) = self.shown();
        let (pose, profile) = match (look.pose, &self.kind) {
            (None, _) | (_, Kind::Fixed) => {
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
        let state = self.pipeline.stats().state;
        let why = state.reason().map(|reason| Why {
            code: reason.code(),
            detail: reason.to_string(),
        });
        (state.name(), why)
    }

    /// The size of its masked picture, and frames a second.
    pub(super) fn shown_size(&self) -> (Size, f64) {
        let stats = self.pipeline.stats();
        (stats.size.unwrap_or(IDLE_SIZE), stats.fps_out)
    }

    /// Where it looks now, if that is known and pictures come that show it.
    pub(super) fn fresh_gaze(&self) -> Option<Gaze> {
        (self.judge.silent() < SILENT).then(|| self.gaze())?
    }

    /// Where it looked when its newest picture was taken, if that is known.
    pub(super) fn gaze(&self) -> Option<Gaze> {
        let pose = self.judge.look().ok()?.pose?;
        let profile = match &self.kind {
            Kind::Ptz { profile, .. } => profile.as_ref().ok(),
            Kind::Fixed => None,
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
        self.judge.hidden_share(at)
    }

    /// What turns it.
    pub(super) fn steer(&self) -> Result<&Steer, SteerFault> {
        match (&self.steer, &self.kind) {
            (Some(steer), _) => Ok(steer),
            (None, Kind::Fixed) => Err(SteerFault::Fixed),
            (None, Kind::Ptz { telemetry, .. }) if positions::steering(telemetry).is_none() => {
                Err(SteerFault::NotOver(telemetry.kind.name()))
            }
            (None, Kind::Ptz { profile, .. }) => Err(SteerFault::Unknown(match profile {
                Ok(_) => "its lens or its mount cannot be used".to_owned(),
                Err(why) => why.clone(),
            })),
        }
    }

    /// What is told about it: `earlier` is what its pipelines before this one counted.
    pub(super) fn figures(
        &self,
        journal: &Journal,
        exits: &Exits,
        earlier: Option<&PipelineStats>,
        now: Mono,
    ) -> metrics::Camera {
        let mut stats = self.pipeline.stats();
        if let Some(earlier) = earlier {
            stats.count_on_from(earlier);
        }
        let (gauges, tally) = (journal.gauges(&self.id), journal.tally(&self.id));
        let quiet = self.sight.as_ref().is_some_and(|sight| sight.is_quiet());
        let bounds = Latencies::BOUNDS_S.into_iter().chain([f64::INFINITY]);
        let ms = |ms: f64| ms * 1e-3;
        metrics::Camera {
            id: self.id.clone(),
            state: stats.state.name(),
            reason: stats.state.reason().map(Reason::code),
            size: stats.size.map(|s| (s.width, s.height)),
            fps_in: stats.fps_in,
            fps_out: stats.fps_out,
            frames_in: stats.frames_in,
            frames_out: stats.frames_out,
            frames_grey: stats.frames_grey,
            frames_covered: stats.frames_covered,
            frames_dropped: stats.dropped,
            frames_late: stats.late,
            seconds: stats.seconds,
            latency: metrics::Latency {
                classes: bounds.zip(stats.latencies.counts).collect(),
                sum_s: stats.latencies.sum_s,
                max_s: ms(stats.latency.max_ms),
            },
            budget_s: ms(self.budget_ms as f64),
            capture: metrics::CaptureTimes {
                within_s: stats.captures.newest.map(|c| c.within.as_secs_f64()),
                told: stats.captures.told,
                untimed: stats.captures.untimed,
                unreadable: stats.captures.unreadable,
            },
            viewers: stats.viewers,
            connects: stats.connects,
            publications: exits
                .published(&self.id)
                .into_iter()
                .map(published)
                .collect(),
            stream_failures: tally.stream_failures,
            read_back_failures: tally.read_back_failures,
            telemetry: (!self.is_fixed()).then(|| metrics::Telemetry {
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
            detector: self.sight.is_some().then(|| {
                let looking = gauges.looking.unwrap_or_default();
                metrics::Detector {
                    looks_hz: if quiet { 0.0 } else { looking.looks_hz },
                    cpu_ratio: if quiet {
                        0.0
                    } else {
                        looking.cpu_percent * 0.01
                    },
                    look_s: ms(looking.look_ms),
                    tiles: looking.tiles as u64,
                    tiles_overdue: looking.tiles_overdue as u64,
                    longest_unvisited_s: ms(looking.longest_unvisited_ms as f64),
                    frames_before_look: tally.frames_before_their_look,
                    faults: tally.detector_faults,
                }
            }),
        }
    }

    /// What message buses are told of it.
    pub(super) fn report(
        &self,
        journal: &Journal,
        exits: &Exits,
        clock: &dyn Clock,
    ) -> CameraReport {
        let stats = self.pipeline.stats();
        // More says nothing, and would change at every look.
        let tenths = |value: f64| (value * 10.0).round() / 10.0;
        let (shown, covered): (Vec<_>, Vec<_>) =
            (stats.seconds.iter()).partition(|(name, _)| matches!(**name, "live" | "widened"));
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
            covered_s: tenths(covered.iter().map(|(_, s)| **s).sum()),
            covered_by_reason_s: covered
                .iter()
                .map(|(name, s)| ((**name).to_owned(), tenths(**s)))
                .collect(),
            live_s: tenths(shown.iter().map(|(_, s)| **s).sum()),
            late_frames: stats.late,
            read_back_failures: journal.gauges(&self.id).read_back_failures,
            clear_still_permitted: self.stills.is_permitted(clock),
            publications_down: u32::try_from(down).unwrap_or(u32::MAX),
        }
    }

    pub(super) fn status(&self, journal: &Journal, exits: &Exits) -> CameraStatus {
        let stats = self.pipeline.stats();
        let gauges = journal.gauges(&self.id);
        let shown = |name: &str| name == "live" || name == "widened";
        let quiet = self.sight.as_ref().is_some_and(|sight| sight.is_quiet());
        CameraStatus {
            id: self.id.clone(),
            state: stats.state.name(),
            reason: stats.state.reason().map(ToString::to_string),
            size: stats.size.map(|s| (s.width, s.height)),
            fps_in: stats.fps_in,
            fps_out: stats.fps_out,
            latency_ms: Percentiles {
                p50: stats.latency.p50_ms,
                p99: stats.latency.p99_ms,
                max: stats.latency.max_ms,
            },
            budget_ms: self.budget_ms,
            late_frames: stats.late,
            dropped: stats.dropped,
            live_s: stats
                .seconds
                .iter()
                .filter(|(k, _)| shown(k))
                .map(|(_, s)| s)
                .sum(),
            covered_s: stats
                .seconds
                .into_iter()
                .filter(|(k, _)| !shown(k))
                .collect(),
            capture_time: CaptureTimeStatus {
                by: stats.captures.newest.map(|c| c.by.name()),
                within_ms: (stats.captures.newest).map(|c| c.within.as_secs_f64() * 1e3),
                frames: stats.captures.told,
                frames_without: stats.captures.untimed,
                unreadable: stats.captures.unreadable,
            },
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
            detector: gauges.looking.map(|l| DetectorStatus {
                looks_hz: if quiet { 0.0 } else { l.looks_hz },
                cpu_percent: if quiet { 0.0 } else { l.cpu_percent },
                look_ms: l.look_ms,
                tiles: l.tiles,
                tiles_overdue: l.tiles_overdue,
                longest_unvisited_ms: l.longest_unvisited_ms,
                frames_before_their_look: l.frames_before_their_look,
            }),
            viewers: stats.viewers,
            publications: exits
                .published(&self.id)
                .into_iter()
                .map(publication)
                .collect(),
            read_back_failures: gauges.read_back_failures,
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
fn aim(camera: &Camera, waker: &Waker, shared: &Shared) -> Aim {
    let Kind::Ptz { profile, telemetry } = &camera.kind else {
        return Aim::Fixed;
    };
    let turning = profile.clone().and_then(|profile| {
        let (optics, mount) = optics_and_mount(&profile)?;
        let waker = waker.clone();
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
        let poses = PoseSource::new(profile.clone(), rules, clocks, move || waker.wake());
        Ok(Aim::Turning {
            poses: Arc::new(poses),
            optics,
            mount,
            pictures: (telemetry.check_picture).then(|| shared.pictures(&camera.id, &profile)),
        })
    });
    turning.unwrap_or_else(|detail| {
        Aim::Unknown(Reason::NoMasks {
            detail: format!("camera profile: {detail}"),
        })
    })
}

/// How the picture of a camera with that aim moves. Where its poses are not
/// known it is covered anyway.
fn motion(aim: &Aim, clock: Arc<dyn Clock>, size: Arc<OnceLock<Size>>) -> Motion {
    match aim {
        Aim::Turning {
            poses,
            optics,
            mount,
            ..
        } => Motion::Turning {
            poses: poses.clone(),
            optics: *optics,
            mount: *mount,
            clock,
            size,
        },
        Aim::Fixed | Aim::Unknown(_) => Motion::Fixed,
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

fn settings(camera: &Camera) -> CameraSettings {
    let source = &camera.source;
    CameraSettings {
        id: camera.id.clone(),
        source: SourceSettings {
            credentials: source
                .login
                .as_ref()
                .map(|l| (l.user.clone(), l.password.clone())),
            transport: match source.transport {
                config::Transport::Tcp => Transport::Tcp,
                config::Transport::Udp => Transport::Udp,
            },
            jitter_ms: u32::try_from(source.jitter_buffer.as_millis()).unwrap_or(u32::MAX),
            stall_after: source.stall,
            ..SourceSettings::new(source.url.clone())
        },
        encoder: EncoderSettings {
            encoder: camera.encoder.choice.name().to_owned(),
            bitrate_kbit: camera.encoder.bitrate_kbit,
            gop_frames: camera.encoder.gop_frames,
            x264_preset: X264Preset::Superfast,
        },
        budget: camera.latency_budget,
        hold_frames: (camera.latency_budget.as_secs_f64() * MAX_FPS).ceil() as usize + 2,
        idle_size: IDLE_SIZE,
    }
}
