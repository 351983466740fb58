//! The gateway's certificates: RTSP's and the console's. Made where none is
//! named, told about, renewed while viewers watch.

use crate::clock::Clock;
use crate::config::{Config, RtspTls, Tls};
use crate::tls::{About, Certificate, Files, Settings, make_own};
use anyhow::Context;
use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often it is looked whether somebody put another certificate there.
const LOOK_EVERY: Duration = Duration::from_secs(30);

fn files(tls: &Tls) -> Files {
    Files {
        certificate: tls.certificate.clone(),
        key: tls.key.clone(),
    }
}

fn rtsp_settings(tls: &RtspTls) -> Settings {
    Settings {
        files: files(&tls.files),
        client_ca: tls.client_ca.clone(),
        protocols: Vec::new(),
    }
}

/// What the masked streams are served with; none where that is in the clear.
///
/// # Errors
/// When the certificate cannot be used, or none can be made.
pub(super) fn of_rtsp(
    config: &Config,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Option<Arc<Certificate>>> {
    let Some(tls) = &config.rtsp_tls else {
        if config.rtsp_beyond_in_clear {
            tracing::warn!("{}", in_clear(config));
        }
        return Ok(None);
    };
    let settings = rtsp_settings(tls);
    if tls.make {
        let names = own_names(config.rtsp_listen.ip());
        if make_own(&settings.files, &names, clock.wall())? {
            tracing::info!("made a certificate for the masked streams, signed by itself");
        }
    }
    let live = Certificate::start(settings, clock.clone()).context("[rtsp_tls]")?;
    told("masked streams", &live.about());
    Ok(Some(Arc::new(live)))
}

/// What `greyplane check` says about the certificates of `config`; nothing is made.
///
/// # Errors
/// When one cannot be used, or is out of date.
pub fn check_certificates(config: &Config, clock: &Arc<dyn Clock>) -> anyhow::Result<Vec<String>> {
    let mut said = Vec::new();
    if config.rtsp_beyond_in_clear {
        said.push(format!("warning: {}", in_clear(config)));
    }
    let devices = super::vms::in_clear(config).into_iter();
    let others = devices
        .chain(super::exits::published_in_clear(config))
        .chain(super::told::in_clear(config))
        .chain(super::traced::in_clear(config));
    said.extend(others.map(|warning| format!("warning: {warning}")));
    let look = |said: &mut Vec<String>, whose: &str, settings: Settings| {
        let live = Certificate::start(settings, clock.clone()).with_context(|| whose.to_owned())?;
        let about = live.about();
        anyhow::ensure!(!about.out_of_date, "{whose}: {}", about.warnings.join("; "));
        said.push(format!("{whose}: certificate for {about}"));
        let warnings = about.warnings.iter();
        said.extend(warnings.map(|w| format!("warning: {w}")));
        Ok(())
    };
    if let Some(tls) = &config.rtsp_tls {
        let settings = rtsp_settings(tls);
        let (certificate, key) = (&settings.files.certificate, &settings.files.key);
        match tls.make && !certificate.exists() && !key.exists() {
            true => said.push(format!(
                "masked streams: {} is made at the first start",
                certificate.display()
            )),
            false => look(&mut said, "masked streams", settings)?,
        }
    }
    if let Some(tls) = config.console.as_ref().and_then(|c| c.tls.as_ref()) {
        let settings = Settings {
            files: files(tls),
            client_ca: None,
            protocols: Vec::new(),
        };
        look(&mut said, "console", settings)?;
    }
    Ok(said)
}

fn in_clear(config: &Config) -> String {
    format!(
        "the masked streams leave this machine at {} in the clear (`rtsp_allow_clear`): \
         whoever is on the way can watch; set [rtsp_tls] instead",
        config.rtsp_listen
    )
}

fn told(whose: &str, about: &About) {
    tracing::info!("{whose}: certificate for {about}");
    for warning in &about.warnings {
        match about.out_of_date {
            true => tracing::error!("{whose}: {warning}: viewers who verify it refuse it"),
            false => tracing::warn!("{whose}: {warning}"),
        }
    }
}

/// What viewers may call this machine, its own name first.
fn own_names(listening: IpAddr) -> Vec<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let name = Some(name.trim().to_owned()).filter(|n| !n.is_empty() && n.chars().all(plain));
    let mut names: Vec<String> = name.into_iter().collect();
    let mut addresses = BTreeSet::from([listening]);
    if listening.is_unspecified() {
        let all = if_addrs::get_if_addrs().unwrap_or_default();
        addresses = all.iter().map(|i| i.ip()).collect();
    }
    names.push("localhost".into());
    names.extend(addresses.iter().map(IpAddr::to_string));
    names.dedup();
    names
}

/// Looks after certificates in use until dropped.
pub(super) struct Certificates {
    all: Arc<All>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct All {
    live: Vec<(&'static str, Arc<Certificate>)>,
    /// What was last wrong with each, so that it is told once.
    wrong: Mutex<Vec<Option<String>>>,
}

impl Certificates {
    /// Of those that there are, with the names that people know them by.
    ///
    /// # Errors
    /// When no thread can be had.
    pub(super) fn watch(
        all: impl IntoIterator<Item = (&'static str, Option<Arc<Certificate>>)>,
    ) -> std::io::Result<Self> {
        let all = all.into_iter();
        let live: Vec<_> = all.filter_map(|(n, l)| Some((n, l?))).collect();
        let wrong = Mutex::new(vec![None; live.len()]);
        let all = Arc::new(All { live, wrong });
        let mut watch = Self {
            all: all.clone(),
            stop: None,
            thread: None,
        };
        if all.live.is_empty() {
            return Ok(watch);
        }
        let (stop, stopped) = bounded::<()>(0);
        let looks = move || {
            while stopped.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
                all.renew();
            }
        };
        let thread = std::thread::Builder::new().name("certificates".into());
        watch.thread = Some(thread.spawn(looks)?);
        watch.stop = Some(stop);
        Ok(watch)
    }

    /// Takes those that changed now; which.
    pub(super) fn renew(&self) -> Vec<String> {
        self.all.renew()
    }
}

impl Drop for Certificates {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that looked after certificates had panicked");
        }
    }
}

impl All {
    fn renew(&self) -> Vec<String> {
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        let mut said = Vec::new();
        for ((whose, live), wrong) in self.live.iter().zip(wrong.iter_mut()) {
            match live.renew() {
                Ok(None) => *wrong = None,
                Ok(Some(about)) => {
                    told(whose, &about);
                    said.push(format!("certificate of {whose}"));
                    *wrong = None;
                }
                Err(why) => {
                    let why = Some(why.to_string());
                    if *wrong != why {
                        let why = why.clone().unwrap_or_default();
                        tracing::error!("{whose}: {why}; the certificate in use stays");
                    }
                    *wrong = why;
                }
            }
        }
        said
    }
}
