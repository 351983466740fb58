//! NATS without JetStream: the server keeps nothing, so reports come again every half
//! minute, and nobody says that we are gone but ourselves.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_nats::{Client, ConnectErrorKind, ConnectOptions, Event};
use tokio::sync::mpsc;

use super::Server;
use super::documents::json;
use super::outbox::Item;
use super::run::{ANSWERS_WITHIN, CONNECT_WITHIN, GOODBYE_WITHIN, Goodbye, Link, Over, words};
use crate::secret::Secret;
use crate::tls;

/// A server that leaves two of these unanswered is gone.
const PING_EVERY: Duration = Duration::from_secs(10);
/// Whoever counts failures reconnects, not the library: it waits until it is dropped.
const NEVER: Duration = Duration::from_secs(24 * 60 * 60);

/// Connects and tells until that is over.
pub(super) async fn run(
    server: &Server,
    token: Option<&Secret>,
    subject: &str,
    link: &mut Link<'_>,
) -> Over {
    let (ends, mut ended) = mpsc::channel(4);
    let options = match options(server, token, ends) {
        Ok(options) => options,
        Err(why) => return Over::Lost(why),
    };
    let scheme = if server.tls { "tls" } else { "nats" };
    let address = format!("{scheme}://{}", server.authority());
    let client = match options.connect(address).await {
        Ok(client) => client,
        Err(why) => return Over::Lost(refused(&why)),
    };
    let teller = Teller {
        client,
        subject: subject.to_owned(),
    };
    // Before anything is told: a wrong word of ours would end the connection at once.
    if let Err(why) = teller.say("availability", "online").await {
        return Over::Lost(why);
    }
    (link.connected)();
    link.outbox.begin();
    let mut stopped = link.stopped.clone();
    let goodbye = tokio::select! {
        biased;
        why = ended.recv() => {
            return Over::Lost(why.unwrap_or_else(|| "the connection ended".to_owned()));
        }
        goodbye = Goodbye::said(&mut stopped) => goodbye,
        why = teller.tell(link) => return Over::Lost(why),
    };
    tracing::debug!(?goodbye, "leaves the bus");
    // Whatever it comes to: nobody waits for longer.
    let offline = teller.say("availability", "offline");
    let _ = tokio::time::timeout(GOODBYE_WITHIN, offline).await;
    Over::Stopped
}

fn options(
    server: &Server,
    token: Option<&Secret>,
    ends: mpsc::Sender<String>,
) -> Result<ConnectOptions, String> {
    let first = AtomicBool::new(true);
    let mut options = ConnectOptions::new()
        .name("greyplane")
        // Others than the one that was configured are never spoken to.
        .ignore_discovered_servers()
        .connection_timeout(CONNECT_WITHIN)
        .ping_interval(PING_EVERY)
        .client_capacity(16)
        .reconnect_delay_callback(move |_| match first.swap(false, Ordering::Relaxed) {
            true => Duration::ZERO,
            false => NEVER,
        })
        .event_callback(move |event| {
            let ends = ends.clone();
            async move {
                let why = match event {
                    Event::Disconnected | Event::Closed => {
                        "the server closed the connection".into()
                    }
                    Event::ServerError(why) => format!("the server says: {why}"),
                    Event::LameDuckMode => "the server is about to stop".into(),
                    _ => return,
                };
                // Full: one reason is enough.
                let _ = ends.try_send(why);
            }
        });
    if server.tls {
        let tls = tls::client(server.ca_file.as_deref()).map_err(|e| e.to_string())?;
        options = options.require_tls(true).tls_client_config(tls);
    }
    if let Some((user, password)) = &server.login {
        options = options.user_and_password(user.clone(), password.reveal().to_owned());
    }
    if let Some(token) = token {
        options = options.token(token.reveal().to_owned());
    }
    Ok(options)
}

fn refused(why: &async_nats::ConnectError) -> String {
    match why.kind() {
        ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => {
            "the server refuses this user and password".to_owned()
        }
        ConnectErrorKind::TimedOut => "the server does not answer".to_owned(),
        _ => words(why),
    }
}

struct Teller {
    client: Client,
    subject: String,
}

impl Teller {
    /// Until something fails.
    async fn tell(&self, link: &Link<'_>) -> String {
        loop {
            let item = link.outbox.next().await;
            match self.send(&item).await {
                Ok(()) => link.outbox.done(&item),
                Err(why) => return why,
            }
        }
    }

    async fn send(&self, item: &Item) -> Result<(), String> {
        match item {
            Item::Gateway(report) => {
                // With it, since it comes again and again.
                self.say("availability", "online").await?;
                self.say("gateway", json(&**report)).await
            }
            Item::Camera(report) => {
                let place = format!("camera.{}", report.camera);
                self.say(&place, json(&**report)).await
            }
            // Nothing is kept; the event says that it is gone.
            Item::Gone(_) => Ok(()),
            Item::Event(_, told) => self.say("event", json(&**told)).await,
        }
    }

    /// Sends a message and waits until the operating system has it: NATS acknowledges none.
    async fn say(&self, place: &str, payload: impl Into<Vec<u8>>) -> Result<(), String> {
        let subject = format!("{}.{place}", self.subject);
        let payload: Vec<u8> = payload.into();
        let sent = async {
            let sent = self.client.publish(subject, payload.into()).await;
            sent.map_err(|e| words(&e))?;
            self.client.flush().await.map_err(|e| words(&e))
        };
        let sent = tokio::time::timeout(ANSWERS_WITHIN, sent).await;
        sent.unwrap_or_else(|_| {
            let within = ANSWERS_WITHIN.as_secs();
            Err(format!("the server took no message for {within} s"))
        })
    }
}
