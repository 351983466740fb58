use super::*;

/// A configuration of a camera with two presets, with `more` lines at its end, beside their
/// zone documents.
fn with(camera: &str, presets: &str) -> Result<Config, Problems> {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    for preset in ["north", "south"] {
        let masks = MASKS.replace("\"cam\"", &format!("\"cam.{preset}\""));
        fs::write(file(&format!("{preset}.json")), masks).unwrap();
    }
    fs::write(file("cam.json"), MASKS).unwrap();
    let sphere = r#"{"format":1,"camera":"cam.sphere","zones":[{"id":"a","mode":"hide","shape":
        {"type":"sphere","points":[{"pan_deg":0,"tilt_deg":0},{"pan_deg":9,"tilt_deg":0},{"pan_deg":9,"tilt_deg":9}]}}]}"#;
    fs::write(file("sphere.json"), sphere).unwrap();
    let path = file("greyplane.toml");
    let text =
        format!("[[camera]]\nid = \"cam\"\nurl = \"rtsp://127.0.0.1/x\"\n{camera}\n{presets}");
    fs::write(&path, text).unwrap();
    load(&path)
}

const BOTH: &str = "[[camera.preset]]\nid = \"north\"\nname = \"The square\"\nmasks = \"north.json\"\n\
    [[camera.preset]]\nid = \"south\"\nmasks = \"south.json\"\n";

fn presets(config: &Config) -> &[Preset] {
    match &config.cameras[0].kind {
        Kind::Presets(presets) => presets,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_camera_with_presets_has_zones_for_each() {
    let config = with("", BOTH).unwrap_or_else(|p| panic!("{p}"));
    let [north, south] = presets(&config) else {
        panic!("two")
    };
    assert_eq!(
        (north.id.as_str(), north.name.as_deref()),
        ("north", Some("The square"))
    );
    assert_eq!(south.name, None);
    assert_eq!(south.masks.as_ref().unwrap().document().camera, "cam.south");
    let camera = &config.cameras[0];
    assert!(camera.masks.is_err(), "there are none for all of it");
    assert_eq!(camera.masks_files().count(), 2);
    assert!(
        camera
            .masks_files()
            .all(|file| !file.as_os_str().is_empty())
    );
    assert_eq!(camera.latency_budget.as_millis(), 250);
}

#[test]
fn what_presets_cannot_go_with_is_refused() {
    let twice = BOTH.replace("south", "north");
    let others = BOTH.replace("masks = \"south.json\"", "masks = \"north.json\"");
    let sphere = BOTH.replace("south", "sphere");
    let dotted = BOTH.replace("id = \"south\"", "id = \"so.uth\"");
    let long = BOTH.replace("id = \"south\"", &format!("id = \"{}\"", "s".repeat(33)));
    for (camera, presets, said) in [
        (
            "masks = \"cam.json\"",
            BOTH,
            "would be hidden at every preset",
        ),
        ("profile = \"p.toml\"", BOTH, "cannot tell where they look"),
        (
            "[camera.telemetry]\ndevice_url = \"http://h\"",
            BOTH,
            "cannot tell where they look",
        ),
        (
            "[camera.steering]\n",
            BOTH,
            "limits a camera that does not turn",
        ),
        (
            "[[camera.stream]]\nname = \"sub\"\nurl = \"rtsp://h/s\"",
            BOTH,
            "is a further stream",
        ),
        ("", &twice, "names a second preset"),
        ("", &others, "the zone document of another preset"),
        ("", &sphere, "zones on the sphere"),
        ("", &dotted, "is no id for a preset"),
        ("", &long, "is no id for a preset"),
        ("", &BOTH.replace("The square", ""), "is no name"),
        (
            "",
            &BOTH.replace("id = \"south\"", "token = \"1\""),
            "unknown field `token`",
        ),
        ("", "", "has no `masks`"),
    ] {
        let problems = with(camera, presets).expect_err(said);
        let all = problems.to_string();
        assert!(all.contains(said), "{camera} {presets}: {all}");
    }
    // Zones of one preset are no other's.
    let mixed = BOTH.replace("masks = \"south.json\"", "masks = \"cam.json\"");
    let problems = with("", &mixed).expect_err("drawn for another place");
    assert!(problems.to_string().contains("cam.south"), "{problems}");
}

#[test]
fn a_reload_that_changes_presets_keeps_the_stream() {
    let old = with("", BOTH).unwrap();
    let change = |new: &Config| match diff(&old, new).as_slice() {
        [] => "none",
        [Change::Swap(_)] => "swap",
        _ => "more",
    };
    assert_eq!(change(&old), "none");
    let mut fewer = old.clone();
    let Kind::Presets(list) = &mut fewer.cameras[0].kind else {
        panic!("presets")
    };
    list[0].masks = Err("gone".into());
    assert_eq!(change(&fewer), "swap");
    let mut fixed = old.clone();
    fixed.cameras[0].kind = Kind::Fixed;
    assert_eq!(change(&fixed), "more");
}
