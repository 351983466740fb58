//! The score of what is hidden over time, on clips whose things are known in
//! every frame.
//!
//! A thing is *hidden* in a frame when at most a tenth of it is visible, else
//! *bare*. It is *found* when a look matches it at an IoU of 0.5 and a score that counts at least once:
//! what no look ever finds, no tracking can hide, and it is counted apart.

use std::collections::BTreeMap;

use serde::Serialize;

use super::moves::{Truth, whole};
use super::play::Shown;
use super::score::{HIT_IOU, hidden_of, union_area};
use crate::detect::{Class, Detection, PixelBox};
use crate::geom::Size;

/// A thing is bare in a frame in which more of it than this is visible.
const BARE: f64 = 0.1;

/// Upper ends of the height buckets, samples, and their names.
const HEIGHTS: [(f64, &str); 5] = [
    (16.0, "<16"),
    (24.0, "16-24"),
    (32.0, "24-32"),
    (64.0, "32-64"),
    (f64::INFINITY, ">64"),
];
/// From this height on a thing belongs to the summary "≥ 24".
const LARGE_PX: f64 = 24.0;

/// One frame of a clip: what is there and what became of it.
#[derive(Clone, Debug)]
pub struct Moment {
    /// What is there, of the class that is looked for; `None` where nobody
    /// labelled it: then the frame is not scored.
    pub truths: Option<Vec<Truth>>,
    /// What is hidden.
    pub shown: Shown,
    /// What a look at this frame found, and when that was told, seconds since
    /// the first frame; `None` where nobody looked.
    pub look: Option<(Vec<Detection>, f64)>,
}

/// Sums over clips.
#[derive(Clone, Debug)]
pub struct Timeline {
    fps: f64,
    threshold: f32,
    clips: usize,
    frames: usize,
    covered: usize,
    outside: f64,
    shares: Vec<f64>,
    ratios: Vec<f64>,
    by_height: [Sums; 5],
}

#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    things: usize,
    found: usize,
    hidden_unfound: usize,
    frames: usize,
    hidden_frames: usize,
    changes: usize,
    steps: usize,
    before: usize,
    held: usize,
    after: usize,
    bare_held: usize,
    bare_after: usize,
}

/// What the sums say. Shares are 0…1; null where there is nothing to share.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TimeReport {
    /// Clips.
    pub clips: usize,
    /// Their frames.
    pub frames: usize,
    /// Share of the frames that were covered as a whole; not in what follows.
    pub covered: Option<f64>,
    /// Share of a frame that is hidden without need, mean.
    pub hidden_outside: Option<f64>,
    /// Share of a frame that is hidden.
    pub hidden: Spread,
    /// Hidden area over the area of what is there, in frames with something.
    pub hidden_per_true: Spread,
    /// All things.
    pub all: Held,
    /// Those of at least 24 samples.
    pub large: Held,
    /// By the mean of the thing's height over its frames.
    pub by_height: [Held; 5],
}

/// Of many numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Spread {
    /// Mean.
    pub mean: Option<f64>,
    /// Half of them are at most this.
    pub p50: Option<f64>,
    /// 95 % of them are at most this.
    pub p95: Option<f64>,
    /// The greatest.
    pub max: Option<f64>,
}

/// How things of some heights were hidden. Runs, changes and shares are of
/// those that were found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Held {
    /// Heights, samples.
    pub height_px: &'static str,
    /// Things.
    pub things: usize,
    /// Those that a look found at least once.
    pub found: usize,
    /// Those that none found, though they were hidden in some frame.
    pub hidden_unfound: usize,
    /// Share of the frames of found things in which they are hidden.
    pub hidden_frames: Option<f64>,
    /// The longest run of frames in which a thing is bare before its first
    /// hidden frame.
    pub longest_bare_before: usize,
    /// The same, of the frames that were decided after a look had found it:
    /// they were within reach.
    pub longest_bare_in_reach: usize,
    /// Things with such a frame.
    pub bare_in_reach: usize,
    /// The longest run of bare frames after the first hidden one.
    pub longest_bare_after: usize,
    /// Things with such a frame.
    pub bare_after: usize,
    /// Changes between hidden and bare after the first hidden frame, a second
    /// and thing.
    pub flicker_per_s: Option<f64>,
}

/// One thing in the frames in which it counts.
#[derive(Default)]
struct Thing {
    /// Frame, whether bare, when decided.
    frames: Vec<(usize, bool, f64)>,
    heights: f64,
    found_s: Option<f64>,
}

impl Timeline {
    /// Nothing yet. A thing is found by what scores `threshold` or more.
    pub fn new(fps: f64, threshold: f32) -> Self {
        Self {
            fps,
            threshold,
            clips: 0,
            frames: 0,
            covered: 0,
            outside: 0.0,
            shares: Vec::new(),
            ratios: Vec::new(),
            by_height: [Sums::default(); 5],
        }
    }

    /// One clip, frame by frame.
    pub fn add(&mut self, size: Size, moments: &[Moment]) {
        self.clips += 1;
        let mut things: BTreeMap<(Class, u32), Thing> = BTreeMap::new();
        for (frame, moment) in moments.iter().enumerate() {
            let Some(truths) = &moment.truths else {
                continue;
            };
            let hidden = self.take_areas(size, &moment.shown, truths);
            for truth in truths.iter().filter(|t| t.counts) {
                let thing = things.entry((truth.class, truth.id)).or_default();
                let bare = hidden.as_ref().is_some_and(|hidden| {
                    let covered = union_area(hidden_of(&truth.at, hidden));
                    covered < (1.0 - BARE) * truth.at.area() - 1e-9
                });
                thing.frames.push((frame, bare, moment.shown.decided_s));
                thing.heights += truth.at.height();
                if let Some((found, told_s)) = &moment.look
                    && thing.found_s.is_none_or(|s| s > *told_s)
                    && found.iter().any(|d| {
                        d.class == truth.class
                            && d.score >= self.threshold
                            && d.at.iou(&truth.at) >= HIT_IOU
                    })
                {
                    thing.found_s = Some(*told_s);
                }
            }
        }
        for thing in things.values() {
            let height = thing.heights / thing.frames.len() as f64;
            let bucket = HEIGHTS.iter().position(|(end, _)| height < *end);
            self.by_height[bucket.unwrap_or(4)].add(thing);
        }
    }

    /// Takes the frame's areas; gives what is hidden, cut to the frame.
    fn take_areas(&mut self, size: Size, shown: &Shown, truths: &[Truth]) -> Option<Vec<PixelBox>> {
        self.frames += 1;
        let frame = whole(size);
        let Some(hidden) = &shown.hidden else {
            self.covered += 1;
            return None;
        };
        let hidden: Vec<PixelBox> = hidden.iter().map(|h| h.intersection(&frame)).collect();
        let truths: Vec<PixelBox> = truths.iter().map(|t| t.at).collect();
        let needed = truths.iter().flat_map(|t| hidden_of(t, &hidden)).collect();
        let area = union_area(hidden.clone());
        self.outside += (area - union_area(needed)).max(0.0) / frame.area();
        self.shares.push(area / frame.area());
        let there = union_area(truths);
        if there > 0.0 {
            self.ratios.push(area / there);
        }
        Some(hidden)
    }

    /// What the sums say.
    pub fn report(&self) -> TimeReport {
        let shown = self.frames - self.covered;
        let share = |sum: f64, of: usize| (of > 0).then(|| sum / of as f64);
        let of = |from: f64, name| {
            let mut sums = Sums::default();
            for ((end, _), more) in HEIGHTS.iter().zip(&self.by_height) {
                if *end > from {
                    sums.join(more);
                }
            }
            sums.held(name, self.fps)
        };
        let mut by_height = HEIGHTS.map(|(_, name)| Sums::default().held(name, self.fps));
        for (held, sums) in by_height.iter_mut().zip(&self.by_height) {
            *held = sums.held(held.height_px, self.fps);
        }
        TimeReport {
            clips: self.clips,
            frames: self.frames,
            covered: share(self.covered as f64, self.frames),
            hidden_outside: share(self.outside, shown),
            hidden: Spread::of(&self.shares),
            hidden_per_true: Spread::of(&self.ratios),
            all: of(0.0, "all"),
            large: of(LARGE_PX, "≥24"),
            by_height,
        }
    }
}

impl Spread {
    fn of(numbers: &[f64]) -> Self {
        let mut sorted = numbers.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let last = sorted.len().checked_sub(1)?;
            sorted.get((share * last as f64).round() as usize).copied()
        };
        Self {
            mean: (!sorted.is_empty()).then(|| sorted.iter().sum::<f64>() / sorted.len() as f64),
            p50: at(0.5),
            p95: at(0.95),
            max: at(1.0),
        }
    }
}

impl Sums {
    fn add(&mut self, thing: &Thing) {
        self.things += 1;
        let first_hidden = thing.frames.iter().position(|(_, bare, _)| !bare);
        let Some(found_s) = thing.found_s else {
            self.hidden_unfound += usize::from(first_hidden.is_some());
            return;
        };
        self.found += 1;
        let (before, after) = thing
            .frames
            .split_at(first_hidden.unwrap_or(thing.frames.len()));
        let reach: Vec<_> = before
            .iter()
            .filter(|(_, _, decided_s)| *decided_s >= found_s - 1e-9)
            .copied()
            .collect();
        let runs = [before, &reach, after].map(longest_bare);
        self.before = self.before.max(runs[0]);
        self.held = self.held.max(runs[1]);
        self.after = self.after.max(runs[2]);
        self.bare_held += usize::from(runs[1] > 0);
        self.bare_after += usize::from(runs[2] > 0);
        self.frames += thing.frames.len();
        self.hidden_frames += thing.frames.iter().filter(|(_, bare, _)| !bare).count();
        for pair in after.windows(2).filter(|p| p[1].0 == p[0].0 + 1) {
            self.steps += 1;
            self.changes += usize::from(pair[0].1 != pair[1].1);
        }
    }

    fn join(&mut self, more: &Self) {
        self.things += more.things;
        self.found += more.found;
        self.hidden_unfound += more.hidden_unfound;
        self.frames += more.frames;
        self.hidden_frames += more.hidden_frames;
        self.changes += more.changes;
        self.steps += more.steps;
        self.before = self.before.max(more.before);
        self.held = self.held.max(more.held);
        self.after = self.after.max(more.after);
        self.bare_held += more.bare_held;
        self.bare_after += more.bare_after;
    }

    fn held(&self, height_px: &'static str, fps: f64) -> Held {
        let share = |sum: f64, of: usize| (of > 0).then(|| sum / of as f64);
        Held {
            height_px,
            things: self.things,
            found: self.found,
            hidden_unfound: self.hidden_unfound,
            hidden_frames: share(self.hidden_frames as f64, self.frames),
            longest_bare_before: self.before,
            longest_bare_in_reach: self.held,
            bare_in_reach: self.bare_held,
            longest_bare_after: self.after,
            bare_after: self.bare_after,
            flicker_per_s: share(self.changes as f64 * fps, self.steps),
        }
    }
}

/// The longest run of neighbouring frames that are bare.
fn longest_bare(frames: &[(usize, bool, f64)]) -> usize {
    let (mut longest, mut run, mut last) = (0, 0, None);
    for (frame, bare, _) in frames {
        let follows = last.is_some_and(|l| l + 1 == *frame);
        run = match (bare, follows) {
            (true, true) => run + 1,
            (true, false) => 1,
            (false, _) => 0,
        };
        last = Some(*frame);
        longest = longest.max(run);
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size {
        width: 100,
        height: 100,
    };

    fn at(x0: f64, y0: f64, x1: f64, y1: f64) -> PixelBox {
        PixelBox { x0, y0, x1, y1 }
    }

    fn truth(id: u32, at: PixelBox) -> Truth {
        let class = Class::Face;
        Truth {
            id,
            class,
            at,
            counts: true,
        }
    }

    /// A face of `side` samples; each frame is one letter of `play`: `h` hidden,
    /// `b` bare, `c` the whole frame is covered, `-` it is not there. Found in
    /// frame `found`, told a frame later; a frame is decided `wait` frames late.
    fn held(play: &str, side: f64, found: Option<usize>, wait: f64) -> Held {
        let face = at(0.0, 0.0, side, side);
        let moments: Vec<Moment> = play
            .chars()
            .enumerate()
            .map(|(frame, letter)| {
                let seen = Detection {
                    class: Class::Face,
                    at: face,
                    score: 0.9,
                };
                let told_s = (frame + 1) as f64 / 10.0;
                Moment {
                    truths: match letter {
                        '?' => None,
                        '-' => Some(vec![]),
                        _ => Some(vec![truth(7, face)]),
                    },
                    shown: Shown {
                        decided_s: (frame as f64 + wait) / 10.0,
                        hidden: match letter {
                            'c' => None,
                            'h' => Some(vec![face]),
                            _ => Some(vec![]),
                        },
                    },
                    look: (Some(frame) == found).then(|| (vec![seen], told_s)),
                }
            })
            .collect();
        let mut timeline = Timeline::new(10.0, 0.0);
        timeline.add(SIZE, &moments);
        timeline.report().all
    }

    #[test]
    fn runs_and_flicker_are_counted() {
        // (what happens, found in, wait, before, in reach, after, changes of steps)
        type Case = (&'static str, usize, f64, [usize; 3], Option<(f64, f64)>);
        let cases: [Case; 10] = [
            // Frames that nobody labelled.
            ("hb??b", 0, 1.0, [0, 0, 1], Some((1.0, 1.0))),
            ("hhhhh", 0, 1.0, [0, 0, 0], Some((0.0, 4.0))),
            ("bbhhh", 2, 0.5, [2, 0, 0], Some((0.0, 2.0))),
            // Told at frame 3; frames 0 and 1 are decided 2 frames late: frame 1 then.
            ("bbhhh", 2, 2.0, [2, 1, 0], Some((0.0, 2.0))),
            ("hbbhb", 0, 1.0, [0, 0, 2], Some((3.0, 4.0))),
            ("bhbhh", 1, 0.0, [1, 0, 1], Some((2.0, 3.0))),
            ("hccch", 0, 1.0, [0, 0, 0], Some((0.0, 4.0))),
            // Out of the picture for a while: no run across, no change.
            ("hb-bh", 0, 1.0, [0, 0, 1], Some((2.0, 2.0))),
            ("hh--b", 0, 1.0, [0, 0, 1], Some((0.0, 1.0))),
            ("bbbbb", 3, 9.0, [5, 5, 0], None),
        ];
        for (play, found, wait, [before, reach, after], flicker) in cases {
            let held = held(play, 30.0, Some(found), wait);
            assert_eq!(held.longest_bare_before, before, "{play}: before");
            assert_eq!(held.longest_bare_in_reach, reach, "{play}: in reach");
            assert_eq!(held.longest_bare_after, after, "{play}: after");
            assert_eq!(held.bare_after, usize::from(after > 0), "{play}");
            let rate = flicker.map(|(changes, steps)| changes * 10.0 / steps);
            assert_eq!(held.flicker_per_s, rate, "{play}: flicker");
            assert_eq!((held.things, held.found), (1, 1), "{play}");
        }
    }

    #[test]
    fn what_no_look_finds_is_counted_apart() {
        let unfound = held("bbhhb", 30.0, None, 1.0);
        assert_eq!((unfound.found, unfound.hidden_unfound), (0, 1));
        assert_eq!(
            (unfound.longest_bare_before, unfound.flicker_per_s),
            (0, None)
        );
        assert_eq!(unfound.hidden_frames, None);
        assert_eq!(held("bbbb", 30.0, None, 1.0).hidden_unfound, 0);
        assert_eq!(held("bhhh", 30.0, Some(0), 1.0).hidden_frames, Some(0.75));
    }

    #[test]
    fn a_tenth_may_be_visible_and_areas_are_compared() {
        let face = at(0.0, 0.0, 10.0, 10.0);
        let frame = |hidden: PixelBox| Moment {
            truths: Some(vec![
                truth(1, face),
                Truth {
                    counts: false,
                    ..truth(2, at(90.0, 0.0, 100.0, 10.0))
                },
            ]),
            shown: Shown {
                decided_s: 0.0,
                hidden: Some(vec![hidden, at(95.0, 0.0, 105.0, 10.0)]),
            },
            look: Some((
                vec![Detection {
                    class: Class::Face,
                    at: face,
                    score: 0.5,
                }],
                0.0,
            )),
        };
        let mut timeline = Timeline::new(10.0, 0.0);
        timeline.add(
            SIZE,
            &[
                frame(at(0.0, 0.0, 9.0, 10.0)),
                frame(at(0.0, 0.0, 8.9, 10.0)),
                frame(at(0.0, 0.0, 20.0, 10.0)),
            ],
        );
        let report = timeline.report();
        assert_eq!(report.all.things, 1, "the one at the edge does not count");
        assert_eq!(report.all.longest_bare_after, 1);
        assert_eq!(report.by_height[0].things, 1);
        assert_eq!(report.large.things, 0);
        let per_true = [140.0, 139.0, 250.0].map(|a: f64| a / 200.0);
        let mean = per_true.iter().sum::<f64>() / 3.0;
        assert!((report.hidden_per_true.mean.unwrap() - mean).abs() < 1e-9);
        assert!((report.hidden_per_true.max.unwrap() - 1.25).abs() < 1e-9);
        // Only the third frame hides what is not there: 100 samples of 10,000.
        assert!((report.hidden_outside.unwrap() - 0.01 / 3.0).abs() < 1e-9);
        assert!((report.hidden.max.unwrap() - 0.025).abs() < 1e-9);
    }
}
