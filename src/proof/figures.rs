//! Everything that a pack says, before it is written: computed once, then laid out.

use super::claim::{self, Claims};
use super::draw::{Chart, Tile};
use super::frame::{Scene, Shown, Small};
use super::models::{self, Looked};
use super::period::{Clerk, Tally};
use super::span::{Span, instant};
use super::sphere::{self, Measured, Reach};
use super::stance::{Position, Stance};
use super::{Live, Subject};
use crate::archive::{Archive, Known, Version};
use crate::audit::{self, Asked, Record, Report};
use crate::clock::WallTime;
use crate::config::Camera;
use crate::geom::Size;
use crate::zone::ZoneSet;

/// Pictures of a sweep lie so far apart in pan, degrees.
pub(super) const SWEEP_DEG: f64 = 15.0;
/// A row of a sweep follows the one above after this share of a picture's height.
const ROW_SHARE: f64 = 0.8;
/// Columns of the drawn pictures: presets, sweep.
const LARGE: usize = 160;
const SMALL: usize = 64;
/// Presets that are drawn.
const DRAWN: usize = 60;
/// The picture's size where nobody has told it.
const USUAL: Size = Size {
    width: 1280,
    height: 720,
};

/// Where the picture's size comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SizeFrom {
    Camera,
    Log,
    Assumed,
}

/// One drawn picture.
#[derive(Clone, Debug)]
pub(super) struct Drawn {
    pub(super) position: Option<Position>,
    pub(super) share: f64,
    /// Why all of it is covered.
    pub(super) covered: Option<String>,
    pub(super) margin_deg: Option<f64>,
    pub(super) tile: Tile,
}

/// A preset as it was drawn.
#[derive(Clone, Debug)]
pub(super) struct PresetDrawn {
    pub(super) name: String,
    pub(super) trims: usize,
    pub(super) drawn: Drawn,
}

/// What the zones hide.
#[derive(Clone, Debug)]
pub(super) struct Hidden {
    pub(super) zones: std::sync::Arc<ZoneSet>,
    pub(super) claims: Claims,
    pub(super) presets: Vec<PresetDrawn>,
    pub(super) more_presets: usize,
    /// Rows of one tilt each, the highest first; for a fixed camera its one picture.
    pub(super) sweep: Vec<Vec<Drawn>>,
    pub(super) sphere: Option<(Measured, Chart)>,
}

/// All of a pack.
#[derive(Debug)]
pub(super) struct Figures<'a> {
    pub(super) camera: &'a Camera,
    pub(super) live: Option<&'a Live>,
    pub(super) span: Span,
    pub(super) now: WallTime,
    pub(super) size: Size,
    pub(super) size_from: SizeFrom,
    /// None for a fixed camera; or why its geometry is not known.
    pub(super) stance: Result<Option<Stance>, String>,
    /// Or why nothing is known about them: then all of the picture is covered.
    pub(super) hidden: Result<Hidden, String>,
    pub(super) looked: Vec<Looked>,
    /// Or why the log cannot be read.
    pub(super) tally: Result<Tally, String>,
    pub(super) report: Result<Report, String>,
    pub(super) known: Result<Known, String>,
}

impl Figures<'_> {
    /// The versions that were saved or in force in the period, newest first: those
    /// of the period and the one before them that was put in force.
    pub(super) fn versions(&self) -> Vec<&Version> {
        let Ok(known) = &self.known else {
            return Vec::new();
        };
        let saved = |v: &Version| instant(&v.saved).unwrap_or(WallTime(i64::MIN));
        let mut all: Vec<&Version> = Vec::new();
        for version in &known.versions {
            let at = saved(version);
            if at >= self.span.to {
                continue;
            }
            all.push(version);
            let was_in_force = matches!(
                version.state,
                crate::archive::State::Past | crate::archive::State::Active
            );
            if at < self.span.from && was_in_force {
                break;
            }
        }
        all
    }
}

pub(super) fn gather<'a>(subject: &Subject<'a>, span: &Span) -> Figures<'a> {
    let camera = subject.camera;
    let mut clerk = Clerk::new(&camera.id, *span);
    let mut told = None;
    let object = format!("camera {}", camera.id);
    let read = audit::each(subject.audit, |record| {
        if record.action == "stream-up" && record.object == object {
            told = size_in(record).or(told);
        }
        clerk.read(record);
    });
    let tally = read.map(|()| clerk.end(subject.live.is_some()));
    let report = audit::verify(subject.audit, Asked::default(), &|| true);
    let now = subject.live.and_then(|live| live.size);
    let (size, size_from) = match (now, told) {
        (Some(size), _) => (size, SizeFrom::Camera),
        (None, Some(size)) => (size, SizeFrom::Log),
        (None, None) => (USUAL, SizeFrom::Assumed),
    };
    let stance = Stance::of(camera, size);
    Figures {
        camera,
        live: subject.live,
        span: *span,
        now: subject.now,
        size,
        size_from,
        hidden: hidden(camera, &stance, size),
        stance,
        looked: models::of(camera, subject.detectors, subject.usual_face),
        tally: tally.map_err(|e| e.to_string()),
        report: report.map_err(|e| e.to_string()),
        known: Archive::of(&camera.masks_file)
            .known()
            .map_err(|e| e.to_string()),
    }
}

/// The size in a `stream-up` record's form, `1920x1080 I420 25/1`.
fn size_in(record: &Record) -> Option<Size> {
    let form = record.detail.get("form")?.as_str()?;
    let (width, height) = form.split(' ').next()?.split_once('x')?;
    let side = |text: &str| {
        text.parse()
            .ok()
            .filter(|side| (16..=16_384).contains(side))
    };
    Some(Size {
        width: side(width)?,
        height: side(height)?,
    })
}

fn hidden(
    camera: &Camera,
    stance: &Result<Option<Stance>, String>,
    size: Size,
) -> Result<Hidden, String> {
    let stance = stance.as_ref().map_err(Clone::clone)?;
    let zones = camera.masks.clone()?;
    if zones.needs_pose() && stance.is_none() {
        return Err("zones of directions, but this camera does not tell where it looks".into());
    }
    let scene = Scene {
        zones: &zones,
        camera,
        stance: stance.as_ref(),
        size,
    };
    let sphere = stance.as_ref().filter(|_| zones.needs_pose());
    let sphere = sphere.map(|stance| {
        let reach = Reach::of(stance);
        (sphere::measure(&zones, &reach), Chart::of(&zones, &reach))
    });
    let presets = &zones.document().presets;
    let drawn = presets.iter().take(DRAWN).map(|preset| PresetDrawn {
        name: preset.name.clone().unwrap_or_else(|| preset.id.clone()),
        trims: preset.trims.len(),
        drawn: draw(
            &scene,
            Some(Position {
                pan_deg: preset.pan_deg,
                tilt_deg: preset.tilt_deg,
                zoom: preset.zoom,
            }),
            LARGE,
        ),
    });
    Ok(Hidden {
        claims: claim::check(&scene),
        presets: drawn.collect(),
        more_presets: presets.len().saturating_sub(DRAWN),
        sweep: match stance {
            Some(stance) => sweep(stance)
                .into_iter()
                .map(|row| {
                    row.into_iter()
                        .map(|p| draw(&scene, Some(p), SMALL))
                        .collect()
                })
                .collect(),
            None => vec![vec![draw(&scene, None, LARGE)]],
        },
        sphere,
        zones: zones.clone(),
    })
}

fn draw(scene: &Scene<'_>, position: Option<Position>, columns: usize) -> Drawn {
    let Shown {
        coverage,
        covered,
        view,
        margin_deg,
    } = scene.at(position);
    let small = Small::of(&coverage, scene.size, columns);
    Drawn {
        position,
        share: coverage.share(),
        covered: covered.map(|reason| reason.to_string()),
        margin_deg,
        tile: Tile::of(&small, scene, view.as_ref()),
    }
}

/// Positions all around at the widest zoom, in rows of one tilt, the highest first.
fn sweep(stance: &Stance) -> Vec<Vec<Position>> {
    let [widest, _] = stance.zooms();
    let ([left, right], [low, high]) = (stance.pan_deg(), stance.tilt_deg());
    let height = (ROW_SHARE * stance.vfov_deg(widest)).max(5.0);
    let rows = ((high - low) / height).ceil().clamp(1.0, 12.0);
    let columns = ((right - left) / SWEEP_DEG).round().clamp(1.0, 48.0);
    // The two ends of a head that turns on and on are one place.
    let last = if stance.is_endless() {
        columns - 1.0
    } else {
        columns
    };
    let steps = |n: f64| (0..=n as u32).map(f64::from);
    steps(rows)
        .map(|row| {
            let tilt_deg = high + (low - high) * row / rows;
            let at = |column: f64| Position {
                pan_deg: left + (right - left) * column / columns,
                tilt_deg,
                zoom: widest,
            };
            steps(last).map(at).collect()
        })
        .collect()
}
