//! The run-time types: what a valid configuration means.

use super::Secret;
use crate::detect::Class;
use crate::pose::CameraProfile;
use crate::pose::profile::units::{self, ReportUnits};
use crate::zone::ZoneSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Everything that one gateway process does.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where the masked streams are served.
    pub rtsp_listen: SocketAddr,
    /// With which certificate; none = in the clear.
    pub rtsp_tls: Option<RtspTls>,
    /// Whether the masked streams leave this machine in the clear, because
    /// somebody said that they may.
    pub rtsp_beyond_in_clear: bool,
    /// Where the console and the status are served.
    pub http_listen: SocketAddr,
    /// Where metrics are served to whoever reaches it; none = only at `http_listen`,
    /// and only where there is no console.
    pub metrics_listen: Option<SocketAddr>,
    /// Whether the process refuses itself the system calls that it never needs.
    pub filter_system_calls: bool,
    /// Who may use the console; none = there is none, only the status (loopback only).
    pub console: Option<Console>,
    /// Who looks at the pictures of cameras that want it.
    pub detectors: Detectors,
    /// The message buses that events are told to.
    pub events: Events,
    /// The collector that traces are told to; none = nobody is.
    pub traces: Option<Traces>,
    /// Who may watch; empty = anyone who reaches the address (loopback only).
    pub viewers: Vec<Viewer>,
    /// The cameras, in file order, at least one, ids unique.
    pub cameras: Vec<Camera>,
}

/// The console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Console {
    /// The accounts' file, kept by `greyplane user`.
    pub users: PathBuf,
    /// The audit log's folder.
    pub audit: PathBuf,
    /// Certificate chain and private key (PEM); none = plain HTTP (loopback only).
    pub tls: Option<Tls>,
    /// Where WebRTC's datagrams are received (UDP).
    pub webrtc_listen: SocketAddr,
    /// How long a session lasts that nobody uses.
    pub session: Duration,
    /// Whether zones that hide less than those in force need a second person.
    pub four_eyes: bool,
    /// Whether a clear still for setting up may be permitted at all.
    pub clear_still: bool,
}

/// Where a server's certificate lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The certificate and those that signed it (PEM).
    pub certificate: PathBuf,
    /// Its private key (PEM).
    pub key: PathBuf,
}

/// The masked streams' own TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RtspTls {
    /// The certificate and its key.
    pub files: Tls,
    /// Nobody named the files: they are made at the first start.
    pub make: bool,
    /// Whoever signs viewers' certificates (PEM); named: each viewer needs one.
    pub client_ca: Option<PathBuf>,
}

/// Somebody who may watch the masked streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// The name.
    pub user: String,
    /// How it shows that it is the one.
    pub proof: Proof,
    /// The cameras it may watch; none = all.
    pub cameras: Option<Vec<String>>,
    /// Whether it may steer them, through their ONVIF devices.
    pub steer: bool,
}

/// How a viewer shows who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// By this password.
    Password(Secret),
    /// By a certificate with this name, signed by the `client_ca`.
    Certificate(String),
}

/// The detectors that all cameras share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detectors {
    /// Where the models and the ONNX runtime lie; none = where `make models`
    /// puts them.
    pub folder: Option<PathBuf>,
    /// Pictures that are looked at at the same time.
    pub threads: usize,
    /// The model that finds faces, by its name in `models/manifest.toml`, an
    /// `.onnx` file with its descriptor (`.toml`) beside it, or `auto`.
    pub face: String,
    /// The model that finds licence plates.
    pub plate: String,
    /// The model that finds whole figures, where there is one.
    pub person: Option<String>,
    /// The longer side that a picture is brought to for the models, samples.
    pub input_long_side: u32,
}

/// The message buses that events are told to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Events {
    /// An MQTT broker.
    pub mqtt: Option<MqttBus>,
    /// A NATS server.
    pub nats: Option<NatsBus>,
}

/// A collector of traces, as OpenTelemetry has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traces {
    /// Where it takes them: scheme, host and path.
    pub endpoint: String,
    /// Certificates (PEM) that are trusted in place of the machine's.
    pub ca_pem: Option<Arc<str>>,
    /// Sent with each request; names in small letters, each once.
    pub headers: Vec<(String, Secret)>,
    /// How the collector tells this gateway from others; none = a name drawn at the start.
    pub instance: Option<String>,
    /// How often one frame of each stream is told; none = never.
    pub frame_every: Option<Duration>,
    /// Whether it is told in the clear beyond this machine, because somebody said that it
    /// may be.
    pub beyond_in_clear: bool,
}

/// An MQTT broker that is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MqttBus {
    /// How it is reached.
    pub server: EventServer,
    /// What all topics begin with, without a slash at either end.
    pub topic: String,
    /// Where Home Assistant looks for new devices; none = it is not told of any.
    pub discovery: Option<String>,
}

/// A NATS server that is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NatsBus {
    /// How it is reached.
    pub server: EventServer,
    /// In place of name and password.
    pub token: Option<Secret>,
    /// What all subjects begin with, without a dot at either end.
    pub subject: String,
}

/// How a message bus is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventServer {
    /// Its name or address; IPv6 without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether it is spoken to over TLS, and not otherwise.
    pub tls: bool,
    /// Certificates (PEM) that are trusted in place of the machine's.
    pub ca_file: Option<PathBuf>,
    /// Name and password.
    pub login: Option<Login>,
    /// Whether it is told in the clear beyond this machine, because somebody said that it
    /// may be.
    pub beyond_in_clear: bool,
}

/// A name and its password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// User name.
    pub user: String,
    /// Password.
    pub password: Secret,
}

/// A user's name and password towards a camera.
pub type Login = Account;

/// One camera.
#[derive(Clone, Debug, PartialEq)]
pub struct Camera {
    /// Letters, digits, `-` and `_`; the path of its masked stream.
    pub id: String,
    /// Where its clear stream comes from: the main one, for whose picture profile and zones
    /// were made.
    pub source: Source,
    /// Its further streams, which show the same in other sizes; names unique.
    pub streams: Vec<Stream>,
    /// Fixed, or turning, or something between.
    pub kind: Kind,
    /// Its zones, or why there are none (then it is covered). Those of presets are theirs.
    pub masks: Masks,
    /// The file they come from; empty where presets have their own.
    pub masks_file: PathBuf,
    /// The longest time a frame may spend between arrival and the encoder.
    pub latency_budget: Duration,
    /// What is looked for in its picture, if anything.
    pub detect: Option<Detect>,
    /// How the masked stream is encoded.
    pub encoder: Encoder,
    /// When masks widen and when the picture is covered.
    pub limits: Limits,
    /// How far and how fast it may be steered.
    pub steering: Steering,
    /// Where a VMS finds it as an ONVIF device; none = nowhere.
    pub onvif_device: Option<OnvifDevice>,
    /// Where its masked stream is pushed to, names unique.
    pub publish: Vec<Publication>,
    /// What becomes of its sound, in all its streams.
    pub sound: Sound,
}

/// What becomes of a camera's sound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sound {
    /// It is never received, and there is no track of it.
    #[default]
    Drop,
    /// It is never received; a track of silence lies beside the picture.
    Mute,
    /// It leaves beside the picture, as it comes.
    Pass,
}

impl Sound {
    /// As it is written in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Mute => "mute",
            Self::Pass => "pass",
        }
    }
}

/// A further stream of a camera, masked as its main one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// Its name; its masked stream's path is `<camera id>/<name>`.
    pub name: String,
    /// Where it comes from.
    pub source: Source,
    /// How its masked stream is encoded.
    pub encoder: Encoder,
}

impl Camera {
    /// The files that its zones come from.
    pub fn masks_files(&self) -> impl Iterator<Item = &Path> {
        let presets: &[Preset] = match &self.kind {
            Kind::Presets(presets) => presets,
            Kind::Fixed | Kind::Ptz { .. } => &[],
        };
        let own = presets.is_empty().then_some(self.masks_file.as_path());
        own.into_iter()
            .chain(presets.iter().map(|p| p.masks_file.as_path()))
    }

    /// How many streams of it are masked, the main one included.
    pub fn streams_in_all(&self) -> usize {
        1 + self.streams.len()
    }

    /// The camera as one of its further streams shows it: id, source and encoder are the
    /// stream's, and it is published nowhere.
    #[must_use]
    pub fn seen_by(&self, stream: &Stream) -> Self {
        Self {
            id: format!("{}/{}", self.id, stream.name),
            source: stream.source.clone(),
            encoder: stream.encoder,
            streams: Vec::new(),
            onvif_device: None,
            publish: Vec::new(),
            ..self.clone()
        }
    }
}

/// A server elsewhere that the masked stream is pushed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// Its name.
    pub name: String,
    /// The server and the path on it, without credentials.
    pub url: String,
    /// In which protocol.
    pub over: PublishOver,
    /// Whether the masked stream leaves this machine in the clear by it, because
    /// somebody said that it may.
    pub beyond_in_clear: bool,
}

/// The protocol of a publication, by its URL, and what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublishOver {
    /// `rtsp` or `rtsps`.
    Rtsp {
        /// Who we are to the server.
        login: Option<Login>,
        /// Certificates (PEM) that alone are trusted; none = the machine's.
        ca_file: Option<PathBuf>,
    },
    /// `srt`.
    Srt {
        /// Who we are to the server.
        login: Option<Login>,
        /// What the stream is encrypted with.
        passphrase: Option<Secret>,
        /// How long lost packets are sent again.
        latency: Duration,
    },
    /// WHIP: `https` or `http`.
    Whip {
        /// What the server knows us by.
        token: Option<Secret>,
        /// Certificates (PEM) that alone are trusted; none = the machine's.
        ca_file: Option<PathBuf>,
    },
}

/// How far and how fast anybody may steer a camera through the gateway.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Steering {
    /// Highest speed, share of the camera's own, 0.01…1.
    pub most_speed: f64,
    /// The narrowest horizontal field of view that the purpose needs, degrees;
    /// none = whatever the lens can.
    pub least_hfov_deg: Option<f64>,
    /// Where more of the picture than this share would be hidden by zones, nobody is
    /// to look; none = anywhere.
    pub most_hidden_share: Option<f64>,
}

impl Default for Steering {
    /// No limits.
    fn default() -> Self {
        Self {
            most_speed: 1.0,
            least_hfov_deg: None,
            most_hidden_share: None,
        }
    }
}

/// A camera as an ONVIF device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnvifDevice {
    /// Its address.
    pub listen: SocketAddr,
    /// Whether it speaks TLS, with the certificate of the masked streams.
    pub tls: bool,
    /// Whether what it is asked leaves this machine in the clear, because somebody
    /// said that it may.
    pub beyond_in_clear: bool,
}

/// The zones of a camera, or the reason why there are none.
pub type Masks = Result<Arc<ZoneSet>, String>;

/// The clear stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// `rtsp://host[:port]/path`, without credentials.
    pub url: String,
    /// How RTP travels.
    pub transport: Transport,
    /// Who we are to the camera.
    pub login: Option<Login>,
    /// The jitter buffer's length.
    pub jitter_buffer: Duration,
    /// Without a frame for this long, the stream is started anew.
    pub stall: Duration,
}

/// How RTP travels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// Interleaved in the RTSP connection.
    #[default]
    Tcp,
    /// Datagrams.
    Udp,
}

/// Fixed, or turning, or something between.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// It never moves; its zones are points of the image.
    Fixed,
    /// It turns and cannot tell where it looks, but comes back to its presets exactly: the
    /// picture alone says whether it rests on one. At least one, ids unique.
    Presets(Vec<Preset>),
    /// It turns and tells where it looks.
    Ptz {
        /// Its geometry and limits, or why they could not be read (then it is covered).
        profile: Result<Arc<CameraProfile>, String>,
        /// How it tells its position.
        telemetry: Telemetry,
    },
}

/// A preset of a camera that cannot tell its position.
#[derive(Clone, Debug, PartialEq)]
pub struct Preset {
    /// Letters, digits, `-` and `_`.
    pub id: String,
    /// What people call it.
    pub name: Option<String>,
    /// Its zones, points of its picture, or why there are none (then it is covered).
    pub masks: Masks,
    /// The file they come from. Beside it lies what the preset looks like.
    pub masks_file: PathBuf,
}

impl Preset {
    /// What the zone document of preset `id` of `camera` calls its camera: no camera's id has
    /// a dot.
    pub fn place(camera: &str, id: &str) -> String {
        format!("{camera}.{id}")
    }
}

/// How a camera tells its position.
#[derive(Clone, Debug, PartialEq)]
pub struct Telemetry {
    /// In whose words.
    pub kind: TelemetryKind,
    /// The ONVIF device service, `http(s)://HOST[:PORT]` or `visca://HOST[:PORT]`.
    pub device_url: String,
    /// Who we are to the camera.
    pub login: Option<Login>,
    /// Certificates (PEM) that alone are trusted over https; none = the machine's.
    pub ca_pem: Option<Arc<str>>,
    /// Questions a second.
    pub rate_hz: f64,
    /// Whether positions are taken from the metadata stream beside the video, too.
    pub metadata: bool,
    /// Whether the picture is covered where it turns otherwise than positions say.
    pub check_picture: bool,
    /// An answer later than this is worth nothing.
    pub timeout: Duration,
}

/// In whose words a camera tells its position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TelemetryKind {
    /// ONVIF PTZ GetStatus.
    Onvif {
        /// The media profile to ask about; none = the first with a PTZ configuration.
        profile_token: Option<String>,
    },
    /// Axis VAPIX.
    Vapix(Untimed),
    /// Hikvision ISAPI.
    Isapi(Untimed),
    /// VISCA over IP.
    Visca(Untimed),
}

impl TelemetryKind {
    /// As people write it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Onvif { .. } => "ONVIF",
            Self::Vapix(_) => "VAPIX",
            Self::Isapi(_) => "ISAPI",
            Self::Visca(_) => "VISCA",
        }
    }

    /// The units of its positions; none = they name their spaces themselves.
    pub(super) fn units(&self) -> Option<&'static ReportUnits> {
        match self {
            Self::Onvif { .. } => None,
            Self::Vapix(_) => Some(&units::VAPIX),
            Self::Isapi(_) => Some(&units::ISAPI),
            Self::Visca(_) => Some(&units::VISCA),
        }
    }
}

/// A source that does not say when it measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Untimed {
    /// Video channel, from 1 on.
    pub channel: u32,
    /// How old a position may be at the question.
    pub age: Duration,
    /// How far the camera's clock and this machine's are apart at most; none = the
    /// answers' `Date` tells the camera's time.
    pub clock_within: Option<Duration>,
    /// Whether that holds only while the kernel says that its clock is synchronised.
    pub kernel_keeps_clock: bool,
}

/// What is looked for in a camera's picture and hidden.
#[derive(Clone, Debug, PartialEq)]
pub struct Detect {
    /// At least one, each once.
    pub classes: Vec<Class>,
    /// How what is found is hidden.
    pub style: Style,
    /// What becomes of the picture when nobody has looked for too long.
    pub when_silent: WhenSilent,
    /// How long that is.
    pub max_silence: Duration,
    /// CPU time that looking may take, share of one core.
    pub cpu_share: f64,
    /// Every part of the picture is looked at in its own size this often,
    /// where `cpu_share` allows it.
    pub sweep: Duration,
    /// Nothing that is looked for comes nearer to the camera than this, metres:
    /// what looks larger than it can from there is something else.
    pub nearest_m: Option<f64>,
}

/// How faces, plates and people are hidden. Zones are always grey.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Style {
    /// Grey.
    #[default]
    Solid,
    /// At most 5×5 flat colours each. They tell clothes and skin, and many
    /// frames of one face tell more than one does: choose it knowingly.
    Mosaic,
}

/// What becomes of a picture at which nobody has looked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhenSilent {
    /// It is covered.
    #[default]
    Cover,
    /// Only its zones are hidden.
    ZonesOnly,
}

/// How the masked stream is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoder {
    /// Which encoder.
    pub choice: EncoderChoice,
    /// Bits a second, in thousands.
    pub bitrate_kbit: u32,
    /// Frames from one key frame to the next.
    pub gop_frames: u32,
}

/// Which H.264 encoder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EncoderChoice {
    /// The first that works on this machine, see `design/`.
    #[default]
    Auto,
    /// VA-API.
    Vah264enc,
    /// NVIDIA.
    Nvh264enc,
    /// x264 (GPL plugin).
    X264enc,
    /// OpenH264 (BSD).
    Openh264enc,
}

impl EncoderChoice {
    /// As it is written in the configuration, which is also GStreamer's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Vah264enc => "vah264enc",
            Self::Nvh264enc => "nvh264enc",
            Self::X264enc => "x264enc",
            Self::Openh264enc => "openh264enc",
        }
    }
}

/// When masks widen and when the picture is covered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// From this margin on the state says `widened`, degrees.
    pub widened_deg: f64,
    /// From this margin on the whole frame is covered, share of its width.
    pub cover_margin_share: f64,
    /// A newest position older than this covers the frame.
    pub max_telemetry_age: Duration,
    /// A silence shorter than this was no restart of the camera, wherever it looks
    /// afterwards; `None`: nobody knows how long one takes.
    pub restart_takes: Option<Duration>,
}
