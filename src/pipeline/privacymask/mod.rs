//! `privacymask`: the element in which frames wait, are masked, and leave.
//!
//! The sink pad takes I420 or NV12 and puts each frame in the hold. The src pad
//! has its own task: it waits for evidence or the deadline, asks the judge,
//! paints, and pushes. What leaves is a live stream of the element's own, with
//! its own time line, that outlives its input: when no frame comes a grey one
//! leaves instead, a flush empties the hold and goes no further, and EOS means
//! only that this camera connection is over. Caps and other serialised events
//! travel in the hold with the frame they came before.
//!
//! Knows no geometry; must not know RTSP, encoders or egress.

mod backlog;
mod frame;
mod imp;
mod task;
#[cfg(test)]
mod tests;
mod timeline;

use std::sync::Arc;
use std::time::Duration;

use gstreamer as gst;
use gstreamer::glib;
use gstreamer::subclass::prelude::*;

use super::judge::{FrameJudge, Waker};
use super::stats::Meters;
use crate::clock::Clock;
use crate::event::{EventSink, Reason};
use crate::geom::Size;

pub(crate) use frame::{Copies, GstFrame};
pub(super) use imp::{form_refused, turned};

glib::wrapper! {
    /// The element. Made by [`new`], configured by [`PrivacyMask::configure`].
    pub(super) struct PrivacyMask(ObjectSubclass<imp::PrivacyMask>)
        @extends gst::Element, gst::Object;
}

/// Everything the element works with; set once, before it starts.
pub(super) struct Setup {
    /// The camera's id, for events.
    pub(super) camera: String,
    /// The longest time from arrival to push.
    pub(super) budget: Duration,
    /// The most frames that wait.
    pub(super) capacity: usize,
    /// The size of the grey picture before the camera's is known.
    pub(super) idle_size: Size,
    pub(super) judge: Arc<dyn FrameJudge>,
    pub(super) waker: Waker,
    pub(super) events: Arc<dyn EventSink>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) meters: Arc<Meters>,
}

impl PrivacyMask {
    /// An element that refuses every frame until it is configured.
    pub(super) fn new() -> Self {
        glib::Object::new()
    }

    /// Sets what it works with. A second call is ignored.
    pub(super) fn configure(&self, setup: Setup) {
        self.imp().configure(setup);
    }

    /// What the grey picture says while no frame comes.
    pub(super) fn say(&self, reason: Reason) {
        self.imp().say(reason);
    }

    /// Why the last caps were refused, if they were; asked once.
    pub(super) fn take_refusal(&self) -> Option<String> {
        self.imp().take_refusal()
    }
}
