//! `greyplane redact`: a recording with faces and plates hidden.

use super::Failure;
use super::terminal::Screen;
use anyhow::{Context, anyhow, bail};
use clap::ValueEnum;
use greyplane::app::{Shelf, usual_face};
use greyplane::clock::{Clock, SystemClock};
use greyplane::detect::{Class, Detector, Search};
use greyplane::redact::{
    self, Audio, Draft, Keep, ModelUsed, Pictures, Progress, RedactError, Report, Seeker, Settings,
};
use serde::Serialize;
use signal_hook::consts::{SIGINT, SIGTERM};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Hide faces and licence plates in a recording.
///
/// IN is a clip (MP4, MKV, AVI, MOV and whatever else GStreamer decodes), a
/// picture (JPEG, PNG) or a folder of pictures. OUT is an .mp4 file, a picture or
/// a folder. The original is left as it is. Nothing that locates or identifies is
/// taken along: no tags, no EXIF, no GPS, no captions, no data streams.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The recording.
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// The masked copy.
    #[arg(value_name = "OUT")]
    output: PathBuf,
    /// What is hidden.
    #[arg(long, value_delimiter = ',', default_values = ["face", "plate"])]
    classes: Vec<Hidden>,
    /// Look with this model for what it finds: a name, or an .onnx file with its
    /// descriptor (.toml) beside it. May be given once for each class.
    #[arg(long, value_name = "NAME|FILE")]
    model: Vec<String>,
    /// Bring the longer side of each picture to this many samples [default: the model's].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(32..=4096))]
    input_long_side: Option<u32>,
    /// Look at whole pictures only, not also at tiles of their own size: several
    /// times faster, but small faces and plates are missed.
    #[arg(long)]
    no_tiles: bool,
    /// Count what is at least this sure, above 0 and below 1 [default: the model's].
    #[arg(long, value_name = "T")]
    threshold: Option<f32>,
    /// Threads for the networks.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: u16,
    /// Look at every N-th frame only: faster, but what is seen in between only is not hidden.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    every: u32,
    /// What becomes of the sound. `distort` shifts its pitch by an amount that
    /// wanders: what is said, and to those who know it the voice, can still be
    /// recognised. Mute where that matters.
    #[arg(long, value_enum, default_value_t = Sound::Mute)]
    audio: Sound,
    /// Leave one licence plate visible: the one at this place of the upright
    /// picture, in the first frame in which one is there, or at that second.
    #[arg(long, value_name = "X,Y[@SECONDS]", conflicts_with = "keep_track", value_parser = plate)]
    keep_plate: Option<Keep>,
    /// Leave one face or plate visible: the one with this number in the report of
    /// an earlier run with the same arguments.
    #[arg(long, value_name = "ID[@SECONDS]", value_parser = track)]
    keep_track: Option<Keep>,
    /// Write what was done, and every track, to this file (JSON).
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Bit rate of the copy, kbit/s [default: as much as a good picture needs].
    #[arg(long, value_name = "KBIT", value_parser = clap::value_parser!(u32).range(64..=100_000))]
    bitrate_kbit: Option<u32>,
    /// Replace OUT where it exists.
    #[arg(long)]
    force: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Hidden {
    Face,
    Plate,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Sound {
    Keep,
    Mute,
    Distort,
}

fn number(text: &str, what: &str) -> Result<f64, String> {
    let number = text.trim().parse().ok();
    let number = number.filter(|n: &f64| n.is_finite() && *n >= 0.0);
    number.ok_or_else(|| format!("`{text}` is no {what}"))
}

fn moment(text: &str) -> Result<(&str, Option<f64>), String> {
    match text.split_once('@') {
        None => Ok((text, None)),
        Some((rest, at)) => Ok((rest, Some(number(at, "time in seconds")?))),
    }
}

fn plate(text: &str) -> Result<Keep, String> {
    let (place, at_s) = moment(text)?;
    let (x, y) = place.split_once(',').ok_or("write X,Y or X,Y@SECONDS")?;
    let (x, y) = (number(x, "place")?, number(y, "place")?);
    Ok(Keep::Plate { x, y, at_s })
}

fn track(text: &str) -> Result<Keep, String> {
    let (id, at_s) = moment(text)?;
    let id = id.trim().parse();
    let id = id.map_err(|_| "write a number from the report, or NUMBER@SECONDS".to_owned())?;
    Ok(Keep::Track { id, at_s })
}

impl From<RedactError> for Failure {
    fn from(error: RedactError) -> Self {
        match error {
            RedactError::Exists(_)
            | RedactError::Same(_)
            | RedactError::Within { .. }
            | RedactError::Keep(_) => Self::Usage(error.into()),
            _ => Self::Failed(error.into()),
        }
    }
}

impl Args {
    pub(crate) fn run(self, screen: &Screen) -> Result<(), Failure> {
        let stop = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            signal_hook::flag::register(signal, stop.clone()).context("signals")?;
        }
        let folder = self.check()?;
        let report = self.draft_report()?;
        let (mut seeker, models) = self.seeker().map_err(Failure::Usage)?;
        let clock = SystemClock::new();
        let began = clock.mono();
        let bar = screen.bar();
        let watch = &mut |progress: Progress| {
            bar.show(&progress);
            !stop.load(Ordering::Relaxed)
        };
        let (from, to, settings) = (&self.input, &self.output, self.settings());
        let done = if folder {
            redact::redact_folder(from, to, &settings, &mut seeker, &models, watch)
                .map(Done::Folder)
        } else if redact::is_still(from) {
            redact::redact_still(from, to, &settings, &mut seeker, models)
                .map(|report| Done::One(Box::new(report)))
        } else {
            redact::redact_clip(from, to, &settings, &mut seeker, models, watch)
                .map(|report| Done::One(Box::new(report)))
        };
        bar.end();
        let done = done?;
        if let Some(draft) = report {
            write_report(draft, &done)?;
        }
        screen.say(&done.summary(clock.mono().since(began).as_secs_f64()));
        match done {
            Done::Folder(pictures) if !pictures.failed.is_empty() => Err(Failure::Said),
            _ => Ok(()),
        }
    }

    /// What can be said before anything is loaded; whether IN is a folder.
    fn check(&self) -> Result<bool, Failure> {
        let wrong = |why: String| Failure::Usage(anyhow!(why));
        let what = std::fs::metadata(&self.input)
            .with_context(|| format!("cannot read {}", self.input.display()))
            .map_err(Failure::Usage)?;
        let report = self.report.as_deref();
        if report.is_some_and(|report| redact::same_name(report, &self.output)) {
            return Err(wrong("--report and OUT name the same file".to_owned()));
        }
        if what.is_dir() {
            if self.keep_plate.is_some() || self.keep_track.is_some() {
                let why = "of a folder nothing can stay visible: redact its pictures one by one";
                return Err(wrong(why.to_owned()));
            }
            return Ok(true);
        }
        let ending = self.output.extension().map(|e| e.to_ascii_lowercase());
        let clip = !redact::is_still(&self.input);
        if clip && ending.as_deref() != Some("mp4".as_ref()) {
            let out = self.output.display();
            return Err(wrong(format!("{out}: a clip's copy ends in .mp4")));
        }
        Ok(false)
    }

    fn settings(&self) -> Settings {
        Settings {
            classes: self.classes(),
            every: self.every,
            tiles: !self.no_tiles,
            keep: self.keep_plate.or(self.keep_track),
            audio: match self.audio {
                Sound::Keep => Audio::Keep,
                Sound::Mute => Audio::Mute,
                Sound::Distort => Audio::Distort,
            },
            bitrate_kbit: self.bitrate_kbit,
            force: self.force,
        }
    }

    fn classes(&self) -> Vec<Class> {
        let mut classes: Vec<Class> = self
            .classes
            .iter()
            .map(|c| match c {
                Hidden::Face => Class::Face,
                Hidden::Plate => Class::Plate,
            })
            .collect();
        classes.sort_unstable();
        classes.dedup();
        classes
    }

    /// The report under a temporary name, so that its place is known to be good
    /// before hours of work.
    fn draft_report(&self) -> Result<Option<Draft>, Failure> {
        let Some(file) = &self.report else {
            return Ok(None);
        };
        let draft = Draft::begin(file, &[&self.input, &self.output], self.force)?;
        Ok(Some(draft))
    }

    /// A detector for each class, and what is said about them.
    fn seeker(&self) -> anyhow::Result<(Seeker, Vec<ModelUsed>)> {
        let shelf = Shelf::open(None)?;
        let classes = self.classes();
        let (mut detectors, mut models) = (Vec::<Box<dyn Detector>>::new(), Vec::new());
        for name in &self.model {
            let (detector, used) = self.detector(&shelf, name)?;
            let class = used.class;
            if !classes.contains(&class) {
                bail!("--model {name} finds a {class}, which --classes does not name");
            }
            if models.iter().any(|m: &ModelUsed| m.class == class) {
                bail!("--model {name}: another model that finds a {class} is named, too");
            }
            detectors.push(detector);
            models.push(used);
        }
        for class in &classes {
            if models.iter().any(|m| m.class == *class) {
                continue;
            }
            let usual = match class {
                Class::Face => usual_face(),
                Class::Plate => "plate-eu",
                Class::Person => bail!("no model of whole figures is known"),
            };
            let (detector, used) = self.detector(&shelf, usual)?;
            detectors.push(detector);
            models.push(used);
        }
        let search = Search::new(detectors);
        let seeker = Seeker::new(search, classes, self.input_long_side, !self.no_tiles);
        Ok((seeker, models))
    }

    fn detector(
        &self,
        shelf: &Shelf,
        name: &str,
    ) -> anyhow::Result<(Box<dyn Detector>, ModelUsed)> {
        if let Some(t) = self.threshold
            && !(t > 0.0 && t < 1.0)
        {
            bail!("--threshold {t} is none; write a number above 0 and below 1");
        }
        let (loaded, scores) = shelf.load(name, usize::from(self.threads), |descriptor| {
            descriptor.threshold = self.threshold.unwrap_or(descriptor.threshold);
            descriptor.for_tracks()
        })?;
        let descriptor = loaded.model.descriptor();
        let file = Path::new(name).file_name().unwrap_or_default();
        let used = ModelUsed {
            class: descriptor.class,
            name: file.to_string_lossy().into_owned(),
            sha256: loaded.sha256,
            input_long_side: self.input_long_side.unwrap_or(descriptor.input.long_side),
            threshold: scores.begin,
            keep: scores.keep,
        };
        Ok((Box::new(loaded.model), used))
    }
}

/// What was done.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Done {
    One(Box<Report>),
    Folder(Pictures),
}

fn write_report(draft: Draft, done: &Done) -> Result<(), Failure> {
    let text = serde_json::to_vec(done).context("the report")?;
    std::fs::write(draft.path(), text)
        .context("the copy is complete, but its report cannot be written")?;
    Ok(draft.complete()?)
}

impl Done {
    fn summary(&self, took_s: f64) -> String {
        match self {
            Self::One(report) => one(report, took_s),
            Self::Folder(pictures) => folder(pictures, took_s),
        }
    }
}

fn one(report: &Report, took_s: f64) -> String {
    let things = report.tracks.len();
    let name = &report.output.name;
    if report.duration_s == 0.0 {
        return format!("{name}: {things} things found, {took_s:.1} s");
    }
    let mut lines = vec![format!(
        "{name}: {} frames, {things} tracks, {took_s:.1} s, {:.1} times real time",
        report.frames,
        report.duration_s / took_s
    )];
    for (reason, frames) in &report.covered {
        lines.push(format!("  {frames} frames covered as a whole: {reason}"));
    }
    if report.other_streams.iter().any(|s| s.starts_with("video/")) {
        lines.push("  only the first of several pictures (cameras) was taken along".to_owned());
    }
    if report.gaps > 0 {
        let gaps = report.gaps;
        lines.push(format!(
            "  {gaps} gaps in the recording: the picture before stands still"
        ));
    }
    if let Some(kept) = &report.kept {
        lines.push(format!(
            "  track {} is visible in {} frames, hidden in {}: {} in doubt whose it is, {} overlapped by others",
            kept.track,
            kept.visible_frames,
            kept.hidden_in_doubt + kept.hidden_by_others,
            kept.hidden_in_doubt,
            kept.hidden_by_others
        ));
    }
    lines.join("\n")
}

fn folder(done: &Pictures, took_s: f64) -> String {
    let mut lines = vec![format!(
        "pictures: {} masked, {} failed, {} other files skipped, {took_s:.1} s",
        done.pictures.len(),
        done.failed.len(),
        done.skipped.len()
    )];
    for (what, list) in [("skipped", &done.skipped), ("failed", &done.failed)] {
        lines.extend(
            list.iter()
                .map(|l| format!("  {what}: {}: {}", l.name, l.why)),
        );
    }
    lines.join("\n")
}
