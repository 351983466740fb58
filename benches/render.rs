//! Drawing the simulated camera's picture: pan goes all the way round and tilt
//! down to the disc under the camera, at the wide end.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a benchmark that fails should fail loudly"
)]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use greyplane::sim::lens::Pose;
use greyplane::sim::render::{Backdrop, Renderer, Size, street};

fn pictures(c: &mut Criterion) {
    let street = Backdrop::Street(street());
    let mut group = c.benchmark_group("render");
    for (width, height) in [(1280, 720), (1920, 1080)] {
        let size = Size { width, height };
        let mut out = vec![0; size.i420_len()];
        group.throughput(Throughput::Elements(1));
        for canary in [false, true] {
            let mut renderer = Renderer::new(-0.05, 0.0, canary);
            let mut k = 0u32;
            let name = if canary { "canary" } else { "bare" };
            group.bench_function(BenchmarkId::new(name, format!("{height}p")), |b| {
                b.iter(|| {
                    let pose = Pose {
                        pan_deg: f64::from(k) * 9.0,
                        tilt_deg: -10.0 - f64::from(k),
                        roll_deg: 0.0,
                        zoom: 0.0,
                        hfov_deg: 60.0,
                    };
                    k = (k + 1) % 40;
                    renderer.draw(&street, &pose, 1.0, size, &mut out);
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, pictures);
criterion_main!(benches);
