//! A camera that cannot tell where it looks: what its presets look like, who vouched for
//! that, and by which zones a picture is masked.
//!
//! A preset counts for one version of its zones: with other zones nobody has vouched for it, and
//! what it looked like with the former ones is forgotten.

mod kept;

use crate::archive::{Archive, rfc3339};
use crate::clock::{CaptureTime, Clock, Mono};
use crate::config::{Masks, Preset};
use crate::detect::PixelBox;
use crate::event::Reason;
use crate::frame::FrameRef;
use crate::geom::Size;
use crate::paint::Coverage;
use crate::plan::{MarginLimits, PictureZones, PlanInput, RegionSource, decide};
use crate::register::{Away, Cells, GROWN, PresetWatch, Reference, Rest, Small, Unfit};
use crate::web::{DeskFault, PresetStatus, PresetView, VerifiedView, Vouch};
use crate::zone::ZoneSet;
use kept::{About, Kept};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Looks of one preset: day, night, snow…
const MOST_LOOKS: usize = 8;
/// From one picture of a lesson to the next, at least.
const LESSON_STEP: Duration = Duration::from_millis(120);
/// So many pictures make a lesson; it lasts three seconds by them.
const LESSON_PICTURES: usize = 25;
/// What did not come by then does not come.
const LESSON_ENDS: Duration = Duration::from_secs(8);
/// Stills that somebody may vouch by.
const STILLS: usize = 16;
/// So many pictures on end show the same before there is a still of them.
const STANDS: u32 = 10;

/// The presets of one camera.
#[derive(Debug)]
pub(super) struct Presets {
    camera: String,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    places: Vec<Place>,
    watch: PresetWatch,
    /// The newest picture, and the size of what it was made from.
    newest: Option<(Small, Size)>,
    /// Where the newest picture was taken.
    on: Option<usize>,
    lesson: Option<Lesson>,
    /// What stills showed, the newest at the end. In memory only.
    stills: VecDeque<(CaptureTime, Small)>,
    /// Raised by each withdrawal: what was read or learnt before it counts no more.
    withdrawals: u64,
}

#[derive(Debug)]
struct Place {
    preset: Preset,
    /// Of its zones; none where there are none.
    zones_sha256: Option<String>,
    looks: Vec<Kept>,
    archive: Arc<Archive>,
}

/// Pictures from which a place is learnt.
#[derive(Debug, Default)]
struct Lesson {
    newest: Option<Mono>,
    pictures: Vec<Small>,
    hidden: Option<Cells>,
}

/// What a picture is masked by.
#[derive(Debug)]
pub(super) struct Resting {
    zones: Arc<ZoneSet>,
    /// What may lie beside where it was vouched for, pixels.
    beside_px: f64,
}

impl Resting {
    pub(super) fn zones(&self) -> PictureZones<'_> {
        PictureZones {
            zones: &self.zones,
            beside_px: self.beside_px,
        }
    }
}

impl Place {
    /// As it is kept on disk.
    fn read(camera: &str, preset: &Preset) -> Self {
        let zones_sha256 = (preset.masks.as_ref().ok()).and_then(|zones| kept::sum(zones));
        let looks = match &zones_sha256 {
            Some(sum) => {
                let place = Preset::place(camera, &preset.id);
                kept::read(&preset.masks_file, &place, sum, MOST_LOOKS)
            }
            None => Vec::new(),
        };
        Self {
            preset: preset.clone(),
            zones_sha256,
            looks,
            archive: Arc::new(Archive::of(&preset.masks_file)),
        }
    }
}

impl Inner {
    /// The watch is to know what the places know.
    fn settle(&mut self) {
        let looks = |place: &Place| place.looks.iter().map(|k| k.reference.clone()).collect();
        self.watch.set(self.places.iter().map(looks).collect());
        self.on = None;
    }

    fn place(&self, preset: &str) -> Result<usize, DeskFault> {
        let mut places = self.places.iter();
        let place = places.position(|place| place.preset.id == preset);
        place.ok_or(DeskFault::NoPreset)
    }
}

impl Presets {
    pub(super) fn new(camera: &str, presets: &[Preset]) -> Self {
        let mut inner = Inner {
            places: presets.iter().map(|p| Place::read(camera, p)).collect(),
            watch: PresetWatch::default(),
            newest: None,
            on: None,
            lesson: None,
            stills: VecDeque::new(),
            withdrawals: 0,
        };
        inner.settle();
        Self {
            camera: camera.to_owned(),
            inner: Mutex::new(inner),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Lost by a panic, nothing in it shows more than before.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From the next picture on these are its presets.
    pub(super) fn set(&self, presets: &[Preset]) {
        // Files take time that frames do not have.
        let read = || {
            presets
                .iter()
                .map(|p| Place::read(&self.camera, p))
                .collect()
        };
        let (places, mut inner) = self.read_unless_withdrawn(read);
        inner.places = places;
        inner.lesson = None;
        inner.settle();
    }

    /// What `read` finds on disk, if nothing was withdrawn meanwhile; else what it finds then.
    fn read_unless_withdrawn<T>(&self, read: impl Fn() -> T) -> (T, MutexGuard<'_, Inner>) {
        let mut before = self.inner().withdrawals;
        loop {
            let found = read();
            let inner = self.inner();
            if inner.withdrawals == before {
                return (found, inner);
            }
            before = inner.withdrawals;
        }
    }

    /// As they are now, with the zones in force.
    pub(super) fn configured(&self) -> Vec<Preset> {
        let inner = self.inner();
        inner.places.iter().map(|p| p.preset.clone()).collect()
    }

    /// One preset gets other zones: nobody has vouched for it by those.
    pub(super) fn swap_masks(&self, preset: &str, masks: Masks) -> Result<(), DeskFault> {
        let changed = {
            let inner = self.inner();
            let at = inner.place(preset)?;
            Preset {
                masks,
                ..inner.places[at].preset.clone()
            }
        };
        let (read, mut inner) = self.read_unless_withdrawn(|| Place::read(&self.camera, &changed));
        let at = inner.place(preset)?;
        inner.places[at] = Place {
            // One for all: it sees to one change at a time.
            archive: inner.places[at].archive.clone(),
            ..read
        };
        inner.lesson = None;
        inner.settle();
        Ok(())
    }

    /// The versions of a preset's zones.
    pub(super) fn archive(&self, preset: &str) -> Result<Arc<Archive>, DeskFault> {
        let inner = self.inner();
        let place = &inner.places[inner.place(preset)?];
        Ok(place.archive.clone())
    }

    pub(super) fn restarted(&self) {
        let mut inner = self.inner();
        inner.watch.restarted();
        (inner.newest, inner.on) = (None, None);
    }

    /// By which zones a picture is masked, or why nobody knows; and whether it shows another
    /// place than the one before.
    pub(super) fn see(&self, picture: Option<&FrameRef<'_>>) -> (Result<Resting, Reason>, bool) {
        let mut inner = self.inner();
        let inner = &mut *inner;
        inner.on = None;
        let small = picture.and_then(|picture| Some((Small::of(picture)?, picture.size())));
        let Some((small, size)) = small else {
            inner.newest = None;
            inner.watch.restarted();
            let why = "the picture is too small, or cannot be read";
            return (Err(away(why)), true);
        };
        let cell = f64::from(small.cell());
        let rest = inner.watch.see(&small);
        inner.newest = Some((small, size));
        let moved = inner.watch.still() == 0;
        let resting = match rest {
            Ok(Rest::On(at)) => match inner.places.get(at).map(|place| &place.preset.masks) {
                Some(Ok(zones)) => {
                    inner.on = Some(at);
                    Ok(Resting {
                        zones: zones.clone(),
                        beside_px: GROWN * cell,
                    })
                }
                Some(Err(detail)) => Err(Reason::NoMasks {
                    detail: detail.clone(),
                }),
                None => Err(away("it is known no more")),
            },
            Ok(Rest::Away(why)) => Err(away(match why {
                Away::Unverified => "none is verified yet",
                Away::Elsewhere => {
                    "the picture is not that of a verified preset: it moves, looks elsewhere, or the light is other"
                }
                Away::Alike => "two of them look the same",
            })),
            Err(error) => {
                tracing::error!(camera = self.camera, %error, "comparing pictures");
                Err(away("pictures cannot be compared"))
            }
        };
        (resting, moved)
    }

    /// Whether pictures are learnt from.
    pub(super) fn is_learning(&self) -> bool {
        self.inner().lesson.is_some()
    }

    /// Learns from the newest picture, but not what is in `things`.
    pub(super) fn learn(&self, things: &[PixelBox], now: Mono) {
        let mut inner = self.inner();
        let inner = &mut *inner;
        let (Some(lesson), Some((small, _))) = (&mut inner.lesson, &inner.newest) else {
            return;
        };
        let soon = lesson
            .newest
            .is_some_and(|last| now.since(last) < LESSON_STEP);
        if soon || lesson.pictures.len() >= LESSON_PICTURES {
            return;
        }
        lesson.newest = Some(now);
        let inside = |b: &PixelBox, x: usize, y: usize| {
            let (x, y) = (x as f64, y as f64);
            x + 1.0 >= b.x0 && x <= b.x1 && y + 1.0 >= b.y0 && y <= b.y1
        };
        let hides = |x: usize, y: usize| things.iter().any(|b| inside(b, x, y));
        match &mut lesson.hidden {
            Some(_) if things.is_empty() => {}
            Some(before) => before.add(&Cells::of(small.size(), small.cell(), hides)),
            none => *none = Some(Cells::of(small.size(), small.cell(), hides)),
        }
        lesson.pictures.push(small.clone());
    }

    /// Whether there may be a still of the newest picture, taken at `capture`: it stands
    /// still. Somebody may vouch by it.
    pub(super) fn still(&self, capture: Option<CaptureTime>) -> Result<(), Reason> {
        let mut inner = self.inner();
        let capture = capture.ok_or(Reason::NoCaptureTime)?;
        if inner.watch.still() < STANDS {
            return Err(away(
                "the picture does not stand still, or shows too little",
            ));
        }
        let Some((small, _)) = inner.newest.clone() else {
            return Err(away("there is no picture"));
        };
        if inner.stills.len() >= STILLS {
            inner.stills.pop_front();
        }
        inner.stills.push_back((capture, small));
        Ok(())
    }

    /// The preset on which it rests.
    pub(super) fn resting(&self) -> Option<String> {
        let inner = self.inner();
        let place = inner.places.get(inner.on?)?;
        Some(place.preset.id.clone())
    }

    /// Its presets, for people.
    pub(super) fn list(&self) -> Vec<PresetView> {
        let inner = self.inner();
        let looks = |place: &Place| {
            let view = |kept: &Kept| VerifiedView {
                by: kept.about.by.clone(),
                at: kept.about.at.clone(),
                reason: kept.about.reason.clone(),
            };
            place.looks.iter().map(view).collect()
        };
        let places = inner.places.iter().enumerate();
        places
            .map(|(i, place)| PresetView {
                id: place.preset.id.clone(),
                name: place.preset.name.clone(),
                verified: looks(place),
                resting: inner.on == Some(i),
            })
            .collect()
    }

    /// Its presets, for everyone who may see the camera.
    pub(super) fn status(&self) -> Vec<PresetStatus> {
        let inner = self.inner();
        let places = inner.places.iter().enumerate();
        places
            .map(|(i, place)| PresetStatus {
                id: place.preset.id.clone(),
                verified: place.looks.len(),
                resting: inner.on == Some(i),
            })
            .collect()
    }

    /// Somebody vouches for what is seen now: it is this preset, and the zones of `document` fit.
    /// Takes some seconds.
    pub(super) fn verify(
        &self,
        preset: &str,
        (vouch, document): (&Vouch, &[u8]),
        clock: &dyn Clock,
    ) -> Result<(), DeskFault> {
        let refuse = |why: &str| Err(DeskFault::NotVerified(why.to_owned()));
        let drawn = ZoneSet::parse(document, &Preset::place(&self.camera, preset)).ok();
        let drawn = drawn.and_then(|zones| kept::sum(&zones));
        let (file, zones, sum, looked_at, withdrawals) = {
            let mut inner = self.inner();
            let at = inner.place(preset)?;
            let looked_at = inner
                .stills
                .iter()
                .find(|(t, _)| t.0.to_string() == vouch.still);
            let Some((_, looked_at)) = looked_at.cloned() else {
                return refuse("the gateway does not remember that clear still: fetch another one");
            };
            let place = &inner.places[at];
            let (Ok(zones), Some(sum)) = (&place.preset.masks, &place.zones_sha256) else {
                return refuse("this preset has no zones that can be used");
            };
            if drawn.as_ref() != Some(sum) {
                // Changed by hand, and not reloaded: the picture would be shown with others.
                return refuse(
                    "its zones on disk are not those in force: reload the gateway, then look again",
                );
            }
            if place.looks.len() >= MOST_LOOKS {
                return refuse(
                    "this preset is verified often enough: withdraw it, then begin anew",
                );
            }
            let known = (
                place.preset.masks_file.clone(),
                zones.clone(),
                sum.clone(),
                looked_at,
                inner.withdrawals,
            );
            if inner.lesson.is_some() {
                return refuse("somebody else verifies a preset of this camera");
            }
            inner.lesson = Some(Lesson::default());
            known
        };
        let learnt = self.lesson(&zones, clock);
        let (reference, size) = learnt?;
        if !reference.is_seen_in(&looked_at).unwrap_or(false) {
            return refuse("the camera does not look where it looked on that clear still");
        }
        self.is_alone(preset, &reference)?;
        let about = About {
            format: kept::FORMAT,
            place: Preset::place(&self.camera, preset),
            zones_sha256: sum.clone(),
            picture: (size.width, size.height),
            cell: reference.cell(),
            by: vouch.by.clone(),
            at: rfc3339(clock.wall()),
            reason: vouch.reason.clone(),
        };
        let kept = kept::write(&file, about, reference)
            .map_err(|e| DeskFault::Failed(format!("{}: {e}", file.display())))?;
        let mut inner = self.inner();
        let at = inner.place(preset)?;
        let place = &inner.places[at];
        let is_other = place.zones_sha256.as_ref() != Some(&sum);
        if is_other || inner.withdrawals != withdrawals {
            drop(inner);
            // Or it would count after a restart.
            kept::remove(&kept.file)
                .map_err(|e| DeskFault::Failed(format!("{}: {e}", kept.file.display())))?;
            return refuse(match is_other {
                true => "its zones changed meanwhile",
                false => "somebody withdrew a preset of this camera meanwhile",
            });
        }
        inner.places[at].looks.push(kept);
        inner.settle();
        Ok(())
    }

    /// Waits for pictures of some seconds, and learns from them.
    fn lesson(
        &self,
        zones: &Arc<ZoneSet>,
        clock: &dyn Clock,
    ) -> Result<(Reference, Size), DeskFault> {
        let began = clock.mono();
        let enough = || {
            let inner = self.inner();
            let lesson = inner.lesson.as_ref();
            lesson.is_none_or(|l| l.pictures.len() >= LESSON_PICTURES)
        };
        while !enough() && clock.mono().since(began) < LESSON_ENDS {
            std::thread::sleep(LESSON_STEP);
        }
        let (lesson, newest) = {
            let mut inner = self.inner();
            (
                inner.lesson.take(),
                inner.newest.as_ref().map(|(_, size)| *size),
            )
        };
        let unfit = |why: Unfit| DeskFault::NotVerified(why.to_string());
        let lesson = lesson.ok_or_else(|| {
            DeskFault::NotVerified("the camera's presets or zones changed meanwhile".to_owned())
        })?;
        let (Some(size), Some(mut hidden)) = (newest, lesson.hidden) else {
            return Err(unfit(Unfit::TooFew));
        };
        let [first, ..] = &lesson.pictures[..] else {
            return Err(unfit(Unfit::TooFew));
        };
        hidden.add(
            &hidden_by(zones, first, size)
                .map_err(|reason| DeskFault::NotVerified(reason.to_string()))?,
        );
        let learnt = Reference::learn(&lesson.pictures, &hidden).map_err(unfit)?;
        Ok((learnt, size))
    }

    /// Whether no other preset looks the same.
    fn is_alone(&self, preset: &str, reference: &Reference) -> Result<(), DeskFault> {
        let inner = self.inner();
        let others = inner.places.iter().filter(|p| p.preset.id != preset);
        for other in others {
            for kept in &other.looks {
                let alike = |a: &Reference, b: &Reference| a.is_like(b).unwrap_or(true);
                if alike(&kept.reference, reference) || alike(reference, &kept.reference) {
                    let why = format!("it looks the same as preset {}", other.preset.id);
                    return Err(DeskFault::NotVerified(why));
                }
            }
        }
        Ok(())
    }

    /// Nobody vouches for this preset any more, with whatever zones; whether anybody did.
    pub(super) fn withdraw(&self, preset: &str) -> Result<bool, DeskFault> {
        let forget = || -> Result<_, DeskFault> {
            let mut inner = self.inner();
            let at = inner.place(preset)?;
            let place = &mut inner.places[at];
            let had = !std::mem::take(&mut place.looks).is_empty();
            let file = place.preset.masks_file.clone();
            inner.withdrawals += 1;
            inner.lesson = None;
            inner.settle();
            Ok((had, file))
        };
        let (had, file) = forget()?;
        let failed = |e| DeskFault::Failed(format!("{}: {e}", kept::folder(&file).display()));
        let removed = kept::remove_all(&file).map_err(failed)?;
        // Whoever read them before they were gone reads again.
        forget()?;
        Ok(had || removed)
    }
}

fn away(detail: &str) -> Reason {
    Reason::NotOnPreset {
        detail: detail.to_owned(),
    }
}

/// The cells of `picture` that zones hide, as they grow in the stream.
fn hidden_by(zones: &ZoneSet, picture: &Small, size: Size) -> Result<Cells, Reason> {
    let zones = PictureZones {
        zones,
        beside_px: GROWN * f64::from(picture.cell()),
    };
    let plan = decide(&PlanInput {
        size,
        made_for: None,
        zones: Ok(&zones as &dyn RegionSource),
        pose: None,
        things: None,
        mosaic: false,
        standing: &[],
        limits: MarginLimits::default(),
    });
    if let Some(reason) = plan.state.reason() {
        return Err(reason.clone());
    }
    let coverage = Coverage::of(&plan);
    Ok(Cells::of(picture.size(), picture.cell(), |x, y| {
        coverage.hides(x, y)
    }))
}

#[cfg(test)]
mod tests;
