//! What a pose costs: a look-up between samples, and reading one GetStatus.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a bench that fails should fail loudly"
)]

use criterion::{Criterion, criterion_group, criterion_main};
use greyplane::clock::{CaptureTime, Mono};
use greyplane::onvif::answers::ptz_status;
use greyplane::pose::{CameraProfile, HistoryRules, PoseHistory, PoseSample};
use std::hint::black_box;
use std::sync::Arc;

const PROFILE: &str = include_str!("../tests/fixtures/profile-generic.toml");
const STATUS: &str = include_str!("../tests/fixtures/onvif/friendly-milliseconds.xml");

fn sample(i: i64) -> PoseSample {
    PoseSample {
        at: CaptureTime(1_700_000_000_000_000_000 + i * 100_000_000),
        sigma_t_s: 0.001,
        pan_deg: (10.0 * i as f64 + 180.0).rem_euclid(360.0) - 180.0,
        tilt_deg: -20.0,
        zoom: 0.3,
        hfov_deg: None,
        received: Mono(3_600_000_000_000 + i as u64 * 100_000_000),
    }
}

fn pose(c: &mut Criterion) {
    let profile = Arc::new(CameraProfile::from_toml(PROFILE).unwrap());
    let mut history = PoseHistory::new(profile.clone(), HistoryRules::default());
    for i in 0..256 {
        history.push(&sample(i));
    }
    let known = CaptureTime(sample(253).at.0 + 37_000_000);
    let ahead = CaptureTime(sample(255).at.0 + 37_000_000);
    let now = sample(256).received;
    c.bench_function("pose/known", |b| {
        b.iter(|| history.at(black_box(known), now))
    });
    c.bench_function("pose/ahead", |b| {
        b.iter(|| history.at(black_box(ahead), now))
    });
    let mut i = 256;
    c.bench_function("pose/push", |b| {
        b.iter(|| {
            i += 1;
            history.push(&sample(i))
        });
    });
    c.bench_function("telemetry/get-status", |b| {
        b.iter(|| {
            let status = ptz_status(black_box(STATUS)).unwrap();
            profile.map(&status.position).unwrap()
        });
    });
}

criterion_group!(benches, pose);
criterion_main!(benches);
