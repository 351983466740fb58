//! The encoder: which, and how it is set for live viewing.
//!
//! Order of `auto`: the hardware encoders `vah264enc` and `nvh264enc` where
//! they exist and open, then `x264enc` (GPL plugin), then `openh264enc` (BSD).
//! All give constrained baseline without B-frames, in byte-stream form.

use gst::prelude::*;
use gstreamer as gst;

use super::CannotStart;

/// How the masked stream is encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncoderSettings {
    /// `auto`, or the name of one of [`ENCODERS`].
    pub encoder: String,
    /// Target bit rate, kbit/s, 64 ..= 100 000.
    pub bitrate_kbit: u32,
    /// The longest distance between key frames, frames, 1 ..= 1000.
    pub gop_frames: u32,
    /// What x264 spends on a frame.
    pub x264_preset: X264Preset,
}

/// x264's speed presets that a live 1080p stream can afford.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum X264Preset {
    /// Least work, about a quarter less than `superfast`; more bits for the same picture.
    Ultrafast,
    /// The default.
    Superfast,
}

impl Default for EncoderSettings {
    fn default() -> Self {
        Self {
            encoder: "auto".into(),
            bitrate_kbit: 6000,
            gop_frames: 50,
            x264_preset: X264Preset::Superfast,
        }
    }
}

/// The encoders we know how to set, in the order in which `auto` tries them.
pub const ENCODERS: [&str; 4] = ["vah264enc", "nvh264enc", "x264enc", "openh264enc"];

/// What follows `privacymask`: elements to link one after another, the encoder
/// among them.
pub(super) struct Encoder {
    pub(super) encoder: gst::Element,
    pub(super) chain: Vec<gst::Element>,
}

pub(super) fn make(settings: &EncoderSettings) -> Result<Encoder, CannotStart> {
    let encoder = choose(settings)?;
    let caps = gst::Caps::builder("video/x-h264")
        .field("stream-format", "byte-stream")
        .field("alignment", "au")
        .field(
            "profile",
            gst::List::new(["constrained-baseline", "baseline"]),
        )
        .build();
    let filter = element("capsfilter")?;
    filter.set_property("caps", caps);
    let hardware = matches!(
        encoder.factory().map(|f| f.name()).as_deref(),
        Some("vah264enc" | "nvh264enc")
    );
    let mut chain = Vec::new();
    if hardware {
        // They take NV12 only; passes NV12 through untouched.
        chain.push(element("videoconvert")?);
    }
    chain.push(encoder.clone());
    // Every key frame carries SPS and PPS: any of them may be a viewer's first.
    let parser = element("h264parse")?;
    parser.set_property("config-interval", -1i32);
    chain.push(parser);
    chain.push(filter);
    Ok(Encoder { encoder, chain })
}

/// The elements that encode a masked stream, to link one after another: for
/// whoever measures what encoding costs without masking.
///
/// # Errors
/// [`CannotStart`] where no such encoder works on this machine.
pub fn encoder_chain(settings: &EncoderSettings) -> Result<Vec<gst::Element>, CannotStart> {
    make(settings).map(|encoder| encoder.chain)
}

/// The elements that encode masked frames for a file, to link one after
/// another: the same encoders, set for a good picture where nobody waits.
/// `kbit` is the bit rate, kbit/s; without it x264 keeps the quality constant
/// and the others get `usual_kbit`.
///
/// # Errors
/// [`CannotStart`] where no encoder works on this machine.
pub(crate) fn file_encoder_chain(
    kbit: Option<u32>,
    usual_kbit: u32,
) -> Result<Vec<gst::Element>, CannotStart> {
    let settings = EncoderSettings {
        bitrate_kbit: kbit.unwrap_or(usual_kbit),
        gop_frames: 250,
        ..EncoderSettings::default()
    };
    let encoder = choose(&settings)?;
    if encoder.factory().is_some_and(|f| f.name() == "x264enc") {
        encoder.set_property_from_str("tune", "0");
        encoder.set_property_from_str("speed-preset", "veryfast");
        encoder.set_property("threads", 0u32);
        if kbit.is_none() {
            encoder.set_property_from_str("pass", "qual");
            encoder.set_property("quantizer", 21u32);
            // Beyond this even constant quality does not go.
            encoder.set_property("bitrate", usual_kbit.saturating_mul(4).clamp(2000, 100_000));
        }
    }
    // Encoders in hardware take NV12 only; passes I420 through to the others.
    Ok(vec![
        element("videoconvert")?,
        encoder,
        element("h264parse")?,
    ])
}

fn choose(settings: &EncoderSettings) -> Result<gst::Element, CannotStart> {
    let names: Vec<&str> = match settings.encoder.as_str() {
        "auto" => ENCODERS.to_vec(),
        name if ENCODERS.contains(&name) => vec![name],
        name => return Err(CannotStart::UnknownEncoder(name.to_owned())),
    };
    let encoder = names
        .iter()
        .find_map(|name| open(name))
        .ok_or_else(|| CannotStart::NoEncoder(names.join(", ")))?;
    set(&encoder, settings);
    Ok(encoder)
}

/// An element that exists and whose device opens.
pub(super) fn open(name: &str) -> Option<gst::Element> {
    let element = gst::ElementFactory::make(name).build().ok()?;
    let opened = element.set_state(gst::State::Ready).is_ok();
    // Going down cannot fail.
    let _ = element.set_state(gst::State::Null);
    opened.then_some(element)
}

fn set(encoder: &gst::Element, settings: &EncoderSettings) {
    let kbit = settings.bitrate_kbit.clamp(64, 100_000);
    let gop = settings.gop_frames.clamp(1, 1000);
    let name = encoder.factory().map(|f| f.name().to_string());
    let properties: Vec<(&str, String)> = match name.as_deref() {
        Some("x264enc") => vec![
            ("tune", "zerolatency".into()),
            (
                "speed-preset",
                match settings.x264_preset {
                    X264Preset::Ultrafast => "ultrafast".into(),
                    X264Preset::Superfast => "superfast".into(),
                },
            ),
            ("bitrate", kbit.to_string()),
            ("key-int-max", gop.to_string()),
            ("bframes", "0".into()),
            ("byte-stream", "true".into()),
            // A gateway has more cameras than cores.
            ("threads", "1".into()),
        ],
        Some("openh264enc") => vec![
            ("bitrate", (u64::from(kbit) * 1000).to_string()),
            ("gop-size", gop.to_string()),
            ("rate-control", "bitrate".into()),
            ("complexity", "low".into()),
            ("usage-type", "camera".into()),
        ],
        Some("vah264enc") => vec![
            ("bitrate", kbit.to_string()),
            ("key-int-max", gop.to_string()),
            ("b-frames", "0".into()),
            ("rate-control", "cbr".into()),
        ],
        Some("nvh264enc") => vec![
            ("bitrate", kbit.to_string()),
            ("gop-size", gop.to_string()),
            ("bframes", "0".into()),
            ("zerolatency", "true".into()),
            ("preset", "low-latency-hq".into()),
        ],
        _ => vec![],
    };
    for (name, value) in properties {
        // Versions differ in what they offer; setting what is absent panics.
        let known = encoder
            .find_property(name)
            .and_then(|p| gst::glib::Value::deserialize_with_pspec(&value, &p).ok());
        match known {
            Some(value) => encoder.set_property(name, value),
            None => tracing::warn!(encoder = %encoder.name(), name, value, "setting not offered"),
        }
    }
    if encoder
        .find_property("min-force-key-unit-interval")
        .is_some()
    {
        // Twenty viewers that join at once share one key frame.
        encoder.set_property("min-force-key-unit-interval", 200_000_000u64);
    }
}

pub(crate) fn element(name: &str) -> Result<gst::Element, CannotStart> {
    gst::ElementFactory::make(name)
        .build()
        .map_err(|_| CannotStart::NoElement(name.to_owned()))
}
