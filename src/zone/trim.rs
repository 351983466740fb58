//! Trims: small corrections of zones near presets, without jumps or holes.
//!
//! A zone with a trim has two ends: one leads, one trails. While the camera
//! comes near the preset the leading end moves from the untrimmed place to the
//! trimmed one; only when it has arrived does the trailing end follow. The zone
//! is hidden at both ends and everywhere between: either all of the untrimmed
//! zone is hidden or all of the trimmed one, at every distance, and both until
//! the camera has all but settled. Two ends become one region by growing the
//! zone at their middle by half their distance; for a show-only zone the same
//! growth shows only what both ends would show.

use super::document::Preset;
use crate::geom::Angle;

/// From here on inwards the leading end moves, degrees from the preset.
pub const FADE_DEG: f64 = 2.0;
/// Here the leading end has arrived and the trailing end sets out, degrees.
pub const NEAR_DEG: f64 = 0.25;
/// Here the trailing end has arrived: the camera stands on the preset, degrees.
pub const SETTLED_DEG: f64 = 0.05;

/// How far a zone is turned, and how uncertain that is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Shift {
    /// To the right.
    pub(super) pan: Angle,
    /// Upwards.
    pub(super) tilt: Angle,
    /// No direction of the zone is further from its place than this.
    pub(super) spread: Angle,
}

/// The shifted zones at a position of the camera, by index of the zone.
#[derive(Debug)]
pub(super) struct Shifts(Vec<(usize, Extent)>);

/// The offsets between which a zone may lie, degrees.
#[derive(Clone, Copy, Debug)]
struct Extent {
    pan_deg: [f64; 2],
    tilt_deg: [f64; 2],
}

impl Extent {
    fn with(self, pan_deg: f64, tilt_deg: f64) -> Self {
        let widen = |[low, high]: [f64; 2], v: f64| [low.min(v), high.max(v)];
        Self {
            pan_deg: widen(self.pan_deg, pan_deg),
            tilt_deg: widen(self.tilt_deg, tilt_deg),
        }
    }
}

impl Shifts {
    /// No zone is shifted.
    pub(super) fn none() -> Self {
        Self(Vec::new())
    }

    /// The shifts with the camera at `pan` and `tilt`. `index_of` finds a zone
    /// by its id. Two presets this near each other that trim one zone hide it at
    /// the ends of both.
    pub(super) fn at(
        presets: &[Preset],
        pan: Angle,
        tilt: Angle,
        index_of: impl Fn(&str) -> Option<usize>,
    ) -> Self {
        let mut shifts: Vec<(usize, Extent)> = Vec::new();
        for preset in presets {
            let (lead, trail) = ends(distance_deg(preset, pan, tilt));
            if lead == 0.0 {
                continue;
            }
            for trim in &preset.trims {
                let Some(zone) = index_of(&trim.zone) else {
                    continue;
                };
                let (p, t) = (trim.pan_deg, trim.tilt_deg);
                let at_trail = Extent {
                    pan_deg: [trail * p; 2],
                    tilt_deg: [trail * t; 2],
                };
                let at = match shifts.iter().position(|(z, _)| *z == zone) {
                    Some(at) => at,
                    None => {
                        shifts.push((zone, at_trail));
                        shifts.len() - 1
                    }
                };
                shifts[at].1 = shifts[at]
                    .1
                    .with(trail * p, trail * t)
                    .with(lead * p, lead * t);
            }
        }
        Self(shifts)
    }

    /// The shift of one zone, where it has one.
    pub(super) fn of(&self, zone: usize) -> Option<Shift> {
        let (_, e) = self.0.iter().find(|(z, _)| *z == zone)?;
        let middle = |[low, high]: [f64; 2]| Angle::from_deg(0.5 * (low + high));
        let half = |[low, high]: [f64; 2]| 0.5 * (high - low);
        Some(Shift {
            pan: middle(e.pan_deg),
            tilt: middle(e.tilt_deg),
            // A turn about one axis, then about another: at most their sum.
            spread: Angle::from_deg(half(e.pan_deg) + half(e.tilt_deg)),
        })
    }
}

/// The larger of the distances in pan and in tilt. NaN gives infinity: far away.
fn distance_deg(preset: &Preset, pan: Angle, tilt: Angle) -> f64 {
    let pan_apart = (pan.deg() - preset.pan_deg + 180.0).rem_euclid(360.0) - 180.0;
    let tilt_apart = tilt.deg() - preset.tilt_deg;
    if pan_apart.is_finite() && tilt_apart.is_finite() {
        pan_apart.abs().max(tilt_apart.abs())
    } else {
        f64::INFINITY
    }
}

/// How much of the trim the leading and the trailing end have, 0…1.
fn ends(distance_deg: f64) -> (f64, f64) {
    let share = |from: f64, to: f64| ((from - distance_deg) / (from - to)).clamp(0.0, 1.0);
    (share(FADE_DEG, NEAR_DEG), share(NEAR_DEG, SETTLED_DEG))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trailing_end_sets_out_when_the_leading_one_has_arrived() {
        for (distance_deg, lead, trail) in [
            (f64::INFINITY, 0.0, 0.0),
            (2.0, 0.0, 0.0),
            (1.125, 0.5, 0.0),
            (0.25, 1.0, 0.0),
            (0.15, 1.0, 0.5),
            (0.05, 1.0, 1.0),
            (0.0, 1.0, 1.0),
        ] {
            let (l, t) = ends(distance_deg);
            assert!(
                (l - lead).abs() < 1e-9 && (t - trail).abs() < 1e-9,
                "{distance_deg}: {l} {t}"
            );
        }
    }

    #[test]
    fn pan_is_near_across_the_seam() {
        let preset = Preset {
            id: "p".to_owned(),
            name: None,
            pan_deg: 180.0,
            tilt_deg: 0.0,
            zoom: 1.0,
            trims: Vec::new(),
        };
        for (pan_deg, wanted) in [(-179.5, 0.5), (539.0, 1.0), (-180.0, 0.0), (0.0, 180.0)] {
            let d = distance_deg(&preset, Angle::from_deg(pan_deg), Angle::from_deg(0.0));
            assert!((d - wanted).abs() < 1e-9, "{pan_deg}: {d}");
        }
    }
}
