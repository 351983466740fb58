//! The viewer: plays a stream like an observer would and hands every decoded
//! frame to a function. Knows GStreamer; must not know what the frames show.

use super::judge::Planes;
use crate::clock::{CaptureTime, Clock, Mono};
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;
use gstreamer_video as gst_video;
use gstreamer_video::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// One decoded frame, borrowed while the function looks at it.
#[derive(Debug)]
pub(super) struct Seen<'a> {
    /// The picture, I420.
    pub planes: Planes<'a>,
    /// Capture time from the stream's sender reports, once one has come.
    pub capture: Option<CaptureTime>,
    /// When the frame had been decoded here.
    pub at: Mono,
}

/// Why a stream cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum ViewerError {
    /// GStreamer or one of its plugins is missing.
    #[error(
        "cannot build the viewer: {0}; install gstreamer1.0-plugins-good and gstreamer1.0-libav"
    )]
    Build(String),
    /// The stream cannot be played.
    #[error("{url}: {detail}")]
    Stream {
        /// Address without credentials.
        url: String,
        /// What GStreamer said.
        detail: String,
    },
}

/// How to play.
#[derive(Clone, Debug)]
pub(super) struct Play {
    /// `rtsp://…` or `rtsps://…`.
    pub url: String,
    /// Decode (a judging viewer) or only receive (one more viewer among many).
    pub decode: bool,
}

/// An address with user and password cut out, for messages.
pub(super) fn without_credentials(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let authority_end = rest.find('/').unwrap_or(rest.len());
            let (authority, path) = rest.split_at(authority_end);
            let host = authority.rsplit_once('@').map_or(authority, |(_, h)| h);
            format!("{scheme}://{host}{path}")
        }
        None => url.to_owned(),
    }
}

/// A playing stream; dropping it stops it.
#[derive(Debug)]
pub(super) struct Viewer {
    pipeline: gst::Pipeline,
    url: String,
    failed: Arc<AtomicBool>,
}

impl Viewer {
    /// Starts to play; `look` is called from GStreamer's thread for each
    /// decoded frame (never when `play.decode` is false). Frames are not
    /// dropped: when `look` is slow, the server notices.
    ///
    /// # Errors
    /// [`ViewerError::Build`] where a plugin is missing.
    pub(super) fn start(
        play: &Play,
        clock: Arc<dyn Clock>,
        mut look: impl FnMut(Seen<'_>) + Send + 'static,
    ) -> Result<Self, ViewerError> {
        gst::init().map_err(|e| ViewerError::Build(e.to_string()))?;
        let tail = if play.decode {
            "rtph264depay ! h264parse ! avdec_h264 max-threads=1 ! videoconvert ! \
             video/x-raw,format=I420 ! appsink name=sink sync=false max-buffers=4"
        } else {
            "fakesink sync=false async=false"
        };
        let pipeline = gst::parse::launch(&format!(
            "rtspsrc name=src protocols=tcp latency=100 add-reference-timestamp-meta=true \
             tcp-timeout=5000000 ! application/x-rtp,media=video ! {tail}"
        ))
        .map_err(|e| ViewerError::Build(e.to_string()))?
        .downcast::<gst::Pipeline>()
        .map_err(|_| ViewerError::Build("no pipeline".to_owned()))?;
        let src = pipeline
            .by_name("src")
            .ok_or_else(|| ViewerError::Build("no rtspsrc".to_owned()))?;
        src.set_property("location", &play.url);
        if let Some(sink) = pipeline.by_name("sink") {
            let sink = sink
                .downcast::<gst_app::AppSink>()
                .map_err(|_| ViewerError::Build("no appsink".to_owned()))?;
            sink.set_callbacks(
                gst_app::AppSinkCallbacks::builder()
                    .new_sample(move |sink| {
                        let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
                        see(&sample, clock.as_ref(), &mut look);
                        Ok(gst::FlowSuccess::Ok)
                    })
                    .build(),
            );
        }
        let viewer = Self {
            pipeline,
            url: without_credentials(&play.url),
            failed: Arc::new(AtomicBool::new(false)),
        };
        // A refusal to start shows up on the bus with its reason: see `failure`.
        let _ = viewer.pipeline.set_state(gst::State::Playing);
        Ok(viewer)
    }

    /// What ended the stream since the last call, if anything did: waits for
    /// at most `wait`.
    ///
    /// # Errors
    /// [`ViewerError::Stream`] when the server closed or refused.
    pub(super) fn check(&self, wait: Duration) -> Result<(), ViewerError> {
        let fail = |detail: String| {
            self.failed.store(true, Ordering::SeqCst);
            Err(ViewerError::Stream {
                url: self.url.clone(),
                detail,
            })
        };
        if self.failed.load(Ordering::SeqCst) {
            return fail("the stream has ended".to_owned());
        }
        let Some(bus) = self.pipeline.bus() else {
            return fail("no bus".to_owned());
        };
        let wait = gst::ClockTime::from_mseconds(u64::try_from(wait.as_millis()).unwrap_or(100));
        let kinds = [gst::MessageType::Error, gst::MessageType::Eos];
        match bus
            .timed_pop_filtered(wait, &kinds)
            .map(|m| m.view().to_owned_text())
        {
            Some(text) => fail(text),
            None => Ok(()),
        }
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

trait OwnedText {
    fn to_owned_text(&self) -> String;
}

impl OwnedText for gst::MessageView<'_> {
    fn to_owned_text(&self) -> String {
        match self {
            gst::MessageView::Error(e) => {
                let detail = e.debug().map(|d| d.to_string()).unwrap_or_default();
                let last = detail.lines().last().unwrap_or_default().to_owned();
                format!("{} ({last})", e.error())
            }
            _ => "end of stream".to_owned(),
        }
    }
}

/// Hands one sample to `look`; a sample that cannot be mapped is shown as a
/// frame without planes, so that it is counted and never passes for clean.
fn see(sample: &gst::Sample, clock: &dyn Clock, look: &mut impl FnMut(Seen<'_>)) {
    let at = clock.mono();
    let nothing = Planes {
        width: 0,
        height: 0,
        data: [&[]; 3],
        stride: [0; 3],
    };
    let info = sample
        .caps()
        .and_then(|c| gst_video::VideoInfo::from_caps(c).ok());
    let frame = match (sample.buffer(), &info) {
        (Some(b), Some(info)) => gst_video::VideoFrameRef::from_buffer_ref_readable(b, info).ok(),
        _ => None,
    };
    let capture = sample.buffer().and_then(capture_time);
    let planes = frame.as_ref().and_then(|f| {
        let data = [
            f.plane_data(0).ok()?,
            f.plane_data(1).ok()?,
            f.plane_data(2).ok()?,
        ];
        let stride = [0, 1, 2].map(|i| usize::try_from(f.plane_stride()[i]).unwrap_or(0));
        Some(Planes {
            width: f.width() as usize,
            height: f.height() as usize,
            data,
            stride,
        })
    });
    look(Seen {
        planes: planes.unwrap_or(nothing),
        capture,
        at,
    });
}

/// The capture time that the sender reports give a buffer.
fn capture_time(buffer: &gst::BufferRef) -> Option<CaptureTime> {
    buffer
        .iter_meta::<gst::ReferenceTimestampMeta>()
        .find(|m| {
            m.reference()
                .structure(0)
                .is_some_and(|s| s.name() == "timestamp/x-ntp")
        })
        .and_then(|m| CaptureTime::from_ntp_ns(m.timestamp().nseconds()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_carry_no_credentials() {
        for (url, shown) in [
            ("rtsp://h:554/cam", "rtsp://h:554/cam"),
            ("rtsp://u:p@h/cam", "rtsp://h/cam"),
            ("rtsp://u:p@ss@h", "rtsp://h"),
            ("rtsp://h/a@b", "rtsp://h/a@b"),
        ] {
            assert_eq!(without_credentials(url), shown);
        }
    }
}
