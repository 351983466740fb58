//! Answers to ONVIF operations. Element names and their order are those of the
//! published WSDL and schema files (ver10 device, media and PTZ).

use super::super::camera::{Camera, lock};
use super::position::{self, civil, utc, vectors};
use super::ptz;
use super::request::Element;

/// Addresses that answers name.
#[derive(Debug, Clone)]
pub(super) struct Addresses {
    /// Of this server, as `http://host:port`.
    pub(super) onvif: String,
    /// Of the stream.
    pub(super) rtsp: String,
}

/// A SOAP fault: ONVIF subcode and reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) code: &'static str,
    pub(super) subcode: &'static str,
    pub(super) reason: String,
}

impl Fault {
    /// The client's mistake.
    pub(super) fn sender(subcode: &'static str, reason: impl Into<String>) -> Self {
        Self {
            code: "s:Sender",
            subcode,
            reason: reason.into(),
        }
    }

    pub(super) fn into_xml(self) -> String {
        envelope(&format!(
            "<s:Fault><s:Code><s:Value>{}</s:Value><s:Subcode><s:Value>{}</s:Value></s:Subcode></s:Code>\
             <s:Reason><s:Text xml:lang=\"en\">{}</s:Text></s:Reason></s:Fault>",
            self.code,
            self.subcode,
            escaped(&self.reason)
        ))
    }
}

/// Text as XML content.
pub(super) fn escaped(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

/// An envelope around a body.
pub(super) fn envelope(body: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:trt="http://www.onvif.org/ver10/media/wsdl" xmlns:tptz="http://www.onvif.org/ver20/ptz/wsdl" xmlns:ter="http://www.onvif.org/ver10/error"><s:Body>{body}</s:Body></s:Envelope>"#
    )
}

/// Whether an operation needs no user (ONVIF Core, access class PRE_AUTH).
pub(super) fn is_public(operation: &str) -> bool {
    matches!(
        operation,
        "GetSystemDateAndTime"
            | "GetCapabilities"
            | "GetServices"
            | "GetServiceCapabilities"
            | "GetHostname"
    )
}

/// The body of the answer to an operation on the service at `path`.
pub(super) fn body(
    camera: &Camera,
    addresses: &Addresses,
    path: &str,
    request: &Element,
) -> Result<String, Fault> {
    let ptz_service = path.ends_with("ptz_service");
    let media_service = path.ends_with("media_service");
    match request.name.as_str() {
        "GetServiceCapabilities" if ptz_service => Ok(
            "<tptz:GetServiceCapabilitiesResponse><tptz:Capabilities EFlip=\"false\" Reverse=\"false\" GetCompatibleConfigurations=\"false\" MoveStatus=\"true\" StatusPosition=\"true\"/></tptz:GetServiceCapabilitiesResponse>".to_owned(),
        ),
        "GetServiceCapabilities" if media_service => Ok(
            "<trt:GetServiceCapabilitiesResponse><trt:Capabilities SnapshotUri=\"false\" Rotation=\"false\"><trt:ProfileCapabilities MaximumNumberOfProfiles=\"1\"/><trt:StreamingCapabilities RTPMulticast=\"false\" RTP_TCP=\"true\" RTP_RTSP_TCP=\"true\"/></trt:Capabilities></trt:GetServiceCapabilitiesResponse>".to_owned(),
        ),
        "GetServiceCapabilities" => Ok(
            "<tds:GetServiceCapabilitiesResponse><tds:Capabilities><tds:Network/><tds:Security UsernameToken=\"true\" HttpDigest=\"false\"/><tds:System/></tds:Capabilities></tds:GetServiceCapabilitiesResponse>".to_owned(),
        ),
        "GetSystemDateAndTime" => Ok(date_and_time(camera)),
        "GetCapabilities" => Ok(capabilities(addresses)),
        "GetServices" => Ok(services(addresses)),
        "GetDeviceInformation" => Ok(
            "<tds:GetDeviceInformationResponse><tds:Manufacturer>greyplane</tds:Manufacturer><tds:Model>sim</tds:Model><tds:FirmwareVersion>1.0</tds:FirmwareVersion><tds:SerialNumber>0</tds:SerialNumber><tds:HardwareId>sim</tds:HardwareId></tds:GetDeviceInformationResponse>".to_owned(),
        ),
        "GetHostname" => Ok(
            "<tds:GetHostnameResponse><tds:HostnameInformation><tt:FromDHCP>false</tt:FromDHCP><tt:Name>greyplane-sim</tt:Name></tds:HostnameInformation></tds:GetHostnameResponse>".to_owned(),
        ),
        "GetScopes" => Ok(
            "<tds:GetScopesResponse><tds:Scopes><tt:ScopeDef>Fixed</tt:ScopeDef><tt:ScopeItem>onvif://www.onvif.org/type/ptz</tt:ScopeItem></tds:Scopes></tds:GetScopesResponse>".to_owned(),
        ),
        "GetProfiles" => Ok(format!(
            "<trt:GetProfilesResponse>{}</trt:GetProfilesResponse>",
            profile(camera, "trt:Profiles")
        )),
        "GetProfile" => Ok(format!(
            "<trt:GetProfileResponse>{}</trt:GetProfileResponse>",
            profile(camera, "trt:Profile")
        )),
        "GetStreamUri" => {
            known_profile(request)?;
            Ok(format!(
                "<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>{}</tt:Uri><tt:InvalidAfterConnect>false</tt:InvalidAfterConnect><tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT0S</tt:Timeout></trt:MediaUri></trt:GetStreamUriResponse>",
                escaped(&addresses.rtsp)
            ))
        }
        "GetVideoSources" => {
            let c = &camera.config;
            Ok(format!(
                "<trt:GetVideoSourcesResponse><trt:VideoSources token=\"source\"><tt:Framerate>{}</tt:Framerate><tt:Resolution><tt:Width>{}</tt:Width><tt:Height>{}</tt:Height></tt:Resolution></trt:VideoSources></trt:GetVideoSourcesResponse>",
                c.fps, c.width, c.height
            ))
        }
        _ => ptz::body(camera, request),
    }
}

/// Refuses a profile token that is not ours.
pub(super) fn known_profile(request: &Element) -> Result<(), Fault> {
    match request.text_of("ProfileToken") {
        Some(PROFILE) => Ok(()),
        other => Err(Fault::sender(
            "ter:InvalidArgVal",
            format!("no profile {:.40}", other.unwrap_or("(none)")),
        )),
    }
}

/// The token of the only profile.
const PROFILE: &str = "main";

fn date_and_time(camera: &Camera) -> String {
    let s = camera.utc_at(camera.now_ns()).0.div_euclid(1_000_000_000);
    let (year, month, day) = civil(s.div_euclid(86_400));
    let s = s.rem_euclid(86_400);
    format!(
        "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings><tt:TimeZone><tt:TZ>UTC0</tt:TZ></tt:TimeZone><tt:UTCDateTime><tt:Time><tt:Hour>{}</tt:Hour><tt:Minute>{}</tt:Minute><tt:Second>{}</tt:Second></tt:Time><tt:Date><tt:Year>{year}</tt:Year><tt:Month>{month}</tt:Month><tt:Day>{day}</tt:Day></tt:Date></tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>",
        s / 3600,
        s / 60 % 60,
        s % 60
    )
}

fn capabilities(addresses: &Addresses) -> String {
    let at = escaped(&addresses.onvif);
    format!(
        "<tds:GetCapabilitiesResponse><tds:Capabilities><tt:Device><tt:XAddr>{at}/onvif/device_service</tt:XAddr></tt:Device><tt:Media><tt:XAddr>{at}/onvif/media_service</tt:XAddr><tt:StreamingCapabilities><tt:RTPMulticast>false</tt:RTPMulticast><tt:RTP_TCP>true</tt:RTP_TCP><tt:RTP_RTSP_TCP>true</tt:RTP_RTSP_TCP></tt:StreamingCapabilities></tt:Media><tt:PTZ><tt:XAddr>{at}/onvif/ptz_service</tt:XAddr></tt:PTZ></tds:Capabilities></tds:GetCapabilitiesResponse>"
    )
}

fn services(addresses: &Addresses) -> String {
    let at = escaped(&addresses.onvif);
    let all: String = [
        ("http://www.onvif.org/ver10/device/wsdl", "device_service"),
        ("http://www.onvif.org/ver10/media/wsdl", "media_service"),
        ("http://www.onvif.org/ver20/ptz/wsdl", "ptz_service"),
    ]
    .iter()
    .map(|(namespace, path)| {
        format!(
            "<tds:Service><tds:Namespace>{namespace}</tds:Namespace><tds:XAddr>{at}/onvif/{path}</tds:XAddr><tds:Version><tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></tds:Version></tds:Service>"
        )
    })
    .collect();
    format!("<tds:GetServicesResponse>{all}</tds:GetServicesResponse>")
}

fn profile(camera: &Camera, element: &str) -> String {
    let c = &camera.config;
    let (w, h) = (c.width, c.height);
    format!(
        "<{element} token=\"{PROFILE}\" fixed=\"true\"><tt:Name>main</tt:Name><tt:VideoSourceConfiguration token=\"source-config\"><tt:Name>source</tt:Name><tt:UseCount>1</tt:UseCount><tt:SourceToken>source</tt:SourceToken><tt:Bounds x=\"0\" y=\"0\" width=\"{w}\" height=\"{h}\"/></tt:VideoSourceConfiguration><tt:VideoEncoderConfiguration token=\"encoder-config\"><tt:Name>encoder</tt:Name><tt:UseCount>1</tt:UseCount><tt:Encoding>H264</tt:Encoding><tt:Resolution><tt:Width>{w}</tt:Width><tt:Height>{h}</tt:Height></tt:Resolution><tt:Quality>5</tt:Quality><tt:RateControl><tt:FrameRateLimit>{fps}</tt:FrameRateLimit><tt:EncodingInterval>1</tt:EncodingInterval><tt:BitrateLimit>{kbps}</tt:BitrateLimit></tt:RateControl><tt:H264><tt:GovLength>{gop}</tt:GovLength><tt:H264Profile>Baseline</tt:H264Profile></tt:H264>{MULTICAST}<tt:SessionTimeout>PT60S</tt:SessionTimeout></tt:VideoEncoderConfiguration>{ptz}<tt:MetadataConfiguration token=\"metadata-config\"><tt:Name>metadata</tt:Name><tt:UseCount>1</tt:UseCount><tt:PTZStatus><tt:Status>true</tt:Status><tt:Position>true</tt:Position></tt:PTZStatus>{MULTICAST}<tt:SessionTimeout>PT60S</tt:SessionTimeout></tt:MetadataConfiguration></{element}>",
        fps = c.fps,
        kbps = c.bitrate_kbps,
        gop = c.gop,
        ptz = ptz::configuration(camera, "tt:PTZConfiguration"),
    )
}

const MULTICAST: &str = "<tt:Multicast><tt:Address><tt:Type>IPv4</tt:Type><tt:IPv4Address>0.0.0.0</tt:IPv4Address></tt:Address><tt:Port>0</tt:Port><tt:TTL>1</tt:TTL><tt:AutoStart>false</tt:AutoStart></tt:Multicast>";

/// One `tptz:Preset` element.
pub(super) fn presets(camera: &Camera) -> String {
    let all: String = lock(&camera.presets)
        .iter()
        .map(|(token, (name, place))| {
            format!(
                "<tptz:Preset token=\"{}\"><tt:Name>{}</tt:Name><tt:PTZPosition>{}</tt:PTZPosition></tptz:Preset>",
                escaped(token),
                escaped(name),
                vectors(&camera.config, place)
            )
        })
        .collect();
    format!("<tptz:GetPresetsResponse>{all}</tptz:GetPresetsResponse>")
}

/// The status of the PTZ unit now.
pub(super) fn status(camera: &Camera) -> Result<String, Fault> {
    let measured = camera.measure().ok_or_else(|| Fault {
        code: "s:Receiver",
        subcode: "ter:NoStatus",
        reason: format!("starting up at {}", utc(camera.utc_at(camera.now_ns()))),
    })?;
    Ok(format!(
        "<tptz:GetStatusResponse><tptz:PTZStatus>{}</tptz:PTZStatus></tptz:GetStatusResponse>",
        position::status(camera, &measured)
    ))
}
