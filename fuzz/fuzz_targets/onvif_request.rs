//! Whatever a stranger sends to a camera's ONVIF device: a request or a refusal, no panic.
#![no_main]

use greyplane::onvif_device::request::{duration_s, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    if let Ok(request) = read(body) {
        assert!(!request.name().is_empty());
        let said = request.text("Timeout").and_then(duration_s);
        assert!(said.is_none_or(|s| s.is_finite() && s >= 0.0));
    }
});
