//! The device service: who this is, what time it is, where the other services are
//! (ONVIF Core Specification, 8; element names and their order are those of the
//! published WSDL).

use super::answer::{Fault, escaped, tagged};
use super::request::Request;
use crate::clock::WallTime;
use crate::onvif::utc;
use sha2::{Digest, Sha256};
use std::net::IpAddr;

/// Where everything is, as whoever asks has to call it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Here {
    /// `http://HOST:PORT`.
    pub(super) services: String,
    /// The address that they are told to be at.
    pub(super) address: IpAddr,
    /// Of the masked main stream; a further one's name is put behind it.
    pub(super) stream: String,
    /// Whether the camera can be steered here.
    pub(super) turns: bool,
}

/// The services: namespace and path.
const DEVICE: (&str, &str) = (
    "http://www.onvif.org/ver10/device/wsdl",
    super::server::DEVICE,
);
const MEDIA: (&str, &str) = (
    "http://www.onvif.org/ver10/media/wsdl",
    super::server::MEDIA,
);
const PTZ: (&str, &str) = ("http://www.onvif.org/ver20/ptz/wsdl", super::server::PTZ);

/// Whether an operation needs no login (ONVIF Core Specification, access class
/// PRE_AUTH): a VMS has to know the time before it can log in.
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

/// What is answered; none where the operation is none of this service's.
pub(super) fn answer(
    request: &Request,
    camera: &str,
    here: &Here,
    now: WallTime,
) -> Option<Result<String, Fault>> {
    let name = request.name();
    let inside = match name {
        "GetServiceCapabilities" => SERVICE_CAPABILITIES.to_owned(),
        "GetSystemDateAndTime" => date_and_time(now),
        "GetCapabilities" => capabilities(here),
        "GetServices" => services(here),
        "GetDeviceInformation" => format!(
            "<tds:Manufacturer>greyplane</tds:Manufacturer><tds:Model>masked camera</tds:Model>\
             <tds:FirmwareVersion>{}</tds:FirmwareVersion><tds:SerialNumber>{}</tds:SerialNumber>\
             <tds:HardwareId>gateway</tds:HardwareId>",
            env!("CARGO_PKG_VERSION"),
            escaped(camera)
        ),
        "GetHostname" => "<tds:HostnameInformation><tt:FromDHCP>false</tt:FromDHCP>\
             <tt:Name>greyplane</tt:Name></tds:HostnameInformation>"
            .to_owned(),
        "GetScopes" => scopes(camera, here),
        "GetNetworkInterfaces" => network_interface(camera, here),
        _ => return None,
    };
    Some(Ok(tagged(&format!("tds:{name}Response"), &inside)))
}

const SERVICE_CAPABILITIES: &str = "<tds:Capabilities><tds:Network/>\
     <tds:Security UsernameToken=\"true\" HttpDigest=\"false\"/><tds:System/></tds:Capabilities>";

fn date_and_time(now: WallTime) -> String {
    let text = utc::format_seconds(now.0.div_euclid(1_000_000_000));
    // `YYYY-MM-DDThh:mm:ssZ`; numbers are written without leading zeros.
    let mut parts = text
        .split(|c: char| !c.is_ascii_digit())
        .map(|part| part.parse().unwrap_or(0_u32));
    let mut next = || parts.next().unwrap_or(0);
    let [year, month, day, hour, minute, second] = std::array::from_fn(|_| next());
    format!(
        "<tds:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType>\
         <tt:DaylightSavings>false</tt:DaylightSavings><tt:TimeZone><tt:TZ>UTC0</tt:TZ></tt:TimeZone>\
         <tt:UTCDateTime><tt:Time><tt:Hour>{hour}</tt:Hour><tt:Minute>{minute}</tt:Minute>\
         <tt:Second>{second}</tt:Second></tt:Time><tt:Date><tt:Year>{year}</tt:Year>\
         <tt:Month>{month}</tt:Month><tt:Day>{day}</tt:Day></tt:Date></tt:UTCDateTime>\
         </tds:SystemDateAndTime>"
    )
}

fn capabilities(here: &Here) -> String {
    let at = |(_, path): (&str, &str)| {
        let at = escaped(&format!("{}{path}", here.services));
        tagged("tt:XAddr", &at)
    };
    let ptz = match here.turns {
        true => tagged("tt:PTZ", &at(PTZ)),
        false => String::new(),
    };
    format!(
        "<tds:Capabilities><tt:Device>{}</tt:Device><tt:Media>{}<tt:StreamingCapabilities>\
         <tt:RTPMulticast>false</tt:RTPMulticast><tt:RTP_TCP>true</tt:RTP_TCP>\
         <tt:RTP_RTSP_TCP>true</tt:RTP_RTSP_TCP></tt:StreamingCapabilities></tt:Media>{ptz}\
         </tds:Capabilities>",
        at(DEVICE),
        at(MEDIA)
    )
}

fn services(here: &Here) -> String {
    let all = [Some(DEVICE), Some(MEDIA), here.turns.then_some(PTZ)];
    let service = |(namespace, path): (&str, &str)| {
        format!(
            "<tds:Service><tds:Namespace>{namespace}</tds:Namespace><tds:XAddr>{}{path}</tds:XAddr>\
             <tds:Version><tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></tds:Version></tds:Service>",
            escaped(&here.services)
        )
    };
    all.into_iter().flatten().map(service).collect()
}

fn scopes(camera: &str, here: &Here) -> String {
    let scope = |item: &str| {
        format!(
            "<tds:Scopes><tt:ScopeDef>Fixed</tt:ScopeDef>\
             <tt:ScopeItem>onvif://www.onvif.org/{item}</tt:ScopeItem></tds:Scopes>"
        )
    };
    let mut all = scope("type/video_encoder");
    if here.turns {
        all += &scope("type/ptz");
    }
    // A camera's id is letters, digits, `-` and `_`.
    all + &scope("hardware/greyplane") + &scope(&format!("name/{}", escaped(camera)))
}

/// One interface, with an address of the kind that is nobody's hardware: a VMS tells
/// devices apart by it, so that it is each camera's own and stays.
fn network_interface(camera: &str, here: &Here) -> String {
    let digest = Sha256::digest(camera.as_bytes());
    let own: Vec<String> = digest.iter().take(5).map(|b| format!("{b:02x}")).collect();
    let address = match here.address {
        IpAddr::V4(v4) => format!(
            "<tt:IPv4><tt:Enabled>true</tt:Enabled><tt:Config><tt:Manual><tt:Address>{v4}</tt:Address>\
             <tt:PrefixLength>32</tt:PrefixLength></tt:Manual><tt:DHCP>false</tt:DHCP></tt:Config></tt:IPv4>"
        ),
        IpAddr::V6(_) => String::new(),
    };
    format!(
        "<tds:NetworkInterfaces token=\"eth0\"><tt:Enabled>true</tt:Enabled><tt:Info>\
         <tt:Name>eth0</tt:Name><tt:HwAddress>02:{}</tt:HwAddress><tt:MTU>1500</tt:MTU></tt:Info>\
         {address}</tds:NetworkInterfaces>",
        own.join(":")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_told_in_numbers() {
        let at = utc::parse("2026-02-03T04:05:06Z").unwrap().at.0;
        let answer = tagged(
            "tds:GetSystemDateAndTimeResponse",
            &date_and_time(WallTime(at)),
        );
        let text = super::super::answer::envelope(&answer);
        let told = crate::onvif::answers::system_time_s(&text).unwrap();
        assert_eq!(told, at / 1_000_000_000);
    }
}
