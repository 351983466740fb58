//! `greyplane eval`: how well a detection model, or the whole detector, hides
//! what is labelled.

mod clips;
mod source;
mod table;

use super::Failure;
use anyhow::{Context, anyhow};
use greyplane::app::Shelf;
use greyplane::clock::{Clock, SystemClock};
use greyplane::detect::ort::Model;
use greyplane::detect::{Class, Detector, PixelBox, Scores};
use greyplane::eval::{self, Bucket, Labelled, Labels, Report, Score};
use greyplane::frame::{Matrix, Picture};
use greyplane::geom::Size;
use serde::Serialize;
use std::fs;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A folder with labels.json: a list of {image, width, height, boxes: [{class, xyxy}]}.
    #[arg(long, value_name = "DIR")]
    dataset: PathBuf,
    /// A model's name, or an .onnx file with its descriptor (.toml) beside it.
    #[arg(long, value_name = "NAME|FILE")]
    model: String,
    /// Bring the longer side of each picture to this many samples [default: the model's].
    #[arg(long, value_name = "N")]
    input_long_side: Option<u32>,
    /// Count what is at least this sure, above 0 and below 1 [default: the model's].
    #[arg(long, value_name = "T")]
    threshold: Option<f32>,
    /// Grow found boxes by this share before looking at what they hide.
    #[arg(long, value_name = "SHARE", default_value_t = 0.3)]
    grow: f64,
    /// Threads for one network.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: u16,
    #[command(flatten)]
    clips: clips::ClipArgs,
    /// Give the report as JSON.
    #[arg(long)]
    json: bool,
}

/// What was measured, and on what.
#[derive(Debug, Serialize)]
struct Measured {
    model: String,
    dataset: PathBuf,
    class: Class,
    input_long_side: u32,
    threshold: f32,
    threads: u16,
    /// Median time from planes to boxes, milliseconds; decoding the file is not in it.
    ms_per_image: Option<f64>,
    /// Mean CPU time of the same over all threads, milliseconds: unlike the
    /// time above it hardly depends on what else the machine does.
    cpu_ms_per_image: Option<f64>,
    #[serde(flatten)]
    report: Report,
}

impl Args {
    #[allow(clippy::print_stdout, reason = "the answer to the person who asked")]
    pub(crate) fn run(self) -> Result<(), Failure> {
        if !(self.grow.is_finite() && (0.0..=4.0).contains(&self.grow)) {
            return Err(Failure::Usage(anyhow!(
                "--grow {} is no share; write 0 to 4",
                self.grow
            )));
        }
        let labels = self.labels()?;
        self.clips.check().map_err(Failure::Usage)?;
        if let Some(folder) = &self.clips.write_clips {
            println!("{}", source::write(&self, &labels, folder)?);
            return Ok(());
        }
        let moving = self.clips.how.is_some() || !labels.clips.is_empty();
        let (mut model, scores) = self.load_model(moving)?;
        if moving {
            let measured = clips::measure(&self, &mut model, scores, &labels)?;
            let text = if self.json {
                serde_json::to_string_pretty(&measured).context("the report")?
            } else {
                table::table(&measured)
            };
            println!("{text}");
            return Ok(());
        }
        let measured = self.measure(&mut model, &labels.stills)?;
        if self.json {
            let text = serde_json::to_string_pretty(&measured).context("the report")?;
            println!("{text}");
        } else {
            println!("{}", table(&measured));
        }
        Ok(())
    }

    fn labels(&self) -> Result<Labels, Failure> {
        let path = self.dataset.join("labels.json");
        let text = fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}", path.display()))
            .map_err(Failure::Usage)?;
        eval::parse_labels(&text)
            .with_context(|| path.display().to_string())
            .map_err(Failure::Usage)
    }

    /// The model, and its scores where what it finds is followed.
    fn load_model(&self, moving: bool) -> Result<(Model, Option<Scores>), Failure> {
        let shelf = Shelf::open(None).map_err(Failure::Usage)?;
        let loaded = shelf.load(&self.model, usize::from(self.threads), |descriptor| {
            if let Some(threshold) = self.threshold {
                descriptor.threshold = threshold;
            }
            let followed = moving && self.clips.what != clips::What::Model;
            followed.then(|| descriptor.for_tracks())
        });
        let (loaded, scores) = loaded.map_err(Failure::Usage)?;
        Ok((loaded.model, scores))
    }

    fn measure(&self, model: &mut Model, labels: &[Labelled]) -> Result<Measured, Failure> {
        let clock = SystemClock::new();
        let class = model.descriptor().class;
        let long_side = self
            .input_long_side
            .unwrap_or(model.descriptor().input.long_side);
        let mut score = Score::new(self.grow);
        let mut cpu = 0.0;
        let mut times_ms = Vec::with_capacity(labels.len());
        for labelled in labels {
            let path = self.dataset.join(&labelled.image);
            let picture = read_picture(&path, labelled)?;
            let size = picture.size();
            let frame = picture.frame().context("the picture's planes")?;
            let whole = PixelBox {
                x0: 0.0,
                y0: 0.0,
                x1: f64::from(size.width),
                y1: f64::from(size.height),
            };
            let (before, cpu_before) = (clock.mono(), cpu_ms());
            let found = model
                .detect(&frame, &whole, long_side)
                .with_context(|| path.display().to_string())?;
            cpu += cpu_ms() - cpu_before;
            times_ms.push(clock.mono().since(before).as_secs_f64() * 1e3);
            let truths: Vec<PixelBox> = labelled
                .boxes
                .iter()
                .filter(|(c, _)| *c == class)
                .map(|(_, at)| *at)
                .collect();
            score.add(size, &truths, &found);
        }
        times_ms.sort_by(f64::total_cmp);
        Ok(Measured {
            model: self.model.clone(),
            dataset: self.dataset.clone(),
            class,
            input_long_side: long_side,
            threshold: model.descriptor().threshold,
            threads: self.threads,
            ms_per_image: times_ms.get(times_ms.len() / 2).copied(),
            // NaN where the machine does not tell: then there is none.
            cpu_ms_per_image: Some(cpu / labels.len() as f64).filter(|ms| ms.is_finite()),
            report: score.report(),
        })
    }
}

/// CPU time of this process so far, milliseconds, in steps of a clock tick;
/// NaN where /proc does not tell.
fn cpu_ms() -> f64 {
    let stat = procfs::process::Process::myself().and_then(|me| me.stat());
    stat.map_or(f64::NAN, |s| {
        (s.utime + s.stime) as f64 * 1e3 / procfs::ticks_per_second() as f64
    })
}

/// A JPEG or PNG as a frame, of the size that its label states.
fn read_picture(path: &Path, labelled: &Labelled) -> anyhow::Result<Picture> {
    let read = image::open(path)
        .with_context(|| format!("cannot read {}", path.display()))?
        .into_rgb8();
    let size = Size {
        width: read.width(),
        height: read.height(),
    };
    if (size.width, size.height) != (labelled.width, labelled.height) {
        return Err(anyhow!(
            "{} has {}x{} samples, its label says {}x{}",
            path.display(),
            size.width,
            size.height,
            labelled.width,
            labelled.height
        ));
    }
    // JPEG is BT.601 whatever its size; the conversion back undoes either.
    Ok(Picture::from_rgb(read.as_raw(), size, Matrix::Bt601)?)
}

fn table(measured: &Measured) -> String {
    let percent =
        |share: Option<f64>| share.map_or("–".to_owned(), |s| format!("{:.1}", 100.0 * s));
    let report = &measured.report;
    let mut lines = vec![
        format!(
            "{}, {}: {} pictures, input {}, threshold {}, boxes grown by {}",
            measured.model,
            measured.class,
            report.images,
            measured.input_long_side,
            measured.threshold,
            report.grow
        ),
        format!(
            "{:.1} ms a picture with {} threads, {:.1} ms of CPU; {:.2} false positives a picture, {} % of a picture hidden without need",
            measured.ms_per_image.unwrap_or(f64::NAN),
            measured.threads,
            measured.cpu_ms_per_image.unwrap_or(f64::NAN),
            report.false_positives_per_image.unwrap_or(f64::NAN),
            percent(report.hidden_outside)
        ),
        format!(
            "{:>9} {:>6} {:>8} {:>9} {:>9}",
            "height px", "boxes", "recall %", "covered %", "≥ 90 %"
        ),
    ];
    let line = |b: &Bucket| {
        format!(
            "{:>9} {:>6} {:>8} {:>9} {:>9}",
            b.height_px,
            b.boxes,
            percent(b.recall),
            percent(b.mean_covered),
            percent(b.covered_90)
        )
    };
    lines.push(line(&report.all));
    lines.extend(report.by_height.iter().map(line));
    lines.join("\n")
}
