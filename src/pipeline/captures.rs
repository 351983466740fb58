//! Who told when frames were taken: counted, and said when it changes.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::Mono;
use crate::stamp::{Captured, Claim, Claims, Untimed};

/// Capture times of the frames that came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CaptureTimes {
    /// That of the newest frame; none where it has none.
    pub newest: Option<Captured>,
    /// Frames by who told their time: [`TimeSource::name`](crate::stamp::TimeSource::name).
    pub told: BTreeMap<&'static str, u64>,
    /// Frames without a time, by why: [`Untimed::code`].
    pub untimed: BTreeMap<&'static str, u64>,
    /// Frames with a stamp that could not be read.
    pub unreadable: u64,
}

impl CaptureTimes {
    /// Adds what was counted earlier.
    pub(super) fn count_on_from(&mut self, earlier: &Self) {
        for (to, from) in [
            (&mut self.told, &earlier.told),
            (&mut self.untimed, &earlier.untimed),
        ] {
            for (name, count) in from {
                *to.entry(name).or_default() += count;
            }
        }
        self.unreadable += earlier.unreadable;
    }
}

/// A change is told at most this often.
const TOLD_EVERY: Duration = Duration::from_secs(1);

/// The counters.
#[derive(Debug, Default)]
pub(super) struct Captures {
    pub(super) times: CaptureTimes,
    told: Option<(&'static str, Mono)>,
}

impl Captures {
    /// Counts a frame. `Some`, with who tells its time or why nobody does, where that is
    /// news.
    pub(super) fn note(
        &mut self,
        timed: &Result<Captured, Untimed>,
        claims: &Claims,
        now: Mono,
    ) -> Option<&'static str> {
        let times = &mut self.times;
        times.newest = timed.ok();
        times.unreadable += u64::from(claims.contains(&Claim::Unreadable));
        let name = match timed {
            Ok(captured) => captured.by.name(),
            Err(why) => why.code(),
        };
        let counts = match timed {
            Ok(_) => &mut times.told,
            Err(_) => &mut times.untimed,
        };
        *counts.entry(name).or_default() += 1;
        let changed = self
            .told
            .is_none_or(|(told, at)| told != name && now.since(at) >= TOLD_EVERY);
        // Each connection begins so, and the state says it.
        let news = changed && *timed != Err(Untimed::Untold);
        news.then(|| {
            self.told = Some((name, now));
            name
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::CaptureTime;
    use crate::stamp::TimeSource;

    #[test]
    fn frames_are_counted_and_changes_told_once_a_second() {
        let mut captures = Captures::default();
        let by = |by| {
            Ok(Captured {
                at: CaptureTime(5),
                by,
                within: Duration::from_millis(1),
            })
        };
        let mut told = Vec::new();
        for n in 0..200u64 {
            let timed = match n {
                0..50 => Err(Untimed::Untold),
                50..100 => by(TimeSource::SenderReport),
                _ if n % 2 == 0 => by(TimeSource::Ntp64),
                _ => Err(Untimed::Apart { by_s: 2.0 }),
            };
            let claims = [Claim::Silent, Claim::Unreadable, Claim::Silent];
            told.extend(captures.note(&timed, &claims, Mono(n * 40_000_000)));
        }
        assert_eq!(
            told,
            ["sender-report", "ntp-64", "apart", "ntp-64", "apart"]
        );
        let mut times = captures.times.clone();
        times.count_on_from(&captures.times);
        assert_eq!(times.told["sender-report"], 100);
        assert_eq!(
            (times.untimed["apart"], times.untimed["untold"]),
            (100, 100)
        );
        assert_eq!((times.unreadable, times.newest), (400, None));
    }
}
