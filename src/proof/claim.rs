//! Whether what a zone hides is hidden, checked at sampled positions: each sampled
//! direction of a zone that falls into a picture must be painted there.
//!
//! It counts what it looked at, and claims nothing about the rest.

use super::frame::{Scene, Shown};
use super::sphere::{Reach, lattice};
use super::stance::{Position, Stance};
use crate::geom::{Direction, ImagePoint, PixelPoint};
use crate::zone::{FADE_DEG, Mode, ZoneSet};

/// Positions in all, where the zones are few…
const POSITIONS: usize = 2400;
/// …and at least, where they have so many points that each picture takes long.
const FEWEST: usize = 240;
/// So many points of zones are projected in all.
const POINTS: usize = 12_000_000;
/// Sampled directions of one zone.
const DIRECTIONS: usize = 160;
/// Sampled directions of all that lies outside of the places to be seen.
const OUTSIDE: usize = 4000;

/// What a claim is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// The zone with this index: its inside is hidden.
    Inside(usize),
    /// Everything outside of all show-only zones.
    Outside,
}

/// What was found about one claim.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Claim {
    pub(super) about: About,
    /// Directions (or points of the picture) that were sampled.
    pub(super) sampled: usize,
    /// Whether any of them can come into the picture at all.
    pub(super) reachable: bool,
    /// Positions in whose picture at least one of them fell.
    pub(super) positions: usize,
    /// How often one of them fell into a picture.
    pub(super) looks: u64,
    /// How often it was not hidden there.
    pub(super) open: u64,
    /// Where that was first.
    pub(super) first_open: Option<Position>,
    /// Positions near presets at which an integrator corrected this zone: the
    /// camera's position is off there, so they are not counted.
    pub(super) corrected: usize,
}

/// All claims, and how many positions were looked at.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Claims {
    pub(super) claims: Vec<Claim>,
    pub(super) positions: usize,
}

enum Probes {
    Directions(Vec<Direction>),
    Points(Vec<ImagePoint>),
}

/// Looks at `scene` from everywhere.
pub(super) fn check(scene: &Scene<'_>) -> Claims {
    let mut asked = claims(scene);
    let positions = match scene.stance {
        Some(stance) => positions(scene.zones, stance)
            .into_iter()
            .map(Some)
            .collect(),
        None => vec![None],
    };
    for position in &positions {
        let shown = scene.at(*position);
        for (claim, probes) in &mut asked {
            look(scene, *position, &shown, claim, probes);
        }
    }
    Claims {
        claims: asked.into_iter().map(|(claim, _)| claim).collect(),
        positions: positions.len(),
    }
}

fn claims(scene: &Scene<'_>) -> Vec<(Claim, Probes)> {
    let zones = scene.zones;
    let reach = scene.stance.map(Reach::of);
    let reaches = |d: &Direction| reach.as_ref().is_some_and(|reach| reach.holds(*d));
    let claim = |about, probes: Probes| {
        let (sampled, reachable) = match &probes {
            Probes::Directions(all) => (all.len(), all.iter().any(reaches)),
            Probes::Points(all) => (all.len(), !all.is_empty()),
        };
        let claim = Claim {
            about,
            sampled,
            reachable,
            positions: 0,
            looks: 0,
            open: 0,
            first_open: None,
            corrected: 0,
        };
        (claim, probes)
    };
    let mut all = Vec::new();
    for (zone, of) in zones.zones().iter().enumerate() {
        if of.mode != Mode::Hide {
            continue;
        }
        let directions = thinned(zones.directions_in(zone), DIRECTIONS);
        let probes = match directions.is_empty() {
            false => Probes::Directions(directions),
            true => Probes::Points(thinned(in_picture(zones.points_in(zone)), DIRECTIONS)),
        };
        all.push(claim(About::Inside(zone), probes));
    }
    if zones.has_show_only() {
        let turning = scene.stance.is_some() && zones.needs_pose();
        let probes = if turning {
            let hidden = lattice(OUTSIDE, 0.5).filter(|d| zones.hides(*d));
            Probes::Directions(hidden.collect())
        } else {
            let grid = (0..3600).map(|i| ImagePoint {
                x: (f64::from(i % 60) + 0.5) / 60.0,
                y: (f64::from(i / 60) + 0.5) / 60.0,
            });
            Probes::Points(grid.filter(|p| zones.hides_point(*p)).collect())
        };
        all.push(claim(About::Outside, probes));
    }
    all
}

fn in_picture(points: Vec<ImagePoint>) -> Vec<ImagePoint> {
    let inside = |v: f64| (0.0..1.0).contains(&v);
    let mut points = points;
    points.retain(|p| inside(p.x) && inside(p.y));
    points
}

/// At most `most`, spread over all.
fn thinned<T>(all: Vec<T>, most: usize) -> Vec<T> {
    let every = all.len().div_ceil(most).max(1);
    all.into_iter().step_by(every).collect()
}

fn look(
    scene: &Scene<'_>,
    position: Option<Position>,
    shown: &Shown,
    claim: &mut Claim,
    probes: &Probes,
) {
    if let (Some(position), About::Inside(zone)) = (position, claim.about)
        && is_corrected(scene.zones, zone, position)
    {
        claim.corrected += 1;
        return;
    }
    let (width, height) = (f64::from(scene.size.width), f64::from(scene.size.height));
    let mut seen = false;
    let mut see = |at: PixelPoint| {
        if !((0.0..width).contains(&at.x) && (0.0..height).contains(&at.y)) {
            return;
        }
        seen = true;
        claim.looks += 1;
        if !shown.coverage.hides(at.x as usize, at.y as usize) {
            claim.open += 1;
            claim.first_open = claim.first_open.or(position);
        }
    };
    match probes {
        Probes::Directions(directions) => {
            let Some(view) = &shown.view else {
                return;
            };
            directions
                .iter()
                .filter_map(|d| view.project(*d))
                .for_each(&mut see);
        }
        Probes::Points(points) => points.iter().for_each(|p| {
            see(PixelPoint {
                x: p.x * width,
                y: p.y * height,
            });
        }),
    }
    claim.positions += usize::from(seen);
}

/// Whether a preset near `position` moves the zone.
fn is_corrected(zones: &ZoneSet, zone: usize, position: Position) -> bool {
    let id = &zones.zones()[zone].id;
    zones.document().presets.iter().any(|preset| {
        let pan = (position.pan_deg - preset.pan_deg + 180.0).rem_euclid(360.0) - 180.0;
        let near = pan.abs().max((position.tilt_deg - preset.tilt_deg).abs()) < FADE_DEG;
        near && preset.trims.iter().any(|trim| &trim.zone == id)
    })
}

/// Where the camera is looked through: at every preset, all over its range at its
/// widest, and towards every zone at its widest, its narrowest and between.
fn positions(zones: &ZoneSet, stance: &Stance) -> Vec<Position> {
    let points: usize = (0..zones.zones().len())
        .filter_map(|zone| zones.sphere_polygon(zone))
        .map(|polygon| polygon.points().len().max(16))
        .sum();
    let most = (POINTS / points.max(1)).clamp(FEWEST, POSITIONS);
    let [widest, narrowest] = stance.zooms();
    let presets = zones.document().presets.iter().take(most / 8);
    let mut all: Vec<Position> = presets
        .map(|preset| Position {
            pan_deg: preset.pan_deg,
            tilt_deg: preset.tilt_deg,
            zoom: preset.zoom,
        })
        .collect();
    let ([left, right], [low, high]) = (stance.pan_deg(), stance.tilt_deg());
    all.extend((1..=most / 4).map(|i| Position {
        pan_deg: left + (right - left) * halton(i, 2),
        tilt_deg: low + (high - low) * halton(i, 3),
        zoom: widest,
    }));
    let aims: Vec<Vec<Direction>> = (0..zones.zones().len())
        .map(|zone| zones.directions_in(zone))
        .filter(|directions| !directions.is_empty())
        .collect();
    let mut i = 0;
    while all.len() < most && !aims.is_empty() {
        let directions = &aims[i % aims.len()];
        let round = i / aims.len();
        let share = [0.0, 0.5, 1.0, 0.25, 0.75][round % 5];
        let zoom = widest + (narrowest - widest) * share;
        // Somewhere in the picture, not always in its middle.
        let [across, up] = [stance.hfov_deg(zoom), stance.vfov_deg(zoom)];
        let aside = [
            0.9 * across * (halton(i + 1, 5) - 0.5),
            0.9 * up * (halton(i + 1, 7) - 0.5),
        ];
        let at = (halton(i + 1, 11) * directions.len() as f64) as usize;
        if let Some(direction) = directions.get(at.min(directions.len() - 1)) {
            all.push(stance.aimed(*direction, aside, zoom));
        }
        i += 1;
    }
    all
}

/// The `i`-th number of Halton's sequence to `base`, 0…1: spread evenly, and the
/// same at every run.
fn halton(mut i: usize, base: usize) -> f64 {
    let (mut share, mut value) = (1.0, 0.0);
    while i > 0 {
        share /= base as f64;
        value += share * (i % base) as f64;
        i /= base;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::super::tests::{SIZE, camera, set, stance, zone};
    use super::*;

    fn house(pan: f64) -> String {
        zone(
            "h",
            &[
                (pan - 4.0, -14.0),
                (pan + 4.0, -14.0),
                (pan + 4.0, -6.0),
                (pan - 4.0, -6.0),
            ],
        )
    }

    #[test]
    fn what_is_painted_is_found_hidden_and_what_is_not_is_found_open() {
        let true_zones = set(&house(30.0), "");
        let own = camera(true_zones.clone(), str::to_owned);
        let stance = stance(&own);
        let scene = |zones| Scene {
            zones,
            camera: &own,
            stance: Some(&stance),
            size: SIZE,
        };
        let checked = check(&scene(&true_zones));
        let [claim] = &checked.claims[..] else {
            panic!("{checked:?}");
        };
        assert_eq!(
            (claim.about, claim.open, claim.corrected),
            (About::Inside(0), 0, 0)
        );
        assert!(
            claim.reachable && claim.positions > 200 && claim.looks > 10_000,
            "{claim:?}"
        );
        // The same questions to pictures that were painted for another place.
        let wrong = set(&house(33.0), "");
        let mut asked = claims(&scene(&true_zones));
        let (claim, probes) = &mut asked[0];
        for position in positions(&true_zones, &stance) {
            let shown = scene(&wrong).at(Some(position));
            look(&scene(&true_zones), Some(position), &shown, claim, probes);
        }
        assert!(claim.open > 1000 && claim.first_open.is_some(), "{claim:?}");
    }

    #[test]
    fn a_zone_that_was_corrected_by_hand_is_not_judged_there() {
        let preset = r#"{"id": "p", "pan_deg": 30, "tilt_deg": -10, "zoom": 0, "trims": [{"zone": "h", "pan_deg": 4, "tilt_deg": 0}]}"#;
        let zones = set(
            &format!("{},{}", house(30.0), house(80.0).replace("\"h\"", "\"k\"")),
            preset,
        );
        let own = camera(zones.clone(), str::to_owned);
        let stance = stance(&own);
        let checked = check(&Scene {
            zones: &zones,
            camera: &own,
            stance: Some(&stance),
            size: SIZE,
        });
        let corrected: Vec<bool> = checked.claims.iter().map(|c| c.corrected > 0).collect();
        assert_eq!(corrected, [true, false]);
        assert!(checked.claims.iter().all(|c| c.open == 0), "{checked:?}");
    }

    #[test]
    fn positions_lie_within_reach_and_few_where_zones_are_large() {
        let zones = set(&house(30.0), "");
        let own = camera(zones.clone(), str::to_owned);
        let stance = stance(&own);
        let ([left, right], [low, high]) = (stance.pan_deg(), stance.tilt_deg());
        let all = positions(&zones, &stance);
        assert_eq!(all.len(), POSITIONS);
        for p in all {
            assert!(
                (left..=right).contains(&p.pan_deg) && (low..=high).contains(&p.tilt_deg),
                "{p:?}"
            );
        }
    }
}
