//! What would be hidden in each frame of a clip, and when that was decided:
//! as by the model alone, as in the live stream, as in a file.
//!
//! Time passes here as it does there, but nobody waits: a look at a frame is
//! told a stated delay after the frame came, a frame is released when the look
//! at it or at a later one is there, or when its budget ends. Knows no model.

use crate::clock::CaptureTime;
use crate::detect::{Detection, PixelBox};
use crate::geom::Size;
use crate::track::{CameraMotion, RuleFault, Rules, Tracker};

/// When frames are looked at and when they must leave.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    /// Frames a second.
    pub fps: f64,
    /// Every so many frames one is looked at, if the look before is over.
    pub look_every: usize,
    /// From a frame's coming to what was found in it, seconds.
    pub look_delay_s: f64,
    /// How long a frame can wait, seconds.
    pub budget_s: f64,
    /// A frame is covered where nobody looked for longer than this, seconds.
    pub max_silence_s: f64,
}

/// One look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// At which frame.
    pub frame: usize,
    /// When it was over, seconds since the first frame.
    pub told_s: f64,
}

/// One frame as it leaves.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// When what is hidden was decided, seconds since the first frame.
    pub decided_s: f64,
    /// The boxes that are hidden; `None`: the whole frame.
    pub hidden: Option<Vec<PixelBox>>,
}

impl Schedule {
    /// When frame `frame` was taken.
    pub fn capture(&self, frame: usize) -> CaptureTime {
        CaptureTime(START_NS).plus_seconds(self.second(frame))
    }

    /// The same in seconds since the first frame.
    pub fn second(&self, frame: usize) -> f64 {
        frame as f64 / self.fps
    }

    /// Which of `frames` frames are looked at in the live stream.
    pub fn looks(&self, frames: usize) -> Vec<Look> {
        let mut looks: Vec<Look> = Vec::new();
        for frame in 0..frames {
            let now = self.second(frame);
            let free = looks.last().is_none_or(|last| {
                frame >= last.frame + self.look_every && last.told_s <= now + 1e-9
            });
            if free {
                let told_s = now + self.look_delay_s;
                looks.push(Look { frame, told_s });
            }
        }
        looks
    }
}

/// An arbitrary day, so that nothing before the clip is before all time.
const START_NS: i64 = 1_600_000_000_000_000_000;

/// As the live stream would: `found` says what was found in each frame that
/// [`Schedule::looks`] names.
///
/// # Errors
/// Rules or a size that no tracker takes.
pub fn stream<'d>(
    schedule: &Schedule,
    frames: usize,
    size: Size,
    rules: Rules,
    motion: &dyn CameraMotion,
    found: impl Fn(usize) -> &'d [Detection],
) -> Result<Vec<Shown>, RuleFault> {
    let mut tracker = Tracker::new(rules, size)?;
    let looks = schedule.looks(frames);
    let mut untold = looks.as_slice();
    let mut now = 0.0_f64;
    let mut shown = Vec::with_capacity(frames);
    for frame in 0..frames {
        let came = schedule.second(frame);
        let bracketed = looks.iter().find(|l| l.frame >= frame);
        let ready = bracketed.map_or(f64::INFINITY, |l| l.told_s);
        // In order, each at once when it can.
        now = now.max(ready.min(came + schedule.budget_s)).max(came);
        while let Some((look, later)) = untold.split_first()
            && look.told_s <= now + 1e-9
        {
            untold = later;
            let at = schedule.capture(look.frame);
            if tracker.observe(at, found(look.frame), motion).is_err() {
                tracker.forget();
            }
        }
        let t = schedule.capture(frame);
        let silent = tracker
            .silent_for(t)
            .is_none_or(|s| s > schedule.max_silence_s);
        shown.push(Shown {
            decided_s: now,
            hidden: if silent {
                None
            } else {
                boxes(&tracker, t, motion)
            },
        });
    }
    Ok(shown)
}

/// As in a file: everything is looked at, then everything is asked for.
///
/// # Errors
/// Rules or a size that no tracker takes.
pub fn file<'d>(
    schedule: &Schedule,
    frames: usize,
    size: Size,
    rules: Rules,
    motion: &dyn CameraMotion,
    found: impl Fn(usize) -> &'d [Detection],
) -> Result<Vec<Shown>, RuleFault> {
    let rules = Rules {
        remember_s: 1e6,
        most_looks: 1_000_000,
        ..rules
    };
    let mut tracker = Tracker::new(rules, size)?;
    for frame in (0..frames).step_by(schedule.look_every) {
        let at = schedule.capture(frame);
        if tracker.observe(at, found(frame), motion).is_err() {
            tracker.forget();
        }
    }
    let shown = |frame| Shown {
        decided_s: f64::INFINITY,
        hidden: boxes(&tracker, schedule.capture(frame), motion),
    };
    Ok((0..frames).map(shown).collect())
}

/// As by the model alone: what is found in a frame, grown by `grow`, at once.
pub fn alone<'d>(
    schedule: &Schedule,
    frames: usize,
    grow: f64,
    found: impl Fn(usize) -> &'d [Detection],
) -> Vec<Shown> {
    let shown = |frame| Shown {
        decided_s: schedule.second(frame),
        hidden: Some(found(frame).iter().map(|d| d.at.grown(grow)).collect()),
    };
    (0..frames).map(shown).collect()
}

fn boxes(tracker: &Tracker, t: CaptureTime, motion: &dyn CameraMotion) -> Option<Vec<PixelBox>> {
    let hidden = tracker.boxes_at(t, motion).ok()?;
    Some(hidden.into_iter().map(|h| h.at).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::Class;
    use crate::track::FixedCamera;

    const SIZE: Size = Size {
        width: 640,
        height: 360,
    };

    fn schedule(look_every: usize, look_delay_s: f64) -> Schedule {
        Schedule {
            fps: 25.0,
            look_every,
            look_delay_s,
            budget_s: 0.25,
            max_silence_s: 1.0,
        }
    }

    #[test]
    fn a_look_begins_when_the_one_before_is_over() {
        // (every, delay, which frames)
        let cases: [(usize, f64, &[usize]); 4] = [
            (1, 0.03, &[0, 1, 2, 3, 4, 5, 6, 7]),
            (3, 0.03, &[0, 3, 6]),
            (1, 0.08, &[0, 2, 4, 6]),
            (2, 0.10, &[0, 3, 6]),
        ];
        for (every, delay, wanted) in cases {
            let looks = schedule(every, delay).looks(8);
            let frames: Vec<usize> = looks.iter().map(|l| l.frame).collect();
            assert_eq!(frames, wanted, "every {every}, {delay} s");
            assert!((looks[1].told_s - (looks[1].frame as f64 / 25.0 + delay)).abs() < 1e-9);
        }
    }

    /// One face that stands, seen in the looks at these frames.
    fn play(schedule: &Schedule, frames: usize, seen: &[usize]) -> Vec<Shown> {
        let at = PixelBox {
            x0: 300.0,
            y0: 100.0,
            x1: 330.0,
            y1: 130.0,
        };
        let face = [Detection {
            class: Class::Face,
            at,
            score: 0.9,
        }];
        let found = |frame: usize| {
            if seen.contains(&frame) {
                &face[..]
            } else {
                &[]
            }
        };
        stream(
            schedule,
            frames,
            SIZE,
            Rules::default(),
            &FixedCamera,
            found,
        )
        .unwrap()
    }

    #[test]
    fn frames_wait_for_the_look_that_follows_them_or_for_their_budget() {
        let near = |got: &[Shown], wanted: &[f64]| {
            got.iter()
                .zip(wanted)
                .all(|(g, w)| (g.decided_s - w).abs() < 1e-6)
        };
        // Looks at 0, 3, 6, told 50 ms later; after the last one nobody looks.
        let shown = play(&schedule(3, 0.05), 9, &[]);
        let wanted = [0.05, 0.17, 0.17, 0.17, 0.29, 0.29, 0.29, 0.53, 0.57];
        assert!(near(&shown, &wanted), "{shown:?}");
        // Told after the budget: the first frames leave covered, nobody has looked.
        let late = play(&schedule(3, 0.3), 9, &[]);
        assert!(near(&late, &[0.25, 0.29, 0.33]), "{late:?}");
        let covered: Vec<bool> = late.iter().map(|s| s.hidden.is_none()).collect();
        assert_eq!(covered[..3], [true, true, false]);
    }

    #[test]
    fn a_face_hides_the_frames_that_still_wait_for_it() {
        // First seen in the look at frame 6, told at 0.29 s: frames 4 to 6 are
        // decided then, the ones before were decided by the look at frame 3.
        let shown = play(&schedule(3, 0.05), 12, &[6, 9]);
        let hidden: Vec<bool> = shown
            .iter()
            .map(|s| s.hidden.as_ref().is_some_and(|h| !h.is_empty()))
            .collect();
        assert_eq!(hidden[..4], [false; 4]);
        assert_eq!(hidden[4..], [true; 8]);
    }

    #[test]
    fn a_file_is_hidden_from_before_the_first_sight() {
        let at = PixelBox {
            x0: 300.0,
            y0: 100.0,
            x1: 330.0,
            y1: 130.0,
        };
        let face = [Detection {
            class: Class::Face,
            at,
            score: 0.9,
        }];
        let found = |frame: usize| if frame == 20 { &face[..] } else { &[] };
        let schedule = schedule(1, 0.0);
        let shown = file(&schedule, 60, SIZE, Rules::default(), &FixedCamera, found).unwrap();
        let hides = |s: &Shown| s.hidden.as_ref().is_some_and(|h| !h.is_empty());
        let first = shown.iter().position(hides);
        // Half a second is 12.5 frames.
        assert_eq!(first, Some(8));
        let alone = alone(&schedule, 60, 0.5, found);
        assert_eq!(alone.iter().filter(|s| hides(s)).count(), 1);
        assert_eq!(alone[20].hidden.as_ref().unwrap()[0].width(), 45.0);
    }
}
