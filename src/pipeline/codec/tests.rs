//! Every codec from its RTP packets to decoded pictures, whole and damaged.

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
        "AV1" => {
            // GStreamer has none: the simulated camera's.
            crate::sim::register_payloader().unwrap();
            (
                "av1enc usage-profile=realtime cpu-used=10 max-quantizer=60",
                "greyplanesimpay",
            )
        }
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

/// What takes packets apart, as a connection does, and what is decoded.
struct Connection {
    pipeline: gst::Pipeline,
    source: gstreamer_app::AppSrc,
    sink: gstreamer_app::AppSink,
}

impl Connection {
    fn new(codec: &'static Codec, caps: &gst::Caps) -> Self {
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
            .wait_on_eos(false)
            .build();
        let chain = codec.chain("auto").unwrap();
        pipeline.add_many(chain.elements()).unwrap();
        pipeline.add(&source).unwrap();
        pipeline.add(&sink).unwrap();
        source.link(&chain.depay).unwrap();
        gst::Element::link_many(chain.elements()).unwrap();
        chain.convert.link(&sink).unwrap();
        let input = chain.depay.static_pad("sink").unwrap();
        let coded = chain.parse.static_pad("src").unwrap();
        let decoded = chain.decoder.static_pad("src").unwrap();
        stamp(&input);
        stamps::carry(&input, &coded, Some(NTP_64));
        hold_back_damaged(&input, [&coded, &decoded], codec.leans, codec.at_once);
        pipeline.set_state(gst::State::Playing).unwrap();
        Self {
            pipeline,
            source,
            sink,
        }
    }

    /// Sends `packets`, until one is refused; what comes of them, and what failed.
    fn take(self, packets: Vec<gst::Buffer>) -> (Vec<gst::Sample>, Option<String>) {
        for packet in packets {
            if self.source.push_buffer(packet).is_err() {
                break;
            }
        }
        // Refused, too, where something failed.
        let _ = self.source.end_of_stream();
        let ends = [gst::MessageType::Eos, gst::MessageType::Error];
        let bus = self.pipeline.bus().unwrap();
        let end = bus.timed_pop_filtered(PATIENCE, &ends).unwrap();
        let failed = match end.view() {
            gst::MessageView::Error(error) => Some(error.error().to_string()),
            _ => None,
        };
        let pictures = std::iter::from_fn(|| self.sink.try_pull_sample(gst::ClockTime::ZERO));
        let pictures = pictures.collect();
        self.pipeline.set_state(gst::State::Null).unwrap();
        (pictures, failed)
    }
}

/// The decoded pictures of `packets`, in which nothing is wrong.
fn decoded(codec: &'static Codec, caps: &gst::Caps, packets: Vec<gst::Buffer>) -> Vec<gst::Sample> {
    let (pictures, failed) = Connection::new(codec, caps).take(packets);
    assert_eq!(failed, None);
    pictures
}

fn times(pictures: &[gst::Sample]) -> Vec<gst::ClockTime> {
    let pts = |picture: &gst::Sample| picture.buffer().and_then(|b| b.pts()).unwrap();
    pictures.iter().map(pts).collect()
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
        ("AV1", "I420"),
        ("AV1", "Y42B"),
        ("AV1", "Y444"),
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
    for encoding in ["H264", "H265", "JPEG", "AV1"] {
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
                    _ => Claim::At(CaptureTime::from_ntp_64(ntp(picture.pts().unwrap())).unwrap()),
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
    for (encoding, is_predicted) in [
        ("H264", true),
        ("H265", true),
        ("JPEG", false),
        ("AV1", true),
    ] {
        let codec = Codec::of(encoding).unwrap();
        let (caps, mut sent) = packets(codec, "I420");
        // One key picture, then seven; the fourth loses its first packet.
        let mut times: Vec<_> = sent.iter().filter_map(|p| p.pts()).collect();
        times.dedup();
        let lost = sent.iter().position(|p| p.pts() == Some(times[3]));
        sent.remove(lost.unwrap());
        let shown = self::times(&decoded(codec, &caps, sent));
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
        ("AV1", Some("AV1")),
        ("H263-1998", None),
        ("MP4V-ES", None),
        ("", None),
    ] {
        assert_eq!(Codec::of(encoding).map(|c| c.name), name, "{encoding}");
    }
}

/// What ffmpeg's payloader made of its test picture: see the folder's README. A picture each 40 ms.
fn recorded(bytes: &[u8]) -> (gst::Caps, Vec<gst::Buffer>) {
    let caps = gst::Caps::builder("application/x-rtp")
        .field("media", "video")
        .field("encoding-name", "AV1")
        .field("clock-rate", 90_000)
        .build();
    let (mut packets, mut rest, mut first) = (Vec::new(), bytes, None);
    while let Some((size, after)) = rest.split_first_chunk::<2>() {
        let (packet, after) = after.split_at(usize::from(u16::from_be_bytes(*size)));
        rest = after;
        let timestamp = u32::from_be_bytes(*packet[4..].first_chunk().unwrap());
        let ticks = timestamp.wrapping_sub(*first.get_or_insert(timestamp));
        let mut buffer = gst::Buffer::from_slice(packet.to_vec());
        let pts = gst::ClockTime::from_mseconds(u64::from(ticks / 90));
        buffer.get_mut().unwrap().set_pts(pts);
        packets.push(buffer);
    }
    (caps, packets)
}

const LIBAOM: &[u8] = include_bytes!("../../../tests/fixtures/av1/ffmpeg-libaom.rtp");
const SVT_10BIT: &[u8] = include_bytes!("../../../tests/fixtures/av1/ffmpeg-svt-10bit.rtp");

#[test]
fn av1_of_another_payloader_is_shown_whole_or_not_at_all() {
    gst::init().unwrap();
    let codec = Codec::of("AV1").unwrap();
    let of = |number: u64| gst::ClockTime::from_mseconds(40 * number);
    // Pictures in all, then the one that loses a packet, and those that are shown all the same: a
    // sequence begins at the first and in the middle.
    for (recording, pictures, middle) in [(LIBAOM, 20, 12), (SVT_10BIT, 8, 4)] {
        for lost in [None, Some(2), Some(middle)] {
            let (caps, mut packets) = recorded(recording);
            if let Some(lost) = lost {
                let lost = packets.iter().position(|p| p.pts() == Some(of(lost)));
                packets.remove(lost.unwrap());
            }
            let wanted: Vec<_> = (0..pictures)
                .filter(|n| lost.is_none_or(|lost| *n < lost || (lost < middle && *n >= middle)))
                .map(of)
                .collect();
            let shown = decoded(codec, &caps, packets);
            assert_eq!(times(&shown), wanted, "{pictures} {lost:?}");
            for picture in shown {
                let caps = picture.caps().unwrap().structure(0).unwrap();
                assert_eq!(caps.get::<i32>("width"), Ok(320));
                assert_eq!(caps.get::<i32>("height"), Ok(180));
            }
        }
    }
}

#[test]
fn av1_that_lies_about_where_it_begins_shows_nothing_that_leans_on_what_was_lost() {
    gst::init().unwrap();
    let codec = Codec::of("AV1").unwrap();
    let (caps, mut packets) = recorded(LIBAOM);
    let of = |number: u64| Some(gst::ClockTime::from_mseconds(40 * number));
    let first = |packets: &[gst::Buffer], number| {
        let found = packets.iter().position(|p| p.pts() == of(number));
        found.unwrap()
    };
    // The third picture is lost, the fifth says that a sequence begins with it.
    let at = first(&packets, 2);
    packets.remove(at);
    let at = first(&packets, 4);
    let mut bytes = packets[at].map_readable().unwrap().to_vec();
    bytes[12] |= 0x08;
    let mut lying = gst::Buffer::from_slice(bytes);
    lying.get_mut().unwrap().set_pts(of(4));
    packets[at] = lying;
    let shown = times(&decoded(codec, &caps, packets));
    let wanted: Vec<_> = [0, 1].into_iter().chain(12..20).filter_map(of).collect();
    assert_eq!(shown, wanted);
}

#[test]
fn av1_that_is_not_taken_ends_the_connection_with_words() {
    gst::init().unwrap();
    let codec = Codec::of("AV1").unwrap();
    type Change = fn(&mut Vec<u8>);
    // The first packet holds two OBUs, of which the first has its size before it.
    let second_layer: Change = |packet| {
        packet[13] += 1;
        packet[14] |= 0x04;
        packet.insert(15, 0x08);
    };
    let one_more: Change = |packet| packet[12] |= 0x30;
    for (change, said) in [
        (
            second_layer,
            "the picture in several sizes (spatial layers)",
        ),
        (one_more, "not one picture in a temporal unit"),
    ] {
        let (caps, mut packets) = recorded(SVT_10BIT);
        let mut changed = 0;
        // Both sequences: the first picture may have begun before we listened.
        for packet in &mut packets {
            let mut bytes = packet.map_readable().unwrap().to_vec();
            if bytes[12..15] == [0x68, 12, 0x08] {
                change(&mut bytes);
                *packet = gst::Buffer::from_slice(bytes);
                changed += 1;
            }
        }
        assert_eq!(changed, 2);
        let (shown, failed) = Connection::new(codec, &caps).take(packets);
        assert_eq!(shown.len(), 0);
        let wanted = format!("AV1 that is not taken: {said}; set the camera to H.264");
        assert_eq!(failed, Some(wanted));
    }
}

#[test]
fn av1_that_cannot_be_decoded_ends_the_connection_and_nothing_follows() {
    gst::init().unwrap();
    let codec = Codec::of("AV1").unwrap();
    let (caps, mut packets) = packets(codec, "I420");
    let mut times: Vec<_> = packets.iter().filter_map(|p| p.pts()).collect();
    times.dedup();
    // What the fourth picture holds is nonsense, in packets that are as they should be.
    for packet in packets.iter_mut().filter(|p| p.pts() == Some(times[3])) {
        let packet = packet.make_mut();
        let mut bytes = packet.map_writable().unwrap();
        bytes[16..].fill(0xff);
    }
    let (shown, failed) = Connection::new(codec, &caps).take(packets);
    assert!(failed.is_some());
    assert_eq!(self::times(&shown), times[..3]);
}
