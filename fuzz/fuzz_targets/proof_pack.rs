//! Any bytes as a proof pack: nothing that was not signed is taken for one.
#![no_main]

use greyplane::proof;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Err(why) = proof::verify(bytes, None) {
        assert!(!why.to_string().is_empty());
    }
});
