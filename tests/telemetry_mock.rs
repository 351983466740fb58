//! Telemetry against oxvif's mock device: a camera we did not write. It stamps
//! in whole seconds, so positions are timed by the requests' midpoints.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that fails should fail loudly"
)]

use greyplane::clock::{Clock, SystemClock};
use greyplane::onvif::OnvifSettings;
use greyplane::pose::CameraProfile;
use greyplane::secret::Secret;
use greyplane::telemetry::{Source, Telemetry, TelemetryItem, TelemetrySettings};
use oxvif::mock::MockServer;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};

const PROFILE: &str = include_str!("fixtures/profile-generic.toml");

fn settings(device_url: &str) -> TelemetrySettings {
    let camera = OnvifSettings {
        device_url: device_url.to_owned(),
        user: "admin".to_owned(),
        password: Secret::new("admin"),
        profile_token: None,
        ca_pem: None,
        timeout_ms: 1000,
    };
    TelemetrySettings {
        source: Source::Onvif(camera),
        rate_hz: 20.0,
    }
}

fn onvif(settings: &mut TelemetrySettings) -> &mut OnvifSettings {
    match &mut settings.source {
        Source::Onvif(camera) => camera,
        other => panic!("{other:?}"),
    }
}

fn listen(settings: TelemetrySettings) -> (Telemetry, Receiver<TelemetryItem>, Arc<SystemClock>) {
    let (items, heard) = sync_channel(1024);
    let clock = Arc::new(SystemClock::new());
    let telemetry = Telemetry::start(
        settings,
        Arc::new(CameraProfile::from_toml(PROFILE).unwrap()),
        clock.clone(),
        move |item| {
            let _ = items.try_send(item);
        },
    )
    .unwrap();
    (telemetry, heard, clock)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn positions_come_timed_by_the_midpoint() {
    let server = MockServer::builder()
        .enforce_auth(true)
        .start()
        .await
        .unwrap();
    let url = server.device_url().to_owned();
    let (seen, clock) = tokio::task::spawn_blocking(move || {
        let (_telemetry, heard, clock) = listen(settings(&url));
        let mut samples = Vec::new();
        let mut rate = None;
        while samples.len() < 30 || rate.is_none() {
            match heard.recv().unwrap() {
                TelemetryItem::Sample(s) => samples.push(s),
                TelemetryItem::Measured { rate_hz, .. } if !samples.is_empty() => {
                    rate = Some(rate_hz)
                }
                TelemetryItem::Measured { .. } => {}
                other => panic!("{other:?}"),
            }
        }
        (samples, clock)
    })
    .await
    .unwrap();
    for s in &seen {
        assert_eq!(s.clock.resolution_ns, 1_000_000_000);
        assert!(s.sample.sigma_t_s <= 0.1, "{s:?}");
        // The mock's clock is this machine's.
        let wall_at = clock.wall().0 - (clock.mono().since(s.clock.sent).as_nanos() as i64);
        let off_s = (s.sample.at.0 - wall_at) as f64 * 1e-9;
        assert!(
            off_s.abs() < 3.0 * s.sample.sigma_t_s + 0.05,
            "off by {off_s} s: {s:?}"
        );
    }
    assert!(
        seen.windows(2)
            .all(|w| w[0].sample.at < w[1].sample.at || w[0].clock.sent > w[1].clock.sent)
    );
    server.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_a_fault_and_no_position() {
    let server = MockServer::builder()
        .enforce_auth(true)
        .start()
        .await
        .unwrap();
    let url = server.device_url().to_owned();
    let heard = tokio::task::spawn_blocking(move || {
        let mut wrong = settings(&url);
        onvif(&mut wrong).password = Secret::new("letmein");
        let (_telemetry, heard, _) = listen(wrong);
        heard.recv().unwrap()
    })
    .await
    .unwrap();
    let TelemetryItem::Fault(detail) = heard else {
        panic!("{heard:?}")
    };
    assert!(
        detail.contains("FailedAuthentication") && !detail.contains("letmein"),
        "{detail}"
    );
    server.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_profile_that_is_not_there_is_a_fault() {
    let server = MockServer::start().await.unwrap();
    let url = server.device_url().to_owned();
    let heard = tokio::task::spawn_blocking(move || {
        let mut other = settings(&url);
        onvif(&mut other).profile_token = Some("<nobody's & \"own\">".to_owned());
        let (_telemetry, heard, _) = listen(other);
        heard.recv().unwrap()
    })
    .await
    .unwrap();
    assert!(matches!(heard, TelemetryItem::Fault(_)), "{heard:?}");
    server.shutdown().await.unwrap();
}
