//! How well a detector hides what it should: labels, and the score against them,
//! in stills and over time.
//!
//! Pure: knows neither files nor models. A detector never sees what stands here.

mod moves;
mod play;
mod score;
mod temporal;

pub use moves::{Move, Path, Truth};
pub use play::{Look, Schedule, Shown, alone, file, stream};
pub use score::{BUCKETS, Bucket, Report, Score};
pub use temporal::{Held, Moment, Spread, TimeReport, Timeline};

use serde::Deserialize;

use crate::detect::{Class, PixelBox};

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

/// Why labels cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LabelError {
    /// Not JSON, a missing or unknown key, a value of the wrong kind.
    #[error("{0}")]
    Syntax(String),
    /// A box without an inside, or a number that is none.
    #[error("{image}: box {index} ({xyxy:?}) is not left, top, right, bottom in pixels")]
    Box {
        /// Which picture.
        image: String,
        /// Which of its boxes, from 0.
        index: usize,
        /// What it says.
        xyxy: [f64; 4],
    },
    /// A path that leaves the folder.
    #[error("{0}: write a path inside the folder of the labels")]
    Path(String),
    /// No picture at all.
    #[error("no picture is labelled")]
    Empty,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPicture {
    image: String,
    width: u32,
    height: u32,
    boxes: Vec<RawBox>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBox {
    class: Class,
    xyxy: [f64; 4],
}

/// Reads `labels.json`: a list of `{image, width, height, boxes: [{class, xyxy}]}`.
///
/// # Errors
/// [`LabelError`] with line and column, or picture and box.
pub fn parse_labels(text: &str) -> Result<Vec<Labelled>, LabelError> {
    let raw: Vec<RawPicture> =
        serde_json::from_str(text).map_err(|e| LabelError::Syntax(e.to_string()))?;
    if raw.is_empty() {
        return Err(LabelError::Empty);
    }
    raw.into_iter().map(checked).collect()
}

fn checked(raw: RawPicture) -> Result<Labelled, LabelError> {
    let inside = std::path::Path::new(&raw.image)
        .components()
        .all(|c| matches!(c, std::path::Component::Normal(_)));
    if !inside {
        return Err(LabelError::Path(raw.image));
    }
    let mut boxes = Vec::with_capacity(raw.boxes.len());
    for (index, RawBox { class, xyxy }) in raw.boxes.into_iter().enumerate() {
        let [x0, y0, x1, y1] = xyxy;
        let at = PixelBox { x0, y0, x1, y1 };
        if !at.is_sound() || at.area() <= 0.0 {
            return Err(LabelError::Box {
                image: raw.image,
                index,
                xyxy,
            });
        }
        boxes.push((class, at));
    }
    Ok(Labelled {
        image: raw.image,
        width: raw.width,
        height: raw.height,
        boxes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_read_and_what_is_wrong_is_named() {
        let of = |image: &str, class: &str, xyxy: &str| {
            format!(
                r#"[{{"image": "{image}", "width": 64, "height": 48,
                     "boxes": [{{"class": "{class}", "xyxy": {xyxy}}}]}}]"#
            )
        };
        let good = parse_labels(&of("a/b.jpg", "face", "[1, 2, 3, 4.5]")).unwrap();
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
