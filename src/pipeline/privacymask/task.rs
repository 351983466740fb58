//! The src side of `privacymask`: wait, judge, paint, push.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use gst_video::prelude::*;
use gstreamer as gst;
use gstreamer::subclass::prelude::*;
use gstreamer_video as gst_video;

use super::Setup;
use super::frame::{Copies, GstFrame};
use super::imp::{CAT, Form, PrivacyMask, RESERVE_AT_LEAST, Waiting};
use super::timeline::Timeline;
use crate::clock::{CaptureTime, Mono};
use crate::event::{CameraState, DropReason, Event, FrameTimes, Reason};
use crate::hold::{Budget, Held, Polled, Reserve, Why};
use crate::paint::{MaskedFrame, paint};
use crate::pipeline::stamps;
use crate::pipeline::stats::Left;
use crate::plan::{Hide, Plan};
use crate::stamp::Untimed;

/// A grey frame leaves when nothing else did for this long: five a second.
const GREY_EVERY: Duration = Duration::from_millis(200);
/// The camera is called silent when nothing left for this long, and not before:
/// an ordinary stream at 2 frames a second is no outage.
const SILENT_AFTER: Duration = Duration::from_millis(700);
/// Pause after a push that failed, so that a broken encoder does not burn a core.
const AFTER_FAILURE: Duration = Duration::from_millis(200);

/// After this many refusals in a row the part after the mask is built anew.
const REFUSALS_AT_MOST: u32 = 10;

/// An alarm that goes on is raised this often.
const ALARM_EVERY: Duration = Duration::from_secs(1);

/// One frame is measured part by part this often.
const MEASURE_EVERY: Duration = Duration::from_secs(1);

/// What the task keeps between two frames.
pub(super) struct Sender {
    setup: Arc<Setup>,
    copies: Copies,
    timeline: Timeline,
    reserve: Reserve,
    /// GStreamer's clock minus ours, nanoseconds: both are monotonic.
    to_output_ns: i128,
    /// The form on the src pad.
    form_out: Option<Arc<Form>>,
    /// When something last left.
    last_left: Option<Mono>,
    /// Whether what last left was a grey frame.
    grey: bool,
    /// When the last alarm was raised.
    alarmed: Option<Mono>,
    /// When a frame was last measured part by part.
    measured: Option<Mono>,
    /// Frames in a row that downstream refused.
    refusals: u32,
}

impl Setup {
    pub(super) fn count_drop(&self, why: DropReason) {
        if let Some(count) = self.meters.dropped(why, self.clock.mono()) {
            self.events.emit(Event::FramesDropped {
                camera: self.camera.clone(),
                why,
                count,
            });
        }
    }
}

impl PrivacyMask {
    pub(super) fn start_task(&self, pad: &gst::Pad) -> Result<(), gst::glib::BoolError> {
        let Some(setup) = self.setup().cloned() else {
            return Err(gst::glib::bool_error!("privacymask was never configured"));
        };
        let to_output_ns = i128::from(gst::SystemClock::obtain().time().nseconds())
            - i128::from(setup.clock.mono().0);
        *self.sender.lock().unwrap_or_else(PoisonError::into_inner) = Some(Sender {
            reserve: Reserve::new(RESERVE_AT_LEAST, setup.budget / 2),
            setup,
            copies: Copies::default(),
            timeline: Timeline::default(),
            to_output_ns,
            form_out: None,
            last_left: None,
            grey: true,
            alarmed: None,
            measured: None,
            refusals: 0,
        });
        let weak = self.obj().downgrade();
        pad.start_task(move || {
            if let Some(element) = weak.upgrade() {
                element.imp().step();
            }
        })
    }

    /// One turn of the task: at most one frame.
    fn step(&self) {
        let mut sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(sender) = sender.as_mut() else {
            return;
        };
        let seen = sender.setup.waker.seen();
        let now = sender.setup.clock.mono();
        let outcome = match self.next(sender, now) {
            Next::Stop => {
                // Fails only for a pad without a task.
                let _ = self.srcpad.pause_task();
                return;
            }
            Next::Wait(at_most) => {
                sender.setup.waker.wait(seen, at_most);
                return;
            }
            Next::Events(events) => {
                self.send_events(events);
                return;
            }
            Next::Late(events) => {
                sender.setup.count_drop(DropReason::Late);
                self.send_events(events);
                return;
            }
            Next::Frame(held, why, push_by) => self.send_frame(sender, held, why, (now, push_by)),
            Next::Grey(reason) => self.send_grey(sender, reason),
        };
        let budget = Budget {
            total: sender.setup.budget,
            reserve: sender.reserve.now(),
        };
        self.lock().hold.set_budget(budget);
        match outcome {
            Ok(_) => sender.refusals = 0,
            Err(gst::FlowError::Flushing | gst::FlowError::Eos) => {
                let _ = self.srcpad.pause_task();
            }
            Err(error) => {
                gst::error!(CAT, imp = self, "downstream refused a frame: {error:?}");
                // Negotiate anew with the next frame.
                sender.form_out = None;
                sender.refusals += 1;
                if sender.refusals == REFUSALS_AT_MOST {
                    sender.refusals = 0;
                    gst::element_imp_error!(self, gst::StreamError::Encode, ["{error:?}"]);
                }
                let seen = sender.setup.waker.seen();
                sender.setup.waker.wait(seen, AFTER_FAILURE);
            }
        }
    }

    /// Decides what to do, holding the state's lock only here.
    fn next(&self, sender: &Sender, now: Mono) -> Next {
        let mut state = self.lock();
        if state.stopping {
            return Next::Stop;
        }
        if !state.overdue.is_empty() {
            return Next::Events(std::mem::take(&mut state.overdue));
        }
        let judge = &sender.setup.judge;
        // A judge that panics will not answer better later: release, and cover.
        let mut panicked = false;
        let polled = state.hold.poll(now, |capture| {
            catch_unwind(AssertUnwindSafe(|| judge.ready(capture))).unwrap_or_else(|_| {
                panicked = true;
                true
            })
        });
        let until_grey = sender.until_grey(now);
        match polled {
            Polled::Release {
                mut held,
                why,
                push_by,
            } => {
                held.frame.doubted |= panicked;
                Next::Frame(held, why, push_by)
            }
            Polled::Late(held) => Next::Late(held.frame.before),
            Polled::WaitUntil(_) | Polled::Empty if until_grey.is_zero() => {
                Next::Grey(state.no_frame.clone())
            }
            Polled::WaitUntil(until) => Next::Wait(until.since(now).min(until_grey)),
            Polled::Empty if !state.after.is_empty() => {
                Next::Events(std::mem::take(&mut state.after))
            }
            Polled::Empty => Next::Wait(until_grey),
        }
    }

    fn send_events(&self, events: Vec<gst::Event>) {
        for event in events {
            // Before the first caps there is no stream to put events into.
            if self.srcpad.has_current_caps() && !self.srcpad.push_event(event) {
                gst::debug!(CAT, imp = self, "downstream refused an event");
            }
        }
    }

    fn send_frame(
        &self,
        sender: &mut Sender,
        held: Held<Waiting>,
        why: Why,
        (released, push_by): (Mono, Mono),
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        let Waiting {
            buffer,
            form,
            before,
            came,
            doubted,
            untimed,
        } = held.frame;
        self.send_form(sender, &form)?;
        self.send_events(before);
        let pts = sender.stamp(held.capture, held.arrival);
        let frame = match GstFrame::own(buffer, &form.info, &mut sender.copies, pts) {
            Ok(frame) => frame,
            Err(why) => {
                gst::error!(CAT, imp = self, "frame dropped: {why}");
                sender.setup.count_drop(DropReason::Unpaintable);
                return Ok(gst::FlowSuccess::Ok);
            }
        };
        let plan = if doubted {
            Plan::cover(frame.size(), panicked())
        } else {
            doubting(sender.plan(held.capture, &frame), untimed)
        };
        if !doubted {
            sender.lend_to_still(held.capture, &frame, &plan);
        }
        let state = plan.state.clone();
        let Some((masked, state)) = sender.mask(frame, &plan, state) else {
            sender.setup.count_drop(DropReason::Unpaintable);
            return Ok(gst::FlowSuccess::Ok);
        };
        let now = sender.setup.clock.mono();
        sender.reserve.took(now.since(released));
        if now > push_by {
            sender.setup.count_drop(DropReason::Late);
            return Ok(gst::FlowSuccess::Ok);
        }
        let covered = state.reason().is_some();
        let pushed = self.push(masked, held.capture)?;
        sender.left(now, Some(held.arrival), plan.size, state);
        sender.measure(now, |encoded| FrameTimes {
            decode: came.since(held.arrival),
            hold: released.since(came),
            mask: now.since(released),
            encode: encoded.since(now),
            evidence: why == Why::Evidence,
            covered,
        });
        Ok(pushed)
    }

    fn send_grey(
        &self,
        sender: &mut Sender,
        reason: Reason,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        let form = match &sender.form_out {
            Some(form) => form.clone(),
            None => Arc::new(idle_form(sender.setup.idle_size).ok_or(gst::FlowError::Error)?),
        };
        self.send_form(sender, &form)?;
        let now = sender.setup.clock.mono();
        let pts = sender.stamp(None, now);
        let frame = GstFrame::blank(&form.info, &mut sender.copies, pts)
            .map_err(|_| gst::FlowError::Error)?;
        let plan = Plan::cover(frame.size(), reason.clone());
        let state = CameraState::NoSignal(reason);
        let Some((masked, state)) = sender.mask(frame, &plan, state) else {
            return Err(gst::FlowError::Error);
        };
        let pushed = self.push(masked, None)?;
        sender.left(now, None, plan.size, state);
        Ok(pushed)
    }

    /// Stream-start and segment once, caps whenever they change.
    fn send_form(&self, sender: &mut Sender, form: &Arc<Form>) -> Result<(), gst::FlowError> {
        if sender
            .form_out
            .as_ref()
            .is_some_and(|out| Arc::ptr_eq(out, form) || out.caps == form.caps)
        {
            return Ok(());
        }
        let first = !self.srcpad.has_current_caps();
        if first {
            let id = format!("greyplane/{}", sender.setup.camera);
            self.srcpad.push_event(gst::event::StreamStart::new(&id));
        }
        if !self.srcpad.push_event(gst::event::Caps::new(&form.caps)) {
            gst::error!(CAT, imp = self, "downstream refused {}", form.caps);
        }
        if first {
            let segment = gst::FormattedSegment::<gst::ClockTime>::new();
            self.srcpad.push_event(gst::event::Segment::new(&segment));
        }
        sender.form_out = Some(form.clone());
        Ok(())
    }

    /// The only function that pushes a buffer.
    fn push(
        &self,
        masked: MaskedFrame<GstFrame>,
        capture: Option<CaptureTime>,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        let mut buffer = masked.into_inner().into_buffer();
        stamps::leave(buffer.make_mut(), capture);
        self.srcpad.push(buffer)
    }
}

enum Next {
    Stop,
    Wait(Duration),
    Events(Vec<gst::Event>),
    Late(Vec<gst::Event>),
    Frame(Held<Waiting>, Why, Mono),
    Grey(Reason),
}

impl Sender {
    fn until_grey(&self, now: Mono) -> Duration {
        let after = if self.grey { GREY_EVERY } else { SILENT_AFTER };
        match self.last_left {
            Some(last) => after.saturating_sub(now.since(last)),
            None => Duration::ZERO,
        }
    }

    fn stamp(&mut self, capture: Option<CaptureTime>, arrival: Mono) -> gst::ClockTime {
        let arrival_ns = u64::try_from(i128::from(arrival.0) + self.to_output_ns).unwrap_or(0);
        gst::ClockTime::from_nseconds(self.timeline.stamp(capture.map(|c| c.0), arrival_ns))
    }

    /// The judge's plan; one that covers where the judge panics or answers for
    /// another size.
    fn plan(&self, capture: Option<CaptureTime>, frame: &GstFrame) -> Plan {
        let (judge, now, size) = (&self.setup.judge, self.setup.clock.mono(), frame.size());
        let planned = catch_unwind(AssertUnwindSafe(|| {
            let picture = frame.view().ok();
            judge.plan(capture, size, picture.as_ref(), now)
        }));
        match planned {
            Ok(plan) if plan.size == size => plan,
            Ok(plan) => Plan::cover(
                size,
                Reason::Internal {
                    detail: format!("plan for {}x{}", plan.size.width, plan.size.height),
                },
            ),
            Err(_) => Plan::cover(size, panicked()),
        }
    }

    /// Lends the frame, to be read, to whoever waits for a still; what is covered
    /// for the viewers is covered there too. Whatever goes wrong in it leaves the
    /// frame as it is.
    fn lend_to_still(&self, capture: Option<CaptureTime>, frame: &GstFrame, plan: &Plan) {
        let lent = catch_unwind(AssertUnwindSafe(|| {
            let now = self.setup.clock.mono();
            let Some((slot, still)) = self.setup.judge.still(capture, frame.size(), now) else {
                return;
            };
            let still = match &plan.hide {
                // Its zones are to be drawn before anybody can vouch for the place.
                Hide::All(Reason::NotOnPreset { .. }) => still,
                Hide::All(reason) => Err(reason.clone()),
                Hide::Regions { .. } => still,
            };
            match (still, frame.view()) {
                (Ok(still), Ok(view)) => slot.give(&view, capture, &still),
                (Err(reason), _) => slot.refuse(reason),
                (_, Err(_)) => slot.refuse(Reason::PaintFailed),
            }
        }));
        if lent.is_err() {
            gst::error!(CAT, "making a still panicked");
        }
    }

    /// Paints. A frame that cannot even be covered is lost.
    fn mask(
        &mut self,
        frame: GstFrame,
        plan: &Plan,
        state: CameraState,
    ) -> Option<(MaskedFrame<GstFrame>, CameraState)> {
        let masked = match catch_unwind(AssertUnwindSafe(|| paint(plan, frame))) {
            Ok(Ok(masked)) => masked,
            Ok(Err(failed)) => {
                gst::error!(CAT, "frame dropped: {failed}");
                return None;
            }
            // The frame went down with the panic.
            Err(_) => return None,
        };
        if masked.painted().read_back_failed {
            self.alarm();
        }
        let state = match (&masked.painted().covered, state) {
            (Some(_), state @ (CameraState::Covered(_) | CameraState::NoSignal(_))) => state,
            (Some(reason), _) => CameraState::Covered(reason.clone()),
            (None, state) => state,
        };
        Some((masked, state))
    }

    fn alarm(&mut self) {
        let now = self.setup.clock.mono();
        if self.alarmed.is_some_and(|at| now.since(at) < ALARM_EVERY) {
            return;
        }
        self.alarmed = Some(now);
        self.setup.events.emit(Event::ReadBackFailed {
            camera: self.setup.camera.clone(),
        });
    }

    /// Tells of a frame that was given to the encoder at `now`, and has left it.
    fn measure(&mut self, now: Mono, times: impl FnOnce(Mono) -> FrameTimes) {
        if self
            .measured
            .is_some_and(|at| now.since(at) < MEASURE_EVERY)
        {
            return;
        }
        self.measured = Some(now);
        self.setup.events.emit(Event::FrameMeasured {
            camera: self.setup.camera.clone(),
            times: times(self.setup.clock.mono()),
        });
    }

    fn left(
        &mut self,
        now: Mono,
        arrival: Option<Mono>,
        size: crate::geom::Size,
        state: CameraState,
    ) {
        self.grey = arrival.is_none();
        self.last_left = Some(now);
        let changed = self.setup.meters.left(Left {
            now,
            arrival,
            budget: self.setup.budget,
            size,
            state,
        });
        if let Some(to) = changed {
            self.setup.events.emit(Event::StateChanged {
                camera: self.setup.camera.clone(),
                to,
            });
        }
    }
}

/// `plan`; where it covers because there is no capture time, it says why there is none.
fn doubting(plan: Plan, untimed: Option<Untimed>) -> Plan {
    match (&plan.hide, untimed) {
        (_, None | Some(Untimed::Untold)) => plan,
        (Hide::All(Reason::NoCaptureTime), Some(why)) => {
            let detail = why.to_string();
            Plan::cover(plan.size, Reason::CaptureTimeDoubted { detail })
        }
        _ => plan,
    }
}

fn panicked() -> Reason {
    Reason::Internal {
        detail: "the judge panicked".into(),
    }
}

fn idle_form(size: crate::geom::Size) -> Option<Form> {
    let info = gst_video::VideoInfo::builder(gst_video::VideoFormat::I420, size.width, size.height)
        .fps(gst::Fraction::new(25, 1))
        .build()
        .ok()?;
    let caps = info.to_caps().ok()?;
    Some(Form { caps, info })
}
