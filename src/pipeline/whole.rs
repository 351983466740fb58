//! After a lost packet nothing is shown until a picture that is whole again.
//!
//! A decoder that misses a part goes on predicting from the wrong picture: what it
//! shows then lies where it lay before, and no margin knows of it. `rtph264depay`
//! can wait for the next key frame; the depayloaders of the other codecs cannot in
//! GStreamer 1.22, so a probe before the depayloader looks for gaps in the sequence
//! numbers (RFC 3550, 5.1), and one after the parser drops what they may have
//! touched. Must not know which codec it is.

use std::sync::{Arc, Mutex, PoisonError};

use gst::prelude::*;
use gstreamer as gst;

use super::rtptime::stream_ns;

/// What is known about losses.
#[derive(Debug, Default)]
struct Gate {
    last: Option<u16>,
    /// The stream's time of the packet after the gap: pictures up to it may lack a
    /// part.
    lost_at: Option<u64>,
}

impl Gate {
    /// A packet goes in, with its sequence number and its picture's time.
    fn packet(&mut self, sequence: u16, ns: u64) {
        let follows = self
            .last
            .is_none_or(|last| sequence.wrapping_sub(last) <= 1);
        self.last = Some(sequence);
        if !follows {
            self.lost_at = Some(self.lost_at.map_or(ns, |at| at.max(ns)));
        }
    }

    /// A coded picture comes out; whether it may go on. One without a time is of
    /// unknown age.
    fn passes(&mut self, is_key: bool, ns: Option<u64>) -> bool {
        match (self.lost_at, ns) {
            (None, _) => true,
            (Some(lost), Some(ns)) if is_key && ns > lost => {
                self.lost_at = None;
                true
            }
            (Some(_), _) => false,
        }
    }
}

/// Lets only whole pictures out of `coded`, with what enters `packets`, where
/// every packet is stamped by now (see `rtptime::stamp`).
pub(super) fn hold_back_damaged(packets: &gst::Pad, coded: &gst::Pad) {
    let gate = Arc::new(Mutex::new(Gate::default()));
    let counted = gate.clone();
    let count = move |packet: &gst::BufferRef| {
        let mut bytes = [0; 2];
        let read = packet.copy_to_slice(2, &mut bytes).is_ok();
        if let Some(ns) = stream_ns(packet).filter(|_| read) {
            let mut gate = counted.lock().unwrap_or_else(PoisonError::into_inner);
            gate.packet(u16::from_be_bytes(bytes), ns);
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
    coded.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let Some(picture) = info.buffer() else {
            return gst::PadProbeReturn::Ok;
        };
        let is_key = !picture.flags().contains(gst::BufferFlags::DELTA_UNIT);
        let mut gate = gate.lock().unwrap_or_else(PoisonError::into_inner);
        if gate.passes(is_key, stream_ns(picture)) {
            gst::PadProbeReturn::Ok
        } else {
            gst::PadProbeReturn::Drop
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_gap_the_next_key_picture_that_began_later_is_the_first_to_pass() {
        enum Step {
            Packet(u16, u64),
            Picture(bool, Option<u64>, bool),
        }
        use Step::{Packet, Picture};
        let mut gate = Gate::default();
        for (n, step) in [
            Picture(false, None, true),
            Packet(65_534, 10),
            Packet(65_535, 10),
            Packet(65_535, 10),
            Packet(0, 20),
            Picture(false, Some(10), true),
            // 1 is lost: of the picture at 20, or of the one at 30.
            Packet(2, 30),
            Picture(false, Some(20), false),
            Picture(true, Some(30), false),
            Picture(true, None, false),
            Packet(3, 40),
            Picture(false, Some(40), false),
            // Lost again before a key picture came.
            Packet(9, 50),
            Picture(true, Some(50), false),
            Packet(10, 60),
            Picture(true, Some(60), true),
            Picture(false, Some(70), true),
        ]
        .into_iter()
        .enumerate()
        {
            match step {
                Packet(sequence, ns) => gate.packet(sequence, ns),
                Picture(key, ns, passes) => assert_eq!(gate.passes(key, ns), passes, "step {n}"),
            }
        }
    }
}
