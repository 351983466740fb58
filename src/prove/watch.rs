//! Judging any stream: what an observer of `url` saw in so many seconds.

use super::judge::{Canary, CanaryError, Planes, Rgb};
use super::viewer::{Play, Viewer, ViewerError};
use crate::clock::{Clock, Mono};
use serde::Serialize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What was seen of the canary.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Leaks {
    /// Decoded frames that were judged.
    pub frames_seen: u64,
    /// Frames with at least one canary pixel. A frame that could not be judged
    /// counts as one: what was not looked at is not clean.
    pub canary_frames: u64,
    /// Canary pixels over all frames (luma pixels, four for each chroma sample).
    pub canary_pixels: u64,
    /// The smallest number of canary pixels in a frame that had any.
    pub smallest_leak_px: Option<u64>,
    /// The largest number of canary pixels in a frame.
    pub largest_leak_px: u64,
}

impl Leaks {
    /// Judges one more frame; gives the number of its canary pixels, `None`
    /// for a frame that could not be judged.
    pub fn judge(&mut self, canary: &Canary, planes: &Planes<'_>) -> Option<u64> {
        self.frames_seen += 1;
        let pixels = canary.pixels(planes);
        match pixels {
            Some(0) => {}
            Some(n) => {
                self.canary_frames += 1;
                self.canary_pixels += n;
                self.smallest_leak_px = Some(self.smallest_leak_px.map_or(n, |s| s.min(n)));
                self.largest_leak_px = self.largest_leak_px.max(n);
            }
            None => self.canary_frames += 1,
        }
        pixels
    }
}

/// What an observer of one stream saw.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WatchReport {
    /// The stream, without credentials.
    pub url: String,
    /// How long it was watched, seconds.
    pub seconds: f64,
    /// What was seen.
    #[serde(flatten)]
    pub leaks: Leaks,
    /// Times the stream had to be opened again.
    pub reconnects: u64,
}

impl WatchReport {
    /// Whether frames came and none showed the canary.
    pub fn is_clean(&self) -> bool {
        self.leaks.frames_seen > 0 && self.leaks.canary_frames == 0
    }
}

/// Why a stream could not be judged.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The colour cannot serve as canary.
    #[error(transparent)]
    Canary(#[from] CanaryError),
    /// The viewer cannot be built.
    #[error(transparent)]
    Viewer(#[from] ViewerError),
    /// No frame came in the whole time.
    #[error("no frame came in {seconds:.0} s: {last}")]
    NoFrames {
        /// How long it was tried.
        seconds: f64,
        /// The last thing that went wrong.
        last: ViewerError,
    },
}

/// Watches `url` as an observer for `seconds` and counts canary pixels. The
/// time starts now; a stream that is not there yet, or ends, is opened again
/// until the time is over or `stop` is set. `tick` is called a few times a
/// second with what was seen so far.
///
/// # Errors
/// [`WatchError`]; no frames in the whole time is one of them.
pub fn watch(
    url: &str,
    canary: Rgb,
    seconds: f64,
    clock: &Arc<dyn Clock>,
    stop: &AtomicBool,
    mut tick: impl FnMut(f64, &Leaks),
) -> Result<WatchReport, WatchError> {
    let canary = Canary::new(canary)?;
    let leaks = Arc::new(Mutex::new(Leaks::default()));
    let play = Play {
        url: url.to_owned(),
        decode: true,
    };
    let start = clock.mono();
    let elapsed_s = |now: Mono| now.since(start).as_secs_f64();
    let (mut reconnects, mut last) = (0u64, None);
    while elapsed_s(clock.mono()) < seconds && !stop.load(Ordering::SeqCst) {
        let sink = Arc::clone(&leaks);
        let viewer = Viewer::start(&play, Arc::clone(clock), move |seen| {
            sink.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .judge(&canary, &seen.planes);
        })?;
        while elapsed_s(clock.mono()) < seconds && !stop.load(Ordering::SeqCst) {
            if let Err(e) = viewer.check(Duration::from_millis(200)) {
                last = Some(e);
                reconnects += 1;
                std::thread::sleep(Duration::from_millis(300));
                break;
            }
            let seen = leaks.lock().unwrap_or_else(PoisonError::into_inner).clone();
            tick(elapsed_s(clock.mono()), &seen);
        }
    }
    let leaks = leaks.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if leaks.frames_seen == 0
        && let Some(last) = last
    {
        return Err(WatchError::NoFrames { seconds, last });
    }
    Ok(WatchReport {
        url: super::viewer::without_credentials(url),
        seconds: elapsed_s(clock.mono()),
        leaks,
        reconnects,
    })
}
