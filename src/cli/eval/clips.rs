//! The same over time: clips that move, and what is hidden in each frame.

use super::{cpu_ms, read_picture};
use anyhow::{Context, bail};
use greyplane::clock::CaptureTime;
use greyplane::detect::ort::Model;
use greyplane::detect::{Class, Detection, Detector, PixelBox};
use greyplane::eval::{
    self, Held, Labelled, Look, Moment, Move, Path, Schedule, Spread, TimeReport, Timeline, Truth,
};
use greyplane::frame::Picture;
use greyplane::geom::{PixelPoint, Size};
use greyplane::track::{CameraMotion, FixedCamera, Rules};
use serde::Serialize;
use std::collections::BTreeMap;

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
    #[arg(long, default_value = "model", requires = "how")]
    what: What,
    /// Frames of each clip.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(2..))]
    frames: u16,
    /// Frames a second.
    #[arg(long, value_name = "N", default_value_t = 25.0)]
    fps: f64,
    /// How fast they move: 2 is twice as fast.
    #[arg(long, value_name = "TIMES", default_value_t = 1.0)]
    speed: f64,
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
    only_every: u16,
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

    fn schedule(&self, look_every: u16) -> Schedule {
        Schedule {
            fps: self.fps,
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
    model: String,
    dataset: std::path::PathBuf,
    class: Class,
    what: What,
    r#move: Option<Move>,
    speed: f64,
    fps: f64,
    known_motion: bool,
    input_long_side: u32,
    threshold: f32,
    threads: u16,
    look_delay_ms: f64,
    budget_ms: f64,
    runs: Vec<Run>,
}

/// One of the intervals between looks.
#[derive(Debug, Serialize)]
struct Run {
    look_every: u16,
    /// Looks over frames.
    looks_per_frame: f64,
    /// CPU time of looks and tracks, milliseconds a frame.
    cpu_ms_per_frame: Option<f64>,
    #[serde(flatten)]
    report: TimeReport,
}

/// Exactly how the clip moves.
struct Exact<'a>(&'a Path, &'a Schedule);

impl CameraMotion for Exact<'_> {
    fn carry(&self, from: CaptureTime, to: CaptureTime, point: PixelPoint) -> Option<PixelPoint> {
        let start = self.1.capture(0);
        let s = |t: CaptureTime| t.seconds_since(start);
        Some(self.0.carried(s(from), s(to), point))
    }
}

/// What was found in the frames of one clip, each looked at at most once.
#[derive(Default)]
struct Seen(BTreeMap<usize, (Vec<Detection>, f64)>);

impl Seen {
    fn found(&self, frame: usize) -> &[Detection] {
        self.0.get(&frame).map_or(&[], |(found, _)| found)
    }
}

/// One of the schedules as it goes through the clips.
struct Course {
    look_every: u16,
    schedule: Schedule,
    timeline: Timeline,
    looks: usize,
    cpu_ms: f64,
}

impl Course {
    /// The looks of a clip: in a file every frame is told when all are.
    fn looks(&self, what: What, frames: usize) -> Vec<Look> {
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
    labels: &[Labelled],
) -> anyhow::Result<Measured> {
    let clips = &args.clips;
    let descriptor = model.descriptor().clone();
    let long_side = args.input_long_side.unwrap_or(descriptor.input.long_side);
    let mut courses: Vec<Course> = clips
        .look_every
        .iter()
        .map(|every| Course {
            look_every: *every,
            schedule: clips.schedule(*every),
            timeline: Timeline::new(clips.fps),
            looks: 0,
            cpu_ms: 0.0,
        })
        .collect();
    let frames = usize::from(clips.frames);
    for labelled in labels.iter().step_by(usize::from(clips.only_every)) {
        let Some(how) = clips.how else { break };
        let file = args.dataset.join(&labelled.image);
        let still = read_picture(&file, labelled)?;
        let path = Path::new(still.size(), how.into(), clips.speed, None);
        let mut look = |frame: usize, s: f64| {
            let picture = path.frame(&still, s).context("a frame of the clip")?;
            look_at(model, &picture, long_side)
                .with_context(|| format!("{}, frame {frame}", file.display()))
        };
        let mut seen = Seen::default();
        for course in &mut courses {
            let looks = course.looks(clips.what, frames);
            for l in &looks {
                if !seen.0.contains_key(&l.frame) {
                    let found = look(l.frame, course.schedule.second(l.frame))?;
                    seen.0.insert(l.frame, found);
                }
                course.cpu_ms += seen.0.get(&l.frame).map_or(0.0, |(_, cpu)| *cpu);
            }
            course.looks += looks.len();
            let truths = |frame: usize| {
                let mut truths = path.truths(&labelled.boxes, course.schedule.second(frame));
                truths.retain(|t| t.class == descriptor.class);
                truths
            };
            let exact = Exact(&path, &course.schedule);
            let motion: &dyn CameraMotion = if clips.known_motion {
                &exact
            } else {
                &FixedCamera
            };
            let before = cpu_ms();
            let played = play(args, &course.schedule, path.size(), frames, motion, &seen)?;
            course.cpu_ms += cpu_ms() - before;
            let moments = moments(played, &looks, &seen, truths);
            course.timeline.add(path.size(), &moments);
        }
    }
    Ok(Measured {
        model: args.model.clone(),
        dataset: args.dataset.clone(),
        class: descriptor.class,
        what: clips.what,
        r#move: clips.how.map(Move::from),
        speed: clips.speed,
        fps: clips.fps,
        known_motion: clips.known_motion,
        input_long_side: long_side,
        threshold: descriptor.threshold,
        threads: args.threads,
        look_delay_ms: clips.look_delay_ms,
        budget_ms: clips.budget_ms,
        runs: courses.iter().map(Run::of).collect(),
    })
}

/// What is found in the whole picture, and the CPU time that it took.
fn look_at(
    model: &mut Model,
    picture: &Picture,
    long_side: u32,
) -> anyhow::Result<(Vec<Detection>, f64)> {
    let size = picture.size();
    let frame = picture.frame().context("the picture's planes")?;
    let whole = PixelBox {
        x0: 0.0,
        y0: 0.0,
        x1: f64::from(size.width),
        y1: f64::from(size.height),
    };
    let before = cpu_ms();
    let found = model.detect(&frame, &whole, long_side)?;
    Ok((found, cpu_ms() - before))
}

fn play(
    args: &super::Args,
    schedule: &Schedule,
    size: Size,
    frames: usize,
    motion: &dyn CameraMotion,
    seen: &Seen,
) -> anyhow::Result<Vec<eval::Shown>> {
    let found = |frame| seen.found(frame);
    let rules = Rules::default();
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
    truths: impl Fn(usize) -> Vec<Truth>,
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

pub(super) fn table(measured: &Measured) -> String {
    let mut lines = vec![format!(
        "{}, {}: {:?}, {} ms delay, {} ms budget, input {}, threshold {}",
        measured.model,
        measured.class,
        measured.what,
        measured.look_delay_ms,
        measured.budget_ms,
        measured.input_long_side,
        measured.threshold,
    )];
    for run in &measured.runs {
        lines.extend(lines_of(run));
    }
    lines.join("\n")
}

fn percent(share: Option<f64>) -> String {
    share.map_or("–".to_owned(), |s| format!("{:.1}", 100.0 * s))
}

fn lines_of(run: &Run) -> Vec<String> {
    let report = &run.report;
    let spread = |s: &Spread, times: f64| {
        let of = |v: Option<f64>| v.map_or("–".to_owned(), |v| format!("{:.1}", v * times));
        format!("{}/{}/{}/{}", of(s.mean), of(s.p50), of(s.p95), of(s.max))
    };
    let mut lines = vec![
        format!(
            "every {}: {} clips, {} frames, {} % of them covered, {:.2} looks and {:.1} ms of CPU a frame",
            run.look_every,
            report.clips,
            report.frames,
            percent(report.covered),
            run.looks_per_frame,
            run.cpu_ms_per_frame.unwrap_or(f64::NAN),
        ),
        format!(
            "  of a frame {} % hidden without need; hidden {} %, {} times what is there (mean/median/95 %/most)",
            percent(report.hidden_outside),
            spread(&report.hidden, 100.0),
            spread(&report.hidden_per_true, 1.0),
        ),
        format!(
            "  {:>9} {:>6} {:>6} {:>9} {:>12} {:>12} {:>12} {:>9}",
            "height px",
            "things",
            "found",
            "hidden %",
            "bare before",
            "in reach",
            "after",
            "flicker/s"
        ),
    ];
    let line = |h: &Held| {
        format!(
            "  {:>9} {:>6} {:>6} {:>9} {:>12} {:>12} {:>12} {:>9}",
            h.height_px,
            h.things,
            h.found,
            percent(h.hidden_frames),
            h.longest_bare_before,
            format!("{} ({})", h.longest_bare_in_reach, h.bare_in_reach),
            format!("{} ({})", h.longest_bare_after, h.bare_after),
            h.flicker_per_s
                .map_or("–".to_owned(), |f| format!("{f:.2}"))
        )
    };
    lines.push(line(&report.all));
    lines.push(line(&report.large));
    lines.extend(report.by_height.iter().map(line));
    lines
}
