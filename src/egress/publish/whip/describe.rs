//! Offer and answer: one video section, sent, H.264 only.

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};

use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::media::{Direction, MediaKind, Mid};
use str0m::{Candidate, Rtc, RtcConfig};

use crate::clock::SystemClock;
use crate::egress::webrtc::{extensions, short};

/// Payload types of H.264 and of what is sent again.
const PAYLOADS: (u8, u8) = (96, 97);
/// Constrained baseline, as our encoder makes it, level 3.1: what browsers write
/// whatever they send, with `level-asymmetry-allowed`. Servers compare the profile.
const PROFILE_LEVEL_ID: u32 = 0x42_e0_1f;

/// An offer, and what its answer will belong to.
pub(super) struct Offered {
    pub(super) rtc: Rtc,
    pub(super) sdp: String,
    pub(super) pending: SdpPendingOffer,
    /// Which section the stream goes into, once it is taken.
    pub(super) video: Mid,
}

/// An offer to send, from `addresses`.
pub(super) fn offer(addresses: &[SocketAddr], clock: &SystemClock) -> Result<Offered, String> {
    let mut config = RtcConfig::new()
        .set_extension_map(extensions())
        .clear_codecs();
    let (payload, again) = PAYLOADS;
    config
        .codec_config()
        .add_h264(payload.into(), Some(again.into()), true, PROFILE_LEVEL_ID);
    let mut rtc = config.build(clock.instant());
    for address in addresses {
        let candidate = Candidate::host(*address, "udp").map_err(|e| e.to_string())?;
        rtc.add_local_candidate(candidate);
    }
    let mut changes = rtc.sdp_api();
    let video = changes.add_media(MediaKind::Video, Direction::SendOnly, None, None, None);
    let (offer, pending) = changes.apply().ok_or("no offer could be made")?;
    Ok(Offered {
        // There is one section, and these are all its candidates (RFC 8840).
        sdp: offer.to_sdp_string() + "a=end-of-candidates\r\n",
        rtc,
        pending,
        video,
    })
}

/// The session that the server's answer makes of the offer.
pub(super) fn take(rtc: Rtc, pending: SdpPendingOffer, sdp: &str) -> Result<Rtc, String> {
    // The text is a stranger's and the parser not ours.
    catch_unwind(AssertUnwindSafe(move || try_take(rtc, pending, sdp)))
        .unwrap_or_else(|_| Err("the server's answer could not be read".to_owned()))
}

fn try_take(mut rtc: Rtc, pending: SdpPendingOffer, sdp: &str) -> Result<Rtc, String> {
    let unreadable =
        |why: String| format!("the server's answer is not understood: {}", short(&why));
    let answer = SdpAnswer::from_sdp_string(sdp).map_err(|e| unreadable(e.to_string()))?;
    let takes_video = answer
        .media_lines
        .iter()
        .any(|line| !line.disabled && line.direction() == Direction::RecvOnly);
    let takes_h264 = answer
        .media_lines
        .iter()
        .any(|line| !line.rtp_params().is_empty());
    if !takes_video || !takes_h264 {
        return Err("the server takes no H.264 with packetization-mode=1".to_owned());
    }
    rtc.sdp_api()
        .accept_answer(pending, answer)
        .map_err(|e| unreadable(e.to_string()))?;
    Ok(rtc)
}

#[cfg(test)]
mod tests {
    use super::*;
    use str0m::change::SdpOffer;

    fn offered() -> Offered {
        offer(&["127.0.0.1:4000".parse().unwrap()], &SystemClock::new()).unwrap()
    }

    /// What another state machine answers.
    fn answer(sdp: &str, h264: bool) -> String {
        let config = RtcConfig::new().clear_codecs();
        let config = if h264 {
            config.enable_h264(true)
        } else {
            config.enable_vp8(true)
        };
        let mut rtc = config.build(SystemClock::new().instant());
        let offer = SdpOffer::from_sdp_string(sdp).unwrap();
        let answer = rtc.sdp_api().accept_offer(offer).unwrap();
        answer.to_sdp_string()
    }

    #[test]
    fn an_offer_sends_one_h264_and_names_one_address() {
        let sdp = offered().sdp;
        assert_eq!(sdp.matches("m=").count(), 1, "{sdp}");
        assert_eq!(sdp.matches("a=candidate:").count(), 1, "{sdp}");
        assert!(sdp.contains("127.0.0.1 4000 typ host"), "{sdp}");
        for line in [
            "a=end-of-candidates",
            "a=sendonly",
            "a=setup:actpass",
            "a=rtcp-mux",
            "BUNDLE",
        ] {
            assert!(sdp.contains(line), "no {line} in {sdp}");
        }
        let formats: Vec<&str> = sdp.lines().filter(|l| l.starts_with("a=rtpmap")).collect();
        assert_eq!(formats, ["a=rtpmap:96 H264/90000", "a=rtpmap:97 rtx/90000"]);
        let format = "a=fmtp:96 ";
        let format = sdp.lines().find(|l| l.starts_with(format)).unwrap();
        assert!(format.contains("packetization-mode=1"), "{format}");
        assert!(format.contains("profile-level-id=42e01f"), "{format}");
    }

    #[test]
    fn an_answer_is_taken_where_it_takes_the_video() {
        let Offered {
            rtc, sdp, pending, ..
        } = offered();
        let good = answer(&sdp, true);
        take(rtc, pending, &good).unwrap();
        for (bad, what) in [
            (String::new(), "understood"),
            ("<html>no</html>".to_owned(), "understood"),
            (good.replace("a=recvonly", "a=inactive"), "no H.264"),
            (good.replace("m=video 9", "m=video 0"), "no H.264"),
            (answer(&sdp, false), "no H.264"),
            (good.replace("a=ice-pwd", "a=ice-pw"), "understood"),
        ] {
            let Offered { rtc, pending, .. } = offered();
            let why = take(rtc, pending, &bad).unwrap_err();
            assert!(why.contains(what), "{why}: {bad}");
        }
    }
}
