//! What a camera says that it is: device, services, media profiles, accounts, and what it
//! does to its own picture. What is missing stays missing. Must not know positions.

use super::address::stream_url;
use crate::doctor::Finding;
use crate::onvif::answers::short;
use crate::onvif::xml::Element;
use crate::onvif::{CameraError, OnvifCamera, Service, escaped};
use crate::pipeline;
use serde::Serialize;

pub(super) const DEVICE: Service = Service {
    namespace: "http://www.onvif.org/ver10/device/wsdl",
    prefix: "tds",
};
pub(super) const MEDIA: Service = Service {
    namespace: "http://www.onvif.org/ver10/media/wsdl",
    prefix: "trt",
};
pub(super) const MEDIA2: Service = Service {
    namespace: "http://www.onvif.org/ver20/media/wsdl",
    prefix: "tr2",
};
pub(super) const PTZ: Service = Service {
    namespace: "http://www.onvif.org/ver20/ptz/wsdl",
    prefix: "tptz",
};
pub(super) const IMAGING: Service = Service {
    namespace: "http://www.onvif.org/ver20/imaging/wsdl",
    prefix: "timg",
};
/// More profiles are not asked for their streams.
const MOST_PROFILES: usize = 16;

/// What a camera says that it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DeviceFacts {
    /// Who made it.
    pub manufacturer: String,
    /// Which model it is.
    pub model: String,
    /// Its firmware.
    pub firmware: String,
    /// Its serial number.
    pub serial: String,
}

impl DeviceFacts {
    pub(super) fn finding(&self) -> Finding {
        let Self {
            manufacturer,
            model,
            firmware,
            serial,
        } = self;
        let what = format!("{manufacturer} {model}, firmware {firmware}, serial {serial}");
        Finding::good("device", what)
    }
}

/// One media profile.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ProfileFacts {
    /// Its token.
    pub token: String,
    /// Its name.
    pub name: String,
    /// How video is coded, as the camera says.
    pub encoding: Option<String>,
    /// Width and height, pixels, as it says.
    pub size: Option<(u32, u32)>,
    /// Pictures per second, as it says.
    pub fps: Option<f64>,
    /// Bit rate, kbit/s, as it says.
    pub bitrate_kbit: Option<f64>,
    /// Whether it has a PTZ configuration.
    pub turns: bool,
    /// Where its stream is, at the host that was probed, without credentials.
    pub url: Option<String>,
    #[serde(skip)]
    pub(super) node: Option<String>,
    #[serde(skip)]
    pub(super) ptz_configuration: Option<String>,
    #[serde(skip)]
    pub(super) source: Option<String>,
    #[serde(skip)]
    pub(super) source_configuration: Option<String>,
    #[serde(skip)]
    pub(super) by_media2: bool,
}

/// Where a camera's services are, as it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Services {
    pub(super) media: Option<String>,
    pub(super) media2: Option<String>,
    pub(super) ptz: Option<String>,
    pub(super) imaging: Option<String>,
}

/// A camera that lets us in.
pub(super) struct Camera {
    onvif: OnvifCamera,
    services: Services,
}

/// Asks what it is and where its services are.
pub(super) async fn begin(onvif: OnvifCamera) -> Result<(Camera, DeviceFacts), CameraError> {
    let told = onvif.ask(DEVICE, None, "GetDeviceInformation", "").await?;
    let said = |name: &str| text(&told, &[name]).unwrap_or_else(|| "unknown".to_owned());
    let device = DeviceFacts {
        manufacturer: said("Manufacturer"),
        model: said("Model"),
        firmware: said("FirmwareVersion"),
        serial: said("SerialNumber"),
    };
    let services = services(&onvif).await?;
    Ok((Camera { onvif, services }, device))
}

async fn services(onvif: &OnvifCamera) -> Result<Services, CameraError> {
    let body = "<tds:IncludeCapability>false</tds:IncludeCapability>";
    let listed = onvif.ask(DEVICE, None, "GetServices", body).await;
    if let Ok(listed) = &listed {
        let at = |service: Service| {
            let mut all = listed.children.iter().filter(|s| s.name == "Service");
            let named = |s: &&Element| {
                let namespace = s.only("Namespace").map(|n| n.text.as_str());
                namespace == Some(service.namespace)
            };
            Some(all.find(named)?.only("XAddr")?.text.clone())
        };
        return Ok(Services {
            media: at(MEDIA),
            media2: at(MEDIA2),
            ptz: at(PTZ),
            imaging: at(IMAGING),
        });
    }
    // GetServices came with ONVIF 2.1; older cameras have the other.
    let body = "<tds:Category>All</tds:Category>";
    let told = onvif.ask(DEVICE, None, "GetCapabilities", body).await?;
    let at = |name: &str| {
        let address = told.path(&["Capabilities", name, "XAddr"])?;
        Some(address.text.clone()).filter(|a| !a.is_empty())
    };
    Ok(Services {
        media: at("Media"),
        media2: None,
        ptz: at("PTZ"),
        imaging: at("Imaging"),
    })
}

impl Camera {
    pub(super) fn onvif(&self) -> &OnvifCamera {
        &self.onvif
    }

    pub(super) fn services(&self) -> &Services {
        &self.services
    }

    pub(super) fn turn_to(&mut self, profile_token: &str) {
        let ptz = self.services.ptz.clone();
        self.onvif.turn_to(ptz.as_deref(), profile_token);
    }

    /// What `service` says to `name`; none where the camera has no such service or
    /// refuses.
    pub(super) async fn told(&self, service: Service, name: &str, inside: &str) -> Option<Element> {
        let address = match service.prefix {
            "tds" => None,
            "trt" => Some(self.services.media.as_deref()?),
            "tr2" => Some(self.services.media2.as_deref()?),
            "tptz" => Some(self.services.ptz.as_deref()?),
            _ => Some(self.services.imaging.as_deref()?),
        };
        let answer = self.onvif.ask(service, address, name, inside).await;
        answer.ok()
    }

    /// All media profiles with their streams, and what is to be said about them.
    pub(super) async fn profiles(&self, device_url: &str) -> (Vec<ProfileFacts>, Vec<Finding>) {
        const CHECK: &str = "profiles";
        let mut profiles = match self.told(MEDIA, "GetProfiles", "").await {
            Some(told) => each(&told, "Profiles").filter_map(profile).collect(),
            None => Vec::new(),
        };
        let body = "<tr2:Type>All</tr2:Type>";
        if let Some(told) = self.told(MEDIA2, "GetProfiles", body).await {
            for newer in each(&told, "Profiles").filter_map(profile2) {
                match profiles.iter_mut().find(|p| p.token == newer.token) {
                    // The older service has no word for H.265.
                    Some(known) => known.encoding = newer.encoding.or(known.encoding.take()),
                    None => profiles.push(newer),
                }
            }
        }
        profiles.truncate(MOST_PROFILES);
        if profiles.is_empty() {
            let what = "the camera lists no media profile";
            let remedy = "make one in the camera, with video, and PTZ where it turns";
            return (profiles, vec![Finding::bad(CHECK, what, remedy)]);
        }
        let mut findings = Vec::new();
        for profile in &mut profiles {
            findings.extend(self.find_stream(profile, device_url).await);
            findings.push(taken(profile));
        }
        (profiles, findings)
    }

    async fn find_stream(&self, profile: &mut ProfileFacts, device_url: &str) -> Option<Finding> {
        const CHECK: &str = "stream-address";
        profile.encoding.as_ref()?;
        let told = self.stream_uri(profile).await;
        let Some(told) = told else {
            let what = format!("profile {} has no stream address", profile.token);
            return Some(Finding::doubt(CHECK, what, "give another profile's token"));
        };
        let Some(found) = stream_url(&told, device_url) else {
            // Not said what it is: there may be a password in it.
            let what = format!(
                "profile {}: its stream address cannot be used",
                profile.token
            );
            let remedy = "an rtsp address without a password in it is needed; give another profile's token, or write url yourself";
            return Some(Finding::doubt(CHECK, what, remedy));
        };
        profile.url = Some(found.url);
        if let Some(host) = found.other_host {
            let what = format!(
                "profile {}: the camera names its stream at {}, and was asked elsewhere; the address that was asked is used",
                profile.token,
                short(&host)
            );
            let remedy =
                "set the camera's own address right, or see that the stream's port leads there";
            return Some(Finding::doubt(CHECK, what, remedy));
        }
        found.told_credentials.then(|| {
            let what = format!(
                "profile {}: the camera tells a login in its stream's address",
                profile.token
            );
            Finding::doubt(
                CHECK,
                what,
                "update its firmware: whoever may ask for the address has the password",
            )
        })
    }

    /// As the camera says it.
    async fn stream_uri(&self, profile: &ProfileFacts) -> Option<String> {
        let (service, body) = stream_question(profile);
        let told = self.told(service, "GetStreamUri", &body).await?;
        stream_answer(&told)
    }

    /// Who else has an account.
    pub(super) async fn accounts(&self, ours: &str) -> Option<Finding> {
        const CHECK: &str = "accounts";
        let told = self.told(DEVICE, "GetUsers", "").await;
        let Some(told) = told else {
            let what = "the camera does not tell who else has an account";
            let remedy = "look in the camera: whoever logs in there sees the clear stream";
            return Some(Finding::doubt(CHECK, what, remedy));
        };
        let users: Vec<(String, String)> = each(&told, "User")
            .filter_map(|u| Some((text(u, &["Username"])?, text(u, &["UserLevel"])?)))
            .collect();
        let others: Vec<String> = users
            .iter()
            .filter(|(name, _)| name != ours)
            .map(|(name, level)| format!("{name} ({level})"))
            .collect();
        let admin = users.iter().any(|(n, l)| n == ours && l == "Administrator");
        Some(match (others.is_empty(), admin) {
            (true, false) => Finding::good(CHECK, "only the account that asked"),
            (true, true) => Finding::doubt(
                CHECK,
                "the gateway would log in as an administrator",
                "make it an account of its own, of the level Operator (User where nobody steers)",
            ),
            (false, _) => Finding::doubt(
                CHECK,
                format!(
                    "these too can reach the clear stream: {}",
                    others.join(", ")
                ),
                "remove those that are not needed, and let nobody but the gateway reach the camera (a network of its own, a firewall)",
            ),
        })
    }

    /// Masks of the camera's own.
    pub(super) async fn masks(&self, profile: &ProfileFacts) -> Option<Finding> {
        const CHECK: &str = "masks";
        let told = self.told(MEDIA2, "GetMasks", "").await;
        let masks = told.map(|t| each(&t, "Masks").count());
        let options = match &profile.source_configuration {
            Some(token) => {
                let token = escaped(token);
                let body = format!("<tr2:ConfigurationToken>{token}</tr2:ConfigurationToken>");
                self.told(MEDIA2, "GetMaskOptions", &body).await
            }
            None => None,
        };
        let most = options.as_ref().and_then(|o| {
            text(o, &["Options", "MaxMasks"])
                .or_else(|| o.only("Options")?.attribute("MaxMasks").map(short))
        });
        let what = match (masks, most) {
            (None | Some(0), None) => return None,
            (Some(n), Some(most)) => {
                format!("the camera has {n} masks of its own, of at most {most}")
            }
            (Some(n), None) => format!("the camera has {n} masks of its own"),
            (None, Some(most)) => format!("the camera can have {most} masks of its own"),
        };
        let what = format!("{what}; whoever may log in can turn them off over the network");
        let remedy = "do not rely on them: draw every private place as a zone of greyplane";
        Some(Finding::doubt(CHECK, what, remedy))
    }

    /// What the camera does to its picture that moves it, or writes on it.
    pub(super) async fn picture(&self, profile: &ProfileFacts) -> Vec<Finding> {
        let mut findings = Vec::new();
        if let Some(token) = &profile.source {
            let token = escaped(token);
            let body = format!("<timg:VideoSourceToken>{token}</timg:VideoSourceToken>");
            let told = self.told(IMAGING, "GetImagingSettings", &body).await;
            findings.extend(told.as_ref().and_then(stabiliser));
        }
        let told = self.told(MEDIA, "GetOSDs", "").await;
        if let Some(n) = told.map(|t| each(&t, "OSDs").count()).filter(|n| *n > 0) {
            let what = format!("the camera writes {n} texts or pictures onto its picture");
            findings.push(Finding::good("overlays", what));
        }
        findings
    }
}

/// How a profile's stream address is asked for.
pub(super) fn stream_question(profile: &ProfileFacts) -> (Service, String) {
    let token = escaped(&profile.token);
    if profile.by_media2 {
        let body = format!(
            "<tr2:Protocol>RTSP</tr2:Protocol><tr2:ProfileToken>{token}</tr2:ProfileToken>"
        );
        return (MEDIA2, body);
    }
    let body = format!(
        "<trt:StreamSetup><tt:Stream>RTP-Unicast</tt:Stream><tt:Transport><tt:Protocol>RTSP</tt:Protocol></tt:Transport></trt:StreamSetup>\
         <trt:ProfileToken>{token}</trt:ProfileToken>"
    );
    (MEDIA, body)
}

/// The address as it is told, of either media service.
pub(super) fn stream_answer(told: &Element) -> Option<String> {
    let uri = told
        .path(&["MediaUri", "Uri"])
        .or_else(|| told.only("Uri"))?;
    Some(uri.text.clone()).filter(|u| !u.is_empty())
}

/// A stabiliser shifts the picture without a word in telemetry.
pub(super) fn stabiliser(told: &Element) -> Option<Finding> {
    const CHECK: &str = "stabiliser";
    let mode = text(deep(told, "ImageStabilization")?, &["Mode"])?;
    Some(match mode.as_str() {
        "OFF" => Finding::good(CHECK, "image stabilisation is off"),
        _ => Finding::bad(
            CHECK,
            format!(
                "image stabilisation is {mode}: it shifts the picture, and the position does not say so"
            ),
            "switch it off in the camera",
        ),
    })
}

/// What the gateway says to a profile's codec.
pub(super) fn taken(profile: &ProfileFacts) -> Finding {
    const CHECK: &str = "profiles";
    let number = |n: f64| format!("{}", (n * 10.0).round() / 10.0);
    let mut what = format!("{} ({})", profile.token, profile.name);
    let Some(encoding) = &profile.encoding else {
        return Finding::good(CHECK, format!("{what}: no video"));
    };
    what = format!("{what}: {encoding}");
    if let Some((width, height)) = profile.size {
        what = format!("{what} {width}x{height}");
    }
    if let Some(fps) = profile.fps {
        what = format!("{what} {}/s", number(fps));
    }
    if let Some(kbit) = profile.bitrate_kbit {
        what = format!("{what}, {} kbit/s", number(kbit));
    }
    if profile.turns {
        what.push_str(", turns");
    }
    let name = match encoding.as_str() {
        "H264" => "H.264",
        "H265" => "H.265",
        "JPEG" => "MJPEG",
        other => other,
    };
    let codecs = match pipeline::codecs_here() {
        Ok(codecs) => codecs,
        Err(e) => return Finding::doubt(CHECK, what, e.to_string()),
    };
    match codecs.iter().find(|(known, _)| *known == name) {
        Some((_, Ok(()))) => Finding::good(CHECK, what),
        Some((_, Err(e))) => Finding::doubt(CHECK, what, e.to_string()),
        None => {
            let names: Vec<&str> = codecs.iter().map(|(name, _)| *name).collect();
            let remedy = format!(
                "the gateway does not take it: set it to one of {}",
                names.join(", ")
            );
            Finding::doubt(CHECK, what, remedy)
        }
    }
}

fn profile(told: &Element) -> Option<ProfileFacts> {
    let encoder = told.only("VideoEncoderConfiguration");
    let source = told.only("VideoSourceConfiguration");
    let ptz = told.only("PTZConfiguration");
    Some(facts(told, encoder, source, ptz)?.with_media(false))
}

fn profile2(told: &Element) -> Option<ProfileFacts> {
    let inside = told.only("Configurations");
    let of = |name: &str| inside.and_then(|i| i.only(name));
    Some(facts(told, of("VideoEncoder"), of("VideoSource"), of("PTZ"))?.with_media(true))
}

fn facts(
    told: &Element,
    encoder: Option<&Element>,
    source: Option<&Element>,
    ptz: Option<&Element>,
) -> Option<ProfileFacts> {
    let side = |name: &str| text(encoder?, &["Resolution", name])?.parse().ok();
    let rate = |name: &str| number(encoder?, &["RateControl", name]);
    let token = |e: Option<&Element>| Some(short(e?.attribute("token")?));
    Some(ProfileFacts {
        token: told.attribute("token")?.to_owned(),
        name: text(told, &["Name"]).unwrap_or_default(),
        encoding: encoder.and_then(|e| text(e, &["Encoding"])),
        size: side("Width").zip(side("Height")),
        fps: rate("FrameRateLimit"),
        bitrate_kbit: rate("BitrateLimit"),
        turns: ptz.is_some(),
        url: None,
        node: ptz.and_then(|p| text(p, &["NodeToken"])),
        ptz_configuration: token(ptz),
        source: source.and_then(|s| text(s, &["SourceToken"])),
        source_configuration: token(source),
        by_media2: false,
    })
}

impl ProfileFacts {
    fn with_media(self, by_media2: bool) -> Self {
        Self { by_media2, ..self }
    }
}

/// The children of this name.
pub(super) fn each<'e>(of: &'e Element, name: &'e str) -> impl Iterator<Item = &'e Element> {
    of.children.iter().filter(move |c| c.name == name)
}

/// The text at a path, one short line of it; none where it is empty.
pub(super) fn text(of: &Element, path: &[&str]) -> Option<String> {
    let found = short(&of.path(path)?.text);
    Some(found).filter(|t| !t.is_empty())
}

/// The finite number at a path.
pub(super) fn number(of: &Element, path: &[&str]) -> Option<f64> {
    let found: f64 = of.path(path)?.text.parse().ok()?;
    found.is_finite().then_some(found)
}

/// The first element of this name, however deep: vendors disagree about extensions.
pub(super) fn deep<'e>(of: &'e Element, name: &str) -> Option<&'e Element> {
    of.children.iter().find_map(|c| {
        if c.name == name {
            Some(c)
        } else {
            deep(c, name)
        }
    })
}
