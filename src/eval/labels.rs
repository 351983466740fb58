//! `labels.json`: what is where, in stills and in the frames of clips.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::moves::Truth;
use crate::detect::{Class, PixelBox};
use crate::geom::Size;

/// Everything that one file of labels says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Labels {
    /// Labelled pictures.
    pub stills: Vec<Labelled>,
    /// Labelled clips.
    pub clips: Vec<LabelledClip>,
}

/// One labelled picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Labelled {
    /// The file, from the folder of the labels.
    pub image: String,
    /// Its width, samples.
    pub width: u32,
    /// Its height, samples.
    pub height: u32,
    /// What is in it.
    pub boxes: Vec<(Class, PixelBox)>,
}

/// One labelled clip.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelledClip {
    /// The file, from the folder of the labels.
    pub clip: String,
    /// The size of its frames, samples.
    pub size: Size,
    /// Frames a second.
    pub fps: f64,
    /// What is in which frame, from 0. Of a frame that is not here nothing is
    /// known; one with no boxes is empty.
    pub frames: BTreeMap<usize, Vec<Truth>>,
}

/// Why labels cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LabelError {
    /// Not JSON, a missing or unknown key, a value of the wrong kind.
    #[error("{0}")]
    Syntax(String),
    /// A box without an inside, or a number that is none.
    #[error("{file}: box {index} ({xyxy:?}) is not left, top, right, bottom in pixels")]
    Box {
        /// Which picture or clip.
        file: String,
        /// Which of its boxes, from 0.
        index: usize,
        /// What it says.
        xyxy: [f64; 4],
    },
    /// A frame that is not told, told twice, or at a time that is none.
    #[error("{clip}: entry {entry} of its frames needs `index` or `t_s`, and each frame only once")]
    Frame {
        /// Which clip.
        clip: String,
        /// Which of its entries, from 0.
        entry: usize,
    },
    /// Frames a second that are none.
    #[error("{clip}: `fps` is {fps}; write 1 to 240")]
    Rate {
        /// Which clip.
        clip: String,
        /// What it says.
        fps: f64,
    },
    /// Neither one nor the other.
    #[error("entry {0} needs `image` and `boxes`, or `clip`, `fps` and `frames`")]
    Kind(usize),
    /// A path that leaves the folder.
    #[error("{0}: write a path inside the folder of the labels")]
    Path(String),
    /// No picture at all.
    #[error("no picture is labelled")]
    Empty,
}

/// A picture or a clip: serde tells line and column, [`RawEntry::checked`] the rest.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry {
    image: Option<String>,
    boxes: Option<Vec<RawBox>>,
    clip: Option<String>,
    fps: Option<f64>,
    frames: Option<Vec<RawFrame>>,
    width: u32,
    height: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBox {
    class: Class,
    xyxy: [f64; 4],
}

/// A clip as it is written.
#[derive(Serialize)]
struct RawClip<'a> {
    clip: &'a str,
    width: u32,
    height: u32,
    fps: f64,
    frames: Vec<RawFrame>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFrame {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    index: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    t_s: Option<f64>,
    boxes: Vec<RawTruth>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTruth {
    class: Class,
    id: u32,
    xyxy: [f64; 4],
    /// Less than half of it is in the picture, or it cannot be told: then it
    /// need not be hidden, but may be.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    ignore: bool,
}

/// Reads `labels.json`: a list of `{image, width, height, boxes: [{class, xyxy}]}`
/// and of `{clip, width, height, fps, frames: [{index or t_s, boxes: [{class, id,
/// xyxy, ignore}]}]}`.
///
/// # Errors
/// [`LabelError`] with line and column, or file and box.
pub fn parse_labels(text: &str) -> Result<Labels, LabelError> {
    let entries: Vec<RawEntry> =
        serde_json::from_str(text).map_err(|e| LabelError::Syntax(e.to_string()))?;
    if entries.is_empty() {
        return Err(LabelError::Empty);
    }
    let mut labels = Labels::default();
    for (i, entry) in entries.into_iter().enumerate() {
        let size = Size {
            width: entry.width,
            height: entry.height,
        };
        match entry {
            RawEntry {
                image: Some(image),
                boxes: Some(boxes),
                clip: None,
                fps: None,
                frames: None,
                ..
            } => labels.stills.push(checked(image, size, boxes)?),
            RawEntry {
                clip: Some(clip),
                fps: Some(fps),
                frames: Some(frames),
                image: None,
                boxes: None,
                ..
            } => labels.clips.push(checked_clip(clip, size, fps, frames)?),
            _ => return Err(LabelError::Kind(i)),
        }
    }
    Ok(labels)
}

fn inside(file: &str) -> Result<(), LabelError> {
    let inside = std::path::Path::new(file)
        .components()
        .all(|c| matches!(c, std::path::Component::Normal(_)));
    inside
        .then_some(())
        .ok_or_else(|| LabelError::Path(file.to_owned()))
}

fn checked_box(file: &str, index: usize, xyxy: [f64; 4]) -> Result<PixelBox, LabelError> {
    let [x0, y0, x1, y1] = xyxy;
    let at = PixelBox { x0, y0, x1, y1 };
    if at.is_sound() && at.area() > 0.0 {
        return Ok(at);
    }
    let file = file.to_owned();
    Err(LabelError::Box { file, index, xyxy })
}

fn checked(image: String, size: Size, raw: Vec<RawBox>) -> Result<Labelled, LabelError> {
    inside(&image)?;
    let mut boxes = Vec::with_capacity(raw.len());
    for (index, RawBox { class, xyxy }) in raw.into_iter().enumerate() {
        boxes.push((class, checked_box(&image, index, xyxy)?));
    }
    Ok(Labelled {
        image,
        width: size.width,
        height: size.height,
        boxes,
    })
}

fn checked_clip(
    clip: String,
    size: Size,
    fps: f64,
    raw: Vec<RawFrame>,
) -> Result<LabelledClip, LabelError> {
    inside(&clip)?;
    if !(1.0..=240.0).contains(&fps) {
        return Err(LabelError::Rate { clip, fps });
    }
    let mut frames = BTreeMap::new();
    for (entry, frame) in raw.into_iter().enumerate() {
        let at = match (frame.index, frame.t_s) {
            (Some(index), None) => Some(index),
            (None, Some(s)) if (0.0..1e6).contains(&s) => Some((s * fps).round() as usize),
            _ => None,
        };
        let mut truths = Vec::with_capacity(frame.boxes.len());
        for (index, b) in frame.boxes.into_iter().enumerate() {
            truths.push(Truth {
                id: b.id,
                class: b.class,
                at: checked_box(&clip, index, b.xyxy)?,
                counts: !b.ignore,
            });
        }
        let Some(at) = at.filter(|at| !frames.contains_key(at)) else {
            return Err(LabelError::Frame { clip, entry });
        };
        frames.insert(at, truths);
    }
    Ok(LabelledClip {
        clip,
        size,
        fps,
        frames,
    })
}

/// The `labels.json` of clips.
///
/// # Errors
/// Numbers that JSON cannot hold.
pub fn write_labels(clips: &[LabelledClip]) -> Result<String, LabelError> {
    let truth = |t: &Truth| RawTruth {
        class: t.class,
        id: t.id,
        // A hundredth of a sample is more than anybody labels.
        xyxy: [t.at.x0, t.at.y0, t.at.x1, t.at.y1].map(|v| (v * 100.0).round() / 100.0),
        ignore: !t.counts,
    };
    let frame = |(index, truths): (&usize, &Vec<Truth>)| RawFrame {
        index: Some(*index),
        t_s: None,
        boxes: truths
            .iter()
            .filter(|t| t.at.width() >= 0.01 && t.at.height() >= 0.01)
            .map(truth)
            .collect(),
    };
    let raw = clips.iter().map(|clip| RawClip {
        clip: &clip.clip,
        width: clip.size.width,
        height: clip.size.height,
        fps: clip.fps,
        frames: clip.frames.iter().map(frame).collect(),
    });
    let raw: Vec<RawClip<'_>> = raw.collect();
    serde_json::to_string(&raw).map_err(|e| LabelError::Syntax(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clips_are_read_as_they_are_written() {
        let of = |fps: &str, frames: &str| {
            format!(
                r#"[{{"clip": "a.mp4", "width": 64, "height": 48, "fps": {fps},
                     "frames": [{frames}]}}]"#
            )
        };
        let face = r#"{"class": "face", "id": 7, "xyxy": [1, 2, 3, 4]}"#;
        let gone = r#"{"class": "face", "id": 8, "xyxy": [0, 2, 1, 4], "ignore": true}"#;
        let frames =
            format!(r#"{{"index": 3, "boxes": [{face}, {gone}]}}, {{"t_s": 0.4, "boxes": []}}"#);
        let read = parse_labels(&of("10", &frames)).unwrap();
        let clip = &read.clips[0];
        assert_eq!(clip.frames.keys().copied().collect::<Vec<_>>(), [3, 4]);
        let told: Vec<_> = clip.frames[&3].iter().map(|t| (t.id, t.counts)).collect();
        assert_eq!(told, [(7, true), (8, false)]);
        let again = parse_labels(&write_labels(&read.clips).unwrap()).unwrap();
        assert_eq!(again, read);
        let cases = [
            (of("0", &frames), "1 to 240"),
            (of("10", r#"{"boxes": []}"#), "entry 0 of its frames"),
            (
                of("10", r#"{"t_s": -1, "boxes": []}"#),
                "entry 0 of its frames",
            ),
            (
                of(
                    "10",
                    r#"{"index": 3, "boxes": []}, {"t_s": 0.3, "boxes": []}"#,
                ),
                "entry 1",
            ),
            (
                of(
                    "10",
                    r#"{"index": 3, "boxes": [{"class": "face", "xyxy": [1, 2, 3, 4]}]}"#,
                ),
                "`id`",
            ),
            (
                r#"[{"clip": "a.mp4", "width": 64, "height": 48}]"#.to_owned(),
                "entry 0 needs",
            ),
        ];
        for (text, told) in cases {
            let error = parse_labels(&text).unwrap_err();
            assert!(error.to_string().contains(told), "{text}: {error}");
        }
    }

    #[test]
    fn labels_are_read_and_what_is_wrong_is_named() {
        let of = |image: &str, class: &str, xyxy: &str| {
            format!(
                r#"[{{"image": "{image}", "width": 64, "height": 48,
                     "boxes": [{{"class": "{class}", "xyxy": {xyxy}}}]}}]"#
            )
        };
        let good = parse_labels(&of("a/b.jpg", "face", "[1, 2, 3, 4.5]")).unwrap();
        let good = good.stills;
        assert_eq!(good[0].boxes[0].0, Class::Face);
        assert_eq!(good[0].boxes[0].1.height(), 2.5);
        let cases = [
            (of("a.jpg", "dog", "[1, 2, 3, 4]"), "unknown variant `dog`"),
            (of("a.jpg", "face", "[3, 2, 1, 4]"), "a.jpg: box 0"),
            (of("a.jpg", "face", "[3, 2, 3, 4]"), "a.jpg: box 0"),
            (of("a.jpg", "face", "[1, 2, 3]"), "line 2"),
            (of("../a.jpg", "face", "[1, 2, 3, 4]"), "inside the folder"),
            (of("/a.jpg", "face", "[1, 2, 3, 4]"), "inside the folder"),
            ("[]".to_owned(), "no picture"),
        ];
        for (text, told) in cases {
            let error = parse_labels(&text).unwrap_err();
            assert!(error.to_string().contains(told), "{text}: {error}");
        }
    }
}
