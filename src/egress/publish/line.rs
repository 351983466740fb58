//! One connection made of GStreamer elements: a queue, what sends, and who watches it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crossbeam_channel::{Receiver, TryRecvError};
use gst::prelude::*;
use gstreamer as gst;
use gstreamer_app as gst_app;

use super::counts::Counts;
use super::run::Over;
use crate::clock::SystemClock;
use crate::egress::captured::Times;
use crate::egress::queue::{self, Slow};
use crate::pipeline::{MaskedStream, element};

/// How often a connection is looked at.
const LOOK_EVERY: gst::ClockTime = gst::ClockTime::from_mseconds(200);
/// A server that has not taken the stream by then is tried again.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// Longer words of a server's are cut.
const LONGEST_WORDS: usize = 200;

/// Whether the server takes the stream by now.
pub(super) type Taken = Box<dyn Fn() -> bool>;
/// Why it failed, where the element's own words do not tell.
pub(super) type KnowsWhy = Box<dyn Fn() -> Option<String>>;

/// A pipeline that is ready to connect. Dropping it disconnects.
pub(super) struct Line {
    pipeline: gst::Pipeline,
    source: gst_app::AppSrc,
    /// Where packets tell capture times.
    times: Option<Arc<Times>>,
    taken: Taken,
    /// Says more of a failure than the element does, where there is more to say.
    knows_why: KnowsWhy,
}

impl Line {
    /// What `chain` sends, linked one after another behind a queue.
    pub(super) fn new(chain: &[gst::Element], taken: Taken) -> Result<Self, String> {
        let pipeline = gst::Pipeline::new();
        // Stamps are the system clock's, as everywhere behind the encoder.
        pipeline.use_clock(Some(&gst::SystemClock::obtain()));
        pipeline.set_start_time(gst::ClockTime::NONE);
        pipeline.set_base_time(gst::ClockTime::ZERO);
        let source = gst_app::AppSrc::builder()
            .is_live(true)
            .format(gst::Format::Time)
            .block(false)
            .build();
        let all = || std::iter::once(source.upcast_ref::<gst::Element>()).chain(chain);
        pipeline.add_many(all()).map_err(|e| e.to_string())?;
        gst::Element::link_many(all()).map_err(|e| e.to_string())?;
        Ok(Self {
            pipeline,
            source,
            times: None,
            taken,
            knows_why: Box::new(|| None),
        })
    }

    pub(super) fn pipeline(&self) -> &gst::Pipeline {
        &self.pipeline
    }

    /// Takes note of each unit's capture time in `times`.
    pub(super) fn tells(mut self, times: Arc<Times>) -> Self {
        self.times = Some(times);
        self
    }

    /// Asks `knows_why` first when it fails.
    pub(super) fn explains(mut self, knows_why: KnowsWhy) -> Self {
        self.knows_why = knows_why;
        self
    }

    /// Connects and sends until that is over.
    pub(super) fn run(
        self,
        stream: &MaskedStream,
        counts: &Arc<Counts>,
        stopped: &Receiver<()>,
        connected: &mut dyn FnMut(),
    ) -> Over {
        let Some(bus) = self.pipeline.bus() else {
            return Over::Lost("the pipeline has no bus".to_owned());
        };
        let slow = Slow::default();
        let (times, counted) = (self.times.clone(), counts.clone());
        let _tap = stream.tap(queue::feed(
            self.source.clone(),
            slow.clone(),
            move |unit, taken| {
                counted.unit(unit.buffer().size(), taken);
                if let (Some(times), true) = (&times, taken) {
                    times.remember(unit.buffer(), unit.capture());
                }
            },
        ));
        // Where it fails at once, the bus tells why.
        let begun = self.pipeline.set_state(gst::State::Playing);
        let clock = SystemClock::new();
        let began = clock.instant();
        let mut is_taken = false;
        loop {
            let message = bus.timed_pop(LOOK_EVERY);
            if stopped.try_recv() == Err(TryRecvError::Disconnected) {
                return Over::Stopped;
            }
            match message.as_ref().map(|message| message.view()) {
                Some(gst::MessageView::Error(e)) => {
                    return Over::Lost((self.knows_why)().unwrap_or_else(|| words(e)));
                }
                Some(gst::MessageView::Eos(_)) => {
                    return Over::Lost("the server ended the stream".to_owned());
                }
                // All that `rtspclientsink` says of a server that has closed the connection.
                Some(gst::MessageView::Warning(w))
                    if w.error().matches(gst::ResourceError::Read) =>
                {
                    return Over::Lost("the server closed the connection".to_owned());
                }
                None if begun.is_err() => {
                    return Over::Lost("what sends it does not start".to_owned());
                }
                _ => {}
            }
            if !is_taken && (self.taken)() {
                is_taken = true;
                connected();
            }
            if !is_taken && clock.instant() - began > CONNECT_WITHIN {
                return Over::Lost("the server did not take the stream in time".to_owned());
            }
            if is_taken && slow.load(Ordering::Relaxed) {
                return Over::Lost("the server is too slow for the stream".to_owned());
            }
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // Going down cannot fail.
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

/// What an element says about its failure, in one line. The debug text says more,
/// with source files in it.
fn words(e: &gst::message::Error) -> String {
    let debug = e.debug().unwrap_or_default();
    let detail = debug.lines().last().unwrap_or_default().trim();
    let what = e.error().to_string();
    let both = if detail.is_empty() || detail.contains(".c(") || what.contains(detail) {
        what
    } else {
        format!("{what} {detail}")
    };
    // A server's own words may be among them.
    both.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(LONGEST_WORDS)
        .collect()
}

/// An element of GStreamer's, or that it is missing.
pub(super) fn make(name: &str) -> Result<gst::Element, String> {
    element(name).map_err(|e| e.to_string())
}
