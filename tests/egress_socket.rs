//! Watching over a WebSocket: what a viewer of its own gets from a gateway
//! before a simulated street, who is let in, who is too slow, and how it ends.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should fail loudly"
)]

mod people_support;
mod pipeline_support;

use futures::StreamExt;
use greyplane::app::Gateway;
use greyplane::audit;
use greyplane::clock::{Clock, SystemClock};
use greyplane::egress::{Mp4Over, Mp4Part, Mp4Refused, Mp4Server};
use greyplane::event::Event;
use greyplane::prove::{Canary, Rgb};
use greyplane::sim::motion::script::Script;
use greyplane::sim::{CANARY_RGB, Sim, SimConfig};
use greyplane::users::Role;
use mp4_atom::{Decode, Moof};
use people_support::{Person, settle, write_accounts};
use pipeline_support::{Camera, Judge, Log, settings, start, until};
use reqwest::Method;
use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};

/// A gateway before a street that turns; one camera is masked, one is not.
struct Street {
    gateway: Gateway,
    folder: tempfile::TempDir,
    // Last, so that it outlives the gateway.
    _sim: Sim,
}

impl Street {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let sim = SimConfig {
            id: "street".into(),
            canary: true,
            width: 640,
            height: 360,
            metadata_hz: 0.0,
            motion: Script::Sweep {
                peak_deg_per_s: 20.0,
                amplitude_deg: 60.0,
                centre_pan_deg: 0.0,
                tilt_deg: -8.0,
                zoom: 0.0,
            },
            ..SimConfig::default()
        };
        let sim = Sim::start(sim, clock.clone()).unwrap();
        let bare = r#"{"format": 1, "camera": "bare", "nothing_private": "A test.", "zones": []}"#;
        let masked = sim.zones_json().replace("\"street\"", "\"masked\"");
        let camera = |id: &str| {
            format!(
                "[[camera]]\nid = \"{id}\"\nurl = \"{}\"\nmasks = \"{id}.json\"\n\
                 profile = \"street.profile.toml\"\n[camera.telemetry]\ndevice_url = \"{}\"\n",
                sim.rtsp_url(),
                sim.onvif_url()
            )
        };
        let files = [
            ("street.profile.toml", sim.profile().to_toml()),
            ("masked.json", masked),
            ("bare.json", bare.to_owned()),
        ];
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let people = [("anna", Role::Observer, "*"), ("olga", Role::Officer, "*")];
        write_accounts(&folder.path().join("users.toml"), people);
        let cameras = format!("{}{}", camera("masked"), camera("bare"));
        let config = settle(folder.path(), "", &cameras);
        let gateway = Gateway::start(config, clock).unwrap();
        Self {
            gateway,
            folder,
            _sim: sim,
        }
    }

    async fn log_in(&self, user: &str) -> Person {
        Person::log_in(&self.gateway.http_url(), user).await
    }

    /// A connection, or the status with which it was refused.
    async fn open(&self, camera: &str, head: &[(&'static str, &str)]) -> Result<Viewer, u16> {
        let host = self.gateway.http_url().replace("http://", "");
        let url = format!("ws://{host}/api/v1/cameras/{camera}/live");
        let mut request = url.into_client_request().unwrap();
        for (name, value) in head {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let tcp = TcpStream::connect(host).await.unwrap();
        match tokio_tungstenite::client_async(request, tcp).await {
            Ok((socket, _)) => Ok(Viewer::of(socket)),
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(other) => panic!("{other}"),
        }
    }

    async fn watch(&self, camera: &str, cookie: &str) -> Viewer {
        let origin = self.gateway.http_url();
        let head = [("cookie", cookie), ("origin", origin.as_str())];
        self.open(camera, &head).await.unwrap()
    }

    fn viewers(&self, camera: &str) -> u32 {
        let status = self.gateway.status();
        let camera = status.cameras.iter().find(|c| c.id == camera).unwrap();
        camera.viewers
    }
}

/// One frame, and what its boxes say.
struct Frame {
    bytes: Vec<u8>,
    at_s: f64,
    is_key: bool,
}

impl Frame {
    fn of(bytes: Vec<u8>) -> Self {
        let moof = Moof::decode(&mut bytes.as_slice()).unwrap();
        let [traf] = moof.traf.as_slice() else {
            panic!("{moof:?}")
        };
        let time = traf.tfdt.as_ref().unwrap().base_media_decode_time;
        let flags = traf.trun[0].samples.get(0).unwrap().flags.unwrap();
        Self {
            bytes,
            at_s: time as f64 / 90_000.0,
            is_key: flags & 0x1_0000 == 0,
        }
    }
}

struct Viewer {
    socket: WebSocketStream<TcpStream>,
    mime: String,
    init: Vec<u8>,
    frames: Vec<Frame>,
}

impl Viewer {
    fn of(socket: WebSocketStream<TcpStream>) -> Self {
        Self {
            socket,
            mime: String::new(),
            init: Vec::new(),
            frames: Vec::new(),
        }
    }

    /// Reads until it has so many frames; the close code where it ends before.
    async fn read(&mut self, frames: usize) -> Option<u16> {
        while self.frames.len() < frames {
            match self.socket.next().await {
                Some(Ok(Message::Text(form))) => {
                    let form: serde_json::Value = serde_json::from_str(&form).unwrap();
                    self.mime = form["mime"].as_str().unwrap().to_owned();
                    self.init.clear();
                }
                Some(Ok(Message::Binary(bytes))) if self.init.is_empty() => {
                    assert!(!self.mime.is_empty(), "a form comes before all else");
                    self.init = bytes.to_vec();
                }
                Some(Ok(Message::Binary(bytes))) => self.frames.push(Frame::of(bytes.to_vec())),
                Some(Ok(Message::Close(close))) => return Some(close.unwrap().code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Some(1006),
            }
        }
        None
    }

    /// How many pictures ffmpeg makes of it, and canary pixels in them.
    fn decoded(&self) -> (usize, u64) {
        let file = tempfile::NamedTempFile::new().unwrap();
        let frames = self.frames.iter().flat_map(|f| &f.bytes);
        let all: Vec<u8> = self.init.iter().chain(frames).copied().collect();
        fs::write(file.path(), all).unwrap();
        let made = Command::new("ffmpeg")
            .args(["-v", "error", "-i"])
            .arg(file.path())
            .args([
                "-vsync",
                "passthrough",
                "-f",
                "rawvideo",
                "-pix_fmt",
                "yuv420p",
                "-",
            ])
            .output()
            .expect("ffmpeg is one of the packages that `make system` installs");
        // Bare pictures have no times: what ffmpeg says of rounding theirs is no fault.
        let said = String::from_utf8_lossy(&made.stderr);
        let faults = said.lines().filter(|line| !line.contains("dts to muxer"));
        let faults: String = faults.collect();
        assert!(made.status.success() && faults.is_empty(), "{said}");
        let canary = Canary::new(Rgb(CANARY_RGB)).unwrap();
        let (luma, chroma) = (640 * 360, 320 * 180);
        let pictures = made.stdout.chunks_exact(luma + 2 * chroma);
        let pixels = pictures.clone().map(|picture| {
            let (u, v) = picture[luma..].split_at(chroma);
            let both = u.iter().zip(v);
            4 * both.filter(|(u, v)| canary.is_canary(**u, **v)).count() as u64
        });
        (pictures.len(), pixels.sum())
    }
}

#[tokio::test]
async fn whoever_watches_sees_the_street_and_nothing_private() {
    let mut street = Street::start();
    let person = street.log_in("anna").await;
    let anna = person.cookie.clone();
    let origin = street.gateway.http_url();
    for (camera, head, status) in [
        ("masked", vec![], 401),
        (
            "masked",
            vec![("cookie", "__Host-greyplane=AAAAAAAAAAAAAAAAAAAAAA")],
            401,
        ),
        ("nowhere", vec![("cookie", anna.as_str())], 404),
        (
            "masked",
            vec![("cookie", &anna), ("origin", "https://evil.example")],
            403,
        ),
        ("masked", vec![("cookie", &anna), ("origin", "null")], 403),
        (
            "masked",
            vec![
                ("cookie", &anna),
                ("origin", &origin),
                ("sec-fetch-site", "cross-site"),
            ],
            403,
        ),
        (
            "masked",
            vec![("cookie", &anna), ("sec-fetch-site", "same-site")],
            403,
        ),
    ] {
        let refused = street.open(camera, &head).await.err();
        assert_eq!(refused, Some(status), "{camera} {head:?}");
    }
    let olga = street.log_in("olga").await.cookie;
    let officer = street.open("masked", &[("cookie", &olga)]).await.err();
    assert_eq!(officer, Some(403), "officers watch nothing");

    // The camera that is not masked shows that the test sees what is private.
    until("pictures of the street", || {
        let cameras = street.gateway.status().cameras;
        cameras
            .iter()
            .all(|c| c.state == "live" || c.state == "widened")
            .then_some(())
    });
    let mut seen = Vec::new();
    for camera in ["masked", "bare"] {
        let mut viewer = street.watch(camera, &anna).await;
        assert_eq!(viewer.read(100).await, None);
        assert_eq!(street.viewers(camera), 1);
        assert!(
            viewer.mime.starts_with("video/mp4; codecs=\"avc1.42"),
            "{}",
            viewer.mime
        );
        let frames = &viewer.frames;
        assert!(frames[0].is_key && frames[0].at_s == 0.0);
        assert!(frames.windows(2).all(|two| two[0].at_s < two[1].at_s));
        let (pictures, canary) = viewer.decoded();
        assert_eq!(pictures, frames.len());
        seen.push(canary);
        drop(viewer);
        until("nobody to watch", || {
            (street.viewers(camera) == 0).then_some(())
        });
    }
    assert_eq!(seen[0], 0, "private pixels");
    assert!(seen[1] > 100, "the test cannot see what is private");

    // Who logs out, here or elsewhere, sees no further frame.
    let mut viewer = street.watch("masked", &anna).await;
    assert_eq!(viewer.read(5).await, None);
    let log_out = person.request(Method::DELETE, "/api/v1/session");
    assert_eq!(log_out.send().await.unwrap().status(), 204);
    assert_eq!(viewer.read(usize::MAX).await, Some(4401));

    let audit = street.folder.path().join("audit");
    let watched = audit::Filter {
        actor: Some("anna".into()),
        ..audit::Filter::default()
    };
    let ended = until("the end in the audit log", || {
        let found = audit::search(&audit, &watched, 100).unwrap().records;
        let ends: Vec<String> = found
            .iter()
            .filter(|r| r.action == "unwatch")
            .map(|r| r.detail["why"].as_str().unwrap().to_owned())
            .collect();
        let begins = found.iter().filter(|r| r.action == "watch");
        assert!(begins.clone().all(|r| r.detail["way"] == "websocket"));
        (begins.count() == 3 && ends.len() == 3).then_some(ends)
    });
    assert_eq!(
        ended,
        ["logged out", "the viewer ended it", "the viewer ended it"]
    );

    // The gateway says goodbye.
    let anna = street.log_in("anna").await.cookie;
    let mut viewer = street.watch("masked", &anna).await;
    assert_eq!(viewer.read(5).await, None);
    let stopping = tokio::task::spawn_blocking(move || {
        street.gateway.stop();
        street
    });
    assert_eq!(viewer.read(usize::MAX).await, Some(1001));
    stopping.await.unwrap();
}

#[tokio::test]
async fn who_is_too_slow_misses_frames_and_who_is_gone_is_forgotten() {
    let street = Street::start();
    let anna = street.log_in("anna").await.cookie;
    // Before its camera comes, the picture has another size.
    until("the street", || {
        let cameras = street.gateway.status().cameras;
        let bare = cameras.into_iter().find(|c| c.id == "bare");
        bare.filter(|bare| bare.live_s > 0.0)
    });
    let mut slow = street.watch("bare", &anna).await;
    assert_eq!(slow.read(10).await, None);
    let stopped_at_s = slow.frames[9].at_s;
    let mut other = street.watch("bare", &anna).await;
    assert_eq!(other.read(100).await, None);
    // Four seconds later: it is still there, and what waits for it is not all.
    let gap = loop {
        let count = slow.frames.len();
        assert_eq!(slow.read(count + 1).await, None);
        let frames = &slow.frames[count - 1..];
        if frames[1].at_s - frames[0].at_s > 0.5 {
            break count;
        }
        assert!(count < 1000, "it missed nothing");
    };
    let waited_s = slow.frames[gap - 1].at_s - stopped_at_s;
    assert!(waited_s < 3.0, "{waited_s} s waited for it");
    assert!(slow.frames[gap].is_key);
    assert_eq!(slow.read(gap + 50).await, None, "and it goes on");
    assert_eq!(slow.decoded().0, gap + 50);

    drop(other);
    until("one to be left", || {
        (street.viewers("bare") == 1).then_some(())
    });
    // Neither reads nor answers any more, and its connection stands.
    until("nobody to be left", || {
        (street.viewers("bare") == 0).then_some(())
    });
}

#[tokio::test]
async fn viewers_have_a_place_each_until_they_or_their_camera_go() {
    let camera = Camera::start(0);
    let log = Arc::new(Log::default());
    let mut wanted = settings(&camera.url());
    // No key frame comes but one that somebody asked for.
    wanted.encoder.gop_frames = 1000;
    let pipeline = start(wanted, Judge::hiding(0.0, 0.0, 0.1, 0.1), &log);
    let server = Mp4Server::new(2, log.clone());
    server.add_camera("gate", pipeline.stream());
    assert_eq!(server.open("yard").unwrap_err(), Mp4Refused::NoSuchCamera);

    let (mut first, second) = (server.open("gate").unwrap(), server.open("gate").unwrap());
    assert_eq!(server.open("gate").unwrap_err(), Mp4Refused::TooMany);
    assert_ne!(first.session(), second.session());
    assert_eq!((first.session().len(), pipeline.stats().viewers), (32, 0));
    drop(second);
    let mut second = server.open("gate").unwrap();
    for viewer in [&mut first, &mut second] {
        assert!(matches!(viewer.next().await, Mp4Part::Form { .. }));
        let Mp4Part::Frame(frame) = viewer.next().await else {
            panic!("a frame comes after the form")
        };
        let frame = Frame::of(frame);
        assert!(frame.is_key && frame.at_s == 0.0);
    }
    assert_eq!(pipeline.stats().viewers, 2);

    assert!(!server.end("0123456789abcdef0123456789abcdef"));
    assert!(server.end(first.session()) && !server.end(first.session()));
    assert_eq!(first.over().await, Mp4Over::Ended);
    drop(first);
    let waiting = tokio::time::timeout(Duration::ZERO, second.over()).await;
    assert!(waiting.is_err(), "the other goes on");
    server.remove_camera("gate");
    assert_eq!(second.over().await, Mp4Over::NoCamera);
    drop(second);
    assert_eq!(server.open("gate").unwrap_err(), Mp4Refused::NoSuchCamera);
    assert_eq!(pipeline.stats().viewers, 0);

    server.add_camera("gate", pipeline.stream());
    let last = server.open("gate").unwrap();
    let over = last.over();
    let leaves = tokio::spawn(async move {
        assert_eq!(over.await, Mp4Over::Stopped);
        drop(last);
    });
    tokio::task::spawn_blocking(move || {
        server.stop();
        assert_eq!(server.open("gate").unwrap_err(), Mp4Refused::Stopped);
    })
    .await
    .unwrap();
    leaves.await.unwrap();

    let told: Vec<(bool, Option<String>)> = log
        .all()
        .into_iter()
        .filter_map(|event| match event {
            Event::Viewer { joined, detail, .. } => Some((joined, detail)),
            _ => None,
        })
        .collect();
    let taken_out = Some("the camera was taken out".to_owned());
    let expected = [
        (true, None),
        (true, None),
        (false, None),
        (false, taken_out),
    ];
    assert_eq!(told, expected);
}
