//! One peer: its WebRTC state machine, and the frames that go into it.

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::media::{MediaKind, MediaTime, Mid};
use str0m::net::{DatagramRecv, Protocol, Receive, Transmit};
use str0m::{Event, IceConnectionState, Input, Output, Rtc, RtcError};
use tokio::sync::Notify;

use super::feed::Feed;
use crate::pipeline::{EncodedMasked, MaskedStream};

/// A peer that has not connected this long after offer and answer is forgotten.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// A peer of whom nothing was heard for this long is gone. Browsers send
/// receiver reports every second and consent checks every five (RFC 7675, 5.1).
const SILENT_AFTER: Duration = Duration::from_secs(10);
/// What a session may give out in one turn; the rest waits for the next, so that
/// none keeps the others waiting. A key frame of 6 Mbit/s has about 200.
const OUTPUTS_A_TURN: usize = 4096;

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::egress) enum Gone {
    /// The peer closed it, or lost its way to us.
    Left,
    /// We ended it.
    Dismissed(String),
}

pub(in crate::egress) struct Session {
    pub(in crate::egress) name: String,
    pub(in crate::egress) camera: String,
    pub(in crate::egress) stream: MaskedStream,
    rtc: Box<Rtc>,
    video: Option<Mid>,
    /// There since it connected.
    feed: Option<Feed>,
    wants_key_frame: bool,
    offered: Instant,
    heard: Instant,
    due: Instant,
    gone: Option<Gone>,
}

impl Session {
    /// `rtc` is one whose offer and answer are both known. `name` is for the log.
    pub(in crate::egress) fn new(
        name: String,
        camera: String,
        stream: MaskedStream,
        rtc: Box<Rtc>,
        now: Instant,
    ) -> Self {
        Self {
            name,
            camera,
            stream,
            rtc,
            video: None,
            feed: None,
            wants_key_frame: false,
            offered: now,
            heard: now,
            due: now,
            gone: None,
        }
    }

    /// In which section the stream is sent. Not needed where the peer's offer asks for
    /// it: then the state machine tells.
    pub(in crate::egress) fn sending_in(mut self, video: Mid) -> Self {
        self.video = Some(video);
        self
    }

    /// When it has something to do whatever happens.
    pub(in crate::egress) fn due(&self) -> Instant {
        self.due.min(self.gives_up())
    }

    pub(in crate::egress) fn gone(&self) -> Option<&Gone> {
        self.gone.as_ref()
    }

    /// Whether it has connected: what is sent is watched, or taken.
    pub(in crate::egress) fn watches(&self) -> bool {
        self.feed.is_some()
    }

    fn gives_up(&self) -> Instant {
        if self.watches() {
            self.heard + SILENT_AFTER
        } else {
            self.offered + CONNECT_WITHIN
        }
    }

    /// Whether it needs a key frame: its peer asked, or it missed a frame.
    pub(in crate::egress) fn wants_key_frame(&self) -> bool {
        self.wants_key_frame || self.feed.as_ref().is_some_and(Feed::is_out)
    }

    pub(in crate::egress) fn key_frame_asked(&mut self) {
        self.wants_key_frame = false;
    }

    /// Attaches to the stream as soon as it is connected; whether it just did. `met`
    /// is told of each access unit from then on whether it goes to the peer.
    pub(in crate::egress) fn begin(
        &mut self,
        connected: bool,
        wake: &Arc<Notify>,
        met: impl Fn(&EncodedMasked, bool) + Send + Sync + 'static,
    ) -> bool {
        let begins = connected && self.feed.is_none() && self.gone.is_none();
        if begins {
            self.feed = Some(Feed::attach(&self.stream, wake.clone(), met));
        }
        begins
    }

    /// Takes a datagram if it is for this session; whether it was.
    pub(in crate::egress) fn receive(
        &mut self,
        (source, destination): (SocketAddr, SocketAddr),
        bytes: &[u8],
        now: Instant,
        send: &mut impl FnMut(&Transmit),
    ) -> Taken {
        let mut taken = Taken::No;
        self.guarded(|session| {
            let Ok(contents) = DatagramRecv::try_from(bytes) else {
                return Ok(());
            };
            let input = Input::Receive(
                now,
                Receive {
                    proto: Protocol::Udp,
                    source,
                    destination,
                    contents,
                },
            );
            if !session.rtc.accepts(&input) {
                return Ok(());
            }
            taken = Taken::Yes { connected: false };
            match session.rtc.handle_input(input) {
                Ok(()) => session.heard = now,
                // Whoever can forge a sender's address could otherwise end it.
                Err(e) => tracing::debug!(session = session.name, "refused a datagram: {e}"),
            }
            let connected = session.give_out(now, send)?;
            taken = Taken::Yes { connected };
            Ok(())
        });
        taken
    }

    /// Does what time demands; whether it connected by that.
    pub(in crate::egress) fn tick(
        &mut self,
        now: Instant,
        send: &mut impl FnMut(&Transmit),
    ) -> bool {
        if now >= self.gives_up() {
            let why = if self.watches() {
                "nothing was heard of it for ten seconds"
            } else {
                "it did not connect within ten seconds"
            };
            self.end(Some(why), now, send);
            return false;
        }
        let mut connected = false;
        self.guarded(|session| {
            session.rtc.handle_input(Input::Timeout(now))?;
            connected = session.give_out(now, send)?;
            Ok(())
        });
        connected
    }

    /// Sends the frames that wait.
    pub(in crate::egress) fn send_frames(
        &mut self,
        now: Instant,
        send: &mut impl FnMut(&Transmit),
    ) {
        while let Some(unit) = self.feed.as_ref().and_then(Feed::next) {
            self.guarded(|session| {
                session.write(&unit, now)?;
                session.rtc.handle_input(Input::Timeout(now))?;
                session.give_out(now, send)?;
                Ok(())
            });
        }
    }

    fn write(&mut self, unit: &EncodedMasked, now: Instant) -> Result<(), RtcError> {
        let (Some(pts), Ok(bytes)) = (unit.buffer().pts(), unit.buffer().map_readable()) else {
            return Ok(());
        };
        let Some(writer) = self.video.and_then(|mid| self.rtc.writer(mid)) else {
            return Ok(());
        };
        let Some(payload) = writer.payload_params().next().map(|p| p.pt()) else {
            return Ok(());
        };
        // A live picture is shown when it is there: no smoothing over frames
        // that left unevenly because they waited for their evidence.
        writer
            .playout_delay(MediaTime::ZERO, MediaTime::ZERO)
            .write(
                payload,
                now,
                MediaTime::from_90khz(rtp_time(pts.nseconds())),
                bytes.as_slice(),
            )
    }

    /// Says goodbye, so that the peer need not wait for silence, and is gone.
    /// `why` where it is us who end it.
    pub(in crate::egress) fn end(
        &mut self,
        why: Option<&str>,
        now: Instant,
        send: &mut impl FnMut(&Transmit),
    ) {
        if self.gone.is_some() {
            return;
        }
        self.guarded(|session| {
            session.rtc.close()?;
            session.give_out(now, send)?;
            Ok(())
        });
        self.gone = Some(match why {
            Some(why) => Gone::Dismissed(why.to_owned()),
            None => Gone::Left,
        });
    }

    /// Sends what is to be sent and takes note of what is told; whether it
    /// connected.
    fn give_out(
        &mut self,
        now: Instant,
        send: &mut impl FnMut(&Transmit),
    ) -> Result<bool, RtcError> {
        let mut connected = false;
        for _ in 0..OUTPUTS_A_TURN {
            match self.rtc.poll_output()? {
                Output::Timeout(at) => {
                    // Never at once again: one session must not spin the thread.
                    self.due = at.max(now + Duration::from_millis(1));
                    return Ok(connected);
                }
                Output::Transmit(datagram) => send(&datagram),
                Output::Event(event) => connected |= self.told(&event),
            }
        }
        self.due = now;
        Ok(connected)
    }

    fn told(&mut self, event: &Event) -> bool {
        match event {
            Event::Connected => return true,
            Event::MediaAdded(added) if added.kind == MediaKind::Video => {
                self.video = Some(added.mid);
            }
            Event::KeyframeRequest(_) => self.wants_key_frame = true,
            Event::Closed => self.gone = Some(Gone::Left),
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) if self.watches() => {
                self.gone = Some(Gone::Left);
            }
            _ => {}
        }
        false
    }

    /// Runs `act`; an error or a panic in it ends this session and no other.
    fn guarded(&mut self, act: impl FnOnce(&mut Self) -> Result<(), RtcError>) {
        if self.gone.is_some() {
            return;
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| act(self)));
        let why = match outcome {
            Ok(Ok(())) if self.rtc.is_alive() => return,
            Ok(Ok(())) => {
                self.gone.get_or_insert(Gone::Left);
                return;
            }
            Ok(Err(e)) => e.to_string(),
            Err(_) => "internal error".to_owned(),
        };
        self.gone
            .get_or_insert(Gone::Dismissed(format!("its connection failed: {why}")));
    }
}

/// Whether a datagram was a session's, and whether that one connected by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::egress) enum Taken {
    No,
    Yes { connected: bool },
}

/// Nanoseconds in units of 1/90000 s (RFC 6184, 5.1), without a detour that
/// would overflow.
fn rtp_time(ns: u64) -> u64 {
    const NS_A_S: u64 = 1_000_000_000;
    (ns / NS_A_S) * 90_000 + (ns % NS_A_S) * 90_000 / NS_A_S
}

#[cfg(test)]
mod tests {
    use super::rtp_time;

    #[test]
    fn stamps_in_ninety_kilohertz() {
        for (ns, at_90k) in [
            (0, 0),
            (11_111, 0),
            (11_112, 1),
            (40_000_000, 3_600),
            (1_000_000_000, 90_000),
            (u64::MAX, 1_660_206_966_633_859),
        ] {
            assert_eq!(rtp_time(ns), at_90k, "{ns} ns");
        }
    }
}
