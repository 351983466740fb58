//! How many cameras fit.

use super::Finding;
use crate::config::Config;
use crate::machine::usage;
use crate::pipeline::{CannotStart, EncoderSettings, Trial};

const CHECK: &str = "cpu";
/// A gateway with zones costs this much of a plain decode and encode, measured at
/// 1080p (`design/figures.md`).
const MASKING: f64 = 1.11;
/// Share of the machine that is left for bursts, viewers and everything else.
const KEPT_FREE: f64 = 0.3;
/// One thread each to warm up and to measure would not be enough on a busy machine:
/// it is CPU time that is measured, not time.
const RUNS: u32 = 2;

pub(super) fn headroom(config: Option<&Config>) -> Finding {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    match measure() {
        Ok(Some(share)) => judge_cpu(share, cores, demand(config)),
        Ok(None) => Finding::bad(
            CHECK,
            "it did not decode and encode three seconds of 720p within two and a half",
            "give it a faster machine, or stop what else runs on it",
        ),
        Err(error) => Finding::bad(
            CHECK,
            format!("nothing could be measured: {error}"),
            "install what is missing, see gstreamer",
        ),
    }
}

/// CPU seconds that decoding and encoding a second of 720p25 takes; none where the
/// machine is too slow, or does not tell.
fn measure() -> Result<Option<f64>, CannotStart> {
    let settings = EncoderSettings {
        bitrate_kbit: 4000,
        ..EncoderSettings::default()
    };
    let trial = Trial::prepare(settings)?;
    let mut best: Option<f64> = None;
    for _ in 0..RUNS {
        let before = usage().map(|used| used.cpu_s);
        if !trial.run()? {
            break;
        }
        let after = usage().map(|used| used.cpu_s);
        let share = after.zip(before).map(|(a, b)| (a - b) / trial.seconds());
        best = match (best, share) {
            (Some(best), Some(share)) => Some(best.min(share)),
            (best, share) => share.or(best),
        };
    }
    Ok(best.filter(|share| *share > 0.0))
}

/// What is configured: cameras' streams, and the cores that looking at them may take.
pub(super) fn demand(config: Option<&Config>) -> (usize, f64) {
    let cameras = config.map_or(&[][..], |c| &c.cameras).iter();
    let all = cameras.map(|c| (c.streams_in_all(), c.detect.as_ref()));
    all.fold((0, 0.0), |(streams, looking), (n, detect)| {
        let share = detect.map_or(0.0, |detect| detect.cpu_share);
        (streams + n, looking + n as f64 * share)
    })
}

pub(super) fn judge_cpu(share: f64, cores: usize, (cameras, looking): (usize, f64)) -> Finding {
    let usable = cores as f64 * (1.0 - KEPT_FREE);
    let fit = (usable - looking).max(0.0) / (share * MASKING);
    let mut what = format!(
        "a 720p25 stream takes {:.0} % of a core; about {:.0} such cameras fit on {cores} cores",
        share * MASKING * 100.0,
        fit.floor()
    );
    if looking > 0.0 {
        what.push_str(&format!(
            ", with {looking:.1} cores for looking at those configured"
        ));
    }
    if cameras as f64 <= fit {
        return Finding::good(CHECK, what);
    }
    what.push_str(&format!("; {cameras} are configured"));
    Finding::doubt(
        CHECK,
        what,
        "more or faster cores, smaller streams, a hardware encoder, or less detector_cpu_percent; a camera of 1080p takes 2.3 times as much",
    )
}
