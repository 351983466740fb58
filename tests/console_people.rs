//! The console as people have it, in Chromium: every page in both languages on two
//! screens, and two integrators who edit one camera's zones. Needs `make web`,
//! chromium and node.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that fails should fail loudly"
)]

mod browser_support;
mod people_support;

use browser_support::{configure, report, script, still, street};
use greyplane::app::Gateway;
use greyplane::clock::{Clock, SystemClock};
use greyplane::sim::Sim;
use greyplane::users::Role;
use people_support::PASSWORD;
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;

/// Where pictures of pages are kept, to be looked at.
fn shots() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pages");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn every_page_fits_its_screen_and_axe_finds_nothing_serious() {
    let folder = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let sim = Sim::start(street(still()), clock.clone()).unwrap();
    let documents = [("street", sim.zones_json())];
    let people = [("anna", Role::Admin)];
    let config = configure(
        &sim,
        folder.path(),
        &documents,
        &people,
        "clear_still = true",
    );
    let mut gateway = Gateway::start(config, clock).unwrap();
    let mut pages = script("pages.mjs");
    pages.args([&gateway.http_url(), PASSWORD]);
    pages.arg(shots()).arg("street");
    let faults = report(pages);
    gateway.stop();
    assert_eq!(faults, json!([]), "{faults:#}");
}

#[test]
fn two_integrators_lose_no_edit_and_no_session_loses_a_draft() {
    let folder = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let sim = Sim::start(street(still()), clock.clone()).unwrap();
    let documents = [("street", sim.zones_json())];
    let people = [("iris", Role::Integrator), ("joris", Role::Integrator)];
    let config = configure(&sim, folder.path(), &documents, &people, "four_eyes = true");
    let mut gateway = Gateway::start(config, clock).unwrap();
    let mut two = script("people.mjs");
    two.args([&gateway.http_url(), PASSWORD]);
    two.arg(shots()).arg("street");
    let came = report(two);
    gateway.stop();
    let says = |step: &str, what: &str| {
        let text = came[step].as_str().unwrap_or_default();
        assert!(text.contains(what), "{step}: {came:#}");
    };
    says("conflict", "Somebody saved meanwhile");
    assert_eq!(came["conflictNames"], true, "{came:#}");
    assert_eq!(came["waits"], true, "{came:#}");
    says("own", "Somebody else has to approve it");
    says("approved", "approved by joris");
    says("refused", "refused by iris");
    says("draft", "zone-");
    assert_eq!(came["saved"], true, "{came:#}");
}
