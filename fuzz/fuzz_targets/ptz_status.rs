//! Whatever a camera answers over ONVIF: something known or a refusal, no panic.
#![no_main]

use greyplane::onvif::answers;
use greyplane::pose::CameraProfile;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static PROFILE: LazyLock<Option<CameraProfile>> = LazyLock::new(|| {
    CameraProfile::from_toml(include_str!("../../tests/fixtures/profile-generic.toml")).ok()
});

fuzz_target!(|text: &str| {
    if let (Ok(status), Some(profile)) = (answers::ptz_status(text), PROFILE.as_ref())
        && let Ok(position) = profile.map(&status.position)
    {
        assert!(position.pan_deg.is_finite() && position.tilt_deg.is_finite());
        assert!(profile.ln_focal(position.zoom).is_some());
    }
    let _ = answers::presets(text);
    let _ = answers::profiles(text);
    let _ = answers::services(text);
    let _ = answers::system_time_s(text);
});
