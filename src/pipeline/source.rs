//! Ingest: from the camera's RTSP to decoded frames. One bin per connection.
//!
//! `rtspsrc ! rtph264depay ! h264parse ! decoder`. H.264 only. The order of the
//! decoders: `vah264dec` and `nvh264dec` where they exist and open, then
//! `avdec_h264`, then `openh264dec`. Must not know what becomes of the frames.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crossbeam_channel::Sender;
use gst::prelude::*;
use gstreamer as gst;

use super::CannotStart;
use super::encoder::element;
use crate::secret::Secret;

/// How RTP reaches us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Interleaved in the RTSP connection.
    Tcp,
    /// Over UDP; lost packets stay lost.
    Udp,
}

/// Where the camera is and how to read from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceSettings {
    /// `rtsp://host[:port]/path`, without credentials.
    pub url: String,
    /// User and password, where the camera wants them.
    pub credentials: Option<(String, Secret)>,
    /// TCP by default.
    pub transport: Transport,
    /// rtspsrc's jitter buffer, milliseconds.
    pub jitter_ms: u32,
    /// `auto`, or the name of one of [`DECODERS`].
    pub decoder: String,
    /// A connection that gave no frame for this long is given up.
    pub stall_after: Duration,
    /// A new connection has this long to give its first frame.
    pub first_frame_within: Duration,
}

impl SourceSettings {
    /// The defaults for the camera at `url`.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            credentials: None,
            transport: Transport::Tcp,
            jitter_ms: 50,
            decoder: "auto".into(),
            stall_after: Duration::from_secs(4),
            first_frame_within: Duration::from_secs(10),
        }
    }

    /// Host and port to connect to.
    ///
    /// # Errors
    /// [`CannotStart::BadUrl`] for what is not an RTSP URL, or one that carries
    /// credentials: those would end up in logs.
    pub(super) fn endpoint(&self) -> Result<(String, u16), CannotStart> {
        let bad = |why: &str| CannotStart::BadUrl(why.to_owned());
        let (rest, default_port) = if let Some(rest) = self.url.strip_prefix("rtsp://") {
            (rest, 554)
        } else if let Some(rest) = self.url.strip_prefix("rtsps://") {
            (rest, 322)
        } else {
            return Err(bad("it must begin with rtsp:// or rtsps://"));
        };
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err(bad("user and password do not belong into it"));
        }
        let (host, port) = match authority.rsplit_once(':') {
            // A colon inside [v6] is not the port's.
            Some((host, port)) if !port.ends_with(']') => (
                host,
                port.parse().map_err(|_| bad("its port is not a number"))?,
            ),
            _ => (authority, default_port),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(bad("it names no host"));
        }
        Ok((host.to_owned(), port))
    }
}

/// The decoders we know, in the order in which `auto` tries them.
pub const DECODERS: [&str; 4] = ["vah264dec", "nvh264dec", "avdec_h264", "openh264dec"];

/// What a connection, or the pipeline, has to say.
#[derive(Debug)]
pub(super) struct News {
    /// The number of the connection it is about.
    pub(super) connection: u64,
    pub(super) what: What,
}

#[derive(Debug)]
pub(super) enum What {
    /// Frames of this form come.
    Up(String),
    /// The camera ended the stream, or something failed.
    Down(String),
    /// The part after the mask failed.
    OutputFailed(String),
    Stop,
}

/// One connection to the camera.
pub(super) struct Connection {
    /// Gives decoded frames on its one src pad.
    pub(super) bin: gst::Bin,
    offered: Arc<Mutex<Offered>>,
}

impl Connection {
    /// What the camera offers instead, where it offers no H.264 video.
    pub(super) fn complaint(&self) -> Option<String> {
        let offered = self.offered.lock().unwrap_or_else(PoisonError::into_inner);
        offered.complaint()
    }
}

/// Builds connection number `connection`.
pub(super) fn connect(
    settings: &SourceSettings,
    connection: u64,
    news: &Sender<News>,
) -> Result<Connection, CannotStart> {
    let bin = gst::Bin::builder().name(bin_name(connection)).build();
    let rtspsrc = element("rtspsrc")?;
    configure(&rtspsrc, settings);
    let depay = element("rtph264depay")?;
    // After a loss the decoder would go on predicting from the wrong picture:
    // what it shows then lies where it lay before, and no margin knows of it.
    depay.set_property("wait-for-keyframe", true);
    depay.set_property("request-keyframe", true);
    let parse = element("h264parse")?;
    let decoder = choose_decoder(settings)?;
    let chain = [&depay, &parse, &decoder];
    bin.add(&rtspsrc)
        .and_then(|()| bin.add_many(chain))
        .and_then(|()| gst::Element::link_many(chain))
        .map_err(|_| CannotStart::Link)?;
    let offered = select_h264(&rtspsrc, &depay)?;
    let src = decoder.static_pad("src").ok_or(CannotStart::Link)?;
    let ghost = gst::GhostPad::with_target(&src).map_err(|_| CannotStart::Link)?;
    watch(&ghost, connection, news);
    bin.add_pad(&ghost).map_err(|_| CannotStart::Link)?;
    Ok(Connection { bin, offered })
}

/// The name of a connection's bin; [`connection_of`] reads it back.
fn bin_name(connection: u64) -> String {
    format!("connection-{connection}")
}

/// The connection whose bin `object` lives in, if it lives in one.
pub(super) fn connection_of(object: &gst::Object) -> Option<u64> {
    let mut at = Some(object.clone());
    while let Some(object) = at {
        let name = object.name();
        if let Some(number) = name.strip_prefix("connection-") {
            return number.parse().ok();
        }
        at = object.parent();
    }
    None
}

fn configure(rtspsrc: &gst::Element, settings: &SourceSettings) {
    rtspsrc.set_property("location", &settings.url);
    rtspsrc.set_property("latency", settings.jitter_ms);
    rtspsrc.set_property("add-reference-timestamp-meta", true);
    rtspsrc.set_property(
        "user-agent",
        concat!("greyplane/", env!("CARGO_PKG_VERSION")),
    );
    rtspsrc.set_property_from_str(
        "protocols",
        match settings.transport {
            Transport::Tcp => "tcp",
            Transport::Udp => "udp",
        },
    );
    if let Some((user, password)) = &settings.credentials {
        rtspsrc.set_property("user-id", user);
        rtspsrc.set_property("user-pw", password.reveal());
    }
}

fn choose_decoder(settings: &SourceSettings) -> Result<gst::Element, CannotStart> {
    let names: Vec<&str> = match settings.decoder.as_str() {
        "auto" => DECODERS.to_vec(),
        name if DECODERS.contains(&name) => vec![name],
        name => return Err(CannotStart::UnknownDecoder(name.to_owned())),
    };
    let decoder = names
        .iter()
        .find_map(|name| super::encoder::open(name))
        .ok_or_else(|| CannotStart::NoDecoder(names.join(", ")))?;
    if decoder.factory().is_some_and(|f| f.name() == "avdec_h264") {
        // Threads by frame would delay every frame by their number.
        decoder.set_property_from_str("thread-type", "slice");
        decoder.set_property("max-threads", 2i32);
    }
    Ok(decoder)
}

/// Takes the first H.264 stream, leaves the others alone and remembers them.
fn select_h264(
    rtspsrc: &gst::Element,
    depay: &gst::Element,
) -> Result<Arc<Mutex<Offered>>, CannotStart> {
    let offered = Arc::new(Mutex::new(Offered::default()));
    let seen = offered.clone();
    rtspsrc.connect("select-stream", false, move |args| {
        let caps = args.get(2).and_then(|v| v.get::<gst::Caps>().ok());
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        Some(caps.is_some_and(|caps| seen.take(&caps)).to_value())
    });
    let sink = depay.static_pad("sink").ok_or(CannotStart::Link)?;
    super::rtptime::stamp(&sink);
    rtspsrc.connect_pad_added(move |_, pad| {
        if !sink.is_linked() && pad.link(&sink).is_err() {
            tracing::warn!("a stream of the camera could not be linked");
        }
    });
    Ok(offered)
}

#[derive(Default)]
struct Offered {
    taken: bool,
    others: Vec<String>,
}

impl Offered {
    fn take(&mut self, caps: &gst::Caps) -> bool {
        let Some(s) = caps.structure(0) else {
            return false;
        };
        let media = s.get::<&str>("media").unwrap_or("?");
        let encoding = s.get::<&str>("encoding-name").unwrap_or("?");
        let fits = !self.taken && media == "video" && encoding == "H264";
        if fits {
            self.taken = true;
        } else if self.others.len() < 8 {
            self.others.push(format!("{media}/{encoding}"));
        }
        fits
    }

    fn complaint(&self) -> Option<String> {
        (!self.taken && !self.others.is_empty()).then(|| {
            let others = self.others.join(", ");
            format!("the camera offers no H.264 video, but {others}")
        })
    }
}

/// Reports caps and the end. The end goes on to the mask, which ignores it.
fn watch(ghost: &gst::GhostPad, connection: u64, news: &Sender<News>) {
    let news = news.clone();
    ghost.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
        let what = match info.event().map(|event| event.view()) {
            Some(gst::EventView::Caps(caps)) => What::Up(describe(caps.caps())),
            Some(gst::EventView::Eos(_)) => What::Down("the camera ended the stream".into()),
            _ => return gst::PadProbeReturn::Ok,
        };
        // A full channel already holds the end of this connection.
        let _ = news.try_send(News { connection, what });
        gst::PadProbeReturn::Ok
    });
}

fn describe(caps: &gst::CapsRef) -> String {
    let Some(s) = caps.structure(0) else {
        return "?".into();
    };
    format!(
        "{}x{} {} {}/s",
        s.get::<i32>("width").unwrap_or(0),
        s.get::<i32>("height").unwrap_or(0),
        s.get::<&str>("format").unwrap_or("?"),
        s.get::<gst::Fraction>("framerate")
            .map_or_else(|_| "?".to_owned(), |f| f.to_string()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_of_urls() {
        let check = |url: &str| SourceSettings::new(url).endpoint().ok();
        let at = |host: &str, port| Some((host.to_owned(), port));
        for (url, want) in [
            ("rtsp://cam", at("cam", 554)),
            ("rtsp://cam/live?x=a:b", at("cam", 554)),
            ("rtsp://10.0.0.1:8554/live", at("10.0.0.1", 8554)),
            ("rtsps://cam/live", at("cam", 322)),
            ("rtsp://[fd00::1]/live", at("fd00::1", 554)),
            ("rtsp://[fd00::1]:8554/", at("fd00::1", 8554)),
            ("http://cam/", None),
            ("rtsp://", None),
            ("rtsp:///live", None),
            ("rtsp://cam:x/", None),
            ("rtsp://user:pw@cam/", None),
        ] {
            assert_eq!(check(url), want, "{url}");
        }
    }

    #[test]
    fn a_secret_is_not_shown() {
        let mut settings = SourceSettings::new("rtsp://cam");
        settings.credentials = Some(("root".into(), Secret::new("hunter2")));
        assert!(!format!("{settings:?}").contains("hunter2"));
    }

    #[test]
    fn the_first_h264_video_is_taken_and_the_rest_named() {
        gst::init().unwrap();
        let caps = |media: &str, name: &str| {
            gst::Caps::builder("application/x-rtp")
                .field("media", media)
                .field("encoding-name", name)
                .build()
        };
        let mut offered = Offered::default();
        assert_eq!(offered.complaint(), None, "it has not answered yet");
        assert!(!offered.take(&caps("video", "H265")));
        assert!(!offered.take(&caps("audio", "PCMU")));
        assert_eq!(
            offered.complaint().as_deref(),
            Some("the camera offers no H.264 video, but video/H265, audio/PCMU")
        );
        assert!(offered.take(&caps("video", "H264")));
        assert_eq!(offered.complaint(), None);
        assert!(!offered.take(&caps("video", "H264")));
    }
}
