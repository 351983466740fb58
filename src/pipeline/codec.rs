//! The codecs that cameras send, and what takes each of them apart.
//!
//! What came is told by the SDP, never by configuration. A codec of which this
//! machine lacks a part is refused in words that say which, and what to set in the
//! camera. Must not know RTSP, connections or what becomes of the frames.

use gst::prelude::*;
use gstreamer as gst;

use super::CannotStart;
use super::encoder::{element, open};
use super::whole::{Leans, payload};

/// A codec that we can take.
#[derive(Debug)]
pub(super) struct Codec {
    /// As the SDP's `rtpmap` names it (RFC 6184, 7798, 2435).
    encoding: &'static str,
    /// For people.
    pub(super) name: &'static str,
    depay: &'static str,
    parse: &'static str,
    /// What the picture of an RTP payload leans on.
    pub(super) leans: fn(&[u8]) -> Leans,
    /// In the order in which `auto` tries them.
    decoders: &'static [&'static str],
    /// What Debian's package is called that lacks where a part is missing.
    package: &'static str,
}

/// Every one, and all count RTP time at 90 kHz.
pub(super) const CODECS: [Codec; 3] = [
    Codec {
        encoding: "H264",
        name: "H.264",
        depay: "rtph264depay",
        parse: "h264parse",
        leans: h264_leans,
        decoders: &["vah264dec", "nvh264dec", "avdec_h264", "openh264dec"],
        package: "gstreamer1.0-libav",
    },
    Codec {
        encoding: "H265",
        name: "H.265",
        depay: "rtph265depay",
        parse: "h265parse",
        leans: h265_leans,
        decoders: &["vah265dec", "nvh265dec", "avdec_h265", "libde265dec"],
        package: "gstreamer1.0-libav",
    },
    Codec {
        encoding: "JPEG",
        name: "MJPEG",
        depay: "rtpjpegdepay",
        parse: "identity",
        leans: |_| Leans::Nowhere,
        decoders: &["jpegdec"],
        package: "gstreamer1.0-plugins-good",
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
        let depay = part(self.depay)?;
        // Header extensions are ours to read: see `stamps`.
        depay.set_property("auto-header-extension", false);
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
            // The others' depayloaders cannot wait; see `whole`.
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
mod tests {
    use super::super::rtptime::{stamp, stream_ns};
    use super::super::stamps::{self, capture_time};
    use super::super::whole::hold_back_damaged;
    use super::*;
    use crate::clock::CaptureTime;
    use crate::stamp::Claim;

    /// Since 1900, as sender reports count.
    const YEAR_2026: gst::ClockTime = gst::ClockTime::from_seconds(3_976_300_800);

    /// The number of RFC 6051's extension.
    const NTP_64: u8 = 5;

    const PATIENCE: gst::ClockTime = gst::ClockTime::from_seconds(30);

    /// What an encoder and a payloader make of eight pictures in `format`.
    fn camera(codec: &Codec, format: &str) -> String {
        let (encoder, pay) = match codec.encoding {
            "H264" => ("x264enc tune=zerolatency", "rtph264pay"),
            "H265" => (
                "x265enc tune=zerolatency speed-preset=ultrafast ! h265parse",
                "rtph265pay",
            ),
            _ => ("jpegenc", "rtpjpegpay"),
        };
        // The RTP timestamp wraps after the fourth picture.
        format!(
            "videotestsrc num-buffers=8 \
             ! video/x-raw,format={format},width=320,height=240,framerate=25/1 \
             ! {encoder} ! {pay} mtu=300 timestamp-offset=4294953600 ! appsink name=out sync=false"
        )
    }

    /// The RTP packets of [`camera`], with their caps.
    fn packets(codec: &Codec, format: &str) -> (gst::Caps, Vec<gst::Buffer>) {
        let pipeline = gst::parse::launch(&camera(codec, format))
            .unwrap()
            .downcast::<gst::Pipeline>()
            .unwrap();
        let out: gstreamer_app::AppSink = pipeline.by_name("out").unwrap().downcast().unwrap();
        pipeline.set_state(gst::State::Playing).unwrap();
        let (mut caps, mut packets) = (None, Vec::new());
        while let Some(sample) = out.try_pull_sample(PATIENCE) {
            caps = sample.caps_owned();
            match sample.buffer_list() {
                Some(list) => packets.extend(list.iter_owned()),
                None => packets.extend(sample.buffer_owned()),
            }
        }
        pipeline.set_state(gst::State::Null).unwrap();
        (caps.unwrap(), packets)
    }

    /// Takes the packets apart, as a connection does; the decoded pictures.
    fn decoded(
        codec: &'static Codec,
        caps: &gst::Caps,
        packets: Vec<gst::Buffer>,
    ) -> Vec<gst::Sample> {
        let pipeline = gst::Pipeline::new();
        let source = gstreamer_app::AppSrc::builder()
            .caps(caps)
            .format(gst::Format::Time)
            .build();
        let sink = gstreamer_app::AppSink::builder()
            .caps(
                &gst::Caps::builder("video/x-raw")
                    .field("format", "I420")
                    .build(),
            )
            .sync(false)
            .build();
        let chain = codec.chain("auto").unwrap();
        pipeline.add_many(chain.elements()).unwrap();
        pipeline.add(&source).unwrap();
        pipeline.add(&sink).unwrap();
        source.link(&chain.depay).unwrap();
        gst::Element::link_many(chain.elements()).unwrap();
        chain.convert.link(&sink).unwrap();
        let input = chain.depay.static_pad("sink").unwrap();
        stamp(&input);
        stamps::carry(
            &input,
            &chain.parse.static_pad("src").unwrap(),
            Some(NTP_64),
        );
        hold_back_damaged(
            &input,
            &chain.parse.static_pad("src").unwrap(),
            &chain.decoder.static_pad("src").unwrap(),
            codec.leans,
        );
        pipeline.set_state(gst::State::Playing).unwrap();
        for packet in packets {
            source.push_buffer(packet).unwrap();
        }
        source.end_of_stream().unwrap();
        let mut samples = Vec::new();
        while let Some(sample) = sink.try_pull_sample(PATIENCE) {
            samples.push(sample);
        }
        pipeline.set_state(gst::State::Null).unwrap();
        samples
    }

    #[test]
    fn both_stamps_survive_up_to_the_decoded_picture_in_every_codec() {
        gst::init().unwrap();
        let ntp = gst::Caps::new_empty_simple("timestamp/x-ntp");
        for (encoding, format) in [
            ("H264", "I420"),
            ("H264", "Y42B"),
            ("H264", "I420_10LE"),
            ("H264", "Y444"),
            ("H265", "I420"),
            ("H265", "I420_10LE"),
            ("H265", "I422_10LE"),
            ("H265", "Y42B"),
            ("JPEG", "I420"),
            ("JPEG", "Y42B"),
        ] {
            let codec = Codec::of(encoding).unwrap();
            let (caps, mut sent) = packets(codec, format);
            for packet in &mut sent {
                // As rtspsrc leaves it: the same on every packet of a picture.
                let at = packet.pts().unwrap() + YEAR_2026;
                let packet = packet.make_mut();
                gst::ReferenceTimestampMeta::add(packet, &ntp, at, gst::ClockTime::NONE);
            }
            let samples = decoded(codec, &caps, sent);
            let what = format!("{encoding} {format}");
            assert_eq!(samples.len(), 8, "{what}");
            let mut last = None;
            for (n, sample) in samples.iter().enumerate() {
                let picture = sample.buffer().unwrap();
                let at = picture.pts().unwrap() + YEAR_2026;
                let taken = CaptureTime::from_ntp_ns(at.nseconds());
                let told = capture_time(picture);
                if n == 0 && told.is_none() {
                    continue; // Some parsers lose the very first: that one is covered.
                }
                assert_eq!(told, taken, "{what} {n}");
                let stream = stream_ns(picture);
                assert!(stream.is_some(), "{what} {n}");
                if let (Some(last), Some(now)) = (last, stream) {
                    let step: u64 = now - last;
                    assert!(step.abs_diff(40_000_000) < 20_000, "{what} {n}: {step}");
                }
                last = stream;
            }
        }
    }

    /// The packet with RFC 6051's stamp of `ntp`.
    fn stamped(packet: &gst::Buffer, ntp: u64) -> gst::Buffer {
        let mut bytes = packet.map_readable().unwrap().to_vec();
        assert_eq!(bytes[0], 0x80);
        bytes[0] = 0x90;
        let head = [0xbe, 0xde, 0, 3, NTP_64 << 4 | 7];
        let extension = head.into_iter().chain(ntp.to_be_bytes()).chain([0; 3]);
        bytes.splice(12..12, extension);
        let mut longer = gst::Buffer::from_mut_slice(bytes);
        let kept = gst::BufferCopyFlags::FLAGS | gst::BufferCopyFlags::TIMESTAMPS;
        let to = longer.get_mut().unwrap();
        packet.copy_into(to, kept, ..).unwrap();
        longer
    }

    #[test]
    fn a_stamp_in_any_packet_of_a_picture_is_the_pictures() {
        gst::init().unwrap();
        let ntp = |pts: gst::ClockTime| {
            let ns = u128::from((pts + YEAR_2026).nseconds());
            ((ns << 32) / 1_000_000_000) as u64
        };
        for encoding in ["H264", "H265", "JPEG"] {
            let codec = Codec::of(encoding).unwrap();
            let (caps, sent) = packets(codec, "I420");
            let pts = |n: usize| sent.get(n).and_then(|packet| packet.pts());
            let (first, last) = (
                |n: usize| n == 0 || pts(n - 1) != pts(n),
                |n: usize| pts(n + 1) != pts(n),
            );
            for carries in ["all", "first", "last", "differing"] {
                let packets = sent.iter().enumerate().map(|(n, packet)| {
                    let at = packet.pts().unwrap();
                    match carries {
                        "first" if !first(n) => packet.clone(),
                        "last" if !last(n) => packet.clone(),
                        "differing" if last(n) => stamped(packet, ntp(at) + (1 << 24)),
                        _ => stamped(packet, ntp(at)),
                    }
                });
                let samples = decoded(codec, &caps, packets.collect());
                assert_eq!(samples.len(), 8, "{encoding} {carries}");
                let mut known = 0;
                for sample in &samples {
                    let picture = sample.buffer().unwrap();
                    let told = stamps::claims(picture);
                    let want = match carries {
                        "differing" => Claim::Contradictory,
                        _ => Claim::At(
                            CaptureTime::from_ntp_64(ntp(picture.pts().unwrap())).unwrap(),
                        ),
                    };
                    // Some parsers lose the very first: that one is covered.
                    let lost = known == 0 && told == [Claim::Silent; 3];
                    assert!(
                        lost || told[0] == want,
                        "{encoding} {carries}: {told:?} {want:?}"
                    );
                    known += usize::from(!lost);
                }
                assert!(known >= 7, "{encoding} {carries}: {known}");
            }
        }
    }

    #[test]
    fn after_a_lost_packet_nothing_is_shown_that_is_predicted_from_it() {
        gst::init().unwrap();
        for (encoding, is_predicted) in [("H264", true), ("H265", true), ("JPEG", false)] {
            let codec = Codec::of(encoding).unwrap();
            let (caps, mut sent) = packets(codec, "I420");
            // One key picture, then seven; the fourth loses its first packet.
            let mut times: Vec<_> = sent.iter().filter_map(|p| p.pts()).collect();
            times.dedup();
            let lost = sent.iter().position(|p| p.pts() == Some(times[3]));
            sent.remove(lost.unwrap());
            let shown: Vec<_> = decoded(codec, &caps, sent)
                .iter()
                .map(|sample| sample.buffer().and_then(|b| b.pts()).unwrap())
                .collect();
            assert_eq!(shown.first(), times.first(), "{encoding}: before the loss");
            if is_predicted {
                assert!(shown.iter().all(|t| *t < times[3]), "{encoding}: {shown:?}");
            } else {
                assert!(!shown.contains(&times[3]), "{encoding}: {shown:?}");
                assert_eq!(shown.last(), times.last(), "{encoding}: {shown:?}");
            }
        }
    }

    #[test]
    fn a_field_of_jpeg_is_told_from_a_whole_picture() {
        let packet = |header: &[u8], specific: u8| {
            let mut packet = header.to_vec();
            packet.resize(12, 0);
            if header[0] & 0x0f == 1 {
                packet.extend([9; 4]);
            }
            if header[0] & 0x10 != 0 {
                packet.extend([0xbe, 0xde, 0, 1, 7, 7, 7, 7]);
            }
            packet.extend([specific, 0, 0, 0, 1, 80, 10, 10]);
            packet
        };
        for header in [[0x80], [0x81], [0x90], [0x91]] {
            for (specific, is_field) in [(0, false), (1, true), (2, true), (3, true)] {
                let packet = packet(&header, specific);
                assert_eq!(is_jpeg_field(&packet), is_field, "{header:?} {specific}");
                // Cut off anywhere before, it tells nothing.
                let end = packet.len() - 8;
                assert!((0..=end).all(|end| !is_jpeg_field(&packet[..end])));
            }
        }
    }

    #[test]
    fn where_decoding_may_begin_is_told_by_the_packets() {
        use Leans::{Before, Nowhere, Others};
        type Case = (fn(&[u8]) -> Leans, &'static [u8], Leans);
        let cases: [Case; 16] = [
            (h264_leans, &[0x65, 1], Nowhere),
            (h264_leans, &[0x41, 1], Others),
            (h264_leans, &[0x67], Others),
            // A recovery point, an I slice among others: not a beginning.
            (h264_leans, &[0x06, 6, 1, 0xc4], Others),
            (h264_leans, &[0x7c, 0x85], Nowhere),
            (h264_leans, &[0x7c, 0x41], Others),
            (h264_leans, &[0x7c], Others),
            (h264_leans, &[0x78, 0, 2, 0x67, 1, 0, 1, 0x65], Nowhere),
            (h264_leans, &[0x78, 0, 9, 0x65], Others),
            (h265_leans, &[19 << 1, 1], Nowhere),
            (h265_leans, &[21 << 1, 1], Nowhere),
            (h265_leans, &[1 << 1, 1], Others),
            (h265_leans, &[9 << 1, 1], Before),
            (h265_leans, &[49 << 1, 1, 0x80 | 20], Nowhere),
            (h265_leans, &[49 << 1], Others),
            (
                h265_leans,
                &[48 << 1, 1, 0, 2, 33 << 1, 1, 0, 2, 20 << 1, 1],
                Nowhere,
            ),
        ];
        for (leans, payload, wanted) in cases {
            assert_eq!(leans(payload), wanted, "{payload:?}");
        }
    }

    #[test]
    fn a_codec_is_known_by_its_name_in_the_sdp() {
        for (encoding, name) in [
            ("H264", Some("H.264")),
            ("H265", Some("H.265")),
            ("JPEG", Some("MJPEG")),
            ("AV1", None),
            ("H263-1998", None),
            ("MP4V-ES", None),
            ("", None),
        ] {
            assert_eq!(Codec::of(encoding).map(|c| c.name), name, "{encoding}");
        }
    }
}
