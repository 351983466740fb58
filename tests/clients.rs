//! Players that others wrote before a real gateway: each connects with a name and a
//! password, over TLS as far as it can, and decodes pictures in which nothing private is
//! left. With a wrong password it gets none. (The ONVIF clients are in `vms.rs`.)
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that fails should fail loudly, one that is skipped should say so"
)]

mod players_support;
mod street_support;
mod tls_support;

use gst::prelude::*;
use gstreamer as gst;
use gstreamer_app as gst_app;
use gstreamer_rtsp_server::gio;
use players_support::{FRAMES, Seen, ffmpeg, judge, play, program, retina};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use street_support::{LOGIN, Street, VIEWERS};
use tls_support::{Authority, PATIENCE};

/// One try of one player.
struct Visit<'a> {
    street: &'a Street,
    scheme: &'a str,
    password: &'a str,
    /// Whose certificates it trusts; none: in the clear, or nobody in particular.
    trusts: Option<&'a Path>,
}

impl Visit<'_> {
    fn url(&self) -> String {
        let Self { scheme, street, .. } = self;
        format!("{scheme}://127.0.0.1:{}/street", street.port)
    }

    /// With name and password inside, as most players have it.
    fn url_with_login(&self) -> String {
        let login = format!("://{}:{}@", LOGIN.0, self.password);
        self.url().replace("://", &login)
    }
}

/// Pictures (I420) that lie one after the other, or what was complained of.
type Played = Result<Vec<u8>, String>;

fn with_ffmpeg(visit: &Visit<'_>) -> Played {
    ffmpeg(&visit.url_with_login(), &["-rtsp_transport", "tcp"])
}

fn with_ffmpeg_over_udp(visit: &Visit<'_>) -> Played {
    ffmpeg(&visit.url_with_login(), &["-rtsp_transport", "udp"])
}

/// `gst-launch-1.0`, which cannot be told whom to trust beside the system's authorities.
fn gst_launch(visit: &Visit<'_>, options: &str) -> Played {
    let file = visit.street.folder.path().join("gst-launch.i420");
    let _ = fs::remove_file(&file);
    let (url, (user, _)) = (visit.url(), LOGIN);
    let line = format!(
        "rtspsrc location={url} user-id={user} user-pw={} latency=50 {options} ! rtph264depay \
         ! avdec_h264 ! videoconvert ! video/x-raw,format=I420 ! identity eos-after={} \
         ! filesink location={}",
        visit.password,
        // The one that is too many is thrown away.
        FRAMES + 1,
        file.display()
    );
    play(program("gst-launch-1.0").args(line.split_whitespace()))?;
    Ok(fs::read(&file).unwrap_or_default())
}

fn with_gst_launch(visit: &Visit<'_>) -> Played {
    gst_launch(visit, "protocols=tcp")
}

fn with_gst_launch_over_udp(visit: &Visit<'_>) -> Played {
    gst_launch(visit, "protocols=udp")
}

/// A program of somebody who uses GStreamer's `rtspsrc` and names whom to trust.
fn with_a_gstreamer_program(visit: &Visit<'_>) -> Played {
    gst::init().unwrap();
    let pipeline = gst::parse::launch(&format!(
        "rtspsrc name=source location={} user-id={} user-pw={} latency=50 ! rtph264depay \
         ! avdec_h264 ! video/x-raw,format=I420 ! appsink name=sink sync=false",
        visit.url(),
        LOGIN.0,
        visit.password
    ))
    .unwrap();
    let pipeline = pipeline.downcast::<gst::Pipeline>().unwrap();
    if let Some(ca) = visit.trusts {
        let trusted = gio::TlsFileDatabase::new(ca).unwrap();
        let source = pipeline.by_name("source").unwrap();
        source.set_property("tls-database", &trusted);
    }
    let sink = pipeline.by_name("sink").unwrap();
    let sink = sink.downcast::<gst_app::AppSink>().unwrap();
    let bus = pipeline.bus().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let (mut frames, mut count, mut wrong) = (Vec::new(), 0, None);
    // A second each, and nobody waits for pictures of a player that gave up.
    for _ in 0..PATIENCE.as_secs() as usize + FRAMES {
        if let Some(sample) = sink.try_pull_sample(gst::ClockTime::SECOND) {
            let buffer = sample.buffer().unwrap();
            frames.extend_from_slice(&buffer.map_readable().unwrap());
            count += 1;
        }
        wrong = bus.pop_filtered(&[gst::MessageType::Error]);
        if count == FRAMES || wrong.is_some() {
            break;
        }
    }
    pipeline.set_state(gst::State::Null).unwrap();
    match wrong {
        None => Ok(frames),
        Some(wrong) => Err(format!("{wrong:?}")),
    }
}

/// retina gives what it received; ffmpeg decodes it.
fn with_retina(visit: &Visit<'_>) -> Played {
    let login = Some((LOGIN.0, visit.password));
    let frames = retina(&visit.url(), login, FRAMES)?;
    let file = visit.street.folder.path().join("retina.h264");
    fs::write(&file, frames.concat()).unwrap();
    ffmpeg(file.to_str().unwrap(), &["-f", "h264"])
}

/// VLC, which does not run as root.
fn vlc() -> Command {
    if !rustix::process::geteuid().is_root() {
        return program("vlc");
    }
    let mut command = program("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "vlc"]);
    command
}

/// Whether there is a VLC that speaks RTSP: Debian builds it without (`--disable-live555`).
fn has_vlc() -> bool {
    let says = |argument| vlc().args(["-I", "dummy", argument, "--version"]).output();
    let has = says("--rtsp-tcp").is_ok_and(|done| done.status.success());
    if !has {
        eprintln!("skipped: no VLC here that was built with live555, which is its RTSP");
    }
    has
}

/// VLC records what it received; ffmpeg decodes it.
fn vlc_with(visit: &Visit<'_>, options: &[&str]) -> Played {
    let place = tempfile::tempdir().unwrap();
    fs::set_permissions(place.path(), Permissions::from_mode(0o777)).unwrap();
    let file: PathBuf = place.path().join("vlc.ts");
    let done = vlc()
        .env("HOME", place.path())
        .args(["-I", "dummy", "-vv", "--no-audio", "--run-time=8", "--sout"])
        .arg(format!("#std{{access=file,mux=ts,dst={}}}", file.display()))
        .args(options)
        .args([&visit.url_with_login(), "vlc://quit"])
        .output()
        .unwrap();
    if fs::metadata(&file).is_ok_and(|m| m.len() > 0) {
        return ffmpeg(file.to_str().unwrap(), &[]);
    }
    Err(String::from_utf8_lossy(&done.stderr).into_owned())
}

fn with_vlc(visit: &Visit<'_>) -> Played {
    vlc_with(visit, &["--rtsp-tcp"])
}

fn with_vlc_over_udp(visit: &Visit<'_>) -> Played {
    vlc_with(visit, &[])
}

/// What ffprobe says of the stream.
fn ffprobe(visit: &Visit<'_>) -> Result<String, String> {
    let said = play(
        program("ffprobe")
            .args(["-v", "error", "-rtsp_transport", "tcp", "-of", "csv=p=0"])
            .args(["-show_entries", "stream=codec_name,width,height"])
            .arg(visit.url_with_login()),
    )?;
    Ok(String::from_utf8_lossy(&said).trim().to_owned())
}

/// As many pictures as were asked for, the street in them, nothing private.
fn sees_the_masked_street(name: &str, played: Played) {
    let seen = judge(&played.unwrap_or_else(|e| panic!("{name}: {e}")));
    eprintln!("{name}: {seen:?}");
    let Seen {
        frames,
        canary,
        flat,
    } = seen;
    assert!(frames >= FRAMES, "{name}: {seen:?}");
    assert_eq!(canary, 0, "{name}: {seen:?}");
    assert!(flat < frames, "{name}: {seen:?}");
}

/// It came to nothing because of the password, and says so.
fn is_refused<T: std::fmt::Debug>(name: &str, played: Result<T, String>) {
    let Err(complaint) = played else {
        panic!("{name} is let in with a wrong password");
    };
    let says = complaint.to_lowercase();
    let known = ["401", "unauthorized", "not authorized", "authentication"];
    assert!(
        known.iter().any(|word| says.contains(word)),
        "{name}: {complaint}"
    );
}

#[test]
fn players_watch_in_the_clear() {
    let street = Street::start(VIEWERS, None, |_| {});
    let visit = |password| Visit {
        street: &street,
        scheme: "rtsp",
        password,
        trusts: None,
    };
    let (right, wrong) = (visit(LOGIN.1), visit("falsch"));
    for (name, play) in [
        ("ffmpeg", with_ffmpeg as fn(&Visit<'_>) -> Played),
        ("gst-launch", with_gst_launch),
        ("GStreamer", with_a_gstreamer_program),
        ("retina", with_retina),
    ] {
        sees_the_masked_street(name, play(&right));
        is_refused(name, play(&wrong));
    }
    sees_the_masked_street("ffmpeg, UDP", with_ffmpeg_over_udp(&right));
    sees_the_masked_street("gst-launch, UDP", with_gst_launch_over_udp(&right));
    assert_eq!(ffprobe(&right).unwrap(), "h264,640,360");
    is_refused("ffprobe", ffprobe(&wrong));
}

#[test]
fn vlc_watches_in_the_clear() {
    if !has_vlc() {
        return;
    }
    let street = Street::start(VIEWERS, None, |_| {});
    let visit = |password| Visit {
        street: &street,
        scheme: "rtsp",
        password,
        trusts: None,
    };
    sees_the_masked_street("VLC", with_vlc(&visit(LOGIN.1)));
    sees_the_masked_street("VLC, UDP", with_vlc_over_udp(&visit(LOGIN.1)));
    is_refused("VLC", with_vlc(&visit("falsch")));
}

#[test]
fn players_watch_over_tls() {
    let town = Authority::new("town");
    let street = Street::with_passwords(&town);
    let file = |name: &str, ca: &Authority| {
        let path = street.folder.path().join(name);
        fs::write(&path, ca.pem()).unwrap();
        path
    };
    let trusted = file("town.pem", &town);
    let elsewhere = file("elsewhere.pem", &Authority::new("elsewhere"));
    let visit = |password, trusts| Visit {
        street: &street,
        scheme: "rtsps",
        password,
        trusts,
    };
    // Whoever can be told whom to trust hangs up where another one signed.
    let gstreamer = with_a_gstreamer_program;
    sees_the_masked_street("GStreamer", gstreamer(&visit(LOGIN.1, Some(&trusted))));
    is_refused("GStreamer", gstreamer(&visit("falsch", Some(&trusted))));
    let complaint = gstreamer(&visit(LOGIN.1, Some(&elsewhere))).unwrap_err();
    assert!(!complaint.contains("401"), "{complaint}");

    // The rtsp of ffmpeg 5.1 cannot: it takes any certificate.
    let any = |password| visit(password, None);
    sees_the_masked_street("ffmpeg", with_ffmpeg(&any(LOGIN.1)));
    is_refused("ffmpeg", with_ffmpeg(&any("falsch")));
    assert_eq!(ffprobe(&any(LOGIN.1)).unwrap(), "h264,640,360");
    is_refused("ffprobe", ffprobe(&any("falsch")));

    // gst-launch-1.0 knows the system's authorities only, so it hangs up; or it is told
    // to take any certificate.
    let launch = |password, more| gst_launch(&any(password), &format!("protocols=tcp+tls {more}"));
    let complaint = launch(LOGIN.1, "").unwrap_err();
    assert!(complaint.contains("Failed to connect"), "{complaint}");
    let unasked = "tls-validation-flags=no-flags";
    sees_the_masked_street("gst-launch", launch(LOGIN.1, unasked));
    is_refused("gst-launch", launch("falsch", unasked));

    // retina does not know what rtsps is; nor does VLC's live555.
    let complaint = with_retina(&any(LOGIN.1)).unwrap_err();
    assert!(complaint.contains("only scheme rtsp"), "{complaint}");
}
