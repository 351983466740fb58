//! Steering against oxvif's mock device: a camera we did not write understands what
//! it is told, and telemetry beside it says where it went.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that fails should fail loudly"
)]

use greyplane::clock::SystemClock;
use greyplane::geom::Mount;
use greyplane::onvif::OnvifSettings;
use greyplane::pose::CameraProfile;
use greyplane::secret::Secret;
use greyplane::steer::{Aim, Deflection, Reply, Steer};
use greyplane::telemetry::{Source, Telemetry, TelemetryItem, TelemetrySettings};
use oxvif::mock::MockServer;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};

const PROFILE: &str = include_str!("fixtures/profile-generic.toml");

fn told<T>(reply: Reply<T>) -> T {
    reply.blocking_recv().unwrap().unwrap()
}

/// Waits until the camera reports a place, however slow the machine.
fn until(heard: &Receiver<TelemetryItem>, wanted: impl Fn(f64, f64, f64) -> bool) {
    for item in heard.iter().take(2000) {
        if let TelemetryItem::Sample(timed) = item
            && wanted(
                timed.sample.pan_deg,
                timed.sample.tilt_deg,
                timed.sample.zoom,
            )
        {
            return;
        }
    }
    panic!("it never went there");
}

fn steers(url: String, password: &str) -> Result<(), String> {
    let clock = Arc::new(SystemClock::new());
    let camera = OnvifSettings {
        device_url: url,
        user: "admin".to_owned(),
        password: Secret::new(password),
        profile_token: None,
        ca_pem: None,
        timeout_ms: 1000,
    };
    let profile = Arc::new(CameraProfile::from_toml(PROFILE).unwrap());
    let aim = Aim::new(profile.clone(), Mount::LEVEL);
    let steer = Steer::start(camera.clone(), aim, clock.clone()).unwrap();
    let there = steer.go(90.0, -35.0, Some(0.5), 0.0).unwrap();
    let answered = there.blocking_recv().unwrap();
    answered.map_err(|error| error.to_string())?;
    let (items, heard) = sync_channel(64);
    let settings = TelemetrySettings {
        source: Source::Onvif(camera),
        rate_hz: 20.0,
    };
    let _telemetry = Telemetry::start(settings, profile, clock, move |item| {
        let _ = items.try_send(item);
    })
    .unwrap();
    let near = |a: f64, b: f64| (a - b).abs() < 0.1;
    until(&heard, |pan, tilt, zoom| {
        near(pan, 90.0) && near(tilt, -35.0) && near(zoom, 0.5)
    });
    let right = Deflection {
        pan: 1.0,
        tilt: 0.0,
        zoom: 1.0,
    };
    // The mock takes one step for each, and knows no speed.
    told(steer.turn(right, Some(60.0), 1.0));
    until(&heard, |pan, tilt, zoom| {
        pan > 90.5 && near(tilt, -35.0) && zoom > 0.51
    });
    told(steer.stop());
    let presets = told(steer.presets());
    let preset = presets.iter().find(|p| p.place.is_some()).unwrap();
    let (pan, tilt, zoom) = preset.place.unwrap();
    told(steer.go_preset(preset.token.clone()));
    until(&heard, |p, t, z| {
        near(p, pan) && near(t, tilt) && near(z, zoom)
    });
    told(steer.home());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_we_did_not_write_goes_where_it_is_sent() {
    let server = MockServer::builder()
        .enforce_auth(true)
        .start()
        .await
        .unwrap();
    let url = server.device_url().to_owned();
    let asked = url.clone();
    let steered = tokio::task::spawn_blocking(move || steers(asked, "admin"));
    assert_eq!(steered.await.unwrap(), Ok(()));
    let refused = tokio::task::spawn_blocking(move || steers(url, "letmein"));
    let words = refused.await.unwrap().unwrap_err();
    assert!(
        words.contains("FailedAuthentication") && !words.contains("letmein"),
        "{words}"
    );
    server.shutdown().await.unwrap();
}
