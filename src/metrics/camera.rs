//! The cameras. Every series of a camera is there from its start, with 0 where
//! nothing happened: what first appears with 1 has no increase.

use super::page::{Labels, Page};
use crate::event::{CameraState, DropReason, Reason};
use crate::stamp::{TimeSource, Untimed};
use prometheus_client::encoding::{EncodeCounterValue, EncodeGaugeValue};
use std::collections::BTreeMap;
use std::fmt;

/// One stream of a camera at one moment. Counters run on when it is started anew.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Camera {
    /// The camera's id.
    pub id: String,
    /// The stream's name; none for the main one, which tells what concerns the camera.
    pub stream: Option<String>,
    /// `live`, `widened`, `covered` or `no-signal`.
    pub state: &'static str,
    /// The code of the reason, where there is one.
    pub reason: Option<&'static str>,
    /// Width and height of the picture, samples, once known.
    pub size: Option<(u32, u32)>,
    /// Frames a second from the camera.
    pub fps_in: f64,
    /// Frames a second that leave.
    pub fps_out: f64,
    /// Frames that came.
    pub frames_in: u64,
    /// Frames that left, grey ones included.
    pub frames_out: u64,
    /// Grey frames of our own among them.
    pub frames_grey: u64,
    /// The camera's frames among them that were wholly covered, by reason.
    pub frames_covered: BTreeMap<&'static str, u64>,
    /// Frames that did not leave, by reason.
    pub frames_dropped: BTreeMap<&'static str, u64>,
    /// Frames that left after their budget.
    pub frames_late: u64,
    /// Seconds in each state: `live`, `widened`, or the code of a reason.
    pub seconds: BTreeMap<&'static str, f64>,
    /// From arrival to the encoder.
    pub latency: Latency,
    /// The latency that is promised, seconds.
    pub budget_s: f64,
    /// Who watches now.
    pub viewers: u32,
    /// Where its masked stream is pushed to.
    pub publications: Vec<Publication>,
    /// Connections made to the camera.
    pub connects: u64,
    /// Ends and failures of its stream.
    pub stream_failures: u64,
    /// Alarms: painted frames that did not read back as hidden.
    pub read_back_failures: u64,
    /// Its position; none for a fixed camera.
    pub telemetry: Option<Telemetry>,
    /// When frames were taken, by whose word.
    pub capture: CaptureTimes,
    /// Its metadata stream; none where none is heard.
    pub metadata: Option<Metadata>,
    /// What looks at its picture; none where nothing is looked for.
    pub detector: Option<Detector>,
}

/// A distribution of latencies.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Latency {
    /// Upper bound of each class, seconds, and how many frames lie in it; the
    /// last bound is infinite.
    pub classes: Vec<(f64, u64)>,
    /// All of them together, seconds.
    pub sum_s: f64,
    /// The longest since the camera was started last, seconds.
    pub max_s: f64,
}

/// What became of one publication.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Publication {
    /// Its name.
    pub name: String,
    /// The protocol.
    pub over: &'static str,
    /// Whether the server takes the stream now.
    pub connected: bool,
    /// Connections over which it did.
    pub connects: u64,
    /// Tries that came to nothing, and connections that were lost.
    pub failures: u64,
    /// Frames given to the connection.
    pub frames: u64,
    /// Bytes of video in them.
    pub bytes: u64,
    /// Frames that a connected server was too slow for.
    pub dropped: u64,
}

impl Camera {
    fn labels(&self) -> Labels<'_> {
        let stream = self.stream.as_deref().map(|name| ("stream", name));
        std::iter::once(("camera", self.id.as_str()))
            .chain(stream)
            .collect()
    }
}

impl Publication {
    fn labels<'a>(&'a self, camera: &'a Camera) -> Labels<'a> {
        vec![
            ("camera", camera.id.as_str()),
            ("publication", self.name.as_str()),
            ("over", self.over),
        ]
    }
}

/// What comes of a camera's position.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Telemetry {
    /// How long ago the newest position was received that was taken up, seconds;
    /// none before the first.
    pub age_s: Option<f64>,
    /// Positions a second, once measured.
    pub rate_hz: Option<f64>,
    /// Mean time from measurement to arrival, seconds, once measured.
    pub lateness_s: Option<f64>,
    /// Reports of failures; of many within seconds one.
    pub faults: u64,
}

/// Capture times of a camera's frames.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CaptureTimes {
    /// How far what was told of the newest frame leaves it open, seconds; none where it has
    /// no capture time.
    pub within_s: Option<f64>,
    /// Frames by who told.
    pub told: BTreeMap<&'static str, u64>,
    /// Frames without a capture time, by why.
    pub untimed: BTreeMap<&'static str, u64>,
    /// Frames with a stamp that could not be read.
    pub unreadable: u64,
}

/// What becomes of a camera's metadata stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Whether more positions came from it than from answers.
    pub leads: bool,
    /// Positions that were believed.
    pub taken: u64,
    /// Positions and documents that were not, by why.
    pub passed_over: [(&'static str, u64); 6],
}

/// What a camera's detectors reach.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Detector {
    /// Looks a second.
    pub looks_hz: f64,
    /// CPU time they take, share of one core.
    pub cpu_ratio: f64,
    /// From when a picture is taken to when what is in it is known, seconds.
    pub look_s: f64,
    /// Parts of the picture that are looked at in their own size.
    pub tiles: u64,
    /// Those that waited longer than the configured sweep.
    pub tiles_overdue: u64,
    /// How long the one waits that waits longest, seconds.
    pub longest_unvisited_s: f64,
    /// Frames that left before the look after them was done.
    pub frames_before_look: u64,
    /// Reports of failures; of many within seconds one.
    pub faults: u64,
}

/// Writes the same figures of all cameras.
struct All<'a, 'p, 'e> {
    cameras: &'a [Camera],
    page: &'p mut Page<'e>,
}

pub(super) fn write(cameras: &[Camera], page: &mut Page<'_>) -> fmt::Result {
    let mut all = All { cameras, page };
    all.states()?;
    all.frames()?;
    all.time()?;
    all.captures()?;
    all.people()?;
    all.publications()?;
    all.telemetry()?;
    all.metadata()?;
    all.detectors()
}

impl<'a> All<'a, '_, '_> {
    fn gauge<V: EncodeGaugeValue>(
        &mut self,
        name: &str,
        help: &str,
        of: impl Fn(&'a Camera) -> Option<V>,
    ) -> fmt::Result {
        let series = self
            .cameras
            .iter()
            .filter_map(|c| Some((c.labels(), of(c)?)));
        self.page.gauges(name, help, series)
    }

    fn counter(
        &mut self,
        name: &str,
        help: &str,
        of: impl Fn(&'a Camera) -> Option<u64>,
    ) -> fmt::Result {
        let series = self
            .cameras
            .iter()
            .filter_map(|c| Some((c.labels(), of(c)?)));
        self.page.counters(name, help, series)
    }

    /// A counter for each of `known`, and for what else occurs.
    fn counters<V: EncodeCounterValue + Default + Copy>(
        &mut self,
        (name, help): (&str, &str),
        label: &'static str,
        known: &[&'static str],
        of: impl Fn(&'a Camera) -> BTreeMap<&'static str, V>,
    ) -> fmt::Result {
        let series = self.cameras.iter().flat_map(|c| {
            let mut all: BTreeMap<&'static str, V> =
                known.iter().map(|code| (*code, V::default())).collect();
            all.extend(of(c));
            all.into_iter()
                .map(|(code, v)| (labels(c, label, code), v))
                .collect::<Vec<_>>()
        });
        self.page.counters(name, help, series)
    }

    /// 1 for the one that is so, 0 for all others.
    fn one_of(
        &mut self,
        (name, help): (&str, &str),
        label: &'static str,
        known: &'static [&'static str],
        is: impl Fn(&'a Camera) -> Option<&'static str>,
    ) -> fmt::Result {
        let series = self.cameras.iter().flat_map(|c| {
            let now = is(c);
            let other = now.filter(|now| !known.contains(now));
            let names = known.iter().copied().chain(other);
            names
                .map(|name| (labels(c, label, name), u64::from(now == Some(name))))
                .collect::<Vec<_>>()
        });
        self.page.gauges(name, help, series)
    }

    fn states(&mut self) -> fmt::Result {
        self.one_of(
            ("greyplane_camera_state", "1 for the state that is shown"),
            "state",
            &CameraState::NAMES,
            |c| Some(c.state),
        )?;
        self.one_of(
            (
                "greyplane_camera_reason",
                "1 for the reason why a picture is wholly covered or none comes",
            ),
            "reason",
            &Reason::CODES,
            |c| c.reason,
        )?;
        self.gauge(
            "greyplane_camera_width_pixels",
            "Width of the picture that leaves",
            |c| c.size.map(|(width, _)| width),
        )?;
        self.gauge(
            "greyplane_camera_height_pixels",
            "Height of the picture that leaves",
            |c| c.size.map(|(_, height)| height),
        )
    }

    fn frames(&mut self) -> fmt::Result {
        self.gauge(
            "greyplane_camera_frames_in_per_second",
            "Frames a second from the camera",
            |c| Some(c.fps_in),
        )?;
        self.gauge(
            "greyplane_camera_frames_out_per_second",
            "Frames a second that leave",
            |c| Some(c.fps_out),
        )?;
        self.counter("greyplane_camera_frames_in", "Frames that came", |c| {
            Some(c.frames_in)
        })?;
        self.counter(
            "greyplane_camera_frames_out",
            "Frames that left, grey ones included",
            |c| Some(c.frames_out),
        )?;
        self.counter(
            "greyplane_camera_frames_grey",
            "Grey frames of our own that left because the camera sent nothing",
            |c| Some(c.frames_grey),
        )?;
        self.counters(
            (
                "greyplane_camera_frames_covered",
                "Frames of the camera that left wholly covered, by reason",
            ),
            "reason",
            &Reason::CODES,
            |c| c.frames_covered.clone(),
        )?;
        self.counters(
            (
                "greyplane_camera_frames_dropped",
                "Frames that did not leave, by reason",
            ),
            "reason",
            &DropReason::CODES,
            |c| c.frames_dropped.clone(),
        )?;
        self.counter(
            "greyplane_camera_frames_late",
            "Frames that left after their budget: always 0, or it is a fault of greyplane",
            |c| Some(c.frames_late),
        )?;
        self.counter(
            "greyplane_camera_read_back_failures",
            "Painted frames that did not read back as hidden, and were covered",
            |c| Some(c.read_back_failures),
        )
    }

    fn time(&mut self) -> fmt::Result {
        self.counters(
            (
                "greyplane_camera_shown_seconds",
                "Seconds not wholly covered, by state",
            ),
            "state",
            &["live", "widened"],
            |c| split(c).0,
        )?;
        self.counters(
            (
                "greyplane_camera_covered_seconds",
                "Seconds wholly covered or without a picture, by reason",
            ),
            "reason",
            &Reason::CODES,
            |c| split(c).1,
        )?;
        let series = self
            .cameras
            .iter()
            .map(|c| (c.labels(), c.latency.sum_s, c.latency.classes.clone()));
        self.page.histograms(
            "greyplane_camera_latency_seconds",
            "From a frame's arrival to the encoder",
            series,
        )?;
        self.gauge(
            "greyplane_camera_latency_max_seconds",
            "The longest latency since the camera was started last",
            |c| Some(c.latency.max_s),
        )?;
        self.gauge(
            "greyplane_camera_latency_budget_seconds",
            "The latency that is promised",
            |c| Some(c.budget_s),
        )
    }

    fn people(&mut self) -> fmt::Result {
        self.gauge("greyplane_camera_viewers", "Who watches now", |c| {
            Some(c.viewers)
        })?;
        self.counter(
            "greyplane_camera_connects",
            "Connections made to the camera",
            |c| Some(c.connects),
        )?;
        self.counter(
            "greyplane_camera_stream_failures",
            "Ends and failures of the camera's stream",
            |c| Some(c.stream_failures),
        )
    }

    fn publications(&mut self) -> fmt::Result {
        let cameras = self.cameras;
        let all = || {
            let of = |c: &'a Camera| c.publications.iter().map(move |p| (p.labels(c), p));
            cameras.iter().flat_map(of)
        };
        self.page.gauges(
            "greyplane_publication_connected",
            "1 while the server takes the masked stream",
            all().map(|(labels, p)| (labels, u64::from(p.connected))),
        )?;
        let mut counter = |name, help, of: fn(&Publication) -> u64| {
            let series = all().map(|(labels, p)| (labels, of(p)));
            self.page.counters(name, help, series)
        };
        counter(
            "greyplane_publication_connects",
            "Connections over which the server took the stream",
            |p| p.connects,
        )?;
        counter(
            "greyplane_publication_failures",
            "Tries that came to nothing, and connections that were lost",
            |p| p.failures,
        )?;
        counter(
            "greyplane_publication_frames",
            "Frames given to the connection",
            |p| p.frames,
        )?;
        counter(
            "greyplane_publication_frames_dropped",
            "Frames that a connected server was too slow for",
            |p| p.dropped,
        )?;
        counter(
            "greyplane_publication_bytes",
            "Bytes of video given to the connection",
            |p| p.bytes,
        )
    }

    fn telemetry(&mut self) -> fmt::Result {
        self.gauge(
            "greyplane_camera_telemetry_age_seconds",
            "Since the newest position was received that was taken up",
            |c| c.telemetry?.age_s,
        )?;
        self.gauge(
            "greyplane_camera_telemetry_per_second",
            "Positions a second",
            |c| c.telemetry?.rate_hz,
        )?;
        self.gauge(
            "greyplane_camera_telemetry_lateness_seconds",
            "Mean time from a position's measurement to its arrival",
            |c| c.telemetry?.lateness_s,
        )?;
        self.counter(
            "greyplane_camera_telemetry_faults",
            "Reports that positions fail; of many within seconds one",
            |c| c.telemetry.map(|t| t.faults),
        )
    }

    fn captures(&mut self) -> fmt::Result {
        self.gauge(
            "greyplane_camera_capture_time_within_seconds",
            "How far what is told of the newest frame's capture time leaves it open",
            |c| c.capture.within_s,
        )?;
        self.counters(
            (
                "greyplane_camera_capture_time_frames",
                "Frames with a capture time, by who told it",
            ),
            "by",
            &TimeSource::NAMES,
            |c| c.capture.told.clone(),
        )?;
        self.counters(
            (
                "greyplane_camera_capture_time_missing",
                "Frames without a capture time, by why",
            ),
            "why",
            &Untimed::CODES,
            |c| c.capture.untimed.clone(),
        )?;
        self.counter(
            "greyplane_camera_capture_time_unreadable",
            "Frames with a time stamp that could not be read",
            |c| Some(c.capture.unreadable),
        )
    }

    fn metadata(&mut self) -> fmt::Result {
        self.gauge(
            "greyplane_camera_metadata_leads",
            "1 while more positions come from the metadata stream than from answers",
            |c| c.metadata.map(|m| u64::from(m.leads)),
        )?;
        self.counter(
            "greyplane_camera_metadata_positions",
            "Positions of the metadata stream that were believed",
            |c| c.metadata.map(|m| m.taken),
        )?;
        let passed_over = self.cameras.iter().flat_map(|c| {
            let whys = c.metadata.into_iter().flat_map(|m| m.passed_over);
            whys.map(|(why, n)| (vec![("camera", c.id.as_str()), ("why", why)], n))
        });
        self.page.counters(
            "greyplane_camera_metadata_passed_over",
            "Positions and documents of the metadata stream that were not believed",
            passed_over,
        )
    }

    fn detectors(&mut self) -> fmt::Result {
        self.gauge(
            "greyplane_camera_detector_looks_per_second",
            "Looks for faces, plates and people a second",
            |c| c.detector.map(|d| d.looks_hz),
        )?;
        self.gauge(
            "greyplane_camera_detector_cpu_ratio",
            "CPU time of the looks, share of one core",
            |c| c.detector.map(|d| d.cpu_ratio),
        )?;
        self.gauge(
            "greyplane_camera_detector_look_seconds",
            "From when a picture is taken to when what is in it is known, mean",
            |c| c.detector.map(|d| d.look_s),
        )?;
        self.gauge(
            "greyplane_camera_detector_tiles",
            "Parts of the picture that are looked at in their own size",
            |c| c.detector.map(|d| d.tiles),
        )?;
        self.gauge(
            "greyplane_camera_detector_tiles_overdue",
            "Parts of the picture that nobody looked at for longer than configured",
            |c| c.detector.map(|d| d.tiles_overdue),
        )?;
        self.gauge(
            "greyplane_camera_detector_longest_unvisited_seconds",
            "How long the part of the picture waits that waits longest",
            |c| c.detector.map(|d| d.longest_unvisited_s),
        )?;
        self.counter(
            "greyplane_camera_detector_frames_before_look",
            "Frames that left before the look after them was done",
            |c| c.detector.map(|d| d.frames_before_look),
        )?;
        self.counter(
            "greyplane_camera_detector_faults",
            "Reports that pictures could not be looked at; of many within seconds one",
            |c| c.detector.map(|d| d.faults),
        )
    }
}

fn labels<'a>(camera: &'a Camera, label: &'static str, value: &'static str) -> Labels<'a> {
    let mut labels = camera.labels();
    labels.push((label, value));
    labels
}

type Seconds = BTreeMap<&'static str, f64>;

/// Seconds shown and seconds hidden.
fn split(camera: &Camera) -> (Seconds, Seconds) {
    let all = camera.seconds.clone().into_iter();
    all.partition(|(name, _)| matches!(*name, "live" | "widened"))
}
