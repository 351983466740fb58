//! What a record costs: until it is on disk, and verified again.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a bench that fails should fail loudly"
)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use greyplane::audit::{Asked, Audit, Entry, Settings, verify};
use greyplane::clock::SystemClock;
use std::sync::Arc;

fn entry() -> Entry {
    Entry::new("watch", "camera market").by("anna", "192.0.2.1")
}

fn audit(c: &mut Criterion) {
    // Beside the sources: a temporary folder may lie in memory.
    let folder = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
    let settings = Settings::in_folder(folder.path().join("audit"));
    let audit = Audit::start(settings, Arc::new(SystemClock::new())).unwrap();
    c.bench_function("append, one after the other", |b| {
        b.iter(|| audit.append(entry()).unwrap());
    });
    let mut group = c.benchmark_group("append, many at once");
    group.throughput(Throughput::Elements(64)).sample_size(20);
    group.bench_function("64 threads", |b| {
        b.iter(|| {
            std::thread::scope(|scope| {
                for _ in 0..64 {
                    scope.spawn(|| audit.append(entry()).unwrap());
                }
            });
        });
    });
    group.finish();
    drop(audit);
    let folder = folder.path().join("audit");
    let records = verify(&folder, Asked::default(), &|| true).unwrap().records;
    let mut group = c.benchmark_group("verify");
    group
        .throughput(Throughput::Elements(records))
        .sample_size(10);
    group.bench_function("all", |b| {
        b.iter(|| {
            assert!(
                verify(&folder, Asked::default(), &|| true)
                    .unwrap()
                    .is_whole()
            )
        });
    });
    group.finish();
}

criterion_group!(benches, audit);
criterion_main!(benches);
