//! What the camera hears: a tone that begins with each second of its time, so that whoever
//! hears and sees it can tell how far the two are apart.

use std::f64::consts::TAU;

/// Pitch of the tone, Hz.
pub const SOUND_HZ: f64 = 1000.0;
/// It sounds for the first half of each second.
const SOUNDS_NS: u64 = 500_000_000;
/// A quarter of what the samples can hold.
const LOUD: f64 = 8000.0;

/// Samples (16 bits, little endian) from `from_ns` until `to_ns` of the camera's time.
pub(super) fn samples(from_ns: u64, to_ns: u64, rate: u32) -> Vec<u8> {
    let at = |ns: u64| (u128::from(ns) * u128::from(rate) / 1_000_000_000) as u64;
    (at(from_ns)..at(to_ns))
        .flat_map(|n| {
            let ns = (u128::from(n) * 1_000_000_000 / u128::from(rate)) as u64;
            let loud = if ns % 1_000_000_000 < SOUNDS_NS {
                LOUD
            } else {
                0.0
            };
            let turns = SOUND_HZ * (n % u64::from(rate)) as f64 / f64::from(rate);
            ((loud * (TAU * turns).sin()) as i16).to_le_bytes()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tone_begins_with_each_second_and_pieces_fit_together() {
        let whole = samples(0, 2_000_000_000, 8000);
        assert_eq!(whole.len(), 32_000);
        let pieces: Vec<u8> = (0..50)
            .flat_map(|n| samples(n * 40_000_000, (n + 1) * 40_000_000, 8000))
            .collect();
        assert_eq!(pieces, whole);
        let loud = |from: usize| whole[2 * from..2 * from + 800].iter().any(|b| *b != 0);
        assert!(loud(0) && loud(3590) && loud(8000));
        assert!(!loud(4001) && !loud(7599));
    }
}
