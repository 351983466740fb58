//! What a frame's geometry costs: projecting a direction, and turning 1, 20 and
//! 1000 zones into regions; `near` has all of them in view, `around` spreads
//! them over the whole turn as a camera with many zones has them.
#![allow(
    missing_docs,
    clippy::expect_used,
    reason = "a bench that cannot start should fail loudly"
)]

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use greyplane::geom::{Angle, Direction, Gaze, Mount, Optics, Size, View};
use greyplane::pose::{Drift, Margin, PoseEstimate, Support};
use greyplane::zone::{Document, FORMAT, Mode, Shape, SpherePoint, Zone, ZoneSet};
use std::hint::black_box;

const SIZE: Size = Size {
    width: 1920,
    height: 1080,
};

fn barrel() -> Optics {
    Optics::new(-0.08, 0.01).expect("a lens")
}

/// `count` six-cornered concave zones, `size_deg` wide, over `pan_deg` of pan.
fn zones(count: usize, pan_deg: f64, size_deg: f64) -> ZoneSet {
    let corners = [
        (0.0, 0.0),
        (1.0, 0.0),
        (1.0, 1.0),
        (0.6, 1.0),
        (0.6, 0.4),
        (0.0, 0.4),
    ];
    let columns = count.div_ceil(5);
    let zones = (0..count)
        .map(|i| {
            let pan = -0.5 * pan_deg + pan_deg * (i / 5) as f64 / columns as f64;
            let tilt = -20.0 + 8.0 * (i % 5) as f64;
            let at = |(x, y): (f64, f64)| SpherePoint {
                pan_deg: pan + x * size_deg,
                tilt_deg: tilt + y * size_deg,
            };
            Zone {
                id: format!("z{i}"),
                name: None,
                mode: Mode::Hide,
                shape: Shape::Sphere {
                    points: corners.map(at).to_vec(),
                },
            }
        })
        .collect();
    let document = Document {
        format: FORMAT,
        camera: "bench".to_owned(),
        nothing_private: None,
        zones,
        presets: Vec::new(),
    };
    ZoneSet::from_document(&document, "bench").expect("zones")
}

fn pose() -> PoseEstimate {
    PoseEstimate {
        drift: Drift::default(),
        pan: Angle::from_deg(3.0),
        tilt: Angle::from_deg(-5.0),
        roll: Angle::from_deg(0.5),
        focal: 0.866,
        support: Support::Bracketed { gap_s: 0.1 },
        margin: Margin {
            angle: Angle::from_deg(0.6),
            radial: 0.002,
            floor_px: 2.0,
        },
    }
}

fn projection(c: &mut Criterion) {
    let gaze = Gaze {
        pan: Angle::from_deg(3.0),
        tilt: Angle::from_deg(-5.0),
        roll: Angle::from_deg(0.5),
    };
    for (name, optics) in [("straight", Optics::STRAIGHT), ("barrel", barrel())] {
        let view = View::new(gaze, 1663.0, SIZE, optics, Mount::LEVEL).expect("a view");
        let direction = Direction::from_pan_tilt(Angle::from_deg(17.0), Angle::from_deg(4.0));
        let at = view.project(direction).expect("in front");
        c.bench_function(&format!("project/{name}"), |b| {
            b.iter(|| view.project(black_box(direction)));
        });
        c.bench_function(&format!("unproject/{name}"), |b| {
            b.iter(|| view.unproject(black_box(at)));
        });
    }
}

fn regions(c: &mut Criterion) {
    let mut group = c.benchmark_group("regions");
    let pose = pose();
    for (name, optics) in [("straight", Optics::STRAIGHT), ("barrel", barrel())] {
        for (spread, pan_deg, size_deg) in [("near", 50.0, 0.2), ("around", 350.0, 1.5)] {
            for count in [1, 20, 1000] {
                let set = zones(count, pan_deg, size_deg);
                let id = BenchmarkId::new(format!("{spread}/{name}"), count);
                group.bench_function(id, |b| {
                    b.iter(|| set.regions(Some(black_box(&pose)), &optics, &Mount::LEVEL, SIZE));
                });
            }
        }
    }
    group.finish();
}

criterion_group!(benches, projection, regions);
criterion_main!(benches);
