//! Clipping a closed outline to half-spaces (Sutherland and Hodgman, 1974).
//!
//! Points are vectors: directions of any length, or (x, y, 1) for a point of a
//! plane. A spherical polygon smaller than a hemisphere is a plane polygon in
//! the central projection about its own middle, where half-spaces through the
//! origin are half-planes: so what holds in the plane holds here. Concave
//! polygons may come back with edges of no area along the clip's border; they
//! do not count under a non-zero fill.

use super::rotation::dot;

/// Keeps what lies on the side of `normal` (dot ≥ 0) of the closed outline
/// `from`, in `to`.
pub(super) fn clip(from: &[[f64; 3]], normal: [f64; 3], to: &mut Vec<[f64; 3]>) {
    to.clear();
    let Some(&last) = from.last() else { return };
    let mut a = last;
    let mut side_a = dot(normal, a);
    for &b in from {
        let side_b = dot(normal, b);
        if (side_a >= 0.0) != (side_b >= 0.0) {
            let t = side_a / (side_a - side_b);
            to.push([0, 1, 2].map(|i| a[i] + t * (b[i] - a[i])));
        }
        if side_b >= 0.0 {
            to.push(b);
        }
        (a, side_a) = (b, side_b);
    }
}
