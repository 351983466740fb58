//! What can go wrong with a camera, as knobs.

use serde::{Deserialize, Serialize};

use super::SimError;
use super::lens::Pose;

/// How the stream is stopped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamStop {
    /// It runs.
    #[default]
    No,
    /// Connections stay, nothing comes.
    Silent,
    /// Viewers are thrown out and new ones refused.
    Refuse,
}

/// A telemetry freeze.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Freeze {
    /// Telemetry follows the camera.
    #[default]
    No,
    /// Position and UtcTime stand still.
    Position,
    /// The position stands still under a fresh UtcTime: a lie.
    WithFreshTime,
}

/// Which spaces a status names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpaceFault {
    /// The right ones.
    #[default]
    No,
    /// The other documented pan/tilt space, with numbers of the right one.
    Other,
    /// A space nobody knows.
    Unknown,
    /// No space attribute.
    Missing,
}

/// What a status holds in place of its numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PositionFault {
    /// The numbers.
    #[default]
    No,
    /// No `Position` at all.
    Missing,
    /// `Position` without `Zoom`.
    MissingZoom,
    /// `NaN`.
    Nan,
    /// Numbers far outside the space's range.
    OutOfRange,
}

/// How UtcTime is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UtcFault {
    /// With milliseconds.
    #[default]
    No,
    /// In whole seconds, as many cameras do.
    WholeSeconds,
    /// Not at all.
    Missing,
}

/// What time stamps in RTP packets say in place of the capture time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StampFault {
    /// The capture time.
    #[default]
    No,
    /// The same time for ever.
    Frozen,
    /// In each packet of a frame another time, 20 ms on.
    Differing,
    /// A stamp that is a byte too short.
    Short,
    /// 0: the camera does not know.
    Zero,
    /// Only every 25th frame has one.
    Sparse,
}

/// Faults of a simulated camera; the default is a healthy one. Partial updates
/// name only what changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// How often the camera measures its position for telemetry, Hz; between
    /// measurements answers repeat the last, with its UtcTime. 0: always fresh.
    pub telemetry_max_hz: f64,
    /// Delay of telemetry answers after the measurement, milliseconds.
    pub delay_ms: f64,
    /// Further delay, uniform from 0 to this, milliseconds.
    pub jitter_ms: f64,
    /// Share of telemetry requests that are never answered, 0…1.
    pub loss: f64,
    /// Telemetry stands still.
    pub freeze: Freeze,
    /// Reported pan minus true pan, degrees.
    pub lie_pan_deg: f64,
    /// Reported tilt minus true tilt, degrees.
    pub lie_tilt_deg: f64,
    /// Spaces in a status.
    pub space: SpaceFault,
    /// Numbers in a status.
    pub position: PositionFault,
    /// UtcTime in a status.
    pub utc: UtcFault,
    /// UtcTime in the metadata stream less that of the measurement, seconds.
    pub metadata_stamp_s: f64,
    /// Pan in the metadata stream less what answers tell, degrees.
    pub metadata_lie_pan_deg: f64,
    /// Nothing comes in the metadata stream.
    pub metadata_silent: bool,
    /// MoveStatus says MOVING for ever.
    pub stuck_moving: bool,
    /// Time stamps in RTP packets.
    pub stamp: StampFault,
    /// What they say less the capture time, milliseconds.
    pub stamp_offset_ms: f64,
    /// How far the camera's clock (sender reports and UtcTime) is ahead, seconds.
    pub clock_step_s: f64,
    /// Share of RTP packets that are lost, 0…1.
    pub rtp_loss: f64,
    /// The stream stops.
    pub stream_stop: StreamStop,
    /// The picture's size changes to this, in mid-stream.
    pub size: Option<[usize; 2]>,
    /// Nothing comes in the second stream.
    pub sub_silent: bool,
    /// How far the second stream's sender reports alone are ahead, seconds.
    pub sub_clock_step_s: f64,
    /// No sound comes; the picture goes on.
    pub sound_silent: bool,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            telemetry_max_hz: 0.0,
            delay_ms: 0.0,
            jitter_ms: 0.0,
            loss: 0.0,
            freeze: Freeze::No,
            lie_pan_deg: 0.0,
            lie_tilt_deg: 0.0,
            space: SpaceFault::No,
            position: PositionFault::No,
            utc: UtcFault::No,
            metadata_stamp_s: 0.0,
            metadata_lie_pan_deg: 0.0,
            metadata_silent: false,
            stuck_moving: false,
            stamp: StampFault::No,
            stamp_offset_ms: 0.0,
            clock_step_s: 0.0,
            rtp_loss: 0.0,
            stream_stop: StreamStop::No,
            size: None,
            sub_silent: false,
            sub_clock_step_s: 0.0,
            sound_silent: false,
        }
    }
}

impl Faults {
    /// Refuses numbers that mean nothing.
    ///
    /// # Errors
    /// Names the knob and its range.
    pub fn check(&self) -> Result<(), SimError> {
        for (name, value, low, high) in [
            ("telemetry_max_hz", self.telemetry_max_hz, 0.0, 1000.0),
            ("delay_ms", self.delay_ms, 0.0, 60_000.0),
            ("jitter_ms", self.jitter_ms, 0.0, 60_000.0),
            ("loss", self.loss, 0.0, 1.0),
            ("lie_pan_deg", self.lie_pan_deg, -360.0, 360.0),
            ("lie_tilt_deg", self.lie_tilt_deg, -180.0, 180.0),
            ("metadata_stamp_s", self.metadata_stamp_s, -1e6, 1e6),
            (
                "metadata_lie_pan_deg",
                self.metadata_lie_pan_deg,
                -360.0,
                360.0,
            ),
            ("stamp_offset_ms", self.stamp_offset_ms, -1e9, 1e9),
            ("clock_step_s", self.clock_step_s, -1e8, 1e8),
            ("sub_clock_step_s", self.sub_clock_step_s, -1e8, 1e8),
            ("rtp_loss", self.rtp_loss, 0.0, 1.0),
        ] {
            if !value.is_finite() || !(low..=high).contains(&value) {
                return Err(SimError::Config(format!(
                    "faults.{name} must be from {low} to {high}, not {value}"
                )));
            }
        }
        let side = |n: usize| n.is_multiple_of(8) && (64..=4096).contains(&n);
        match self.size {
            Some([w, h]) if !side(w) || !side(h) => Err(SimError::Config(format!(
                "faults.size must be multiples of 8 from 64 to 4096, not {w} × {h}"
            ))),
            _ => Ok(()),
        }
    }

    /// These faults with the named keys of a JSON object changed.
    ///
    /// # Errors
    /// When the patch is no object, names an unknown knob, or a value is refused.
    pub fn patched(&self, patch: &serde_json::Value) -> Result<Self, SimError> {
        let bad = |e: String| SimError::Config(format!("faults: {e}"));
        let mut all = serde_json::to_value(self).map_err(|e| bad(e.to_string()))?;
        let (Some(all_keys), Some(new)) = (all.as_object_mut(), patch.as_object()) else {
            return Err(bad("expected a JSON object".to_owned()));
        };
        for (key, value) in new {
            all_keys.insert(key.clone(), value.clone());
        }
        let faults: Self = serde_json::from_value(all).map_err(|e| bad(e.to_string()))?;
        faults.check()?;
        Ok(faults)
    }
}

/// A measurement of the position as telemetry tells it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Measured {
    /// When it was taken, nanoseconds since the start.
    pub(crate) t_ns: u64,
    /// What UtcTime says, nanoseconds since the start.
    pub(crate) told_t_ns: u64,
    /// What was told, lies included.
    pub(crate) pose: Pose,
    /// Pan or tilt, zoom moving.
    pub(crate) moving: (bool, bool),
}

/// The telemetry side of the faults: what is measured, kept and repeated.
#[derive(Debug, Default)]
pub(crate) struct Telemetry {
    last: Option<Measured>,
}

impl Telemetry {
    /// What an answer at `t_ns` tells, given the true pose now.
    pub(crate) fn measure(
        &mut self,
        faults: &Faults,
        t_ns: u64,
        pose: Pose,
        moving: (bool, bool),
    ) -> Measured {
        let keep = match (self.last, faults.freeze) {
            (Some(_), Freeze::Position | Freeze::WithFreshTime) => true,
            (Some(last), Freeze::No) if faults.telemetry_max_hz > 0.0 => {
                (t_ns.saturating_sub(last.t_ns) as f64) < 1e9 / faults.telemetry_max_hz
            }
            _ => false,
        };
        let mut measured = match self.last {
            Some(last) if keep => last,
            _ => Measured {
                t_ns,
                told_t_ns: t_ns,
                pose,
                moving,
            },
        };
        self.last = Some(measured);
        if faults.freeze == Freeze::WithFreshTime {
            measured.told_t_ns = t_ns;
        }
        measured.pose.pan_deg += faults.lie_pan_deg;
        measured.pose.tilt_deg += faults.lie_tilt_deg;
        measured.moving.0 |= faults.stuck_moving;
        measured
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pose(pan_deg: f64) -> Pose {
        Pose {
            pan_deg,
            tilt_deg: -5.0,
            roll_deg: 0.0,
            zoom: 0.0,
            hfov_deg: 60.0,
        }
    }

    /// (told time in ms, told pan) at 0, 40, 120 and 260 ms of a camera that
    /// turns one degree per millisecond.
    fn told(faults: &Faults) -> Vec<(u64, f64)> {
        let mut telemetry = Telemetry::default();
        [0u64, 40, 120, 260]
            .into_iter()
            .map(|ms| {
                let m = telemetry.measure(faults, ms * 1_000_000, pose(ms as f64), (true, false));
                (m.told_t_ns / 1_000_000, m.pose.pan_deg)
            })
            .collect()
    }

    #[test]
    fn each_fault_tells_its_own_story() {
        let healthy = Faults::default();
        let cases = [
            (
                healthy.clone(),
                [(0, 0.0), (40, 40.0), (120, 120.0), (260, 260.0)],
            ),
            (
                Faults {
                    telemetry_max_hz: 10.0,
                    ..healthy.clone()
                },
                [(0, 0.0), (0, 0.0), (120, 120.0), (260, 260.0)],
            ),
            (
                Faults {
                    freeze: Freeze::Position,
                    ..healthy.clone()
                },
                [(0, 0.0), (0, 0.0), (0, 0.0), (0, 0.0)],
            ),
            (
                Faults {
                    freeze: Freeze::WithFreshTime,
                    ..healthy.clone()
                },
                [(0, 0.0), (40, 0.0), (120, 0.0), (260, 0.0)],
            ),
            (
                Faults {
                    lie_pan_deg: 3.0,
                    freeze: Freeze::Position,
                    ..healthy
                },
                [(0, 3.0), (0, 3.0), (0, 3.0), (0, 3.0)],
            ),
        ];
        for (faults, expected) in cases {
            assert_eq!(told(&faults), expected, "{faults:?}");
        }
    }

    #[test]
    fn a_patch_changes_what_it_names_and_refuses_the_rest() {
        let faults = Faults::default();
        let patched = faults
            .patched(&serde_json::json!({"delay_ms": 150.0, "freeze": "position"}))
            .unwrap();
        assert_eq!(
            (patched.delay_ms, patched.freeze),
            (150.0, Freeze::Position)
        );
        assert_eq!(patched.loss, 0.0);
        for bad in [
            serde_json::json!({"los": 1.0}),
            serde_json::json!({"loss": 1.5}),
            serde_json::json!({"size": [1281, 720]}),
            serde_json::json!([1]),
        ] {
            assert!(faults.patched(&bad).is_err(), "{bad}");
        }
    }
}
