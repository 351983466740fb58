//! A sending RTSP pipeline that tells when the camera took each picture, and heard each
//! sound: in its sender reports, in place of the time of sending. Where RTP is sent to viewers and
//! where it is sent to a server, alike.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use gst::prelude::*;
use gstreamer as gst;

use super::reports::{Anchor, Report, tell_capture_time};
use crate::clock::CaptureTime;

/// The bandwidth of which RTCP may take its twentieth (RFC 3550, 6.2).
const SESSION_BITS_PER_S: f64 = 4e6;
/// Reports go out at least this far apart; the capture time is known to a new
/// viewer after about as long.
const REPORT_EVERY_NS: u64 = 1_000_000_000;
/// RTP's clock rate for H.264 (RFC 6184, section 8.2.1).
const VIDEO_HZ: u32 = 90_000;
/// Frames between the queue and the packetiser whose capture time is remembered.
const REMEMBERED: usize = 128;

/// Makes what `pipeline` will report tell capture times: to be called before it has
/// an RTP session. `packets` is the packetiser's way out; each unit has to be
/// [remembered](Times::remember) before it reaches that.
pub(super) fn tell(pipeline: &gst::Pipeline, packets: &gst::Pad) -> Arc<Times> {
    let [times] = tell_all(pipeline, [packets]);
    times
}

/// The same for tracks of which each has an RTP session, in this order.
pub(super) fn tell_all<const N: usize>(
    pipeline: &gst::Pipeline,
    packets: [&gst::Pad; N],
) -> [Arc<Times>; N] {
    let all = packets.map(|packets| {
        let times = Arc::new(Times::default());
        follow(packets, &times);
        times
    });
    report_often(pipeline);
    rewrite_reports(pipeline, &all);
    all
}

/// Which capture time belongs to which RTP timestamp.
#[derive(Default)]
pub(super) struct Times(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// Frames on their way to the packetiser.
    under_way: VecDeque<(gst::ClockTime, Option<CaptureTime>)>,
    anchor: Option<Anchor>,
}

impl Times {
    /// `unit`, taken at `capture`, is on its way to the packetiser.
    pub(super) fn remember(&self, unit: &gst::Buffer, capture: Option<CaptureTime>) {
        let Some(pts) = unit.pts() else {
            return;
        };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.under_way.len() == REMEMBERED {
            known.under_way.pop_front();
        }
        known.under_way.push_back((pts, capture));
    }

    /// A packet with timestamp `rtp` of the unit stamped `pts` was made; `rate_hz` is asked
    /// for RTP's clock rate.
    fn packet(&self, pts: Option<gst::ClockTime>, rtp: u32, rate_hz: impl Fn() -> u32) {
        let Some(pts) = pts else { return };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while known.under_way.front().is_some_and(|(at, _)| *at < pts) {
            known.under_way.pop_front();
        }
        if let Some((at, capture)) = known.under_way.front().copied()
            && at == pts
        {
            known.under_way.pop_front();
            known.anchor = Anchor::after(known.anchor, rtp, capture, rate_hz());
        }
    }

    fn anchor(&self) -> Option<Anchor> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).anchor
    }
}

/// Learns from the packets which RTP timestamp each frame got.
fn follow(pad: &gst::Pad, times: &Arc<Times>) {
    let times = times.clone();
    pad.add_probe(
        gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST,
        move |pad, info| {
            let first = match &info.data {
                Some(gst::PadProbeData::Buffer(buffer)) => Some(buffer.as_ref()),
                Some(gst::PadProbeData::BufferList(list)) => list.get(0),
                _ => None,
            };
            if let Some(first) = first {
                let mut header = [0; 8];
                if first.copy_to_slice(0, &mut header).is_ok() {
                    let rtp = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
                    times.packet(first.pts(), rtp, || rate_hz(pad));
                }
            }
            gst::PadProbeReturn::Ok
        },
    );
}

/// RTP's clock rate of what leaves `pad`; that of video where it does not tell.
fn rate_hz(pad: &gst::Pad) -> u32 {
    let caps = pad.current_caps();
    let told = caps.as_ref().and_then(|caps| caps.structure(0));
    let rate = told.and_then(|s| s.get::<i32>("clock-rate").ok());
    rate.and_then(|rate| u32::try_from(rate).ok())
        .unwrap_or(VIDEO_HZ)
}

/// Sets the RTP session's share of RTCP when it is made. Later is too late: the
/// bandwidth that the session measures before its first report is almost none,
/// and the next report is then due in minutes.
fn report_often(pipeline: &gst::Pipeline) {
    pipeline.connect_deep_element_added(|_, _, element| {
        if element.factory().is_some_and(|f| f.name() == "rtpsession") {
            element.set_property("rtcp-min-interval", REPORT_EVERY_NS);
            element.set_property("bandwidth", SESSION_BITS_PER_S);
        }
    });
}

/// Rewrites what the RTP sessions of `pipeline` report. One of which nothing is known reports
/// nothing.
fn rewrite_reports(pipeline: &gst::Pipeline, tracks: &[Arc<Times>]) {
    let tracks = tracks.to_vec();
    pipeline.connect_deep_element_added(move |_, _, element| {
        if element.factory().is_none_or(|f| f.name() != "rtpbin") {
            return;
        }
        let tracks = tracks.clone();
        element.connect_pad_added(move |_, pad| {
            let name = pad.name();
            let Some(session) = name.strip_prefix("send_rtcp_src_") else {
                return;
            };
            let times = match (&tracks[..], session.parse::<usize>()) {
                ([only], _) => Some(only.clone()),
                (all, Ok(session)) => all.get(session).cloned(),
                (_, Err(_)) => None,
            };
            pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
                let Some(buffer) = info.buffer_mut() else {
                    return gst::PadProbeReturn::Drop;
                };
                let Ok(mut packet) = buffer.make_mut().map_writable() else {
                    return gst::PadProbeReturn::Drop;
                };
                match tell_capture_time(
                    &mut packet,
                    times.as_ref().and_then(|times| times.anchor()),
                ) {
                    Report::True => gst::PadProbeReturn::Ok,
                    Report::Unknown => gst::PadProbeReturn::Drop,
                }
            });
        });
    });
}
