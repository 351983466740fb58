use super::*;
use proptest::prelude::*;

/// 2004-01-01T00:00:00.25Z: NTP second 3,281,904,000 and a quarter.
const NTP: u64 = (3_281_904_000 << 32) | (1 << 30);
const AT: Claim = Claim::At(CaptureTime(1_072_915_200_250_000_000));

/// An RTP packet with `sources` contributing ones and that extension.
fn packet(sources: u8, profile: u16, body: &[u8]) -> Vec<u8> {
    assert_eq!(body.len() % 4, 0);
    let mut packet = vec![0x90 | sources, 96, 0, 1, 0, 0, 0, 9, 0, 0, 0, 7];
    packet.extend(std::iter::repeat_n(0xabu8, 4 * usize::from(sources)));
    packet.extend(profile.to_be_bytes());
    packet.extend(((body.len() / 4) as u16).to_be_bytes());
    packet.extend(body);
    packet.extend([0x65, 1, 2, 3]);
    packet
}

/// Parts one after the other, filled up with padding.
fn body(parts: &[&[u8]]) -> Vec<u8> {
    let mut body = parts.concat();
    body.resize(body.len().next_multiple_of(4), 0);
    body
}

#[test]
fn stamps_are_read_from_every_form() {
    let ntp = NTP.to_be_bytes();
    let (none, both) = ([Claim::Silent; 2], [AT, Claim::Silent]);
    let broken = [Claim::Unreadable, Claim::Silent];
    let replay = |claim| [Claim::Silent, claim];
    let flags = [0x80, 1, 0, 0];
    for (name, profile, body, wanted) in [
        ("one byte", ONE_BYTE, body(&[&[0x37], &ntp]), both),
        (
            "after another and padding",
            ONE_BYTE,
            body(&[&[0x11, 5, 5, 0, 0, 0x37], &ntp]),
            both,
        ),
        ("another's number", ONE_BYTE, body(&[&[0x47], &ntp]), none),
        (
            "after the end",
            ONE_BYTE,
            body(&[&[0xf0, 0x37], &ntp]),
            none,
        ),
        (
            "after none's",
            ONE_BYTE,
            body(&[&[0x01, 5, 5, 0x37], &ntp]),
            none,
        ),
        ("of 56 bits", ONE_BYTE, body(&[&[0x36], &ntp[1..]]), broken),
        ("of 9 bytes", ONE_BYTE, body(&[&[0x38], &ntp, &[0]]), broken),
        ("cut off", ONE_BYTE, body(&[&[0x37], &ntp[..3]]), broken),
        ("two bytes", 0x1000, body(&[&[3, 8], &ntp]), both),
        ("application bits", 0x100f, body(&[&[3, 8], &ntp]), both),
        (
            "after an empty one",
            TWO_BYTE,
            body(&[&[9, 0, 0, 3, 8], &ntp]),
            both,
        ),
        ("two bytes, empty", TWO_BYTE, body(&[&[3, 0]]), broken),
        (
            "two bytes, cut off",
            TWO_BYTE,
            body(&[&[3, 8], &ntp[..2]]),
            broken,
        ),
        ("not known", ONE_BYTE, body(&[&[0x37], &[0; 8]]), broken),
        ("ONVIF's", REPLAY, body(&[&ntp, &flags]), replay(AT)),
        (
            "ONVIF's with JPEG's",
            REPLAY,
            body(&[&ntp, &flags, &[0xff, 0xd8, 0, 1], &[0; 4]]),
            replay(AT),
        ),
        (
            "ONVIF's with something else",
            REPLAY,
            body(&[&ntp, &flags, &[1, 2, 3, 4]]),
            replay(Claim::Unreadable),
        ),
        (
            "ONVIF's, too short",
            REPLAY,
            body(&[&ntp]),
            replay(Claim::Unreadable),
        ),
        (
            "ONVIF's, not known",
            REPLAY,
            body(&[&[0; 8], &flags]),
            replay(Claim::Unreadable),
        ),
        ("JPEG's own", 0xffd8, body(&[&ntp]), none),
        ("empty", ONE_BYTE, Vec::new(), none),
    ] {
        for sources in [0, 1, 15] {
            let packet = packet(sources, profile, &body);
            assert_eq!(claims(&packet, Some(3)), Some(wanted), "{name}");
        }
    }
    let packet = packet(0, ONE_BYTE, &body(&[&[0x37], &ntp]));
    assert_eq!(claims(&packet, None), Some(none), "the SDP names none");
}

#[test]
fn a_header_that_is_cut_off_tells_nothing() {
    let whole = packet(2, ONE_BYTE, &body(&[&[0x37], &NTP.to_be_bytes()]));
    let header = whole.len() - 4;
    for end in 0..header {
        assert_eq!(claims(&whole[..end], Some(3)), None, "{end}");
    }
    assert_eq!(claims(&whole[..header], Some(3)), Some([AT, Claim::Silent]));
    let mut other = whole;
    other[0] = 0x50 | (other[0] & 0x0f);
    assert_eq!(claims(&other, Some(3)), None, "another version");
}

#[test]
fn eras_go_on_in_2036() {
    let at = |seconds: u64| match time(&(seconds << 32).to_be_bytes()) {
        Claim::At(at) => Some(at.0 / 1_000_000_000),
        _ => None,
    };
    // RFC 4330, 3: the first bit tells 1968–2036 from what comes after.
    assert_eq!(at(0xffff_ffff), Some(2_085_978_495));
    assert_eq!(at(1), Some(2_085_978_497));
    assert_eq!(at(0x8000_0000), Some(-61_505_152));
    assert_eq!(at(0), None);
}

proptest! {
    #[test]
    fn whatever_comes_is_read_or_refused(
        mut bytes in prop::collection::vec(any::<u8>(), 0..80),
        form in prop::sample::select(vec![ONE_BYTE, TWO_BYTE, REPLAY, 0x1007, 0x1234]),
        number in prop::option::of(1u8..),
        shaped in any::<bool>(),
    ) {
        if shaped && bytes.len() >= 16 {
            bytes[0] = 0x90;
            bytes[12..14].copy_from_slice(&form.to_be_bytes());
            bytes[14] = 0;
            bytes[15] &= 0x0f;
        }
        let told = claims(&bytes, number);
        if let Some([ntp, replay]) = told {
            prop_assert!(ntp == Claim::Silent || replay == Claim::Silent);
            prop_assert!(number.is_some() || ntp == Claim::Silent);
        }
        // What follows the header says nothing.
        let mut longer = bytes.clone();
        longer.extend([0x37; 20]);
        prop_assert!(told.is_none() || claims(&longer, number) == told);
    }

    #[test]
    fn a_stamp_is_found_among_others(
        seconds in 1u32..,
        fraction in any::<u32>(),
        before in prop::collection::vec((1u8..14, prop::collection::vec(any::<u8>(), 1..=16)), 0..4),
        two in any::<bool>(),
    ) {
        let ntp = (u64::from(seconds) << 32) | u64::from(fraction);
        let mut elements = Vec::new();
        for (id, value) in &before {
            let length = value.len() as u8;
            match two {
                true => elements.extend([*id, length]),
                false => elements.push((id << 4) | (length - 1)),
            }
            elements.extend(value);
        }
        match two {
            true => elements.extend([14, 8]),
            false => elements.push(0xe7),
        }
        elements.extend(ntp.to_be_bytes());
        let form = if two { TWO_BYTE } else { ONE_BYTE };
        let packet = packet(0, form, &body(&[&elements]));
        let at = Claim::At(CaptureTime::from_ntp_64(ntp).unwrap());
        prop_assert_eq!(claims(&packet, Some(14)), Some([at, Claim::Silent]));
    }
}
