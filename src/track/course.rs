//! One track: its observations, and where it may be at any time.

use super::reach::{Place, Scene, Sighting, anyone, between, beyond, hull, observed};
use super::rules::Rules;
use super::{Hidden, TrackId, Why};
use crate::clock::CaptureTime;
use crate::detect::{Class, PixelBox};
use crate::geom::Size;
use std::collections::VecDeque;

/// A track ends only after the detector has looked for it in vain this often.
const LOOKS_IN_VAIN: usize = 2;
/// A track that was seen less often is held for as much less.
const KNOWN_AFTER: u32 = 4;
/// The doubt of a contested sighting; it lasts one sighting more.
const IN_DOUBT: u8 = 2;

#[derive(Clone, Debug)]
pub(super) struct Course {
    pub(super) id: TrackId,
    pub(super) class: Class,
    /// In order of time, never empty.
    sightings: VecDeque<Sighting>,
    /// The newest of them.
    last: Sighting,
    /// The first looks in vain since the last sighting.
    missed: [Option<CaptureTime>; LOOKS_IN_VAIN],
    /// When it was certainly outside of the frame.
    left: Option<CaptureTime>,
    /// Whether it was ever seen surely: else it is nearly always something else.
    sure: bool,
    /// How often it was seen; 0 while it was seen only once, and weakly.
    seen: u32,
}

impl Course {
    pub(super) fn begun(id: TrackId, class: Class, first: Sighting, sure: bool) -> Self {
        Self {
            id,
            class,
            sightings: VecDeque::from([first]),
            last: first,
            missed: [None; LOOKS_IN_VAIN],
            left: None,
            sure,
            seen: u32::from(sure),
        }
    }

    /// Continues the track with a sighting newer than all others. Where it is
    /// `contested`, it and what comes before and after it is in doubt.
    pub(super) fn see(&mut self, mut sighting: Sighting, contested: bool, sure: bool) {
        self.sure |= sure;
        if contested {
            self.doubt();
        }
        let inherited = self.last.doubt.min(IN_DOUBT).saturating_sub(1);
        sighting.doubt = if contested { IN_DOUBT } else { inherited };
        self.sightings.push_back(sighting);
        self.seen = self.seen.saturating_add(1);
        self.last = sighting;
        self.missed = [None; LOOKS_IN_VAIN];
    }

    /// Notes that what follows the last sighting may be another thing.
    pub(super) fn doubt(&mut self) {
        self.mark(|last| last.doubt = IN_DOUBT);
    }

    /// Notes a look, before anything else is said of it.
    pub(super) fn looked(&mut self, at: CaptureTime) {
        self.mark(|last| {
            last.looks[1].get_or_insert(at);
        });
    }

    fn mark(&mut self, change: impl Fn(&mut Sighting)) {
        change(&mut self.last);
        if let Some(last) = self.sightings.back_mut() {
            change(last);
        }
    }

    /// Notes that the detector looked where the track must be, in vain.
    pub(super) fn miss(&mut self, at: CaptureTime, place: &Place, scene: &Scene) {
        if let Some(free) = self.missed.iter_mut().find(|m| m.is_none()) {
            *free = Some(at);
        }
        if self.left.is_none() && outside(&place.bound, scene.frame) {
            self.left = Some(at);
        }
    }

    /// Whether the track can still be seen at `t`.
    pub(super) fn lives(&self, t: CaptureTime, hold_s: f64) -> bool {
        self.left.is_none() && !self.ended(t, hold_s)
    }

    /// Whether the track had ended before `t`: held long enough for what is known
    /// of it and looked for often enough. One weak sighting, which nothing
    /// confirmed, ends with the first look in vain.
    fn ended(&self, t: CaptureTime, hold_s: f64) -> bool {
        if self.seen == 0 {
            return self.missed[0].is_some_and(|missed| t > missed);
        }
        match self.missed[LOOKS_IN_VAIN - 1] {
            Some(missed) => {
                let share = (f64::from(self.seen) / f64::from(KNOWN_AFTER)).min(1.0);
                t > missed.max(self.last.at.plus_seconds(hold_s * share))
            }
            None => false,
        }
    }

    /// Where the thing may be at `t`, after its last sighting.
    pub(super) fn ahead(&self, t: CaptureTime, scene: &Scene) -> Place {
        let kind = scene.rules.kind(self.class);
        let others = self.sightings.iter().rev().skip(1);
        beyond(&self.last, others, t, kind, scene)
    }

    /// Where whatever was last seen may be at `t`, whoever it is; where that is
    /// in doubt also whatever was seen before it, which may have been missed.
    pub(super) fn anyone_ahead(
        &self,
        t: CaptureTime,
        scene: &Scene,
    ) -> impl Iterator<Item = Place> {
        let kind = scene.rules.kind(self.class);
        let known = if self.last.doubt > 0 { 2 } else { 1 };
        let newest = self.sightings.iter().rev().take(known);
        newest.map(move |s| anyone(s, t, kind, scene))
    }

    /// How far the last sighting's edges lay inside of where they were expected,
    /// sizes: left, top, right, bottom.
    pub(super) fn restless(&self) -> [f64; 4] {
        self.last.restless
    }

    /// Whether it was ever seen surely.
    pub(super) fn is_sure(&self) -> bool {
        self.sure
    }

    /// By how many sizes what is hidden may grow.
    fn most(&self, rules: &Rules) -> f64 {
        if self.sure {
            rules.most_growth_sizes
        } else {
            rules.weak_growth_sizes
        }
    }

    /// What must be hidden at `t`; `None` where nothing of the track can be in
    /// the frame.
    pub(super) fn hidden(&self, t: CaptureTime, scene: &Scene) -> Option<Hidden> {
        let (place, at, why) = self.place(t, scene)?;
        (!outside(&at, scene.frame)).then_some(Hidden {
            id: self.id,
            class: self.class,
            at,
            likely: place.line,
            why,
            doubtful: self.doubtful(t),
        })
    }

    /// Where the thing is, what must be hidden because of it, and why.
    fn place(&self, t: CaptureTime, scene: &Scene) -> Option<(Place, PixelBox, Why)> {
        let kind = scene.rules.kind(self.class);
        let after = self.sightings.partition_point(|s| s.at <= t);
        let next = self.sightings.get(after);
        let Some(a) = after.checked_sub(1).and_then(|i| self.sightings.get(i)) else {
            return self.before(t, scene);
        };
        if a.at == t {
            let sure = observed(a, kind, scene);
            let hidden = self.with_doubts(sure.hidden(self.most(scene.rules)), t, scene);
            return Some((sure, hidden, Why::Observed));
        }
        if let Some(b) = next {
            let sure = between(a, b, t, kind, scene);
            let hidden = self.with_doubts(sure.hidden(self.most(scene.rules)), t, scene);
            return Some((sure, hidden, Why::Interpolated));
        }
        if self.left.is_some_and(|left| t >= left) || self.ended(t, scene.rules.hold_s) {
            return None;
        }
        let s = t.seconds_since(a.at);
        let why = match self.missed[0] {
            Some(_) => Why::After { s },
            None => Why::Extrapolated { s },
        };
        let sure = self.ahead(t, scene);
        Some((
            sure,
            self.with_doubts(sure.hidden(self.most(scene.rules)), t, scene),
            why,
        ))
    }

    /// `sure`, and where a neighbouring sighting is in doubt also whatever was
    /// seen there: after it until the next look (or while there is none after
    /// `t`), before it since the look before.
    fn with_doubts(&self, sure: PixelBox, t: CaptureTime, scene: &Scene) -> PixelBox {
        let kind = scene.rules.kind(self.class);
        let before = self.sightings.partition_point(|s| s.at < t);
        let after = self.sightings.partition_point(|s| s.at <= t);
        let earlier = before.checked_sub(1).and_then(|i| self.sightings.get(i));
        let earlier = earlier.filter(|a| {
            let newest = scene.newest.is_none_or(|newest| t > newest);
            newest || a.looks[1].is_none_or(|next| t <= next)
        });
        let later = self.sightings.get(after);
        let later = later.filter(|b| b.looks[0].is_none_or(|before| t >= before));
        let doubts = earlier.into_iter().chain(later).filter(|s| s.doubt > 0);
        doubts.fold(sure, |sure, s| {
            hull(
                &sure,
                &anyone(s, t, kind, scene).hidden(self.most(scene.rules)),
            )
        })
    }

    /// Whether the observation at `t`, or one on either side of it, is in doubt.
    fn doubtful(&self, t: CaptureTime) -> bool {
        let before = self.sightings.partition_point(|s| s.at < t);
        let from = before.saturating_sub(1);
        let around = self.sightings.iter().skip(from).take(3);
        around.into_iter().any(|s| s.doubt > 0)
    }

    fn before(&self, t: CaptureTime, scene: &Scene) -> Option<(Place, PixelBox, Why)> {
        let first = self.sightings.front()?;
        let s = first.at.seconds_since(t);
        if s > scene.rules.before_s {
            return None;
        }
        let kind = scene.rules.kind(self.class);
        let others = self.sightings.iter().skip(1);
        let place = beyond(first, others, t, kind, scene);
        let sure = entering(&place, place.hidden(self.most(scene.rules)), scene.frame);
        Some((place, self.with_doubts(sure, t, scene), Why::Before { s }))
    }

    /// Forgets what answers at `horizon` and later do not need.
    pub(super) fn forget_before(&mut self, horizon: CaptureTime) {
        // Two are kept for the speed.
        while self.sightings.len() > 2 && self.sightings.get(1).is_some_and(|s| s.at <= horizon) {
            self.sightings.pop_front();
        }
    }

    /// Whether nothing at `horizon` or later depends on this track.
    pub(super) fn over(&self, horizon: CaptureTime, hold_s: f64) -> bool {
        let left = self.left.is_some_and(|left| left <= horizon);
        (left || self.ended(horizon, hold_s)) && self.last.at < horizon
    }
}

/// A thing first seen within its own size of the frame's edge may have come
/// from there: its box is extended to that edge.
fn entering(place: &Place, b: PixelBox, frame: Size) -> PixelBox {
    let near = place.size_px;
    let (right, bottom) = (f64::from(frame.width), f64::from(frame.height));
    PixelBox {
        x0: if b.x0 < near { b.x0.min(0.0) } else { b.x0 },
        y0: if b.y0 < near { b.y0.min(0.0) } else { b.y0 },
        x1: if b.x1 > right - near {
            b.x1.max(right)
        } else {
            b.x1
        },
        y1: if b.y1 > bottom - near {
            b.y1.max(bottom)
        } else {
            b.y1
        },
    }
}

fn outside(b: &PixelBox, frame: Size) -> bool {
    b.x1 <= 0.0 || b.y1 <= 0.0 || b.x0 >= f64::from(frame.width) || b.y0 >= f64::from(frame.height)
}
