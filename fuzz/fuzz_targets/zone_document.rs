//! Any bytes as a zone document: zones or errors, and zones project wherever
//! the camera looks.
#![no_main]

use greyplane::geom::{Angle, Mount, Optics, Size};
use greyplane::pose::{Drift, Margin, PoseEstimate, Support};
use greyplane::zone::ZoneSet;
use libfuzzer_sys::fuzz_target;

const SIZE: Size = Size {
    width: 641,
    height: 359,
};

fuzz_target!(|bytes: &[u8]| {
    let set = match ZoneSet::parse_for_any_camera(bytes) {
        Ok(set) => set,
        Err(errors) => {
            assert!(!errors.errors.is_empty());
            assert!(!errors.to_string().is_empty());
            return;
        }
    };
    assert!(!set.zones().is_empty() || set.document().nothing_private.is_some());
    let again = ZoneSet::from_document(set.document(), &set.document().camera);
    assert!(again.is_ok(), "what was read is refused when written");
    for (pan_deg, tilt_deg, focal) in [(0.0, 0.0, 0.9), (179.0, -80.0, 0.5), (-20.0, 10.0, 9.0)] {
        let pose = PoseEstimate {
            pan: Angle::from_deg(pan_deg),
            tilt: Angle::from_deg(tilt_deg),
            roll: Angle::from_deg(1.0),
            focal,
            support: Support::Bracketed { gap_s: 0.1 },
            margin: Margin {
                angle: Angle::from_deg(0.5),
                radial: 0.002,
                floor_px: 2.0,
            },
            drift: Drift::default(),
        };
        let regions = set.regions(Some(&pose), &Optics::STRAIGHT, &Mount::LEVEL, SIZE);
        for region in regions.expect("such a pose places every zone") {
            assert!(region.outline.len() >= 3);
            assert!(region.outline.iter().all(|corner| {
                corner.at.x.is_finite() && corner.at.y.is_finite() && corner.margin_px >= 0.0
            }));
        }
    }
});
