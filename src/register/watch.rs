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

use super::compare::{Compared, EXACT, compare};
use super::small::Small;
use crate::clock::CaptureTime;
use crate::geom::{Gaze, Mount, Optics, Size, View};
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
/// How many kept pictures are compared with one that is in doubt.
const TRIES: usize = 2;
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
    fn view(&self, size: Size) -> Option<View> {
        let gaze = Gaze {
            pan: self.pose.pan,
            tilt: self.pose.tilt,
            roll: self.pose.roll,
        };
        let focal = self.pose.focal * f64::from(size.width);
        View::new(gaze, focal, size, self.optics, self.mount).ok()
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
    }

    /// Takes up `picture`, seen as `aspect` says; whether positions are doubted now.
    ///
    /// # Errors
    /// OpenCV's; the doubt is what it was.
    pub fn see(&mut self, picture: Small, aspect: Aspect) -> opencv::Result<bool> {
        if self.kept.iter().any(|k| k.picture.size() != picture.size()) {
            self.kept.clear();
        }
        let new = Kept { picture, aspect };
        if self.doubts {
            self.doubts = !fits_one(&self.kept, &new)?;
            if !self.doubts {
                self.begin(new);
            }
            return Ok(self.doubts);
        }
        let Some(last) = &self.last else {
            self.doubts = self.contradicts(&new)?;
            self.begin(new);
            return Ok(self.doubts);
        };
        self.compared = self.compared.saturating_add(1);
        let (turned, zoomed) = new.aspect.apart(&last.aspect);
        let changes =
            turned > NEW_AFTER_TURN || zoomed > NEW_AFTER_ZOOM || self.compared >= NEW_AFTER_FRAMES;
        match beside(last, &new)? {
            Compared::Disagree { shift } => {
                tracing::debug!(?shift, "picture and position disagree");
                self.doubts = true;
                // Where it was in order, it may be again.
                if let Some(last) = self.last.take().filter(|_| self.fitted > 0) {
                    self.keep(last);
                }
            }
            Compared::Agree { .. } if changes => {
                self.doubts = self.contradicts(&new)?;
                if let Some(last) = self.last.take().filter(|_| !self.doubts) {
                    self.keep(last);
                }
                self.begin(new);
            }
            Compared::Agree { .. } => self.fitted = self.fitted.saturating_add(1),
            // Nothing links this picture with the last: others may.
            Compared::Apart => {
                self.doubts = shares(last, &new)? || self.contradicts(&new)?;
                self.begin(new);
            }
            Compared::Unclear if changes => {
                self.doubts = self.contradicts(&new)?;
                self.begin(new);
            }
            Compared::Unclear => {}
        }
        Ok(self.doubts)
    }

    fn begin(&mut self, new: Kept) {
        self.last = Some(new);
        self.compared = 0;
        self.fitted = 0;
    }

    /// Keeps a picture that was in order, unless there is one of the same place that is not
    /// stale yet.
    fn keep(&mut self, picture: Kept) {
        let now = picture.aspect.at;
        self.kept.retain(|k| {
            let (turned, zoomed) = k.aspect.apart(&picture.aspect);
            let age_s = now.seconds_since(k.aspect.at);
            let stale = !(0.0..STALE_AFTER_S).contains(&age_s);
            turned > KEPT_APART || zoomed > NEW_AFTER_ZOOM || !stale
        });
        let has = |k: &Kept| {
            let (turned, zoomed) = k.aspect.apart(&picture.aspect);
            turned <= KEPT_APART && zoomed <= NEW_AFTER_ZOOM
        };
        if self.kept.iter().any(has) {
            return;
        }
        if self.kept.len() >= KEPT {
            self.kept.remove(0);
        }
        self.kept.push(picture);
    }

    /// Whether a picture kept of this place lies elsewhere.
    fn contradicts(&self, new: &Kept) -> opencv::Result<bool> {
        for old in nearest(&self.kept, new) {
            match beside(old, new)? {
                Compared::Disagree { .. } => return Ok(true),
                Compared::Agree { .. } => return Ok(false),
                Compared::Unclear | Compared::Apart => {}
            }
        }
        Ok(false)
    }
}

/// Whether one of the kept pictures is seen again where it was.
fn fits_one(kept: &[Kept], new: &Kept) -> opencv::Result<bool> {
    for old in nearest(kept, new) {
        match beside(old, new)? {
            Compared::Agree { .. } => return Ok(true),
            Compared::Disagree { .. } => return Ok(false),
            Compared::Unclear | Compared::Apart => {}
        }
    }
    Ok(false)
}

/// The kept pictures that `new` should look most like.
fn nearest<'a>(kept: &'a [Kept], new: &Kept) -> impl Iterator<Item = &'a Kept> {
    let distance = |k: &&Kept| {
        let (turned, zoomed) = new.aspect.apart(&k.aspect);
        turned + zoomed
    };
    let mut by_distance: Vec<&Kept> = kept.iter().collect();
    by_distance.sort_by(|a, b| distance(a).total_cmp(&distance(b)));
    by_distance.into_iter().take(TRIES)
}

/// Whether two pictures show the same, wherever: where their positions are far apart, one of
/// them is wrong.
fn shares(old: &Kept, new: &Kept) -> opencv::Result<bool> {
    let Some(view) = old.aspect.view(old.picture.size()) else {
        return Ok(false);
    };
    let found = compare(&old.picture, &view, &new.picture, &view, EXACT)?;
    Ok(matches!(
        found,
        Compared::Agree { .. } | Compared::Disagree { .. }
    ))
}

fn beside(old: &Kept, new: &Kept) -> opencv::Result<Compared> {
    let size = new.picture.size();
    let (Some(was), Some(is)) = (old.aspect.view(old.picture.size()), new.aspect.view(size)) else {
        return Ok(Compared::Unclear);
    };
    let tolerance = new.aspect.tolerance(&old.aspect, size);
    compare(&old.picture, &was, &new.picture, &is, tolerance)
}

#[cfg(test)]
mod tests;
