use super::*;
use crate::pose::CameraProfile;
use std::fs;
use std::path::Path;
use std::time::Duration;

mod events;
mod presets;
mod publications;
mod streams;
mod traces;

const MASKS: &str = r#"{"format":1,"camera":"cam","zones":[{"id":"a","name":"a","mode":"hide",
  "shape":{"type":"image","points":[{"x":0.1,"y":0.1},{"x":0.4,"y":0.1},{"x":0.4,"y":0.4}]}}]}"#;

const MINIMAL: &str = r#"
[[camera]]
id = "cam"
url = "rtsp://127.0.0.1/x"
masks = "cam.json"
"#;

/// Loads `text` as a configuration beside a valid mask document `cam.json`.
fn load_text(text: &str) -> Result<Config, Problems> {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("cam.json"), MASKS).unwrap();
    fs::write(dir.path().join("secret"), "pw\n").unwrap();
    fs::write(dir.path().join("empty"), "\n").unwrap();
    let headers = "Authorization: Bearer hunter2\n\nX-Tenant:  a b \n";
    fs::write(dir.path().join("headers"), headers).unwrap();
    fs::write(dir.path().join("own"), "Content-Type: hunter2\n").unwrap();
    let path = dir.path().join("greyplane.toml");
    fs::write(&path, text).unwrap();
    load(&path)
}

#[test]
fn the_sample_is_valid_and_equals_the_defaults() {
    let sample = load(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("greyplane.toml")
            .as_path(),
    )
    .unwrap_or_else(|p| panic!("{p}"));
    let minimal = load_text(MINIMAL).unwrap_or_else(|p| panic!("{p}"));
    assert_eq!(sample.rtsp_listen, minimal.rtsp_listen);
    assert_eq!(sample.http_listen, minimal.http_listen);
    assert_eq!(sample.detectors, minimal.detectors);
    assert!(sample.filter_system_calls && minimal.filter_system_calls);
    let default = &minimal.cameras[0];
    for camera in &sample.cameras {
        assert_eq!(camera.encoder, default.encoder);
        assert_eq!(camera.limits, default.limits);
        let (a, b) = (&camera.source, &default.source);
        assert_eq!(
            (a.transport, a.jitter_buffer, a.stall),
            (b.transport, b.jitter_buffer, b.stall)
        );
    }
    assert_eq!(sample.cameras[0].latency_budget.as_millis(), 250);
    assert_eq!(default.latency_budget.as_millis(), 100);
}

#[test]
fn a_console_is_read_whole_or_refused() {
    let with = |console: &str| format!("{console}\n{MINIMAL}");
    let config = load_text(&with("[console]\nusers = \"u.toml\"\n")).unwrap();
    let console = config.console.unwrap();
    assert!(console.users.ends_with("u.toml") && console.users.is_absolute());
    assert_eq!(console.audit, console.users.with_file_name("audit"));
    assert_eq!(console.webrtc_listen, "127.0.0.1:8189".parse().unwrap());
    assert_eq!((console.tls, console.session.as_secs()), (None, 8 * 3600));
    let beyond = "[gateway]\nhttp_listen = \"0.0.0.0:443\"\n";
    let tls = "tls_certificate = \"c\"\ntls_key = \"k\"\n";
    let config = load_text(&with(&format!("{beyond}[console]\nusers = \"u\"\n{tls}"))).unwrap();
    assert_eq!(
        config.console.unwrap().webrtc_listen,
        "0.0.0.0:8189".parse().unwrap()
    );
    for (console, line, what) in [
        ("[console]\n", 1, "missing field"),
        (
            "[console]\nusers = \"u\"\ntls_key = \"k\"\n",
            3,
            "only half",
        ),
        (
            "[console]\nusers = \"u\"\nwebrtc_listen = \"here\"\n",
            3,
            "no address",
        ),
        (
            "[console]\nusers = \"u\"\nsession_minutes = 0\n",
            3,
            "out of range",
        ),
        (
            "[console]\nusers = \"u\"\npassword = \"hunter2\"\n",
            3,
            "unknown field",
        ),
        (beyond, 2, "without accounts or without TLS"),
        (
            &format!("{beyond}[console]\nusers = \"u\"\n"),
            2,
            "without accounts or without TLS",
        ),
    ] {
        refused(&with(console), &[(line, what, "")]);
    }
}

/// Expects exactly these problems: (line, part of what, part of remedy).
fn refused(text: &str, expected: &[(usize, &str, &str)]) {
    let problems = load_text(text).expect_err("must be refused").0;
    let found: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), expected.len(), "{found:#?}");
    for (p, (line, what, remedy)) in problems.iter().zip(expected) {
        assert_eq!(p.at.map_or(0, |(l, _)| l), *line, "{p}");
        assert!(p.what.contains(what), "{p}");
        assert!(p.remedy.contains(remedy), "{p}");
        assert!(!p.to_string().contains("hunter2"), "a password is shown");
    }
}

#[test]
fn mistakes_are_named_with_line_and_remedy() {
    refused("", &[(0, "names no camera", "[[camera]]")]);
    refused("[[camera", &[(1, "", "documents every key")]);
    refused(
        "[camra]\nx = 1",
        &[(1, "unknown section `camra`", "known sections")],
    );
    refused(
        &format!("{MINIMAL}colour = 3"),
        &[(6, "unknown field `colour`", "every key")],
    );
    refused(
        "[gateway]\nrtsp_listen = \"0.0.0.0:8554\"\n[[camera]]\nid = \"cam\"\nurl = \"rtsp://h/x\"\nmasks = \"cam.json\"",
        &[(2, "without any account", "[[viewer]]")],
    );
    for (head, tail, expected) in OUTPUT {
        refused(&format!("{head}{MINIMAL}{tail}"), expected);
    }
    refused(
        &MINIMAL.replace("rtsp://", "rtsp://u:hunter2@"),
        &[(4, "carries credentials", "password_file")],
    );
    refused(
        &MINIMAL.replace("rtsp://", "http://"),
        &[(4, "is no address", "rtsp://")],
    );
    refused(
        &MINIMAL.replace("cam.json", "none.json"),
        &[(0, "cannot be read", "path")],
    );
    refused(
        &format!("{MINIMAL}user = \"u\"\npassword_file = \"empty\""),
        &[(6, "empty password", "")],
    );
    refused(
        &format!("{MINIMAL}password_file = \"secret\""),
        &[(6, "without a user", "user")],
    );
    refused(
        &format!("{MINIMAL}latency_budget_ms = 1"),
        &[(6, "out of range", "20 to 5000 ms")],
    );
    refused(
        &format!("{MINIMAL}[camera.limits]\nwidened_deg = nan"),
        &[(7, "nan is out of range", "0 to 90 degrees")],
    );
    refused(
        &format!("{MINIMAL}[camera.detect]\nclasses = [\"face\"]\nnearest_m = 5.0"),
        &[(8, "lens is not known", "profile")],
    );
    refused(
        &format!("{MINIMAL}{MINIMAL}"),
        &[(8, "names a second camera", "own")],
    );
}

const VIEWER: &str = "[[viewer]]\nuser = \"v\"\npassword_file = \"secret\"\n";

/// What stands before a camera, what after it, and what is wrong with that.
type Output = (
    &'static str,
    &'static str,
    &'static [(usize, &'static str, &'static str)],
);
const OUTPUT: &[Output] = &[
    (
        "[gateway]\nrtsp_listen = \"0.0.0.0:1\"",
        VIEWER,
        &[(2, "in the clear", "rtsp_allow_clear = true")],
    ),
    (
        "[gateway]\nrtsp_listen = \"[::]:1\"\n[rtsp_tls]",
        "",
        &[(2, "without any account", "[[viewer]]")],
    ),
    (
        "[gateway]\nrtsp_allow_clear = true\n[rtsp_tls]",
        VIEWER,
        &[(2, "contradicts", "one of them")],
    ),
    (
        "[rtsp_tls]\nkey = \"k\"",
        "",
        &[(2, "only half", "`certificate` and `key`")],
    ),
    (
        "[rtsp_tls]\ncertificate = \"c\"\nkey = \"k\"\nmade_in = \"d\"",
        "",
        &[(4, "has no use", "leave it out")],
    ),
    (
        "[rtsp_tls]\nclient_ca = \"ca\"",
        "",
        &[(2, "lets nobody in", "[[viewer]]")],
    ),
    (
        "",
        "[[viewer]]\nuser = \"v\"\ncertificate = \"v\"",
        &[(8, "cannot be checked", "client_ca")],
    ),
    (
        "[rtsp_tls]\nclient_ca = \"ca\"",
        "[[viewer]]\nuser = \"v\"\ncertificate = \"v\"\npassword_env = \"P\"",
        &[(9, "beside a password", "choose one")],
    ),
    (
        "[rtsp_tls]\nclient_ca = \"ca\"",
        "[[viewer]]\nuser = \"v\"\ncertificate = \"v\"\n[[viewer]]\nuser = \"w\"\ncertificate = \"v\"",
        &[(12, "second viewer", "of its own")],
    ),
    (
        "",
        "[[viewer]]\nuser = \"v\"\npassword_file = \"secret\"\ncameras = [\"cam\", \"dam\"]",
        &[(9, "\"dam\" is no camera", "[[camera]]")],
    ),
    (
        "",
        "[[viewer]]\nuser = \"v\"\npassword_file = \"secret\"\ncameras = []",
        &[(7, "may watch nothing", "leave out")],
    ),
    (
        VIEWER,
        VIEWER,
        &[(10, "names a second viewer", "of its own")],
    ),
];

#[test]
fn system_calls_are_filtered_unless_somebody_says_no() {
    let with = |value: &str| {
        load_text(&format!(
            "[gateway]\nfilter_system_calls = {value}\n{MINIMAL}"
        ))
    };
    assert!(with("true").unwrap().filter_system_calls);
    assert!(!with("false").unwrap().filter_system_calls);
    assert!(with("\"no\"").is_err());
}

#[test]
fn streams_leave_this_machine_encrypted_or_on_purpose() {
    let load = |head: &str| {
        let text = format!("[gateway]\n{head}\n{VIEWER}{MINIMAL}");
        load_text(&text).unwrap_or_else(|p| panic!("{p}"))
    };
    for (head, tls, in_clear) in [
        ("rtsp_listen = \"127.0.0.1:0\"", false, false),
        ("rtsp_listen = \"0.0.0.0:0\"\n[rtsp_tls]", true, false),
        (
            "rtsp_listen = \"0.0.0.0:0\"\nrtsp_allow_clear = true",
            false,
            true,
        ),
    ] {
        let config = load(head);
        assert_eq!(config.rtsp_tls.is_some(), tls, "{head}");
        assert_eq!(config.rtsp_beyond_in_clear, in_clear, "{head}");
    }
    let tls = load("[rtsp_tls]\nmade_in = \"/var/lib/x\"")
        .rtsp_tls
        .unwrap();
    assert_eq!(tls.files.key, Path::new("/var/lib/x/rtsp-key.pem"));
    let tls = load("[rtsp_tls]").rtsp_tls.unwrap();
    assert!(tls.make && tls.files.key.ends_with("rtsp-key.pem"));
    let tls = load("[rtsp_tls]\ncertificate = \"c\"\nkey = \"k\"")
        .rtsp_tls
        .unwrap();
    assert!(!tls.make && tls.files.certificate.ends_with("c"));
}

#[test]
fn a_mistake_in_one_camera_does_not_hide_the_next() {
    let two = "[[camera]]\nid = 3\n[[camera]]\nid = \"b\"\nurl = \"x\"\nmasks = 1\n";
    let found = load_text(two).expect_err("must be refused").0;
    assert_eq!(found.len(), 2, "{found:#?}");
}

#[test]
fn masks_that_cannot_be_used_leave_a_camera_to_cover() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("greyplane.toml");
    fs::write(&path, MINIMAL).unwrap();
    let (config, problems) = load_covering(&path).unwrap();
    assert_eq!(problems.0.len(), 1);
    assert!(config.cameras[0].masks.is_err());
    fs::write(
        dir.path().join("cam.json"),
        MASKS.replace("\"cam\"", "\"other\""),
    )
    .unwrap();
    let (config, problems) = load_covering(&path).unwrap();
    assert_eq!(problems.0.len(), 1, "{problems}");
    assert!(config.cameras[0].masks.is_err());
}

#[test]
fn passwords_come_from_files_and_are_not_shown() {
    let text = format!("{MINIMAL}user = \"u\"\npassword_file = \"secret\"");
    let config = load_text(&text).unwrap_or_else(|p| panic!("{p}"));
    let login = config.cameras[0].source.login.clone().unwrap();
    assert_eq!(login.password.reveal(), "pw");
    assert!(!format!("{config:?}").contains("pw\""));
}

#[test]
fn a_reload_touches_only_what_changed() {
    let old = load_text(MINIMAL).unwrap();
    let kinds = |new: &Config| -> Vec<&'static str> {
        diff(&old, new)
            .iter()
            .map(|c| match c {
                Change::Add(_) => "add",
                Change::Remove(_) => "remove",
                Change::Swap(_) => "swap",
                Change::Restart(_) => "restart",
            })
            .collect()
    };
    assert_eq!(kinds(&old), Vec::<&str>::new());
    let mut new = old.clone();
    new.cameras[0].masks = Err("gone".into());
    assert_eq!(kinds(&new), ["swap"]);
    // Whoever hears it is cut off.
    new.cameras[0].sound = Sound::Pass;
    assert_eq!(kinds(&new), ["restart"]);
    new.cameras[0].sound = Sound::Drop;
    new.cameras[0].encoder.bitrate_kbit += 1;
    assert_eq!(kinds(&new), ["restart"]);
    new.cameras[0].id = "other".into();
    assert_eq!(kinds(&new), ["remove", "add"]);
}

/// A turning camera whose profile is in the units of `position_space` and `zoom_space`.
fn turning(spaces: [&str; 2], scale: f64, telemetry: &str) -> Result<Config, Problems> {
    use crate::pose::profile::{GENERIC_POSITION_SPACE, GENERIC_ZOOM_SPACE, ZoomKnot};
    let generic = CameraProfile::from_toml(crate::pose::testing::PROFILE).unwrap();
    let mut d = generic.document().clone();
    let named = |i: usize, generic: &str| match spaces[i] {
        "" => generic.to_owned(),
        space => space.to_owned(),
    };
    d.position_space = named(0, GENERIC_POSITION_SPACE);
    d.zoom_space = named(1, GENERIC_ZOOM_SPACE);
    if !spaces[0].is_empty() {
        d.pan.from = d.pan.to_deg.map(|deg| deg * scale);
        d.tilt.from = d.tilt.to_deg.map(|deg| deg * scale);
        let knot = |zoom, hfov_deg| ZoomKnot { zoom, hfov_deg };
        d.zoom = vec![knot(10.0, 60.0), knot(200.0, 3.0)];
        d.sigma.angle_deg = 0.06;
        d.sigma.ln_focal = 0.1;
    }
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("cam.json"), MASKS).unwrap();
    fs::write(dir.path().join("pw"), "secret\n").unwrap();
    fs::write(dir.path().join("not.pem"), "trust me").unwrap();
    fs::write(
        dir.path().join("profile.toml"),
        toml::to_string(&d).unwrap(),
    )
    .unwrap();
    let path = dir.path().join("greyplane.toml");
    let text = format!("{MINIMAL}profile = \"profile.toml\"\n[camera.telemetry]\n{telemetry}");
    fs::write(&path, text).unwrap();
    load(&path)
}

const VAPIX: [&str; 2] = ["vapix:degrees", "vapix:zoom-steps"];
const ISAPI: [&str; 2] = ["isapi:tenths-of-degrees", "isapi:tenths-of-zoom"];
const VISCA: [&str; 2] = ["visca:counts", "visca:zoom-counts"];

#[test]
fn every_kind_of_telemetry_is_read_with_its_own_profile() {
    let kind = |spaces, scale, telemetry: &str| {
        let config = turning(spaces, scale, telemetry).unwrap_or_else(|p| panic!("{p}"));
        let Kind::Ptz { telemetry, .. } = config.cameras[0].kind.clone() else {
            panic!("it turns")
        };
        telemetry.kind
    };
    let untimed = Untimed {
        channel: 1,
        age: Duration::from_millis(40),
        clock_within: None,
        kernel_keeps_clock: true,
    };
    let onvif = kind(["", ""], 1.0, "device_url = \"http://h/onvif\"\n");
    let profile_token = None;
    assert_eq!(onvif, TelemetryKind::Onvif { profile_token });
    let vapix = "kind = \"vapix\"\ndevice_url = \"https://h/\"\nposition_age_ms = 40\n";
    assert_eq!(kind(VAPIX, 1.0, vapix), TelemetryKind::Vapix(untimed));
    let isapi =
        "kind = \"isapi\"\ndevice_url = \"http://h:81\"\nchannel = 2\nposition_age_ms = 0\n";
    let (channel, age) = (2, Duration::ZERO);
    let second = Untimed {
        channel,
        age,
        ..untimed
    };
    assert_eq!(kind(ISAPI, 10.0, isapi), TelemetryKind::Isapi(second));
    let visca = "kind = \"visca\"\ndevice_url = \"visca://h\"\nclock_within_ms = 20\n\
                 position_age_ms = 40\nkernel_keeps_clock = false\n";
    let clock_within = Some(Duration::from_millis(20));
    let timed = Untimed {
        clock_within,
        kernel_keeps_clock: false,
        ..untimed
    };
    assert_eq!(kind(VISCA, 14.4, visca), TelemetryKind::Visca(timed));
}

#[test]
fn the_metadata_stream_is_heard_where_somebody_says_so() {
    let onvif = "device_url = \"http://h/onvif\"\n";
    for (key, heard) in [
        ("", false),
        ("metadata = false", false),
        ("metadata = true", true),
    ] {
        let config = turning(["", ""], 1.0, &format!("{onvif}{key}\n")).unwrap();
        let Kind::Ptz { telemetry, .. } = &config.cameras[0].kind else {
            panic!("it turns")
        };
        assert_eq!(telemetry.metadata, heard, "{key}");
    }
    let with = turning(["", ""], 1.0, &format!("{onvif}metadata = true\n")).unwrap();
    let without = turning(["", ""], 1.0, onvif).unwrap();
    let mut with_it = without.clone();
    with_it.cameras[0].kind = with.cameras[0].kind.clone();
    // Another stream is another connection.
    assert!(matches!(diff(&without, &with_it)[..], [Change::Restart(_)]));
    let vapix = "kind = \"vapix\"\ndevice_url = \"http://h\"\nposition_age_ms = 40\n";
    let problems = turning(VAPIX, 1.0, &format!("{vapix}metadata = true\n"));
    let problems = problems.expect_err("only ONVIF has one").0;
    assert!(problems[0].what.contains("of no use"), "{problems:#?}");
}

#[test]
fn telemetry_that_cannot_be_is_refused_with_a_remedy() {
    let vapix = "kind = \"vapix\"\ndevice_url = \"http://h\"\nposition_age_ms = 40\n";
    let visca = "kind = \"visca\"\ndevice_url = \"visca://h\"\nposition_age_ms = 40\n";
    let near = "clock_within_ms = 20\n";
    let login = "user = \"u\"\npassword_file = \"pw\"\n";
    let cases: [([&str; 2], &str, &str, &str); 14] = [
        (
            VAPIX,
            "kind = \"pelco\"\ndevice_url = \"http://h\"\n",
            "no kind of",
            "\"visca\"",
        ),
        (
            ["", ""],
            vapix,
            "positions come over VAPIX",
            "vapix:degrees",
        ),
        (
            VAPIX,
            "device_url = \"http://h/onvif\"\n",
            "units of VAPIX",
            "kind = \"vapix\"",
        ),
        (ISAPI, vapix, "positions come over VAPIX", "vapix:degrees"),
        (VISCA, visca, "tells no time", "clock_within_ms"),
        (
            VAPIX,
            &vapix.replace("position_age_ms = 40\n", ""),
            "how old its positions are",
            "position_age_ms",
        ),
        (
            VAPIX,
            &format!("{vapix}kernel_keeps_clock = true\n"),
            "not asked for",
            "clock_within_ms",
        ),
        (
            VISCA,
            &format!("{visca}{near}{login}"),
            "no accounts",
            "leave it out",
        ),
        (
            VISCA,
            &format!("{visca}{near}channel = 1\n"),
            "no channel",
            "leave it out",
        ),
        (
            VAPIX,
            &format!("{vapix}profile_token = \"a\"\n"),
            "no profile_token",
            "leave",
        ),
        (
            VAPIX,
            &format!("{vapix}ca_file = \"not.pem\"\n"),
            "not https",
            "https",
        ),
        (
            VAPIX,
            &vapix.replace("//h", "//h/axis-cgi"),
            "names a path",
            "HOST",
        ),
        (
            VAPIX,
            &vapix.replace("http", "visca"),
            "no address",
            "http://",
        ),
        (
            VAPIX,
            &format!("{vapix}clock_within_ms = 500\n"),
            "out of range",
            "1 to 100",
        ),
    ];
    for (spaces, telemetry, what, remedy) in cases {
        let scale = if spaces == VISCA { 14.4 } else { 1.0 };
        let problems = turning(spaces, scale, telemetry).expect_err(telemetry).0;
        let named = problems
            .iter()
            .any(|p| p.what.contains(what) && p.remedy.contains(remedy));
        assert!(named, "{telemetry}: {problems:#?}");
    }
    for key in [
        "clock_within_ms = 20",
        "position_age_ms = 20",
        "channel = 1",
        "kernel_keeps_clock = true",
    ] {
        let telemetry = format!("device_url = \"http://h/onvif\"\n{key}\n");
        let problems = turning(["", ""], 1.0, &telemetry).expect_err(key).0;
        assert!(problems[0].what.contains("of no use"), "{problems:#?}");
    }
}

/// Only a gateway can tell certificates from something else.
#[cfg(feature = "gateway")]
#[test]
fn a_ca_file_without_certificates_is_refused() {
    let telemetry = "kind = \"vapix\"\ndevice_url = \"https://h\"\nposition_age_ms = 0\nca_file = \"not.pem\"\n";
    let problems = turning(VAPIX, 1.0, telemetry)
        .expect_err("must be refused")
        .0;
    assert_eq!(problems.len(), 1, "{problems:#?}");
    assert!(problems[0].file.ends_with("not.pem"), "{problems:#?}");
    assert!(problems[0].remedy.contains("PEM"), "{problems:#?}");
}

#[test]
fn devices_for_a_vms_are_read_whole_or_refused() {
    let viewer = "[[viewer]]\nuser = \"v\"\npassword_file = \"secret\"\n";
    let console = "[console]\nusers = \"u.toml\"\n";
    let device =
        |listen: &str, more: &str| format!("[camera.onvif_device]\nlisten = \"{listen}\"\n{more}");
    let here = device("127.0.0.1:8081", "");
    let config = load_text(&format!("{MINIMAL}{here}")).unwrap_or_else(|p| panic!("{p}"));
    let found = config.cameras[0].onvif_device.unwrap();
    assert_eq!(
        (found.listen.port(), found.tls, found.beyond_in_clear),
        (8081, false, false)
    );
    for (more, tls, clear) in [("", true, false), ("allow_clear = true\n", false, true)] {
        let text = format!(
            "[rtsp_tls]\n{viewer}{MINIMAL}{}",
            device("0.0.0.0:81", more)
        );
        let found = load_text(&text).unwrap_or_else(|p| panic!("{p}"));
        let found = found.cameras[0].onvif_device.unwrap();
        assert_eq!((found.tls, found.beyond_in_clear), (tls, clear), "{more}");
    }
    let text = format!("{console}{viewer}steer = true\n{MINIMAL}");
    assert!(load_text(&text).unwrap_or_else(|p| panic!("{p}")).viewers[0].steer);
    let second = MINIMAL.replace("id = \"cam\"", "id = \"two\"");
    for (text, what) in [
        (format!("{MINIMAL}{}", device("here", "")), "is no address"),
        (
            format!("{MINIMAL}{}", device("0.0.0.0:81", "")),
            "without any account",
        ),
        (
            format!("{viewer}{MINIMAL}{}", device("0.0.0.0:81", "")),
            "in the clear",
        ),
        (format!("{MINIMAL}{here}{second}{here}"), "second device"),
        (
            format!("{MINIMAL}{}", device("127.0.0.1:1", "path = 1\n")),
            "unknown field",
        ),
        (format!("{viewer}steer = true\n{MINIMAL}"), "audit log"),
        (
            format!("{MINIMAL}[camera.steering]\nleast_hfov_deg = 5.0\n"),
            "does not turn",
        ),
    ] {
        let problems = load_text(&text).unwrap_err().to_string();
        assert!(problems.contains(what), "{what}: {problems}");
    }
}

#[test]
fn limits_of_steering_are_read_or_refused() {
    let onvif = "kind = \"onvif\"\ndevice_url = \"http://127.0.0.1/\"\n";
    let with = |limits: &str| {
        turning(
            ["", ""],
            1.0,
            &format!("{onvif}[camera.steering]\n{limits}"),
        )
    };
    let config = with("least_hfov_deg = 5.0\nmost_hidden_share = 0.9\n");
    let found = config.unwrap_or_else(|p| panic!("{p}")).cameras[0].steering;
    let limits = (
        found.most_speed,
        found.least_hfov_deg,
        found.most_hidden_share,
    );
    assert_eq!(limits, (1.0, Some(5.0), Some(0.9)));
    for wrong in [
        "most_speed = 0.0",
        "most_speed = nan",
        "least_hfov_deg = 0.0",
        "most_hidden_share = 1.0",
    ] {
        let problems = with(&format!("{wrong}\n")).unwrap_err().to_string();
        assert!(problems.contains("out of range"), "{wrong}: {problems}");
    }
}

#[test]
fn sound_is_dropped_unless_one_of_three_words_says_otherwise() {
    let with =
        |line: &str| load_text(&MINIMAL.replace("[[camera]]", &format!("[[camera]]\n{line}")));
    for (line, sound) in [
        ("", Sound::Drop),
        ("sound = \"drop\"", Sound::Drop),
        ("sound = \"mute\"", Sound::Mute),
        ("sound = \"pass\"", Sound::Pass),
    ] {
        assert_eq!(with(line).unwrap().cameras[0].sound, sound, "{line}");
    }
    for line in ["sound = \"Pass\"", "sound = true"] {
        assert!(with(line).is_err(), "{line}");
    }
}
