//! What following costs: one look of a detector and the boxes of three frames,
//! as one look in three frames needs them; 10 and 100 faces that walk, seen by a
//! camera that stands and by one that turns.
#![allow(
    missing_docs,
    clippy::expect_used,
    reason = "a bench that cannot start should fail loudly"
)]

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use greyplane::clock::CaptureTime;
use greyplane::detect::{Class, Detection, PixelBox};
use greyplane::geom::{Angle, Gaze, Mount, Optics, PixelPoint, Size, View};
use greyplane::track::{CameraMotion, FixedCamera, Rules, Tracker};
use std::hint::black_box;

const HD: Size = Size {
    width: 1920,
    height: 1080,
};
const FRAME_NS: i64 = 40_000_000;

/// 1°/s to the right, through the camera model; a view for each frame of a turn.
struct Turning(Vec<View>);

impl Turning {
    fn new() -> Self {
        let optics = Optics::new(-0.08, 0.01).expect("a lens");
        let view = |frame: u32| {
            let gaze = Gaze {
                pan: Angle::from_deg(0.04 * f64::from(frame)),
                tilt: Angle::from_deg(-10.0),
                roll: Angle::from_deg(0.0),
            };
            View::new(gaze, 1700.0, HD, optics, Mount::default()).expect("a view")
        };
        Self((0..9000).map(view).collect())
    }

    fn view(&self, at: CaptureTime) -> Option<&View> {
        self.0.get((at.0 / FRAME_NS).rem_euclid(9000) as usize)
    }
}

impl CameraMotion for Turning {
    fn carry(&self, from: CaptureTime, to: CaptureTime, point: PixelPoint) -> Option<PixelPoint> {
        self.view(to)?.project(self.view(from)?.unproject(point))
    }
}

/// `count` faces of 16 px in rows, each walking its own way.
fn faces(count: usize, t: CaptureTime) -> Vec<Detection> {
    let s = t.0 as f64 * 1e-9;
    (0..count)
        .map(|i| {
            let way = if i.is_multiple_of(2) { 20.0 } else { -20.0 };
            let x = 100.0 + 85.0 * (i % 20) as f64 + way * (s % 2.0);
            let y = 200.0 + 100.0 * (i / 20) as f64;
            Detection {
                class: Class::Face,
                at: PixelBox {
                    x0: x,
                    y0: y,
                    x1: x + 13.0,
                    y1: y + 16.0,
                },
                score: 0.8,
            }
        })
        .collect()
}

fn follow(c: &mut Criterion) {
    let mut group = c.benchmark_group("track/look_and_three_frames");
    let turning = Turning::new();
    let cameras: [(&str, &dyn CameraMotion); 2] = [("fixed", &FixedCamera), ("turning", &turning)];
    for (camera, motion) in cameras {
        for count in [10, 100] {
            let mut tracker = Tracker::new(Rules::default(), HD).expect("good rules");
            let mut at = CaptureTime(0);
            group.bench_function(BenchmarkId::new(camera, count), |b| {
                b.iter(|| {
                    at = CaptureTime(at.0 + 3 * FRAME_NS);
                    let found = faces(count, at);
                    let taken = tracker.observe(at, black_box(&found), motion);
                    for back in [6, 5, 4] {
                        let t = CaptureTime(at.0 - back * FRAME_NS);
                        black_box(tracker.boxes_at(t, motion)).ok();
                    }
                    taken
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, follow);
criterion_main!(benches);
