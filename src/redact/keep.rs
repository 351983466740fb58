//! The one subject that stays visible, and where it may.
//!
//! A track's number can pass from one thing to another. So the subject is shown
//! only in one stretch of its track, the one around the moment in which it was
//! pointed at, and only as far as nothing could have taken its place: it was
//! observed without a longer gap, its box overlaps the one before, no doubt was
//! noted, and no other thing of its class touched it. Where anything else
//! overlaps it, it is hidden too.

use super::timeline::{How, Thing, Timeline};
use crate::detect::{Class, PixelBox};
use std::collections::BTreeSet;

/// What is to stay visible. Times in seconds from the beginning; without one,
/// the first moment that fits.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keep {
    /// The plate at this place of the upright picture, samples.
    Plate {
        /// To the right.
        x: f64,
        /// Downwards.
        y: f64,
        /// When.
        at_s: Option<f64>,
    },
    /// The track with this number in the report of an earlier run.
    Track {
        /// Its number.
        id: u64,
        /// When.
        at_s: Option<f64>,
    },
}

/// Why nothing can stay visible.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CannotKeep {
    /// No plate is there.
    #[error("no plate was found at {x},{y}{when}; the report of a run without --keep-plate lists what was found", when = at(.at_s))]
    NoPlate {
        /// To the right, samples.
        x: f64,
        /// Downwards, samples.
        y: f64,
        /// When, seconds.
        at_s: Option<f64>,
    },
    /// Several are.
    #[error("{found} plates overlap at {x},{y}{when}; point at another moment, as in {x},{y}@SECONDS", when = at(.at_s))]
    Several {
        /// How many.
        found: usize,
        /// To the right, samples.
        x: f64,
        /// Downwards, samples.
        y: f64,
        /// When, seconds.
        at_s: Option<f64>,
    },
    /// No such track.
    #[error("there is no track {id}{when}; use a number from the report of a run with the same arguments", when = at(.at_s))]
    NoTrack {
        /// The number.
        id: u64,
        /// When, seconds.
        at_s: Option<f64>,
    },
}

fn at(at_s: &Option<f64>) -> String {
    at_s.map_or(String::new(), |s| format!(" at {s} s"))
}

/// Observations further apart leave room for another thing to take its place.
const LONGEST_GAP_NS: u64 = 250_000_000;
/// Boxes of one thing in observations next to each other overlap at least so much.
const LEAST_IOU: f64 = 0.3;

/// Where the subject is visible.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Subject {
    pub(super) track: u64,
    /// Frames in which it is shown.
    pub(super) shown: BTreeSet<usize>,
    /// Frames in which it is hidden because it may be another thing.
    pub(super) doubtful: usize,
    /// Frames in which it is hidden because another thing overlaps it.
    pub(super) overlapped: usize,
}

impl Subject {
    /// Finds the subject and how far it may be shown.
    pub(super) fn choose(keep: &Keep, timeline: &Timeline) -> Result<Self, CannotKeep> {
        let (anchor, track) = match *keep {
            Keep::Plate { x, y, at_s } => plate_at(timeline, x, y, at_s)?,
            Keep::Track { id, at_s } => (track_at(timeline, id, at_s)?, id),
        };
        let mut sure = BTreeSet::from([anchor]);
        sure.extend(stretch(
            timeline,
            track,
            anchor,
            &mut (anchor + 1..timeline.moments.len()),
        ));
        sure.extend(stretch(timeline, track, anchor, &mut (0..anchor).rev()));
        let mut subject = Self {
            track,
            shown: BTreeSet::new(),
            doubtful: 0,
            overlapped: 0,
        };
        for index in 0..timeline.moments.len() {
            let Ok(things) = timeline.at(index) else {
                continue;
            };
            let Some(own) = things.iter().find(|t| t.track == track) else {
                continue;
            };
            if !sure.contains(&index) || own.doubtful {
                subject.doubtful += 1;
            } else if others(things, track).any(|o| touch(o, own)) {
                subject.overlapped += 1;
            } else {
                subject.shown.insert(index);
            }
        }
        Ok(subject)
    }
}

fn others(things: &[Thing], track: u64) -> impl Iterator<Item = &Thing> {
    things.iter().filter(move |t| t.track != track)
}

fn touch(a: &Thing, b: &Thing) -> bool {
    a.at().intersection(&b.at()).area() > 0.0
}

/// The frames in `order`, away from `anchor`, through which the track is the
/// same thing beyond doubt.
fn stretch(
    timeline: &Timeline,
    track: u64,
    anchor: usize,
    order: &mut dyn Iterator<Item = usize>,
) -> Vec<usize> {
    let own = |index: usize| -> Option<&Thing> {
        timeline.at(index).ok()?.iter().find(|t| t.track == track)
    };
    let Some(mut last) = own(anchor).map(|t| (anchor, t.likely())) else {
        return Vec::new();
    };
    // Frames since the last observation count only once the next one is there.
    let (mut sure, mut since) = (Vec::new(), Vec::new());
    for index in order {
        let gap_ns = timeline.moments[index]
            .at_ns
            .abs_diff(timeline.moments[last.0].at_ns);
        if gap_ns > LONGEST_GAP_NS {
            break;
        }
        let Some(thing) = own(index) else {
            // Covered as a whole; the track itself may go on behind it.
            if timeline.at(index).is_err() {
                continue;
            }
            break;
        };
        let rival = timeline.at(index).is_ok_and(|things| {
            others(things, track).any(|o| o.class == thing.class && touch(o, thing))
        });
        if thing.doubtful || rival || thing.how == How::Beyond {
            break;
        }
        since.push(index);
        if thing.how == How::Observed {
            if thing.likely().iou(&last.1) < LEAST_IOU {
                break;
            }
            last = (index, thing.likely());
            sure.append(&mut since);
        }
    }
    sure
}

/// The frame that is shown at `at_s`.
fn index_at(timeline: &Timeline, at_s: f64) -> Option<usize> {
    let at_ns = (at_s * 1e9) as u64;
    let after = timeline.moments.partition_point(|m| m.at_ns <= at_ns);
    after.checked_sub(1)
}

fn frames(timeline: &Timeline, at_s: Option<f64>) -> std::ops::Range<usize> {
    match at_s.map(|s| index_at(timeline, s)) {
        None => 0..timeline.moments.len(),
        Some(None) => 0..0,
        Some(Some(index)) => index..index + 1,
    }
}

fn plate_at(
    timeline: &Timeline,
    x: f64,
    y: f64,
    at_s: Option<f64>,
) -> Result<(usize, u64), CannotKeep> {
    for index in frames(timeline, at_s) {
        let there: Vec<&Thing> = timeline
            .at(index)
            .unwrap_or_default()
            .iter()
            .filter(|t| t.class == Class::Plate && t.how == How::Observed)
            .filter(|t| holds(&t.likely(), x, y))
            .collect();
        match there.as_slice() {
            [] => {}
            [one] => return Ok((index, one.track)),
            several => {
                let found = several.len();
                return Err(CannotKeep::Several { found, x, y, at_s });
            }
        }
    }
    Err(CannotKeep::NoPlate { x, y, at_s })
}

fn track_at(timeline: &Timeline, id: u64, at_s: Option<f64>) -> Result<usize, CannotKeep> {
    frames(timeline, at_s)
        .find(|index| {
            timeline.at(*index).is_ok_and(|things| {
                things
                    .iter()
                    .any(|t| t.track == id && t.how == How::Observed)
            })
        })
        .ok_or(CannotKeep::NoTrack { id, at_s })
}

pub(super) fn holds(b: &PixelBox, x: f64, y: f64) -> bool {
    (b.x0..=b.x1).contains(&x) && (b.y0..=b.y1).contains(&y)
}
