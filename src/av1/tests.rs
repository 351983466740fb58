//! Packets cut in every way, lost, damaged and made up; and what ffmpeg's payloader sends.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const KEY_FRAME: u8 = 0x10;
const LATER_FRAME: u8 = 0x30;
const HIDDEN_FRAME: u8 = 0x20;
const SHOWN_AGAIN: u8 = 0x80;

/// An OBU without a size field, as payloaders send it.
fn obu(kind: u8, payload: &[u8]) -> Vec<u8> {
    [&[kind << 3][..], payload].concat()
}

fn sequence_header() -> Vec<u8> {
    // One operating point, pictures of one bit.
    obu(1, &[0; 6])
}

fn frame(first: u8, length: usize) -> Vec<u8> {
    let mut payload: Vec<u8> = (0..length).map(|n| n as u8).collect();
    payload[0] = first;
    obu(6, &payload)
}

fn number(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// What a decoder is to get of `obus`.
fn unit(obus: &[Vec<u8>]) -> Vec<u8> {
    let mut unit = vec![0x12, 0];
    for obu in obus {
        unit.push(obu[0] | 2);
        unit.extend(number(obu.len() - 1));
        unit.extend(&obu[1..]);
    }
    unit
}

/// A payload of elements: whether it begins and ends within one, whether the last has no size,
/// whether a sequence begins.
fn payload(elements: &[&[u8]], [z, y, counted, n]: [bool; 4]) -> Vec<u8> {
    let counted = counted && elements.len() < 4;
    let w = if counted { elements.len() as u8 } else { 0 };
    let flag = |set: bool, bit: u8| if set { bit } else { 0 };
    let mut payload = vec![flag(z, 0x80) | flag(y, 0x40) | w << 4 | flag(n, 0x08)];
    for (at, element) in elements.iter().enumerate() {
        if !counted || at + 1 < elements.len() {
            payload.extend(number(element.len()));
        }
        payload.extend(*element);
    }
    payload
}

/// `obus` in payloads of at most `room` bytes of OBUs, each size known to differ from the last.
fn payloads(obus: &[Vec<u8>], rooms: &[usize], counted: bool, begins: bool) -> Vec<Vec<u8>> {
    let mut rooms = rooms.iter().copied().cycle();
    let (mut payloads, mut elements) = (Vec::new(), Vec::<&[u8]>::new());
    let (mut left, mut inside) = (rooms.next().unwrap(), false);
    for obu in obus {
        let mut rest = obu.as_slice();
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(left));
            elements.push(now);
            (rest, left) = (later, left - now.len());
            if left == 0 {
                let flags = [
                    inside,
                    !rest.is_empty(),
                    counted,
                    begins && payloads.is_empty(),
                ];
                payloads.push(payload(&elements, flags));
                elements.clear();
                (left, inside) = (rooms.next().unwrap(), !rest.is_empty());
            }
        }
    }
    if !elements.is_empty() {
        let flags = [inside, false, counted, begins && payloads.is_empty()];
        payloads.push(payload(&elements, flags));
    }
    payloads
}

/// A camera that counts its packets.
#[derive(Default)]
struct Camera {
    units: Units,
    sequence: u16,
}

impl Camera {
    fn send(
        &mut self,
        timestamp: u32,
        marker: bool,
        payload: &[u8],
    ) -> Vec<Result<Vec<u8>, Fault>> {
        let packet = Packet {
            sequence: self.sequence,
            timestamp,
            marker,
            payload,
        };
        self.sequence = self.sequence.wrapping_add(1);
        let both = [self.units.before(&packet), self.units.take(&packet)];
        both.into_iter().filter_map(Result::transpose).collect()
    }

    /// One unit in its packets, the last one marked.
    fn picture(&mut self, timestamp: u32, payloads: &[Vec<u8>]) -> Vec<Result<Vec<u8>, Fault>> {
        let last = payloads.len() - 1;
        let each = payloads.iter().enumerate();
        each.flat_map(|(n, payload)| self.send(timestamp, n == last, payload))
            .collect()
    }

    /// A unit with which decoding begins goes in and comes out.
    fn begin(&mut self, timestamp: u32) {
        let obus = [sequence_header(), frame(KEY_FRAME, 40)];
        let given = self.picture(timestamp, &payloads(&obus, &[25], true, true));
        assert_eq!(given, [Ok(unit(&obus))]);
    }

    /// A later picture goes in; what becomes of it.
    fn go_on(&mut self, timestamp: u32) -> Result<Vec<u8>, Fault> {
        let obus = [frame(LATER_FRAME, 30)];
        let mut given = self.picture(timestamp, &payloads(&obus, &[20], true, false));
        assert_eq!(given.len(), 1);
        given.remove(0)
    }
}

fn malformed(given: &[Result<Vec<u8>, Fault>]) -> bool {
    matches!(given, [Err(Fault::Malformed(_))])
}

#[test]
fn a_unit_is_the_same_wherever_it_was_cut() {
    let obus = [sequence_header(), frame(KEY_FRAME, 300), obu(4, &[7; 90])];
    let whole: usize = obus.iter().map(Vec::len).sum();
    for room in 1..=whole {
        for counted in [false, true] {
            let mut camera = Camera {
                sequence: 65_530,
                ..Camera::default()
            };
            let given = camera.picture(9, &payloads(&obus, &[room], counted, true));
            assert_eq!(given, [Ok(unit(&obus))], "{room} {counted}");
            assert!(camera.go_on(10).is_ok(), "{room} {counted}");
        }
    }
}

#[test]
fn what_has_no_part_in_the_picture_is_left_out_and_sizes_are_taken_as_they_come() {
    let key = frame(KEY_FRAME, 200);
    let mut sized = vec![key[0] | 2];
    sized.extend(number(200));
    sized.extend(&key[1..]);
    let layered = [&[4 << 3 | 4, 0x20][..], &[1; 9]].concat();
    let sent = [
        obu(2, &[]),
        obu(5, &[1, 2]),
        sequence_header(),
        obu(8, &[1; 7]),
        sized,
        obu(15, &[0; 30]),
        obu(9, &[1]),
        layered.clone(),
        obu(7, &[KEY_FRAME]),
    ];
    let mut wanted = unit(&[sequence_header(), key]);
    wanted.extend([layered[0] | 2, layered[1], 9]);
    wanted.extend(&layered[2..]);
    for room in [1, 7, 50, 1000] {
        let given = Camera::default().picture(9, &payloads(&sent, &[room], false, true));
        assert_eq!(given, [Ok(wanted.clone())], "{room}");
    }
}

#[test]
fn a_unit_without_a_marker_ends_where_the_next_one_begins() {
    let mut camera = Camera::default();
    let first = [sequence_header(), frame(KEY_FRAME, 40)];
    for payload in payloads(&first, &[20], true, true) {
        assert_eq!(camera.send(u32::MAX, false, &payload), []);
    }
    let second = [frame(LATER_FRAME, 10)];
    let payload = payload(&[&second[0]], [false, false, true, false]);
    assert_eq!(
        camera.send(0, true, &payload),
        [Ok(unit(&first)), Ok(unit(&second))]
    );
    // The last packet of this one is missing: its end is not the next one's beginning.
    for (n, payload) in payloads(&first, &[20], true, true).iter().enumerate() {
        if n < 2 {
            assert_eq!(camera.send(9, false, payload), []);
        }
    }
    camera.sequence += 1;
    assert_eq!(camera.send(10, true, &payload), [Err(Fault::Lost)]);
}

#[test]
fn decoding_begins_only_at_a_header_and_a_key_frame_that_is_shown() {
    for (obus, begins) in [
        (vec![sequence_header(), frame(KEY_FRAME, 9)], true),
        // The key frame's header by itself.
        (
            vec![sequence_header(), obu(3, &[KEY_FRAME]), obu(4, &[1])],
            true,
        ),
        (vec![frame(KEY_FRAME, 9)], false),
        (vec![frame(KEY_FRAME, 9), sequence_header()], false),
        (vec![sequence_header(), frame(LATER_FRAME, 9)], false),
        // An intra-only frame leaves older ones in the decoder.
        (vec![sequence_header(), frame(0x50, 9)], false),
        // A key frame that is kept for later.
        (
            vec![sequence_header(), frame(0, 9), frame(LATER_FRAME, 9)],
            false,
        ),
        (vec![sequence_header(), obu(3, &[SHOWN_AGAIN])], false),
        (
            vec![sequence_header(), obu(3, &[SHOWN_AGAIN | KEY_FRAME])],
            false,
        ),
    ] {
        for says in [false, true] {
            let what = format!("{obus:?} {says}");
            let payloads = payloads(&obus, &[1000], true, says);
            let mut camera = Camera::default();
            let at_first = camera.picture(1, &payloads);
            if begins {
                assert_eq!(at_first, [Ok(unit(&obus))], "{what}");
                assert!(camera.units.begins(), "{what}");
            } else {
                assert!(at_first[0].is_err(), "{what}");
            }
            camera.begin(2);
            let later = camera.picture(3, &payloads);
            if begins || !says {
                assert_eq!(later, [Ok(unit(&obus))], "{what}");
                assert_eq!(camera.units.begins(), begins, "{what}");
                assert!(camera.go_on(4).is_ok(), "{what}");
            } else {
                // It says so and it is not true: nothing that follows is believed.
                assert!(malformed(&later), "{what}: {later:?}");
                assert_eq!(camera.go_on(4), Err(Fault::Leaning), "{what}");
                camera.begin(5);
                assert!(camera.go_on(6).is_ok(), "{what}");
            }
        }
    }
}

#[test]
fn after_a_loss_nothing_is_given_until_decoding_begins_anew() {
    let obus = [frame(LATER_FRAME, 100)];
    let payloads = payloads(&obus, &[20], true, false);
    for lost in 0..payloads.len() {
        let mut camera = Camera::default();
        camera.begin(1);
        for (n, payload) in payloads.iter().enumerate() {
            if n == lost {
                camera.sequence += 1;
                continue;
            }
            let given = camera.send(2, n + 1 == payloads.len(), payload);
            let is_after = n == lost + 1;
            assert_eq!(given, vec![Err(Fault::Lost); usize::from(is_after)]);
        }
        if lost + 1 == payloads.len() {
            assert_eq!(camera.go_on(3), Err(Fault::Lost));
        }
        assert_eq!(camera.go_on(4), Err(Fault::Leaning), "{lost}");
        camera.begin(5);
        assert!(camera.go_on(6).is_ok());
    }
    // A packet that comes twice is none that is missing.
    let mut camera = Camera::default();
    camera.begin(1);
    camera.sequence -= 1;
    assert_eq!(camera.send(1, true, &payloads[0]), []);
    assert!(camera.go_on(2).is_ok());
}

#[test]
fn who_listens_from_the_middle_of_a_picture_waits_for_the_next_beginning() {
    let key = payloads(
        &[sequence_header(), frame(KEY_FRAME, 90)],
        &[20],
        true,
        true,
    );
    for joined in 1..key.len() {
        let mut camera = Camera::default();
        assert_eq!(camera.picture(1, &key[joined..]), [Err(Fault::Lost)]);
        assert_eq!(camera.go_on(2), Err(Fault::Leaning));
        camera.begin(3);
        assert!(camera.go_on(4).is_ok());
    }
}

#[test]
fn what_is_not_as_the_format_wants_it_costs_its_unit_and_all_that_lean_on_it() {
    let later = frame(LATER_FRAME, 9);
    let one = |flags| payload(&[&later], flags);
    let plain = [false, false, true, false];
    for (what, sent) in [
        (
            "continues what did not begin",
            one([true, false, true, false]),
        ),
        (
            "ends within an OBU",
            payload(&[&later, &obu(4, &[1])], [false, true, true, false]),
        ),
        ("an empty part", vec![0x40, 0]),
        ("no OBU", vec![0x10]),
        ("two counted, one there", vec![0x20, 2, 0x30, 0x30]),
        ("an empty element", vec![0x00, 0]),
        ("a size beyond its end", vec![0x00, 9, 0x30, 0x30]),
        ("a size without an end", vec![0x00, 0x80, 0x80]),
        (
            "a size of nine bytes",
            vec![0x00, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1],
        ),
        (
            "a size beyond 32 bits",
            vec![0x00, 0xff, 0xff, 0xff, 0xff, 0x7f],
        ),
        ("the forbidden bit", payload(&[&[0xb0, 0x30]], plain)),
        (
            "an OBU that says it is longer",
            payload(&[&[0x32, 5, 0x30]], plain),
        ),
        (
            "an OBU that says it is shorter",
            payload(&[&[0x32, 1, 0x30, 9]], plain),
        ),
        ("a frame without contents", payload(&[&[0x30]], plain)),
        ("an extension that is cut off", payload(&[&[0x34]], plain)),
        ("two pictures", payload(&[&later, &later], plain)),
        (
            "tiles before their frame",
            payload(&[&obu(4, &[1]), &later], plain),
        ),
        ("none", payload(&[&frame(HIDDEN_FRAME, 9)], plain)),
        (
            "a still picture",
            payload(&[&obu(1, &[0x18]), &frame(KEY_FRAME, 9)], plain),
        ),
        ("a beginning within an OBU", vec![0x98, 1]),
    ] {
        let mut camera = Camera::default();
        camera.begin(1);
        let given = camera.send(2, true, &sent);
        assert!(malformed(&given), "{what}: {given:?}");
        assert_eq!(camera.go_on(3), Err(Fault::Leaning), "{what}");
        camera.begin(4);
    }
    let mut camera = Camera::default();
    camera.begin(1);
    assert!(camera.go_on(2).is_ok());
    let given = camera.send(2, true, &one(plain));
    assert!(malformed(&given), "more after the marker: {given:?}");
    camera.begin(3);
    let header = payload(&[&sequence_header()], plain);
    assert_eq!(camera.send(4, false, &header), []);
    let key = frame(KEY_FRAME, 9);
    let given = camera.send(4, true, &payload(&[&key], [false, false, true, true]));
    assert!(malformed(&given), "begins within a picture: {given:?}");
    // What keeps a path open says nothing.
    camera.begin(5);
    assert_eq!(camera.send(6, false, &[]), []);
    assert!(camera.go_on(6).is_ok());
}

#[test]
fn a_picture_in_several_sizes_is_refused() {
    let upper = |spatial: u8| vec![6 << 3 | 4, spatial << 3, LATER_FRAME, 1];
    for (spatial, refused) in [(0, false), (1, true), (2, true)] {
        let mut camera = Camera::default();
        camera.begin(1);
        let payload = payload(&[&upper(spatial)], [false, false, true, false]);
        let given = camera.send(2, true, &payload);
        assert_eq!(given == [Err(Fault::Layers)], refused, "{given:?}");
    }
}

#[test]
fn no_more_is_held_than_is_said() {
    let mut camera = Camera::default();
    camera.begin(1);
    let part = vec![1; 60_000];
    let mut head = [true, true, true, false];
    let first = frame(LATER_FRAME, 60_000);
    assert_eq!(
        camera.send(2, false, &payload(&[&first], [false, true, true, false])),
        []
    );
    let mut faults = Vec::new();
    for n in 0..300 {
        head[1] = n < 299;
        faults.extend(camera.send(2, n == 299, &payload(&[&part], head)));
        let held = camera.units.whole.len() + camera.units.part.len();
        assert!(held <= UNIT_AT_MOST, "{held}");
    }
    assert_eq!(faults, [Err(Fault::TooLarge)]);
    assert_eq!(camera.go_on(3), Err(Fault::Leaning));
    camera.begin(4);
    // Many small ones come to as much.
    let small = payload(&[&[4u8 << 3, 1][..]; 400], [false; 4]);
    let first = payload(&[&frame(LATER_FRAME, 9)], [false, false, true, false]);
    assert_eq!(camera.send(5, false, &first), []);
    let mut faults = Vec::new();
    for _ in 0..8_000 {
        faults.extend(camera.send(5, false, &small));
    }
    assert_eq!(faults, [Err(Fault::TooLarge)]);
}

#[test]
fn what_ffmpeg_packs_comes_out_whole() {
    // Pictures, and which of them begin a sequence: see the folder's README.
    for (name, recorded, pictures, begin) in [
        (
            "libaom",
            &include_bytes!("../../tests/fixtures/av1/ffmpeg-libaom.rtp")[..],
            20,
            &[0, 12][..],
        ),
        (
            "SVT-AV1",
            include_bytes!("../../tests/fixtures/av1/ffmpeg-svt-10bit.rtp"),
            8,
            &[0, 4],
        ),
    ] {
        let (mut units, mut rest) = (Units::default(), recorded);
        let (mut given, mut began) = (0, Vec::new());
        while let Some((size, after)) = rest.split_first_chunk::<2>() {
            let (bytes, after) = after.split_at(usize::from(u16::from_be_bytes(*size)));
            rest = after;
            let packet = Packet::read(bytes).unwrap();
            assert_eq!(units.before(&packet), Ok(None), "{name}: all are marked");
            let unit = units
                .take(&packet)
                .unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(unit.is_some(), packet.marker, "{name}");
            if unit.is_some() && units.begins() {
                began.push(given);
            }
            given += usize::from(unit.is_some());
        }
        assert_eq!((given, began.as_slice()), (pictures, begin), "{name}");
    }
}

#[test]
fn packets_of_padding_are_no_part_of_a_unit() {
    let mut camera = Camera::default();
    assert_eq!(camera.send(1, true, &[]), []);
    camera.begin(1);
    assert_eq!(camera.send(1, true, &[]), [], "after its last packet");
    assert_eq!(camera.send(2, false, &[]), [], "before its first");
    camera.begin(2);
    assert!(camera.go_on(3).is_ok());
    let obus = [frame(LATER_FRAME, 30)];
    let [first, second] = &payloads(&obus, &[20], true, false)[..] else {
        panic!("two packets");
    };
    assert_eq!(camera.send(4, false, first), []);
    assert_eq!(camera.send(4, true, &[]), [], "between two");
    assert_eq!(camera.send(4, true, second), [Ok(unit(&obus))]);
    // One that says that others are missing does say it.
    camera.sequence += 1;
    assert_eq!(camera.send(5, false, &[]), [Err(Fault::Lost)]);
    assert_eq!(camera.go_on(6), Err(Fault::Leaning));
}

#[test]
fn the_size_of_a_sequences_pictures_is_read_past_all_that_may_stand_before_it() {
    let bits = |fields: &[(u64, usize)]| {
        let mut bits: Vec<bool> = Vec::new();
        for (value, count) in fields {
            bits.extend((0..*count).rev().map(|n| value >> n & 1 == 1));
        }
        let byte = |eight: &[bool]| {
            let each = eight.iter().enumerate();
            each.fold(0u8, |byte, (n, set)| byte | u8::from(*set) << (7 - n))
        };
        bits.chunks(8).map(byte).collect::<Vec<u8>>()
    };
    let size = |width: u64, height: u64| [(15, 4), (14, 4), (width - 1, 16), (height - 1, 15)];
    let simple = [(0, 5), (0, 1), (0, 1), (0, 5), (0, 12), (8, 5), (1, 1)];
    // Times, equal intervals of 5 ticks, a decoder model of 4 bits; then two operating points.
    let timed = [
        (0, 5),
        (1, 1),
        (1, 32),
        (25, 32),
        (1, 1),
        (5, 5),
        (1, 1),
        (3, 5),
    ];
    let model = [(7, 32), (9, 5), (9, 5), (1, 1), (1, 5)];
    let point = [
        (1, 12),
        (4, 5),
        (1, 1),
        (15, 4),
        (15, 4),
        (1, 1),
        (1, 1),
        (9, 4),
    ];
    let other = [(3, 12), (9, 5), (0, 1), (0, 1), (0, 1)];
    for begin in [
        simple.to_vec(),
        [&timed[..], &model, &point, &other].concat(),
    ] {
        for (width, height) in [(1920, 1080), (8192, 8192), (65_536, 1), (8193, 8192)] {
            let header = bits(&[&begin[..], &size(width, height)].concat());
            let read = sequence::largest_picture(&header);
            assert_eq!(read, Some((width, height)));
            for end in 0..header.len() - 1 {
                assert_eq!(sequence::largest_picture(&header[..end]), None, "{end}");
            }
            let obus = [obu(1, &header), frame(KEY_FRAME, 40)];
            let given = Camera::default().picture(1, &payloads(&obus, &[1000], true, true));
            assert_eq!(given[0].is_ok(), width * height <= PIXELS_AT_MOST);
        }
    }
}

#[test]
fn a_packet_is_read_in_all_its_forms() {
    let plain = [0x80, 0xe0, 1, 2, 0, 0, 0, 9, 0, 0, 0, 0, 7, 8];
    let packet = Packet::read(&plain).unwrap();
    assert_eq!((packet.sequence, packet.timestamp), (0x0102, 9));
    assert_eq!((packet.marker, packet.payload), (true, &[7, 8][..]));
    let mut more = plain.to_vec();
    more[0] = 0xb1;
    more.splice(12..12, [9, 9, 9, 9, 0xbe, 0xde, 0, 1, 5, 5, 5, 5]);
    more.extend([0, 0, 3]);
    assert_eq!(Packet::read(&more).unwrap().payload, [7, 8]);
    let mut older = more.clone();
    older[0] = 0x71;
    assert_eq!(Packet::read(&older), None, "version 1");
    let last = more.len() - 1;
    for padding in [0, 6, 255] {
        more[last] = padding;
        assert_eq!(Packet::read(&more), None, "{padding} bytes of padding");
    }
    for end in 0..12 {
        assert_eq!(Packet::read(&plain[..end]), None, "{end}");
    }
}

/// OBUs of which one unit that begins a sequence may consist, after its first two.
fn further() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let one = (
        prop_oneof![Just(4u8), Just(5), Just(15)],
        vec(any::<u8>(), 1..200),
    );
    vec(one.prop_map(|(kind, payload)| obu(kind, &payload)), 0..8)
}

proptest! {
    #[test]
    fn units_come_out_as_they_went_in(
        first in 1usize..400,
        further in further(),
        rooms in vec(1usize..150, 1..6),
        counted: bool,
    ) {
        let mut obus = vec![sequence_header(), frame(KEY_FRAME, first)];
        obus.extend(further);
        let kept: Vec<_> = obus.iter().filter(|obu| matches!(obu[0] >> 3, 1 | 4 | 6)).cloned().collect();
        let given = Camera::default().picture(1, &payloads(&obus, &rooms, counted, true));
        prop_assert_eq!(given, [Ok(unit(&kept))]);
    }

    #[test]
    fn nothing_that_is_missing_goes_unnoticed(
        rooms in vec(1usize..60, 1..4),
        lost in any::<prop::sample::Index>(),
    ) {
        let obus = [sequence_header(), frame(KEY_FRAME, 200)];
        let payloads = payloads(&obus, &rooms, true, true);
        let lost = lost.index(payloads.len());
        let mut camera = Camera::default();
        camera.begin(1);
        for (n, payload) in payloads.iter().enumerate() {
            if n == lost {
                camera.sequence += 1;
            } else {
                let given = camera.send(2, n + 1 == payloads.len(), payload);
                prop_assert!(given.iter().all(|given| *given == Err(Fault::Lost)));
            }
        }
        prop_assert!(camera.go_on(3).is_err());
    }

    #[test]
    fn whatever_comes_is_taken_or_refused(
        packets in vec((vec(any::<u8>(), 0..40), 0u32..4, any::<bool>(), 0u16..3), 0..60),
    ) {
        let mut camera = Camera::default();
        for (payload, timestamp, marker, skipped) in packets {
            camera.sequence = camera.sequence.wrapping_add(skipped / 2);
            for unit in camera.send(timestamp, marker, &payload).into_iter().flatten() {
                prop_assert_eq!(&unit[..2], &[0x12, 0][..]);
            }
            let bytes = [&[0x80, 0, 0, 0][..], &payload].concat();
            let _ = Packet::read(&bytes);
        }
    }
}
