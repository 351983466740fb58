//! Still pictures: JPEG and PNG, without anything that stands beside the picture.
//!
//! The EXIF orientation is applied to the samples and then forgotten, as is all
//! other metadata. Samples become 8-bit 4:2:0, as in a clip, so that one painter
//! serves both.

use super::MediaError;
use crate::frame::{FrameError, FrameMut, FrameRef, MAX_SIDE, Matrix, Picture};
use crate::geom::Size;
use crate::paint::{MaskedFrame, Paintable};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{DynamicImage, ExtendedColorType, ImageDecoder, ImageEncoder, ImageReader, Limits};
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;

/// No picture has more luma samples: what a scan car or a drone takes has a
/// quarter of it.
const MOST_SAMPLES: u64 = 1 << 28;
/// Bytes that decoding one may take.
const MOST_MEMORY: u64 = 2 << 30;
/// Quality of written JPEG, 1 to 100.
const JPEG_QUALITY: u8 = 92;

/// How a still is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StillForm {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
}

impl StillForm {
    /// What the first bytes of a file say; `None` for anything else, and for a
    /// file that cannot be read.
    pub fn of_content(file: &Path) -> Option<Self> {
        let mut head = [0; 8];
        File::open(file).ok()?.read_exact(&mut head).ok()?;
        match head {
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a] => Some(Self::Png),
            _ => None,
        }
    }

    /// What the file's name says.
    pub fn of_name(file: &Path) -> Option<Self> {
        let ending = file.extension()?.to_str()?.to_ascii_lowercase();
        match ending.as_str() {
            "jpg" | "jpeg" => Some(Self::Jpeg),
            "png" => Some(Self::Png),
            _ => None,
        }
    }
}

/// A still picture, upright.
#[derive(Debug)]
pub struct Still {
    picture: Picture,
}

impl Still {
    /// Reads a JPEG or PNG picture.
    ///
    /// # Errors
    /// [`MediaError`] for another kind of file, a damaged one, and one that is
    /// larger than any camera's.
    pub fn read(file: &Path) -> Result<Self, MediaError> {
        let wrong = |why: String| MediaError::Still {
            file: file.to_owned(),
            why,
        };
        let form =
            StillForm::of_content(file).ok_or_else(|| wrong("neither JPEG nor PNG".to_owned()))?;
        let opened = File::open(file).map_err(|e| MediaError::open(file, e))?;
        let kind = match form {
            StillForm::Jpeg => image::ImageFormat::Jpeg,
            StillForm::Png => image::ImageFormat::Png,
        };
        let mut limits = Limits::default();
        limits.max_image_width = Some(MAX_SIDE);
        limits.max_image_height = Some(MAX_SIDE);
        limits.max_alloc = Some(MOST_MEMORY);
        let mut reader = ImageReader::with_format(BufReader::new(opened), kind);
        reader.limits(limits);
        let mut decoder = reader.into_decoder().map_err(|e| wrong(e.to_string()))?;
        let (width, height) = decoder.dimensions();
        if u64::from(width) * u64::from(height) > MOST_SAMPLES {
            let why = format!("{width}x{height} samples are more than any camera's {MOST_SAMPLES}");
            return Err(wrong(why));
        }
        let orientation = decoder.orientation().map_err(|e| wrong(e.to_string()))?;
        let mut image = DynamicImage::from_decoder(decoder).map_err(|e| wrong(e.to_string()))?;
        image.apply_orientation(orientation);
        let size = Size {
            width: image.width(),
            height: image.height(),
        };
        let rgb = opaque(image);
        // JPEG is BT.601 whatever its size; the conversion back undoes either.
        let picture = Picture::from_rgb(&rgb, size, Matrix::Bt601);
        let picture = picture.map_err(|e| wrong(e.to_string()))?;
        Ok(Self { picture })
    }

    /// The picture to look at.
    ///
    /// # Errors
    /// Never for a picture that exists.
    pub fn view(&self) -> Result<FrameRef<'_>, FrameError> {
        self.picture.frame()
    }

    /// Width and height, samples.
    pub fn size(&self) -> Size {
        self.picture.size()
    }
}

impl Paintable for Still {
    fn planes(&mut self) -> Result<FrameMut<'_>, FrameError> {
        self.picture.frame_mut()
    }
}

/// Writes a masked picture, and nothing but the picture.
///
/// # Errors
/// [`MediaError::Write`]: the file is not complete then.
pub fn write_still(
    still: &MaskedFrame<Still>,
    file: &Path,
    form: StillForm,
) -> Result<(), MediaError> {
    let failed = |why: String| MediaError::Write {
        file: file.to_owned(),
        why,
    };
    let picture = &still.inner().picture;
    let Size { width, height } = picture.size();
    let rgb = picture.to_rgb();
    let mut out = BufWriter::new(File::create(file).map_err(|e| failed(e.to_string()))?);
    let kind = ExtendedColorType::Rgb8;
    let written = match form {
        StillForm::Jpeg => JpegEncoder::new_with_quality(&mut out, JPEG_QUALITY)
            .write_image(&rgb, width, height, kind),
        StillForm::Png => PngEncoder::new(&mut out).write_image(&rgb, width, height, kind),
    };
    written.map_err(|e| failed(e.to_string()))?;
    out.flush().map_err(|e| failed(e.to_string()))
}

/// As 8-bit RGB. What is transparent becomes white: colours may lie hidden under it.
fn opaque(image: DynamicImage) -> Vec<u8> {
    if !image.color().has_alpha() {
        return image.into_rgb8().into_raw();
    }
    let rgba = image.into_rgba8();
    let over = |c: u8, a: u8| {
        let (c, a) = (u32::from(c), u32::from(a));
        ((c * a + 255 * (255 - a) + 127) / 255) as u8
    };
    rgba.pixels()
        .flat_map(|p| {
            let [r, g, b, a] = p.0;
            [over(r, a), over(g, a), over(b, a)]
        })
        .collect()
}
