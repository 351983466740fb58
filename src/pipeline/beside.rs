//! What is taken of a camera beside its video: the packets of another of its streams.
//!
//! They end in a sink that takes everything, so that nothing that fails or hangs behind it is
//! felt where the pictures come along. Must not know what is in them.

use gst::prelude::*;
use gstreamer as gst;

use super::encoder::element;

/// Has `rtspsrc` leave each stream's times as they are.
///
/// Two streams of one camera are lined up by their sender reports, and one that lies
/// would move the video. Nobody here needs them lined up.
pub(super) fn keep_apart(rtspsrc: &gst::Element) {
    rtspsrc.connect("new-manager", false, |args| {
        if let Some(Ok(manager)) = args.get(1).map(|v| v.get::<gst::Element>()) {
            manager.set_property("max-ts-offset", 1i64);
        }
        None
    });
}

/// Shows every packet that `pad` gives to `take`, on the stream's own thread; none where
/// the pad cannot be linked.
pub(super) fn each_packet(
    pad: &gst::Pad,
    bin: &gst::Bin,
    take: impl Fn(&gst::BufferRef) + Send + Sync + 'static,
) -> Option<()> {
    let end = element("fakesink").ok()?;
    for property in ["sync", "async", "enable-last-sample"] {
        end.set_property(property, false);
    }
    let input = end.static_pad("sink")?;
    let kinds = gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST;
    input.add_probe(kinds, move |_, info| {
        match &info.data {
            Some(gst::PadProbeData::Buffer(packet)) => take(packet),
            Some(gst::PadProbeData::BufferList(list)) => list.iter().for_each(&take),
            _ => {}
        }
        gst::PadProbeReturn::Ok
    });
    bin.add(&end).ok()?;
    end.sync_state_with_parent().ok()?;
    pad.link(&input).ok()?;
    Some(())
}
