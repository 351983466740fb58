//! Rasterising, painting and reading back a 1080p frame.
//!
//! Throughput is counted in bytes of picture, not in bytes written: a frame is
//! 3.1 MB whatever part of it is hidden.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a benchmark that fails should fail loudly"
)]

use std::f64::consts::TAU;
use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use greyplane::event::{CameraState, Reason};
use greyplane::frame::{FrameError, FrameMut, PixelFormat, PlaneMut, plane_extent};
use greyplane::geom::{PixelPoint, Size};
use greyplane::paint::{Coverage, Paintable, paint};
use greyplane::plan::{Hide, Plan};
use greyplane::zone::{GrownPoint, Mode, Region};

const HD: Size = Size {
    width: 1920,
    height: 1080,
};
/// What a pan at 100°/s costs at 10 Hz telemetry, roughly 1.4° at 60° HFOV.
const MARGIN_PX: f64 = 44.0;

struct Memory {
    format: PixelFormat,
    planes: Vec<Vec<u8>>,
}

impl Memory {
    fn new(format: PixelFormat) -> Self {
        let count = if format == PixelFormat::I420 { 3 } else { 2 };
        let bytes = |plane| {
            let (row, rows) = plane_extent(format, HD, plane);
            row * rows
        };
        Self {
            format,
            planes: (0..count).map(|plane| vec![77; bytes(plane)]).collect(),
        }
    }

    fn bytes(&self) -> u64 {
        self.planes.iter().map(|p| p.len() as u64).sum()
    }
}

/// Painted over and over: what is measured does not depend on what was there.
impl Paintable for &mut Memory {
    fn planes(&mut self) -> Result<FrameMut<'_>, FrameError> {
        let format = self.format;
        let planes = self
            .planes
            .iter_mut()
            .enumerate()
            .map(|(i, data)| PlaneMut {
                data: data.as_mut_slice(),
                stride: plane_extent(format, HD, i).0,
            });
        FrameMut::new(format, HD, planes.collect())
    }
}

/// Corners of an ordinary zone once `geom` has left out what lies straight.
const CORNERS: usize = 8;

/// `count` houses spread over the frame: round outlines with notches, together
/// a third of the frame before they grow.
fn houses(count: usize, corners: usize) -> Vec<Region> {
    let radius = (1920.0 * 1080.0 / 3.0 / count as f64 / 3.0).sqrt();
    (0..count)
        .map(|i| {
            // Halton's sequence in bases 2 and 3: spread, and the same every time.
            let (cx, cy) = (1920.0 * halton(i + 1, 2), 1080.0 * halton(i + 1, 3));
            let outline = (0..corners)
                .map(|k| {
                    let notch = if k % 8 == 3 { 0.7 } else { 1.0 };
                    let (sin, cos) = (k as f64 / corners as f64 * TAU).sin_cos();
                    GrownPoint {
                        at: PixelPoint {
                            x: cx + radius * notch * cos,
                            y: cy + radius * notch * sin,
                        },
                        margin_px: MARGIN_PX,
                    }
                })
                .collect();
            Region {
                zone: Some(i),
                mode: Mode::Hide,
                outline,
            }
        })
        .collect()
}

fn halton(mut i: usize, base: usize) -> f64 {
    let (mut share, mut sum) = (1.0, 0.0);
    while i > 0 {
        share /= base as f64;
        sum += share * (i % base) as f64;
        i /= base;
    }
    sum
}

fn plan(regions: Vec<Region>) -> Plan {
    Plan {
        size: HD,
        hide: Hide::Regions {
            regions,
            show_only: false,
        },
        state: CameraState::Live,
        mosaic: false,
    }
}

fn coverage(c: &mut Criterion) {
    let mut group = c.benchmark_group("coverage_1080p");
    for count in [1, 20, 1000] {
        let hide = houses(count, CORNERS);
        let bent = houses(count, 3 * CORNERS);
        let mut show = hide.clone();
        for region in &mut show {
            region.mode = Mode::ShowOnly;
        }
        for (name, regions) in [
            ("hide", hide),
            ("hide_24_corners", bent),
            ("show_only", show),
        ] {
            group.bench_with_input(BenchmarkId::new(name, count), &regions, |b, regions| {
                b.iter(|| Coverage::of_regions(HD, black_box(regions), false));
            });
        }
    }
    group.finish();
}

fn painting(c: &mut Criterion) {
    let mut group = c.benchmark_group("paint_1080p");
    for format in [PixelFormat::I420, PixelFormat::Nv12] {
        let mut memory = Memory::new(format);
        group.throughput(Throughput::Bytes(memory.bytes()));
        let plans = [1, 20, 1000]
            .map(|count| (format!("{count}_regions"), plan(houses(count, CORNERS))))
            .into_iter()
            .chain([("cover".to_owned(), Plan::cover(HD, Reason::Starting))]);
        for (name, plan) in plans {
            group.bench_function(BenchmarkId::new(format!("{format:?}"), name), |b| {
                b.iter_batched(
                    || (),
                    |()| paint(&plan, &mut memory).unwrap().painted().hidden_share,
                    BatchSize::SmallInput,
                );
            });
        }
    }
    group.finish();
}

criterion_group!(benches, coverage, painting);
criterion_main!(benches);
