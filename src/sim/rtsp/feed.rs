//! The thread that takes frames: at each frame's instant it reads the pose,
//! draws, and hands the picture to the encoder with its capture time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use gst_server::prelude::*;
use gstreamer as gst;
use gstreamer_app::AppSrc;
use gstreamer_rtsp_server as gst_server;

use super::stamp::Stamps;
use super::tone;
use crate::sim::camera::Camera;
use crate::sim::code;
use crate::sim::faults::StreamStop;
use crate::sim::lens::Pose;
use crate::sim::onvif::metadata_document;
use crate::sim::recording::Recording;
use crate::sim::render::{Backdrop, Size};

/// Where pictures come from.
#[derive(Debug, Clone)]
pub(in crate::sim) enum Source {
    /// A backdrop that does not change.
    Still(Backdrop),
    /// A clip, which changes from frame to frame.
    Clip(Arc<crate::sim::clip::Clip>),
    /// Frames that are encoded already.
    Recording(Arc<Recording>),
}

impl Source {
    /// What is to be drawn; none where it is drawn and encoded already.
    fn backdrop(&self, t_ns: u64) -> Result<Backdrop, &Recording> {
        match self {
            Self::Still(backdrop) => Ok(backdrop.clone()),
            Self::Clip(clip) => Ok(Backdrop::Poster(clip.picture_at(t_ns))),
            Self::Recording(recording) => Err(recording),
        }
    }
}

fn appsrc(media: &gst_server::RTSPMedia, name: &str) -> Option<AppSrc> {
    media
        .element()
        .downcast::<gst::Bin>()
        .ok()?
        .by_name(name)?
        .downcast()
        .ok()
}

/// Starts the thread of one media; it ends when one of the flags is set.
pub(super) fn spawn(
    media: &gst_server::RTSPMedia,
    source: &Source,
    stamps: &Arc<Stamps>,
    stop: [&Arc<AtomicBool>; 2],
) -> Option<JoinHandle<()>> {
    let video = appsrc(media, "video")?;
    let feed = Feed {
        video,
        metadata: appsrc(media, "metadata"),
        sound: appsrc(media, "sound"),
        camera: Arc::clone(&stamps.camera),
        source: source.clone(),
        stamps: Arc::clone(stamps),
        stop: stop.map(Arc::clone),
    };
    std::thread::Builder::new()
        .name("sim-feed".to_owned())
        .spawn(move || feed.run())
        .map_err(|e| tracing::error!(error = %e, "no thread for the simulated camera's frames"))
        .ok()
}

struct Feed {
    video: AppSrc,
    metadata: Option<AppSrc>,
    sound: Option<AppSrc>,
    camera: Arc<Camera>,
    source: Source,
    stamps: Arc<Stamps>,
    stop: [Arc<AtomicBool>; 2],
}

impl Feed {
    fn stopped(&self) -> bool {
        self.stop.iter().any(|flag| flag.load(Ordering::SeqCst))
    }

    fn run(self) {
        let Some(offset_ns) = self.wait_for_clock() else {
            return;
        };
        self.stamps.set_offset(offset_ns);
        let mut renderer = super::renderer(&self.camera);
        let frame_ns = self.camera.frame_ns();
        let mut size = None;
        let mut told = Told::default();
        let mut sent = 0;
        let mut heard_ns = None;
        let mut frame = self.camera.now_ns() / frame_ns + 1;
        while !self.stopped() {
            let t_ns = frame * frame_ns;
            self.sleep_until(t_ns);
            let faults = self.camera.faults();
            let which = self.stamps.which;
            let silent = faults.stream_stop != StreamStop::No
                || self.camera.is_booting()
                || which.is_silent(&faults);
            let Some(pose) = self.camera.pose_at(t_ns) else {
                frame = self.camera.now_ns() / frame_ns + 1;
                continue;
            };
            if !silent {
                let wanted = which.size(&self.camera, &faults);
                let fresh = size.replace(wanted) != Some(wanted);
                match self.source.backdrop(t_ns) {
                    Ok(backdrop) => {
                        if fresh {
                            self.video
                                .set_caps(Some(&caps(wanted, self.camera.config.fps)));
                        }
                        let mut data = vec![0u8; wanted.i420_len()];
                        renderer.draw(&backdrop, &pose, t_ns as f64 * 1e-9, wanted, &mut data);
                        if self.camera.config.frame_code {
                            draw_code(&mut data, wanted, frame);
                        }
                        self.push(&self.video, data, t_ns, offset_ns);
                    }
                    Err(recording) => {
                        if fresh {
                            self.video.set_caps(Some(&recording.caps()));
                        }
                        self.push(&self.video, recording.unit(sent), t_ns, offset_ns);
                        sent += 1;
                    }
                }
                self.tell(&mut told, t_ns, &pose, offset_ns);
                if !faults.sound_silent {
                    self.sound(heard_ns.unwrap_or(t_ns), t_ns, offset_ns);
                }
            }
            heard_ns = Some(t_ns);
            // A machine that cannot keep up leaves frames out, it does not lag.
            frame = (self.camera.now_ns() / frame_ns).max(frame) + 1;
        }
    }

    /// Running time minus time since the camera's start, once the pipeline runs.
    fn wait_for_clock(&self) -> Option<i64> {
        while !self.stopped() {
            let before = self.camera.now_ns();
            // Before PLAYING there may be a clock but no base time yet, and
            // the running time would count from the machine's start.
            let playing = self.video.current_state() == gst::State::Playing;
            if let Some(running) = self.video.current_running_time().filter(|_| playing) {
                let now = before / 2 + self.camera.now_ns() / 2;
                return i64::try_from(running.nseconds())
                    .ok()?
                    .checked_sub(i64::try_from(now).ok()?);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        None
    }

    fn sleep_until(&self, t_ns: u64) {
        loop {
            let now = self.camera.now_ns();
            if now >= t_ns || self.stopped() {
                return;
            }
            std::thread::sleep(Duration::from_nanos((t_ns - now).min(50_000_000)));
        }
    }

    fn push(
        &self,
        to: &AppSrc,
        data: impl AsRef<[u8]> + Send + 'static,
        t_ns: u64,
        offset_ns: i64,
    ) {
        let mut buffer = gst::Buffer::from_slice(data);
        if let Some(b) = buffer.get_mut() {
            let running = t_ns.saturating_add_signed(offset_ns);
            b.set_pts(gst::ClockTime::from_nseconds(running));
            b.set_duration(gst::ClockTime::from_nseconds(self.camera.frame_ns()));
        }
        // An error means that the pipeline is being taken down: the flag comes.
        let _ = to.push_buffer(buffer);
    }

    /// Sends the sound from `from_ns` until `t_ns`, without the silence of a second and more
    /// in which no frame was drawn.
    fn sound(&self, from_ns: u64, t_ns: u64, offset_ns: i64) {
        let Some(sound) = &self.sound else { return };
        let from_ns = from_ns.max(t_ns.saturating_sub(1_000_000_000));
        let data = tone::samples(from_ns, t_ns, self.camera.config.form.audio.rate());
        if !data.is_empty() {
            self.push(sound, data, from_ns, offset_ns);
        }
    }

    /// Tells the position on the metadata stream: when it changed, not more
    /// often than configured, and once a second at rest.
    fn tell(&self, told: &mut Told, t_ns: u64, pose: &Pose, offset_ns: i64) {
        let Some(metadata) = &self.metadata else {
            return;
        };
        let since = t_ns.saturating_sub(told.at_ns) as f64 * 1e-9;
        let due = told.pose != Some(*pose) && since * self.camera.config.metadata_hz >= 0.999;
        if told.pose.is_some() && !due && since < 1.0 {
            return;
        }
        *told = Told {
            at_ns: t_ns,
            pose: Some(*pose),
        };
        if self.camera.faults().metadata_silent {
            return;
        }
        if let Some(measured) = self.camera.measure() {
            let mut document = metadata_document(&self.camera, &measured).into_bytes();
            if self.camera.config.metadata_gzip {
                document = super::pay::packed(&document);
            }
            self.push(metadata, document, t_ns, offset_ns);
        }
    }
}

#[derive(Default)]
struct Told {
    at_ns: u64,
    pose: Option<Pose>,
}

fn draw_code(data: &mut [u8], size: Size, frame: u64) {
    let luma = size.width * size.height;
    let (y, chroma) = data.split_at_mut(luma);
    code::encode(y, size.width, size.height, frame);
    let half = size.width / 2;
    let (u, v) = chroma.split_at_mut(luma / 4);
    for plane in [u, v] {
        for row in (size.height - code::CELL_HEIGHT) / 2..size.height / 2 {
            let end = (code::CODE_WIDTH / 2).min(half);
            plane[row * half..row * half + end].fill(128);
        }
    }
}

fn caps(size: Size, fps: u32) -> gst::Caps {
    gst::Caps::builder("video/x-raw")
        .field("format", "I420")
        .field("width", size.width as i32)
        .field("height", size.height as i32)
        .field("framerate", gst::Fraction::new(fps as i32, 1))
        .field("colorimetry", "bt709")
        .field("pixel-aspect-ratio", gst::Fraction::new(1, 1))
        .field("interlace-mode", "progressive")
        .build()
}
