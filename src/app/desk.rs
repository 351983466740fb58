//! The mask editor's desk: checks zones, keeps their versions, puts them in
//! force between two frames.

use super::Shared;
use super::camera::RunningCamera;
use super::presets::Presets;
use crate::archive::{Archive, Draft, Fault, Version};
use crate::traces::Task;
use crate::web::{
    CameraView, Desk, DeskFault, Edit, InForce, Mistake, PresetView, ProofQuestion, Vouch,
};
use crate::zone::ZoneSet;
use std::sync::Arc;

impl From<Fault> for DeskFault {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Conflict(current) => Self::Conflict(current),
            Fault::NoVersion(number) => Self::NoVersion(number),
            Fault::NotProposed(number) => Self::NotProposed(number),
            Fault::SamePerson => Self::SamePerson,
            Fault::Damaged { .. } | Fault::Io { .. } => Self::Failed(fault.to_string()),
        }
    }
}

/// The zones of a document, or every mistake in it.
fn read(document: &[u8], camera: &str) -> Result<ZoneSet, DeskFault> {
    ZoneSet::parse(document, camera).map_err(|errors| {
        let mistakes = errors.errors.into_iter().map(|e| Mistake {
            path: e.path,
            what: e.what,
            remedy: e.remedy,
        });
        let more = (errors.more > 0).then(|| Mistake {
            path: String::new(),
            what: format!("there are {} more mistakes", errors.more),
            remedy: "mend these first".into(),
        });
        DeskFault::Mistakes(mistakes.chain(more).collect())
    })
}

/// Whether it is ours, and no refusal.
fn is_failure(fault: &DeskFault) -> bool {
    matches!(fault, DeskFault::Failed(_))
}

/// The camera of a place, and the preset where it is one of a camera's.
fn parted(place: &str) -> (&str, Option<&str>) {
    match place.split_once('.') {
        Some((camera, preset)) => (camera, Some(preset)),
        None => (place, None),
    }
}

impl Shared {
    /// Asks a running camera; `place` may be one of its presets.
    pub(super) fn of<T>(
        &self,
        place: &str,
        ask: impl FnOnce(&RunningCamera) -> Result<T, DeskFault>,
    ) -> Result<T, DeskFault> {
        let (camera, _) = parted(place);
        let cameras = self.cameras();
        let running = cameras.iter().find(|c| c.id() == camera);
        ask(running.ok_or(DeskFault::NoCamera)?)
    }

    /// The versions of a camera's zones, or of a preset's.
    fn archive(&self, place: &str) -> Result<Arc<Archive>, DeskFault> {
        self.of(place, |running| {
            match (running.presets(), parted(place).1) {
                (None, None) => Ok(running.archive()),
                (None, Some(_)) => Err(DeskFault::NoPreset),
                (Some(_), None) => Err(DeskFault::Question(
                    "the zones of this camera belong to its presets: name one with ?preset=".into(),
                )),
                (Some(presets), Some(preset)) => presets.archive(preset),
            }
        })
    }

    /// The presets of a camera that cannot tell where it looks.
    fn presets_of(&self, camera: &str) -> Result<Arc<Presets>, DeskFault> {
        self.of(camera, |running| {
            running.presets().cloned().ok_or(DeskFault::NoPreset)
        })
    }

    /// Gives a camera the zones of `document`, for its next frame.
    fn put_in_force(&self, camera: &str, document: &[u8]) -> Result<(), DeskFault> {
        let zones = Arc::new(read(document, camera)?);
        self.of(camera, |running| {
            match (running.presets(), parted(camera).1) {
                (Some(presets), Some(preset)) => presets.swap_masks(preset, Ok(zones))?,
                _ => running.swap_masks(Ok(zones)),
            }
            Ok(())
        })
    }
}

impl Desk for Shared {
    fn masks(&self, camera: &str) -> Result<InForce, DeskFault> {
        let (version, document) = self.archive(camera)?.active(self.clock.wall())?;
        Ok(InForce {
            version,
            document,
            four_eyes: self.four_eyes,
        })
    }

    fn versions(&self, camera: &str) -> Result<Vec<Version>, DeskFault> {
        Ok(self.archive(camera)?.versions(self.clock.wall())?)
    }

    fn version(&self, camera: &str, number: u32) -> Result<(Version, Vec<u8>), DeskFault> {
        Ok(self.archive(camera)?.version(number, self.clock.wall())?)
    }

    fn save(&self, camera: &str, edit: Edit) -> Result<Version, DeskFault> {
        let zones = read(&edit.document, camera)?;
        if zones.needs_pose() && self.of(camera, |running| Ok(running.tells_no_position()))? {
            return Err(DeskFault::Mistakes(vec![Mistake {
                path: String::new(),
                what: "zones of directions, but this camera does not tell where it looks".into(),
                remedy: "draw zones of the picture".into(),
            }]));
        }
        // From here to the new zones in force nobody else changes any.
        let _one = self.edits();
        let archive = self.archive(camera)?;
        let now = self.clock.wall();
        let (active, before) = archive.active(now)?;
        if active.sha256 != edit.base_sha256 {
            return Err(DeskFault::Conflict(Box::new(active)));
        }
        // Zones that cannot be read hide everything.
        let before = ZoneSet::parse(&before, camera);
        let covers_less = before.map_or(true, |before| zones.covers_less_than(&before));
        if covers_less && edit.reason.is_none() {
            return Err(DeskFault::NeedsReason);
        }
        let propose = covers_less && self.four_eyes;
        let version = archive.save(Draft {
            document: edit.document.clone(),
            base_sha256: edit.base_sha256,
            author: edit.author,
            reason: edit.reason,
            covers_less,
            restores: edit.restores,
            propose,
            at: now,
        })?;
        if !propose {
            self.put_in_force(camera, &edit.document)?;
        }
        Ok(version)
    }

    fn settle(
        &self,
        camera: &str,
        number: u32,
        second: &str,
        approve: bool,
    ) -> Result<Version, DeskFault> {
        let _one = self.edits();
        let archive = self.archive(camera)?;
        let (version, document) = archive.settle(number, second, approve, self.clock.wall())?;
        if let Some(document) = document {
            self.put_in_force(camera, &document)?;
        }
        Ok(version)
    }

    fn view(&self, camera: &str) -> Result<CameraView, DeskFault> {
        self.of(camera, RunningCamera::view)
    }

    fn believe(&self, camera: &str) -> Result<(), DeskFault> {
        self.of(camera, |running| match running.believe() {
            true => Ok(()),
            false => Err(DeskFault::NotDoubted),
        })
    }

    fn presets(&self, camera: &str) -> Result<Vec<PresetView>, DeskFault> {
        Ok(self.presets_of(camera)?.list())
    }

    fn verify(&self, camera: &str, preset: &str, vouch: &Vouch) -> Result<(), DeskFault> {
        let presets = self.presets_of(camera)?;
        let now = self.clock.wall();
        let (active, document) = presets.archive(preset)?.active(now)?;
        if active.sha256 != vouch.base_sha256 {
            return Err(DeskFault::Conflict(Box::new(active)));
        }
        // What is verified is shown: that it hides enough is for a second person to say, too.
        if self.four_eyes && active.author == vouch.by {
            return Err(DeskFault::SamePerson);
        }
        // Some seconds, in which zones may change: then it is refused.
        let verify = || presets.verify(preset, (vouch, &document), &*self.clock);
        self.traced
            .timed(Task::PresetVerification, camera, verify, is_failure)
    }

    fn withdraw(&self, camera: &str, preset: &str) -> Result<bool, DeskFault> {
        self.presets_of(camera)?.withdraw(preset)
    }

    fn proof(&self, camera: &str, question: &ProofQuestion) -> Result<Vec<u8>, DeskFault> {
        // What was asked for may be no camera's name but anything that somebody typed.
        self.of(camera, |_| Ok(()))?;
        let make = || self.make_proof(camera, question);
        self.traced.timed(Task::ProofPack, camera, make, is_failure)
    }
}
