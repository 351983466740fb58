//! What many figures come to. Must not know of what.

use serde::Serialize;

/// Median, 99th percentile and largest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Spread {
    /// Median.
    pub p50: f64,
    /// 99th percentile.
    pub p99: f64,
    /// The largest.
    pub max: f64,
}

impl Spread {
    /// Of finite figures, by nearest rank; `None` where there are none.
    pub(super) fn of(mut figures: Vec<f64>) -> Option<Self> {
        figures.sort_by(f64::total_cmp);
        let last = figures.len().checked_sub(1)?;
        let at = |share: f64| {
            let rank = (share * figures.len() as f64).ceil() as usize;
            figures[rank.saturating_sub(1).min(last)]
        };
        Some(Self {
            p50: at(0.5),
            p99: at(0.99),
            max: figures[last],
        })
    }
}

/// Highest less lowest; 0 where there is nothing.
pub(super) fn width(figures: impl IntoIterator<Item = f64>) -> f64 {
    let (low, high) = figures
        .into_iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| {
            (l.min(v), h.max(v))
        });
    (high - low).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_the_nearest() {
        assert_eq!(Spread::of(vec![]), None);
        let of = |n: u32| Spread::of((1..=n).rev().map(f64::from).collect()).unwrap();
        for (n, p50, p99) in [
            (1, 1.0, 1.0),
            (2, 1.0, 2.0),
            (100, 50.0, 99.0),
            (200, 100.0, 198.0),
        ] {
            let spread = of(n);
            assert_eq!(
                (spread.p50, spread.p99, spread.max),
                (p50, p99, f64::from(n))
            );
        }
        assert_eq!(width([]), 0.0);
        assert_eq!(width([2.0, -1.0, 1.5]), 3.0);
    }
}
