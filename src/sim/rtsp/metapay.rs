//! A payloader for `vnd.onvif.metadata`: one XML document per frame, cut into
//! RTP packets, the last one marked (ONVIF Streaming Specification, 5.2.1.1;
//! header of RFC 3550, 5.1). GStreamer 1.22 ships none.

use gst::glib;
use gst::prelude::*;
use gstreamer as gst;

glib::wrapper! {
    pub(super) struct MetaPay(ObjectSubclass<imp::MetaPay>) @extends gst::Element, gst::Object;
}

/// Makes the element known as `greyplanesimmetapay`.
pub(super) fn register() -> Result<(), glib::BoolError> {
    gst::Element::register(
        None,
        "greyplanesimmetapay",
        gst::Rank::NONE,
        MetaPay::static_type(),
    )
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

    const PAYLOAD_TYPE: u32 = 107;
    const CLOCK_RATE: u64 = 90_000;
    const PAYLOAD_BYTES: usize = 1200;

    struct State {
        sequence: u16,
        ssrc: u32,
        base: u32,
        timestamp: u32,
        segment: gst::FormattedSegment<gst::ClockTime>,
    }

    pub(in crate::sim::rtsp) struct MetaPay {
        sink: gst::Pad,
        src: gst::Pad,
        state: Mutex<State>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for MetaPay {
        const NAME: &'static str = "GreyplaneSimMetaPay";
        type Type = super::MetaPay;
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
                    sequence: rand::random(),
                    ssrc: rand::random(),
                    base: rand::random(),
                    timestamp: 0,
                    segment: gst::FormattedSegment::new(),
                }),
            }
        }
    }

    impl ObjectImpl for MetaPay {
        fn properties() -> &'static [glib::ParamSpec] {
            // What gst-rtsp-server asks of a payloader.
            static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
                vec![
                    glib::ParamSpecUInt::builder("pt")
                        .default_value(PAYLOAD_TYPE)
                        .build(),
                    glib::ParamSpecUInt::builder("mtu")
                        .default_value(1400)
                        .build(),
                    glib::ParamSpecUInt::builder("seqnum").read_only().build(),
                    glib::ParamSpecUInt::builder("timestamp")
                        .read_only()
                        .build(),
                ]
            });
            &PROPERTIES
        }

        fn set_property(&self, _id: usize, _value: &glib::Value, _spec: &glib::ParamSpec) {}

        fn property(&self, _id: usize, spec: &glib::ParamSpec) -> glib::Value {
            let state = lock(&self.state);
            match spec.name() {
                "mtu" => 1400u32.to_value(),
                "seqnum" => u32::from(state.sequence).to_value(),
                "timestamp" => state.timestamp.to_value(),
                _ => PAYLOAD_TYPE.to_value(),
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

    impl GstObjectImpl for MetaPay {}

    impl ElementImpl for MetaPay {
        fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
            static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
                gst::subclass::ElementMetadata::new(
                    "ONVIF metadata payloader of the simulated camera",
                    "Codec/Payloader/Network/RTP",
                    "Cuts ONVIF metadata documents into RTP packets",
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
                let sink = gst::Caps::builder("application/x-onvif-metadata").build();
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

    impl MetaPay {
        fn event(&self, pad: &gst::Pad, event: gst::Event) -> bool {
            match event.view() {
                gst::EventView::Caps(caps) => {
                    let packed = caps.caps().structure(0).map(|s| s.get::<bool>("packed"));
                    let encoding = match packed {
                        Some(Ok(true)) => "VND.ONVIF.METADATA.GZIP",
                        _ => "VND.ONVIF.METADATA",
                    };
                    let state = lock(&self.state);
                    let caps = gst::Caps::builder("application/x-rtp")
                        .field("media", "application")
                        .field("payload", PAYLOAD_TYPE as i32)
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
                let count = map.len().div_ceil(PAYLOAD_BYTES);
                for (i, part) in map.chunks(PAYLOAD_BYTES).enumerate() {
                    state.sequence = state.sequence.wrapping_add(1);
                    let marker = if i + 1 == count { 0x80 } else { 0 };
                    let mut packet = Vec::with_capacity(12 + part.len());
                    packet.extend([0x80, marker | PAYLOAD_TYPE as u8]);
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
