//! WebRTC, whoever called: the sending half that [WHEP](super::whep)'s viewers and
//! WHIP's servers have in common.
//!
//! A [`Session`] is a state machine, its queue and what it is told; [`Sockets`] carry its
//! datagrams. Nothing is ever taken from a peer but what the protocols need (ICE
//! checks, receiver reports, wishes for a key frame). This module must not know how
//! offer and answer came about, or who is on the other side.

mod feed;
mod session;
mod sockets;

use std::time::Duration;

use str0m::rtp::{Extension, ExtensionMap};

pub(super) use self::session::{Gone, Session, Taken};
pub(super) use self::sockets::{Sockets, bind, bind_each};

/// How often a stream is asked for a key frame at most, however often its peers want
/// one: each costs everybody's picture bits.
pub(super) const KEY_FRAME_EVERY: Duration = Duration::from_secs(1);

/// Longer descriptions (SDP) of a stranger's are not read. Browsers' have 3 to 15 KiB.
pub(super) const LONGEST_DESCRIPTION: usize = 64 * 1024;

/// Only what is of use to a peer that is sent one stream at one bit rate.
pub(super) fn extensions() -> ExtensionMap {
    let mut map = ExtensionMap::empty();
    map.set(4, Extension::RtpMid);
    map.set(6, Extension::PlayoutDelay);
    map
}

/// One line of a parser's words, which quote what they could not read.
pub(super) fn short(words: &str) -> String {
    let line = words.lines().next().unwrap_or_default();
    line.chars().take(120).collect()
}
