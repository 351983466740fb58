//! The media service, version 1: one profile, the masked stream (ONVIF Media Service
//! Specification; element names and their order are those of the published WSDL).

use super::answer::{Fault, escaped, tagged};
use super::device::Here;
use super::request::Request;
use super::{Picture, ptz};

/// The only profile.
pub(super) const PROFILE: &str = "masked";
const SOURCE: &str = "source";
const SOURCE_CONFIGURATION: &str = "source-config";
const ENCODER_CONFIGURATION: &str = "encoder-config";

/// Refuses what names another profile; one that must be named and is not, too.
pub(super) fn known_profile(request: &Request) -> Result<(), Fault> {
    match request.text("ProfileToken") {
        Some(PROFILE) => Ok(()),
        _ => Err(Fault::no_such(
            "profile",
            &["ter:InvalidArgVal", "ter:NoProfile"],
        )),
    }
}

fn known_configuration(request: &Request, token: &str, optional: bool) -> Result<(), Fault> {
    match request.text("ConfigurationToken") {
        None if optional => Ok(()),
        Some(found) if found == token => Ok(()),
        _ => Err(Fault::no_such(
            "configuration",
            &["ter:InvalidArgVal", "ter:NoConfig"],
        )),
    }
}

/// What is answered; none where the operation is none of this service's.
pub(super) fn answer(
    request: &Request,
    picture: &Picture,
    here: &Here,
) -> Option<Result<String, Fault>> {
    let name = request.name();
    let of = |checked: Result<(), Fault>, inside: String| checked.map(|()| inside);
    let source = |element: &str| source_configuration(element, picture);
    let encoder = |element: &str| encoder_configuration(element, picture);
    let inside = match name {
        "GetServiceCapabilities" => Ok(SERVICE_CAPABILITIES.to_owned()),
        "GetProfiles" => Ok(profile("trt:Profiles", picture, here)),
        "GetProfile" => of(
            known_profile(request),
            profile("trt:Profile", picture, here),
        ),
        "GetVideoSources" => Ok(video_source(picture)),
        "GetVideoSourceConfigurations" => Ok(source("trt:Configurations")),
        "GetVideoSourceConfiguration" => of(
            known_configuration(request, SOURCE_CONFIGURATION, false),
            source("trt:Configuration"),
        ),
        "GetCompatibleVideoSourceConfigurations" => {
            of(known_profile(request), source("trt:Configurations"))
        }
        "GetVideoEncoderConfigurations" => Ok(encoder("trt:Configurations")),
        "GetVideoEncoderConfiguration" => of(
            known_configuration(request, ENCODER_CONFIGURATION, false),
            encoder("trt:Configuration"),
        ),
        "GetCompatibleVideoEncoderConfigurations" => {
            of(known_profile(request), encoder("trt:Configurations"))
        }
        "GetVideoEncoderConfigurationOptions" => of(
            known_configuration(request, ENCODER_CONFIGURATION, true),
            encoder_options(picture),
        ),
        "GetStreamUri" => of(known_profile(request), stream(here)),
        _ => return None,
    };
    Some(inside.map(|inside| tagged(&format!("trt:{name}Response"), &inside)))
}

const SERVICE_CAPABILITIES: &str = "<trt:Capabilities SnapshotUri=\"false\" Rotation=\"false\" \
     VideoSourceMode=\"false\" OSD=\"false\"><trt:ProfileCapabilities MaximumNumberOfProfiles=\"1\"/>\
     <trt:StreamingCapabilities RTPMulticast=\"false\" RTP_TCP=\"true\" RTP_RTSP_TCP=\"true\"/>\
     </trt:Capabilities>";

const MULTICAST: &str = "<tt:Multicast><tt:Address><tt:Type>IPv4</tt:Type>\
     <tt:IPv4Address>0.0.0.0</tt:IPv4Address></tt:Address><tt:Port>0</tt:Port><tt:TTL>1</tt:TTL>\
     <tt:AutoStart>false</tt:AutoStart></tt:Multicast>";

fn stream(here: &Here) -> String {
    format!(
        "<trt:MediaUri><tt:Uri>{}</tt:Uri><tt:InvalidAfterConnect>false</tt:InvalidAfterConnect>\
         <tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT0S</tt:Timeout></trt:MediaUri>",
        escaped(&here.stream)
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

fn profile(element: &str, picture: &Picture, here: &Here) -> String {
    let ptz = match here.turns {
        true => ptz::configuration("tt:PTZConfiguration"),
        false => String::new(),
    };
    format!(
        "<{element} token=\"{PROFILE}\" fixed=\"true\"><tt:Name>masked</tt:Name>{}{}{ptz}</{element}>",
        source_configuration("tt:VideoSourceConfiguration", picture),
        encoder_configuration("tt:VideoEncoderConfiguration", picture),
    )
}

fn source_configuration(element: &str, picture: &Picture) -> String {
    format!(
        "<{element} token=\"{SOURCE_CONFIGURATION}\"><tt:Name>source</tt:Name><tt:UseCount>1</tt:UseCount>\
         <tt:SourceToken>{SOURCE}</tt:SourceToken>\
         <tt:Bounds x=\"0\" y=\"0\" width=\"{}\" height=\"{}\"/></{element}>",
        picture.width, picture.height
    )
}

fn whole(fps: f64) -> u32 {
    fps.round().clamp(1.0, 1000.0) as u32
}

fn encoder_configuration(element: &str, picture: &Picture) -> String {
    format!(
        "<{element} token=\"{ENCODER_CONFIGURATION}\"><tt:Name>masked</tt:Name><tt:UseCount>1</tt:UseCount>\
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
