//! One driven axis with a speed limit and an acceleration limit.
//!
//! Knows no camera and no unit: pan and tilt are in degrees, zoom in ln f.

/// What an axis has been told to do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Drive {
    /// Go there and stand, no faster than `speed` (units per second).
    To {
        /// Target position.
        target: f64,
        /// Speed limit of this move, already within the axis' own limit.
        speed: f64,
    },
    /// Turn at this speed until told otherwise.
    At(f64),
    /// Follow a moving target: position and its speed.
    Follow {
        /// Where the target is now.
        position: f64,
        /// How fast the target moves.
        speed: f64,
    },
}

/// Limits of an axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AxisLimits {
    /// Lowest position.
    pub min: f64,
    /// Highest position.
    pub max: f64,
    /// Units per second.
    pub speed: f64,
    /// Units per second².
    pub acceleration: f64,
}

/// Nearer than this to its target an axis stands on it: far below anything a
/// picture can show, so that standing still breaks no limit.
const ARRIVED: f64 = 1e-9;

/// The state of one axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axis {
    /// Position in the axis' unit.
    pub position: f64,
    /// Speed in units per second.
    pub speed: f64,
    /// The present order.
    pub drive: Drive,
}

impl Axis {
    /// An axis standing at a position.
    pub fn at(position: f64) -> Self {
        Self {
            position,
            speed: 0.0,
            drive: Drive::To {
                target: position,
                speed: f64::INFINITY,
            },
        }
    }

    /// Whether it still turns, or has an order that will make it turn.
    pub fn is_moving(&self) -> bool {
        self.speed != 0.0
            || match self.drive {
                Drive::To { target, .. } => (target - self.position).abs() >= ARRIVED,
                Drive::At(speed) => speed != 0.0,
                Drive::Follow { speed, .. } => speed != 0.0,
            }
    }

    /// One step of `dt` seconds.
    pub fn step(&mut self, dt: f64, limits: &AxisLimits) {
        let dv = limits.acceleration * dt;
        if let Drive::To { target, .. } = self.drive {
            let target = target.clamp(limits.min, limits.max);
            if (target - self.position).abs() < ARRIVED && self.speed.abs() <= dv {
                self.position = target;
                self.speed = 0.0;
                return;
            }
        }
        let wanted = match self.drive {
            Drive::To { target, speed } => {
                let target = target.clamp(limits.min, limits.max);
                self.speed_to(target, speed.min(limits.speed), dt, limits)
            }
            Drive::At(speed) => speed.clamp(-limits.speed, limits.speed),
            Drive::Follow { position, speed } => {
                let error = position.clamp(limits.min, limits.max) - self.position;
                let ahead = self.speed_to(self.position + error, limits.speed, dt, limits);
                // Near the target its own speed counts, far away catching up does.
                if error.abs() < 1.0 {
                    speed + 8.0 * error
                } else {
                    speed * 0.5 + ahead
                }
            }
        };
        let wanted = self.braked_for_the_stops(wanted, dt, limits);
        self.speed += (wanted - self.speed).clamp(-dv, dv);
        self.speed = self.speed.clamp(-limits.speed, limits.speed);
        self.position += self.speed * dt;
        if self.position <= limits.min {
            self.position = limits.min;
            self.speed = self.speed.max(0.0);
        }
        if self.position >= limits.max {
            self.position = limits.max;
            self.speed = self.speed.min(0.0);
        }
    }

    /// The speed from which the axis can still stop at `target`: v in
    /// v·n·dt − a·n²·dt²/2 = distance for whole steps n.
    fn speed_to(&self, target: f64, cap: f64, dt: f64, limits: &AxisLimits) -> f64 {
        let error = target - self.position;
        let dv = limits.acceleration * dt;
        let n = (0.25 + 2.0 * error.abs() / (dv * dt)).sqrt() - 0.5;
        (dv * n).min(error.abs() / dt).min(cap) * error.signum()
    }

    fn braked_for_the_stops(&self, wanted: f64, dt: f64, limits: &AxisLimits) -> f64 {
        let cap = |stop: f64| {
            if stop.is_finite() {
                self.speed_to(stop, limits.speed, dt, limits)
            } else {
                limits.speed * stop.signum()
            }
        };
        wanted.clamp(cap(limits.min).min(0.0), cap(limits.max).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DT: f64 = 0.001;

    fn check(limits: AxisLimits, from: f64, drive: Drive, seconds: f64) -> Axis {
        let mut axis = Axis::at(from);
        axis.drive = drive;
        let mut last = axis;
        for _ in 0..(seconds / DT) as usize {
            axis.step(DT, &limits);
            assert!(
                axis.speed.abs() <= limits.speed + 1e-9,
                "too fast: {axis:?}"
            );
            let hit_a_stop = axis.position == limits.min || axis.position == limits.max;
            assert!(
                (axis.speed - last.speed).abs() <= limits.acceleration * DT * 1.001 + 1e-9
                    || hit_a_stop,
                "too much force: {last:?} then {axis:?}"
            );
            assert!((limits.min..=limits.max).contains(&axis.position));
            last = axis;
        }
        axis
    }

    const FREE: AxisLimits = AxisLimits {
        min: f64::NEG_INFINITY,
        max: f64::INFINITY,
        speed: 300.0,
        acceleration: 400.0,
    };

    #[test]
    fn moves_arrive_within_the_limits() {
        for (target, seconds) in [(180.0, 1.6), (-0.5, 0.2), (500.0, 2.6), (0.001, 0.1)] {
            let end = check(
                FREE,
                0.0,
                Drive::To {
                    target,
                    speed: 300.0,
                },
                seconds,
            );
            assert_eq!((end.position, end.speed), (target, 0.0), "to {target}");
        }
    }

    #[test]
    fn a_move_takes_as_long_as_physics_says() {
        // 180° with 400°/s² stays below 300°/s: 2·sqrt(180/400) = 1.342 s.
        let on_the_way = check(
            FREE,
            0.0,
            Drive::To {
                target: 180.0,
                speed: 300.0,
            },
            1.3,
        );
        assert!(on_the_way.is_moving());
        assert!((on_the_way.position - 179.6).abs() < 0.5, "{on_the_way:?}");
    }

    #[test]
    fn the_stops_are_approached_gently_and_never_passed() {
        let limits = AxisLimits {
            min: -90.0,
            max: 20.0,
            ..FREE
        };
        let up = check(limits, 0.0, Drive::At(300.0), 2.0);
        assert!((up.position - 20.0).abs() < 0.01);
        let down = check(
            limits,
            0.0,
            Drive::To {
                target: -500.0,
                speed: 50.0,
            },
            4.0,
        );
        assert_eq!(down.position, -90.0);
    }
}
