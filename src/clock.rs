//! Time: the only place that reads the machine's clocks.
//!
//! Three kinds of instant never mix: [`CaptureTime`] is in the *camera's*
//! clock, [`WallTime`] is UTC in the gateway's clock, [`Mono`] only ever grows.
//! This module must not know cameras, frames or poses.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// When the sensor took a frame (or the head stood at a position): nanoseconds
/// since the Unix epoch, UTC as the *camera's* clock tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaptureTime(pub i64);

/// Nanoseconds since the Unix epoch, UTC as the *gateway's* clock tells it.
/// It may step; never measure a duration with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WallTime(pub i64);

/// Nanoseconds on the gateway's monotonic clock since an arbitrary start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mono(pub u64);

/// Seconds from NTP's epoch (1900) to Unix' (1970): RFC 5905, figure 4.
const NTP_TO_UNIX_S: i64 = 2_208_988_800;

impl CaptureTime {
    /// From nanoseconds since 1900, as GStreamer's `timestamp/x-ntp` counts.
    /// What would lie before 1968 is of the era that begins in 2036, as in
    /// [`from_ntp_64`](Self::from_ntp_64). `None` where the result does not fit (a stamp after
    /// the year 2262).
    pub fn from_ntp_ns(ntp_ns: u64) -> Option<Self> {
        let seconds = ntp_ns / 1_000_000_000;
        let era = if seconds >> 31 == 0 { 1i128 << 32 } else { 0 };
        i64::try_from(i128::from(ntp_ns) + (era - i128::from(NTP_TO_UNIX_S)) * 1_000_000_000)
            .ok()
            .map(Self)
    }

    /// From NTP's 64-bit form (RFC 5905, 6: seconds and their 2³²nds). What has its first
    /// bit clear is of the era that begins in 2036 (RFC 4330, 3). `None` for 0, by which a
    /// sender says that it does not know.
    pub fn from_ntp_64(ntp: u64) -> Option<Self> {
        let era = if ntp >> 63 == 0 { 1i128 << 32 } else { 0 };
        let seconds = i128::from(ntp >> 32) + era - i128::from(NTP_TO_UNIX_S);
        // Rounded: a stamp made from nanoseconds comes back as them.
        let ns = (i128::from(ntp & 0xffff_ffff) * 1_000_000_000 + (1 << 31)) >> 32;
        let at = i64::try_from(seconds * 1_000_000_000 + ns).ok()?;
        (ntp != 0).then_some(Self(at))
    }

    /// To nanoseconds since 1900; `None` before 1900.
    pub fn to_ntp_ns(self) -> Option<u64> {
        u64::try_from(i128::from(self.0) + i128::from(NTP_TO_UNIX_S) * 1_000_000_000).ok()
    }

    /// Seconds from `earlier` to `self`, negative where `self` is the earlier.
    pub fn seconds_since(self, earlier: Self) -> f64 {
        (i128::from(self.0) - i128::from(earlier.0)) as f64 * 1e-9
    }

    /// `self` moved by `seconds`, saturating at the ends of time.
    pub fn plus_seconds(self, seconds: f64) -> Self {
        Self(self.0.saturating_add((seconds * 1e9) as i64))
    }
}

impl Mono {
    /// The time from `earlier` to `self`; zero where `earlier` is the later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// `self` moved by `by`, saturating.
    pub fn plus(self, by: Duration) -> Self {
        Self(
            self.0
                .saturating_add(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX)),
        )
    }
}

/// A source of time, injected wherever time is needed so that tests own it.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The monotonic time.
    fn mono(&self) -> Mono;
    /// The gateway's UTC.
    fn wall(&self) -> WallTime;
}

/// The machine's clocks.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose monotonic zero is one hour before now, so that "an hour
    /// ago" can be said without going below zero.
    pub fn new() -> Self {
        #[allow(
            clippy::disallowed_methods,
            reason = "the one place that reads the clock"
        )]
        Self {
            start: Instant::now(),
        }
    }

    /// Now, for libraries that count in the standard library's instants.
    pub fn instant(&self) -> Instant {
        self.start + self.start.elapsed()
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn mono(&self) -> Mono {
        Mono(u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX))
            .plus(Duration::from_secs(3600))
    }

    fn wall(&self) -> WallTime {
        #[allow(
            clippy::disallowed_methods,
            reason = "the one place that reads the clock"
        )]
        let now = SystemTime::now();
        match now.duration_since(UNIX_EPOCH) {
            Ok(d) => WallTime(i64::try_from(d.as_nanos()).unwrap_or(i64::MAX)),
            Err(before) => {
                WallTime(-i64::try_from(before.duration().as_nanos()).unwrap_or(i64::MAX))
            }
        }
    }
}

/// A clock that stands still until it is told to move: for tests.
#[derive(Debug)]
pub struct SimClock {
    mono: AtomicU64,
    wall: AtomicI64,
}

impl SimClock {
    /// A clock that stands at `wall` and at a monotonic hour.
    pub fn at(wall: WallTime) -> Self {
        Self {
            mono: AtomicU64::new(3_600_000_000_000),
            wall: AtomicI64::new(wall.0),
        }
    }

    /// Moves both clocks on by `by`.
    pub fn advance(&self, by: Duration) {
        let ns = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        self.mono.fetch_add(ns, Ordering::SeqCst);
        self.wall
            .fetch_add(i64::try_from(ns).unwrap_or(i64::MAX), Ordering::SeqCst);
    }

    /// Steps only the wall clock, as an administrator or NTP may.
    pub fn step_wall(&self, seconds: f64) {
        self.wall
            .fetch_add((seconds * 1e9) as i64, Ordering::SeqCst);
    }
}

impl Clock for SimClock {
    fn mono(&self) -> Mono {
        Mono(self.mono.load(Ordering::SeqCst))
    }

    fn wall(&self) -> WallTime {
        WallTime(self.wall.load(Ordering::SeqCst))
    }
}

/// CPU time that the calling thread has used since it began; none where the
/// system does not tell (other than Linux).
pub fn thread_cpu() -> Option<Duration> {
    // The first number, nanoseconds: Linux, Documentation/scheduler/sched-stats.
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let ns: u64 = told.split_whitespace().next()?.parse().ok()?;
    // Always 0 where the kernel was built, or set, not to count.
    (ns > 0).then_some(Duration::from_nanos(ns))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ntp_and_unix_name_the_same_instant() {
        // 2004-01-01T00:00:00Z is NTP second 3_281_904_000.
        let ntp_ns = 3_281_904_000u64 * 1_000_000_000 + 250_000_000;
        let t = CaptureTime::from_ntp_ns(ntp_ns).unwrap();
        assert_eq!(t, CaptureTime(1_072_915_200_250_000_000));
        assert_eq!(t.to_ntp_ns(), Some(ntp_ns));
        assert_eq!(CaptureTime::from_ntp_ns(u64::MAX), None);
    }

    #[test]
    fn durations_never_go_below_zero() {
        assert_eq!(Mono(5).since(Mono(9)), Duration::ZERO);
        assert_eq!(
            CaptureTime(0).seconds_since(CaptureTime(1_500_000_000)),
            -1.5
        );
    }
}
