//! A configuration with a console, and people who come to it over HTTP.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    reason = "each test uses a part of it; a test that fails should fail loudly"
)]

use greyplane::config::{self, Config};
use greyplane::secret::Secret;
use greyplane::users::{PasswordHash, Role, User, Users};
use reqwest::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

pub const PASSWORD: &str = "a password for tests";

/// Writes accounts into a users file: (name, role, camera or `*`).
pub fn write_accounts<'a>(file: &Path, people: impl IntoIterator<Item = (&'a str, Role, &'a str)>) {
    let hash = PasswordHash::of(&Secret::new(PASSWORD)).unwrap();
    let mut users = Users::default();
    for (name, role, camera) in people {
        let user = User {
            name: name.into(),
            password: hash.clone(),
            roles: vec![role],
            cameras: vec![camera.into()],
        };
        users.add(user).unwrap();
    }
    users.write(file).unwrap();
}

/// Writes `greyplane.toml` into `folder`, with more keys for its `[console]` and
/// its `[[camera]]`s; accounts are in `users.toml`. What else it names must be
/// there already.
pub fn settle(folder: &Path, console: &str, cameras: &str) -> Config {
    let file = folder.join("greyplane.toml");
    let text = format!(
        "[gateway]\nrtsp_listen = \"127.0.0.1:0\"\nhttp_listen = \"127.0.0.1:0\"\n\
         [console]\nusers = \"users.toml\"\nwebrtc_listen = \"127.0.0.1:0\"\n{console}\n{cameras}"
    );
    fs::write(&file, text).unwrap();
    config::load(&file).unwrap_or_else(|e| panic!("{e}"))
}

/// Somebody who is logged in.
pub struct Person {
    client: Client,
    origin: String,
    pub cookie: String,
}

impl Person {
    pub async fn log_in(origin: &str, name: &str) -> Self {
        let client = Client::new();
        let body = json!({"user": name, "password": PASSWORD}).to_string();
        let request = client.post(format!("{origin}/api/v1/session"));
        let request = request.header(CONTENT_TYPE, "application/json");
        let answer = request.body(body).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{name}");
        let cookie = answer.headers()[SET_COOKIE].to_str().unwrap();
        Self {
            client,
            origin: origin.to_owned(),
            cookie: cookie.split(';').next().unwrap().to_owned(),
        }
    }

    /// A request of theirs, whose body is JSON.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self
            .client
            .request(method, format!("{}{path}", self.origin));
        let request = request.header(COOKIE, &self.cookie);
        request.header(CONTENT_TYPE, "application/json")
    }
}

/// An answer's status, and its JSON or text.
pub async fn told(answer: Response) -> (u16, Value) {
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    (status, body)
}
