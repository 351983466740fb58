//! What the simulated camera does when nobody drives it.

use serde::{Deserialize, Serialize};

use super::axis::Drive;

/// A place a camera can be sent to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Degrees, growing to the right.
    pub pan_deg: f64,
    /// Degrees, growing upwards.
    pub tilt_deg: f64,
    /// Generic zoom, 0…1.
    #[serde(default)]
    pub zoom: f64,
}

/// The motion of the camera while no ONVIF client moves it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Script {
    /// Stand at one place.
    Still {
        /// Where.
        #[serde(flatten)]
        at: Place,
    },
    /// Turn round and round.
    SlowPan {
        /// Degrees per second; negative turns to the left.
        deg_per_s: f64,
        /// Tilt in degrees.
        tilt_deg: f64,
        /// Generic zoom, 0…1.
        zoom: f64,
    },
    /// Swing to and fro like a pendulum.
    Sweep {
        /// Speed in the middle of the swing, degrees per second.
        peak_deg_per_s: f64,
        /// Half the swing in degrees.
        amplitude_deg: f64,
        /// Middle of the swing, degrees.
        centre_pan_deg: f64,
        /// Tilt in degrees.
        tilt_deg: f64,
        /// Generic zoom, 0…1.
        zoom: f64,
    },
    /// Jump from place to place as fast as the drives allow.
    PresetJumps {
        /// How long to stand at each, in seconds, from the order to the next order.
        every_s: f64,
        /// Where to; the built-in presets when empty.
        #[serde(default)]
        places: Vec<Place>,
    },
    /// Zoom in and out through the whole range while turning; the turning
    /// slows down with the field of view, as operators do it.
    ZoomPan {
        /// Seconds from wide to tele.
        zoom_s: f64,
        /// Degrees per second at the wide end.
        wide_deg_per_s: f64,
        /// Tilt in degrees.
        tilt_deg: f64,
    },
    /// Turn while tilting down to the nadir and up again.
    Nadir {
        /// Seconds for one way down.
        period_s: f64,
        /// Degrees per second of pan.
        deg_per_s: f64,
        /// Highest tilt in degrees; the lowest is −90.
        top_tilt_deg: f64,
    },
}

impl Default for Script {
    fn default() -> Self {
        Self::Sweep {
            peak_deg_per_s: 60.0,
            amplitude_deg: 100.0,
            centre_pan_deg: 0.0,
            tilt_deg: -8.0,
            zoom: 0.0,
        }
    }
}

/// Orders for the three axes at one instant; zoom as generic zoom.
#[derive(Debug, Clone, Copy)]
pub(super) struct Orders {
    pub(super) pan: Drive,
    pub(super) tilt: Drive,
    pub(super) zoom: Drive,
}

/// What a script needs to know of the camera's present state.
#[derive(Debug, Clone, Copy)]
pub(super) struct Situation {
    pub(super) t_s: f64,
    /// f at wide / f now, in 0…1.
    pub(super) view_ratio: f64,
}

const GO: f64 = f64::INFINITY;

fn to(target: f64) -> Drive {
    Drive::To { target, speed: GO }
}

/// The presets every simulated camera starts with; jumps between them cross
/// the back of the camera and reach the drives' full speed.
pub(crate) const BUILT_IN_PLACES: [(&str, Place); 5] = [
    ("square", place(0.0, -14.0, 0.0)),
    ("houses east", place(52.0, -6.0, 0.2)),
    ("houses west", place(-58.0, -6.0, 0.1)),
    ("back gardens", place(176.0, -22.0, 0.0)),
    ("foot of the mast", place(20.0, -70.0, 0.0)),
];

const fn place(pan_deg: f64, tilt_deg: f64, zoom: f64) -> Place {
    Place {
        pan_deg,
        tilt_deg,
        zoom,
    }
}

impl Script {
    /// Where the camera stands before the first step.
    pub(super) fn start(&self) -> Place {
        match self {
            Self::Still { at } => *at,
            Self::SlowPan { tilt_deg, zoom, .. } => place(0.0, *tilt_deg, *zoom),
            Self::Sweep {
                amplitude_deg,
                centre_pan_deg,
                tilt_deg,
                zoom,
                ..
            } => place(centre_pan_deg - amplitude_deg, *tilt_deg, *zoom),
            Self::PresetJumps { places, .. } => {
                places.first().copied().unwrap_or(BUILT_IN_PLACES[0].1)
            }
            Self::ZoomPan { tilt_deg, .. } => place(0.0, *tilt_deg, 0.0),
            Self::Nadir { top_tilt_deg, .. } => place(0.0, *top_tilt_deg, 0.0),
        }
    }

    pub(super) fn orders(&self, now: Situation) -> Orders {
        let t = now.t_s;
        match self {
            Self::Still { at } => Orders {
                pan: to(at.pan_deg),
                tilt: to(at.tilt_deg),
                zoom: to(at.zoom),
            },
            Self::SlowPan {
                deg_per_s,
                tilt_deg,
                zoom,
            } => Orders {
                pan: Drive::At(*deg_per_s),
                tilt: to(*tilt_deg),
                zoom: to(*zoom),
            },
            Self::Sweep {
                peak_deg_per_s,
                amplitude_deg,
                centre_pan_deg,
                tilt_deg,
                zoom,
            } => {
                let omega = peak_deg_per_s / amplitude_deg;
                let (sin, cos) = (omega * t).sin_cos();
                Orders {
                    pan: Drive::Follow {
                        position: centre_pan_deg - amplitude_deg * cos,
                        speed: peak_deg_per_s * sin,
                    },
                    tilt: to(*tilt_deg),
                    zoom: to(*zoom),
                }
            }
            Self::PresetJumps { every_s, places } => {
                let turn = (t / every_s) as usize;
                let at = if places.is_empty() {
                    BUILT_IN_PLACES[turn % BUILT_IN_PLACES.len()].1
                } else {
                    places[turn % places.len()]
                };
                Orders {
                    pan: to(at.pan_deg),
                    tilt: to(at.tilt_deg),
                    zoom: to(at.zoom),
                }
            }
            Self::ZoomPan {
                zoom_s,
                wide_deg_per_s,
                tilt_deg,
            } => Orders {
                pan: Drive::At(wide_deg_per_s * now.view_ratio),
                tilt: to(*tilt_deg),
                zoom: to(0.5 - 0.5 * (std::f64::consts::PI * t / zoom_s).cos()),
            },
            Self::Nadir {
                period_s,
                deg_per_s,
                top_tilt_deg,
            } => {
                let half = (top_tilt_deg + 90.0) / 2.0;
                let omega = std::f64::consts::PI / period_s;
                Orders {
                    pan: Drive::At(*deg_per_s),
                    tilt: Drive::Follow {
                        position: half - 90.0 + half * (omega * t).cos(),
                        speed: -half * omega * (omega * t).sin(),
                    },
                    zoom: to(0.0),
                }
            }
        }
    }

    /// What is wrong with the numbers of a script, if anything.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        let (numbers, positive, places): (Vec<f64>, Vec<f64>, &[Place]) = match self {
            Self::Still { at } => (vec![], vec![], std::slice::from_ref(at)),
            Self::SlowPan {
                deg_per_s,
                tilt_deg,
                zoom,
            } => (vec![*deg_per_s, *tilt_deg, *zoom], vec![], &[]),
            Self::Sweep {
                peak_deg_per_s,
                amplitude_deg,
                centre_pan_deg,
                tilt_deg,
                zoom,
            } => (
                vec![*centre_pan_deg, *tilt_deg, *zoom],
                vec![*peak_deg_per_s, *amplitude_deg],
                &[],
            ),
            Self::PresetJumps { every_s, places } => (vec![], vec![*every_s], places),
            Self::ZoomPan {
                zoom_s,
                wide_deg_per_s,
                tilt_deg,
            } => (vec![*wide_deg_per_s, *tilt_deg], vec![*zoom_s], &[]),
            Self::Nadir {
                period_s,
                deg_per_s,
                top_tilt_deg,
            } => (vec![*deg_per_s, *top_tilt_deg], vec![*period_s], &[]),
        };
        let finite = |p: &Place| {
            [p.pan_deg, p.tilt_deg, p.zoom]
                .iter()
                .all(|x| x.is_finite())
        };
        if !numbers.iter().all(|x| x.is_finite()) || !places.iter().all(finite) {
            Some("a number of the motion script is not finite")
        } else if !positive.iter().all(|x| x.is_finite() && *x > 0.0) {
            Some("speeds, amplitudes and times of a motion script must be above 0")
        } else {
            None
        }
    }
}
