//! What a reload changes, so that unchanged cameras keep their viewers.

use super::{Camera, Config, Kind, Limits};

/// What must happen to one camera.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// It is new.
    Add(Box<Camera>),
    /// It is gone.
    Remove(String),
    /// Only what can be changed between two frames differs: masks, limits, how far it may be steered,
    /// where it is published.
    Swap(Box<Camera>),
    /// Its streams, geometry, telemetry, encoder or budget differ: it is started anew.
    Restart(Box<Camera>),
}

/// The changes that turn `old` into `new`; none for cameras that are equal.
/// Listening addresses and viewers are compared by the caller.
pub fn diff(old: &Config, new: &Config) -> Vec<Change> {
    let mut changes: Vec<Change> = old
        .cameras
        .iter()
        .filter(|o| new.cameras.iter().all(|n| n.id != o.id))
        .map(|o| Change::Remove(o.id.clone()))
        .collect();
    for n in &new.cameras {
        match old.cameras.iter().find(|o| o.id == n.id) {
            None => changes.push(Change::Add(Box::new(n.clone()))),
            Some(o) if o == n => {}
            Some(o) if same_stream(o, n) => changes.push(Change::Swap(Box::new(n.clone()))),
            Some(_) => changes.push(Change::Restart(Box::new(n.clone()))),
        }
    }
    changes
}

/// Whether `a` and `b` differ at most in what can be swapped between frames.
fn same_stream(a: &Camera, b: &Camera) -> bool {
    let limits = Limits {
        // The history of positions is made with these.
        max_telemetry_age: b.limits.max_telemetry_age,
        restart_takes: b.limits.restart_takes,
        ..a.limits
    };
    let kind = match (&a.kind, &b.kind) {
        (Kind::Presets(_), Kind::Presets(_)) => a.kind.clone(),
        _ => b.kind.clone(),
    };
    let swapped = Camera {
        kind,
        masks: a.masks.clone(),
        masks_file: a.masks_file.clone(),
        steering: a.steering,
        // Its address changes at the next start.
        onvif_device: a.onvif_device,
        // Each publication begins and ends by itself.
        publish: a.publish.clone(),
        limits,
        ..b.clone()
    };
    *a == swapped
}
