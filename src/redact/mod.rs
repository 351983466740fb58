//! Redaction of recordings: a clip or a picture in, the same with faces and
//! plates hidden out.
//!
//! A clip is read twice. The first time every frame is searched ([`Seeker`]);
//! the tracks then know the whole clip, so a thing is hidden from its first
//! frame on. The second time every frame is painted and written. What was not
//! searched, is damaged, or is not the frame that was searched, is covered.
//!
//! Must not know GStreamer, the command line, or where models come from.

mod clip;
mod folder;
mod hide;
mod keep;
mod outfile;
mod report;
mod seek;
mod still;
#[cfg(test)]
mod tests;
mod timeline;

use crate::detect::Class;
use crate::media::MediaError;
use crate::track::RuleFault;
use std::io;
use std::path::{Path, PathBuf};

pub use clip::redact_clip;
pub use folder::{Left, Pictures, redact_folder};
pub use keep::{CannotKeep, Keep};
pub use outfile::{Draft, same_name};
pub use report::{Arguments, File, Kept, ModelUsed, Report, Track};
pub use seek::Seeker;
pub use still::{is_still, redact_still};

/// What becomes of a clip's sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Audio {
    /// It is left as it is.
    Keep,
    /// There is none in the copy.
    Mute,
    /// Its pitch is shifted by an amount that wanders. Words, and often the
    /// voice to those who know it, can still be recognised.
    Distort,
}

/// How a recording is redacted.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// What is hidden.
    pub classes: Vec<Class>,
    /// Every so manieth frame is searched, at least 1.
    pub every: u32,
    /// Whether [`Seeker`] looks at tiles, for the report.
    pub tiles: bool,
    /// The one subject that stays visible.
    pub keep: Option<Keep>,
    /// What becomes of the sound.
    pub audio: Audio,
    /// Bit rate, kbit/s; without it the quality is held.
    pub bitrate_kbit: Option<u32>,
    /// An existing file is replaced.
    pub force: bool,
}

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The first reading of a clip.
    Searching,
    /// The second.
    Writing,
    /// A folder of pictures.
    Pictures,
}

/// How far the work is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// Frames or pictures that are done in this stage.
    pub frames: u64,
    /// The share of all the time it takes that is over, about, 0…1; `None`
    /// where the clip does not say how long it is.
    pub share: Option<f64>,
}

/// Is told how far the work is; false stops it.
pub type Watch<'a> = dyn FnMut(Progress) -> bool + 'a;

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum RedactError {
    /// The recording cannot be read or the copy not be written.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// What was to stay visible cannot.
    #[error(transparent)]
    Keep(#[from] CannotKeep),
    /// Somebody stopped the work.
    #[error("stopped; nothing was written")]
    Stopped,
    /// Somebody stopped the work on a folder.
    #[error("stopped; {0} pictures were complete and stay")]
    StoppedAfter(usize),
    /// The result's name is taken.
    #[error("{} exists; --force replaces it", .0.display())]
    Exists(PathBuf),
    /// The copy would replace the original.
    #[error("{} is the recording itself; name another file", .0.display())]
    Same(PathBuf),
    /// A file cannot be made, read or completed.
    #[error("{}: {why}", .file.display())]
    Io {
        /// Which.
        file: PathBuf,
        /// What the system says.
        why: io::Error,
    },
    /// No frame could be searched: the copy would be grey from end to end.
    #[error("no frame of {} could be searched: {why}", .file.display())]
    NotSearched {
        /// Which.
        file: PathBuf,
        /// What the detector says of the first one.
        why: String,
    },
    /// One folder lies in the other.
    #[error("{} lies in {}; name a folder elsewhere", .output.display(), .input.display())]
    Within {
        /// The folder of originals.
        input: PathBuf,
        /// The folder for the copies.
        output: PathBuf,
    },
    /// The tracker refuses its rules or the size.
    #[error("nothing can be followed: {0}")]
    Rules(#[from] RuleFault),
    /// A frame could be neither masked nor covered.
    #[error("the frame at {at_s:.3} s could not even be covered: {why}")]
    Unpaintable {
        /// Where, seconds.
        at_s: f64,
        /// Why.
        why: String,
    },
    /// The clip gave fewer or more frames the second time.
    #[error("{} gave {first} frames the first time it was read and {second} the second time; is it still being written?", .file.display())]
    Unsteady {
        /// Which.
        file: PathBuf,
        /// Frames of the first pass.
        first: u64,
        /// Frames of the second.
        second: u64,
    },
    /// The clip ends long before it says it does.
    #[error(
        "{} breaks off: it says it lasts {says_s:.1} s, but its picture ends at {ends_s:.1} s; a copy made by \
         `ffmpeg -i IN -c copy COPY.mkv` knows its true length", .file.display()
    )]
    BreaksOff {
        /// Which.
        file: PathBuf,
        /// How long it says it is, seconds.
        says_s: f64,
        /// Where it ends, seconds.
        ends_s: f64,
    },
}

impl RedactError {
    fn io(file: &Path, why: io::Error) -> Self {
        let file = file.to_owned();
        Self::Io { file, why }
    }
}
