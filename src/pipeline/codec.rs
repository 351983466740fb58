//! The codecs that cameras send, and what takes each of them apart.
//!
//! What came is told by the SDP, never by configuration. A codec of which this
//! machine lacks a part is refused in words that say which, and what to set in the
//! camera. Must not know RTSP, connections or what becomes of the frames.

use gst::prelude::*;
use gstreamer as gst;

use super::CannotStart;
use super::av1depay;
use super::encoder::{element, open};
use super::whole::{Leans, payload};

/// A codec that we can take.
#[derive(Debug)]
pub(super) struct Codec {
    /// As the SDP's `rtpmap` names it (RFC 6184, 7798, 2435; AV1's payload format).
    encoding: &'static str,
    /// For people.
    pub(super) name: &'static str,
    depay: Depay,
    parse: &'static str,
    /// What the picture of an RTP payload leans on.
    pub(super) leans: fn(&[u8]) -> Leans,
    /// Its decoders give each picture before they take the next.
    pub(super) at_once: bool,
    /// In the order in which `auto` tries them.
    decoders: &'static [&'static str],
    /// What Debian's package is called that lacks where a part is missing.
    package: &'static str,
}

/// What takes pictures out of RTP packets.
#[derive(Debug)]
enum Depay {
    /// An element of GStreamer's.
    Theirs(&'static str),
    /// [`av1depay`].
    OurAv1,
}

/// Every one, and all count RTP time at 90 kHz.
pub(super) const CODECS: [Codec; 4] = [
    Codec {
        encoding: "H264",
        name: "H.264",
        depay: Depay::Theirs("rtph264depay"),
        parse: "h264parse",
        leans: h264_leans,
        at_once: false,
        decoders: &["vah264dec", "nvh264dec", "avdec_h264", "openh264dec"],
        package: "gstreamer1.0-libav",
    },
    Codec {
        encoding: "H265",
        name: "H.265",
        depay: Depay::Theirs("rtph265depay"),
        parse: "h265parse",
        leans: h265_leans,
        at_once: false,
        decoders: &["vah265dec", "nvh265dec", "avdec_h265", "libde265dec"],
        package: "gstreamer1.0-libav",
    },
    Codec {
        encoding: "JPEG",
        name: "MJPEG",
        depay: Depay::Theirs("rtpjpegdepay"),
        parse: "identity",
        leans: |_| Leans::Nowhere,
        at_once: false,
        decoders: &["jpegdec"],
        package: "gstreamer1.0-plugins-good",
    },
    Codec {
        encoding: "AV1",
        name: "AV1",
        depay: Depay::OurAv1,
        // What leaves our depayloader is whole; `av1parse` of 1.22 loses stamps.
        parse: "identity",
        leans: |_| Leans::Flagged,
        at_once: true,
        decoders: &["av1dec"],
        package: "gstreamer1.0-plugins-bad",
    },
];

/// The codecs by their names for people: which this machine can take, and why it
/// cannot take the others.
///
/// # Errors
/// [`CannotStart::NoGstreamer`] where there is none that starts.
pub fn codecs_here() -> Result<Vec<CodecHere>, CannotStart> {
    super::start_gstreamer()?;
    let tried = |codec: &'static Codec| (codec.name, codec.chain("auto").map(|_| ()));
    Ok(CODECS.iter().map(tried).collect())
}

/// A codec's name for people, and whether this machine can take it.
pub type CodecHere = (&'static str, Result<(), CannotStart>);

/// The decoders we know how to set.
pub(super) fn decoders() -> impl Iterator<Item = &'static str> {
    CODECS.iter().flat_map(|codec| codec.decoders).copied()
}

/// The elements that take one codec apart, to link one after another.
#[derive(Debug)]
pub(super) struct Chain {
    pub(super) depay: gst::Element,
    /// Gives whole pictures, still coded.
    pub(super) parse: gst::Element,
    pub(super) decoder: gst::Element,
    /// Brings 4:2:2, 4:4:4, 10-bit and grey pictures to 8-bit 4:2:0; lets those
    /// that are it through, untouched.
    pub(super) convert: gst::Element,
}

impl Chain {
    pub(super) fn elements(&self) -> [&gst::Element; 4] {
        [&self.depay, &self.parse, &self.decoder, &self.convert]
    }
}

impl Codec {
    /// The codec that an SDP calls `encoding`.
    pub(super) fn of(encoding: &str) -> Option<&'static Self> {
        CODECS.iter().find(|codec| codec.encoding == encoding)
    }

    pub(super) fn is_h264(&self) -> bool {
        self.encoding == "H264"
    }

    pub(super) fn is_jpeg(&self) -> bool {
        self.encoding == "JPEG"
    }

    /// Makes the elements. `decoder` is `auto` or a decoder's name; one for another
    /// codec says nothing about this one.
    ///
    /// # Errors
    /// [`CannotStart`] where this machine lacks one of them.
    pub(super) fn chain(&'static self, decoder: &str) -> Result<Chain, CannotStart> {
        let lacks = |what: String| CannotStart::NoCodec {
            codec: self.name,
            what,
            package: self.package,
        };
        let part = |name: &str| element(name).map_err(|_| lacks(name.to_owned()));
        let depay = match self.depay {
            Depay::Theirs(name) => {
                let depay = part(name)?;
                // Header extensions are ours to read: see `stamps`.
                depay.set_property("auto-header-extension", false);
                depay
            }
            Depay::OurAv1 => av1depay::new(),
        };
        let parse = part(self.parse)?;
        let names = match self.decoders.iter().find(|name| **name == decoder) {
            Some(name) => std::slice::from_ref(name),
            None => self.decoders,
        };
        let decoder = names
            .iter()
            .find_map(|name| open(name))
            .ok_or_else(|| lacks(names.join(" or ")))?;
        if self.is_h264() {
            // After a loss the decoder would go on predicting from the wrong picture:
            // what it shows then lies where it lay before, and no margin knows of it.
            // GStreamer's others cannot wait; see `whole`. Ours does.
            depay.set_property("wait-for-keyframe", true);
            depay.set_property("request-keyframe", true);
        }
        set(&decoder);
        let convert = element("videoconvert")?;
        // Noise that hides banding in a picture for people hides nothing here.
        convert.set_property_from_str("dither", "none");
        Ok(Chain {
            depay,
            parse,
            decoder,
            convert,
        })
    }
}

fn set(decoder: &gst::Element) {
    let name = decoder.factory().map(|f| f.name().to_string());
    match name.as_deref() {
        Some(name) if name.starts_with("avdec_") => {
            // Threads by frame would delay every frame by their number.
            decoder.set_property_from_str("thread-type", "slice");
            decoder.set_property("max-threads", 2i32);
            // A picture with a part missing shows what lay there before.
            decoder.set_property("output-corrupt", false);
        }
        Some("libde265dec") => decoder.set_property("max-threads", 2i32),
        _ => {}
    }
}

/// Whether an RTP packet of JPEG holds a part of one field: its type-specific byte
/// is 1, 2 or 3 (RFC 2435, 3.1.1). What is too short to tell is no picture either.
pub(super) fn is_jpeg_field(packet: &[u8]) -> bool {
    payload(packet).is_some_and(|jpeg| jpeg[0] != 0)
}

/// H.264 (RFC 6184): decoding begins at an IDR picture, NAL units of type 5. Those of
/// an aggregation (type 24) are looked at one by one, of a fragment (28) its header.
fn h264_leans(payload: &[u8]) -> Leans {
    let is_idr = |nal: &[u8]| nal.first().is_some_and(|head| head & 0x1f == 5);
    let found = match payload[0] & 0x1f {
        24 => units(&payload[1..]).any(is_idr),
        28 | 29 => payload.get(1..).is_some_and(is_idr),
        _ => is_idr(payload),
    };
    if found { Leans::Nowhere } else { Leans::Others }
}

/// H.265 (RFC 7798): decoding begins at a picture of NAL units of type 16 to 21; those
/// of type 8 and 9 that follow it lean on what came before (RASL). Aggregations are of
/// type 48, fragments of type 49.
fn h265_leans(payload: &[u8]) -> Leans {
    let kind = |nal: &[u8]| nal.first().map_or(63, |head| head >> 1 & 0x3f);
    let of = |kind: u8| match kind {
        16..=21 => Leans::Nowhere,
        8 | 9 => Leans::Before,
        _ => Leans::Others,
    };
    match kind(payload) {
        48 => units(payload.get(2..).unwrap_or_default())
            .map(|nal| of(kind(nal)))
            .find(|leans| *leans != Leans::Others)
            .unwrap_or(Leans::Others),
        49 => of(payload.get(2).map_or(63, |head| head & 0x3f)),
        single => of(single),
    }
}

/// AV1: decoding begins where a packet says so. The depayloader gives no picture of which that is not true.
/// The NAL units of an aggregation, each after its size.
fn units(mut rest: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (size, after) = rest.split_at_checked(2)?;
        let size = usize::from(u16::from_be_bytes([size[0], size[1]]));
        let (unit, after) = after.split_at_checked(size)?;
        rest = after;
        Some(unit)
    })
}

#[cfg(test)]
mod tests;
