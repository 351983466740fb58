//! Zone documents in files: the samples, the published schema, the round trip.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that fails should fail loudly"
)]

use greyplane::zone::{
    Document, Mode, PicturePoint, Preset, Shape, SpherePoint, Trim, Zone, ZoneSet,
};
use proptest::prelude::*;
use std::path::PathBuf;

fn masks() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("masks")
}

fn schema() -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(masks().join("zones.schema.json")).unwrap()).unwrap()
}

/// Written anew with `GREYPLANE_BLESS=1`.
#[test]
fn the_published_schema_is_the_codes() {
    let text = format!("{:#}\n", Document::schema());
    let path = masks().join("zones.schema.json");
    if std::env::var_os("GREYPLANE_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    // As values: the order of keys is not part of the schema.
    assert_eq!(schema(), Document::schema());
}

#[test]
fn the_samples_are_valid_and_round() {
    let schema = jsonschema::validator_for(&schema()).unwrap();
    for (name, camera, zones) in [
        ("street.json", "street", 4),
        ("fixed.json", "gate", 2),
        ("nothing-private.json", "harbour", 0),
    ] {
        let bytes = std::fs::read(masks().join(name)).unwrap();
        let set = ZoneSet::parse(&bytes, camera).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(set.zones().len(), zones, "{name}");
        assert!(ZoneSet::parse(&bytes, "another").is_err(), "{name}");
        let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert!(schema.is_valid(&value), "{name}");
        let typed: Document = serde_json::from_value(value).unwrap();
        assert_eq!(typed, *set.document(), "{name}");
    }
}

/// What the schema can see, it refuses as the reader does.
#[test]
fn the_schema_refuses_what_the_reader_refuses() {
    let schema = jsonschema::validator_for(&schema()).unwrap();
    let text = std::fs::read_to_string(masks().join("street.json")).unwrap();
    for (from, to) in [
        ("\"format\": 1", "\"format\": 2"),
        ("\"format\": 1", "\"format\": 1, \"colour\": 0"),
        ("\"street\"", "\"the street\""),
        ("\"hide\"", "\"blur\""),
        ("\"sphere\"", "\"cone\""),
        ("\"pan_deg\": -42.0", "\"pan_deg\": -4200.0"),
        ("\"pan_deg\": -42.0,", ""),
        ("\"pan_deg\": 0.12", "\"pan_deg\": 12"),
        ("\"mode\": \"hide\",", "\"mode\": \"hide\", \"size\": 1,"),
        ("\"tilt_deg\": -6.0", "\"tilt_deg\": -6.0, \"roll_deg\": 0"),
    ] {
        let bad = text.replacen(from, to, 1);
        assert_ne!(bad, text);
        let value: serde_json::Value = serde_json::from_str(&bad).unwrap();
        assert!(!schema.is_valid(&value), "{to}");
        assert!(ZoneSet::parse(bad.as_bytes(), "street").is_err(), "{to}");
    }
}

/// Coordinates as an editor writes them: at most seven digits after the point.
fn coordinate(low: i64, high: i64) -> impl Strategy<Value = f64> {
    (low * 10_000_000..high * 10_000_000).prop_map(|n| n as f64 / 1e7)
}

fn shapes() -> impl Strategy<Value = Shape> {
    let sphere =
        prop::collection::vec((coordinate(-20, 20), coordinate(-20, 20)), 3..5).prop_map(|p| {
            Shape::Sphere {
                points: p
                    .into_iter()
                    .map(|(pan_deg, tilt_deg)| SpherePoint { pan_deg, tilt_deg })
                    .collect(),
            }
        });
    let image = prop::collection::vec((coordinate(-1, 2), coordinate(-1, 2)), 3..5).prop_map(|p| {
        Shape::Image {
            points: p.into_iter().map(|(x, y)| PicturePoint { x, y }).collect(),
        }
    });
    prop_oneof![sphere, image]
}

prop_compose! {
    fn documents()(
        zones in prop::collection::vec(
            (shapes(), any::<bool>(), prop::option::of("[A-Za-z ,é\"\\\\]{0,20}x")), 1..6),
        presets in prop::collection::vec(
            (coordinate(-180, 180), coordinate(-90, 30), coordinate(0, 30), coordinate(-5, 5)), 0..3),
    ) -> Document {
        Document {
            format: 1,
            camera: "street".to_owned(),
            nothing_private: None,
            zones: zones.into_iter().enumerate().map(|(i, (shape, show, name))| Zone {
                id: format!("z{i}"),
                name,
                mode: if show { Mode::ShowOnly } else { Mode::Hide },
                shape,
            }).collect(),
            presets: presets.into_iter().enumerate().map(|(i, (pan, tilt, zoom, trim))| Preset {
                id: format!("p{i}"),
                name: None,
                pan_deg: pan,
                tilt_deg: tilt,
                zoom,
                trims: vec![Trim { zone: "z0".to_owned(), pan_deg: trim, tilt_deg: -trim }],
            }).collect(),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn documents_come_back_as_they_went(document in documents()) {
        // Crossed outlines are refused; that is another test's business.
        if let Ok(set) = ZoneSet::from_document(&document, "street") {
            prop_assert_eq!(set.document(), &document);
            let again = ZoneSet::from_document(set.document(), "street").unwrap();
            prop_assert_eq!(again, set);
        }
    }

    /// Any bytes, and any damage to a good document, give zones or errors.
    #[test]
    fn damage_is_told_not_suffered(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        cuts in prop::collection::vec((0..3000usize, any::<u8>()), 0..6),
    ) {
        let _ = ZoneSet::parse(&bytes, "street");
        let mut text = std::fs::read(masks().join("street.json")).unwrap();
        for (at, byte) in cuts {
            let at = at % text.len();
            text[at] = byte;
        }
        if let Err(errors) = ZoneSet::parse(&text, "street") {
            prop_assert!(!errors.errors.is_empty());
            prop_assert!(errors.iter().all(|e| !e.remedy.is_empty()));
        }
    }
}
