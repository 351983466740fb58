//! The kernel's side: clock, limits, what may be written to disk behind our back.

use super::Finding;
use crate::config::{Config, Transport};
use crate::machine::{
    ClockDiscipline, can_refuse_calls, clock_discipline, core_dumps_are_off, open_files_limit,
};
use std::time::Duration;

/// Files that a gateway has open without cameras and viewers. All three are about twice
/// what was measured (`design/021-operations.md`).
const FILES_AT_LEAST: u64 = 100;
/// Files of one camera, its telemetry and its encoder.
const FILES_A_CAMERA: u64 = 40;
/// Files of one viewer.
const FILES_A_VIEWER: u64 = 12;
/// As many at once as a control room may bring.
const VIEWERS: u64 = 50;
/// The receive buffer that a burst of an I frame needs, bytes.
const DATAGRAM_BUFFER: u64 = 2 << 20;

pub(super) fn clock() -> Finding {
    judge_clock(clock_discipline())
}

pub(super) fn judge_clock(clock: Option<ClockDiscipline>) -> Finding {
    const CHECK: &str = "clock";
    let remedy = "install chrony, or `timedatectl set-ntp true`";
    match clock {
        None => Finding::doubt(
            CHECK,
            "the kernel does not tell whether it is right",
            remedy,
        ),
        Some(clock) if !clock.synchronised => Finding::doubt(
            CHECK,
            "nothing keeps it right: records and proof packs would carry its time",
            remedy,
        ),
        Some(clock) if clock.error_bound > Duration::from_secs(1) => Finding::doubt(
            CHECK,
            format!(
                "it may be wrong by {:.1} s",
                clock.error_bound.as_secs_f64()
            ),
            "look at `chronyc tracking` or `timedatectl timesync-status`",
        ),
        Some(clock) => Finding::good(
            CHECK,
            format!(
                "it is kept right to {:.0} ms",
                clock.error_bound.as_secs_f64() * 1e3
            ),
        ),
    }
}

/// What could bring the memory, and with it clear pictures, to a disk.
pub(super) fn secrecy() -> Vec<Finding> {
    let dumps = match core_dumps_are_off() {
        true => Finding::good(
            "core-dumps",
            "they are off: greyplane switches them off itself",
        ),
        false => Finding::bad(
            "core-dumps",
            "they are on: a crash would write clear pictures to disk",
            "let the system's policy allow prctl(PR_SET_DUMPABLE) and setrlimit(RLIMIT_CORE)",
        ),
    };
    let swaps = std::fs::read_to_string("/proc/swaps").unwrap_or_default();
    vec![dumps, judge_swap(&swaps)]
}

/// `swaps` as `/proc/swaps` shows it: a head, then a line for each.
pub(super) fn judge_swap(swaps: &str) -> Finding {
    const CHECK: &str = "swap";
    let devices = swaps
        .lines()
        .skip(1)
        .filter_map(|l| l.split_whitespace().next());
    // Compressed memory is memory. What the device mapper shows is usually encrypted,
    // but may not be: that is for the owner to know.
    let on_disk: Vec<&str> = devices.filter(|d| !d.starts_with("/dev/zram")).collect();
    match on_disk.is_empty() {
        true => Finding::good(CHECK, "memory is not written to a disk"),
        false => Finding::doubt(
            CHECK,
            format!(
                "memory, and so clear pictures, may get to {}",
                on_disk.join(", ")
            ),
            "encrypt it (a `swap` line in /etc/crypttab), use zram, or set MemorySwapMax=0 for the service, as the Debian package does",
        ),
    }
}

pub(super) fn system_calls(config: Option<&Config>) -> Finding {
    let wanted = config.is_none_or(|c| c.filter_system_calls);
    judge_system_calls(can_refuse_calls(), wanted)
}

pub(super) fn judge_system_calls(can: Option<bool>, wanted: bool) -> Finding {
    const CHECK: &str = "system-calls";
    match (wanted, can) {
        (false, _) => Finding::doubt(
            CHECK,
            "they are not filtered: whoever breaks in can start programs",
            "leave `filter_system_calls` out of [gateway]",
        ),
        (true, Some(true)) => Finding::good(
            CHECK,
            "the kernel refuses those that a gateway never needs, from its start on",
        ),
        (true, Some(false)) => Finding::bad(
            CHECK,
            "this kernel or kind of machine has no filter for them, and the gateway would not start",
            "take a kernel with CONFIG_SECCOMP_FILTER, or set `filter_system_calls = false` in [gateway]",
        ),
        (true, None) => Finding::doubt(
            CHECK,
            "the kernel does not tell whether it can filter them; where it cannot, the gateway does not start",
            "look whether /proc/sys/kernel/seccomp is hidden from this user or container",
        ),
    }
}

pub(super) fn open_files(config: Option<&Config>) -> Finding {
    let streams = config.map_or(1, |c| {
        let all = c.cameras.iter().map(|c| c.streams_in_all() as u64);
        all.sum()
    });
    judge_files(open_files_limit(), streams)
}

pub(super) fn judge_files(limit: Option<u64>, cameras: u64) -> Finding {
    const CHECK: &str = "open-files";
    let remedy = "raise it: LimitNOFILE= in the systemd unit, or `ulimit -n`";
    let least = FILES_AT_LEAST + FILES_A_CAMERA * cameras;
    let wanted = least + FILES_A_VIEWER * VIEWERS;
    match limit {
        None => Finding::doubt(CHECK, "the system does not tell the limit", remedy),
        Some(limit) if limit < least => Finding::bad(
            CHECK,
            format!("{limit} may be open at once; the cameras alone need {least}"),
            remedy,
        ),
        Some(limit) if limit < wanted => Finding::doubt(
            CHECK,
            format!("{limit} may be open at once; with {VIEWERS} viewers {wanted} are needed"),
            remedy,
        ),
        Some(limit) => Finding::good(CHECK, format!("{limit} may be open at once")),
    }
}

/// Only where datagrams are received.
pub(super) fn datagrams(config: Option<&Config>) -> Option<Finding> {
    let udp = |config: &Config| {
        let mut cameras = config.cameras.iter();
        cameras.any(|c| c.source.transport == Transport::Udp)
    };
    if !config.is_some_and(udp) {
        return None;
    }
    let largest = std::fs::read_to_string("/proc/sys/net/core/rmem_max").ok();
    Some(judge_datagrams(largest.and_then(|n| n.trim().parse().ok())))
}

pub(super) fn judge_datagrams(largest: Option<u64>) -> Finding {
    const CHECK: &str = "udp-buffers";
    match largest {
        Some(bytes) if bytes >= DATAGRAM_BUFFER => {
            Finding::good(CHECK, format!("{bytes} bytes may wait to be read"))
        }
        Some(bytes) => Finding::doubt(
            CHECK,
            format!("only {bytes} bytes may wait: packets of large frames would be lost"),
            format!("sysctl net.core.rmem_max={DATAGRAM_BUFFER}, or transport = \"tcp\""),
        ),
        None => Finding::doubt(
            CHECK,
            "the system does not tell how much may wait to be read",
            "use transport = \"tcp\" where packets are lost",
        ),
    }
}
