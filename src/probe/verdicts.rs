//! What is to be said about a camera that cannot be reached, about its profiles and its
//! stream. Pure.

use super::StreamFacts;
use super::facts::ProfileFacts;
use crate::doctor::Finding;
use crate::onvif::CameraError;
use crate::onvif::answers::AnswerError;
use crate::pipeline::{CannotStart, Glance};
use crate::stamp::{Captured, TimeSource, Untimed};
use std::time::Duration;

/// Sender reports that come later leave the picture covered for long after each start.
const LATE_REPORT: Duration = Duration::from_secs(6);

pub(super) fn unreached(error: &CameraError) -> Finding {
    const CHECK: &str = "reach";
    let what = error.to_string();
    let remedy = match error {
        CameraError::Answer(e) if e.is_unauthorised() => {
            "give --user and --password-file of an account of the camera; many cameras have accounts of their own for ONVIF, and a clock that is minutes wrong keeps everybody out"
        }
        CameraError::Answer(AnswerError::Fault { .. }) => "switch ONVIF on in the camera",
        CameraError::Answer(_) => {
            "this does not look like a camera's ONVIF service: give its whole address, http://HOST[:PORT]/onvif/device_service"
        }
        CameraError::Url { .. } => {
            "give HOST, HOST:PORT or http(s)://HOST[:PORT]/onvif/device_service"
        }
        CameraError::Client(_) => {
            "give --ca-file the PEM file of the CA that signed the camera's certificate"
        }
        CameraError::NoPtzProfile => "make a media profile with PTZ in the camera",
        CameraError::Transport(_) if what.starts_with("HTTP 401") => {
            "give --user and --password-file of an account of the camera"
        }
        CameraError::Transport(_) if what.starts_with("HTTP") => {
            "something answers there, but not as a camera: give the whole address, http://HOST[:PORT]/onvif/device_service"
        }
        CameraError::Transport(_) => {
            "look at address, port, cable and firewall; `greyplane probe --find` lists what answers on this network"
        }
    };
    Finding::bad(CHECK, what, remedy)
}

/// The profile that is looked at, and what is to be said where there is none.
pub(super) fn choose(
    profiles: &[ProfileFacts],
    wanted: Option<&str>,
) -> (Option<String>, Option<Finding>) {
    const CHECK: &str = "profiles";
    let token = |p: &ProfileFacts| Some(p.token.clone());
    if let Some(wanted) = wanted {
        let found = profiles.iter().find(|p| p.token == wanted);
        let unknown = || {
            let what = format!("the camera has no profile {wanted:?}");
            Finding::bad(CHECK, what, "name one of those listed as --profile-token")
        };
        return match found {
            Some(profile) => (token(profile), None),
            None => (None, Some(unknown())),
        };
    }
    let video = |p: &&ProfileFacts| p.url.is_some();
    let best = profiles.iter().filter(video).find(|p| p.turns);
    let best = best
        .or_else(|| profiles.iter().find(video))
        .or_else(|| profiles.first());
    let Some(best) = best else {
        return (None, None);
    };
    let fixed = (!best.turns).then(|| {
        Finding::good(
            CHECK,
            "no profile has PTZ: taken for a camera that does not turn",
        )
    });
    (token(best), fixed)
}

/// What the gateway would make of the stream.
pub(super) fn stream(
    url: &str,
    looked: Result<Glance, CannotStart>,
) -> (Option<StreamFacts>, Vec<Finding>) {
    const CHECK: &str = "stream";
    let seen = match looked {
        Ok(seen) => seen,
        Err(e) => {
            let remedy = "run `greyplane doctor`";
            return (None, vec![Finding::bad(CHECK, e.to_string(), remedy)]);
        }
    };
    let seconds = |d: Option<Duration>| d.map(|d| d.as_secs_f64());
    let facts = StreamFacts {
        url: url.to_owned(),
        codec: seen.codec,
        size: seen.size,
        fps: seen.fps,
        first_picture_s: seconds(seen.first_frame),
        first_capture_time_s: seconds(seen.first_capture),
        capture_time_by: seen.timed.and_then(|t| Some(t.ok()?.by.name())),
        refused: seen.refused.clone(),
    };
    if let Some(why) = seen.refused {
        let unauthorised = why.to_ascii_lowercase().contains("unauthorized");
        let remedy = match unauthorised {
            true => "the camera's RTSP wants another login: give it the same account",
            false => "until then the picture stays covered",
        };
        return (Some(facts), vec![Finding::bad(CHECK, why, remedy)]);
    }
    let (width, height) = seen.size.unwrap_or_default();
    let what = format!(
        "{} {width}x{height}, {:.1} pictures a second, the first after {:.1} s",
        seen.codec.unwrap_or("video"),
        seen.fps.unwrap_or_default(),
        facts.first_picture_s.unwrap_or_default(),
    );
    let findings = vec![
        Finding::good(CHECK, what),
        capture(seen.first_capture, seen.timed),
    ];
    (Some(facts), findings)
}

/// Who tells when pictures were taken, for people.
fn by(timed: Option<Result<Captured, Untimed>>) -> &'static str {
    match timed.and_then(Result::ok).map(|captured| captured.by) {
        Some(TimeSource::Ntp64) => "time stamps in its RTP packets (RFC 6051)",
        Some(TimeSource::OnvifReplay) => "time stamps in its RTP packets (ONVIF)",
        Some(TimeSource::SenderReport) | None => "sender reports",
    }
}

fn capture(first: Option<Duration>, timed: Option<Result<Captured, Untimed>>) -> Finding {
    const CHECK: &str = "capture-time";
    let doubt = timed.and_then(Result::err);
    if let Some(why) = doubt.filter(|why| *why != Untimed::Untold) {
        return Finding::bad(
            CHECK,
            format!("what tells when a picture was taken contradicts itself: {why}"),
            "set the camera's clock by NTP; where it goes on, switch the time stamps in its RTP packets off, or ask its maker",
        );
    }
    match first {
        None => Finding::bad(
            CHECK,
            "no sender report and no time stamp came: nobody knows when a picture was taken",
            "look longer (--look-seconds 20); if none comes then, update the firmware or ask its maker for RTCP sender reports",
        ),
        Some(after) if after > LATE_REPORT => Finding::doubt(
            CHECK,
            format!(
                "known after {:.1} s: covered for so long after each connection",
                after.as_secs_f64()
            ),
            "where the camera lets you, have sender reports sent more often, or time stamps in its RTP packets (RFC 6051)",
        ),
        Some(after) => Finding::good(
            CHECK,
            format!(
                "known after {:.1} s, from {}",
                after.as_secs_f64(),
                by(timed)
            ),
        ),
    }
}
