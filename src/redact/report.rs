//! What was done to a recording, for the file beside it. Holds no picture.

use super::timeline::{How, Timeline};
use super::{RedactError, Settings};
use crate::detect::Class;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;

/// The version of this form.
pub(super) const FORMAT: u32 = 1;

/// What was done to one clip or picture.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The version of this form, 1.
    pub format: u32,
    /// The program and its version.
    pub program: String,
    /// The original.
    pub input: File,
    /// The masked copy.
    pub output: File,
    /// What looked.
    pub models: Vec<ModelUsed>,
    /// How it was asked for.
    pub arguments: Arguments,
    /// Width of the upright picture, samples.
    pub width: u32,
    /// Its height.
    pub height: u32,
    /// Frames of the copy.
    pub frames: u64,
    /// Time of the last frame, seconds.
    pub duration_s: f64,
    /// Frames of which a detector looked at the whole picture.
    pub searched_frames: u64,
    /// Where the decoder gave no frame for more than twice the usual time.
    pub gaps: u64,
    /// Frames covered as a whole.
    pub covered_frames: u64,
    /// The same by reason.
    pub covered: BTreeMap<&'static str, u64>,
    /// Kinds of streams beside the picture, of which only the sound can be in
    /// the copy: subtitles, data, a second camera.
    pub other_streams: Vec<String>,
    /// The subject that stayed visible.
    pub kept: Option<Kept>,
    /// Everything that was followed.
    pub tracks: Vec<Track>,
}

/// The arguments that decide the result.
#[derive(Clone, Debug, Serialize)]
pub struct Arguments {
    classes: Vec<Class>,
    every: u32,
    tiles: bool,
    keep: Option<super::Keep>,
    audio: super::Audio,
    bitrate_kbit: Option<u32>,
}

impl From<&Settings> for Arguments {
    fn from(s: &Settings) -> Self {
        Self {
            classes: s.classes.clone(),
            every: s.every,
            tiles: s.tiles,
            keep: s.keep,
            audio: s.audio,
            bitrate_kbit: s.bitrate_kbit,
        }
    }
}

/// A file by name and content.
#[derive(Clone, Debug, Serialize)]
pub struct File {
    /// Its name, without folders.
    pub name: String,
    /// SHA-256, hexadecimal.
    pub sha256: String,
    /// Bytes.
    pub bytes: u64,
}

/// A model that looked.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelUsed {
    /// What it finds.
    pub class: Class,
    /// Its name.
    pub name: String,
    /// SHA-256 of its file.
    pub sha256: String,
    /// The longer side that pictures were brought to, samples.
    pub input_long_side: u32,
    /// From this score on a detection counts.
    pub threshold: f32,
    /// From this score on it continues a track in either direction of time, or
    /// begins one that the next look must confirm.
    pub keep: f32,
}

/// What became of the subject that was to stay visible.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Kept {
    /// Its track.
    pub track: u64,
    /// Frames in which it is visible.
    pub visible_frames: u64,
    /// Frames in which it is hidden because it may be another thing.
    pub hidden_in_doubt: u64,
    /// Frames in which it is hidden because something else overlaps it.
    pub hidden_by_others: u64,
}

/// One thing that was followed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Track {
    /// Its number: the same for the same recording and arguments.
    pub id: u64,
    /// What it is.
    pub class: Class,
    /// When it is hidden first, seconds.
    pub first_s: f64,
    /// When it is hidden last, seconds.
    pub last_s: f64,
    /// Frames in which a detector found it.
    pub observations: u64,
    /// Whether it is the subject that stays visible.
    pub kept: bool,
    /// What was hidden: frame (from 0), left, top, right, bottom, samples.
    pub boxes: Vec<[i64; 5]>,
}

impl File {
    /// Reads the whole file.
    pub(super) fn of(path: &Path, called: &Path) -> Result<Self, RedactError> {
        let io = |why| RedactError::io(path, why);
        let mut file = fs::File::open(path).map_err(io)?;
        let mut sum = Sha256::new();
        let mut block = vec![0; 1 << 20];
        let mut bytes = 0;
        loop {
            let n = file.read(&mut block).map_err(io)?;
            if n == 0 {
                break;
            }
            sum.update(&block[..n]);
            bytes += n as u64;
        }
        let name = called.file_name().unwrap_or_default();
        Ok(Self {
            name: name.to_string_lossy().into_owned(),
            sha256: hex::encode(sum.finalize()),
            bytes,
        })
    }
}

/// The program's name and version.
pub(super) fn program() -> String {
    format!("greyplane {}", env!("CARGO_PKG_VERSION"))
}

/// Every track of `timeline`, in order of their numbers.
pub(super) fn tracks(timeline: &Timeline, kept: Option<u64>) -> Vec<Track> {
    let mut tracks = BTreeMap::new();
    for (index, moment) in timeline.moments.iter().enumerate() {
        let at_s = moment.at_ns as f64 * 1e-9;
        for thing in timeline.at(index).unwrap_or_default() {
            let track = tracks.entry(thing.track).or_insert_with(|| Track {
                id: thing.track,
                class: thing.class,
                first_s: at_s,
                last_s: at_s,
                observations: 0,
                kept: kept == Some(thing.track),
                boxes: Vec::new(),
            });
            track.last_s = at_s;
            track.observations += u64::from(thing.how == How::Observed);
            let b = thing.at();
            let frame = i64::try_from(index).unwrap_or(i64::MAX);
            let [x0, y0] = [b.x0, b.y0].map(|v| v.floor() as i64);
            let [x1, y1] = [b.x1, b.y1].map(|v| v.ceil() as i64);
            track.boxes.push([frame, x0, y0, x1, y1]);
        }
    }
    tracks.into_values().collect()
}
