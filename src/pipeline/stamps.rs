//! The capture times that a picture's own RTP packets carry, and what is handed on of them.
//!
//! A probe before the depayloader reads them from every packet ([`crate::stamp::header`]);
//! one after the parser, by when all packets of a picture were seen, leaves what they
//! say together on the coded picture. Like the stream's own time (see [`super::rtptime`]) it survives
//! decoding as a reference timestamp. GStreamer 1.22 knows RFC 6051, too, but its jitter
//! buffer and its depayloaders write what they read into the same `timestamp/x-ntp` as sender reports:
//! then nobody can tell which of the two lies. So the extension is kept from them.
//! Must not know which of the times is believed.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use gst::prelude::*;
use gstreamer as gst;

use super::rtptime::stream_ns;
use crate::clock::CaptureTime;
use crate::stamp::header::{self, NTP_64_URI};
use crate::stamp::{Claim, Claims, ONE_FRAME_NS};

/// What rtspsrc writes, from sender reports alone; and what leaves, whoever told it.
const REPORTED: &str = "timestamp/x-ntp";
/// Names of the references that our stamps carry: RFC 6051's, ONVIF's.
const STAMPED: [&str; 2] = [
    "timestamp/x-greyplane-ntp-64",
    "timestamp/x-greyplane-onvif-replay",
];
/// Pictures between the depayloader and the parser.
const UNDER_WAY: usize = 64;
/// In place of a time that cannot be one: NTP's 0 and what follows it are not used for any.
const CONTRADICTORY: u64 = 0;
const UNREADABLE: u64 = 1;

/// What was said of the pictures under way, by their stream time.
#[derive(Debug, Default)]
struct Heard(VecDeque<(u64, [Claim; 2])>);

impl Heard {
    fn note(&mut self, ns: u64, claims: [Claim; 2]) {
        // Packets of one picture come one after the other.
        if let Some((_, known)) = self.0.iter_mut().rev().find(|(at, _)| *at == ns) {
            *known = [known[0].and(claims[0]), known[1].and(claims[1])];
            return;
        }
        if self.0.len() == UNDER_WAY {
            self.0.pop_front();
        }
        self.0.push_back((ns, claims));
    }

    fn of(&self, ns: u64) -> Option<[Claim; 2]> {
        let found = self.0.iter().rev().find(|(at, _)| *at == ns);
        found.map(|(_, claims)| *claims)
    }
}

/// Carries the stamps of the packets that enter `packets`, stamped by `rtptime` by now, to
/// the pictures that leave `coded`. `ntp_64` is the number of RFC 6051's extension.
pub(super) fn carry(packets: &gst::Pad, coded: &gst::Pad, ntp_64: Option<u8>) {
    let heard = Arc::new(Mutex::new(Heard::default()));
    let hears = heard.clone();
    let listen = move |packet: &gst::BufferRef| {
        let mut first = [0];
        // Most packets of most cameras have no extension: they need not be mapped.
        if packet.copy_to_slice(0, &mut first).is_err() || first[0] & 0x10 == 0 {
            return;
        }
        let (Some(ns), Ok(bytes)) = (stream_ns(packet), packet.map_readable()) else {
            return;
        };
        if let Some(claims) = header::claims(&bytes, ntp_64)
            && claims != [Claim::Silent; 2]
        {
            let mut heard = hears.lock().unwrap_or_else(PoisonError::into_inner);
            heard.note(ns, claims);
        }
    };
    let kinds = gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST;
    packets.add_probe(kinds, move |_, info| {
        match &info.data {
            Some(gst::PadProbeData::Buffer(packet)) => listen(packet),
            Some(gst::PadProbeData::BufferList(list)) => list.iter().for_each(&listen),
            _ => {}
        }
        gst::PadProbeReturn::Ok
    });
    let references = STAMPED.map(gst::Caps::new_empty_simple);
    coded.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let Some(gst::PadProbeData::Buffer(picture)) = &mut info.data else {
            return gst::PadProbeReturn::Ok;
        };
        let heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
        let claims = stream_ns(picture).and_then(|ns| heard.of(ns));
        drop(heard);
        for (reference, claim) in references.iter().zip(claims.unwrap_or_default()) {
            if let Some(ns) = written(claim) {
                let time = gst::ClockTime::from_nseconds(ns);
                let picture = picture.make_mut();
                gst::ReferenceTimestampMeta::add(picture, reference, time, None);
            }
        }
        gst::PadProbeReturn::Ok
    });
}

fn written(claim: Claim) -> Option<u64> {
    match claim {
        Claim::Silent => None,
        Claim::At(at) => Some(at.to_ntp_ns().unwrap_or(UNREADABLE)),
        Claim::Unreadable => Some(UNREADABLE),
        Claim::Contradictory => Some(CONTRADICTORY),
    }
}

/// What all sources say of `picture`.
pub(super) fn claims(picture: &gst::BufferRef) -> Claims {
    let [ntp_64, replay] = STAMPED.map(|name| {
        times(picture, name).fold(Claim::Silent, |told, ns| {
            told.and(match ns {
                CONTRADICTORY => Claim::Contradictory,
                UNREADABLE => Claim::Unreadable,
                ns => at(ns),
            })
        })
    });
    [ntp_64, replay, reported(picture)]
}

/// The `timestamp/x-ntp` time on `picture`.
///
/// The depayloader leaves one for each unit of the picture. Where they differ, packets
/// of two pictures were put together after a loss, or a report came in between, and the time is
/// not known.
fn reported(picture: &gst::BufferRef) -> Claim {
    let mut told = times(picture, REPORTED);
    let Some(first) = told.next() else {
        return Claim::Silent;
    };
    match told.all(|ns| ns.abs_diff(first) < ONE_FRAME_NS) {
        true => at(first),
        false => Claim::Contradictory,
    }
}

/// When a picture was taken that left the mask: see [`leave`].
pub(super) fn capture_time(picture: &gst::BufferRef) -> Option<CaptureTime> {
    match reported(picture) {
        Claim::At(at) => Some(at),
        _ => None,
    }
}

/// Leaves `capture`, and no other time, on a masked picture.
pub(super) fn leave(picture: &mut gst::BufferRef, capture: Option<CaptureTime>) {
    while let Some(meta) = picture.meta_mut::<gst::ReferenceTimestampMeta>() {
        if meta.remove().is_err() {
            break; // Locked: never so for reference timestamps.
        }
    }
    if let Some(ns) = capture.and_then(CaptureTime::to_ntp_ns) {
        let reference = gst::Caps::new_empty_simple(REPORTED);
        let time = gst::ClockTime::from_nseconds(ns);
        gst::ReferenceTimestampMeta::add(picture, &reference, time, None);
    }
}

fn at(ns: u64) -> Claim {
    CaptureTime::from_ntp_ns(ns).map_or(Claim::Unreadable, Claim::At)
}

fn times<'a>(picture: &'a gst::BufferRef, name: &'a str) -> impl Iterator<Item = u64> + 'a {
    let metas = picture.iter_meta::<gst::ReferenceTimestampMeta>();
    metas
        .filter(move |meta| {
            let caps = meta.reference();
            caps.structure(0).is_some_and(|s| s.name() == name)
        })
        .map(|meta| meta.timestamp().nseconds())
}

/// The number of RFC 6051's extension in a stream's caps.
pub(super) fn ntp_64(caps: &gst::StructureRef) -> Option<u8> {
    let field = ntp_64_field(caps)?;
    let number = field.strip_prefix(EXTMAP)?.parse().ok()?;
    (number > 0).then_some(number)
}

/// How caps begin a field of `a=extmap`.
const EXTMAP: &str = "extmap-";

fn ntp_64_field(caps: &gst::StructureRef) -> Option<String> {
    let is_ours = |value: &gst::glib::SendValue| match value.get::<&str>() {
        Ok(uri) => uri == NTP_64_URI,
        // Direction, URI, attributes.
        Err(_) => value.get::<gst::ArrayRef>().is_ok_and(|all| {
            let uri = all.get(1).and_then(|uri| uri.get::<&str>().ok());
            uri == Some(NTP_64_URI)
        }),
    };
    let mut fields = caps.iter().filter(|(name, _)| name.starts_with(EXTMAP));
    let found = fields.find(|(_, value)| is_ours(value));
    found.map(|(name, _)| name.to_string())
}

/// Sees to it that `rtspsrc` makes nothing of RFC 6051's extension.
pub(super) fn keep_to_ourselves(rtspsrc: &gst::Element) {
    let element = |args: &[gst::glib::Value]| args.get(1)?.get::<gst::Element>().ok();
    rtspsrc.connect("new-manager", false, move |args| {
        element(args)?.connect("new-jitterbuffer", false, move |args| {
            let input = element(args)?.static_pad("sink")?;
            input.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, |_, info| {
                if let Some(gst::PadProbeData::Event(event)) = &mut info.data
                    && let Some(without) = without_ntp_64(event)
                {
                    *event = without;
                }
                gst::PadProbeReturn::Ok
            });
            None
        });
        None
    });
}

/// The caps that `event` tells, without the extension; none where there is nothing to leave out.
fn without_ntp_64(event: &gst::Event) -> Option<gst::Event> {
    let gst::EventView::Caps(caps) = event.view() else {
        return None;
    };
    let mut caps = caps.caps_owned();
    let field = ntp_64_field(caps.structure(0)?)?;
    caps.make_mut().structure_mut(0)?.remove_field(field);
    Some(gst::event::Caps::new(&caps))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_found_in_every_form_of_caps_and_left_out_of_them() {
        gst::init().unwrap();
        let caps = |extmap: &str| {
            let text = format!("application/x-rtp, media=(string)video, clock-rate=90000{extmap}");
            text.parse::<gst::Caps>().unwrap()
        };
        let other = r#", extmap-2=(string)"urn:ietf:params:rtp-hdrext:ntp-56""#;
        let plain = r#", extmap-7=(string)"urn:ietf:params:rtp-hdrext:ntp-64""#;
        let long = r#", extmap-200=(string)<"sendonly", "urn:ietf:params:rtp-hdrext:ntp-64", "">"#;
        for (extmap, number) in [
            (String::new(), None),
            (other.to_owned(), None),
            (format!("{other}{plain}"), Some(7)),
            (format!("{other}{long}"), Some(200)),
        ] {
            let caps = caps(&extmap);
            let found = ntp_64(caps.structure(0).unwrap());
            assert_eq!(found, number, "{caps}");
            let without = without_ntp_64(&gst::event::Caps::new(&caps));
            assert_eq!(without.is_some(), number.is_some());
            if let Some(gst::EventView::Caps(without)) = without.as_ref().map(|e| e.view()) {
                let left = without.caps().structure(0).unwrap();
                assert_eq!(ntp_64(left), None);
                assert_eq!(
                    left.has_field("extmap-2"),
                    caps.to_string().contains("ntp-56")
                );
                assert!(left.has_field("clock-rate"));
            }
        }
    }

    #[test]
    fn nothing_but_the_time_that_was_chosen_leaves() {
        gst::init().unwrap();
        let chosen = CaptureTime(1_750_000_000_000_000_000);
        for capture in [Some(chosen), None] {
            let mut picture = gst::Buffer::new();
            let picture = picture.get_mut().unwrap();
            for name in [REPORTED, STAMPED[0], STAMPED[1], "timestamp/x-other"] {
                let reference = gst::Caps::new_empty_simple(name);
                let time = gst::ClockTime::from_seconds(3_976_300_800);
                gst::ReferenceTimestampMeta::add(picture, &reference, time, None);
            }
            leave(picture, capture);
            assert_eq!(capture_time(picture), capture);
            let left = picture.iter_meta::<gst::ReferenceTimestampMeta>().count();
            assert_eq!(left, usize::from(capture.is_some()));
        }
    }
}
