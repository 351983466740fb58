//! Certificates, a gateway and an RTSP client of a few lines, for tests of TLS.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "each test uses a part of it; a test that fails should fail loudly"
)]

use gstreamer::glib;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

/// Long enough for a busy machine; nothing is judged by how long it takes.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Somebody who signs certificates.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key (PEM).
#[derive(Clone)]
pub struct Pair {
    pub certificate: String,
    pub key: String,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    fn sign(&self, names: &[&str], common: &str, usage: ExtendedKeyUsagePurpose) -> Pair {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, common);
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate().unwrap();
        Pair {
            certificate: params.signed_by(&key, &self.0).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }

    /// For a server at 127.0.0.1.
    pub fn server(&self, common: &str) -> Pair {
        let names = ["localhost", "127.0.0.1"];
        self.sign(&names, common, ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// For somebody who connects.
    pub fn client(&self, common: &str) -> Pair {
        self.sign(&[], common, ExtendedKeyUsagePurpose::ClientAuth)
    }
}

impl Pair {
    pub fn put(&self, folder: &Path) {
        fs::write(folder.join("tls.crt"), &self.certificate).unwrap();
        let key = folder.join("tls.key");
        fs::write(&key, &self.key).unwrap();
        fs::set_permissions(key, fs::Permissions::from_mode(0o600)).unwrap();
    }

    pub fn der(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(self.certificate.as_bytes()).unwrap()
    }
}

/// `greyplane run`, ended when dropped.
pub struct Gateway {
    child: Child,
    lines: Receiver<String>,
}

impl Gateway {
    pub fn start(config: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_greyplane"))
            .args(["run", "--config"])
            .arg(config)
            .args(["--log", "info"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (said, lines) = sync_channel(10_000);
        let streams: [Box<dyn Read + Send>; 2] = [
            Box::new(child.stdout.take().unwrap()),
            Box::new(child.stderr.take().unwrap()),
        ];
        for stream in streams {
            let said = said.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    let _ = said.try_send(line);
                }
            });
        }
        Self { child, lines }
    }

    /// Waits for a line that contains `what`.
    pub fn says(&self, what: &str) -> String {
        let mut heard = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(what) => return line,
                Ok(line) => heard.push(line),
                Err(_) => panic!("never said `{what}`; said {heard:#?}"),
            }
        }
    }

    /// The port of the masked streams.
    pub fn port(&self) -> u16 {
        let line = self.says("stream rtsp");
        let rest = line.rsplit(':').next().unwrap();
        rest.split('/').next().unwrap().parse().unwrap()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as its service would: its exit code.
    pub fn end(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        assert!(sent.success());
        self.child.wait().unwrap().code()
    }

    pub fn reload(&self) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-HUP", &pid]).status().unwrap();
        assert!(sent.success());
        self.says("reloaded");
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a client trusts, and what it shows.
pub fn client_config(trusted: &Authority, shows: Option<&Pair>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(trusted.pem().as_bytes()).unwrap();
    roots.add(root).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    match shows {
        None => builder.with_no_client_auth(),
        Some(pair) => {
            let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
            builder
                .with_client_auth_cert(vec![pair.der()], key)
                .unwrap()
        }
    }
}

/// An answer: status, head and body as they came.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let line = self.head.lines().find(|l| {
            l.split(':')
                .next()
                .is_some_and(|n| n.eq_ignore_ascii_case(name))
        })?;
        Some(line.split_once(':')?.1.trim())
    }
}

/// An RTSP client over TLS that does what it is told.
pub struct Client {
    stream: StreamOwned<ClientConnection, TcpStream>,
    held: Vec<u8>,
    base: String,
    sequence: u32,
    login: Option<(String, String)>,
    nonce: Option<String>,
    /// Bytes of media that came between answers.
    pub media: usize,
}

impl Client {
    pub fn connect(port: u16, config: ClientConfig) -> std::io::Result<Self> {
        let socket = TcpStream::connect(("127.0.0.1", port))?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let name = "127.0.0.1".try_into().unwrap();
        let connection = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut stream = StreamOwned::new(connection, socket);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        Ok(Self {
            stream,
            held: Vec::new(),
            base: format!("rtsp://127.0.0.1:{port}"),
            sequence: 0,
            login: None,
            nonce: None,
            media: 0,
        })
    }

    pub fn login(mut self, user: &str, password: &str) -> Self {
        self.login = Some((user.into(), password.into()));
        self
    }

    pub fn certificate(&self) -> CertificateDer<'static> {
        self.stream.conn.peer_certificates().unwrap()[0]
            .clone()
            .into_owned()
    }

    pub fn version(&self) -> rustls::ProtocolVersion {
        self.stream.conn.protocol_version().unwrap()
    }

    /// Asks, and shows who it is where that is asked for.
    pub fn ask(&mut self, method: &str, path: &str, headers: &str) -> std::io::Result<Answer> {
        let answer = self.ask_once(method, path, headers)?;
        let challenge = answer.header("WWW-Authenticate").unwrap_or_default();
        let nonce = challenge.split("nonce=\"").nth(1);
        let Some(nonce) = nonce.and_then(|n| n.split('"').next()) else {
            return Ok(answer);
        };
        if self.login.is_none() || self.nonce.is_some() {
            return Ok(answer);
        }
        self.nonce = Some(nonce.to_owned());
        self.ask_once(method, path, headers)
    }

    pub fn ask_once(&mut self, method: &str, path: &str, headers: &str) -> std::io::Result<Answer> {
        self.sequence += 1;
        let uri = format!("{}{path}", self.base);
        let shown = match (&self.login, &self.nonce) {
            (Some((user, password)), Some(nonce)) => {
                let md5 = |text: String| {
                    let kind = glib::ChecksumType::Md5;
                    glib::compute_checksum_for_string(kind, &text).unwrap()
                };
                let who = md5(format!("{user}:greyplane:{password}"));
                let what = md5(format!("{method}:{uri}"));
                let response = md5(format!("{who}:{nonce}:{what}"));
                format!(
                    "Authorization: Digest username=\"{user}\", realm=\"greyplane\", \
                     nonce=\"{nonce}\", uri=\"{uri}\", response=\"{response}\"\r\n"
                )
            }
            _ => String::new(),
        };
        let request = format!(
            "{method} {uri} RTSP/1.0\r\nCSeq: {}\r\n{shown}{headers}\r\n",
            self.sequence
        );
        self.stream.write_all(request.as_bytes())?;
        self.stream.flush()?;
        self.answer()
    }

    fn answer(&mut self) -> std::io::Result<Answer> {
        loop {
            while self.held.first() == Some(&b'$') {
                self.packet()?;
            }
            let Some(end) = self.held.windows(4).position(|w| w == b"\r\n\r\n") else {
                self.more()?;
                continue;
            };
            let head = String::from_utf8_lossy(&self.held[..end]).into_owned();
            let mut answer = Answer {
                status: head.split(' ').nth(1).unwrap().parse().unwrap(),
                head,
                body: String::new(),
            };
            let length = answer.header("Content-Length").unwrap_or("0");
            let length: usize = length.parse().unwrap();
            while self.held.len() < end + 4 + length {
                self.more()?;
            }
            answer.body =
                String::from_utf8_lossy(&self.held[end + 4..end + 4 + length]).into_owned();
            self.held.drain(..end + 4 + length);
            return Ok(answer);
        }
    }

    fn more(&mut self) -> std::io::Result<()> {
        let mut bytes = [0; 16 << 10];
        match self.stream.read(&mut bytes)? {
            0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
            count => {
                self.held.extend_from_slice(&bytes[..count]);
                Ok(())
            }
        }
    }

    fn packet(&mut self) -> std::io::Result<()> {
        while self.held.len() < 4 {
            self.more()?;
        }
        let length = usize::from(u16::from_be_bytes([self.held[2], self.held[3]]));
        while self.held.len() < 4 + length {
            self.more()?;
        }
        self.held.drain(..4 + length);
        self.media += length;
        Ok(())
    }

    /// DESCRIBE, SETUP in the connection, PLAY: the status of each, up to the
    /// first that is refused.
    pub fn play(&mut self, camera: &str) -> std::io::Result<Vec<u16>> {
        let mut said = Vec::new();
        let described = self.ask(
            "DESCRIBE",
            &format!("/{camera}"),
            "Accept: application/sdp\r\n",
        )?;
        said.push(described.status);
        if described.status != 200 {
            return Ok(said);
        }
        let transport = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n";
        let set_up = self.ask("SETUP", &format!("/{camera}/stream=0"), transport)?;
        said.push(set_up.status);
        let Some(session) = set_up.header("Session") else {
            return Ok(said);
        };
        let session = format!("Session: {}\r\n", session.split(';').next().unwrap());
        said.push(self.ask("PLAY", &format!("/{camera}/"), &session)?.status);
        Ok(said)
    }

    /// Waits for so many bytes of media.
    pub fn watch(&mut self, bytes: usize) -> std::io::Result<()> {
        let until = self.media + bytes;
        while self.media < until {
            if self.held.is_empty() {
                self.more()?;
            }
            match self.held[0] {
                b'$' => self.packet()?,
                _ => drop(self.answer()?),
            }
        }
        Ok(())
    }
}
