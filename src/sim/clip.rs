//! A video file as what the camera sees: decoded once around, looped.

use std::sync::Arc;

use super::render::Poster;

/// A clip being played.
#[derive(Debug)]
pub(crate) struct Clip {
    picture: Arc<Poster>,
}

impl Clip {
    /// The picture at a time since the camera's start.
    pub(crate) fn picture_at(&self, _t_ns: u64) -> Arc<Poster> {
        Arc::clone(&self.picture)
    }
}
