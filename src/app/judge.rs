//! The judge: joins what is known about a frame into its plan.
//!
//! Here the pipeline (which knows no geometry) meets pose, zones and plan
//! (which know no GStreamer). Each stream of a camera has a judge of its own; what
//! [`Beside`] tells a further stream's of the main one may cover it, or hide more of it.

use super::beside::Beside;
use super::detection::Sight;
use super::nogo::Standing;
use super::presets::{Presets, Resting};
use crate::clock::{CaptureTime, Clock, Mono};
use crate::config::{Camera, Kind, Limits, Masks};
use crate::detect::PixelBox;
use crate::event::Reason;
use crate::frame::FrameRef;
use crate::geom::{Mount, Optics, Size};
use crate::paint::Coverage;
use crate::pipeline::FrameJudge;
use crate::plan::{CameraZones, MarginLimits, Plan, PlanInput, RegionSource, decide};
use crate::pose::{Evidence, PoseEstimate, PoseSource};
use crate::register::{Aspect, PictureWatch, Seen, Small};
use crate::stamp::Captured;
use crate::still::{Slot, StillPlan};
use crate::track::Hidden;
use crate::zone::{CannotPlace, Region};
use arc_swap::ArcSwap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// What of a camera's configuration may change between two frames.
#[derive(Clone, Debug)]
struct Setup {
    masks: Masks,
    limits: Limits,
}

/// Where the camera's pose comes from.
#[derive(Clone, Debug)]
pub(super) enum Aim {
    /// It never moves.
    Fixed,
    /// It turns, and only its picture tells whether it rests on a preset.
    Resting(Arc<Presets>),
    /// It turns and tells where it looks.
    Turning {
        poses: Arc<PoseSource>,
        optics: Optics,
        mount: Mount,
        /// Whether the picture agrees; none where nobody is to ask it.
        pictures: Option<Arc<Mutex<PictureWatch>>>,
    },
    /// It turns, and nothing is known about how.
    Unknown(Reason),
}

/// Judges the frames of one stream of a camera.
#[derive(Debug)]
pub(super) struct Judge {
    aim: Aim,
    setup: ArcSwap<Setup>,
    clock: Arc<dyn Clock>,
    /// The size of the first frame: masks were drawn, and the lens calibrated, for it.
    made_for: Arc<OnceLock<Size>>,
    /// Where something is looked for in the picture.
    sight: Option<Arc<Sight>>,
    /// Where somebody may wait for a clear still; none where the configuration
    /// does not allow any.
    stills: Option<Arc<Slot>>,
    /// The main stream, beside which this one is; none for the main one itself.
    beside: Option<Beside>,
    /// The capture time of the newest frame that was judged; [`NEVER`] before.
    newest: AtomicI64,
    /// When it was judged, monotonic nanoseconds; 0 before.
    judged: AtomicU64,
    /// The pose it was judged by.
    by: Mutex<Option<(CaptureTime, Pose)>>,
}

/// Where the camera looked, or why that is not known.
type Pose = Result<PoseEstimate, Reason>;

/// The picture in which it is measured how much zones would hide.
const SMALL: Size = Size {
    width: 320,
    height: 180,
};
/// No frame was judged yet.
const NEVER: i64 = i64::MIN;

/// Where a camera looked when its newest frame was taken.
#[derive(Clone, Debug)]
pub(super) struct Look {
    pub(super) size: Size,
    /// None for a fixed camera.
    pub(super) pose: Option<PoseEstimate>,
    /// What names a clear still, where it is one.
    pub(super) still: Option<String>,
}

impl Judge {
    pub(super) fn new(
        camera: &Camera,
        aim: Aim,
        clock: Arc<dyn Clock>,
        made_for: Arc<OnceLock<Size>>,
        sight: Option<Arc<Sight>>,
        stills: Option<Arc<Slot>>,
        beside: Option<Beside>,
    ) -> Self {
        let setup = ArcSwap::from_pointee(Setup::of(camera));
        Self {
            aim,
            setup,
            clock,
            made_for,
            sight,
            stills,
            beside,
            newest: AtomicI64::new(NEVER),
            judged: AtomicU64::new(0),
            by: Mutex::default(),
        }
    }

    /// What the camera's further streams need to know of this one, its main one.
    pub(super) fn main_stream(&self) -> Beside {
        Beside {
            size: self.made_for.clone(),
            pictures: match &self.aim {
                Aim::Turning { pictures, .. } => pictures.clone(),
                Aim::Fixed | Aim::Resting(_) | Aim::Unknown(_) => None,
            },
            sight: self.sight.clone(),
        }
    }

    /// The masks in force.
    pub(super) fn masks(&self) -> Masks {
        self.setup.load().masks.clone()
    }

    /// The next frame is judged by these masks.
    pub(super) fn swap_masks(&self, masks: &Masks) {
        self.setup.rcu(|setup| Setup {
            masks: masks.clone(),
            limits: setup.limits,
        });
    }

    /// Where the camera says it looks, or why it cannot tell: doubted or not, whoever steers
    /// it must find back.
    pub(super) fn look(&self) -> Result<Look, String> {
        let size = *self.made_for.get().ok_or("there is no picture yet")?;
        let newest = self.newest.load(Ordering::Relaxed);
        let capture = (newest != NEVER).then_some(CaptureTime(newest));
        let pose = self.told(capture, self.clock.mono()).transpose();
        let pose = pose.map_err(|reason| reason.to_string())?;
        Ok(Look {
            size,
            pose,
            still: None,
        })
    }

    /// The share of a picture that zones hide of a camera that stands there, 0…1, as
    /// exactly as a small picture tells; all of it, where nobody knows.
    pub(super) fn hidden_share(&self, at: Standing) -> f64 {
        let Aim::Turning { optics, mount, .. } = &self.aim else {
            return 1.0;
        };
        let setup = self.setup.load();
        let Ok(zones) = &setup.masks else {
            return 1.0;
        };
        let full = self.made_for.get().copied().unwrap_or(SMALL);
        let size = Size {
            width: SMALL.width,
            height: (SMALL.width * full.height)
                .div_ceil(full.width.max(1))
                .max(1),
        };
        let zones = CameraZones {
            zones,
            optics: *optics,
            mount: *mount,
        };
        let plan = decide(&PlanInput {
            size,
            made_for: None,
            zones: Ok(&zones as &dyn RegionSource),
            pose: Some(Ok(at.pose())),
            things: None,
            mosaic: false,
            standing: &[],
            limits: MarginLimits::default(),
        });
        Coverage::of(&plan).share()
    }

    /// Positions are believed again, by the word of somebody who looked; whether they
    /// were doubted.
    pub(super) fn believe(&self) -> bool {
        match &self.aim {
            Aim::Turning {
                pictures: Some(pictures),
                ..
            } => {
                let mut pictures = lock(pictures);
                pictures.doubts() && pictures.believe()
            }
            _ => false,
        }
    }

    /// How long ago the newest frame was judged.
    pub(super) fn silent(&self) -> Duration {
        let judged = Mono(self.judged.load(Ordering::Relaxed));
        self.clock.mono().since(judged)
    }

    /// The next frame is judged by `camera`'s masks and limits.
    pub(super) fn swap(&self, camera: &Camera) {
        self.setup.store(Arc::new(Setup::of(camera)));
    }

    /// What is told about a frame taken at `capture`; none for a fixed camera.
    fn told(&self, capture: Option<CaptureTime>, now: Mono) -> Option<Pose> {
        match &self.aim {
            Aim::Fixed | Aim::Resting(_) => None,
            Aim::Unknown(reason) => Some(Err(reason.clone())),
            Aim::Turning { poses, .. } => Some(match capture {
                None => Err(Reason::NoCaptureTime),
                Some(t) => told(poses, t, now),
            }),
        }
    }

    /// The pose to use for a frame taken at `capture`, compared with its `picture`; none for
    /// a fixed camera. The pose is asked for once: one that no picture was compared with must
    /// not come in between.
    fn pose(
        &self,
        capture: Option<CaptureTime>,
        picture: Option<&FrameRef<'_>>,
        now: Mono,
    ) -> Option<Pose> {
        let pose = self.told(capture, now)?.and_then(|pose| {
            let Aim::Turning {
                optics,
                mount,
                pictures: Some(pictures),
                ..
            } = &self.aim
            else {
                return Ok(pose);
            };
            let mut pictures = lock(pictures);
            let small = picture.and_then(Small::of);
            let seen = match small.zip(capture) {
                Some((small, at)) => {
                    let (optics, mount) = (*optics, *mount);
                    let aspect = Aspect {
                        at,
                        pose,
                        optics,
                        mount,
                    };
                    pictures.see(small, aspect).unwrap_or_else(|error| {
                        tracing::error!(%error, "comparing pictures");
                        Seen::default()
                    })
                }
                None => Seen::default(),
            };
            // Doubts of before, too, where there is nothing to compare.
            match pictures.doubts() || seen.unsure {
                true => Err(Reason::PictureDisagrees),
                false => Ok(pose.wider_by(seen.beside)),
            }
        });
        let pose = match &self.beside {
            Some(main) if main.doubts() => pose.and(Err(Reason::PictureDisagrees)),
            _ => pose,
        };
        *self.by.lock().unwrap_or_else(PoisonError::into_inner) =
            capture.map(|capture| (capture, pose.clone()));
        Some(pose)
    }

    /// The pose that the newest frame was judged by; none for a fixed camera.
    fn judged_by(&self, capture: Option<CaptureTime>) -> Option<Pose> {
        if matches!(self.aim, Aim::Fixed | Aim::Resting(_)) {
            return None;
        }
        let by = self.by.lock().unwrap_or_else(PoisonError::into_inner);
        Some(match (&*by, capture) {
            (Some((at, pose)), Some(capture)) if *at == capture => pose.clone(),
            _ => Err(Reason::NoCaptureTime),
        })
    }

    /// Gives `decide` all that is known about a frame of a camera with one set of zones.
    fn with_zones<T>(
        &self,
        capture: Option<CaptureTime>,
        size: Size,
        pose: Option<Pose>,
        things: impl Fn(&Sight, CaptureTime) -> Result<Vec<Hidden>, Reason>,
        decide: impl FnOnce(&PlanInput<'_>) -> T,
    ) -> T {
        let setup = self.setup.load();
        let (optics, mount) = match &self.aim {
            Aim::Turning { optics, mount, .. } => (*optics, *mount),
            Aim::Fixed | Aim::Resting(_) | Aim::Unknown(_) => (Optics::default(), Mount::default()),
        };
        let zones = setup
            .masks
            .as_ref()
            .map(|zones| CameraZones {
                zones,
                optics,
                mount,
            })
            .map_err(|detail| Reason::NoMasks {
                detail: detail.clone(),
            });
        let zones = zones
            .as_ref()
            .map(|z| z as &dyn RegionSource)
            .map_err(Clone::clone);
        self.with_evidence(capture, size, (zones, pose), things, decide)
    }

    /// Gives `decide` all that is known about a frame, with the things that
    /// `things` tells of it.
    fn with_evidence<T>(
        &self,
        capture: Option<CaptureTime>,
        size: Size,
        (zones, pose): (Result<&dyn RegionSource, Reason>, Option<Pose>),
        things: impl Fn(&Sight, CaptureTime) -> Result<Vec<Hidden>, Reason>,
        decide: impl FnOnce(&PlanInput<'_>) -> T,
    ) -> T {
        let limits = self.setup.load().limits;
        let things = self.sight.as_ref().map(|sight| match capture {
            None => Err(Reason::NoCaptureTime),
            Some(t) => {
                let mut boxes: Vec<PixelBox> = things(sight, t)?.iter().map(|h| h.at).collect();
                if let Some(main) = &self.beside {
                    boxes.extend(main.things(t, size)?);
                }
                Ok(boxes)
            }
        });
        let misfit = self.beside.as_ref().and_then(|main| main.misfit(size));
        decide(&PlanInput {
            size,
            // Before it is known whether it fits, no size is the right one.
            made_for: match misfit {
                Some(_) => None,
                None => Some(*self.made_for.get_or_init(|| size)),
            },
            zones,
            pose,
            things: things
                .as_ref()
                .map(|things: &Result<Vec<PixelBox>, _>| things.as_deref().map_err(Clone::clone)),
            mosaic: self.sight.as_ref().is_some_and(|s| s.mosaic()),
            standing: misfit.as_slice(),
            limits: MarginLimits {
                widened_deg: limits.widened_deg,
                cover_share_of_width: limits.cover_margin_share,
            },
        })
    }

    /// The plan for a frame of a camera whose picture alone tells where it rests.
    fn rest_plan(
        &self,
        presets: &Presets,
        capture: Option<CaptureTime>,
        size: Size,
        picture: Option<&FrameRef<'_>>,
        now: Mono,
    ) -> Plan {
        let (resting, moved) = presets.see(picture);
        if let Some(sight) = self.sight.as_ref().filter(|_| moved) {
            // What was found lies elsewhere now, or is another's.
            sight.forget();
        }
        if presets.is_learning() {
            let things = match (&self.sight, capture) {
                (None, _) => Some(Vec::new()),
                (Some(sight), Some(t)) => sight.seen(t).ok(),
                (Some(_), None) => None,
            };
            if let Some(things) = things {
                let things: Vec<PixelBox> = things.iter().map(|h| h.at).collect();
                presets.learn(&things, now);
            }
        }
        let zones = resting.as_ref().map(Resting::zones).map_err(Clone::clone);
        let zones = zones.as_ref().map(|z| z as &dyn RegionSource);
        let zones = zones.map_err(Clone::clone);
        self.with_evidence(capture, size, (zones, None), Sight::things, decide)
    }
}

/// A clear still spares zones: it needs none.
struct NoZones;

impl RegionSource for NoZones {
    fn regions(&self, _: Option<&PoseEstimate>, _: Size) -> Result<Vec<Region>, CannotPlace> {
        Ok(Vec::new())
    }

    fn has_show_only(&self) -> bool {
        false
    }

    fn needs_pose(&self) -> bool {
        false
    }
}

/// What the camera told of its pose.
fn told(poses: &PoseSource, t: CaptureTime, now: Mono) -> Pose {
    match poses.at(t, now) {
        Evidence::Known(pose) => Ok(pose),
        Evidence::Pending { so_far } => so_far,
        Evidence::Unknown(reason) => Err(reason),
    }
}

/// A watch that was lost by a panic goes on: a doubt in it stays one.
fn lock(pictures: &Mutex<PictureWatch>) -> MutexGuard<'_, PictureWatch> {
    pictures.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Setup {
    fn of(camera: &Camera) -> Self {
        let masks = match (&camera.masks, &camera.kind) {
            (Ok(zones), Kind::Fixed) if zones.needs_pose() => {
                Err("zones on the sphere, but the camera's position is not known".to_owned())
            }
            (masks, _) => masks.clone(),
        };
        Self {
            masks,
            limits: camera.limits,
        }
    }
}

impl FrameJudge for Judge {
    fn stream_restarted(&self) {
        if let Aim::Resting(presets) = &self.aim {
            presets.restarted();
        }
        if let Aim::Turning {
            poses, pictures, ..
        } = &self.aim
        {
            poses.on_frames_restarted();
            if let Some(pictures) = pictures {
                lock(pictures).restarted();
            }
        }
        if let Some(sight) = &self.sight {
            sight.forget();
        }
    }

    fn wants_picture(&self) -> bool {
        self.sight.as_ref().is_some_and(|s| s.wants_picture())
    }

    fn picture(&self, capture: CaptureTime, picture: &FrameRef<'_>) {
        if let Some(sight) = &self.sight {
            sight.take(capture, picture);
        }
    }

    fn frame_seen(&self, captured: Option<Captured>, stream_ns: u64, arrival: Mono) {
        if let (Aim::Turning { poses, .. }, Some(captured)) = (&self.aim, captured) {
            poses.on_frame_unsure(captured.within);
            poses.on_frame_clock(captured.at, stream_ns, arrival);
        }
    }

    fn ready(&self, capture: Option<CaptureTime>) -> bool {
        let Some(t) = capture else {
            return true;
        };
        let pose_ready = match &self.aim {
            Aim::Turning { poses, .. } => {
                !matches!(poses.at(t, self.clock.mono()), Evidence::Pending { .. })
            }
            Aim::Fixed | Aim::Resting(_) | Aim::Unknown(_) => true,
        };
        pose_ready && self.sight.as_ref().is_none_or(|sight| sight.ready(t))
    }

    fn plan(
        &self,
        capture: Option<CaptureTime>,
        size: Size,
        picture: Option<&FrameRef<'_>>,
        now: Mono,
    ) -> Plan {
        self.newest
            .store(capture.map_or(NEVER, |t| t.0), Ordering::Relaxed);
        self.judged.store(now.0, Ordering::Relaxed);
        if let Aim::Resting(presets) = &self.aim {
            return self.rest_plan(presets, capture, size, picture, now);
        }
        let pose = self.pose(capture, picture, now);
        self.with_zones(capture, size, pose, Sight::things, decide)
    }

    fn still(
        &self,
        capture: Option<CaptureTime>,
        size: Size,
        _now: Mono,
    ) -> Option<(&Slot, Result<StillPlan, Reason>)> {
        let slot = self.stills.as_deref().filter(|slot| slot.is_wanted())?;
        if let Aim::Resting(presets) = &self.aim {
            // Whoever draws its zones sees it before anybody can vouch for it.
            let zones = (Ok(&NoZones as &dyn RegionSource), None);
            let plan = self.with_evidence(capture, size, zones, Sight::seen, StillPlan::of);
            let plan = plan.and_then(|plan| presets.still(capture).map(|()| plan));
            return Some((slot, plan));
        }
        let pose = self.judged_by(capture);
        let plan = self.with_zones(capture, size, pose, Sight::seen, StillPlan::of);
        Some((slot, plan))
    }
}
