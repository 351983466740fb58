//! The models on this machine, and the detectors made of them.

use super::detection::{Looker, Pool, Trial};
use super::journal::Journal;
use crate::clock::Mono;
use crate::config::{Config, Detectors};
use crate::detect::manifest::{Manifest, usual_folder};
use crate::detect::ort::{Model, Options, Runtime};
use crate::detect::{Class, Descriptor, Detector, Search, sees_tiles};
use crate::track::Rules;
use anyhow::{Context, bail};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where models lie, which are known, and the runtime they run in: the one way
/// to a loaded model.
#[derive(Debug)]
pub struct Shelf {
    folder: PathBuf,
    manifest: Manifest,
    runtime: Runtime,
}

/// A loaded model, and what it was loaded from.
#[derive(Debug)]
pub struct Loaded {
    /// The model.
    pub model: Model,
    /// The file.
    pub file: PathBuf,
    /// Its SHA-256, hexadecimal.
    pub sha256: String,
}

impl Shelf {
    /// The models in `folder`, or else in the usual place.
    ///
    /// # Errors
    /// There is no usual place, or the runtime is not there or is not the one
    /// that the manifest names.
    pub fn open(folder: Option<&Path>) -> anyhow::Result<Self> {
        let folder = match folder {
            Some(folder) => folder.to_owned(),
            None => usual_folder(|key| std::env::var_os(key))
                .context("no folder for models: set GREYPLANE_MODELS, XDG_CACHE_HOME or HOME")?,
        };
        let manifest = Manifest::built_in()?;
        let library = folder.join(&manifest.runtime.file);
        let runtime = Runtime::load(&library, Some(&manifest.runtime.sha256))?;
        Ok(Self {
            folder,
            manifest,
            runtime,
        })
    }

    /// The model of that name, or that .onnx file with its descriptor (.toml)
    /// beside it. `change` may change the descriptor before the model is tried;
    /// what it answers comes back.
    ///
    /// # Errors
    /// The file is missing, is not the manifest's or does not run, or the
    /// changed descriptor is none.
    pub fn load<T>(
        &self,
        model: &str,
        threads: usize,
        change: impl FnOnce(&mut Descriptor) -> T,
    ) -> anyhow::Result<(Loaded, T)> {
        let (file, known, mut descriptor) = if Path::new(model).extension().is_some() {
            let file = PathBuf::from(model);
            let beside = file.with_extension("toml");
            let text = fs::read_to_string(&beside).with_context(|| {
                format!("cannot read the model's descriptor {}", beside.display())
            })?;
            let descriptor =
                Descriptor::parse(&text).with_context(|| beside.display().to_string())?;
            (file, None, descriptor)
        } else {
            let entry = self.manifest.model(model)?;
            let file = self.folder.join(&entry.file);
            (file, Some(entry.sha256.clone()), entry.descriptor.clone())
        };
        let changed = change(&mut descriptor);
        descriptor.check().with_context(|| model.to_owned())?;
        let sum = known.as_deref();
        let loaded = Model::load(&self.runtime, &file, sum, descriptor, Options { threads })?;
        let sha256 = match known {
            Some(sum) => sum,
            None => {
                let bytes =
                    fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
                hex::encode(Sha256::digest(bytes))
            }
        };
        let loaded = Loaded {
            model: loaded,
            file,
            sha256,
        };
        Ok((loaded, changed))
    }
}

/// The face model that is as good as any other that every machine can get, and
/// the cheapest of them here: the one in integers where the CPU multiplies them.
pub fn usual_face() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx512vnni")
        || std::arch::is_x86_feature_detected!("avxvnni")
    {
        return "centerface-int8";
    }
    "centerface"
}

/// The pool for `config`. Models that cannot be loaded stop no camera: those
/// that want them are covered, or not, as they say; the log tells why.
pub(super) fn pool(config: &Config, journal: &Arc<Journal>) -> anyhow::Result<Pool> {
    let (lookers, rules) = load(&config.detectors, &wanted(config)).unwrap_or_else(|error| {
        tracing::error!(error = format!("{error:#}"), "nobody looks at the pictures");
        (Vec::new(), Rules::default())
    });
    let long_side = config.detectors.input_long_side;
    Pool::start(lookers, long_side, rules, journal.clone())
}

/// Loads all that the cameras of `config` want, tries it and lets go of it again: what
/// [`Gateway::start`](super::Gateway::start) would only log.
///
/// # Errors
/// Which model cannot be used, and why.
pub fn try_models(config: &Config) -> anyhow::Result<()> {
    let one = Detectors {
        threads: 1,
        ..config.detectors.clone()
    };
    for mut looker in load(&one, &wanted(config))?.0 {
        looker.sees(Mono(0))?;
    }
    Ok(())
}

pub(super) fn wanted(config: &Config) -> BTreeSet<Class> {
    config
        .cameras
        .iter()
        .flat_map(|c| c.detect.iter().flat_map(|d| d.classes.clone()))
        .collect()
}

/// A set of models for each thread, and how what they find is followed.
fn load(detectors: &Detectors, classes: &BTreeSet<Class>) -> anyhow::Result<(Vec<Looker>, Rules)> {
    let mut rules = Rules::default();
    if classes.is_empty() {
        return Ok((Vec::new(), rules));
    }
    let shelf = Shelf::open(detectors.folder.as_deref())?;
    let mut one = || {
        let mut models: Vec<Box<dyn Detector>> = Vec::new();
        for class in classes {
            let name = match class {
                Class::Face if detectors.face == "auto" => usual_face(),
                Class::Face => &detectors.face,
                Class::Plate => &detectors.plate,
                Class::Person => detectors
                    .person
                    .as_ref()
                    .context("no model of whole figures: name one as `person` in [detectors]")?,
            };
            let (loaded, scores) = shelf.load(name, 1, Descriptor::for_tracks)?;
            let kind = rules.kind_mut(*class);
            *kind = kind.with(scores);
            let fixed = loaded.model.descriptor().input.fixed;
            if let Some([width, height]) = fixed
                && !sees_tiles([width, height], detectors.input_long_side)
            {
                // What it was shown smaller would be taken for looked at.
                bail!(
                    "{name} takes pictures of {width}x{height} only: too small to see tiles in \
                     their own size or whole ones at input_long_side; export it for 704x416 or \
                     more and for that side, or for any size"
                );
            }
            let finds = loaded.model.descriptor().class;
            if finds != *class {
                bail!("{name} finds a {finds}, not a {class}");
            }
            models.push(Box::new(loaded.model));
        }
        let trials = classes.iter().map(|class| Trial::of(*class));
        let trials: Vec<Option<Trial>> = trials.collect::<anyhow::Result<_>>()?;
        let trials = trials.into_iter().flatten().collect();
        Ok(Looker::new(Search::new(models), trials))
    };
    let lookers = (0..detectors.threads)
        .map(|_| one())
        .collect::<anyhow::Result<_>>()?;
    Ok((lookers, rules))
}
