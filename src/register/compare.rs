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

use super::contrast;
use super::small::Small;
use crate::geom::{self, Gaze, Mount, Optics, PixelPoint, View};
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
/// A shift is measured to a cell or two…
const AROUND: i32 = 2;
/// …when the view was turned and measured again so often at most.
const TURNS: usize = 4;
/// Pictures of other scales (in ln f) are not compared: one is blurred beside the other.
const MOST_ZOOM: f64 = 0.35;
/// Parts that a picture needs in which nothing is alike, to be another one.
const MANY: usize = 10;
/// Votes that decide at least.
const QUORUM: usize = 4;

/// What a comparison says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Compared {
    /// The pictures lie on each other as their positions say.
    Agree {
        /// Parts that say so.
        votes: usize,
        /// What is left between them, cells to the right and down: less than the positions may
        /// be off by. 0 where only parts of the picture moved.
        left: (f64, f64),
    },
    /// They lie on each other elsewhere.
    Disagree {
        /// By how much, cells to the right and down.
        shift: (f64, f64),
    },
    /// There is enough to see, and nothing of it lies anywhere near where it did.
    Strange,
    /// Too dark, too blurred, too empty, or too much is moving: nothing can be said.
    Unclear,
    /// They show different places.
    Apart,
}

/// How a small picture is seen, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outlook {
    /// Where the head looks.
    pub gaze: Gaze,
    /// Focal length, cells.
    pub focal: f64,
    /// The lens.
    pub optics: Optics,
    /// The mount.
    pub mount: Mount,
}

impl Outlook {
    fn view(&self, size: geom::Size) -> Option<View> {
        View::new(self.gaze, self.focal, size, self.optics, self.mount).ok()
    }

    /// What lies `aside` of its place in the middle of a picture seen like this one does so in one
    /// of the same place seen as `to` says: cells to the right and down of pictures of `size`.
    pub(super) fn carries(
        &self,
        aside: (f64, f64),
        to: &Self,
        size: geom::Size,
    ) -> Option<(f64, f64)> {
        let (was, is) = (self.view(size)?, to.view(size)?);
        let middle = PixelPoint {
            x: 0.5 * f64::from(size.width),
            y: 0.5 * f64::from(size.height),
        };
        let there = was.project(is.unproject(middle))?;
        let beside = is.project(was.unproject(PixelPoint {
            x: there.x + aside.0,
            y: there.y + aside.1,
        }))?;
        Some((beside.x - middle.x, beside.y - middle.y))
    }

    /// The outlook that puts in the middle what is seen `shift` beside it from this one.
    fn turned(&self, size: geom::Size, shift: Point2d) -> Option<Self> {
        let middle = PixelPoint {
            x: 0.5 * f64::from(size.width) - shift.x,
            y: 0.5 * f64::from(size.height) - shift.y,
        };
        let direction = self.view(size)?.unproject(middle);
        let (pan, tilt) = self.mount.head_towards(direction);
        let gaze = Gaze {
            pan,
            tilt,
            ..self.gaze
        };
        Some(Self { gaze, ..*self })
    }
}

/// Compares the picture `new`, seen as `is`, with `old`, seen as `was`; `tolerance` is how
/// far what `old` shows may lie from where the positions say it lies in `new`, in cells.
///
/// # Errors
/// OpenCV's.
pub fn compare(
    old: &Small,
    was: &Outlook,
    new: &Small,
    is: &Outlook,
    tolerance: f64,
) -> opencv::Result<Compared> {
    if old.size() != new.size() || !tolerance.is_finite() || tolerance > MOST_TOLERANCE {
        return Ok(Compared::Unclear);
    }
    let zoomed = (is.focal / was.focal).ln().abs();
    if zoomed.is_nan() || zoomed > MOST_ZOOM {
        return Ok(Compared::Apart);
    }
    let Some(told) = Overlay::new(old, was, new, is)? else {
        return Ok(Compared::Apart);
    };
    let parts = told.parts(tolerance)?;
    let alike = parts.iter().filter(|part| part.lies()).count();
    // What neither the one place nor the other explains.
    let unexplained = match alike {
        n if parts.len() >= MANY && n * 8 <= parts.len() => Compared::Strange,
        _ => Compared::Unclear,
    };
    let mut shift = told.shift(&[])?;
    if beyond(shift, tolerance).is_none() {
        // Nothing speaks for another place than the one that was told…
        if alike >= QUORUM && 2 * alike >= parts.len() {
            return Ok(Compared::Agree {
                votes: alike,
                left: (shift.x, shift.y),
            });
        }
        // …but what stands still may be written on the picture, or on the lens.
        shift = told.shift(&parts)?;
    }
    if beyond(shift, tolerance).is_none() {
        return Ok(unexplained);
    }
    let Some((there, turn)) = found(old, was, new, is, shift)? else {
        return Ok(unexplained);
    };
    let Some(turn) = beyond(turn, tolerance) else {
        return Ok(unexplained);
    };
    let votes = there.votes(&parts)?;
    Ok(if votes.there >= QUORUM && votes.there >= 3 * votes.here {
        Compared::Disagree {
            shift: (turn.x, turn.y),
        }
    } else if votes.here >= QUORUM && votes.here >= votes.there {
        Compared::Agree {
            votes: votes.here,
            left: (0.0, 0.0),
        }
    } else {
        unexplained
    })
}

/// Where the new picture really lies, if `shift` beside where it was told to: a turn of a
/// wide view moves its middle less than its edges, so what was measured is put right by
/// turning the view and measuring again. With the whole shift of the middle; `None` where
/// it ends beside the old picture.
fn found(
    old: &Small,
    was: &Outlook,
    new: &Small,
    is: &Outlook,
    shift: Point2d,
) -> opencv::Result<Option<(Overlay, Point2d)>> {
    let size = new.size();
    let mut whole = shift;
    for _ in 0..TURNS {
        let Some(turned) = is.turned(size, whole) else {
            return Ok(None);
        };
        let Some(overlay) = Overlay::new(old, was, new, &turned)? else {
            return Ok(None);
        };
        let left = overlay.shift(&[])?;
        if beyond(left, 1.0).is_none() {
            return Ok(Some((overlay, whole)));
        }
        whole = Point2d::new(whole.x + left.x, whole.y + left.y);
    }
    Ok(None)
}

/// `shift`, where it is more than positions may be off by.
fn beyond(shift: Point2d, tolerance: f64) -> Option<Point2d> {
    (shift.x.hypot(shift.y) > tolerance).then_some(shift)
}

/// A part that shows something to hold on to in one of the pictures.
struct Part {
    at: Rect,
    /// How alike it is to what the older picture shows where the positions say, −1…1;
    /// `None` where the newer one shows nothing.
    alike: Option<f64>,
}

impl Part {
    /// Whether it lies where the positions say.
    fn lies(&self) -> bool {
        self.alike.is_some_and(|alike| alike >= ALIKE)
    }
}

/// Which of two places parts of the picture lie at.
struct Votes {
    here: usize,
    there: usize,
}

/// Two pictures on each other.
struct Overlay {
    /// The old picture, in the view of the new one.
    old: Mat,
    new: Mat,
    /// What both show.
    shared: Rect,
}

impl Overlay {
    /// `None` where they share too little.
    fn new(old: &Small, was: &Outlook, new: &Small, is: &Outlook) -> opencv::Result<Option<Self>> {
        let size = new.size();
        let (width, height) = (side(size.width), side(size.height));
        let views = was.view(size).zip(is.view(size));
        let Some((from, to)) = views.and_then(|(was, is)| carried(&was, &is)) else {
            return Ok(None);
        };
        let map = get_perspective_transform_slice_def(from.map(point), to.map(point))?;
        let Some(shared) = shared(&map, width, height)? else {
            return Ok(None);
        };
        let mut turned = Mat::default();
        warp_perspective(
            &Mat::new_rows_cols_with_data(height, width, old.luma())?,
            &mut turned,
            &map,
            Size::new(width, height),
            INTER_LINEAR | WARP_INVERSE_MAP,
            BORDER_CONSTANT,
            Scalar::default(),
        )?;
        Ok(Some(Self {
            old: turned,
            new: Mat::new_rows_cols_with_data(height, width, new.luma())?.try_clone()?,
            shared,
        }))
    }

    /// By how much the new picture lies beside the old one, leaving out what of `parts`
    /// lies where the positions say.
    fn shift(&self, parts: &[Part]) -> opencv::Result<Point2d> {
        let float = |from: &Mat| -> opencv::Result<Mat> {
            let mut to = Mat::default();
            Mat::roi(from, self.shared)?.convert_to_def(&mut to, CV_32F)?;
            Ok(to)
        };
        let (old, mut new) = (float(&self.old)?, float(&self.new)?);
        for part in parts.iter().filter(|part| part.lies()) {
            // With what lies between it and the next.
            let (x, y) = (part.at.x - self.shared.x, part.at.y - self.shared.y);
            let apart = PARTS_APART as i32;
            let (width, height) = (apart.min(new.cols() - x), apart.min(new.rows() - y));
            let around = Rect::new(x, y, width, height);
            Mat::roi_mut(&mut new, around)?.set_to_def(&Scalar::all(128.0))?;
        }
        let mut window = Mat::default();
        create_hanning_window(&mut window, new.size()?, CV_32F)?;
        phase_correlate(&old, &new, &window, None)
    }

    /// The parts that show something in one of the pictures: what has gone out since is not
    /// alike.
    fn parts(&self, tolerance: f64) -> opencv::Result<Vec<Part>> {
        let reach = (tolerance - EXACT).ceil().max(1.0) as i32;
        let Rect {
            x: left,
            y: top,
            width,
            height,
        } = self.shared;
        let mut parts = Vec::new();
        for y in (top + reach..top + height - PART - reach).step_by(PARTS_APART) {
            for x in (left + reach..left + width - PART - reach).step_by(PARTS_APART) {
                let at = Rect::new(x, y, PART, PART);
                let shows = |picture: &Mat| contrast(&Mat::roi(picture, at)?);
                if shows(&self.new)? >= LEAST_CONTRAST {
                    if let Some(alike) = self.alike(at, reach)? {
                        let alike = Some(alike);
                        parts.push(Part { at, alike });
                    }
                } else if shows(&self.old)? >= LEAST_CONTRAST {
                    parts.push(Part { at, alike: None });
                }
            }
        }
        Ok(parts)
    }

    /// Lets parts vote for where they were told to lie, or for where they lie here.
    fn votes(&self, parts: &[Part]) -> opencv::Result<Votes> {
        let mut votes = Votes { here: 0, there: 0 };
        for part in parts {
            let Some(here) = part.alike else {
                continue;
            };
            let Some(there) = self.alike(part.at, AROUND)? else {
                continue;
            };
            if there >= ALIKE && there > here + CLEARLY {
                votes.there += 1;
            } else if here >= ALIKE && here > there + CLEARLY {
                votes.here += 1;
            }
        }
        Ok(votes)
    }

    /// How alike the part of the new picture at `at` is to the old one there and up to
    /// `reach` cells around: −1…1; `None` beyond what both show.
    fn alike(&self, at: Rect, reach: i32) -> opencv::Result<Option<f64>> {
        let side = PART + 2 * reach;
        let around = Rect::new(at.x - reach, at.y - reach, side, side);
        if (around & self.shared) != around {
            return Ok(None);
        }
        let part = Mat::roi(&self.new, at)?;
        let around = Mat::roi(&self.old, around)?;
        let mut scores = Mat::default();
        match_template_def(&around, &part, &mut scores, TM_CCOEFF_NORMED)?;
        let mut best = 0.0;
        min_max_loc(&scores, None, Some(&mut best), None, None, &no_array())?;
        Ok(Some(best))
    }
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
