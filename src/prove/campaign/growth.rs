//! What the gateway holds while nothing is wrong, and whether that grows.

use super::super::figures::Figures;
use serde::Serialize;

/// What the gateway held in one healthy stretch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Holding {
    /// Seconds after the first frame.
    pub at_s: f64,
    /// Resident memory, MiB.
    pub rss_mib: f64,
    /// Threads.
    pub threads: f64,
    /// Open file descriptors.
    pub fds: f64,
    /// Viewers, ours among them.
    pub viewers: f64,
}

impl Holding {
    pub(super) fn of(figures: &Figures, camera: &str, at_s: f64) -> Option<Self> {
        Some(Self {
            at_s,
            rss_mib: figures.get("process_resident_memory_bytes")? / f64::from(1 << 20),
            threads: figures.get("process_threads")?,
            fds: figures.get("process_open_fds")?,
            viewers: figures.get(&format!("greyplane_camera_viewers{{camera=\"{camera}\"}}"))?,
        })
    }
}

/// One figure over the healthy stretches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Trend {
    /// Median of the first quarter of the stretches.
    pub start: f64,
    /// Median of the last.
    pub end: f64,
    /// Slope of the straight line that fits best, for an hour.
    pub per_hour: f64,
}

impl Trend {
    /// Of points `(seconds, value)` in their order; `None` for fewer than four.
    pub(super) fn of(points: &[(f64, f64)]) -> Option<Self> {
        let n = points.len();
        if n < 4 {
            return None;
        }
        let quarter = n.div_ceil(4);
        Some(Self {
            start: median(points[..quarter].iter().map(|p| p.1))?,
            end: median(points[n - quarter..].iter().map(|p| p.1))?,
            per_hour: slope(points) * 3600.0,
        })
    }
}

/// The middle of some numbers, the mean of the two middle ones of an even count.
pub(super) fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    Some((values[last / 2] + values[last.div_ceil(2)]) / 2.0)
}

/// Least squares.
fn slope(points: &[(f64, f64)]) -> f64 {
    let n = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / n;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let (mut up, mut along) = (0.0, 0.0);
    for point in points {
        up += (point.0 - x) * (point.1 - y);
        along += (point.0 - x).powi(2);
    }
    if along > 0.0 { up / along } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_straight_line_has_its_slope_and_a_flat_one_none() {
        let line: Vec<_> = (0..8)
            .map(|i| (f64::from(i) * 100.0, f64::from(i)))
            .collect();
        let trend = Trend::of(&line).unwrap();
        assert!((trend.per_hour - 36.0).abs() < 1e-9);
        assert_eq!((trend.start, trend.end), (0.5, 6.5));
        let flat = [(0.0, 3.0), (1.0, 3.0), (2.0, 3.0), (3.0, 3.0)];
        assert_eq!(Trend::of(&flat).unwrap().per_hour, 0.0);
        assert_eq!(Trend::of(&flat[..3]), None);
        assert_eq!(median([].into_iter()), None);
    }
}
