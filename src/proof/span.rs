//! The period of a pack, and instants as people write and read them. UTC throughout.

use crate::clock::WallTime;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

const DAY_NS: i64 = 86_400 * 1_000_000_000;

/// A period: from its beginning up to, but not with, its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its beginning.
    pub from: WallTime,
    /// Its end.
    pub to: WallTime,
}

/// A text that names no period.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoSpan {
    /// Not a day and not an instant.
    #[error("{0:?} is no time; write a day like 2026-11-22, or 2026-11-22T09:30:00Z")]
    NoTime(String),
    /// It ends before it begins.
    #[error("the period ends before it begins; `from` comes first")]
    Empty,
    /// It has not begun.
    #[error("the period lies in the future; nothing is known about it")]
    Future,
}

impl Span {
    /// From and to as somebody gave them: days (UTC; the last one with all of its
    /// hours) or instants (RFC 3339). What lies after `now` is left out.
    ///
    /// # Errors
    /// [`NoSpan`].
    pub fn parse(from: &str, to: &str, now: WallTime) -> Result<Self, NoSpan> {
        let read = |text: &str, day_end: i64| {
            let day = instant(&format!("{text}T00:00:00Z"));
            let day = day.filter(|_| text.len() == 10);
            let day = day.map(|WallTime(ns)| WallTime(ns.saturating_add(day_end)));
            day.or_else(|| instant(text))
                .ok_or_else(|| NoSpan::NoTime(text.chars().take(40).collect()))
        };
        let (from, to) = (read(from, 0)?, read(to, DAY_NS)?);
        if from >= to {
            return Err(NoSpan::Empty);
        }
        if from >= now {
            return Err(NoSpan::Future);
        }
        Ok(Self {
            from,
            to: to.min(now),
        })
    }

    /// Its length, seconds.
    pub(super) fn seconds(&self) -> f64 {
        seconds(self.from, self.to)
    }
}

/// Seconds from `a` to `b`; none where `b` is the earlier.
pub(super) fn seconds(a: WallTime, b: WallTime) -> f64 {
    b.0.saturating_sub(a.0).max(0) as f64 / 1e9
}

/// An instant as records and versions write it (RFC 3339).
pub(super) fn instant(text: &str) -> Option<WallTime> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    i64::try_from(time.unix_timestamp_nanos())
        .ok()
        .map(WallTime)
}

/// `2026-11-22 09:30:05`, UTC.
pub(super) fn written(at: WallTime) -> String {
    let utc = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.0))
        .unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (date, time) = (utc.date(), utc.time());
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
        date.year(),
        u8::from(date.month()),
        date.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_instants_make_periods() {
        let now = instant("2026-11-22T12:00:00Z").unwrap();
        let told = |from, to| {
            let span = Span::parse(from, to, now)?;
            Ok(format!("{} {}", written(span.from), written(span.to)))
        };
        for (from, to, wanted) in [
            (
                "2026-11-01",
                "2026-11-02",
                Ok("2026-11-01 00:00:00 2026-11-03 00:00:00"),
            ),
            (
                "2026-11-22",
                "2026-11-22",
                Ok("2026-11-22 00:00:00 2026-11-22 12:00:00"),
            ),
            (
                "2026-11-01T10:00:00+01:00",
                "2026-11-01T09:30:00Z",
                Ok("2026-11-01 09:00:00 2026-11-01 09:30:00"),
            ),
            ("2026-11-02", "2026-11-01", Err(NoSpan::Empty)),
            ("2026-11-23", "2026-11-24", Err(NoSpan::Future)),
            (
                "2026-13-01",
                "2026-11-24",
                Err(NoSpan::NoTime("2026-13-01".into())),
            ),
            (
                "yesterday",
                "2026-11-24",
                Err(NoSpan::NoTime("yesterday".into())),
            ),
            ("", "2026-11-24", Err(NoSpan::NoTime(String::new()))),
        ] {
            assert_eq!(told(from, to), wanted.map(str::to_owned), "{from} {to}");
        }
    }
}
