//! Which observation continues which track.
//!
//! A pair is possible where every edge of the observation lies within the
//! track's bound for that time, widened for detectors that are worse than the
//! rules say: distance relative to size, since small boxes that moved by their
//! own width have no overlap. Pairs are then taken cheapest first. That is
//! greedy, not the least sum: whom a box is given matters for its number, not
//! for what is hidden, because where two tracks could have become one
//! observation, `course` hides whatever was seen there, whoever it is; `tests`
//! holds that against a crowd that crosses.

use super::reach::{Place, Sighting};
use super::rules::Rules;

/// A gate is this much wider than the bound…
const WIDER: f64 = 1.5;
/// …and by this share of the thing's size.
const SLACK_SIZES: f64 = 0.25;
/// But nothing beyond the bound itself is linked over more than this, sizes.
const FARTHEST_SIZES: f64 = 6.0;

/// A track and the observation that continues it, by index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) course: usize,
    pub(super) sighting: usize,
}

/// Links `places` (a track's bound at the time of the look; `None` for tracks
/// that are not to be linked) with the `sightings` for which `open` is true.
pub(super) fn links(
    places: &[Option<Place>],
    sightings: &[Sighting],
    open: impl Fn(usize) -> bool,
) -> Vec<Link> {
    let mut pairs = Vec::new();
    for (course, place) in places.iter().enumerate() {
        let Some(place) = place else { continue };
        for (sighting, s) in sightings.iter().enumerate() {
            if open(sighting)
                && let Some(cost) = cost(place, s)
            {
                pairs.push((cost, course, sighting));
            }
        }
    }
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let mut free_course = vec![true; places.len()];
    let mut free_sighting = vec![true; sightings.len()];
    let mut links = Vec::new();
    for (_, course, sighting) in pairs {
        if free_course[course] && free_sighting[sighting] {
            (free_course[course], free_sighting[sighting]) = (false, false);
            links.push(Link { course, sighting });
        }
    }
    links
}

/// Nothing becomes larger or smaller by more than this from one look to the next…
const RESIZED: f64 = 1.75;
/// …and by this power of e each second between them: a face two metres away
/// that comes nearer at 2 m/s.
const RESIZED_S: f64 = 1.0;

/// Whether the sizes can be of one thing, looks `h_s` seconds apart. Parts of
/// a thing are often found beside it; they are not that thing grown small.
fn as_large(place: &Place, s: &Sighting, h_s: f64) -> bool {
    let most = RESIZED * (RESIZED_S * h_s).exp();
    let ratio = s.size_px() / place.size_px.max(1.0);
    s.is_cut() || place.cut || (1.0 / most..=most).contains(&ratio)
}

/// An overlap that leaves no other choice: so much of it…
const CLEAR_IOU: f64 = 0.4;
/// …while no other pair of either has more than this share of that.
const RIVAL: f64 = 1.0 / 3.0;

/// Whether nothing else can be meant: the sighting lies on the track's line, no
/// other sighting does, and it lies on no other track's.
pub(super) fn is_clear(link: &Link, places: &[Option<Place>], sightings: &[Sighting]) -> bool {
    let iou =
        |place: &Option<Place>, s: &Sighting| place.as_ref().map_or(0.0, |p| s.seen().iou(&p.line));
    let (own, here) = (&places[link.course], &sightings[link.sighting]);
    let best = iou(own, here);
    let less = |rival: f64| rival <= RIVAL * best;
    let others = sightings
        .iter()
        .enumerate()
        .filter(|(i, _)| *i != link.sighting);
    let tracks = places.iter().enumerate().filter(|(i, _)| *i != link.course);
    best >= CLEAR_IOU
        && others.map(|(_, s)| iou(own, s)).all(less)
        && tracks.map(|(_, p)| iou(p, here)).all(less)
}

/// How ill the pair fits, or `None` where it is impossible: distance of the
/// edges in sizes, and the lack of overlap.
fn cost(place: &Place, s: &Sighting) -> Option<f64> {
    if !as_large(place, s, s.at.seconds_since(place.since)) {
        return None;
    }
    let off = s.off(place);
    let size = place.size_px.max(1.0);
    let possible = (0..2).all(|axis| {
        let bound = place.growth_px[axis];
        let gate = (WIDER * bound + SLACK_SIZES * size).min(FARTHEST_SIZES * size);
        off[axis] <= gate.max(bound)
    });
    possible.then(|| (off[0] + off[1]) / size + 0.5 * (1.0 - s.seen().iou(&place.line)))
}

/// Whether the thing at `place` can by its bound be what was seen at `s`, whose
/// edges are off by a jitter of their own.
pub(super) fn may_be(place: &Place, s: &Sighting, rules: &Rules) -> bool {
    let off = s.off(place);
    let jitter = (rules.jitter * place.size_px).max(1.0);
    as_large(place, s, s.at.seconds_since(place.since))
        && (0..2).all(|axis| off[axis] <= place.growth_px[axis] + jitter)
}
