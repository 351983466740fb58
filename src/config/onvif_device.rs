//! `[camera.onvif_device]` and `[camera.steering]`: where a VMS finds a camera, and
//! how far it may be steered, by whomever.

use super::document::{self, Document};
use super::types::{OnvifDevice, Steering};
use super::validate::Validator;
use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;

impl Validator<'_> {
    /// The devices that can be used, by their camera's id.
    pub(super) fn onvif_devices(&mut self, d: &Document) -> HashMap<String, OnvifDevice> {
        let mut taken = HashSet::new();
        let wanted = d.cameras.iter();
        wanted
            .filter_map(|c| Some((c.id.get_ref().clone(), c.onvif_device.as_ref()?)))
            .filter_map(|(id, device)| Some((id, self.onvif_device(d, device, &mut taken)?)))
            .collect()
    }

    fn onvif_device(
        &mut self,
        d: &Document,
        device: &document::OnvifDevice,
        taken: &mut HashSet<SocketAddr>,
    ) -> Option<OnvifDevice> {
        let listen = self.address(&device.listen)?;
        // Port 0 is a new one each time.
        if listen.port() != 0 && !taken.insert(listen) {
            self.at(
                &device.listen,
                "is the address of a second device",
                "give each camera a port of its own: to a VMS an address is one device",
            );
            return None;
        }
        let clear = *device.allow_clear.get_ref();
        let tls = d.rtsp_tls.is_some() && !clear;
        let beyond = !listen.ip().is_loopback();
        if beyond && d.viewers.is_empty() {
            self.at(
                &device.listen,
                "serves a camera beyond this machine without any account",
                "add a [[viewer]] section, or listen on 127.0.0.1",
            );
            return None;
        }
        if beyond && !tls && !clear {
            self.at(
                &device.listen,
                "serves a camera beyond this machine in the clear",
                "add [rtsp_tls], listen on 127.0.0.1, or set `allow_clear = true` where the VMS \
                 cannot do https and the network is yours",
            );
            return None;
        }
        Some(OnvifDevice {
            listen,
            tls,
            beyond_in_clear: beyond && !tls,
        })
    }

    /// What a viewer needs who may steer.
    pub(super) fn may_steer(&mut self, v: &document::Viewer, console: bool) {
        if !console {
            self.at(
                &v.steer,
                "cannot be recorded: who steers is in the audit log, and that is the console's",
                "add [console], or leave `steer` out",
            );
        }
        if v.certificate.is_some() {
            self.at(
                &v.steer,
                "needs a password: ONVIF commands are signed with one",
                "give this viewer a password in place of its certificate",
            );
        }
    }

    pub(super) fn steering(&mut self, s: &document::Steering, turns: bool) -> Steering {
        if !turns {
            let written = [s.least_hfov_deg.as_ref(), s.most_hidden_share.as_ref()];
            let key = written.into_iter().flatten().next();
            self.at(
                key.unwrap_or(&s.most_speed),
                "limits a camera that does not turn",
                "leave [camera.steering] out, or give the camera a profile",
            );
        }
        let least = s.least_hfov_deg.as_ref();
        let most = s.most_hidden_share.as_ref();
        Steering {
            most_speed: self.number(&s.most_speed, 0.01..=1.0, "of the camera's own"),
            least_hfov_deg: least.map(|v| self.number(v, 0.1..=120.0, "degrees")),
            most_hidden_share: most.map(|v| self.number(v, 0.05..=0.999, "of the picture")),
        }
    }
}
