//! Recordings: pictures from files, and masked ones back into files.
//!
//! [`ClipReader`] gives the frames of a clip one after another, upright and all
//! of one size; [`ClipWriter`] takes masked frames and nothing else, and lets
//! nothing through that stood beside the picture: no tags, no data streams, no
//! captions. It must not know what is looked for in them, plans or tracks.

mod demux;
mod reader;
mod sound;
mod still;
mod writer;

use std::io;
use std::path::{Path, PathBuf};

pub use reader::{ClipFrame, ClipReader};
pub use sound::Sound;
pub use still::{Still, StillForm, write_still};
pub use writer::{ClipWriter, WriterSettings};

/// Why a recording could not be read or written. Each says which file.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// GStreamer or one of its elements is missing.
    #[error("GStreamer lacks something: {0}; `make system` installs what is needed")]
    Machine(String),
    /// The file cannot be opened.
    #[error("cannot read {}: {why}", .file.display())]
    Open {
        /// Which.
        file: PathBuf,
        /// What the system says.
        why: io::Error,
    },
    /// A name that GStreamer cannot be given.
    #[error("{}: the name is not UTF-8; rename the file", .0.display())]
    Name(PathBuf),
    /// Nothing in it is video that can be decoded.
    #[error("{} holds no video that can be decoded here: {what}", .file.display())]
    NoVideo {
        /// Which.
        file: PathBuf,
        /// What was found instead.
        what: String,
    },
    /// It holds several videos, such as a view to the front and one to the rear.
    #[error(
        "{} holds more than one video; make a file of each, such as \
         `ffmpeg -i IN -map 0:v:0 -map 0:a? -c copy ONE.mp4`, and redact those", .0.display()
    )]
    SeveralVideos(PathBuf),
    /// It breaks off, or is damaged beyond what a decoder can step over.
    #[error(
        "{} cannot be decoded beyond {at_s:.1} s: {why}; a copy made by \
         `ffmpeg -i IN -c copy COPY.mkv` often can", .file.display()
    )]
    Decode {
        /// Which.
        file: PathBuf,
        /// Where, seconds from the beginning.
        at_s: f64,
        /// What the decoder says.
        why: String,
    },
    /// What was masked could not be written.
    #[error("cannot write {}: {why}", .file.display())]
    Write {
        /// Which.
        file: PathBuf,
        /// What the encoder or the system says.
        why: String,
    },
    /// A picture that cannot be read.
    #[error("{} cannot be read as a picture: {why}", .file.display())]
    Still {
        /// Which.
        file: PathBuf,
        /// Why.
        why: String,
    },
    /// A frame that is no picture we can look at.
    #[error("{}: the frame at {at_s:.3} s cannot be used: {why}", .file.display())]
    Frame {
        /// Which.
        file: PathBuf,
        /// Where, seconds from the beginning.
        at_s: f64,
        /// Why.
        why: String,
    },
}

impl MediaError {
    /// The same, told of the file that people know where a temporary one was
    /// written.
    #[must_use]
    pub fn told_of(self, known: &Path) -> Self {
        match self {
            Self::Write { why, .. } => Self::Write {
                file: known.to_owned(),
                why,
            },
            other => other,
        }
    }

    fn machine(e: impl std::fmt::Display) -> Self {
        Self::Machine(e.to_string())
    }

    fn open(file: &Path, why: io::Error) -> Self {
        let file = file.to_owned();
        Self::Open { file, why }
    }
}
