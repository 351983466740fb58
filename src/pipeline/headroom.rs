//! What it costs this machine to decode and encode, measured in a second or two.

use gst::prelude::*;
use gstreamer as gst;
use gstreamer_app as gst_app;

use super::CannotStart;
use super::codec::Codec;
use super::encoder::{self, EncoderSettings, element};

/// The picture that is measured with.
const WIDTH: i32 = 1280;
const HEIGHT: i32 = 720;
const FPS: i32 = 25;
/// Three seconds of video.
const FRAMES: i32 = 75;
/// Each of the two runs may take this long; a machine that needs longer carries no camera.
const WITHIN: gst::ClockTime = gst::ClockTime::from_mseconds(2_500);

/// What decodes and what encodes here, and a clip to try them with.
#[derive(Debug)]
pub struct Trial {
    /// The decoder's name.
    pub decoder: String,
    /// The encoder's name.
    pub encoder: String,
    clip: Vec<gst::Buffer>,
    caps: gst::Caps,
    settings: EncoderSettings,
}

impl Trial {
    /// Encodes a test picture of 720p25: bars, and a field of noise, which costs an
    /// encoder about as much as a street does (`design/021-operations.md`).
    ///
    /// # Errors
    /// [`CannotStart`] where there is no decoder or no encoder, or where they fail.
    pub fn prepare(settings: EncoderSettings) -> Result<Self, CannotStart> {
        super::start_gstreamer()?;
        let taken = Codec::of("H264").ok_or(CannotStart::Link)?.chain("auto")?;
        let decoder = taken.decoder.factory().map(|f| f.name().to_string());
        let source = element("videotestsrc")?;
        source.set_property("num-buffers", FRAMES);
        let raw = gst::Caps::builder("video/x-raw")
            .field("format", "I420")
            .field("width", WIDTH)
            .field("height", HEIGHT)
            .field("framerate", gst::Fraction::new(FPS, 1))
            .build();
        let filter = element("capsfilter")?;
        filter.set_property("caps", &raw);
        let made = encoder::make(&settings)?;
        let name = made.encoder.factory().map(|f| f.name().to_string());
        let sink = gst_app::AppSink::builder().sync(false).build();
        let mut chain = vec![source, filter];
        chain.extend(made.chain);
        let mut clip = Vec::new();
        let mut caps = None;
        let pipeline = linked(&chain, sink.upcast_ref())?;
        start(&pipeline)?;
        for _ in 0..FRAMES {
            let Some(sample) = sink.try_pull_sample(WITHIN) else {
                break;
            };
            caps = sample.caps_owned().or(caps);
            clip.extend(sample.buffer_owned());
        }
        let _ = pipeline.set_state(gst::State::Null);
        let caps = caps.filter(|_| clip.len() > 1);
        Ok(Self {
            decoder: decoder.unwrap_or_default(),
            encoder: name.unwrap_or_default(),
            clip,
            caps: caps.ok_or_else(|| CannotStart::State("the encoder gave nothing".into()))?,
            settings,
        })
    }

    /// How much video the clip is, seconds.
    pub fn seconds(&self) -> f64 {
        self.clip.len() as f64 / f64::from(FPS)
    }

    /// Decodes and encodes the clip once, as fast as it goes. The caller measures
    /// what that took. `false` where it was not done in time.
    ///
    /// # Errors
    /// [`CannotStart`] where it fails.
    pub fn run(&self) -> Result<bool, CannotStart> {
        let source = gst_app::AppSrc::builder()
            .caps(&self.caps)
            .format(gst::Format::Time)
            .build();
        let made = encoder::make(&self.settings)?;
        let sink = element("fakesink")?;
        sink.set_property("sync", false);
        let decoder = element(&self.decoder)?;
        let mut chain = vec![source.clone().upcast(), element("h264parse")?, decoder];
        chain.extend(made.chain);
        let pipeline = linked(&chain, &sink)?;
        start(&pipeline)?;
        // They wait in the source: a few megabytes.
        let pushed = self.clip.iter().try_for_each(|buffer| {
            let pushed = source.push_buffer(buffer.clone());
            pushed.map(|_| ())
        });
        let ended = pushed.and_then(|()| source.end_of_stream().map(|_| ()));
        let kinds = [gst::MessageType::Error, gst::MessageType::Eos];
        let said = pipeline
            .bus()
            .filter(|_| ended.is_ok())
            .and_then(|bus| bus.timed_pop_filtered(WITHIN, &kinds));
        let _ = pipeline.set_state(gst::State::Null);
        match said.as_ref().map(|m| m.view()) {
            Some(gst::MessageView::Error(e)) => Err(CannotStart::State(e.error().to_string())),
            said => Ok(said.is_some()),
        }
    }
}

/// Which of `names` this machine's GStreamer lacks.
///
/// # Errors
/// [`CannotStart::NoGstreamer`] where it has none that starts.
pub fn missing_elements<'n>(names: &[&'n str]) -> Result<Vec<&'n str>, CannotStart> {
    super::start_gstreamer()?;
    let missing = |name: &&&str| gst::ElementFactory::find(name).is_none();
    Ok(names.iter().filter(missing).copied().collect())
}

/// Those of `names` that exist here and whose device opens.
///
/// # Errors
/// [`CannotStart::NoGstreamer`] where there is none that starts.
pub fn usable_elements<'n>(names: &[&'n str]) -> Result<Vec<&'n str>, CannotStart> {
    super::start_gstreamer()?;
    let usable = |name: &&&str| encoder::open(name).is_some();
    Ok(names.iter().filter(usable).copied().collect())
}

fn linked(chain: &[gst::Element], sink: &gst::Element) -> Result<gst::Pipeline, CannotStart> {
    let pipeline = gst::Pipeline::new();
    let all: Vec<&gst::Element> = chain.iter().chain([sink]).collect();
    let done = pipeline.add_many(&all);
    let done = done.and_then(|()| gst::Element::link_many(&all));
    done.map_err(|_| CannotStart::Link)?;
    Ok(pipeline)
}

fn start(pipeline: &gst::Pipeline) -> Result<(), CannotStart> {
    let started = pipeline.set_state(gst::State::Playing);
    started
        .map(|_| ())
        .map_err(|e| CannotStart::State(e.to_string()))
}
