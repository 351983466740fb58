//! What makes a profile valid; finds every fault, not the first.

use super::{ProfileDocument, ProfileError, ProfileFault, ln_focal_of};
use crate::pose::curve::MonotoneCurve;

/// A profile is a page of text: more is not one.
const MOST_BYTES: usize = 256 * 1024;
const MOST_KNOTS: usize = 1024;

pub(super) fn parse(text: &str) -> Result<ProfileDocument, ProfileError> {
    if text.len() > MOST_BYTES {
        return Err(one(
            "document",
            format!("{} bytes", text.len()),
            "a profile is at most 256 KiB",
        ));
    }
    toml::from_str(text).map_err(|e| {
        let line = e.span().map_or_else(
            || "document".to_owned(),
            |s| {
                let before = text.get(..s.start).unwrap_or_default();
                format!("line {}", 1 + before.matches('\n').count())
            },
        );
        one(
            &line,
            e.message().to_owned(),
            "see the documented profile for the keys and their types",
        )
    })
}

fn one(place: &str, problem: String, remedy: &str) -> ProfileError {
    ProfileError {
        faults: vec![ProfileFault {
            place: place.to_owned(),
            problem,
            remedy: remedy.to_owned(),
        }],
    }
}

#[derive(Default)]
struct Faults(Vec<ProfileFault>);

impl Faults {
    fn add(&mut self, place: impl Into<String>, problem: impl Into<String>, remedy: &str) {
        self.0.push(ProfileFault {
            place: place.into(),
            problem: problem.into(),
            remedy: remedy.to_owned(),
        });
    }

    /// `value` must be finite and within `lo..=hi`.
    fn within(&mut self, place: &str, value: f64, lo: f64, hi: f64) {
        if !(value >= lo && value <= hi) {
            self.add(
                place,
                format!("is {value}"),
                &format!("give a number from {lo} to {hi}"),
            );
        }
    }

    fn text(&mut self, place: &str, value: &str) {
        if value.trim().is_empty() || value.len() > 512 {
            self.add(
                place,
                "is empty or longer than 512 bytes",
                "write what the camera reports",
            );
        }
    }

    fn axis(&mut self, place: &str, from: [f64; 2], to_deg: [f64; 2]) -> bool {
        let before = self.0.len();
        for (i, v) in from.iter().enumerate() {
            self.within(&format!("{place}.from[{i}]"), *v, -1e9, 1e9);
        }
        for (i, v) in to_deg.iter().enumerate() {
            self.within(&format!("{place}.to_deg[{i}]"), *v, -720.0, 720.0);
        }
        if self.0.len() > before {
            return false;
        }
        if (from[1] - from[0]).abs() < 1e-9 {
            self.add(
                format!("{place}.from"),
                "both ends are the same number",
                "give the camera's numbers at two different positions",
            );
        }
        if (to_deg[1] - to_deg[0]).abs() < 1e-6 {
            self.add(
                format!("{place}.to_deg"),
                "both ends are the same angle",
                "give the angles at the two ends",
            );
        }
        self.0.len() == before
    }
}

pub(super) fn checked_curve(d: &ProfileDocument) -> Result<MonotoneCurve, ProfileError> {
    let mut f = Faults::default();
    if d.format != 1 {
        f.add(
            "format",
            format!("is {}", d.format),
            "this version reads format 1",
        );
    }
    f.text("name", &d.name);
    f.text("position_space", &d.position_space);
    f.text("zoom_space", &d.zoom_space);
    axes(d, &mut f);
    f.within("distortion.k1", d.distortion.k1, -1.0, 1.0);
    f.within("distortion.k2", d.distortion.k2, -1.0, 1.0);
    f.within("mount.pan_deg", d.mount.pan_deg, -360.0, 360.0);
    f.within("mount.pitch_deg", d.mount.pitch_deg, -180.0, 180.0);
    f.within("mount.roll_deg", d.mount.roll_deg, -180.0, 180.0);
    let l = &d.limits;
    f.within("limits.max_speed_deg_s", l.max_speed_deg_s, 0.1, 2000.0);
    f.within("limits.max_accel_deg_s2", l.max_accel_deg_s2, 1.0, 1e5);
    f.within("limits.max_ln_focal_s", l.max_ln_focal_s, 0.01, 100.0);
    f.within("limits.max_ln_focal_s2", l.max_ln_focal_s2, 0.01, 1e4);
    let s = &d.sigma;
    f.within("sigma.angle_deg", s.angle_deg, 0.0, 10.0);
    f.within("sigma.roll_deg", s.roll_deg, 0.0, 10.0);
    f.within("sigma.ln_focal", s.ln_focal, 0.0, 1.0);
    f.within("sigma.parallax_deg", s.parallax_deg, 0.0, 30.0);
    f.within("sigma.capture_ms", s.capture_ms, 0.0, 1000.0);
    f.within("timing.exposure_ms", d.timing.exposure_ms, 0.0, 1000.0);
    f.within("timing.readout_ms", d.timing.readout_ms, 0.0, 1000.0);
    f.within(
        "picture.compression_px",
        d.picture.compression_px,
        2.0,
        200.0,
    );
    let curve = zoom(d, &mut f);
    match curve {
        Some(curve) if f.0.is_empty() => Ok(curve),
        _ => Err(ProfileError { faults: f.0 }),
    }
}

fn axes(d: &ProfileDocument, f: &mut Faults) {
    let turn = (d.pan.to_deg[1] - d.pan.to_deg[0]).abs();
    if f.axis("pan", d.pan.from, d.pan.to_deg) && d.pan.wraps && (turn - 360.0).abs() > 1e-6 {
        f.add(
            "pan.wraps",
            format!("is true but pan.to_deg spans {turn}°"),
            "span 360° or set wraps = false",
        );
    }
    f.axis("tilt", d.tilt.from, d.tilt.to_deg);
    for (i, v) in d.tilt.to_deg.iter().enumerate() {
        if v.is_finite() && v.abs() > 180.0 {
            f.add(
                format!("tilt.to_deg[{i}]"),
                format!("is {v}"),
                "tilt is measured from the horizon: −180 to 180",
            );
        }
    }
}

fn zoom(d: &ProfileDocument, f: &mut Faults) -> Option<MonotoneCurve> {
    let before = f.0.len();
    if d.zoom.len() < 2 || d.zoom.len() > MOST_KNOTS {
        f.add(
            "zoom",
            format!("has {} knots", d.zoom.len()),
            "measure the field of view at two zoom positions at least (and at most 1024)",
        );
        return None;
    }
    for (i, k) in d.zoom.iter().enumerate() {
        f.within(&format!("zoom[{i}].zoom"), k.zoom, -1e9, 1e9);
        f.within(&format!("zoom[{i}].hfov_deg"), k.hfov_deg, 0.1, 170.0);
    }
    for (i, w) in d.zoom.windows(2).enumerate() {
        // NaN was named above; here only what is in the wrong order.
        if w[1].zoom <= w[0].zoom {
            f.add(
                format!("zoom[{}].zoom", i + 1),
                format!("{} does not follow {}", w[1].zoom, w[0].zoom),
                "sort the knots by zoom, each once",
            );
        }
        if w[1].hfov_deg >= w[0].hfov_deg {
            f.add(
                format!("zoom[{}].hfov_deg", i + 1),
                format!("{}° is not narrower than {}°", w[1].hfov_deg, w[0].hfov_deg),
                "the field of view narrows as zoom grows; measure this knot again",
            );
        }
    }
    if f.0.len() > before {
        return None;
    }
    let knots: Vec<(f64, f64)> = d
        .zoom
        .iter()
        .map(|k| (k.zoom, ln_focal_of(k.hfov_deg)))
        .collect();
    let curve = MonotoneCurve::through(&knots);
    if curve.is_none() {
        f.add("zoom", "gives no curve", "space the knots further apart");
    }
    curve
}
