//! RTSP: the stream announced and recorded (RFC 2326, 10.3 and 10.11), packets
//! interleaved in the same connection (10.12). Never datagrams: with `rtsps` they
//! would travel beside the encryption, and without it beside the login.

use std::path::Path;

use gst::prelude::*;
use gst_rtsp_server::gio;
use gstreamer as gst;
use gstreamer_rtsp_server as gst_rtsp_server;

use super::line::{Line, Taken, make};
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
    let line = Line::new(&[sink], taken)?;
    let times = captured::tell(line.pipeline(), &packets);
    Ok(line.tells(times))
}
