//! RTSP: the stream announced and recorded (RFC 2326, 10.3 and 10.11), packets
//! interleaved in the same connection (10.12). Never datagrams: with `rtsps` they
//! would travel beside the encryption, and without it beside the login.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use gst::prelude::*;
use gst_rtsp_server::gio;
use gstreamer as gst;
use gstreamer_rtsp_server as gst_rtsp_server;

use super::line::{KnowsWhy, Line, Taken, make};
use crate::egress::captured;
use crate::secret::Secret;

/// The longest that the server may keep a request or a packet waiting, µs.
const ANSWERS_WITHIN_US: u64 = 5_000_000;

pub(super) fn line(
    url: &str,
    login: Option<&(String, Secret)>,
    ca_file: Option<&Path>,
) -> Result<Line, String> {
    let sink = make("rtspclientsink")?;
    sink.set_property("location", url);
    sink.set_property_from_str("protocols", "tcp");
    // A connection that ended is made anew as a whole, with its login and key frame.
    sink.set_property("udp-reconnect", false);
    // Of what it would receive; nothing is.
    sink.set_property("latency", 0u32);
    sink.set_property("tcp-timeout", ANSWERS_WITHIN_US);
    if let Some((user, password)) = login {
        sink.set_property("user-id", user);
        sink.set_property("user-pw", password.reveal());
    }
    if let Some(file) = ca_file {
        let roots = gio::TlsFileDatabase::new(file)
            .map_err(|e| format!("ca_file {}: {e}", file.display()))?;
        sink.set_property("tls-database", roots);
    }
    // SPS and PPS come with every key frame, as for viewers.
    let payloader = make("rtph264pay")?;
    payloader.set_property("config-interval", 0i32);
    payloader.set_property_from_str("aggregate-mode", "zero-latency");
    let packets = payloader.static_pad("src").ok_or("no packets")?;
    let pad = sink.request_pad_simple("sink_%u").ok_or("no stream")?;
    pad.set_property("payloader", &payloader);

    // What sends waits there until the server has answered RECORD.
    let sender = sink
        .downcast_ref::<gst::Bin>()
        .and_then(|bin| bin.by_name("rtspbin"))
        .ok_or("no sender")?
        .downgrade();
    let taken: Taken = Box::new(move || {
        let sender = sender.upgrade();
        sender.is_some_and(|sender| sender.current_state() == gst::State::Playing)
    });
    let refused = refused_certificate(&sink);
    let line = Line::new(&[sink], taken)?.explains(refused);
    let times = captured::tell(line.pipeline(), &packets);
    Ok(line.tells(times))
}

/// Tells what was wrong with the server's certificate, of which the element says no
/// more than that it could not connect.
fn refused_certificate(sink: &gst::Element) -> KnowsWhy {
    let wrong: Arc<Mutex<Option<gio::TlsCertificateFlags>>> = Arc::default();
    let seen = wrong.clone();
    // Asked only where the certificate is not good, and never taken.
    sink.connect("accept-certificate", false, move |arguments| {
        let flags = arguments.get(3)?.get::<gio::TlsCertificateFlags>().ok();
        *seen.lock().unwrap_or_else(PoisonError::into_inner) = flags;
        Some(false.to_value())
    });
    Box::new(move || {
        let wrong = *wrong.lock().unwrap_or_else(PoisonError::into_inner);
        wrong.map(|wrong| format!("the server's certificate is refused: {}", mistakes(wrong)))
    })
}

/// What `wrong` means, and what to do about it.
fn mistakes(wrong: gio::TlsCertificateFlags) -> String {
    use gio::TlsCertificateFlags as Flag;
    let known = [
        (
            Flag::UNKNOWN_CA,
            "no trusted root signed it; give the PEM file of the CA that did as `ca_file`",
        ),
        (
            Flag::BAD_IDENTITY,
            "it is for another name than the address's",
        ),
        (
            Flag::NOT_ACTIVATED,
            "it holds only later; are both clocks right?",
        ),
        (Flag::EXPIRED, "it has expired"),
        (Flag::REVOKED, "it was revoked"),
    ];
    let mistakes: Vec<&str> = known
        .iter()
        .filter(|(flag, _)| wrong.contains(*flag))
        .map(|(_, what)| *what)
        .collect();
    if mistakes.is_empty() {
        "it is not valid".to_owned()
    } else {
        mistakes.join("; ")
    }
}
