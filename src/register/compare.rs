//! One small picture laid over another, as their positions say, and what is left.
//!
//! The older picture is turned into the newer one's view (`cv::warpPerspective`), the
//! shift that is left between the two is measured (phase correlation), and where there is
//! one, parts of the picture vote: does this part lie where the positions say, or where
//! the shift says? A lorry that passes moves its own parts; a camera moves them all.
//! Parts without anything to hold on to (sky, a long edge) do not vote.
//!
//! Phase correlation: Kuglin and Hines, 1975. Votes by normalised cross-correlation, whose
//! value does not depend on brightness or contrast: clouds and lamps are no movement.

use super::small::Small;
use crate::geom::{PixelPoint, View};
use opencv::core::{
    BORDER_CONSTANT, CV_32F, Mat, MatTrait, MatTraitConst, Point2d, Point2f, Rect, Scalar, Size,
    min_max_loc, no_array,
};
use opencv::imgproc::{
    INTER_LINEAR, TM_CCOEFF_NORMED, WARP_INVERSE_MAP, create_hanning_window,
    get_perspective_transform_slice_def, match_template_def, phase_correlate, warp_perspective,
};

/// Pictures that share less than this of the newer one are not compared.
const LEAST_OVERLAP: f64 = 0.35;
/// How exact a comparison is, cells.
pub(super) const EXACT: f64 = 1.5;
/// What positions may be off by at most, cells, for a comparison to say anything.
const MOST_TOLERANCE: f64 = 24.0;
/// Sides of a part that votes, cells…
const PART: i32 = 20;
/// …and how far parts are apart.
const PARTS_APART: usize = 28;
/// Parts whose brightness varies less (standard deviation) show nothing.
const LEAST_CONTRAST: f64 = 4.0;
/// How alike a part must be to what it is said to be…
const ALIKE: f64 = 0.6;
/// …and how much more so there than elsewhere, to vote.
const CLEARLY: f64 = 0.12;
/// A shift is measured to a cell or two.
const AROUND: i32 = 2;
/// Pictures of other scales (in ln f) are not compared: one is blurred beside the other.
const MOST_ZOOM: f64 = 0.35;
/// Votes that decide at least.
const QUORUM: usize = 4;

/// What a comparison says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Compared {
    /// The pictures lie on each other as their positions say.
    Agree {
        /// Parts that say so.
        votes: usize,
    },
    /// They lie on each other elsewhere.
    Disagree {
        /// By how much, cells to the right and down.
        shift: (f64, f64),
    },
    /// Too dark, too blurred, too empty, or too much is moving: nothing can be said.
    Unclear,
    /// They show different places.
    Apart,
}

/// Compares the picture `new`, seen in `new_view`, with `old`, seen in `old_view`. The
/// views are those of the small pictures; `tolerance` is how far what `old` shows may lie
/// from where the positions say it lies in `new`, in cells.
///
/// # Errors
/// OpenCV's.
pub fn compare(
    old: &Small,
    old_view: &View,
    new: &Small,
    new_view: &View,
    tolerance: f64,
) -> opencv::Result<Compared> {
    if old.size() != new.size() || !tolerance.is_finite() || tolerance > MOST_TOLERANCE {
        return Ok(Compared::Unclear);
    }
    let zoomed = (new_view.focal_px() / old_view.focal_px()).ln().abs();
    if zoomed > MOST_ZOOM {
        return Ok(Compared::Apart);
    }
    let Some(overlay) = Overlay::new(old, old_view, new, new_view)? else {
        return Ok(Compared::Apart);
    };
    let here = overlay.parts_here(tolerance)?;
    let alike = here.iter().filter(|part| part.alike >= ALIKE).count();
    let mut shift = overlay.shift(&[])?;
    if beyond(shift, tolerance).is_none() {
        // Nothing speaks for another place than the one that was told…
        if alike >= QUORUM && 2 * alike >= here.len() {
            return Ok(Compared::Agree { votes: alike });
        }
        // …but what stands still may be written on the picture, or on the lens.
        shift = overlay.shift(&here)?;
    }
    let Some(shift) = beyond(shift, tolerance) else {
        return Ok(Compared::Unclear);
    };
    let votes = overlay.votes(&here, shift)?;
    Ok(if votes.there >= QUORUM && votes.there >= 3 * votes.here {
        Compared::Disagree {
            shift: (shift.x, shift.y),
        }
    } else if votes.here >= QUORUM && votes.here >= votes.there {
        Compared::Agree { votes: votes.here }
    } else {
        Compared::Unclear
    })
}

/// `shift`, where it is more than positions may be off by.
fn beyond(shift: Point2d, tolerance: f64) -> Option<Point2d> {
    (shift.x.hypot(shift.y) > tolerance).then_some(shift)
}

/// A part of the newer picture that shows something to hold on to.
struct Part {
    at: Rect,
    /// How alike it is to what the older picture shows where the positions say, −1…1.
    alike: f64,
}

/// Which of two places parts of the picture lie at.
struct Votes {
    here: usize,
    there: usize,
}

/// Two pictures on each other: what both show.
struct Overlay {
    old: Mat,
    new: Mat,
}

impl Overlay {
    /// `None` where they share too little.
    fn new(
        old: &Small,
        old_view: &View,
        new: &Small,
        new_view: &View,
    ) -> opencv::Result<Option<Self>> {
        let size = new.size();
        let (width, height) = (side(size.width), side(size.height));
        let Some(corners) = carried(old_view, new_view) else {
            return Ok(None);
        };
        let (from, to) = corners;
        let map = get_perspective_transform_slice_def(from.map(point), to.map(point))?;
        let shared = shared(&map, width, height)?;
        let Some(shared) = shared else {
            return Ok(None);
        };
        let old = Mat::new_rows_cols_with_data(height, width, old.luma())?;
        let new = Mat::new_rows_cols_with_data(height, width, new.luma())?;
        let mut turned = Mat::default();
        warp_perspective(
            &old,
            &mut turned,
            &map,
            Size::new(width, height),
            INTER_LINEAR | WARP_INVERSE_MAP,
            BORDER_CONSTANT,
            Scalar::default(),
        )?;
        Ok(Some(Self {
            old: Mat::roi(&turned, shared)?.try_clone()?,
            new: Mat::roi(&new, shared)?.try_clone()?,
        }))
    }

    /// By how much the new picture lies beside the old one, leaving out what of `parts`
    /// lies where the positions say.
    fn shift(&self, parts: &[Part]) -> opencv::Result<Point2d> {
        let float = |from: &Mat| {
            let mut to = Mat::default();
            from.convert_to_def(&mut to, CV_32F).map(|()| to)
        };
        let (old, mut new) = (float(&self.old)?, float(&self.new)?);
        for part in parts.iter().filter(|part| part.alike >= ALIKE) {
            // With what lies between it and the next.
            let (width, height) = (new.cols() - part.at.x, new.rows() - part.at.y);
            let apart = PARTS_APART as i32;
            let around = Rect::new(part.at.x, part.at.y, apart.min(width), apart.min(height));
            Mat::roi_mut(&mut new, around)?.set_to_def(&Scalar::all(128.0))?;
        }
        let mut window = Mat::default();
        create_hanning_window(&mut window, self.new.size()?, CV_32F)?;
        phase_correlate(&old, &new, &window, None)
    }

    /// The parts of the newer picture that show something.
    fn parts_here(&self, tolerance: f64) -> opencv::Result<Vec<Part>> {
        let reach = (tolerance - EXACT).ceil().max(1.0) as i32;
        let (width, height) = (self.new.cols(), self.new.rows());
        let mut parts = Vec::new();
        for y in (reach..height - PART - reach).step_by(PARTS_APART) {
            for x in (reach..width - PART - reach).step_by(PARTS_APART) {
                let at = Rect::new(x, y, PART, PART);
                if contrast(&Mat::roi(&self.new, at)?)? < LEAST_CONTRAST {
                    continue;
                }
                if let Some(alike) = self.alike(at, (0, 0), reach)? {
                    parts.push(Part { at, alike });
                }
            }
        }
        Ok(parts)
    }

    /// Lets parts vote for where the positions say, or for `shift` beside it.
    fn votes(&self, parts: &[Part], shift: Point2d) -> opencv::Result<Votes> {
        let mut votes = Votes { here: 0, there: 0 };
        // What the new picture shows here, the old one shows there.
        let by = (-shift.x.round() as i32, -shift.y.round() as i32);
        for part in parts {
            let Some(there) = self.alike(part.at, by, AROUND)? else {
                continue;
            };
            if there >= ALIKE && there > part.alike + CLEARLY {
                votes.there += 1;
            } else if part.alike >= ALIKE && part.alike > there + CLEARLY {
                votes.here += 1;
            }
        }
        Ok(votes)
    }

    /// How alike the part of the new picture at `at` is to the old one `by` beside it, and
    /// up to `reach` cells around: −1…1; `None` beyond the edge.
    fn alike(&self, at: Rect, by: (i32, i32), reach: i32) -> opencv::Result<Option<f64>> {
        let (left, top) = (at.x + by.0 - reach, at.y + by.1 - reach);
        let side = PART + 2 * reach;
        let inside = left >= 0
            && top >= 0
            && left + side <= self.old.cols()
            && top + side <= self.old.rows();
        if !inside {
            return Ok(None);
        }
        let part = Mat::roi(&self.new, at)?;
        let around = Mat::roi(&self.old, Rect::new(left, top, side, side))?;
        let mut scores = Mat::default();
        match_template_def(&around, &part, &mut scores, TM_CCOEFF_NORMED)?;
        let mut best = 0.0;
        min_max_loc(&scores, None, Some(&mut best), None, None, &no_array())?;
        Ok(Some(best))
    }
}

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

/// Four points of the new picture, and where the old one shows them.
fn carried(old: &View, new: &View) -> Option<([PixelPoint; 4], [PixelPoint; 4])> {
    let size = new.size();
    let at = |x: f64, y: f64| PixelPoint {
        x: x * f64::from(size.width),
        y: y * f64::from(size.height),
    };
    // Within the picture: a lens' distortion is no perspective, and fits best so.
    let from = [at(0.2, 0.2), at(0.8, 0.2), at(0.2, 0.8), at(0.8, 0.8)];
    let [a, b, c, d] = from.map(|p| old.project(new.unproject(p)));
    Some((from, [a?, b?, c?, d?]))
}

/// The part of the new picture that the old one shows, too; `None` where that is too
/// little. `map` leads from the new picture to the old one.
fn shared(map: &Mat, width: i32, height: i32) -> opencv::Result<Option<Rect>> {
    const COLUMNS: i32 = 16;
    const ROWS: i32 = 9;
    let mut m = [[0.0; 3]; 3];
    for (y, row) in m.iter_mut().enumerate() {
        for (x, value) in row.iter_mut().enumerate() {
            *value = *map.at_2d::<f64>(y as i32, x as i32)?;
        }
    }
    let (step_x, step_y) = (
        f64::from(width) / f64::from(COLUMNS),
        f64::from(height) / f64::from(ROWS),
    );
    let seen = |column: i32, row: i32| {
        let (x, y) = (f64::from(column) * step_x, f64::from(row) * step_y);
        let [u, v, w] = m.map(|r| r[0] * x + r[1] * y + r[2]);
        let inside = |at: f64, side: i32| (-0.5..=f64::from(side) + 0.5).contains(&at);
        w > 0.0 && inside(u / w, width) && inside(v / w, height)
    };
    // From the whole picture inwards, until all of it was seen: the side goes that hides
    // the most.
    let (mut left, mut right, mut top, mut bottom) = (0, COLUMNS, 0, ROWS);
    loop {
        let share = f64::from((right - left) * (bottom - top)) / f64::from(COLUMNS * ROWS);
        if right - left < 3 || bottom - top < 3 || share < LEAST_OVERLAP {
            return Ok(None);
        }
        let column = |x: i32| unseen((top..=bottom).map(|y| seen(x, y)));
        let row = |y: i32| unseen((left..=right).map(|x| seen(x, y)));
        let sides = [column(left), column(right), row(top), row(bottom)];
        let most = sides.iter().copied().fold(0.0, f64::max);
        if most == 0.0 {
            break;
        }
        match sides.iter().position(|&s| s == most) {
            Some(0) => left += 1,
            Some(1) => right -= 1,
            Some(2) => top += 1,
            _ => bottom -= 1,
        }
    }
    let px = |cells: i32, step: f64| (f64::from(cells) * step) as i32;
    let (x, y) = (px(left, step_x), px(top, step_y));
    let (to_x, to_y) = (px(right, step_x), px(bottom, step_y));
    Ok(Some(Rect::new(x, y, to_x - x, to_y - y)))
}

/// The share of false ones.
fn unseen(seen: impl Iterator<Item = bool>) -> f64 {
    let (mut not, mut all) = (0.0, 0.0);
    for seen in seen {
        not += f64::from(u8::from(!seen));
        all += 1.0;
    }
    if all == 0.0 { 0.0 } else { not / all }
}

fn point(p: PixelPoint) -> Point2f {
    Point2f::new(p.x as f32, p.y as f32)
}

fn side(cells: u32) -> i32 {
    i32::try_from(cells).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests;
