//! AV1 as RTP carries it (AOM's "RTP Payload Format For AV1 (v1.0)"), in its plainest form: one OBU, or
//! a part of one, in each packet. GStreamer 1.22 ships no payloader for it. Shares nothing with `crate::av1`.

const SEQUENCE_HEADER: u8 = 1;
const TEMPORAL_DELIMITER: u8 = 2;

/// The payloads, of at most `room` bytes each, of one temporal unit as `av1enc` makes it: OBUs with
/// their sizes. What is cut off is left out.
pub(super) fn payloads(mut unit: &[u8], room: usize) -> Vec<Vec<u8>> {
    let mut payloads = Vec::new();
    while let Some((obu, after)) = first_obu(unit) {
        unit = after;
        let kind = obu[0] >> 3 & 0x0f;
        if kind == TEMPORAL_DELIMITER {
            continue;
        }
        let begins = payloads.is_empty() && kind == SEQUENCE_HEADER;
        let mut parts = obu.chunks(room.max(2) - 1).peekable();
        let mut head = if begins { 0x18 } else { 0x10 };
        while let Some(part) = parts.next() {
            let goes_on = if parts.peek().is_some() { 0x40 } else { 0 };
            payloads.push([&[head | goes_on], part].concat());
            head = 0x90;
        }
    }
    payloads
}

/// The first OBU of `unit` without its size, and what follows it.
fn first_obu(unit: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let (&head, mut rest) = unit.split_first()?;
    let mut obu = vec![head & !0x02];
    if head & 0x04 != 0 {
        let (&extension, after) = rest.split_first()?;
        obu.push(extension);
        rest = after;
    }
    let mut size = rest.len();
    if head & 0x02 != 0 {
        size = 0;
        for place in 0..4 {
            let (&byte, after) = rest.split_first()?;
            rest = after;
            size |= usize::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                break;
            }
        }
    }
    let (payload, after) = rest.split_at_checked(size)?;
    obu.extend(payload);
    Some((obu, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_obu_is_cut_by_itself_and_the_first_header_is_marked() {
        let unit = [
            &[0x12, 0, 0x0a, 2, 7, 8, 0x36, 0x20, 3, 1, 2, 3][..],
            &[0x12, 0, 0x0a, 1, 9, 0x32, 9],
        ]
        .concat();
        assert_eq!(
            payloads(&unit, 4),
            [
                &[0x18, 0x08, 7, 8][..],
                &[0x50, 0x34, 0x20, 1],
                &[0x90, 2, 3],
                &[0x10, 0x08, 9]
            ]
        );
    }
}
