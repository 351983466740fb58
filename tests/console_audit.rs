//! What the console writes into the audit log, and what it shows of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should fail loudly"
)]

mod api_support;
mod people_support;

use api_support::{Console, MARKET, SESSION, error_of, json_of, login, offer};
use greyplane::audit;
use greyplane::secret::Secret;
use greyplane::users::{PasswordHash, Role, User, Users};
use people_support::PASSWORD;
use reqwest::header::SET_COOKIE;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn what_people_do_is_recorded_before_they_are_answered() {
    let console = Console::start();
    let admin = console.log_in("admin").await;
    console
        .ask("POST", SESSION, "", login("observer", "a wrong password"))
        .await;
    let body = login("a password in the wrong place", "x");
    console.ask("POST", SESSION, "", body).await;
    let observer = console.log_in("observer").await;
    let watching = console.ask("POST", MARKET, &observer, offer("v=0")).await;
    assert_eq!(watching.status(), 201);
    let harbour = "/api/v1/cameras/harbour/whep";
    console.ask("POST", harbour, &observer, offer("v=0")).await;
    console.ask("DELETE", SESSION, &observer, None).await;
    let officer = console.log_in("officer").await;
    console.get("/api/v1/audit/export", &officer).await;

    let folder = console.audit.folder().to_owned();
    let found = audit::search(&folder, &audit::Filter::default(), 100).unwrap();
    let said: Vec<String> = found
        .records
        .iter()
        .rev()
        .filter(|r| r.origin == "127.0.0.1" && r.action != "unwatch")
        .map(|r| format!("{} {} {} {}", r.actor, r.action, r.object, r.result.name()))
        .collect();
    assert_eq!(
        said,
        [
            "admin log-in session done",
            "observer log-in session refused",
            "unknown log-in session refused",
            "observer log-in session done",
            "observer watch camera market done",
            "observer request POST /api/v1/cameras/harbour/whep refused",
            "observer log-out session done",
            "officer log-in session done",
            "officer audit-export audit log done",
        ]
    );
    let report = audit::verify(&folder, audit::Asked::default(), &|| true).unwrap();
    assert!(report.is_whole(), "{report:?}");

    // The same through the API, in parts, and by what they say.
    let ask = async |question: &str| {
        let path = format!("/api/v1/audit?{question}");
        let answer = console.get(&path, &admin).await;
        assert_eq!(answer.status(), 200, "{question}");
        json_of(answer).await
    };
    let page = ask("limit=2&actor=observer&action=log-in").await;
    let records = page["records"].as_array().unwrap();
    assert_eq!(records.len(), 2);
    assert_eq!(records[0]["result"], "done");
    assert_eq!(records[1]["detail"]["why"], "wrong name or password");
    let next = page["next_before_seq"].as_u64().unwrap();
    let page = ask(&format!("before_seq={next}&actor=observer&action=log-in")).await;
    assert_eq!(
        (
            page["records"].as_array().unwrap().len(),
            &page["next_before_seq"]
        ),
        (0, &Value::Null)
    );
    for (question, count) in [
        ("object=harbour", 1),
        ("result=refused&actor=unknown", 1),
        ("from=2200-01-01T00:00:00Z", 0),
        ("to=2000-01-01T01:00:00%2B01:00", 0),
        ("action=unwatch&actor=observer&object=camera%20market", 1),
    ] {
        let page = ask(question).await;
        assert_eq!(
            page["records"].as_array().unwrap().len(),
            count,
            "{question}"
        );
    }
    for wrong in [
        "limit=x",
        "from=yesterday",
        "result=maybe",
        "seq=1",
        "before_seq=-1",
    ] {
        let answer = console.get(&format!("/api/v1/audit?{wrong}"), &admin).await;
        assert_eq!(answer.status(), 400, "{wrong}");
        error_of(answer).await;
    }
    while ask("limit=1").await["verified"]["state"] == "unknown" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(ask("limit=1").await["verified"]["state"], "whole");

    let answer = console.get("/api/v1/audit/export", &admin).await;
    let head = answer.headers()["content-disposition"].to_str().unwrap();
    assert!(head.starts_with("attachment"), "{head}");
    let lines = answer.text().await.unwrap();
    let file = std::fs::read_to_string(folder.join("audit-000001.jsonl")).unwrap();
    assert!(file.starts_with(&lines) && lines.lines().count() > 10);
    let last: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    assert_eq!(
        (last["actor"].as_str(), last["action"].as_str()),
        (Some("admin"), Some("audit-export"))
    );
}

#[tokio::test]
async fn what_cannot_be_recorded_is_not_done() {
    let console = Console::start();
    let observer = console.log_in("observer").await;
    // Every write of the head fails as on a full disk.
    let part = console.audit.folder().join("audit.head.part");
    std::os::unix::fs::symlink("/dev/full", &part).unwrap();
    let cannot = "this cannot be recorded in the audit log, so it is not done";
    let answer = console
        .ask("POST", SESSION, "", login("admin", PASSWORD))
        .await;
    assert_eq!(
        (
            answer.status().as_u16(),
            answer.headers().contains_key(SET_COOKIE)
        ),
        (503, false)
    );
    assert_eq!(error_of(answer).await, cannot);
    let answer = console.ask("POST", MARKET, &observer, offer("v=0")).await;
    assert_eq!(answer.status(), 503);
    assert_eq!(error_of(answer).await, cannot);
    assert!(console.cameras.watching.lock().unwrap().is_empty());
    let again = console
        .ask("POST", SESSION, "", login("admin", "a wrong one"))
        .await;
    assert_eq!(again.status(), 401);
    assert_eq!(console.get(SESSION, &observer).await.status(), 200);
    std::fs::remove_file(part).unwrap();
    console.log_in("admin").await;
    let folder = console.audit.folder();
    let report = audit::verify(folder, audit::Asked::default(), &|| true).unwrap();
    assert!(report.is_whole(), "{report:?}");
    let logins = audit::Filter {
        action: Some("log-in".into()),
        ..audit::Filter::default()
    };
    let found = audit::search(folder, &logins, 100).unwrap().records;
    assert_eq!(found.iter().filter(|r| r.actor == "admin").count(), 1);
}

#[tokio::test]
async fn changed_accounts_are_recorded() {
    let console = Console::start();
    // By then the accounts were read.
    console.log_in("admin").await;
    let mut users = Users::read(&console.users).unwrap();
    users.remove("observer");
    let hash = PasswordHash::of(&Secret::new("quite another one")).unwrap();
    users.set_password("officer", hash.clone());
    users
        .add(User {
            name: "anna".into(),
            password: hash,
            roles: vec![Role::Officer],
            cameras: vec!["*".into()],
        })
        .unwrap();
    users.write(&console.users).unwrap();
    let changes = audit::Filter {
        action: Some("accounts-changed".into()),
        ..audit::Filter::default()
    };
    let folder = console.audit.folder();
    let detail = loop {
        let found = audit::search(folder, &changes, 10).unwrap().records;
        match found.first() {
            Some(record) => break record.detail.clone(),
            None => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    };
    assert_eq!(
        Value::Object(detail),
        json!({"added": ["anna"], "changed": ["officer"], "removed": ["observer"]})
    );
}
