//! A folder of pictures, one after another.

use super::report::ModelUsed;
use super::still::{is_still, redact_still};
use super::{Progress, RedactError, Report, Seeker, Settings, Stage, Watch};
use serde::Serialize;
use std::fs;
use std::path::{Path, PathBuf};

/// What became of a folder's files.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Pictures {
    /// The masked pictures, in order of their names.
    pub pictures: Vec<Report>,
    /// Files that are no JPEG or PNG pictures: they were not copied.
    pub skipped: Vec<Left>,
    /// Pictures of which no copy was written.
    pub failed: Vec<Left>,
}

/// A file of which there is no copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Left {
    /// Its name within the folder.
    pub name: String,
    /// Why.
    pub why: String,
}

/// Writes every picture in `input` and its folders to the same name in `output`
/// with everything hidden that was found. Each copy is complete or not there.
///
/// # Errors
/// [`RedactError`] where the folders cannot be used, or the work was stopped:
/// copies that were complete stay. What went wrong with single pictures is in
/// [`Pictures::failed`].
pub fn redact_folder(
    input: &Path,
    output: &Path,
    settings: &Settings,
    seeker: &mut Seeker,
    models: &[ModelUsed],
    watch: &mut Watch<'_>,
) -> Result<Pictures, RedactError> {
    let mut done = Pictures::default();
    let mut files = Vec::new();
    list(input, Path::new(""), &mut files, &mut done.skipped)?;
    if lies_in(output, input) || lies_in(input, output) {
        return Err(RedactError::Within {
            input: input.to_owned(),
            output: output.to_owned(),
        });
    }
    fs::create_dir_all(output).map_err(|why| RedactError::io(output, why))?;
    let count = files.len();
    for (index, name) in files.iter().enumerate() {
        let from = input.join(name);
        let left = |why: String| Left {
            name: name.to_string_lossy().into_owned(),
            why,
        };
        if is_still(&from) {
            let to = output.join(name);
            match one(&from, &to, settings, seeker, models) {
                Ok(mut report) => {
                    report.input.name = name.to_string_lossy().into_owned();
                    report.output.name = report.input.name.clone();
                    done.pictures.push(report);
                }
                Err(error) => done.failed.push(left(error.to_string())),
            }
        } else {
            done.skipped.push(left("no JPEG or PNG picture".to_owned()));
        }
        let goes_on = watch(Progress {
            stage: Stage::Pictures,
            frames: index as u64 + 1,
            share: Some((index + 1) as f64 / count as f64),
        });
        if !goes_on && index + 1 < count {
            return Err(RedactError::StoppedAfter(done.pictures.len()));
        }
    }
    Ok(done)
}

/// Whether `inner`, or the nearest folder above it that exists, is `outer` or
/// lies in it, through whatever links.
fn lies_in(inner: &Path, outer: &Path) -> bool {
    let Ok(outer) = fs::canonicalize(outer) else {
        return false;
    };
    let here = Path::new(".");
    let mut above = inner
        .ancestors()
        .map(|a| if a == Path::new("") { here } else { a });
    let existing = above.find_map(|a| fs::canonicalize(a).ok());
    existing.is_some_and(|inner| inner.starts_with(&outer))
}

fn one(
    from: &Path,
    to: &Path,
    settings: &Settings,
    seeker: &mut Seeker,
    models: &[ModelUsed],
) -> Result<Report, RedactError> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(|why| RedactError::io(folder, why))?;
    }
    redact_still(from, to, settings, seeker, models.to_vec())
}

/// Files in `root/within` and below, by name. Links are not followed: they may
/// lead anywhere.
fn list(
    root: &Path,
    within: &Path,
    files: &mut Vec<PathBuf>,
    skipped: &mut Vec<Left>,
) -> Result<(), RedactError> {
    let folder = root.join(within);
    let io = |why| RedactError::io(&folder, why);
    let mut entries = fs::read_dir(&folder)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(io)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = within.join(entry.file_name());
        let kind = entry.file_type().map_err(io)?;
        if kind.is_dir() {
            list(root, &name, files, skipped)?;
        } else if kind.is_file() {
            files.push(name);
        } else {
            skipped.push(Left {
                name: name.to_string_lossy().into_owned(),
                why: "a link or no ordinary file".to_owned(),
            });
        }
    }
    Ok(())
}
