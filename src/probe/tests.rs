//! What is judged without a camera: one function, many data.

use super::facts::{ProfileFacts, stabiliser, taken};
use super::head::{self, HeadFacts, Space};
use super::positions::{self, Answer, Asked, Heard};
use super::trace::{self, MotionFigures, Point, Trace};
use super::{DeviceFacts, Login, Report, open, write};
use crate::clock::{CaptureTime, Mono, WallTime};
use crate::config::{self, Kind};
use crate::doctor::{Finding, Verdict};
use crate::onvif::answers::{Moving, PtzStatus};
use crate::onvif::utc::UtcStamp;
use crate::onvif::xml::{self, Element};
use crate::pose::CameraProfile;
use crate::pose::profile::{GENERIC_POSITION_SPACE, GENERIC_ZOOM_SPACE, RawPosition};

const SPHERICAL: &str =
    "http://www.onvif.org/ver10/tptz/PanTiltSpaces/SphericalPositionSpaceDegrees";
/// 2026-11-22T12:00:00Z.
const NOON_NS: i64 = 1_795_348_800_000_000_000;
const MS: i64 = 1_000_000;

fn about<'f>(findings: &'f [Finding], check: &str) -> Option<(Verdict, &'f str)> {
    let ours = findings.iter().filter(|f| f.check == check);
    ours.max_by_key(|f| f.verdict)
        .map(|f| (f.verdict, f.what.as_str()))
}

fn generic_head() -> HeadFacts {
    let space = |uri: &str, x, y| Space {
        uri: uri.to_owned(),
        x,
        y,
    };
    HeadFacts {
        positions: vec![space(
            GENERIC_POSITION_SPACE,
            [-1.0, 1.0],
            Some([-1.0, 1.0]),
        )],
        zooms: vec![space(GENERIC_ZOOM_SPACE, [0.0, 1.0], None)],
        ..HeadFacts::default()
    }
}

/// A camera that rests: asked every 100 ms for ten seconds, it answers after 20 ms with a
/// position that it measured half-way, told in milliseconds by a clock 5 s ahead.
fn resting() -> Vec<(Answer, PtzStatus)> {
    (0..100u64)
        .map(|i| {
            let sent = Mono(3_600_000_000_000 + i * 100_000_000);
            let measured = NOON_NS + 5_000 * MS + i as i64 * 100 * MS + 10 * MS;
            let status = PtzStatus {
                position: RawPosition {
                    position_space: Some(GENERIC_POSITION_SPACE.to_owned()),
                    zoom_space: Some(GENERIC_ZOOM_SPACE.to_owned()),
                    pan: Some(0.25),
                    tilt: Some(-0.5),
                    zoom: Some(0.1),
                    hfov_deg: None,
                },
                pan_tilt: Moving::Idle,
                zoom: Moving::Idle,
                error: None,
                utc: Some(UtcStamp {
                    at: CaptureTime(measured / MS * MS),
                    resolution_ns: MS,
                }),
            };
            let answer = Answer {
                sent,
                received: Mono(sent.0 + 20_000_000),
                heard: Heard::Nothing(String::new()),
            };
            (answer, status)
        })
        .collect()
}

type Lie = fn(usize, &mut Answer, &mut PtzStatus);

fn judged(lie: Lie) -> (positions::PositionFigures, Vec<Finding>) {
    let answers = resting()
        .into_iter()
        .enumerate()
        .map(|(i, (mut answer, mut status))| {
            lie(i, &mut answer, &mut status);
            answer.heard = Heard::Status(status);
            answer
        });
    let asked = Asked {
        answers: answers.collect(),
        at: (Mono(3_600_000_000_000), WallTime(NOON_NS)),
    };
    positions::judge(&asked, Some(&generic_head()), 10.0)
}

#[test]
fn each_lie_of_a_resting_camera_is_named() {
    use Verdict::{Bad, Doubt, Good};
    let cases: [(&str, Lie, &str, Verdict, &str); 20] = [
        ("honest", |_, _, _| {}, "positions", Good, "pan 0.25"),
        ("honest", |_, _, _| {}, "utc-time", Good, "steps of 1 ms"),
        (
            "honest",
            |_, _, _| {},
            "rate",
            Good,
            "10.0 positions a second",
        ),
        ("honest", |_, _, _| {}, "move-status", Good, "IDLE"),
        ("5 s ahead", |_, _, _| {}, "clock", Doubt, "ahead of ours"),
        (
            "no position",
            |_, _, s| s.position = RawPosition::default(),
            "positions",
            Bad,
            "lack",
        ),
        (
            "no zoom",
            |_, _, s| s.position.zoom = None,
            "positions",
            Bad,
            "lack zoom",
        ),
        (
            "NaN",
            |_, _, s| s.position.pan = Some(f64::NAN),
            "positions",
            Bad,
            "that are none",
        ),
        (
            "0 to 360 in a generic space",
            |_, _, s| s.position.pan = Some(270.0),
            "positions",
            Bad,
            "270, outside -1 … 1",
        ),
        (
            "zeros",
            |_, _, s| {
                (s.position.pan, s.position.tilt, s.position.zoom) =
                    (Some(0.0), Some(0.0), Some(0.0))
            },
            "positions",
            Doubt,
            "0, 0, 0",
        ),
        (
            "two spaces",
            |i, _, s| {
                if i > 50 {
                    s.position.position_space = Some("urn:other".to_owned());
                }
            },
            "spaces",
            Bad,
            "several spaces",
        ),
        (
            "no space",
            |_, _, s| s.position.zoom_space = None,
            "spaces",
            Doubt,
            "name no space for zoom",
        ),
        (
            "no time",
            |_, _, s| s.utc = None,
            "utc-time",
            Bad,
            "do not say when",
        ),
        (
            "time stands",
            |_, _, s| {
                s.utc = Some(UtcStamp {
                    at: CaptureTime(NOON_NS),
                    resolution_ns: MS,
                })
            },
            "utc-time",
            Bad,
            "stood still",
        ),
        (
            "whole seconds",
            |_, _, s| {
                if let Some(utc) = &mut s.utc {
                    *utc = UtcStamp {
                        at: CaptureTime(utc.at.0.div_euclid(1000 * MS) * 1000 * MS),
                        resolution_ns: 1000 * MS,
                    };
                }
            },
            "utc-time",
            Doubt,
            "whole seconds",
        ),
        (
            "measured twice a second",
            |i, _, s| {
                if let Some(utc) = &mut s.utc {
                    utc.at.0 -= (i as i64 % 5) * 100 * MS;
                }
            },
            "utc-time",
            Doubt,
            "measured 2.0 times a second",
        ),
        (
            "a clock that runs",
            |i, _, s| {
                if let Some(utc) = &mut s.utc {
                    utc.at.0 += i as i64 * 2 * MS;
                }
            },
            "clock",
            Doubt,
            "gains 20",
        ),
        (
            "stuck",
            |_, _, s| (s.pan_tilt, s.zoom) = (Moving::Moving, Moving::Moving),
            "move-status",
            Doubt,
            "MOVING all the time",
        ),
        (
            "moves",
            |i, _, s| s.position.pan = Some(i as f64 * 1e-3),
            "move-status",
            Doubt,
            "by itself",
        ),
        (
            "30 s to an answer",
            |_, a, _| a.received = Mono(a.sent.0 + 30_000_000_000),
            "answer-time",
            Bad,
            "answers take 30000 ms",
        ),
    ];
    for (name, lie, check, verdict, words) in cases {
        let (_, findings) = judged(lie);
        let (found, what) =
            about(&findings, check).unwrap_or_else(|| panic!("{name}: {findings:#?}"));
        assert_eq!(found, verdict, "{name}: {findings:#?}");
        assert!(what.contains(words), "{name}: {findings:#?}");
    }
}

#[test]
fn figures_are_those_of_the_answers() {
    let (figures, _) = judged(|_, _, _| {});
    assert_eq!((figures.asked, figures.positions), (100, 100));
    let answer = figures.answer_ms.unwrap();
    assert!((answer.p50 - 20.0).abs() < 1e-6 && (answer.max - 20.0).abs() < 1e-6);
    let [offset, within] = figures.clock_offset_ms.unwrap();
    assert!(
        (offset - 5000.0).abs() <= within && within < 11.0,
        "{offset} ± {within}"
    );
    assert_eq!(figures.clock_drift_ms_s, None);
    assert!(figures.stale_ms.unwrap() < 1.0);
}

/// A way of 5° that takes 400 ms, looked at every 50 ms.
fn way(report: fn(f64) -> f64, moving: fn(f64) -> Moving) -> Trace {
    let told = Mono(3_600_000_000_000);
    let points = (1..40u64).map(|i| {
        let sent = Mono(told.0 + i * 50_000_000);
        let share = (i as f64 * 0.05 / 0.4).min(1.0);
        Point {
            sent,
            received: Mono(sent.0 + 5_000_000),
            at: [10.0 + 5.0 * report(share), -20.0],
            zoom: Some(0.0),
            moving: moving(share),
        }
    });
    Trace {
        from: [10.0, -20.0],
        to: [15.0, -20.0],
        told,
        points: points.collect(),
    }
}

#[test]
fn a_head_that_turns_shows_what_its_telemetry_is_worth() {
    use Verdict::{Bad, Doubt, Good};
    let honest = |share: f64| {
        if share < 1.0 {
            Moving::Moving
        } else {
            Moving::Idle
        }
    };
    type Report = fn(f64) -> f64;
    type Status = fn(f64) -> Moving;
    let cases: [(&str, Report, Status, &str, Verdict, &str); 6] = [
        ("honest", |s| s, honest, "follows", Good, "follows"),
        ("frozen", |_| 0.0, honest, "follows", Bad, "has not changed"),
        (
            "intends",
            |_| 1.0,
            honest,
            "follows",
            Bad,
            "tells where it is going",
        ),
        ("strays", |s| 0.5 * s, honest, "moves", Doubt, "elsewhere"),
        (
            "stuck",
            |s| s,
            |_| Moving::Moving,
            "move-status",
            Doubt,
            "stays MOVING",
        ),
        (
            "never moves",
            |s| s,
            |_| Moving::Idle,
            "move-status",
            Doubt,
            "says IDLE",
        ),
    ];
    let space = Space {
        uri: SPHERICAL.to_owned(),
        x: [-180.0, 180.0],
        y: Some([-90.0, 20.0]),
    };
    for (name, report, moving, check, verdict, words) in cases {
        let mut figures = MotionFigures {
            by: [5.0, 5.0],
            ..MotionFigures::default()
        };
        let findings = trace::judge(&[way(report, moving)], &space, &mut figures);
        let (found, what) =
            about(&findings, check).unwrap_or_else(|| panic!("{name}: {findings:#?}"));
        assert_eq!(found, verdict, "{name}: {findings:#?}");
        assert!(what.contains(words), "{name}: {findings:#?}");
    }
    // An honest one has nothing else against it.
    let mut figures = MotionFigures::default();
    let findings = trace::judge(&[way(|s| s, honest)], &space, &mut figures);
    assert!(findings.iter().all(|f| f.verdict == Good), "{findings:#?}");
    for spread in [0.0, 0.5] {
        figures.by = [5.0, 5.0];
        figures.returns_spread = Some([spread, 0.0]);
        let findings = trace::judge(&[way(|s| s, honest)], &space, &mut figures);
        let wanted = if spread > 0.1 { Doubt } else { Good };
        assert_eq!(
            about(&findings, "precision").unwrap().0,
            wanted,
            "{findings:#?}"
        );
    }
}

fn element(text: &str) -> Element {
    xml::read(text).unwrap()
}

#[test]
fn what_moves_the_picture_unseen_is_named() {
    let mode = |outer: &str, inner: &str, mode: &str| {
        element(&format!(
            "<A><Extension><{outer}><{inner}><Mode>{mode}</Mode></{inner}></{outer}></Extension></A>"
        ))
    };
    for (word, verdict) in [
        ("OFF", Verdict::Good),
        ("ON", Verdict::Bad),
        ("AUTO", Verdict::Bad),
    ] {
        let told = mode("ImagingSettings20", "ImageStabilization", word);
        assert_eq!(stabiliser(&told).unwrap().verdict, verdict, "{word}");
        let told = mode("PTControlDirection", "EFlip", word);
        assert_eq!(
            about(&head::turned_over(&told), "e-flip").unwrap().0,
            verdict,
            "{word}"
        );
    }
    assert_eq!(stabiliser(&element("<A/>")), None);
    let reverse = mode("PTControlDirection", "Reverse", "ON");
    assert_eq!(
        about(&head::turned_over(&reverse), "e-flip").unwrap().0,
        Verdict::Doubt
    );
    let mut digital = generic_head();
    digital.zooms[0].uri =
        "http://www.onvif.org/ver10/tptz/ZoomSpaces/NormalizedDigitalPosition".to_owned();
    assert_eq!(
        about(&head::spaces(&digital), "digital-zoom").unwrap().0,
        Verdict::Bad
    );
    assert_eq!(about(&head::spaces(&generic_head()), "digital-zoom"), None);
}

#[test]
fn nodes_are_read_and_hollow_ranges_are_none() {
    let node = element(
        "<PTZNode><SupportedPTZSpaces>\
         <AbsolutePanTiltPositionSpace><URI>a</URI><XRange><Min>-1</Min><Max>1</Max></XRange>\
         <YRange><Min>-1</Min><Max>0.5</Max></YRange></AbsolutePanTiltPositionSpace>\
         <AbsoluteZoomPositionSpace><URI>z</URI><XRange><Min>NaN</Min><Max>1</Max></XRange></AbsoluteZoomPositionSpace>\
         <AbsoluteZoomPositionSpace><URI>y</URI><XRange><Min>1</Min><Max>1</Max></XRange></AbsoluteZoomPositionSpace>\
         </SupportedPTZSpaces><HomeSupported>true</HomeSupported></PTZNode>",
    );
    let read = head::of(&node, None);
    assert_eq!(read.positions[0].y, Some([-1.0, 0.5]));
    assert!(read.home && read.zooms.is_empty());
}

#[test]
fn who_needs_no_login_is_told() {
    for (answer, verdict) in [
        (&b"RTSP/1.0 200 OK\r\n"[..], Some(Verdict::Doubt)),
        (b"RTSP/1.0 401 Unauthorized\r\n", Some(Verdict::Good)),
        (b"RTSP/1.0 404", Some(Verdict::Good)),
        (b"HTTP/1.1 200 OK\r\n", None),
        (b"RTSP/1.0 \xff", None),
        (b"", None),
    ] {
        let found = open::status(answer).map(|s| open::judge(s).verdict);
        assert_eq!(found, verdict, "{}", String::from_utf8_lossy(answer));
    }
}

#[test]
fn profiles_are_taken_in_the_gateways_own_words() {
    for (encoding, verdict) in [
        (Some("H264"), Verdict::Good),
        (Some("H265"), Verdict::Good),
        (Some("JPEG"), Verdict::Good),
        (Some("MPEG4"), Verdict::Doubt),
        (Some("AV1"), Verdict::Good),
        (None, Verdict::Good),
    ] {
        let profile = ProfileFacts {
            encoding: encoding.map(str::to_owned),
            ..ProfileFacts::default()
        };
        let finding = taken(&profile);
        assert_eq!(finding.verdict, verdict, "{finding:?}");
        let remedy = finding.remedy.unwrap_or_default();
        assert_eq!(
            remedy.contains("H.264, H.265, MJPEG, AV1"),
            verdict == Verdict::Doubt
        );
    }
}

fn report(head: Option<HeadFacts>) -> Report {
    Report {
        device_url: "http://10.0.0.5/onvif/device_service".to_owned(),
        device: Some(DeviceFacts {
            manufacturer: "A \"B\"\nurl = 1".to_owned(),
            model: "X-200 (Ω) PTZ".to_owned(),
            firmware: "1".to_owned(),
            serial: "2".to_owned(),
        }),
        profiles: vec![ProfileFacts {
            token: "p\"1".to_owned(),
            url: Some("rtsp://10.0.0.5/live".to_owned()),
            turns: head.is_some(),
            ..ProfileFacts::default()
        }],
        profile_token: Some("p\"1".to_owned()),
        head,
        ..Report::default()
    }
}

#[test]
fn what_is_written_is_in_order_and_keeps_the_picture_covered() {
    let mut spherical = generic_head();
    spherical.positions[0] = Space {
        uri: SPHERICAL.to_owned(),
        x: [-180.0, 180.0],
        y: Some([-90.0, 20.0]),
    };
    let heads = [
        None,
        Some(HeadFacts::default()),
        Some(generic_head()),
        Some(spherical),
    ];
    for head in heads {
        let folder = tempfile::tempdir().unwrap();
        let turns = head.clone();
        let files = write(folder.path(), &report(head), &Login::default(), 10.0).unwrap();
        let loaded = config::load(&files[0]);
        let config = loaded.unwrap_or_else(|problems| panic!("{turns:?}: {problems}"));
        let camera = &config.cameras[0];
        assert_eq!(camera.id, "x-200-ptz");
        assert_eq!(camera.masks.as_ref().unwrap().zones().len(), 1);
        assert_eq!(matches!(camera.kind, Kind::Fixed), turns.is_none());
        let Some(head) = turns else { continue };
        let text = std::fs::read_to_string(&files[2]).unwrap();
        let profile = CameraProfile::from_toml(&text).unwrap();
        let space = head.positions.first();
        let uri = |s: Option<&Space>| s.map(|s| s.uri.clone());
        let ends = |range: Option<[f64; 2]>| {
            let [low, high] = range.unwrap_or([-1.0, 1.0]);
            [low, (low + high) / 2.0, high]
        };
        for pan in ends(space.map(|s| s.x)) {
            for zoom in ends(head.zooms.first().map(|s| s.x)) {
                let raw = RawPosition {
                    position_space: uri(space),
                    zoom_space: uri(head.zooms.first()),
                    pan: Some(pan),
                    tilt: Some(0.0),
                    zoom: Some(zoom),
                    hfov_deg: None,
                };
                assert!(profile.map(&raw).is_err(), "{raw:?} is believed:\n{text}");
            }
        }
        let again = write(folder.path(), &report(Some(head)), &Login::default(), 10.0);
        assert!(again.unwrap_err().to_string().contains("not overwritten"));
    }
}
