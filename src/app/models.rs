//! The detectors that the cameras of a configuration want, loaded.

use super::detection::{Looker, Pool};
use super::journal::Journal;
use crate::config::{Config, Detectors};
use crate::detect::manifest::{Manifest, usual_folder};
use crate::detect::ort::{Model, Options, Runtime};
use crate::detect::{Class, Detector, Search};
use anyhow::{Context, bail};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The pool for `config`. Models that cannot be loaded stop no camera: those
/// that want them are covered, or not, as they say; the log tells why.
pub(super) fn pool(config: &Config, journal: &Arc<Journal>) -> anyhow::Result<Pool> {
    let classes: BTreeSet<Class> = config
        .cameras
        .iter()
        .flat_map(|c| c.detect.iter().flat_map(|d| d.classes.clone()))
        .collect();
    let lookers = load(&config.detectors, &classes).unwrap_or_else(|error| {
        tracing::error!(error = format!("{error:#}"), "nobody looks at the pictures");
        Vec::new()
    });
    Pool::start(lookers, config.detectors.input_long_side, journal.clone())
}

/// A set of models for each thread.
fn load(detectors: &Detectors, classes: &BTreeSet<Class>) -> anyhow::Result<Vec<Looker>> {
    if classes.is_empty() {
        return Ok(Vec::new());
    }
    let folder = match &detectors.folder {
        Some(folder) => folder.clone(),
        None => usual_folder(|key| std::env::var_os(key))
            .context("no folder for models: name one in [detectors]")?,
    };
    let manifest = Manifest::built_in()?;
    let library = folder.join(&manifest.runtime.file);
    let runtime = Runtime::load(&library, Some(&manifest.runtime.sha256))?;
    let one = || {
        let mut models: Vec<Box<dyn Detector>> = Vec::new();
        for class in classes {
            let name = match class {
                Class::Face => &detectors.face,
                Class::Plate => &detectors.plate,
                Class::Person => bail!("no model of whole figures is known"),
            };
            let entry = manifest.model(name)?;
            let model = Model::load(
                &runtime,
                &folder.join(&entry.file),
                Some(&entry.sha256),
                entry.descriptor.clone(),
                Options { threads: 1 },
            )?;
            models.push(Box::new(model));
        }
        Ok(Looker::new(Search::new(models), Vec::new()))
    };
    (0..detectors.threads).map(|_| one()).collect()
}
