//! Where a thing may be, given where it was seen: boxes as bounds, not guesses.
//!
//! # The bound, and why it holds
//! Let each edge e(t) of a thing's true upright box, carried into the picture
//! that is asked for, obey |e'| ≤ V and |e''| ≤ A, and let each observed edge be
//! within j of the true one. V and A are [`Kind`]'s, times the thing's size.
//!
//! * **Between** two observations at a < t < b: the straight line between the
//!   true edges errs by at most A (t−a)(b−t)/2 (the error term of Lagrange
//!   interpolation), the observed line is a convex mixture of two errors of at
//!   most j. Growth: A (t−a)(b−t)/2 + j, at most AΔ²/8 + j in the middle.
//! * **Beyond** the observation n (later than it, or earlier: the argument is
//!   the same in both directions), h seconds from it, on the line through it
//!   and another observation D further in: the same error term gives
//!   A h (h+D)/2, and the line's slope carries the errors of both ends:
//!   j (1+h/D) + j h/D. Growth: A h (h+D)/2 + j (1 + 2h/D). A near companion has
//!   a wild slope, a far one an old one; the one with the least growth is taken.
//! * **Alone**, when there is no companion, or none better: the edge is at most
//!   V h + j from where it was.
//!
//! The base growth max(`grow`/2 · side, `min_growth_px`), which also makes a box as
//! round as things of its class are, holds the one j of each
//! line ([`Rules`] that do not allow for it are refused), so what is added to it
//! is A (t−a)(b−t)/2, A h (h+D)/2 + 2j h/D, or V h. Each grows with the gap and
//! with h.
//!
//! A box that the frame's edge cuts says nothing about where the thing ends
//! outside: there it is extended by the most that its class may have, and its
//! speed is taken from the opposite edge.
//!
//! Where the camera turned between two pictures, each observation is carried by
//! its motion, which is known to within u pixels: between observations the
//! larger u is added, beyond them u, or u (1 + h/D) + u' h/D on a line. Where it
//! is unknown, what is known stays where it was and grows by
//! `unknown_motion_widths_s`.

use super::CameraMotion;
use super::rules::{Kind, Rules};
use crate::clock::CaptureTime;
use crate::detect::{Class, PixelBox};
use crate::geom::{PixelPoint, Size};

/// Beyond this no coordinate means anything, pixels.
pub(super) const FARTHEST_PX: f64 = 1e6;
/// An edge this near to the frame's is cut by it, pixels.
const CUT_PX: f64 = 3.0;

/// Everything that an answer needs besides the track itself.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) rules: &'a Rules,
    pub(super) frame: Size,
    pub(super) motion: &'a dyn CameraMotion,
    /// The newest look.
    pub(super) newest: Option<CaptureTime>,
}

/// One observation, in the picture of its own time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sighting {
    pub(super) at: CaptureTime,
    /// What the detector said.
    seen: PixelBox,
    /// `seen`, extended where the frame cuts it.
    whole: PixelBox,
    /// Above 0 where the sightings before or after this one may be another
    /// thing's.
    pub(super) doubt: u8,
    /// The look before this one, the look after it.
    pub(super) looks: [Option<CaptureTime>; 2],
    /// Which edges the frame cuts: left, top, right, bottom.
    cut: [bool; 4],
    /// The thing's longer side, pixels.
    size_px: f64,
    /// By how much its edges lay inside of where the track said, this time or
    /// lately, sizes: left, top, right, bottom.
    pub(super) restless: [f64; 4],
}

/// So much of a track's unrest is left at its next sighting…
const UNREST_LEFT: f64 = 0.8;
/// …of at most so many sizes on each side.
const MOST_UNREST: f64 = 0.25;

impl Sighting {
    pub(super) fn new(at: CaptureTime, seen: PixelBox, class: Class, scene: &Scene) -> Self {
        let kind = scene.rules.kind(class);
        let (w, h) = (seen.width(), seen.height());
        let slack = |side: f64| CUT_PX.max(2.0 * scene.rules.jitter * side);
        let (right, bottom) = (f64::from(scene.frame.width), f64::from(scene.frame.height));
        let cut = [
            seen.x0 <= slack(w),
            seen.y0 <= slack(h),
            seen.x1 >= right - slack(w),
            seen.y1 >= bottom - slack(h),
        ];
        let (across, down) = (cut[0] || cut[2], cut[1] || cut[3]);
        let full_w = if across { w.max(kind.widest * h) } else { w };
        let full_h = if down { h.max(kind.tallest * w) } else { h };
        let (more_x, more_y) = ((full_w - w).max(0.3 * w), (full_h - h).max(0.3 * h));
        let by = |cut: bool, more: f64| if cut { more } else { 0.0 };
        let whole = PixelBox {
            x0: seen.x0 - by(cut[0], more_x),
            y0: seen.y0 - by(cut[1], more_y),
            x1: seen.x1 + by(cut[2], more_x),
            y1: seen.y1 + by(cut[3], more_y),
        };
        Self {
            at,
            seen,
            whole,
            doubt: 0,
            looks: [scene.newest, None],
            cut,
            size_px: full_w.max(full_h).max(1.0),
            restless: [0.0; 4],
        }
    }

    /// Takes it for the thing at `place`, whose last sighting was `restless` by
    /// so much. A detector draws some things smaller in one picture than in the
    /// next, at one edge more than at another: an edge inside of where a `plain`
    /// track says is moved out to there, and a little less so in the looks after.
    /// What a `faint` detection draws is a part of the thing, more often than not.
    pub(super) fn widen(&mut self, place: &Place, plain: bool, faint: bool, restless: [f64; 4]) {
        let (s, p) = (edges(&self.seen), edges(&place.seen));
        for edge in 0..4 {
            let outwards = if edge < 2 {
                s[edge] - p[edge]
            } else {
                p[edge] - s[edge]
            };
            let now = (outwards / self.size_px).clamp(0.0, MOST_UNREST);
            let now = if plain { now } else { 0.0 };
            self.restless[edge] = now.max(UNREST_LEFT * restless[edge]);
        }
        let [x0, y0, x1, y1] = self.restless.map(|r| r * self.size_px);
        self.whole = PixelBox {
            x0: self.whole.x0 - x0,
            y0: self.whole.y0 - y0,
            x1: self.whole.x1 + x1,
            y1: self.whole.y1 + y1,
        };
        if faint {
            // Where little is known of the camera's motion `place` only tells how large it is.
            self.whole = match place.unsure_px > place.size_px {
                true => no_smaller(&self.whole, &place.seen),
                false => hull(&self.whole, &place.seen),
            };
        }
    }

    /// How far `place` is from this observation along each axis, edge by edge,
    /// pixels; edges that the frame cuts say nothing.
    pub(super) fn off(&self, place: &Place) -> [f64; 2] {
        let (s, p) = (&self.seen, &place.line);
        let axis = |cut: [bool; 2], low: f64, high: f64| match cut {
            [false, false] => low.abs().max(high.abs()),
            [true, false] => high.abs(),
            [false, true] => low.abs(),
            [true, true] => 0.0,
        };
        [
            axis([self.cut[0], self.cut[2]], s.x0 - p.x0, s.x1 - p.x1),
            axis([self.cut[1], self.cut[3]], s.y0 - p.y0, s.y1 - p.y1),
        ]
    }

    pub(super) fn seen(&self) -> &PixelBox {
        &self.seen
    }

    /// The thing's longer side, pixels.
    pub(super) fn size_px(&self) -> f64 {
        self.size_px
    }

    /// Whether the frame cuts it: then its size is a guess.
    pub(super) fn is_cut(&self) -> bool {
        self.cut.contains(&true)
    }

    /// Carried to `t`.
    fn carried(&self, t: CaptureTime, scene: &Scene) -> Carried {
        let carry = |b: &PixelBox| carry_box(b, self.at, t, scene.motion);
        // Nearly always one box, and carrying one costs four projections.
        let known = carry(&self.seen).and_then(|(seen, unsure_px)| {
            let (whole, whole_px) = if self.whole == self.seen {
                (seen, unsure_px)
            } else {
                carry(&self.whole)?
            };
            Some((seen, whole, unsure_px.max(whole_px)))
        });
        let gap_s = t.seconds_since(self.at).abs();
        let widths = scene.rules.unknown_motion_widths_s * gap_s;
        match known {
            Some((seen, whole, unsure_px)) => Carried {
                seen,
                whole,
                size_px: self.size_px * stretch(&self.seen, &seen),
                unsure_px,
                known: true,
            },
            None => Carried {
                seen: self.seen,
                whole: self.whole,
                size_px: self.size_px,
                unsure_px: widths * f64::from(scene.frame.width),
                known: false,
            },
        }
    }
}

/// An observation in the picture that is asked for.
struct Carried {
    seen: PixelBox,
    whole: PixelBox,
    size_px: f64,
    /// Growth because the camera's motion is not exactly known.
    unsure_px: f64,
    /// Whether it is known at all.
    known: bool,
}

/// Where a thing may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The box on the line, without any growth.
    pub(super) line: PixelBox,
    /// The same for what the detector drew.
    seen: PixelBox,
    /// How far its edges may be from there along each axis, base growth
    /// included, pixels.
    pub(super) growth_px: [f64; 2],
    /// The same without the base growth.
    more_px: [f64; 2],
    /// Contains the thing.
    pub(super) bound: PixelBox,
    /// The thing's longer side, pixels.
    pub(super) size_px: f64,
    /// What of the growth is what is not known of the camera's motion, pixels.
    unsure_px: f64,
    /// The observation that it follows from.
    pub(super) since: CaptureTime,
    /// Whether the frame cut that one.
    pub(super) cut: bool,
}

impl Place {
    fn new(
        line: PixelBox,
        around: PixelBox,
        more_px: [f64; 2],
        size: f64,
        from: &Sighting,
        unsure_px: f64,
        (kind, rules): (&Kind, &Rules),
    ) -> Self {
        let base_px = rules.growth_px(kind, &around);
        let growth_px = [base_px[0] + more_px[0], base_px[1] + more_px[1]];
        Self {
            line,
            seen: line,
            growth_px,
            more_px,
            bound: PixelBox {
                x0: sane(around.x0 - growth_px[0]),
                y0: sane(around.y0 - growth_px[1]),
                x1: sane(around.x1 + growth_px[0]),
                y1: sane(around.y1 + growth_px[1]),
            },
            size_px: size,
            unsure_px,
            since: from.at,
            cut: from.is_cut(),
        }
    }

    /// What of it is hidden: at most so many sizes are added to the base growth
    /// and to what is not known of the camera's motion.
    pub(super) fn hidden(&self, most_sizes: f64) -> PixelBox {
        let most = most_sizes * self.size_px + self.unsure_px;
        let less = self.more_px.map(|more| (more - most).max(0.0));
        let b = &self.bound;
        PixelBox {
            x0: b.x0 + less[0],
            y0: b.y0 + less[1],
            x1: b.x1 - less[0],
            y1: b.y1 - less[1],
        }
    }
}

/// Where a thing is in the very picture it was seen in.
pub(super) fn observed(s: &Sighting, kind: &Kind, scene: &Scene) -> Place {
    let by = (kind, scene.rules);
    Place::new(s.whole, s.whole, [0.0; 2], s.size_px, s, 0.0, by)
}

/// Where a thing is at `t`, seen at `a` before and at `b` after it.
pub(super) fn between(
    a: &Sighting,
    b: &Sighting,
    t: CaptureTime,
    kind: &Kind,
    scene: &Scene,
) -> Place {
    let gap_s = b.at.seconds_since(a.at);
    let since_s = t.seconds_since(a.at);
    let share = (since_s / gap_s).clamp(0.0, 1.0);
    let from = a;
    let (a, b) = (a.carried(t, scene), b.carried(t, scene));
    let size = a.size_px.max(b.size_px);
    let bend = 0.5 * kind.accel_sizes_s2 * size * since_s * (gap_s - since_s);
    let unsure_px = a.unsure_px.max(b.unsure_px);
    let more = bend + unsure_px;
    let line = mix(&a.whole, &b.whole, share);
    let by = (kind, scene.rules);
    Place::new(line, line, [more; 2], size, from, unsure_px, by)
}

/// Where a thing is at `t`, which is before or after all its observations:
/// `n` is the nearest of them, `others` the rest.
pub(super) fn beyond<'s>(
    n: &Sighting,
    others: impl Iterator<Item = &'s Sighting>,
    t: CaptureTime,
    kind: &Kind,
    scene: &Scene,
) -> Place {
    let rules = scene.rules;
    let h = t.seconds_since(n.at);
    let jitter = |side: f64| (rules.jitter * side).max(1.0);
    let on_line = |size: f64, side: f64, d: f64| {
        0.5 * kind.accel_sizes_s2 * size * h.abs() * (h.abs() + d)
            + 2.0 * jitter(side) * h.abs() / d
    };
    let companion = others
        .map(|o| (o, n.at.seconds_since(o.at)))
        .map(|(o, d)| (on_line(n.size_px, n.size_px, d.abs()), d, o))
        .min_by(|a, b| a.0.total_cmp(&b.0));
    let at = n.carried(t, scene);
    let alone = kind.speed_sizes_s * at.size_px * h.abs();
    let mut moved = [0.0; 4];
    let mut more = [alone + at.unsure_px; 2];
    let mut unsure_px = at.unsure_px;
    if let Some((_, d, other)) = companion {
        let from = other.carried(t, scene);
        let size = at.size_px.max(from.size_px);
        let known = at.known && from.known;
        let on_line_px = at.unsure_px + (at.unsure_px + from.unsure_px) * (h / d).abs();
        let sides = [
            at.seen.width().max(from.seen.width()),
            at.seen.height().max(from.seen.height()),
        ];
        let (now, then) = (edges(&at.seen), edges(&from.seen));
        for axis in 0..2 {
            let growth = on_line(size, sides[axis], d.abs()) + on_line_px;
            let speed = |edge: usize| {
                let told = !n.cut[edge] && !other.cut[edge];
                told.then(|| (now[edge] - then[edge]) / d)
            };
            let (low, high) = (speed(axis), speed(axis + 2));
            if known
                && growth < alone + at.unsure_px
                && let (Some(low), Some(high)) = (low.or(high), high.or(low))
            {
                more[axis] = growth;
                unsure_px = unsure_px.max(on_line_px);
                (moved[axis], moved[axis + 2]) = (low * h, high * h);
            }
        }
    }
    let line = shifted(&at.whole, moved);
    let around = no_smaller(&line, &at.whole);
    let by = (kind, rules);
    Place {
        seen: shifted(&at.seen, moved),
        ..Place::new(line, around, more, at.size_px, n, unsure_px, by)
    }
}

/// Where whatever was seen at `n` may be at `t`, whoever it is.
pub(super) fn anyone(n: &Sighting, t: CaptureTime, kind: &Kind, scene: &Scene) -> Place {
    beyond(n, std::iter::empty(), t, kind, scene)
}

fn edges(b: &PixelBox) -> [f64; 4] {
    [b.x0, b.y0, b.x1, b.y1]
}

fn shifted(b: &PixelBox, by: [f64; 4]) -> PixelBox {
    let (x0, x1) = (b.x0 + by[0], b.x1 + by[2]);
    let (y0, y1) = (b.y0 + by[1], b.y1 + by[3]);
    PixelBox {
        x0: x0.min(x1),
        y0: y0.min(y1),
        x1: x0.max(x1),
        y1: y0.max(y1),
    }
}

/// `line` about its centre, with sides at least as long as `least`'s: things do
/// not shrink away because two observations of them differ.
fn no_smaller(line: &PixelBox, least: &PixelBox) -> PixelBox {
    let x = 0.5 * (least.width() - line.width()).max(0.0);
    let y = 0.5 * (least.height() - line.height()).max(0.0);
    PixelBox {
        x0: line.x0 - x,
        y0: line.y0 - y,
        x1: line.x1 + x,
        y1: line.y1 + y,
    }
}

fn mix(a: &PixelBox, b: &PixelBox, share: f64) -> PixelBox {
    let at = |a: f64, b: f64| a + share * (b - a);
    PixelBox {
        x0: at(a.x0, b.x0),
        y0: at(a.y0, b.y0),
        x1: at(a.x1, b.x1),
        y1: at(a.y1, b.y1),
    }
}

/// The least box around both.
pub(super) fn hull(a: &PixelBox, b: &PixelBox) -> PixelBox {
    PixelBox {
        x0: a.x0.min(b.x0),
        y0: a.y0.min(b.y0),
        x1: a.x1.max(b.x1),
        y1: a.y1.max(b.y1),
    }
}

/// The upright box around `b`'s corners in the picture at `to`, and by how much
/// it may lie elsewhere, pixels.
fn carry_box(
    b: &PixelBox,
    from: CaptureTime,
    to: CaptureTime,
    motion: &dyn CameraMotion,
) -> Option<(PixelBox, f64)> {
    if from == to {
        return Some((*b, 0.0));
    }
    let corners = [(b.x0, b.y0), (b.x1, b.y0), (b.x1, b.y1), (b.x0, b.y1)];
    let corners = corners.map(|(x, y)| PixelPoint { x, y });
    let (corners, unsure_px) = motion.carry_corners(from, to, corners)?;
    let near = |v: f64| v.is_finite() && v.abs() <= FARTHEST_PX;
    if !(near(unsure_px) && corners.iter().all(|p| near(p.x) && near(p.y))) {
        return None;
    }
    let boxes = corners.map(|p| PixelBox {
        x0: p.x,
        y0: p.y,
        x1: p.x,
        y1: p.y,
    });
    let around = boxes.iter().fold(boxes[0], |around, b| hull(&around, b));
    Some((around, unsure_px))
}

/// By how much the camera's zoom made a box larger.
fn stretch(before: &PixelBox, after: &PixelBox) -> f64 {
    let side = |b: &PixelBox| b.width().max(b.height());
    if side(before) > 0.0 {
        (side(after) / side(before)).clamp(0.01, 100.0)
    } else {
        1.0
    }
}

fn sane(v: f64) -> f64 {
    v.clamp(-FARTHEST_PX, FARTHEST_PX)
}
