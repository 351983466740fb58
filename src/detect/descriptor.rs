//! What must be known of a model file to use it: how its input is made and how
//! its outputs are read.
//!
//! An operator who brings an ONNX file of their own writes one of these beside
//! it, as TOML; ours stand in `models/manifest.toml`.

use serde::{Deserialize, Serialize};

use super::Class;

/// Which published family the outputs follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DecoderKind {
    /// `scores[1,N]` and `boxes[1,N,4]` (left, top, right, bottom in input
    /// pixels): what our own training writes.
    Boxes,
    /// libfacedetection's YuNet: class, object, box and landmarks at strides 8, 16, 32.
    Yunet,
    /// InsightFace's SCRFD: score and distances at strides 8, 16, 32.
    Scrfd,
    /// CenterFace: heat map, log size and offset at stride 4.
    Centerface,
    /// RetinaFace over prior boxes at strides 8, 16, 32.
    Retinaface,
    /// `[1, 4 + classes, N]`: centre and size in input pixels, class scores.
    Yolov8,
    /// `[1, N, 5 + classes]`: centre and size in input pixels, object score, class scores.
    Yolov5,
}

/// How the input tensor lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// Batch, channel, row, column.
    Nchw,
    /// Batch, row, column, channel.
    Nhwc,
}

/// The order of the three colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channels {
    /// Red first.
    Rgb,
    /// Blue first.
    Bgr,
}

/// The input tensor: `(colour − mean) · scale`, colours 0…255.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// How the tensor lies in memory.
    pub layout: Layout,
    /// The order of the colours.
    pub channels: Channels,
    /// Taken from each channel, in the tensor's own order, 0…255.
    #[serde(default)]
    pub mean: [f32; 3],
    /// By which each channel is then multiplied.
    #[serde(default = "ones")]
    pub scale: [f32; 3],
    /// The longer side a whole picture is brought to, a multiple of 32.
    pub long_side: u32,
    /// Width and height, both multiples of 32, where the file takes no other.
    #[serde(default)]
    pub fixed: Option<[u32; 2]>,
}

/// A model's input and outputs.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Descriptor {
    /// What it finds.
    pub class: Class,
    /// How its outputs are read.
    pub decoder: DecoderKind,
    /// How its input is made.
    pub input: Input,
    /// The score from which something counts as found, above 0 and below 1.
    pub threshold: f32,
    /// The score from which it is hardly ever something else: what never reached
    /// it is hidden more briefly and more closely. Left out: 0.3, or `threshold`
    /// where that is more.
    #[serde(default)]
    pub sure: Option<f32>,
    /// Intersection over union from which the weaker of two boxes is dropped.
    #[serde(default = "usual_nms_iou")]
    pub nms_iou: f32,
    /// Which of the file's own classes count (YOLO families only); empty means all.
    #[serde(default)]
    pub class_indices: Vec<usize>,
}

/// How sure a detection must be for what is followed from picture to picture.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Scores {
    /// To be hardly ever something else.
    pub sure: f32,
    /// To begin a track.
    pub begin: f32,
    /// To continue one.
    pub keep: f32,
}

/// Detections of at least this share of the threshold continue a track.
const WEAK: f32 = 0.5;
/// From this score on what a detector finds is hardly ever something else.
const SURE: f32 = 0.3;

/// What every input side must be a multiple of: the coarsest stride.
pub(super) const STRIDE: u32 = 32;
/// The longest input side, samples: beyond it memory is meant, not pictures.
pub(super) const MAX_INPUT_SIDE: u32 = 4096;

fn ones() -> [f32; 3] {
    [1.0; 3]
}

fn usual_nms_iou() -> f32 {
    0.4
}

/// Why a descriptor cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DescriptorError {
    /// Not TOML, a missing or unknown key, a value of the wrong kind.
    #[error("{0}")]
    Syntax(String),
    /// A number outside its range.
    #[error("{key} is {value}; {remedy}")]
    Range {
        /// The key.
        key: &'static str,
        /// What it holds.
        value: String,
        /// What it may hold.
        remedy: &'static str,
    },
}

impl Descriptor {
    /// Lets through what continues a track, too, and says from which score on a
    /// detection does what.
    pub fn for_tracks(&mut self) -> Scores {
        let begin = self.threshold;
        self.threshold = WEAK * begin;
        Scores {
            sure: self.sure.unwrap_or(SURE).max(begin),
            begin,
            keep: self.threshold,
        }
    }

    /// Reads and checks a descriptor.
    ///
    /// # Errors
    /// [`DescriptorError`] with line and column, or the key and its range.
    pub fn parse(text: &str) -> Result<Self, DescriptorError> {
        let read: Self =
            toml::from_str(text).map_err(|e| DescriptorError::Syntax(e.to_string()))?;
        read.check()?;
        Ok(read)
    }

    /// Checks what the types cannot.
    ///
    /// # Errors
    /// [`DescriptorError::Range`] for the first number out of range.
    pub fn check(&self) -> Result<(), DescriptorError> {
        let share = |key, value: f32| {
            // NaN is in no range.
            if value > 0.0 && value < 1.0 {
                Ok(())
            } else {
                Err(range(key, value, "write a number above 0 and below 1"))
            }
        };
        share("threshold", self.threshold)?;
        if let Some(sure) = self.sure {
            share("sure", sure)?;
        }
        share("nms_iou", self.nms_iou)?;
        check_side("input.long_side", self.input.long_side)?;
        for side in self.input.fixed.iter().flatten() {
            check_side("input.fixed", *side)?;
        }
        for mean in self.input.mean {
            if !(0.0..=255.0).contains(&mean) {
                return Err(range("input.mean", mean, "write numbers from 0 to 255"));
            }
        }
        for scale in self.input.scale {
            if !(scale > 0.0 && scale <= 255.0) {
                let remedy = "write numbers above 0 and up to 255";
                return Err(range("input.scale", scale, remedy));
            }
        }
        let yolo = matches!(self.decoder, DecoderKind::Yolov5 | DecoderKind::Yolov8);
        if !yolo && !self.class_indices.is_empty() {
            let value = format!("{:?}", self.class_indices);
            let remedy =
                "only the yolov5 and yolov8 decoders have classes of their own: leave it out";
            return Err(range("class_indices", value, remedy));
        }
        Ok(())
    }
}

fn range(key: &'static str, value: impl ToString, remedy: &'static str) -> DescriptorError {
    DescriptorError::Range {
        key,
        value: value.to_string(),
        remedy,
    }
}

fn check_side(key: &'static str, side: u32) -> Result<(), DescriptorError> {
    if side.is_multiple_of(STRIDE) && (STRIDE..=MAX_INPUT_SIDE).contains(&side) {
        return Ok(());
    }
    Err(range(key, side, "write a multiple of 32 from 32 to 4096"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        class = "face"
        decoder = "scrfd"
        threshold = 0.5
        [input]
        layout = "nchw"
        channels = "rgb"
        mean = [127.5, 127.5, 127.5]
        scale = [0.0078125, 0.0078125, 0.0078125]
        long_side = 640
    "#;

    #[test]
    fn a_descriptor_is_read_with_its_defaults() {
        let d = Descriptor::parse(GOOD).unwrap();
        assert_eq!(d.decoder, DecoderKind::Scrfd);
        assert_eq!((d.nms_iou, d.input.fixed), (0.4, None));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let cases = [
            ("threshold = 0.5", "threshold = 1.5", "threshold is 1.5"),
            ("threshold = 0.5", "threshold = nan", "threshold is NaN"),
            ("threshold = 0.5", "", "missing field `threshold`"),
            ("long_side = 640", "long_side = 650", "multiple of 32"),
            ("long_side = 640", "long_side = 0", "input.long_side is 0"),
            (
                "long_side = 640",
                "longside = 640",
                "unknown field `longside`",
            ),
            ("127.5, 127.5, 127.5", "inf, 0, 0", "input.mean is inf"),
            ("\"scrfd\"", "\"yolov9\"", "unknown variant `yolov9`"),
            ("0.5", "0.5\nclass_indices = [0]", "class_indices is [0]"),
        ];
        for (from, to, told) in cases {
            let error = Descriptor::parse(&GOOD.replacen(from, to, 1)).unwrap_err();
            assert!(error.to_string().contains(told), "{to}: {error}");
        }
    }
}
