//! The capture times that an RTP packet carries in its header extension.
//!
//! - RFC 6051, 3.3 (`urn:ietf:params:rtp-hdrext:ntp-64`), among the elements of RFC 8285's one-byte or
//!   two-byte form, under the number that the SDP's `a=extmap` gives it;
//! - ONVIF Streaming Specification, "RTP header extension" (0xABAC): the first of its words,
//!   whether or not JPEG's extension is appended to it.
//!
//! Both are 64-bit NTP times. What does not have its standard's form is [`Claim::Unreadable`],
//! never a guess. Must not know packets of other packets: it sees one at a time.

use super::Claim;
use crate::clock::CaptureTime;

/// RFC 6051's name in the SDP.
pub const NTP_64_URI: &str = "urn:ietf:params:rtp-hdrext:ntp-64";

/// RFC 8285, 4.2.
const ONE_BYTE: u16 = 0xbede;
/// RFC 8285, 4.3: the last four bits are the application's.
const TWO_BYTE: u16 = 0x1000;
/// ONVIF's.
const REPLAY: u16 = 0xabac;
/// How JPEG's extension begins where it is appended to ONVIF's.
const JPEG: [[u8; 2]; 2] = [[0xff, 0xd8], [0xff, 0xff]];
/// Time, flags, sequence number, padding.
const REPLAY_BYTES: usize = 12;

/// What the RTP packet `packet` says: by RFC 6051 under the number `ntp_64` (1…255;
/// none where the SDP names none), and by ONVIF. `None` where it is no RTP packet or its header
/// is cut off.
pub fn claims(packet: &[u8], ntp_64: Option<u8>) -> Option<[Claim; 2]> {
    let Some((profile, body)) = extension(packet)? else {
        return Some([Claim::Silent; 2]);
    };
    let element = |value: Option<&[u8]>| value.map_or(Claim::Silent, time);
    Some(match (profile, ntp_64) {
        (REPLAY, _) => [Claim::Silent, replay(body)],
        (ONE_BYTE, Some(number)) => [element(one_byte(body, number)), Claim::Silent],
        (form, Some(number)) if form & 0xfff0 == TWO_BYTE => {
            [element(two_byte(body, number)), Claim::Silent]
        }
        _ => [Claim::Silent; 2],
    })
}

/// The profile's word and the body of the header extension (RFC 3550, 5.3.1); an inner
/// `None` where there is none, an outer where the header is not whole.
fn extension(packet: &[u8]) -> Option<Option<(u16, &[u8])>> {
    let first = *packet.first()?;
    let sources = usize::from(first & 0x0f);
    let rest = packet.get(12 + 4 * sources..)?;
    if first >> 6 != 2 {
        return None;
    }
    if first & 0x10 == 0 {
        return Some(None);
    }
    let (head, rest) = rest.split_first_chunk::<4>()?;
    let words = usize::from(u16::from_be_bytes([head[2], head[3]]));
    let body = rest.get(..4 * words)?;
    Some(Some((u16::from_be_bytes([head[0], head[1]]), body)))
}

/// The element `number` of the one-byte form; the first, where there are several.
fn one_byte(mut body: &[u8], number: u8) -> Option<&[u8]> {
    while let Some((&head, rest)) = body.split_first() {
        if head == 0 {
            body = rest; // Padding.
            continue;
        }
        let (id, length) = (head >> 4, usize::from(head & 0x0f) + 1);
        if id == 0 || id == 15 {
            return None; // What comes after either is not to be read.
        }
        if id == number {
            return Some(rest.get(..length).unwrap_or_default());
        }
        body = rest.get(length..)?;
    }
    None
}

/// The element `number` of the two-byte form; the first, where there are several.
fn two_byte(mut body: &[u8], number: u8) -> Option<&[u8]> {
    while let Some((&id, rest)) = body.split_first() {
        if id == 0 {
            body = rest; // Padding.
            continue;
        }
        let (&length, rest) = rest.split_first()?;
        let length = usize::from(length);
        if id == number {
            return Some(rest.get(..length).unwrap_or_default());
        }
        body = rest.get(length..)?;
    }
    None
}

fn replay(body: &[u8]) -> Claim {
    let Some((own, appended)) = body.split_at_checked(REPLAY_BYTES) else {
        return Claim::Unreadable;
    };
    let begins = appended.first_chunk::<2>();
    if begins.is_some_and(|word| !JPEG.contains(word)) {
        return Claim::Unreadable;
    }
    own.get(..8).map_or(Claim::Unreadable, time)
}

/// Exactly eight bytes of NTP time, and one that means something.
fn time(bytes: &[u8]) -> Claim {
    let ntp = <[u8; 8]>::try_from(bytes).ok().map(u64::from_be_bytes);
    let at = ntp.and_then(CaptureTime::from_ntp_64);
    at.map_or(Claim::Unreadable, Claim::At)
}

#[cfg(test)]
mod tests;
