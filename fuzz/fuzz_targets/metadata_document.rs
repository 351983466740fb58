//! Whatever comes in a camera's metadata stream, packed or not: positions or a refusal,
//! no panic, and no more memory than a document may take.
#![no_main]

use greyplane::onvif::metadata::{self, MOST_STATUSES};
use greyplane::onvif::xml::MOST_BYTES;
use greyplane::pose::CameraProfile;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static PROFILE: LazyLock<Option<CameraProfile>> = LazyLock::new(|| {
    CameraProfile::from_toml(include_str!("../../tests/fixtures/profile-generic.toml")).ok()
});

fuzz_target!(|bytes: &[u8]| {
    for gzip in [false, true] {
        let Ok(text) = metadata::text(bytes, gzip) else {
            continue;
        };
        assert!(text.len() <= MOST_BYTES);
        let Ok(statuses) = metadata::ptz_statuses(&text) else {
            continue;
        };
        assert!(statuses.len() <= MOST_STATUSES);
        for status in statuses {
            if let Some(Ok(position)) = PROFILE.as_ref().map(|p| p.map(&status.position)) {
                assert!(position.pan_deg.is_finite() && position.tilt_deg.is_finite());
                assert_eq!(position.hfov_deg, None);
            }
        }
    }
});
