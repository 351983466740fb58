//! A monotone cubic through knots (PCHIP), for the zoom curve.
//!
//! Fritsch & Carlson, "Monotone piecewise cubic interpolation", SIAM J. Numer.
//! Anal. 17 (1980), with the harmonic-mean slopes of Fritsch & Butland (1984):
//! it never overshoots between two knots, which a zoom lens does not either.
//! Knows numbers only.

/// A curve y(x) through knots with strictly increasing x.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct MonotoneCurve {
    x: Vec<f64>,
    y: Vec<f64>,
    slope: Vec<f64>,
}

impl MonotoneCurve {
    /// `None` unless there are at least two finite knots, x strictly increasing.
    pub(super) fn through(knots: &[(f64, f64)]) -> Option<Self> {
        let finite = knots.iter().all(|k| k.0.is_finite() && k.1.is_finite());
        let rising = knots.windows(2).all(|w| w[1].0 > w[0].0);
        if knots.len() < 2 || !finite || !rising {
            return None;
        }
        let x: Vec<f64> = knots.iter().map(|k| k.0).collect();
        let y: Vec<f64> = knots.iter().map(|k| k.1).collect();
        let step: Vec<f64> = x.windows(2).map(|w| w[1] - w[0]).collect();
        let secant: Vec<f64> = y
            .windows(2)
            .zip(&step)
            .map(|(w, h)| (w[1] - w[0]) / h)
            .collect();
        let last = x.len() - 1;
        let slope = (0..=last)
            .map(|i| {
                if i == 0 {
                    end_slope(&step, &secant, 0, 1)
                } else if i == last {
                    end_slope(&step, &secant, last - 1, last.wrapping_sub(2))
                } else {
                    inner_slope(step[i - 1], step[i], secant[i - 1], secant[i])
                }
            })
            .collect();
        Some(Self { x, y, slope })
    }

    /// y at `x`; `None` outside the knots or for a NaN.
    pub(super) fn at(&self, x: f64) -> Option<f64> {
        let last = self.x.len() - 1;
        if !(x >= self.x[0] && x <= self.x[last]) {
            return None;
        }
        let i = self.x.partition_point(|k| *k <= x).clamp(1, last) - 1;
        let h = self.x[i + 1] - self.x[i];
        let t = (x - self.x[i]) / h;
        let (t2, t3) = (t * t, t * t * t);
        Some(
            (2.0 * t3 - 3.0 * t2 + 1.0) * self.y[i]
                + (t3 - 2.0 * t2 + t) * h * self.slope[i]
                + (3.0 * t2 - 2.0 * t3) * self.y[i + 1]
                + (t3 - t2) * h * self.slope[i + 1],
        )
    }

    /// The first and last x.
    pub(super) fn domain(&self) -> (f64, f64) {
        (self.x[0], self.x[self.x.len() - 1])
    }

    /// The lowest and highest y (the curve is monotone between knots).
    pub(super) fn range(&self) -> (f64, f64) {
        self.y
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), y| {
                (lo.min(*y), hi.max(*y))
            })
    }
}

fn inner_slope(h0: f64, h1: f64, d0: f64, d1: f64) -> f64 {
    if d0 * d1 <= 0.0 {
        return 0.0;
    }
    let (w0, w1) = (2.0 * h1 + h0, h1 + 2.0 * h0);
    (w0 + w1) / (w0 / d0 + w1 / d1)
}

/// The three-point end slope, limited so that the end piece stays monotone.
/// `near` is the end's interval, `next` its neighbour (may not exist).
fn end_slope(step: &[f64], secant: &[f64], near: usize, next: usize) -> f64 {
    let (Some(h0), Some(d0)) = (step.get(near), secant.get(near)) else {
        return 0.0;
    };
    let (Some(h1), Some(d1)) = (step.get(next), secant.get(next)) else {
        return *d0;
    };
    let s = ((2.0 * h0 + h1) * d0 - h0 * d1) / (h0 + h1);
    if s * d0 <= 0.0 {
        0.0
    } else if d0 * d1 <= 0.0 && s.abs() > 3.0 * d0.abs() {
        3.0 * d0
    } else {
        s
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn knots_are_met_and_the_outside_is_refused() {
        let c = MonotoneCurve::through(&[(0.0, 0.0), (1.0, 1.0), (3.0, 1.5)]).unwrap();
        for (x, y) in [(0.0, 0.0), (1.0, 1.0), (3.0, 1.5)] {
            assert!((c.at(x).unwrap() - y).abs() < 1e-12);
        }
        for x in [-1e-9, 3.0 + 1e-9, f64::NAN, f64::INFINITY] {
            assert_eq!(c.at(x), None);
        }
    }

    #[test]
    fn two_knots_are_a_straight_line() {
        let c = MonotoneCurve::through(&[(0.0, 1.0), (2.0, 5.0)]).unwrap();
        assert!((c.at(0.5).unwrap() - 2.0).abs() < 1e-12);
    }

    #[test]
    fn unfit_knots_are_refused() {
        for knots in [
            vec![],
            vec![(0.0, 1.0)],
            vec![(0.0, 1.0), (0.0, 2.0)],
            vec![(1.0, 1.0), (0.0, 2.0)],
            vec![(0.0, f64::NAN), (1.0, 2.0)],
        ] {
            assert_eq!(MonotoneCurve::through(&knots), None);
        }
    }

    proptest! {
        /// Rising knots give a rising curve: a lens that zooms in never widens.
        #[test]
        fn monotone_knots_give_a_monotone_curve(
            steps in prop::collection::vec((0.001f64..10.0, 0.001f64..10.0), 1..12),
        ) {
            let mut knots = vec![(0.0, 0.0)];
            for (dx, dy) in steps {
                let (x, y) = knots[knots.len() - 1];
                knots.push((x + dx, y + dy));
            }
            let c = MonotoneCurve::through(&knots).unwrap();
            let (lo, hi) = c.domain();
            let mut before = f64::NEG_INFINITY;
            for i in 0..=400 {
                let y = c.at((lo + (hi - lo) * f64::from(i) / 400.0).min(hi)).unwrap();
                prop_assert!(y >= before - 1e-9);
                before = y;
            }
        }
    }
}
