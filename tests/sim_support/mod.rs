//! Plain clients of the simulated camera, without GStreamer: RTSP with every
//! packet seen, and HTTP.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test uses its part; a test that fails should fail loudly"
)]

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::time::Duration;

use url::Url;

/// How long anything that must come may take.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// What a client received.
#[derive(Debug, PartialEq, Eq)]
pub enum Packet {
    /// RTP: sequence number and timestamp.
    Media(u16, u32),
    /// RTCP that begins with a sender report.
    Report,
    /// RTP of the metadata stream: whether it ends a document, and its payload.
    Metadata(bool, Vec<u8>),
    /// Other RTCP.
    Other,
    /// Nothing within the time.
    Silence,
    /// The connection has ended.
    End,
}

fn packet(bytes: &[u8], is_media: bool) -> Packet {
    if is_media {
        let number = u16::from_be_bytes([bytes[2], bytes[3]]);
        let timestamp = u32::from_be_bytes(*bytes[4..].first_chunk().unwrap());
        Packet::Media(number, timestamp)
    } else if bytes.get(1) == Some(&200) {
        Packet::Report
    } else {
        Packet::Other
    }
}

/// One playing session of the video stream.
pub struct Session {
    control: BufReader<TcpStream>,
    udp: Option<[UdpSocket; 2]>,
}

impl Session {
    /// Plays; `None` when the camera does not let it.
    pub fn play(url: &str, over_udp: bool) -> Option<Self> {
        let at = Url::parse(url).unwrap();
        let stream = TcpStream::connect((at.host_str()?, at.port()?)).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let udp = over_udp.then(|| {
            [(); 2].map(|()| {
                let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
                socket.set_nonblocking(true).unwrap();
                socket
            })
        });
        let mut session = Self {
            control: BufReader::new(stream),
            udp,
        };
        let transport = match &session.udp {
            None => "RTP/AVP/TCP;unicast;interleaved=0-1".to_owned(),
            Some(ports) => {
                let [a, b] = ports.each_ref().map(|p| p.local_addr().unwrap().port());
                format!("RTP/AVP;unicast;client_port={a}-{b}")
            }
        };
        session.ask("DESCRIBE", url, "Accept: application/sdp")?;
        let track = format!("{url}/stream=0");
        let answer = session.ask("SETUP", &track, &format!("Transport: {transport}"))?;
        let id = answer.split(';').next()?.to_owned();
        if session.udp.is_none() {
            // The metadata stream too, as a gateway would.
            let track = format!("{url}/stream=1");
            let transport = "RTP/AVP/TCP;unicast;interleaved=2-3";
            session.ask(
                "SETUP",
                &track,
                &format!("Transport: {transport}\r\nSession: {id}"),
            )?;
        }
        session.ask("PLAY", url, &format!("Session: {id}"))?;
        Some(session)
    }

    /// Sends a request; the `Session` header of the answer, empty if it has none.
    fn ask(&mut self, method: &str, url: &str, header: &str) -> Option<String> {
        let request = format!("{method} {url} RTSP/1.0\r\nCSeq: 1\r\n{header}\r\n\r\n");
        self.control.get_mut().write_all(request.as_bytes()).ok()?;
        let (mut length, mut session, mut status) = (0, String::new(), String::new());
        loop {
            let mut line = String::new();
            if self.control.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let line = line.trim();
            if status.is_empty() {
                line.clone_into(&mut status);
            } else if line.is_empty() {
                break;
            } else if let Some((name, value)) = line.split_once(": ") {
                match name {
                    "Content-Length" => length = value.parse().ok()?,
                    "Session" => value.clone_into(&mut session),
                    _ => {}
                }
            }
        }
        self.control.read_exact(&mut vec![0; length]).ok()?;
        status.starts_with("RTSP/1.0 200").then_some(session)
    }

    /// The next packet, or what came in its place within `patience`.
    pub fn next(&mut self, patience: Duration) -> Packet {
        if let Some(sockets) = &self.udp {
            let mut bytes = [0; 2048];
            for _ in 0..patience.as_millis() {
                for (i, socket) in sockets.iter().enumerate() {
                    if let Ok(n) = socket.recv(&mut bytes) {
                        return packet(&bytes[..n], i == 0);
                    }
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            return Packet::Silence;
        }
        self.control
            .get_ref()
            .set_read_timeout(Some(patience))
            .unwrap();
        let waited = self.control.fill_buf().map(<[u8]>::is_empty);
        match waited {
            Ok(true) => return Packet::End,
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return Packet::Silence;
            }
            Err(_) => return Packet::End,
            Ok(false) => {}
        }
        self.control
            .get_ref()
            .set_read_timeout(Some(PATIENCE))
            .unwrap();
        let mut head = [0; 4];
        if self.control.read_exact(&mut head).is_err() || head[0] != b'$' {
            return Packet::End;
        }
        let mut bytes = vec![0; usize::from(u16::from_be_bytes([head[2], head[3]]))];
        match self.control.read_exact(&mut bytes) {
            Ok(()) if head[1] == 2 => Packet::Metadata(bytes[1] & 0x80 != 0, bytes.split_off(12)),
            Ok(()) if head[1] > 2 => Packet::Other,
            Ok(()) => packet(&bytes, head[1] == 0),
            Err(_) => Packet::End,
        }
    }

    /// Reads until a packet fits; panics when none does.
    pub fn until(&mut self, what: &str, mut fits: impl FnMut(&Packet) -> bool) {
        for _ in 0..20_000 {
            let got = self.next(PATIENCE);
            if fits(&got) {
                return;
            }
            assert!(
                !matches!(got, Packet::Silence | Packet::End),
                "{what}: {got:?}"
            );
        }
        unreachable!("{what}: not among 20,000 packets");
    }
}

/// An HTTP exchange: status and body; `None` when no answer came in time.
pub fn http(
    method: &str,
    url: &str,
    kind: &str,
    body: &str,
    patience: Duration,
) -> Option<(u16, String)> {
    let at = Url::parse(url).unwrap();
    let host = (at.host_str().unwrap(), at.port().unwrap());
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(patience)).unwrap();
    let path = at.path();
    let query = at.query().map_or(String::new(), |q| format!("?{q}"));
    write!(
        stream,
        "{method} {path}{query} HTTP/1.1\r\nHost: camera\r\nConnection: close\r\n\
         Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, body.to_owned()))
}
