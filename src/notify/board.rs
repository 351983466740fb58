//! Where what happens is put down for all buses, by whoever noticed it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};

use super::documents::{CameraReport, GatewayReport, Told};
use super::outbox::Outbox;

/// What all buses are told. Shared by those who tell and those who send.
#[derive(Debug)]
pub struct Board {
    state: Mutex<State>,
    wake: Mutex<Option<Sender<()>>>,
    woken: Receiver<()>,
}

#[derive(Debug, Default)]
struct State {
    /// Cameras that may be told of.
    configured: BTreeSet<String>,
    outboxes: Vec<Arc<Outbox>>,
    gateway: Option<Arc<GatewayReport>>,
    cameras: BTreeMap<String, Arc<CameraReport>>,
}

/// Why somebody who waits for news goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// Something happened.
    News,
    /// Nothing did for as long as was asked for.
    Time,
    /// Nobody is told any more.
    Closed,
}

impl Default for Board {
    fn default() -> Self {
        let (wake, woken) = bounded(1);
        Self {
            state: Mutex::default(),
            wake: Mutex::new(Some(wake)),
            woken,
        }
    }
}

impl Board {
    /// An event. Returns at once, whatever the buses do.
    pub fn tell(&self, told: Told) {
        {
            let state = self.state();
            if state.outboxes.is_empty() {
                return;
            }
            let told = Arc::new(told);
            for outbox in &state.outboxes {
                outbox.put_event(told.clone());
            }
        }
        self.news();
    }

    /// Something changed that reports show. Returns at once.
    pub fn news(&self) {
        let wake = self.wake.lock().unwrap_or_else(PoisonError::into_inner);
        match wake.as_ref().map(|wake| wake.try_send(())) {
            // Full: whoever looks next sees this as well.
            None | Some(Ok(()) | Err(TrySendError::Full(()) | TrySendError::Disconnected(()))) => {}
        }
    }

    /// Waits for news for at most `time`.
    pub fn wait(&self, time: Duration) -> Wake {
        match self.woken.recv_timeout(time) {
            Ok(()) => Wake::News,
            Err(RecvTimeoutError::Timeout) => Wake::Time,
            Err(RecvTimeoutError::Disconnected) => Wake::Closed,
        }
    }

    /// Whoever waits, or will, is told that it is over.
    pub fn close(&self) {
        drop(
            self.wake
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
    }

    /// Whether there is nobody to tell.
    pub fn is_idle(&self) -> bool {
        self.state().outboxes.is_empty()
    }

    /// How everything is now; with `again`, buses that keep nothing are told even what
    /// did not change. Cameras that are missing are not taken for removed: one may just
    /// be started anew. Those that are not configured are passed over: a report may have
    /// been made before its camera went.
    pub fn report(&self, gateway: GatewayReport, cameras: Vec<CameraReport>, again: bool) {
        let mut state = self.state();
        let gateway = Arc::new(gateway);
        let configured = |c: &CameraReport| state.configured.contains(&c.camera);
        let cameras = cameras.into_iter().filter(configured);
        let cameras: Vec<_> = cameras.map(Arc::new).collect();
        for outbox in &state.outboxes {
            outbox.put_gateway(&gateway, again);
            for camera in &cameras {
                outbox.put_camera(camera, again);
            }
        }
        state.gateway = Some(gateway);
        let known = cameras.into_iter();
        state.cameras.extend(known.map(|c| (c.camera.clone(), c)));
    }

    /// Which cameras there are: nothing is told of any other, and what was is taken away.
    pub fn keep_only(&self, configured: &[&str]) {
        let mut state = self.state();
        state.configured = configured.iter().map(ToString::to_string).collect();
        let gone = state
            .cameras
            .keys()
            .filter(|id| !configured.contains(&id.as_str()));
        let gone: Vec<String> = gone.cloned().collect();
        for id in gone {
            state.cameras.remove(&id);
            for outbox in &state.outboxes {
                outbox.forget(&id);
            }
        }
    }

    pub(super) fn add(&self, outbox: &Arc<Outbox>) {
        let mut state = self.state();
        if let Some(gateway) = &state.gateway {
            outbox.put_gateway(gateway, false);
        }
        for camera in state.cameras.values() {
            outbox.put_camera(camera, false);
        }
        state.outboxes.push(outbox.clone());
        drop(state);
        self.news();
    }

    pub(super) fn remove(&self, outbox: &Arc<Outbox>) {
        self.state().outboxes.retain(|o| !Arc::ptr_eq(o, outbox));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::counts::Counts;
    use super::super::outbox::Item;
    use super::*;

    #[test]
    fn a_report_that_was_made_before_its_camera_went_brings_nothing_back() {
        let board = Board::default();
        let outbox = Arc::new(Outbox::new(Arc::new(Counts::default()), false));
        board.add(&outbox);
        let report = || {
            let camera = |id: &str| CameraReport {
                camera: id.to_owned(),
                ..CameraReport::default()
            };
            board.report(
                GatewayReport::default(),
                ["a", "b"].map(camera).into(),
                false,
            );
        };
        board.keep_only(&["a", "b"]);
        report();
        assert_eq!(outbox.cameras(), ["a", "b"]);
        board.keep_only(&["a"]);
        report();
        assert_eq!(outbox.cameras(), ["a"]);
        let first = outbox.first();
        assert!(
            matches!(&first, Some(Item::Gone(id)) if id == "b"),
            "{first:?}"
        );
    }

    #[test]
    fn whoever_waits_hears_of_news_and_of_the_end() {
        let board = Board::default();
        let moment = Duration::from_millis(1);
        assert_eq!(board.wait(moment), Wake::Time);
        board.news();
        board.news();
        assert_eq!(board.wait(moment), Wake::News);
        assert_eq!(board.wait(moment), Wake::Time);
        // Nobody is told: no news either.
        board.tell(Told::default());
        assert_eq!(board.wait(moment), Wake::Time);
        board.close();
        assert_eq!(board.wait(Duration::from_secs(60)), Wake::Closed);
    }
}
