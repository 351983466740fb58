//! A payloader for what GStreamer 1.22 ships none: `vnd.onvif.metadata`, one XML document per
//! frame, cut into RTP packets, the last one marked (ONVIF Streaming Specification, 5.2.1.1; header of
//! RFC 3550, 5.1), and AV1 (see [`super::av1`]).

use gst::glib;
use gst::prelude::*;
use gstreamer as gst;

glib::wrapper! {
    pub(super) struct Pay(ObjectSubclass<imp::Pay>) @extends gst::Element, gst::Object;
}

/// Makes the element known as `greyplanesimpay`.
pub(crate) fn register() -> Result<(), glib::BoolError> {
    gst::Element::register(None, "greyplanesimpay", gst::Rank::NONE, Pay::static_type())
}

/// A document in gzip.
pub(super) fn packed(document: &[u8]) -> Vec<u8> {
    use flate2::Compression;
    use flate2::read::GzEncoder;
    let mut all = Vec::new();
    // From memory into memory nothing fails.
    let _ =
        std::io::Read::read_to_end(&mut GzEncoder::new(document, Compression::fast()), &mut all);
    all
}

mod imp {
    use std::sync::{LazyLock, Mutex};

    use gst::glib;
    use gst::prelude::*;
    use gst::subclass::prelude::*;
    use gstreamer as gst;

    use crate::sim::camera::lock;
    use crate::sim::rtsp::av1;

    const PAYLOAD_TYPE: u32 = 107;
    const CLOCK_RATE: u64 = 90_000;
    const MTU: u32 = 1400;
    /// Left for headers: of RTP with the extensions of `super::super::hdrext`, and below it.
    const HEADERS: u32 = 80;

    struct State {
        is_av1: bool,
        pt: u32,
        mtu: u32,
        sequence: u16,
        ssrc: u32,
        base: u32,
        timestamp: u32,
        segment: gst::FormattedSegment<gst::ClockTime>,
    }

    pub(in crate::sim::rtsp) struct Pay {
        sink: gst::Pad,
        src: gst::Pad,
        state: Mutex<State>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for Pay {
        const NAME: &'static str = "GreyplaneSimPay";
        type Type = super::Pay;
        type ParentType = gst::Element;

        fn with_class(class: &Self::Class) -> Self {
            // Both templates are registered by this very class.
            let template = |name: &str| class.pad_template(name);
            let sink = template("sink").map_or_else(
                || gst::Pad::new(gst::PadDirection::Sink),
                |t| {
                    gst::Pad::builder_from_template(&t)
                        .chain_function(|_, parent, buffer| {
                            Self::catch_panic_pad_function(
                                parent,
                                || Err(gst::FlowError::Error),
                                |this| this.chain(buffer),
                            )
                        })
                        .event_function(|pad, parent, event| {
                            Self::catch_panic_pad_function(
                                parent,
                                || false,
                                |this| this.event(pad, event),
                            )
                        })
                        .build()
                },
            );
            let src = template("src").map_or_else(
                || gst::Pad::new(gst::PadDirection::Src),
                |t| gst::Pad::from_template(&t),
            );
            Self {
                sink,
                src,
                state: Mutex::new(State {
                    is_av1: false,
                    pt: PAYLOAD_TYPE,
                    mtu: MTU,
                    sequence: rand::random(),
                    ssrc: rand::random(),
                    base: rand::random(),
                    timestamp: 0,
                    segment: gst::FormattedSegment::new(),
                }),
            }
        }
    }

    impl ObjectImpl for Pay {
        fn properties() -> &'static [glib::ParamSpec] {
            // What gst-rtsp-server asks of a payloader.
            static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
                vec![
                    glib::ParamSpecUInt::builder("pt")
                        .default_value(PAYLOAD_TYPE)
                        .build(),
                    glib::ParamSpecUInt::builder("mtu")
                        .default_value(MTU)
                        .build(),
                    glib::ParamSpecUInt::builder("timestamp-offset").build(),
                    glib::ParamSpecUInt::builder("seqnum").read_only().build(),
                    glib::ParamSpecUInt::builder("timestamp")
                        .read_only()
                        .build(),
                ]
            });
            &PROPERTIES
        }

        fn set_property(&self, _id: usize, value: &glib::Value, spec: &glib::ParamSpec) {
            let (mut state, Ok(value)) = (lock(&self.state), value.get::<u32>()) else {
                return;
            };
            match spec.name() {
                "pt" => state.pt = value & 0x7f,
                "mtu" => state.mtu = value,
                "timestamp-offset" => state.base = value,
                _ => {}
            }
        }

        fn property(&self, _id: usize, spec: &glib::ParamSpec) -> glib::Value {
            let state = lock(&self.state);
            match spec.name() {
                "mtu" => state.mtu.to_value(),
                "timestamp-offset" => state.base.to_value(),
                "seqnum" => u32::from(state.sequence).to_value(),
                "timestamp" => state.timestamp.to_value(),
                _ => state.pt.to_value(),
            }
        }

        fn constructed(&self) {
            self.parent_constructed();
            let element = self.obj();
            for pad in [&self.sink, &self.src] {
                // Fails only for a pad that already has a parent.
                let _ = element.add_pad(pad);
            }
        }
    }

    impl GstObjectImpl for Pay {}

    impl ElementImpl for Pay {
        fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
            static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
                gst::subclass::ElementMetadata::new(
                    "Payloader of the simulated camera",
                    "Codec/Payloader/Network/RTP",
                    "Cuts ONVIF metadata documents and AV1 into RTP packets",
                    "greyplane",
                )
            });
            Some(&METADATA)
        }

        fn pad_templates() -> &'static [gst::PadTemplate] {
            static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
                let make = |name, direction, caps: &gst::Caps| {
                    gst::PadTemplate::new(name, direction, gst::PadPresence::Always, caps).ok()
                };
                let sink = gst::Caps::builder_full()
                    .structure(gst::Structure::new_empty("application/x-onvif-metadata"))
                    .structure(gst::Structure::new_empty("video/x-av1"))
                    .build();
                let src = gst::Caps::builder("application/x-rtp").build();
                [
                    make("sink", gst::PadDirection::Sink, &sink),
                    make("src", gst::PadDirection::Src, &src),
                ]
                .into_iter()
                .flatten()
                .collect()
            });
            &TEMPLATES
        }
    }

    impl Pay {
        fn event(&self, pad: &gst::Pad, event: gst::Event) -> bool {
            match event.view() {
                gst::EventView::Caps(caps) => {
                    let form = caps.caps().structure(0);
                    let packed = form.map(|s| s.get::<bool>("packed"));
                    let is_av1 = form.is_some_and(|s| s.name() == "video/x-av1");
                    let (media, encoding) = match packed {
                        _ if is_av1 => ("video", "AV1"),
                        Some(Ok(true)) => ("application", "VND.ONVIF.METADATA.GZIP"),
                        _ => ("application", "VND.ONVIF.METADATA"),
                    };
                    let mut state = lock(&self.state);
                    state.is_av1 = is_av1;
                    let caps = gst::Caps::builder("application/x-rtp")
                        .field("media", media)
                        .field("payload", state.pt as i32)
                        .field("clock-rate", CLOCK_RATE as i32)
                        .field("encoding-name", encoding)
                        .field("ssrc", state.ssrc)
                        .field("timestamp-offset", state.base)
                        .field("seqnum-offset", u32::from(state.sequence))
                        .build();
                    drop(state);
                    self.src.push_event(gst::event::Caps::new(&caps))
                }
                gst::EventView::Segment(segment) => {
                    if let Some(s) = segment.segment().downcast_ref::<gst::ClockTime>() {
                        lock(&self.state).segment = s.clone();
                    }
                    self.src.push_event(event)
                }
                _ => gst::Pad::event_default(pad, Some(&*self.obj()), event),
            }
        }

        fn chain(&self, buffer: gst::Buffer) -> Result<gst::FlowSuccess, gst::FlowError> {
            let map = buffer.map_readable().map_err(|_| gst::FlowError::Error)?;
            let mut list = gst::BufferList::new();
            {
                let mut state = lock(&self.state);
                let running = buffer
                    .pts()
                    .and_then(|pts| state.segment.to_running_time(pts));
                let ticks = running.map_or(0, |r| {
                    (u128::from(r.nseconds()) * u128::from(CLOCK_RATE) / 1_000_000_000) as u32
                });
                state.timestamp = state.base.wrapping_add(ticks);
                let out = list.make_mut();
                let room = state.mtu.saturating_sub(HEADERS).max(1) as usize;
                let parts: Vec<Vec<u8>> = match state.is_av1 {
                    true => av1::payloads(&map, room),
                    false => map.chunks(room).map(<[u8]>::to_vec).collect(),
                };
                for (i, part) in parts.iter().enumerate() {
                    state.sequence = state.sequence.wrapping_add(1);
                    let marker = if i + 1 == parts.len() { 0x80 } else { 0 };
                    let mut packet = Vec::with_capacity(12 + part.len());
                    packet.extend([0x80, marker | state.pt as u8]);
                    packet.extend(state.sequence.to_be_bytes());
                    packet.extend(state.timestamp.to_be_bytes());
                    packet.extend(state.ssrc.to_be_bytes());
                    packet.extend(part);
                    let mut packet = gst::Buffer::from_mut_slice(packet);
                    if let Some(p) = packet.get_mut() {
                        p.set_pts(buffer.pts());
                    }
                    out.add(packet);
                }
            }
            match self.src.push_list(list) {
                // Nobody asked for this stream. Passed on, it would end the video
                // as well: gst-rtsp-server gives up a media that has an error.
                Err(gst::FlowError::NotLinked) => Ok(gst::FlowSuccess::Ok),
                flow => flow,
            }
        }
    }
}
