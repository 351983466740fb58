//! A clip, in two passes.

use super::hide::{Cause, plan};
use super::keep::Subject;
use super::outfile::Draft;
use super::report::{Arguments, FORMAT, File, Kept, ModelUsed, Report, program, tracks};
use super::timeline::{Seen, Timeline};
use super::{Audio, Progress, RedactError, Seeker, Settings, Stage, Watch};
use crate::detect::{PixelBox, Scores};
use crate::frame::FrameRef;
use crate::media::{ClipFrame, ClipReader, ClipWriter, Sound, WriterSettings};
use crate::paint::paint;
use crate::track::Rules;
use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher;
use std::path::Path;

/// A clip that ends this much before its stated end breaks off.
const BREAKS_OFF_S: f64 = 2.0;
/// … and by this share of its length.
const BREAKS_OFF_SHARE: f64 = 0.1;

/// Writes `input` to `output` with everything hidden that was found. Nothing
/// stands under `output`'s name before the copy is complete.
///
/// # Errors
/// [`RedactError`]; then nothing was written.
pub fn redact_clip(
    input: &Path,
    output: &Path,
    settings: &Settings,
    seeker: &mut Seeker,
    models: Vec<ModelUsed>,
    watch: &mut Watch<'_>,
) -> Result<Report, RedactError> {
    let draft = Draft::begin(output, &[input], settings.force)?;
    let first = search(input, settings, seeker, watch)?;
    let timeline = Timeline::new(first.size, first.seen, rules(&models))?;
    let subject = settings
        .keep
        .map(|keep| Subject::choose(&keep, &timeline))
        .transpose()?;
    let sound = match settings.audio {
        _ if !first.has_sound => None,
        Audio::Mute => None,
        Audio::Keep => Some(Sound::Keep),
        Audio::Distort => Some(Sound::Distort),
    };
    let writer = WriterSettings {
        bitrate_kbit: settings.bitrate_kbit,
        sound: sound.map(|sound| (input.to_owned(), sound)),
    };
    let written = write(
        input,
        draft.path(),
        &timeline,
        subject.as_ref(),
        &writer,
        watch,
    );
    let covered = written.map_err(|error| match error {
        RedactError::Media(error) => RedactError::Media(error.told_of(output)),
        error => error,
    })?;
    let last_ns = timeline.moments.last().map_or(0, |m| m.at_ns);
    let report = Report {
        format: FORMAT,
        program: program(),
        input: File::of(input, input)?,
        output: File::of(draft.path(), output)?,
        models,
        arguments: Arguments::from(settings),
        width: first.size.width,
        height: first.size.height,
        frames: timeline.moments.len() as u64,
        duration_s: last_ns as f64 * 1e-9,
        searched_frames: first.searched,
        gaps: gaps(&timeline),
        other_streams: first.others,
        covered_frames: covered.values().sum(),
        covered,
        tracks: tracks(&timeline, subject.as_ref().map(|s| s.track)),
        kept: subject.map(|s| Kept {
            track: s.track,
            visible_frames: s.shown.len() as u64,
            hidden_in_doubt: s.doubtful as u64,
            hidden_by_others: s.overlapped as u64,
        }),
    };
    draft.complete()?;
    Ok(report)
}

/// How what these models find is followed. Nobody has to watch a street by a file:
/// whatever counts as found is sure, and whatever is told begins a track.
fn rules(models: &[ModelUsed]) -> Rules {
    let mut rules = Rules::default();
    for model in models {
        let kind = rules.kind_mut(model.class);
        *kind = kind.with(Scores {
            sure: model.threshold,
            begin: model.keep,
            keep: model.keep,
        });
    }
    rules
}

/// What the first reading gave.
struct First {
    size: crate::geom::Size,
    seen: Vec<Seen>,
    searched: u64,
    has_sound: bool,
    others: Vec<String>,
}

fn search(
    input: &Path,
    settings: &Settings,
    seeker: &mut Seeker,
    watch: &mut Watch<'_>,
) -> Result<First, RedactError> {
    let mut reader = ClipReader::open(input)?;
    let of_s = reader.duration_s();
    let mut first = First {
        size: reader.size(),
        seen: Vec::new(),
        searched: 0,
        has_sound: false,
        others: Vec::new(),
    };
    let (mut failed, mut first_failure) = (0, None);
    while let Some(frame) = reader.next()? {
        let index = first.seen.len() as u64;
        let wanted = index.is_multiple_of(u64::from(settings.every.max(1)));
        let view = frame.view();
        let found = match &view {
            Err(_) => Some(Err(Cause::Damaged)),
            Ok(_) if frame.is_damaged() => Some(Err(Cause::Damaged)),
            Ok(_) if !wanted => None,
            Ok(view) => {
                first.searched += 1;
                Some(seeker.search(view).map_err(|why| {
                    tracing::debug!(at_s = seconds(&frame), why, "a frame was not searched");
                    failed += 1;
                    first_failure.get_or_insert(why);
                    Cause::NotSearched
                }))
            }
        };
        first.seen.push(Seen {
            at_ns: frame.at_ns(),
            sum: view.map_or(0, |view| sum(&view)),
            found,
        });
        tell(watch, Stage::Searching, index + 1, seconds(&frame), of_s)?;
    }
    first.has_sound = reader.has_sound();
    first.others = reader.others();
    let pictures_s = first.seen.last().map_or(0.0, |s| s.at_ns as f64 * 1e-9);
    let ends_s = reader.others_end_s().max(pictures_s);
    if let Some(says_s) = of_s
        && says_s - ends_s > BREAKS_OFF_S.max(BREAKS_OFF_SHARE * says_s)
    {
        return Err(RedactError::BreaksOff {
            file: input.to_owned(),
            says_s,
            ends_s,
        });
    }
    match first_failure {
        Some(why) if failed == first.searched => Err(RedactError::NotSearched {
            file: input.to_owned(),
            why,
        }),
        _ => Ok(first),
    }
}

/// The frames covered, by reason.
type Covered = BTreeMap<&'static str, u64>;

fn write(
    input: &Path,
    output: &Path,
    timeline: &Timeline,
    subject: Option<&Subject>,
    settings: &WriterSettings,
    watch: &mut Watch<'_>,
) -> Result<Covered, RedactError> {
    let mut reader = ClipReader::open(input)?;
    let of_s = reader.duration_s();
    let mut writer = ClipWriter::create(output, reader.size(), settings)?;
    let mut covered = Covered::new();
    let mut index = 0;
    while let Some(frame) = reader.next()? {
        let at_s = seconds(&frame);
        let things = things(timeline, index, &frame, subject);
        let size = frame.size();
        let plan = plan(size, timeline.size, things.as_deref().map_err(|c| *c));
        let masked = paint(&plan, frame).map_err(|failed| RedactError::Unpaintable {
            at_s,
            why: failed.error().to_string(),
        })?;
        let painted = masked.painted();
        let cause = match things {
            Err(cause) => Some(cause.code()),
            Ok(_) if painted.read_back_failed => Some(Cause::PaintFailed.code()),
            Ok(_) => painted.covered.as_ref().map(|reason| reason.code()),
        };
        if let Some(cause) = cause {
            *covered.entry(cause).or_default() += 1;
        }
        writer.write(masked)?;
        index += 1;
        tell(watch, Stage::Writing, index as u64, at_s, of_s)?;
    }
    if index != timeline.moments.len() {
        return Err(RedactError::Unsteady {
            file: input.to_owned(),
            first: timeline.moments.len() as u64,
            second: index as u64,
        });
    }
    writer.finish()?;
    Ok(covered)
}

/// What is hidden of the frame that came as number `index`.
fn things(
    timeline: &Timeline,
    index: usize,
    frame: &ClipFrame,
    subject: Option<&Subject>,
) -> Result<Vec<PixelBox>, Cause> {
    let things = timeline.at(index)?;
    let moment = &timeline.moments[index];
    let view = frame.view().map_err(|_| Cause::Damaged)?;
    if frame.is_damaged() {
        return Err(Cause::Damaged);
    }
    if moment.at_ns != frame.at_ns() || moment.sum != sum(&view) {
        return Err(Cause::NotTheSame);
    }
    let shown = subject
        .filter(|s| s.shown.contains(&index))
        .map(|s| s.track);
    let hidden = things.iter().filter(|t| Some(t.track) != shown);
    Ok(hidden.map(|t| t.at()).collect())
}

/// Every so manieth row of luma goes into a frame's sum.
const SUMMED_ROWS: usize = 4;

/// By which a frame is known again: decoders are not bound to make the same of a
/// damaged clip twice.
fn sum(view: &FrameRef<'_>) -> u64 {
    let mut sum = DefaultHasher::new();
    for y in (0..view.size().height as usize).step_by(SUMMED_ROWS) {
        sum.write(view.row(0, y));
    }
    sum.finish()
}

/// How often the decoder gave no frame for more than 2.5 times the usual time.
fn gaps(timeline: &Timeline) -> u64 {
    let moments = timeline.moments.windows(2);
    let mut steps: Vec<u64> = moments.map(|w| w[1].at_ns - w[0].at_ns).collect();
    steps.sort_unstable();
    let usual = steps.get(steps.len() / 2).copied().unwrap_or(0);
    let usual_at_most = steps.partition_point(|s| *s <= 2 * usual + usual / 2);
    (steps.len() - usual_at_most) as u64
}

fn seconds(frame: &ClipFrame) -> f64 {
    frame.at_ns() as f64 * 1e-9
}

/// The share of the time that searching takes; the rest is writing.
const SEARCHING: f64 = 0.85;

fn tell(
    watch: &mut Watch<'_>,
    stage: Stage,
    frames: u64,
    done_s: f64,
    of_s: Option<f64>,
) -> Result<(), RedactError> {
    let share = of_s.filter(|s| *s > 0.0).map(|of_s| {
        let share = (done_s / of_s).min(1.0);
        match stage {
            Stage::Writing => SEARCHING + (1.0 - SEARCHING) * share,
            Stage::Searching | Stage::Pictures => SEARCHING * share,
        }
    });
    let progress = Progress {
        stage,
        frames,
        share,
    };
    if watch(progress) {
        Ok(())
    } else {
        Err(RedactError::Stopped)
    }
}
