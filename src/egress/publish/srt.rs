//! SRT: MPEG-TS in datagrams that are sent again where they are lost; we call the
//! server. MPEG-TS has no place for the time of day: capture times end here.

use std::time::Duration;

use gst::prelude::*;
use gstreamer as gst;

use super::line::{Line, Taken, make};
use crate::secret::Secret;

/// Bytes of the key that the passphrase opens: AES-256.
const KEY_BYTES: &str = "32";

/// Of MPEG-TS in a datagram of SRT's, 188 bytes each.
const PACKETS_A_DATAGRAM: i32 = 7;

pub(super) fn line(
    url: &str,
    login: Option<&(String, Secret)>,
    passphrase: Option<&Secret>,
    latency: Duration,
) -> Result<Line, String> {
    let parser = make("h264parse")?;
    // In every key frame, and not only in the first.
    parser.set_property("config-interval", -1i32);
    let muxer = make("mpegtsmux")?;
    // As many packets as one datagram holds, which every receiver expects.
    muxer.set_property("alignment", PACKETS_A_DATAGRAM);
    send_headers_too(&muxer.static_pad("src").ok_or("no packets")?);
    let sink = make("srtsink")?;
    sink.set_property("uri", url);
    sink.set_property_from_str("mode", "caller");
    sink.set_property(
        "latency",
        i32::try_from(latency.as_millis()).unwrap_or(i32::MAX),
    );
    sink.set_property("sync", false);
    // Whoever counts failures reconnects.
    sink.set_property("auto-reconnect", false);
    if let Some(passphrase) = passphrase {
        sink.set_property("passphrase", passphrase.reveal());
        sink.set_property_from_str("pbkeylen", KEY_BYTES);
    }
    if let Some((user, password)) = login {
        let id = sink
            .property::<Option<String>>("streamid")
            .unwrap_or_default();
        sink.set_property("streamid", format!("{id}:{user}:{}", password.reveal()));
    }
    let watched = sink.downgrade();
    let taken: Taken = Box::new(move || watched.upgrade().is_some_and(|sink| sends(&sink)));
    Line::new(&[parser, muxer, sink], taken)
}

/// Whether the server has acknowledged the call: before that nothing is sent.
fn sends(sink: &gst::Element) -> bool {
    let stats = sink.property::<gst::Structure>("stats");
    stats.get::<i64>("packets-sent").is_ok_and(|sent| sent > 0)
}

/// The muxer marks what begins with parameter sets as a header, and the sink passes
/// over headers because it sent the first ones: no key frame would ever leave.
fn send_headers_too(packets: &gst::Pad) {
    let either = gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST;
    packets.add_probe(either, |_, info| {
        match &mut info.data {
            Some(gst::PadProbeData::Buffer(buffer)) => plain(buffer.make_mut()),
            Some(gst::PadProbeData::BufferList(list)) => {
                list.make_mut().foreach_mut(|mut buffer, _| {
                    plain(buffer.make_mut());
                    std::ops::ControlFlow::Continue(Some(buffer))
                });
            }
            _ => {}
        }
        gst::PadProbeReturn::Ok
    });
}

fn plain(buffer: &mut gst::BufferRef) {
    buffer.unset_flags(gst::BufferFlags::HEADER);
}
