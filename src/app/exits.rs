//! All ways out for masked streams: RTSP, and browsers (WebRTC, or MP4 over the
//! console's own connections) where there is a console.

use super::certificates;
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::egress::{
    Access, Account, Cameras, Mp4Over, Mp4Part, Mp4Refused, Mp4Server, Proof, Publication,
    PublicationFigures, PublishOver, Publisher, RtspServer, RtspSettings, WhepRefused, WhepServer,
    WhepSettings,
};
use crate::event::EventSink;
use crate::pipeline::MaskedStream;
use crate::tls::Certificate;
use crate::web::{CannotWatch, Live, LiveOver, LivePart, Watching};
use anyhow::Context;
use futures_util::FutureExt;
use futures_util::stream::{StreamExt, unfold};
use std::sync::Arc;

/// The most viewers' sessions at once, on each way.
const SESSIONS_AT_MOST: u32 = 500;

/// The servers that masked streams leave through.
pub(super) struct Exits {
    pub(super) rtsp: RtspServer,
    /// RTSP's; none = in the clear.
    pub(super) certificate: Option<Arc<Certificate>>,
    whep: Option<WhepServer>,
    mp4: Option<Mp4Server>,
    publisher: Publisher,
}

impl Exits {
    pub(super) fn start(
        config: &Config,
        events: &Arc<dyn EventSink>,
        clock: &Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        let certificate = certificates::of_rtsp(config, clock)?;
        for warning in published_in_clear(config) {
            tracing::warn!("{warning}");
        }
        let settings = RtspSettings {
            address: config.rtsp_listen.ip(),
            port: config.rtsp_listen.port(),
            access: access(config),
            tls: certificate.clone(),
            sessions_at_most: SESSIONS_AT_MOST,
        };
        let rtsp = RtspServer::start(settings, events.clone()).with_context(|| {
            format!(
                "the masked streams cannot be served at {}",
                config.rtsp_listen
            )
        })?;
        let whep = match &config.console {
            None => None,
            Some(console) => {
                let listen = console.webrtc_listen;
                let settings = WhepSettings {
                    listen,
                    sessions_at_most: SESSIONS_AT_MOST as usize,
                };
                let server = WhepServer::start(settings, events.clone());
                Some(server.with_context(|| format!("no video for browsers at {listen} (UDP)"))?)
            }
        };
        let mp4 = config
            .console
            .as_ref()
            .map(|_| Mp4Server::new(SESSIONS_AT_MOST as usize, events.clone()));
        Ok(Self {
            rtsp,
            certificate,
            whep,
            mp4,
            publisher: Publisher::new(events.clone()),
        })
    }

    /// Publishes the camera as `wanted` says, and nowhere else. Where one cannot
    /// begin for want of a thread, the camera is served all the same.
    pub(super) fn publish(&self, id: &str, stream: &MaskedStream, wanted: &[config::Publication]) {
        let wanted: Vec<Publication> = wanted.iter().map(publication).collect();
        if let Err(error) = self.publisher.set(id, stream, &wanted) {
            tracing::error!(camera = id, %error, "cannot be published");
        }
    }

    /// What became of the camera's publications.
    pub(super) fn published(&self, id: &str) -> Vec<PublicationFigures> {
        self.publisher.figures(id)
    }

    pub(super) fn add_camera(&self, id: &str, stream: MaskedStream) {
        if let Some(whep) = &self.whep {
            whep.add_camera(id, stream.clone());
        }
        if let Some(mp4) = &self.mp4 {
            mp4.add_camera(id, stream.clone());
        }
        self.rtsp.add_camera(id, stream);
    }

    pub(super) fn remove_camera(&self, id: &str) {
        self.publisher.remove_camera(id);
        if let Some(whep) = &self.whep {
            whep.remove_camera(id);
        }
        if let Some(mp4) = &self.mp4 {
            mp4.remove_camera(id);
        }
        self.rtsp.remove_camera(id);
    }

    /// Serves a further stream of a camera at `/<camera>/<name>`, over RTSP only: who watches
    /// in the console watches the main one.
    pub(super) fn add_further(&self, id: &str, stream: MaskedStream) {
        self.rtsp.add_camera(id, stream);
    }

    pub(super) fn remove_further(&self, id: &str) {
        self.rtsp.remove_camera(id);
    }

    pub(super) fn watch(&self, camera: &str, offer: &str) -> Result<Watching, CannotWatch> {
        let whep = self.whep.as_ref().ok_or(CannotWatch::Ending)?;
        let answer = whep.offer(camera, offer).map_err(|why| match why {
            WhepRefused::NoSuchCamera => CannotWatch::NoCamera,
            WhepRefused::NotAnOffer(why) => CannotWatch::NotAnOffer(why),
            WhepRefused::NoH264 => CannotWatch::NoH264,
            WhepRefused::TooMany => CannotWatch::TooMany,
            WhepRefused::Stopped => CannotWatch::Ending,
        })?;
        Ok(Watching {
            id: answer.session,
            answer: answer.sdp,
        })
    }

    pub(super) fn watch_live(&self, camera: &str) -> Result<Live, CannotWatch> {
        let mp4 = self.mp4.as_ref().ok_or(CannotWatch::Ending)?;
        let viewer = mp4.open(camera).map_err(|why| match why {
            Mp4Refused::NoSuchCamera => CannotWatch::NoCamera,
            Mp4Refused::TooMany => CannotWatch::TooMany,
            Mp4Refused::Stopped => CannotWatch::Ending,
        })?;
        Ok(Live {
            id: viewer.session().to_owned(),
            over: viewer.over().map(live_over).boxed(),
            parts: unfold(viewer, async |mut viewer| {
                let part = live_part(viewer.next().await);
                Some((part, viewer))
            })
            .boxed(),
        })
    }

    pub(super) fn unwatch(&self, watching: &str) -> bool {
        self.whep.as_ref().is_some_and(|whep| whep.end(watching))
            || self.mp4.as_ref().is_some_and(|mp4| mp4.end(watching))
    }

    /// Says goodbye to those who watch through the console's own connection: to
    /// be called while that still stands.
    pub(super) fn end_live(&self) {
        if let Some(mp4) = &self.mp4 {
            mp4.stop();
        }
    }

    pub(super) fn stop(&self) {
        self.end_live();
        self.publisher.stop();
        if let Some(whep) = &self.whep {
            whep.stop();
        }
        self.rtsp.stop();
    }
}

fn live_part(part: Mp4Part) -> LivePart {
    match part {
        Mp4Part::Form { mime, init } => LivePart::Form { mime, init },
        Mp4Part::Frame(bytes) => LivePart::Frame(bytes),
    }
}

fn live_over(over: Mp4Over) -> LiveOver {
    match over {
        Mp4Over::Ended => LiveOver::Unwatched,
        Mp4Over::NoCamera => LiveOver::NoCamera,
        Mp4Over::Stopped => LiveOver::Ending,
    }
}

/// What is said of publications that leave this machine in the clear.
pub(super) fn published_in_clear(config: &Config) -> Vec<String> {
    let said = |camera: &config::Camera| {
        let clear = camera.publish.iter().filter(|p| p.beyond_in_clear);
        let id = camera.id.clone();
        clear
            .map(move |p| {
                format!(
                    "{id} is published in the clear as `{}` (`allow_clear`): whoever is on the way \
                     can watch its masked stream, and change it",
                    p.name
                )
            })
            .collect::<Vec<_>>()
    };
    config.cameras.iter().flat_map(said).collect()
}

fn publication(p: &config::Publication) -> Publication {
    let login = |login: &Option<config::Login>| {
        let login = login.as_ref();
        login.map(|l| (l.user.clone(), l.password.clone()))
    };
    Publication {
        name: p.name.clone(),
        url: p.url.clone(),
        over: match &p.over {
            config::PublishOver::Rtsp { login: l, ca_file } => PublishOver::Rtsp {
                login: login(l),
                ca_file: ca_file.clone(),
            },
            config::PublishOver::Srt {
                login: l,
                passphrase,
                latency,
            } => PublishOver::Srt {
                login: login(l),
                passphrase: passphrase.clone(),
                latency: *latency,
            },
            config::PublishOver::Whip { token, ca_file } => PublishOver::Whip {
                token: token.clone(),
                ca_file: ca_file.clone(),
            },
        },
    }
}

/// Who may watch over RTSP by `config`.
pub(super) fn access(config: &Config) -> Access {
    if config.viewers.is_empty() {
        return Access::Open;
    }
    let account = |v: &config::Viewer| Account {
        name: v.user.clone(),
        proof: match &v.proof {
            config::Proof::Password(password) => Proof::Password(password.clone()),
            config::Proof::Certificate(name) => Proof::Certificate(name.clone()),
        },
        cameras: v.cameras.clone().map_or(Cameras::All, Cameras::Only),
    };
    Access::Accounts(config.viewers.iter().map(account).collect())
}
