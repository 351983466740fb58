//! Who may watch the masked streams, and over what.

use super::document::{Document, Gateway, RtspTls as Written};
use super::types::{Proof, RtspTls, Tls, Viewer};
use super::validate::Validator;
use std::collections::HashSet;

/// Where a certificate of our own lies, in `made_in`.
const OWN: (&str, &str) = ("rtsp-certificate.pem", "rtsp-key.pem");

impl Validator<'_> {
    /// `None` where it cannot be used.
    pub(super) fn rtsp_tls(&mut self, t: &Written) -> Option<RtspTls> {
        if let (Some(alone), None) | (None, Some(alone)) = (&t.certificate, &t.key) {
            self.at(
                alone,
                "is only half of what TLS needs",
                "name both `certificate` and `key`, or neither: then a pair is made at the first start",
            );
            return None;
        }
        let make = t.certificate.is_none() && t.key.is_none();
        if let (Some(folder), false) = (&t.made_in, make) {
            self.at(
                folder,
                "has no use: the certificate is named",
                "leave it out",
            );
            return None;
        }
        // By default beside the configuration.
        let folder = t.made_in.as_ref().map_or("", |f| f.get_ref());
        let file = |named: Option<&toml::Spanned<String>>, own| match named {
            Some(named) => self.beside(named.get_ref()),
            None => self.beside(folder).join(own),
        };
        Some(RtspTls {
            files: Tls {
                certificate: file(t.certificate.as_ref(), OWN.0),
                key: file(t.key.as_ref(), OWN.1),
            },
            make,
            client_ca: t.client_ca.as_ref().map(|f| self.beside(f.get_ref())),
        })
    }

    /// `None` where one of them cannot be used.
    pub(super) fn viewers(&mut self, d: &Document) -> Option<Vec<Viewer>> {
        let ca = d.rtsp_tls.as_ref().and_then(|t| t.client_ca.as_ref());
        if let (Some(ca), true) = (ca, d.viewers.is_empty()) {
            self.at(
                ca,
                "lets nobody in: there are no viewers",
                "add a [[viewer]] with `certificate`, or with a password beside its certificate",
            );
            return None;
        }
        let before = self.problems();
        let (mut names, mut shown) = (HashSet::new(), HashSet::new());
        let mut all = Vec::new();
        for v in &d.viewers {
            let proof = match (&v.certificate, &v.password_file, &v.password_env) {
                (Some(name), None, None) => {
                    if ca.is_none() {
                        self.at(
                            name,
                            "cannot be checked",
                            "name a `client_ca` in [rtsp_tls]: whoever signs the viewers' certificates",
                        );
                    }
                    if name.get_ref().is_empty() || !shown.insert(name.get_ref().as_str()) {
                        self.at(
                            name,
                            "names nobody, or a second viewer",
                            "give each viewer a certificate of its own",
                        );
                    }
                    self.user_name(&v.user)
                        .then(|| Proof::Certificate(name.get_ref().clone()))
                }
                (Some(name), ..) => {
                    self.at(
                        name,
                        "stands beside a password",
                        "choose one: whoever has such a certificate shows no password",
                    );
                    None
                }
                (None, file, env) => self
                    .account(&v.user, file.as_ref(), env.as_ref())
                    .map(|a| Proof::Password(a.password)),
            };
            if !names.insert(v.user.get_ref().as_str()) {
                self.at(
                    &v.user,
                    "names a second viewer",
                    "give every viewer a name of its own",
                );
            }
            for camera in v.cameras.iter().flatten() {
                if d.cameras.iter().all(|c| c.id.get_ref() != camera.get_ref()) {
                    self.at(camera, "is no camera", "name the `id` of a [[camera]]");
                }
            }
            if v.cameras.as_ref().is_some_and(Vec::is_empty) {
                self.at(
                    &v.user,
                    "may watch nothing",
                    "name cameras, or leave out `cameras` for all of them",
                );
            }
            if *v.steer.get_ref() {
                self.may_steer(v, d.console.is_some());
            }
            let cameras = v.cameras.as_ref();
            all.extend(proof.map(|proof| Viewer {
                user: v.user.get_ref().clone(),
                proof,
                cameras: cameras.map(|all| all.iter().map(|c| c.get_ref().clone()).collect()),
                steer: *v.steer.get_ref(),
            }));
        }
        (self.problems() == before).then_some(all)
    }

    /// Whether what leaves this machine is for somebody, and hidden from others.
    pub(super) fn guarded(&mut self, g: &Gateway, beyond: bool, tls: bool, viewers: usize) -> bool {
        if tls && *g.rtsp_allow_clear.get_ref() {
            self.at(
                &g.rtsp_allow_clear,
                "contradicts [rtsp_tls]: with it, nothing is served in the clear",
                "leave out one of them",
            );
            return false;
        }
        if !beyond {
            return true;
        }
        if viewers == 0 {
            self.at(
                &g.rtsp_listen,
                "serves streams beyond this machine without any account",
                "add a [[viewer]] section, or listen on 127.0.0.1",
            );
            return false;
        }
        if !tls && !*g.rtsp_allow_clear.get_ref() {
            self.at(
                &g.rtsp_listen,
                "serves streams beyond this machine in the clear",
                "add [rtsp_tls] (a certificate is made where none is named), listen on 127.0.0.1, \
                 or set `rtsp_allow_clear = true` where viewers cannot do rtsps and the network is yours",
            );
            return false;
        }
        true
    }
}
