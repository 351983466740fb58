//! Configuration: TOML → validated run-time types.
//!
//! `greyplane.toml` in the repository's root documents every key with its
//! default. Reading finds all mistakes at once, each with file, line and
//! remedy. This module must not know GStreamer, protocols or threads: it says
//! what is wanted, [`app`](crate::app) makes it so.

mod diff;
mod document;
mod events;
mod onvif_device;
mod presets;
mod problem;
mod publish;
mod streams;
mod telemetry;
mod traces;
mod types;
mod validate;
mod viewers;

pub use crate::secret::Secret;
pub use diff::{Change, diff};
pub use problem::{Problem, Problems};
pub use types::{
    Account, Camera, Config, Detect, Detectors, Encoder, EncoderChoice, EventServer, Events, Kind,
    Limits, Login, Masks, MqttBus, NatsBus, OnvifDevice, Preset, Proof, Publication, PublishOver,
    RtspTls, Sound, Source, Steering, Stream, Style, Telemetry, TelemetryKind, Tls, Traces,
    Transport, Untimed, Viewer, WhenSilent,
};

use std::path::Path;

/// The largest configuration that is read, bytes.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Reads and validates the configuration at `path`, with the mask documents
/// and camera profiles that it names (relative to its own folder).
///
/// # Errors
/// Every mistake found, in file order. A mistake in a mask document or a
/// profile is among them; a gateway that must start all the same uses
/// [`load_covering`].
pub fn load(path: &Path) -> Result<Config, Problems> {
    let (config, problems) = read(path);
    match config {
        Some(config) if problems.is_empty() => Ok(config),
        _ => Err(problems),
    }
}

/// Like [`load`], but a camera whose masks or profile are missing or invalid
/// is kept: it will be covered, with the reason. The mistakes come along.
///
/// # Errors
/// When the configuration itself is unusable.
pub fn load_covering(path: &Path) -> Result<(Config, Problems), Problems> {
    match read(path) {
        (Some(config), problems) => Ok((config, problems)),
        (None, problems) => Err(problems),
    }
}

fn read(path: &Path) -> (Option<Config>, Problems) {
    let mut problems = Problems::default();
    let Some(text) = read_text(path, MAX_BYTES, &mut problems) else {
        return (None, problems);
    };
    let document = document::parse(path, &text, &mut problems);
    let config =
        document.and_then(|d| validate::Validator::new(path, &text, &mut problems).config(d));
    (config, problems)
}

/// Reads a text file of at most `max_bytes`, or says why not.
fn read_text(path: &Path, max_bytes: u64, problems: &mut Problems) -> Option<String> {
    let mut refuse = |what: String, remedy: &str| {
        problems.push(Problem::in_file(path, what, remedy));
        None
    };
    match std::fs::metadata(path) {
        Err(e) => refuse(
            format!("cannot be read: {e}"),
            "give the path of an existing file",
        ),
        Ok(m) if !m.is_file() => refuse("is not a file".into(), "give the path of a file"),
        Ok(m) if m.len() > max_bytes => refuse(
            format!("is {} bytes long, at most {max_bytes} are read", m.len()),
            "check that this is the right file",
        ),
        Ok(_) => match std::fs::read_to_string(path) {
            Ok(text) => Some(text),
            Err(e) => refuse(format!("cannot be read as text: {e}"), "save it as UTF-8"),
        },
    }
}

#[cfg(test)]
mod tests;
