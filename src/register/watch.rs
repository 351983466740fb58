//! Remembers pictures that were in order, and doubts what does not fit them.
//!
//! Every picture is compared with one that came shortly before it. Where the two have not
//! turned as their positions say, the positions are wrong from then on, and stay so when
//! the camera stands still again: what has once been doubted is believed again only when
//! a picture is seen once more where it was seen *before* the doubt. That is why pictures
//! of places that were in order are kept.
//!
//! That two pictures in a row fit each other is no reason to believe again: a head that
//! has slipped, or a clock that is late in a steady sweep, shows just that.

use super::compare::{Compared, EXACT, Outlook, compare};
use super::small::Small;
use crate::clock::CaptureTime;
use crate::geom::{Gaze, Mount, Optics, Size};
use crate::pose::PoseEstimate;

/// The picture that others are compared with is changed when it shows less than the
/// picture that follows it by this much of turn (of the picture's width)…
const NEW_AFTER_TURN: f64 = 0.3;
/// …or of zoom (in ln f)…
const NEW_AFTER_ZOOM: f64 = 0.15;
/// …or when so many others were compared with it.
const NEW_AFTER_FRAMES: u32 = 50;
/// Pictures kept. 32 of them see all round a camera at its widest, in less than 2 MiB.
const KEPT: usize = 32;
/// Two kept pictures are so much apart at least (of the picture's width).
const KEPT_APART: f64 = 0.35;
/// How many kept pictures a new one is compared with.
const TRIES: usize = 4;
/// A doubt is not lifted by what may be further off than this, cells.
const SURE: f64 = 6.0;
/// Slower than this a camera stands still, degrees a second…
const REST_DEG_S: f64 = 0.5;
/// …and this much more or less is another speed: a clock that is 0.3 s off shows as 1.5°.
const OTHER_DEG_S: f64 = 5.0;
/// A kept picture is changed for a newer one of the same place after so long, seconds:
/// shadows wander. Not earlier, or a head that creeps would be followed step by step.
const STALE_AFTER_S: f64 = 600.0;

/// How a picture was seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Aspect {
    /// When.
    pub at: CaptureTime,
    /// Where the camera looked, as far as is known.
    pub pose: PoseEstimate,
    /// Its lens.
    pub optics: Optics,
    /// Its mount.
    pub mount: Mount,
}

impl Aspect {
    fn outlook(&self, size: Size) -> Outlook {
        Outlook {
            gaze: Gaze {
                pan: self.pose.pan,
                tilt: self.pose.tilt,
                roll: self.pose.roll,
            },
            focal: self.pose.focal * f64::from(size.width),
            optics: self.optics,
            mount: self.mount,
        }
    }

    /// How far apart two are, of the picture's width, and in ln f.
    fn apart(&self, other: &Self) -> (f64, f64) {
        let tilted = (self.pose.tilt.rad() + other.pose.tilt.rad()) / 2.0;
        let pan = (self.pose.pan.rad() - other.pose.pan.rad()) * tilted.cos();
        let tilt = self.pose.tilt.rad() - other.pose.tilt.rad();
        let zoom = (self.pose.focal / other.pose.focal).ln();
        // Looking straight down, a pan turns the picture about its middle.
        let roll = (self.pose.pan.rad() - other.pose.pan.rad()) * tilted.sin();
        (
            pan.hypot(tilt) * self.pose.focal + 0.5 * roll.abs(),
            zoom.abs(),
        )
    }

    /// How fast the camera was said to turn since `before`, degrees a second in pan and
    /// tilt; `None` where that is too long ago.
    fn speed_since(&self, before: &Self) -> Option<(f64, f64)> {
        let passed_s = self.at.seconds_since(before.at);
        (passed_s > 0.0 && passed_s < 0.5).then(|| {
            (
                (self.pose.pan.deg() - before.pose.pan.deg()) / passed_s,
                (self.pose.tilt.deg() - before.pose.tilt.deg()) / passed_s,
            )
        })
    }

    /// How far what `other` shows may lie from where the positions say, cells of a
    /// picture of `size`.
    fn tolerance(&self, other: &Self, size: Size) -> f64 {
        let width = f64::from(size.width);
        let corner = 0.5 * width.hypot(f64::from(size.height));
        EXACT
            + self
                .pose
                .against(&other.pose)
                .px_at(corner, self.pose.focal * width)
    }
}

#[derive(Debug)]
struct Kept {
    picture: Small,
    aspect: Aspect,
    /// How fast the camera was said to turn, degrees a second in pan and tilt; `None`
    /// where nobody knows.
    speed: Option<(f64, f64)>,
}

impl Kept {
    /// Whether it is a picture of the place that `other` shows.
    fn is_of(&self, other: &Aspect) -> bool {
        let (turned, zoomed) = self.aspect.apart(other);
        turned <= KEPT_APART && zoomed <= NEW_AFTER_ZOOM
    }

    fn is_stale(&self, now: CaptureTime) -> bool {
        let age_s = now.seconds_since(self.aspect.at);
        !(0.0..STALE_AFTER_S).contains(&age_s)
    }

    /// Whether the two positions would not fit each other if the clocks were apart: both
    /// at rest, or with another speed in each.
    fn proves(&self, other: &Self) -> bool {
        let (Some(a), Some(b)) = (self.speed, other.speed) else {
            return false;
        };
        let rests = |v: (f64, f64)| v.0.hypot(v.1) < REST_DEG_S;
        (rests(a) && rests(b)) || (a.0 - b.0).hypot(a.1 - b.1) >= OTHER_DEG_S
    }
}

/// Watches one camera's pictures.
#[derive(Debug, Default)]
pub struct PictureWatch {
    /// What pictures are compared with.
    last: Option<Kept>,
    /// How many were, and how many of them fitted.
    compared: u32,
    fitted: u32,
    /// Pictures of places from times without doubt, the newest at the end.
    kept: Vec<Kept>,
    /// How the newest picture was seen.
    newest: Option<Aspect>,
    doubts: bool,
}

impl PictureWatch {
    /// Whether positions are doubted.
    pub fn doubts(&self) -> bool {
        self.doubts
    }

    /// The stream was set up anew: the next picture need not fit the one before. What was
    /// doubted stays so, and what was kept is kept.
    pub fn restarted(&mut self) {
        self.last = None;
        self.newest = None;
    }

    /// Takes up `picture`, seen as `aspect` says; whether positions are doubted now.
    ///
    /// # Errors
    /// OpenCV's; positions are doubted then.
    pub fn see(&mut self, picture: Small, aspect: Aspect) -> opencv::Result<bool> {
        let speed = self.newest.and_then(|before| aspect.speed_since(&before));
        self.newest = Some(aspect);
        let new = Kept {
            picture,
            aspect,
            speed,
        };
        let seen = if self.doubts {
            self.again(new)
        } else {
            self.follow(new)
        };
        self.doubts = seen.as_ref().copied().unwrap_or(true);
        seen
    }

    /// A picture while nothing is doubted: whether it is now.
    fn follow(&mut self, new: Kept) -> opencv::Result<bool> {
        let Some(last) = &mut self.last else {
            return self.begin(new);
        };
        // Of the first picture its speed is known with the second.
        last.speed = last.speed.or(new.speed);
        self.compared = self.compared.saturating_add(1);
        let (turned, zoomed) = new.aspect.apart(&last.aspect);
        let changes =
            turned > NEW_AFTER_TURN || zoomed > NEW_AFTER_ZOOM || self.compared >= NEW_AFTER_FRAMES;
        match beside(last, &new)? {
            Compared::Disagree { shift } => {
                tracing::debug!(?shift, "picture and position disagree");
                self.keep_last()?;
                Ok(true)
            }
            Compared::Agree { .. } if changes => {
                let last = self.last.take();
                let doubts = self.begin(new)?;
                if let Some(last) = last.filter(|_| !doubts) {
                    self.keep(last)?;
                }
                Ok(doubts)
            }
            Compared::Agree { .. } => {
                self.fitted = self.fitted.saturating_add(1);
                Ok(false)
            }
            // Nothing links this picture with the last: others may.
            Compared::Apart => {
                let doubts = shares(last, &new)?;
                if doubts {
                    self.keep_last()?;
                }
                Ok(doubts || self.begin(new)?)
            }
            Compared::Unclear | Compared::Strange if changes => self.begin(new),
            Compared::Unclear | Compared::Strange => Ok(false),
        }
    }

    /// Where it was in order, it may be again.
    fn keep_last(&mut self) -> opencv::Result<()> {
        let trusted = self.fitted > 0 || self.kept.is_empty();
        match self.last.take().filter(|_| trusted) {
            Some(last) => self.keep(last),
            None => Ok(()),
        }
    }

    /// A picture while positions are doubted: whether they still are.
    fn again(&mut self, new: Kept) -> opencv::Result<bool> {
        let doubts = !self.shows_again(&new)?;
        if !doubts {
            self.begin(new)?;
        }
        Ok(doubts)
    }

    /// Whether a kept picture is seen again where it was.
    fn shows_again(&self, new: &Kept) -> opencv::Result<bool> {
        let size = new.picture.size();
        for old in nearest(&self.kept, new) {
            // What agrees under a wide margin only may lie beside it at rest.
            let sure = new.aspect.tolerance(&old.aspect, size) <= SURE && old.proves(new);
            match beside(old, new)? {
                Compared::Agree { .. } if sure => return Ok(true),
                Compared::Disagree { .. } => return Ok(false),
                _ => {}
            }
        }
        Ok(false)
    }

    /// Pictures are compared with `new` from now on; whether it contradicts one that was
    /// kept of the same place.
    fn begin(&mut self, new: Kept) -> opencv::Result<bool> {
        let mut doubts = false;
        for old in nearest(&self.kept, &new) {
            match beside(old, &new)? {
                Compared::Disagree { .. } => doubts = true,
                Compared::Strange if !old.is_stale(new.aspect.at) => doubts = true,
                Compared::Agree { .. } => {}
                Compared::Strange | Compared::Unclear | Compared::Apart => continue,
            }
            break;
        }
        self.last = Some(new);
        self.compared = 0;
        self.fitted = 0;
        Ok(doubts)
    }

    /// Keeps a picture that was in order, unless there is one of the same place that serves
    /// as well.
    fn keep(&mut self, picture: Kept) -> opencv::Result<()> {
        let now = picture.aspect.at;
        let rests = |kept: &Kept| kept.speed.is_some_and(|v| v.0.hypot(v.1) < REST_DEG_S);
        for i in (0..self.kept.len()).rev() {
            let old = &self.kept[i];
            if !old.is_of(&picture.aspect) || (rests(&picture) && !rests(old)) {
                continue;
            }
            if !old.is_stale(now) {
                return Ok(());
            }
            // Only what looks like it takes its place: a lorry must not.
            if matches!(beside(old, &picture)?, Compared::Agree { .. }) {
                self.kept.remove(i);
            }
        }
        if self.kept.len() >= KEPT {
            self.kept.remove(0);
        }
        self.kept.push(picture);
        Ok(())
    }
}

/// The kept pictures that `new` should look most like.
fn nearest<'a>(kept: &'a [Kept], new: &Kept) -> impl Iterator<Item = &'a Kept> {
    let distance = |k: &&Kept| {
        let (turned, zoomed) = new.aspect.apart(&k.aspect);
        turned + zoomed
    };
    let same_size = |k: &&Kept| k.picture.size() == new.picture.size();
    let mut by_distance: Vec<&Kept> = kept.iter().filter(same_size).collect();
    by_distance.sort_by(|a, b| distance(a).total_cmp(&distance(b)));
    by_distance.into_iter().take(TRIES)
}

/// Whether two pictures show the same, wherever: where their positions are far apart, one of
/// them is wrong.
fn shares(old: &Kept, new: &Kept) -> opencv::Result<bool> {
    let outlook = old.aspect.outlook(old.picture.size());
    let found = compare(&old.picture, &outlook, &new.picture, &outlook, EXACT)?;
    Ok(matches!(
        found,
        Compared::Agree { .. } | Compared::Disagree { .. }
    ))
}

fn beside(old: &Kept, new: &Kept) -> opencv::Result<Compared> {
    let size = new.picture.size();
    let was = old.aspect.outlook(old.picture.size());
    let is = new.aspect.outlook(size);
    let tolerance = new.aspect.tolerance(&old.aspect, size);
    compare(&old.picture, &was, &new.picture, &is, tolerance)
}

#[cfg(test)]
mod tests;
