//! Sender reports that say the capture time.
//!
//! A probe on each payloader remembers which running time (and so which
//! capture time) an RTP timestamp stands for; a probe on each RTCP source pad
//! rewrites the NTP field of sender reports to the capture time that belongs
//! to their RTP timestamp, in the camera's clock. This is exact to one tick of
//! the 90 kHz clock, and follows steps of the camera's clock at once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use gst::prelude::*;
use gst_server::prelude::*;
use gstreamer as gst;
use gstreamer_rtsp_server as gst_server;

use super::Stream;
use super::hdrext::{self, Extension};
use crate::sim::camera::{Camera, lock};
use crate::sim::config;

/// Of video and metadata, Hz; sound has its own.
const CLOCK_RATE: i64 = 90_000;

/// What an RTP timestamp stood for last, by stream source (SSRC).
#[derive(Debug)]
pub(super) struct Stamps {
    pub(super) camera: Arc<Camera>,
    pub(super) which: Stream,
    offset_ns: AtomicI64,
    last: Mutex<BTreeMap<u32, (u32, u64, i64)>>,
    extension: Mutex<Extension>,
}

impl Stamps {
    pub(super) fn new(camera: Arc<Camera>, which: Stream) -> Self {
        Self {
            camera,
            which,
            offset_ns: AtomicI64::new(0),
            last: Mutex::new(BTreeMap::new()),
            extension: Mutex::default(),
        }
    }

    /// Running time minus time since the camera's start.
    pub(super) fn set_offset(&self, offset_ns: i64) {
        self.offset_ns.store(offset_ns, Ordering::SeqCst);
    }

    /// Remembers a packet: the first 12 bytes of RTP, its running time, RTP's clock rate.
    fn note(&self, packet: &[u8], running_ns: u64, rate: i64) {
        let Some(header) = packet.first_chunk::<12>() else {
            return;
        };
        let timestamp = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
        let ssrc = u32::from_be_bytes([header[8], header[9], header[10], header[11]]);
        let t_ns = running_ns.saturating_add_signed(-self.offset_ns.load(Ordering::SeqCst));
        lock(&self.last).insert(ssrc, (timestamp, t_ns, rate));
    }

    /// The packet with the time stamp of its frame, captured at running time `running_ns`; as
    /// it is where it gets none.
    fn stamped(&self, packet: &gst::BufferRef, running_ns: u64) -> Option<gst::Buffer> {
        let t_ns = running_ns.saturating_add_signed(-self.offset_ns.load(Ordering::SeqCst));
        let (faults, form) = (self.camera.faults(), self.camera.config.stamps);
        if form == config::Stamps::None {
            return None;
        }
        let bytes = packet.map_readable().ok()?;
        let longer = lock(&self.extension).put(&bytes, form, &faults, self.camera.utc_at(t_ns))?;
        let mut buffer = gst::Buffer::from_mut_slice(longer);
        let kept = gst::BufferCopyFlags::FLAGS | gst::BufferCopyFlags::TIMESTAMPS;
        packet.copy_into(buffer.get_mut()?, kept, ..).ok()?;
        Some(buffer)
    }

    /// Rewrites the sender reports of a compound RTCP packet.
    fn rewrite(&self, rtcp: &mut [u8]) {
        let mut at = 0;
        while let Some(header) = rtcp.get(at..).and_then(|r| r.first_chunk::<4>()) {
            let words = usize::from(u16::from_be_bytes([header[2], header[3]]));
            let end = at + 4 * (words + 1);
            let is_report = header[0] >> 6 == 2 && header[1] == 200;
            if let Some(report) = rtcp.get_mut(at..end).filter(|_| is_report) {
                self.rewrite_report(report);
            }
            at = end;
        }
    }

    fn rewrite_report(&self, report: &mut [u8]) {
        let word = |report: &[u8], at: usize| {
            report
                .get(at..)
                .and_then(|r| r.first_chunk::<4>())
                .map(|b| u32::from_be_bytes(*b))
        };
        let (Some(ssrc), Some(timestamp)) = (word(report, 4), word(report, 16)) else {
            return;
        };
        let Some(&(known, t_ns, rate)) = lock(&self.last).get(&ssrc) else {
            return;
        };
        let ticks = i64::from(timestamp.wrapping_sub(known) as i32);
        let capture = t_ns.saturating_add_signed(ticks * 1_000_000_000 / rate);
        let ahead_s = self.which.ahead_s(&self.camera.faults());
        let told = self.camera.utc_at(capture).plus_seconds(ahead_s);
        let Some(ntp_ns) = told.to_ntp_ns() else {
            return;
        };
        let seconds = (ntp_ns / 1_000_000_000) as u32;
        let fraction = ((ntp_ns % 1_000_000_000) << 32).div_euclid(1_000_000_000) as u32;
        if let Some(field) = report.get_mut(8..16) {
            field[..4].copy_from_slice(&seconds.to_be_bytes());
            field[4..].copy_from_slice(&fraction.to_be_bytes());
        }
    }
}

/// How often sleeping sinks are looked for.
const WAKE_EVERY: std::time::Duration = std::time::Duration::from_millis(200);
/// The bandwidth of which RTCP may take its twentieth (RFC 3550, 6.2).
const SESSION_BITS_PER_S: f64 = 4e6;

/// Puts the probes on a media: on its payloaders now, on RTCP once prepared.
pub(super) fn install(
    media: &gst_server::RTSPMedia,
    stamps: &Arc<Stamps>,
    server: &gst::glib::MainContext,
) {
    let Ok(bin) = media.element().downcast::<gst::Bin>() else {
        return;
    };
    for name in ["pay0", "pay1", "pay2"] {
        if let Some(pad) = bin.by_name(name).and_then(|e| e.static_pad("src")) {
            if name == "pay0" {
                hdrext::announce(&pad, stamps.camera.config.stamps);
            }
            watch_packets(&pad, stamps, name == "pay0");
        }
    }
    report_often(&bin, stamps.camera.config.sender_report_ms);
    if let Some(pipeline) = bin.parent().and_downcast::<gst::Pipeline>() {
        wake_sleeping_sinks(&pipeline, server);
    }
    let stamps = Arc::clone(stamps);
    media.connect_prepared(move |media| {
        let pipeline = media.element().parent().and_downcast::<gst::Bin>();
        let Some(rtpbin) = pipeline.and_then(|p| {
            p.iterate_all_by_element_factory_name("rtpbin")
                .into_iter()
                .flatten()
                .next()
        }) else {
            tracing::error!("the media has no rtpbin: sender reports stay unstamped");
            return;
        };
        for pad in rtpbin.src_pads() {
            if pad.name().starts_with("send_rtcp_src") {
                rewrite_reports(&pad, &stamps);
            }
        }
    });
}

/// Takes sinks along that stayed behind when their pipeline went to PLAYING.
///
/// gst-rtsp-server 1.22 adds a connection's sinks while the state changes; on a
/// busy machine the one for RTCP may stay PAUSED for good, and no sender report
/// ever leaves. Looked for again and again, on the server's own loop, while the pipeline lives.
fn wake_sleeping_sinks(pipeline: &gst::Pipeline, server: &gst::glib::MainContext) {
    let pipeline = pipeline.downgrade();
    let wake = move || {
        let Some(pipeline) = pipeline.upgrade() else {
            return gst::glib::ControlFlow::Break;
        };
        let (_, current, pending) = pipeline.state(gst::ClockTime::ZERO);
        if [current, pending].contains(&gst::State::Playing) {
            for element in pipeline.iterate_recurse().into_iter().flatten() {
                let asleep = element.current_state() == gst::State::Paused;
                if asleep && element.element_flags().contains(gst::ElementFlags::SINK) {
                    tracing::debug!(sink = %element.name(), "woken");
                    // Its next push tells where this failed.
                    let _ = element.set_state(gst::State::Playing);
                }
            }
        }
        gst::glib::ControlFlow::Continue
    };
    gst::glib::timeout_source_new(WAKE_EVERY, None, gst::glib::Priority::DEFAULT, wake)
        .attach(Some(server));
}

/// Sets each RTP session's share of RTCP when it is made. Later is too late:
/// the bandwidth that the session measures before its first report is almost
/// none, and the next report is then due in minutes.
fn report_often(media: &gst::Bin, every_ms: u32) {
    let Some(pipeline) = media.parent().and_downcast::<gst::Bin>() else {
        tracing::error!("the media has no pipeline: sender reports come seldom");
        return;
    };
    pipeline.connect_deep_element_added(move |_, _, element| {
        if element.factory().is_some_and(|f| f.name() == "rtpsession") {
            element.set_property("rtcp-min-interval", u64::from(every_ms) * 1_000_000);
            element.set_property("bandwidth", SESSION_BITS_PER_S);
            // Time stamps in packets are ours, in the camera's clock.
            element.set_property("update-ntp64-header-ext", false);
        }
    });
}

/// Notes every packet's timestamp; stamps those of the video, and loses some where the
/// faults say so.
fn watch_packets(pad: &gst::Pad, stamps: &Arc<Stamps>, is_video: bool) {
    let stamps = Arc::clone(stamps);
    let kinds = gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST;
    pad.add_probe(kinds, move |pad, info| {
        let segment = pad
            .sticky_event::<gst::event::Segment>(0)
            .and_then(|e| e.segment().downcast_ref::<gst::ClockTime>().cloned());
        let caps = pad.current_caps();
        let rate = caps.as_ref().and_then(|caps| caps.structure(0));
        let rate = rate.and_then(|s| s.get::<i32>("clock-rate").ok());
        let rate = rate.map_or(CLOCK_RATE, i64::from).max(1);
        // The packet as it leaves; none where it is lost.
        let pass = |packet: gst::Buffer| {
            let running = packet
                .pts()
                .and_then(|pts| segment.as_ref()?.to_running_time(pts));
            let mut stamped = None;
            if let Some(running) = running {
                if let Ok(map) = packet.map_readable() {
                    stamps.note(&map, running.nseconds(), rate);
                }
                stamped = is_video.then(|| stamps.stamped(&packet, running.nseconds()));
            }
            let lost = is_video && stamps.camera.loses_packet();
            (!lost).then(|| stamped.flatten().unwrap_or(packet))
        };
        match info.data.take() {
            Some(gst::PadProbeData::Buffer(packet)) => {
                info.data = pass(packet).map(gst::PadProbeData::Buffer);
            }
            Some(gst::PadProbeData::BufferList(list)) => {
                let kept: gst::BufferList = list.iter_owned().filter_map(pass).collect();
                let some = !kept.is_empty();
                info.data = some.then_some(gst::PadProbeData::BufferList(kept));
            }
            other => info.data = other,
        }
        match info.data {
            Some(_) => gst::PadProbeReturn::Ok,
            None => gst::PadProbeReturn::Drop,
        }
    });
}

fn rewrite_reports(pad: &gst::Pad, stamps: &Arc<Stamps>) {
    let stamps = Arc::clone(stamps);
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        if let Some(gst::PadProbeData::Buffer(buffer)) = &mut info.data
            && let Ok(mut map) = buffer.make_mut().map_writable()
        {
            stamps.rewrite(&mut map);
        }
        gst::PadProbeReturn::Ok
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{CaptureTime, SimClock, WallTime};
    use crate::sim::config::SimConfig;

    #[test]
    fn a_report_says_when_its_timestamp_was_captured() {
        let wall = 1_700_000_000_000_000_000;
        let clock = Arc::new(SimClock::at(WallTime(wall)));
        let camera = Arc::new(Camera::new(SimConfig::default(), clock));
        let stamps = Stamps::new(Arc::clone(&camera), Stream::Main);
        stamps.set_offset(-500_000_000);
        let mut packet = [0u8; 20];
        packet[4..8].copy_from_slice(&0xffff_ff00u32.to_be_bytes());
        packet[8..12].copy_from_slice(&77u32.to_be_bytes());
        // Running time 1.5 s is 2 s after the camera's start.
        stamps.note(&packet, 1_500_000_000, CLOCK_RATE);
        for (step_s, later_ticks) in [(0.0, 9_000u32), (5.0, 9_000), (0.0, 0u32.wrapping_sub(90))] {
            let mut faults = camera.faults();
            faults.clock_step_s = step_s;
            camera.set_faults(&faults).unwrap();
            // A receiver report first, then the sender report.
            let mut rtcp = vec![0x80, 201, 0, 1, 0, 0, 0, 1];
            rtcp.extend([0x80, 200, 0, 6]);
            rtcp.extend(77u32.to_be_bytes());
            rtcp.extend([0u8; 8]);
            rtcp.extend(0xffff_ff00u32.wrapping_add(later_ticks).to_be_bytes());
            rtcp.extend([0u8; 8]);
            stamps.rewrite(&mut rtcp);
            let seconds = u32::from_be_bytes(*rtcp[16..].first_chunk().unwrap());
            let fraction = u32::from_be_bytes(*rtcp[20..].first_chunk().unwrap());
            let ntp_ns = u64::from(seconds) * 1_000_000_000
                + ((u128::from(fraction) * 1_000_000_000) >> 32) as u64;
            let told = CaptureTime::from_ntp_ns(ntp_ns).unwrap().0;
            let ticks = i64::from(later_ticks as i32);
            let truth =
                wall + 2_000_000_000 + ticks * 1_000_000_000 / 90_000 + (step_s * 1e9) as i64;
            assert!(
                (told - truth).abs() <= 1,
                "{step_s} {later_ticks}: {}",
                told - truth
            );
        }
    }

    #[test]
    fn broken_rtcp_is_left_alone() {
        let clock = Arc::new(SimClock::at(WallTime(0)));
        let stamps = Stamps::new(
            Arc::new(Camera::new(SimConfig::default(), clock)),
            Stream::Main,
        );
        for bytes in [
            &[][..],
            &[0x80, 200],
            &[0x80, 200, 0xff, 0xff, 1, 2],
            &[0x80, 200, 0, 0],
        ] {
            let mut rtcp = bytes.to_vec();
            stamps.rewrite(&mut rtcp);
            assert_eq!(rtcp, bytes);
        }
    }
}
