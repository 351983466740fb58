//! After a lost packet nothing is shown until a picture that is whole again.
//!
//! A decoder that misses a part goes on predicting from the wrong picture: what it
//! shows then lies where it lay before, and no margin knows of it. `rtph264depay`
//! can wait for what it takes for a key frame, which may still lean on older
//! pictures; GStreamer 1.22's depayloaders of the other codecs cannot wait. So a
//! probe before the depayloader looks for gaps in the sequence numbers (RFC 3550,
//! 5.1), one after the parser drops what they may have touched, until a picture that
//! leans on none before it, and one after the decoder drops what the decoder itself
//! calls damaged. Where a decoder gives each picture before it takes the next, one that
//! does not come out was damaged, too. Must not know which codec it is: what a packet begins, it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use gst::prelude::*;
use gstreamer as gst;

use super::rtptime::stream_ns;

/// What the picture that a packet belongs to leans on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leans {
    /// On no other: decoding may begin here.
    Nowhere,
    /// On pictures before the one where decoding may begin, though it comes after it.
    Before,
    /// On others; or the packet does not tell.
    Others,
    /// The flag of the picture tells, which our own depayloader sets.
    Flagged,
}

/// Pictures between the depayloader and the decoder.
const UNDER_WAY: usize = 64;

/// What is known about losses. All times are the stream's.
#[derive(Debug, Default)]
struct Gate {
    last: Option<u16>,
    /// Of the packet after the gap: pictures up to it may lack a part.
    lost_at: Option<u64>,
    /// Of the newest picture that leans on nothing.
    start_at: Option<u64>,
    /// Whether that one came first after a gap.
    anew: bool,
    /// Of pictures that lean on what came before that.
    before: VecDeque<u64>,
    /// Pictures tell by their flags whether they lean on others.
    flagged: bool,
    /// The decoder gives each picture before it takes the next.
    at_once: bool,
    /// Of the picture that went into such a decoder and did not come out.
    inside: Option<u64>,
}

impl Gate {
    /// A packet goes in, with its sequence number and its picture's time.
    fn packet(&mut self, sequence: u16, ns: u64, leans: Leans) {
        let follows = self
            .last
            .is_none_or(|last| sequence.wrapping_sub(last) <= 1);
        self.last = Some(sequence);
        if !follows {
            self.lose(ns);
        }
        match leans {
            Leans::Nowhere => self.start(ns),
            Leans::Flagged => self.flagged = true,
            Leans::Before if self.anew => {
                if self.before.len() == UNDER_WAY {
                    self.before.pop_front();
                }
                self.before.push_back(ns);
            }
            _ => {}
        }
    }

    /// A picture that leans on nothing.
    fn start(&mut self, ns: u64) {
        if self.start_at != Some(ns) {
            self.anew = self.lost_at.is_some();
            self.start_at = Some(ns);
        }
    }

    fn lose(&mut self, ns: u64) {
        self.lost_at = Some(self.lost_at.map_or(ns, |at| at.max(ns)));
    }

    /// A coded picture comes out; whether it may go on. One without a time is of
    /// unknown age.
    fn passes(&mut self, ns: Option<u64>) -> bool {
        if let Some(failed) = self.inside.take() {
            self.lose(failed);
        }
        let lost = self.lost_at;
        let passes = match (lost, ns) {
            (None, Some(ns)) => !self.before.contains(&ns),
            (None, None) => true,
            (Some(lost), Some(ns)) if self.start_at == Some(ns) && ns > lost => {
                self.lost_at = None;
                true
            }
            (Some(_), _) => false,
        };
        self.inside = ns.filter(|_| self.at_once && passes);
        passes
    }
}

/// Lets only whole pictures out of `coded` and of `decoded`, with what enters
/// `packets`, where every packet is stamped by now (see `rtptime::stamp`). `leans`
/// tells of an RTP payload what its picture leans on; `at_once` where the decoder gives
/// each picture before it takes the next.
pub(super) fn hold_back_damaged(
    packets: &gst::Pad,
    [coded, decoded]: [&gst::Pad; 2],
    leans: fn(&[u8]) -> Leans,
    at_once: bool,
) {
    let gate = Arc::new(Mutex::new(Gate {
        at_once,
        ..Gate::default()
    }));
    let counted = gate.clone();
    let count = move |packet: &gst::BufferRef| {
        let Ok(bytes) = packet.map_readable() else {
            return;
        };
        if let (Some(ns), [_, _, high, low, ..]) = (stream_ns(packet), bytes.as_slice()) {
            let leans = payload(&bytes).map_or(Leans::Others, leans);
            let mut gate = counted.lock().unwrap_or_else(PoisonError::into_inner);
            gate.packet(u16::from_be_bytes([*high, *low]), ns, leans);
        }
    };
    let kinds = gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST;
    packets.add_probe(kinds, move |_, info| {
        match &info.data {
            Some(gst::PadProbeData::Buffer(packet)) => count(packet),
            Some(gst::PadProbeData::BufferList(list)) => list.iter().for_each(&count),
            _ => {}
        }
        gst::PadProbeReturn::Ok
    });
    let given = gate.clone();
    coded.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let Some(picture) = info.buffer() else {
            return gst::PadProbeReturn::Ok;
        };
        let mut gate = gate.lock().unwrap_or_else(PoisonError::into_inner);
        let ns = stream_ns(picture);
        let leans = picture.flags().contains(gst::BufferFlags::DELTA_UNIT);
        if let Some(ns) = ns.filter(|_| gate.flagged && !leans) {
            gate.start(ns);
        }
        if gate.passes(ns) {
            gst::PadProbeReturn::Ok
        } else {
            gst::PadProbeReturn::Drop
        }
    });
    decoded.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let damaged = |picture: &gst::Buffer| picture.flags().contains(gst::BufferFlags::CORRUPTED);
        match info.buffer() {
            Some(picture) if damaged(picture) => gst::PadProbeReturn::Drop,
            _ => {
                let mut gate = given.lock().unwrap_or_else(PoisonError::into_inner);
                gate.inside = None;
                gst::PadProbeReturn::Ok
            }
        }
    });
}

/// What follows an RTP packet's header (RFC 3550, 5.1), if it is whole.
pub(super) fn payload(packet: &[u8]) -> Option<&[u8]> {
    let first = *packet.first()?;
    let mut at = 12 + 4 * usize::from(first & 0x0f);
    if first & 0x10 != 0 {
        let words = packet.get(at + 2..at + 4)?;
        at += 4 + 4 * usize::from(u16::from_be_bytes([words[0], words[1]]));
    }
    packet.get(at..).filter(|payload| !payload.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_gap_the_next_picture_that_leans_on_nothing_is_the_first_to_pass() {
        enum Step {
            Packet(u16, u64, Leans),
            Picture(Option<u64>, bool),
        }
        use Leans::{Before, Nowhere, Others};
        use Step::{Packet, Picture};
        let mut gate = Gate::default();
        for (n, step) in [
            Picture(None, true),
            Packet(65_534, 10, Others),
            Packet(65_535, 10, Others),
            Packet(65_535, 10, Others),
            Packet(0, 20, Nowhere),
            Picture(Some(10), true),
            // 1 is lost: of the picture at 20, or of the one at 30.
            Packet(2, 30, Nowhere),
            Picture(Some(20), false),
            Picture(Some(30), false),
            Picture(None, false),
            Packet(3, 40, Others),
            Picture(Some(40), false),
            // Lost again before one came that leans on nothing.
            Packet(9, 50, Nowhere),
            Picture(Some(50), false),
            Packet(10, 60, Nowhere),
            Packet(11, 60, Nowhere),
            Packet(12, 55, Before),
            Picture(Some(60), true),
            Picture(Some(55), false),
            Packet(13, 70, Others),
            Picture(Some(70), true),
            // Nothing was lost before this one: what leans across it is whole.
            Packet(14, 90, Nowhere),
            Packet(15, 80, Before),
            Picture(Some(90), true),
            Picture(Some(80), true),
        ]
        .into_iter()
        .enumerate()
        {
            match step {
                Packet(sequence, ns, leans) => gate.packet(sequence, ns, leans),
                Picture(ns, passes) => assert_eq!(gate.passes(ns), passes, "step {n}"),
            }
        }
    }

    #[test]
    fn where_pictures_tell_by_their_flags_no_packet_does() {
        let mut gate = Gate::default();
        for (sequence, ns, begins, passes) in [
            (1, 10, true, true),
            (2, 20, false, true),
            (4, 30, false, false),
            (5, 40, false, false),
            (6, 50, true, true),
            (7, 60, false, true),
        ] {
            gate.packet(sequence, ns, Leans::Flagged);
            assert!(gate.flagged);
            if begins {
                gate.start(ns);
            }
            assert_eq!(gate.passes(Some(ns)), passes, "{ns}");
        }
    }

    #[test]
    fn what_a_decoder_did_not_give_at_once_is_lost_to_all_that_follow() {
        let mut gate = Gate {
            at_once: true,
            ..Gate::default()
        };
        for (n, (ns, leans, passes, comes_out)) in [
            (10, Leans::Nowhere, true, true),
            (20, Leans::Others, true, true),
            (30, Leans::Others, true, false),
            (40, Leans::Others, false, false),
            (50, Leans::Others, false, false),
            (60, Leans::Nowhere, true, true),
            (70, Leans::Others, true, true),
        ]
        .into_iter()
        .enumerate()
        {
            gate.packet(n as u16, ns, leans);
            assert_eq!(gate.passes(Some(ns)), passes, "{ns}");
            if comes_out {
                gate.inside = None;
            }
        }
    }

    #[test]
    fn a_payload_begins_after_all_of_its_header() {
        let plain = [0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 7, 8];
        assert_eq!(payload(&plain), Some(&[7, 8][..]));
        let mut more = plain[..12].to_vec();
        more[0] = 0x91;
        more.extend([9; 4]);
        more.extend([0xbe, 0xde, 0, 1, 5, 5, 5, 5, 7]);
        assert_eq!(payload(&more), Some(&[7][..]));
        for end in 0..more.len() {
            assert_eq!(payload(&more[..end]), None, "{end}");
        }
    }
}
