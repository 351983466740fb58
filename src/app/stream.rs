//! One running stream of a camera: its judge, its sight, its pipeline, and what is told
//! about it. A camera has a main one and maybe further ones; what they share, positions
//! and zones, is [`RunningCamera`](super::camera::RunningCamera)'s.

use super::Shared;
use super::beside::Beside;
use super::camera::IDLE_SIZE;
use super::detection::Sight;
use super::journal::{Gauges, Journal};
use super::judge::{Aim, Judge};
use super::motion::Motion;
use crate::clock::Clock;
use crate::config::{self, Camera};
use crate::event::Reason;
use crate::geom::Size;
use crate::metrics;
use crate::pipeline::{
    CameraPipeline, CameraSettings, EncoderSettings, Latencies, MaskedStream, MetadataSink,
    PipelineStats, SoundRule, SourceSettings, Transport, Waker, X264Preset,
};
use crate::still::Slot;
use crate::web::{CaptureTimeStatus, DetectorStatus, Percentiles, SoundStatus, StreamStatus};
use anyhow::Context;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// The most frames a second that a hold is laid out for.
const MAX_FPS: f64 = 60.0;

/// What a stream has beside what its configuration says.
pub(super) struct Given {
    /// To be woken whenever evidence comes.
    pub(super) waker: Waker,
    /// Takes the documents of the camera's metadata stream, where that is listened to.
    pub(super) metadata: Option<MetadataSink>,
    /// Where somebody may wait for a clear still.
    pub(super) stills: Option<Arc<Slot>>,
    /// The main stream; none where this is it.
    pub(super) beside: Option<Beside>,
}

/// A stream that runs; dropping it stops it.
#[derive(Debug)]
pub(super) struct RunningStream {
    id: String,
    pub(super) budget_ms: u64,
    pub(super) judge: Arc<Judge>,
    sound: config::Sound,
    sight: Option<Arc<Sight>>,
    pipeline: CameraPipeline,
}

impl RunningStream {
    /// Starts what `camera` says: a further stream comes as its camera as
    /// [seen by it](Camera::seen_by).
    pub(super) fn start(
        camera: &Camera,
        aim: Aim,
        given: Given,
        shared: &Shared,
    ) -> anyhow::Result<Self> {
        let size = shared.first_size(camera);
        let sight = camera.detect.as_ref().map(|detect| {
            let motion = motion(&aim, shared.clock.clone(), size.clone());
            let (waker, clock) = (given.waker.clone(), shared.clock.clone());
            let detectors = &shared.detectors;
            detectors.sight(&camera.id, detect, motion, waker, clock)
        });
        let judge = Judge::new(
            camera,
            aim,
            shared.clock.clone(),
            size,
            sight.clone(),
            given.stills,
            given.beside,
        );
        let judge = Arc::new(judge);
        let pipeline = CameraPipeline::start(
            settings(camera),
            judge.clone(),
            (given.waker, given.metadata),
            shared.journal.clone(),
            shared.clock.clone(),
        )
        .with_context(|| camera.id.clone())?;
        Ok(Self {
            id: camera.id.clone(),
            budget_ms: u64::try_from(camera.latency_budget.as_millis()).unwrap_or(u64::MAX),
            judge,
            sound: camera.sound,
            sight,
            pipeline,
        })
    }

    /// `<camera>` of the main stream, `<camera>/<name>` of a further one.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Its masked stream.
    pub(super) fn masked(&self) -> MaskedStream {
        self.pipeline.stream()
    }

    /// Looks at the newest frame anew: something changed.
    pub(super) fn wake(&self) {
        self.pipeline.waker().wake();
    }

    /// What its pipeline counted.
    pub(super) fn stats(&self) -> PipelineStats {
        self.pipeline.stats()
    }

    /// The size of its masked picture, and frames a second.
    pub(super) fn shown_size(&self) -> (Size, f64) {
        let stats = self.stats();
        (stats.size.unwrap_or(IDLE_SIZE), stats.fps_out)
    }

    /// Ends it; its id, and all that its pipeline counted.
    pub(super) fn end(mut self) -> (String, PipelineStats) {
        self.pipeline.stop();
        (self.id.clone(), self.pipeline.stats())
    }

    fn is_quiet(&self) -> bool {
        self.sight.as_ref().is_some_and(|sight| sight.is_quiet())
    }

    /// What is told about it: `earlier` is what its pipelines before this one counted.
    pub(super) fn figures(
        &self,
        journal: &Journal,
        earlier: Option<&PipelineStats>,
    ) -> metrics::Camera {
        let mut stats = self.stats();
        if let Some(earlier) = earlier {
            stats.count_on_from(earlier);
        }
        let (gauges, tally) = (journal.gauges(&self.id), journal.tally(&self.id));
        let bounds = Latencies::BOUNDS_S.into_iter().chain([f64::INFINITY]);
        let (camera, stream) = match self.id.split_once('/') {
            Some((camera, stream)) => (camera, Some(stream.to_owned())),
            None => (self.id.as_str(), None),
        };
        metrics::Camera {
            id: camera.to_owned(),
            stream,
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
                max_s: 1e-3 * stats.latency.max_ms,
            },
            budget_s: 1e-3 * self.budget_ms as f64,
            capture: metrics::CaptureTimes {
                within_s: stats.captures.newest.map(|c| c.within.as_secs_f64()),
                told: stats.captures.told,
                untimed: stats.captures.untimed,
                unreadable: stats.captures.unreadable,
            },
            viewers: stats.viewers,
            connects: stats.connects,
            stream_failures: tally.stream_failures,
            read_back_failures: tally.read_back_failures,
            detector: self.sight.is_some().then(|| {
                let looking = gauges.looking.unwrap_or_default();
                let quiet = self.is_quiet();
                let now = |figure: f64| if quiet { 0.0 } else { figure };
                metrics::Detector {
                    looks_hz: now(looking.looks_hz),
                    cpu_ratio: now(0.01 * looking.cpu_percent),
                    look_s: 1e-3 * looking.look_ms,
                    tiles: looking.tiles as u64,
                    tiles_overdue: looking.tiles_overdue as u64,
                    longest_unvisited_s: 1e-3 * looking.longest_unvisited_ms as f64,
                    frames_before_look: tally.frames_before_their_look,
                    faults: tally.detector_faults,
                }
            }),
            ..metrics::Camera::default()
        }
    }

    /// What its detectors reach; none where nothing is looked for.
    pub(super) fn detector(&self, gauges: &Gauges) -> Option<DetectorStatus> {
        let quiet = self.is_quiet();
        let now = |figure: f64| if quiet { 0.0 } else { figure };
        gauges.looking.map(|l| DetectorStatus {
            looks_hz: now(l.looks_hz),
            cpu_percent: now(l.cpu_percent),
            look_ms: l.look_ms,
            tiles: l.tiles,
            tiles_overdue: l.tiles_overdue,
            longest_unvisited_ms: l.longest_unvisited_ms,
            frames_before_their_look: l.frames_before_their_look,
        })
    }

    /// What becomes of its sound.
    pub(super) fn sound(&self) -> SoundStatus {
        let stats = self.masked().sound_stats();
        SoundStatus {
            rule: self.sound.name(),
            codec: stats.codec,
            problem: stats.problem,
            passed: stats.passed,
            left_out: stats.left_out,
        }
    }

    /// The status of a further stream.
    pub(super) fn status(&self, journal: &Journal) -> StreamStatus {
        let stats = self.stats();
        let gauges = journal.gauges(&self.id);
        let (live_s, covered_s) = shown_and_covered(&stats);
        StreamStatus {
            name: self.id.rsplit('/').next().unwrap_or_default().to_owned(),
            state: stats.state.name(),
            reason: stats.state.reason().map(ToString::to_string),
            size: stats.size.map(|s| (s.width, s.height)),
            fps_in: stats.fps_in,
            fps_out: stats.fps_out,
            latency_ms: percentiles(&stats),
            late_frames: stats.late,
            capture_time: capture_time(&stats),
            sound: self.sound(),
            dropped: stats.dropped,
            covered_s,
            live_s,
            detector: self.detector(&gauges),
            viewers: stats.viewers,
            read_back_failures: gauges.read_back_failures,
        }
    }
}

/// Seconds that something was shown, and those wholly covered by reason.
pub(super) fn shown_and_covered(stats: &PipelineStats) -> (f64, BTreeMap<&'static str, f64>) {
    let shown = |name: &str| name == "live" || name == "widened";
    let all = stats.seconds.clone().into_iter();
    let (live, covered): (BTreeMap<_, f64>, _) = all.partition(|(k, _)| shown(k));
    (live.values().sum(), covered)
}

pub(super) fn percentiles(stats: &PipelineStats) -> Percentiles {
    Percentiles {
        p50: stats.latency.p50_ms,
        p99: stats.latency.p99_ms,
        max: stats.latency.max_ms,
    }
}

/// By whose word its frames have their capture times.
pub(super) fn capture_time(stats: &PipelineStats) -> CaptureTimeStatus {
    let captures = &stats.captures;
    CaptureTimeStatus {
        by: captures.newest.map(|c| c.by.name()),
        within_ms: captures.newest.map(|c| c.within.as_secs_f64() * 1e3),
        frames: captures.told.clone(),
        frames_without: captures.untimed.clone(),
        unreadable: captures.unreadable,
    }
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
        // Where it moves it is covered, and what was found is forgotten.
        Aim::Fixed | Aim::Resting(_) | Aim::Unknown(_) => Motion::Fixed,
    }
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
        sound: match camera.sound {
            config::Sound::Drop => SoundRule::Drop,
            config::Sound::Mute => SoundRule::Mute,
            config::Sound::Pass => SoundRule::Pass,
        },
    }
}
