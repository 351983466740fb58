//! A video file as what the camera sees: decoded as time passes, looped.

use std::path::Path;
use std::sync::{Arc, Mutex};

use gst::prelude::*;
use gstreamer as gst;
use gstreamer_app::AppSink;

use super::SimError;
use super::camera::lock;
use super::config::{ClipView, SimConfig};
use super::render::Poster;
use super::scene::panorama::Texture;

/// How long the first picture may take to come out of the decoder, seconds.
const FIRST_PICTURE_S: u64 = 10;

/// A clip being played.
#[derive(Debug)]
pub(crate) struct Clip {
    player: Mutex<Player>,
}

#[derive(Debug)]
struct Player {
    pipeline: gst::Pipeline,
    sink: AppSink,
    hfov_deg: f64,
    picture: Arc<Poster>,
    /// When the present round began, nanoseconds since the camera's start.
    round_ns: Option<u64>,
    /// The picture after it.
    next: Option<(u64, Texture)>,
}

fn broken(path: &Path, why: impl std::fmt::Display) -> SimError {
    SimError::Config(format!("clip {}: {why}", path.display()))
}

impl Clip {
    /// Opens the clip of a configuration and decodes its first picture.
    ///
    /// # Errors
    /// When the file is missing or GStreamer finds no video in it.
    pub(crate) fn open(path: &Path, config: &SimConfig) -> Result<Self, SimError> {
        let (size, hfov_deg) = match config.clip_view {
            ClipView::Fixed | ClipView::AsItIs => (
                format!("width={},height={}", config.width, config.height),
                config.wide_hfov_deg,
            ),
            ClipView::Panned { hfov_deg } => {
                ("width=[2,7680,2],height=[2,4320,2]".to_owned(), hfov_deg)
            }
        };
        let launch = format!(
            "filesrc name=file ! decodebin ! videoconvert n-threads=1 ! videoscale ! \
             video/x-raw,format=I420,pixel-aspect-ratio=1/1,{size} ! \
             appsink name=sink sync=false max-buffers=2"
        );
        let pipeline = gst::parse::launch(&launch)
            .map_err(|e| broken(path, e))?
            .downcast::<gst::Pipeline>()
            .map_err(|_| broken(path, "no pipeline"))?;
        if let Some(file) = pipeline.by_name("file") {
            file.set_property("location", path.as_os_str().to_string_lossy().as_ref());
        }
        let sink = pipeline
            .by_name("sink")
            .and_then(|e| e.downcast::<AppSink>().ok())
            .ok_or_else(|| broken(path, "no sink"))?;
        let mut player = Player {
            pipeline,
            sink,
            hfov_deg,
            picture: Arc::new(Poster {
                texture: Texture {
                    y: vec![16; 16],
                    u: vec![128; 4],
                    v: vec![128; 4],
                    width: 4,
                    height: 4,
                },
                hfov_deg,
            }),
            round_ns: None,
            next: None,
        };
        player
            .pipeline
            .set_state(gst::State::Playing)
            .map_err(|e| broken(path, e))?;
        let (_, texture) = player
            .pull()
            .ok_or_else(|| broken(path, "no video could be decoded from it"))?;
        player.show(texture);
        Ok(Self {
            player: Mutex::new(player),
        })
    }

    /// The picture at a time since the camera's start; the first one asked for
    /// begins the clip. Times must not go back.
    pub(crate) fn picture_at(&self, t_ns: u64) -> Arc<Poster> {
        lock(&self.player).picture_at(t_ns)
    }
}

impl Player {
    fn picture_at(&mut self, t_ns: u64) -> Arc<Poster> {
        let round = *self.round_ns.get_or_insert(t_ns);
        let due = t_ns.saturating_sub(round);
        // A frame of the camera never lasts longer than a second of clip.
        for _ in 0..120 {
            if self.next.is_none() {
                self.next = self.pull();
            }
            match self.next.take() {
                Some((at, texture)) if at <= due => self.show(texture),
                Some(later) => {
                    self.next = Some(later);
                    break;
                }
                None => {
                    self.begin_again(t_ns);
                    break;
                }
            }
        }
        Arc::clone(&self.picture)
    }

    fn show(&mut self, texture: Texture) {
        self.picture = Arc::new(Poster {
            texture,
            hfov_deg: self.hfov_deg,
        });
    }

    fn begin_again(&mut self, t_ns: u64) {
        let flags = gst::SeekFlags::FLUSH | gst::SeekFlags::KEY_UNIT;
        if self
            .pipeline
            .seek_simple(flags, gst::ClockTime::ZERO)
            .is_err()
        {
            tracing::warn!("the clip cannot be wound back: its last picture stays");
        }
        self.round_ns = Some(t_ns);
    }

    /// The next decoded picture and its time in the clip; `None` at the end.
    fn pull(&self) -> Option<(u64, Texture)> {
        let sample = self
            .sink
            .try_pull_sample(gst::ClockTime::from_seconds(FIRST_PICTURE_S))?;
        let info = gstreamer_video::VideoInfo::from_caps(sample.caps()?).ok()?;
        let buffer = sample.buffer()?;
        let at = buffer.pts().map_or(0, gst::ClockTime::nseconds);
        let frame = gstreamer_video::VideoFrameRef::from_buffer_ref_readable(buffer, &info).ok()?;
        let plane = |n: u32, width: usize, height: usize| -> Option<Vec<u8>> {
            let stride = usize::try_from(*info.stride().get(n as usize)?).ok()?;
            let data = frame.plane_data(n).ok()?;
            let mut out = Vec::with_capacity(width * height);
            for row in data.chunks(stride).take(height) {
                out.extend_from_slice(row.get(..width)?);
            }
            (out.len() == width * height).then_some(out)
        };
        let (width, height) = (info.width() as usize, info.height() as usize);
        let texture = Texture {
            y: plane(0, width, height)?,
            u: plane(1, width / 2, height / 2)?,
            v: plane(2, width / 2, height / 2)?,
            width,
            height,
        };
        Some((at, texture))
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        // Nothing can be done about a pipeline that does not stop.
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}
