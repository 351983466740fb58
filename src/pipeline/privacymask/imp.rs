//! The sink side of `privacymask`, its pads and queries.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use gst_video::prelude::*;
use gstreamer as gst;
use gstreamer::glib;
use gstreamer::subclass::prelude::*;
use gstreamer_video as gst_video;

use super::Setup;
use super::backlog::Backlog;
use super::frame::lend;
use super::task::Sender;
use crate::clock::Mono;
use crate::event::{DropReason, Event, Reason};
use crate::hold::{Budget, Hold, Pushed, Reserve};
use crate::pipeline::rtptime::stream_ns;
use crate::pipeline::stamps;
use crate::stamp::{Captured, Chooser, Untimed};

/// A frame in the hold, with what has to go out before it.
pub(super) struct Waiting {
    pub(super) buffer: gst::Buffer,
    pub(super) form: Arc<Form>,
    pub(super) before: Vec<gst::Event>,
    /// When it came from the decoder.
    pub(super) came: Mono,
    /// The judge panicked on seeing it: whatever it says later, cover.
    pub(super) doubted: bool,
    /// Why it has no capture time, where it has none.
    pub(super) untimed: Option<Untimed>,
}

/// Negotiated caps and what they mean.
pub(super) struct Form {
    pub(super) caps: gst::Caps,
    pub(super) info: gst_video::VideoInfo,
}

/// What both sides share. Never locked while anything outside is called,
/// except the judge's `ready`.
pub(super) struct State {
    pub(super) hold: Hold<Waiting>,
    /// The form of the frames that come in now.
    pub(super) form_in: Option<Arc<Form>>,
    /// Events that came after the last frame.
    pub(super) after: Vec<gst::Event>,
    /// Events whose frame was displaced: they go out before everything else.
    pub(super) overdue: Vec<gst::Event>,
    /// Set while the src pad's task must not run.
    pub(super) stopping: bool,
    pub(super) no_frame: Reason,
    refusal: Option<String>,
    /// Why the picture of this connection lies otherwise than it says.
    turned: Option<String>,
    /// The judge could not take note of the connection that frames come from.
    connection_doubted: bool,
    backlog: Backlog,
    chooser: Chooser,
}

/// Frames that come later than this make no sense of waiting for: the
/// connection is given up, and with it what has piled up.
const BACKLOG_AT_MOST: Duration = Duration::from_secs(2);
/// At least this much of the budget is kept for planning and painting.
pub(super) const RESERVE_AT_LEAST: Duration = Duration::from_millis(10);

impl State {
    fn new(budget: Duration, capacity: usize) -> Self {
        let reserve = Reserve::new(RESERVE_AT_LEAST, budget / 2).now();
        Self {
            hold: Hold::new(
                capacity,
                Budget {
                    total: budget,
                    reserve,
                },
            ),
            form_in: None,
            after: Vec::new(),
            overdue: Vec::new(),
            stopping: true,
            no_frame: Reason::Starting,
            refusal: None,
            turned: None,
            connection_doubted: false,
            backlog: Backlog::default(),
            chooser: Chooser::default(),
        }
    }
}

/// The element's private part.
pub(in crate::pipeline) struct PrivacyMask {
    sinkpad: gst::Pad,
    pub(super) srcpad: gst::Pad,
    setup: OnceLock<Arc<Setup>>,
    state: Mutex<State>,
    pub(super) sender: Mutex<Option<Sender>>,
}

impl PrivacyMask {
    pub(super) fn configure(&self, setup: Setup) {
        *self.lock() = State::new(setup.budget, setup.capacity);
        // A second configuration is ignored, as the method says.
        let _ = self.setup.set(Arc::new(setup));
    }

    pub(super) fn setup(&self) -> Option<&Arc<Setup>> {
        self.setup.get()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn say(&self, reason: Reason) {
        self.lock().no_frame = reason;
        self.wake();
    }

    pub(super) fn take_refusal(&self) -> Option<String> {
        self.lock().refusal.take()
    }

    fn wake(&self) {
        if let Some(setup) = self.setup() {
            setup.waker.wake();
        }
    }

    fn chain(&self, buffer: gst::Buffer) -> Result<gst::FlowSuccess, gst::FlowError> {
        let setup = self.setup().ok_or(gst::FlowError::Error)?;
        let arrival = setup.clock.mono();
        let pts_ns = buffer.pts().map(gst::ClockTime::nseconds);
        // Not PTS where there is better: the jitter buffer bends it.
        let Some(stream_ns) = stream_ns(&buffer).or(pts_ns) else {
            setup.count_drop(DropReason::Unpaintable);
            return Ok(gst::FlowSuccess::Ok);
        };
        setup.meters.came(arrival);
        let timed = self.timed(setup, &buffer, stream_ns, arrival);
        let capture = timed.ok().map(|captured| captured.at);
        // Time that the frame spent waiting for the decoder counts as well.
        let waited = self.lock().backlog.waited(arrival, stream_ns);
        if waited > BACKLOG_AT_MOST {
            let late_s = waited.as_secs_f64();
            tracing::warn!(camera = %setup.camera, late_s, "frames pile up before the mask");
            return Err(gst::FlowError::Error);
        }
        let entered = Mono(
            arrival
                .0
                .saturating_sub(u64::try_from(waited.as_nanos()).unwrap_or(0)),
        );
        let form = {
            let mut state = self.lock();
            if let Some(turned) = &state.turned {
                state.refusal = Some(turned.clone());
                return Err(gst::FlowError::NotNegotiated);
            }
            state.form_in.clone()
        };
        let form = form.ok_or(gst::FlowError::NotNegotiated)?;
        let doubted = catch_unwind(AssertUnwindSafe(|| {
            setup.judge.frame_seen(timed.ok(), stream_ns, arrival);
            if let Some(capture) = capture.filter(|_| setup.judge.wants_picture()) {
                lend(&buffer, &form.info, |picture| {
                    setup.judge.picture(capture, picture);
                });
            }
        }))
        .is_err();
        let displaced = {
            let mut state = self.lock();
            if state.stopping {
                return Err(gst::FlowError::Flushing);
            }
            let before = std::mem::take(&mut state.after);
            let waiting = Waiting {
                buffer,
                form,
                before,
                came: arrival,
                doubted: doubted || state.connection_doubted,
                untimed: timed.err(),
            };
            match state.hold.push(waiting, entered, capture) {
                Pushed::Held => false,
                Pushed::Displaced(held) => {
                    state.overdue.extend(held.frame.before);
                    true
                }
            }
        };
        if displaced {
            setup.count_drop(DropReason::HoldFull);
        }
        self.wake();
        Ok(gst::FlowSuccess::Ok)
    }

    /// When the frame was taken, or why nobody knows; counted.
    fn timed(
        &self,
        setup: &Setup,
        frame: &gst::BufferRef,
        stream_ns: u64,
        arrival: Mono,
    ) -> Result<Captured, Untimed> {
        let claims = stamps::claims(frame);
        let timed = self.lock().chooser.take(&claims, stream_ns);
        if let Some(by) = setup.meters.timed(&timed, &claims, arrival) {
            setup.events.emit(Event::CaptureTimeFrom {
                camera: setup.camera.clone(),
                by,
                within_ms: timed.ok().map(|c| c.within.as_secs_f64() * 1e3),
            });
        }
        timed
    }

    fn sink_event(&self, pad: &gst::Pad, event: gst::Event) -> bool {
        use gst::EventView;
        match event.view() {
            EventView::Caps(caps) => self.take_caps(caps.caps_owned()),
            EventView::FlushStart(_) | EventView::FlushStop(_) => {
                self.drop_held();
                true
            }
            EventView::StreamStart(_) => {
                self.restarted();
                true
            }
            // The stream that leaves has its own beginning, time and end.
            EventView::Segment(_) | EventView::Gap(_) | EventView::Eos(_) => true,
            _ if event.is_serialized() => {
                let mut state = self.lock();
                if let EventView::Tag(tags) = event.view()
                    && let Some(turn) = tags.tag().get::<gst::tags::ImageOrientation>()
                {
                    state.turned = turned(turn.get());
                }
                // Bounded: nobody sends this many between two frames.
                if state.after.len() < 64 {
                    state.after.push(event);
                }
                true
            }
            _ => gst::Pad::event_default(pad, Some(&*self.obj()), event),
        }
    }

    /// A judge that panics here may mix up the clocks of two connections: all
    /// frames of the new one are doubted.
    fn restarted(&self) {
        if let Some(setup) = self.setup() {
            let told = catch_unwind(AssertUnwindSafe(|| setup.judge.stream_restarted()));
            let mut state = self.lock();
            state.connection_doubted = told.is_err();
            state.backlog = Backlog::default();
            state.chooser = Chooser::default();
            state.turned = None;
        }
    }

    fn take_caps(&self, caps: gst::Caps) -> bool {
        match read_form(caps) {
            Ok(form) => {
                let mut state = self.lock();
                state.form_in = Some(Arc::new(form));
                state.refusal = None;
                true
            }
            Err(refusal) => {
                gst::error!(CAT, imp = self, "{refusal}");
                let mut state = self.lock();
                state.form_in = None;
                state.refusal = Some(refusal);
                false
            }
        }
    }

    fn drop_held(&self) {
        let mut state = self.lock();
        let events: Vec<gst::Event> = state
            .hold
            .drain()
            .flat_map(|held| held.frame.before)
            .collect();
        state.overdue.extend(events);
    }

    fn sink_query(&self, pad: &gst::Pad, query: &mut gst::QueryRef) -> bool {
        if let gst::QueryViewMut::Allocation(allocation) = query.view_mut() {
            // Strides and offsets are respected, cropping is not; the pool is
            // the decoder's own business, for frames stay here a while.
            allocation.add_allocation_meta::<gst_video::VideoMeta>(None);
            return true;
        }
        gst::Pad::query_default(pad, Some(&*self.obj()), query)
    }

    fn src_query(&self, pad: &gst::Pad, query: &mut gst::QueryRef) -> bool {
        if let gst::QueryViewMut::Latency(latency) = query.view_mut() {
            let budget = self.setup().map_or(Duration::ZERO, |s| s.budget);
            let budget = gst::ClockTime::try_from(budget).unwrap_or(gst::ClockTime::ZERO);
            let mut upstream = gst::query::Latency::new();
            let (min, max) = if self.sinkpad.peer_query(&mut upstream) {
                let (_, min, max) = upstream.result();
                (min, max)
            } else {
                (gst::ClockTime::ZERO, None)
            };
            latency.set(true, min + budget, max.map(|max| max + budget));
            return true;
        }
        gst::Pad::query_default(pad, Some(&*self.obj()), query)
    }

    fn activate_src(&self, pad: &gst::Pad, active: bool) -> Result<(), gst::LoggableError> {
        if active {
            self.lock().stopping = false;
            self.start_task(pad)
                .map_err(|e| gst::loggable_error!(CAT, "no task: {e}"))
        } else {
            self.lock().stopping = true;
            self.wake();
            pad.stop_task()
                .map_err(|e| gst::loggable_error!(CAT, "task does not stop: {e}"))?;
            self.drop_held();
            Ok(())
        }
    }
}

/// A picture that viewers are to turn or mirror: zones would lie elsewhere on it.
pub(in crate::pipeline) fn turned(orientation: &str) -> Option<String> {
    (orientation != "rotate-0").then(|| {
        format!("the picture is to be shown turned ({orientation}): set the camera's rotation to 0")
    })
}

/// Why pictures of these caps would not be painted.
pub(in crate::pipeline) fn form_refused(caps: gst::Caps) -> Option<String> {
    read_form(caps).err()
}

/// Takes caps that we can paint, with even sides: 4:2:0 encoders take no others.
fn read_form(caps: gst::Caps) -> Result<Form, String> {
    let info = gst_video::VideoInfo::from_caps(&caps)
        .map_err(|_| format!("the decoded stream is not raw video: {caps}"))?;
    let (width, height) = (info.width(), info.height());
    let form = info.format().to_str();
    if !matches!(
        info.format(),
        gst_video::VideoFormat::I420 | gst_video::VideoFormat::Nv12
    ) {
        return Err(format!("{form} is neither I420 nor NV12"));
    }
    if width % 2 != 0 || height % 2 != 0 || width < 16 || height < 16 {
        return Err(format!(
            "{width}x{height}: both sides must be even and at least 16"
        ));
    }
    if width > 16_384 || height > 16_384 {
        return Err(format!("{width}x{height}: a side is beyond 16384"));
    }
    if info.interlace_mode() != gst_video::VideoInterlaceMode::Progressive {
        // Two fields were taken at two times; the stamp tells one.
        return Err("interlaced video: set the camera to progressive".to_owned());
    }
    if info.par() != gst::Fraction::new(1, 1) {
        let par = info.par();
        return Err(format!(
            "pixels of {}:{} are not square: set the camera to a size with square pixels",
            par.numer(),
            par.denom()
        ));
    }
    Ok(Form { caps, info })
}

pub(super) static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "privacymask",
        gst::DebugColorFlags::empty(),
        Some("greyplane's mask element"),
    )
});

#[glib::object_subclass]
impl ObjectSubclass for PrivacyMask {
    const NAME: &'static str = "GreyplanePrivacyMask";
    type Type = super::PrivacyMask;
    type ParentType = gst::Element;

    #[allow(
        clippy::expect_used,
        reason = "both templates are declared a few lines below"
    )]
    fn with_class(klass: &Self::Class) -> Self {
        let sink = klass.pad_template("sink").expect("declared below");
        let src = klass.pad_template("src").expect("declared below");
        let sinkpad = gst::Pad::builder_from_template(&sink)
            .chain_function(|_, parent, buffer| {
                Self::catch_panic_pad_function(
                    parent,
                    || Err(gst::FlowError::Error),
                    |this| this.chain(buffer),
                )
            })
            .event_function(|pad, parent, event| {
                Self::catch_panic_pad_function(parent, || false, |this| this.sink_event(pad, event))
            })
            .query_function(|pad, parent, query| {
                Self::catch_panic_pad_function(parent, || false, |this| this.sink_query(pad, query))
            })
            .build();
        let srcpad = gst::Pad::builder_from_template(&src)
            .activatemode_function(|pad, parent, _mode, active| {
                Self::catch_panic_pad_function(
                    parent,
                    || Err(gst::loggable_error!(CAT, "panic in activation")),
                    |this| this.activate_src(pad, active),
                )
            })
            // Nothing the encoder asks for upstream concerns the camera.
            .event_function(|_, _, _| true)
            .query_function(|pad, parent, query| {
                Self::catch_panic_pad_function(parent, || false, |this| this.src_query(pad, query))
            })
            .build();
        Self {
            sinkpad,
            srcpad,
            setup: OnceLock::new(),
            state: Mutex::new(State::new(Duration::ZERO, 1)),
            sender: Mutex::new(None),
        }
    }
}

impl ObjectImpl for PrivacyMask {
    fn constructed(&self) {
        self.parent_constructed();
        let element = self.obj();
        // Fail only for a pad that already has a parent.
        let _ = element.add_pad(&self.sinkpad);
        let _ = element.add_pad(&self.srcpad);
        element.set_element_flags(gst::ElementFlags::SOURCE);
    }
}

impl GstObjectImpl for PrivacyMask {}

impl ElementImpl for PrivacyMask {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Privacy mask",
                "Filter/Effect/Video",
                "Holds frames for their evidence and hides what is private",
                "greyplane",
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
            let caps = gst_video::VideoCapsBuilder::new()
                .format_list([gst_video::VideoFormat::I420, gst_video::VideoFormat::Nv12])
                .build();
            [
                ("sink", gst::PadDirection::Sink),
                ("src", gst::PadDirection::Src),
            ]
            .into_iter()
            .filter_map(|(name, direction)| {
                gst::PadTemplate::new(name, direction, gst::PadPresence::Always, &caps).ok()
            })
            .collect()
        });
        &TEMPLATES
    }
}
