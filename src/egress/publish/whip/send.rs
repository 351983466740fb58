//! The stream on its way: datagrams, frames and time, one after another.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::{Call, LOOK_EVERY};
use crate::clock::SystemClock;
use crate::egress::publish::run::Over;
use crate::egress::webrtc::{Gone, KEY_FRAME_EVERY, Session, Sockets, Taken};
use crate::pipeline::EncodedMasked;

/// Sends until that is over; `connected` is called once, when media can flow.
pub(super) async fn until_over(
    mut session: Session,
    sockets: &Sockets,
    call: &Call<'_>,
    clock: SystemClock,
    connected: &mut dyn FnMut(),
) -> Over {
    let wake = Arc::new(Notify::new());
    let mut send = |datagram: &_| sockets.send(datagram);
    // When the encoder was last asked for a key frame.
    let mut asked: Option<Instant> = None;
    loop {
        let sleep = session.due().saturating_duration_since(clock.instant());
        wait(sleep.min(LOOK_EVERY), &wake, sockets).await;
        let now = clock.instant();
        if call.is_stopped() {
            session.end(None, now, &mut send);
            return Over::Stopped;
        }
        let mut begins = false;
        sockets.receive(|source, to, bytes| {
            let taken = session.receive((source, to), bytes, now, &mut send);
            begins |= taken == Taken::Yes { connected: true };
        });
        begins |= session.due() <= now && session.tick(now, &mut send);
        session.send_frames(now, &mut send);
        let counts = call.counts.clone();
        let met = move |unit: &EncodedMasked, taken| {
            counts.unit(unit.buffer().size(), taken);
        };
        if session.begin(begins, &wake, met) {
            connected();
        }
        let may_ask = asked.is_none_or(|asked| now >= asked + KEY_FRAME_EVERY);
        if may_ask && session.wants_key_frame() {
            session.stream.request_key_frame();
            session.key_frame_asked();
            asked = Some(now);
        }
        if let Some(gone) = session.gone() {
            return Over::Lost(why(gone, session.watches()));
        }
    }
}

/// Until there is something to do, or `sleep` has passed.
async fn wait(sleep: Duration, wake: &Notify, sockets: &Sockets) {
    let something = async {
        tokio::select! {
            () = wake.notified() => {}
            () = sockets.readable() => {}
        }
    };
    // Elapsed: time has come for something.
    let _ = tokio::time::timeout(sleep, something).await;
}

/// For whoever looks after the publication.
fn why(gone: &Gone, was_connected: bool) -> String {
    match gone {
        _ if !was_connected => "the server took the offer, but no connection over UDP came about: \
             does it name an address that can be reached from here, and is its port open?"
            .to_owned(),
        Gone::Left => "the server ended the stream, or can be reached no more".to_owned(),
        Gone::Dismissed(why) => format!("the connection is lost: {why}"),
    }
}
