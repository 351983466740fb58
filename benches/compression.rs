//! How far a camera's own compression carries a private place beyond its edge.
//!
//! The simulated street, every private place in the canary's colour, through
//! x264 as a cheap camera would set it: how many frames show a canary sample at
//! least so many pixels away from where one was drawn. A table, not a time: what
//! it means stands in `design/007-what-compression-carries.md`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that fails should fail loudly, and prints its table"
)]

use greyplane::prove::{Canary, Planes, Rgb};
use greyplane::sim::CANARY_RGB;
use greyplane::sim::lens::Pose;
use greyplane::sim::render::{Backdrop, Renderer, Size, street};
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::{AppSink, AppSrc};
use gstreamer_video as gst_video;
use gstreamer_video::prelude::*;

const FRAMES: usize = 500;
const FPS: i32 = 25;
/// The head pans to and fro over this many degrees.
const SPAN_DEG: f64 = 160.0;
/// How far away a place is looked for, chroma samples.
const REACH: usize = 18;
const AT_LEAST_PX: [usize; 5] = [2, 4, 8, 16, 32];

fn main() {
    // `cargo bench` asks for it; whoever lists or runs tests does not.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    gst::init().unwrap();
    println!(
        "{:>11} {:>7} {:>6}   frames of {FRAMES} with a sample at least … px outside",
        "size", "kbit/s", "°/s"
    );
    println!("{:>28}{:>6?}", "", AT_LEAST_PX);
    let street = Backdrop::Street(street());
    for (width, height, kbit_s) in [
        (640, 360, 1000),
        (640, 360, 2000),
        (640, 360, 4000),
        (1280, 720, 2000),
        (1280, 720, 4000),
        (1280, 720, 6000),
        (1920, 1080, 3000),
        (1920, 1080, 6000),
        (1920, 1080, 8000),
    ] {
        for speed_deg_s in [8.0, 100.0] {
            let size = Size { width, height };
            let counts = measure(&street, size, kbit_s, speed_deg_s);
            println!("{width:>6}x{height:<4} {kbit_s:>7} {speed_deg_s:>6} {counts:>6?}");
        }
    }
}

fn measure(
    street: &Backdrop,
    size: Size,
    kbit_s: u32,
    speed_deg_s: f64,
) -> [u32; AT_LEAST_PX.len()] {
    let pipeline = gst::parse::launch(&format!(
        "appsrc name=drawn format=time ! x264enc tune=zerolatency speed-preset=ultrafast \
         threads=1 bitrate={kbit_s} key-int-max=50 vbv-buf-capacity=400 \
         ! video/x-h264,profile=constrained-baseline ! h264parse ! avdec_h264 max-threads=1 \
         ! appsink name=seen sync=false"
    ))
    .unwrap()
    .downcast::<gst::Pipeline>()
    .unwrap();
    let drawn: AppSrc = pipeline.by_name("drawn").unwrap().downcast().unwrap();
    let seen: AppSink = pipeline.by_name("seen").unwrap().downcast().unwrap();
    let (width, height) = (size.width as u32, size.height as u32);
    let info = gst_video::VideoInfo::builder(gst_video::VideoFormat::I420, width, height)
        .fps(gst::Fraction::new(FPS, 1))
        .build()
        .unwrap();
    drawn.set_caps(Some(&info.to_caps().unwrap()));
    pipeline.set_state(gst::State::Playing).unwrap();

    let canary = Canary::new(Rgb(CANARY_RGB)).unwrap();
    let mut renderer = Renderer::new(-0.05, 0.0, true);
    let mut counts = [0; AT_LEAST_PX.len()];
    for k in 0..FRAMES {
        let t_s = k as f64 / f64::from(FPS);
        let way = (t_s * speed_deg_s) % (2.0 * SPAN_DEG);
        let pose = Pose {
            pan_deg: way.min(2.0 * SPAN_DEG - way) - SPAN_DEG / 2.0,
            tilt_deg: -8.0,
            roll_deg: 0.0,
            zoom: 0.0,
            hfov_deg: 60.0,
        };
        let mut data = vec![0; size.i420_len()];
        renderer.draw(street, &pose, t_s, size, &mut data);
        let places = places(&data, size);
        let mut buffer = gst::Buffer::from_mut_slice(data);
        let pts = gst::ClockTime::SECOND * k as u64 / FPS as u64;
        buffer.get_mut().unwrap().set_pts(pts);
        drawn.push_buffer(buffer).unwrap();
        let sample = seen.pull_sample().unwrap();
        let frame =
            gst_video::VideoFrameRef::from_buffer_ref_readable(sample.buffer().unwrap(), &info)
                .unwrap();
        let farthest_px = farthest_px(&canary, &frame, &places, size);
        for (count, at_least) in counts.iter_mut().zip(AT_LEAST_PX) {
            *count += u32::from(farthest_px >= at_least);
        }
    }
    pipeline.set_state(gst::State::Null).unwrap();
    counts
}

/// Where a quarter or more of a chroma sample was drawn in the canary's colour.
fn places(i420: &[u8], size: Size) -> Vec<bool> {
    let (u, v) = i420[size.width * size.height..].split_at(size.width * size.height / 4);
    let quarter = |u: u8, v: u8| {
        0.645 * (f64::from(u) - 128.0) + 0.764 * (f64::from(v) - 128.0) >= 119.0 / 4.0
    };
    u.iter().zip(v).map(|(u, v)| quarter(*u, *v)).collect()
}

/// The largest distance, luma pixels, of a canary sample from the next place.
fn farthest_px(
    canary: &Canary,
    frame: &gst_video::VideoFrameRef<&gst::BufferRef>,
    places: &[bool],
    size: Size,
) -> usize {
    let data = [0, 1, 2].map(|plane| frame.plane_data(plane).unwrap());
    let stride = [0, 1, 2].map(|plane| frame.plane_stride()[plane] as usize);
    let planes = Planes {
        width: size.width,
        height: size.height,
        data,
        stride,
    };
    let (columns, rows) = (size.width / 2, size.height / 2);
    let near = |at: usize, end: usize| at.saturating_sub(REACH)..(at + REACH + 1).min(end);
    let mut farthest = 0;
    for y in 0..rows {
        for (x, (u, v)) in planes.row(1, y).iter().zip(planes.row(2, y)).enumerate() {
            if places[y * columns + x] || !canary.is_canary(*u, *v) {
                continue;
            }
            let nearest = near(y, rows)
                .flat_map(|yy| near(x, columns).map(move |xx| (yy, xx)))
                .filter(|(yy, xx)| places[yy * columns + xx])
                .map(|(yy, xx)| yy.abs_diff(y).pow(2) + xx.abs_diff(x).pow(2))
                .min()
                .map_or(REACH, |squared| squared.isqrt());
            farthest = farthest.max(2 * nearest);
        }
    }
    farthest
}
