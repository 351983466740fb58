//! The NAL units of an access unit in byte-stream form (H.264, annex B).

/// Types of NAL units (H.264, table 7-1).
pub(super) const SEQUENCE_PARAMETERS: u8 = 7;
pub(super) const PICTURE_PARAMETERS: u8 = 8;
pub(super) const DELIMITER: u8 = 9;
pub(super) const FILLER: u8 = 12;

/// The type of a unit; 0, which is none of these, for an empty one.
pub(super) fn kind(unit: &[u8]) -> u8 {
    unit.first().map_or(0, |head| head & 0x1f)
}

/// The units between the start codes of `bytes`, none of them empty.
pub(super) fn units(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = after_start_code(bytes);
    std::iter::from_fn(move || {
        loop {
            let from = rest?;
            let unit = match start_code(from) {
                Some(at) => {
                    rest = Some(&from[at + 3..]);
                    &from[..at]
                }
                None => {
                    rest = None;
                    from
                }
            };
            // What stands before a longer start code is no part of the unit.
            let length = unit
                .iter()
                .rposition(|byte| *byte != 0)
                .map_or(0, |i| i + 1);
            if length > 0 {
                return Some(&unit[..length]);
            }
        }
    })
}

fn after_start_code(bytes: &[u8]) -> Option<&[u8]> {
    start_code(bytes).map(|at| &bytes[at + 3..])
}

/// Where the next 00 00 01 begins.
fn start_code(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(last) = bytes.get(at + 2) {
        match last {
            0 => at += 1,
            1 if bytes[at] == 0 && bytes[at + 1] == 0 => return Some(at),
            // No start code can hold this byte, so none begins before it.
            _ => at += 3,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_found_between_start_codes() {
        let cases: [(&[u8], &[&[u8]]); 9] = [
            (&[], &[]),
            (&[0, 0, 1], &[]),
            (&[9, 9, 9], &[]),
            (&[0, 0, 1, 0x65, 7], &[&[0x65, 7]]),
            (&[0, 0, 0, 1, 0x65, 7, 0, 0], &[&[0x65, 7]]),
            (
                &[0, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x68],
                &[&[0x67, 1], &[0x68]],
            ),
            (
                &[0, 0, 1, 0, 0, 1, 0x41, 1, 0, 1, 0, 0, 1, 5],
                &[&[0x41, 1, 0, 1], &[5]],
            ),
            (&[7, 0, 0, 1, 0x41, 0, 0, 3, 1], &[&[0x41, 0, 0, 3, 1]]),
            (&[0, 0, 1, 1, 1, 1, 0, 0, 1, 2], &[&[1, 1, 1], &[2]]),
        ];
        for (bytes, expected) in cases {
            assert_eq!(units(bytes).collect::<Vec<_>>(), expected, "{bytes:?}");
        }
        assert_eq!([kind(&[]), kind(&[0x67]), kind(&[0x68, 1])], [0, 7, 8]);
    }
}
