//! The tracks of one camera: takes looks, answers for capture times.

use super::associate::{is_clear, links, may_be};
use super::course::Course;
use super::reach::{FARTHEST_PX, Place, Scene, Sighting};
use super::rules::{RuleFault, Rules, check_size};
use super::{CameraMotion, CannotSay, Hidden, Refused, Taken, TrackId};
use crate::clock::CaptureTime;
use crate::detect::{Class, Detection, PixelBox};
use crate::geom::Size;
use std::collections::VecDeque;

/// When the detector looked.
#[derive(Clone, Copy, Debug)]
struct Look {
    at: CaptureTime,
    /// Detections that found no track.
    untracked: usize,
}

/// Follows what a detector finds in one camera's pictures.
///
/// Memory is bounded by [`Rules::most_tracks`] × ([`Rules::most_looks`] + 2)
/// observations of about 150 bytes; [`Rules::remember_s`] usually ends it sooner.
#[derive(Clone, Debug)]
pub struct Tracker {
    rules: Rules,
    frame: Size,
    courses: Vec<Course>,
    looks: VecDeque<Look>,
    first_look: Option<CaptureTime>,
    /// Nothing before this can be answered.
    horizon: Option<CaptureTime>,
    /// A forgotten look's overflow reaches up to here.
    overflow_until: Option<(CaptureTime, Look)>,
    next_id: u64,
    untracked: u64,
}

impl Tracker {
    /// A tracker that has seen nothing, for pictures of `frame`'s size.
    ///
    /// # Errors
    /// A rule that is out of bounds or contradicts another, an empty frame.
    pub fn new(rules: Rules, frame: Size) -> Result<Self, RuleFault> {
        rules.check()?;
        check_size(frame)?;
        Ok(Self {
            rules,
            frame,
            courses: Vec::new(),
            looks: VecDeque::new(),
            first_look: None,
            horizon: None,
            overflow_until: None,
            next_id: 0,
            untracked: 0,
        })
    }

    /// Takes what the detector found in the picture taken at `at`, where it
    /// looked at all of it. Looks may come late and for every n-th picture
    /// only, but in order.
    ///
    /// # Errors
    /// See [`Refused`]; nothing is changed then, so that the look counts as one
    /// that never was.
    pub fn observe(
        &mut self,
        at: CaptureTime,
        detections: &[Detection],
        motion: &dyn CameraMotion,
    ) -> Result<Taken, Refused> {
        self.observe_where(at, detections, motion, &|_, _| true)
    }

    /// Like [`observe`](Self::observe) for a detector that looked only at parts
    /// of the picture: `looked` says whether it would have found a thing of
    /// this class in this box (in the picture's own pixels). A track is not
    /// missed where nobody looked, and is held until somebody did.
    ///
    /// # Errors
    /// See [`Refused`].
    pub fn observe_where(
        &mut self,
        at: CaptureTime,
        detections: &[Detection],
        motion: &dyn CameraMotion,
        looked: &dyn Fn(Class, &PixelBox) -> bool,
    ) -> Result<Taken, Refused> {
        self.check(at, detections)?;
        let mut taken = Taken::default();
        for class in [Class::Face, Class::Plate, Class::Person] {
            let found: Vec<&Detection> = detections.iter().filter(|d| d.class == class).collect();
            self.take(at, class, &found, motion, looked, &mut taken);
        }
        self.untracked = self.untracked.saturating_add(taken.untracked as u64);
        self.first_look.get_or_insert(at);
        self.looks.push_back(Look {
            at,
            untracked: taken.untracked,
        });
        self.forget_old(at);
        Ok(taken)
    }

    fn check(&self, at: CaptureTime, detections: &[Detection]) -> Result<(), Refused> {
        if let Some(newest) = self.known_until()
            && at <= newest
        {
            return Err(Refused::NotNewer { at, newest });
        }
        for (index, d) in detections.iter().enumerate() {
            let near = |v: f64| v.abs() <= FARTHEST_PX;
            let b = &d.at;
            if !(b.is_sound() && [b.x0, b.y0, b.x1, b.y1].into_iter().all(near)) {
                return Err(Refused::Unsound { index, at: d.at });
            }
            if !(0.0..=1.0).contains(&d.score) {
                let score = d.score;
                return Err(Refused::Score { index, score });
            }
        }
        Ok(())
    }

    fn take(
        &mut self,
        at: CaptureTime,
        class: Class,
        found: &[&Detection],
        motion: &dyn CameraMotion,
        looked: &dyn Fn(Class, &PixelBox) -> bool,
        taken: &mut Taken,
    ) {
        let rules = self.rules;
        let rules = &rules;
        let scene = &Scene {
            rules,
            frame: self.frame,
            motion,
            newest: self.known_until(),
        };
        let kind = rules.kind(class);
        let found: Vec<&&Detection> = found
            .iter()
            .filter(|d| d.score >= kind.keep_score)
            .collect();
        let begins: Vec<bool> = found.iter().map(|d| d.score >= kind.begin_score).collect();
        let sure: Vec<bool> = found.iter().map(|d| d.score >= kind.sure_score).collect();
        let mut sightings: Vec<Sighting> = found
            .iter()
            .map(|d| Sighting::new(at, d.at, class, scene))
            .collect();
        let places: Vec<Option<Place>> = self
            .courses
            .iter()
            .map(|c| {
                let open = c.class == class && c.lives(at, rules.hold_s);
                open.then(|| c.ahead(at, scene))
            })
            .collect();

        // First what is surely there, then what only a known track makes likely.
        let mut free = places.clone();
        let mut links_made = links(&free, &sightings, |s| sure[s]);
        for link in &links_made {
            free[link.course] = None;
        }
        let weak = links(&free, &sightings, |s| begins[s] && !sure[s]);
        for link in &weak {
            free[link.course] = None;
        }
        links_made.extend(weak);
        // What would begin no track continues only those that were seen surely.
        for (place, course) in free.iter_mut().zip(&self.courses) {
            *place = place.take().filter(|_| course.is_sure());
        }
        links_made.extend(links(&free, &sightings, |s| !begins[s]));
        let mut free = places.clone();

        // Whose last sighting could have become which of these, where that is
        // not plain.
        let plain: Vec<bool> = links_made
            .iter()
            .map(|link| is_clear(link, &places, &sightings))
            .collect();
        let mut is_plain = vec![false; sightings.len()];
        let mut settled = vec![false; places.len()];
        for (link, _) in links_made.iter().zip(&plain).filter(|(_, plain)| **plain) {
            is_plain[link.sighting] = true;
            settled[link.course] = true;
        }
        let mut claims = vec![0; sightings.len()];
        let mut claimed_surely = vec![false; sightings.len()];
        let mut claimed = vec![Vec::new(); places.len()];
        for (c, course) in self.courses.iter().enumerate() {
            if places[c].is_some() && !settled[c] {
                let reach: Vec<Place> = course.anyone_ahead(at, scene).collect();
                claimed[c] = (0..sightings.len())
                    .filter(|i| !is_plain[*i])
                    .filter(|i| reach.iter().any(|r| may_be(r, &sightings[*i], rules)))
                    .collect();
                for i in &claimed[c] {
                    claims[*i] += 1;
                    claimed_surely[*i] |= course.is_sure();
                }
            }
        }
        for (course, _) in self
            .courses
            .iter_mut()
            .zip(&places)
            .filter(|(_, p)| p.is_some())
        {
            course.looked(at);
        }
        for (link, plain) in links_made.iter().zip(&plain) {
            let (course, s) = (&self.courses[link.course], link.sighting);
            if let Some(place) = &places[link.course] {
                sightings[s].widen(place, *plain, !begins[s], course.restless());
            }
        }
        let mut used = vec![false; sightings.len()];
        for (link, plain) in links_made.iter().zip(plain) {
            used[link.sighting] = true;
            free[link.course] = None;
            let own = claimed[link.course].contains(&link.sighting);
            let contested = !plain && (!own || claims[link.sighting] > 1);
            self.courses[link.course].see(sightings[link.sighting], contested, sure[link.sighting]);
        }
        taken.linked += links_made.len();
        for (c, course) in self.courses.iter_mut().enumerate() {
            let Some(Some(place)) = free.get(c) else {
                continue;
            };
            if !claimed[c].is_empty() {
                course.doubt();
            }
            if looked(class, &place.line) {
                course.miss(at, place, scene);
            }
        }
        for (i, sighting) in sightings.into_iter().enumerate() {
            // A weak one where a known thing may be is that thing, though its
            // track was given a better one.
            if !used[i] && (begins[i] || claimed_surely[i]) {
                self.begin(class, sighting, sure[i], taken);
            }
        }
    }

    fn begin(&mut self, class: Class, first: Sighting, sure: bool, taken: &mut Taken) {
        if self.courses.len() >= self.rules.most_tracks {
            taken.untracked += 1;
            return;
        }
        let id = TrackId(self.next_id);
        self.next_id += 1;
        self.courses.push(Course::begun(id, class, first, sure));
        taken.begun += 1;
    }

    fn forget_old(&mut self, newest: CaptureTime) {
        let mut horizon = newest.plus_seconds(-self.rules.remember_s);
        let surplus = self.looks.len().saturating_sub(self.rules.most_looks);
        if let Some(oldest) = self.looks.get(surplus)
            && surplus > 0
        {
            horizon = horizon.max(oldest.at);
        }
        let horizon = self.horizon.map_or(horizon, |h| h.max(horizon));
        self.horizon = Some(horizon);
        while self.looks.len() > 1 && self.looks.get(1).is_some_and(|l| l.at <= horizon) {
            let Some(look) = self.looks.pop_front() else {
                break;
            };
            if look.untracked > 0 {
                let until = look.at.plus_seconds(self.rules.hold_s);
                self.overflow_until = Some((until, look));
            }
        }
        let hold_s = self.rules.hold_s;
        self.courses.retain_mut(|c| {
            c.forget_before(horizon);
            !c.over(horizon, hold_s)
        });
    }

    /// What must be hidden in the picture taken at `t`, in that picture's
    /// pixels, whatever is known about it: between looks, before the first one
    /// and after the last one. Whether that is enough is for the caller to
    /// judge by [`known_until`](Self::known_until) and
    /// [`silent_for`](Self::silent_for).
    ///
    /// # Errors
    /// Where no list of boxes would be safe: see [`CannotSay`].
    pub fn boxes_at(
        &self,
        t: CaptureTime,
        motion: &dyn CameraMotion,
    ) -> Result<Vec<Hidden>, CannotSay> {
        if let Some(since) = self.horizon
            && t < since
        {
            return Err(CannotSay::Forgotten { since });
        }
        if let Some(look) = self.overflow_at(t) {
            return Err(CannotSay::TooMany {
                looked: look.at,
                untracked: look.untracked,
            });
        }
        let scene = Scene {
            rules: &self.rules,
            frame: self.frame,
            motion,
            newest: self.known_until(),
        };
        Ok(self
            .courses
            .iter()
            .filter_map(|c| c.hidden(t, &scene))
            .collect())
    }

    /// The look whose overflow makes `t` unanswerable: what found no track would
    /// have been hidden before it, until the next look, and held.
    fn overflow_at(&self, t: CaptureTime) -> Option<Look> {
        let forgotten = self.overflow_until.filter(|(until, _)| t <= *until);
        let next = self.looks.iter().skip(1).map(|l| Some(l.at)).chain([None]);
        let remembered = self.looks.iter().zip(next).find(|(look, next)| {
            let (before_s, hold_s) = (self.rules.before_s, self.rules.hold_s);
            look.untracked > 0
                && t >= look.at.plus_seconds(-before_s)
                && (t <= look.at.plus_seconds(hold_s) || next.is_none_or(|next| t < next))
        });
        forgotten
            .map(|(_, look)| look)
            .or(remembered.map(|(look, _)| *look))
    }

    /// Forgets all tracks and looks, for a camera whose clock or picture is not
    /// what it was. Numbers of tracks are not used again.
    pub fn forget(&mut self) {
        self.courses.clear();
        self.looks.clear();
        self.first_look = None;
        self.horizon = None;
        self.overflow_until = None;
    }

    /// The first look since the beginning or [`forget`](Self::forget): pictures
    /// before it were never bracketed.
    pub fn known_from(&self) -> Option<CaptureTime> {
        self.first_look
    }

    /// The newest look. What is before it is bracketed: later looks may add what
    /// begins within [`Rules::before_s`] after them, and a thing that was missed
    /// here but is seen again, and never more than that.
    pub fn known_until(&self) -> Option<CaptureTime> {
        self.looks.back().map(|l| l.at)
    }

    /// For how many seconds the detector did not look around `t`: the time
    /// between the looks before and after it, or since the last one; 0 where it
    /// looked at `t` itself. `None` before the first look that is remembered.
    pub fn silent_for(&self, t: CaptureTime) -> Option<f64> {
        let after = self.looks.partition_point(|l| l.at <= t);
        let last = self.looks.get(after.checked_sub(1)?)?;
        let until = self.looks.get(after).map_or(t, |next| next.at);
        let looked_now = last.at == t;
        Some(if looked_now {
            0.0
        } else {
            until.seconds_since(last.at)
        })
    }

    /// How many tracks are kept, those that ended a while ago included.
    pub fn tracks(&self) -> usize {
        self.courses.len()
    }

    /// How many detections found no track since the tracker was made.
    pub fn untracked(&self) -> u64 {
        self.untracked
    }
}
