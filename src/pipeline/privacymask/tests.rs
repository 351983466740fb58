//! The element between an appsrc and an appsink, under a clock that is ours.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gst_video::prelude::*;
use gstreamer as gst;
use gstreamer_app as gst_app;
use gstreamer_video as gst_video;

use super::*;
use crate::clock::{CaptureTime, Mono, SimClock, WallTime};
use crate::event::{CameraState, Event};
use crate::frame::FrameRef;
use crate::geom::PixelPoint;
use crate::pipeline::stamps::capture_time;
use crate::plan::{Hide, MarginLimits, Plan, PlanInput, RegionSource};
use crate::pose::PoseEstimate;
use crate::stamp::Captured;
use crate::still::{NoStill, Slot, StillPlan};
use crate::zone::{CannotPlace, GrownPoint, Mode, Region};

mod still;

const WAIT: gst::ClockTime = gst::ClockTime::from_seconds(20);
/// The luma of every frame that is pushed in: grey frames of the element's own
/// have 128 almost everywhere.
const BRIGHT: u8 = 200;

/// Answers with closures, remembers what it was asked.
struct Judge {
    ready: AtomicBool,
    seen: Mutex<Vec<Option<CaptureTime>>>,
    plan: Box<dyn Fn(Size) -> Plan + Send + Sync>,
    panic_in: &'static str,
    slot: Slot,
}

impl FrameJudge for Judge {
    fn stream_restarted(&self) {
        assert_ne!(self.panic_in, "stream_restarted");
    }
    fn frame_seen(&self, captured: Option<Captured>, _: u64, _: Mono) {
        let capture = captured.map(|captured| captured.at);
        self.seen.lock().unwrap().push(capture);
        assert_ne!(self.panic_in, "frame_seen");
    }
    fn ready(&self, _: Option<CaptureTime>) -> bool {
        assert_ne!(self.panic_in, "ready");
        self.ready.load(Ordering::SeqCst)
    }
    fn plan(&self, _: Option<CaptureTime>, size: Size, _: Option<&FrameRef<'_>>, _: Mono) -> Plan {
        assert_ne!(self.panic_in, "plan");
        (self.plan)(size)
    }
    fn still(
        &self,
        _: Option<CaptureTime>,
        size: Size,
        _: Mono,
    ) -> Option<(&Slot, Result<StillPlan, Reason>)> {
        self.slot.is_wanted().then(|| {
            assert_ne!(self.panic_in, "still");
            (&self.slot, still::plan(size))
        })
    }
}

/// Hides the left half.
fn left_half(size: Size) -> Plan {
    let (w, h) = (f64::from(size.width), f64::from(size.height));
    let outline = [(0.0, 0.0), (w / 2.0, 0.0), (w / 2.0, h), (0.0, h)]
        .map(|(x, y)| GrownPoint {
            at: PixelPoint { x, y },
            margin_px: 0.0,
        })
        .to_vec();
    Plan {
        size,
        hide: Hide::Regions {
            regions: vec![Region {
                zone: Some(0),
                mode: Mode::Hide,
                outline,
            }],
            show_only: false,
        },
        state: CameraState::Live,
        mosaic: false,
    }
}

#[derive(Default)]
struct Log(Mutex<Vec<Event>>);

impl EventSink for Log {
    fn emit(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

struct Rig {
    pipeline: gst::Pipeline,
    source: gst_app::AppSrc,
    sink: gst_app::AppSink,
    mask: PrivacyMask,
    judge: Arc<Judge>,
    clock: Arc<SimClock>,
    meters: Arc<Meters>,
    waker: Waker,
}

struct Case {
    budget: Duration,
    ready: bool,
    panic_in: &'static str,
    plan: Box<dyn Fn(Size) -> Plan + Send + Sync>,
}

impl Default for Case {
    fn default() -> Self {
        Self {
            budget: Duration::from_millis(250),
            ready: true,
            panic_in: "",
            plan: Box::new(left_half),
        }
    }
}

impl Rig {
    fn new(case: Case) -> Self {
        gst::init().unwrap();
        let judge = Arc::new(Judge {
            ready: AtomicBool::new(case.ready),
            seen: Mutex::default(),
            plan: case.plan,
            panic_in: case.panic_in,
            slot: Slot::default(),
        });
        let clock = Arc::new(SimClock::at(WallTime(0)));
        let meters = Arc::new(Meters::new());
        let waker = Waker::default();
        let mask = PrivacyMask::new();
        mask.configure(Setup {
            camera: "cam".into(),
            budget: case.budget,
            capacity: 4,
            idle_size: Size {
                width: 64,
                height: 48,
            },
            judge: judge.clone(),
            waker: waker.clone(),
            events: Arc::new(Log::default()),
            clock: clock.clone(),
            meters: meters.clone(),
        });
        let pipeline = gst::Pipeline::new();
        let source = gst_app::AppSrc::builder()
            .format(gst::Format::Time)
            .is_live(true)
            .build();
        let sink = gst_app::AppSink::builder()
            .sync(false)
            .async_(false)
            .build();
        pipeline.add(&source).unwrap();
        pipeline.add(&mask).unwrap();
        pipeline.add(&sink).unwrap();
        source.link(&mask).unwrap();
        mask.link(&sink).unwrap();
        pipeline.set_state(gst::State::Playing).unwrap();
        let rig = Self {
            pipeline,
            source,
            sink,
            mask,
            judge,
            clock,
            meters,
            waker,
        };
        // The first thing that leaves is a grey frame; after it, under a clock
        // that stands still, none does until a test moves the clock.
        let first = rig.pull();
        assert!(first.is_hidden(), "nothing but grey before the first frame");
        rig.counted(1);
        rig
    }

    fn push(&self, mut buffer: gst::Buffer, caps: &gst::Caps) {
        // In time: the stamp follows the clock. A shared buffer keeps its own.
        if let Some(buffer) = buffer.get_mut() {
            buffer.set_pts(gst::ClockTime::from_nseconds(self.clock.mono().0));
        }
        if self.source.caps().as_ref() != Some(caps) {
            self.source.set_caps(Some(caps));
        }
        self.source.push_buffer(buffer).unwrap();
    }

    fn pull(&self) -> Out {
        Out(self.sink.try_pull_sample(WAIT).expect("a frame leaves"))
    }

    /// Waits until `n` frames have reached the element.
    fn arrived(&self, n: u64) {
        for _ in 0..2000 {
            if self.meters.read(Mono(0), 0).frames_in >= n {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("{n} frames never arrived");
    }

    /// Waits until `n` frames that left were counted: a frame is counted once
    /// the encoder has taken it.
    fn counted(&self, n: u64) {
        for _ in 0..2000 {
            if self.meters.read(Mono(0), 0).frames_out >= n {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("{n} frames were never counted");
    }

    fn release(&self) {
        self.judge.ready.store(true, Ordering::SeqCst);
        self.waker.wake();
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.pipeline.set_state(gst::State::Null).unwrap();
    }
}

struct Out(gst::Sample);

impl Out {
    fn info(&self) -> gst_video::VideoInfo {
        gst_video::VideoInfo::from_caps(self.0.caps().unwrap()).unwrap()
    }

    /// Luma at 1/8 and at 7/8 of the width, near the bottom.
    fn left_right(&self) -> (u8, u8) {
        let info = self.info();
        let frame =
            gst_video::VideoFrame::from_buffer_readable(self.0.buffer_owned().unwrap(), &info)
                .unwrap();
        let (w, y) = (info.width() as usize, info.height() as usize - 2);
        let stride = frame.plane_stride()[0] as usize;
        let luma = frame.plane_data(0).unwrap();
        (luma[y * stride + w / 8], luma[y * stride + w * 7 / 8])
    }

    fn is_hidden(&self) -> bool {
        self.left_right() == (128, 128)
    }

    fn is_half_hidden(&self) -> bool {
        self.left_right() == (128, BRIGHT)
    }
}

fn caps(format: gst_video::VideoFormat, width: u32, height: u32) -> gst::Caps {
    gst_video::VideoCapsBuilder::new()
        .format(format)
        .width(width as i32)
        .height(height as i32)
        .framerate(gst::Fraction::new(25, 1))
        .build()
}

fn i420(width: u32, height: u32) -> gst::Caps {
    caps(gst_video::VideoFormat::I420, width, height)
}

/// A bright frame of `caps`.
fn bright(caps: &gst::Caps) -> gst::Buffer {
    let info = gst_video::VideoInfo::from_caps(caps).unwrap();
    let mut buffer = gst::Buffer::from_mut_slice(vec![BRIGHT; info.size()]);
    buffer
        .get_mut()
        .unwrap()
        .set_pts(gst::ClockTime::from_seconds(3600));
    buffer
}

#[test]
fn memory_that_others_hold_is_not_painted() {
    let rig = Rig::new(Case::default());
    let caps = i420(64, 48);
    type Share = fn(&gst::Buffer) -> gst::Buffer;
    let shares: [(&str, Share); 2] = [
        ("the buffer itself", |b| b.clone()),
        // As a decoder does: another buffer around the same memory.
        ("its memory", |b| b.copy()),
    ];
    for (what, share) in shares {
        let kept = bright(&caps);
        rig.push(share(&kept), &caps);
        assert!(rig.pull().is_half_hidden(), "{what}");
        let map = kept.map_readable().unwrap();
        assert!(map.iter().all(|byte| *byte == BRIGHT), "{what} was painted");
    }
}

#[test]
fn memory_of_our_own_is_painted_in_place() {
    let rig = Rig::new(Case::default());
    let caps = i420(64, 48);
    let buffer = bright(&caps);
    let at = buffer.peek_memory(0).as_ptr();
    rig.push(buffer, &caps);
    let out = rig.pull();
    assert!(out.is_half_hidden());
    assert_eq!(out.0.buffer().unwrap().peek_memory(0).as_ptr(), at);
}

#[test]
fn strides_and_offsets_are_those_of_the_meta() {
    let rig = Rig::new(Case::default());
    for (format, planes) in [
        (gst_video::VideoFormat::I420, 3usize),
        (gst_video::VideoFormat::Nv12, 2),
    ] {
        let caps = caps(format, 64, 48);
        for shared in [false, true] {
            let (offsets, strides) = (
                [100, 100 + 160 * 50, 100 + 160 * 100, 0],
                [160, 160, 160, 0],
            );
            let mut buffer = gst::Buffer::from_mut_slice(vec![BRIGHT; 100 + 160 * 150]);
            buffer
                .get_mut()
                .unwrap()
                .set_pts(gst::ClockTime::from_seconds(3600));
            gst_video::VideoMeta::add_full(
                buffer.get_mut().unwrap(),
                gst_video::VideoFrameFlags::empty(),
                format,
                64,
                48,
                &offsets[..planes],
                &strides[..planes],
            )
            .unwrap();
            let kept = shared.then(|| buffer.clone());
            rig.push(buffer, &caps);
            assert!(rig.pull().is_half_hidden(), "{format:?}, shared: {shared}");
            drop(kept);
        }
    }
}

#[test]
fn a_judge_that_panics_or_errs_covers_the_frame() {
    std::panic::set_hook(Box::new(|_| {}));
    let of = |panic_in| Case {
        panic_in,
        ..Case::default()
    };
    let other_size = Case {
        plan: Box::new(|_| {
            left_half(Size {
                width: 32,
                height: 32,
            })
        }),
        ..Case::default()
    };
    for (what, case) in [
        ("plan", of("plan")),
        ("ready", of("ready")),
        ("stream_restarted", of("stream_restarted")),
        ("frame_seen", of("frame_seen")),
        ("other size", other_size),
    ] {
        let rig = Rig::new(case);
        let caps = i420(64, 48);
        for _ in 0..3 {
            rig.push(bright(&caps), &caps);
            assert!(rig.pull().is_hidden(), "{what}");
        }
    }
}

#[test]
fn forms_that_are_not_painted_are_refused_with_a_reason() {
    for (format, width, height, why) in [
        (gst_video::VideoFormat::I420, 65, 48, "65x48"),
        (gst_video::VideoFormat::Nv12, 64, 47, "64x47"),
        (gst_video::VideoFormat::I420, 8, 8, "8x8"),
        (gst_video::VideoFormat::I420, 16_386, 16, "16386x16"),
        (gst_video::VideoFormat::Rgb, 64, 48, "RGB"),
        (gst_video::VideoFormat::Y42b, 64, 48, "Y42B"),
    ] {
        let rig = Rig::new(Case::default());
        let sink = rig.mask.static_pad("sink").unwrap();
        rig.source.unlink(&rig.mask);
        sink.send_event(gst::event::StreamStart::new("x"));
        let taken = sink.send_event(gst::event::Caps::new(&caps(format, width, height)));
        assert!(!taken, "{why}");
        let segment = gst::FormattedSegment::<gst::ClockTime>::new();
        sink.send_event(gst::event::Segment::new(&segment));
        let mut frame = gst::Buffer::from_mut_slice(vec![BRIGHT; 64 * 48 * 3]);
        frame.get_mut().unwrap().set_pts(gst::ClockTime::ZERO);
        assert_eq!(
            sink.chain(frame),
            Err(gst::FlowError::NotNegotiated),
            "{why}"
        );
        // The pad's template may already have refused it, wordlessly.
        if let Some(said) = rig.mask.take_refusal() {
            assert!(said.contains(why), "{said}");
        }
        assert_eq!(rig.meters.read(Mono(0), 0).frames_out, 1);
    }
}

#[test]
fn caps_and_events_keep_their_place_among_the_frames() {
    let rig = Rig::new(Case {
        ready: false,
        ..Case::default()
    });
    let order = Arc::new(Mutex::new(Vec::new()));
    let told = order.clone();
    rig.sink.static_pad("sink").unwrap().add_probe(
        gst::PadProbeType::BUFFER | gst::PadProbeType::EVENT_DOWNSTREAM,
        move |_, info| {
            let what = match &info.data {
                Some(gst::PadProbeData::Buffer(_)) => "frame".to_owned(),
                Some(gst::PadProbeData::Event(event)) => match event.view() {
                    gst::EventView::Caps(c) => {
                        let caps = c.caps().structure(0).unwrap();
                        format!("caps {}", caps.get::<i32>("width").unwrap())
                    }
                    gst::EventView::CustomDownstream(c) => {
                        c.structure().unwrap().name().to_string()
                    }
                    other => format!("{other:?}"),
                },
                _ => return gst::PadProbeReturn::Ok,
            };
            told.lock().unwrap().push(what);
            gst::PadProbeReturn::Ok
        },
    );
    let custom =
        |name: &str| gst::event::CustomDownstream::builder(gst::Structure::new_empty(name)).build();
    let (small, large) = (i420(64, 48), i420(128, 96));
    rig.push(bright(&small), &small);
    rig.arrived(1);
    rig.source.send_event(custom("between"));
    rig.push(bright(&small), &small);
    rig.push(bright(&large), &large);
    rig.arrived(3);
    rig.release();
    let sizes: Vec<u32> = (0..3).map(|_| rig.pull().info().width()).collect();
    assert_eq!(sizes, [64, 64, 128]);
    let order: Vec<String> = order.lock().unwrap().clone();
    assert_eq!(
        order,
        ["caps 64", "frame", "between", "frame", "caps 128", "frame"]
    );
}

#[test]
fn pictures_of_two_times_or_oblong_pixels_are_refused() {
    let oblong = gst::Fraction::new(4, 3).to_send_value();
    for (field, value, why) in [
        (
            "interlace-mode",
            "interleaved".to_send_value(),
            "interlaced",
        ),
        ("pixel-aspect-ratio", oblong, "4:3"),
    ] {
        let rig = Rig::new(Case::default());
        let sink = rig.mask.static_pad("sink").unwrap();
        rig.source.unlink(&rig.mask);
        let mut caps = i420(64, 48);
        caps.get_mut().unwrap().set_value(field, value);
        sink.send_event(gst::event::StreamStart::new("x"));
        assert!(!sink.send_event(gst::event::Caps::new(&caps)), "{why}");
        assert!(rig.mask.take_refusal().unwrap().contains(why));
    }
}

#[test]
fn a_picture_that_is_to_be_shown_turned_is_refused_until_the_next_connection() {
    let rig = Rig::new(Case::default());
    let sink = rig.mask.static_pad("sink").unwrap();
    rig.source.unlink(&rig.mask);
    let segment = gst::FormattedSegment::<gst::ClockTime>::new();
    let chain = || {
        let mut frame = gst::Buffer::from_mut_slice(vec![BRIGHT; 64 * 48 * 3 / 2]);
        frame.get_mut().unwrap().set_pts(gst::ClockTime::ZERO);
        sink.chain(frame)
    };
    for (orientation, refused) in [
        (None, false),
        (Some("rotate-90"), true),
        (None, false),
        (Some("rotate-0"), false),
        (Some("flip-rotate-0"), true),
    ] {
        sink.send_event(gst::event::StreamStart::new("x"));
        sink.send_event(gst::event::Caps::new(&i420(64, 48)));
        sink.send_event(gst::event::Segment::new(&segment));
        if let Some(orientation) = orientation {
            let mut tags = gst::TagList::new();
            tags.get_mut()
                .unwrap()
                .add::<gst::tags::ImageOrientation>(&orientation, gst::TagMergeMode::Replace);
            sink.send_event(gst::event::Tag::new(tags));
        }
        assert_eq!(
            chain().err(),
            refused.then_some(gst::FlowError::NotNegotiated)
        );
        let said = rig.mask.take_refusal();
        assert_eq!(
            said.is_some_and(|said| said.contains(orientation.unwrap())),
            refused
        );
    }
}

#[test]
fn stamps_of_two_pictures_on_one_frame_are_no_capture_time() {
    gst::init().unwrap();
    let ntp = gst::Caps::builder("timestamp/x-ntp").build();
    for (stamps_ms, known) in [(vec![5_000, 5_000], true), (vec![5_000, 5_040], false)] {
        let mut buffer = gst::Buffer::new();
        for ms in &stamps_ms {
            let stamp = gst::ClockTime::from_mseconds(*ms);
            let buffer = buffer.get_mut().unwrap();
            gst::ReferenceTimestampMeta::add(buffer, &ntp, stamp, None);
        }
        let found = capture_time(&buffer);
        assert_eq!(found.is_some(), known, "{stamps_ms:?}");
    }
}

#[test]
fn a_frame_past_its_budget_never_leaves() {
    let rig = Rig::new(Case {
        ready: false,
        ..Case::default()
    });
    let caps = i420(64, 48);
    rig.push(bright(&caps), &caps);
    rig.arrived(1);
    rig.clock.advance(Duration::from_millis(251));
    rig.waker.wake();
    // Then the element fills the gap with grey.
    assert!(rig.pull().is_hidden());
    rig.counted(2);
    let stats = rig.meters.read(Mono(0), 0);
    assert_eq!((stats.dropped["late"], stats.late), (1, 0));
}

#[test]
fn a_frame_without_evidence_leaves_at_its_deadline() {
    let rig = Rig::new(Case {
        ready: false,
        ..Case::default()
    });
    let caps = i420(64, 48);
    rig.push(bright(&caps), &caps);
    rig.arrived(1);
    // Of the budget of 250 ms at least ten are kept for painting.
    rig.clock.advance(Duration::from_millis(245));
    rig.waker.wake();
    assert!(rig.pull().is_half_hidden());
}

#[test]
fn a_full_hold_drops_the_oldest() {
    let rig = Rig::new(Case {
        ready: false,
        ..Case::default()
    });
    let caps = i420(64, 48);
    for _ in 0..6 {
        rig.push(bright(&caps), &caps);
    }
    rig.arrived(6);
    rig.release();
    for _ in 0..4 {
        assert!(rig.pull().is_half_hidden());
    }
    assert_eq!(
        rig.meters.read(Mono(0), 0).dropped.get("hold-full"),
        Some(&2)
    );
}

#[test]
fn the_capture_time_reaches_the_judge_and_stays_on_the_frame() {
    let rig = Rig::new(Case::default());
    let caps = i420(64, 48);
    let taken = CaptureTime(1_750_000_000_000_000_000);
    for shared in [false, true] {
        let mut buffer = bright(&caps);
        gst::ReferenceTimestampMeta::add(
            buffer.get_mut().unwrap(),
            &gst::Caps::new_empty_simple("timestamp/x-ntp"),
            gst::ClockTime::from_nseconds(taken.to_ntp_ns().unwrap()),
            gst::ClockTime::NONE,
        );
        let kept = shared.then(|| buffer.clone());
        rig.push(buffer, &caps);
        let out = rig.pull();
        assert_eq!(capture_time(out.0.buffer().unwrap()), Some(taken));
        drop(kept);
    }
    assert_eq!(*rig.judge.seen.lock().unwrap(), [Some(taken), Some(taken)]);
}

#[test]
fn latency_is_upstreams_plus_the_budget() {
    let rig = Rig::new(Case::default());
    rig.source.set_latency(
        gst::ClockTime::from_mseconds(40),
        gst::ClockTime::from_mseconds(60),
    );
    let mut query = gst::query::Latency::new();
    assert!(rig.mask.static_pad("src").unwrap().query(&mut query));
    assert_eq!(
        query.result(),
        (
            true,
            gst::ClockTime::from_mseconds(290),
            Some(gst::ClockTime::from_mseconds(310))
        )
    );
}

#[test]
fn it_stops_while_it_waits_and_while_downstream_blocks() {
    let waiting = Rig::new(Case {
        ready: false,
        budget: Duration::from_secs(3600),
        ..Case::default()
    });
    let caps = i420(64, 48);
    waiting.push(bright(&caps), &caps);
    waiting.arrived(1);
    drop(waiting);

    let blocked = Rig::new(Case::default());
    blocked.sink.set_max_buffers(1);
    for _ in 0..4 {
        blocked.push(bright(&caps), &caps);
    }
    blocked.arrived(4);
    drop(blocked);
}

#[test]
fn the_end_and_a_flush_of_the_input_end_nothing() {
    let rig = Rig::new(Case {
        ready: false,
        ..Case::default()
    });
    let caps = i420(64, 48);
    rig.push(bright(&caps), &caps);
    rig.arrived(1);
    let sink = rig.mask.static_pad("sink").unwrap();
    sink.send_event(gst::event::FlushStart::new());
    sink.send_event(gst::event::FlushStop::new(false));
    rig.release();
    rig.source.end_of_stream().unwrap();
    rig.clock.advance(Duration::from_secs(1));
    rig.waker.wake();
    assert!(rig.pull().is_hidden(), "the flushed frame is gone");
    assert!(!rig.sink.is_eos());
}
