//! Which samples of a frame a plan hides.
//!
//! Pure: regions in, a bitmap out. Must not know pixels' values.

use super::bits::{Area, Bits};
use super::fill::Fill;
use super::margin;
use crate::geom::Size;
use crate::plan::{Hide, Plan};
use crate::zone::{GrownPoint, Mode, Region};

/// Coordinates and margins beyond this cover the whole frame: no zone that was
/// clipped against the near plane lies there, and numbers of this size say that
/// something upstream is wrong.
const FARTHEST_PX: f64 = 1e7;

/// The luma samples that are hidden, one bit each.
///
/// Conservative: a sample is hidden when any part of its square is. Exact to
/// the sample otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    bits: Bits,
    hidden: u64,
}

impl Coverage {
    /// Everything hidden.
    pub fn all(size: Size) -> Self {
        let mut bits = Bits::new(size);
        bits.fill();
        Self::from(bits)
    }

    /// What `plan` hides. Regions that cannot be drawn (fewer than three
    /// corners, numbers that are not finite or absurd, a negative margin) hide
    /// everything.
    pub fn of(plan: &Plan) -> Self {
        match &plan.hide {
            Hide::All(_) => Self::all(plan.size),
            Hide::Regions { regions, show_only } => {
                Self::of_regions(plan.size, regions, *show_only)
            }
        }
    }

    /// The union of the `Hide` regions and, when `show_only` or when there is a
    /// `ShowOnly` region, of everything that lies in no `ShowOnly` region.
    pub fn of_regions(size: Size, regions: &[Region], show_only: bool) -> Self {
        if !regions.iter().all(can_be_drawn) {
            return Self::all(size);
        }
        let mut bits = Bits::new(size);
        let mut raster = Raster {
            frame: bits.area(),
            fill: Fill::default(),
        };
        if show_only || regions.iter().any(|r| r.mode == Mode::ShowOnly) {
            let mut scratch = Bits::new(size);
            for region in regions.iter().filter(|r| r.mode == Mode::ShowOnly) {
                raster.show(&region.outline, &mut scratch, &mut bits);
            }
            bits.invert();
        }
        for region in regions.iter().filter(|r| r.mode == Mode::Hide) {
            raster.hide(&region.outline, &mut bits);
        }
        Self::from(bits)
    }

    /// Whether luma sample (`x`, `y`) is hidden; outside the frame nothing is.
    pub fn hides(&self, x: usize, y: usize) -> bool {
        self.bits.get(x, y)
    }

    /// The hidden part of the frame, 0…1.
    pub fn share(&self) -> f64 {
        self.hidden as f64 / self.bits.samples().max(1) as f64
    }

    /// Whether everything is hidden.
    pub fn is_all(&self) -> bool {
        self.hidden == self.bits.samples()
    }

    /// The words of row `y`, one bit a sample, the lowest bit the leftmost.
    pub(super) fn row(&self, y: usize) -> &[u64] {
        self.bits.row(y)
    }
}

impl From<Bits> for Coverage {
    fn from(bits: Bits) -> Self {
        let hidden = bits.count();
        Self { bits, hidden }
    }
}

fn can_be_drawn(region: &Region) -> bool {
    let near = |v: f64| v.abs() <= FARTHEST_PX;
    region.outline.len() >= 3
        && region
            .outline
            .iter()
            .all(|p| near(p.at.x) && near(p.at.y) && (0.0..=FARTHEST_PX).contains(&p.margin_px))
}

/// Draws outlines into bitmaps of one size.
struct Raster {
    frame: Area,
    fill: Fill,
}

impl Raster {
    /// Sets the inside and everything within the margin of an edge.
    fn hide(&mut self, outline: &[GrownPoint], bits: &mut Bits) {
        let reach = margin::reach(outline, &self.frame);
        // A thousand zones in one frame lie over each other: many of them have
        // nothing left to hide.
        if bits.is_set(&reach) {
            return;
        }
        self.fill
            .each_span(outline, &reach, |y, xs| bits.set(y, xs));
        margin::each_span(outline, &reach, |y, xs| bits.set(y, xs));
    }

    /// Adds to `visible` what is inside and beyond the margin of every edge.
    /// `scratch` must be clear, and is clear again afterwards.
    fn show(&mut self, outline: &[GrownPoint], scratch: &mut Bits, visible: &mut Bits) {
        // Only where the outline fills is there anything for its margin to take.
        let mut filled = Area {
            rows: self.frame.rows.end..0,
            columns: self.frame.columns.end..0,
        };
        self.fill.each_span(outline, &self.frame, |y, xs| {
            let (rows, columns) = (&mut filled.rows, &mut filled.columns);
            *rows = rows.start.min(y)..rows.end.max(y + 1);
            *columns = columns.start.min(xs.start)..columns.end.max(xs.end);
            scratch.set(y, xs);
        });
        margin::each_span(outline, &filled, |y, xs| scratch.clear(y, xs));
        visible.add(scratch, filled.rows.clone());
        for y in filled.rows {
            scratch.clear(y, filled.columns.clone());
        }
    }
}
