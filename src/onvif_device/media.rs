//! The media service, version 1: a profile for each masked stream (ONVIF Media Service
//! Specification; element names and their order are those of the published WSDL).

use super::answer::{Fault, escaped, tagged};
use super::device::Here;
use super::request::Request;
use super::{Picture, ptz};

/// The main stream's profile. A further stream's is this, a dash and its name; so is its
/// encoder's configuration. All show one video source.
const PROFILE: &str = "masked";
const SOURCE: &str = "source";
const SOURCE_CONFIGURATION: &str = "source-config";
const ENCODER_CONFIGURATION: &str = "encoder-config";

fn token(of_main: &str, picture: &Picture) -> String {
    match &picture.stream {
        Some(name) => format!("{of_main}-{name}"),
        None => of_main.to_owned(),
    }
}

/// The stream of the profile that is named. One that is not known is refused, and so is one
/// that must be named and is not.
pub(super) fn of_profile<'a>(
    request: &Request,
    pictures: &'a [Picture],
) -> Result<&'a Picture, Fault> {
    let named = request.text("ProfileToken");
    let found = named.and_then(|named| pictures.iter().find(|p| token(PROFILE, p) == named));
    found.ok_or_else(|| Fault::no_such("profile", &["ter:InvalidArgVal", "ter:NoProfile"]))
}

fn no_configuration() -> Fault {
    Fault::no_such("configuration", &["ter:InvalidArgVal", "ter:NoConfig"])
}

/// The stream whose encoder's configuration is named.
fn of_encoder<'a>(request: &Request, pictures: &'a [Picture]) -> Result<&'a Picture, Fault> {
    let named = request.text("ConfigurationToken");
    let all = &mut pictures.iter();
    let found = named.and_then(|named| all.find(|p| token(ENCODER_CONFIGURATION, p) == named));
    found.ok_or_else(no_configuration)
}

/// What is answered; none where the operation is none of this service's. The main stream is
/// the first of `pictures`.
pub(super) fn answer(
    request: &Request,
    pictures: &[Picture],
    here: &Here,
) -> Option<Result<String, Fault>> {
    let name = request.name();
    let all = |of: &dyn Fn(&Picture) -> String| pictures.iter().map(of).collect::<String>();
    let main = pictures.first()?;
    let source = |element: &str| source_configuration(element, main, pictures.len());
    let profile = |element: &str, p: &Picture| {
        let source = source("tt:VideoSourceConfiguration");
        profile(element, p, &source, here)
    };
    let inside = match name {
        "GetServiceCapabilities" => Ok(service_capabilities(pictures.len())),
        "GetProfiles" => Ok(all(&|p| profile("trt:Profiles", p))),
        "GetProfile" => of_profile(request, pictures).map(|p| profile("trt:Profile", p)),
        "GetVideoSources" => Ok(video_source(main)),
        "GetVideoSourceConfigurations" => Ok(source("trt:Configurations")),
        "GetVideoSourceConfiguration" => match request.text("ConfigurationToken") {
            Some(SOURCE_CONFIGURATION) => Ok(source("trt:Configuration")),
            _ => Err(no_configuration()),
        },
        "GetCompatibleVideoSourceConfigurations" => {
            of_profile(request, pictures).map(|_| source("trt:Configurations"))
        }
        "GetVideoEncoderConfigurations" => {
            Ok(all(&|p| encoder_configuration("trt:Configurations", p)))
        }
        "GetVideoEncoderConfiguration" => {
            of_encoder(request, pictures).map(|p| encoder_configuration("trt:Configuration", p))
        }
        "GetCompatibleVideoEncoderConfigurations" => {
            of_profile(request, pictures).map(|p| encoder_configuration("trt:Configurations", p))
        }
        "GetVideoEncoderConfigurationOptions" => {
            let asked = |name| request.text(name).is_some();
            let of = match (asked("ConfigurationToken"), asked("ProfileToken")) {
                (true, _) => of_encoder(request, pictures),
                (false, true) => of_profile(request, pictures),
                (false, false) => Ok(main),
            };
            of.map(encoder_options)
        }
        "GetStreamUri" => of_profile(request, pictures).map(|p| stream(here, p)),
        _ => return None,
    };
    Some(inside.map(|inside| tagged(&format!("trt:{name}Response"), &inside)))
}

fn service_capabilities(profiles: usize) -> String {
    format!(
        "<trt:Capabilities SnapshotUri=\"false\" Rotation=\"false\" \
         VideoSourceMode=\"false\" OSD=\"false\"><trt:ProfileCapabilities \
         MaximumNumberOfProfiles=\"{profiles}\"/>\
         <trt:StreamingCapabilities RTPMulticast=\"false\" RTP_TCP=\"true\" RTP_RTSP_TCP=\"true\"/>\
         </trt:Capabilities>"
    )
}

const MULTICAST: &str = "<tt:Multicast><tt:Address><tt:Type>IPv4</tt:Type>\
     <tt:IPv4Address>0.0.0.0</tt:IPv4Address></tt:Address><tt:Port>0</tt:Port><tt:TTL>1</tt:TTL>\
     <tt:AutoStart>false</tt:AutoStart></tt:Multicast>";

fn stream(here: &Here, picture: &Picture) -> String {
    let at = match &picture.stream {
        Some(name) => format!("{}/{name}", here.stream),
        None => here.stream.clone(),
    };
    format!(
        "<trt:MediaUri><tt:Uri>{}</tt:Uri><tt:InvalidAfterConnect>false</tt:InvalidAfterConnect>\
         <tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT0S</tt:Timeout></trt:MediaUri>",
        escaped(&at)
    )
}

fn resolution(picture: &Picture) -> String {
    format!(
        "<tt:Width>{}</tt:Width><tt:Height>{}</tt:Height>",
        picture.width, picture.height
    )
}

fn video_source(picture: &Picture) -> String {
    format!(
        "<trt:VideoSources token=\"{SOURCE}\"><tt:Framerate>{:.3}</tt:Framerate><tt:Resolution>{}</tt:Resolution></trt:VideoSources>",
        picture.fps,
        resolution(picture)
    )
}

fn profile(element: &str, picture: &Picture, source: &str, here: &Here) -> String {
    let ptz = match here.turns {
        true => ptz::configuration("tt:PTZConfiguration"),
        false => String::new(),
    };
    let token = token(PROFILE, picture);
    format!(
        "<{element} token=\"{token}\" fixed=\"true\"><tt:Name>{token}</tt:Name>{source}{}{ptz}</{element}>",
        encoder_configuration("tt:VideoEncoderConfiguration", picture),
    )
}

fn source_configuration(element: &str, picture: &Picture, uses: usize) -> String {
    format!(
        "<{element} token=\"{SOURCE_CONFIGURATION}\"><tt:Name>source</tt:Name><tt:UseCount>{uses}</tt:UseCount>\
         <tt:SourceToken>{SOURCE}</tt:SourceToken>\
         <tt:Bounds x=\"0\" y=\"0\" width=\"{}\" height=\"{}\"/></{element}>",
        picture.width, picture.height
    )
}

fn whole(fps: f64) -> u32 {
    fps.round().clamp(1.0, 1000.0) as u32
}

fn encoder_configuration(element: &str, picture: &Picture) -> String {
    let name = token(PROFILE, picture);
    let token = token(ENCODER_CONFIGURATION, picture);
    format!(
        "<{element} token=\"{token}\"><tt:Name>{name}</tt:Name><tt:UseCount>1</tt:UseCount>\
         <tt:Encoding>H264</tt:Encoding><tt:Resolution>{}</tt:Resolution><tt:Quality>5</tt:Quality>\
         <tt:RateControl><tt:FrameRateLimit>{}</tt:FrameRateLimit><tt:EncodingInterval>1</tt:EncodingInterval>\
         <tt:BitrateLimit>{}</tt:BitrateLimit></tt:RateControl><tt:H264><tt:GovLength>{}</tt:GovLength>\
         <tt:H264Profile>Baseline</tt:H264Profile></tt:H264>{MULTICAST}\
         <tt:SessionTimeout>PT60S</tt:SessionTimeout></{element}>",
        resolution(picture),
        whole(picture.fps),
        picture.bitrate_kbit,
        picture.gop_frames,
    )
}

/// What can be chosen: what is.
fn encoder_options(picture: &Picture) -> String {
    let only = |name: &str, value: u32| {
        format!("<tt:{name}><tt:Min>{value}</tt:Min><tt:Max>{value}</tt:Max></tt:{name}>")
    };
    format!(
        "<trt:Options>{}<tt:H264><tt:ResolutionsAvailable>{}</tt:ResolutionsAvailable>{}{}{}\
         <tt:H264ProfilesSupported>Baseline</tt:H264ProfilesSupported></tt:H264></trt:Options>",
        only("QualityRange", 5),
        resolution(picture),
        only("GovLengthRange", picture.gop_frames),
        only("FrameRateRange", whole(picture.fps)),
        only("EncodingIntervalRange", 1),
    )
}
