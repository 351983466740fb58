//! A recorded H.264 stream that the camera sends as it is: nothing is drawn,
//! decoded or encoded, so that the camera costs next to nothing beside what is
//! measured.

use std::path::Path;
use std::sync::Arc;

use gst::prelude::*;
use gstreamer as gst;
use gstreamer_app::AppSink;

use super::SimError;

/// A recording is kept in memory; beyond this it is not one to play with.
const MOST_BYTES: usize = 512 << 20;
/// How long the file may take to give its next frame.
const NEXT_S: u64 = 10;
const MOST_FPS: u32 = 120;

/// A recording's frames, encoded.
#[derive(Debug)]
pub(crate) struct Recording {
    /// Access units, the first one a key frame.
    units: Vec<Arc<[u8]>>,
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) fps: u32,
}

impl Recording {
    /// Reads a file.
    ///
    /// # Errors
    /// When the file is missing or holds no H.264, or its frames are not in the
    /// order of time.
    pub(crate) fn open(path: &Path) -> Result<Self, SimError> {
        let broken = |why: String| SimError::Config(format!("recording {}: {why}", path.display()));
        let launch = "filesrc name=file ! parsebin ! h264parse config-interval=-1 ! \
             video/x-h264,stream-format=byte-stream,alignment=au ! \
             appsink name=sink sync=false max-buffers=8";
        let pipeline = gst::parse::launch(launch)
            .ok()
            .and_then(|p| p.downcast::<gst::Pipeline>().ok())
            .ok_or_else(|| broken("GStreamer has no parser for it".to_owned()))?;
        if let Some(file) = pipeline.by_name("file") {
            file.set_property("location", path.as_os_str().to_string_lossy().as_ref());
        }
        let sink = pipeline
            .by_name("sink")
            .and_then(|e| e.downcast::<AppSink>().ok())
            .ok_or_else(|| broken("GStreamer has no appsink".to_owned()))?;
        let read = pipeline
            .set_state(gst::State::Playing)
            .map_err(|e| e.to_string())
            .and_then(|_| Self::read(&pipeline, &sink));
        // Nothing can be done about a pipeline that does not stop.
        let _ = pipeline.set_state(gst::State::Null);
        read.map_err(broken)
    }

    fn read(pipeline: &gst::Pipeline, sink: &AppSink) -> Result<Self, String> {
        let (mut units, mut bytes, mut newest) = (Vec::new(), 0, gst::ClockTime::ZERO);
        let mut form = None;
        while let Some(sample) = sink.try_pull_sample(gst::ClockTime::from_seconds(NEXT_S)) {
            let (Some(buffer), Some(caps)) = (sample.buffer(), sample.caps()) else {
                continue;
            };
            let said = form_of(caps).ok_or("its size or its frame rate is not known")?;
            if *form.get_or_insert(said) != said {
                return Err("its size or its frame rate changes".to_owned());
            }
            if units.is_empty() && buffer.flags().contains(gst::BufferFlags::DELTA_UNIT) {
                continue;
            }
            if let Some(pts) = buffer.pts() {
                if pts < newest {
                    return Err(
                        "its frames are not in the order of time: encode it without \
                                B-frames (ffmpeg -i IN -c:v libx264 -bf 0 OUT.mp4)"
                            .to_owned(),
                    );
                }
                newest = pts;
            }
            let unit = buffer.map_readable().map_err(|e| e.to_string())?;
            bytes += unit.len();
            if bytes > MOST_BYTES {
                return Err(format!("it is larger than {} MiB", MOST_BYTES >> 20));
            }
            units.push(Arc::from(unit.as_slice()));
        }
        if !sink.is_eos() && !units.is_empty() {
            return Err("it cannot be read to its end".to_owned());
        }
        let error = pipeline.bus().and_then(|bus| {
            let message = bus.pop_filtered(&[gst::MessageType::Error])?;
            match message.view() {
                gst::MessageView::Error(e) => Some(e.error().to_string()),
                _ => None,
            }
        });
        match (form, error) {
            (Some((width, height, fps)), None) if !units.is_empty() => Ok(Self {
                units,
                width,
                height,
                fps,
            }),
            (_, Some(error)) => Err(error),
            _ => Err("there is no H.264 video in it".to_owned()),
        }
    }

    /// The `n`-th frame of the recording played over and over.
    pub(crate) fn unit(&self, n: usize) -> Arc<[u8]> {
        Arc::clone(&self.units[n % self.units.len()])
    }

    pub(crate) fn caps(&self) -> gst::Caps {
        gst::Caps::builder("video/x-h264")
            .field("stream-format", "byte-stream")
            .field("alignment", "au")
            .field("width", self.width as i32)
            .field("height", self.height as i32)
            .field("framerate", gst::Fraction::new(self.fps as i32, 1))
            .build()
    }
}

/// Width, height and frames per second.
fn form_of(caps: &gst::CapsRef) -> Option<(usize, usize, u32)> {
    let s = caps.structure(0)?;
    let side = |name| usize::try_from(s.get::<i32>(name).ok()?).ok();
    let rate = s.get::<gst::Fraction>("framerate").ok()?;
    let fps = f64::from(rate.numer()) / f64::from(rate.denom().max(1));
    let fps = fps.round() as u32;
    ((1..=MOST_FPS).contains(&fps)).then_some((side("width")?, side("height")?, fps))
}
