//! How the simulated camera moves: three axes advanced in steps of one
//! millisecond, so that the pose at any capture time is exact and repeatable.
//!
//! Never reads a clock: callers say how far to advance.

pub mod axis;
pub mod script;

use std::collections::VecDeque;

use self::axis::{Axis, AxisLimits, Drive};
use self::script::{Orders, Place, Script, Situation};
use super::lens::{Pose, ZoomCurve};

/// Length of one step.
const STEP_NS: u64 = 1_000_000;
/// How many past steps can be asked for: one minute.
const HISTORY_STEPS: usize = 60_000;

/// Limits of the simulated drives.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Fastest pan and tilt, degrees per second.
    pub max_speed_deg_per_s: f64,
    /// Largest angular acceleration, degrees per second².
    pub max_acceleration_deg_per_s2: f64,
    /// Whether pan turns for ever; otherwise it stops at ±180°.
    pub endless_pan: bool,
    /// Lowest tilt, degrees.
    pub tilt_min_deg: f64,
    /// Highest tilt, degrees.
    pub tilt_max_deg: f64,
    /// Seconds from wide to tele at full zoom speed.
    pub zoom_full_range_s: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_speed_deg_per_s: 300.0,
            max_acceleration_deg_per_s2: 400.0,
            endless_pan: true,
            tilt_min_deg: -90.0,
            tilt_max_deg: 20.0,
            zoom_full_range_s: 2.5,
        }
    }
}

/// One remembered instant.
#[derive(Debug, Clone, Copy)]
struct Moment {
    pan: f64,
    tilt: f64,
    ln_zoom: f64,
}

/// An order from outside the script.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Order {
    /// Go to a place; `None` leaves an axis as it is. Speeds are fractions of
    /// the full speed, 0…1.
    Go {
        /// Pan in degrees (the nearer way round on an endless pan).
        pan_deg: Option<f64>,
        /// Tilt in degrees.
        tilt_deg: Option<f64>,
        /// Generic zoom.
        zoom: Option<f64>,
        /// Fraction of full speed.
        #[serde(default)]
        speed: Option<f64>,
    },
    /// Move by an amount.
    By {
        /// Degrees.
        pan_deg: f64,
        /// Degrees.
        tilt_deg: f64,
        /// Generic zoom.
        zoom: f64,
    },
    /// Turn at fractions of the full speed, −1…1; `None` leaves an axis.
    Turn {
        /// Pan.
        pan: Option<f64>,
        /// Tilt.
        tilt: Option<f64>,
        /// Zoom.
        zoom: Option<f64>,
    },
    /// Stop some axes.
    Stop {
        /// Pan and tilt.
        pan_tilt: bool,
        /// Zoom.
        zoom: bool,
    },
    /// Give the camera back to its script.
    Resume,
}

/// The moving camera.
#[derive(Debug)]
pub struct Motion {
    script: Script,
    scripted: bool,
    script_started_ns: u64,
    pan: Axis,
    tilt: Axis,
    zoom: Axis,
    pan_limits: AxisLimits,
    tilt_limits: AxisLimits,
    zoom_limits: AxisLimits,
    curve: ZoomCurve,
    roll_deg: f64,
    /// Steps done since the start.
    step: u64,
    history: VecDeque<Moment>,
    turn_until_ns: Option<u64>,
}

impl Motion {
    /// A camera standing where its script begins, at time 0.
    pub fn new(script: Script, limits: &Limits, curve: ZoomCurve, roll_deg: f64) -> Self {
        let start = script.start();
        let pan_stop = if limits.endless_pan {
            f64::INFINITY
        } else {
            180.0
        };
        let speed = limits.max_speed_deg_per_s;
        let acceleration = limits.max_acceleration_deg_per_s2;
        let (zoom_speed, zoom_acceleration) = zoom_limits(&curve, limits);
        let mut motion = Self {
            script,
            scripted: true,
            script_started_ns: 0,
            pan: Axis::at(start.pan_deg.clamp(-pan_stop, pan_stop)),
            tilt: Axis::at(
                start
                    .tilt_deg
                    .clamp(limits.tilt_min_deg, limits.tilt_max_deg),
            ),
            zoom: Axis::at(curve.ln_at(start.zoom.clamp(0.0, 1.0))),
            pan_limits: AxisLimits {
                min: -pan_stop,
                max: pan_stop,
                speed,
                acceleration,
            },
            tilt_limits: AxisLimits {
                min: limits.tilt_min_deg,
                max: limits.tilt_max_deg,
                speed,
                acceleration,
            },
            zoom_limits: AxisLimits {
                min: 0.0,
                max: curve.ln_range(),
                speed: zoom_speed,
                acceleration: zoom_acceleration,
            },
            curve,
            roll_deg,
            step: 0,
            history: VecDeque::with_capacity(HISTORY_STEPS + 1),
            turn_until_ns: None,
        };
        motion.remember();
        motion
    }

    /// Advances to a time since the start; earlier times change nothing.
    pub fn advance_to(&mut self, t_ns: u64) {
        let dt = STEP_NS as f64 * 1e-9;
        while (self.step + 1) * STEP_NS <= t_ns {
            let now_ns = self.step * STEP_NS;
            if self.turn_until_ns.is_some_and(|end| now_ns >= end) {
                self.turn_until_ns = None;
                self.halt(true, true);
            }
            if self.scripted {
                self.follow_script(now_ns);
            }
            self.pan.step(dt, &self.pan_limits);
            self.tilt.step(dt, &self.tilt_limits);
            self.zoom.step(dt, &self.zoom_limits);
            self.step += 1;
            self.remember();
        }
    }

    /// Carries out an order at a time since the start.
    pub fn order(&mut self, t_ns: u64, order: Order) {
        self.advance_to(t_ns);
        self.turn_until_ns = None;
        if self.scripted && order != Order::Resume {
            self.scripted = false;
            self.halt(true, true);
        }
        match order {
            Order::Go {
                pan_deg,
                tilt_deg,
                zoom,
                speed,
            } => {
                let fraction = speed.unwrap_or(1.0).clamp(0.01, 1.0);
                if let Some(target) = pan_deg {
                    self.pan.drive = Drive::To {
                        target: self.nearest_turn(target),
                        speed: self.pan_limits.speed * fraction,
                    };
                }
                if let Some(target) = tilt_deg {
                    self.tilt.drive = Drive::To {
                        target,
                        speed: self.tilt_limits.speed * fraction,
                    };
                }
                if let Some(zoom) = zoom {
                    self.zoom.drive = Drive::To {
                        target: self.curve.ln_at(zoom.clamp(0.0, 1.0)),
                        speed: f64::INFINITY,
                    };
                }
            }
            Order::By {
                pan_deg,
                tilt_deg,
                zoom,
            } => {
                let zoom_now = self.curve.zoom_at_ln(self.zoom.position);
                self.pan.drive = to(self.pan.position + pan_deg);
                self.tilt.drive = to(self.tilt.position + tilt_deg);
                self.zoom.drive = to(self.curve.ln_at((zoom_now + zoom).clamp(0.0, 1.0)));
            }
            Order::Turn { pan, tilt, zoom } => {
                for (axis, limits, fraction) in [
                    (&mut self.pan, &self.pan_limits, pan),
                    (&mut self.tilt, &self.tilt_limits, tilt),
                    (&mut self.zoom, &self.zoom_limits, zoom),
                ] {
                    if let Some(fraction) = fraction {
                        axis.drive = Drive::At(limits.speed * fraction.clamp(-1.0, 1.0));
                    }
                }
            }
            Order::Stop { pan_tilt, zoom } => self.halt(pan_tilt, zoom),
            Order::Resume => {
                self.scripted = true;
                self.script_started_ns = t_ns;
            }
        }
    }

    /// Ends a continuous move at a time since the start.
    pub fn turn_until(&mut self, end_ns: u64) {
        self.turn_until_ns = Some(end_ns);
    }

    /// The pose at a time since the start, interpolated between two steps;
    /// `None` when it lies ahead of the simulation or more than a minute back.
    pub fn pose_at(&self, t_ns: u64) -> Option<Pose> {
        let step = t_ns / STEP_NS;
        let oldest = self.step + 1 - self.history.len() as u64;
        let index = usize::try_from(step.checked_sub(oldest)?).ok()?;
        let a = *self.history.get(index)?;
        let part = (t_ns % STEP_NS) as f64 / STEP_NS as f64;
        let b = if part == 0.0 {
            a
        } else {
            *self.history.get(index + 1)?
        };
        let mix = |a: f64, b: f64| a + (b - a) * part;
        let ln = mix(a.ln_zoom, b.ln_zoom);
        Some(Pose {
            pan_deg: mix(a.pan, b.pan),
            tilt_deg: mix(a.tilt, b.tilt),
            roll_deg: self.roll_deg,
            zoom: self.curve.zoom_at_ln(ln),
            hfov_deg: self.curve.hfov_at_ln(ln),
        })
    }

    /// Whether (pan or tilt, zoom) are moving.
    pub fn moving(&self) -> (bool, bool) {
        (
            self.pan.is_moving() || self.tilt.is_moving(),
            self.zoom.is_moving(),
        )
    }

    /// Whether the script drives the camera.
    pub fn is_scripted(&self) -> bool {
        self.scripted
    }

    /// Pan, tilt (degrees per second) and ln f (per second) speeds.
    pub fn speeds(&self) -> [f64; 3] {
        [self.pan.speed, self.tilt.speed, self.zoom.speed]
    }

    fn follow_script(&mut self, now_ns: u64) {
        let t_s = now_ns.saturating_sub(self.script_started_ns) as f64 * 1e-9;
        let Orders { pan, tilt, zoom } = self.script.orders(Situation {
            t_s,
            view_ratio: (-self.zoom.position).exp(),
        });
        self.pan.drive = match pan {
            Drive::To { target, speed } => Drive::To {
                target: self.nearest_turn(target),
                speed,
            },
            other => other,
        };
        self.tilt.drive = tilt;
        self.zoom.drive = match zoom {
            Drive::To { target, speed } => Drive::To {
                target: self.curve.ln_at(target.clamp(0.0, 1.0)),
                speed,
            },
            other => other,
        };
    }

    /// On an endless pan a target means its nearest turn.
    fn nearest_turn(&self, target: f64) -> f64 {
        if self.pan_limits.max.is_finite() {
            return target;
        }
        target + 360.0 * ((self.pan.position - target) / 360.0).round()
    }

    fn halt(&mut self, pan_tilt: bool, zoom: bool) {
        if pan_tilt {
            self.pan.drive = Drive::At(0.0);
            self.tilt.drive = Drive::At(0.0);
        }
        if zoom {
            self.zoom.drive = Drive::At(0.0);
        }
    }

    fn remember(&mut self) {
        self.history.push_back(Moment {
            pan: self.pan.position,
            tilt: self.tilt.position,
            ln_zoom: self.zoom.position,
        });
        if self.history.len() > HISTORY_STEPS {
            self.history.pop_front();
        }
    }
}

fn to(target: f64) -> Drive {
    Drive::To {
        target,
        speed: f64::INFINITY,
    }
}

/// The zoom drive's limits: d ln f/dt and its derivative, per second.
pub(crate) fn zoom_limits(curve: &ZoomCurve, limits: &Limits) -> (f64, f64) {
    let speed = curve.ln_range().max(1e-3) / limits.zoom_full_range_s;
    (speed, speed * 4.0)
}

/// The presets a camera starts with.
pub(crate) fn built_in_presets() -> Vec<(String, Place)> {
    script::BUILT_IN_PLACES
        .iter()
        .map(|(name, place)| ((*name).to_owned(), *place))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn motion(script: Script) -> Motion {
        Motion::new(script, &Limits::default(), ZoomCurve::new(60.0, 3.0), 0.0)
    }

    /// Plays a script and returns the fastest pan seen, checking the limits.
    fn play(script: Script, seconds: f64) -> (Motion, f64) {
        let mut motion = motion(script);
        let mut fastest: f64 = 0.0;
        for ms in 0..(seconds * 1000.0) as u64 {
            let before = motion.speeds();
            motion.advance_to(ms * STEP_NS);
            let after = motion.speeds();
            fastest = fastest.max(after[0].abs());
            assert!(after[0].abs() <= 300.0 + 1e-6 && after[1].abs() <= 300.0 + 1e-6);
            assert!(
                (after[0] - before[0]).abs() <= 0.4 + 1e-6,
                "pan jerks at {ms} ms"
            );
            let pose = motion.pose_at(ms * STEP_NS).unwrap();
            assert!((-90.0..=20.0).contains(&pose.tilt_deg), "{pose:?}");
            assert!((2.99..=60.01).contains(&pose.hfov_deg), "{pose:?}");
        }
        (motion, fastest)
    }

    #[test]
    fn scripts_reach_the_speeds_they_are_for() {
        let sweep = Script::Sweep {
            peak_deg_per_s: 100.0,
            amplitude_deg: 90.0,
            centre_pan_deg: 10.0,
            tilt_deg: -8.0,
            zoom: 0.0,
        };
        let cases = [
            (sweep, 99.0, 101.0),
            (
                Script::PresetJumps {
                    every_s: 2.0,
                    places: vec![],
                },
                200.0,
                300.0,
            ),
            (
                Script::SlowPan {
                    deg_per_s: 5.0,
                    tilt_deg: 0.0,
                    zoom: 0.0,
                },
                4.99,
                5.01,
            ),
            (
                Script::ZoomPan {
                    zoom_s: 5.0,
                    wide_deg_per_s: 60.0,
                    tilt_deg: -5.0,
                },
                40.0,
                61.0,
            ),
            (
                Script::Nadir {
                    period_s: 4.0,
                    deg_per_s: 20.0,
                    top_tilt_deg: 0.0,
                },
                19.9,
                20.1,
            ),
        ];
        for (script, low, high) in cases {
            let (_, fastest) = play(script.clone(), 12.0);
            assert!((low..=high).contains(&fastest), "{script:?}: {fastest}°/s");
        }
    }

    #[test]
    fn an_order_overrides_the_script_until_it_is_resumed() {
        let mut motion = motion(Script::default());
        motion.advance_to(500 * STEP_NS);
        motion.order(
            500 * STEP_NS,
            Order::Go {
                pan_deg: Some(170.0),
                tilt_deg: Some(-30.0),
                zoom: Some(0.5),
                speed: None,
            },
        );
        motion.advance_to(5_000 * STEP_NS);
        let pose = motion.pose_at(5_000 * STEP_NS).unwrap();
        assert!(
            (pose.pan_deg.rem_euclid(360.0) - 170.0).abs() < 1e-9,
            "{pose:?}"
        );
        assert!((pose.tilt_deg + 30.0).abs() < 1e-9 && (pose.zoom - 0.5).abs() < 1e-9);
        assert_eq!(motion.moving(), (false, false));
        motion.order(5_000 * STEP_NS, Order::Resume);
        motion.advance_to(5_200 * STEP_NS);
        assert!(motion.moving().0);
    }

    #[test]
    fn the_past_can_be_asked_for_and_the_future_not() {
        let mut motion = motion(Script::default());
        motion.advance_to(2_000 * STEP_NS);
        let pose = motion.pose_at(1_234 * STEP_NS + 500_000).unwrap();
        let (a, b) = (
            motion.pose_at(1_234 * STEP_NS).unwrap(),
            motion.pose_at(1_235 * STEP_NS).unwrap(),
        );
        assert!((pose.pan_deg - (a.pan_deg + b.pan_deg) / 2.0).abs() < 1e-9);
        assert_eq!(motion.pose_at(2_000 * STEP_NS + 1), None);
        assert_eq!(motion.pose_at(3_000 * STEP_NS), None);
        motion.advance_to(70_000 * STEP_NS);
        assert_eq!(motion.pose_at(1_234 * STEP_NS), None, "older than a minute");
    }
}
