//! The status as it is served: what each camera does now.

use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The gateway as `/api/v1/status` shows it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct GatewayStatus {
    /// greyplane's version.
    pub version: &'static str,
    /// The port on which masked streams are served.
    pub rtsp_port: u16,
    /// All cameras, in the configuration's order.
    pub cameras: Vec<CameraStatus>,
    /// The message buses that events are told to.
    pub buses: Vec<BusStatus>,
}

/// A message bus. Counters run since the gateway began.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct BusStatus {
    /// `mqtt` or `nats`.
    pub bus: &'static str,
    /// Whether it takes messages now.
    pub connected: bool,
    /// Why the last try or connection ended; none while it is connected.
    #[schema(required)]
    pub problem: Option<String>,
    /// Connections that it took messages over.
    pub connects: u64,
    /// Tries that came to nothing, and connections that were lost.
    pub failures: u64,
    /// Messages that it took.
    pub sent: u64,
    /// Events that it was away or too slow for.
    pub dropped: u64,
}

/// One camera as `/api/v1/status` shows it. Counters run since its start.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CameraStatus {
    /// Its id.
    pub id: String,
    /// `live`, `widened`, `covered` or `no-signal`.
    pub state: &'static str,
    /// The reason's name, where there is one, as in the metrics and in the log.
    #[schema(required)]
    pub code: Option<&'static str>,
    /// Why, where there is a reason.
    #[schema(required)]
    pub reason: Option<String>,
    /// Width and height of the picture, once known.
    #[schema(required)]
    pub size: Option<(u32, u32)>,
    /// Frames a second from the camera.
    pub fps_in: f64,
    /// Frames a second that leave.
    pub fps_out: f64,
    /// Arrival to encoder.
    pub latency_ms: Percentiles,
    /// The promise.
    pub budget_ms: u64,
    /// Frames that left after their budget: always 0, or it is a fault of ours.
    pub late_frames: u64,
    /// Frames that did not leave, by reason.
    pub dropped: BTreeMap<&'static str, u64>,
    /// Seconds wholly covered, by reason.
    pub covered_s: BTreeMap<&'static str, f64>,
    /// Seconds not wholly covered.
    pub live_s: f64,
    /// When frames were taken, and by whose word.
    pub capture_time: CaptureTimeStatus,
    /// What becomes of its sound.
    pub sound: SoundStatus,
    /// Accepted positions a second; none for a fixed camera.
    #[schema(required)]
    pub telemetry_hz: Option<f64>,
    /// Mean time from measurement to arrival of positions.
    #[schema(required)]
    pub telemetry_lateness_ms: Option<f64>,
    /// The camera's metadata stream; none where none is heard.
    #[schema(required)]
    pub metadata: Option<MetadataStatus>,
    /// What the detectors reach; none where nothing is looked for.
    #[schema(required)]
    pub detector: Option<DetectorStatus>,
    /// Who watches now.
    pub viewers: u32,
    /// Where the masked stream is pushed to.
    pub publications: Vec<PublicationStatus>,
    /// Alarms: painted frames that did not read back as hidden.
    pub read_back_failures: u64,
    /// Its further streams; what stands beside them is the main one's.
    pub streams: Vec<StreamStatus>,
    /// Its presets, where it cannot tell where it looks; none for any other camera.
    pub presets: Vec<PresetStatus>,
}

/// A preset of a camera that cannot tell where it looks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PresetStatus {
    /// Its id.
    pub id: String,
    /// How often somebody has vouched for it; 0: the picture is covered there.
    pub verified: usize,
    /// Whether the camera rests on it now, as far as its picture shows.
    pub resting: bool,
}

/// A further stream of a camera. Counters run since its start.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct StreamStatus {
    /// Its name; it is served at `/<camera>/<name>`.
    pub name: String,
    /// `live`, `widened`, `covered` or `no-signal`.
    pub state: &'static str,
    /// Why, where there is a reason.
    #[schema(required)]
    pub reason: Option<String>,
    /// Width and height of the picture, once known.
    #[schema(required)]
    pub size: Option<(u32, u32)>,
    /// Frames a second from the camera.
    pub fps_in: f64,
    /// Frames a second that leave.
    pub fps_out: f64,
    /// Arrival to encoder.
    pub latency_ms: Percentiles,
    /// Frames that left after their budget: always 0, or it is a fault of ours.
    pub late_frames: u64,
    /// Frames that did not leave, by reason.
    pub dropped: BTreeMap<&'static str, u64>,
    /// Seconds wholly covered, by reason.
    pub covered_s: BTreeMap<&'static str, f64>,
    /// Seconds not wholly covered.
    pub live_s: f64,
    /// By whose word its frames have their capture times.
    pub capture_time: CaptureTimeStatus,
    /// What becomes of the sound that comes with it.
    pub sound: SoundStatus,
    /// What the detectors reach in its picture; none where nothing is looked for.
    #[schema(required)]
    pub detector: Option<DetectorStatus>,
    /// Who watches now.
    pub viewers: u32,
    /// Alarms: painted frames that did not read back as hidden.
    pub read_back_failures: u64,
}

/// Capture times of a camera's frames. Counters run since its start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct CaptureTimeStatus {
    /// Who told that of the newest frame: `ntp-64`, `onvif-replay` or `sender-report`; none
    /// where it has none.
    #[schema(required)]
    pub by: Option<&'static str>,
    /// How far what was told leaves it open, milliseconds.
    #[schema(required)]
    pub within_ms: Option<f64>,
    /// Frames by who told.
    pub frames: BTreeMap<&'static str, u64>,
    /// Frames without a capture time, by why.
    pub frames_without: BTreeMap<&'static str, u64>,
    /// Frames with a stamp that could not be read.
    pub unreadable: u64,
}

/// What becomes of a stream's sound. Counters run since its start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct SoundStatus {
    /// As it is configured: `drop`, `mute` or `pass`.
    pub rule: &'static str,
    /// The codec of the track beside the masked picture; none while there is no track.
    #[schema(required)]
    pub codec: Option<&'static str>,
    /// Why the camera's sound does not leave though it may; none where it does.
    #[schema(required)]
    pub problem: Option<String>,
    /// Pieces of the camera's sound that left.
    pub passed: u64,
    /// Pieces that did not: too late for their picture, or too many.
    pub left_out: u64,
}

/// What becomes of a camera's metadata stream. Counters run since the gateway's start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct MetadataStatus {
    /// Whether more positions came from it within the last second than from answers.
    pub leads: bool,
    /// Positions of it that were believed.
    pub positions: u64,
    /// Positions and documents that were not, by why.
    pub passed_over: BTreeMap<&'static str, u64>,
}

/// One publication of a camera. Counters run since the gateway began.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct PublicationStatus {
    /// Its name.
    pub name: String,
    /// `rtsp`, `rtsps`, `srt` or `whip`.
    pub over: &'static str,
    /// Whether the server takes the stream now.
    pub connected: bool,
    /// Why the last try or connection ended; none while it is connected.
    #[schema(required)]
    pub problem: Option<String>,
    /// Connections that the server took the stream over.
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

/// What a camera's detectors reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct DetectorStatus {
    /// Looks a second; 0 when none ended within three.
    pub looks_hz: f64,
    /// CPU time they take, percent of one core.
    pub cpu_percent: f64,
    /// From when a picture is taken to when what is in it is known, mean.
    pub look_ms: f64,
    /// Parts of the picture that are looked at in their own size.
    pub tiles: usize,
    /// Those that nobody looked at for longer than the configured sweep.
    pub tiles_overdue: usize,
    /// For how long nobody looked at the one that waits longest.
    pub longest_unvisited_ms: u64,
    /// Frames that left before the look after them was done.
    pub frames_before_their_look: u64,
}

/// Percentiles of a distribution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Percentiles {
    /// Median.
    pub p50: f64,
    /// 99th percentile.
    pub p99: f64,
    /// Largest.
    pub max: f64,
}
