//! Ingest: from the camera's RTSP to decoded frames. One bin per connection.
//!
//! `rtspsrc ! depay ! parse ! decoder ! videoconvert`, put together for the codec
//! that the camera's SDP names (see `codec`), and, where somebody wants it, the ONVIF
//! metadata stream beside it, and sound where the configuration passes it; everything else is
//! left alone, never received.
//! Must not know what becomes of the frames.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crossbeam_channel::Sender;
use gst::prelude::*;
use gstreamer as gst;

use super::CannotStart;
use super::codec::{self, Chain, Codec};
use super::encoder::element;
use super::metadata::{self, MetadataSink};
use super::sound::{self, Ears, Sound};
use super::stamps;
use crate::clock::Clock;
use crate::secret::Secret;

/// How we call ourselves.
const USER_AGENT: &str = concat!("greyplane/", env!("CARGO_PKG_VERSION"));
/// A camera that has taken a request answers within this, or not at all.
const ANSWER_WITHIN: Duration = Duration::from_secs(4);

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
    /// `auto`, or a decoder's name; cameras that send another codec than it decodes
    /// get the usual one.
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

    /// Whether it is spoken to over TLS.
    pub(super) fn is_tls(&self) -> bool {
        self.url.starts_with("rtsps:")
    }

    /// Asks whoever took the connection for its options, without credentials. Any
    /// word will do, a refusal or the end of the connection too.
    ///
    /// # Errors
    /// Why nothing is to be hoped for, for people.
    pub(super) fn greet(&self, mut stream: TcpStream, within: Duration) -> Result<(), String> {
        let words = format!(
            "OPTIONS {} RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: {USER_AGENT}\r\n\r\n",
            self.url
        );
        let heard = stream
            .set_read_timeout(Some(within))
            .and_then(|()| stream.set_write_timeout(Some(within)))
            .and_then(|()| stream.write_all(words.as_bytes()))
            .and_then(|()| stream.read(&mut [0; 256]));
        match heard.map_err(|e| e.kind()) {
            Err(ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Err("it takes connections and says nothing".to_owned())
            }
            _ => Ok(()),
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

/// What may be taken of a camera beside its video.
pub(super) struct Beside {
    /// Who gets the documents of its metadata stream; none = nobody.
    pub(super) metadata: Option<MetadataSink>,
    /// Where its sound goes, if it may be received.
    pub(super) sound: Sound,
    /// Stamps both.
    pub(super) clock: Arc<dyn Clock>,
}

impl Connection {
    /// Why nothing of what the camera offers can be taken, where that is so.
    pub(super) fn complaint(&self) -> Option<String> {
        let offered = self.offered.lock().unwrap_or_else(PoisonError::into_inner);
        offered.complaint()
    }

    /// What is taken of what the camera offers, for people.
    pub(super) fn codec(&self) -> Option<&'static str> {
        let offered = self.offered.lock().unwrap_or_else(PoisonError::into_inner);
        offered.codec
    }
}

/// Builds connection number `connection`.
pub(super) fn connect(
    settings: &SourceSettings,
    connection: u64,
    news: &Sender<News>,
    beside: Beside,
) -> Result<Connection, CannotStart> {
    let name = settings.decoder.as_str();
    if name != "auto" && !codec::decoders().any(|known| known == name) {
        return Err(CannotStart::UnknownDecoder(name.to_owned()));
    }
    let bin = gst::Bin::builder().name(bin_name(connection)).build();
    let rtspsrc = element("rtspsrc")?;
    configure(&rtspsrc, settings);
    stamps::keep_to_ourselves(&rtspsrc);
    bin.add(&rtspsrc).map_err(|_| CannotStart::Link)?;
    let ghost = gst::GhostPad::builder(gst::PadDirection::Src)
        .name("src")
        .build();
    watch(&ghost, connection, news);
    bin.add_pad(&ghost).map_err(|_| CannotStart::Link)?;
    let Beside {
        metadata,
        sound,
        clock,
    } = beside;
    let passed = sound.is_passed();
    let ears = passed.then(|| Ears::of(&rtspsrc, &bin, &sound, connection, clock.clone()));
    let offered = Arc::new(Mutex::new(Offered {
        wants_metadata: metadata.is_some(),
        ears,
        ..Offered::default()
    }));
    select(&rtspsrc, &offered, settings);
    if let Some(sink) = metadata {
        metadata::take(&rtspsrc, &bin, sink, clock);
    }
    take(&rtspsrc, &bin, &ghost, &offered, (connection, news));
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
    rtspsrc.set_property("user-agent", USER_AGENT);
    // Of an answer; pictures are watched over by the supervisor.
    rtspsrc.set_property("tcp-timeout", ANSWER_WITHIN.as_micros() as u64);
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

/// Takes the first video that this machine can decode, leaves the others alone and
/// remembers them.
fn select(rtspsrc: &gst::Element, offered: &Arc<Mutex<Offered>>, settings: &SourceSettings) {
    let (offered, decoder) = (offered.clone(), settings.decoder.clone());
    rtspsrc.connect("select-stream", false, move |args| {
        let caps = args.get(2).and_then(|v| v.get::<gst::Caps>().ok());
        let mut offered = offered.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = caps.is_some_and(|caps| offered.take(&caps, &decoder));
        Some(taken.to_value())
    });
}

/// Links the stream that was selected, when it comes.
fn take(
    rtspsrc: &gst::Element,
    bin: &gst::Bin,
    ghost: &gst::GhostPad,
    offered: &Arc<Mutex<Offered>>,
    (connection, news): (u64, &Sender<News>),
) {
    let (bin, ghost) = (bin.downgrade(), ghost.downgrade());
    let (offered, news) = (offered.clone(), news.clone());
    rtspsrc.connect_pad_added(move |_, pad| {
        if metadata::is_metadata(pad) || sound::is_sound(pad) {
            return;
        }
        let chosen = {
            let mut offered = offered.lock().unwrap_or_else(PoisonError::into_inner);
            offered.chosen.take()
        };
        let (Some((codec, chain, ntp_64)), Some(bin), Some(ghost)) =
            (chosen, bin.upgrade(), ghost.upgrade())
        else {
            return;
        };
        if link(pad, &bin, &ghost, (codec, &chain, ntp_64)).is_err() {
            let what = What::Down(format!("the camera's {} cannot be linked", codec.name));
            // A full channel already holds the end of this connection.
            let _ = news.try_send(News { connection, what });
            return;
        }
        if codec.is_jpeg() {
            refuse_fields(pad, &offered, (connection, &news));
        }
    });
}

fn link(
    pad: &gst::Pad,
    bin: &gst::Bin,
    ghost: &gst::GhostPad,
    (codec, chain, ntp_64): (&Codec, &Chain, Option<u8>),
) -> Result<(), CannotStart> {
    let input = chain.depay.static_pad("sink").ok_or(CannotStart::Link)?;
    let coded = chain.parse.static_pad("src").ok_or(CannotStart::Link)?;
    let decoded = chain.decoder.static_pad("src").ok_or(CannotStart::Link)?;
    let output = chain.convert.static_pad("src").ok_or(CannotStart::Link)?;
    bin.add_many(chain.elements())
        .and_then(|()| gst::Element::link_many(chain.elements()))
        .and_then(|()| ghost.set_target(Some(&output)))
        .map_err(|_| CannotStart::Link)?;
    super::rtptime::stamp(&input);
    stamps::carry(&input, &coded, ntp_64);
    super::whole::hold_back_damaged(&input, [&coded, &decoded], codec.leans, codec.at_once);
    for element in chain.elements() {
        element
            .sync_state_with_parent()
            .map_err(|e| CannotStart::State(e.to_string()))?;
    }
    pad.link(&input).map_err(|_| CannotStart::Link)?;
    Ok(())
}

/// Ends the connection where a JPEG is one field of an interlaced picture: half of
/// the lines of where things are.
fn refuse_fields(
    pad: &gst::Pad,
    offered: &Arc<Mutex<Offered>>,
    (connection, news): (u64, &Sender<News>),
) {
    let (offered, news) = (offered.clone(), news.clone());
    let kinds = gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST;
    pad.add_probe(kinds, move |_, info| {
        let is_field = |packet: &gst::BufferRef| {
            let map = packet.map_readable();
            map.is_ok_and(|packet| codec::is_jpeg_field(&packet))
        };
        let found = match &info.data {
            Some(gst::PadProbeData::Buffer(packet)) => is_field(packet),
            Some(gst::PadProbeData::BufferList(list)) => list.iter().any(is_field),
            _ => false,
        };
        if !found {
            return gst::PadProbeReturn::Ok;
        }
        let why = "interlaced MJPEG: set the camera to progressive".to_owned();
        let mut offered = offered.lock().unwrap_or_else(PoisonError::into_inner);
        if offered.refused.replace(why.clone()).is_none() {
            let what = What::Down(why);
            // A full channel already holds the end of this connection.
            let _ = news.try_send(News { connection, what });
        }
        gst::PadProbeReturn::Drop
    });
}

/// What the camera's SDP offers, and what was taken of it.
#[derive(Debug, Default)]
struct Offered {
    taken: bool,
    wants_metadata: bool,
    /// Hear its sound, where that may be received. They end with the connection.
    ears: Option<Ears>,
    codec: Option<&'static str>,
    /// What was taken, and the number of its stamps, until its pad comes.
    chosen: Option<(&'static Codec, Chain, Option<u8>)>,
    /// Why the stream that was taken, or would have been, cannot be used.
    refused: Option<String>,
    others: Vec<String>,
}

impl Offered {
    fn take(&mut self, caps: &gst::Caps, decoder: &str) -> bool {
        let Some(s) = caps.structure(0) else {
            return false;
        };
        let media = s.get::<&str>("media").unwrap_or("?");
        let encoding = s.get::<&str>("encoding-name").unwrap_or("?");
        if self.wants_metadata && metadata::packing(s).is_some() {
            // The first one alone.
            self.wants_metadata = false;
            return true;
        }
        if self.ears.as_mut().is_some_and(|ears| ears.take(s)) {
            return true;
        }
        // The first of a known codec is the one, or none is: another video may come
        // through another lens, for which no zone was drawn.
        let decided = self.taken || self.refused.is_some();
        let codec = Codec::of(encoding).filter(|_| media == "video" && !decided);
        match codec.map(|codec| (codec, codec.chain(decoder))) {
            Some((codec, Ok(chain))) => {
                self.taken = true;
                self.codec = Some(codec.name);
                self.chosen = Some((codec, chain, stamps::ntp_64(s)));
                return true;
            }
            Some((_, Err(why))) => self.refused = Some(why.to_string()),
            None => {}
        }
        if self.others.len() < 8 {
            self.others.push(format!("{media}/{encoding}"));
        }
        false
    }

    fn complaint(&self) -> Option<String> {
        let known = || codec::CODECS.map(|codec| codec.name).join(", ");
        let nothing = || {
            let others = self.others.join(", ");
            format!("the camera sends {others}: set it to one of {}", known())
        };
        let unknown = !self.taken && !self.others.is_empty();
        self.refused.clone().or_else(|| unknown.then(nothing))
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
    fn the_first_video_that_can_be_decoded_is_taken_and_the_rest_named() {
        gst::init().unwrap();
        let caps = |media: &str, name: &str| {
            gst::Caps::builder("application/x-rtp")
                .field("media", media)
                .field("encoding-name", name)
                .build()
        };
        for wanted in ["H264", "H265", "JPEG", "AV1"] {
            let mut offered = Offered::default();
            assert_eq!(offered.complaint(), None, "it has not answered yet");
            assert!(!offered.take(&caps("video", "H263-1998"), "auto"));
            assert!(!offered.take(&caps("audio", "PCMU"), "auto"));
            assert_eq!(
                offered.complaint().as_deref(),
                Some(
                    "the camera sends video/H263-1998, audio/PCMU: set it to one of \
                     H.264, H.265, MJPEG, AV1"
                )
            );
            assert!(!offered.take(&caps("audio", wanted), "auto"));
            assert!(offered.take(&caps("video", wanted), "auto"), "{wanted}");
            assert_eq!(offered.complaint(), None);
            assert!(!offered.take(&caps("video", "H264"), "auto"));
        }
    }
}
