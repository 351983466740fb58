//! All ways out for masked streams: RTSP, and browsers where there is a console.

use crate::config::Config;
use crate::egress::{Access, RtspServer, RtspSettings, WhepRefused, WhepServer, WhepSettings};
use crate::event::EventSink;
use crate::pipeline::MaskedStream;
use crate::web::{CannotWatch, Watching};
use anyhow::Context;
use std::sync::Arc;

/// The most viewers' sessions at once, on either way.
const SESSIONS_AT_MOST: u32 = 500;

/// The servers that masked streams leave through.
pub(super) struct Exits {
    pub(super) rtsp: RtspServer,
    whep: Option<WhepServer>,
}

impl Exits {
    pub(super) fn start(config: &Config, events: &Arc<dyn EventSink>) -> anyhow::Result<Self> {
        let rtsp = RtspServer::start(rtsp_settings(config), events.clone()).with_context(|| {
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
        Ok(Self { rtsp, whep })
    }

    pub(super) fn add_camera(&self, id: &str, stream: MaskedStream) {
        if let Some(whep) = &self.whep {
            whep.add_camera(id, stream.clone());
        }
        self.rtsp.add_camera(id, stream);
    }

    pub(super) fn remove_camera(&self, id: &str) {
        if let Some(whep) = &self.whep {
            whep.remove_camera(id);
        }
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

    pub(super) fn unwatch(&self, watching: &str) -> bool {
        self.whep.as_ref().is_some_and(|whep| whep.end(watching))
    }

    pub(super) fn stop(&self) {
        if let Some(whep) = &self.whep {
            whep.stop();
        }
        self.rtsp.stop();
    }
}

/// How RTSP is served by `config`.
pub(super) fn rtsp_settings(config: &Config) -> RtspSettings {
    let users = config
        .viewers
        .iter()
        .map(|v| (v.user.clone(), v.password.clone()));
    RtspSettings {
        address: config.rtsp_listen.ip().to_string(),
        port: config.rtsp_listen.port(),
        access: if config.viewers.is_empty() {
            Access::Open
        } else {
            Access::Digest(users.collect())
        },
        sessions_at_most: SESSIONS_AT_MOST,
    }
}
