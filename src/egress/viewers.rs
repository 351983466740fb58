//! Who is watching what, and who has fallen behind.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gst_rtsp_server::prelude::*;
use gstreamer::glib::WeakRef;
use gstreamer_rtsp_server as gst_rtsp_server;

use super::queue::Slow;
use crate::event::{Event, EventSink};
use crate::pipeline::{MaskedStream, SoundForm};

/// One viewer of one camera.
struct Viewer {
    client: gst_rtsp_server::RTSPClient,
    camera: String,
    session: gst_rtsp_server::RTSPSession,
    stream: MaskedStream,
}

/// The queue of one client's media, as the timer sees it.
struct Watched {
    client: WeakRef<gst_rtsp_server::RTSPClient>,
    slow: Slow,
    /// The stream, and what its SDP says of sound.
    promised: (String, Option<SoundForm>),
    /// Looks in a row at which it was slow while it played.
    strikes: u32,
}

/// One look may fall between PLAY and the moment its first frames leave.
const STRIKES: u32 = 2;

/// The viewers of one server.
pub(super) struct Viewers {
    list: Mutex<Vec<Viewer>>,
    watched: Mutex<Vec<Watched>>,
    cameras: Mutex<HashMap<String, MaskedStream>>,
    events: Arc<dyn EventSink>,
}

impl Viewers {
    pub(super) fn new(events: Arc<dyn EventSink>) -> Self {
        Self {
            list: Mutex::default(),
            watched: Mutex::default(),
            cameras: Mutex::default(),
            events,
        }
    }

    /// The stream of each camera that is served.
    pub(super) fn cameras(&self) -> MutexGuard<'_, HashMap<String, MaskedStream>> {
        locked(&self.cameras)
    }

    /// Whether `stream` is still what `id` is served from.
    pub(super) fn serves(&self, id: &str, stream: &MaskedStream) -> bool {
        self.cameras().get(id).is_some_and(|now| now.is(stream))
    }

    fn list(&self) -> MutexGuard<'_, Vec<Viewer>> {
        locked(&self.list)
    }

    /// Follows `client` from now on.
    pub(super) fn welcome(self: &Arc<Self>, client: &gst_rtsp_server::RTSPClient) {
        let all = Arc::downgrade(self);
        client.connect_play_request(move |client, context| {
            let (Some(all), Some(uri), Some(session)) =
                (all.upgrade(), context.uri(), context.session())
            else {
                return;
            };
            let stream = stream_in(uri.request_uri().as_str());
            all.joined(client, session, &stream);
        });
        let all = Arc::downgrade(self);
        client.connect_teardown_request(move |client, context| {
            if let (Some(all), Some(session)) = (all.upgrade(), context.session()) {
                all.left(None, |v| v.client == *client && v.session == *session);
            }
        });
        let sessions: Arc<Mutex<Vec<WeakRef<gst_rtsp_server::RTSPSession>>>> = Arc::default();
        let begun = sessions.clone();
        client.connect_new_session(move |_, session| locked(&begun).push(session.downgrade()));
        let all = Arc::downgrade(self);
        client.connect_closed(move |client| {
            if let Some(all) = all.upgrade() {
                all.left(None, |v| v.client == *client);
            }
            // Else they would count for a minute among those there may be, though nobody is there.
            if let Some(pool) = client.session_pool() {
                for session in locked(&sessions).drain(..) {
                    // One that has ended is not there to be taken out.
                    let _ = session.upgrade().map(|session| pool.remove(&session));
                }
            }
        });
    }

    fn joined(
        &self,
        client: &gst_rtsp_server::RTSPClient,
        session: &gst_rtsp_server::RTSPSession,
        camera: &str,
    ) {
        let Some(stream) = self.cameras().get(camera).cloned() else {
            return;
        };
        stream.request_key_frame();
        {
            let mut list = self.list();
            if list
                .iter()
                .any(|v| v.session == *session && v.camera == camera)
            {
                // It was paused and goes on.
                return;
            }
            list.push(Viewer {
                client: client.clone(),
                camera: camera.to_owned(),
                session: session.clone(),
                stream: stream.clone(),
            });
        }
        let viewers = stream.viewer_joined();
        self.tell(camera, true, viewers, None);
    }

    /// Forgets the viewers that `which` picks; their clients.
    fn left(
        &self,
        detail: Option<&str>,
        which: impl Fn(&Viewer) -> bool,
    ) -> Vec<gst_rtsp_server::RTSPClient> {
        let gone: Vec<Viewer> = {
            let mut list = self.list();
            let (gone, stay) = std::mem::take(&mut *list).into_iter().partition(which);
            *list = stay;
            gone
        };
        gone.into_iter()
            .map(|v| {
                let viewers = v.stream.viewer_left();
                self.tell(&v.camera, false, viewers, detail.map(str::to_owned));
                v.client
            })
            .collect()
    }

    /// Closes the connections of all viewers of `camera`.
    pub(super) fn dismiss(&self, camera: &str, detail: &str) {
        for client in self.left(Some(detail), |v| v.camera == camera) {
            client.close();
        }
    }

    /// Looks after `client`'s queue from now on, whose media is the stream's with that sound.
    pub(super) fn watch(
        &self,
        client: &gst_rtsp_server::RTSPClient,
        slow: Slow,
        (id, sound): (&str, Option<SoundForm>),
    ) {
        let mut watched = locked(&self.watched);
        watched.push(Watched {
            client: client.downgrade(),
            slow,
            promised: (id.to_owned(), sound),
            strikes: 0,
        });
    }

    /// Closes the connections of viewers who took nothing for too long. To be
    /// called about once a second.
    pub(super) fn dismiss_slow(&self) {
        let playing: Vec<_> = self.list().iter().map(|v| v.client.clone()).collect();
        let slow: Vec<gst_rtsp_server::RTSPClient> = {
            let mut watched = locked(&self.watched);
            watched.retain(|w| w.client.upgrade().is_some());
            watched
                .iter_mut()
                .filter_map(|w| {
                    let client = w.client.upgrade()?;
                    let slow = w.slow.load(Ordering::Relaxed) && playing.contains(&client);
                    w.strikes = if slow { w.strikes + 1 } else { 0 };
                    (w.strikes >= STRIKES).then_some(client)
                })
                .collect()
        };
        if slow.is_empty() {
            return;
        }
        let told = Some("too slow: it took nothing for seconds");
        for client in self.left(told, |v| slow.contains(&v.client)) {
            client.close();
        }
    }

    /// Closes the connections of those who were promised another sound of `id` than `now`.
    pub(super) fn dismiss_promised_other(&self, id: &str, now: Option<&SoundForm>) {
        let mut others = Vec::new();
        let mut watched = locked(&self.watched);
        watched.retain(|w| {
            let (stream, sound) = &w.promised;
            let other = stream == id && sound.as_ref() != now;
            if other {
                others.extend(w.client.upgrade());
            }
            !other
        });
        drop(watched);
        if others.is_empty() {
            return;
        }
        let told = Some("the camera's sound is known now, or is another: to come again with it");
        drop(self.left(told, |v| others.contains(&v.client)));
        for client in others {
            client.close();
        }
    }

    fn tell(&self, camera: &str, joined: bool, viewers: u32, detail: Option<String>) {
        self.events.emit(Event::Viewer {
            camera: camera.to_owned(),
            joined,
            viewers,
            detail,
        });
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `gate` in `rtsp://host:port/gate`, `…/gate/`, `…/gate/stream=0` and `…/gate/sub`.
pub(super) fn camera_in(uri: &str) -> &str {
    steps_in(uri).next().unwrap_or_default()
}

/// `gate/sub` in `rtsp://host:port/gate/sub`, `…/gate/sub/` and `…/gate/sub/stream=0`; of the
/// main stream the camera.
fn stream_in(uri: &str) -> String {
    let camera = camera_in(uri);
    // A stream's name has no `=`, the server's own words for its media have.
    let further = steps_in(uri).nth(1);
    match further.filter(|name| !name.is_empty() && !name.contains('=')) {
        Some(name) => format!("{camera}/{name}"),
        None => camera.to_owned(),
    }
}

/// The parts of a request's path.
fn steps_in(uri: &str) -> impl Iterator<Item = &str> {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let path = rest.split_once('/').map_or("", |(_, path)| path);
    path.split('?').next().unwrap_or_default().split('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cameras_in_request_uris() {
        for (uri, camera) in [
            ("rtsp://10.0.0.1:8554/gate", "gate"),
            ("rtsp://10.0.0.1:8554/gate/", "gate"),
            ("rtsp://h/gate/stream=0", "gate"),
            ("rtsp://h/gate?x=1", "gate"),
            ("/gate", "gate"),
            ("rtsp://h", ""),
            ("", ""),
        ] {
            assert_eq!(camera_in(uri), camera, "{uri}");
            assert_eq!(stream_in(uri), camera, "{uri}");
        }
    }

    #[test]
    fn further_streams_in_request_uris() {
        for uri in [
            "rtsp://10.0.0.1:8554/gate/sub",
            "rtsp://h/gate/sub/",
            "rtsp://h/gate/sub/stream=0",
            "rtsp://h/gate/sub?x=1/y",
        ] {
            assert_eq!(camera_in(uri), "gate", "{uri}");
            assert_eq!(stream_in(uri), "gate/sub", "{uri}");
        }
    }
}
