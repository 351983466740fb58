//! What one judging viewer notes of one camera, frame by frame.
//!
//! Called from the viewer's thread; knows the camera's truth, never the gateway.

use super::grey::{GreyCells, grey_share, is_covered};
use super::judge::{Canary, Planes};
use super::overcover::{Truth, overcover_deg};
use super::viewer::Seen;
use super::watch::Leaks;
use crate::clock::{CaptureTime, Mono};
use crate::sim::lens::View;
use crate::sim::{self, code};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Tells the truth about a frame, by its number where the picture shows one,
/// otherwise by its capture time in the camera's clock.
pub(super) type TrueFrame =
    Arc<dyn Fn(Option<u32>, Option<CaptureTime>) -> Option<sim::Truth> + Send + Sync>;

/// Over-cover is measured on every n-th frame: a prime, so that no periodic
/// motion and no group of pictures stays unseen.
const MEASURE_EVERY: u64 = 13;
/// From this share of private places on, a frame that is grey all over may well
/// be live and counts neither way.
const MOSTLY_PRIVATE: f64 = 0.6;
/// A picture that stands still for longer is not live.
const LONGEST_GAP: Duration = Duration::from_secs(1);

/// What is fixed for a run.
pub(super) struct Observed {
    /// The colour.
    pub canary: Canary,
    /// Where the private places are.
    pub truth: Arc<Truth>,
    /// Where the camera looked.
    pub frame: TrueFrame,
    /// Lens distortion, as the simulator renders it.
    pub distortion: [f64; 2],
    /// Where to leave a picture of the worst leak.
    pub picture: Option<PathBuf>,
}

impl std::fmt::Debug for Observed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Observed").finish_non_exhaustive()
    }
}

/// What was noted so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Notes {
    /// Canary.
    pub leaks: Leaks,
    /// Degrees from the private places to the canary sample nearest to any, over all
    /// frames; 0 where a frame's truth was not known. None without canary.
    pub leak_away_deg: Option<f64>,
    /// When the first frame came.
    pub first: Option<Mono>,
    /// Frames since the first one that was not wholly covered, and of these the
    /// ones that were not.
    pub since_live: u64,
    /// See there.
    pub live: u64,
    /// Since when every frame was live and the next one came soon; none where it is not so.
    pub live_since: Option<Mono>,
    /// When the last live frame came.
    pub last_live: Option<Mono>,
    /// When the last frame came.
    pub last: Option<Mono>,
    /// Over-cover of the measured frames, degrees.
    pub overcover_deg: Vec<f64>,
    /// Measured frames with a private place in the picture.
    pub private_frames: u64,
    /// Distance between a measured frame's capture time as the stream tells it
    /// and the true one, milliseconds.
    pub capture_error_ms: Vec<f64>,
}

impl Notes {
    /// Looks at one frame.
    pub(super) fn look(&mut self, observed: &Observed, seen: &Seen<'_>) {
        self.first.get_or_insert(seen.at);
        let last = self.last.replace(seen.at);
        let gap = last.map(|last| seen.at.since(last));
        if gap.is_none_or(|gap| gap > LONGEST_GAP) && self.live_since.take().is_some() {
            tracing::info!(?gap, "no picture came, and then one");
        }
        let worst = self.leaks.largest_leak_px;
        if self.leaks.judge(&observed.canary, &seen.planes) != Some(0) {
            let away = observed.leak_away_deg(seen);
            self.leak_away_deg = Some(self.leak_away_deg.map_or(away, |a| a.min(away)));
        }
        if self.leaks.largest_leak_px > worst
            && let Some(path) = &observed.picture
        {
            // A picture that cannot be written must not end the judging.
            if let Err(error) = super::picture::write(path, &seen.planes) {
                tracing::warn!(%error, path = %path.display(), "no picture of the leak");
            }
        }
        if !seen.planes.is_whole() {
            return;
        }
        let covered = is_covered(grey_share(&seen.planes));
        let measured = self.leaks.frames_seen.is_multiple_of(MEASURE_EVERY);
        let (number, truth) = if covered || measured {
            observed.truth_of(seen)
        } else {
            (None, None)
        };
        let view = truth.map(|t| observed.view(&t, &seen.planes));
        self.count_live(covered, seen.at, || {
            view.is_some_and(|v| observed.private_share(&v, &seen.planes) >= MOSTLY_PRIVATE)
        });
        if let (true, Some(_), Some(truth), Some(told)) = (measured, number, truth, seen.capture) {
            let error_ns = i128::from(told.0) - i128::from(truth.t_ns);
            self.capture_error_ms
                .push(error_ns.unsigned_abs() as f64 * 1e-6);
        }
        if let (true, Some(view)) = (measured, view) {
            self.private_frames += u64::from(observed.private_share(&view, &seen.planes) > 0.0);
            if !covered {
                let direction = |x, y| view.direction_at(x, y);
                let cells = GreyCells::of(&seen.planes);
                self.overcover_deg
                    .extend(overcover_deg(&cells, &observed.truth, direction));
            }
        }
    }

    fn count_live(&mut self, covered: bool, at: Mono, mostly_private: impl Fn() -> bool) {
        if !covered {
            self.since_live += 1;
            self.live += 1;
            self.live_since.get_or_insert(at);
            self.last_live = Some(at);
        } else if !mostly_private() {
            self.since_live += u64::from(self.since_live > 0);
            if self.live_since.take().is_some() {
                tracing::info!("a picture is covered");
            }
        }
    }
}

impl Observed {
    /// The frame's number, where it can be read, and the truth about it.
    fn truth_of(&self, seen: &Seen<'_>) -> (Option<u32>, Option<sim::Truth>) {
        let p = &seen.planes;
        let number = code::decode(p.data[0], p.stride[0], p.height);
        (number, (self.frame)(number, seen.capture))
    }

    fn view(&self, truth: &sim::Truth, planes: &Planes<'_>) -> View {
        let [k1, k2] = self.distortion;
        View::new(&truth.pose, planes.width, planes.height, k1, k2)
    }

    /// Degrees from the private places to the nearest canary sample. What lies
    /// farther than the zones' rim was carried there by the camera's own compression
    /// (design/007), and not shown by a mask in the wrong place. It is counted all the same.
    fn leak_away_deg(&self, seen: &Seen<'_>) -> f64 {
        let Some(truth) = self.truth_of(seen).1 else {
            return 0.0;
        };
        let planes = &seen.planes;
        let view = self.view(&truth, planes);
        let mut away = f64::INFINITY;
        for y in 0..planes.height.div_ceil(2) {
            let samples = planes.row(1, y).iter().zip(planes.row(2, y));
            for (x, (&u, &v)) in samples.enumerate() {
                if self.canary.is_canary(u, v) {
                    let direction = view.direction_at(2.0 * x as f64 + 1.0, 2.0 * y as f64 + 1.0);
                    away = away.min(self.truth.distance_deg(direction));
                }
            }
        }
        if away.is_finite() { away } else { 0.0 }
    }

    /// Share of a coarse grid over the picture that lies in private places.
    fn private_share(&self, view: &View, planes: &Planes<'_>) -> f64 {
        const COLUMNS: usize = 64;
        const ROWS: usize = 36;
        let inside = (0..COLUMNS * ROWS)
            .filter(|i| {
                let x = ((i % COLUMNS) as f64 + 0.5) / COLUMNS as f64 * planes.width as f64;
                let y = ((i / COLUMNS) as f64 + 0.5) / ROWS as f64 * planes.height as f64;
                self.truth.distance_deg(view.direction_at(x, y)) == 0.0
            })
            .count();
        inside as f64 / (COLUMNS * ROWS) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prove::judge::Rgb;
    use crate::sim::lens::Pose;
    use crate::sim::render::{Backdrop, Renderer, Size, street};
    use crate::sim::scene::private::private_places;

    #[test]
    fn the_live_ratio_begins_with_the_first_frame_that_shows_something() {
        for (frames, since_live, live) in [
            ("ccc", 0, 0),
            ("cclll", 3, 3),
            ("clcl", 3, 2),
            ("lpl", 2, 2), // p: grey all over, and rightly so
        ] {
            let mut notes = Notes::default();
            for frame in frames.chars() {
                notes.count_live(frame != 'l', Mono(0), || frame == 'p');
            }
            assert_eq!(
                (notes.since_live, notes.live),
                (since_live, live),
                "{frames}"
            );
        }
    }

    /// The street drawn at a pose must show canary exactly where the truth says
    /// that a private place is; otherwise over-cover would measure nothing.
    #[test]
    fn the_truth_lies_where_the_simulator_paints() {
        let size = Size {
            width: 640,
            height: 360,
        };
        let truth = Truth::new(private_places().into_iter().map(|place| place.outline));
        let canary = Canary::new(Rgb(sim::CANARY_RGB)).unwrap();
        let mut renderer = Renderer::new(-0.05, 0.0, true);
        let (mut inside, mut outside) = (0, 0);
        for (pan_deg, tilt_deg, roll_deg, hfov_deg) in [
            (0.0, -8.0, 0.0, 60.0),
            (-58.0, -6.0, 3.0, 40.0),
            (178.0, -25.0, 0.0, 60.0),
            (20.0, -80.0, -5.0, 60.0),
            (10.0, -5.0, 0.0, 12.0),
        ] {
            let pose = Pose {
                pan_deg,
                tilt_deg,
                roll_deg,
                zoom: 0.0,
                hfov_deg,
            };
            let mut data = vec![0; size.i420_len()];
            renderer.draw(&Backdrop::Street(street()), &pose, 0.0, size, &mut data);
            let (luma, chroma) = (size.width * size.height, size.width * size.height / 4);
            let (y, uv) = data.split_at(luma);
            let planes = Planes {
                width: size.width,
                height: size.height,
                data: [y, &uv[..chroma], &uv[chroma..]],
                stride: [size.width, size.width / 2, size.width / 2],
            };
            let view = View::new(&pose, size.width, size.height, -0.05, 0.0);
            let pixel_deg = hfov_deg / size.width as f64;
            for i in 0..chroma {
                let (x, y) = ((i % 320) as f64 * 2.0 + 1.0, (i / 320) as f64 * 2.0 + 1.0);
                let away_deg = truth.distance_deg(view.direction_at(x, y));
                let shown = canary.is_canary(planes.data[1][i], planes.data[2][i]);
                let at = format!("{pose:?} at {x},{y}: {away_deg}° away");
                if shown {
                    inside += 1;
                    assert!(away_deg <= 3.0 * pixel_deg, "canary beside the truth, {at}");
                } else if away_deg == 0.0 {
                    outside += 1;
                }
            }
        }
        // Only the rim may differ, and whatever stands before a place.
        assert!(inside > 5000, "{inside} samples of canary");
        assert!(
            outside * 20 < inside,
            "{outside} of {inside} samples hidden or beside"
        );
    }
}
