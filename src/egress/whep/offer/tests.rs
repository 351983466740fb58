//! Offers as browsers write them, and as they should not be.

use super::*;

const HEAD: &str = "v=0\no=- 1 2 IN IP4 127.0.0.1\ns=-\nt=0 0\n";
const KEYS: &str = "c=IN IP4 0.0.0.0\na=rtcp-mux\na=ice-ufrag:abcd\na=ice-pwd:0123456789abcdef01234567\n\
    a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F\n\
    a=setup:actpass\n";
const AUDIO: &str = "a=rtpmap:111 opus/48000/2\na=fmtp:111 minptime=10;useinbandfec=1\n";
const VP8: &str = "a=rtpmap:96 VP8/90000\na=rtcp-fb:96 nack pli\n";

/// A section; `codecs` are its last lines, and name the payloads of its first.
fn section(kind: &str, mid: u8, direction: &str, codecs: &str) -> String {
    let payloads: Vec<&str> = codecs
        .lines()
        .filter_map(|l| l.strip_prefix("a=rtpmap:")?.split(' ').next())
        .collect();
    let payloads = payloads.join(" ");
    format!("m={kind} 9 UDP/TLS/RTP/SAVPF {payloads}\n{KEYS}a=mid:{mid}\na={direction}\n{codecs}")
}

fn h264(payload: u8, profile_level_id: &str, mode: u8) -> String {
    let rtx = payload + 1;
    format!(
        "a=rtpmap:{payload} H264/90000\na=rtcp-fb:{payload} nack\na=rtcp-fb:{payload} nack pli\n\
         a=fmtp:{payload} level-asymmetry-allowed=1;packetization-mode={mode};profile-level-id={profile_level_id}\n\
         a=rtpmap:{rtx} rtx/90000\na=fmtp:{rtx} apt={payload}\n"
    )
}

fn video(codecs: &str) -> String {
    section("video", 0, "recvonly", codecs)
}

/// The offer that these sections make.
fn whole(sections: &[String]) -> String {
    let sections = sections.concat();
    let mids: Vec<&str> = sections
        .lines()
        .filter_map(|l| l.strip_prefix("a=mid:"))
        .collect();
    let group = format!("a=group:BUNDLE {}", mids.join(" "));
    format!("{HEAD}{group}\n{sections}").replace('\n', "\r\n")
}

fn answer(sections: &[String]) -> Result<String, WhepRefused> {
    answer_text(&whole(sections))
}

fn answer_text(offer: &str) -> Result<String, WhepRefused> {
    let addresses = vec!["192.0.2.7:4000".parse().unwrap()];
    let (_, answer) = Answerer::new(addresses, SystemClock::new()).answer(offer)?;
    Ok(answer)
}

/// The lines of the answer's `kind` section.
fn of<'a>(answer: &'a str, kind: &str) -> Vec<&'a str> {
    answer
        .split("m=")
        .find(|section| section.starts_with(kind))
        .expect("such a section")
        .lines()
        .collect()
}

#[test]
fn the_best_h264_that_is_offered_is_taken() {
    let baseline = h264(100, "42001f", 1);
    let constrained = h264(102, "42e01f", 1);
    let constrained_of_main = h264(104, "4d801f", 1);
    let main = h264(106, "4d001f", 1);
    let high = h264(108, "640c1f", 1);
    let plain = "a=rtpmap:110 H264/90000\na=fmtp:110 packetization-mode=1\n".to_owned();
    let mode_0 = h264(112, "42e01f", 0);
    for (codecs, taken) in [
        (vec![&baseline, &constrained, &main, &high], 102),
        (vec![&high, &main, &baseline], 100),
        (vec![&high, &mode_0, &main], 106),
        (vec![&constrained_of_main], 104),
        (vec![&mode_0, &high], 108),
        (vec![&plain], 110),
    ] {
        let codecs: String = codecs.into_iter().cloned().collect();
        let answer = answer(&[video(&format!("{VP8}{codecs}"))]).unwrap();
        let lines = of(&answer, "video");
        let maps: Vec<&&str> = lines
            .iter()
            .filter(|l| l.starts_with("a=rtpmap:") && !l.contains("rtx"))
            .collect();
        assert_eq!(maps, [&format!("a=rtpmap:{taken} H264/90000")], "{codecs}");
        assert!(lines.contains(&"a=sendonly"), "{answer}");
        assert!(answer.contains("a=ice-lite"), "{answer}");
        assert!(answer.contains("192.0.2.7 4000 typ host"), "{answer}");
    }
}

#[test]
fn audio_is_rejected_and_video_is_not() {
    let codecs = h264(102, "42e01f", 1);
    for direction in ["recvonly", "sendrecv"] {
        for audio_first in [true, false] {
            let mut sections = vec![
                section("video", 0, direction, &codecs),
                section("audio", 1, direction, AUDIO),
            ];
            if audio_first {
                sections.reverse();
            }
            let answer = answer(&sections).unwrap();
            let (audio, video) = (of(&answer, "audio"), of(&answer, "video"));
            assert!(audio[0].starts_with("audio 0 "), "{answer}");
            assert!(video[0].starts_with("video 9 "), "{answer}");
            assert!(video.contains(&"a=sendonly"), "{answer}");
            let has_candidate = |lines: &[&str]| lines.iter().any(|l| l.contains("typ host"));
            assert!(has_candidate(&video) && !has_candidate(&audio), "{answer}");
            assert!(answer.contains("a=group:BUNDLE 0\r\n"), "{answer}");
            assert_eq!(answer.matches("a=end-of-candidates").count(), 1, "{answer}");
        }
    }
}

#[test]
fn what_is_no_use_is_refused() {
    let good = h264(102, "42e01f", 1);
    let without = |line: &str| {
        let offer = whole(&[video(&good)]);
        let kept: Vec<&str> = offer.lines().filter(|l| !l.starts_with(line)).collect();
        assert!(kept.len() < offer.lines().count(), "{line}");
        kept.join("\r\n") + "\r\n"
    };
    let refusal = |sections: &[String]| answer(sections).unwrap_err();
    for (what, refused, no_h264) in [
        ("no H.264", refusal(&[video(VP8)]), true),
        (
            "only mode 0",
            refusal(&[video(&h264(102, "42e01f", 0))]),
            true,
        ),
        (
            "extended profile",
            refusal(&[video(&h264(102, "58001f", 1))]),
            true,
        ),
        (
            "only audio",
            refusal(&[section("audio", 0, "recvonly", AUDIO)]),
            false,
        ),
        (
            "sends",
            refusal(&[section("video", 0, "sendonly", &good)]),
            false,
        ),
        (
            "inactive",
            refusal(&[section("video", 0, "inactive", &good)]),
            false,
        ),
        (
            "two videos",
            refusal(&[video(&good), section("video", 1, "recvonly", &good)]),
            false,
        ),
        (
            "a data channel",
            refusal(&[
                video(&good),
                format!(
                    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\n{KEYS}a=mid:1\na=sctp-port:5000\n"
                ),
            ]),
            false,
        ),
        (
            "nobody's fingerprint",
            answer_text(&without("a=fingerprint")).unwrap_err(),
            false,
        ),
        (
            "no ICE password",
            answer_text(&without("a=ice-pwd")).unwrap_err(),
            false,
        ),
        ("no mid", answer_text(&without("a=mid")).unwrap_err(), false),
        (
            "no direction",
            answer_text(&without("a=recvonly")).unwrap_err(),
            false,
        ),
        ("no head", answer_text(&without("v=")).unwrap_err(), false),
        ("nothing", answer_text("").unwrap_err(), false),
        ("a page", answer_text("<html></html>").unwrap_err(), false),
        ("zeros", answer_text("\0\0\0").unwrap_err(), false),
        (
            "too long",
            answer_text(&"a=x\r\n".repeat(20_000)).unwrap_err(),
            false,
        ),
        (
            "lite on both sides",
            answer_text(&whole(&[video(&good)]).replacen("m=", "a=ice-lite\r\nm=", 1)).unwrap_err(),
            false,
        ),
    ] {
        match &refused {
            WhepRefused::NoH264 => assert!(no_h264, "{what}"),
            WhepRefused::NotAnOffer(why) => assert!(!no_h264 && why.len() < 300, "{what}: {why}"),
            other => panic!("{what}: {other}"),
        }
    }
}

#[test]
fn an_offer_cut_off_anywhere_is_answered_or_refused() {
    let offer = whole(&[video(&h264(102, "42e01f", 1))]);
    let mut refused = 0;
    for end in 0..offer.len() {
        refused += usize::from(answer_text(&offer[..end]).is_err());
    }
    assert!(refused > offer.len() / 2);
    assert!(answer_text(&offer).is_ok());
}
