//! The profile backwards: degrees of our convention → the camera's own numbers.

use super::{CameraProfile, RANGE_TOLERANCE};

/// What a camera cannot reach.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum Beyond {
    /// A number that is NaN or infinite.
    #[error("{0} is not a finite number")]
    NotFinite(&'static str),
    /// Outside what the head or the lens reaches.
    #[error("{what} {value} is beyond what this camera reaches, {low} to {high}")]
    Reach {
        /// `pan_deg`, `tilt_deg` or `zoom`.
        what: &'static str,
        /// What was asked for.
        value: f64,
        /// The least.
        low: f64,
        /// The most.
        high: f64,
    },
}

impl CameraProfile {
    /// The camera's numbers for pan and tilt of the head, degrees; what
    /// [`map`](Self::map) takes back to them. Pan may be given in any turn: of the
    /// turns that the head reaches it is the one nearest to `near_pan_deg`, where the
    /// head is now. What `map` lets pass beyond the ends is the end.
    ///
    /// # Errors
    /// [`Beyond`].
    pub fn numbers_of(
        &self,
        pan_deg: f64,
        tilt_deg: f64,
        near_pan_deg: f64,
    ) -> Result<(f64, f64), Beyond> {
        let d = &self.document;
        for (what, value) in [
            ("pan_deg", pan_deg),
            ("tilt_deg", tilt_deg),
            ("pan_deg", near_pan_deg),
        ] {
            if !value.is_finite() || value.abs() > 1e9 {
                return Err(Beyond::NotFinite(what));
            }
        }
        let pan = nearest_turn(pan_deg, near_pan_deg, d.pan.to_deg).ok_or_else(|| {
            let [low, high] = sorted(d.pan.to_deg);
            Beyond::Reach {
                what: "pan_deg",
                value: pan_deg,
                low,
                high,
            }
        })?;
        Ok((
            number("pan_deg", pan, d.pan.from, d.pan.to_deg)?,
            number("tilt_deg", tilt_deg, d.tilt.from, d.tilt.to_deg)?,
        ))
    }

    /// `zoom` in the profile's unit, which is the camera's, where it is calibrated.
    ///
    /// # Errors
    /// [`Beyond`].
    pub fn zoom_number(&self, zoom: f64) -> Result<f64, Beyond> {
        if !zoom.is_finite() {
            return Err(Beyond::NotFinite("zoom"));
        }
        let (low, high) = self.zoom_range();
        let slack = RANGE_TOLERANCE * (high - low);
        if zoom < low - slack || zoom > high + slack {
            return Err(Beyond::Reach {
                what: "zoom",
                value: zoom,
                low,
                high,
            });
        }
        Ok(zoom.clamp(low, high))
    }

    /// The zoom at which the lens has this focal length (ln of frame widths), in the
    /// profile's unit; `None` outside the calibrated range.
    pub fn zoom_of(&self, ln_focal: f64) -> Option<f64> {
        let (least, most) = self.ln_focal_range();
        let slack = RANGE_TOLERANCE * (most - least);
        if !(ln_focal >= least - slack && ln_focal <= most + slack) {
            return None;
        }
        // The curve rises: halve what is left until it is nothing.
        let (mut low, mut high) = self.zoom_range();
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            match self.ln_focal(middle) {
                Some(at) if at < ln_focal => low = middle,
                _ => high = middle,
            }
        }
        Some(0.5 * (low + high))
    }

    /// Pan and tilt of the head, degrees, from the least to the most.
    pub fn reach_deg(&self) -> ([f64; 2], [f64; 2]) {
        let d = &self.document;
        (sorted(d.pan.to_deg), sorted(d.tilt.to_deg))
    }

    /// Whether the camera's numbers of pan and of tilt grow as our degrees do.
    pub fn grows_as_ours(&self) -> (bool, bool) {
        let d = &self.document;
        let rises = |from: [f64; 2], to: [f64; 2]| (from[1] > from[0]) == (to[1] > to[0]);
        (
            rises(d.pan.from, d.pan.to_deg),
            rises(d.tilt.from, d.tilt.to_deg),
        )
    }
}

fn sorted([a, b]: [f64; 2]) -> [f64; 2] {
    [a.min(b), a.max(b)]
}

/// `pan` in the turn that lies within `reach`, the nearest to `near`. One that lies
/// beyond by no more than rounding is taken where no other is there.
fn nearest_turn(pan: f64, near: f64, reach: [f64; 2]) -> Option<f64> {
    let [low, high] = sorted(reach);
    let slack = RANGE_TOLERANCE * (high - low);
    let first = ((low - slack - pan) / 360.0).ceil();
    // A head that reaches more than its 1440° is not a profile.
    let turns = (0..=4).map(|k| pan + 360.0 * (first + f64::from(k)));
    turns.filter(|p| *p <= high + slack).min_by(|a, b| {
        let outside = |p: f64| !(low..=high).contains(&p);
        let far = |p: f64| apart(p, near, [low, high]);
        (outside(*a).cmp(&outside(*b))).then(far(*a).total_cmp(&far(*b)))
    })
}

/// How far the head is from a turn. `near` may itself be counted on through turns
/// that the head does not have: then it is the nearest of its own.
fn apart(pan: f64, near: f64, [low, high]: [f64; 2]) -> f64 {
    let inside = near >= low - 1.0 && near <= high + 1.0;
    if inside {
        (pan - near).abs()
    } else {
        (pan - near)
            .rem_euclid(360.0)
            .min((near - pan).rem_euclid(360.0))
    }
}

fn number(what: &'static str, deg: f64, from: [f64; 2], to: [f64; 2]) -> Result<f64, Beyond> {
    let share = (deg - to[0]) / (to[1] - to[0]);
    if !(-RANGE_TOLERANCE..=1.0 + RANGE_TOLERANCE).contains(&share) {
        let [low, high] = sorted(to);
        return Err(Beyond::Reach {
            what,
            value: deg,
            low,
            high,
        });
    }
    Ok(from[0] + share.clamp(0.0, 1.0) * (from[1] - from[0]))
}

#[cfg(test)]
mod tests {
    use super::super::{PanAxis, ProfileDocument, RawPosition, TiltAxis};
    use super::*;
    use proptest::prelude::*;

    fn profile(change: impl FnOnce(&mut ProfileDocument)) -> CameraProfile {
        let plain = CameraProfile::from_toml(crate::pose::testing::PROFILE).unwrap();
        let mut document = plain.document().clone();
        change(&mut document);
        CameraProfile::from_document(document).unwrap()
    }

    fn axes(pan: PanAxis, tilt: TiltAxis) -> CameraProfile {
        profile(|d| (d.pan, d.tilt) = (pan, tilt))
    }

    /// Ends of an axis, in either order, wide enough to be one.
    fn ends(low: f64, high: f64) -> impl Strategy<Value = [f64; 2]> {
        (low..high, low..high)
            .prop_filter("wide", |(a, b)| (a - b).abs() > 1.0)
            .prop_map(|(a, b)| [a, b])
    }

    proptest! {
        /// Whatever a camera's numbers are, mirrored or not: what is sent is what
        /// would be reported from there.
        #[test]
        fn what_is_sent_is_what_is_asked(
            pan_from in ends(-1000.0, 1000.0), pan_to in ends(-360.0, 360.0),
            tilt_from in ends(-1000.0, 1000.0), tilt_to in ends(-180.0, 180.0),
            share in (0.0f64..=1.0, 0.0f64..=1.0, 0.0f64..=1.0), near in -2000.0f64..2000.0,
        ) {
            let p = axes(
                PanAxis { from: pan_from, to_deg: pan_to, wraps: false },
                TiltAxis { from: tilt_from, to_deg: tilt_to },
            );
            let at = |[a, b]: [f64; 2], share: f64| a + share * (b - a);
            let (pan, tilt) = (at(pan_to, share.0), at(tilt_to, share.1));
            let (x, y) = p.numbers_of(pan, tilt, near).unwrap();
            let (low, high) = p.zoom_range();
            let zoom = p.zoom_number(low + share.2 * (high - low)).unwrap();
            let d = p.document();
            let back = p.map(&RawPosition {
                position_space: Some(d.position_space.clone()),
                zoom_space: Some(d.zoom_space.clone()),
                pan: Some(x), tilt: Some(y), zoom: Some(zoom), hfov_deg: None,
            }).unwrap();
            let turns = (back.pan_deg - pan) / 360.0;
            prop_assert!((turns - turns.round()).abs() < 1e-6, "{pan} came back as {}", back.pan_deg);
            prop_assert!((back.tilt_deg - tilt).abs() < 1e-6);
            prop_assert!((back.zoom - zoom).abs() < 1e-9);
        }

        #[test]
        fn zoom_and_focal_length_go_both_ways(share in 0.0f64..=1.0) {
            let p = profile(|_| {});
            let (low, high) = p.zoom_range();
            let zoom = low + share * (high - low);
            let back = p.zoom_of(p.ln_focal(zoom).unwrap()).unwrap();
            prop_assert!((back - zoom).abs() < 1e-6 * (high - low));
        }
    }

    #[test]
    fn pan_goes_the_nearer_turn() {
        let axis = |low: f64, high: f64, wraps| PanAxis {
            from: [low, high],
            to_deg: [low, high],
            wraps,
        };
        let tilt = TiltAxis {
            from: [-90.0, 20.0],
            to_deg: [-90.0, 20.0],
        };
        let endless = axes(axis(-180.0, 180.0, true), tilt);
        let one_and_a_half = axes(axis(-270.0, 270.0, false), tilt);
        let half = axes(axis(-100.0, 100.0, false), tilt);
        for (profile, pan, near, sent) in [
            (&endless, 10.0, 0.0, Some(10.0)),
            (&endless, 725.0, 700.0, Some(5.0)),
            (&endless, -190.0, -179.0, Some(170.0)),
            (&one_and_a_half, 200.0, 180.0, Some(200.0)),
            (&one_and_a_half, 200.0, -150.0, Some(-160.0)),
            (&one_and_a_half, -160.0, 190.0, Some(200.0)),
            (&half, 100.3, 0.0, Some(100.0)),
            (&half, 459.9, 0.0, Some(99.9)),
            // Beyond one end by rounding, or two turns away and within reach.
            (&one_and_a_half, -89.5, 269.5, Some(-89.5)),
            (&half, 101.0, 0.0, None),
            (&half, 180.0, 0.0, None),
        ] {
            let found = profile.numbers_of(pan, 0.0, near).ok().map(|(x, _)| x);
            let same = match (found, sent) {
                (Some(a), Some(b)) => (a - b).abs() < 1e-9,
                (a, b) => a == b,
            };
            assert!(same, "{pan} near {near}: {found:?}, not {sent:?}");
        }
    }

    #[test]
    fn what_is_no_number_or_out_of_reach_is_not_sent() {
        let p = profile(|_| {});
        for (pan, tilt) in [
            (f64::NAN, 0.0),
            (0.0, f64::NAN),
            (f64::INFINITY, 0.0),
            (1e300, 0.0),
            (0.0, 95.0),
            (0.0, -300.0),
        ] {
            assert!(p.numbers_of(pan, tilt, 0.0).is_err(), "{pan} {tilt}");
        }
        for zoom in [f64::NAN, -1.0, 1e9] {
            assert!(p.zoom_number(zoom).is_err(), "{zoom}");
        }
        let (low, high) = p.ln_focal_range();
        for ln in [f64::NAN, low - 0.1, high + 0.1] {
            assert_eq!(p.zoom_of(ln), None);
        }
    }
}
