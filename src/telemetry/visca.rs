//! VISCA over IP: the datagrams that ask where a head stands, and what comes back.
//!
//! Eight bytes lead each message: type, length of what follows, sequence number, all
//! big-endian. Inquiry 09 06 12 is answered by pan (four or five half-bytes, by model)
//! and tilt (four), two's complement; 09 04 47 by zoom, four half-bytes, unsigned (Sony,
//! "VISCA over IP" in the command lists of the BRC and SRG series; five half-bytes of
//! pan: BRC-300). Nothing that is missing is filled in. Must not know sockets or time.

/// Where cameras listen (UDP).
pub const PORT: u16 = 52_381;
/// Longer datagrams are no VISCA: sixteen bytes at most follow the header.
pub const MOST_BYTES: usize = HEADER + 16;

const HEADER: usize = 8;
const INQUIRY: [u8; 2] = [0x01, 0x10];
const REPLY: [u8; 2] = [0x01, 0x11];
const CONTROL: [u8; 2] = [0x02, 0x00];
const CONTROL_REPLY: [u8; 2] = [0x02, 0x01];
/// To the camera at the other end, which over IP always is number 1.
const TO_CAMERA: u8 = 0x81;
const FROM_CAMERA: u8 = 0x90;
const END: u8 = 0xff;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Begin to count messages anew.
    Reset,
    /// Pan and tilt.
    PanTilt,
    /// Zoom.
    Zoom,
}

impl Question {
    /// The datagram that asks it.
    pub fn datagram(self, sequence: u32) -> Vec<u8> {
        let (kind, payload): ([u8; 2], &[u8]) = match self {
            Self::Reset => (CONTROL, &[0x01]),
            Self::PanTilt => (INQUIRY, &[TO_CAMERA, 0x09, 0x06, 0x12, END]),
            Self::Zoom => (INQUIRY, &[TO_CAMERA, 0x09, 0x04, 0x47, END]),
        };
        let mut datagram = kind.to_vec();
        // Payloads are at most five bytes long.
        datagram.extend([0, payload.len() as u8]);
        datagram.extend(sequence.to_be_bytes());
        datagram.extend(payload);
        datagram
    }
}

/// What a camera says to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It counts anew.
    Reset,
    /// Where the head stands, counts.
    PanTilt {
        /// Pan.
        pan: i32,
        /// Tilt.
        tilt: i32,
    },
    /// Where the zoom stands, counts.
    Zoom(u16),
}

/// Why a datagram is worth nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ViscaError {
    /// Not a message, or not one that answers the question.
    #[error("reply is no answer to the question")]
    NotAnAnswer,
    /// An error message (`y0 6z ee FF`).
    #[error("camera refuses: VISCA error {0:02x}")]
    Refuses(u8),
    /// The camera has lost count of the messages (control reply `0F 01`).
    #[error("camera lost count of the messages")]
    LostCount,
}

/// The sequence number of a datagram that looks like a reply, and what follows the header.
fn opened(datagram: &[u8]) -> Option<([u8; 2], u32, &[u8])> {
    let (head, payload) = datagram.split_first_chunk::<HEADER>()?;
    let [k0, k1, l0, l1, s0, s1, s2, s3] = *head;
    let length = usize::from(u16::from_be_bytes([l0, l1]));
    let whole = length == payload.len() && datagram.len() <= MOST_BYTES;
    whole.then_some(([k0, k1], u32::from_be_bytes([s0, s1, s2, s3]), payload))
}

/// Reads a datagram as the answer to `question`, asked under `sequence`; `None` where it
/// belongs to another message: an answer that comes late, or somebody else's.
///
/// # Errors
/// [`ViscaError`].
pub fn reply(
    datagram: &[u8],
    question: Question,
    sequence: u32,
) -> Option<Result<Reply, ViscaError>> {
    let Some((kind, number, payload)) = opened(datagram) else {
        return Some(Err(ViscaError::NotAnAnswer));
    };
    // A camera that lost count may answer under any number.
    if kind == CONTROL_REPLY && payload == [0x0f, 0x01] {
        return Some(Err(ViscaError::LostCount));
    }
    if number != sequence {
        return None;
    }
    Some(match (kind, question) {
        (CONTROL_REPLY, Question::Reset) if payload == [0x01] => Ok(Reply::Reset),
        (REPLY, Question::PanTilt | Question::Zoom) => answer(payload, question),
        _ => Err(ViscaError::NotAnAnswer),
    })
}

fn answer(payload: &[u8], question: Question) -> Result<Reply, ViscaError> {
    match payload {
        [FROM_CAMERA, 0x50, digits @ .., END] => match (question, digits.len()) {
            (Question::PanTilt, n @ (8 | 9)) => {
                let (pan, tilt) = digits.split_at(n - 4);
                Ok(Reply::PanTilt {
                    pan: signed(pan)?,
                    tilt: signed(tilt)?,
                })
            }
            (Question::Zoom, 4) => u16::try_from(unsigned(digits)?)
                .map(Reply::Zoom)
                .map_err(|_| ViscaError::NotAnAnswer),
            _ => Err(ViscaError::NotAnAnswer),
        },
        [FROM_CAMERA, status, error, END] if status & 0xf0 == 0x60 => {
            Err(ViscaError::Refuses(*error))
        }
        _ => Err(ViscaError::NotAnAnswer),
    }
}

/// Half-bytes, one in each byte; a byte that holds more is no digit.
fn unsigned(digits: &[u8]) -> Result<u32, ViscaError> {
    digits.iter().try_fold(0, |value, digit| match digit {
        0..=0x0f => Ok(value << 4 | u32::from(*digit)),
        _ => Err(ViscaError::NotAnAnswer),
    })
}

/// Two's complement over as many bits as there are.
fn signed(digits: &[u8]) -> Result<i32, ViscaError> {
    let bits = 4 * digits.len() as u32;
    let value = i64::from(unsigned(digits)?);
    let folded = if value >> (bits - 1) == 0 {
        value
    } else {
        value - (1 << bits)
    };
    i32::try_from(folded).map_err(|_| ViscaError::NotAnAnswer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn said(kind: [u8; 2], sequence: u32, payload: &[u8]) -> Vec<u8> {
        let mut datagram = kind.to_vec();
        datagram.extend([0, payload.len() as u8]);
        datagram.extend(sequence.to_be_bytes());
        datagram.extend(payload);
        datagram
    }

    fn digits(value: i64, count: u32) -> Vec<u8> {
        let at = |i: u32| (value >> (4 * i) & 0xf) as u8;
        (0..count).rev().map(at).collect()
    }

    #[test]
    fn questions_are_written_as_the_command_lists_have_them() {
        for (question, expected) in [
            (Question::Reset, "02 00 00 01 00 00 01 02 01"),
            (Question::PanTilt, "01 10 00 05 00 00 01 02 81 09 06 12 ff"),
            (Question::Zoom, "01 10 00 05 00 00 01 02 81 09 04 47 ff"),
        ] {
            let written: Vec<String> = question
                .datagram(0x102)
                .iter()
                .map(|b| format!("{b:02x}"))
                .collect();
            assert_eq!(written.join(" "), expected);
        }
    }

    #[test]
    fn replies_are_read_or_refused() {
        let pan_tilt = |payload: &[u8]| reply(&said(REPLY, 7, payload), Question::PanTilt, 7);
        let zoom = |payload: &[u8]| reply(&said(REPLY, 7, payload), Question::Zoom, 7);
        let refused = Some(Err(ViscaError::NotAnAnswer));
        // −170° and 90° of the CleverMic 4035's table; the ends of a BRC-H700's pan.
        let four = [0x90, 0x50, 0xf, 6, 7, 0, 0, 5, 1, 0, END];
        let (pan, tilt) = (-2448, 1296);
        assert_eq!(pan_tilt(&four), Some(Ok(Reply::PanTilt { pan, tilt })));
        let five = [0x90, 0x50, 0xf, 7, 5, 0xa, 8, 0xe, 7, 9, 6, END];
        let (pan, tilt) = (-35_416, -6250);
        assert_eq!(pan_tilt(&five), Some(Ok(Reply::PanTilt { pan, tilt })));
        let full = [0x90, 0x50, 4, 0, 0, 0, END];
        assert_eq!(zoom(&full), Some(Ok(Reply::Zoom(0x4000))));
        for (what, got) in [
            ("another question's", zoom(&four)),
            (
                "no digit",
                pan_tilt(&[0x90, 0x50, 0, 0, 0, 0x10, 0, 0, 0, 0, END]),
            ),
            ("another camera's", zoom(&[0xa0, 0x50, 4, 0, 0, 0, END])),
            ("only taken up", zoom(&[0x90, 0x41, END])),
            ("nothing", zoom(&[])),
            ("no message", reply(&[1, 2, 3], Question::Zoom, 7)),
            (
                "a wrong length",
                reply(&said(REPLY, 7, &full)[..12], Question::Zoom, 7),
            ),
            (
                "another type",
                reply(&said(INQUIRY, 7, &full), Question::Zoom, 7),
            ),
        ] {
            assert_eq!(got, refused, "{what}");
        }
        assert_eq!(
            zoom(&[0x90, 0x60, 2, END]),
            Some(Err(ViscaError::Refuses(2)))
        );
        assert_eq!(
            zoom(&[0x90, 0x61, 0x41, END]),
            Some(Err(ViscaError::Refuses(0x41)))
        );
        assert_eq!(reply(&said(REPLY, 6, &full), Question::Zoom, 7), None);
        let lost = said(CONTROL_REPLY, 0, &[0x0f, 1]);
        assert_eq!(
            reply(&lost, Question::Zoom, 7),
            Some(Err(ViscaError::LostCount))
        );
        let anew = said(CONTROL_REPLY, 7, &[1]);
        assert_eq!(reply(&anew, Question::Reset, 7), Some(Ok(Reply::Reset)));
    }

    proptest! {
        #[test]
        fn every_position_is_read_back(
            pan in -0x8_0000i64..0x8_0000, tilt in -0x8000i64..0x8000, wide: bool, sequence: u32,
        ) {
            let (pan, count) = if wide { (pan, 5) } else { (pan >> 4, 4) };
            let payload = [vec![0x90, 0x50], digits(pan, count), digits(tilt, 4), vec![END]].concat();
            let read = reply(&said(REPLY, sequence, &payload), Question::PanTilt, sequence);
            let expected = Reply::PanTilt { pan: pan as i32, tilt: tilt as i32 };
            prop_assert_eq!(read, Some(Ok(expected)));
        }

        #[test]
        fn no_datagram_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40), number: u32) {
            for question in [Question::Reset, Question::PanTilt, Question::Zoom] {
                let _ = reply(&bytes, question, number);
            }
        }
    }
}
