//! Writes a frame as a PNG, so that a leak can be looked at.

use super::judge::Planes;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

/// Writes `frame` (BT.709, limited range) to `path`.
///
/// # Errors
/// Why the file cannot be written.
pub(super) fn write(path: &Path, frame: &Planes<'_>) -> std::io::Result<()> {
    let (width, height) = (frame.width, frame.height);
    let size = |n: usize| u32::try_from(n).map_err(std::io::Error::other);
    let mut encoder = png::Encoder::new(
        BufWriter::new(File::create(path)?),
        size(width)?,
        size(height)?,
    );
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut rgb = Vec::with_capacity(width * height * 3);
    for row in 0..height {
        let (y, u, v) = (
            frame.row(0, row),
            frame.row(1, row / 2),
            frame.row(2, row / 2),
        );
        for (x, y) in y.iter().enumerate() {
            let (u, v) = (u.get(x / 2).unwrap_or(&128), v.get(x / 2).unwrap_or(&128));
            rgb.extend(to_rgb([*y, *u, *v]));
        }
    }
    let mut writer = encoder.write_header().map_err(std::io::Error::other)?;
    writer.write_image_data(&rgb).map_err(std::io::Error::other)
}

/// ITU-R BT.709, limited range, to full-range R, G, B.
fn to_rgb([y, u, v]: [u8; 3]) -> [u8; 3] {
    let y = (f32::from(y) - 16.0) * 1.1644;
    let (u, v) = (f32::from(u) - 128.0, f32::from(v) - 128.0);
    [y + 1.7927 * v, y - 0.2132 * u - 0.5329 * v, y + 2.1124 * u]
        .map(|c| c.round().clamp(0.0, 255.0) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_those_of_bt709() {
        assert_eq!(to_rgb([16, 128, 128]), [0, 0, 0]);
        assert_eq!(to_rgb([235, 128, 128]), [255, 255, 255]);
        let [r, g, b] = to_rgb([78, 214, 230]);
        assert!(r > 250 && g < 5 && b > 250, "{:?}", (r, g, b));
    }
}
