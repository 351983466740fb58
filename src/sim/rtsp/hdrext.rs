//! Time stamps in the header extension of RTP packets: RFC 6051's and ONVIF's, true or
//! not. Written from the standards: shares nothing with what reads them in the gateway.

use gst::prelude::*;
use gstreamer as gst;

use crate::clock::CaptureTime;
use crate::sim::config::Stamps;
use crate::sim::faults::{Faults, StampFault};

/// The number in the SDP's `a=extmap`.
const NUMBER: u8 = 5;

/// Has the SDP name RFC 6051's extension, where the packets of `pad` are to carry it.
pub(super) fn announce(pad: &gst::Pad, form: Stamps) {
    if !matches!(form, Stamps::Ntp64 | Stamps::Ntp64TwoByte) {
        return;
    }
    pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, |_, info| {
        if let Some(gst::PadProbeData::Event(event)) = &mut info.data
            && let gst::EventView::Caps(caps) = event.view()
        {
            let mut caps = caps.caps_owned();
            if let Some(s) = caps.make_mut().structure_mut(0) {
                let field = format!("extmap-{NUMBER}");
                s.set(field, "urn:ietf:params:rtp-hdrext:ntp-64");
            }
            *event = gst::event::Caps::new(&caps);
        }
        gst::PadProbeReturn::Ok
    });
}

/// What is remembered from packet to packet.
#[derive(Debug, Default)]
pub(super) struct Extension {
    /// RTP timestamp of the last packet, and how many packets its frame had before.
    last: Option<(u32, u64)>,
    frames: u64,
    frozen: Option<CaptureTime>,
}

impl Extension {
    /// `packet`, without an extension so far, with a stamp of its frame, taken at `taken`;
    /// none where it gets none.
    pub(super) fn put(
        &mut self,
        packet: &[u8],
        form: Stamps,
        faults: &Faults,
        taken: CaptureTime,
    ) -> Option<Vec<u8>> {
        if form == Stamps::None {
            return None;
        }
        let timestamp = u32::from_be_bytes(*packet.get(4..)?.first_chunk()?);
        let nth = match self.last {
            Some((last, nth)) if last == timestamp => nth + 1,
            _ => {
                self.frames += 1;
                0
            }
        };
        self.last = Some((timestamp, nth));
        if faults.stamp != StampFault::Frozen {
            self.frozen = None;
        }
        let told = match faults.stamp {
            StampFault::Frozen => *self.frozen.get_or_insert(taken),
            StampFault::Differing => taken.plus_seconds(0.02 * nth as f64),
            StampFault::Sparse if !self.frames.is_multiple_of(25) => return None,
            _ => taken,
        };
        // ONVIF's is in the first packet of a frame, unless packets are to differ.
        if form == Stamps::OnvifReplay && nth > 0 && faults.stamp != StampFault::Differing {
            return None;
        }
        let mut stamp = match faults.stamp {
            StampFault::Zero => vec![0; 8],
            _ => ntp(told.plus_seconds(faults.stamp_offset_ms * 1e-3))?.to_vec(),
        };
        if faults.stamp == StampFault::Short {
            stamp.pop();
        }
        let (profile, mut body) = element(form, &stamp);
        body.resize(body.len().next_multiple_of(4), 0);
        if form == Stamps::OnvifReplay && faults.stamp == StampFault::Short {
            body.truncate(8);
        }
        let header = 12 + 4 * usize::from(packet.first()? & 0x0f);
        let (before, after) = packet.split_at_checked(header)?;
        let mut longer = before.to_vec();
        longer[0] |= 0x10;
        longer.extend(profile.to_be_bytes());
        longer.extend(((body.len() / 4) as u16).to_be_bytes());
        longer.extend(body);
        longer.extend(after);
        Some(longer)
    }
}

/// The extension's profile word and its body, not padded yet.
fn element(form: Stamps, stamp: &[u8]) -> (u16, Vec<u8>) {
    let length = stamp.len() as u8;
    match form {
        // RFC 8285, 4.2: number and length − 1 in one byte.
        Stamps::None | Stamps::Ntp64 => (
            0xbede,
            [&[(NUMBER << 4) | length.saturating_sub(1)], stamp].concat(),
        ),
        // 4.3: a byte each.
        Stamps::Ntp64TwoByte => (0x1000, [&[NUMBER, length], stamp].concat()),
        // Time, flags (C: decoding may begin here), sequence number, padding.
        Stamps::OnvifReplay => (0xabac, [stamp, &[0x80, 1, 0, 0]].concat()),
    }
}

/// NTP's 64-bit form (RFC 5905, 6).
fn ntp(at: CaptureTime) -> Option<[u8; 8]> {
    let ns = u128::from(at.to_ntp_ns()?);
    let (seconds, rest) = (ns / 1_000_000_000, ns % 1_000_000_000);
    let fixed = (seconds << 32) + (rest << 32) / 1_000_000_000;
    Some((fixed as u64).to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2004-01-01T00:00:00.25Z.
    const TAKEN: CaptureTime = CaptureTime(1_072_915_200_250_000_000);
    const NTP: [u8; 8] = [0xc3, 0x9d, 0xe1, 0x80, 0x40, 0, 0, 0];

    fn packet(timestamp: u32) -> Vec<u8> {
        let mut packet = vec![0x80, 96, 0, 1];
        packet.extend(timestamp.to_be_bytes());
        packet.extend([0, 0, 0, 7, 0x65, 1, 2]);
        packet
    }

    #[test]
    fn each_form_is_what_its_standard_says() {
        for (form, extension) in [
            (
                Stamps::Ntp64,
                [&[0xbe, 0xde, 0, 3, 0x57], &NTP[..], &[0; 3]].concat(),
            ),
            (
                Stamps::Ntp64TwoByte,
                [&[0x10, 0, 0, 3, 5, 8], &NTP[..], &[0; 2]].concat(),
            ),
            (
                Stamps::OnvifReplay,
                [&[0xab, 0xac, 0, 3], &NTP[..], &[0x80, 1, 0, 0]].concat(),
            ),
        ] {
            let mut stamps = Extension::default();
            let put = stamps.put(&packet(9), form, &Faults::default(), TAKEN);
            let mut wanted = packet(9);
            wanted[0] = 0x90;
            wanted.splice(12..12, extension);
            assert_eq!(put, Some(wanted), "{form:?}");
            let again = stamps.put(&packet(9), form, &Faults::default(), TAKEN);
            assert_eq!(again.is_some(), form != Stamps::OnvifReplay);
        }
        let none = Extension::default().put(&packet(9), Stamps::None, &Faults::default(), TAKEN);
        assert_eq!(none, None);
    }

    #[test]
    fn lies_are_told() {
        let told = |fault, offset_ms| {
            let faults = Faults {
                stamp: fault,
                stamp_offset_ms: offset_ms,
                ..Faults::default()
            };
            let mut stamps = Extension::default();
            [(9, 0.0), (9, 0.0), (10, 0.5)].map(|(timestamp, later_s)| {
                let taken = TAKEN.plus_seconds(later_s);
                let put = stamps.put(&packet(timestamp), Stamps::Ntp64, &faults, taken);
                put.map(|p| (p[16], u64::from_be_bytes(*p[17..].first_chunk().unwrap())))
            })
        };
        let ntp = u64::from_be_bytes(NTP);
        let half = 1 << 31;
        let (first, later) = (Some((0x57, ntp)), Some((0x57, ntp + half)));
        assert_eq!(told(StampFault::No, 0.0), [first, first, later]);
        assert_eq!(told(StampFault::Frozen, 0.0), [first; 3]);
        assert_eq!(told(StampFault::Sparse, 0.0), [None; 3]);
        assert_eq!(told(StampFault::Zero, 0.0), [Some((0x57, 0)); 3]);
        let ahead = told(StampFault::No, -500.0)[2];
        assert_eq!(ahead, first);
        let [a, b, _] = told(StampFault::Differing, 0.0);
        assert!(a != b && a == first);
        let short = told(StampFault::Short, 0.0)[0].unwrap();
        assert_eq!((short.0, short.1 >> 8), (0x56, ntp >> 8));
    }
}
