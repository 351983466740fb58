//! Proof packs: made and checked on the command line, and asked of a gateway.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that fails should fail loudly"
)]

mod people_support;

use greyplane::app::Gateway;
use greyplane::audit::{self, Audit, Entry, Filter};
use greyplane::clock::{SimClock, SystemClock, WallTime};
use greyplane::config;
use greyplane::proof::verify;
use greyplane::sim::{Profile, SimConfig, zones};
use greyplane::users::Role;
use people_support::{Person, write_accounts};
use reqwest::Method;
use reqwest::header::CONTENT_DISPOSITION;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

/// 2025-03-01T00:00:00Z.
const MARCH: WallTime = WallTime(1_740_787_200_000_000_000);

/// A folder with a configuration, a camera's profile and its zones.
struct House {
    folder: tempfile::TempDir,
}

impl House {
    /// A turning camera that never sends.
    fn turning(zones: &str) -> Self {
        let house = Self::with(
            zones,
            "profile = \"street.profile.toml\"\n[camera.telemetry]\ndevice_url = \"http://127.0.0.1:9/onvif\"\n",
        );
        let sim = SimConfig::default();
        fs::write(
            house.file("street.profile.toml"),
            Profile::of(&sim).to_toml(),
        )
        .unwrap();
        house
    }

    /// One that stands still.
    fn fixed(zones: &str) -> Self {
        Self::with(zones, "")
    }

    fn with(zones: &str, camera: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let house = Self { folder };
        let text = format!(
            "[gateway]\nrtsp_listen = \"127.0.0.1:0\"\nhttp_listen = \"127.0.0.1:0\"\n\
             [console]\nusers = \"users.toml\"\naudit = \"audit\"\nwebrtc_listen = \"127.0.0.1:0\"\n\
             [[camera]]\nid = \"street\"\nurl = \"rtsp://127.0.0.1:9/none\"\nmasks = \"street.json\"\n{camera}"
        );
        fs::write(house.file("greyplane.toml"), text).unwrap();
        fs::write(house.file("street.json"), zones).unwrap();
        house
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Three weeks of a gateway that was stopped once and lost a camera's position.
    fn remember(&self) {
        let clock = Arc::new(SimClock::at(MARCH));
        let audit = Audit::start(
            audit::Settings::in_folder(self.file("audit")),
            clock.clone(),
        )
        .unwrap();
        let camera = |action| Entry::new(action, "camera street");
        let hours = |h: u64| clock.advance(Duration::from_secs(3600 * h));
        let state = |name: &str| camera("state-changed").detail("state", name);
        let add = |entry: Entry| {
            audit.append(entry).unwrap();
        };
        add(Entry::new("start", "gateway"));
        add(camera("stream-up").detail("form", "1920x1080 I420 25/1"));
        add(state("live"));
        hours(100);
        add(state("covered")
            .detail("code", "telemetry-stale")
            .detail("reason", "telemetry 2.3 s old <b>"));
        hours(2);
        add(state("live"));
        hours(50);
        add(Entry::new("stop", "gateway"));
        hours(10);
        add(Entry::new("start", "gateway"));
        add(state("live"));
        hours(200);
        add(Entry::new("log-in", "session").by("olga", "192.0.2.7"));
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_greyplane"))
            .args(["--log", "error", "proof"])
            .args(arguments)
            .current_dir(self.folder.path())
            .output()
            .unwrap()
    }

    /// The exit code and what was said.
    fn try_make(&self, camera: &str, from: &str, to: &str, lang: &str) -> (i32, String) {
        let out = self.run(&[
            "make",
            "--camera",
            camera,
            "--from",
            from,
            "--to",
            to,
            "--lang",
            lang,
            "--out",
            "pack.html",
        ]);
        let said = [out.stdout, out.stderr].concat();
        (out.status.code().unwrap(), String::from_utf8(said).unwrap())
    }

    /// The pack of March's first three weeks.
    fn make(&self, lang: &str) -> String {
        let (code, said) = self.try_make("street", "2025-03-01", "2025-03-21", lang);
        assert_eq!(code, 0, "{said}");
        println!("{said}");
        fs::read_to_string(self.file("pack.html")).unwrap()
    }
}

/// The zones of the simulated street, with a preset that corrects one.
fn street() -> Value {
    let mut zones: Value = serde_json::from_str(&zones::document(&SimConfig {
        id: "street".into(),
        ..SimConfig::default()
    }))
    .unwrap();
    let first = zones["zones"][0].clone();
    let corner = &first["shape"]["points"][0];
    zones["presets"] = json!([{
        "id": "p1", "name": "Kruispunt", "pan_deg": corner["pan_deg"], "tilt_deg": -8.0, "zoom": 0.0,
        "trims": [{"zone": first["id"], "pan_deg": 0.2, "tilt_deg": 0.0}],
    }]);
    zones
}

/// A zone of the picture.
fn window(name: &str, mode: &str) -> Value {
    json!({"id": "z", "name": name, "mode": mode, "shape": {"type": "image", "points": [
        {"x": 0.1, "y": 0.1}, {"x": 0.6, "y": 0.1}, {"x": 0.6, "y": 0.5}, {"x": 0.1, "y": 0.5},
    ]}})
}

fn document(zones: &[Value]) -> String {
    json!({"format": 1, "camera": "street", "zones": zones}).to_string()
}

#[test]
fn a_pack_tells_what_a_turning_camera_hides_and_how_it_ran() {
    let house = House::turning(&street().to_string());
    house.remember();
    for (lang, wanted) in [
        (
            "nl",
            [
                "<html lang=\"nl\">",
                "Verborgen bij elke nagegane stand waarbij de plek in beeld is (30):",
                "is verborgen bij alle ",
                "2 u 0 min",
                "10 u 0 min",
                "stand te oud",
                "1920×1080",
                "Kruispunt",
                "hier met de hand bijgestelde zones: 1",
                "tellen niet mee",
            ],
        ),
        (
            "en",
            [
                "<html lang=\"en\">",
                "Hidden at each checked position that has the place in the picture (30):",
                "is hidden at each of the ",
                "2 h 0 min",
                "10 h 0 min",
                "position too old",
                "as the log last told it",
                "whole: ",
                "records are what was written",
                "telemetry 2.3 s old &lt;b&gt;",
            ],
        ),
    ] {
        let page = house.make(lang);
        for text in wanted {
            assert!(page.contains(text), "{lang}: {text}");
        }
        for text in [
            "NOT always hidden",
            "NIET altijd verborgen",
            "<script",
            "http://",
            "https://",
        ] {
            assert!(!page.contains(text), "{lang}: {text}");
        }
        let drawings = page.matches("<svg").count();
        assert!(drawings > 24, "{drawings} drawings");
    }
}

#[test]
fn every_changed_byte_of_a_pack_is_found() {
    let house = House::fixed(&document(&[window("Huis 12", "hide")]));
    house.remember();
    let pack = house.make("nl").into_bytes();
    let sealed = verify(&pack, None).unwrap();
    for at in 0..pack.len() {
        let mut changed = pack.clone();
        changed[at] ^= 1;
        assert!(verify(&changed, None).is_err(), "byte {at}");
    }
    let check = |file: &str, key: &str| {
        let out = house.run(&["verify", file, "--key", key]);
        (
            out.status.code().unwrap(),
            String::from_utf8_lossy(&out.stderr).into_owned(),
        )
    };
    let key = sealed.key.to_string();
    assert_eq!(check("pack.html", &key).0, 0);
    assert_eq!(house.run(&["verify", "pack.html"]).status.code(), Some(0));
    let other = format!("{:064}", 1);
    let (code, said) = check("pack.html", &other);
    assert!(code == 1 && said.contains("another key"), "{said}");
    let changed = String::from_utf8(pack)
        .unwrap()
        .replace("Huis 12", "Huis 14");
    fs::write(house.file("changed.html"), changed).unwrap();
    let (code, said) = check("changed.html", &key);
    assert!(code == 1 && said.contains("was changed"), "{said}");
    assert_eq!(check("none.html", &key).0, 2);
}

#[test]
fn what_people_typed_is_text_and_nothing_else() {
    let hostile = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "</style></title><iframe src=javascript:alert(1)>",
        "'; --&lt;\u{202e}",
    ];
    for name in hostile {
        let house = House::fixed(&document(&[window(name, "hide")]));
        house.remember();
        let page = house.make("en");
        for tag in [
            "<script",
            "<img",
            "<iframe",
            " onerror=\"",
            "javascript:alert(1)>",
        ] {
            assert!(!page.contains(tag), "{name}: {tag}");
        }
        assert!(page.contains("default-src 'none'"));
        assert_eq!(page.matches("</style>").count(), 1, "{name}");
    }
}

#[test]
fn what_is_missing_is_said() {
    let bare = r#"{"format": 1, "camera": "street", "nothing_private": "A field.", "zones": []}"#;
    let plain = document(&[window("Huis 12", "hide")]);
    let shows = document(&[window("Plein", "show-only")]);
    type Damage = fn(&House);
    let cases: [(&str, House, Damage, &[&str]); 8] = [
        (
            "no zones",
            House::fixed(bare),
            |_| {},
            &["set up to see everything", "A field."],
        ),
        (
            "zones are hidden",
            House::fixed(&plain),
            |_| {},
            &["Huis 12", "is hidden."],
        ),
        (
            "show only",
            House::fixed(&shows),
            |_| {},
            &[
                "Everything outside of what may be seen (Plein)",
                "is hidden.",
            ],
        ),
        (
            "unreadable zones",
            House::fixed("{"),
            |_| {},
            &["hides the whole picture, always"],
        ),
        (
            "no zones' file",
            House::fixed(&plain),
            |h| fs::remove_file(h.file("street.json")).unwrap(),
            &[
                "hides the whole picture, always",
                "The versions cannot be read",
            ],
        ),
        (
            "unreadable profile",
            House::turning(&street().to_string()),
            |h| fs::write(h.file("street.profile.toml"), "format = 9").unwrap(),
            &["hides the whole picture, always"],
        ),
        (
            "a changed log",
            House::fixed(&plain),
            |h| {
                let file = h.file("audit/audit-000001.jsonl");
                let text = fs::read_to_string(&file).unwrap();
                fs::write(file, text.replace("192.0.2.7", "192.0.2.8")).unwrap();
            },
            &["NOT whole"],
        ),
        (
            "a log that is gone, but for its key",
            House::fixed(&plain),
            |h| {
                fs::remove_file(h.file("audit/audit-000001.jsonl")).unwrap();
                fs::remove_file(h.file("audit/audit.head")).unwrap();
            },
            &[
                "The audit log cannot be read.",
                "before the log says anything",
            ],
        ),
    ];
    for (what, house, damage, wanted) in cases {
        house.remember();
        damage(&house);
        let page = house.make("en");
        for text in wanted {
            assert!(page.contains(text), "{what}: {text}");
        }
    }
}

#[test]
fn a_pack_that_cannot_be_made_says_why() {
    let house = House::fixed(&document(&[window("Huis 12", "hide")]));
    let (code, said) = house.try_make("street", "2025-03-01", "2025-03-02", "en");
    assert!(code == 1 && said.contains("there is no key in"), "{said}");
    house.remember();
    for (camera, from, to, lang, wanted) in [
        ("harbour", "2025-03-01", "2025-03-02", "en", "it has street"),
        (
            "street",
            "2025-03-03",
            "2025-03-02",
            "en",
            "ends before it begins",
        ),
        ("street", "2100-01-01", "2100-01-02", "en", "in the future"),
        ("street", "1 maart", "2025-03-02", "en", "is no time"),
        ("street", "2025-03-01", "2025-03-02", "fr", "nl, en"),
    ] {
        let (code, said) = house.try_make(camera, from, to, lang);
        assert!(code == 2 && said.contains(wanted), "{said}");
    }
    // Before the log began: nothing is known, and that is said.
    let (code, said) = house.try_make("street", "2025-02-01", "2025-02-02", "en");
    assert_eq!(code, 0, "{said}");
    let page = fs::read_to_string(house.file("pack.html")).unwrap();
    assert!(page.contains("before the log says anything about this camera"));
    assert!(page.contains("<dd>none</dd>"));
}

#[tokio::test]
async fn officers_get_a_pack_over_http_and_it_is_recorded() {
    let house = House::fixed(&document(&[window("Huis 12", "hide")]));
    let people = Role::ALL.map(|role| (role.name(), role, "street"));
    write_accounts(&house.file("users.toml"), people);
    let config = config::load(&house.file("greyplane.toml")).unwrap_or_else(|e| panic!("{e}"));
    let gateway = Gateway::start(config, Arc::new(SystemClock::new())).unwrap();
    let proof = |camera: &str, question: &str| format!("/api/v1/cameras/{camera}/proof?{question}");
    let good = "from=2025-01-01&to=2099-01-01&lang=nl";
    let mut people = Vec::new();
    for role in Role::ALL {
        let person = Person::log_in(&gateway.http_url(), role.name()).await;
        people.push((role, person));
    }
    for (role, person) in &people {
        let ask = |path: String| person.request(Method::GET, &path).send();
        let may = matches!(role, Role::Officer | Role::Admin);
        let answer = ask(proof("street", good)).await.unwrap();
        assert_eq!(answer.status(), if may { 200 } else { 403 }, "{role:?}");
        if !may {
            continue;
        }
        let disposition = answer.headers()[CONTENT_DISPOSITION].to_str().unwrap();
        assert!(disposition.starts_with("attachment"), "{disposition}");
        let pack = answer.bytes().await.unwrap();
        verify(&pack, None).unwrap();
        let page = String::from_utf8(pack.to_vec()).unwrap();
        assert!(page.contains("Huis 12") && page.contains("is verborgen."));
        for (camera, question, status) in [
            ("harbour", good, 404),
            ("street", "", 400),
            ("street", "from=2025-01-01&to=2099-01-01", 400),
            ("street", "from=2025-01-01&to=2099-01-01&lang=fr", 400),
            ("street", "from=2025-02-01&to=2025-01-01&lang=nl", 400),
            ("street", "from=x&to=y&lang=nl&more=1", 400),
        ] {
            let answer = ask(proof(camera, question)).await.unwrap();
            assert_eq!(answer.status(), status, "{camera} {question}");
        }
        let filter = Filter {
            action: Some("proof-pack".into()),
            ..Filter::default()
        };
        let found = audit::search(&house.file("audit"), &filter, 10).unwrap();
        let record = &found.records[0];
        assert_eq!(
            (record.actor.as_str(), record.object.as_str()),
            (role.name(), "camera street")
        );
        let sum = hex::encode(Sha256::digest(page.as_bytes()));
        assert_eq!(record.detail["file_sha256"], sum);
    }
    // Two at once: one is made, the other is told to wait.
    let officer = people.iter().find(|(role, _)| *role == Role::Officer);
    let officer = &officer.unwrap().1;
    let ask = |_| officer.request(Method::GET, &proof("street", good)).send();
    let asks = (0..4).map(ask);
    let mut statuses: Vec<u16> = futures::future::join_all(asks)
        .await
        .into_iter()
        .map(|answer| answer.unwrap().status().as_u16())
        .collect();
    statuses.sort_unstable();
    assert!(
        statuses[0] == 200 && statuses.iter().all(|s| [200, 429].contains(s)),
        "{statuses:?}"
    );
}
