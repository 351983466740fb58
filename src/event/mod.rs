//! Typed events: everything the gateway says about itself.
//!
//! One event becomes a log line, a metric and an audit record; so it carries
//! values, not sentences. This module must not know GStreamer, cameras or HTTP.

use serde::Serialize;
use std::fmt;
use std::time::Duration;

/// Why a whole frame is covered, or why there is no frame. Each has a short
/// text ([`fmt::Display`], drawn on the frame) and a stable code (`code`).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum Reason {
    /// The gateway has just started and knows nothing yet.
    Starting,
    /// No stamp and no sender report yet: the frame's capture time is unknown.
    NoCaptureTime,
    /// What is told of the frame's capture time contradicts itself.
    CaptureTimeDoubted {
        /// How.
        detail: String,
    },
    /// The mapping from RTP time to capture time jumped, or the camera's clock did.
    ClockJump {
        /// Size of the jump, seconds, positive forwards.
        step_s: f64,
    },
    /// No position was ever received.
    NoPosition,
    /// The camera's answer was refused: missing, NaN, out of range, unknown space, error flag.
    BadPosition {
        /// What was wrong with it.
        detail: String,
    },
    /// The newest position is older than the limit.
    TelemetryStale {
        /// Age of the newest position at the frame's capture time, seconds.
        age_s: f64,
    },
    /// The position stands still while the picture moves, or the other way round.
    PictureDisagrees,
    /// A camera that cannot tell where it looks rests on no preset that was verified.
    NotOnPreset {
        /// What is known.
        detail: String,
    },
    /// Zoom lies outside the calibrated range.
    ZoomOutsideCalibration {
        /// The zoom value the camera reported, in the profile's unit.
        zoom: f64,
    },
    /// The margin would exceed its limit.
    MarginTooWide {
        /// The margin as a percentage of the frame's width.
        percent: f64,
    },
    /// The camera homes, reboots or has an image option on that breaks geometry.
    CameraUnsteady {
        /// Which.
        detail: String,
    },
    /// The stream's size or format changed and no mask fits it yet.
    StreamChanged {
        /// From what to what.
        detail: String,
    },
    /// The detector is silent and the camera's policy says cover.
    DetectorSilent,
    /// More faces or plates were found than are followed at once.
    TooManyThings,
    /// No valid mask document is loaded.
    NoMasks {
        /// What is wrong with it.
        detail: String,
    },
    /// The camera does not send.
    NoSignal {
        /// What was last known.
        detail: String,
    },
    /// A painted frame did not read back as hidden, or painting failed.
    PaintFailed,
    /// An internal error; the frame was covered because of it.
    Internal {
        /// What happened.
        detail: String,
    },
}

impl Reason {
    /// Every [`Reason::code`], so that what counts them can begin at 0.
    pub const CODES: [&str; 19] = [
        "starting",
        "no-capture-time",
        "capture-time-doubted",
        "clock-jump",
        "no-position",
        "bad-position",
        "telemetry-stale",
        "picture-disagrees",
        "not-on-preset",
        "zoom-outside-calibration",
        "margin-too-wide",
        "camera-unsteady",
        "stream-changed",
        "detector-silent",
        "too-many-things",
        "no-masks",
        "no-signal",
        "paint-failed",
        "internal",
    ];

    /// A stable, machine-readable name: the key in `covered_s` and in metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::NoCaptureTime => "no-capture-time",
            Self::CaptureTimeDoubted { .. } => "capture-time-doubted",
            Self::ClockJump { .. } => "clock-jump",
            Self::NoPosition => "no-position",
            Self::BadPosition { .. } => "bad-position",
            Self::TelemetryStale { .. } => "telemetry-stale",
            Self::PictureDisagrees => "picture-disagrees",
            Self::NotOnPreset { .. } => "not-on-preset",
            Self::ZoomOutsideCalibration { .. } => "zoom-outside-calibration",
            Self::MarginTooWide { .. } => "margin-too-wide",
            Self::CameraUnsteady { .. } => "camera-unsteady",
            Self::StreamChanged { .. } => "stream-changed",
            Self::DetectorSilent => "detector-silent",
            Self::TooManyThings => "too-many-things",
            Self::NoMasks { .. } => "no-masks",
            Self::NoSignal { .. } => "no-signal",
            Self::PaintFailed => "paint-failed",
            Self::Internal { .. } => "internal",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Starting => f.write_str("starting"),
            Self::NoCaptureTime => f.write_str("no capture time yet"),
            Self::CaptureTimeDoubted { detail } => write!(f, "capture time doubted: {detail}"),
            Self::ClockJump { step_s } => write!(f, "clock jumped {step_s:+.1} s"),
            Self::NoPosition => f.write_str("no position yet"),
            Self::BadPosition { detail } => write!(f, "position refused: {detail}"),
            Self::TelemetryStale { age_s } => write!(f, "telemetry {age_s:.1} s old"),
            Self::PictureDisagrees => f.write_str("picture and position disagree"),
            Self::NotOnPreset { detail } => write!(f, "on no verified preset: {detail}"),
            Self::ZoomOutsideCalibration { zoom } => write!(f, "zoom {zoom:.3} not calibrated"),
            Self::MarginTooWide { percent } => write!(f, "margin {percent:.0} % of the width"),
            Self::CameraUnsteady { detail } => write!(f, "camera unsteady: {detail}"),
            Self::StreamChanged { detail } => write!(f, "stream changed: {detail}"),
            Self::DetectorSilent => f.write_str("detector silent"),
            Self::TooManyThings => f.write_str("too many faces or plates"),
            Self::NoMasks { detail } => write!(f, "no valid masks: {detail}"),
            Self::NoSignal { detail } => write!(f, "no signal: {detail}"),
            Self::PaintFailed => f.write_str("painting failed"),
            Self::Internal { detail } => write!(f, "internal error: {detail}"),
        }
    }
}

/// What an observer may be told about a camera's picture.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum CameraState {
    /// Masks follow the camera with their ordinary margin.
    Live,
    /// Masks are grown because evidence came late or the camera moves fast.
    Widened {
        /// The largest margin in the frame, degrees.
        margin_deg: f64,
    },
    /// The whole picture is hidden.
    Covered(Reason),
    /// No picture comes from the camera; a grey one goes out.
    NoSignal(Reason),
}

impl CameraState {
    /// Every [`CameraState::name`].
    pub const NAMES: [&str; 4] = ["live", "widened", "covered", "no-signal"];

    /// `live`, `widened`, `covered` or `no-signal`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Widened { .. } => "widened",
            Self::Covered(_) => "covered",
            Self::NoSignal(_) => "no-signal",
        }
    }

    /// The reason, where there is one.
    pub fn reason(&self) -> Option<&Reason> {
        match self {
            Self::Covered(r) | Self::NoSignal(r) => Some(r),
            Self::Live | Self::Widened { .. } => None,
        }
    }
}

/// A [`Reason::code`].
const NOT_ON_PRESET: &str = "not-on-preset";

/// Whether a camera whose state has this name, for the reason of this code, keeps the gateway
/// from being ready: no picture comes, or all of it is hidden, for any reason but that nobody has
/// vouched for where the camera looks. That is as it is meant to be, and lasts.
pub fn is_awaited(state: &str, code: Option<&str>) -> bool {
    let [_, _, covered, no_signal] = CameraState::NAMES;
    state == no_signal || (state == covered && code != Some(NOT_ON_PRESET))
}

impl fmt::Display for CameraState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Live => f.write_str("live"),
            Self::Widened { margin_deg } => write!(f, "widened by {margin_deg:.1}°"),
            Self::Covered(r) => write!(f, "covered: {r}"),
            Self::NoSignal(r) => write!(f, "no signal: {r}"),
        }
    }
}

/// Why a frame did not leave at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DropReason {
    /// Its budget was over before it could be pushed.
    Late,
    /// The hold was full.
    HoldFull,
    /// It could not be mapped, was damaged, or had a form we do not paint.
    Unpaintable,
}

impl DropReason {
    /// Every [`DropReason::code`].
    pub const CODES: [&str; 3] = ["late", "hold-full", "unpaintable"];

    /// The key in `dropped` and in metrics.
    pub fn code(self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::HoldFull => "hold-full",
            Self::Unpaintable => "unpaintable",
        }
    }
}

/// How much of a camera's picture is looked at for faces, plates and people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Looking {
    /// Looks a second.
    pub looks_hz: f64,
    /// CPU time they take, percent of one core.
    pub cpu_percent: f64,
    /// From when a picture is taken to when what is in it is known, mean,
    /// milliseconds.
    pub look_ms: f64,
    /// Parts of the picture that are looked at in their own size; 0 where the
    /// whole picture shows as much.
    pub tiles: usize,
    /// Those that nobody looked at for longer than the configured sweep.
    pub tiles_overdue: usize,
    /// For how long nobody looked at the one that waits longest, milliseconds.
    pub longest_unvisited_ms: u64,
    /// Frames, since the start, that left before the look after them was
    /// done: what appeared in them was not known yet.
    pub frames_before_their_look: u64,
}

/// Where the time of one frame went, one part after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FrameTimes {
    /// It came so much later from the decoder than it could have.
    pub decode: Duration,
    /// It waited so long in the hold.
    pub hold: Duration,
    /// From there until it was painted and read back.
    pub mask: Duration,
    /// Until the encoder, and whoever takes what that gives at once, had done with it.
    pub encode: Duration,
    /// Whether it left the hold because its evidence was complete, not because its time was up.
    pub evidence: bool,
    /// Whether it left wholly covered.
    pub covered: bool,
}

/// What became of the positions and documents of a camera's metadata stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MetadataCounts {
    /// Positions that are evidence.
    pub taken: u64,
    /// Positions passed over: answers alone say better where the head is, or another does
    /// that was measured at nearly the same time.
    pub spare: u64,
    /// Positions passed over: answers do not bear the stream out, or not yet, or the camera
    /// is not believed at all.
    pub unproven: u64,
    /// Positions passed over: no stamp, a coarse one, or one that does not fit the clock.
    pub untimed: u64,
    /// Positions refused: missing, not finite, out of range, in another space, or not possible
    /// for the history.
    pub refused: u64,
    /// Documents that could not be read.
    pub unreadable: u64,
    /// Documents that nobody had time to read.
    pub lost: u64,
}

impl MetadataCounts {
    /// What was passed over, by why.
    pub fn passed_over(&self) -> [(&'static str, u64); 6] {
        [
            ("spare", self.spare),
            ("unproven", self.unproven),
            ("untimed", self.untimed),
            ("refused", self.refused),
            ("unreadable", self.unreadable),
            ("lost", self.lost),
        ]
    }
}

impl std::ops::AddAssign for MetadataCounts {
    fn add_assign(&mut self, other: Self) {
        self.taken += other.taken;
        self.spare += other.spare;
        self.unproven += other.unproven;
        self.untimed += other.untimed;
        self.refused += other.refused;
        self.unreadable += other.unreadable;
        self.lost += other.lost;
    }
}

/// Something that happened, worth a log line, a metric and an audit record.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A camera's picture changed state.
    StateChanged {
        /// Camera id.
        camera: String,
        /// The state it is in now.
        to: CameraState,
    },
    /// Frames were dropped (rate-limited: `count` since the last such event).
    FramesDropped {
        /// Camera id.
        camera: String,
        /// Why.
        why: DropReason,
        /// How many since the last such event.
        count: u64,
    },
    /// The camera's stream connected.
    StreamUp {
        /// Camera id.
        camera: String,
        /// Negotiated form, for people: `1920x1080 I420 25/1`.
        form: String,
        /// How long it took to connect.
        took: Duration,
    },
    /// The camera's stream ended or failed; it is tried again after `retry_in_ms`.
    StreamDown {
        /// Camera id.
        camera: String,
        /// What happened.
        detail: String,
        /// Wait before the next try, milliseconds.
        retry_in_ms: u64,
    },
    /// Who tells when frames were taken changed, or why nobody does (rate-limited).
    CaptureTimeFrom {
        /// Camera id.
        camera: String,
        /// The source's name, or the code of why there is no time.
        by: &'static str,
        /// How far what is told leaves it open, milliseconds.
        within_ms: Option<f64>,
    },
    /// Telemetry: what is measured about it, at most once a second.
    TelemetryMeasured {
        /// Camera id.
        camera: String,
        /// Accepted samples a second.
        rate_hz: f64,
        /// Mean time from measurement to arrival, milliseconds.
        lateness_ms: f64,
    },
    /// One frame that left, part by part: one a second at most.
    FrameMeasured {
        /// Camera id.
        camera: String,
        /// Where its time went.
        times: FrameTimes,
    },
    /// The camera's metadata stream: what became of it in the last second.
    MetadataMeasured {
        /// Camera id.
        camera: String,
        /// Whether more positions came from it than from answers.
        leads: bool,
        /// Positions.
        counts: MetadataCounts,
    },
    /// Telemetry fails or was refused (rate-limited).
    TelemetryFault {
        /// Camera id.
        camera: String,
        /// What happened.
        detail: String,
    },
    /// A detector could not look at a picture (rate-limited).
    DetectorFault {
        /// Camera id.
        camera: String,
        /// What happened.
        detail: String,
    },
    /// Detectors: how much they look, at most once a second.
    DetectorMeasured {
        /// Camera id.
        camera: String,
        /// How much.
        looking: Looking,
    },
    /// A viewer joined (`joined = true`) or left.
    Viewer {
        /// Camera id.
        camera: String,
        /// Joined or left.
        joined: bool,
        /// Viewers now.
        viewers: u32,
        /// Why it left, when we made it leave.
        detail: Option<String>,
    },
    /// A server takes the masked stream that is published to it.
    PublicationUp {
        /// Camera id.
        camera: String,
        /// The publication's name.
        publication: String,
    },
    /// A server does not take the stream, or no longer; it is tried again after
    /// `retry_in_ms`. Told once as long as the reason stays the same.
    PublicationDown {
        /// Camera id.
        camera: String,
        /// The publication's name.
        publication: String,
        /// What happened.
        detail: String,
        /// Wait before the next try, milliseconds.
        retry_in_ms: u64,
    },
    /// A message bus takes what it is told.
    BusUp {
        /// `mqtt` or `nats`.
        bus: &'static str,
    },
    /// A message bus takes nothing, or no longer; it is tried again after `retry_in_ms`.
    /// Told once as long as the reason stays the same.
    BusDown {
        /// `mqtt` or `nats`.
        bus: &'static str,
        /// What happened.
        detail: String,
        /// Wait before the next try, milliseconds.
        retry_in_ms: u64,
    },
    /// Painted pixels did not read back as hidden: an alarm.
    ReadBackFailed {
        /// Camera id.
        camera: String,
    },
    /// Configuration or masks were read anew.
    Reloaded {
        /// What changed, for people.
        detail: String,
    },
    /// A reload was refused; what ran before still runs.
    ReloadRefused {
        /// Why.
        detail: String,
    },
}

/// Takes events; must return at once.
pub trait EventSink: Send + Sync {
    /// Records `event`.
    fn emit(&self, event: Event);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_listed() {
        // A variant that is added needs an arm in these functions; then its list must grow, too.
        let source = include_str!("mod.rs");
        let arms = |of: &str| -> Vec<&str> {
            let body = source.split(of).nth(1).unwrap();
            let body = body.split("\n    }\n").next().unwrap();
            let arms = body.lines().filter_map(|l| l.split_once("=> \""));
            arms.map(|(_, name)| name.trim_end_matches("\",")).collect()
        };
        let code = "fn code(&self) -> &'static str {";
        assert_eq!(arms(code), Reason::CODES);
        assert!(Reason::CODES.contains(&NOT_ON_PRESET));
        assert_eq!(arms("fn name(&self) -> &'static str {"), CameraState::NAMES);
        assert_eq!(arms("fn code(self) -> &'static str {"), DropReason::CODES);
    }

    #[test]
    fn what_is_covered_is_awaited_unless_nobody_has_vouched_for_it() {
        assert!(is_awaited("no-signal", Some("starting")));
        assert!(is_awaited("covered", Some("telemetry-stale")));
        assert!(is_awaited("covered", None));
        assert!(!is_awaited("covered", Some("not-on-preset")));
        assert!(!is_awaited("live", None) && !is_awaited("widened", None));
    }
}
