//! The camera's sound as it comes: RTP packets → coded pieces, in a pipeline of its own.
//!
//! Packets go from `rtspsrc` into a sink that takes everything, and from a probe there into a
//! bounded queue. So nothing that fails or hangs behind it is felt before it, where the
//! pictures come along.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use gst::prelude::*;
use gstreamer as gst;
use gstreamer_app as gst_app;

use super::Sound;
use super::form::{self, SoundForm};
use super::lane::Heard;
use crate::clock::Clock;
use crate::pipeline::encoder::element;
use crate::pipeline::{beside, stamps};

/// Packets that wait for the depayloader; when there are more, the oldest goes.
const QUEUE: u64 = 64;
/// Packets whose times are remembered until their sound comes out.
const UNDER_WAY: usize = 128;
/// Arrival follows the packets' own spacing, until it is off by more.
const STRAYS_NS: u64 = 40_000_000;

/// Listens to the sound of one connection. Dropping it ends that.
pub(in crate::pipeline) struct Ears {
    sound: Sound,
    connection: u64,
    chosen: bool,
    pipeline: Arc<Mutex<Option<gst::Pipeline>>>,
}

impl Drop for Ears {
    fn drop(&mut self) {
        let pipeline = self.pipeline.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pipeline) = pipeline.as_ref() {
            // Going down fails only for an element that is broken already.
            let _ = pipeline.set_state(gst::State::Null);
        }
    }
}

impl std::fmt::Debug for Ears {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ears({})", self.connection)
    }
}

/// Whether it gives sound, and so is no video.
pub(in crate::pipeline) fn is_sound(pad: &gst::Pad) -> bool {
    let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
    caps.structure(0).is_some_and(of_sound)
}

fn of_sound(media: &gst::StructureRef) -> bool {
    media.get::<&str>("media") == Ok("audio")
}

impl Ears {
    /// Ears for what `rtspsrc` in `bin` will bring, should sound of it be selected.
    pub(in crate::pipeline) fn of(
        rtspsrc: &gst::Element,
        bin: &gst::Bin,
        sound: &Sound,
        connection: u64,
        clock: Arc<dyn Clock>,
    ) -> Self {
        sound.begin(connection);
        beside::keep_apart(rtspsrc);
        let pipeline = Arc::new(Mutex::new(None));
        let (bin, ours, holder) = (bin.downgrade(), sound.clone(), Arc::downgrade(&pipeline));
        rtspsrc.connect_pad_added(move |_, pad| {
            let (true, Some(bin), Some(holder)) = (is_sound(pad), bin.upgrade(), holder.upgrade())
            else {
                return;
            };
            let mut holder = holder.lock().unwrap_or_else(PoisonError::into_inner);
            if holder.is_some() {
                return;
            }
            match listen(pad, &bin, &ours, connection, &clock) {
                Ok(pipeline) => *holder = Some(pipeline),
                Err(why) => ours.fail(connection, why),
            }
        });
        let (asked, begun) = (sound.clone(), Arc::downgrade(&pipeline));
        rtspsrc.connect_no_more_pads(move |_| {
            let begun = begun.upgrade();
            let none =
                |p: &Mutex<Option<_>>| p.lock().unwrap_or_else(PoisonError::into_inner).is_none();
            if begun.is_some_and(|pipeline| none(&pipeline)) {
                asked.find_none(connection);
            }
        });
        Self {
            sound: sound.clone(),
            connection,
            chosen: false,
            pipeline,
        }
    }

    /// Whether the stream of those caps is the sound to take: the first that is known.
    pub(in crate::pipeline) fn take(&mut self, media: &gst::StructureRef) -> bool {
        if !of_sound(media) || self.chosen {
            return false;
        }
        match form::depayloader(media) {
            Ok(_) => self.chosen = true,
            Err(why) => self.sound.fail(self.connection, why),
        }
        self.chosen
    }
}

/// Begins to listen to `pad`.
fn listen(
    pad: &gst::Pad,
    bin: &gst::Bin,
    sound: &Sound,
    connection: u64,
    clock: &Arc<dyn Clock>,
) -> Result<gst::Pipeline, String> {
    let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
    let media = caps.structure(0).ok_or("sound without a form")?;
    let depay = form::depayloader(media)?;
    let depay = element(depay).map_err(|e| format!("sound: {e}"))?;
    let source = gst_app::AppSrc::builder()
        .caps(&caps)
        .is_live(true)
        .format(gst::Format::Time)
        .block(false)
        .max_buffers(QUEUE)
        .leaky_type(gst_app::AppLeakyType::Downstream)
        .build();
    source.set_max_bytes(0);
    let times = Arc::new(Mutex::new(Times::default()));
    let sink = gst_app::AppSink::builder()
        .sync(false)
        .async_(false)
        .build();
    sink.set_callbacks(gives(sound, connection, clock, &times));
    let linked = |e: gst::glib::BoolError| format!("sound: {e}");
    let pipeline = gst::Pipeline::new();
    let all = [
        source.upcast_ref::<gst::Element>(),
        &depay,
        sink.upcast_ref(),
    ];
    pipeline.add_many(all).map_err(linked)?;
    gst::Element::link_many(all).map_err(linked)?;
    complains(&pipeline, sound, connection)?;
    pipeline
        .set_state(gst::State::Playing)
        .map_err(|e| format!("sound: {e}"))?;
    let linked = tee_off(pad, bin, source, times);
    if linked.is_none() {
        // Going down fails only for an element that is broken already.
        let _ = pipeline.set_state(gst::State::Null);
    }
    linked
        .map(|()| pipeline)
        .ok_or_else(|| "sound cannot be linked".to_owned())
}

/// What comes out, to `sound`.
fn gives(
    sound: &Sound,
    connection: u64,
    clock: &Arc<dyn Clock>,
    times: &Arc<Mutex<Times>>,
) -> gst_app::AppSinkCallbacks {
    let (sound, clock, times) = (sound.clone(), clock.clone(), times.clone());
    let formed: Mutex<Option<(gst::Caps, Option<u64>)>> = Mutex::new(None);
    let take = move |sample: &gst::Sample| -> Option<()> {
        let (buffer, caps) = (sample.buffer_owned()?, sample.caps()?);
        let mut formed = formed.lock().unwrap_or_else(PoisonError::into_inner);
        if formed.as_ref().is_none_or(|(known, _)| *known != *caps) {
            let form = SoundForm::read(&caps.to_owned());
            let step_ns = form.as_ref().ok().map(SoundForm::step_ns);
            *formed = Some((caps.to_owned(), step_ns));
            match form {
                Ok(form) => sound.formed(connection, form, clock.mono()),
                Err(why) => sound.fail(connection, why),
            }
        }
        let step_ns = formed.as_ref().and_then(|(_, step_ns)| *step_ns)?;
        let mut times = times.lock().unwrap_or_else(PoisonError::into_inner);
        let (arrival_ns, capture_ns) = times.of(buffer.pts(), step_ns)?;
        drop(times);
        sound.hear(
            connection,
            Heard {
                arrival_ns,
                capture_ns,
                what: buffer,
            },
        );
        None
    };
    gst_app::AppSinkCallbacks::builder()
        .new_sample(move |sink| {
            let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
            take(&sample);
            Ok(gst::FlowSuccess::Ok)
        })
        .build()
}

fn complains(pipeline: &gst::Pipeline, sound: &Sound, connection: u64) -> Result<(), String> {
    let sound = sound.clone();
    let bus = pipeline.bus().ok_or("sound: no bus")?;
    bus.set_sync_handler(move |_, message| {
        if let gst::MessageView::Error(error) = message.view() {
            sound.fail(connection, format!("sound: {}", error.error()));
        }
        gst::BusSyncReply::Drop
    });
    Ok(())
}

/// Copies what `pad` gives into `source`, and lets `pad` feel nothing of it.
fn tee_off(
    pad: &gst::Pad,
    bin: &gst::Bin,
    source: gst_app::AppSrc,
    times: Arc<Mutex<Times>>,
) -> Option<()> {
    let clock = gst::SystemClock::obtain();
    beside::each_packet(pad, bin, move |packet| {
        let Some(pts) = packet.pts() else { return };
        let mut times = times.lock().unwrap_or_else(PoisonError::into_inner);
        let capture = stamps::capture_time(packet).map(|at| at.0);
        times.note(pts.nseconds(), clock.time().nseconds(), capture);
        drop(times);
        // Refused only while it is being taken down.
        let _ = source.push_buffer(packet.to_owned());
    })
}

/// When packets came and were taken, by their PTS.
#[derive(Debug, Default)]
struct Times {
    /// PTS; capture time less PTS.
    packets: VecDeque<(u64, Option<i64>)>,
    /// Arrival less PTS.
    came: Option<i64>,
    /// PTS of the last piece.
    last_ns: Option<u64>,
}

impl Times {
    fn note(&mut self, pts_ns: u64, arrival_ns: u64, capture_ns: Option<i64>) {
        let came = arrival_ns.cast_signed() - pts_ns.cast_signed();
        if self.came.is_none_or(|c| c.abs_diff(came) > STRAYS_NS) {
            self.came = Some(came);
        }
        if self.packets.len() == UNDER_WAY {
            self.packets.pop_front();
        }
        let taken = capture_ns.map(|at| at.saturating_sub(pts_ns.cast_signed()));
        self.packets.push_back((pts_ns, taken));
    }

    /// Arrival and capture time of the piece with that PTS; one without follows the one before
    /// it by `step_ns`, as the second in one packet does.
    fn of(&mut self, pts: Option<gst::ClockTime>, step_ns: u64) -> Option<(u64, Option<i64>)> {
        let after = self.last_ns.map(|last| last.saturating_add(step_ns));
        let pts_ns = pts.map(gst::ClockTime::nseconds).or(after)?;
        self.last_ns = Some(pts_ns);
        let arrival = pts_ns.saturating_add_signed(self.came?);
        let packet = self.packets.iter().rev().find(|(at, _)| *at <= pts_ns);
        let taken = packet.and_then(|(_, taken)| *taken);
        Some((
            arrival,
            taken.map(|t| t.saturating_add(pts_ns.cast_signed())),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::super::SoundRule;
    use super::*;

    #[test]
    fn pieces_have_the_times_of_their_packets() {
        let mut times = Times::default();
        let ms = |ms: u64| ms * 1_000_000;
        let at = |ms| Some(gst::ClockTime::from_mseconds(ms));
        let told = |times: &mut Times, pts| {
            let (arrival, capture) = times.of(pts, ms(20)).unwrap();
            (arrival / ms(1), capture.map(|c| c / 1_000_000))
        };
        assert_eq!(times.of(at(1), ms(20)), None);
        times.note(ms(100), ms(105), None);
        // A jitter of 10 ms is not followed.
        times.note(ms(140), ms(155), Some(9_000_000_000));
        assert_eq!(told(&mut times, at(100)), (105, None));
        assert_eq!(told(&mut times, None), (125, None));
        assert_eq!(told(&mut times, at(140)), (145, Some(9_000)));
        assert_eq!(told(&mut times, None), (165, Some(9_020)));
        times.note(ms(180), ms(300), None);
        assert_eq!(told(&mut times, at(180)), (300, None));
    }

    #[test]
    fn sound_that_cannot_be_taken_apart_is_felt_by_nobody() {
        gst::init().unwrap();
        let sound = Sound::new(SoundRule::Pass);
        sound.begin(1);
        let clock: Arc<dyn Clock> = Arc::new(crate::clock::SystemClock::new());
        let pipeline = gst::Pipeline::new();
        // AAC that does not say of which kind.
        let caps =
            "application/x-rtp,media=audio,encoding-name=MPEG4-GENERIC,payload=97,clock-rate=48000";
        let camera = gst_app::AppSrc::builder()
            .caps(&caps.parse::<gst::Caps>().unwrap())
            .format(gst::Format::Time)
            .build();
        let filter = element("capsfilter").unwrap();
        filter.set_property("caps", caps.parse::<gst::Caps>().unwrap());
        pipeline.add_many([camera.upcast_ref(), &filter]).unwrap();
        camera.link(&filter).unwrap();
        let pad = filter.static_pad("src").unwrap();
        let _ears = listen(&pad, pipeline.upcast_ref(), &sound, 1, &clock).unwrap();
        pipeline.set_state(gst::State::Playing).unwrap();
        for number in 0..500u16 {
            let mut packet = vec![0x80, 97];
            packet.extend(number.to_be_bytes());
            packet.extend([0xff; 40]);
            let mut buffer = gst::Buffer::from_slice(packet);
            let pts = gst::ClockTime::from_mseconds(u64::from(number) * 20);
            buffer.get_mut().unwrap().set_pts(pts);
            camera.push_buffer(buffer).unwrap();
            if sound.stats().problem.is_none() {
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
        }
        let problem = sound.stats().problem.expect("it is said");
        assert!(
            problem.contains("sound") || problem.contains("AAC"),
            "{problem}"
        );
        assert_eq!(sound.form(), None);
        let wrong = pipeline
            .bus()
            .unwrap()
            .pop_filtered(&[gst::MessageType::Error]);
        assert!(wrong.is_none(), "{wrong:?}");
        camera.push_buffer(gst::Buffer::new()).unwrap();
        pipeline.set_state(gst::State::Null).unwrap();
    }
}
