//! Watching over a WebSocket: what the gateway gives, and how it is sent.
//!
//! First the stream's form as text, then its init segment and each frame as
//! binary messages. Nothing is taken from the viewer but the answers to pings,
//! which tell how much is still on its way: TCP and what lies between would
//! otherwise keep seconds of it that nobody sees.

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// What one viewer gets.
pub struct Live {
    /// Its name, which nobody can guess.
    pub id: String,
    /// What to send, without an end; a viewer who takes too seldom misses some.
    /// Dropping it ends the watching.
    pub parts: BoxStream<'static, LivePart>,
    /// Resolves when the watching is over.
    pub over: BoxFuture<'static, LiveOver>,
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live").finish_non_exhaustive()
    }
}

/// A part of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LivePart {
    /// It begins, or changes its form.
    Form {
        /// What a browser needs to know before: `video/mp4; codecs="avc1.42C01F"`.
        mime: String,
        /// The init segment.
        init: Vec<u8>,
    },
    /// One frame.
    Frame(Vec<u8>),
}

/// Why a viewer's watching ends that did not end it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LiveOver {
    /// [`Gateway::unwatch`](super::Gateway::unwatch).
    Unwatched,
    /// The camera is there no longer.
    NoCamera,
    /// The gateway is ending.
    Ending,
}

/// Between two looks at what was answered.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// A ping that is not answered after so many looks: too much is on its way.
const LOOKS_TO_WAIT: u32 = 4;
/// A ping that is not answered after so many looks: nobody is there.
const LOOKS_TO_GIVE_UP: u32 = 40;
/// A viewer who does not even take a goodbye gets none.
const GOODBYE_WITHIN: Duration = Duration::from_millis(250);
/// What a viewer may send, bytes: it has nothing to say.
pub(super) const LARGEST_MESSAGE: usize = 1024;

/// Close codes: RFC 6455, 7.4.1; from 4000 on our own.
const GOING_AWAY: u16 = 1001;
const LOGIN_OVER: u16 = 4401;
const NO_CAMERA: u16 = 4404;

fn goodbye(over: LiveOver) -> CloseFrame {
    let (code, reason) = match over {
        LiveOver::Unwatched => (LOGIN_OVER, "the login is over"),
        LiveOver::NoCamera => (NO_CAMERA, "there is no such camera any more"),
        LiveOver::Ending => (GOING_AWAY, "the gateway is ending"),
    };
    CloseFrame {
        code,
        reason: reason.into(),
    }
}

/// What a look at the unanswered ping finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    /// All was answered: ping again.
    Ping,
    /// It may still come.
    Wait,
    /// Nobody is there.
    GiveUp,
}

/// The one ping that is under way, if any.
#[derive(Debug, Default)]
struct Pings {
    number: u32,
    /// Looks since it was sent.
    unanswered: Option<u32>,
}

impl Pings {
    fn look(&mut self) -> Look {
        match &mut self.unanswered {
            None => {
                self.number = self.number.wrapping_add(1);
                self.unanswered = Some(0);
                Look::Ping
            }
            Some(looks) => {
                *looks += 1;
                if *looks >= LOOKS_TO_GIVE_UP {
                    Look::GiveUp
                } else {
                    Look::Wait
                }
            }
        }
    }

    fn answered(&mut self, pong: &[u8]) {
        if pong == self.number.to_be_bytes() {
            self.unanswered = None;
        }
    }

    /// Whether more may be sent.
    fn keeps_up(&self) -> bool {
        self.unanswered.is_none_or(|looks| looks < LOOKS_TO_WAIT)
    }
}

/// Sends until the viewer goes or the watching is over.
pub(super) async fn send(mut socket: WebSocket, mut live: Live) {
    let mut pings = Pings::default();
    let mut looks = interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let messages = tokio::select! {
            // In this order: who may not watch any more gets no further frame.
            biased;
            over = &mut live.over => return close(&mut socket, over).await,
            heard = socket.recv() => match heard {
                Some(Ok(Message::Pong(pong))) => {
                    pings.answered(&pong);
                    continue;
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => continue,
            },
            _ = looks.tick() => match pings.look() {
                Look::Ping => {
                    let number = pings.number.to_be_bytes().to_vec();
                    vec![Message::Ping(number.into())]
                }
                Look::Wait => continue,
                Look::GiveUp => return,
            },
            Some(part) = live.parts.next(), if pings.keeps_up() => messages(part),
        };
        for message in messages {
            let patience = LOOK_EVERY * LOOKS_TO_GIVE_UP;
            let sent = tokio::select! {
                biased;
                over = &mut live.over => return close(&mut socket, over).await,
                sent = timeout(patience, socket.send(message)) => sent,
            };
            if !matches!(sent, Ok(Ok(()))) {
                return;
            }
        }
    }
}

fn messages(part: LivePart) -> Vec<Message> {
    match part {
        LivePart::Form { mime, init } => {
            let form = serde_json::json!({ "mime": mime }).to_string();
            vec![Message::Text(form.into()), Message::Binary(init.into())]
        }
        LivePart::Frame(bytes) => vec![Message::Binary(bytes.into())],
    }
}

async fn close(socket: &mut WebSocket, over: LiveOver) {
    let said = async {
        if socket
            .send(Message::Close(Some(goodbye(over))))
            .await
            .is_ok()
        {
            // Until it is answered: what is unread when a connection is dropped
            // may cost the viewer the goodbye.
            while let Some(Ok(_)) = socket.recv().await {}
        }
    };
    if timeout(GOODBYE_WITHIN, said).await.is_err() {
        tracing::debug!("a viewer did not answer the goodbye");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `p`: the ping of now is answered; `o`: an older one is; ` `: a look.
    fn check(course: &str, finds: &[Look], keeps_up: bool) {
        let mut pings = Pings::default();
        let mut found = Vec::new();
        for step in course.chars() {
            match step {
                'p' => pings.answered(&pings.number.to_be_bytes()),
                'o' => pings.answered(&pings.number.wrapping_sub(1).to_be_bytes()),
                _ => found.push(pings.look()),
            }
        }
        assert_eq!(
            (found.as_slice(), pings.keeps_up()),
            (finds, keeps_up),
            "{course:?}"
        );
    }

    #[test]
    fn pings_tell_who_keeps_up() {
        use Look::{Ping, Wait};
        check("", &[], true);
        check(" ", &[Ping], true);
        check(" p p p ", &[Ping, Ping, Ping, Ping], true);
        check("    ", &[Ping, Wait, Wait, Wait], true);
        check("     ", &[Ping, Wait, Wait, Wait, Wait], false);
        check("     p", &[Ping, Wait, Wait, Wait, Wait], true);
        check(" p     o", &[Ping, Ping, Wait, Wait, Wait, Wait], false);
    }

    #[test]
    fn who_answers_nothing_is_given_up() {
        let mut pings = Pings::default();
        let looks = std::iter::repeat_with(|| pings.look());
        let before = looks.take_while(|look| *look != Look::GiveUp).count();
        assert_eq!(before, LOOKS_TO_GIVE_UP as usize);
    }

    #[test]
    fn every_end_has_its_code() {
        let codes = [LiveOver::Unwatched, LiveOver::NoCamera, LiveOver::Ending];
        assert_eq!(codes.map(|over| goodbye(over).code), [4401, 4404, 1001]);
    }
}
