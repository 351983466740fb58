//! Frames of a clip, one after another.
//!
//! ```text
//! filesrc ! decodebin ! videoconvert ! videoflip ! videoscale ! I420 of one size ! appsink
//! ```
//! The picture is turned upright by the clip's own tag. The size is that of the
//! first frame; where a clip changes it, later frames are scaled into the first
//! one's size with borders, so that whoever looks and whoever paints see the
//! same samples. Sound, subtitles and data are not decoded here.

use super::MediaError;
use super::demux::{Found, Wanted, demux, lock, throw_away};
use crate::clock::CaptureTime;
use crate::frame::{FrameError, FrameMut, FrameRef, MAX_SIDE};
use crate::geom::Size;
use crate::paint::Paintable;
use crate::pipeline::{Copies, GstFrame, element};
use gst::prelude::*;
use gstreamer as gst;
use gstreamer_app::AppSink;
use gstreamer_video::VideoInfo;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// A decoder that gives neither a frame nor an error for this long has failed.
const STANDSTILL: gst::ClockTime = gst::ClockTime::from_seconds(120);
/// No frame yet, and nothing more read from the file, for this long: decodebin
/// now and then keeps an error to itself.
const NO_BEGINNING: gst::ClockTime = gst::ClockTime::from_seconds(20);
/// How often errors are looked for meanwhile.
const TICK: gst::ClockTime = gst::ClockTime::from_mseconds(100);
/// Decoded frames that wait to be taken.
const WAITING: u32 = 3;
/// Frames whose clip gives them no later time than the one before are this far apart.
const APART_NS: u64 = 1_000_000;

/// One decoded frame of a clip: upright, I420, in memory of its own.
#[derive(Debug)]
pub struct ClipFrame {
    pub(super) picture: GstFrame,
    at_ns: u64,
    damaged: bool,
}

impl ClipFrame {
    /// When it is shown, nanoseconds from the clip's beginning; later than the
    /// frame before.
    pub fn at_ns(&self) -> u64 {
        self.at_ns
    }

    /// The same as a time of the tracks'.
    pub fn at(&self) -> CaptureTime {
        CaptureTime(i64::try_from(self.at_ns).unwrap_or(i64::MAX))
    }

    /// The decoder made parts of it up, or it may be predicted from a frame that
    /// could not be decoded.
    pub fn is_damaged(&self) -> bool {
        self.damaged
    }

    /// Width and height, luma samples.
    pub fn size(&self) -> Size {
        self.picture.size()
    }

    /// The picture to look at.
    ///
    /// # Errors
    /// [`FrameError`] where the memory is not the picture it claims to be.
    pub fn view(&self) -> Result<FrameRef<'_>, FrameError> {
        self.picture.view()
    }
}

impl Paintable for ClipFrame {
    fn planes(&mut self) -> Result<FrameMut<'_>, FrameError> {
        self.picture.planes()
    }
}

/// Reads a clip from its beginning to its end, once.
#[derive(Debug)]
pub struct ClipReader {
    file: PathBuf,
    pipeline: gst::Pipeline,
    sink: AppSink,
    found: Arc<Mutex<Found>>,
    size: Size,
    form: Option<(gst::Caps, VideoInfo)>,
    copies: Copies,
    last_ns: Option<u64>,
    warnings: u64,
}

impl ClipReader {
    /// Opens a clip and decodes its first frame. Whatever GStreamer can demux and
    /// decode will do; playlists that lead elsewhere are not followed.
    ///
    /// # Errors
    /// See [`MediaError`].
    pub fn open(file: &Path) -> Result<Self, MediaError> {
        gst::init().map_err(|e| MediaError::Machine(e.to_string()))?;
        let size = File::open(file)
            .and_then(|f| f.metadata())
            .map_err(|e| MediaError::open(file, e))?;
        if size.is_dir() || size.len() == 0 {
            let what = if size.is_dir() {
                "it is a folder"
            } else {
                "it is empty"
            };
            return Err(no_video(file, what));
        }
        let found = Arc::new(Mutex::new(Found::default()));
        let (pipeline, sink, form) = build(file, &found)?;
        let mut reader = Self {
            file: file.to_owned(),
            pipeline,
            sink,
            found,
            size: Size {
                width: 0,
                height: 0,
            },
            form: None,
            copies: Copies::default(),
            last_ns: None,
            warnings: 0,
        };
        reader.begin(&form)?;
        Ok(reader)
    }

    /// Width and height of every frame, luma samples, after turning upright.
    pub fn size(&self) -> Size {
        self.size
    }

    /// How long the clip says it is.
    pub fn duration_s(&self) -> Option<f64> {
        let duration = self.pipeline.query_duration::<gst::ClockTime>()?;
        Some(duration.nseconds() as f64 * 1e-9)
    }

    /// Whether there is sound, too.
    pub fn has_sound(&self) -> bool {
        lock(&self.found).sound
    }

    /// Kinds of streams that are in the clip beside the picture that is read:
    /// sound, subtitles, data, a second camera.
    pub fn others(&self) -> Vec<String> {
        lock(&self.found).others.iter().cloned().collect()
    }

    /// Where sound and other streams end that go along with the picture, seconds
    /// from the beginning, as far as the clip was read.
    pub fn others_end_s(&self) -> f64 {
        lock(&self.found).others_end.nseconds() as f64 * 1e-9
    }

    /// How often the demuxer or decoder complained so far.
    pub fn warnings(&self) -> u64 {
        self.warnings
    }

    /// The next frame; `None` after the last one.
    ///
    /// # Errors
    /// [`MediaError::Decode`] where the clip cannot be read to its end.
    #[allow(
        clippy::should_implement_trait,
        reason = "an iterator of results would go on after an error"
    )]
    pub fn next(&mut self) -> Result<Option<ClipFrame>, MediaError> {
        let mut waited = gst::ClockTime::ZERO;
        loop {
            if let Some(sample) = self.sink.try_pull_sample(TICK) {
                if let Some(frame) = self.frame(&sample)? {
                    return Ok(Some(frame));
                }
                continue;
            }
            self.listen()?;
            if self.sink.is_eos() {
                self.is_one()?;
                return Ok(None);
            }
            waited += TICK;
            if waited > STANDSTILL {
                return Err(self.broken("the decoder stands still"));
            }
        }
    }

    /// Waits for the first frame and holds the clip to its size.
    fn begin(&mut self, form: &gst::Element) -> Result<(), MediaError> {
        self.set_state(gst::State::Paused)?;
        let (mut waited, mut reads) = (gst::ClockTime::ZERO, 0);
        let first = loop {
            if let Some(sample) = self.sink.try_pull_preroll(TICK) {
                break sample;
            }
            self.listen()?;
            let input = self.sink.static_pad("sink");
            let linked = input.is_some_and(|p| p.current_caps().is_some());
            let found = lock(&self.found);
            waited = if found.reads == reads {
                waited + TICK
            } else {
                gst::ClockTime::ZERO
            };
            reads = found.reads;
            // The sink hears of an end only once video has reached it.
            let without_video = found.complete && !linked && waited > TICK * 5;
            drop(found);
            if self.sink.is_eos() || without_video || waited > NO_BEGINNING {
                return Err(self.no_video());
            }
        };
        let info = first
            .caps()
            .and_then(|caps| VideoInfo::from_caps(caps).ok())
            .ok_or_else(|| self.no_video())?;
        self.size = Size {
            width: info.width(),
            height: info.height(),
        };
        if self.size.width.max(self.size.height) > MAX_SIDE {
            let what = format!(
                "frames of {}x{}, at most {MAX_SIDE} on a side can be handled",
                self.size.width, self.size.height
            );
            return Err(no_video(&self.file, &what));
        }
        let (width, height) = (info.width() as i32, info.height() as i32);
        form.set_property(
            "caps",
            i420().field("width", width).field("height", height).build(),
        );
        self.set_state(gst::State::Playing)
    }

    fn set_state(&mut self, to: gst::State) -> Result<(), MediaError> {
        if self.pipeline.set_state(to).is_err() {
            self.listen()?;
            return Err(self.broken("GStreamer does not start"));
        }
        Ok(())
    }

    /// Takes what the elements say.
    fn listen(&mut self) -> Result<(), MediaError> {
        use gst::MessageView;
        let Some(bus) = self.pipeline.bus() else {
            return Ok(());
        };
        while let Some(message) = bus.pop() {
            match message.view() {
                MessageView::Error(e) if self.size.width == 0 => {
                    tracing::debug!(details = ?e.debug(), "no video");
                    return Err(no_video(&self.file, &e.error().to_string()));
                }
                MessageView::Error(e) => {
                    tracing::debug!(details = ?e.debug(), "the clip cannot be read on");
                    return Err(self.broken(&e.error().to_string()));
                }
                MessageView::Warning(w) => {
                    self.warnings += 1;
                    tracing::debug!(warning = %w.error(), "the clip is damaged");
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// `None` for a frame that the clip itself says is not to be shown.
    fn frame(&mut self, sample: &gst::Sample) -> Result<Option<ClipFrame>, MediaError> {
        let (file, at_s) = (self.file.clone(), self.at_s());
        let unusable = |why: &str| MediaError::Frame {
            file: file.clone(),
            at_s,
            why: why.to_owned(),
        };
        let caps = sample.caps().ok_or_else(|| unusable("it has no form"))?;
        if self
            .form
            .as_ref()
            .is_none_or(|(of, _)| AsRef::<gst::CapsRef>::as_ref(of) != caps)
        {
            let info = VideoInfo::from_caps(caps).map_err(|e| unusable(&e.to_string()))?;
            self.form = Some((caps.to_owned(), info));
        }
        let Some((_, info)) = &self.form else {
            return Err(unusable("it has no form"));
        };
        let buffer = sample
            .buffer_owned()
            .ok_or_else(|| unusable("it is empty"))?;
        let shown = sample
            .segment()
            .and_then(|s| s.downcast_ref::<gst::ClockTime>())
            .zip(buffer.pts())
            .map(|(segment, pts)| segment.to_running_time(pts));
        let at_ns = match (shown, self.last_ns) {
            (Some(None), _) => return Ok(None),
            (Some(Some(t)), None) => t.nseconds(),
            (None, None) => 0,
            (Some(Some(t)), Some(last)) => t.nseconds().max(last.saturating_add(APART_NS)),
            (None, Some(last)) => last.saturating_add(APART_NS),
        };
        let flagged = buffer.flags().contains(gst::BufferFlags::CORRUPTED);
        self.is_one()?;
        let damaged = lock(&self.found).units.leave(&buffer) || flagged;
        let pts = gst::ClockTime::from_nseconds(at_ns);
        let picture = GstFrame::own(buffer, info, &mut self.copies, pts)
            .map_err(|e| unusable(&e.to_string()))?;
        self.last_ns = Some(at_ns);
        Ok(Some(ClipFrame {
            picture,
            at_ns,
            damaged,
        }))
    }

    /// Of several videos it is not known whose frames were damaged.
    fn is_one(&self) -> Result<(), MediaError> {
        match lock(&self.found).coded.len() {
            0 | 1 => Ok(()),
            _ => Err(MediaError::SeveralVideos(self.file.clone())),
        }
    }

    fn at_s(&self) -> f64 {
        self.last_ns.unwrap_or(0) as f64 * 1e-9
    }

    fn broken(&self, why: &str) -> MediaError {
        MediaError::Decode {
            file: self.file.clone(),
            at_s: self.at_s(),
            why: why.to_owned(),
        }
    }

    fn no_video(&self) -> MediaError {
        let others = self.others();
        if others.is_empty() {
            return no_video(&self.file, "nothing could be decoded");
        }
        no_video(&self.file, &format!("only {} was found", others.join(", ")))
    }
}

impl Drop for ClipReader {
    fn drop(&mut self) {
        // Nothing can be done about a pipeline that does not stop.
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

fn no_video(file: &Path, what: &str) -> MediaError {
    MediaError::NoVideo {
        file: file.to_owned(),
        what: what.to_owned(),
    }
}

fn i420() -> gst::caps::Builder<gst::caps::NoFeature> {
    gst::Caps::builder("video/x-raw").field("format", "I420")
}

/// The pipeline, its end, and the filter that will hold the frames to one size.
fn build(
    file: &Path,
    found: &Arc<Mutex<Found>>,
) -> Result<(gst::Pipeline, AppSink, gst::Element), MediaError> {
    let pipeline = gst::Pipeline::new();
    let demuxed = demux(file, Wanted::Picture, &pipeline, found)?;
    let chain = ["videoconvert", "videoflip", "videoscale", "capsfilter"]
        .map(element)
        .into_iter()
        .collect::<Result<Vec<_>, _>>()
        .map_err(MediaError::machine)?;
    chain[1].set_property_from_str("video-direction", "auto");
    chain[2].set_property("add-borders", true);
    chain[3].set_property("caps", i420().build());
    let sink = AppSink::builder()
        .sync(false)
        .max_buffers(WAITING)
        .enable_last_sample(false)
        .build();
    pipeline.add_many(&chain).map_err(MediaError::machine)?;
    pipeline.add(&sink).map_err(MediaError::machine)?;
    gst::Element::link_many(&chain).map_err(MediaError::machine)?;
    chain[3].link(&sink).map_err(MediaError::machine)?;
    let (first, seen, within) = (chain[0].clone(), found.clone(), pipeline.downgrade());
    demuxed.connect_pad_added(move |_, pad| {
        let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
        let kind = caps
            .structure(0)
            .map_or("?".to_owned(), |s| s.name().to_string());
        let input = first.static_pad("sink").filter(|p| !p.is_linked());
        if kind == "video/x-raw"
            && let Some(input) = input
        {
            if pad.link(&input).is_err() {
                lock(&seen)
                    .others
                    .insert("video that does not link".to_owned());
            }
            return;
        }
        let mut found = lock(&seen);
        found.sound |= kind.starts_with("audio/");
        found.others.insert(kind);
        drop(found);
        if let Some(pipeline) = within.upgrade() {
            throw_away(&pipeline, pad, &seen);
        }
    });
    Ok((pipeline, sink, chain[3].clone()))
}
