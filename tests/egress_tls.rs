//! The masked streams over TLS: who gets them, and that nobody else does.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should fail loudly"
)]

mod players_support;
mod street_support;
mod tls_support;

use players_support::ffmpeg;
use rustls::ProtocolVersion;
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::Command;
use std::sync::Arc;
use street_support::{LOGIN, Street, VIEWERS};
use tls_support::{Authority, Client, PATIENCE, Pair, client_config};

impl Street {
    fn connect(&self, ca: &Authority) -> Client {
        Client::connect(self.port, client_config(ca, None)).unwrap()
    }

    fn observer(&self, ca: &Authority) -> Client {
        self.connect(ca).login(LOGIN.0, LOGIN.1)
    }
}

#[test]
fn nothing_goes_beside_tls() {
    let ca = Authority::new("town");
    let street = Street::with_passwords(&ca);
    let (port, (user, password)) = (street.port, LOGIN);
    // Somebody else's certificate: the viewer hangs up.
    let other = Authority::new("elsewhere");
    let stranger = Client::connect(port, client_config(&other, None));
    assert!(stranger.is_err());

    // Nothing is said to whoever speaks without TLS.
    let plain = format!("rtsp://{user}:{password}@127.0.0.1:{port}/street");
    ffmpeg(&plain, &["-rtsp_transport", "tcp"]).unwrap_err();
    let mut plain = TcpStream::connect(("127.0.0.1", port)).unwrap();
    plain.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!("OPTIONS rtsp://127.0.0.1:{port}/street RTSP/1.0\r\nCSeq: 1\r\n\r\n");
    plain.write_all(request.as_bytes()).unwrap();
    let mut said = Vec::new();
    let _ = plain.read_to_end(&mut said);
    assert!(!said.windows(4).any(|w| w == b"RTSP"), "{said:?}");

    // No transport but the connection itself: datagrams would be in the clear.
    let mut client = street.observer(&ca);
    let answer = client.ask("DESCRIBE", "/street", "").unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.body.contains("m=video 0 RTP/AVP 96"), "{answer:?}");
    for transport in [
        "RTP/AVP;unicast;client_port=40000-40001",
        "RTP/AVP/UDP;unicast;client_port=40000-40001",
        "RTP/AVP;multicast",
        "RTP/AVP/UDP;multicast;destination=239.1.1.1;port=40000-40001",
        "RTP/SAVP;unicast;client_port=40000-40001",
        "RTP/AVPF;unicast;client_port=40000-40001",
    ] {
        let headers = format!("Transport: {transport}\r\n");
        let answer = client.ask("SETUP", "/street/stream=0", &headers).unwrap();
        assert_eq!(answer.status, 461, "{transport}: {answer:?}");
    }
    let mut client = street.observer(&ca);
    client.ask("DESCRIBE", "/street", "").unwrap();
    let headers = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n";
    let answer = client.ask("SETUP", "/street/stream=0", headers).unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    let taken = answer.header("Transport").unwrap();
    assert!(
        taken.starts_with("RTP/AVP/TCP;unicast;interleaved=0-1"),
        "{taken}"
    );
}

#[test]
fn each_viewer_gets_its_cameras_and_learns_nothing_of_others() {
    let ca = Authority::new("town");
    let street = Street::with_passwords(&ca);
    assert_eq!(street.observer(&ca).play("street").unwrap(), [200; 3]);
    assert_eq!(street.observer(&ca).play("yard").unwrap(), [200; 3]);
    let yard_only = || street.connect(&ca).login("yard-only", "geheim");
    assert_eq!(yard_only().play("yard").unwrap(), [200; 3]);

    // A camera that is not theirs answers like one that does not exist.
    let transport = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n";
    let mut observer = street.observer(&ca);
    observer.ask("DESCRIBE", "/street", "").unwrap();
    let set_up = observer
        .ask("SETUP", "/street/stream=0", transport)
        .unwrap();
    let session = set_up.header("Session").unwrap();
    let taken = format!("Session: {}\r\n", session.split(';').next().unwrap());
    for (method, headers) in [("DESCRIBE", ""), ("SETUP", transport), ("PLAY", &taken)] {
        let answer = |client: &mut Client, camera: &str| {
            // The first request tells who it is, so that sequence numbers agree.
            client.ask("DESCRIBE", "/yard", "").unwrap();
            let path = format!("/{camera}");
            let answer = client.ask_once(method, &path, headers).unwrap();
            let date = answer.header("Date").unwrap_or_default().to_owned();
            (answer.status, answer.head.replace(&date, ""), answer.body)
        };
        let theirs_not = answer(&mut yard_only(), "street");
        assert_eq!(theirs_not.0, 404, "{method}: {theirs_not:?}");
        for nowhere in ["nowhere", "Street", "street/stream=0"] {
            let theirs_not_either = answer(&mut yard_only(), nowhere);
            assert_eq!(theirs_not, theirs_not_either, "{method} {nowhere}");
        }
    }
    // The same where it is really not there, for whom may see everything.
    let nowhere = street
        .observer(&ca)
        .ask("DESCRIBE", "/nowhere", "")
        .unwrap();
    let theirs_not = yard_only().ask("DESCRIBE", "/street", "").unwrap();
    assert_eq!(nowhere.status, theirs_not.status);
    let plain = |a: &tls_support::Answer| {
        let date = a.header("Date").unwrap_or_default();
        a.head.replace(date, "")
    };
    assert_eq!(plain(&nowhere), plain(&theirs_not));

    // Strangers are asked who they are, whatever they ask for.
    for path in ["/street", "/nowhere", "/"] {
        let answer = street.connect(&ca).ask("DESCRIBE", path, "").unwrap();
        assert_eq!(answer.status, 401, "{path}");
    }
}

#[test]
fn wrong_passwords_make_an_address_wait_but_not_those_who_watch() {
    let ca = Authority::new("town");
    let street = Street::with_passwords(&ca);
    let mut watches = street.observer(&ca);
    assert_eq!(watches.play("street").unwrap(), [200; 3]);
    // One in six seconds is forgotten: a few more than are allowed.
    for n in 0..30 {
        let mut guesses = street.connect(&ca).login("observer", &format!("guess {n}"));
        let refused = guesses.ask("DESCRIBE", "/street", "").unwrap();
        assert_eq!(refused.status, 401);
    }
    let waits = street.observer(&ca).ask("DESCRIBE", "/street", "").unwrap();
    assert_eq!(waits.status, 401, "the right password, too, has to wait");
    street.gateway.says("too many wrong passwords");
    watches.watch(50_000).unwrap();
    let alive = watches.ask("OPTIONS", "/street", "").unwrap();
    assert_eq!(alive.status, 200, "{alive:?}");
    watches.watch(50_000).unwrap();
}

#[test]
fn a_new_certificate_is_shown_from_the_next_connection_on() {
    let ca = Authority::new("town");
    let street = Street::with_passwords(&ca);
    let mut watches = street.observer(&ca);
    let first = watches.certificate();
    assert_eq!(watches.play("street").unwrap(), [200; 3]);

    // A file that cannot be used changes nothing.
    fs::write(street.folder.path().join("tls.crt"), "garbage").unwrap();
    street.gateway.reload();
    assert_eq!(street.connect(&ca).certificate(), first);

    let second = ca.server("second");
    second.put(street.folder.path());
    street.gateway.reload();
    assert_eq!(street.connect(&ca).certificate(), second.der());
    assert_ne!(first, second.der());
    watches.watch(100_000).unwrap();
    assert_eq!(street.observer(&ca).play("street").unwrap(), [200; 3]);
}

#[test]
fn nothing_older_than_tls_1_2_and_no_garbage_holds_anybody_up() {
    let ca = Authority::new("town");
    let street = Street::with_passwords(&ca);
    for (version, other) in [
        (&rustls::version::TLS12, ProtocolVersion::TLSv1_2),
        (&rustls::version::TLS13, ProtocolVersion::TLSv1_3),
    ] {
        let mut roots = rustls::RootCertStore::empty();
        roots.add_parsable_certificates([pem_der(&ca.pem())]);
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = Client::connect(street.port, config).unwrap();
        assert_eq!(client.version(), other);
    }
    let mut watches = street.observer(&ca);
    assert_eq!(watches.play("street").unwrap(), [200; 3]);

    // SSL 3.0, TLS 1.0, TLS 1.1: a fatal alert, and the end.
    for minor in 0..3 {
        let mut socket = TcpStream::connect(("127.0.0.1", street.port)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.write_all(&old_hello(minor)).unwrap();
        let mut said = Vec::new();
        let _ = socket.read_to_end(&mut said);
        assert_eq!(said.first(), Some(&21), "3.{minor}: {said:?}");
        assert_eq!(said.get(5), Some(&2), "3.{minor}: {said:?}");
    }

    // Who says nothing, says nonsense, says half of it, or hangs up.
    let connect = || TcpStream::connect(("127.0.0.1", street.port)).unwrap();
    let mut strangers: Vec<TcpStream> = Vec::new();
    for n in 0..200u16 {
        let mut stranger = connect();
        let hello = old_hello(3);
        let _ = match n % 5 {
            0 => stranger.write_all(&[]),
            1 => stranger.write_all(&n.to_le_bytes().repeat(4000)),
            2 => stranger.write_all(&hello[..hello.len() / 2]),
            3 => stranger.write_all(&[22, 3, 1, 0xff, 0xff, 1]),
            _ => stranger.shutdown(Shutdown::Write),
        };
        strangers.push(stranger);
    }
    watches.watch(50_000).unwrap();
    assert_eq!(street.observer(&ca).play("street").unwrap(), [200; 3]);
    // More than are waited for at once: whoever is oldest has to go.
    strangers.extend((0..400).map(|_| connect()));
    watches.watch(50_000).unwrap();
    assert_eq!(street.observer(&ca).play("street").unwrap(), [200; 3]);

    // Handshakes without a word after them, and a head that never ends.
    let mut silent: Vec<Client> = (0..100).map(|_| street.connect(&ca)).collect();
    for client in silent.iter_mut().take(50) {
        let endless = format!("X: {}\r\n", "x".repeat(3000));
        let _ = client.ask_once("OPTIONS", "/street", &endless.repeat(3));
    }
    watches.watch(50_000).unwrap();
    let mut joins = street.observer(&ca);
    assert_eq!(joins.play("street").unwrap(), [200; 3]);
    joins.watch(10_000).unwrap();
}

#[test]
fn with_a_client_ca_only_its_certificates_open_the_door() {
    let (town, rooms) = (Authority::new("town"), Authority::new("control rooms"));
    let viewers = r#"
[[viewer]]
user = "north"
certificate = "north.example"
[[viewer]]
user = "south"
certificate = "south.example"
cameras = ["yard"]
[[viewer]]
user = "observer"
password_file = "password"
"#;
    let tls = "certificate = \"tls.crt\"\nkey = \"tls.key\"\nclient_ca = \"rooms.pem\"";
    let street = Street::start(viewers, Some(tls), |folder| {
        town.server("gateway").put(folder);
        fs::write(folder.join("rooms.pem"), rooms.pem()).unwrap();
    });
    let connect = |shows: Option<&Pair>| Client::connect(street.port, client_config(&town, shows));

    let mut north = connect(Some(&rooms.client("north.example"))).unwrap();
    assert_eq!(north.play("street").unwrap(), [200; 3]);
    north.watch(50_000).unwrap();
    let south = rooms.client("south.example");
    assert_eq!(
        connect(Some(&south)).unwrap().play("yard").unwrap(),
        [200; 3]
    );
    assert_eq!(
        connect(Some(&south)).unwrap().play("street").unwrap(),
        [404]
    );
    // A certificate that names no viewer is not enough; with a password it is.
    let third = rooms.client("third.example");
    assert_eq!(
        connect(Some(&third)).unwrap().play("street").unwrap(),
        [401]
    );
    let mut by_password = connect(Some(&third)).unwrap().login("observer", "geheim");
    assert_eq!(by_password.play("street").unwrap(), [200; 3]);

    // None at all, somebody else's, and one for servers.
    let foreign = Authority::new("control rooms").client("north.example");
    let server = rooms.server("north.example");
    for (what, shows) in [
        ("none", None),
        ("foreign", Some(&foreign)),
        ("a server's", Some(&server)),
    ] {
        // With TLS 1.3 a client learns of it when it asks.
        let refused = connect(shows).and_then(|c| c.login(LOGIN.0, LOGIN.1).play("street"));
        assert!(refused.is_err(), "{what}: {refused:?}");
    }
    north.watch(50_000).unwrap();
}

#[test]
fn a_certificate_that_nobody_named_is_made_and_told() {
    let street = Street::start(VIEWERS, Some(""), |_| {});
    let path = |name: &str| street.folder.path().join(name);
    let made = fs::read_to_string(path("rtsp-certificate.pem")).unwrap();
    let check = || {
        let done = Command::new(env!("CARGO_BIN_EXE_greyplane"))
            .args(["check", "--config"])
            .arg(path("greyplane.toml"))
            .output()
            .unwrap();
        let said = [done.stdout, done.stderr].concat();
        (done.status.code(), String::from_utf8(said).unwrap())
    };
    let (code, said) = check();
    assert_eq!(code, Some(0), "{said}");
    let told = said.lines().find(|l| l.contains("SHA-256")).unwrap();
    let print = told.rsplit(' ').next().unwrap();
    let openssl = Command::new("openssl")
        .args(["x509", "-noout", "-fingerprint", "-sha256", "-in"])
        .arg(path("rtsp-certificate.pem"))
        .output()
        .unwrap();
    let openssl = String::from_utf8(openssl.stdout).unwrap();
    assert!(openssl.contains(print), "{openssl} {said}");
    let mut roots = rustls::RootCertStore::empty();
    roots.add(pem_der(&made)).unwrap();
    // It is what is shown.
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut client = Client::connect(street.port, config)
        .unwrap()
        .login(LOGIN.0, LOGIN.1);
    assert_eq!(client.certificate(), pem_der(&made));
    assert_eq!(client.play("street").unwrap(), [200; 3]);

    fs::remove_file(path("rtsp-key.pem")).unwrap();
    let (code, said) = check();
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("rtsp-key.pem cannot be read"), "{said}");
}

fn pem_der(pem: &str) -> rustls::pki_types::CertificateDer<'static> {
    use rustls::pki_types::pem::PemObject;
    rustls::pki_types::CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

/// A ClientHello for at most version 3.`minor`, without extensions (RFC 5246).
fn old_hello(minor: u8) -> Vec<u8> {
    let mut body = vec![3, minor];
    body.extend([7; 32]);
    body.extend([0, 0, 4, 0x00, 0x2f, 0x00, 0x35, 1, 0]);
    let mut hello = vec![22, 3, minor.min(1)];
    hello.extend((body.len() as u16 + 4).to_be_bytes());
    hello.extend([1, 0, 0, body.len() as u8]);
    hello.extend(body);
    hello
}
