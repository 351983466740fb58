//! A still picture. There is no time: what is found is hidden, and a number of
//! the report names a thing of this one picture.

use super::hide::plan;
use super::keep::holds;
use super::outfile::Draft;
use super::report::{Arguments, FORMAT, File, Kept, ModelUsed, Report, Track, program};
use super::{CannotKeep, Keep, RedactError, Seeker, Settings};
use crate::detect::{Class, Detection, PixelBox};
use crate::media::{MediaError, Still, StillForm, write_still};
use crate::paint::paint;
use crate::track::Rules;
use std::collections::BTreeMap;
use std::path::Path;

/// Whether a file is a picture by its first bytes.
pub fn is_still(file: &Path) -> bool {
    StillForm::of_content(file).is_some()
}

/// Writes `input` to `output` with everything hidden that was found.
///
/// # Errors
/// [`RedactError`]; then nothing was written.
pub fn redact_still(
    input: &Path,
    output: &Path,
    settings: &Settings,
    seeker: &mut Seeker,
    models: Vec<ModelUsed>,
) -> Result<Report, RedactError> {
    let same_ending = input.extension() == output.extension();
    let form = StillForm::of_name(output)
        .or_else(|| StillForm::of_content(input).filter(|_| same_ending))
        .ok_or_else(|| MediaError::Write {
            file: output.to_owned(),
            why: "a picture's copy ends in .jpg, .jpeg or .png".to_owned(),
        })?;
    let draft = Draft::begin(output, &[input], settings.force)?;
    let still = Still::read(input)?;
    let size = still.size();
    let unusable = |why: String| MediaError::Still {
        file: input.to_owned(),
        why,
    };
    let view = still.view().map_err(|e| unusable(e.to_string()))?;
    let found = seeker
        .search(&view)
        .map_err(|why| unusable(format!("it could not be searched: {why}")))?;
    // As tracks are.
    let rules = Rules::default();
    let found: Vec<(Detection, PixelBox)> = found
        .into_iter()
        .filter(|d| {
            models
                .iter()
                .any(|m| m.class == d.class && d.score >= m.threshold)
        })
        .map(|d| (d, rules.around(d.class, &d.at)))
        .collect();
    let kept = settings
        .keep
        .map(|keep| choose(&keep, &found))
        .transpose()?;
    let shown = kept.filter(|kept| !overlapped(&found, *kept));
    let hidden: Vec<PixelBox> = (0..)
        .zip(&found)
        .filter(|(i, _)| Some(*i) != shown)
        .map(|(_, (_, at))| *at)
        .collect();
    let masked = paint(&plan(size, size, Ok(&hidden)), still).map_err(|failed| {
        RedactError::Unpaintable {
            at_s: 0.0,
            why: failed.error().to_string(),
        }
    })?;
    write_still(&masked, draft.path(), form).map_err(|e| e.told_of(output))?;
    let covered: BTreeMap<_, _> = masked
        .painted()
        .covered
        .iter()
        .map(|reason| (reason.code(), 1))
        .collect();
    let report = Report {
        format: FORMAT,
        program: program(),
        input: File::of(input, input)?,
        output: File::of(draft.path(), output)?,
        models,
        arguments: Arguments::from(settings),
        width: size.width,
        height: size.height,
        frames: 1,
        duration_s: 0.0,
        searched_frames: 1,
        gaps: 0,
        other_streams: Vec::new(),
        covered_frames: covered.len() as u64,
        covered,
        kept: kept.map(|track| Kept {
            track,
            visible_frames: u64::from(shown.is_some()),
            hidden_in_doubt: 0,
            hidden_by_others: u64::from(shown.is_none()),
        }),
        tracks: (0..)
            .zip(&found)
            .map(|(id, (detection, at))| Track {
                id,
                class: detection.class,
                first_s: 0.0,
                last_s: 0.0,
                observations: 1,
                kept: kept == Some(id),
                boxes: vec![[
                    0,
                    at.x0.floor() as i64,
                    at.y0.floor() as i64,
                    at.x1.ceil() as i64,
                    at.y1.ceil() as i64,
                ]],
            })
            .collect(),
    };
    draft.complete()?;
    Ok(report)
}

fn choose(keep: &Keep, found: &[(Detection, PixelBox)]) -> Result<u64, CannotKeep> {
    match *keep {
        Keep::Track { id, at_s } => (0..)
            .zip(found)
            .map(|(i, _)| i)
            .find(|i| *i == id)
            .ok_or(CannotKeep::NoTrack { id, at_s }),
        Keep::Plate { x, y, at_s } => {
            let there: Vec<u64> = (0..)
                .zip(found)
                .filter(|(_, (d, at))| d.class == Class::Plate && holds(at, x, y))
                .map(|(i, _)| i)
                .collect();
            match there.as_slice() {
                [] => Err(CannotKeep::NoPlate { x, y, at_s }),
                [one] => Ok(*one),
                several => {
                    let found = several.len();
                    Err(CannotKeep::Several { found, x, y, at_s })
                }
            }
        }
    }
}

fn overlapped(found: &[(Detection, PixelBox)], kept: u64) -> bool {
    let own = (0..).zip(found).find(|(i, _)| *i == kept);
    own.is_none_or(|(_, (_, own))| {
        (0..)
            .zip(found)
            .filter(|(i, _)| *i != kept)
            .any(|(_, (_, other))| other.intersection(own).area() > 0.0)
    })
}
