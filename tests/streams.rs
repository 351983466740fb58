//! What cameras really send: every codec and form that is taken is masked like
//! H.264, from a simulated camera through the gateway to a viewer; every other one
//! stays covered, and the status says why.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that fails should fail loudly"
)]

mod sound_support;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use greyplane::app::Gateway;
use greyplane::clock::{Clock, SystemClock};
use greyplane::config;
use greyplane::prove::{Leaks, Rgb, watch};
use greyplane::sim::motion::script::Script;
use greyplane::sim::{CANARY_RGB, Faults, Form, Pixels, Sim, SimConfig, SoundCodec, VideoCodec};
use greyplane::web::CameraStatus;
use sound_support::{Heard, Listener, with_ffmpeg};

/// Longer than anything may take on a busy machine, seconds.
const PATIENCE_S: f64 = 90.0;

/// A camera that sweeps over a street of private places, and the gateway before it.
struct Rig {
    sim: Sim,
    gateway: Gateway,
    clock: Arc<dyn Clock>,
    folder: tempfile::TempDir,
}

impl Rig {
    /// With the true private places as zones, or with none.
    fn new(form: Form, zones: bool) -> Self {
        Self::with_sound(form, zones, "drop")
    }

    /// The same, with that word about the camera's sound.
    fn with_sound(form: Form, zones: bool, sound: &str) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let sim = SimConfig {
            form,
            width: 640,
            height: 360,
            canary: true,
            // Nothing is hidden of it: a picture can tell when it was taken.
            frame_code: !zones,
            motion: Script::Sweep {
                peak_deg_per_s: 40.0,
                amplitude_deg: 90.0,
                centre_pan_deg: 0.0,
                tilt_deg: -10.0,
                zoom: 0.0,
            },
            ..SimConfig::default()
        };
        let sim = Sim::start(sim, clock.clone()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let none =
            r#"{"format": 1, "camera": "street", "nothing_private": "A test.", "zones": []}"#;
        let masks = if zones {
            sim.zones_json()
        } else {
            none.to_owned()
        };
        fs::write(path("street.json"), masks).unwrap();
        fs::write(path("street.profile.toml"), sim.profile().to_toml()).unwrap();
        let text = format!(
            "[gateway]\nrtsp_listen = \"127.0.0.1:0\"\nhttp_listen = \"127.0.0.1:0\"\n\n\
             [[camera]]\nid = \"street\"\nurl = \"{}\"\nmasks = \"street.json\"\n\
             profile = \"street.profile.toml\"\nsound = \"{sound}\"\n[camera.telemetry]\ndevice_url = \"{}\"\n",
            sim.rtsp_url(),
            sim.onvif_url()
        );
        fs::write(path("greyplane.toml"), text).unwrap();
        let config = config::load(&path("greyplane.toml")).unwrap_or_else(|e| panic!("{e}"));
        let gateway = Gateway::start(config, clock.clone()).unwrap();
        Self {
            sim,
            gateway,
            clock,
            folder,
        }
    }

    /// Says another word about the sound, and has the gateway read it.
    fn reload(&mut self, from: &str, to: &str) {
        let path = self.folder.path().join("greyplane.toml");
        let text = fs::read_to_string(&path).unwrap();
        let word = |sound: &str| format!("sound = \"{sound}\"");
        assert!(text.contains(&word(from)), "{text}");
        fs::write(&path, text.replace(&word(from), &word(to))).unwrap();
        self.gateway.reload(&path);
    }

    fn status(&self) -> CameraStatus {
        self.gateway.status().cameras.remove(0)
    }

    /// Watches as a viewer until `enough`; what was seen of the canary, and the status then.
    fn watch(
        &self,
        what: &str,
        enough: impl Fn(&Leaks, &CameraStatus) -> bool,
    ) -> (Leaks, CameraStatus) {
        let stop = AtomicBool::new(false);
        let url = self.gateway.stream_url("street");
        let seen = watch(
            &url,
            Rgb(CANARY_RGB),
            PATIENCE_S,
            &self.clock,
            &stop,
            |_, leaks| {
                if leaks.frames_seen > 10 && enough(leaks, &self.status()) {
                    stop.store(true, Ordering::SeqCst);
                }
            },
        );
        let leaks = seen.unwrap_or_else(|e| panic!("{what}: {e}")).leaks;
        let status = self.status();
        assert!(
            stop.load(Ordering::SeqCst),
            "{what}: waited in vain: {leaks:?} {status:?}"
        );
        (leaks, status)
    }
}

fn form(codec: VideoCodec, pixels: Pixels) -> Form {
    Form {
        codec,
        pixels,
        ..Form::default()
    }
}

/// Without zones the canary is seen, so it gets through; with them it is not,
/// while the camera turns and the picture is shown.
fn is_masked(what: &str, form: Form) {
    let (leaks, _) = Rig::new(form, false).watch(what, |leaks, _| leaks.canary_frames > 10);
    assert!(
        leaks.canary_pixels > 1_000,
        "{what} without zones: {leaks:?}"
    );
    let rig = Rig::new(form, true);
    let (leaks, status) = rig.watch(what, |leaks, now| {
        now.live_s > 4.0 && leaks.frames_seen > 75
    });
    assert_eq!(leaks.canary_pixels, 0, "{what}: {leaks:?} {status:?}");
    assert_eq!(status.late_frames, 0, "{what}");
    eprintln!("{what}: covered {:?}", status.covered_s);
}

#[test]
fn h264_is_masked_in_every_form_that_is_taken() {
    for (what, pixels, full_range) in [
        ("H.264", Pixels::I420, false),
        ("H.264 full range", Pixels::I420, true),
        ("H.264 4:2:2", Pixels::Y42b, false),
        ("H.264 4:4:4", Pixels::Y444, false),
        ("H.264 10 bits", Pixels::I420_10le, false),
    ] {
        let form = form(VideoCodec::H264, pixels);
        is_masked(what, Form { full_range, ..form });
    }
}

#[test]
fn h265_is_masked_in_every_form_that_is_taken() {
    for (what, pixels) in [
        ("H.265", Pixels::I420),
        ("H.265 10 bits", Pixels::I420_10le),
        ("H.265 4:2:2 10 bits", Pixels::I422_10le),
    ] {
        is_masked(what, form(VideoCodec::H265, pixels));
    }
}

#[test]
fn mjpeg_is_masked_with_both_its_kinds_of_chroma() {
    for (what, pixels) in [("MJPEG", Pixels::I420), ("MJPEG 4:2:2", Pixels::Y42b)] {
        is_masked(what, form(VideoCodec::Mjpeg, pixels));
    }
}

#[test]
fn av1_is_masked() {
    is_masked("AV1", form(VideoCodec::Av1, Pixels::I420));
}

#[test]
fn what_cannot_be_placed_or_decoded_stays_covered_and_the_status_says_why() {
    let plain = Form::default();
    let interlaced = Form {
        interlaced: true,
        ..plain
    };
    let oblong = |codec| Form {
        codec,
        pixel_aspect: [4, 3],
        ..plain
    };
    for (form, said) in [
        (
            interlaced,
            "interlaced video: set the camera to progressive",
        ),
        (oblong(VideoCodec::H264), "pixels of 4:3 are not square"),
        (oblong(VideoCodec::H265), "pixels of 4:3 are not square"),
        (
            form(VideoCodec::Mpeg4, Pixels::I420),
            "the camera sends video/MP4V-ES, application/VND.ONVIF.METADATA: set it to one of \
             H.264, H.265, MJPEG, AV1",
        ),
    ] {
        // Even where nothing is private.
        let rig = Rig::new(form, false);
        let (leaks, status) = rig.watch(said, |_, now| {
            let why = now.reason.as_deref().unwrap_or_default();
            why.contains(said)
        });
        assert_eq!(leaks.canary_pixels, 0, "{said}: {leaks:?}");
        assert_eq!(status.state, "no-signal", "{said}");
        assert!(status.live_s == 0.0, "{said}: {status:?}");
    }
}

#[test]
fn a_change_of_size_and_lost_packets_show_nothing_in_other_codecs_either() {
    for codec in [VideoCodec::H265, VideoCodec::Mjpeg, VideoCodec::Av1] {
        let what = format!("{codec:?}");
        let rig = Rig::new(form(codec, Pixels::I420), true);
        let (before, _) = rig.watch(&what, |_, now| now.live_s > 1.0);
        let faults = |size, rtp_loss| Faults {
            size,
            rtp_loss,
            ..Faults::default()
        };
        rig.sim.set_faults(&faults(Some([400, 224]), 0.0)).unwrap();
        let (other, covered) = rig.watch(&what, |_, now| {
            let why = now.reason.as_deref().unwrap_or_default();
            why.contains("stream changed") && why.ends_with("to 400x224")
        });
        rig.sim.set_faults(&faults(None, 0.003)).unwrap();
        let (again, _) = rig.watch(&what, |_, now| now.live_s > covered.live_s + 2.0);
        for leaks in [before, other, again] {
            assert_eq!(leaks.canary_pixels, 0, "{what}: {leaks:?}");
        }
    }
}

/// The SDP at `url`.
fn sdp(url: &str) -> String {
    let host = url.trim_start_matches("rtsp://").split('/').next().unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    write!(
        stream,
        "DESCRIBE {url} RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\n\r\n"
    )
    .unwrap();
    let (mut answer, mut some) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&answer).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            assert!(head.starts_with("RTSP/1.0 200"), "{head}");
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                (name.eq_ignore_ascii_case("content-length")).then(|| value.trim().parse().ok())?
            });
            if length.is_some_and(|length: usize| body.len() >= length) {
                return body.to_owned();
            }
        }
        let read = stream.read(&mut some).unwrap();
        assert!(read > 0, "cut off after {text}");
        answer.extend(&some[..read]);
    }
}

#[test]
fn a_cameras_sound_goes_nowhere() {
    let form = Form {
        audio: SoundCodec::Pcma,
        ..Form::default()
    };
    let alone = SimConfig {
        form,
        ..SimConfig::default()
    };
    let alone = Sim::start(alone, Arc::new(SystemClock::new())).unwrap();
    assert!(
        sdp(alone.rtsp_url()).contains("m=audio"),
        "the camera has sound"
    );
    drop(alone);
    let rig = Rig::new(form, true);
    let (leaks, _) = rig.watch("with sound", |_, now| now.live_s > 1.0);
    assert_eq!(leaks.canary_pixels, 0);
    let masked = sdp(&rig.gateway.stream_url("street"));
    assert!(masked.contains("m=video"), "{masked}");
    assert!(!masked.contains("m=audio"), "{masked}");
}

fn with_audio(audio: SoundCodec) -> Form {
    Form {
        audio,
        ..Form::default()
    }
}

/// Waits until the picture is shown and sound has come or is known not to.
fn settled(rig: &Rig, what: &str) -> CameraStatus {
    let (_, status) = rig.watch(what, |_, now| {
        let sound = &now.sound;
        let known = sound.passed > 25 || sound.problem.is_some() || sound.rule != "pass";
        now.live_s > 0.5 && known
    });
    status
}

/// How far a tone may be heard from the picture it belongs to: 40 ms, and a picture more, for
/// on a busy machine the one with the tone's number may be the one that is missing.
const APART_MS: f64 = 120.0;

/// Listens again, twice at most, where it was far from its picture: a busy machine keeps sender
/// reports from a viewer, who then lines both up by their arrival; what we send is no nearer then.
fn is_the_tone(what: &str, listen: impl Fn() -> Heard) {
    let far = |heard: &Heard| heard.apart_ms.is_none_or(|apart| apart.abs() >= APART_MS);
    let mut heard = listen();
    for _ in 0..2 {
        eprintln!("{what}: {heard:?}");
        if !far(&heard) {
            break;
        }
        heard = listen();
    }
    assert!(heard.tone > 0.8, "{what}: is it the tone? {heard:?}");
    assert!(
        heard.loud_windows > 50 && heard.quiet_windows > 50,
        "{what}: {heard:?}"
    );
    let apart = heard
        .apart_ms
        .unwrap_or_else(|| panic!("{what}: {heard:?}"));
    assert!(apart.abs() < APART_MS, "{what}: {heard:?}");
}

#[test]
fn passed_sound_is_heard_beside_its_picture_in_every_codec_that_is_taken() {
    let codecs = [
        (SoundCodec::Pcma, "G.711 A-law"),
        (SoundCodec::Pcmu, "G.711 µ-law"),
        (SoundCodec::Aac, "AAC"),
        (SoundCodec::Opus, "Opus"),
    ];
    std::thread::scope(|scope| {
        for (codec, name) in codecs {
            scope.spawn(move || {
                // Who watches here takes the picture alone.
                let rig = Rig::with_sound(with_audio(codec), false, "pass");
                let status = settled(&rig, name);
                assert_eq!(status.sound.codec, Some(name));
                assert_eq!(status.sound.problem, None);
                let url = rig.gateway.stream_url("street");
                let file = |name: &str| rig.folder.path().join(name);
                is_the_tone(name, || with_ffmpeg(&url, &file("v"), &file("a")));
                let status = rig.status();
                assert_eq!(status.late_frames, 0, "{name}");
                // At the first sender report sound moves to where its picture is.
                assert!(status.sound.left_out < 25, "{name}: {status:?}");
                if codec == SoundCodec::Pcma {
                    is_the_tone("with GStreamer", || {
                        Listener::open(&url).heard_until(|heard| heard.loud_windows > 100)
                    });
                }
                // A camera whose sound stops keeps nobody from its picture.
                let silent = Faults {
                    sound_silent: true,
                    ..Faults::default()
                };
                rig.sim.set_faults(&silent).unwrap();
                std::thread::sleep(Duration::from_secs(1));
                let listener = Listener::open(&url);
                let heard = listener.heard_until(|h| h.quiet_windows > 50 && h.pictures > 20);
                assert!(heard.loudest < 10, "{name}: {heard:?}");
            });
        }
    });
}

#[test]
fn a_muted_track_is_silence_and_sound_that_is_dropped_ends_for_those_who_hear_it() {
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let rig = Rig::with_sound(with_audio(SoundCodec::Aac), false, "mute");
            let status = settled(&rig, "muted");
            let url = rig.gateway.stream_url("street");
            assert!(sdp(&url).contains("m=audio 0 RTP/AVP 0"), "{}", sdp(&url));
            let file = |name: &str| rig.folder.path().join(name);
            let heard = with_ffmpeg(&url, &file("v"), &file("a"));
            assert_eq!(heard.loudest, 0, "{heard:?}");
            assert!(heard.quiet_windows > 100, "{heard:?}");
            assert_eq!((status.sound.passed, status.sound.problem), (0, None));
        });
        scope.spawn(|| {
            let rig = Rig::with_sound(Form::default(), false, "pass");
            let why = settled(&rig, "none").sound.problem;
            assert_eq!(why.as_deref(), Some("the camera offers none"));
        });
        scope.spawn(|| {
            let rig = Rig::with_sound(with_audio(SoundCodec::G726), false, "pass");
            let status = settled(&rig, "G.726");
            let why = status.sound.problem.unwrap_or_default();
            assert!(
                why.contains("G726-32 is not passed on: set the camera to"),
                "{why}"
            );
            assert!(!sdp(&rig.gateway.stream_url("street")).contains("m=audio"));
        });
        scope.spawn(|| {
            let mut rig = Rig::with_sound(with_audio(SoundCodec::Pcma), false, "pass");
            settled(&rig, "passed");
            let listener = Listener::open(&rig.gateway.stream_url("street"));
            listener.heard_until(|heard| heard.loud_windows > 30);
            rig.reload("pass", "drop");
            // What was on its way has come by now; the camera goes on for more than a second.
            std::thread::sleep(Duration::from_millis(500));
            let before = listener.pieces();
            std::thread::sleep(Duration::from_millis(1500));
            assert_eq!(listener.pieces(), before, "somebody still hears the camera");
            assert!(!sdp(&rig.gateway.stream_url("street")).contains("m=audio"));
            assert_eq!(rig.status().sound.rule, "drop");
        });
    });
}
