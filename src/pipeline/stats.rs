//! Counting: what a camera's pipeline did, in bounded memory.
//!
//! Must not know GStreamer.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::captures::{CaptureTimes, Captures};
use crate::clock::Mono;
use crate::event::{CameraState, DropReason, Reason};
use crate::geom::Size;
use crate::stamp::{Captured, Claims, Untimed};

/// What a camera's pipeline did since it started.
#[derive(Clone, Debug, PartialEq)]
pub struct PipelineStats {
    /// Decoded frames a second that come in, over the last two seconds.
    pub fps_in: f64,
    /// Frames a second that leave, grey ones included.
    pub fps_out: f64,
    /// Frames that came in.
    pub frames_in: u64,
    /// Frames that left, grey ones included.
    pub frames_out: u64,
    /// Grey frames among them, made because the camera sent nothing.
    pub frames_grey: u64,
    /// Frames of the camera among them that were wholly covered, by the code of
    /// the reason.
    pub frames_covered: BTreeMap<&'static str, u64>,
    /// Time from arrival to just before the encoder.
    pub latency: Latency,
    /// The same, counted.
    pub latencies: Latencies,
    /// Frames that left after their budget. Frames that would have are dropped
    /// as [`DropReason::Late`], so anything but 0 is a fault of ours.
    pub late: u64,
    /// Frames dropped, by [`DropReason::code`].
    pub dropped: BTreeMap<&'static str, u64>,
    /// What is shown now.
    pub state: CameraState,
    /// Seconds in each state: `live`, `widened`, or the code of the reason.
    pub seconds: BTreeMap<&'static str, f64>,
    /// The size of the picture that leaves, once one has left.
    pub size: Option<Size>,
    /// Viewers now.
    pub viewers: u32,
    /// Connections made to the camera.
    pub connects: u64,
    /// Who told when frames were taken.
    pub captures: CaptureTimes,
}

/// Latencies counted in classes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Latencies {
    /// Frames that took longer than the bound before in [`Latencies::BOUNDS_S`]
    /// and at most the one of the same place; the last took longer than all.
    pub counts: [u64; Latencies::BOUNDS_S.len() + 1],
    /// All of them together, seconds.
    pub sum_s: f64,
}

impl Latencies {
    /// Upper bounds, seconds; whole steps of the finer histogram.
    pub const BOUNDS_S: [f64; 12] = [
        0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75,
    ];
}

impl PipelineStats {
    /// Adds what an earlier pipeline of the same camera counted. What is only
    /// true now (rates, state, percentiles) stays.
    pub fn count_on_from(&mut self, earlier: &Self) {
        let add = |to: &mut u64, from: u64| *to += from;
        add(&mut self.frames_in, earlier.frames_in);
        add(&mut self.frames_out, earlier.frames_out);
        add(&mut self.frames_grey, earlier.frames_grey);
        add(&mut self.late, earlier.late);
        add(&mut self.connects, earlier.connects);
        for (to, from) in [
            (&mut self.frames_covered, &earlier.frames_covered),
            (&mut self.dropped, &earlier.dropped),
        ] {
            for (reason, count) in from {
                *to.entry(reason).or_default() += count;
            }
        }
        for (state, seconds) in &earlier.seconds {
            *self.seconds.entry(state).or_default() += seconds;
        }
        let counts = self.latencies.counts.iter_mut();
        for (to, from) in counts.zip(earlier.latencies.counts) {
            *to += from;
        }
        self.latencies.sum_s += earlier.latencies.sum_s;
        self.captures.count_on_from(&earlier.captures);
    }
}

/// A distribution of latencies, milliseconds; zeros when nothing was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Latency {
    /// Half of the frames took at most this long.
    pub p50_ms: f64,
    /// 99 of 100 frames took at most this long.
    pub p99_ms: f64,
    /// The longest.
    pub max_ms: f64,
}

/// Half a millisecond per step, up to one second; then one overflow step.
const STEP_NS: u128 = 500_000;
const STEP_S: f64 = 5e-4;
const STEPS: usize = 2_001;

/// A histogram of fixed size.
#[derive(Debug)]
pub(super) struct Histogram {
    counts: Vec<u64>,
    total: u64,
    sum_s: f64,
    max: Duration,
}

impl Histogram {
    pub(super) fn new() -> Self {
        Self {
            counts: vec![0; STEPS],
            total: 0,
            sum_s: 0.0,
            max: Duration::ZERO,
        }
    }

    pub(super) fn add(&mut self, took: Duration) {
        let step = usize::try_from(took.as_nanos() / STEP_NS)
            .unwrap_or(STEPS)
            .min(STEPS - 1);
        if let Some(count) = self.counts.get_mut(step) {
            *count += 1;
        }
        self.total += 1;
        self.sum_s += took.as_secs_f64();
        self.max = self.max.max(took);
    }

    pub(super) fn read(&self) -> Latency {
        Latency {
            p50_ms: self.quantile_ms(0.5),
            p99_ms: self.quantile_ms(0.99),
            max_ms: self.max.as_secs_f64() * 1e3,
        }
    }

    fn classes(&self) -> Latencies {
        let mut classes = Latencies {
            sum_s: self.sum_s,
            ..Latencies::default()
        };
        let steps = self.counts.iter().enumerate();
        for (step, count) in steps.filter(|(_, count)| **count > 0) {
            // The step holds what took less than its end.
            let end_s = (step + 1) as f64 * STEP_S;
            let class = match step == STEPS - 1 {
                true => Latencies::BOUNDS_S.len(),
                false => Latencies::BOUNDS_S.partition_point(|b| *b < end_s - STEP_S / 2.0),
            };
            if let Some(sum) = classes.counts.get_mut(class) {
                *sum += count;
            }
        }
        classes
    }

    /// The upper end of the step in which the quantile lies, but never more than the maximum.
    fn quantile_ms(&self, q: f64) -> f64 {
        let wanted = (self.total as f64 * q).ceil() as u64;
        let mut below = 0;
        for (step, count) in self.counts.iter().enumerate() {
            below += count;
            if below >= wanted && below > 0 {
                let max_ms = self.max.as_secs_f64() * 1e3;
                if step == STEPS - 1 {
                    return max_ms;
                }
                return ((step + 1) as f64 * 0.5).min(max_ms);
            }
        }
        0.0
    }
}

/// Events a second over the last [`RATE_OVER`].
#[derive(Debug, Default)]
struct Rate {
    recent: VecDeque<Mono>,
}

const RATE_OVER: Duration = Duration::from_secs(2);
const RATE_REMEMBERS: usize = 256;

impl Rate {
    fn tick(&mut self, now: Mono) {
        if self.recent.len() == RATE_REMEMBERS {
            self.recent.pop_front();
        }
        self.recent.push_back(now);
    }

    fn read(&self, now: Mono) -> f64 {
        let mut inside = self.recent.iter().filter(|t| now.since(**t) < RATE_OVER);
        let Some(first) = inside.next() else {
            return 0.0;
        };
        let more = inside.count();
        let span = self
            .recent
            .back()
            .map_or(0.0, |l| l.since(*first).as_secs_f64());
        if span > 0.0 { more as f64 / span } else { 0.0 }
    }
}

/// What happened to one frame.
pub(super) struct Left {
    pub(super) now: Mono,
    /// `None` for a grey frame of our own.
    pub(super) arrival: Option<Mono>,
    pub(super) budget: Duration,
    pub(super) size: Size,
    pub(super) state: CameraState,
}

/// The counters, shared between the streaming threads and whoever asks.
#[derive(Debug)]
pub(super) struct Meters(Mutex<Counted>);

#[derive(Debug)]
struct Counted {
    rate_in: Rate,
    rate_out: Rate,
    frames_in: u64,
    frames_out: u64,
    frames_grey: u64,
    frames_covered: BTreeMap<&'static str, u64>,
    last_in: Option<Mono>,
    last_out: Option<Mono>,
    latency: Histogram,
    late: u64,
    dropped: BTreeMap<&'static str, u64>,
    unreported: BTreeMap<DropReason, (u64, Mono)>,
    state: CameraState,
    seconds: BTreeMap<&'static str, f64>,
    size: Option<Size>,
    connects: u64,
    captures: Captures,
}

/// Drops are reported at most this often per reason.
const REPORT_EVERY: Duration = Duration::from_secs(1);
/// Beyond this a pause between two frames is not called a state.
const LONGEST_FRAME: Duration = Duration::from_secs(5);

impl Meters {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Counted {
            rate_in: Rate::default(),
            rate_out: Rate::default(),
            frames_in: 0,
            frames_out: 0,
            frames_grey: 0,
            frames_covered: BTreeMap::new(),
            last_in: None,
            last_out: None,
            latency: Histogram::new(),
            late: 0,
            dropped: BTreeMap::new(),
            unreported: BTreeMap::new(),
            state: CameraState::NoSignal(Reason::Starting),
            seconds: BTreeMap::new(),
            size: None,
            connects: 0,
            captures: Captures::default(),
        }))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn came(&self, now: Mono) {
        let mut c = self.lock();
        c.frames_in += 1;
        c.last_in = Some(now);
        c.rate_in.tick(now);
    }

    /// Counts who told when a frame was taken. `Some` where that is news.
    pub(super) fn timed(
        &self,
        timed: &Result<Captured, Untimed>,
        claims: &Claims,
        now: Mono,
    ) -> Option<&'static str> {
        self.lock().captures.note(timed, claims, now)
    }

    pub(super) fn connected(&self) {
        self.lock().connects += 1;
    }

    /// When the last decoded frame came.
    pub(super) fn last_in(&self) -> Option<Mono> {
        self.lock().last_in
    }

    /// Counts a frame that left. `Some` where the state changed in name or reason.
    pub(super) fn left(&self, left: Left) -> Option<CameraState> {
        let mut c = self.lock();
        if let Some(last) = c.last_out {
            let span = left.now.since(last).min(LONGEST_FRAME).as_secs_f64();
            *c.seconds.entry(key(&left.state)).or_default() += span;
        }
        c.last_out = Some(left.now);
        c.frames_out += 1;
        c.rate_out.tick(left.now);
        c.size = Some(left.size);
        match left.arrival {
            Some(arrival) => {
                let took = left.now.since(arrival);
                c.late += u64::from(took > left.budget);
                c.latency.add(took);
                if let Some(reason) = left.state.reason() {
                    *c.frames_covered.entry(reason.code()).or_default() += 1;
                }
            }
            None => c.frames_grey += 1,
        }
        let changed = c.frames_out == 1
            || (key(&c.state), c.state.name()) != (key(&left.state), left.state.name());
        c.state = left.state;
        changed.then(|| c.state.clone())
    }

    /// Counts `count` dropped frames; `Some(n)` where `n` should be reported now.
    pub(super) fn dropped(&self, why: DropReason, now: Mono) -> Option<u64> {
        let mut c = self.lock();
        *c.dropped.entry(why.code()).or_default() += 1;
        let first = !c.unreported.contains_key(&why);
        let (count, since) = c.unreported.entry(why).or_insert((0, now));
        *count += 1;
        if first || now.since(*since) >= REPORT_EVERY {
            *since = now;
            return Some(std::mem::take(count));
        }
        None
    }

    pub(super) fn read(&self, now: Mono, viewers: u32) -> PipelineStats {
        let c = self.lock();
        PipelineStats {
            fps_in: c.rate_in.read(now),
            fps_out: c.rate_out.read(now),
            frames_in: c.frames_in,
            frames_out: c.frames_out,
            frames_grey: c.frames_grey,
            frames_covered: c.frames_covered.clone(),
            latency: c.latency.read(),
            latencies: c.latency.classes(),
            late: c.late,
            dropped: c.dropped.clone(),
            state: c.state.clone(),
            seconds: c.seconds.clone(),
            size: c.size,
            viewers,
            connects: c.connects,
            captures: c.captures.times.clone(),
        }
    }
}

fn key(state: &CameraState) -> &'static str {
    state.reason().map_or_else(|| state.name(), Reason::code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_the_histogram() {
        let mut h = Histogram::new();
        assert_eq!(h.read(), Latency::default());
        for ms in 1..=100 {
            h.add(Duration::from_millis(ms));
        }
        h.add(Duration::from_secs(9));
        let read = h.read();
        assert_eq!(
            (read.p50_ms, read.p99_ms, read.max_ms),
            (51.5, 100.5, 9000.0)
        );
        let classes = h.classes();
        // 10 ms and what lies on any other bound belong to the class above: a step
        // holds what took less than its end.
        assert_eq!(classes.counts[..5], [9, 15, 25, 25, 25]);
        assert_eq!(classes.counts[5..], [1, 0, 0, 0, 0, 0, 0, 1]);
        assert!((classes.sum_s - 14.05).abs() < 1e-9);
    }

    #[test]
    fn a_burst_of_drops_is_reported_once_a_second_and_none_is_lost() {
        let meters = Meters::new();
        let reported: u64 = (0..250)
            .filter_map(|n| meters.dropped(DropReason::Late, Mono(n * 10_000_000)))
            .sum();
        let told = (0..250)
            .filter_map(|n| Meters::new().dropped(DropReason::Late, Mono(n)))
            .count();
        assert_eq!(reported, 201);
        assert_eq!(told, 250);
        let read = meters.read(Mono(0), 0);
        assert_eq!((read.dropped["late"], read.late), (250, 0));
    }

    #[test]
    fn a_new_pipeline_counts_on() {
        let ran = Meters::new();
        ran.connected();
        for n in 0..3 {
            ran.came(Mono(n));
            ran.dropped(DropReason::Late, Mono(n));
            ran.left(Left {
                now: Mono((n + 1) * 1_000_000_000),
                arrival: Some(Mono((n + 1) * 1_000_000_000 - 30_000_000)),
                budget: Duration::from_millis(25),
                size: Size {
                    width: 2,
                    height: 2,
                },
                state: CameraState::Covered(Reason::NoPosition),
            });
        }
        let ran = ran.read(Mono(0), 5);
        let mut now = Meters::new().read(Mono(0), 1);
        now.count_on_from(&ran);
        now.count_on_from(&ran);
        assert_eq!((now.frames_in, now.frames_out, now.late), (6, 6, 6));
        assert_eq!((now.connects, now.dropped["late"]), (2, 6));
        assert_eq!(now.frames_covered["no-position"], 6);
        assert_eq!(now.seconds["no-position"], 4.0);
        assert_eq!(now.latencies.counts[2], 6);
        assert_eq!(
            (now.viewers, &now.state),
            (1, &CameraState::NoSignal(Reason::Starting))
        );
    }

    #[test]
    fn seconds_are_booked_under_the_reason() {
        let meters = Meters::new();
        let size = Size {
            width: 2,
            height: 2,
        };
        let step = |n: u64, state: CameraState| {
            meters.left(Left {
                now: Mono(n * 500_000_000),
                arrival: None,
                budget: Duration::from_millis(250),
                size,
                state,
            })
        };
        assert!(step(0, CameraState::Live).is_some());
        assert!(step(1, CameraState::Live).is_none());
        assert!(step(2, CameraState::Covered(Reason::NoPosition)).is_some());
        assert!(step(3, CameraState::Covered(Reason::NoCaptureTime)).is_some());
        let seconds = meters.read(Mono(0), 0).seconds;
        assert_eq!(seconds.get("live"), Some(&0.5));
        assert_eq!(seconds.get("no-position"), Some(&0.5));
    }
}
