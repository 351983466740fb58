//! OBUs, as far as their first bits tell what they are (AV1 specification, 5.3, 5.5 and 5.9).

use super::PIXELS_AT_MOST;
use super::sequence::largest_picture;

/// A number of up to 8 bytes of 7 bits each (4.10.5), and what follows it; none where it is cut
/// off or beyond 32 bits.
pub(super) fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0u64;
    for (n, byte) in bytes.iter().take(8).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * n);
        if byte & 0x80 == 0 {
            let value = u32::try_from(value).ok()?;
            return Some((usize::try_from(value).ok()?, &bytes[n + 1..]));
        }
    }
    None
}

const SEQUENCE_HEADER: u8 = 1;
const FRAME_HEADER: u8 = 3;
const TILE_GROUP: u8 = 4;
const FRAME: u8 = 6;

/// One OBU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Obu<'a> {
    kind: u8,
    /// Temporal and spatial layer, where it tells.
    extension: Option<u8>,
    /// Of the layer in space: 0 is the smallest.
    pub(super) spatial_id: u8,
    payload: &'a [u8],
}

impl<'a> Obu<'a> {
    /// What `bytes` hold, from first to last; none where that is no OBU.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (&head, mut payload) = bytes.split_first()?;
        if head & 0x80 != 0 {
            return None;
        }
        let mut extension = None;
        if head & 0x04 != 0 {
            let (&byte, after) = payload.split_first()?;
            (extension, payload) = (Some(byte), after);
        }
        if head & 0x02 != 0 {
            let (size, after) = leb128(payload)?;
            payload = (after.len() == size).then_some(after)?;
        }
        Some(Self {
            kind: head >> 3 & 0x0f,
            extension,
            spatial_id: extension.map_or(0, |byte| byte >> 3 & 3),
            payload,
        })
    }

    /// Whether a decoder needs it for the picture. Delimiters and tile lists do not belong into
    /// packets, copies of frame headers, metadata, padding and what is reserved change nothing.
    pub(super) fn has_a_part(&self) -> bool {
        matches!(
            self.kind,
            SEQUENCE_HEADER | FRAME_HEADER | TILE_GROUP | FRAME
        )
    }

    /// Appends it to `out`, with its size.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let flag = if self.extension.is_some() { 0x04 } else { 0 };
        out.push(self.kind << 3 | flag | 0x02);
        out.extend(self.extension);
        let mut size = self.payload.len();
        while size >= 0x80 {
            out.push(size as u8 | 0x80);
            size >>= 7;
        }
        out.push(size as u8);
        out.extend_from_slice(self.payload);
    }
}

/// What a temporal unit holds, as far as it decides whether it is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Contents {
    /// A sequence header came.
    headed: bool,
    /// Whether the first frame is a key frame that is shown; none before there is one.
    begins: Option<bool>,
    shown: u32,
}

impl Contents {
    /// Takes note of the next OBU that has a part in the picture.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub(super) fn note(&mut self, obu: &Obu<'_>) -> Result<(), &'static str> {
        let Some(first) = obu.payload.first() else {
            return Err("an OBU without contents");
        };
        match obu.kind {
            // Frame headers of still pictures (AVIF) have another form.
            SEQUENCE_HEADER if first & 0x18 != 0 => return Err("a still picture"),
            SEQUENCE_HEADER => {
                let (width, height) =
                    largest_picture(obu.payload).ok_or("a header that is cut off")?;
                if width * height > PIXELS_AT_MOST {
                    return Err("pictures of more than 67 megapixels");
                }
                self.headed = true;
            }
            FRAME_HEADER | FRAME => {
                // show_existing_frame, frame_type in two bits, show_frame.
                let (again, kind, shown) = (first & 0x80 != 0, first >> 5 & 3, first & 0x10 != 0);
                self.shown += u32::from(again || shown);
                let is_key = !again && kind == 0 && shown;
                self.begins.get_or_insert(self.headed && is_key);
            }
            _ if self.begins.is_none() => return Err("a part of a picture before its header"),
            _ => {}
        }
        Ok(())
    }

    /// Whether decoding may begin here: a sequence header, then a key frame that is shown, which
    /// leaves nothing of earlier pictures in the decoder (7.20).
    pub(super) fn begins(&self) -> bool {
        self.begins == Some(true)
    }

    /// Pictures that it shows.
    pub(super) fn shown(&self) -> u32 {
        self.shown
    }
}
