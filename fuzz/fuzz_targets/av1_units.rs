//! Whatever comes as RTP packets of AV1: units are put together or refused, no panic; one that is given
//! is an AV1 stream by itself, and the first one, and the first after a loss, begin with a sequence header.
#![no_main]

use greyplane::av1::{Packet, UNIT_AT_MOST, Units};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut units = Units::default();
    let mut waits = true;
    let mut rest = bytes;
    // Packets, each after its length in two bytes, as the recorded ones.
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length));
        let (packet, after) = after.split_at(after.len().min(length));
        rest = after;
        let Some(packet) = Packet::read(packet) else {
            continue;
        };
        for step in [Units::before, Units::take] {
            match step(&mut units, &packet) {
                Ok(None) => {}
                Ok(Some(unit)) => {
                    assert!(unit.len() <= UNIT_AT_MOST + 16);
                    assert!(unit.starts_with(&[0x12, 0]));
                    let kind = unit.get(2).map(|head| head >> 3 & 0x0f);
                    assert!(!units.begins() || kind == Some(1));
                    assert!(!waits || units.begins());
                    waits = false;
                }
                Err(_) => waits = true,
            }
        }
    }
});
