//! Whatever comes as an RTP packet: time stamps in its header extension are read or refused, no
//! panic; and a frame that gets a capture time of them gets none further from any than it says.
#![no_main]

use greyplane::stamp::{Chooser, Claim, header};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut chooser = Chooser::default();
    // The extension's number, then packets: a byte for the length, one for the stream's time.
    let Some((&number, mut rest)) = bytes.split_first() else {
        return;
    };
    let mut stream_ns = 1_000_000_000;
    while let Some(([length, step], after)) = rest.split_first_chunk::<2>() {
        let (packet, after) = after.split_at(after.len().min(usize::from(*length)));
        rest = after;
        stream_ns += u64::from(*step) * 1_000_000;
        let number = (number > 0).then_some(number);
        let Some([ntp_64, replay]) = header::claims(packet, number) else {
            continue;
        };
        assert!(ntp_64 == Claim::Silent || replay == Claim::Silent);
        let claims = [ntp_64, replay, Claim::Silent];
        if let Ok(captured) = chooser.take(&claims, stream_ns) {
            for claim in claims {
                if let Claim::At(at) = claim {
                    let apart = u128::from(at.0.abs_diff(captured.at.0));
                    assert!(apart <= captured.within.as_nanos());
                }
            }
        }
    }
});
