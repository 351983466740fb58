//! From a network's output tensors to boxes in its input picture.
//!
//! Pure: knows neither the runtime nor the frame. Every number is looked at
//! before it is used. One that is not finite ends the decoding with an error,
//! because a box that cannot be believed means that others may be missing; the
//! caller then knows that this frame was not searched.

mod anchors;
mod centerface;
mod grid;
mod rows;

#[cfg(test)]
mod tests;

use crate::geom::Size;

use super::{DecoderKind, Descriptor, PixelBox};

/// One output of a network.
#[derive(Clone, Copy, Debug)]
pub struct Tensor<'a> {
    /// Its name in the file.
    pub name: &'a str,
    /// Its extents, outermost first.
    pub shape: &'a [usize],
    /// Its numbers, row-major.
    pub data: &'a [f32],
}

/// A box in samples of the network's input, before suppression.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// Where, in samples of the input picture.
    pub at: PixelBox,
    /// How sure, 0…1.
    pub score: f32,
}

/// More candidates than this in one picture are a fault, not a crowd.
pub const MAX_CANDIDATES: usize = 20_000;

/// Why outputs cannot be read.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DecodeError {
    /// Fewer outputs than the decoder reads.
    #[error("the {decoder:?} decoder reads {wanted} outputs, the model has {got}")]
    Outputs {
        /// Which decoder.
        decoder: DecoderKind,
        /// How many it reads.
        wanted: usize,
        /// How many there are.
        got: usize,
    },
    /// An output of another shape than the decoder and the input size demand.
    #[error("output `{name}` has the shape {got:?}, the {decoder:?} decoder needs {wanted}")]
    Shape {
        /// Which decoder.
        decoder: DecoderKind,
        /// The output.
        name: String,
        /// Its shape.
        got: Vec<usize>,
        /// What was expected, in words.
        wanted: String,
    },
    /// NaN or infinity.
    #[error("output `{name}` holds {value} at {at}: the model or its input is broken")]
    NotFinite {
        /// The output.
        name: String,
        /// The index of the number.
        at: usize,
        /// The number.
        value: f32,
    },
    /// A score that is no probability.
    #[error(
        "output `{name}` holds the score {value} at {at}, outside 0 to 1: the decoder does not fit the model"
    )]
    Score {
        /// The output.
        name: String,
        /// The index of the number.
        at: usize,
        /// The number.
        value: f32,
    },
    /// A box that is not finite or has no inside.
    #[error("output `{name}` gives an impossible box at {at}: the decoder does not fit the model")]
    Box {
        /// The output.
        name: String,
        /// The index of the box.
        at: usize,
    },
    /// More than [`MAX_CANDIDATES`].
    #[error(
        "more than {MAX_CANDIDATES} boxes above the threshold: the decoder, the mean or the scale does not fit the model"
    )]
    TooMany,
}

/// Reads the outputs of a run over an input picture of `input` samples.
///
/// # Errors
/// [`DecodeError`] when an output has the wrong shape or holds a number that
/// cannot be believed. Nothing found before that is given.
pub fn decode(
    descriptor: &Descriptor,
    outputs: &[Tensor<'_>],
    input: Size,
) -> Result<Vec<Candidate>, DecodeError> {
    let mut found = Found {
        decoder: descriptor.decoder,
        threshold: descriptor.threshold,
        candidates: Vec::new(),
    };
    match descriptor.decoder {
        DecoderKind::Boxes => rows::boxes(outputs, &mut found)?,
        DecoderKind::Yolov8 => rows::yolov8(outputs, &descriptor.class_indices, &mut found)?,
        DecoderKind::Yolov5 => rows::yolov5(outputs, &descriptor.class_indices, &mut found)?,
        DecoderKind::Centerface => centerface::decode(outputs, input, &mut found)?,
        DecoderKind::Yunet => grid::yunet(outputs, input, &mut found)?,
        DecoderKind::Scrfd => grid::scrfd(outputs, input, &mut found)?,
        DecoderKind::Retinaface => anchors::retinaface(outputs, input, &mut found)?,
    }
    Ok(found.candidates)
}

/// What a decoder has found so far.
struct Found {
    decoder: DecoderKind,
    threshold: f32,
    candidates: Vec<Candidate>,
}

impl Found {
    /// Whether a score counts. Every score passes here, so that no NaN hides a face.
    fn counts(&self, tensor: &Tensor<'_>, at: usize, score: f32) -> Result<bool, DecodeError> {
        if (-SLACK..=1.0 + SLACK).contains(&score) {
            return Ok(score >= self.threshold);
        }
        let (name, value) = (tensor.name.to_owned(), score);
        Err(if score.is_finite() {
            DecodeError::Score { name, at, value }
        } else {
            DecodeError::NotFinite { name, at, value }
        })
    }

    /// Takes a box with a score that counts.
    fn take(
        &mut self,
        tensor: &Tensor<'_>,
        at: usize,
        corners: [f64; 4],
        score: f32,
    ) -> Result<(), DecodeError> {
        let [x0, y0, x1, y1] = corners;
        let place = PixelBox { x0, y0, x1, y1 };
        if !place.is_sound() || place.area() <= 0.0 {
            let name = tensor.name.to_owned();
            return Err(DecodeError::Box { name, at });
        }
        if self.candidates.len() >= MAX_CANDIDATES {
            return Err(DecodeError::TooMany);
        }
        self.candidates.push(Candidate {
            at: place,
            score: score.clamp(0.0, 1.0),
        });
        Ok(())
    }

    /// The first `N` outputs.
    fn first<'a, 'b, const N: usize>(
        &self,
        outputs: &'b [Tensor<'a>],
    ) -> Result<&'b [Tensor<'a>; N], DecodeError> {
        outputs
            .first_chunk::<N>()
            .ok_or_else(|| self.too_few(N, outputs.len()))
    }

    fn too_few(&self, wanted: usize, got: usize) -> DecodeError {
        DecodeError::Outputs {
            decoder: self.decoder,
            wanted,
            got,
        }
    }

    fn wrong_shape(&self, tensor: &Tensor<'_>, wanted: impl Into<String>) -> DecodeError {
        DecodeError::Shape {
            decoder: self.decoder,
            name: tensor.name.to_owned(),
            got: tensor.shape.to_vec(),
            wanted: wanted.into(),
        }
    }

    /// The extents of a tensor of `N` dimensions with as many numbers as they say.
    fn extents<const N: usize>(
        &self,
        tensor: &Tensor<'_>,
        wanted: &str,
    ) -> Result<[usize; N], DecodeError> {
        let numbers = tensor
            .shape
            .iter()
            .try_fold(1_usize, |all, n| all.checked_mul(*n));
        match <[usize; N]>::try_from(tensor.shape) {
            Ok(extents) if numbers == Some(tensor.data.len()) => Ok(extents),
            _ => Err(self.wrong_shape(tensor, wanted)),
        }
    }
}

/// By how much a score may miss 0…1: a sigmoid in 32 bits may round over 1.
const SLACK: f32 = 1e-3;

/// Corners of a box about a centre.
fn about(cx: f64, cy: f64, width: f64, height: f64) -> [f64; 4] {
    let (dx, dy) = (0.5 * width, 0.5 * height);
    [cx - dx, cy - dy, cx + dx, cy + dy]
}
