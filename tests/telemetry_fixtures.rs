//! What cameras answer to GetStatus or stream as metadata, and what becomes of it.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that fails should fail loudly"
)]

use greyplane::onvif::answers::{AnswerError, Moving, PtzStatus, ptz_status};
use greyplane::onvif::metadata;
use greyplane::pose::CameraProfile;
use std::path::{Path, PathBuf};

const PROFILE: &str = include_str!("fixtures/profile-generic.toml");

fn directory() -> PathBuf {
    folder("onvif")
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

/// The fixtures in a folder, by name.
fn fixtures(folder: &Path) -> Vec<String> {
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|f| f.unwrap().path())
        .map(|f| f.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    files.sort();
    files
}

/// What becomes of an answer, in one line.
fn judged(text: &str) -> String {
    match ptz_status(text) {
        Ok(status) => judged_status(&status),
        Err(AnswerError::Fault { code, .. }) => format!("fault {code}"),
        Err(AnswerError::Xml(e)) => format!("xml: {e}"),
        Err(e) => format!("refused: {e}"),
    }
}

fn judged_status(status: &PtzStatus) -> String {
    let profile = CameraProfile::from_toml(PROFILE).unwrap();
    if let Some(error) = &status.error {
        return format!("error flag: {error}");
    }
    match profile.map(&status.position) {
        Ok(p) => {
            let time = status.utc.map_or("no time".to_owned(), |u| {
                format!("to {} ms", u.resolution_ns / 1_000_000)
            });
            format!(
                "pan {:.1} tilt {:.1} zoom {:.2}, {time}",
                p.pan_deg, p.tilt_deg, p.zoom
            )
        }
        Err(reason) => reason.to_string(),
    }
}

#[test]
fn every_answer_is_mapped_or_refused_by_name() {
    let cases = [
        (
            "friendly-milliseconds",
            "pan 45.0 tilt -62.5 zoom 0.10, to 1 ms",
        ),
        (
            "friendly-other-prefixes",
            "pan 45.0 tilt -62.5 zoom 0.10, to 10 ms",
        ),
        (
            "hikvision-stuck-moving",
            "pan 45.0 tilt -62.5 zoom 0.10, to 1000 ms",
        ),
        ("hostile-deep", "xml: answer has more than 32 levels"),
        (
            "hostile-entity-bomb",
            "xml: answer defines or uses entities",
        ),
        (
            "hostile-external-entity",
            "xml: answer defines or uses entities",
        ),
        ("hostile-html", "xml: answer defines or uses entities"),
        (
            "hostile-undefined-entity",
            "xml: answer defines or uses entities",
        ),
        (
            "unnamed-0-to-360-in-a-generic-space",
            "position refused: pan 217.4 outside -1…1",
        ),
        (
            "unnamed-another-answer",
            "refused: answer lacks GetStatusResponse",
        ),
        (
            "unnamed-comma-decimals",
            "refused: pan is not a number: 0,25",
        ),
        (
            "unnamed-cut-short",
            "xml: answer is not well-formed at byte *",
        ),
        (
            "unnamed-degrees-in-their-own-space",
            "position refused: pan/tilt in another space: f.org/ver10/tptz/PanTiltSpaces/SphericalPositionSpaceDegrees",
        ),
        ("unnamed-empty-answer", "refused: answer lacks PTZStatus"),
        ("unnamed-error-flag", "error flag: PTZ motor stalled"),
        ("unnamed-infinite", "position refused: tilt is -inf"),
        ("unnamed-nan", "position refused: pan is NaN"),
        ("unnamed-no-position", "position refused: pan missing"),
        ("unnamed-no-space", "pan 45.0 tilt -62.5 zoom 0.10, to 1 ms"),
        ("unnamed-no-tilt", "position refused: tilt missing"),
        ("unnamed-no-time", "pan 45.0 tilt -62.5 zoom 0.10, no time"),
        ("unnamed-no-zoom", "position refused: zoom missing"),
        ("unnamed-not-authorised", "fault ter:NotAuthorized"),
        (
            "unnamed-two-answers",
            "refused: answer lacks GetStatusResponse",
        ),
        ("unnamed-two-positions", "position refused: pan missing"),
        ("unnamed-unescaped-ampersand", "xml: answer *"),
        (
            "unnamed-whole-seconds",
            "pan 45.0 tilt -62.5 zoom 0.10, to 1000 ms",
        ),
        (
            "unnamed-zoom-beyond-calibration",
            "zoom 1.700 not calibrated",
        ),
    ];
    let mut wrong = Vec::new();
    for (name, expected) in cases {
        let text = std::fs::read_to_string(directory().join(name).with_extension("xml")).unwrap();
        let got = judged(&text);
        let fits = match expected.strip_suffix('*') {
            Some(start) => got.starts_with(start),
            None => got == expected,
        };
        if !fits {
            wrong.push(format!("{name}: {got}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let files = fixtures(&directory());
    let mut named: Vec<&str> = cases.iter().map(|c| c.0).collect();
    named.sort_unstable();
    assert_eq!(files, named, "every fixture has its case");
}

#[test]
fn motion_words_are_kept_but_never_needed() {
    let read = |name: &str| {
        let text = std::fs::read_to_string(directory().join(name).with_extension("xml")).unwrap();
        let status = ptz_status(&text).unwrap();
        (status.pan_tilt, status.zoom)
    };
    assert_eq!(read("friendly-milliseconds"), (Moving::Idle, Moving::Idle));
    assert_eq!(
        read("hikvision-stuck-moving"),
        (Moving::Moving, Moving::Moving)
    );
    assert_eq!(
        read("friendly-other-prefixes"),
        (Moving::Unknown, Moving::Unknown)
    );
}

#[test]
fn every_metadata_document_is_mapped_or_refused_by_name() {
    let there = "pan 45.0 tilt -62.5 zoom 0.10, to 1 ms";
    let cases: [(&str, &[&str]); 14] = [
        ("documented-analytics-and-ptz", &[there]),
        ("documented-event", &[]),
        ("documented-ptz", &[there]),
        (
            "documented-two-moments",
            &[there, "pan 46.8 tilt -62.5 zoom 0.10, to 1 ms"],
        ),
        (
            "hostile-entity",
            &["metadata document: answer defines or uses entities"],
        ),
        ("hostile-envelope", &["metadata document is a Envelope"]),
        ("unnamed-field-of-view", &[there]),
        ("unnamed-moving-alone", &[]),
        ("unnamed-nan", &["position refused: pan is NaN"]),
        (
            "unnamed-no-time",
            &["pan 45.0 tilt -62.5 zoom 0.10, no time"],
        ),
        (
            "unnamed-other-space",
            &[
                "position refused: pan/tilt in another space: f.org/ver10/tptz/PanTiltSpaces/SphericalPositionSpaceDegrees",
            ],
        ),
        (
            "unnamed-two-documents",
            &["metadata document: answer is not well-formed at byte 65: a second root"],
        ),
        (
            "unnamed-whole-seconds",
            &["pan 45.0 tilt -62.5 zoom 0.10, to 1000 ms"],
        ),
        ("unnamed-zoom-missing", &["position refused: zoom missing"]),
    ];
    for (name, expected) in cases {
        let bytes = std::fs::read(folder("metadata").join(name).with_extension("xml")).unwrap();
        let found = metadata::text(&bytes, false).and_then(|t| metadata::ptz_statuses(&t));
        let found = match found {
            Ok(statuses) => statuses.iter().map(judged_status).collect(),
            Err(e) => vec![e.to_string()],
        };
        assert_eq!(found, expected, "{name}");
    }
    let named: Vec<&str> = cases.iter().map(|c| c.0).collect();
    assert_eq!(
        fixtures(&folder("metadata")),
        named,
        "every fixture has its case"
    );
}
