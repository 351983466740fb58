use super::*;
use crate::geom::Angle;
use crate::pose::{Drift, Margin, Support};

const SIZE: Size = Size {
    width: 1280,
    height: 720,
};

fn sphere(id: &str, mode: Mode, points: &[(f64, f64)]) -> Zone {
    let points = points
        .iter()
        .map(|&(pan_deg, tilt_deg)| SpherePoint { pan_deg, tilt_deg })
        .collect();
    Zone {
        id: id.to_owned(),
        name: Some("No. 3, the garden".to_owned()),
        mode,
        shape: Shape::Sphere { points },
    }
}

fn image(id: &str, mode: Mode, points: &[(f64, f64)]) -> Zone {
    let points = points.iter().map(|&(x, y)| PicturePoint { x, y }).collect();
    Zone {
        id: id.to_owned(),
        name: None,
        mode,
        shape: Shape::Image { points },
    }
}

fn document(zones: Vec<Zone>) -> Document {
    Document {
        format: FORMAT,
        camera: "street".to_owned(),
        nothing_private: None,
        zones,
        presets: Vec::new(),
    }
}

const SQUARE: [(f64, f64); 4] = [(-2.0, -2.0), (2.0, -2.0), (2.0, 2.0), (-2.0, 2.0)];
const LEFT_HALF: [(f64, f64); 4] = [(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)];

fn pose(pan_deg: f64) -> PoseEstimate {
    PoseEstimate {
        drift: Drift::default(),
        pan: Angle::from_deg(pan_deg),
        tilt: Angle::from_deg(0.0),
        roll: Angle::from_deg(0.0),
        focal: 0.866,
        support: Support::Bracketed { gap_s: 0.1 },
        margin: Margin {
            angle: Angle::from_deg(0.2),
            radial: 0.001,
            floor_px: 2.0,
        },
    }
}

fn errors(text: &str) -> ZoneErrors {
    ZoneSet::parse(text.as_bytes(), "street").expect_err(text)
}

/// A document with `zones` and what follows as the rest of its members.
fn with(zones: &str, rest: &str) -> String {
    format!(r#"{{"format":1,"camera":"street","zones":[{zones}]{rest}}}"#)
}

fn with_points(kind: &str, points: &str) -> String {
    with(
        &format!(r#"{{"id":"z","mode":"hide","shape":{{"type":"{kind}","points":[{points}]}}}}"#),
        "",
    )
}

/// What was drawn for one picture, in one that may lie some pixels beside it.
#[test]
fn zones_of_a_picture_grow_and_so_does_its_rim() {
    let text = r#"{"format": 1, "camera": "c.p", "zones": [
        {"id": "w", "mode": "hide", "shape": {"type": "image", "points": [
            {"x": 0.4, "y": 0.4}, {"x": 0.6, "y": 0.4}, {"x": 0.6, "y": 0.6}, {"x": 0.4, "y": 0.6}]}},
        {"id": "beyond", "mode": "hide", "shape": {"type": "image", "points": [
            {"x": 1.01, "y": 0.4}, {"x": 1.5, "y": 0.4}, {"x": 1.5, "y": 0.6}]}}]}"#;
    let zones = ZoneSet::parse(text.as_bytes(), "c.p").unwrap();
    let size = Size {
        width: 1000,
        height: 500,
    };
    let hides = |more_px: f64, x: usize, y: usize| {
        let regions = zones.picture_regions(size, more_px).unwrap();
        crate::paint::Coverage::of_regions(size, &regions, false).hides(x, y)
    };
    for (more_px, x, y, hidden) in [
        (0.0, 500, 250, true),
        (0.0, 390, 250, false),
        (10.0, 388, 250, true),
        (10.0, 380, 250, false),
        (0.0, 2, 100, false),
        (10.0, 9, 100, true),
        (10.0, 12, 100, false),
        (10.0, 990, 490, true),
        (10.0, 300, 9, true),
        (10.0, 300, 491, true),
        (30.0, 975, 210, true),
    ] {
        assert_eq!(hides(more_px, x, y), hidden, "{more_px} px: {x}, {y}");
    }
    for none in [f64::NAN, -1.0, f64::INFINITY] {
        assert!(zones.picture_regions(size, none).is_err(), "{none}");
    }
}

#[test]
fn one_mistake_is_named_with_its_place() {
    let good = r#"{"id":"z","mode":"hide","shape":{"type":"image","points":[{"x":0,"y":0},{"x":1,"y":0},{"x":1,"y":1}]}}"#;
    let preset = |body: &str| {
        with(
            good,
            &format!(
                r#","presets":[{{"id":"p","pan_deg":0,"tilt_deg":0,"zoom":1,"trims":[{body}]}}]"#
            ),
        )
    };
    for (text, path, what) in [
        (String::new(), "", "not JSON"),
        ("[".repeat(100_000), "", "not JSON: recursion limit"),
        (
            r#"{"format":1,"camera":"street","zones":[],"zones":[],"nothing_private":"a sea"}"#
                .to_owned(),
            "zones",
            "twice",
        ),
        (r#"[]"#.to_owned(), "", "expected an object, found a list"),
        (r#"{}"#.to_owned(), "format", "is missing"),
        (
            r#"{"format":2,"camera":5,"zones":"?"}"#.to_owned(),
            "format",
            "unknown format",
        ),
        (with(good, r#","colour":"red""#), "colour", "unknown key"),
        (
            with(good, "").replace("street", "harbour"),
            "camera",
            "for camera `harbour`, not for `street`",
        ),
        (
            with(good, "").replace("street", "../street"),
            "camera",
            "is not an id",
        ),
        (with("", ""), "zones", "everything would be seen"),
        (
            with("", r#","nothing_private":"  ""#),
            "nothing_private",
            "empty",
        ),
        (
            with(good, r#","nothing_private":"a sea""#),
            "nothing_private",
            "there are zones",
        ),
        (
            with(&format!("{good},{good}"), ""),
            "zones[1].id",
            "index 0 has the id `z`",
        ),
        (
            with(&good.replace("hide", "blur"), ""),
            "zones[0].mode",
            "unknown mode `blur`",
        ),
        (
            with(&good.replace("\"x\":1,\"y\":1", "\"x\":1"), ""),
            "zones[0].shape.points[2].y",
            "is missing",
        ),
        (
            with(
                &good.replace("\"x\":1,\"y\":1", "\"x\":1,\"y\":1,\"z\":1"),
                "",
            ),
            "zones[0].shape.points[2].z",
            "unknown key",
        ),
        (
            with(&good.replace("\"x\":1,\"y\":1", "\"x\":1,\"y\":null"), ""),
            "zones[0].shape.points[2].y",
            "found null",
        ),
        (
            with(&good.replace("\"x\":1,\"y\":1", "\"x\":1,\"y\":2.01"), ""),
            "zones[0].shape.points[2].y",
            "2.01 is out of range",
        ),
        (
            with(&good.replace("\"x\":1,\"y\":1", "\"x\":1,\"y\":1e999"), ""),
            "",
            "number out of range",
        ),
        (
            with(&good.replace("\"x\":1,\"y\":1", "\"x\":1,\"y\":NaN"), ""),
            "",
            "not JSON",
        ),
        (
            with_points("cone", ""),
            "zones[0].shape.type",
            "unknown type of shape `cone`",
        ),
        (
            with_points("image", r#"{"x":0,"y":0},{"x":1,"y":0}"#),
            "zones[0].shape.points",
            "2 points enclose nothing",
        ),
        (
            with_points("image", r#"{"x":0,"y":0},{"x":1,"y":0},{"x":0,"y":0}"#),
            "zones[0].shape.points[2]",
            "points 0 and 2 are the same",
        ),
        (
            with_points(
                "sphere",
                r#"{"pan_deg":0,"tilt_deg":0},{"pan_deg":1,"tilt_deg":1},{"pan_deg":1,"tilt_deg":0},{"pan_deg":0,"tilt_deg":1}"#,
            ),
            "zones[0].shape.points[2]",
            "cross or touch",
        ),
        (
            with_points(
                "sphere",
                r#"{"pan_deg":0,"tilt_deg":-1},{"pan_deg":120,"tilt_deg":-1},{"pan_deg":240,"tilt_deg":-1}"#,
            ),
            "zones[0].shape.points",
            "at most 80°",
        ),
        (
            with_points(
                "sphere",
                r#"{"pan_deg":0,"tilt_deg":91},{"pan_deg":1,"tilt_deg":0},{"pan_deg":2,"tilt_deg":1}"#,
            ),
            "zones[0].shape.points[0].tilt_deg",
            "91 is out of range",
        ),
        (
            with_points(
                "image",
                r#"{"x":0,"y":0},"#.repeat(10_001).trim_end_matches(','),
            ),
            "zones[0].shape.points",
            "10001 points",
        ),
        (
            preset(r#"{"zone":"y","pan_deg":0,"tilt_deg":0}"#),
            "presets[0].trims[0].zone",
            "there is no zone `y`",
        ),
        (
            preset(r#"{"zone":"z","pan_deg":5.5,"tilt_deg":0}"#),
            "presets[0].trims[0].pan_deg",
            "5.5 is out of range",
        ),
        (
            preset(
                r#"{"zone":"z","pan_deg":0,"tilt_deg":0},{"zone":"z","pan_deg":0,"tilt_deg":0}"#,
            ),
            "presets[0].trims[1].zone",
            "index 0 has the id `z`",
        ),
    ] {
        let found = errors(&text);
        let shown = &text[..text.len().min(200)];
        assert_eq!(found.errors.len(), 1, "{shown}: {found}");
        assert_eq!(found.errors[0].path, path, "{shown}: {found}");
        assert!(found.errors[0].what.contains(what), "{shown}: {found}");
        assert!(!found.errors[0].remedy.is_empty(), "{shown}");
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = r#"{
  "format": 1,
  "camera": "harbour",
  "zones": [
    {"id": "a", "mode": "hide", "shape": {"type": "sphere", "points": [
      {"pan_deg": 0, "tilt_deg": 0},
      {"pan_deg": 400, "tilt": 3}
    ]}},
    {"id": "a", "mode": "dim", "colour": 3, "shape": {"type": "image", "points": 7}}
  ],
  "presets": [{"id": "p", "pan_deg": "x", "tilt_deg": 0, "zoom": 1,
    "trims": [{"zone": "nobody", "pan_deg": 0, "tilt_deg": 0}, {"zone": "a", "pan_deg": 1, "tilt_deg": 0}]}]
}"#;
    let found = errors(text);
    let told: Vec<_> = found
        .iter()
        .map(|e| (e.path.as_str(), e.at.unwrap_or_default().0))
        .collect();
    assert_eq!(
        told,
        [
            ("camera", 3),
            ("zones[0].shape.points[1].tilt", 7),
            ("zones[0].shape.points[1].pan_deg", 7),
            ("zones[0].shape.points[1].tilt_deg", 7),
            ("zones[1].colour", 9),
            ("zones[1].id", 9),
            ("zones[1].mode", 9),
            ("zones[1].shape.points", 9),
            ("presets[0].pan_deg", 11),
            ("presets[0].trims[0].zone", 12),
        ],
        "{found}"
    );
}

#[test]
fn floods_are_cut_short() {
    let found = errors(&with("1,".repeat(5_000).trim_end_matches(','), ""));
    assert_eq!((found.errors.len(), found.more), (100, 4_900));
    assert!(found.to_string().ends_with("and 4900 more"));

    let mut long = with("", "").into_bytes();
    long.resize(MAX_DOCUMENT_BYTES + 1, b' ');
    assert!(
        ZoneSet::parse(&long, "street")
            .unwrap_err()
            .to_string()
            .contains("at most")
    );

    let ring = |k: u32| {
        let points: Vec<String> = (0..9_000)
            .map(|i| {
                let (s, c) = (f64::from(i) * 0.04).to_radians().sin_cos();
                format!(r#"{{"x":{:.6},"y":{:.6}}}"#, 0.5 + 0.4 * c, 0.5 + 0.4 * s)
            })
            .collect();
        format!(
            r#"{{"id":"z{k}","mode":"hide","shape":{{"type":"image","points":[{}]}}}}"#,
            points.join(",")
        )
    };
    let twelve: Vec<String> = (0..12).map(ring).collect();
    let found = errors(&with(&twelve.join(","), ""));
    let told: Vec<_> = found.iter().map(|e| e.path.as_str()).collect();
    assert_eq!(told, ["zones[11].shape.points"], "{found}");
}

#[test]
fn nothing_private_needs_its_reason() {
    let text = with(
        "",
        r#","nothing_private":"open sea, see the assessment of 2026""#,
    );
    let set = ZoneSet::parse(text.as_bytes(), "street").unwrap();
    assert!(set.zones().is_empty() && !set.needs_pose() && !set.has_show_only());
    assert_eq!(
        set.regions(None, &Optics::STRAIGHT, &Mount::LEVEL, SIZE),
        Ok(vec![])
    );
}

fn regions(doc: &Document, pose: Option<&PoseEstimate>) -> Vec<Region> {
    placed(doc, pose).unwrap()
}

fn placed(doc: &Document, pose: Option<&PoseEstimate>) -> Result<Vec<Region>, CannotPlace> {
    ZoneSet::from_document(doc, "street").unwrap().regions(
        pose,
        &Optics::STRAIGHT,
        &Mount::LEVEL,
        SIZE,
    )
}

#[test]
fn what_cannot_be_computed_is_no_list_of_regions() {
    let broken = |change: fn(&mut PoseEstimate)| {
        let mut pose = pose(0.0);
        change(&mut pose);
        Some(pose)
    };
    for (name, pose) in [
        ("no pose", None),
        ("pan", broken(|p| p.pan = Angle::from_deg(f64::NAN))),
        ("tilt", broken(|p| p.tilt = Angle::from_rad(f64::INFINITY))),
        ("roll", broken(|p| p.roll = Angle::from_deg(f64::NAN))),
        ("focal", broken(|p| p.focal = 0.0)),
        ("focal", broken(|p| p.focal = f64::NAN)),
        (
            "margin",
            broken(|p| p.margin.angle = Angle::from_deg(f64::NAN)),
        ),
        ("negative margin", broken(|p| p.margin.floor_px = -1.0)),
        (
            "margin of 89°",
            broken(|p| p.margin.angle = Angle::from_deg(89.0)),
        ),
        (
            "margin of 200°",
            broken(|p| p.margin.angle = Angle::from_deg(200.0)),
        ),
    ] {
        for mode in [Mode::Hide, Mode::ShowOnly] {
            for trimmed in [false, true] {
                let mut doc = document(vec![sphere("z", mode, &SQUARE)]);
                if trimmed {
                    doc.presets.push(preset(0.5));
                }
                let got = placed(&doc, pose.as_ref());
                assert!(got.is_err_and(|e| e.zone == "z"), "{name}");
            }
        }
    }
    // So is a lens that folds; a zone out of sight does not.
    let set = ZoneSet::from_document(&document(vec![sphere("z", Mode::Hide, &SQUARE)]), "street");
    let folds = Optics::new(-2.0, 0.0).unwrap();
    let set = set.unwrap();
    let got = set.regions(Some(&pose(0.0)), &folds, &Mount::LEVEL, SIZE);
    assert!(got.is_err());
    assert!(regions(set.document(), Some(&pose(90.0))).is_empty());
}

fn preset(pan_deg: f64) -> Preset {
    Preset {
        id: "p".to_owned(),
        name: None,
        pan_deg,
        tilt_deg: 0.0,
        zoom: 1.0,
        trims: vec![Trim {
            zone: "z".to_owned(),
            pan_deg: 0.5,
            tilt_deg: 0.0,
        }],
    }
}

#[test]
fn image_zones_need_no_pose_and_grow_a_little() {
    let doc = document(vec![image("z", Mode::Hide, &LEFT_HALF)]);
    for pose in [None, Some(pose(0.0))] {
        let got = regions(&doc, pose.as_ref());
        assert_eq!((got.len(), got[0].outline.len()), (1, 4));
        assert!(
            got[0]
                .outline
                .iter()
                .all(|c| (4.0..5.0).contains(&c.margin_px))
        );
    }
    let beyond = [(1.2, 0.0), (1.9, 0.0), (1.5, 1.0)];
    assert!(regions(&document(vec![image("z", Mode::Hide, &beyond)]), None).is_empty());
}

/// The mean of a region's corners in x, and its largest margin.
fn place(region: &Region) -> (f64, f64) {
    let x = region.outline.iter().map(|c| c.at.x);
    let (low, high) = x.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| {
        (l.min(x), h.max(x))
    });
    let margin = region
        .outline
        .iter()
        .map(|c| c.margin_px)
        .fold(0.0, f64::max);
    (0.5 * (low + high), margin)
}

#[test]
fn a_trim_fades_in_without_a_jump() {
    let mut doc = document(vec![sphere("z", Mode::Hide, &SQUARE)]);
    let plain = doc.clone();
    doc.presets.push(preset(0.0));
    let px_per_deg = 0.866 * 1280.0 * 1f64.to_radians();
    let moved = |pan_deg: f64| {
        let (x, margin) = place(&regions(&doc, Some(&pose(pan_deg)))[0]);
        let (plain_x, plain_margin) = place(&regions(&plain, Some(&pose(pan_deg)))[0]);
        (
            (x - plain_x) / px_per_deg,
            (margin - plain_margin) / px_per_deg,
        )
    };
    for (pan_deg, shift_deg, spread_deg) in [
        (2.5, 0.0, 0.0),
        (-2.5, 0.0, 0.0),
        (0.25, 0.25, 0.25),
        (0.0, 0.5, 0.0),
        (0.04, 0.5, 0.0),
    ] {
        let (shift, spread) = moved(pan_deg);
        assert!((shift - shift_deg).abs() < 0.02, "{pan_deg}: {shift}");
        assert!((spread - spread_deg).abs() < 0.02, "{pan_deg}: {spread}");
    }
    // From frame to frame at 0.25°/s and 25 fps nothing moves by more than 0.04°.
    let mut before = moved(3.0);
    for step in 1..=300 {
        let now = moved(3.0 - 0.01 * f64::from(step));
        let jump = (now.0 - before.0).abs().max((now.1 - before.1).abs());
        assert!(jump < 0.04, "at {step}: {before:?} to {now:?}");
        before = now;
    }
}

#[test]
fn the_reader_and_the_types_agree() {
    let mut doc = document(vec![
        sphere("a", Mode::ShowOnly, &SQUARE),
        image("z", Mode::Hide, &LEFT_HALF),
    ]);
    doc.presets.push(preset(1.5));
    let text = doc.to_json().unwrap();
    let set = ZoneSet::parse(text.as_bytes(), "street").unwrap();
    assert_eq!(*set.document(), doc);
    assert_eq!(serde_json::from_str::<Document>(&text).unwrap(), doc);
    assert!(set.needs_pose() && set.has_show_only());
    for bad in [
        text.replace("\"hide\"", "\"hide\", \"more\": 1"),
        text.replace("\"type\": \"image\"", "\"type\": \"image\", \"more\": 1"),
        text.replace("\"x\": 0.5", "\"x\": 0.5, \"more\": 1"),
    ] {
        assert_ne!(bad, text);
        assert!(serde_json::from_str::<Document>(&bad).is_err(), "{bad}");
        assert!(ZoneSet::parse(bad.as_bytes(), "street").is_err());
    }
}
