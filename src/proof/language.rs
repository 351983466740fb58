//! What a pack is written in: Dutch or English, side by side where they are used,
//! so that neither can lack a text.

use std::fmt;
use std::str::FromStr;

/// A language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Dutch.
    Nl,
    /// English.
    En,
}

/// A text that names no language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("known languages: nl, en")]
pub struct NoLanguage;

impl FromStr for Language {
    type Err = NoLanguage;

    fn from_str(text: &str) -> Result<Self, NoLanguage> {
        match text {
            "nl" => Ok(Self::Nl),
            "en" => Ok(Self::En),
            _ => Err(NoLanguage),
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.say("en", "nl"))
    }
}

impl Language {
    /// One of the two.
    pub(super) fn say<T>(self, english: T, dutch: T) -> T {
        match self {
            Self::En => english,
            Self::Nl => dutch,
        }
    }

    /// A number as it is written in this language; a dash for what is none.
    pub(super) fn number(self, value: f64, digits: usize) -> String {
        if !value.is_finite() {
            return "–".to_owned();
        }
        let text = format!("{:.digits$}", value.abs());
        let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
        let (point, group) = self.say(('.', ','), (',', '.'));
        let mut written = String::new();
        if value < 0.0 && text.bytes().any(|b| (b'1'..=b'9').contains(&b)) {
            written.push('−');
        }
        for (i, digit) in whole.chars().enumerate() {
            if i > 0 && (whole.len() - i) % 3 == 0 {
                written.push(group);
            }
            written.push(digit);
        }
        if !part.is_empty() {
            written.push(point);
            written.push_str(part);
        }
        written
    }

    pub(super) fn count(self, value: impl TryInto<u64>) -> String {
        self.number(value.try_into().unwrap_or(u64::MAX) as f64, 0)
    }

    /// A share of one as per cent, never rounded up to all nor down to nothing.
    pub(super) fn percent(self, share: f64) -> String {
        let percent = 100.0 * share;
        let shown = match percent {
            p if p > 99.9 && p < 100.0 => 99.9,
            p if p > 0.0 && p < 0.1 => return format!("< {} %", self.number(0.1, 1)),
            p => p,
        };
        let digits = usize::from(shown.fract() != 0.0);
        format!("{} %", self.number(shown, digits))
    }

    pub(super) fn degrees(self, value: f64, digits: usize) -> String {
        format!("{}°", self.number(value, digits))
    }

    /// Seconds as days, hours, minutes and seconds.
    pub(super) fn duration(self, seconds: f64) -> String {
        let all = seconds.max(0.0).round();
        if all < 60.0 {
            return format!("{} s", self.number(seconds.max(0.0), 1));
        }
        let (minutes, s) = ((all / 60.0).floor(), all % 60.0);
        let (hours, m) = ((minutes / 60.0).floor(), minutes % 60.0);
        let (days, h) = ((hours / 24.0).floor(), hours % 24.0);
        let hour = self.say("h", "u");
        match (days, hours) {
            (0.0, 0.0) => format!("{m} min {s} s"),
            (0.0, _) => format!("{h} {hour} {m} min"),
            _ => format!(
                "{} {} {h} {hour}",
                self.count(days as u64),
                self.say("d", "d")
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_people_write_them() {
        let [nl, en] = [Language::Nl, Language::En];
        for (value, digits, dutch, english) in [
            (0.0, 0, "0", "0"),
            (-0.04, 1, "0,0", "0.0"),
            (-12.5, 1, "−12,5", "−12.5"),
            (1234567.891, 2, "1.234.567,89", "1,234,567.89"),
            (f64::NAN, 1, "–", "–"),
        ] {
            assert_eq!(nl.number(value, digits), dutch);
            assert_eq!(en.number(value, digits), english);
        }
        for (share, dutch) in [
            (0.0, "0 %"),
            (0.00001, "< 0,1 %"),
            (0.99999, "99,9 %"),
            (1.0, "100 %"),
            (0.1234, "12,3 %"),
        ] {
            assert_eq!(nl.percent(share), dutch);
        }
        for (seconds, english) in [
            (0.04, "0.0 s"),
            (61.0, "1 min 1 s"),
            (7200.0, "2 h 0 min"),
            (200_000.0, "2 d 7 h"),
        ] {
            assert_eq!(en.duration(seconds), english);
        }
    }
}
