//! What one bus has not taken yet: of every camera the newest report, and a bounded row
//! of events.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::counts::Counts;
use super::documents::{CameraReport, GatewayReport, Told};

/// Events that wait at most; of more the oldest are dropped, and counted. At one event a
/// second it holds those of four minutes.
pub(super) const EVENTS_AT_MOST: usize = 256;

/// Something to send.
#[derive(Clone, Debug)]
pub(super) enum Item {
    Gateway(Arc<GatewayReport>),
    Camera(Arc<CameraReport>),
    /// A camera that is no more.
    Gone(String),
    /// An event and its number.
    Event(u64, Arc<Told>),
}

#[derive(Debug)]
pub(super) struct Outbox {
    inner: Mutex<Inner>,
    filled: Notify,
    counts: Arc<Counts>,
    /// Whether reports are sent again that did not change.
    repeats: bool,
}

#[derive(Debug, Default)]
struct Inner {
    gateway: Option<Arc<GatewayReport>>,
    gateway_waits: bool,
    cameras: BTreeMap<String, Arc<CameraReport>>,
    /// Cameras whose newest report waits.
    waiting: BTreeSet<String>,
    gone: BTreeSet<String>,
    events: VecDeque<(u64, Arc<Told>)>,
    next: u64,
}

impl Outbox {
    pub(super) fn new(counts: Arc<Counts>, repeats: bool) -> Self {
        Self {
            inner: Mutex::default(),
            filled: Notify::new(),
            counts,
            repeats,
        }
    }

    pub(super) fn put_event(&self, told: Arc<Told>) {
        {
            let mut inner = self.lock();
            if inner.events.len() >= EVENTS_AT_MOST {
                inner.events.pop_front();
                self.counts.dropped();
            }
            let number = inner.next;
            inner.next += 1;
            inner.events.push_back((number, told));
        }
        self.filled.notify_one();
    }

    /// Takes a report in place of the camera's last one; sent where it says something
    /// else, or where it is to be told `again` and this bus keeps nothing.
    pub(super) fn put_camera(&self, report: &Arc<CameraReport>, again: bool) {
        {
            let mut inner = self.lock();
            let id = &report.camera;
            let same = inner.cameras.get(id).is_some_and(|last| last == report);
            if same && !(again && self.repeats) {
                return;
            }
            inner.waiting.insert(id.clone());
            inner.gone.remove(id);
            inner.cameras.insert(id.clone(), report.clone());
        }
        self.filled.notify_one();
    }

    /// The gateway's own, likewise.
    pub(super) fn put_gateway(&self, report: &Arc<GatewayReport>, again: bool) {
        {
            let mut inner = self.lock();
            let same = inner.gateway.as_ref() == Some(report);
            if same && !(again && self.repeats) {
                return;
            }
            inner.gateway_waits = true;
            inner.gateway = Some(report.clone());
        }
        self.filled.notify_one();
    }

    /// A camera is no more.
    pub(super) fn forget(&self, camera: &str) {
        {
            let mut inner = self.lock();
            inner.waiting.remove(camera);
            if inner.cameras.remove(camera).is_none() {
                return;
            }
            inner.gone.insert(camera.to_owned());
        }
        self.filled.notify_one();
    }

    /// A new connection: all reports are sent once more.
    pub(super) fn begin(&self) {
        let mut inner = self.lock();
        inner.gateway_waits = inner.gateway.is_some();
        inner.waiting = inner.cameras.keys().cloned().collect();
    }

    /// Every camera that was told of.
    pub(super) fn cameras(&self) -> Vec<String> {
        self.lock().cameras.keys().cloned().collect()
    }

    /// What is to be sent next, as soon as there is something. It stays until it is
    /// [`done`](Outbox::done).
    pub(super) async fn next(&self) -> Item {
        loop {
            if let Some(item) = self.first() {
                return item;
            }
            self.filled.notified().await;
        }
    }

    /// The same, without waiting.
    pub(super) fn first(&self) -> Option<Item> {
        let inner = self.lock();
        if let Some(id) = inner.gone.first() {
            return Some(Item::Gone(id.clone()));
        }
        if let (true, Some(report)) = (inner.gateway_waits, &inner.gateway) {
            return Some(Item::Gateway(report.clone()));
        }
        let waiting = inner.waiting.first();
        if let Some(report) = waiting.and_then(|id| inner.cameras.get(id)) {
            return Some(Item::Camera(report.clone()));
        }
        let (number, told) = inner.events.front()?;
        Some(Item::Event(*number, told.clone()))
    }

    /// `item` was taken by the bus. What replaced it meanwhile still waits.
    pub(super) fn done(&self, item: &Item) {
        self.counts.sent();
        let mut inner = self.lock();
        match item {
            Item::Gone(id) => {
                inner.gone.remove(id);
            }
            Item::Gateway(report) => {
                let newest = inner.gateway.as_ref();
                if newest.is_some_and(|newest| Arc::ptr_eq(newest, report)) {
                    inner.gateway_waits = false;
                }
            }
            Item::Camera(report) => {
                let newest = inner.cameras.get(&report.camera);
                if newest.is_none_or(|newest| Arc::ptr_eq(newest, report)) {
                    inner.waiting.remove(&report.camera);
                }
            }
            Item::Event(number, _) => {
                if inner
                    .events
                    .front()
                    .is_some_and(|(first, _)| first == number)
                {
                    inner.events.pop_front();
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outbox(repeats: bool) -> (Outbox, Arc<Counts>) {
        let counts = Arc::new(Counts::default());
        (Outbox::new(counts.clone(), repeats), counts)
    }

    fn report(camera: &str, viewers: u32) -> Arc<CameraReport> {
        Arc::new(CameraReport {
            camera: camera.to_owned(),
            viewers,
            ..CameraReport::default()
        })
    }

    /// All that waits, in order, in short.
    fn drain(outbox: &Outbox) -> Vec<String> {
        std::iter::from_fn(|| {
            let item = outbox.first()?;
            outbox.done(&item);
            Some(match item {
                Item::Gateway(_) => "gateway".to_owned(),
                Item::Camera(report) => format!("{} {}", report.camera, report.viewers),
                Item::Gone(camera) => format!("{camera} gone"),
                Item::Event(_, told) => told.at.clone(),
            })
        })
        .collect()
    }

    #[test]
    fn of_too_many_events_the_newest_are_kept_and_the_others_counted() {
        let (outbox, counts) = outbox(false);
        let all = EVENTS_AT_MOST + 10;
        for n in 0..all {
            outbox.put_event(Arc::new(Told::new(n.to_string(), "x")));
        }
        let kept: Vec<String> = (10..all).map(|n| n.to_string()).collect();
        assert_eq!(drain(&outbox), kept);
        assert_eq!(counts.figures("mqtt").dropped, 10);
    }

    #[test]
    fn an_event_that_was_pushed_out_while_it_was_sent_takes_no_other_with_it() {
        let (outbox, _) = outbox(false);
        outbox.put_event(Arc::new(Told::new("sent".into(), "x")));
        let item = outbox.first().unwrap();
        for n in 0..EVENTS_AT_MOST {
            outbox.put_event(Arc::new(Told::new(n.to_string(), "x")));
        }
        outbox.done(&item);
        assert_eq!(drain(&outbox).len(), EVENTS_AT_MOST);
    }

    #[test]
    fn of_a_camera_only_the_newest_waits_and_only_what_is_new() {
        let (outbox, _) = outbox(false);
        for viewers in [0, 1, 2] {
            outbox.put_camera(&report("a", viewers), false);
        }
        assert_eq!(drain(&outbox), ["a 2"]);
        outbox.put_camera(&report("a", 2), true);
        assert_eq!(drain(&outbox), [""; 0]);
        // What comes while one is sent is sent, too.
        outbox.put_camera(&report("a", 3), false);
        let item = outbox.first().unwrap();
        outbox.put_camera(&report("a", 4), false);
        outbox.done(&item);
        assert_eq!(drain(&outbox), ["a 4"]);
        outbox.begin();
        assert_eq!(drain(&outbox), ["a 4"]);
        outbox.forget("a");
        outbox.forget("never");
        assert_eq!(drain(&outbox), ["a gone"]);
        outbox.begin();
        assert_eq!(drain(&outbox), [""; 0]);
    }

    #[test]
    fn a_bus_that_keeps_nothing_is_told_again() {
        let (outbox, _) = outbox(true);
        let gateway = Arc::new(GatewayReport::default());
        for (again, told) in [
            (false, vec!["gateway", "a 1"]),
            (false, vec![]),
            (true, vec!["gateway", "a 1"]),
        ] {
            outbox.put_gateway(&gateway, again);
            outbox.put_camera(&report("a", 1), again);
            assert_eq!(drain(&outbox), told);
        }
    }
}
