//! Any text as a camera profile: valid, or refused with at least one fault.
#![no_main]

use greyplane::pose::CameraProfile;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match CameraProfile::from_toml(text) {
        Ok(profile) => {
            let (lo, hi) = profile.zoom_range();
            assert!(profile.ln_focal(lo).is_some_and(f64::is_finite));
            assert!(profile.ln_focal(hi).is_some_and(f64::is_finite));
        }
        Err(e) => assert!(!e.faults.is_empty()),
    }
});
