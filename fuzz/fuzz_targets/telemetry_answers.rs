//! Whatever a camera answers over VAPIX, ISAPI or VISCA: something known or a refusal, no
//! panic, and nothing but numbers inside the profile's range gets through.
#![no_main]

use greyplane::pose::CameraProfile;
use greyplane::pose::profile::RawPosition;
use greyplane::telemetry::visca::{self, Question};
use greyplane::telemetry::{isapi, vapix};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

fn profile(space: &str, zoom_space: &str, degree: f64) -> Option<CameraProfile> {
    let generic = include_str!("../../tests/fixtures/profile-generic.toml");
    let mut d = CameraProfile::from_toml(generic).ok()?.document().clone();
    space.clone_into(&mut d.position_space);
    zoom_space.clone_into(&mut d.zoom_space);
    d.pan.from = d.pan.to_deg.map(|deg| deg * degree);
    d.tilt.from = d.tilt.to_deg.map(|deg| deg * degree);
    CameraProfile::from_document(d).ok()
}

static DEGREES: LazyLock<Option<CameraProfile>> =
    LazyLock::new(|| profile("vapix:degrees", "vapix:zoom-steps", 1.0));
static TENTHS: LazyLock<Option<CameraProfile>> =
    LazyLock::new(|| profile("isapi:tenths-of-degrees", "isapi:tenths-of-zoom", 10.0));

fn known(profile: Option<&CameraProfile>, raw: &RawPosition) {
    let Some(profile) = profile else { return };
    if let Ok(position) = profile.map(raw) {
        assert!(position.pan_deg.abs() <= 721.0 && position.tilt_deg.abs() <= 181.0);
        assert!(profile.ln_focal(position.zoom).is_some());
    }
}

fuzz_target!(|bytes: &[u8]| {
    for question in [Question::Reset, Question::PanTilt, Question::Zoom] {
        let _ = visca::reply(bytes, question, 7);
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(raw) = vapix::position(text) {
        known(DEGREES.as_ref(), &raw);
    }
    if let Ok(raw) = isapi::position(text) {
        known(TENTHS.as_ref(), &raw);
    }
});
