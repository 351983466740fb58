//! `greyplane mask`: look at zone documents without a camera.

mod picture;

use super::Failure;
use anyhow::{Context, anyhow};
use clap::{Parser, Subcommand};
use greyplane::geom::{Angle, Gaze, Mount, Optics, Size, View};
use greyplane::zone::{Document, MAX_DOCUMENT_BYTES, Mode, ZoneErrors, ZoneSet};
use picture::{Canvas, Lookout};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

#[derive(Debug, Parser)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Check a zone document: all mistakes at once, with place and remedy.
    Check(Check),
    /// Draw a zone document into a picture.
    Show(Show),
    /// Print the JSON Schema of zone documents.
    Schema,
}

#[derive(Debug, clap::Args)]
struct Check {
    /// The zone document.
    file: PathBuf,
    /// The camera it must be for; without it, any camera.
    #[arg(long)]
    camera: Option<String>,
}

#[derive(Debug, clap::Args)]
struct Show {
    /// The zone document.
    file: PathBuf,
    /// Where to write the picture (PNG).
    #[arg(short, long, value_name = "PNG")]
    out: PathBuf,
    /// Draw into this frame (PNG) instead of a grid of directions.
    #[arg(long, value_name = "PNG", conflicts_with_all = ["size", "panorama"])]
    frame: Option<PathBuf>,
    /// Draw everything around the camera: pan −180° to 180°, tilt 90° to −90°.
    #[arg(long, conflicts_with_all = ["pan_deg", "tilt_deg", "roll_deg", "hfov_deg"])]
    panorama: bool,
    /// Where the camera looks, degrees to the right.
    #[arg(long = "pan", default_value_t = 0.0, allow_negative_numbers = true)]
    pan_deg: f64,
    /// Where the camera looks, degrees upwards.
    #[arg(long = "tilt", default_value_t = 0.0, allow_negative_numbers = true)]
    tilt_deg: f64,
    /// How the camera is turned clockwise about its axis, degrees.
    #[arg(long = "roll", default_value_t = 0.0, allow_negative_numbers = true)]
    roll_deg: f64,
    /// The horizontal field of view, degrees.
    #[arg(long = "hfov", default_value_t = 60.0)]
    hfov_deg: f64,
    /// Radial distortion k1, where the lens has one.
    #[arg(long, default_value_t = 0.0, allow_negative_numbers = true)]
    k1: f64,
    /// Radial distortion k2.
    #[arg(long, default_value_t = 0.0, allow_negative_numbers = true)]
    k2: f64,
    /// The picture's size without --frame [default: 1280x720, panorama 2048x1024].
    #[arg(long, value_parser = parse_size, value_name = "WxH")]
    size: Option<Size>,
}

impl Args {
    #[allow(clippy::print_stdout, reason = "the answer to the person who asked")]
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.action {
            Action::Check(args) => println!("{}", args.run()?),
            Action::Show(args) => println!("{}", args.run()?),
            Action::Schema => println!("{:#}", Document::schema()),
        }
        Ok(())
    }
}

impl Check {
    fn run(&self) -> Result<String, Failure> {
        let set = load(&self.file, self.camera.as_deref())?;
        let count = |mode| set.zones().iter().filter(|z| z.mode == mode).count();
        Ok(format!(
            "{} is in order: camera {}, {} zones to hide, {} to show only, {} presets.",
            self.file.display(),
            set.document().camera,
            count(Mode::Hide),
            count(Mode::ShowOnly),
            set.document().presets.len(),
        ))
    }
}

impl Show {
    fn run(&self) -> Result<String, Failure> {
        let set = load(&self.file, None)?;
        let mut canvas = match &self.frame {
            Some(path) => Canvas::read(path)
                .with_context(|| format!("cannot read the frame {}", path.display()))?,
            None => Canvas::new(
                self.size
                    .unwrap_or(if self.panorama { PANORAMA } else { FRAME }),
            ),
        };
        let lookout = if self.panorama {
            Lookout::Panorama(canvas.size())
        } else {
            Lookout::Frame(self.view(canvas.size())?)
        };
        if self.frame.is_none() {
            canvas.draw_grid(&lookout);
        }
        canvas.draw_zones(&set, &lookout);
        canvas
            .write(&self.out)
            .with_context(|| format!("cannot write {}", self.out.display()))?;
        Ok(self.legend(&set))
    }

    fn view(&self, size: Size) -> Result<View, Failure> {
        let usage = |e: greyplane::geom::GeomError| Failure::Usage(e.into());
        if !(self.hfov_deg > 0.0 && self.hfov_deg < 175.0) {
            return Err(Failure::Usage(anyhow!(
                "--hfov {} is no field of view; write degrees between 0 and 175",
                self.hfov_deg
            )));
        }
        let gaze = Gaze {
            pan: Angle::from_deg(self.pan_deg),
            tilt: Angle::from_deg(self.tilt_deg),
            roll: Angle::from_deg(self.roll_deg),
        };
        let focal_px = View::focal_px_of(Angle::from_deg(self.hfov_deg), size.width);
        let optics = Optics::new(self.k1, self.k2).map_err(usage)?;
        View::new(gaze, focal_px, size, optics, Mount::LEVEL).map_err(usage)
    }

    /// The numbers in the picture, and what could not be drawn there.
    fn legend(&self, set: &ZoneSet) -> String {
        let mut lines = vec![format!("{}:", self.out.display())];
        for (i, zone) in set.zones().iter().enumerate() {
            let mode = match zone.mode {
                Mode::Hide => "hide",
                Mode::ShowOnly => "show-only",
            };
            let name = zone.name.as_deref().unwrap_or_default();
            let left_out = if self.panorama && set.sphere_polygon(i).is_none() {
                " (a zone of the picture: not drawn in a panorama)"
            } else {
                ""
            };
            lines.push(format!("  {i} {} {mode} {name}{left_out}", zone.id));
        }
        lines.join("\n")
    }
}

const FRAME: Size = Size {
    width: 1280,
    height: 720,
};
const PANORAMA: Size = Size {
    width: 2048,
    height: 1024,
};
/// The largest picture drawn without a frame to draw into.
const MAX_SIDE_PX: u32 = 8192;

fn parse_size(text: &str) -> Result<Size, String> {
    let side = |t: &str| {
        t.parse::<u32>()
            .ok()
            .filter(|v| (16..=MAX_SIDE_PX).contains(v))
    };
    text.split_once('x')
        .and_then(|(w, h)| {
            Some(Size {
                width: side(w)?,
                height: side(h)?,
            })
        })
        .ok_or_else(|| format!("write it as 1280x720, each side from 16 to {MAX_SIDE_PX}"))
}

fn load(path: &Path, camera: Option<&str>) -> Result<ZoneSet, Failure> {
    let mut bytes = Vec::new();
    // One byte more than is allowed, so that the reader can say what is wrong.
    let limit = u64::try_from(MAX_DOCUMENT_BYTES).unwrap_or(u64::MAX - 1) + 1;
    File::open(path)
        .and_then(|file| file.take(limit).read_to_end(&mut bytes))
        .with_context(|| format!("cannot read {}", path.display()))
        .map_err(Failure::Usage)?;
    let read = match camera {
        Some(camera) => ZoneSet::parse(&bytes, camera),
        None => ZoneSet::parse_for_any_camera(&bytes),
    };
    read.map_err(|errors| Failure::Usage(anyhow!(mistakes(path, &errors))))
}

/// One mistake a line, each with the file it is in.
fn mistakes(path: &Path, errors: &ZoneErrors) -> String {
    let total = errors.errors.len() + errors.more;
    let mut lines = vec![format!(
        "{} has {total} mistake{}",
        path.display(),
        if total == 1 { "" } else { "s" }
    )];
    lines.extend(errors.iter().map(|e| format!("{}:{e}", path.display())));
    if errors.more > 0 {
        lines.push(format!("and {} more", errors.more));
    }
    lines.join("\n")
}
