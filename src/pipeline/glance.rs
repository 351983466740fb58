//! One short look at a camera's stream: what comes, how soon, and whether the gateway
//! would take it. The same connection as the gateway's, with nothing behind it: the
//! pictures are counted and thrown away.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crossbeam_channel::{Receiver, bounded};
use gst::prelude::*;
use gstreamer as gst;

use super::CannotStart;
use super::camera::{listen, within};
use super::encoder::element;
use super::privacymask::{form_refused, turned};
use super::rtptime::stream_ns;
use super::sound::{Sound, SoundRule};
use super::source::{self, Beside, News, SourceSettings, What};
use super::stamps;
use crate::clock::{Clock, Mono};
use crate::stamp::{Captured, Chooser, Untimed};

/// How often it is asked whether to go on.
const LOOK_EVERY: Duration = Duration::from_millis(100);
const END_WITHIN: Duration = Duration::from_secs(3);

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Glance {
    /// The codec, for people; none where nothing that comes can be taken.
    pub codec: Option<&'static str>,
    /// Width and height of the picture, pixels.
    pub size: Option<(u32, u32)>,
    /// Pictures that came.
    pub frames: u32,
    /// Pictures per second, from the first to the last.
    pub fps: Option<f64>,
    /// From the beginning of the connection to the first picture.
    pub first_frame: Option<Duration>,
    /// From there to the first picture whose capture time is known: it carried a stamp,
    /// or the first sender report had come.
    pub first_capture: Option<Duration>,
    /// What was told of the newest picture's capture time.
    pub timed: Option<Result<Captured, Untimed>>,
    /// Why the gateway would not take it, or why nothing came, in the words of the gateway.
    pub refused: Option<String>,
}

#[derive(Debug, Default)]
struct Seen {
    glance: Glance,
    chooser: Chooser,
    begun: Option<Mono>,
}

/// Looks for `looks_for`, or less where the stream is refused, ends, or `stop` is set.
///
/// # Errors
/// [`CannotStart`] where this machine cannot look at all, or the address is none.
pub fn glance(
    settings: &SourceSettings,
    looks_for: Duration,
    clock: &Arc<dyn Clock>,
    stop: &AtomicBool,
) -> Result<Glance, CannotStart> {
    super::start_gstreamer()?;
    settings.endpoint()?;
    let pipeline = gst::Pipeline::with_name("glance");
    let (news, heard) = bounded(64);
    listen(&pipeline, &news)?;
    let nothing = Beside {
        metadata: None,
        sound: Sound::new(SoundRule::Drop),
        clock: clock.clone(),
    };
    let connection = source::connect(settings, 1, &news, nothing)?;
    let sink = element("fakesink")?;
    sink.set_property("sync", false);
    sink.set_property("async", false);
    let began = clock.mono();
    let seen = Arc::new(Mutex::new(Seen::default()));
    let input = sink.static_pad("sink").ok_or(CannotStart::Link)?;
    count(&input, &seen, clock, began);
    let linked = pipeline
        .add(&connection.bin)
        .and_then(|()| pipeline.add(&sink))
        .and_then(|()| connection.bin.link(&sink));
    linked.map_err(|_| CannotStart::Link)?;
    let started = pipeline.set_state(gst::State::Playing);
    let ended = match started {
        Ok(_) => wait(&heard, looks_for, clock, began, stop),
        Err(e) => Some(e.to_string()),
    };
    let (complaint, codec) = (connection.complaint(), connection.codec());
    // A connection that hangs is left behind to end by itself.
    within(END_WITHIN, move || {
        let _ = pipeline.set_state(gst::State::Null);
    });
    let mut found = lock(&seen).glance.clone();
    found.codec = codec;
    let nothing = || {
        let seconds = looks_for.as_secs_f64();
        (found.frames == 0).then(|| format!("no picture came within {seconds:.0} s"))
    };
    found.refused = complaint
        .or_else(|| found.refused.take())
        .or(ended)
        .or_else(nothing);
    Ok(found)
}

/// Until the time is over; why it was over sooner.
fn wait(
    heard: &Receiver<News>,
    looks_for: Duration,
    clock: &Arc<dyn Clock>,
    began: Mono,
    stop: &AtomicBool,
) -> Option<String> {
    while clock.mono().since(began) < looks_for && !stop.load(Ordering::SeqCst) {
        if let Ok(News { what, .. }) = heard.recv_timeout(LOOK_EVERY)
            && let What::Down(why) | What::OutputFailed(why) = what
        {
            return Some(why);
        }
    }
    None
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

fn count(pad: &gst::Pad, seen: &Arc<Mutex<Seen>>, clock: &Arc<dyn Clock>, began: Mono) {
    let (seen, clock) = (seen.clone(), clock.clone());
    let kinds = gst::PadProbeType::BUFFER | gst::PadProbeType::EVENT_DOWNSTREAM;
    pad.add_probe(kinds, move |_, info| {
        let mut seen = lock(&seen);
        match &info.data {
            Some(gst::PadProbeData::Buffer(buffer)) => {
                let now = clock.mono();
                let claims = stamps::claims(buffer);
                let timed = seen.chooser.take(&claims, stream_ns(buffer).unwrap_or(0));
                seen.frame(now, now.since(began), timed);
            }
            Some(gst::PadProbeData::Event(event)) => seen.event(event),
            _ => {}
        }
        gst::PadProbeReturn::Ok
    });
}

impl Seen {
    fn frame(&mut self, now: Mono, after: Duration, timed: Result<Captured, Untimed>) {
        let glance = &mut self.glance;
        glance.frames += 1;
        glance.first_frame.get_or_insert(after);
        glance.timed = Some(timed);
        if timed.is_ok() {
            glance.first_capture.get_or_insert(after);
        }
        let begun = *self.begun.get_or_insert(now);
        let passed_s = now.since(begun).as_secs_f64();
        glance.fps =
            (glance.frames > 1 && passed_s > 0.0).then(|| f64::from(glance.frames - 1) / passed_s);
    }

    fn event(&mut self, event: &gst::Event) {
        match event.view() {
            gst::EventView::Caps(caps) => {
                let caps = caps.caps_owned();
                let side = |s: &gst::StructureRef, name| s.get::<i32>(name).ok()?.try_into().ok();
                self.glance.size = caps
                    .structure(0)
                    .and_then(|s| Some((side(s, "width")?, side(s, "height")?)));
                self.glance.refused = form_refused(caps);
            }
            gst::EventView::Tag(tags) => {
                if let Some(turn) = tags.tag().get::<gst::tags::ImageOrientation>() {
                    let refused = turned(turn.get());
                    self.glance.refused = refused.or_else(|| self.glance.refused.take());
                }
            }
            _ => {}
        }
    }
}
