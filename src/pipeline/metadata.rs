//! The camera's metadata stream: RTP packets → whole documents, which nobody reads here.
//!
//! ONVIF cuts a document into packets and marks its last one (Streaming Specification,
//! 5.2.1.1). GStreamer's own depayloader for it is not in Debian, and this is all there is
//! to it. A document of which a packet was lost is left out. Must not know what is in it.

use std::sync::{Arc, Mutex, PoisonError};

use gst::prelude::*;
use gstreamer as gst;

use super::beside;
use super::whole::payload;
use crate::clock::{Clock, Mono};

/// A larger document is left out.
const MOST_BYTES: usize = 256 * 1024;
const PLAIN: &str = "VND.ONVIF.METADATA";
const GZIP: &str = "VND.ONVIF.METADATA.GZIP";

/// A document as the camera sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataDocument {
    /// All of it, 256 KiB at most.
    pub bytes: Vec<u8>,
    /// Whether it is packed.
    pub gzip: bool,
    /// When its last packet came.
    pub arrived: Mono,
}

/// Takes documents on the stream's own thread: must return at once.
pub type MetadataSink = Arc<dyn Fn(MetadataDocument) + Send + Sync>;

/// Whether the stream with these caps is one of metadata that can be read, and if so
/// whether it is packed.
pub(super) fn packing(caps: &gst::StructureRef) -> Option<bool> {
    let encoding = caps.get::<&str>("encoding-name").ok()?;
    if caps.get::<&str>("media") != Ok("application") {
        return None;
    }
    match () {
        () if encoding.eq_ignore_ascii_case(PLAIN) => Some(false),
        () if encoding.eq_ignore_ascii_case(GZIP) => Some(true),
        () => None,
    }
}

fn packing_of(pad: &gst::Pad) -> Option<bool> {
    let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
    caps.structure(0).and_then(packing)
}

/// Whether it gives metadata, and so is no video.
pub(super) fn is_metadata(pad: &gst::Pad) -> bool {
    packing_of(pad).is_some()
}

/// Takes the metadata stream of `rtspsrc`, should one be selected.
pub(super) fn take(
    rtspsrc: &gst::Element,
    bin: &gst::Bin,
    sink: MetadataSink,
    clock: Arc<dyn Clock>,
) {
    beside::keep_apart(rtspsrc);
    let bin = bin.downgrade();
    rtspsrc.connect_pad_added(move |_, pad| {
        let (Some(gzip), Some(bin)) = (packing_of(pad), bin.upgrade()) else {
            return;
        };
        let (sink, clock) = (sink.clone(), clock.clone());
        let give = move |bytes| {
            let arrived = clock.mono();
            sink(MetadataDocument {
                bytes,
                gzip,
                arrived,
            });
        };
        if link(pad, &bin, give).is_none() {
            // The video goes on without it.
            tracing::warn!("the camera's metadata stream cannot be linked");
        }
    });
}

fn link(
    pad: &gst::Pad,
    bin: &gst::Bin,
    give: impl Fn(Vec<u8>) + Send + Sync + 'static,
) -> Option<()> {
    let pieces = Mutex::new(Pieces::default());
    beside::each_packet(pad, bin, move |packet| {
        let mut pieces = pieces.lock().unwrap_or_else(PoisonError::into_inner);
        let whole = packet
            .map_readable()
            .ok()
            .and_then(|packet| pieces.take(&packet));
        drop(pieces);
        if let Some(document) = whole {
            give(document);
        }
    })
}

/// The document that is under way.
#[derive(Debug, Default)]
struct Pieces {
    /// Number and timestamp of the last packet.
    last: Option<(u16, u32)>,
    bytes: Vec<u8>,
    /// A part of it is missing, or it is too large: it ends with the next mark.
    spoilt: bool,
}

impl Pieces {
    /// Takes up a packet; the document, if that is the last of a whole one.
    fn take(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        let fixed: &[u8; 12] = packet.first_chunk()?;
        let number = u16::from_be_bytes([fixed[2], fixed[3]]);
        let timestamp = u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]);
        let is_last = fixed[1] & 0x80 != 0;
        if let Some((before, at)) = self.last.replace((number, timestamp)) {
            let follows = number == before.wrapping_add(1);
            if !follows || (at != timestamp && !self.bytes.is_empty()) {
                self.bytes.clear();
                self.spoilt = true;
            }
        }
        let end = match fixed[0] & 0x20 {
            0 => packet.len(),
            _ => packet.len().checked_sub(usize::from(*packet.last()?))?,
        };
        let part = packet.get(..end).and_then(payload).unwrap_or_default();
        if self.bytes.len() + part.len() > MOST_BYTES {
            self.bytes = Vec::new();
            self.spoilt = true;
        }
        if !self.spoilt {
            self.bytes.extend_from_slice(part);
        }
        if !is_last {
            return None;
        }
        let spoilt = std::mem::take(&mut self.spoilt);
        let document = std::mem::take(&mut self.bytes);
        (!spoilt && !document.is_empty()).then_some(document)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(number: u16, timestamp: u32, is_last: bool, part: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x80, if is_last { 0x80 | 107 } else { 107 }];
        packet.extend(number.to_be_bytes());
        packet.extend(timestamp.to_be_bytes());
        packet.extend([0; 4]);
        packet.extend(part);
        packet
    }

    #[test]
    fn a_document_is_given_whole_or_not_at_all() {
        type Packet = (u16, u32, bool, &'static str);
        let cases: [(&str, &[Packet], &[&str]); 6] = [
            (
                "in one, in two, across the number's wrap",
                &[
                    (65_534, 1, true, "a"),
                    (65_535, 2, false, "b"),
                    (0, 2, true, "c"),
                ],
                &["a", "bc"],
            ),
            (
                "the middle is lost",
                &[(1, 1, false, "a"), (3, 1, true, "c"), (4, 2, true, "d")],
                &["d"],
            ),
            (
                "an end is lost, and who begins next is not known",
                &[(1, 1, false, "a"), (3, 2, true, "b"), (4, 3, true, "c")],
                &["c"],
            ),
            (
                "an end is not marked",
                &[(1, 1, false, "a"), (2, 2, true, "b"), (3, 3, true, "c")],
                &["c"],
            ),
            (
                "a packet comes twice",
                &[(1, 1, false, "a"), (1, 1, false, "a"), (2, 1, true, "b")],
                &[],
            ),
            ("empty ones", &[(1, 1, true, ""), (2, 2, true, "a")], &["a"]),
        ];
        for (name, packets, expected) in cases {
            let mut pieces = Pieces::default();
            let found: Vec<Vec<u8>> = packets
                .iter()
                .filter_map(|(n, t, last, part)| {
                    pieces.take(&packet(*n, *t, *last, part.as_bytes()))
                })
                .collect();
            let expected: Vec<Vec<u8>> = expected.iter().map(|d| d.as_bytes().into()).collect();
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn what_grows_without_end_takes_no_memory_and_ends_with_its_mark() {
        let mut pieces = Pieces::default();
        let part = [b' '; 1200];
        for n in 0..1000 {
            assert_eq!(pieces.take(&packet(n, 1, false, &part)), None);
            assert!(pieces.bytes.capacity() <= 2 * MOST_BYTES);
        }
        assert_eq!(pieces.take(&packet(1000, 1, true, b"x")), None);
        let next = pieces.take(&packet(1001, 2, true, b"y"));
        assert_eq!(next.as_deref(), Some(&b"y"[..]));
    }

    #[test]
    fn headers_that_lie_are_no_panic() {
        let mut pieces = Pieces::default();
        let whole = packet(1, 1, true, b"abc");
        for end in 0..whole.len() {
            let _ = pieces.take(&whole[..end]);
        }
        // Padding of 200 bytes, 15 contributing sources, an extension of 65535 words.
        for (first, last) in [(0xa0, 200), (0x8f, 0), (0x90, 0xff)] {
            let mut lying = whole.clone();
            lying[0] = first;
            *lying.last_mut().unwrap() = last;
            let _ = pieces.take(&lying);
        }
        // Padding that is true.
        let mut padded = packet(7, 1, true, b"abc\0\x02");
        padded[0] |= 0x20;
        let found = Pieces::default().take(&padded);
        assert_eq!(found.as_deref(), Some(&b"abc"[..]));
    }

    #[test]
    fn only_metadata_that_can_be_read_is_taken() {
        gst::init().unwrap();
        for (media, encoding, expected) in [
            ("application", "VND.ONVIF.METADATA", Some(false)),
            ("application", "vnd.onvif.metadata.gzip", Some(true)),
            ("application", "VND.ONVIF.METADATA.EXI.DEFAULT", None),
            ("video", "VND.ONVIF.METADATA", None),
            ("video", "H264", None),
        ] {
            let caps = gst::Caps::builder("application/x-rtp")
                .field("media", media)
                .field("encoding-name", encoding)
                .build();
            assert_eq!(packing(caps.structure(0).unwrap()), expected, "{encoding}");
        }
    }
}
