//! The measure for the gateway's CPU: a plain decode-encode of the same stream
//! with the same encoder and settings, as a process of its own.

use gstreamer as gst;
use gstreamer::prelude::*;

/// What the plain chain does.
#[derive(Clone, Debug)]
pub struct Plain {
    /// The clear stream.
    pub url: String,
    /// `tcp` or `udp`.
    pub transport: String,
    /// The encoder's bit rate.
    pub bitrate_kbit: u32,
    /// Frames from one key frame to the next.
    pub gop_frames: u32,
}

/// Runs the chain until the stream ends or the process is stopped.
///
/// # Errors
/// What GStreamer said.
pub fn run(plain: &Plain) -> Result<(), String> {
    gst::init().map_err(|e| e.to_string())?;
    let pipeline = gst::Pipeline::new();
    let make = |name: &str| {
        gst::ElementFactory::make(name)
            .build()
            .map_err(|e| e.to_string())
    };
    let src = make("rtspsrc")?;
    src.set_property("location", &plain.url);
    src.set_property_from_str("protocols", &plain.transport);
    src.set_property("latency", 50u32);
    let depay = make("rtph264depay")?;
    let encoder = crate::pipeline::encoder_chain(&crate::pipeline::EncoderSettings {
        bitrate_kbit: plain.bitrate_kbit,
        gop_frames: plain.gop_frames,
        ..Default::default()
    })
    .map_err(|e| e.to_string())?;
    let sink = make("fakesink")?;
    sink.set_property("sync", false);
    let mut chain = vec![depay.clone(), make("h264parse")?, make("avdec_h264")?];
    chain.extend(encoder);
    chain.push(sink);
    let linked = pipeline
        .add(&src)
        .and_then(|()| pipeline.add_many(&chain))
        .and_then(|()| gst::Element::link_many(&chain));
    linked.map_err(|e| e.to_string())?;
    src.connect_pad_added(move |_, pad| {
        let video = pad
            .current_caps()
            .and_then(|c| c.structure(0).and_then(|s| s.get::<String>("media").ok()));
        if let Some(sink) = depay.static_pad("sink")
            && video.as_deref() == Some("video")
        {
            // A second video stream finds the pad taken and stays unlinked.
            let _ = pad.link(&sink);
        }
    });
    pipeline
        .set_state(gst::State::Playing)
        .map_err(|e| e.to_string())?;
    let bus = pipeline.bus().ok_or("no bus")?;
    let kinds = [gst::MessageType::Error, gst::MessageType::Eos];
    let ended = bus.timed_pop_filtered(gst::ClockTime::NONE, &kinds);
    let _ = pipeline.set_state(gst::State::Null);
    match ended.as_ref().map(|m| m.view()) {
        Some(gst::MessageView::Error(e)) => Err(e.error().to_string()),
        _ => Ok(()),
    }
}
