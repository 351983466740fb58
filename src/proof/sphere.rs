//! Shares of all directions around the camera: hidden, reachable, both.

use super::stance::{Position, Stance};
use crate::geom::{Angle, Direction, Gaze, View};
use crate::zone::ZoneSet;

/// Directions of one lattice; two are taken.
const LATTICE: usize = 20_000;
/// Positions beside the nearest one that are tried before a direction counts as out
/// of reach are this far apart, degrees…
const STEP_DEG: f64 = 2.0;
/// …and pictures count as this much larger on each side, so that nothing between
/// two of them is taken for out of reach.
const SLACK_DEG: f64 = 1.5;

/// Parts of the sphere, 0…1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Shares {
    pub(super) hidden: f64,
    pub(super) reachable: f64,
    pub(super) both: f64,
}

/// Shares, and how far they may be off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Measured {
    pub(super) shares: Shares,
    /// How far two lattices differ, at least N^(−3/4) of their N directions.
    pub(super) error: f64,
    pub(super) directions: usize,
}

/// Which directions a camera can bring into its picture.
#[derive(Clone, Debug)]
pub(super) struct Reach<'a> {
    stance: &'a Stance,
    /// What is added to each side of the picture, pixels at its middle.
    slack_px: f64,
}

impl<'a> Reach<'a> {
    pub(super) fn of(stance: &'a Stance) -> Self {
        let [widest, _] = stance.zooms();
        let focal = stance.profile.ln_focal(widest).map_or(1.0, f64::exp);
        let focal_px = focal * f64::from(stance.size.width);
        Self {
            stance,
            slack_px: focal_px * SLACK_DEG.to_radians().tan(),
        }
    }

    /// Errs towards `true`: never reached means never reached.
    pub(super) fn holds(&self, direction: Direction) -> bool {
        let [widest, _] = self.stance.zooms();
        let straight = self.stance.aimed(direction, [0.0, 0.0], widest);
        if self.in_picture(straight, direction) {
            return true;
        }
        // At the end of a range a corner may reach further than an edge's middle.
        let half = 0.6 * self.stance.hfov_deg(widest) + STEP_DEG;
        let steps = (2.0 * half / STEP_DEG).ceil() as i32;
        (0..=steps).any(|i| {
            let aside = f64::from(i) * STEP_DEG - half;
            [[aside, 0.0], [0.0, aside]].into_iter().any(|aside| {
                let position = self.stance.aimed(direction, aside, widest);
                self.in_picture(position, direction)
            })
        })
    }

    /// Where in the world the middle of the picture lies at a position of the head.
    pub(super) fn axis(&self, pan_deg: f64, tilt_deg: f64) -> Option<Direction> {
        let [zoom, _] = self.stance.zooms();
        let position = Position {
            pan_deg,
            tilt_deg,
            zoom,
        };
        self.plain_view(position).map(|view| view.axis())
    }

    fn in_picture(&self, position: Position, direction: Direction) -> bool {
        let Some(view) = self.plain_view(position) else {
            // Nobody knows the view: then it may be seen.
            return true;
        };
        let size = self.stance.size;
        let within =
            |v: f64, side: u32| (-self.slack_px..=f64::from(side) + self.slack_px).contains(&v);
        view.project(direction)
            .is_some_and(|p| within(p.x, size.width) && within(p.y, size.height))
    }

    /// Without the history: where it looks is all that counts here.
    fn plain_view(&self, position: Position) -> Option<View> {
        let gaze = Gaze {
            pan: Angle::from_deg(position.pan_deg),
            tilt: Angle::from_deg(position.tilt_deg),
            roll: Angle::default(),
        };
        let focal = self.stance.profile.ln_focal(position.zoom)?.exp();
        let focal_px = focal * f64::from(self.stance.size.width);
        let s = self.stance;
        View::new(gaze, focal_px, s.size, s.optics, s.mount).ok()
    }
}

/// Integrates over the sphere.
pub(super) fn measure(zones: &ZoneSet, reach: &Reach<'_>) -> Measured {
    let count = |turn: f64| {
        let [mut hidden, mut reachable, mut both] = [0_u32; 3];
        for direction in lattice(LATTICE, turn) {
            let (hides, reaches) = (zones.hides(direction), reach.holds(direction));
            hidden += u32::from(hides);
            reachable += u32::from(reaches);
            both += u32::from(hides && reaches);
        }
        [hidden, reachable, both].map(|n| f64::from(n) / LATTICE as f64)
    };
    let (a, b) = (count(0.0), count(1.0));
    let apart = (0..3).map(|i| (a[i] - b[i]).abs()).fold(0.0, f64::max);
    let [hidden, reachable, both] = [0, 1, 2].map(|i| 0.5 * (a[i] + b[i]));
    Measured {
        shares: Shares {
            hidden,
            reachable,
            both,
        },
        error: apart.max((LATTICE as f64).powf(-0.75)),
        directions: 2 * LATTICE,
    }
}

/// Directions spread evenly over the sphere (a Fibonacci lattice), turned about the
/// vertical by `turn` radians.
pub(super) fn lattice(count: usize, turn: f64) -> impl Iterator<Item = Direction> {
    let golden = std::f64::consts::PI * (3.0 - 5.0_f64.sqrt());
    (0..count).filter_map(move |i| {
        let y = 1.0 - 2.0 * (i as f64 + 0.5) / count as f64;
        let (sin, cos) = (golden * i as f64 + turn).sin_cos();
        let r = (1.0 - y * y).max(0.0).sqrt();
        Direction::from_vector([r * cos, y, r * sin])
    })
}
