//! A camera's sound, beside its masked picture.
//!
//! Where the configuration passes it, it goes past the mask as it comes, is never decoded, and
//! leaves with the picture of its moment (`lane`). It is heard in a pipeline of its own
//! (`ingest`): whatever fails there, the picture goes on. What is missing of it is silence, so a track
//! that was promised to a viewer is always there. Where it is muted the track is silence alone,
//! and the camera's sound is never received; where it is dropped there is no track.
//!
//! Whether sound may leave is the configuration's word and never depends on the picture: a voice
//! is as near when the camera looks away. Must not know who listens.

mod form;
mod ingest;
mod lane;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gstreamer as gst;

pub use form::{SoundCodec, SoundForm};
pub(super) use ingest::{Ears, is_sound};

use self::lane::{Heard, Lane};
use super::stream::EncodedMasked;
use crate::clock::{CaptureTime, Mono};

/// What becomes of a camera's sound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SoundRule {
    /// It is not received, and there is no track.
    #[default]
    Drop,
    /// It is not received; there is a track of silence.
    Mute,
    /// It leaves as it comes.
    Pass,
}

/// A piece of sound that leaves.
#[derive(Clone, Debug)]
pub struct PassedSound {
    buffer: gst::Buffer,
    form: Arc<SoundForm>,
    capture: Option<CaptureTime>,
}

impl PassedSound {
    /// The piece, coded; its stamp is on the same line as those of the pictures, and later
    /// than that of every piece before.
    pub fn buffer(&self) -> &gst::Buffer {
        &self.buffer
    }

    /// Its form.
    pub fn form(&self) -> &SoundForm {
        &self.form
    }

    /// When it was taken; missing for silence of ours and before the camera has told.
    pub fn capture(&self) -> Option<CaptureTime> {
        self.capture
    }
}

/// Takes pieces on the encoder's thread: must return at once.
pub type SoundTap = Box<dyn Fn(&PassedSound) + Send + Sync>;

/// What became of a camera's sound so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SoundStats {
    /// The codec of its track, for people; none while there is no track.
    pub codec: Option<&'static str>,
    /// Why the camera's sound does not leave though it may, where that is so.
    pub problem: Option<String>,
    /// Pieces of the camera's that left.
    pub passed: u64,
    /// Pieces that did not: too late, or too many.
    pub left_out: u64,
}

/// A form that a viewer was promised stays for so long: whoever watches has to come again
/// for another one.
const FORM_STAYS: Duration = Duration::from_secs(60);

/// The sound of one stream; all clones are one.
#[derive(Clone)]
pub(super) struct Sound(Arc<Shared>);

struct Shared {
    rule: SoundRule,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The connection whose sound is heard; 0 = none's.
    connection: u64,
    form: Option<(Arc<SoundForm>, Mono)>,
    problem: Option<String>,
    lane: Lane<gst::Buffer>,
}

impl Sound {
    pub(super) fn new(rule: SoundRule) -> Self {
        let mut state = State::default();
        if rule == SoundRule::Mute {
            state.form = Some((Arc::new(SoundForm::muted()), Mono(0)));
        }
        Self(Arc::new(Shared {
            rule,
            state: Mutex::new(state),
        }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the camera's sound is to be received at all.
    pub(super) fn is_passed(&self) -> bool {
        self.0.rule == SoundRule::Pass
    }

    /// The form of the track now; none = there is none.
    pub(super) fn form(&self) -> Option<SoundForm> {
        let state = self.lock();
        state.form.as_ref().map(|(form, _)| SoundForm::clone(form))
    }

    pub(super) fn stats(&self) -> SoundStats {
        let state = self.lock();
        SoundStats {
            codec: state.form.as_ref().map(|(form, _)| form.name()),
            problem: state.problem.clone(),
            passed: state.lane.passed,
            left_out: state.lane.left_out,
        }
    }

    /// Connection number `connection` begins: what earlier ones sent is over.
    fn begin(&self, connection: u64) {
        let mut state = self.lock();
        state.connection = connection;
        state.lane.clear();
        state.problem = None;
    }

    /// No connection's sound is heard any more.
    pub(super) fn end(&self) {
        let mut state = self.lock();
        state.connection = 0;
        state.lane.clear();
    }

    /// Its sound is refused, or failed.
    fn fail(&self, connection: u64, why: String) {
        let mut state = self.lock();
        if state.connection == connection && state.problem.as_ref() != Some(&why) {
            tracing::warn!(%why, "the camera's sound is left out");
            state.problem = Some(why);
        }
    }

    /// All that the camera offers is there, and no sound is heard of it.
    fn find_none(&self, connection: u64) {
        let known = self.lock().problem.is_some();
        if !known {
            self.fail(connection, "the camera offers none".to_owned());
        }
    }

    /// Sound of `connection` is of that form from now on.
    fn formed(&self, connection: u64, form: SoundForm, now: Mono) {
        let mut state = self.lock();
        if state.connection != connection {
            return;
        }
        let old = state.form.as_ref();
        if old.is_some_and(|(old, _)| **old == form) {
            state.problem = None;
            return;
        }
        if let Some((old, since)) = old
            && now.since(*since) < FORM_STAYS
        {
            let why = format!(
                "the camera's sound changed from {} to {} within a minute: taken with the next connection",
                old.name(),
                form.name()
            );
            state.connection = 0;
            state.problem = Some(why);
            return;
        }
        state.lane.clear();
        state.problem = None;
        state.form = Some((Arc::new(form), now));
    }

    /// A piece came over `connection`.
    fn hear(&self, connection: u64, heard: Heard<gst::Buffer>) {
        let mut state = self.lock();
        if self.is_passed() && state.connection == connection && state.form.is_some() {
            state.lane.hear(heard);
        }
    }

    /// What leaves beside `picture`. Whatever goes wrong in it, the picture has left.
    pub(super) fn beside(&self, picture: &EncodedMasked) -> Vec<PassedSound> {
        let laid = catch_unwind(AssertUnwindSafe(|| self.lay(picture)));
        laid.unwrap_or_else(|_| {
            tracing::error!("laying sound beside a picture panicked");
            Vec::new()
        })
    }

    fn lay(&self, picture: &EncodedMasked) -> Vec<PassedSound> {
        let Some(picture_ns) = picture.buffer().pts().map(gst::ClockTime::nseconds) else {
            return Vec::new();
        };
        let mut state = self.lock();
        let Some((form, _)) = state.form.clone() else {
            return Vec::new();
        };
        let capture = picture.capture().map(|at| at.0);
        let stamped = |mut buffer: gst::Buffer, stamp_ns: u64, capture: Option<i64>| {
            let own = buffer.make_mut();
            own.set_pts(gst::ClockTime::from_nseconds(stamp_ns));
            own.set_dts(None);
            PassedSound {
                buffer,
                form: form.clone(),
                capture: capture.map(CaptureTime),
            }
        };
        let laid = state.lane.beside(picture_ns, capture).into_iter();
        let mut leave: Vec<PassedSound> = laid
            .map(|piece| stamped(piece.what, piece.stamp_ns, piece.capture_ns))
            .collect();
        let muted = self.0.rule == SoundRule::Mute;
        for stamp_ns in state.lane.silence(picture_ns, form.step_ns(), muted) {
            let buffer = gst::Buffer::from_slice(form.silence());
            leave.push(stamped(buffer, stamp_ns, None));
        }
        leave
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece() -> Heard<gst::Buffer> {
        Heard {
            arrival_ns: 5,
            capture_ns: None,
            what: gst::Buffer::new(),
        }
    }

    #[test]
    fn what_is_not_to_be_passed_does_not_wait_either() {
        gst::init().unwrap();
        for (rule, waits) in [
            (SoundRule::Drop, 0),
            (SoundRule::Mute, 0),
            (SoundRule::Pass, 1),
        ] {
            let sound = Sound::new(rule);
            assert_eq!(sound.form().is_some(), rule == SoundRule::Mute);
            sound.begin(1);
            if rule == SoundRule::Pass {
                sound.hear(1, piece());
                sound.formed(1, SoundForm::muted(), Mono(0));
            }
            sound.hear(1, piece());
            sound.hear(2, piece());
            assert_eq!(sound.lock().lane.beside(5, None).len(), waits, "{rule:?}");
            sound.hear(1, piece());
            sound.end();
            sound.hear(1, piece());
            assert_eq!(sound.lock().lane.beside(500, None).len(), 0, "{rule:?}");
        }
    }

    #[test]
    fn another_form_is_taken_once_a_minute_and_said_otherwise() {
        gst::init().unwrap();
        let other = || {
            let caps = "audio/x-alaw,rate=8000,channels=1";
            SoundForm::read(&caps.parse().unwrap()).unwrap()
        };
        let sound = Sound::new(SoundRule::Pass);
        sound.begin(1);
        sound.formed(1, SoundForm::muted(), Mono(1_000_000_000));
        sound.hear(1, piece());
        sound.formed(1, other(), Mono(2_000_000_000));
        assert_eq!(sound.form(), Some(SoundForm::muted()));
        sound.hear(1, piece());
        assert_eq!(sound.lock().lane.beside(5, None).len(), 1, "the first one");
        let problem = sound.stats().problem.unwrap();
        assert!(problem.contains("G.711 µ-law to G.711 A-law"), "{problem}");
        sound.begin(2);
        assert_eq!(sound.stats().problem, None);
        sound.formed(2, other(), Mono(62_000_000_000));
        assert_eq!(sound.form(), Some(other()));
    }
}
