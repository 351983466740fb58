//! A picture of a place, kept, and whether another picture shows exactly the same.
//!
//! For cameras that cannot tell where they look: what stands in for a position is a picture
//! that a person vouched for. Parts of it, spread over all that may be compared, must lie
//! where they lay. What is left between the two pictures is taken as a shift, a turn and a
//! zoom; where it would reach further than a cell and a quarter in any corner of the picture, the
//! place is another one. So a zoom about the middle is seen, though the middle stands still.
//!
//! Cells that are not known (they are private, or they moved) are black, are kept nowhere
//! and are never compared. Likeness is normalised cross-correlation, as in
//! [`compare`](super::compare()): clouds and lamps are no movement.

use super::contrast;
use super::small::Small;
use crate::geom::Size;
use opencv::core::{Mat, MatTraitConst, Rect};
use opencv::imgproc::{TM_CCOEFF_NORMED, match_template_def};
use std::fmt;

/// Zones must grow by this much where a picture was found to be the same, cells. What is fitted to
/// its parts (`REACHES`) bounds where it lies on average, for a shift; a pan through a wide lens
/// carries what no part tells of further: 1.7 cells where 60° are in view, 3.1 of 90°. So may the
/// still on which zones were drawn lie beside the reference, and a picture that is drawn out
/// while the shutter is open reaches twice as far as its average.
pub const GROWN: f64 = 7.0;
/// A picture that lies further beside the reference than this, in any of its corners, is
/// another one; cells.
const REACHES: f64 = 1.25;
/// Sides of a part that is looked for, cells…
const PART: i32 = 16;
/// …how far around its place…
const AROUND: i32 = 2;
/// …and how far parts are apart, about.
const APART: i32 = 24;
/// Where a part cannot be used at its place, it may be moved by so much.
const MOVED: i32 = 6;
/// Parts whose brightness varies less (standard deviation) show nothing.
const LEAST_CONTRAST: f64 = 4.0;
/// How alike a part must be to what it was…
const ALIKE: f64 = 0.75;
/// …and at most to what lies [`AROUND`] beside it, or nobody could tell where it lies: a
/// long edge looks the same all along.
const DISTINCT: f64 = 0.92;
/// The share of parts that must be where they were.
const QUORUM: f64 = 0.6;
/// The least number of parts away from the upper and lower rim: cameras write there, and
/// what they write stands still whatever the head does.
const LEAST_PARTS: usize = 10;
/// How high those rims are, share of the height.
const RIM: f64 = 0.15;
/// Parts must be spread over this much of the width and of the height at least.
const SPREAD: [f64; 2] = [0.5, 0.35];
/// How exactly a part's place is measured at best, cells.
const EXACT: f64 = 0.1;
/// A cell whose brightness varied by more while it was learnt is not known.
const FLICKER: u8 = 24;
/// Pictures that are needed to learn one.
const LEAST_PICTURES: usize = 8;
/// Of those, this share must show the place as it was learnt: lorries pass.
const SAME: f64 = 0.8;
/// So near must they lie, cells: nothing may creep.
const STILL: f64 = 0.8;
/// What is looked at before parts are looked for: so many parts, where they were…
const GLANCES: usize = 32;
/// …of which half must be a little like what they were.
const A_LITTLE: f64 = 0.15;

/// A part, and how far it lies beside its place, cells to the right and down.
type Lying = (Rect, (f64, f64));

/// A picture of a place.
#[derive(Clone)]
pub struct Reference {
    size: Size,
    cell: u32,
    luma: Vec<u8>,
    known: Vec<bool>,
    /// In an order in which any few are spread over the picture.
    parts: Vec<Rect>,
}

// By hand: a derived one would write the picture into a log.
impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Size { width, height } = self.size;
        write!(f, "Reference({width}x{height}, {} parts)", self.parts.len())
    }
}

/// Why no reference can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Too few pictures came.
    #[error("too few pictures came")]
    TooFew,
    /// The pictures are not of one place.
    #[error("the picture did not stand still")]
    Moved,
    /// There is too little to hold on to.
    #[error("outside the zones there is too little in the picture to tell this place by")]
    Empty,
    /// What was given does not belong together.
    #[error("the picture is damaged")]
    Damaged,
}

/// Which cells of a small picture must not be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cells {
    size: Size,
    hidden: Vec<bool>,
}

impl Cells {
    /// The cells of a picture of `size` cells of `cell` pixels in which `hides` says so of
    /// any pixel, and those beside them.
    pub fn of(size: Size, cell: u32, hides: impl Fn(usize, usize) -> bool) -> Self {
        let (width, height) = (size.width as usize, size.height as usize);
        let cell = cell as usize;
        let mut hidden = vec![false; width * height];
        for y in 0..height {
            for x in 0..width {
                let mut rows = y * cell..(y + 1) * cell;
                if !rows.any(|py| (x * cell..(x + 1) * cell).any(|px| hides(px, py))) {
                    continue;
                }
                for beside_y in y.saturating_sub(1)..(y + 2).min(height) {
                    for beside_x in x.saturating_sub(1)..(x + 2).min(width) {
                        hidden[beside_y * width + beside_x] = true;
                    }
                }
            }
        }
        Self { size, hidden }
    }

    /// Hides what `other` hides, too; all, where it is of another size.
    pub fn add(&mut self, other: &Self) {
        let same = self.size == other.size;
        for (i, hidden) in self.hidden.iter_mut().enumerate() {
            *hidden |= !same || other.hidden[i];
        }
    }
}

impl Reference {
    /// Learns a place from `pictures` of some seconds, in which nothing that `hidden` names
    /// is kept. What moved in them is not kept either.
    ///
    /// # Errors
    /// [`Unfit`]; also where OpenCV fails.
    pub fn learn(pictures: &[Small], hidden: &Cells) -> Result<Self, Unfit> {
        let [first, ..] = pictures else {
            return Err(Unfit::TooFew);
        };
        if pictures.len() < LEAST_PICTURES {
            return Err(Unfit::TooFew);
        }
        let (size, cell) = (first.size(), first.cell());
        let alike = |p: &Small| p.size() == size && p.cell() == cell;
        if hidden.size != size || !pictures.iter().all(alike) {
            return Err(Unfit::Moved);
        }
        let mut luma = Vec::with_capacity(first.luma().len());
        let mut known = Vec::with_capacity(first.luma().len());
        let mut levels = Vec::with_capacity(pictures.len());
        for i in 0..first.luma().len() {
            levels.clear();
            levels.extend(pictures.iter().map(|p| p.luma()[i]));
            levels.sort_unstable();
            let tenth = levels.len() / 10;
            let (low, high) = (levels[tenth], levels[levels.len() - 1 - tenth]);
            known.push(!hidden.hidden[i] && high - low <= FLICKER);
            luma.push(levels[levels.len() / 2]);
        }
        let learnt = Self::of(size, cell, luma, known)?;
        let mut still = 0;
        for picture in pictures {
            let left = learnt.left_of(picture).map_err(|_| Unfit::Damaged)?;
            still += usize::from(left.is_some_and(|cells| cells <= STILL));
        }
        match still as f64 >= SAME * pictures.len() as f64 {
            true => Ok(learnt),
            false => Err(Unfit::Moved),
        }
    }

    /// A reference of `size` cells of `cell` pixels, as it was kept: brightness row by row,
    /// and which cells are known.
    ///
    /// # Errors
    /// [`Unfit`].
    pub fn of(size: Size, cell: u32, mut luma: Vec<u8>, known: Vec<bool>) -> Result<Self, Unfit> {
        let cells = u64::from(size.width) * u64::from(size.height);
        let fits = |n: usize| u64::try_from(n) == Ok(cells);
        if !fits(luma.len()) || !fits(known.len()) || cell == 0 || cells > 1 << 20 {
            return Err(Unfit::Damaged);
        }
        for (luma, known) in luma.iter_mut().zip(&known) {
            if !known {
                *luma = 0;
            }
        }
        let mut reference = Self {
            size,
            cell,
            luma,
            known,
            parts: Vec::new(),
        };
        reference.parts = reference.telling().map_err(|_| Unfit::Damaged)?;
        let inner = reference.parts.iter().filter(|part| reference.counts(part));
        match inner.count() >= LEAST_PARTS && reference.spread(&reference.parts) {
            true => Ok(reference),
            false => Err(Unfit::Empty),
        }
    }

    /// Everything of `picture`, nothing of it hidden: to see whether the next is the same.
    /// Never kept longer than that.
    pub(super) fn of_all(picture: &Small) -> Result<Self, Unfit> {
        let known = vec![true; picture.luma().len()];
        Self::of(
            picture.size(),
            picture.cell(),
            picture.luma().to_vec(),
            known,
        )
    }

    /// Its size, cells.
    pub fn size(&self) -> Size {
        self.size
    }

    /// How many pixels of the picture a cell is wide and high.
    pub fn cell(&self) -> u32 {
        self.cell
    }

    /// Brightness, row by row; 0 where it is not known.
    pub fn luma(&self) -> &[u8] {
        &self.luma
    }

    /// Which cells are known.
    pub fn known(&self) -> &[bool] {
        &self.known
    }

    /// Whether `picture` shows this place, no more than a cell or two beside it.
    ///
    /// # Errors
    /// OpenCV's.
    pub fn is_seen_in(&self, picture: &Small) -> opencv::Result<bool> {
        Ok(self.left_of(picture)?.is_some_and(|left| left <= REACHES))
    }

    /// Whether `other` shows this place, as far as both are known.
    ///
    /// # Errors
    /// OpenCV's.
    pub fn is_like(&self, other: &Self) -> opencv::Result<bool> {
        if (self.size, self.cell) != (other.size, other.cell) {
            return Ok(false);
        }
        let picture = Small::of_cells(other.size, other.cell, other.luma.clone());
        self.is_seen_in(&picture)
    }

    /// How far, in the corner where it is furthest, `picture` may lie beside this one, cells;
    /// `None` where it shows something else, or too little.
    fn left_of(&self, picture: &Small) -> opencv::Result<Option<f64>> {
        if (picture.size(), picture.cell()) != (self.size, self.cell) || !self.is_a_little(picture)
        {
            return Ok(None);
        }
        let (width, height) = (side(self.size.width), side(self.size.height));
        let new = Mat::new_rows_cols_with_data(height, width, picture.luma())?;
        let old = Mat::new_rows_cols_with_data(height, width, &self.luma)?;
        let all = self.parts.iter().filter(|part| self.counts(part)).count();
        let needed = (QUORUM * all as f64).ceil() as usize;
        let may_miss = all.saturating_sub(needed);
        let (mut lie, mut missed) = (Vec::new(), 0);
        for part in &self.parts {
            match lies(&old, &new, *part)? {
                Some(shift) => lie.push((*part, shift)),
                None if self.counts(part) => {
                    missed += 1;
                    if missed > may_miss {
                        return Ok(None);
                    }
                }
                None => {}
            }
        }
        let parts: Vec<Rect> = lie.iter().map(|(part, _)| *part).collect();
        if lie.len() < LEAST_PARTS || !self.spread(&parts) {
            return Ok(None);
        }
        Ok(Some(self.furthest(&lie)))
    }

    /// How far a shift, a turn and a zoom that fit `lie` best may carry a corner.
    fn furthest(&self, lie: &[Lying]) -> f64 {
        let n = lie.len() as f64;
        let at = |part: &Rect| {
            let half = 0.5 * f64::from(PART);
            (f64::from(part.x) + half, f64::from(part.y) + half)
        };
        let mean = |of: &dyn Fn(&Lying) -> f64| lie.iter().map(of).sum::<f64>() / n;
        let middle = (mean(&|l| at(&l.0).0), mean(&|l| at(&l.0).1));
        let shift = (mean(&|l| l.1.0), mean(&|l| l.1.1));
        let (mut spread, mut zoom, mut turn) = (0.0, 0.0, 0.0);
        for (part, (dx, dy)) in lie {
            let (x, y) = (at(part).0 - middle.0, at(part).1 - middle.1);
            spread += x * x + y * y;
            zoom += x * dx + y * dy;
            turn += x * dy - y * dx;
        }
        if spread <= 0.0 {
            return f64::INFINITY;
        }
        let (zoom, turn) = (zoom / spread, turn / spread);
        let carried = |(x, y): (f64, f64)| {
            let (x, y) = (x - middle.0, y - middle.1);
            (
                shift.0 + zoom * x - turn * y,
                shift.1 + turn * x + zoom * y,
                x * x + y * y,
            )
        };
        let left: f64 = lie
            .iter()
            .map(|(part, (dx, dy))| {
                let (x, y, _) = carried(at(part));
                (dx - x).powi(2) + (dy - y).powi(2)
            })
            .sum();
        let exact = (left / (2.0 * n - 4.0).max(1.0)).sqrt().max(EXACT);
        let (width, height) = (f64::from(self.size.width), f64::from(self.size.height));
        [(0.0, 0.0), (width, 0.0), (0.0, height), (width, height)]
            .into_iter()
            .map(|corner| {
                let (x, y, far) = carried(corner);
                x.hypot(y) + 3.0 * exact * (1.0 / n + far / spread).sqrt()
            })
            .fold(0.0, f64::max)
    }

    /// Whether some parts are a little like what they were, where they were: what is
    /// altogether another picture is seen so in a moment.
    fn is_a_little(&self, picture: &Small) -> bool {
        let width = self.size.width as usize;
        let looked = self.parts.iter().take(GLANCES);
        let like = looked.filter(|part| {
            let (mut n, mut sums) = (0.0, [0.0; 5]);
            for y in part.y..part.y + part.height {
                for x in part.x..part.x + part.width {
                    let i = y as usize * width + x as usize;
                    let (a, b) = (f64::from(self.luma[i]), f64::from(picture.luma()[i]));
                    n += 1.0;
                    for (sum, add) in sums.iter_mut().zip([a, b, a * a, b * b, a * b]) {
                        *sum += add;
                    }
                }
            }
            let [a, b, aa, bb, ab] = sums.map(|sum| sum / n);
            let both = ((aa - a * a).max(0.0) * (bb - b * b).max(0.0)).sqrt();
            both > 0.0 && (ab - a * b) / both >= A_LITTLE
        });
        2 * like.count() >= self.parts.len().min(GLANCES)
    }

    /// Whether a part says something that no caption can say.
    fn counts(&self, part: &Rect) -> bool {
        let middle = f64::from(part.y) + 0.5 * f64::from(PART);
        let height = f64::from(self.size.height);
        (RIM * height..=(1.0 - RIM) * height).contains(&middle)
    }

    /// Whether parts lie far enough apart to tell a zoom from a shift.
    fn spread(&self, parts: &[Rect]) -> bool {
        let over = |at: fn(&Rect) -> i32, side: u32, share: f64| {
            let low = parts.iter().map(at).min().unwrap_or(0);
            let high = parts.iter().map(at).max().unwrap_or(0);
            f64::from(high - low + PART) >= share * f64::from(side)
        };
        over(|p| p.x, self.size.width, SPREAD[0]) && over(|p| p.y, self.size.height, SPREAD[1])
    }

    /// The parts by which the place can be told.
    fn telling(&self) -> opencv::Result<Vec<Rect>> {
        let (width, height) = (side(self.size.width), side(self.size.height));
        let own = Mat::new_rows_cols_with_data(height, width, &self.luma)?;
        let mut parts = Vec::new();
        for top in places(height) {
            for left in places(width) {
                for (right, down) in offsets() {
                    let at = Rect::new(left + right, top + down, PART, PART);
                    if self.is_known(around(at)) && tells(&own, at)? {
                        parts.push(at);
                        break;
                    }
                }
            }
        }
        // Any few of them in this order lie all over the picture.
        let n = parts.len();
        let step = [37, 41, 43].into_iter().find(|s| n % s != 0).unwrap_or(1);
        Ok((0..n).map(|i| parts[i * step % n]).collect())
    }

    fn is_known(&self, at: Rect) -> bool {
        let (width, height) = (side(self.size.width), side(self.size.height));
        if (at & Rect::new(0, 0, width, height)) != at {
            return false;
        }
        let mut rows = at.y..at.y + at.height;
        rows.all(|y| (at.x..at.x + at.width).all(|x| self.known[(y * width + x) as usize]))
    }
}

/// Where parts begin along a side, from one edge of the picture to the other.
fn places(side: i32) -> impl Iterator<Item = i32> {
    let room = side - PART - 2 * AROUND;
    let n = (room / APART).max(1);
    (0..=n).map(move |i| AROUND + room * i / n)
}

fn offsets() -> impl Iterator<Item = (i32, i32)> {
    let moved = [0, -MOVED, MOVED];
    moved
        .into_iter()
        .flat_map(move |down| moved.map(|right| (right, down)))
}

fn around(part: Rect) -> Rect {
    let side = PART + 2 * AROUND;
    Rect::new(part.x - AROUND, part.y - AROUND, side, side)
}

/// Whether a part looks like nothing that lies around it.
fn tells(own: &impl MatTraitConst, at: Rect) -> opencv::Result<bool> {
    if contrast(&Mat::roi(own, at)?)? < LEAST_CONTRAST {
        return Ok(false);
    }
    let scores = scores(own, own, at)?;
    let last = 2 * AROUND as usize;
    let rim = |x: usize, y: usize| x == 0 || y == 0 || x == last || y == last;
    let mut like = 0.0_f64;
    for (y, row) in scores.iter().enumerate() {
        for (x, score) in row.iter().enumerate() {
            if rim(x, y) {
                like = like.max(f64::from(*score));
            }
        }
    }
    Ok(like <= DISTINCT)
}

/// How far the part of `old` at `at` lies beside that in `new`, cells to the right and down;
/// `None` where it is not there.
fn lies(
    old: &impl MatTraitConst,
    new: &impl MatTraitConst,
    at: Rect,
) -> opencv::Result<Option<(f64, f64)>> {
    if contrast(&Mat::roi(new, at)?)? < LEAST_CONTRAST {
        return Ok(None);
    }
    let scores = scores(old, new, at)?;
    let (mut best, mut place) = (f32::MIN, (0, 0));
    for (y, row) in scores.iter().enumerate() {
        for (x, score) in row.iter().enumerate() {
            if *score > best {
                (best, place) = (*score, (x, y));
            }
        }
    }
    let last = 2 * AROUND as usize;
    let inside = |i: usize| i > 0 && i < last;
    let (x, y) = place;
    if !inside(x) || !inside(y) || f64::from(best) < ALIKE {
        return Ok(None);
    }
    // The top of a parabola through three scores.
    let top = |before: f32, after: f32| {
        let (before, best, after) = (f64::from(before), f64::from(best), f64::from(after));
        let bend = before - 2.0 * best + after;
        if bend < 0.0 {
            0.5 * (before - after) / bend
        } else {
            0.0
        }
    };
    let right = x as f64 - f64::from(AROUND) + top(scores[y][x - 1], scores[y][x + 1]);
    let down = y as f64 - f64::from(AROUND) + top(scores[y - 1][x], scores[y + 1][x]);
    Ok(Some((right, down)))
}

/// How alike the part of `old` at `at` is to each place around it in `new`, −1…1; row by row
/// from [`AROUND`] above to [`AROUND`] below.
fn scores(
    old: &impl MatTraitConst,
    new: &impl MatTraitConst,
    at: Rect,
) -> opencv::Result<[[f32; 5]; 5]> {
    const { assert!(2 * AROUND + 1 == 5, "as many as scores") };
    let mut found = Mat::default();
    let (part, place) = (Mat::roi(old, at)?, Mat::roi(new, around(at))?);
    match_template_def(&place, &part, &mut found, TM_CCOEFF_NORMED)?;
    let mut scores = [[0.0; 5]; 5];
    for (y, row) in scores.iter_mut().enumerate() {
        for (x, score) in row.iter_mut().enumerate() {
            let value = *found.at_2d::<f32>(y as i32, x as i32)?;
            // Over an even ground anything may come out.
            *score = if value.abs() <= 1.01 { value } else { 0.0 };
        }
    }
    Ok(scores)
}

fn side(cells: u32) -> i32 {
    i32::try_from(cells).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests;
