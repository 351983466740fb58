//! From a viewer's SDP offer to our answer (RFC 9725's protocol turned round, as
//! draft-ietf-wish-whep describes): one video section, sent to, H.264 only.
//!
//! Runs on the caller's thread, so that a costly offer costs no viewer a frame.

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};

use str0m::change::SdpOffer;
use str0m::format::{Codec, PayloadParams};
use str0m::media::Direction;
use str0m::{Candidate, Rtc, RtcConfig};

use super::WhepRefused;
use crate::clock::SystemClock;
use crate::egress::webrtc::{LONGEST_DESCRIPTION, extensions, short};

/// Sections of an offer; WHEP has one or two.
const SECTIONS_AT_MOST: usize = 8;

/// What all answers have in common.
pub(super) struct Answerer {
    addresses: Vec<SocketAddr>,
    clock: SystemClock,
}

impl Answerer {
    /// `addresses` are those we are reached at.
    pub(super) fn new(addresses: Vec<SocketAddr>, clock: SystemClock) -> Self {
        Self { addresses, clock }
    }

    /// The session that `sdp` asks for, and the answer to it.
    pub(super) fn answer(&self, sdp: &str) -> Result<(Rtc, String), WhepRefused> {
        if sdp.len() > LONGEST_DESCRIPTION {
            return refuse("it is longer than 64 KiB");
        }
        // The text is a stranger's and the parser not ours.
        catch_unwind(AssertUnwindSafe(|| self.try_answer(sdp)))
            .unwrap_or_else(|_| refuse("it could not be read"))
    }

    fn try_answer(&self, sdp: &str) -> Result<(Rtc, String), WhepRefused> {
        let offer = SdpOffer::from_sdp_string(&receiving(sdp))
            .map_err(|e| WhepRefused::NotAnOffer(short(&e.to_string())))?;
        let stream = wanted(&offer)?;

        let mut config = RtcConfig::new()
            .set_ice_lite(true)
            .set_extension_map(extensions())
            .clear_codecs();
        let spec = stream.spec();
        config.codec_config().add_config(
            stream.pt(),
            stream.resend(),
            spec.codec,
            spec.clock_rate,
            spec.channels,
            spec.format,
        );
        let mut rtc = config.build(self.clock.instant());
        for address in &self.addresses {
            let candidate = Candidate::host(*address, "udp")
                .map_err(|e| WhepRefused::NotAnOffer(e.to_string()))?;
            rtc.add_local_candidate(candidate);
        }
        let answer = rtc
            .sdp_api()
            .accept_offer(offer)
            .map_err(|e| WhepRefused::NotAnOffer(short(&e.to_string())))?;
        let taken = answer
            .media_lines
            .iter()
            .any(|line| !line.disabled && line.direction() == Direction::SendOnly);
        if !taken {
            return Err(WhepRefused::NoH264);
        }
        Ok((rtc, candidates_with_video(&answer.to_sdp_string())))
    }
}

fn refuse<T>(why: &str) -> Result<T, WhepRefused> {
    Err(WhepRefused::NotAnOffer(why.to_owned()))
}

/// The payload to send, of those that `offer` can take.
fn wanted(offer: &SdpOffer) -> Result<PayloadParams, WhepRefused> {
    let lines = &offer.media_lines;
    if lines.len() > SECTIONS_AT_MOST {
        return refuse("it has too many sections");
    }
    // What a section is a section of can only be told from its printed name.
    let of = |kind: &'static str| lines.iter().filter(move |l| l.typ.to_string() == kind);
    if of("audio").count() + of("video").count() != lines.len() {
        return refuse("only video is served: leave out other sections than video and audio");
    }
    let (Some(video), 1) = (of("video").next(), of("video").count()) else {
        return refuse("it must have exactly one video section");
    };
    if let Some(wrong) = lines.iter().find_map(|line| line.check_consistent()) {
        return Err(WhepRefused::NotAnOffer(short(&wrong)));
    }
    if video.direction() != Direction::RecvOnly {
        return refuse("its video section does not receive");
    }
    video
        .rtp_params()
        .into_iter()
        .filter_map(|params| Some((rank(&params)?, params)))
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, params)| params)
        .ok_or(WhepRefused::NoH264)
}

/// How well a payload fits the encoder's constrained baseline (0 is best), or
/// `None` where it does not. Decoders of baseline, main and high read it too
/// (H.264, A.2). The level is not looked at: browsers offer 3.1 whatever they
/// decode, and say so by `level-asymmetry-allowed`.
fn rank(params: &PayloadParams) -> Option<u8> {
    let spec = params.spec();
    if spec.codec != Codec::H264 || spec.format.packetization_mode != Some(1) {
        return None;
    }
    // Where it is missing, RFC 6184, 8.1 takes baseline.
    let profile_level_id = spec.format.profile_level_id.unwrap_or(0x42_00_0a);
    let [_, profile_idc, constraints, _] = profile_level_id.to_be_bytes();
    match profile_idc {
        0x42 if constraints & 0x40 != 0 => Some(0),
        0x42 => Some(1),
        0x4d => Some(2),
        0x64 => Some(3),
        _ => None,
    }
}

/// `sdp` with `sendrecv` read as `recvonly`: a viewer may offer to send (WHEP
/// allows it), and we take nothing.
fn receiving(sdp: &str) -> String {
    lines(sdp)
        .map(|line| match line {
            "a=sendrecv" => "a=recvonly\r\n".to_owned(),
            line => format!("{line}\r\n"),
        })
        .collect()
}

/// str0m puts the candidates into the first section only; where that is an
/// audio section, rejected, no browser would look at them.
fn candidates_with_video(sdp: &str) -> String {
    let is_candidate =
        |line: &&str| line.starts_with("a=candidate:") || *line == "a=end-of-candidates";
    let candidates: Vec<&str> = lines(sdp)
        .filter(|line| line.starts_with("a=candidate:"))
        // All there are; none trickles in later (RFC 8840).
        .chain(["a=end-of-candidates"])
        .collect();
    let mut out = String::with_capacity(sdp.len() + 2);
    let mut in_video = false;
    for line in lines(sdp).filter(|line| !is_candidate(line)) {
        let begins = line.starts_with("m=");
        if begins && in_video {
            push(&mut out, &candidates);
        }
        if begins {
            in_video = line.starts_with("m=video ");
        }
        push(&mut out, &[line]);
    }
    if in_video {
        push(&mut out, &candidates);
    }
    out
}

fn push(out: &mut String, lines: &[&str]) {
    for line in lines {
        out.push_str(line);
        out.push_str("\r\n");
    }
}

fn lines(sdp: &str) -> impl Iterator<Item = &str> {
    sdp.lines().filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests;
