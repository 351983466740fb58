//! The API over HTTP, as a browser or a stranger would ask it: every route with
//! every role and none, logging in and out, hostile requests.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should fail loudly"
)]

mod api_support;
mod people_support;

use api_support::{
    Body, Cameras, Console, MARKET, SESSION, cookie_of, error_of, json_of, login, offer,
};
use greyplane::audit::{self, Audit};
use greyplane::clock::SystemClock;
use greyplane::secret::Secret;
use greyplane::users::{PasswordHash, Role, Users};
use greyplane::web::{ConsoleSettings, Holds, Server, Settings};
use people_support::PASSWORD;
use reqwest::header::{CONTENT_TYPE, COOKIE, RETRY_AFTER, SET_COOKIE};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test]
async fn no_route_answers_whom_it_is_not_for() {
    let console = Console::start();
    let mut cookies = BTreeMap::from([("", String::new())]);
    for role in Role::ALL {
        cookies.insert(role.name(), console.log_in(role.name()).await);
    }
    let document = console.get("/api/v1/openapi.json", &cookies["admin"]).await;
    let document = json_of(document).await;
    let mut walked = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        let path = path
            .replace("{camera}", "market")
            .replace("{watching}", "none")
            .replace("{token}", "1")
            .replace("{number}", "7")
            .replace("{preset}", "gate");
        assert!(
            !path.contains('{'),
            "{path} has a parameter this test does not know"
        );
        for (method, operation) in methods.as_object().unwrap() {
            let security = operation["security"][0]["session"].as_array();
            for (role, cookie) in &cookies {
                if method == "delete" && path == SESSION && !role.is_empty() {
                    continue; // Would log the role out; has a test of its own.
                }
                let body = operation.get("requestBody").map(|b| {
                    let kinds = b["content"].as_object().unwrap();
                    match kinds.contains_key("application/sdp") {
                        true => ("application/sdp", "v=0".to_owned()),
                        false => ("application/json", "{}".to_owned()),
                    }
                });
                let upgrades = operation["responses"].get("101").is_some();
                let answer = match upgrades {
                    true => console.upgrade(&path, cookie).await,
                    false => {
                        let method = method.to_uppercase();
                        console.ask(&method, &path, cookie, body).await
                    }
                };
                let status = answer.status().as_u16();
                assert!(status != 101 || upgrades, "{path}");
                let what = format!("{method} {path} as `{role}`: {status}");
                let allowed = security.is_none_or(|roles| {
                    roles.is_empty() || roles.iter().any(|r| r.as_str() == Some(role))
                });
                match (security, *role) {
                    (None, _) => assert!(method == "post" && path == SESSION, "{what} is open"),
                    (Some(_), "") => assert_eq!(status, 401, "{what}"),
                    (Some(_), _) if !allowed => assert_eq!(status, 403, "{what}"),
                    (Some(_), _) if upgrades => assert_eq!(status, 101, "{what}"),
                    (Some(_), _) => assert!(![401, 403, 405, 500].contains(&status), "{what}"),
                }
                walked += 1;
            }
        }
    }
    assert!(walked >= 30, "only {walked} requests");
}

#[tokio::test]
async fn without_a_login_there_is_only_the_page() {
    let console = Console::start();
    for path in [
        "/api/v1/status",
        "/api/v1/nothing",
        "/api/v2/status",
        "/api",
        "/api/v1/../v1/status",
        "/api/v1/status/",
        "//api/v1/status",
        "/%61pi/v1/status",
        "/assets/../../Cargo.toml",
        "/..%2f..%2fCargo.toml",
        "/metrics",
    ] {
        let answer = console.get(path, "").await;
        let status = answer.status().as_u16();
        assert!([401, 404].contains(&status), "{path}: {status}");
        assert!(!answer.text().await.unwrap().contains("market"), "{path}");
    }
    let health = console.get("/healthz", "").await;
    assert_eq!(health.text().await.unwrap(), "ok\n");
    assert_eq!(
        console.get("/readyz", "").await.text().await.unwrap(),
        "ready\n"
    );
    let page = console.get("/", "").await;
    for (name, part) in [
        ("content-security-policy", "default-src 'none'"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
    ] {
        assert!(
            page.headers()[name].to_str().unwrap().contains(part),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_login_lasts_until_its_end() {
    let console = Console::start();
    let cookie = console.log_in("observer").await;
    let who = json_of(console.get(SESSION, &cookie).await).await;
    assert_eq!(
        who,
        json!({"user": "observer", "roles": ["observer"], "cameras": ["market"]})
    );
    let status = json_of(console.get("/api/v1/status", &cookie).await).await;
    let ids: Vec<&Value> = status["cameras"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| &c["id"])
        .collect();
    assert_eq!(ids, ["market"]);

    let again = console.log_in("observer").await;
    assert_ne!(again, cookie, "each login has a session of its own");
    assert_eq!(
        console.ask("DELETE", SESSION, &cookie, None).await.status(),
        204
    );
    assert_eq!(console.get(SESSION, &cookie).await.status(), 401);
    assert_eq!(console.get(SESSION, &again).await.status(), 200);

    // A login over a login ends the first one.
    let body = login("officer", PASSWORD);
    let other = console.ask("POST", SESSION, &again, body).await;
    let officer = cookie_of(other.headers());
    assert_eq!(console.get(SESSION, &again).await.status(), 401);
    assert_eq!(console.get(SESSION, &officer).await.status(), 200);

    for forged in [
        "__Host-greyplane=",
        "__Host-greyplane=AAAAAAAAAAAAAAAAAAAAAA",
        "id=1",
    ] {
        assert_eq!(console.get(SESSION, forged).await.status(), 401, "{forged}");
    }
}

#[tokio::test]
async fn whoever_logs_out_is_out_for_requests_under_way_too() {
    let console = Console::start();
    let cookie = console.log_in("observer").await;
    let address = console.server.address();
    let mut slow = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST {MARKET} HTTP/1.1\r\nHost: {address}\r\nCookie: {cookie}\r\n\
         Content-Type: application/sdp\r\nContent-Length: 3\r\nConnection: close\r\n\r\nv"
    );
    slow.write_all(head.as_bytes()).await.unwrap();
    // So that its login is known; however long that takes, the answer is the same.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let out = console.ask("DELETE", SESSION, &cookie, None).await;
    assert_eq!(out.status(), 204);
    slow.write_all(b"=0").await.unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert!(console.cameras.watching.lock().unwrap().is_empty());
    // Nor does its end bring the login back.
    assert_eq!(console.get(SESSION, &cookie).await.status(), 401);
}

#[tokio::test]
async fn whoever_never_ends_a_request_is_hung_up_on() {
    let console = Console::start();
    let address = console.server.address();
    let mut slow = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST {SESSION} HTTP/1.1\r\nHost: {address}\r\n\
         Content-Type: application/json\r\nContent-Length: 300\r\n\r\n{{"
    );
    slow.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
}

#[tokio::test]
async fn an_account_that_changes_ends_its_sessions_and_what_they_watch() {
    let changes = [
        "password",
        "roles",
        "cameras",
        "gone",
        "file gone",
        "file broken",
    ];
    futures::future::join_all(changes.map(ends_with)).await;
}

async fn ends_with(change: &str) {
    let console = Console::start();
    let cookie = console.log_in("observer").await;
    let watching = console.ask("POST", MARKET, &cookie, offer("v=0")).await;
    assert_eq!(watching.status(), 201);
    let mut users = Users::read(&console.users).unwrap();
    let mut user = users.find("observer").unwrap().clone();
    match change {
        "password" => {
            user.password = PasswordHash::of(&Secret::new("quite another one")).unwrap();
        }
        "roles" => user.roles = vec![Role::Officer],
        "cameras" => user.cameras = vec!["harbour".into()],
        _ => {}
    }
    users.remove("observer");
    if !change.ends_with("gone") {
        users.add(user).unwrap();
    }
    users.write(&console.users).unwrap();
    match change {
        "file gone" => std::fs::remove_file(&console.users).unwrap(),
        "file broken" => std::fs::write(&console.users, "format = 1\n[[user]]\n").unwrap(),
        _ => {}
    }
    assert_eq!(
        console.get(SESSION, &cookie).await.status(),
        401,
        "{change}"
    );
    while !console.cameras.watching.lock().unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn wrong_passwords_say_nothing_and_soon_have_to_wait() {
    let console = Console::start();
    let mut said = BTreeSet::new();
    let mut waits = None;
    for (tries, name) in [
        "observer",
        "nobody",
        "",
        "observer\n",
        "x".repeat(10_000).as_str(),
    ]
    .iter()
    .cycle()
    .enumerate()
    .take(40)
    {
        let answer = console
            .ask("POST", SESSION, "", login(name, "a wrong password"))
            .await;
        assert!(!answer.headers().contains_key(SET_COOKIE));
        match answer.status().as_u16() {
            401 => said.insert(error_of(answer).await),
            429 => {
                waits = Some((tries, answer.headers()[RETRY_AFTER].clone()));
                break;
            }
            other => panic!("{other}"),
        };
    }
    assert_eq!(
        said.len(),
        1,
        "names that exist are answered like others: {said:?}"
    );
    let (tries, wait) = waits.expect("somebody who guesses has to wait");
    assert!((5..=11).contains(&tries), "{tries}");
    let wait_s: u64 = wait.to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait_s));
    let right = console
        .ask("POST", SESSION, "", login("observer", PASSWORD))
        .await;
    assert_eq!(right.status(), 429, "the right one waits too");
}

#[tokio::test]
async fn hostile_requests_are_refused_by_what_they_are() {
    let console = Console::start();
    let cookie = console.log_in("admin").await;
    let big = "x".repeat(70_000);
    let cases: [(&str, &str, Option<Body>, u16); 13] = [
        ("POST", SESSION, Some(("application/json", "{".into())), 400),
        (
            "POST",
            SESSION,
            Some(("application/json", "[1]".into())),
            422,
        ),
        ("POST", SESSION, Some(("text/plain", "{}".into())), 415),
        (
            "POST",
            SESSION,
            Some(("application/json", big.clone())),
            413,
        ),
        ("PUT", SESSION, None, 405),
        ("POST", MARKET, offer("rubbish"), 400),
        ("POST", MARKET, offer("no h264"), 409),
        ("POST", MARKET, offer("full"), 503),
        ("POST", MARKET, offer(&big), 413),
        ("POST", MARKET, Some(("text/plain", "v=0".into())), 415),
        (
            "POST",
            "/api/v1/cameras/nowhere/whep",
            offer("rubbish"),
            400,
        ),
        ("DELETE", "/api/v1/cameras/market/whep/nothing", None, 404),
        ("DELETE", "/api/v1/cameras/market/whep/%00%ff", None, 400),
    ];
    for (method, path, body, status) in cases {
        let answer = console.ask(method, path, &cookie, body).await;
        assert_eq!(answer.status(), status, "{method} {path}");
    }
    // What another site makes the browser ask for, with the person's own cookie.
    let url = format!("{}{SESSION}", console.server.url());
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://evil.example"),
    ] {
        let answer = console
            .client
            .delete(&url)
            .header(COOKIE, &cookie)
            .header(name, value);
        assert_eq!(answer.send().await.unwrap().status(), 403, "{name}");
    }
    assert_eq!(
        console.get(SESSION, &cookie).await.status(),
        200,
        "still logged in"
    );
}

#[tokio::test]
async fn watching_is_for_ones_own_cameras_and_ends_with_the_login() {
    let console = Console::start();
    let (admin, observer) = (
        console.log_in("admin").await,
        console.log_in("observer").await,
    );
    let answer = console.ask("POST", MARKET, &observer, offer("v=0")).await;
    assert_eq!(answer.status(), 201);
    let place = answer.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(answer.headers()[CONTENT_TYPE], "application/sdp");
    assert_eq!(answer.text().await.unwrap(), "an answer");
    let harbour = "/api/v1/cameras/harbour/whep";
    assert_eq!(
        console
            .ask("POST", harbour, &observer, offer("v=0"))
            .await
            .status(),
        404
    );
    assert_eq!(
        console
            .ask("POST", harbour, &admin, offer("v=0"))
            .await
            .status(),
        201
    );
    assert_eq!(
        console.ask("DELETE", &place, &admin, None).await.status(),
        404,
        "what somebody else watches is theirs to end"
    );
    assert_eq!(
        console
            .ask("DELETE", &place, &observer, None)
            .await
            .status(),
        204
    );
    assert_eq!(
        console
            .ask("DELETE", &place, &observer, None)
            .await
            .status(),
        404
    );
    assert_eq!(
        console
            .ask("POST", MARKET, &observer, offer("v=0"))
            .await
            .status(),
        201
    );
    let watching = || console.cameras.watching.lock().unwrap().clone();
    assert_eq!(watching().len(), 2);
    console.ask("DELETE", SESSION, &observer, None).await;
    assert_eq!(watching().len(), 1, "the admin's");
}

#[tokio::test]
async fn who_watches_and_asks_for_nothing_more_is_out_when_the_session_expires() {
    let console = Console::with_sessions_of(Duration::from_secs(2));
    let cookie = console.log_in("observer").await;
    let watching = console.ask("POST", MARKET, &cookie, offer("v=0")).await;
    assert_eq!(watching.status(), 201);
    while !console.cameras.watching.lock().unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(console.get(SESSION, &cookie).await.status(), 401);
}

#[tokio::test]
async fn without_accounts_there_is_a_status_and_no_console() {
    let settings = Settings {
        listen: "127.0.0.1:0".parse().unwrap(),
        metrics_listen: None,
        console: None,
    };
    let cameras = Arc::new(Cameras::default());
    let server = Server::start(settings, cameras).unwrap();
    for (path, status) in [
        ("/api/v1/status", 200),
        (SESSION, 404),
        (MARKET, 404),
        ("/", 404),
    ] {
        let answer = reqwest::get(format!("{}{path}", server.url()))
            .await
            .unwrap();
        assert_eq!(answer.status(), status, "{path}");
    }
}

#[tokio::test]
async fn over_tls_a_browser_is_told_to_stay_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(path("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(path("key.pem"), made.signing_key.serialize_pem()).unwrap();
    std::fs::write(path("no.pem"), "no key").unwrap();
    let start = |key: &str| {
        let cameras = Arc::new(Cameras::default());
        let clock = Arc::new(SystemClock::new());
        let audit = audit::Settings::in_folder(path(&format!("audit for {key}")));
        let audit = Audit::start(audit, clock.clone()).unwrap();
        let settings = Settings {
            listen: "127.0.0.1:0".parse().unwrap(),
            metrics_listen: None,
            console: Some(ConsoleSettings {
                users: path("users.toml"),
                tls: Some((path("cert.pem"), path(key))),
                holds: Holds::new(cameras.clone(), audit.clone(), clock),
                audit,
                session: Duration::from_secs(3600),
                clock: Arc::new(SystemClock::new()),
            }),
        };
        Server::start(settings, cameras)
    };
    for unfit in ["no.pem", "missing.pem", "cert.pem"] {
        let said = start(unfit).unwrap_err().to_string();
        assert!(said.contains("TLS with"), "{unfit}: {said}");
    }
    let server = start("key.pem").unwrap();
    assert!(server.url().starts_with("https://"));
    let port = server.address().port();
    let trusted = reqwest::Certificate::from_pem(made.cert.pem().as_bytes()).unwrap();
    let client = reqwest::Client::builder()
        .tls_certs_only([trusted])
        .build()
        .unwrap();
    let page = client
        .get(format!("https://localhost:{port}/healthz"))
        .send()
        .await
        .unwrap();
    assert!(page.headers().contains_key("strict-transport-security"));
    let plain = client
        .get(format!("http://localhost:{port}/healthz"))
        .send()
        .await;
    assert!(plain.is_err(), "nothing is served in the clear");
    // No file of accounts: nobody is let in, and the gateway serves on.
    let url = format!("https://localhost:{port}{SESSION}");
    let (kind, body) = login("admin", PASSWORD).unwrap();
    let refused = client
        .post(url)
        .header(CONTENT_TYPE, kind)
        .body(body)
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), 401);
}
