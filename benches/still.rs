//! What a clear still costs: while nobody asks, and when somebody does.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a benchmark that fails should fail loudly"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use greyplane::event::Reason;
use greyplane::frame::{Matrix, Picture};
use greyplane::geom::Size;
use greyplane::plan::{MarginLimits, PlanInput, RegionSource};
use greyplane::pose::PoseEstimate;
use greyplane::still::{ClearStill, Mark, Slot, StillPlan};
use greyplane::zone::{CannotPlace, Region};

const HD: Size = Size {
    width: 1920,
    height: 1080,
};

struct NoZones;

impl RegionSource for NoZones {
    fn regions(&self, _: Option<&PoseEstimate>, _: Size) -> Result<Vec<Region>, CannotPlace> {
        Ok(Vec::new())
    }

    fn has_show_only(&self) -> bool {
        false
    }

    fn needs_pose(&self) -> bool {
        false
    }
}

fn plan() -> Result<StillPlan, Reason> {
    StillPlan::of(&PlanInput {
        size: HD,
        made_for: Some(HD),
        zones: Ok(&NoZones),
        pose: None,
        things: None,
        mosaic: false,
        standing: &[],
        limits: MarginLimits::default(),
    })
}

fn picture() -> Picture {
    let samples = (HD.width * HD.height) as usize;
    let chroma = vec![128; samples / 4];
    Picture::from_planes(
        HD,
        Matrix::Bt709,
        [vec![90; samples], chroma.clone(), chroma],
    )
    .unwrap()
}

/// A still, and how long its frame was lent for it.
fn taken(picture: &Picture, plan: &StillPlan) -> (ClearStill, Duration) {
    let slot = Arc::new(Slot::default());
    let waits = {
        let slot = slot.clone();
        std::thread::spawn(move || slot.ask(Duration::from_secs(10)))
    };
    while !slot.is_wanted() {
        std::thread::yield_now();
    }
    let frame = picture.frame().unwrap();
    let clock = greyplane::clock::SystemClock::new();
    let before = clock.instant();
    slot.give(&frame, None, plan);
    let lent = clock.instant() - before;
    (waits.join().unwrap().unwrap(), lent)
}

fn still(c: &mut Criterion) {
    let slot = Slot::default();
    c.bench_function("nobody asks", |b| b.iter(|| black_box(&slot).is_wanted()));
    let (picture, plan) = (picture(), plan().unwrap());
    let mut group = c.benchmark_group("1080p");
    group.sample_size(10);
    group.bench_function("the frame is lent", |b| {
        b.iter_custom(|n| (0..n).map(|_| taken(&picture, &plan).1).sum());
    });
    let mark = Mark::new("integrator", "street", "2026-11-22 12:00:00 UTC");
    group.bench_function("marked and written as JPEG", |b| {
        b.iter_batched(
            || taken(&picture, &plan).0,
            |still| still.marked(&mark).unwrap(),
            criterion::BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, still);
criterion_main!(benches);
