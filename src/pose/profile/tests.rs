use super::super::testing::PROFILE;
use super::*;

fn faults(change: &[(&str, &str)]) -> Vec<String> {
    let mut text = PROFILE.to_owned();
    for (from, to) in change {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    match CameraProfile::from_toml(&text) {
        Ok(_) => Vec::new(),
        Err(e) => e.faults.into_iter().map(|f| f.place).collect(),
    }
}

#[test]
fn the_documented_profile_is_valid() {
    assert_eq!(faults(&[]), [""; 0]);
}

#[test]
fn every_fault_has_its_place() {
    for (from, to, places) in [
        ("format = 1", "format = 2", vec!["format"]),
        ("format = 1", "format = 1\nsurprise = 1", vec!["line 2"]),
        ("wraps = true", "", vec!["line 5"]),
        ("name = \"test dome\"", "name = \" \"", vec!["name"]),
        ("k1 = -0.05", "k1 = nan", vec!["distortion.k1"]),
        ("k2 = 0.0", "k2 = inf", vec!["distortion.k2"]),
        (
            "max_accel_deg_s2 = 400.0",
            "max_accel_deg_s2 = 0.0",
            vec!["limits.max_accel_deg_s2"],
        ),
        (
            "angle_deg = 0.02",
            "angle_deg = -0.02",
            vec!["sigma.angle_deg"],
        ),
        (
            "exposure_ms = 10.0",
            "exposure_ms = -inf",
            vec!["timing.exposure_ms"],
        ),
        (
            "from = [-1.0, 1.0], to_deg = [-90",
            "from = [1.0, 1.0], to_deg = [-90",
            vec!["tilt.from"],
        ),
        (
            "to_deg = [-90.0, 20.0]",
            "to_deg = [-190.0, 20.0]",
            vec!["tilt.to_deg[0]"],
        ),
        (
            "to_deg = [-180.0, 180.0]",
            "to_deg = [-170.0, 170.0]",
            vec!["pan.wraps"],
        ),
        (
            "to_deg = [-180.0, 180.0]",
            "to_deg = [-180.0, nan]",
            vec!["pan.to_deg[1]"],
        ),
        ("zoom = 0.5", "zoom = 0.0", vec!["zoom[1].zoom"]),
        (
            "hfov_deg = 3.0",
            "hfov_deg = 15.0",
            vec!["zoom[2].hfov_deg"],
        ),
        ("hfov_deg = 3.0", "hfov_deg = nan", vec!["zoom[2].hfov_deg"]),
    ] {
        assert_eq!(faults(&[(from, to)]), places, "{from} -> {to}");
    }
}

#[test]
fn all_faults_are_told_at_once() {
    let found = faults(&[
        ("format = 1", "format = 7"),
        ("k1 = -0.05", "k1 = nan"),
        ("hfov_deg = 3.0", "hfov_deg = 30.0"),
        ("readout_ms = 0.0", "readout_ms = -1.0"),
        ("compression_px = 4.0", "compression_px = 1.0"),
    ]);
    assert_eq!(
        found,
        [
            "format",
            "distortion.k1",
            "timing.readout_ms",
            "picture.compression_px",
            "zoom[2].hfov_deg"
        ]
    );
}

#[test]
fn a_flood_is_no_profile() {
    let flood = format!("{PROFILE}\n# {}", "x".repeat(1 << 20));
    assert!(CameraProfile::from_toml(&flood).is_err());
}

#[test]
fn a_profile_survives_being_written_and_read() {
    let profile = CameraProfile::from_toml(PROFILE).unwrap();
    let written = toml::to_string(profile.document()).unwrap();
    assert_eq!(CameraProfile::from_toml(&written), Ok(profile));
}

fn raw(pan: f64, tilt: f64, zoom: f64) -> RawPosition {
    RawPosition {
        position_space: Some(GENERIC_POSITION_SPACE.to_owned()),
        zoom_space: Some(GENERIC_ZOOM_SPACE.to_owned()),
        pan: Some(pan),
        tilt: Some(tilt),
        zoom: Some(zoom),
        hfov_deg: None,
    }
}

#[test]
fn reports_become_degrees() {
    let profile = CameraProfile::from_toml(PROFILE).unwrap();
    for (pan, tilt, pan_deg, tilt_deg) in [
        (0.0, 0.0, 0.0, -35.0),
        (1.0, 1.0, 180.0, 20.0),
        (-1.0, -1.0, -180.0, -90.0),
        (1.001, -1.001, 180.18, -90.055),
    ] {
        let p = profile.map(&raw(pan, tilt, 0.5)).unwrap();
        assert!(
            (p.pan_deg - pan_deg).abs() < 1e-9 && (p.tilt_deg - tilt_deg).abs() < 1e-9,
            "{p:?}"
        );
    }
    let mirrored = PROFILE.replacen("to_deg = [-180.0, 180.0]", "to_deg = [180.0, -180.0]", 1);
    let p = CameraProfile::from_toml(&mirrored)
        .unwrap()
        .map(&raw(0.5, 0.0, 0.5))
        .unwrap();
    assert!((p.pan_deg + 90.0).abs() < 1e-9, "{p:?}");
}

#[test]
fn what_cannot_be_mapped_is_refused_and_never_zero() {
    let profile = CameraProfile::from_toml(PROFILE).unwrap();
    let good = raw(0.1, 0.1, 0.1);
    let with = |change: fn(&mut RawPosition)| {
        let mut r = good.clone();
        change(&mut r);
        profile.map(&r).unwrap_err().code()
    };
    for (code, expected) in [
        (with(|r| r.pan = None), "bad-position"),
        (with(|r| r.tilt = None), "bad-position"),
        (with(|r| r.zoom = None), "bad-position"),
        (with(|r| r.pan = Some(f64::NAN)), "bad-position"),
        (with(|r| r.tilt = Some(f64::INFINITY)), "bad-position"),
        (with(|r| r.zoom = Some(f64::NAN)), "bad-position"),
        (with(|r| r.pan = Some(1.01)), "bad-position"),
        (with(|r| r.tilt = Some(-45.0)), "bad-position"),
        (with(|r| r.hfov_deg = Some(-3.0)), "bad-position"),
        (
            with(|r| r.position_space = Some("urn:other".to_owned())),
            "bad-position",
        ),
        (with(|r| r.zoom_space = Some(String::new())), "bad-position"),
        (with(|r| r.zoom = Some(1.1)), "zoom-outside-calibration"),
        (with(|r| r.zoom = Some(-0.1)), "zoom-outside-calibration"),
    ] {
        assert_eq!(code, expected);
    }
}

/// The fit published for one lens, HFOV = 1.626·e^(0.634/(0.177+z)) (see the
/// field notes), met with 12 knots equally spaced in ln f.
#[test]
fn twelve_knots_meet_a_real_zoom_curve() {
    let hfov = |z: f64| 1.626 * (0.634 / (0.177 + z)).exp();
    let (lo, hi) = (ln_focal_of(hfov(0.0)), ln_focal_of(hfov(1.0)));
    let knots: Vec<String> = (0..12)
        .map(|i| {
            let wanted = lo + (hi - lo) * f64::from(i) / 11.0;
            let (mut a, mut b) = (0.0, 1.0);
            for _ in 0..60 {
                let z = (a + b) / 2.0;
                if ln_focal_of(hfov(z)) < wanted {
                    a = z
                } else {
                    b = z
                }
            }
            format!("{{ zoom = {a:.9}, hfov_deg = {:.9} }}", hfov(a))
        })
        .collect();
    let (before, rest) = PROFILE.split_once("zoom = [").unwrap();
    let (_, after) = rest.split_once("\n]").unwrap();
    let profile =
        CameraProfile::from_toml(&format!("{before}zoom = [{}]{after}", knots.join(","))).unwrap();
    let (first, last) = profile.zoom_range();
    let worst = (0..=1000)
        .map(|i| first + (last - first) * f64::from(i) / 1000.0)
        .map(|z| (profile.ln_focal(z.min(last)).unwrap() - ln_focal_of(hfov(z))).abs())
        .fold(0.0, f64::max);
    assert!(worst < 0.015, "{worst}");
    assert_eq!(profile.ln_focal(last + 1e-6), None);
}
