//! Sender reports that tell when the camera took the picture.
//!
//! An RTCP sender report (RFC 3550, section 6.4.1) pairs an RTP timestamp with
//! an NTP time. The RTP session would put in the time of sending; here it
//! becomes the capture time, so that the next one in the chain knows it too.
//! Numbers and bytes only.

use crate::clock::CaptureTime;

const NS: i64 = 1_000_000_000;
/// Payload type of a sender report.
const SENDER_REPORT: u8 = 200;
/// A sender report without blocks: header, SSRC, NTP, RTP, two counts.
const SHORTEST_REPORT: usize = 28;

/// One frame's RTP timestamp and capture time; the line through it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Anchor {
    rtp: u32,
    capture: CaptureTime,
    /// RTP's clock rate, Hz.
    rate_hz: u32,
}

impl Anchor {
    /// The anchor after a frame with timestamp `rtp` of `rate_hz`. A frame that does not
    /// know its capture time moves the anchor along the old line, so that the
    /// 32 bits never wrap unseen.
    pub(super) fn after(
        before: Option<Self>,
        rtp: u32,
        capture: Option<CaptureTime>,
        rate_hz: u32,
    ) -> Option<Self> {
        let anchor = |capture| Self {
            rtp,
            capture,
            rate_hz: rate_hz.max(1),
        };
        match (before, capture) {
            (_, Some(capture)) => Some(anchor(capture)),
            (Some(before), None) => Some(anchor(before.at(rtp))),
            (None, None) => None,
        }
    }

    /// The capture time that belongs to `rtp`, up to 2³¹ ticks either way (H.264: 6.6 hours).
    fn at(self, rtp: u32) -> CaptureTime {
        let ticks = i64::from(rtp.wrapping_sub(self.rtp).cast_signed());
        CaptureTime(
            self.capture
                .0
                .saturating_add(ticks * NS / i64::from(self.rate_hz)),
        )
    }
}

/// What became of an RTCP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Report {
    /// Every sender report in it tells the capture time, or there is none in it.
    True,
    /// It holds a sender report whose capture time is not known: do not send it.
    Unknown,
}

/// Puts the capture time into every sender report of the compound `packet`.
pub(super) fn tell_capture_time(packet: &mut [u8], anchor: Option<Anchor>) -> Report {
    let mut rest = packet;
    while rest.len() >= 4 {
        let words = usize::from(u16::from_be_bytes([rest[2], rest[3]]));
        let length = (words + 1) * 4;
        if length > rest.len() {
            // Damaged; ours never are. Nothing that cannot be read is sent.
            return Report::Unknown;
        }
        let (part, behind) = rest.split_at_mut(length);
        if part[1] == SENDER_REPORT {
            if part.len() < SHORTEST_REPORT {
                return Report::Unknown;
            }
            let rtp = u32::from_be_bytes([part[16], part[17], part[18], part[19]]);
            let ntp = anchor.and_then(|a| a.at(rtp).to_ntp_ns()).map(to_ntp);
            match ntp {
                Some(ntp) => part[8..16].copy_from_slice(&ntp.to_be_bytes()),
                None => return Report::Unknown,
            }
        }
        rest = behind;
    }
    Report::True
}

/// Nanoseconds since 1900 as NTP's 32.32 fixed point (RFC 5905, section 6);
/// rounded up, so that whoever rounds down gets the same nanosecond back.
fn to_ntp(ns: u64) -> u64 {
    let wide = (u128::from(ns) << 32).div_ceil(1_000_000_000);
    // The era of 1900 ends in 2036: NTP wraps, as it says it does.
    (wide & u128::from(u64::MAX)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIDEO: u32 = 90_000;

    fn report(rtp: u32) -> Vec<u8> {
        let mut p = vec![0x80, 200, 0, 6];
        p.extend([0; 12]);
        p.extend(rtp.to_be_bytes());
        p.extend([0; 8]);
        // A source description follows, as in every compound packet.
        p.extend([0x81, 202, 0, 1, 1, 2, 3, 4]);
        p
    }

    fn told(packet: &[u8]) -> CaptureTime {
        let ntp = u64::from_be_bytes(packet[8..16].try_into().unwrap());
        let ns = ((u128::from(ntp) * 1_000_000_000) >> 32) as u64;
        CaptureTime::from_ntp_ns(ns).unwrap()
    }

    #[test]
    fn reports_tell_the_capture_time_of_their_timestamp() {
        let t = CaptureTime(1_750_000_000_123_456_789);
        for (rtp, at, want_ms) in [
            (0u32, 0u32, 0i64),
            (0, 90_000, 1000),
            (90_000, 0, -1000),
            (u32::MAX - 44_999, 45_000, 1000),
            (45_000, u32::MAX - 44_999, -1000),
        ] {
            let anchor = Anchor::after(None, rtp, Some(t), VIDEO);
            let mut packet = report(at);
            assert_eq!(tell_capture_time(&mut packet, anchor), Report::True);
            assert_eq!(told(&packet).0, t.0 + want_ms * 1_000_000, "{rtp} {at}");
        }
    }

    #[test]
    fn sound_is_told_at_its_own_rate() {
        let t = CaptureTime(1_750_000_000_000_000_000);
        for rate in [8_000, 16_000, 48_000] {
            let mut packet = report(rate);
            let anchor = Anchor::after(None, 0, Some(t), rate);
            assert_eq!(tell_capture_time(&mut packet, anchor), Report::True);
            assert_eq!(told(&packet).0, t.0 + 1_000_000_000);
        }
    }

    #[test]
    fn what_is_not_known_is_not_told() {
        assert_eq!(tell_capture_time(&mut report(5), None), Report::Unknown);
        let anchor = Anchor::after(None, 0, Some(CaptureTime(0)), VIDEO);
        let mut cut = report(5);
        cut.truncate(20);
        assert_eq!(tell_capture_time(&mut cut, anchor), Report::Unknown);
        let mut short = vec![0x80, 200, 0, 1, 0, 0, 0, 0];
        assert_eq!(tell_capture_time(&mut short, anchor), Report::Unknown);
        let mut receiver = vec![0x80, 201, 0, 1, 0, 0, 0, 0];
        assert_eq!(tell_capture_time(&mut receiver, None), Report::True);
    }

    #[test]
    fn frames_without_capture_time_carry_the_line_on() {
        let mut anchor = Anchor::after(None, 10, None, VIDEO);
        assert_eq!(anchor, None);
        anchor = Anchor::after(anchor, 0, Some(CaptureTime(0)), VIDEO);
        // Two days of grey frames, five a second: RTP wraps three times.
        for n in 1..=864_000u64 {
            anchor = Anchor::after(anchor, (n * 18_000) as u32, None, VIDEO);
        }
        assert_eq!(anchor.unwrap().capture, CaptureTime(864_000 * 200_000_000));
    }
}
