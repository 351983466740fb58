//! The masked stream as fragmented MP4, a frame at a time: for browsers that
//! nothing reaches over UDP.
//!
//! [`Mp4Server::open`] gives a [`Mp4Viewer`], from which parts are taken one
//! after another; over which connection they go, and who may have them, is
//! decided elsewhere. Nothing is encoded here: each viewer gets the camera's own
//! H.264 in other boxes. This module must not know HTTP, users, zones or poses.

mod boxes;
mod nal;
mod queue;
mod shared;
mod viewer;

use std::sync::Arc;
use std::time::Duration;

pub use self::boxes::Mp4Part;
use self::shared::Shared;
pub use self::viewer::Mp4Viewer;
use crate::event::EventSink;
use crate::pipeline::MaskedStream;

/// Why nobody can watch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mp4Refused {
    /// No camera of this name is served.
    #[error("no camera of this name is served")]
    NoSuchCamera,
    /// As many sessions as are allowed.
    #[error("too many viewers")]
    TooMany,
    /// The server is stopped.
    #[error("the server is stopped")]
    Stopped,
}

/// How a session ended that its viewer did not leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mp4Over {
    /// [`Mp4Server::end`].
    Ended,
    /// Its camera is served no longer.
    NoCamera,
    /// The server stops.
    Stopped,
}

/// All viewers of all cameras. Dropping it stops it.
pub struct Mp4Server {
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Mp4Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mp4Server")
    }
}

/// How long viewers have to say goodbye.
const STOP_WITHIN: Duration = Duration::from_millis(500);

impl Mp4Server {
    /// Without cameras at first.
    pub fn new(sessions_at_most: usize, events: Arc<dyn EventSink>) -> Self {
        Self {
            shared: Arc::new(Shared::new(sessions_at_most, events)),
        }
    }

    /// Serves `stream` under `id`. A camera of the same id is replaced, and the
    /// sessions of its viewers end.
    pub fn add_camera(&self, id: &str, stream: MaskedStream) {
        self.shared.add_camera(id, stream);
    }

    /// Serves the camera no longer; the sessions of its viewers end.
    pub fn remove_camera(&self, id: &str) {
        self.shared.remove_camera(id);
    }

    /// A place for somebody who watches `camera`; nothing is made for them
    /// before they take the first part.
    ///
    /// # Errors
    /// [`Mp4Refused`] says why not.
    pub fn open(&self, camera: &str) -> Result<Mp4Viewer, Mp4Refused> {
        Ok(Mp4Viewer::new(self.shared.reserve(camera)?))
    }

    /// Ends a session; `false` where there is none of this name.
    pub fn end(&self, session: &str) -> bool {
        self.shared.end(session)
    }

    /// Ends all sessions, and waits half a second at most for their viewers to
    /// go.
    pub fn stop(&self) {
        self.shared.stop();
        self.shared.wait_for_leaving(STOP_WITHIN);
    }
}

impl Drop for Mp4Server {
    fn drop(&mut self) {
        self.shared.stop();
    }
}
