//! When a frame was taken, by whose word, and how exactly.
//!
//! A camera may say it three ways: in a header extension of its RTP packets, by RFC
//! 6051 or by ONVIF, and in RTCP sender reports. [`header`] reads the first two from a
//! packet, [`Chooser`] says which time a frame gets. What contradicts itself is no
//! time. Must not know GStreamer, poses or pictures.

mod choice;
pub mod header;

pub use choice::{CARRIED_FOR_S, Chooser};

use crate::clock::CaptureTime;
use std::time::Duration;

/// Who said when a frame was taken, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TimeSource {
    /// RFC 6051: the instant of the packet's own RTP timestamp.
    Ntp64,
    /// ONVIF's replay extension: the instant of the frame.
    OnvifReplay,
    /// RTCP sender reports, by way of the RTP timestamp.
    SenderReport,
}

impl TimeSource {
    /// All of them, best first.
    pub const ALL: [Self; 3] = [Self::Ntp64, Self::OnvifReplay, Self::SenderReport];
    /// Every [`TimeSource::name`].
    pub const NAMES: [&str; 3] = ["ntp-64", "onvif-replay", "sender-report"];

    /// A stable, machine-readable name: in the status and in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ntp64 => "ntp-64",
            Self::OnvifReplay => "onvif-replay",
            Self::SenderReport => "sender-report",
        }
    }
}

/// A capture time and its quality.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Captured {
    /// When, in the camera's clock.
    pub at: CaptureTime,
    /// By whose word.
    pub by: TimeSource,
    /// How far the sources' own words leave it open: how much the stamps of the last
    /// seconds wandered against the stream's time, and how far the sources that tell of
    /// this frame lie apart. What the camera does wrong in all of them alike is not in it:
    /// that is the profile's `sigma.capture_ms`.
    pub within: Duration,
}

/// What one source says about one frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Claim {
    /// Nothing.
    #[default]
    Silent,
    /// It was taken then.
    At(CaptureTime),
    /// Something that is no time: another length than its standard has, or the 0 by
    /// which a sender says that it does not know (RFC 3550, 6.4.1).
    Unreadable,
    /// Two times at once: packets of the frame differ.
    Contradictory,
}

/// Stamps of one frame differ by rounding at most.
pub const ONE_FRAME_NS: u64 = 1_000_000;

impl Claim {
    /// This claim and that of another packet of the same frame.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Contradictory, _) | (_, Self::Contradictory) => Self::Contradictory,
            (Self::At(a), Self::At(b)) if a.0.abs_diff(b.0) >= ONE_FRAME_NS => Self::Contradictory,
            // Where only some packets carry one, one is enough.
            (Self::At(at), _) | (_, Self::At(at)) => Self::At(at),
            (Self::Unreadable, _) | (_, Self::Unreadable) => Self::Unreadable,
            (Self::Silent, Self::Silent) => Self::Silent,
        }
    }
}

/// What all sources say about one frame, in the order of [`TimeSource::ALL`].
pub type Claims = [Claim; 3];

/// Why a frame has no capture time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Untimed {
    /// Nobody told one yet.
    Untold,
    /// One source told two of the same frame.
    Contradictory(TimeSource),
    /// Two sources told different ones.
    Apart {
        /// The later in [`TimeSource::ALL`] less the earlier, seconds.
        by_s: f64,
    },
    /// The stamps jumped, stood still or went back while the stream's time went on, and have
    /// not gone with it for long enough since.
    Unsteady(TimeSource),
}

impl Untimed {
    /// Every [`Untimed::code`].
    pub const CODES: [&str; 4] = ["untold", "contradictory", "apart", "unsteady"];

    /// A stable, machine-readable name: the label in metrics.
    pub fn code(self) -> &'static str {
        match self {
            Self::Untold => "untold",
            Self::Contradictory(_) => "contradictory",
            Self::Apart { .. } => "apart",
            Self::Unsteady(_) => "unsteady",
        }
    }
}

impl std::fmt::Display for Untimed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Untold => f.write_str("not told yet"),
            Self::Contradictory(by) => write!(f, "two of one frame by {}", by.name()),
            Self::Apart { by_s } => write!(f, "sources {by_s:+.2} s apart"),
            Self::Unsteady(by) => write!(f, "{} unsteady", by.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_listed_in_order() {
        assert_eq!(TimeSource::ALL.map(TimeSource::name), TimeSource::NAMES);
        let by = TimeSource::Ntp64;
        let all = [
            Untimed::Untold,
            Untimed::Contradictory(by),
            Untimed::Apart { by_s: 1.0 },
            Untimed::Unsteady(by),
        ];
        assert_eq!(all.map(Untimed::code), Untimed::CODES);
    }

    #[test]
    fn packets_of_one_frame_are_one_claim() {
        let at = |ms: i64| Claim::At(CaptureTime(ms * 1_000_000));
        for (a, b, both) in [
            (Claim::Silent, Claim::Silent, Claim::Silent),
            (Claim::Silent, at(5), at(5)),
            (Claim::Unreadable, at(5), at(5)),
            (Claim::Unreadable, Claim::Silent, Claim::Unreadable),
            (at(5), at(5), at(5)),
            (at(5), at(6), Claim::Contradictory),
            (Claim::Contradictory, at(5), Claim::Contradictory),
            (Claim::Contradictory, Claim::Silent, Claim::Contradictory),
        ] {
            for (a, b) in [(a, b), (b, a)] {
                assert_eq!(a.and(b), both, "{a:?} {b:?}");
            }
        }
    }
}
