//! Polygons in a plane: is one simple, and is a point inside?

/// What is wrong with a polygon; the numbers are indices of its points. Edge i
/// runs from point i to the next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fault {
    Repeated(usize, usize),
    Crosses(usize, usize),
    NoArea,
}

/// Two points this close are one, in the plane's unit (a radian, or a frame).
const SAME: f64 = 1e-8;

/// Checks that no two points coincide, no two edges touch except neighbours in
/// their common point, and there is an inside. `points` are finite.
pub(super) fn check_simple(points: &[[f64; 2]]) -> Result<(), Fault> {
    repeated(points)?;
    crossing(points)?;
    if signed_area(points).abs() < SAME * SAME {
        return Err(Fault::NoArea);
    }
    Ok(())
}

fn repeated(points: &[[f64; 2]]) -> Result<(), Fault> {
    let mut by_x: Vec<usize> = (0..points.len()).collect();
    by_x.sort_by(|&a, &b| points[a][0].total_cmp(&points[b][0]));
    for (n, &i) in by_x.iter().enumerate() {
        for &j in &by_x[n + 1..] {
            if points[j][0] - points[i][0] > SAME {
                break;
            }
            if (points[j][1] - points[i][1]).abs() <= SAME {
                return Err(Fault::Repeated(i.min(j), i.max(j)));
            }
        }
    }
    Ok(())
}

/// Sweeps over x; only edges whose extents overlap are compared, so that
/// ordinary outlines of ten thousand points take milliseconds.
fn crossing(points: &[[f64; 2]]) -> Result<(), Fault> {
    let n = points.len();
    let ends = |e: usize| (points[e], points[(e + 1) % n]);
    let low_x = |e: usize| {
        let (a, b) = ends(e);
        a[0].min(b[0])
    };
    let mut edges: Vec<usize> = (0..n).collect();
    edges.sort_by(|&a, &b| low_x(a).total_cmp(&low_x(b)));
    let mut active: Vec<usize> = Vec::new();
    for e in edges {
        let x = low_x(e);
        active.retain(|&o| {
            let (a, b) = ends(o);
            a[0].max(b[0]) >= x
        });
        for &o in &active {
            let (first, second) = (e.min(o), e.max(o));
            let bad = if second == first + 1 {
                doubles_back(points[first], points[second], points[(second + 1) % n])
            } else if first == 0 && second == n - 1 {
                doubles_back(points[second], points[0], points[1])
            } else {
                segments_touch(ends(first), ends(second))
            };
            if bad {
                return Err(Fault::Crosses(first, second));
            }
        }
        active.push(e);
    }
    Ok(())
}

/// Whether c lies back along the way from a to b.
fn doubles_back(a: [f64; 2], b: [f64; 2], c: [f64; 2]) -> bool {
    let (u, v) = ([b[0] - a[0], b[1] - a[1]], [c[0] - b[0], c[1] - b[1]]);
    let turn = u[0] * v[1] - u[1] * v[0];
    let along = u[0] * v[0] + u[1] * v[1];
    along < 0.0 && turn.abs() <= 1e-9 * along.abs()
}

fn segments_touch(p: ([f64; 2], [f64; 2]), q: ([f64; 2], [f64; 2])) -> bool {
    for axis in [0, 1] {
        if p.0[axis].max(p.1[axis]) < q.0[axis].min(q.1[axis])
            || q.0[axis].max(q.1[axis]) < p.0[axis].min(p.1[axis])
        {
            return false;
        }
    }
    // The extents overlap, so segments on one line touch, too.
    let opposite = |a: f64, b: f64| (a >= 0.0 && b <= 0.0) || (a <= 0.0 && b >= 0.0);
    opposite(side(p.0, p.1, q.0), side(p.0, p.1, q.1))
        && opposite(side(q.0, q.1, p.0), side(q.0, q.1, p.1))
}

/// Twice the signed area of a, b, c; 0 on one line.
fn side(a: [f64; 2], b: [f64; 2], c: [f64; 2]) -> f64 {
    (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
}

fn signed_area(points: &[[f64; 2]]) -> f64 {
    let n = points.len();
    (0..n)
        .map(|i| {
            let (a, b) = (points[i], points[(i + 1) % n]);
            0.5 * (a[0] * b[1] - a[1] * b[0])
        })
        .sum()
}

/// How often the polygon winds around `at`; not 0 is inside. Counts crossings
/// of the half-line to the right of `at`.
pub(super) fn winding(points: impl Iterator<Item = [f64; 2]> + Clone, at: [f64; 2]) -> i32 {
    let mut turns = 0;
    let next = points.clone().skip(1).chain(points.clone().take(1));
    for (a, b) in points.zip(next) {
        if a[1] <= at[1] && b[1] > at[1] && side(a, b, at) > 0.0 {
            turns += 1;
        } else if a[1] > at[1] && b[1] <= at[1] && side(a, b, at) < 0.0 {
            turns -= 1;
        }
    }
    turns
}
