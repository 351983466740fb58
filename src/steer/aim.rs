//! What people want → what this camera understands. Pure.

use crate::geom::{Angle, Direction, Mount};
use crate::onvif::PtzCommand;
use crate::pose::CameraProfile;
use crate::pose::profile::Beyond;
use std::sync::Arc;

/// At full deflection the picture moves by its own width in this time, seconds.
const ACROSS_S: f64 = 1.5;
/// Full deflection of zoom, as a share of the lens' highest speed: slow enough to
/// stop where one wants.
const ZOOM_SHARE: f64 = 0.5;
/// After so long without another command the camera stops by itself, seconds: for
/// when the gateway cannot stop it. Whole seconds are what every camera can read.
const CAMERA_STOPS_AFTER_S: u32 = 1;
/// Nearer than this to straight up or down, pan means nothing: it stays, degrees.
const POLE_DEG: f64 = 0.05;

/// How far the stick is pushed: shares, −1…1, to the right, upwards, closer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Deflection {
    /// To the right.
    pub pan: f64,
    /// Upwards.
    pub tilt: f64,
    /// Closer.
    pub zoom: f64,
}

/// How fast a camera moves at most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// To the right, degrees a second.
    pub pan_deg_s: f64,
    /// Upwards, degrees a second.
    pub tilt_deg_s: f64,
    /// Closer, ln of the focal length a second.
    pub ln_focal_s: f64,
}

/// Shares of the highest speeds: to the right, upwards, closer.
struct Speeds {
    pan: f64,
    tilt: f64,
    zoom: f64,
}

/// What a camera can reach, from its profile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reach {
    /// Pan of the head, degrees, least and most.
    pub pan_deg: [f64; 2],
    /// Tilt of the head, degrees, least and most.
    pub tilt_deg: [f64; 2],
    /// Horizontal field of view, degrees, narrowest and widest.
    pub hfov_deg: [f64; 2],
    /// Whether it turns on without end.
    pub endless_pan: bool,
    /// Highest speed, degrees a second.
    pub max_speed_deg_s: f64,
}

/// Turns wishes into commands for one camera.
#[derive(Clone, Debug)]
pub struct Aim {
    profile: Arc<CameraProfile>,
    mount: Mount,
}

impl Aim {
    /// For the camera of `profile`, whose base stands as `mount` says.
    pub fn new(profile: Arc<CameraProfile>, mount: Mount) -> Self {
        Self { profile, mount }
    }

    /// The camera's profile.
    pub(super) fn profile(&self) -> &CameraProfile {
        &self.profile
    }

    /// What the camera can reach.
    pub fn reach(&self) -> Reach {
        let d = self.profile.document();
        let (pan_deg, tilt_deg) = self.profile.reach_deg();
        let fields = d.zoom.iter().map(|knot| knot.hfov_deg);
        Reach {
            pan_deg,
            tilt_deg,
            hfov_deg: [
                fields.clone().fold(f64::INFINITY, f64::min),
                fields.fold(0.0, f64::max),
            ],
            endless_pan: d.pan.wraps,
            max_speed_deg_s: d.limits.max_speed_deg_s,
        }
    }

    /// The speeds that a deflection asks for. Where the field of view is not known, that
    /// of the middle of the lens: neither a crawl nor a race. Shares of the highest speed
    /// are taken to be linear, and the highest speed to be the profile's: ONVIF promises
    /// neither, and no camera tells.
    fn speeds(&self, by: Deflection, hfov_deg: Option<f64>, most_speed: f64) -> Speeds {
        let share = |v: f64| {
            if v.is_finite() {
                v.clamp(-1.0, 1.0)
            } else {
                0.0
            }
        };
        let reach = self.reach();
        let [narrowest, widest] = reach.hfov_deg;
        let hfov_deg = hfov_deg
            .filter(|hfov| *hfov > 0.0 && *hfov < 180.0)
            .unwrap_or_else(|| (narrowest * widest).sqrt());
        let speed = (hfov_deg / ACROSS_S / reach.max_speed_deg_s).min(most_speed);
        Speeds {
            pan: speed * share(by.pan),
            tilt: speed * share(by.tilt),
            zoom: ZOOM_SHARE.min(most_speed) * share(by.zoom),
        }
    }

    /// `None` where nothing moves.
    pub(super) fn turn(
        &self,
        by: Deflection,
        hfov_deg: Option<f64>,
        most_speed: f64,
    ) -> Option<PtzCommand> {
        let Speeds { pan, tilt, zoom } = self.speeds(by, hfov_deg, most_speed);
        if (pan, tilt, zoom) == (0.0, 0.0, 0.0) {
            return None;
        }
        let (pan_grows, tilt_grows) = self.profile.grows_as_ours();
        let signed = |v: f64, grows: bool| if grows { v } else { -v };
        Some(PtzCommand::Continuous {
            pan: signed(pan, pan_grows),
            tilt: signed(tilt, tilt_grows),
            zoom,
            timeout_s: CAMERA_STOPS_AFTER_S,
        })
    }

    /// How fast the camera moves at most that is [turned](super::Steer::turn) so.
    pub fn rates(&self, by: Deflection, hfov_deg: Option<f64>, most_speed: f64) -> Rates {
        let speeds = self.speeds(by, hfov_deg, most_speed);
        let limits = &self.profile.document().limits;
        Rates {
            pan_deg_s: speeds.pan * limits.max_speed_deg_s,
            tilt_deg_s: speeds.tilt * limits.max_speed_deg_s,
            ln_focal_s: speeds.zoom * limits.max_ln_focal_s,
        }
    }

    /// The horizontal field of view at a zoom in the profile's unit, degrees; none
    /// outside its calibration.
    pub fn hfov_deg(&self, zoom: f64) -> Option<f64> {
        let focal = self.profile.ln_focal(zoom)?.exp();
        Some(2.0 * (0.5 / focal).atan().to_degrees())
    }

    /// The least and the most zoom, in the profile's unit.
    pub fn zoom_range(&self) -> [f64; 2] {
        self.profile.zoom_range().into()
    }

    pub(super) fn go(
        &self,
        pan_deg: f64,
        tilt_deg: f64,
        zoom: Option<f64>,
        near_pan_deg: f64,
    ) -> Result<PtzCommand, Beyond> {
        let d = self.profile.document();
        let (pan, tilt) = self.profile.numbers_of(pan_deg, tilt_deg, near_pan_deg)?;
        let zoom = zoom.map(|z| self.profile.zoom_number(z)).transpose()?;
        Ok(PtzCommand::Absolute {
            position_space: d.position_space.clone(),
            pan,
            tilt,
            zoom: zoom.map(|z| (d.zoom_space.clone(), z)),
        })
    }

    pub(super) fn look(
        &self,
        pan_deg: f64,
        tilt_deg: f64,
        near_pan_deg: f64,
    ) -> Result<PtzCommand, Beyond> {
        let (pan_deg, tilt_deg) = self.head_towards(pan_deg, tilt_deg, near_pan_deg)?;
        self.go(pan_deg, tilt_deg, None, near_pan_deg)
    }

    /// Pan and tilt of the head that looks along a direction of the world, degrees.
    /// `near_pan_deg`: where the head is now; its pan stays where any would do.
    ///
    /// # Errors
    /// [`Beyond::NotFinite`].
    pub fn head_towards(
        &self,
        pan_deg: f64,
        tilt_deg: f64,
        near_pan_deg: f64,
    ) -> Result<(f64, f64), Beyond> {
        for (what, value) in [("pan_deg", pan_deg), ("tilt_deg", tilt_deg)] {
            if !value.is_finite() {
                return Err(Beyond::NotFinite(what));
            }
        }
        let world = Direction::from_pan_tilt(Angle::from_deg(pan_deg), Angle::from_deg(tilt_deg));
        let (pan, tilt) = self.mount.head_towards(world);
        let pan_deg = if tilt.deg().abs() > 90.0 - POLE_DEG {
            near_pan_deg
        } else {
            pan.deg()
        };
        Ok((pan_deg, tilt.deg()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::{Gaze, Optics, Size, View};
    use crate::pose::profile::{PanAxis, ProfileDocument, RawPosition, TiltAxis};
    use proptest::prelude::*;

    const PLAIN: &str = crate::pose::testing::PROFILE;

    fn aim(mount: Mount, change: impl FnOnce(&mut ProfileDocument)) -> Aim {
        let plain = CameraProfile::from_toml(PLAIN).unwrap();
        let mut document = plain.document().clone();
        document.pan = PanAxis {
            from: [-1.0, 1.0],
            to_deg: [-180.0, 180.0],
            wraps: true,
        };
        document.tilt = TiltAxis {
            from: [-1.0, 1.0],
            to_deg: [-90.0, 90.0],
        };
        document.limits.max_speed_deg_s = 100.0;
        change(&mut document);
        Aim::new(
            Arc::new(CameraProfile::from_document(document).unwrap()),
            mount,
        )
    }

    fn push(pan: f64, tilt: f64, zoom: f64) -> Deflection {
        Deflection { pan, tilt, zoom }
    }

    fn speeds(command: Option<PtzCommand>) -> Option<[f64; 3]> {
        match command {
            Some(PtzCommand::Continuous {
                pan, tilt, zoom, ..
            }) => Some([pan, tilt, zoom]),
            Some(other) => panic!("{other:?}"),
            None => None,
        }
    }

    #[test]
    fn the_picture_moves_equally_fast_at_every_zoom() {
        let a = aim(Mount::LEVEL, |_| {});
        for (by, hfov, expected) in [
            (push(1.0, 0.0, 0.0), 60.0, Some([0.4, 0.0, 0.0])),
            (push(-0.5, 1.0, 0.0), 30.0, Some([-0.1, 0.2, 0.0])),
            (push(1.0, 0.0, 0.0), 3.0, Some([0.02, 0.0, 0.0])),
            (push(1.0, 0.0, 0.0), 179.0, Some([1.0, 0.0, 0.0])),
            (push(0.0, 0.0, -1.0), 60.0, Some([0.0, 0.0, -0.5])),
            (push(9.0, f64::NAN, 0.0), 60.0, Some([0.4, 0.0, 0.0])),
            (push(0.0, 0.0, 0.0), 60.0, None),
            (push(f64::NAN, f64::INFINITY, 0.0), 60.0, None),
        ] {
            let found = speeds(a.turn(by, Some(hfov), 1.0));
            let same = match (found, expected) {
                (Some(f), Some(e)) => f.iter().zip(e).all(|(f, e)| (f - e).abs() < 1e-9),
                (f, e) => f == e,
            };
            assert!(same, "{by:?} at {hfov}: {found:?}, not {expected:?}");
        }
        let slow = |by| speeds(a.turn(by, Some(60.0), 0.1)).unwrap();
        assert_eq!(slow(push(1.0, -0.5, 1.0)), [0.1, -0.05, 0.1]);
        let rates = a.rates(push(1.0, 0.0, 1.0), Some(60.0), 0.1);
        let most = a.profile.document().limits.max_ln_focal_s;
        let lens = (rates.ln_focal_s - 0.1 * most).abs();
        assert!((rates.pan_deg_s - 10.0).abs() < 1e-9 && lens < 1e-9);
        let unknown = speeds(a.turn(push(1.0, 0.0, 0.0), None, 1.0)).unwrap()[0];
        let [narrowest, widest] = a.reach().hfov_deg;
        let at = |hfov| speeds(a.turn(push(1.0, 0.0, 0.0), Some(hfov), 1.0)).unwrap()[0];
        assert!(unknown > at(narrowest) && unknown < at(widest));
    }

    #[test]
    fn mirrored_axes_turn_the_other_way_in_the_cameras_numbers() {
        let mirrored = aim(Mount::LEVEL, |d| {
            d.pan.to_deg = [180.0, -180.0];
            d.tilt.from = [1.0, -1.0];
        });
        let [pan, tilt, _] = speeds(mirrored.turn(push(1.0, 1.0, 0.0), Some(60.0), 1.0)).unwrap();
        assert!(pan < 0.0 && tilt < 0.0);
        let both = aim(Mount::LEVEL, |d| {
            d.pan.from = [1.0, -1.0];
            d.pan.to_deg = [180.0, -180.0];
        });
        let [pan, ..] = speeds(both.turn(push(1.0, 0.0, 0.0), Some(60.0), 1.0)).unwrap();
        assert!(pan > 0.0, "turned round twice is not mirrored");
    }

    proptest! {
        /// Sent to look at a direction of the world, the camera has it in the middle of
        /// its picture, however its base stands.
        #[test]
        fn what_one_looks_at_is_in_the_middle(
            pan in -180.0f64..180.0, tilt in -80.0f64..80.0,
            base in -180.0f64..180.0, pitch in -8.0f64..8.0, roll in -8.0f64..8.0,
            ceiling: bool,
        ) {
            let degrees = Angle::from_deg;
            let mount = Mount::new(degrees(base), degrees(pitch), degrees(roll), ceiling).unwrap();
            let a = aim(mount, |_| {});
            let PtzCommand::Absolute { position_space, pan: x, tilt: y, zoom } =
                a.look(pan, tilt, 0.0).unwrap()
            else {
                panic!("not a place")
            };
            prop_assert_eq!(zoom, None, "the lens stays as it is");
            let (low, _) = a.profile.zoom_range();
            let reported = RawPosition {
                position_space: Some(position_space),
                zoom_space: Some(a.profile.document().zoom_space.clone()),
                pan: Some(x), tilt: Some(y), zoom: Some(low), hfov_deg: None,
            };
            let head = a.profile.map(&reported).unwrap();
            let gaze = Gaze { pan: degrees(head.pan_deg), tilt: degrees(head.tilt_deg), roll: degrees(0.0) };
            let size = Size { width: 1000, height: 500 };
            let view = View::new(gaze, 900.0, size, Optics::STRAIGHT, mount).unwrap();
            let at = view.project(Direction::from_pan_tilt(degrees(pan), degrees(tilt))).unwrap();
            prop_assert!((at.x - 500.0).abs() < 0.01 && (at.y - 250.0).abs() < 0.01, "{at:?}");
        }
    }

    #[test]
    fn straight_down_pan_stays() {
        let a = aim(Mount::LEVEL, |_| {});
        let Ok(PtzCommand::Absolute { pan, .. }) = a.look(0.0, -90.0, 90.0) else {
            panic!("not a place")
        };
        assert!((pan - 0.5).abs() < 1e-9);
    }

    #[test]
    fn beyond_reach_nothing_is_sent() {
        let a = aim(Mount::LEVEL, |d| d.tilt.to_deg = [-90.0, 20.0]);
        assert!(a.look(0.0, 30.0, 0.0).is_err());
        assert!(a.look(f64::NAN, 0.0, 0.0).is_err());
        assert!(a.go(0.0, 21.0, None, 0.0).is_err());
        assert!(a.go(0.0, 0.0, Some(f64::NAN), 0.0).is_err());
        assert!(a.go(0.0, 0.0, None, 0.0).is_ok());
    }
}
