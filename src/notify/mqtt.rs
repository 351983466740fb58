//! MQTT 3.1.1: retained reports and availability, a last will, every message
//! acknowledged (QoS 1) before the next one leaves.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use rumqttc::{
    AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, LastWill, MqttOptions,
    NetworkOptions, Outgoing, Packet, PublishOptions, QoS, TlsConfiguration, Transport,
};
use tokio::sync::oneshot;

use super::Server;
use super::documents::json;
use super::home_assistant;
use super::outbox::Item;
use super::run::{ANSWERS_WITHIN, CONNECT_WITHIN, GOODBYE_WITHIN, Goodbye, Link, Over, words};
use crate::tls;

const ONLINE: &str = "online";
const OFFLINE: &str = "offline";
/// A broker that loses us says so after one and a half of these.
const KEEP_ALIVE_S: u16 = 20;
/// Longer messages than any document of ours.
const MESSAGE_BYTES: usize = 256 * 1024;

/// Where what is found.
#[derive(Clone, Debug)]
pub(super) struct Topics(String);

impl Topics {
    pub(super) fn prefix(&self) -> &str {
        &self.0
    }

    pub(super) fn availability(&self) -> String {
        format!("{}/availability", self.0)
    }

    pub(super) fn camera(&self, id: &str) -> String {
        format!("{}/camera/{id}", self.0)
    }

    fn gateway(&self) -> String {
        format!("{}/gateway", self.0)
    }

    fn event(&self) -> String {
        format!("{}/event", self.0)
    }
}

/// Connects and tells until that is over.
pub(super) async fn run(
    server: &Server,
    prefix: &str,
    discovery: Option<&str>,
    link: &mut Link<'_>,
) -> Over {
    let topics = Topics(prefix.to_owned());
    let options = match options(server, &topics) {
        Ok(options) => options,
        Err(why) => return Over::Lost(why),
    };
    let (client, mut connection) = AsyncClient::builder(options).capacity(4).build();
    let mut network = NetworkOptions::new();
    network.set_connection_timeout(CONNECT_WITHIN.as_secs());
    network.set_tcp_nodelay(true);
    connection.set_network_options(network);
    let (accepted, is_accepted) = oneshot::channel();
    let teller = Teller {
        client,
        topics,
        discovery: discovery.map(str::to_owned),
        announced: BTreeSet::new(),
    };
    tokio::select! {
        biased;
        over = drive(&mut connection, accepted) => over,
        over = teller.run(link, is_accepted) => over,
    }
}

fn options(server: &Server, topics: &Topics) -> Result<MqttOptions, String> {
    // Two of one name push each other out: a new one each time.
    let id = format!("greyplane{:08x}", rand::random::<u32>());
    let mut options = MqttOptions::new(id, (server.host.clone(), server.port));
    if server.tls {
        let tls = tls::client(server.ca_file.as_deref()).map_err(|e| e.to_string())?;
        let tls = TlsConfiguration::Rustls(Arc::new(tls));
        options.set_transport(Transport::tls_with_config(tls));
    }
    if let Some((user, password)) = &server.login {
        options.set_credentials(user.clone(), password.reveal().to_owned());
    }
    options.set_keep_alive(KEEP_ALIVE_S);
    options.set_clean_session(true);
    options.set_max_packet_size(MESSAGE_BYTES, MESSAGE_BYTES);
    options.set_last_will(LastWill::new(
        topics.availability(),
        OFFLINE,
        QoS::AtLeastOnce,
        true,
    ));
    Ok(options)
}

/// Reads and writes until the connection ends; says once when the broker took us.
async fn drive(connection: &mut EventLoop, accepted: oneshot::Sender<()>) -> Over {
    let mut accepted = Some(accepted);
    let mut leaving = false;
    loop {
        match connection.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                // Whoever waits may have given up; then all of this ends.
                let _ = accepted.take().map(|accepted| accepted.send(()));
            }
            Ok(Event::Outgoing(Outgoing::Disconnect)) => leaving = true,
            Ok(_) => {}
            Err(_) if leaving => return Over::Stopped,
            Err(why) => return Over::Lost(problem(&why)),
        }
    }
}

fn problem(why: &ConnectionError) -> String {
    match why {
        ConnectionError::ConnectionRefused(
            ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized,
        ) => "the broker refuses this user and password".to_owned(),
        ConnectionError::NetworkTimeout => "the broker does not answer".to_owned(),
        other => words(other),
    }
}

struct Teller {
    client: AsyncClient,
    topics: Topics,
    discovery: Option<String>,
    /// Cameras that Home Assistant was told of over this connection.
    announced: BTreeSet<String>,
}

impl Teller {
    async fn run(mut self, link: &mut Link<'_>, accepted: oneshot::Receiver<()>) -> Over {
        if accepted.await.is_err() {
            return Over::Lost("the broker does not answer".to_owned());
        }
        if let Err(why) = self.keep(self.topics.availability(), ONLINE).await {
            return Over::Lost(why);
        }
        (link.connected)();
        link.outbox.begin();
        let mut stopped = link.stopped.clone();
        let goodbye = tokio::select! {
            biased;
            goodbye = Goodbye::said(&mut stopped) => goodbye,
            why = self.tell(link) => return Over::Lost(why),
        };
        // Whatever it comes to: nobody waits for longer, and the last will says the rest.
        let _ = tokio::time::timeout(GOODBYE_WITHIN, self.leave(link, goodbye)).await;
        Over::Stopped
    }

    /// Until something fails.
    async fn tell(&mut self, link: &Link<'_>) -> String {
        loop {
            let item = link.outbox.next().await;
            match self.send(&item).await {
                Ok(()) => link.outbox.done(&item),
                Err(why) => return why,
            }
        }
    }

    async fn send(&mut self, item: &Item) -> Result<(), String> {
        match item {
            Item::Gateway(report) => self.keep(self.topics.gateway(), json(&**report)).await,
            Item::Camera(report) => {
                if self.announced.insert(report.camera.clone()) {
                    for (topic, entity) in self.entities(&report.camera) {
                        self.keep(topic, json(&entity)).await?;
                    }
                }
                let topic = self.topics.camera(&report.camera);
                self.keep(topic, json(&**report)).await
            }
            Item::Gone(camera) => self.withdraw(camera).await,
            Item::Event(_, told) => {
                let once = PublishOptions::at_least_once();
                self.publish(self.topics.event(), json(&**told), once).await
            }
        }
    }

    fn entities(&self, camera: &str) -> Vec<(String, serde_json::Value)> {
        let prefix = self.discovery.as_ref();
        prefix.map_or_else(Vec::new, |prefix| {
            home_assistant::entities(prefix, &self.topics, camera)
        })
    }

    /// Takes away what the broker keeps of a camera: an empty message does.
    async fn withdraw(&mut self, camera: &str) -> Result<(), String> {
        for (topic, _) in self.entities(camera) {
            self.keep(topic, "").await?;
        }
        self.announced.remove(camera);
        self.keep(self.topics.camera(camera), "").await
    }

    async fn leave(&mut self, link: &Link<'_>, goodbye: Goodbye) -> Result<(), String> {
        if goodbye == Goodbye::Withdraw {
            for camera in link.outbox.cameras() {
                self.withdraw(&camera).await?;
            }
            self.keep(self.topics.gateway(), "").await?;
        }
        self.keep(self.topics.availability(), OFFLINE).await?;
        self.client.disconnect().await.map_err(|e| words(&e))?;
        // What drives the connection sees it closed.
        std::future::pending().await
    }

    async fn keep(&self, topic: String, payload: impl Into<Vec<u8>>) -> Result<(), String> {
        let kept = PublishOptions::at_least_once().retained();
        self.publish(topic, payload.into(), kept).await
    }

    /// Sends a message and waits until the broker has it.
    async fn publish(
        &self,
        topic: String,
        payload: Vec<u8>,
        how: PublishOptions,
    ) -> Result<(), String> {
        let taken = async {
            let sent = self.client.publish_tracked(topic, payload, how).await;
            let notice = sent.map_err(|e| words(&e))?;
            notice.wait_completion_async().await.map_err(|e| words(&e))
        };
        let taken = tokio::time::timeout(ANSWERS_WITHIN, taken).await;
        taken.unwrap_or_else(|_| Err(slow()))
    }
}

fn slow() -> String {
    let within: Duration = ANSWERS_WITHIN;
    format!("the broker took no message for {} s", within.as_secs())
}
