use super::cpu::judge_cpu;
use super::machine::{judge_clock, judge_datagrams, judge_files, judge_swap, judge_system_calls};
use super::places::judge_space;
use super::*;
use crate::machine::{ClockDiscipline, Space};
use std::time::Duration;

/// Whatever is not good says what to do.
fn check(found: Finding, verdict: Verdict, says: &str) {
    assert_eq!(found.verdict, verdict, "{found:?}");
    assert!(found.what.contains(says), "{found:?}");
    assert_eq!(
        found.remedy.is_none(),
        verdict == Verdict::Good,
        "{found:?}"
    );
}

#[test]
fn clocks() {
    let clock = |synchronised, ms| {
        judge_clock(Some(ClockDiscipline {
            synchronised,
            error_bound: Duration::from_millis(ms),
        }))
    };
    check(clock(true, 12), Verdict::Good, "12 ms");
    check(clock(true, 1500), Verdict::Doubt, "1.5 s");
    check(clock(false, 12), Verdict::Doubt, "nothing keeps it right");
    check(judge_clock(None), Verdict::Doubt, "does not tell");
}

#[test]
fn swaps() {
    let head = "Filename\tType\tSize\tUsed\tPriority\n";
    let with = |lines: &str| judge_swap(&format!("{head}{lines}"));
    check(with(""), Verdict::Good, "not written");
    check(judge_swap(""), Verdict::Good, "not written");
    check(
        with("/dev/zram0 partition 1 0 100\n"),
        Verdict::Good,
        "not written",
    );
    let both = "/dev/zram0 partition 1 0 100\n/swapfile file 2 0 -2\n";
    check(with(both), Verdict::Doubt, "get to /swapfile");
}

#[test]
fn system_calls() {
    let judge = judge_system_calls;
    check(judge(Some(true), true), Verdict::Good, "never needs");
    check(judge(Some(false), true), Verdict::Bad, "would not start");
    check(judge(None, true), Verdict::Doubt, "does not tell");
    check(judge(Some(true), false), Verdict::Doubt, "not filtered");
    check(judge(None, false), Verdict::Doubt, "not filtered");
}

#[test]
fn files() {
    check(judge_files(Some(65_536), 30), Verdict::Good, "65536");
    check(judge_files(Some(1024), 30), Verdict::Bad, "need 1300");
    check(
        judge_files(Some(1024), 10),
        Verdict::Doubt,
        "1100 are needed",
    );
    check(judge_files(Some(1024), 4), Verdict::Good, "1024");
    check(judge_files(None, 4), Verdict::Doubt, "does not tell");
}

#[test]
fn datagrams() {
    check(judge_datagrams(Some(4 << 20)), Verdict::Good, "4194304");
    check(judge_datagrams(Some(212_992)), Verdict::Doubt, "212992");
    check(judge_datagrams(None), Verdict::Doubt, "does not tell");
}

#[test]
fn disks() {
    const GIB: u64 = 1 << 30;
    let with = |free, size| judge_space(Space { free, size }, Path::new("/x"), "tests");
    check(with(20 * GIB, 1000 * GIB), Verdict::Good, "20.0 GiB");
    check(with(3 * GIB, 10 * GIB), Verdict::Good, "3.0 GiB");
    check(with(3 * GIB, 100 * GIB), Verdict::Doubt, "3.0 GiB");
    check(with(GIB / 20, GIB), Verdict::Bad, "0.0 GiB");
}

#[test]
fn cores() {
    // 0.2 of a core each, with masking 0.222; 70 % of two cores are 1.4.
    check(
        judge_cpu(0.2, 2, (6, 0.0)),
        Verdict::Good,
        "about 6 such cameras",
    );
    check(
        judge_cpu(0.2, 2, (7, 0.0)),
        Verdict::Doubt,
        "7 are configured",
    );
    check(
        judge_cpu(0.2, 2, (4, 0.6)),
        Verdict::Doubt,
        "about 3 such cameras",
    );
    check(
        judge_cpu(0.2, 2, (1, 3.0)),
        Verdict::Doubt,
        "about 0 such cameras",
    );
}

#[test]
fn presets() {
    let says = "vouch";
    check(judge_presets("market", true), Verdict::Good, says);
    check(judge_presets("market", false), Verdict::Doubt, says);
}
