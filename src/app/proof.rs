//! Proof packs of running cameras, on a thread that gives way to pictures.

use super::Shared;
use super::models::usual_face;
use crate::event::Looking;
use crate::geom::Size;
use crate::proof::{self, Asked, Live, Span, Subject};
use crate::web::{CameraStatus, DeskFault, ProofQuestion};

/// Added to the thread's niceness: behind detectors, far behind pictures.
const NICE: i32 = 10;

impl Shared {
    /// Makes a pack; its bytes.
    pub(super) fn make_proof(
        &self,
        camera: &str,
        question: &ProofQuestion,
    ) -> Result<Vec<u8>, DeskFault> {
        let now = self.clock.wall();
        let asked = Asked {
            span: Span::parse(&question.from, &question.to, now)
                .map_err(|e| DeskFault::Question(e.to_string()))?,
            language: question
                .lang
                .parse()
                .map_err(|e: proof::NoLanguage| DeskFault::Question(e.to_string()))?,
        };
        let (configured, status) = self.of(camera, |running| {
            Ok((
                running.configured(),
                running.status(&self.journal, &self.exits),
            ))
        })?;
        let looking = self.journal.gauges(camera).looking;
        let live = live(&status, looking);
        let audit = self.journal.audit_folder();
        let audit = audit.ok_or_else(|| DeskFault::Failed("there is no audit log".into()))?;
        let subject = Subject {
            camera: &configured,
            detectors: &self.models,
            usual_face: usual_face(),
            audit,
            live: Some(&live),
            now,
        };
        let make = || {
            if let Err(error) = rustix::process::nice(NICE) {
                tracing::debug!(%error, "a proof pack is made without giving way");
            }
            proof::make(&subject, &asked)
        };
        // Of its own: a thread that once gave way cannot take it back.
        let made = std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().name("proof".into());
            thread.spawn_scoped(scope, make).map(|thread| thread.join())
        });
        match made {
            Ok(Ok(Err(no @ proof::CannotProve::Presets))) => {
                Err(DeskFault::Question(no.to_string()))
            }
            Ok(Ok(pack)) => pack.map_err(|e| DeskFault::Failed(e.to_string())),
            Ok(Err(_)) => Err(DeskFault::Failed("making the proof pack panicked".into())),
            Err(error) => Err(DeskFault::Failed(error.to_string())),
        }
    }
}

fn live(status: &CameraStatus, looking: Option<Looking>) -> Live {
    Live {
        state: status.state.to_owned(),
        size: status.size.map(|(width, height)| Size { width, height }),
        looking,
    }
}
