//! The stream's own clock: each picture's RTP timestamp, carried along.
//!
//! The jitter buffer smooths PTS by when packets arrived, so PTS cannot tell
//! whether the camera's capture time still advances as the stream does. The RTP
//! timestamp can: it is the camera's own count (RFC 3550, 5.1). A probe before
//! the depayloader leaves it on every packet; it survives depayloading, parsing
//! and decoding as a reference timestamp. Must not know what it is compared with.

use gst::prelude::*;
use gstreamer as gst;

/// Name of the reference that our stamps carry.
const REFERENCE: &str = "timestamp/x-greyplane-rtp";
/// RFC 6184, 5.1, and alike for every codec we take: 90 kHz, whatever the camera.
const CLOCK_RATE: u64 = 90_000;

/// Counts on across the wrap of the 32-bit timestamp, every 13 hours.
#[derive(Debug, Default)]
struct Unwrapped(Option<u64>);

impl Unwrapped {
    /// The timestamp's nanoseconds since some moment before the connection.
    fn take(&mut self, timestamp: u32) -> u64 {
        // Room for packets from before the first one.
        let last = self.0.unwrap_or((1 << 32) | u64::from(timestamp));
        let step = timestamp.wrapping_sub(last as u32) as i32;
        let now = last.saturating_add_signed(i64::from(step));
        self.0 = Some(now);
        (u128::from(now) * 1_000_000_000 / u128::from(CLOCK_RATE)) as u64
    }
}

/// Stamps every RTP packet that enters `pad` with its own timestamp.
pub(super) fn stamp(pad: &gst::Pad) {
    let reference = gst::Caps::new_empty_simple(REFERENCE);
    let unwrapped = std::sync::Mutex::new(Unwrapped::default());
    let stamp = move |packet: &mut gst::BufferRef| {
        let mut bytes = [0; 4];
        if packet.copy_to_slice(4, &mut bytes).is_err() {
            return; // Shorter than a header: the depayloader drops it.
        }
        let mut unwrapped = unwrapped
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let ns = unwrapped.take(u32::from_be_bytes(bytes));
        let time = gst::ClockTime::from_nseconds(ns);
        gst::ReferenceTimestampMeta::add(packet, &reference, time, gst::ClockTime::NONE);
    };
    let kinds = gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST;
    pad.add_probe(kinds, move |_, info| {
        match &mut info.data {
            Some(gst::PadProbeData::Buffer(packet)) => stamp(packet.make_mut()),
            Some(gst::PadProbeData::BufferList(list)) => {
                list.make_mut().foreach_mut(|mut packet, _| {
                    stamp(packet.make_mut());
                    std::ops::ControlFlow::Continue(Some(packet))
                });
            }
            _ => {}
        }
        gst::PadProbeReturn::Ok
    });
}

/// Puts the stamps of what leaves `depay` on what leaves `parse` without: a parser
/// that puts pictures together anew, as `av1parse` does, loses them. Both know a
/// picture by its PTS, which all packets of one RTP timestamp share.
pub(super) fn carry(depay: &gst::Pad, parse: &gst::Pad) {
    type Stamps = Vec<(gst::Caps, gst::ClockTime)>;
    let waiting = std::sync::Arc::new(std::sync::Mutex::new(std::collections::VecDeque::new()));
    let stamps_of = |buffer: &gst::BufferRef| -> Stamps {
        let metas = buffer.iter_meta::<gst::ReferenceTimestampMeta>();
        metas
            .map(|meta| (meta.reference().to_owned(), meta.timestamp()))
            .collect()
    };
    let noted = waiting.clone();
    let note = move |unit: &gst::BufferRef| {
        let Some(pts) = unit.pts() else { return };
        let mut waiting = noted
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let stamps = stamps_of(unit);
        if stamps.is_empty() || waiting.back().is_some_and(|(last, _)| *last == pts) {
            return;
        }
        if waiting.len() == IN_PARSER_AT_MOST {
            waiting.pop_front();
        }
        waiting.push_back((pts, stamps));
    };
    let kinds = gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST;
    depay.add_probe(kinds, move |_, info| {
        match &info.data {
            Some(gst::PadProbeData::Buffer(unit)) => note(unit),
            Some(gst::PadProbeData::BufferList(list)) => list.iter().for_each(&note),
            _ => {}
        }
        gst::PadProbeReturn::Ok
    });
    parse.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let Some(picture) = info.buffer_mut() else {
            return gst::PadProbeReturn::Ok;
        };
        if stream_ns(picture).is_none() {
            let waiting = waiting
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            let found: Option<&(gst::ClockTime, Stamps)> =
                waiting.iter().find(|(pts, _)| Some(*pts) == picture.pts());
            for (reference, time) in found.map(|(_, stamps)| stamps).into_iter().flatten() {
                let picture = picture.make_mut();
                gst::ReferenceTimestampMeta::add(picture, reference, *time, gst::ClockTime::NONE);
            }
        }
        gst::PadProbeReturn::Ok
    });
}

/// A parser holds back one picture, until the next begins.
const IN_PARSER_AT_MOST: usize = 16;

/// The stream's time of `picture`, nanoseconds, where it came over RTP. Only
/// differences between pictures of one connection mean anything.
pub(super) fn stream_ns(picture: &gst::BufferRef) -> Option<u64> {
    picture
        .iter_meta::<gst::ReferenceTimestampMeta>()
        .find(|meta| {
            let caps = meta.reference();
            caps.structure(0).is_some_and(|s| s.name() == REFERENCE)
        })
        .map(|meta| meta.timestamp().nseconds())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_goes_on_across_the_wrap_and_back() {
        let mut unwrapped = Unwrapped::default();
        let first = unwrapped.take(u32::MAX - 8_999);
        assert_eq!(unwrapped.take(0) - first, 100_000_000);
        assert_eq!(unwrapped.take(u32::MAX - 8_999), first);
        assert_eq!(first - unwrapped.take(u32::MAX - 17_999), 100_000_000);
    }
}
