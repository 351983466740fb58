//! A certificate in use, which can be another one from the next connection on.

use super::read::{About, Files, Unusable, mark, pair, verifier};
use crate::clock::Clock;
use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// What to serve with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The certificate and its key.
    pub files: Files,
    /// Those who sign viewers' certificates (PEM). Named: nobody is let in
    /// without a certificate of theirs.
    pub client_ca: Option<PathBuf>,
    /// Protocols that are offered (ALPN), the best first.
    pub protocols: Vec<&'static str>,
}

/// A certificate in use. Connections that stand keep what they began with.
#[derive(Debug)]
pub struct Certificate {
    settings: Settings,
    clock: Arc<dyn Clock>,
    shown: Arc<Shown>,
    config: ArcSwap<ServerConfig>,
    now: Mutex<(About, [u8; 32])>,
}

impl Certificate {
    /// Reads `settings`' files.
    ///
    /// # Errors
    /// [`Unusable`].
    pub fn start(settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, Unusable> {
        let read = read(&settings, &*clock)?;
        let shown = Arc::new(Shown(ArcSwap::new(read.key.clone())));
        Ok(Self {
            config: ArcSwap::from_pointee(read.config(&settings, &shown)?),
            now: Mutex::new((read.about, read.mark)),
            settings,
            clock,
            shown,
        })
    }

    /// What the next connection is served with.
    pub fn config(&self) -> Arc<ServerConfig> {
        self.config.load_full()
    }

    /// The certificate in use.
    pub fn about(&self) -> About {
        let now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        now.0.clone()
    }

    /// Takes the files as they are now; the new certificate where they changed.
    ///
    /// # Errors
    /// [`Unusable`]; then the one in use stays. So does it where one file of a
    /// pair was written and the other is still to come.
    pub fn renew(&self) -> Result<Option<About>, Unusable> {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let read = read(&self.settings, &*self.clock)?;
        if read.mark == now.1 {
            return Ok(None);
        }
        let config = read.config(&self.settings, &self.shown)?;
        // Whoever made a configuration of an earlier one shows the new one, too.
        self.shown.0.store(read.key);
        self.config.store(Arc::new(config));
        *now = (read.about.clone(), read.mark);
        Ok(Some(read.about))
    }
}

/// The certificate that is shown to whoever connects.
#[derive(Debug)]
struct Shown(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

/// Everything that the files said.
struct Read {
    key: Arc<CertifiedKey>,
    about: About,
    verifier: Option<Arc<dyn rustls::server::danger::ClientCertVerifier>>,
    mark: [u8; 32],
}

fn read(settings: &Settings, clock: &dyn Clock) -> Result<Read, Unusable> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let pair = pair(&settings.files, &provider, clock.wall())?;
    let (verifier, of_viewers) = match &settings.client_ca {
        None => (None, [0; 32]),
        Some(file) => {
            let (verifier, mark) = verifier(file, &provider)?;
            (Some(verifier), mark)
        }
    };
    Ok(Read {
        key: pair.key,
        about: pair.about,
        verifier,
        mark: mark(&[&pair.mark, &of_viewers]),
    })
}

impl Read {
    fn config(&self, settings: &Settings, shown: &Arc<Shown>) -> Result<ServerConfig, Unusable> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        // TLS 1.2 and 1.3: rustls knows nothing older.
        let builder = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|why| Unusable::Malformed {
                file: settings.files.certificate.clone(),
                why: why.to_string(),
            })?;
        let builder = match &self.verifier {
            Some(verifier) => builder.with_client_cert_verifier(verifier.clone()),
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_cert_resolver(shown.clone());
        // A connection taken up again would not show its certificate: one that
        // was withdrawn since would still be good.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        let protocols = settings.protocols.iter();
        config.alpn_protocols = protocols.map(|p| p.as_bytes().to_vec()).collect();
        Ok(config)
    }
}
