//! One viewer: its frames, as parts of a fragmented MP4.

use std::sync::Arc;
use std::time::Duration;

use super::Mp4Over;
use super::boxes::{Mp4Part, Muxer, Unit};
use super::queue::{Queue, Timed};
use super::shared::Place;
use crate::event::Event;
use crate::pipeline::{EncodedMasked, Tap, TapHandle};

/// A viewer who is out and gets no key frame for so long asks for one.
const LOOK_EVERY: Duration = Duration::from_millis(250);

impl Timed for EncodedMasked {
    fn is_key(&self) -> bool {
        EncodedMasked::is_key(self)
    }

    fn pts_ns(&self) -> u64 {
        self.buffer().pts().map_or(0, |pts| pts.nseconds())
    }
}

/// Somebody who watches. Leaves when dropped.
pub struct Mp4Viewer {
    place: Place,
    queue: Arc<Queue<EncodedMasked>>,
    /// Since it was first asked for something.
    tap: Option<TapHandle>,
    muxer: Muxer,
    /// The other part of a key frame with a new form.
    kept: Option<Mp4Part>,
}

impl std::fmt::Debug for Mp4Viewer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mp4Viewer(of {})", self.place.camera())
    }
}

impl Mp4Viewer {
    pub(super) fn new(place: Place) -> Self {
        Self {
            place,
            queue: Arc::new(Queue::new()),
            tap: None,
            muxer: Muxer::default(),
            kept: None,
        }
    }

    /// The session's name: 128 random bits, 32 hexadecimal digits.
    pub fn session(&self) -> &str {
        self.place.session()
    }

    /// Resolves when the session is over, however slow the viewer is.
    pub fn over(&self) -> impl Future<Output = Mp4Over> + Send + 'static {
        let mut over = self.place.over().clone();
        async move {
            match over.wait_for(Option::is_some).await {
                Ok(why) => why.unwrap_or(Mp4Over::Stopped),
                Err(_) => Mp4Over::Stopped,
            }
        }
    }

    /// What to send next. Begins to watch with the first call; whoever calls
    /// too seldom loses frames up to a key frame. Dropping the future loses
    /// nothing.
    pub async fn next(&mut self) -> Mp4Part {
        self.begin();
        if let Some(part) = self.kept.take() {
            return part;
        }
        loop {
            while let Some(unit) = self.queue.next() {
                if let Some(part) = self.take(&unit) {
                    return part;
                }
            }
            let filled = tokio::time::timeout(LOOK_EVERY, self.queue.filled()).await;
            if filled.is_err() && self.queue.is_out() {
                self.place.ask_for_key_frame();
            }
        }
    }

    fn begin(&mut self) {
        if self.tap.is_some() {
            return;
        }
        let into = self.queue.clone();
        let tap: Tap = Box::new(move |unit: &EncodedMasked| into.put(unit.clone()));
        self.tap = Some(self.place.stream().tap(tap));
        let viewers = self.place.stream().viewer_joined();
        self.tell(true, viewers, None);
    }

    fn take(&mut self, unit: &EncodedMasked) -> Option<Mp4Part> {
        let caps = unit.caps().structure(0)?;
        let pixels = |name: &str| u16::try_from(caps.get::<i32>(name).ok()?).ok();
        let size = (pixels("width")?, pixels("height")?);
        let map = unit.buffer().map_readable().ok()?;
        let parts = self.muxer.take(Unit {
            bytes: map.as_slice(),
            is_key: unit.is_key(),
            pts_ns: unit.pts_ns(),
            size,
        });
        match parts {
            Ok(parts) => {
                let mut parts = parts.into_iter();
                let first = parts.next();
                self.kept = parts.next();
                first
            }
            Err(error) => {
                // What builds on it is of no use either.
                tracing::debug!(
                    camera = self.place.camera(),
                    "a frame was left out: {error}"
                );
                self.queue.leave_out();
                None
            }
        }
    }

    fn tell(&self, joined: bool, viewers: u32, detail: Option<String>) {
        self.place.events().emit(Event::Viewer {
            camera: self.place.camera().to_owned(),
            joined,
            viewers,
            detail,
        });
    }
}

impl Drop for Mp4Viewer {
    fn drop(&mut self) {
        if self.tap.take().is_none() {
            return;
        }
        let detail = match *self.place.over().borrow() {
            None | Some(Mp4Over::Ended) => None,
            Some(Mp4Over::NoCamera) => Some("the camera was taken out".to_owned()),
            Some(Mp4Over::Stopped) => Some("the server stops".to_owned()),
        };
        let viewers = self.place.stream().viewer_left();
        self.tell(false, viewers, detail);
    }
}
