//! The same over time: clips that move, and what is hidden in each frame.

use super::cpu_ms;
use super::source::{Source, sources};
use anyhow::{Context, bail};
use greyplane::detect::ort::Model;
use greyplane::detect::{Class, Detection, Detector, Part, Scores};
use greyplane::eval::{self, Labels, Look, Moment, Move, Schedule, TimeReport, Timeline, Truth};
use greyplane::frame::FrameRef;
use greyplane::geom::Size;
use greyplane::track::{CameraMotion, FixedCamera, Rules};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(super) enum What {
    /// The model by itself, frame by frame.
    Model,
    /// Everything, as in the live stream.
    Stream,
    /// Everything, as in a file: looked at first, hidden afterwards.
    Redact,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum How {
    Pan,
    Zoom,
    Walk,
}

impl From<How> for Move {
    fn from(how: How) -> Self {
        match how {
            How::Pan => Self::Pan,
            How::Zoom => Self::Zoom,
            How::Walk => Self::Walk,
        }
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct ClipArgs {
    /// Make a moving clip of each picture, and measure over time.
    #[arg(long = "move", value_name = "HOW")]
    pub(super) how: Option<How>,
    /// The model frame by frame, or all of the detector: in the stream, in a file.
    #[arg(long, default_value = "model")]
    pub(super) what: What,
    /// Frames of each clip.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(2..))]
    pub(super) frames: u16,
    /// Frames a second.
    #[arg(long, value_name = "N", default_value_t = 25.0)]
    pub(super) fps: f64,
    /// How fast they move: 2 is twice as fast.
    #[arg(long, value_name = "TIMES", default_value_t = 1.0)]
    pub(super) speed: f64,
    /// Look at every so many frames; several values are measured one by one.
    #[arg(long, value_name = "N,…", default_value = "3", value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..=250))]
    look_every: Vec<u16>,
    /// From a frame's coming to what was found in it.
    #[arg(long, value_name = "MS", default_value_t = 60.0)]
    look_delay_ms: f64,
    /// How long a frame can wait in the stream.
    #[arg(long, value_name = "MS", default_value_t = 250.0)]
    budget_ms: f64,
    /// Tell the tracks how the picture moves, as the pose of a camera would.
    #[arg(long)]
    known_motion: bool,
    /// Only every so many of the pictures.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) only_every: u16,
    /// Measure nothing: write the moving clips with their labels.json into this
    /// folder. Needs ffmpeg.
    #[arg(long, value_name = "DIR", requires = "how")]
    pub(super) write_clips: Option<PathBuf>,
    /// Its size.
    #[arg(long, value_name = "WxH", default_value = "1280x720", value_parser = size)]
    pub(super) size: Size,
}

fn size(text: &str) -> Result<Size, String> {
    let even = |side: &str| {
        side.parse()
            .ok()
            .filter(|n: &u32| (16..=8192).contains(n) && n.is_multiple_of(2))
    };
    let sides = text.split_once('x').and_then(|(w, h)| even(w).zip(even(h)));
    let (width, height) = sides.ok_or("write WIDTHxHEIGHT, even numbers from 16 to 8192")?;
    Ok(Size { width, height })
}

impl ClipArgs {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let numbers = [
            ("--fps", self.fps, 1.0, 240.0),
            ("--speed", self.speed, 0.0, 100.0),
            ("--look-delay-ms", self.look_delay_ms, 0.0, 10_000.0),
            ("--budget-ms", self.budget_ms, 0.0, 10_000.0),
        ];
        for (name, value, least, most) in numbers {
            if !(least..=most).contains(&value) {
                bail!("{name} {value} does not do; write {least} to {most}");
            }
        }
        Ok(())
    }

    fn schedule(&self, look_every: u16, fps: f64) -> Schedule {
        Schedule {
            fps,
            look_every: usize::from(look_every),
            look_delay_s: self.look_delay_ms * 1e-3,
            budget_s: self.budget_ms * 1e-3,
            max_silence_s: MAX_SILENCE_S,
        }
    }
}

/// As the configuration's `max_silence_ms` is when nothing else is written.
const MAX_SILENCE_S: f64 = 1.0;

/// What was measured, and on what.
#[derive(Debug, Serialize)]
pub(super) struct Measured {
    pub(super) model: String,
    pub(super) dataset: PathBuf,
    pub(super) class: Class,
    pub(super) what: What,
    pub(super) r#move: Option<Move>,
    pub(super) speed: f64,
    pub(super) fps: f64,
    pub(super) known_motion: bool,
    pub(super) input_long_side: u32,
    pub(super) threshold: f32,
    pub(super) threads: u16,
    pub(super) look_delay_ms: f64,
    pub(super) budget_ms: f64,
    pub(super) runs: Vec<Run>,
}

/// One of the intervals between looks.
#[derive(Debug, Serialize)]
pub(super) struct Run {
    pub(super) look_every: u16,
    /// Looks over frames.
    pub(super) looks_per_frame: f64,
    /// CPU time of looks and tracks, milliseconds a frame.
    pub(super) cpu_ms_per_frame: Option<f64>,
    #[serde(flatten)]
    pub(super) report: TimeReport,
}

/// What was found in the frames of one clip, each looked at at most once.
#[derive(Default)]
pub(super) struct Seen(pub(super) BTreeMap<usize, (Vec<Detection>, f64)>);

impl Seen {
    fn cpu_ms(&self, frame: usize) -> f64 {
        self.0.get(&frame).map_or(0.0, |(_, cpu)| *cpu)
    }

    fn found(&self, frame: usize) -> &[Detection] {
        self.0.get(&frame).map_or(&[], |(found, _)| found)
    }
}

/// One of the schedules as it goes through the clips.
pub(super) struct Course {
    look_every: u16,
    schedule: Schedule,
    timeline: Timeline,
    looks: usize,
    cpu_ms: f64,
}

impl Course {
    pub(super) fn second(&self, frame: usize) -> f64 {
        self.schedule.second(frame)
    }

    /// The looks of a clip: in a file every frame is told when all are.
    pub(super) fn looks(&self, what: What, frames: usize) -> Vec<Look> {
        match what {
            What::Stream => self.schedule.looks(frames),
            What::Model => (0..frames)
                .map(|frame| Look {
                    frame,
                    told_s: self.schedule.second(frame),
                })
                .collect(),
            What::Redact => (0..frames)
                .step_by(self.schedule.look_every)
                .map(|frame| Look { frame, told_s: 0.0 })
                .collect(),
        }
    }
}

pub(super) fn measure(
    args: &super::Args,
    model: &mut Model,
    scores: Option<Scores>,
    labels: &Labels,
) -> anyhow::Result<Measured> {
    let clips = &args.clips;
    let descriptor = model.descriptor().clone();
    let mut rules = Rules::default();
    if let Some(scores) = scores {
        let kind = rules.kind_mut(descriptor.class);
        *kind = kind.with(scores);
    }
    let long_side = args.input_long_side.unwrap_or(descriptor.input.long_side);
    let fps = fps(clips, labels)?;
    let threshold = scores.map_or(descriptor.threshold, |s| s.begin);
    let mut courses: Vec<Course> = clips
        .look_every
        .iter()
        .map(|every| Course {
            look_every: *every,
            schedule: clips.schedule(*every, fps),
            timeline: Timeline::new(fps, threshold),
            looks: 0,
            cpu_ms: 0.0,
        })
        .collect();
    for source in sources(args, labels) {
        let source = source?;
        let seen = source.look(&courses, clips.what, |picture| {
            look_at(model, picture, long_side)
        })?;
        for course in &mut courses {
            let looks = course.looks(clips.what, source.frames());
            course.cpu_ms += looks.iter().map(|l| seen.cpu_ms(l.frame)).sum::<f64>();
            course.looks += looks.len();
            let exact = source.motion(&course.schedule);
            let motion: &dyn CameraMotion = match &exact {
                Some(exact) if clips.known_motion => exact,
                _ => &FixedCamera,
            };
            let before = cpu_ms();
            let played = play(args, &course.schedule, &source, motion, &seen, rules)?;
            course.cpu_ms += cpu_ms() - before;
            let truths = |frame| source.truths(frame, &course.schedule, descriptor.class);
            let moments = moments(played, &looks, &seen, truths);
            course.timeline.add(source.size(), &moments);
        }
    }
    Ok(Measured {
        model: args.model.clone(),
        dataset: args.dataset.clone(),
        class: descriptor.class,
        what: clips.what,
        r#move: clips.how.map(Move::from),
        speed: clips.speed,
        fps,
        known_motion: clips.known_motion,
        input_long_side: long_side,
        threshold,
        threads: args.threads,
        look_delay_ms: clips.look_delay_ms,
        budget_ms: clips.budget_ms,
        runs: courses.iter().map(Run::of).collect(),
    })
}

/// What is found in the whole picture, and the CPU time that it took.
fn look_at(
    model: &mut Model,
    frame: &FrameRef<'_>,
    long_side: u32,
) -> anyhow::Result<(Vec<Detection>, f64)> {
    let whole = Part::whole(frame.size(), long_side).area;
    let before = cpu_ms();
    let found = model.detect(frame, &whole, long_side)?;
    Ok((found, cpu_ms() - before))
}

/// The rate of all clips: times of tracks and flicker are told by it.
fn fps(args: &ClipArgs, labels: &Labels) -> anyhow::Result<f64> {
    if args.how.is_some() {
        return Ok(args.fps);
    }
    let mut rates = labels.clips.iter().map(|c| c.fps);
    let first = rates.next().context("no clip is labelled")?;
    if rates.any(|fps| fps != first) {
        bail!("the clips have different frame rates; measure them apart");
    }
    Ok(first)
}

fn play(
    args: &super::Args,
    schedule: &Schedule,
    source: &Source,
    motion: &dyn CameraMotion,
    seen: &Seen,
    rules: Rules,
) -> anyhow::Result<Vec<eval::Shown>> {
    let (size, frames) = (source.size(), source.frames());
    let found = |frame| seen.found(frame);
    Ok(match args.clips.what {
        What::Model => eval::alone(schedule, frames, args.grow, found),
        What::Stream => eval::stream(schedule, frames, size, rules, motion, found)?,
        What::Redact => eval::file(schedule, frames, size, rules, motion, found)?,
    })
}

fn moments(
    played: Vec<eval::Shown>,
    looks: &[Look],
    seen: &Seen,
    truths: impl Fn(usize) -> Option<Vec<Truth>>,
) -> Vec<Moment> {
    let told: BTreeMap<usize, f64> = looks.iter().map(|l| (l.frame, l.told_s)).collect();
    let moment = |(frame, shown)| Moment {
        truths: truths(frame),
        shown,
        look: told
            .get(&frame)
            .map(|told_s| (seen.found(frame).to_vec(), *told_s)),
    };
    played.into_iter().enumerate().map(moment).collect()
}

impl Run {
    fn of(course: &Course) -> Self {
        let report = course.timeline.report();
        let frames = report.frames.max(1) as f64;
        Self {
            look_every: course.look_every,
            looks_per_frame: course.looks as f64 / frames,
            cpu_ms_per_frame: Some(course.cpu_ms / frames).filter(|ms| ms.is_finite()),
            report,
        }
    }
}
