//! Which networks look for what on a camera, and what was measured about them.

use crate::config::{Camera, Detectors};
use crate::detect::Class;
use crate::detect::manifest::{Manifest, Published};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::Path;

/// One class that is looked for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Looked {
    pub(super) class: Class,
    /// The model's name; none where the configuration names none.
    pub(super) model: Option<String>,
    /// Its SHA-256, or why that is not known.
    pub(super) sha256: Result<String, String>,
    pub(super) licence: Option<String>,
    pub(super) published: Vec<Published>,
}

/// What is looked for in the pictures of `camera`.
pub(super) fn of(camera: &Camera, detectors: &Detectors, usual_face: &str) -> Vec<Looked> {
    let classes = camera.detect.iter().flat_map(|d| d.classes.iter());
    let named = |class: Class| match class {
        Class::Face if detectors.face == "auto" => Some(usual_face.to_owned()),
        Class::Face => Some(detectors.face.clone()),
        Class::Plate => Some(detectors.plate.clone()),
        Class::Person => detectors.person.clone(),
    };
    classes.map(|class| looked(*class, named(*class))).collect()
}

fn looked(class: Class, model: Option<String>) -> Looked {
    let mut looked = Looked {
        class,
        sha256: Err("none is named".to_owned()),
        model,
        licence: None,
        published: Vec::new(),
    };
    let Some(name) = &looked.model else {
        return looked;
    };
    // As `app` finds it: a file of one's own, or an entry of the list, of which
    // another file than the listed one is not loaded.
    if Path::new(name).extension().is_some() {
        let read = fs::read(name).map_err(|e| e.to_string());
        let sum = |bytes: Vec<u8>| hex::encode(Sha256::digest(bytes));
        looked.sha256 = read.map(sum);
        return looked;
    }
    match Manifest::built_in() {
        Ok(manifest) => match manifest.model(name) {
            Ok(entry) => {
                looked.sha256 = Ok(entry.sha256.clone());
                looked.licence = Some(entry.licence.clone());
                looked.published = entry.published.clone();
            }
            Err(error) => looked.sha256 = Err(error.to_string()),
        },
        Err(error) => looked.sha256 = Err(error.to_string()),
    }
    looked
}
