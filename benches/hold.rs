//! What a frame's stay in the hold costs.
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use greyplane::clock::{CaptureTime, Mono};
use greyplane::hold::{Budget, Hold, Polled};

const FRAME_NS: u64 = 40_000_000;

fn stay(c: &mut Criterion) {
    let budget = Budget {
        total: Duration::from_millis(250),
        reserve: Duration::from_millis(20),
    };
    let mut hold = Hold::new(9, budget);
    let mut now = 0u64;
    // A frame comes, the oldest one is asked for until it is ready, and leaves.
    c.bench_function("push_and_two_polls", |b| {
        b.iter(|| {
            now += FRAME_NS;
            let capture = Some(CaptureTime(now as i64));
            let pushed = hold.push(black_box(now), Mono(now), capture);
            let early = matches!(hold.poll(Mono(now), |_| false), Polled::WaitUntil(_));
            let left = hold.poll(Mono(now), |t| black_box(t).is_some());
            black_box((pushed, early, left))
        });
    });
}

criterion_group!(benches, stay);
criterion_main!(benches);
