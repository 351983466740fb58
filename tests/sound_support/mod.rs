//! Who listens: players that others wrote, and how far what they hear is from what they see.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "each test uses a part of it; a test that fails should fail loudly"
)]

use std::f64::consts::TAU;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use greyplane::sim::{SOUND_HZ, code};
use gst::prelude::*;
use gstreamer as gst;
use gstreamer_app as gst_app;

const WIDTH: usize = 640;
const HEIGHT: usize = 360;
const FRAME: usize = WIDTH * HEIGHT * 3 / 2;
/// Of the camera.
const FRAME_S: f64 = 0.04;
/// Of what a player is asked to decode to.
const RATE: usize = 16_000;
/// What is judged as one: 10 ms.
const WINDOW: usize = RATE / 100;
/// Longer than anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a player heard, and saw beside it.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    /// The loudest sample.
    pub loudest: u16,
    /// Windows of 10 ms that sound, and that do not.
    pub loud_windows: usize,
    pub quiet_windows: usize,
    /// Of what sounds, the part that is the camera's tone.
    pub tone: f64,
    /// Pictures whose number was read.
    pub pictures: usize,
    /// By how much what was heard is behind what was seen of the same moment; none where either
    /// cannot be told.
    pub apart_ms: Option<f64>,
}

/// From when on, in seconds, and what.
type Piece = (f64, Vec<i16>);

/// Judges sound, and the numbers of pictures by when they are shown.
fn judge(sound: &[Piece], pictures: &[(f64, u32)]) -> Heard {
    let mut heard = Heard {
        pictures: pictures.len(),
        ..Heard::default()
    };
    let (mut tone, mut all) = (0.0, 0.0);
    let mut onsets = Vec::new();
    let mut quiet_before = 0;
    for (at_s, samples) in sound {
        for (n, window) in samples.chunks_exact(WINDOW).enumerate() {
            let loudest = window.iter().map(|s| s.unsigned_abs()).max().unwrap();
            heard.loudest = heard.loudest.max(loudest);
            if loudest < 1000 {
                heard.quiet_windows += 1;
                quiet_before += 1;
                continue;
            }
            heard.loud_windows += 1;
            if quiet_before > 20 {
                // Where in the window it begins.
                let first = window
                    .iter()
                    .position(|s| s.unsigned_abs() >= 1000)
                    .unwrap();
                onsets.push(at_s + (n * WINDOW + first) as f64 / RATE as f64);
            }
            quiet_before = 0;
            let part = |turn: fn(f64) -> f64| {
                let each = window.iter().enumerate();
                let sum: f64 = each
                    .map(|(i, s)| f64::from(*s) * turn(TAU * SOUND_HZ * i as f64 / RATE as f64))
                    .sum();
                sum * sum
            };
            tone += 2.0 * (part(f64::sin) + part(f64::cos)) / WINDOW as f64;
            all += window.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>();
        }
    }
    heard.tone = if all > 0.0 { tone / all } else { 0.0 };
    let shown: Vec<f64> = pictures
        .iter()
        .map(|(at_s, number)| at_s - f64::from(*number) * FRAME_S)
        .collect();
    if let (Some(shown), false) = (median(shown), onsets.is_empty()) {
        // The tone begins with each second of the camera's time.
        let apart = onsets.iter().map(|at| {
            let by = (at - shown).rem_euclid(1.0);
            if by > 0.5 { by - 1.0 } else { by }
        });
        heard.apart_ms = median(apart.collect()).map(|s| s * 1e3);
    }
    heard
}

fn median(mut of: Vec<f64>) -> Option<f64> {
    of.sort_by(f64::total_cmp);
    of.get(of.len() / 2).copied()
}

/// What ffmpeg makes of four seconds of both tracks, by its own time stamps: `video` and `audio`
/// are files to put it into.
pub fn with_ffmpeg(url: &str, video: &Path, audio: &Path) -> Heard {
    let said = Command::new("timeout")
        .args([
            &PATIENCE.as_secs().to_string(),
            "ffmpeg",
            "-v",
            "error",
            "-y",
        ])
        .args(["-rtsp_transport", "tcp", "-i", url])
        .args([
            "-map",
            "0:a",
            "-t",
            "4",
            "-af",
            "aresample=async=1:first_pts=0",
        ])
        .args(["-ar", &RATE.to_string(), "-ac", "1", "-f", "s16le"])
        .arg(audio)
        .args([
            "-map", "0:v", "-t", "4", "-vsync", "cfr", "-r", "25", "-pix_fmt", "yuv420p",
        ])
        .args(["-f", "rawvideo"])
        .arg(video)
        .output()
        .unwrap();
    assert!(
        said.status.success(),
        "{}",
        String::from_utf8_lossy(&said.stderr)
    );
    let samples: Vec<i16> = fs::read(audio)
        .unwrap()
        .as_chunks::<2>()
        .0
        .iter()
        .map(|b| i16::from_le_bytes(*b))
        .collect();
    let pictures: Vec<(f64, u32)> = fs::read(video)
        .unwrap()
        .chunks_exact(FRAME)
        .enumerate()
        .filter_map(|(n, frame)| {
            let number = code::decode(&frame[..WIDTH * HEIGHT], WIDTH, HEIGHT)?;
            Some((n as f64 * FRAME_S, number))
        })
        .collect();
    judge(&[(0.0, samples)], &pictures)
}

/// A program of somebody who uses GStreamer's `rtspsrc`.
pub struct Listener {
    pipeline: gst::Pipeline,
    sound: Arc<Mutex<Vec<Piece>>>,
    pictures: Arc<Mutex<Vec<(f64, u32)>>>,
}

impl Listener {
    pub fn open(url: &str) -> Self {
        gst::init().unwrap();
        let pipeline = gst::parse::launch(&format!(
            "rtspsrc name=s location={url} protocols=tcp latency=500 \
             s. ! application/x-rtp,media=video ! queue ! rtph264depay ! avdec_h264 \
             ! video/x-raw,format=I420 ! appsink name=video sync=false \
             s. ! application/x-rtp,media=audio ! queue ! decodebin ! audioconvert ! audioresample \
             ! audio/x-raw,format=S16LE,rate={RATE},channels=1 ! appsink name=audio sync=false"
        ));
        let pipeline = pipeline.unwrap().downcast::<gst::Pipeline>().unwrap();
        let sound = Arc::new(Mutex::new(Vec::new()));
        let heard = sound.clone();
        collect(&pipeline, "audio", move |at_s, bytes, _| {
            let samples = bytes
                .as_chunks::<2>()
                .0
                .iter()
                .map(|b| i16::from_le_bytes(*b));
            heard.lock().unwrap().push((at_s, samples.collect()));
        });
        let pictures = Arc::new(Mutex::new(Vec::new()));
        let seen = pictures.clone();
        collect(&pipeline, "video", move |at_s, bytes, caps| {
            let s = caps.structure(0).unwrap();
            if s.get::<i32>("width") == Ok(WIDTH as i32)
                && let Some(number) = code::decode(&bytes[..WIDTH * HEIGHT], WIDTH, HEIGHT)
            {
                seen.lock().unwrap().push((at_s, number));
            }
        });
        pipeline.set_state(gst::State::Playing).unwrap();
        Self {
            pipeline,
            sound,
            pictures,
        }
    }

    /// Pieces of sound so far.
    pub fn pieces(&self) -> usize {
        self.sound.lock().unwrap().len()
    }

    /// Waits until it has heard enough.
    pub fn heard_until(&self, enough: impl Fn(&Heard) -> bool) -> Heard {
        let began = Instant::now();
        loop {
            std::thread::sleep(Duration::from_millis(100));
            let sound = joined(&self.sound.lock().unwrap());
            let heard = judge(&sound, &self.pictures.lock().unwrap());
            if enough(&heard) {
                return heard;
            }
            assert!(began.elapsed() < PATIENCE, "in vain: {heard:?}");
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.pipeline.set_state(gst::State::Null).unwrap();
    }
}

/// Pieces that follow one another, as one.
fn joined(pieces: &[Piece]) -> Vec<Piece> {
    let mut all: Vec<Piece> = Vec::new();
    for (at_s, samples) in pieces {
        match all.last_mut() {
            Some((from_s, before))
                if (*from_s + before.len() as f64 / RATE as f64 - at_s).abs() < 0.005 =>
            {
                before.extend(samples);
            }
            _ => all.push((*at_s, samples.clone())),
        }
    }
    all
}

fn collect(
    pipeline: &gst::Pipeline,
    name: &str,
    take: impl Fn(f64, &[u8], &gst::CapsRef) + Send + Sync + 'static,
) {
    let sink = pipeline.by_name(name).unwrap();
    let sink = sink.downcast::<gst_app::AppSink>().unwrap();
    let new_sample = move |sink: &gst_app::AppSink| {
        let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
        let segment = sample
            .segment()
            .unwrap()
            .downcast_ref::<gst::ClockTime>()
            .unwrap();
        let buffer = sample.buffer().unwrap();
        let at = buffer.pts().and_then(|pts| segment.to_running_time(pts));
        if let Some(at) = at {
            take(
                at.nseconds() as f64 * 1e-9,
                &buffer.map_readable().unwrap(),
                sample.caps().unwrap(),
            );
        }
        Ok(gst::FlowSuccess::Ok)
    };
    sink.set_callbacks(
        gst_app::AppSinkCallbacks::builder()
            .new_sample(new_sample)
            .build(),
    );
}
