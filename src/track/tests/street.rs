//! A street of things that move within the rules, and a detector that is as
//! bad as the rules allow.

use super::*;

pub(super) const FPS: f64 = 25.0;
const START_NS: i64 = 1_700_000_000_000_000_000;

pub(super) fn capture(s: f64) -> CaptureTime {
    CaptureTime(START_NS + (s * 1e9).round() as i64)
}

/// A box about its centre.
pub(super) fn box_at(x: f64, y: f64, w: f64, h: f64) -> PixelBox {
    PixelBox {
        x0: x - w / 2.0,
        y0: y - h / 2.0,
        x1: x + w / 2.0,
        y1: y + h / 2.0,
    }
}

pub(super) fn contains(outer: &PixelBox, inner: &PixelBox) -> bool {
    outer.x0 <= inner.x0 && outer.y0 <= inner.y0 && outer.x1 >= inner.x1 && outer.y1 >= inner.y1
}

/// Numbers that are the same for the same seed (xorshift64).
pub(super) struct Dice(pub(super) u64);

impl Dice {
    /// −1…1.
    pub(super) fn roll(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    pub(super) fn chance(&mut self, p: f64) -> bool {
        self.roll() < 2.0 * p - 1.0
    }

    fn between(&mut self, least: f64, most: f64) -> f64 {
        least + 0.5 * (self.roll() + 1.0) * (most - least)
    }
}

/// Constant acceleration over short pieces: (start s, position, speed, acceleration).
#[derive(Clone, Debug)]
struct Axis(Vec<(f64, f64, f64, f64)>);

impl Axis {
    /// Each order is (seconds, share of the highest acceleration), from second
    /// 0; where speed would pass its limit the thing keeps its speed instead.
    fn driven(from: f64, speed: f64, orders: &[(f64, f64)], fastest: f64, accel: f64) -> Self {
        let (mut t, mut x, mut v) = (0.0, from, speed);
        let mut pieces = Vec::new();
        for (lasts, share) in orders.iter().chain([&(1e3, 0.0)]) {
            let wanted = share * accel;
            let a = if (v + wanted * lasts).abs() <= fastest {
                wanted
            } else {
                0.0
            };
            pieces.push((t, x, v, a));
            x += v * lasts + a * lasts * lasts / 2.0;
            v += a * lasts;
            t += lasts;
        }
        Self(pieces)
    }

    fn at(&self, t: f64) -> f64 {
        let i = self.0.partition_point(|p| p.0 <= t).saturating_sub(1);
        let (t0, x, v, a) = self.0[i];
        let dt = t - t0;
        x + v * dt + a * dt * dt / 2.0
    }
}

/// A thing of constant size.
#[derive(Clone, Debug)]
pub(super) struct Walker {
    x: Axis,
    y: Axis,
    w: f64,
    h: f64,
}

impl Walker {
    pub(super) fn at(&self, s: f64) -> PixelBox {
        box_at(self.x.at(s), self.y.at(s), self.w, self.h)
    }
}

/// A detector's box may come out this much too small, and rates are in sizes of
/// what it says: the street stays below the rules by as much.
const SMALLER: f64 = 0.8;

pub(super) fn walker(kind: Kind) -> impl Strategy<Value = Walker> {
    let orders = || {
        prop_oneof![
            // Anything, and the worst: full force one way, then the other.
            prop::collection::vec((0.05..1.0f64, -1.0..1.0f64), 0..20),
            (0.04..0.6f64, 2usize..40, any::<bool>()).prop_map(|(lasts, n, first)| {
                let sign = |i: usize| {
                    if i.is_multiple_of(2) == first {
                        1.0
                    } else {
                        -1.0
                    }
                };
                (0..n).map(|i| (lasts, sign(i))).collect()
            }),
        ]
    };
    (
        8.0..80.0f64,
        0.6..1.0f64,
        -1.0..1.0f64,
        -1.0..1.0f64,
        orders(),
        orders(),
    )
        .prop_map(move |(h, narrow, vx, vy, ox, oy)| {
            let fastest = SMALLER * kind.speed_sizes_s * h;
            let accel = SMALLER * kind.accel_sizes_s2 * h;
            Walker {
                x: Axis::driven(8000.0, vx * fastest, &ox, fastest, accel),
                y: Axis::driven(8000.0, vy * fastest, &oy, fastest, accel),
                w: narrow * h,
                h,
            }
        })
}

/// What a detector says of `truth`: each edge off by at most the rules' jitter.
pub(super) fn seen(truth: &PixelBox, dice: &mut Dice) -> PixelBox {
    let jitter = SMALLER * Rules::default().jitter;
    let (w, h) = (jitter * truth.width(), jitter * truth.height());
    PixelBox {
        x0: truth.x0 + w * dice.roll(),
        y0: truth.y0 + h * dice.roll(),
        x1: truth.x1 + w * dice.roll(),
        y1: truth.y1 + h * dice.roll(),
    }
}

/// When one thing was seen, and what that obliges to.
#[derive(Default)]
pub(super) struct Sights(Vec<(f64, f64)>);

impl Sights {
    /// Whether a sighting at `s` would begin a track anew.
    pub(super) fn is_new(&self, s: f64) -> bool {
        self.0.last().is_none_or(|(last, hold_s)| s > last + hold_s)
    }

    /// Held for 0.8 s after four sightings, for as much less after fewer.
    pub(super) fn add(&mut self, s: f64) {
        let rules = Rules::default();
        let hold_s = match self.0.last() {
            Some((_, hold_s)) if !self.is_new(s) => hold_s + 0.25 * rules.hold_s,
            _ => 0.25 * rules.hold_s,
        };
        self.0.push((s, hold_s.min(rules.hold_s)));
    }

    /// Whether the thing must be hidden at `t`.
    pub(super) fn reach(&self, t: f64) -> bool {
        let before_s = Rules::default().before_s;
        self.0
            .iter()
            .any(|(s, hold_s)| t > s - before_s + 1e-6 && t < s + hold_s - 1e-6)
    }
}

/// The part of `b` inside the frame.
fn clipped(b: &PixelBox) -> PixelBox {
    b.intersection(&PixelBox {
        x0: 0.0,
        y0: 0.0,
        x1: f64::from(HD.width),
        y1: f64::from(HD.height),
    })
}

/// A thing on a straight way through the frame, seen (as far as it is inside)
/// when at least half of it is. Returns a frame in which it was not covered
/// from half a second before it was first seen until it was out.
pub(super) fn crossing_left_bare(
    from: [f64; 2],
    speed: [f64; 2],
    w: f64,
    every: usize,
    seed: u64,
) -> Option<String> {
    let h = 1.25 * w;
    // At most 10 sizes a second, less what a cut box loses.
    let slow = |v: f64| v.clamp(-4.0 * w, 4.0 * w);
    let truth = |s: f64| {
        box_at(
            from[0] + slow(speed[0]) * s,
            from[1] + slow(speed[1]) * s,
            w,
            h,
        )
    };
    let mut tracker = tracker(HD);
    let mut dice = Dice(seed | 1);
    let mut sights = Sights::default();
    for look in 0..60 {
        let frame = 20 + look * every;
        let s = frame as f64 / FPS;
        let visible = clipped(&truth(s));
        let mut found = Vec::new();
        if visible.area() >= 0.5 * w * h {
            found.push(face(clipped(&seen(&visible, &mut dice)), 0.9));
            sights.add(s);
        }
        tracker.observe(capture(s), &found, &FixedCamera).unwrap();
        for asked in frame.saturating_sub(20)..=frame {
            let t = asked as f64 / FPS;
            let there = clipped(&truth(t));
            if there.area() <= 0.0 || !sights.reach(t) {
                continue;
            }
            let hidden = boxes(&tracker, t);
            if !hidden.iter().any(|h| contains(&h.at, &there)) {
                return Some(format!("asked at {s} for {t}: {there:?} not in {hidden:?}"));
            }
        }
    }
    None
}

/// Sixty small faces in a band of 500×120 px that walk through one another,
/// each missed at random but never twice in a row. A frame is asked for at the
/// look that is the last before it leaves a hold of 250 ms, and again a second
/// later. Returns the faces and frames in which a part was bare, and of how many.
pub(super) fn crowd_left_bare(seed: u64, every: usize) -> (Vec<String>, usize) {
    let mut dice = Dice(seed | 1);
    let crowd: Vec<Walker> = (0..60)
        .map(|_| {
            let h = dice.between(8.0, 16.0);
            let fastest = SMALLER * 10.0 * h;
            let accel = SMALLER * 8.0 * h;
            let mut orders = || -> Vec<(f64, f64)> {
                (0..12)
                    .map(|_| (dice.between(0.1, 0.6), dice.roll()))
                    .collect()
            };
            let (ox, oy) = (orders(), orders());
            let x = dice.between(7700.0, 8200.0);
            let y = dice.between(7480.0, 7600.0);
            Walker {
                // Walking speed: 1.5 m/s are 6 sizes.
                x: Axis::driven(x, 6.0 * h * dice.roll(), &ox, fastest, accel),
                y: Axis::driven(y, 1.0 * h * dice.roll(), &oy, fastest, 0.3 * accel),
                w: 0.8 * h,
                h,
            }
        })
        .collect();
    let mut tracker = tracker(PLAIN);
    let mut missed = vec![false; crowd.len()];
    let (mut bare, mut asked_for) = (Vec::new(), 0);
    let step_s = every as f64 / FPS;
    for look in 0..40 {
        let s = 1.0 + look as f64 * step_s;
        let mut found = Vec::new();
        for (walker, missed) in crowd.iter().zip(&mut missed) {
            *missed = look > 0 && !*missed && dice.chance(0.5);
            if !*missed {
                let score = if look == 0 || dice.chance(0.7) {
                    0.9
                } else {
                    0.15
                };
                found.push(face(seen(&walker.at(s), &mut dice), score));
            }
        }
        tracker.observe(capture(s), &found, &FixedCamera).unwrap();
        for (name, delay_s) in [("live", 0.25), ("late", 1.0)] {
            for asked in 0..every {
                let t = s - delay_s + asked as f64 / FPS;
                if t < 1.0 {
                    continue;
                }
                let hidden = boxes(&tracker, t);
                asked_for += crowd.len();
                for (who, walker) in crowd.iter().enumerate() {
                    if let Some(p) = bare_point(&walker.at(t), &hidden) {
                        bare.push(format!("{name}: {who} at {t}, asked at {s}: {p:?}"));
                    }
                }
            }
        }
    }
    (bare, asked_for)
}

/// A point of `truth` that no box covers.
fn bare_point(truth: &PixelBox, hidden: &[Hidden]) -> Option<(f64, f64)> {
    if hidden.iter().any(|h| contains(&h.at, truth)) {
        return None;
    }
    (0..81)
        .map(|i| {
            let (x, y) = (f64::from(i % 9) / 8.0, f64::from(i / 9) / 8.0);
            (truth.x0 + x * truth.width(), truth.y0 + y * truth.height())
        })
        .find(|&(x, y)| {
            !hidden
                .iter()
                .any(|h| h.at.x0 <= x && x <= h.at.x1 && h.at.y0 <= y && y <= h.at.y1)
        })
}

/// Any detection at all, mostly near the frame.
pub(super) fn any_detection() -> impl Strategy<Value = Detection> {
    let side = || prop_oneof![4 => -100.0..2000.0f64, 1 => any::<f64>(), 1 => -1e6..1e6f64];
    let class = prop_oneof![Just(Class::Face), Just(Class::Plate), Just(Class::Person)];
    let score = prop_oneof![4 => 0.0..1.0f32, 1 => any::<f32>()];
    (class, side(), side(), side(), side(), score).prop_map(|(class, a, b, c, d, score)| {
        // Half of what is drawn is put the right way round.
        let at = PixelBox {
            x0: a.min(c),
            y0: b.min(d),
            x1: a.max(c),
            y1: b.max(d),
        };
        Detection { class, at, score }
    })
}
