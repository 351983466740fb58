use super::*;
use crate::clock::SystemClock;
use crate::onvif::OnvifSettings;
use crate::secret::Secret;

fn settings() -> TelemetrySettings {
    let camera = OnvifSettings {
        device_url: "http://127.0.0.1:1/onvif/device_service".to_owned(),
        user: "operator".to_owned(),
        password: Secret::new("hunter2"),
        profile_token: None,
        ca_pem: None,
        timeout_ms: 1000,
    };
    TelemetrySettings {
        source: Source::Onvif(camera),
        rate_hz: 10.0,
    }
}

fn patience(settings: &mut TelemetrySettings, ms: u64) {
    if let Source::Onvif(camera) = &mut settings.source {
        camera.timeout_ms = ms;
    }
}

#[test]
fn passwords_are_never_printed() {
    let printed = format!("{:?}", settings());
    assert!(
        printed.contains("operator") && !printed.contains("hunter2"),
        "{printed}"
    );
}

#[test]
fn impossible_settings_are_refused_by_name() {
    let start = |change: fn(&mut TelemetrySettings)| {
        let mut s = settings();
        change(&mut s);
        check(&s).map_err(|e| e.to_string())
    };
    assert_eq!(start(|_| {}), Ok(()));
    for (found, key) in [
        (start(|s| s.rate_hz = 0.0), "rate_hz"),
        (start(|s| s.rate_hz = f64::NAN), "rate_hz"),
        (start(|s| s.rate_hz = 1e6), "rate_hz"),
        (start(|s| patience(s, 0)), "timeout_ms"),
        (start(|s| patience(s, u64::MAX)), "timeout_ms"),
    ] {
        assert!(
            found.clone().is_err_and(|e| e.starts_with(key)),
            "{found:?}"
        );
    }
}

#[test]
fn a_camera_that_is_not_there_is_a_fault_and_ends_with_its_handle() {
    let (items, heard) = crossbeam_channel::bounded(16);
    let profile = CameraProfile::from_toml(crate::pose::testing::PROFILE).unwrap();
    let telemetry = Telemetry::start(
        settings(),
        Arc::new(profile),
        Arc::new(SystemClock::new()),
        move |item| {
            let _ = items.try_send(item);
        },
    )
    .unwrap();
    let TelemetryItem::Fault(detail) = heard.recv().unwrap() else {
        panic!("not a fault")
    };
    assert!(detail.starts_with("cannot connect"), "{detail}");
    assert!(!detail.contains("hunter2"));
    drop(telemetry);
    // The thread is gone: nobody can say anything any more.
    while heard.try_recv().is_ok() {}
    assert!(heard.recv().is_err());
}
