//! Egress: the one place where frames leave.
//!
//! Takes [`MaskedStream`](crate::pipeline::MaskedStream)s and nothing else, and
//! never touches the bytes of a picture. To viewers who come, and to servers that
//! it is [published](Publisher) to. RTSP's sender reports carry the
//! *camera's* capture time, WebRTC's the gateway's, MP4's count from each
//! viewer's first frame. Sound, where there is some, goes to RTSP's viewers alone. This
//! module must not know where the frames came from, zones or poses.

mod access;
mod captured;
mod door;
mod front;
mod media;
pub mod mp4;
mod publish;
mod queue;
mod reports;
mod server;
mod viewers;
mod webrtc;
pub mod whep;

pub use access::{Access, Account, Cameras, Proof};
pub use mp4::{Mp4Over, Mp4Part, Mp4Refused, Mp4Server, Mp4Viewer};
pub use publish::{Publication, PublicationFigures, PublishOver, Publisher};
pub use server::{CannotServe, RtspServer, RtspSettings};
pub use whep::{WhepAnswer, WhepRefused, WhepServer, WhepSettings};
