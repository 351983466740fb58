//! Any text as the descriptor of a model, or as a manifest of models: valid, or refused
//! with a place.
#![no_main]

use greyplane::detect::Descriptor;
use greyplane::detect::manifest::Manifest;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match Descriptor::parse(text) {
        Ok(descriptor) => {
            assert!(descriptor.threshold > 0.0 && descriptor.threshold < 1.0);
            assert!(descriptor.input.long_side > 0);
        }
        Err(why) => assert!(!why.to_string().is_empty()),
    }
    if let Err(why) = Manifest::parse(text) {
        assert!(!why.to_string().is_empty());
    }
});
