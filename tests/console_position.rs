//! A camera whose pictures contradict where it says it looks, believed again by the word of
//! somebody who answers for it: over HTTP, against a real gateway.
#![cfg(feature = "gateway")]
#![allow(clippy::unwrap_used, reason = "a test that fails should fail loudly")]

mod people_support;

use greyplane::app::Gateway;
use greyplane::audit::{self, Filter};
use greyplane::clock::SystemClock;
use greyplane::sim::motion::script::Script;
use greyplane::sim::{Faults, Sim, SimConfig};
use greyplane::users::Role;
use people_support::{Person, settle, told, write_accounts};
use reqwest::Method;
use serde_json::{Value, json};
use std::fs;
use std::sync::Arc;
use std::time::Duration;

const BELIEVE: &str = "/api/v1/cameras/street/position/believe";

impl Person {
    async fn believe(&self, body: Value) -> u16 {
        let request = self.request(Method::POST, BELIEVE).body(body.to_string());
        told(request.send().await.unwrap()).await.0
    }

    /// Waits until `stands` of the camera's state and the reason for it.
    async fn waits_until(&self, stands: impl Fn(&str, &str) -> bool) {
        loop {
            let status = self.request(Method::GET, "/api/v1/status");
            let (_, status) = told(status.send().await.unwrap()).await;
            let [state, reason] = ["state", "reason"]
                .map(|key| status["cameras"][0][key].as_str().unwrap_or_default());
            if stands(state, reason) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn sees_a_picture(&self) {
        self.waits_until(|state, _| ["live", "widened"].contains(&state))
            .await;
    }

    async fn sees_a_doubt(&self) {
        self.waits_until(|_, reason| reason == "picture and position disagree")
            .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_answers_for_a_camera_ends_a_doubt_that_does_not_end_itself() {
    let street = SimConfig {
        width: 640,
        height: 360,
        bitrate_kbps: 4000,
        motion: Script::SlowPan {
            deg_per_s: 8.0,
            tilt_deg: -8.0,
            zoom: 0.0,
        },
        ..SimConfig::default()
    };
    let sim = Sim::start(street, Arc::new(SystemClock::new())).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let people = [
        ("iris", Role::Integrator),
        ("olga", Role::Officer),
        ("anna", Role::Observer),
    ];
    write_accounts(
        &path("users.toml"),
        people.map(|(name, role)| (name, role, "street")),
    );
    fs::write(path("street.json"), sim.zones_json()).unwrap();
    fs::write(path("profile.toml"), sim.profile().to_toml()).unwrap();
    let camera = format!(
        "[[camera]]\nid = \"street\"\nmasks = \"street.json\"\nprofile = \"profile.toml\"\n\
         url = \"{}\"\n[camera.telemetry]\ndevice_url = \"{}\"\n",
        sim.rtsp_url(),
        sim.onvif_url()
    );
    let config = settle(folder.path(), "", &camera);
    let gateway = Gateway::start(config, Arc::new(SystemClock::new())).unwrap();
    let [iris, olga, anna] = {
        let url = gateway.http_url();
        [
            Person::log_in(&url, "iris").await,
            Person::log_in(&url, "olga").await,
            Person::log_in(&url, "anna").await,
        ]
    };
    let because = json!({"reason": " the clear still fits the map "});

    iris.sees_a_picture().await;
    assert_eq!(
        iris.believe(because.clone()).await,
        409,
        "nothing is doubted"
    );

    // Somebody hits the mast.
    sim.set_faults(&Faults {
        lie_pan_deg: 5.0,
        ..Faults::default()
    })
    .unwrap();
    iris.sees_a_doubt().await;
    for person in [&olga, &anna] {
        assert_eq!(person.believe(because.clone()).await, 403);
    }
    for unfit in [
        json!({"reason": " "}),
        json!({"reason": "x".repeat(1001)}),
        json!({}),
        json!({"reason": "x", "for": "ever"}),
    ] {
        assert_eq!(iris.believe(unfit.clone()).await, 422, "{unfit}");
    }
    iris.sees_a_doubt().await;
    assert_eq!(iris.believe(because.clone()).await, 204);
    iris.sees_a_picture().await;

    // Another contradiction covers again: as far as a head turns between two answers.
    tokio::time::sleep(Duration::from_secs(1)).await;
    sim.set_faults(&Faults::default()).unwrap();
    iris.sees_a_doubt().await;

    let found = audit::search(&path("audit"), &Filter::default(), 500).unwrap();
    let said: Vec<_> = found
        .records
        .iter()
        .rev()
        .filter(|record| record.action.contains("believe"))
        .map(|record| {
            let reason = record.detail["reason"].as_str().unwrap();
            assert_eq!(
                (record.actor.as_str(), reason),
                ("iris", "the clear still fits the map")
            );
            (record.action.as_str(), record.result.name())
        })
        .collect();
    assert_eq!(
        said,
        [
            ("ask-believe-position", "done"),
            ("position-believed", "refused"),
            ("ask-believe-position", "done"),
            ("position-believed", "done"),
        ]
    );
}
