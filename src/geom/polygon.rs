//! Validated polygons: of directions, and of points of the picture.

use super::planar::{self, Fault};
use super::rotation::{cross, dot};
use super::types::{Angle, Direction, ImagePoint};

/// The widest a spherical polygon may be: the radius of the cap around it.
const MAX_CAP_RADIUS: Angle = Angle::from_deg(80.0);

/// How far outside the frame an image polygon's points may lie, in frames.
const IMAGE_REACH: f64 = 1.0;

/// Rounds in which the smallest cap around a polygon is approached.
const CAP_ROUNDS: u32 = 64;

/// Why points do not make a polygon. Points are counted from 0; edge i runs
/// from point i to the next.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum PolygonFault {
    /// Fewer than three points.
    #[error("{0} points enclose nothing")]
    TooFew(usize),
    /// A coordinate is NaN, infinite or out of range.
    #[error("point {0} is not a finite number in range")]
    OutOfRange(usize),
    /// Two points are one.
    #[error("points {0} and {1} are the same")]
    Repeated(usize, usize),
    /// Two edges cross or touch.
    #[error("the edge from point {0} and the edge from point {1} cross or touch")]
    Crosses(usize, usize),
    /// All points on one line.
    #[error("the points lie on one line")]
    NoArea,
    /// The polygon does not fit in a cap of 80° radius: its inside is ambiguous.
    #[error("it reaches {0:.0}° from its middle, at most 80° are possible")]
    TooWide(f64),
}

impl From<Fault> for PolygonFault {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Repeated(a, b) => Self::Repeated(a, b),
            Fault::Crosses(a, b) => Self::Crosses(a, b),
            Fault::NoArea => Self::NoArea,
        }
    }
}

/// All directions within `radius` of `centre`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cap {
    /// The middle.
    pub centre: Direction,
    /// The angle from the middle to the rim.
    pub radius: Angle,
}

/// A simple polygon of directions. Its edges are great circles (straight in a
/// picture without distortion), its inside is the side that is smaller than a
/// hemisphere; the order of the points does not matter.
#[derive(Clone, Debug, PartialEq)]
pub struct SpherePolygon {
    points: Vec<Direction>,
    cap: Cap,
    chart: Chart,
    charted: Vec<[f64; 2]>,
}

impl SpherePolygon {
    /// Checks that `points` enclose one place.
    ///
    /// # Errors
    /// [`PolygonFault`] names the points.
    pub fn new(points: Vec<Direction>) -> Result<Self, PolygonFault> {
        if points.len() < 3 {
            return Err(PolygonFault::TooFew(points.len()));
        }
        let cap = smallest_cap(&points);
        if cap.radius > MAX_CAP_RADIUS {
            return Err(PolygonFault::TooWide(cap.radius.deg()));
        }
        let chart = Chart::about(cap.centre);
        let charted: Vec<[f64; 2]> = points
            .iter()
            .filter_map(|p| chart.project(p.vector()))
            .collect();
        if charted.len() != points.len() {
            return Err(PolygonFault::TooWide(90.0));
        }
        planar::check_simple(&charted)?;
        Ok(Self {
            points,
            cap,
            chart,
            charted,
        })
    }

    /// Whether `direction` lies inside.
    pub fn contains(&self, direction: Direction) -> bool {
        let v = direction.vector();
        dot(v, self.cap.centre.vector()) >= self.cap.radius.rad().cos() - 1e-9
            && self
                .chart
                .project(v)
                .is_some_and(|at| planar::winding(self.charted.iter().copied(), at) != 0)
    }

    /// The corners.
    pub fn points(&self) -> &[Direction] {
        &self.points
    }

    /// A cap that holds all of the polygon, close to the smallest.
    pub fn cap(&self) -> Cap {
        self.cap
    }
}

/// The central projection of a hemisphere to a plane that touches its middle:
/// great circles become straight lines.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Chart {
    right: [f64; 3],
    up: [f64; 3],
    out: [f64; 3],
}

impl Chart {
    fn about(centre: Direction) -> Self {
        let out = centre.vector();
        let aside = if out[1].abs() < 0.9 {
            [0.0, 1.0, 0.0]
        } else {
            [1.0, 0.0, 0.0]
        };
        let right = Direction::from_vector(cross(aside, out)).map_or(aside, Direction::vector);
        Self {
            right,
            up: cross(out, right),
            out,
        }
    }

    fn project(&self, v: [f64; 3]) -> Option<[f64; 2]> {
        let z = dot(self.out, v);
        (z > 1e-3).then(|| [dot(self.right, v) / z, dot(self.up, v) / z])
    }
}

/// Walks the middle towards the farthest point in ever smaller steps (Bădoiu
/// and Clarkson, 2003). The radius is taken at the end, so the cap always holds
/// every point; great-circle edges between points of a cap stay inside it.
fn smallest_cap(points: &[Direction]) -> Cap {
    let mut c = [0.0; 3];
    for p in points {
        let v = p.vector();
        c = [c[0] + v[0], c[1] + v[1], c[2] + v[2]];
    }
    let mut centre = Direction::from_vector(c).unwrap_or(points[0]);
    let farthest = |centre: Direction| {
        points
            .iter()
            .map(|p| (dot(p.vector(), centre.vector()), *p))
            .fold((2.0, centre), |a, b| if b.0 < a.0 { b } else { a })
    };
    let mut best = (farthest(centre).0, centre);
    for round in 0..CAP_ROUNDS {
        let (cos, far) = farthest(centre);
        if cos > best.0 {
            best = (cos, centre);
        }
        let step = 1.0 / f64::from(round + 2);
        let (a, b) = (centre.vector(), far.vector());
        centre = Direction::from_vector([0, 1, 2].map(|i| a[i] + step * (b[i] - a[i])))
            .unwrap_or(centre);
    }
    Cap {
        centre: best.1,
        radius: Angle::from_rad(best.0.clamp(-1.0, 1.0).acos() + 1e-9),
    }
}

/// A simple polygon of points of the picture, which may reach one frame beyond
/// each side.
#[derive(Clone, Debug, PartialEq)]
pub struct ImagePolygon {
    points: Vec<ImagePoint>,
}

impl ImagePolygon {
    /// Checks that `points` enclose one place.
    ///
    /// # Errors
    /// [`PolygonFault`] names the points.
    pub fn new(points: Vec<ImagePoint>) -> Result<Self, PolygonFault> {
        if points.len() < 3 {
            return Err(PolygonFault::TooFew(points.len()));
        }
        let range = -IMAGE_REACH..=1.0 + IMAGE_REACH;
        if let Some(i) = points
            .iter()
            .position(|p| !(range.contains(&p.x) && range.contains(&p.y)))
        {
            return Err(PolygonFault::OutOfRange(i));
        }
        let flat: Vec<[f64; 2]> = points.iter().map(|p| [p.x, p.y]).collect();
        planar::check_simple(&flat)?;
        Ok(Self { points })
    }

    /// Whether `at` lies inside.
    pub fn contains(&self, at: ImagePoint) -> bool {
        planar::winding(self.points.iter().map(|p| [p.x, p.y]), [at.x, at.y]) != 0
    }

    /// The corners.
    pub fn points(&self) -> &[ImagePoint] {
        &self.points
    }
}
