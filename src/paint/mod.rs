//! Painting: applies a [`Plan`](crate::plan::Plan) to a frame in place.
//!
//! The only maker of [`MaskedFrame`]. This module must not know how a plan came
//! to be, nor GStreamer: a frame's memory comes through [`Paintable`].

use crate::frame::{FrameError, FrameMut};

/// A frame's memory that can be written.
pub trait Paintable {
    /// The writable planes.
    ///
    /// # Errors
    /// Why the memory cannot be mapped or is not the picture it claims to be.
    fn planes(&mut self) -> Result<FrameMut<'_>, FrameError>;
}

/// A frame that has been masked; nothing else may leave.
#[derive(Debug)]
pub struct MaskedFrame<B> {
    inner: B,
}

impl<B> MaskedFrame<B> {
    /// The masked frame's carrier, to push on.
    pub fn into_inner(self) -> B {
        self.inner
    }
}
