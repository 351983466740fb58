//! Takes AV1 out of its RTP packets: an element around [`crate::av1`], for GStreamer 1.22 has none.
//!
//! Each unit has the PTS of its first packet and all time stamps that its packets carry, once each, as
//! the depayloaders of the other codecs leave them. It waits for a key frame after a loss. Must not
//! know what the stamps say.

use gst::glib;
use gst::prelude::*;
use gstreamer as gst;

glib::wrapper! {
    pub(super) struct Av1Depay(ObjectSubclass<imp::Av1Depay>) @extends gst::Element, gst::Object;
}

/// The element.
pub(super) fn new() -> gst::Element {
    glib::Object::new::<Av1Depay>().upcast()
}

mod imp {
    use std::sync::{LazyLock, Mutex, PoisonError};

    use gst::glib;
    use gst::prelude::*;
    use gst::subclass::prelude::*;
    use gstreamer as gst;

    use crate::av1::{Fault, Packet, Units};

    /// A picture has two or three that differ; more say no more.
    const STAMPS_AT_MOST: usize = 16;

    struct State {
        units: Units,
        under_way: Option<Head>,
        /// Units that were malformed before any was given; the first may be one that had begun
        /// before we listened. None once one was: what is wrong then is no form that is not known.
        malformed: Option<u8>,
        /// Units that were not given, one after the other.
        withheld: u64,
    }

    impl Default for State {
        fn default() -> Self {
            Self {
                units: Units::default(),
                under_way: None,
                malformed: Some(0),
                withheld: 0,
            }
        }
    }

    /// What the packets of the unit under way say beside its content.
    struct Head {
        timestamp: u32,
        pts: Option<gst::ClockTime>,
        stamps: Vec<(gst::Caps, gst::ClockTime)>,
    }

    impl Head {
        fn note(&mut self, packet: &gst::BufferRef) {
            for meta in packet.iter_meta::<gst::ReferenceTimestampMeta>() {
                let (reference, at) = (meta.reference(), meta.timestamp());
                let mut known = self.stamps.iter();
                let is_known = known.any(|(r, t)| **r == *reference && *t == at);
                if !is_known && self.stamps.len() < STAMPS_AT_MOST {
                    self.stamps.push((reference.to_owned(), at));
                }
            }
        }

        /// `begins` is told as GStreamer has it, for whoever decides what follows a loss.
        fn leave_on(self, unit: Vec<u8>, begins: bool) -> gst::Buffer {
            let mut buffer = gst::Buffer::from_mut_slice(unit);
            if let Some(buffer) = buffer.get_mut() {
                buffer.set_pts(self.pts);
                if !begins {
                    buffer.set_flags(gst::BufferFlags::DELTA_UNIT);
                }
                for (reference, at) in &self.stamps {
                    gst::ReferenceTimestampMeta::add(buffer, reference, *at, None);
                }
            }
            buffer
        }
    }

    impl State {
        /// The units that `packet` ends, and the first thing that is wrong with any.
        fn take(&mut self, packet: &gst::BufferRef) -> (Vec<gst::Buffer>, Option<Fault>) {
            let Ok(bytes) = packet.map_readable() else {
                return (Vec::new(), None);
            };
            let Some(parts) = Packet::read(&bytes).filter(|p| !self.units.is_repeated(p)) else {
                return (Vec::new(), None);
            };
            let before = self.units.before(&parts);
            let (mut units, mut wrong) = (Vec::new(), None);
            self.sort(before, &mut units, &mut wrong);
            let is_same = |head: &Head| head.timestamp == parts.timestamp;
            let head = self.under_way.take().filter(is_same);
            let mut head = head.unwrap_or_else(|| Head {
                timestamp: parts.timestamp,
                pts: packet.pts(),
                stamps: Vec::new(),
            });
            head.note(packet);
            self.under_way = Some(head);
            let ended = self.units.take(&parts);
            self.sort(ended, &mut units, &mut wrong);
            (units, wrong)
        }

        fn sort(
            &mut self,
            taken: Result<Option<Vec<u8>>, Fault>,
            units: &mut Vec<gst::Buffer>,
            wrong: &mut Option<Fault>,
        ) {
            match taken {
                Ok(None) => {}
                Ok(Some(unit)) => {
                    self.malformed = None;
                    self.withheld = 0;
                    let begins = self.units.begins();
                    let head = self.under_way.take();
                    units.extend(head.map(|head| head.leave_on(unit, begins)));
                }
                Err(fault) => {
                    self.withheld += 1;
                    if let (Fault::Malformed(_), Some(n)) = (fault, &mut self.malformed) {
                        *n = n.saturating_add(1);
                    }
                    wrong.get_or_insert(fault);
                }
            }
        }
    }

    pub(in crate::pipeline) struct Av1Depay {
        sink: gst::Pad,
        src: gst::Pad,
        state: Mutex<State>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for Av1Depay {
        const NAME: &'static str = "GreyplaneAv1Depay";
        type Type = super::Av1Depay;
        type ParentType = gst::Element;

        fn with_class(class: &Self::Class) -> Self {
            let sink = match class.pad_template("sink") {
                Some(template) => gst::Pad::builder_from_template(&template),
                None => gst::Pad::builder(gst::PadDirection::Sink),
            };
            let sink = sink
                .chain_function(|_, parent, packet| {
                    Self::catch_panic_pad_function(
                        parent,
                        || Err(gst::FlowError::Error),
                        |this| this.chain(&packet),
                    )
                })
                .event_function(|pad, parent, event| {
                    Self::catch_panic_pad_function(parent, || false, |this| this.event(pad, event))
                })
                .build();
            let src = match class.pad_template("src") {
                Some(template) => gst::Pad::from_template(&template),
                None => gst::Pad::new(gst::PadDirection::Src),
            };
            Self {
                sink,
                src,
                state: Mutex::default(),
            }
        }
    }

    impl ObjectImpl for Av1Depay {
        fn constructed(&self) {
            self.parent_constructed();
            for pad in [&self.sink, &self.src] {
                // Fails only for a pad that already has a parent.
                let _ = self.obj().add_pad(pad);
            }
        }
    }

    impl GstObjectImpl for Av1Depay {}

    impl ElementImpl for Av1Depay {
        fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
            static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
                gst::subclass::ElementMetadata::new(
                    "AV1 depayloader",
                    "Codec/Depayloader/Network/RTP",
                    "Takes whole temporal units of AV1 out of RTP packets",
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
                let packets = gst::Caps::builder("application/x-rtp").build();
                [
                    make("sink", gst::PadDirection::Sink, &packets),
                    make("src", gst::PadDirection::Src, &units()),
                ]
                .into_iter()
                .flatten()
                .collect()
            });
            &TEMPLATES
        }
    }

    fn units() -> gst::Caps {
        gst::Caps::builder("video/x-av1")
            .field("stream-format", "obu-stream")
            .field("alignment", "tu")
            .build()
    }

    impl Av1Depay {
        fn event(&self, pad: &gst::Pad, event: gst::Event) -> bool {
            match event.view() {
                gst::EventView::Caps(_) => {
                    return self.src.push_event(gst::event::Caps::new(&units()));
                }
                gst::EventView::FlushStop(_) => *self.lock() = State::default(),
                _ => {}
            }
            gst::Pad::event_default(pad, Some(&*self.obj()), event)
        }

        fn chain(&self, packet: &gst::BufferRef) -> Result<gst::FlowSuccess, gst::FlowError> {
            let (units, wrong, malformed, withheld) = {
                let mut state = self.lock();
                let (units, wrong) = state.take(packet);
                (units, wrong, state.malformed, state.withheld)
            };
            for unit in units {
                self.src.push(unit)?;
            }
            match wrong {
                // A form that we do not take, not a packet that went wrong on its way.
                Some(fault @ Fault::Layers) => return Err(self.refuse(fault)),
                Some(fault @ Fault::TooLarge) if malformed.is_some() => {
                    return Err(self.refuse(fault));
                }
                Some(fault @ Fault::Malformed(_)) if malformed.is_some_and(|n| n > 1) => {
                    return Err(self.refuse(fault));
                }
                // Once, not for every picture until the next key frame.
                Some(fault) if withheld == 1 => tracing::debug!(%fault, "AV1 held back"),
                _ => {}
            }
            Ok(gst::FlowSuccess::Ok)
        }

        fn refuse(&self, fault: Fault) -> gst::FlowError {
            gst::element_imp_error!(
                self,
                gst::StreamError::WrongType,
                ("AV1 that is not taken: {fault}; set the camera to H.264")
            );
            gst::FlowError::Error
        }

        fn lock(&self) -> std::sync::MutexGuard<'_, State> {
            self.state.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }
}
