//! `xs:dateTime` ↔ capture time, with the digits that were written.
//!
//! Civil calendar arithmetic after Howard Hinnant's "chrono-compatible
//! low-level date algorithms" (days from civil, civil from days).

use crate::clock::CaptureTime;

/// A time stamp as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UtcStamp {
    /// The instant, its unwritten digits zero.
    pub at: CaptureTime,
    /// What the last written digit stands for: 1 s for whole seconds.
    pub resolution_ns: i64,
}

const SECOND_NS: i64 = 1_000_000_000;

/// Reads `YYYY-MM-DDThh:mm:ss[.fff…][Z|±hh:mm]`; a stamp without a zone is
/// UTC, as the element's name says. `None` for anything else, and outside the
/// years 1970–2200.
pub fn parse(text: &str) -> Option<UtcStamp> {
    let text = text.trim();
    if text.len() > 64 || !text.is_ascii() {
        return None;
    }
    let (date, time) = text.split_once('T')?;
    let (year, month, day) = three(date, '-')?;
    let zone_at = time.find(['Z', '+', '-']).unwrap_or(time.len());
    let (clock, zone) = time.split_at(zone_at);
    let (whole, fraction) = match clock.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
        Some(_) => return None,
        None => (clock, ""),
    };
    let (hour, minute, second) = three(whole, ':')?;
    let (fraction_ns, resolution_ns) = fraction_ns(fraction)?;
    let at_s = unix_seconds(year, month, day, hour, minute, second)? - zone_s(zone)?;
    Some(UtcStamp {
        at: CaptureTime(at_s.checked_mul(SECOND_NS)?.checked_add(fraction_ns)?),
        resolution_ns,
    })
}

/// Seconds since 1970 of a civil time; `None` where there is no such time.
pub fn unix_seconds(
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
) -> Option<i64> {
    let inside = (1970..=2200).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..60).contains(&second);
    if !inside {
        return None;
    }
    let days = days_from_civil(year, month, day);
    // A 31st of April comes back as a 1st of May.
    (civil_from_days(days) == (year, month, day))
        .then_some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

/// `YYYY-MM-DDThh:mm:ssZ`.
pub fn format_seconds(unix_s: i64) -> String {
    let (year, month, day) = civil_from_days(unix_s.div_euclid(86_400));
    let s = unix_s.rem_euclid(86_400);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
        s / 3600,
        s / 60 % 60,
        s % 60
    )
}

fn number(digits: &str) -> Option<i64> {
    let plain =
        !digits.is_empty() && digits.len() <= 4 && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

fn three(text: &str, separator: char) -> Option<(i64, i64, i64)> {
    let mut parts = text.split(separator);
    let found = (
        number(parts.next()?)?,
        number(parts.next()?)?,
        number(parts.next()?)?,
    );
    parts.next().is_none().then_some(found)
}

fn fraction_ns(digits: &str) -> Option<(i64, i64)> {
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let mut resolution_ns = SECOND_NS;
    let mut ns = 0;
    for digit in digits.bytes().take(9) {
        resolution_ns /= 10;
        ns += i64::from(digit - b'0') * resolution_ns;
    }
    Some((ns, resolution_ns))
}

fn zone_s(zone: &str) -> Option<i64> {
    let sign = match zone.chars().next() {
        None => return Some(0),
        Some('Z') => return (zone.len() == 1).then_some(0),
        Some('+') => 1,
        _ => -1,
    };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let m = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * m + 2) / 5 + 1;
    let month = if m < 10 { m + 3 } else { m - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_keep_their_digits() {
        for (text, ns, resolution_ns) in [
            ("2024-02-29T12:00:00Z", 1_709_208_000_000_000_000, SECOND_NS),
            ("2024-02-29T12:00:00", 1_709_208_000_000_000_000, SECOND_NS),
            (
                "2024-02-29T12:00:00.5Z",
                1_709_208_000_500_000_000,
                100_000_000,
            ),
            (
                "2024-02-29T12:00:00.040Z",
                1_709_208_000_040_000_000,
                1_000_000,
            ),
            (
                "2024-02-29T13:30:00.040+01:30",
                1_709_208_000_040_000_000,
                1_000_000,
            ),
            (
                "2024-02-29T09:00:00-03:00",
                1_709_208_000_000_000_000,
                SECOND_NS,
            ),
            (" 1970-01-01T00:00:00.0000000019Z ", 1, 1),
        ] {
            let stamp = parse(text).unwrap_or_else(|| panic!("{text} refused"));
            assert_eq!(
                (stamp.at.0, stamp.resolution_ns),
                (ns, resolution_ns),
                "{text}"
            );
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            "T",
            "2024-02-30T12:00:00Z",
            "2023-02-29T12:00:00Z",
            "2024-13-01T12:00:00Z",
            "2024-02-29T24:00:00Z",
            "2024-02-29T12:00:60Z",
            "2024-02-29 12:00:00Z",
            "2024-02-29T12:00:00.Z",
            "2024-02-29T12:00:00,5Z",
            "2024-02-29T12:00:00Z5",
            "2024-02-29T12:00:00+25:00",
            "2024-02-29T12:00:00+1",
            "1969-12-31T23:59:59Z",
            "99999-01-01T00:00:00Z",
            "2024-02-29T12:00:00.5x",
            "٢٠٢٤-02-29T12:00:00Z",
            "2024--2-29T12:00:00Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for s in [0, 951_782_400, 1_709_208_000, 4_102_444_799] {
            let text = format_seconds(s);
            assert_eq!(parse(&text).map(|t| t.at.0), Some(s * SECOND_NS), "{text}");
        }
    }
}
