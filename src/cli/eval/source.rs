//! Where clips come from: stills that are moved, or files.

use super::clips::{Course, Seen, What};
use super::read_picture;
use anyhow::{Context, bail};
use greyplane::clock::CaptureTime;
use greyplane::detect::{Class, Detection};
use greyplane::eval::{Labelled, LabelledClip, Labels, Move, Path, Schedule, Truth, write_labels};
use greyplane::frame::{FrameRef, Picture};
use greyplane::geom::{PixelPoint, Size};
use greyplane::media::ClipReader;
use greyplane::track::CameraMotion;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// One clip.
pub(super) enum Source<'a> {
    Moved {
        file: PathBuf,
        still: Picture,
        labelled: &'a Labelled,
        path: Path,
        frames: usize,
    },
    File {
        file: PathBuf,
        labelled: &'a LabelledClip,
        frames: usize,
    },
}

/// The clips that are asked for, one after another.
pub(super) fn sources<'a>(
    args: &'a super::Args,
    labels: &'a Labels,
) -> Box<dyn Iterator<Item = anyhow::Result<Source<'a>>> + 'a> {
    let clips = &args.clips;
    if let Some(how) = clips.how {
        let stills = labels.stills.iter().step_by(usize::from(clips.only_every));
        return Box::new(stills.map(move |l| moved(args, l, how.into(), None)));
    }
    let files = labels.clips.iter().step_by(usize::from(clips.only_every));
    Box::new(files.map(|labelled| {
        Ok(Source::File {
            file: args.dataset.join(&labelled.clip),
            labelled,
            frames: labelled.frames.keys().max().map_or(0, |last| last + 1),
        })
    }))
}

fn moved<'a>(
    args: &super::Args,
    labelled: &'a Labelled,
    how: Move,
    size: Option<Size>,
) -> anyhow::Result<Source<'a>> {
    let file = args.dataset.join(&labelled.image);
    let still = read_picture(&file, labelled)?;
    let path = Path::new(still.size(), how, args.clips.speed, size);
    Ok(Source::Moved {
        file,
        still,
        labelled,
        path,
        frames: usize::from(args.clips.frames),
    })
}

/// Exactly how a moved still moves.
pub(super) struct Exact<'a>(&'a Path, CaptureTime);

impl CameraMotion for Exact<'_> {
    fn carry(&self, from: CaptureTime, to: CaptureTime, point: PixelPoint) -> Option<PixelPoint> {
        let s = |t: CaptureTime| t.seconds_since(self.1);
        Some(self.0.carried(s(from), s(to), point))
    }
}

impl Source<'_> {
    pub(super) fn size(&self) -> Size {
        match self {
            Self::Moved { path, .. } => path.size(),
            Self::File { labelled, .. } => labelled.size,
        }
    }

    /// As far as it is labelled.
    pub(super) fn frames(&self) -> usize {
        match self {
            Self::Moved { frames, .. } | Self::File { frames, .. } => *frames,
        }
    }

    /// What of `class` is in a frame.
    pub(super) fn truths(
        &self,
        frame: usize,
        schedule: &Schedule,
        class: Class,
    ) -> Option<Vec<Truth>> {
        let mut truths = match self {
            Self::Moved { path, labelled, .. } => {
                path.truths(&labelled.boxes, schedule.second(frame))
            }
            Self::File { labelled, .. } => labelled.frames.get(&frame)?.clone(),
        };
        truths.retain(|t| t.class == class);
        Some(truths)
    }

    pub(super) fn motion(&self, schedule: &Schedule) -> Option<Exact<'_>> {
        match self {
            Self::Moved { path, .. } => Some(Exact(path, schedule.capture(0))),
            Self::File { .. } => None,
        }
    }

    /// Looks at every frame that one of the courses looks at, once.
    pub(super) fn look(
        &self,
        courses: &[Course],
        what: What,
        mut look: impl FnMut(&FrameRef<'_>) -> anyhow::Result<(Vec<Detection>, f64)>,
    ) -> anyhow::Result<Seen> {
        let looks = courses.iter().flat_map(|c| c.looks(what, self.frames()));
        let wanted: BTreeSet<usize> = looks.map(|l| l.frame).collect();
        let mut seen = Seen::default();
        match self {
            Self::Moved {
                file, still, path, ..
            } => {
                for frame in wanted {
                    let s = courses.first().map_or(0.0, |c| c.second(frame));
                    let picture = path.frame(still, s).context("a frame of the clip")?;
                    let view = picture.frame().context("the picture's planes")?;
                    let found = look(&view)
                        .with_context(|| format!("{}, frame {frame}", file.display()))?;
                    seen.0.insert(frame, found);
                }
            }
            Self::File { file, labelled, .. } => {
                let mut reader = ClipReader::open(file)?;
                if reader.size() != labelled.size {
                    bail!(
                        "{} has frames of {:?}, its labels say {:?}",
                        file.display(),
                        reader.size(),
                        labelled.size
                    );
                }
                let mut frame = 0;
                while let Some(picture) = reader.next()? {
                    if wanted.contains(&frame) {
                        let view = picture.view().context("the picture's planes")?;
                        let found = look(&view)
                            .with_context(|| format!("{}, frame {frame}", file.display()))?;
                        seen.0.insert(frame, found);
                    }
                    frame += 1;
                }
                if frame < self.frames() {
                    bail!(
                        "{} has {frame} frames, {} are labelled",
                        file.display(),
                        self.frames()
                    );
                }
            }
        }
        Ok(seen)
    }
}

/// Writes each moved still as a clip, and the labels of all.
pub(super) fn write(
    args: &super::Args,
    labels: &Labels,
    folder: &std::path::Path,
) -> anyhow::Result<String> {
    let clips = &args.clips;
    let how = clips.how.context("--write-clips needs --move")?;
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut written = Vec::new();
    for labelled in labels.stills.iter().step_by(usize::from(clips.only_every)) {
        let source = moved(args, labelled, how.into(), Some(clips.size))?;
        let name = format!("{:04}.mp4", written.len());
        written.push(write_one(&source, &folder.join(&name), name, clips.fps)?);
    }
    let file = folder.join("labels.json");
    std::fs::write(&file, write_labels(&written)?)
        .with_context(|| format!("cannot write {}", file.display()))?;
    Ok(format!("{}: {} clips", file.display(), written.len()))
}

/// Nearly without loss: what is measured is not the encoder.
fn write_one(
    source: &Source<'_>,
    file: &std::path::Path,
    name: String,
    fps: f64,
) -> anyhow::Result<LabelledClip> {
    let Source::Moved {
        still,
        path,
        labelled,
        frames,
        ..
    } = source
    else {
        bail!("only moved stills are written");
    };
    let size = path.size();
    let raw = ["-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt"];
    let coded = ["-preset", "veryfast", "-crf", "12", "-bf", "0"];
    let mut encoder = Command::new("ffmpeg")
        .args(raw)
        .args(["yuv420p", "-s", &format!("{}x{}", size.width, size.height)])
        .args(["-r", &fps.to_string(), "-i", "-", "-c:v", "libx264"])
        .args(coded)
        .arg(file)
        .stdin(Stdio::piped())
        .spawn()
        .context("cannot start ffmpeg")?;
    let mut pipe = encoder.stdin.take().context("ffmpeg takes nothing")?;
    let mut labels = LabelledClip {
        clip: name,
        size,
        fps,
        frames: BTreeMap::new(),
    };
    for frame in 0..*frames {
        let s = frame as f64 / fps;
        let picture = path.frame(still, s).context("a frame of the clip")?;
        let view = picture.frame().context("the picture's planes")?;
        for (plane, y) in
            (0..3).flat_map(|plane| (0..size.height as usize).map(move |y| (plane, y)))
        {
            // Chroma has half as many rows; those beyond are empty.
            pipe.write_all(view.row(plane, y)).context("ffmpeg ended")?;
        }
        labels.frames.insert(frame, path.truths(&labelled.boxes, s));
    }
    drop(pipe);
    let status = encoder.wait().context("ffmpeg")?;
    if !status.success() {
        bail!("ffmpeg ended with {status}");
    }
    Ok(labels)
}
