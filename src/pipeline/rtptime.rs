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
