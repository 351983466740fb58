//! Whether the picture agrees with where the camera says it looks.
//!
//! Telemetry can lie with a straight face: a position that stands still under a fresh time
//! stamp, a clock that is half a second off, a head that slipped. Then zones are drawn
//! beside the houses, and nothing in the numbers shows it. The picture does: two pictures
//! and the two positions that go with them must turn alike. What is found here may cover a
//! picture; it never uncovers one, and it never moves a zone.
//!
//! [`Small`] is a picture made small, [`compare()`] lays one over the other as their
//! positions say and measures what is left, [`PictureWatch`] remembers which pictures were
//! in order and decides.
//!
//! Of a camera that cannot tell where it looks, the picture alone says whether it rests on a
//! preset: [`Reference`] is a place that a person vouched for, [`PresetWatch`] says of every
//! picture whether it shows one of them. Here alone something is shown because of what is
//! seen; so it is asked anew of each picture, and nothing is learnt by itself.
//!
//! This module and the simulator's renderer are the only ones that know OpenCV. It must not
//! know zones, plans or GStreamer.

mod compare;
mod presets;
mod reference;
mod small;
#[cfg(test)]
mod testing;
mod watch;

pub use compare::{Compared, Outlook, compare};
pub use presets::{Away, PresetWatch, Rest};
pub use reference::{Cells, GROWN, Reference, Unfit};
pub use small::Small;
pub use watch::{Aspect, PictureWatch, Seen};

use opencv::core::MatTraitConst;

/// Standard deviation of a part's brightness.
fn contrast(part: &impl MatTraitConst) -> opencv::Result<f64> {
    let (mut sum, mut squares) = (0.0, 0.0);
    for y in 0..part.rows() {
        for x in 0..part.cols() {
            let luma = f64::from(*part.at_2d::<u8>(y, x)?);
            sum += luma;
            squares += luma * luma;
        }
    }
    let n = f64::from((part.rows() * part.cols()).max(1));
    Ok((squares / n - (sum / n).powi(2)).max(0.0).sqrt())
}
