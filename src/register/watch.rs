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
//!
//! A picture that lies a little beside its position is not doubted, as the position may be
//! off by that; but how far it lies beside is told, and zones grow by it.

use super::compare::{Compared, EXACT, Outlook, compare};
use super::small::Small;
use crate::clock::CaptureTime;
use crate::geom::{Angle, Gaze, Mount, Optics, Size};
use crate::pose::PoseEstimate;

/// The picture that others are compared with is changed when it shows less than the
/// picture that follows it by this much of turn (of the picture's width)…
const NEW_AFTER_TURN: f64 = 0.3;
/// …or of zoom (in ln f)…
const NEW_AFTER_ZOOM: f64 = 0.15;
/// …or when so many others were compared with it.
const NEW_AFTER_FRAMES: u32 = 50;
/// One that is known so much better takes its place at once, cells; one that is known so
/// much worse only…
const BETTER: f64 = 0.5;
/// …when the first shows so many times less than that.
const AT_ANY_RATE: f64 = 1.7;
/// Pictures kept. 32 of them see all round a camera at its widest, in less than 2 MiB.
const KEPT: usize = 32;
/// Two kept pictures are so much apart at least (of the picture's width).
const KEPT_APART: f64 = 0.35;
/// Where pictures cannot be compared any more after so many that could be, while positions may
/// be off by more than [`SURE`]…
const SURE_BEFORE: u32 = 5;
/// …they are not shown, so many at most…
const UNSURE: u32 = 3;
/// …or so many, if the head is said to rest: nothing blurs its pictures then.
const UNSURE_AT_REST: u32 = 25;
/// A camera whose picture moved by no more did not jump, cells.
const SAME: f64 = 20.0;
/// Less than this is noise, cells.
const NOISE: f64 = 0.5;
/// How many kept pictures a new one is compared with.
const TRIES: usize = 4;
/// A doubt is not lifted by what may be further off than this, cells.
const SURE: f64 = 6.0;
/// Slower than this a camera stands still, degrees a second…
const REST_DEG_S: f64 = 0.5;
/// …and this much more or less is another speed: a clock that is 0.3 s off shows as 1.5°.
const OTHER_DEG_S: f64 = 5.0;
/// Speeds that differ by less are one and the same, degrees a second.
const STEADY_DEG_S: f64 = 2.0;
/// A camera that has one speed only is believed again when so many places were where they
/// had been.
const STEADY_PLACES: usize = 2;
/// So many pictures on end are where they had been before positions are believed again: a head
/// that turns passes by where it says it stands.
const RIGHT_AGAIN: u32 = 10;
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
    fn speed_since(&self, before: &Self) -> Option<Speed> {
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
        EXACT + self.against(other, size)
    }

    /// How well the position is known: the half of what two pictures like this one may be off
    /// against each other, cells of a picture of `size`.
    fn own(&self, size: Size) -> f64 {
        0.5 * self.against(self, size)
    }

    fn against(&self, other: &Self, size: Size) -> f64 {
        let width = f64::from(size.width);
        let corner = 0.5 * width.hypot(f64::from(size.height));
        self.pose
            .against(&other.pose)
            .px_at(corner, self.pose.focal * width)
    }
}

/// How fast a camera is said to turn, degrees a second in pan and tilt.
type Speed = (f64, f64);

fn is_steady(a: Speed, b: Speed) -> bool {
    (a.0 - b.0).hypot(a.1 - b.1) < STEADY_DEG_S
}

/// How far a picture lies beside its position itself: cells of it to the right and down.
///
/// A vector: whatever lies right beside one that lies left of its place may be where it should.
#[derive(Clone, Copy, Debug, Default)]
struct Aside(f64, f64);

impl Aside {
    /// What a comparison left.
    fn of((right, down): (f64, f64)) -> Self {
        match right.hypot(down) > NOISE {
            true => Self(right, down),
            false => Self::default(),
        }
    }

    /// Of what lies by so much beside a picture that lies beside its position itself.
    fn and(self, left: (f64, f64)) -> Self {
        let more = Self::of(left);
        Self(self.0 + more.0, self.1 + more.1)
    }

    /// What is left of it where so many cells of it say nothing.
    fn beyond(self, vague: f64) -> Self {
        let share = (1.0 - vague / self.cells().max(vague)).max(0.0);
        Self(share * self.0, share * self.1)
    }

    fn cells(self) -> f64 {
        self.0.hypot(self.1)
    }
}

#[derive(Debug)]
struct Kept {
    picture: Small,
    aspect: Aspect,
    /// `None` where nobody knows.
    speed: Option<Speed>,
    beside: Aside,
    /// How well is known what lies beside what: so many cells the position of the picture that
    /// the comparisons began with may itself be off by.
    vague: f64,
}

impl Kept {
    /// Whether the camera is known to have stood still.
    fn rests(&self) -> bool {
        self.speed.is_some_and(|v| v.0.hypot(v.1) < REST_DEG_S)
    }

    /// Whether it is a picture of the place that `other` shows.
    fn is_of(&self, other: &Aspect) -> bool {
        let (turned, zoomed) = self.aspect.apart(other);
        turned <= KEPT_APART && zoomed <= NEW_AFTER_ZOOM
    }

    /// So many cells of it, as an angle; none where they are noise.
    fn angle(&self, cells: f64) -> Angle {
        let focal = self.aspect.pose.focal * f64::from(self.picture.size().width);
        match cells > NOISE {
            true => Angle::from_rad((cells / focal).atan()),
            false => Angle::default(),
        }
    }

    /// Was seen `left` beside `other`, whose place was known.
    fn follows(&mut self, other: &Self, left: (f64, f64)) {
        let (beside, own) = (other.beside_in(self).and(left), self.own());
        // What little is known of cannot say of what is known well that it lies beside its place.
        (self.beside, self.vague) = match other.vague - own > BETTER {
            true => (beside.beyond(other.vague), own),
            false => (beside, other.vague),
        };
    }

    /// How far it lies beside its position, as `other` shows it.
    fn beside_in(&self, other: &Self) -> Aside {
        let size = other.picture.size();
        let Aside(right, down) = self.beside;
        let (was, is) = (self.aspect.outlook(size), other.aspect.outlook(size));
        was.carries((right, down), &is, size)
            .map_or(self.beside, |(right, down)| Aside(right, down))
    }

    /// See [`Aspect::own`].
    fn own(&self) -> f64 {
        self.aspect.own(self.picture.size())
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
        (self.rests() && other.rests()) || (a.0 - b.0).hypot(a.1 - b.1) >= OTHER_DEG_S
    }
}

/// What a picture says of the position that goes with it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Seen {
    /// Positions are doubted.
    pub doubts: bool,
    /// Nobody can say, of this one picture, while the camera is told to change its speed.
    pub unsure: bool,
    /// How far the picture lies beside where the position says, as an angle: more than is
    /// noise, less than is doubted. Zones must grow by it.
    pub beside: Angle,
}

impl Seen {
    fn doubtful(doubts: bool) -> Self {
        Self {
            doubts,
            ..Self::default()
        }
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
    /// How many fitted on end, or how many on end could not be compared.
    sure: u32,
    unsure: u32,
    /// Those are not shown.
    hides: bool,
    /// Pictures of places from times without doubt, the newest at the end.
    kept: Vec<Kept>,
    /// How the newest picture was seen.
    newest: Option<Aspect>,
    doubts: bool,
    /// The speeds of the two pictures that contradicted each other, the older one's first;
    /// `None` where nobody knows, or not yet.
    contradicted: [Option<Speed>; 2],
    /// The kept pictures that were seen again at that speed since.
    again: Vec<CaptureTime>,
    /// How many pictures on end were where they had been.
    right: u32,
}

impl PictureWatch {
    /// Whether positions are doubted.
    pub fn doubts(&self) -> bool {
        self.doubts
    }

    /// Somebody who saw the picture answers for the position: nothing is doubted, and
    /// nothing is left of what was seen. Whether anything was doubted.
    pub fn believe(&mut self) -> bool {
        std::mem::take(self).doubts
    }

    /// The stream was set up anew: the next picture need not fit the one before. What was
    /// doubted stays so, and what was kept is kept.
    pub fn restarted(&mut self) {
        self.last = None;
        self.newest = None;
        (self.sure, self.unsure, self.hides) = (0, 0, false);
    }

    /// Takes up `picture`, seen as `aspect` says, and says what it shows.
    ///
    /// # Errors
    /// OpenCV's; positions are doubted then.
    pub fn see(&mut self, picture: Small, aspect: Aspect) -> opencv::Result<Seen> {
        let before = self.newest.replace(aspect);
        let speed = before.and_then(|before| aspect.speed_since(&before));
        let new = Kept {
            vague: aspect.own(picture.size()),
            picture,
            aspect,
            speed,
            beside: Aside::default(),
        };
        let seen = if self.doubts {
            self.again(new)
        } else {
            self.follow(new, before)
        };
        self.doubts = seen.as_ref().map_or(true, |seen| seen.doubts);
        seen
    }

    /// A picture while nothing is doubted.
    fn follow(&mut self, mut new: Kept, before: Option<Aspect>) -> opencv::Result<Seen> {
        let Some(last) = &mut self.last else {
            return self.begin(new);
        };
        // Of the first picture its speed is known with the second.
        last.speed = last.speed.or(new.speed);
        self.compared = self.compared.saturating_add(1);
        let (turned, zoomed) = new.aspect.apart(&last.aspect);
        let apart = (turned / NEW_AFTER_TURN).max(zoomed / NEW_AFTER_ZOOM);
        let far = apart > 1.0 || self.compared >= NEW_AFTER_FRAMES;
        // Beside a picture of whose place little is known little can be seen.
        let better = last.own() - new.own();
        let changes = better > BETTER || apart > AT_ANY_RATE || (far && better > -BETTER);
        let compared = beside(last, &new)?;
        tracing::debug!(
            pan = new.aspect.pose.pan.deg(),
            own_cells = new.own(),
            last_own_cells = last.own(),
            changes,
            ?compared,
            "compared"
        );
        match compared {
            Compared::Disagree { shift } => {
                tell("it moved otherwise", last, &new, shift);
                self.contradicted = [last.speed, new.speed];
                self.keep_last()?;
                Ok(Seen::doubtful(true))
            }
            Compared::Agree { left, .. } => {
                (self.sure, self.unsure, self.hides) = (self.sure.saturating_add(1), 0, false);
                // What the other lies beside the truth by, this one does, too.
                new.follows(last, left);
                let seen = Seen {
                    beside: new.angle(new.beside.cells()),
                    ..Seen::default()
                };
                if !changes {
                    self.fitted = self.fitted.saturating_add(1);
                    return Ok(seen);
                }
                let last = self.last.take();
                let begun = self.begin(new)?;
                if let Some(last) =
                    last.filter(|last| !begun.doubts && last.beside.cells() <= NOISE)
                {
                    self.keep(last)?;
                }
                Ok(Seen {
                    beside: Angle::from_rad(seen.beside.rad().max(begun.beside.rad())),
                    ..begun
                })
            }
            // Nothing links this picture with the last: others may.
            Compared::Apart => {
                let before = before.filter(|_| new.speed.is_some());
                if let Some(before) = before
                    && is_still(last, &new, &before)?
                {
                    tell("it did not move", last, &new, (0.0, 0.0));
                    self.contradicted = [None; 2];
                    self.keep_last()?;
                    return Ok(Seen::doubtful(true));
                }
                self.begin(new)
            }
            Compared::Unclear | Compared::Strange => {
                let vague = new.aspect.tolerance(&last.aspect, new.picture.size()) > SURE;
                let begins = self.unsure == 0 && self.sure >= SURE_BEFORE && vague;
                let at_most = if new.rests() { UNSURE_AT_REST } else { UNSURE };
                self.hides = (self.hides || begins) && self.unsure < at_most;
                self.unsure = self.unsure.saturating_add(1);
                self.sure = 0;
                let over = self.compared >= NEW_AFTER_FRAMES && self.unsure >= UNSURE_AT_REST;
                if !self.hides && (apart > 1.0 || over) {
                    return self.begin(new);
                }
                Ok(Seen {
                    unsure: self.hides,
                    beside: new.angle(last.beside_in(&new).cells()),
                    ..Seen::default()
                })
            }
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

    /// A picture while positions are doubted.
    fn again(&mut self, new: Kept) -> opencv::Result<Seen> {
        // Of a picture that begins a stream the speed is known with the next.
        let [_, speed] = &mut self.contradicted;
        *speed = speed.or(new.speed);
        self.right = match self.shows_again(&new)? {
            true => self.right + 1,
            false => 0,
        };
        if self.right < RIGHT_AGAIN {
            return Ok(Seen::doubtful(true));
        }
        self.right = 0;
        tracing::info!("the picture is where it was before the doubt");
        self.again.clear();
        self.begin(new)
    }

    /// Whether kept pictures are seen again where they were.
    fn shows_again(&mut self, new: &Kept) -> opencv::Result<bool> {
        let size = new.picture.size();
        for old in nearest(&self.kept, new) {
            // What agrees under a wide margin only may lie beside it at rest.
            let sure = new.aspect.tolerance(&old.aspect, size) <= SURE;
            match beside(old, new)? {
                Compared::Agree { .. } if sure && old.proves(new) => return Ok(true),
                // At one speed only the doubt arose, and at that speed it may end: all is as
                // it was before.
                Compared::Agree { .. } if sure && as_before(self.contradicted, old, new) => {
                    if !self.again.contains(&old.aspect.at) {
                        self.again.push(old.aspect.at);
                    }
                    return Ok(self.again.len() >= STEADY_PLACES);
                }
                Compared::Disagree { .. } => {
                    self.again.clear();
                    return Ok(false);
                }
                _ => {}
            }
        }
        Ok(false)
    }

    /// Pictures are compared with `new` from now on; what those say that were kept of the
    /// same place.
    fn begin(&mut self, mut new: Kept) -> opencv::Result<Seen> {
        let mut seen = Seen::default();
        let mut found = None;
        for old in nearest(&self.kept, &new) {
            match beside(old, &new)? {
                Compared::Disagree { shift } => {
                    tell("it is not where it was", old, &new, shift);
                    self.contradicted = [old.speed, new.speed];
                    seen.doubts = true;
                }
                Compared::Strange if !old.is_stale(new.aspect.at) => {
                    tell("nothing is where it was", old, &new, (0.0, 0.0));
                    self.contradicted = [old.speed, new.speed];
                    seen.doubts = true;
                }
                // This one was in order.
                Compared::Agree { left, .. } => found = Some((old, left)),
                Compared::Strange | Compared::Unclear | Compared::Apart => continue,
            }
            break;
        }
        if let Some((old, left)) = found {
            new.follows(old, left);
        }
        seen.beside = new.angle(new.beside.cells());
        self.last = Some(new);
        self.compared = 0;
        self.fitted = 0;
        Ok(seen)
    }

    /// Keeps a picture that was in order, unless there is one of the same place that serves
    /// as well.
    fn keep(&mut self, picture: Kept) -> opencv::Result<()> {
        let now = picture.aspect.at;
        for i in (0..self.kept.len()).rev() {
            let old = &self.kept[i];
            if !old.is_of(&picture.aspect) || (picture.rests() && !old.rests()) {
                continue;
            }
            let better = old.own() - picture.own() > BETTER;
            if !old.is_stale(now) && !better {
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

/// Whether two pictures were taken at the one speed at which the doubt arose.
fn as_before(contradicted: [Option<Speed>; 2], old: &Kept, new: &Kept) -> bool {
    let [Some(a), Some(b)] = contradicted else {
        return false;
    };
    let (Some(was), Some(is)) = (old.speed, new.speed) else {
        return false;
    };
    [b, was, is].into_iter().all(|speed| is_steady(a, speed))
}

/// Whether the camera still looks where it looked a moment `before`, or nearly so. Pictures
/// that are alike far beside each other say nothing: streets repeat themselves.
fn is_still(old: &Kept, new: &Kept, before: &Aspect) -> opencv::Result<bool> {
    let size = new.picture.size();
    let (turned, _) = new.aspect.apart(before);
    if turned * f64::from(size.width) <= 2.0 * SAME {
        // A fast head turns by that from picture to picture.
        return Ok(false);
    }
    let (was, is) = (old.aspect.outlook(size), before.outlook(size));
    let tolerance = before.tolerance(&old.aspect, size);
    Ok(
        match compare(&old.picture, &was, &new.picture, &is, tolerance)? {
            Compared::Agree { .. } => true,
            Compared::Disagree { shift } => shift.0.hypot(shift.1) <= SAME,
            _ => false,
        },
    )
}

/// Writes down what was doubted, for those who want to know why.
fn tell(what: &str, old: &Kept, new: &Kept, (right, down): (f64, f64)) {
    let of = |aspect: &Aspect| {
        let pose = &aspect.pose;
        format!(
            "pan {:.2}, tilt {:.2}, focal {:.3}",
            pose.pan.deg(),
            pose.tilt.deg(),
            pose.focal
        )
    };
    tracing::info!(
        what,
        was = of(&old.aspect),
        is = of(&new.aspect),
        after_s = new.aspect.at.seconds_since(old.aspect.at),
        cells_right = right,
        cells_down = down,
        tolerance_cells = new.aspect.tolerance(&old.aspect, new.picture.size()),
        "picture and position disagree"
    );
}

fn beside(old: &Kept, new: &Kept) -> opencv::Result<Compared> {
    let size = new.picture.size();
    let was = old.aspect.outlook(old.picture.size());
    let is = new.aspect.outlook(size);
    let tolerance = new.aspect.tolerance(&old.aspect, size);
    compare(&old.picture, &was, &new.picture, &is, tolerance)
}

#[cfg(test)]
mod lies;
#[cfg(test)]
mod tests;
