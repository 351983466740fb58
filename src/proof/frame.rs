//! What one picture hides: the gateway's own plan and coverage.

use super::stance::{Position, Stance};
use crate::config::Camera;
use crate::event::Reason;
use crate::geom::{Mount, Optics, Size, View};
use crate::paint::Coverage;
use crate::plan::{CameraZones, Hide, MarginLimits, PlanInput, RegionSource, decide};
use crate::pose::PoseEstimate;
use crate::zone::ZoneSet;

/// One picture's zones, as they are painted.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    pub(super) coverage: Coverage,
    /// Why all of it is covered, where that is not merely what the zones say.
    pub(super) covered: Option<Reason>,
    /// Where directions of the world lie in it; none for a fixed camera.
    pub(super) view: Option<View>,
    /// How far zones are grown in the middle of it, degrees; none for a fixed camera.
    pub(super) margin_deg: Option<f64>,
}

/// A camera whose pictures can be asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene<'a> {
    pub(super) zones: &'a ZoneSet,
    pub(super) camera: &'a Camera,
    pub(super) stance: Option<&'a Stance>,
    pub(super) size: Size,
}

impl Scene<'_> {
    /// The picture at a position, at rest and with nobody in it. A fixed camera has one.
    pub(super) fn at(&self, position: Option<Position>) -> Shown {
        let stance = self.stance.zip(position);
        let pose = stance.map(|(stance, position)| stance.pose(position));
        let coverage = self.covered(pose.clone());
        let known = pose.and_then(Result::ok);
        Shown {
            view: known.zip(self.stance).and_then(|(p, s)| s.view(&p)),
            margin_deg: known.map(|p| p.margin.angle.deg()),
            covered: coverage.1,
            coverage: coverage.0,
        }
    }

    fn covered(&self, pose: Option<Result<PoseEstimate, Reason>>) -> (Coverage, Option<Reason>) {
        let (optics, mount) = match self.stance {
            Some(stance) => (stance.optics, stance.mount),
            None => (Optics::default(), Mount::default()),
        };
        let zones = CameraZones {
            zones: self.zones,
            optics,
            mount,
        };
        let limits = self.camera.limits;
        let plan = decide(&PlanInput {
            size: self.size,
            made_for: None,
            zones: Ok(&zones as &dyn RegionSource),
            pose,
            things: None,
            mosaic: false,
            standing: &[],
            limits: MarginLimits {
                widened_deg: limits.widened_deg,
                cover_share_of_width: limits.cover_margin_share,
            },
        });
        let covered = match &plan.hide {
            Hide::All(reason) => Some(reason.clone()),
            Hide::Regions { .. } => None,
        };
        (Coverage::of(&plan), covered)
    }
}

/// A picture made small: which of its cells are hidden.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Small {
    pub(super) columns: usize,
    pub(super) rows: usize,
    hidden: Vec<bool>,
}

impl Small {
    /// A cell counts as hidden where its corners and its middle are: never more
    /// than is painted, but for a gap that is smaller than a cell.
    pub(super) fn of(coverage: &Coverage, size: Size, columns: usize) -> Self {
        let (width, height) = (size.width as usize, size.height as usize);
        let columns = columns.clamp(1, width.max(1));
        let rows = (columns * height).div_ceil(width.max(1)).max(1);
        let edges = |i: usize, n: usize, all: usize| {
            let (low, high) = (i * all / n, ((i + 1) * all / n).max(i * all / n + 1) - 1);
            [low, (low + high) / 2, high]
        };
        let mut hidden = Vec::with_capacity(columns * rows);
        for row in 0..rows {
            let [top, middle, bottom] = edges(row, rows, height);
            for column in 0..columns {
                let [left, centre, right] = edges(column, columns, width);
                let at = [
                    (left, top),
                    (right, top),
                    (centre, middle),
                    (left, bottom),
                    (right, bottom),
                ];
                hidden.push(at.into_iter().all(|(x, y)| coverage.hides(x, y)));
            }
        }
        Self {
            columns,
            rows,
            hidden,
        }
    }

    pub(super) fn hides(&self, column: usize, row: usize) -> bool {
        self.hidden.get(row * self.columns + column) == Some(&true)
    }
}
