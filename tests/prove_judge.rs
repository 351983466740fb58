//! What the judge still sees of a leak after two lossy encodings, and that it
//! sees none where there is none.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test that fails should fail loudly"
)]

use greyplane::prove::{Canary, Planes, Rgb};
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;
use gstreamer_video as gst_video;

const WIDTH: usize = 640;
const HEIGHT: usize = 368;
const FRAMES: usize = 30;
/// BT.709 magenta.
const CANARY_YUV: [u8; 3] = [78, 214, 230];

/// A picture: a textured street in natural colours that moves `step` px a frame,
/// a grey plane 100 px wide, and at its right edge a sliver of `sliver` × `rows` px
/// of canary that the plane fails to hide. Averaged to 4:2:0 like a camera does.
fn picture(frame: usize, step: usize, (sliver, rows): (usize, usize), odd: usize) -> Vec<u8> {
    let mask = 200 + odd..300 + odd;
    let full = |x: usize, y: usize| -> [u8; 3] {
        if (80..280).contains(&y) {
            if mask.contains(&x) {
                return [128, 128, 128];
            }
            if (mask.end..mask.end + sliver).contains(&x) && y - 80 < rows {
                return CANARY_YUV;
            }
        }
        let (sx, sy) = ((x + frame * step) as u32, y as u32);
        let hash = (sx / 3).wrapping_mul(2_654_435_761) ^ (sy / 3).wrapping_mul(2_246_822_519);
        let noise = ((hash ^ (hash >> 15)).wrapping_mul(2_654_435_761) >> 26) as u8;
        match (sx / 40 + sy / 40) % 4 {
            0 => [90 + noise, 110, 168], // brick
            1 => [60 + noise, 112, 118], // hedge
            2 => [150 + noise, 128, 128],
            _ => [140 + noise, 150, 108], // sky
        }
    };
    let mut planes = Vec::with_capacity(WIDTH * HEIGHT * 3 / 2);
    for y in 0..HEIGHT {
        planes.extend((0..WIDTH).map(|x| full(x, y)[0]));
    }
    for plane in [1, 2] {
        for y in (0..HEIGHT).step_by(2) {
            planes.extend((0..WIDTH).step_by(2).map(|x| {
                let four = [(0, 0), (1, 0), (0, 1), (1, 1)];
                let sum: u32 = four
                    .iter()
                    .map(|(dx, dy)| u32::from(full(x + dx, y + dy)[plane]))
                    .sum();
                ((sum + 2) / 4) as u8
            }));
        }
    }
    planes
}

/// Canary pixels in each frame after encoding twice at `kbit_s`.
fn canary_after_two_encodings(
    kbit_s: u32,
    picture: impl Fn(usize) -> Vec<u8> + Send + 'static,
) -> Vec<u64> {
    gst::init().unwrap();
    let code = format!(
        "x264enc tune=zerolatency speed-preset=superfast threads=1 key-int-max=50 \
         bitrate={kbit_s} ! h264parse ! avdec_h264 max-threads=1"
    );
    let pipeline = gst::parse::launch(&format!(
        "appsrc name=src format=time ! {code} ! {code} ! videoconvert ! \
         video/x-raw,format=I420 ! appsink name=sink sync=false"
    ))
    .unwrap()
    .downcast::<gst::Pipeline>()
    .unwrap();
    let src = pipeline.by_name("src").unwrap();
    let src = src.downcast::<gst_app::AppSrc>().unwrap();
    let sink = pipeline.by_name("sink").unwrap();
    let sink = sink.downcast::<gst_app::AppSink>().unwrap();
    let info =
        gst_video::VideoInfo::builder(gst_video::VideoFormat::I420, WIDTH as u32, HEIGHT as u32)
            .fps(gst::Fraction::new(25, 1))
            .build()
            .unwrap();
    src.set_caps(Some(&info.to_caps().unwrap()));
    pipeline.set_state(gst::State::Playing).unwrap();
    let feeder = std::thread::spawn(move || {
        for frame in 0..FRAMES {
            let mut buffer = gst::Buffer::from_slice(picture(frame));
            let at = gst::ClockTime::from_mseconds(40 * frame as u64);
            buffer.get_mut().unwrap().set_pts(at);
            src.push_buffer(buffer).unwrap();
        }
        src.end_of_stream().unwrap();
    });
    let canary = Canary::new(Rgb([255, 0, 255])).unwrap();
    let mut counts = Vec::new();
    while let Ok(sample) = sink.pull_sample() {
        let map = sample.buffer().unwrap().map_readable().unwrap();
        let (luma, chroma) = (WIDTH * HEIGHT, WIDTH * HEIGHT / 4);
        let planes = Planes {
            width: WIDTH,
            height: HEIGHT,
            data: [
                &map[..luma],
                &map[luma..luma + chroma],
                &map[luma + chroma..],
            ],
            stride: [WIDTH, WIDTH / 2, WIDTH / 2],
        };
        counts.push(canary.pixels(&planes).unwrap());
    }
    feeder.join().unwrap();
    pipeline.set_state(gst::State::Null).unwrap();
    assert_eq!(counts.len(), FRAMES, "every frame came through");
    counts
}

/// 640 × 368 is a quarter of 720p, so 500 kb/s is as little for a pixel as
/// 2 Mb/s at 720p and 4.5 Mb/s at 1080p; 250 kb/s half of that.
const BITRATES_KBIT_S: [u32; 2] = [250, 500];

#[test]
fn slivers_survive_two_encodings() {
    for kbit_s in BITRATES_KBIT_S {
        for (sliver, rows) in [
            (1, 200),
            (2, 200),
            (4, 200),
            (1, 16),
            (2, 16),
            (2, 4),
            (4, 4),
        ] {
            for (odd, step) in [(0, 7), (1, 0), (1, 7)] {
                let counts = canary_after_two_encodings(kbit_s, move |n| {
                    picture(n, step, (sliver, rows), odd)
                });
                let seen = counts.iter().filter(|c| **c > 0).count();
                let mut sorted = counts.clone();
                sorted.sort_unstable();
                let text = format!(
                    "{kbit_s} kb/s, {sliver} x {rows} px at {odd}, scene moves {step} px: seen in \
                     {seen} of {FRAMES} frames; px: min {} median {} max {}",
                    sorted[0],
                    sorted[FRAMES / 2],
                    sorted[FRAMES - 1]
                );
                eprintln!("{text}");
                // The edge of a zone is long; of a leak a macroblock high and one
                // column wide most frames still show something.
                assert!(rows < 200 || seen == FRAMES, "{text}");
                assert!(rows < 16 || 3 * seen > FRAMES, "{text}");
                assert!(seen > 0, "{text}");
            }
        }
    }
}

#[test]
fn no_canary_is_seen_where_there_is_none() {
    for kbit_s in BITRATES_KBIT_S {
        for step in [0, 7, 33] {
            let counts = canary_after_two_encodings(kbit_s, move |n| picture(n, step, (0, 0), 0));
            assert_eq!(counts, vec![0; FRAMES], "{kbit_s} kb/s, {step} px a frame");
        }
    }
}
