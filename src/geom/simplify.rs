//! Fewer corners for the same outline.

use super::outline::Corner;

/// How far a dropped corner may lie from the edge that replaces it, pixels.
pub(super) const SIMPLIFY_PX: f64 = 0.2;

/// How much larger than the edge's a dropped corner's margin may be, pixels.
pub(super) const MARGIN_LOSS_PX: f64 = 0.1;

/// The most corners dropped in a row: bounds the work.
const MAX_RUN: usize = 48;

/// Drops corners that their neighbours' edge passes within [`SIMPLIFY_PX`].
///
/// The corners dropped between two kept ones advance along the new edge, so the
/// old outline can be slid onto the new one without any point moving further
/// than the tolerance: no point further than that from the outline changes
/// sides. At least three corners remain of three.
pub(super) fn simplify(outline: &mut Vec<Corner>) {
    let n = outline.len();
    if n <= 3 {
        return;
    }
    let mut kept: Vec<Corner> = Vec::with_capacity(n.min(64));
    // Three corners are always kept, so that a zone far away stays a region.
    let forced = [n / 3, 2 * n / 3, n];
    let mut i = 0;
    while i < n {
        kept.push(outline[i]);
        let end = forced.iter().copied().find(|&f| f > i).unwrap_or(n);
        let mut j = i + 1;
        while j < end && j - i < MAX_RUN && replaceable(outline, i, j + 1) {
            j += 1;
        }
        i = j;
    }
    *outline = kept;
}

/// Whether the edge from corner i to corner j (modulo the length) may stand for
/// all between.
fn replaceable(outline: &[Corner], i: usize, j: usize) -> bool {
    let n = outline.len();
    let (a, b) = (outline[i], outline[j % n]);
    let (dx, dy) = (b.at.x - a.at.x, b.at.y - a.at.y);
    let len2 = dx * dx + dy * dy;
    let mut before = 0.0;
    outline[i + 1..j.min(n)].iter().all(|c| {
        let (cx, cy) = (c.at.x - a.at.x, c.at.y - a.at.y);
        let t = if len2 > 0.0 {
            (cx * dx + cy * dy) / len2
        } else {
            0.0
        };
        let advances = t >= before && t <= 1.0;
        before = t;
        let off2 = (cx - t * dx).powi(2) + (cy - t * dy).powi(2);
        let margin_px = a.margin_px + t * (b.margin_px - a.margin_px);
        advances
            && off2 <= SIMPLIFY_PX * SIMPLIFY_PX
            && c.margin_px <= margin_px + MARGIN_LOSS_PX
            && margin_px <= c.margin_px + 1.0 + 0.05 * c.margin_px
    })
}
