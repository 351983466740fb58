//! The pipeline of one camera: ingest, mask, encode.
//!
//! ```text
//! ┌ pipeline ─ one GStreamer pipeline per camera, alive as long as the camera is configured ──┐
//! │ ┌ bin "connection-n" ─ replaced on every reconnect ──┐                                    │
//! │ │ rtspsrc ! depay ! parse ! decoder ! videoconvert   ├─► privacymask ! encoder ! appsink ─┼─► MaskedStream
//! │ └────────────────────────────────────────────────────┘                                    │
//! └───────────────────────────────────────────────────────────────────────────────────────────┘
//! ```
//! Sound, where it is passed, goes past the mask and leaves beside the pictures (`sound`).
//! Everything from `privacymask` on never stops: without a camera the element
//! itself makes grey frames, so viewers, the encoder and its session stay. A
//! supervisor thread connects, watches and reconnects. The pipeline runs with
//! base time zero on GStreamer's system clock, so a stamp on its output is that
//! clock's time, and every egress pipeline shares one line of time with it.
//!
//! Geometry comes in through [`FrameJudge`] only. This module must not know
//! zones, poses, telemetry, configuration files or who views.

mod av1depay;
mod backoff;
mod beside;
mod camera;
mod captures;
mod codec;
mod encoder;
mod glance;
mod headroom;
mod judge;
mod metadata;
mod privacymask;
mod rtptime;
mod sound;
mod source;
mod stamps;
mod stats;
mod stream;
mod supervisor;
mod whole;

pub(crate) use backoff::Backoff;
pub use camera::{CameraPipeline, CameraSettings};
pub use captures::CaptureTimes;
pub use codec::{CodecHere, codecs_here};
pub use encoder::{ENCODERS, EncoderSettings, X264Preset, encoder_chain};
pub(crate) use encoder::{element, file_encoder_chain};
pub use glance::{Glance, glance};
pub use headroom::{Trial, missing_elements, usable_elements};
pub use judge::{FrameJudge, Waker};
pub use metadata::{MetadataDocument, MetadataSink};
pub(crate) use privacymask::{Copies, GstFrame};
pub use sound::{PassedSound, SoundCodec, SoundForm, SoundRule, SoundStats, SoundTap};
pub use source::{SourceSettings, Transport};
pub use stats::{Latencies, Latency, PipelineStats};
pub use stream::{EncodedMasked, MaskedStream, Tap, TapHandle};

/// Starts GStreamer. The first time on a machine, and after its plugins changed, it
/// looks through them with a program of its own (`gst-plugin-scanner`).
///
/// # Errors
/// [`CannotStart::NoGstreamer`].
pub fn start_gstreamer() -> Result<(), CannotStart> {
    gstreamer::init().map_err(|e| CannotStart::NoGstreamer(e.to_string()))
}

/// Why a camera's pipeline cannot be started at all. A camera that does not
/// answer is no such reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotStart {
    /// GStreamer itself does not start.
    #[error("GStreamer does not start: {0}")]
    NoGstreamer(String),
    /// A GStreamer element is missing.
    #[error("GStreamer element {0} is missing; install its plugin")]
    NoElement(String),
    /// No encoder works.
    #[error("no H.264 encoder works; tried {0}")]
    NoEncoder(String),
    /// An encoder we do not know how to set.
    #[error("encoder {0} is unknown; use auto, {list}", list = ENCODERS.join(", "))]
    UnknownEncoder(String),
    /// This machine lacks a part for the codec that the camera sends.
    #[error(
        "the camera sends {codec}, and this machine has no working {what}: install {package}, \
         or set the camera to H.264"
    )]
    NoCodec {
        /// The codec, for people.
        codec: &'static str,
        /// The element, or those of which one would do.
        what: String,
        /// Debian's package that has it.
        package: &'static str,
    },
    /// A decoder we do not know how to set.
    #[error("decoder {0} is unknown; use auto, {list}", list = codec::decoders().collect::<Vec<_>>().join(", "))]
    UnknownDecoder(String),
    /// The camera's URL is refused. It is not repeated: it may hold a password.
    #[error("the camera's URL is refused: {0}")]
    BadUrl(String),
    /// The grey picture's size cannot be encoded.
    #[error("{0}x{1} cannot be encoded: sides must be even, 16 to 16384")]
    BadSize(u32, u32),
    /// Elements do not fit together.
    #[error("the pipeline's elements do not link")]
    Link,
    /// The pipeline does not start.
    #[error("the pipeline does not start: {0}")]
    State(String),
    /// No thread could be started.
    #[error("no thread: {0}")]
    Thread(String),
}
