//! The proof pack: what one camera's picture hides, for people who were not
//! there, as one signed HTML file.
//!
//! Everything in it is computed from what the gateway itself masks with (zones,
//! profile, plan, coverage) and from what it recorded (versions, audit log); what
//! was sampled is counted and said. `design/018-proof.md` says what the pack shows
//! and what it cannot. This module must not know HTTP, GStreamer or how cameras
//! are run.

mod claim;
mod draw;
mod figures;
mod frame;
mod language;
mod models;
mod page;
mod period;
mod seal;
mod span;
mod sphere;
mod stance;

#[cfg(test)]
mod tests;

pub use language::{Language, NoLanguage};
pub use seal::{NotSealed, Sealed, verify};
pub use span::{NoSpan, Span};

use crate::audit::Signer;
use crate::clock::WallTime;
use crate::config::{Camera, Detectors, Kind};
use crate::event::Looking;
use crate::geom::Size;
use std::path::Path;

/// What a pack is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The period whose seconds, versions and records it tells.
    pub span: Span,
    /// What it is written in.
    pub language: Language,
}

/// What a pack is made of.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The camera, with the zones that are in force.
    pub camera: &'a Camera,
    /// The detectors that all cameras share.
    pub detectors: &'a Detectors,
    /// The name of the model that `face = "auto"` means on this machine.
    pub usual_face: &'a str,
    /// The audit log's folder.
    pub audit: &'a Path,
    /// The camera now, where the gateway itself is asked.
    pub live: Option<&'a Live>,
    /// When the pack is made.
    pub now: WallTime,
}

/// A running camera at the moment the pack is made.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Live {
    /// `live`, `widened`, `covered` or `no-signal`.
    pub state: String,
    /// Its picture's size, where it is known.
    pub size: Option<Size>,
    /// How much its pictures are looked at, where something is looked for.
    pub looking: Option<Looking>,
}

/// Why no pack is made.
#[derive(Debug, thiserror::Error)]
pub enum CannotProve {
    /// There is nothing to sign with.
    #[error(
        "there is no key in {0}: the audit log makes it when the gateway with its console is started for the first time; without it a proof pack cannot be signed"
    )]
    NoKey(String),
    /// The key cannot be read.
    #[error("{folder}: the key cannot be read: {why}")]
    Key {
        /// The log's folder.
        folder: String,
        /// What the system said.
        why: std::io::Error,
    },
    /// Its zones belong to its presets.
    #[error(
        "there are no proof packs yet of a camera whose zones belong to its presets: its record says who verified which, and when it was covered"
    )]
    Presets,
}

/// Makes a pack: the file's bytes. Takes seconds of one core; callers see to it
/// that it runs at low priority and not twice at once.
///
/// # Errors
/// [`CannotProve`] without a key, or for a camera with presets. Whatever else is missing or unreadable is said in the pack.
pub fn make(subject: &Subject<'_>, asked: &Asked) -> Result<Vec<u8>, CannotProve> {
    if matches!(subject.camera.kind, Kind::Presets(_)) {
        return Err(CannotProve::Presets);
    }
    let folder = || subject.audit.display().to_string();
    let key = |why| CannotProve::Key {
        folder: folder(),
        why,
    };
    let signer = Signer::in_folder(subject.audit).map_err(key)?;
    let signer = signer.ok_or_else(|| CannotProve::NoKey(folder()))?;
    let figures = figures::gather(subject, &asked.span);
    let page = page::write(&figures, asked.language, &signer.public());
    let sealed = seal::seal(page.into_bytes(), &signer);
    sealed.ok_or_else(|| key(std::io::Error::other("the page does not begin as a page")))
}
