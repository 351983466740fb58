//! The cameras as ONVIF devices: what a VMS is told of them, and who may ask.

use super::Shared;
use crate::config::{self, Config};
use crate::onvif_device::{
    Access, Account, Cameras, Device, Head, OnvifDevices, Picture, Place, Settings,
};
use crate::web::{Holds, Steering};
use anyhow::Context;
use std::net::SocketAddr;
use std::sync::Arc;

impl Cameras for Shared {
    fn pictures(&self, camera: &str) -> Vec<Picture> {
        let cameras = self.cameras();
        let Some(running) = cameras.iter().find(|c| c.id() == camera) else {
            return Vec::new();
        };
        let configured = running.configured();
        let further = configured.streams.iter().map(|stream| stream.encoder);
        let encoders = std::iter::once(configured.encoder).chain(further);
        running
            .shown_sizes()
            .zip(encoders)
            .map(|((stream, size, fps), encoder)| Picture {
                stream: stream.map(str::to_owned),
                width: size.width,
                height: size.height,
                fps,
                bitrate_kbit: encoder.bitrate_kbit,
                gop_frames: encoder.gop_frames,
            })
            .collect()
    }

    fn head(&self, camera: &str) -> Option<Head> {
        let reach = self.reach(camera).ok()?;
        let zoom = self.at_helm(camera, |_, steer| Ok(steer.aim().zoom_range()));
        Some(Head {
            pan_deg: reach.pan_deg.into(),
            tilt_deg: reach.tilt_deg.into(),
            zoom: zoom.ok()?,
            home: reach.home,
        })
    }

    fn place(&self, camera: &str) -> Option<Place> {
        let cameras = self.cameras();
        let running = cameras.iter().find(|c| c.id() == camera)?;
        let gaze = running.gaze()?;
        Some(Place {
            pan_deg: gaze.pan_deg,
            tilt_deg: gaze.tilt_deg,
            zoom: gaze.zoom,
            moves: gaze.moves,
        })
    }
}

/// The devices that `config` names; none where it names none.
///
/// # Errors
/// When an address, a certificate or a thread cannot be had.
pub(super) fn start(
    config: &Config,
    shared: &Arc<Shared>,
    holds: Option<Holds>,
) -> anyhow::Result<Option<OnvifDevices>> {
    for warning in in_clear(config) {
        tracing::warn!("{warning}");
    }
    let certificate = &shared.exits.certificate;
    let wanted = config.cameras.iter();
    let wanted = wanted.filter_map(|c| Some((&c.id, c.onvif_device?)));
    let devices: Vec<Device> = wanted
        .map(|(id, device)| Device {
            camera: id.clone(),
            listen: device.listen,
            tls: certificate.clone().filter(|_| device.tls),
        })
        .collect();
    if devices.is_empty() {
        return Ok(None);
    }
    let settings = Settings {
        cameras: shared.clone(),
        holds,
        access: access(config),
        rtsp: SocketAddr::new(config.rtsp_listen.ip(), shared.exits.rtsp.port()),
        rtsp_over_tls: config.rtsp_tls.is_some(),
        clock: shared.clock.clone(),
    };
    let cameras: Vec<String> = devices.iter().map(|d| d.camera.clone()).collect();
    let devices = OnvifDevices::start(settings, devices).context("ONVIF devices")?;
    for camera in cameras {
        let at = devices.url(&camera).unwrap_or_default();
        tracing::info!(camera, at, "is an ONVIF device");
    }
    Ok(Some(devices))
}

/// What is said of devices that leave this machine in the clear.
pub(super) fn in_clear(config: &Config) -> Vec<String> {
    let cameras = config.cameras.iter();
    let clear =
        cameras.filter_map(|c| Some((&c.id, c.onvif_device.filter(|d| d.beyond_in_clear)?)));
    clear
        .map(|(id, device)| {
            format!(
                "the ONVIF device of {id} answers at {} in the clear (`allow_clear`): whoever is on \
                 the way can read where it looks and what it is told, and change it",
                device.listen
            )
        })
        .collect()
}

/// Who may ask, by `config`. Whoever shows a certificate has no password to sign with.
pub(super) fn access(config: &Config) -> Access {
    if config.viewers.is_empty() {
        return Access::Open;
    }
    let accounts = config.viewers.iter().filter_map(|viewer| {
        let config::Proof::Password(password) = &viewer.proof else {
            return None;
        };
        Some(Account {
            name: viewer.user.clone(),
            password: password.clone(),
            cameras: viewer.cameras.clone(),
            steer: viewer.steer,
        })
    });
    Access::Accounts(accounts.collect())
}
