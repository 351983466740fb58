//! Masked frames into an MP4 file.
//!
//! ```text
//! appsrc ! videoconvert ! encoder ! h264parse ! mp4mux ! filesink
//!                   sound of the clip ! avenc_aac ! ┘
//! ```
//! [`ClipWriter::write`] takes a [`MaskedFrame`] and nothing else. What the
//! decoder hung onto a frame (captions, user data) is taken off, and no tag of
//! the clip reaches the file.

use super::MediaError;
use super::reader::ClipFrame;
use super::sound::{self, Sound};
use crate::geom::Size;
use crate::paint::MaskedFrame;
use crate::pipeline::{element, file_encoder_chain};
use gst::prelude::*;
use gstreamer as gst;
use gstreamer_app::AppSrc;
use gstreamer_video::{VideoInfo, VideoMeta};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Painted frames that wait for the encoder.
const WAITING: u64 = 4;
/// How long is waited before the encoder is looked at again.
const TICK: gst::ClockTime = gst::ClockTime::from_mseconds(2);
/// An encoder that takes nothing for this long has failed.
const STANDSTILL: gst::ClockTime = gst::ClockTime::from_seconds(120);
/// Stamps of video in the file, a second.
const TIMESCALE: u32 = 90_000;
/// Bits for a luma sample where the encoder knows no constant quality.
const BITS_A_SAMPLE: f64 = 0.12;

/// How a masked clip is written.
#[derive(Clone, Debug, Default)]
pub struct WriterSettings {
    /// Bit rate, kbit/s; without it the quality is held instead.
    pub bitrate_kbit: Option<u32>,
    /// The clip whose sound is taken along, and how.
    pub sound: Option<(PathBuf, Sound)>,
}

/// Writes masked frames into an MP4 file. A writer that is dropped before
/// [`finish`](Self::finish) leaves a file that no player takes for a clip.
#[derive(Debug)]
pub struct ClipWriter {
    file: PathBuf,
    pipeline: gst::Pipeline,
    source: AppSrc,
    started: bool,
}

impl ClipWriter {
    /// Begins `file`, which is overwritten, for frames of one size.
    ///
    /// # Errors
    /// See [`MediaError`].
    pub fn create(file: &Path, size: Size, settings: &WriterSettings) -> Result<Self, MediaError> {
        gst::init().map_err(MediaError::machine)?;
        let location = file
            .to_str()
            .ok_or_else(|| MediaError::Name(file.to_owned()))?;
        let make = |name| element(name).map_err(MediaError::machine);
        let pipeline = gst::Pipeline::new();
        let source = AppSrc::builder()
            .format(gst::Format::Time)
            .max_buffers(WAITING)
            .build();
        let usual = f64::from(size.width) * f64::from(size.height) * 25.0 * BITS_A_SAMPLE / 1e3;
        let mut chain = vec![source.clone().upcast()];
        if size.width % 2 + size.height % 2 > 0 {
            // 4:2:0 in H.264 has even sides only.
            let crop = make("videocrop")?;
            crop.set_property("right", (size.width % 2) as i32);
            crop.set_property("bottom", (size.height % 2) as i32);
            chain.push(crop);
        }
        let encoder = file_encoder_chain(settings.bitrate_kbit, usual as u32);
        chain.extend(encoder.map_err(MediaError::machine)?);
        let mux = make("mp4mux")?;
        let sink = make("filesink")?;
        sink.set_property("location", location);
        pipeline.add_many(&chain).map_err(MediaError::machine)?;
        pipeline
            .add_many([&mux, &sink])
            .map_err(MediaError::machine)?;
        gst::Element::link_many(&chain).map_err(MediaError::machine)?;
        mux.link(&sink).map_err(MediaError::machine)?;
        let pad = |name| {
            let pad = mux.request_pad_simple(name);
            pad.inspect(without_tags)
                .ok_or_else(|| MediaError::Machine(format!("mp4mux has no {name}")))
        };
        let video = pad("video_%u")?;
        video.set_property("trak-timescale", TIMESCALE);
        let encoded = chain.last().and_then(|e| e.static_pad("src"));
        encoded
            .ok_or_else(|| MediaError::Machine("the encoder has no output".to_owned()))?
            .link(&video)
            .map_err(MediaError::machine)?;
        if let Some((clip, kind)) = &settings.sound {
            sound::add(clip, *kind, &pipeline, &pad("audio_%u")?)?;
        }
        Ok(Self {
            file: file.to_owned(),
            pipeline,
            source,
            started: false,
        })
    }

    /// Takes the next masked frame; waits while the encoder is busy.
    ///
    /// # Errors
    /// [`MediaError::Write`]: the file is not complete and will not be.
    pub fn write(&mut self, frame: MaskedFrame<ClipFrame>) -> Result<(), MediaError> {
        let picture = frame.into_inner().picture;
        if !self.started {
            self.start(picture.info())?;
        }
        let mut waited = gst::ClockTime::ZERO;
        while self.source.current_level_buffers() >= WAITING {
            self.listen(TICK)?;
            waited += TICK;
            if waited > STANDSTILL {
                return Err(self.failed("the encoder stands still"));
            }
        }
        let mut buffer = picture.into_buffer();
        bare(&mut buffer);
        if self.source.push_buffer(buffer).is_err() {
            self.listen(TICK)?;
            return Err(self.failed("the encoder takes no more frames"));
        }
        Ok(())
    }

    /// Completes the file.
    ///
    /// # Errors
    /// [`MediaError::Write`]: the file is not complete and will not be.
    pub fn finish(mut self) -> Result<(), MediaError> {
        if !self.started {
            return Err(self.failed("no frame was written"));
        }
        if self.source.end_of_stream().is_err() {
            self.listen(TICK)?;
            return Err(self.failed("the encoder does not end"));
        }
        let mut waited = gst::ClockTime::ZERO;
        let mut written = 0;
        while !self.listen(TICK * 10)? {
            // A slow disk is no standstill.
            let now = self.position();
            waited = if now == written {
                waited + TICK * 10
            } else {
                gst::ClockTime::ZERO
            };
            written = now;
            if waited > STANDSTILL {
                return Err(self.failed("the file is not completed"));
            }
        }
        self.pipeline
            .set_state(gst::State::Null)
            .map(|_| ())
            .map_err(|_| self.failed("the file is not closed"))
    }

    fn start(&mut self, info: &VideoInfo) -> Result<(), MediaError> {
        let caps = info.to_caps().map_err(MediaError::machine)?;
        self.source.set_caps(Some(&caps));
        self.started = true;
        if self.pipeline.set_state(gst::State::Playing).is_err() {
            self.listen(TICK)?;
            return Err(self.failed("GStreamer does not start"));
        }
        Ok(())
    }

    /// Bytes in the file.
    fn position(&self) -> u64 {
        std::fs::metadata(&self.file).map_or(0, |m| m.len())
    }

    /// Takes what the elements say, waiting for at most `wait`; whether the file
    /// is complete.
    fn listen(&mut self, wait: gst::ClockTime) -> Result<bool, MediaError> {
        use gst::{MessageType, MessageView};
        let Some(bus) = self.pipeline.bus() else {
            return Ok(false);
        };
        let kinds = [MessageType::Error, MessageType::Eos];
        match bus.timed_pop_filtered(wait, &kinds) {
            Some(message) => match message.view() {
                MessageView::Error(e) => {
                    tracing::debug!(details = ?e.debug(), "the clip cannot be written");
                    Err(self.failed(&e.error().to_string()))
                }
                _ => Ok(true),
            },
            None => Ok(false),
        }
    }

    fn failed(&self, why: &str) -> MediaError {
        MediaError::Write {
            file: self.file.clone(),
            why: why.to_owned(),
        }
    }
}

impl Drop for ClipWriter {
    fn drop(&mut self) {
        // Nothing can be done about a pipeline that does not stop.
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

/// Takes off everything but what says how the samples lie.
fn bare(buffer: &mut gst::Buffer) {
    use gst::buffer::BufferMetaForeachAction::{Keep, Remove};
    let buffer = buffer.make_mut();
    let layout = VideoMeta::meta_api();
    buffer.foreach_meta_mut(|meta| {
        let stays = meta.api() == layout;
        ControlFlow::Continue(if stays { Keep } else { Remove })
    });
}

/// Lets no tag and no table of contents into `pad`.
fn without_tags(pad: &gst::Pad) {
    pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, |_, info| {
        match info.event().map(|e| e.type_()) {
            Some(gst::EventType::Tag | gst::EventType::Toc) => gst::PadProbeReturn::Handled,
            _ => gst::PadProbeReturn::Ok,
        }
    });
}
