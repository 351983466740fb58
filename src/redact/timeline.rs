//! From what was found in single frames to what is hidden in every frame.
//!
//! The tracker is fed in order and asked late: when it answers for a frame it has
//! seen what comes [`LAG_S`] and [`LAG_LOOKS`] looks after it, which is more than
//! any later look can change.

use super::hide::Cause;
use crate::clock::CaptureTime;
use crate::detect::{Class, Detection, PixelBox};
use crate::geom::Size;
use crate::track::{FixedCamera, RuleFault, Rules, Tracker, Why};
use std::ops::Range;

/// More than a track is held, and more than it is hidden before its first look.
const LAG_S: f64 = 2.0;
/// More than it takes to end a track.
const LAG_LOOKS: usize = 4;

/// What the first reading says about one frame.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// When it is shown, nanoseconds.
    pub(super) at_ns: u64,
    /// By which it is known again.
    pub(super) sum: u64,
    /// What was found; `None` where nobody looked.
    pub(super) found: Option<Result<Vec<Detection>, Cause>>,
}

/// One thing in one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Thing {
    pub(super) track: u64,
    pub(super) class: Class,
    /// Left, top, right, bottom; single precision is exact to 1/1000 sample.
    at: [f32; 4],
    likely: [f32; 4],
    pub(super) how: How,
    /// It may be another thing from here on.
    pub(super) doubtful: bool,
}

/// How a box was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    Observed,
    Between,
    Beyond,
}

impl Thing {
    /// What is hidden because of it.
    pub(super) fn at(&self) -> PixelBox {
        double(self.at)
    }

    /// Where it most likely is.
    pub(super) fn likely(&self) -> PixelBox {
        double(self.likely)
    }
}

fn single(b: &PixelBox) -> [f32; 4] {
    [b.x0, b.y0, b.x1, b.y1].map(|v| v as f32)
}

fn double(b: [f32; 4]) -> PixelBox {
    let [x0, y0, x1, y1] = b.map(f64::from);
    PixelBox { x0, y0, x1, y1 }
}

/// One frame: when, by what it is known, and which things are in it.
#[derive(Clone, Debug)]
pub(super) struct Moment {
    pub(super) at_ns: u64,
    pub(super) sum: u64,
    things: Result<Range<usize>, Cause>,
}

/// All frames of a clip.
#[derive(Clone, Debug)]
pub(super) struct Timeline {
    pub(super) size: Size,
    pub(super) moments: Vec<Moment>,
    things: Vec<Thing>,
}

impl Timeline {
    /// Follows what was found by `rules`. What leads up to a sure detection
    /// belongs to its track, in both directions of time.
    pub(super) fn new(size: Size, mut seen: Vec<Seen>, rules: Rules) -> Result<Self, RuleFault> {
        let rules = for_clip(rules, &seen);
        thin(&mut seen, &rules);
        strengthen(&mut seen, rules, size)?;
        let looks: Vec<(CaptureTime, &[Detection])> = looks(&seen).collect();
        let mut tracker = Tracker::new(rules, size)?;
        let mut timeline = Self {
            size,
            moments: Vec::with_capacity(seen.len()),
            things: Vec::new(),
        };
        let mut fed = 0;
        let blind = beside_failed_looks(&seen);
        for (frame, blind) in seen.iter().zip(blind) {
            let at = time(frame.at_ns);
            let until = at.plus_seconds(LAG_S);
            let past = looks.partition_point(|(t, _)| *t <= at);
            while let Some((t, found)) = looks.get(fed)
                && (*t <= until || fed < past + LAG_LOOKS)
            {
                // A refused look was never made; what it was for is covered below.
                if let Err(refused) = tracker.observe(*t, found, &FixedCamera) {
                    tracing::warn!(%refused, "a look is left out");
                }
                fed += 1;
            }
            let things = if blind {
                Err(Cause::TracksUnknown)
            } else {
                timeline.things(&tracker, frame, at)
            };
            timeline.moments.push(Moment {
                at_ns: frame.at_ns,
                sum: frame.sum,
                things,
            });
        }
        Ok(timeline)
    }

    fn things(
        &mut self,
        tracker: &Tracker,
        frame: &Seen,
        at: CaptureTime,
    ) -> Result<Range<usize>, Cause> {
        if let Some(Err(cause)) = frame.found {
            return Err(cause);
        }
        // Before the first look nobody knows what was there; a frame that was
        // searched must be one of the tracker's looks.
        let silent = tracker.silent_for(at);
        if silent.is_none() || (frame.found.is_some() && silent != Some(0.0)) {
            return Err(Cause::TracksUnknown);
        }
        let hidden = tracker
            .boxes_at(at, &FixedCamera)
            .map_err(|_| Cause::TracksUnknown)?;
        let from = self.things.len();
        self.things.extend(hidden.iter().map(|h| Thing {
            track: h.id.0,
            class: h.class,
            at: single(&h.at),
            likely: single(&h.likely),
            how: match h.why {
                Why::Observed => How::Observed,
                Why::Interpolated => How::Between,
                Why::Extrapolated { .. } | Why::Before { .. } | Why::After { .. } => How::Beyond,
            },
            doubtful: h.doubtful,
        }));
        Ok(from..self.things.len())
    }

    /// The things in frame `index`, or why it is covered.
    pub(super) fn at(&self, index: usize) -> Result<&[Thing], Cause> {
        let moment = self.moments.get(index).ok_or(Cause::NotTheSame)?;
        let range = moment.things.clone()?;
        self.things.get(range).ok_or(Cause::TracksUnknown)
    }
}

fn looks(seen: &[Seen]) -> impl Iterator<Item = (CaptureTime, &[Detection])> {
    seen.iter().filter_map(|s| match &s.found {
        Some(Ok(found)) => Some((time(s.at_ns), found.as_slice())),
        _ => None,
    })
}

/// `rules`, remembering as long as the looks of this clip need.
fn for_clip(rules: Rules, seen: &[Seen]) -> Rules {
    let later = looks(seen).skip(1);
    let gaps = looks(seen).zip(later).map(|(a, b)| b.0.seconds_since(a.0));
    let longest = gaps.fold(0.0, f64::max);
    Rules {
        remember_s: (4.0 * LAG_S).max(longest * (2 * LAG_LOOKS) as f64).min(1e6),
        most_looks: 1_000_000,
        most_tracks: 4096,
        ..rules
    }
}

/// For each frame whether nobody looked at it and the look before or after it
/// failed: what came and went there is not known.
fn beside_failed_looks(seen: &[Seen]) -> Vec<bool> {
    let mut blind = vec![false; seen.len()];
    let mut mark = |order: &mut dyn Iterator<Item = usize>| {
        let mut failed = false;
        for i in order {
            match &seen[i].found {
                Some(found) => failed = found.is_err(),
                None => blind[i] |= failed,
            }
        }
    };
    mark(&mut (0..seen.len()));
    mark(&mut (0..seen.len()).rev());
    blind
}

/// A weak detection of which so much lies in what a sure one hides is a piece of
/// the same thing.
const PIECE: f64 = 0.9;

/// Leaves out weak detections that are pieces of sure ones: each would put the
/// sure one's track in doubt and begin one of its own.
fn thin(seen: &mut [Seen], rules: &Rules) {
    for frame in seen {
        let Some(Ok(found)) = &mut frame.found else {
            continue;
        };
        let is_sure = |d: &Detection| d.score >= rules.kind(d.class).sure_score;
        let sure: Vec<Detection> = found.iter().filter(|d| is_sure(d)).copied().collect();
        found.retain(|d| {
            let piece_of = |s: &Detection| {
                let both = s.at.grown(rules.grow).intersection(&d.at).area();
                s.class == d.class && both >= PIECE * d.at.area()
            };
            is_sure(d) || !sure.iter().any(piece_of)
        });
    }
}

/// A box of which so much lies in an observed one is that observation.
const SAME: f64 = 0.99;

/// Makes those weak detections sure that lead up to a sure one: a tracker that
/// reads the clip backwards continues tracks with them, so they are the
/// beginnings of tracks when it is read forwards.
fn strengthen(seen: &mut [Seen], rules: Rules, size: Size) -> Result<(), RuleFault> {
    let mut tracker = Tracker::new(rules, size)?;
    for frame in seen.iter_mut().rev() {
        let Some(Ok(found)) = &mut frame.found else {
            continue;
        };
        let at = CaptureTime(time(frame.at_ns).0.saturating_neg());
        let observed = tracker.observe(at, found, &FixedCamera);
        let (Ok(_), Ok(hidden)) = (observed, tracker.boxes_at(at, &FixedCamera)) else {
            continue;
        };
        for weak in found {
            let sure_score = rules.kind(weak.class).sure_score;
            let followed = hidden.iter().any(|h| {
                h.class == weak.class
                    && h.why == Why::Observed
                    && h.likely.intersection(&weak.at).area() >= SAME * weak.at.area()
            });
            if followed {
                weak.score = weak.score.max(sure_score);
            }
        }
    }
    Ok(())
}

pub(super) fn time(at_ns: u64) -> CaptureTime {
    CaptureTime(i64::try_from(at_ns).unwrap_or(i64::MAX))
}
