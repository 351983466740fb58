//! Reading back: are the painted samples really hidden?
//!
//! Finds its points by plane geometry of its own, so that a fault of the
//! rasteriser shows. Must not know [`Coverage`](super::Coverage).

use super::{GREY, NEUTRAL};
use crate::frame::{FrameMut, PixelFormat, plane_extent};
use crate::geom::PixelPoint;
use crate::zone::{GrownPoint, Mode, Region};

/// Edges of each region that are looked at, spread evenly.
const EDGES_A_REGION: usize = 6;
/// Columns and rows of the grid that is looked at when zones show.
const GRID: usize = 9;
/// Points this near to the rim of what is hidden are left out: rounding.
const RIM_PX: f64 = 0.01;

/// Whether every sample of the frame is hidden.
pub(super) fn all_is_hidden(frame: &FrameMut<'_>) -> bool {
    (0..frame.plane_count()).all(|plane| {
        let (_, rows) = plane_extent(frame.format(), frame.size(), plane);
        let value = if plane == 0 { GREY } else { NEUTRAL };
        // Without an early end inside the row: so the compiler compares many
        // samples at a time.
        (0..rows).all(|y| {
            frame
                .row(plane, y)
                .iter()
                .fold(0, |odd, v| odd | (v ^ value))
                == 0
        })
    })
}

/// Whether points of every region that has something to hide in the frame are
/// hidden: on its edges, on both rims of its margin, and inside it; for
/// show-only zones, a grid of points outside all of them.
pub(super) fn regions_are_hidden(
    frame: &FrameMut<'_>,
    regions: &[Region],
    show_only: bool,
) -> bool {
    let (shown, hidden): (Vec<_>, Vec<_>) = regions.iter().partition(|r| r.mode == Mode::ShowOnly);
    let hides = |p: PixelPoint| is_hidden(frame, p);
    let all_of_hidden = hidden.iter().all(|r| {
        rim_points(&r.outline).all(hides) && inner_point(frame, &r.outline).is_none_or(hides)
    });
    let outside_of_shown = (show_only || !shown.is_empty())
        .then(|| grid(frame))
        .into_iter()
        .flatten()
        .all(|p| shown.iter().any(|r| winding(&r.outline, p) != 0) || hides(p));
    // The edges of a single show-only zone are hidden; those of several may lie
    // inside another one.
    let edges_of_shown = match shown.as_slice() {
        [only] => rim_points(&only.outline).all(hides),
        _ => true,
    };
    all_of_hidden && outside_of_shown && edges_of_shown
}

/// Whether the samples at `p` are hidden; a point outside the frame is.
fn is_hidden(frame: &FrameMut<'_>, p: PixelPoint) -> bool {
    let (width, height) = (frame.size().width, frame.size().height);
    let inside = |v: f64, limit: u32| v >= 0.0 && v < f64::from(limit);
    // Not a number is nowhere, and such a region should not have come here.
    if p.x.is_nan() || p.y.is_nan() {
        return false;
    }
    if !inside(p.x, width) || !inside(p.y, height) {
        return true;
    }
    let (x, y) = (p.x as usize, p.y as usize);
    let is =
        |plane: usize, y: usize, x: usize, value: u8| frame.row(plane, y).get(x) == Some(&value);
    let (cx, cy) = (x / 2, y / 2);
    is(0, y, x, GREY)
        && match frame.format() {
            PixelFormat::I420 => is(1, cy, cx, NEUTRAL) && is(2, cy, cx, NEUTRAL),
            PixelFormat::Nv12 => is(1, cy, 2 * cx, NEUTRAL) && is(1, cy, 2 * cx + 1, NEUTRAL),
        }
}

/// Corners, and the middles of edges with both rims of their margins.
fn rim_points(outline: &[GrownPoint]) -> impl Iterator<Item = PixelPoint> + '_ {
    let step = outline.len().div_ceil(EDGES_A_REGION).max(1);
    (0..outline.len())
        .step_by(step)
        .filter_map(|i| {
            let a = outline.get(i)?;
            let b = outline.get((i + 1) % outline.len())?;
            Some((a, b))
        })
        .flat_map(|(a, b)| {
            let middle = PixelPoint {
                x: (a.at.x + b.at.x) / 2.0,
                y: (a.at.y + b.at.y) / 2.0,
            };
            let (dx, dy) = (b.at.x - a.at.x, b.at.y - a.at.y);
            let length = dx.hypot(dy);
            let reach = ((a.margin_px + b.margin_px) / 2.0 - RIM_PX).max(0.0);
            let normal = if length > 0.0 {
                [dy / length * reach, -dx / length * reach]
            } else {
                [0.0, 0.0]
            };
            let off = |sign: f64| PixelPoint {
                x: middle.x + sign * normal[0],
                y: middle.y + sign * normal[1],
            };
            [a.at, middle, off(1.0), off(-1.0)]
        })
}

/// The middle of the corners cut to the frame, where the outline winds around it.
fn inner_point(frame: &FrameMut<'_>, outline: &[GrownPoint]) -> Option<PixelPoint> {
    let (width, height) = (
        f64::from(frame.size().width),
        f64::from(frame.size().height),
    );
    let n = outline.len() as f64;
    let sum = outline.iter().fold([0.0, 0.0], |[x, y], p| {
        [x + p.at.x.clamp(0.0, width), y + p.at.y.clamp(0.0, height)]
    });
    let p = PixelPoint {
        x: sum[0] / n,
        y: sum[1] / n,
    };
    (winding(outline, p) != 0).then_some(p)
}

fn grid(frame: &FrameMut<'_>) -> impl Iterator<Item = PixelPoint> + use<> {
    let (width, height) = (
        f64::from(frame.size().width),
        f64::from(frame.size().height),
    );
    let at = |i: usize, side: f64| (i as f64 + 0.5) / GRID as f64 * side;
    (0..GRID * GRID).map(move |i| PixelPoint {
        x: at(i % GRID, width),
        y: at(i / GRID, height),
    })
}

/// How often `outline` goes around `p`: the signed crossings of the ray that
/// leaves `p` to the right.
fn winding(outline: &[GrownPoint], p: PixelPoint) -> i32 {
    let nexts = outline.iter().cycle().skip(1);
    outline
        .iter()
        .zip(nexts)
        .map(|(a, b)| {
            let (a, b) = (a.at, b.at);
            let left_of = (b.x - a.x) * (p.y - a.y) - (p.x - a.x) * (b.y - a.y);
            match (a.y <= p.y, b.y <= p.y) {
                (true, false) if left_of > 0.0 => 1,
                (false, true) if left_of < 0.0 => -1,
                _ => 0,
            }
        })
        .sum()
}
