//! An RTP packet's parts.

/// What is needed of a packet (RFC 3550, 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Counts packets, across its wrap.
    pub sequence: u16,
    /// Of the picture, 90 kHz; wraps.
    pub timestamp: u32,
    /// It is the last one of its picture.
    pub marker: bool,
    /// Without padding; empty where there is nothing else.
    pub payload: &'a [u8],
}

impl<'a> Packet<'a> {
    /// The parts of `bytes`; none where they are no whole packet of RTP's version 2.
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let (head, mut rest) = bytes.split_first_chunk::<12>()?;
        if head[0] >> 6 != 2 {
            return None;
        }
        rest = rest.get(4 * usize::from(head[0] & 0x0f)..)?;
        if head[0] & 0x10 != 0 {
            let (extension, after) = rest.split_first_chunk::<4>()?;
            let words = usize::from(u16::from_be_bytes([extension[2], extension[3]]));
            rest = after.get(4 * words..)?;
        }
        if head[0] & 0x20 != 0 {
            let padding = usize::from(*rest.last()?);
            let end = rest.len().checked_sub(padding)?;
            rest = rest.get(..end).filter(|_| padding > 0)?;
        }
        Some(Self {
            sequence: u16::from_be_bytes([head[2], head[3]]),
            timestamp: u32::from_be_bytes([head[4], head[5], head[6], head[7]]),
            marker: head[1] & 0x80 != 0,
            payload: rest,
        })
    }
}
