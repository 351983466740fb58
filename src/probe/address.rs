//! Addresses as people type them and as cameras tell them. An answer never chooses the
//! host that gets our credentials. Must not know what is asked there.

use reqwest::Url;

/// Why an address is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It holds a password, or may. It is not repeated.
    #[error("the address carries credentials: give --user and --password-file")]
    Credentials,
    /// Not one.
    #[error(
        "{0:?} is no address: give HOST, HOST:PORT or http(s)://HOST[:PORT]/onvif/device_service"
    )]
    NoAddress(String),
}

/// The address of the device service that `text` names: a host, a host and port, or the
/// whole of it.
///
/// # Errors
/// [`AddressError`].
pub fn device_url(text: &str) -> Result<String, AddressError> {
    if text.contains('@') {
        return Err(AddressError::Credentials);
    }
    let refused = || AddressError::NoAddress(text.chars().take(80).collect());
    let whole = match text.contains("://") {
        true => text.to_owned(),
        false => format!("http://{text}"),
    };
    let mut url = Url::parse(&whole).map_err(|_| refused())?;
    let bare = matches!(url.path(), "" | "/") && url.query().is_none();
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err(refused());
    }
    if !text.contains("://") && !bare {
        return Err(refused());
    }
    if bare {
        url.set_path("/onvif/device_service");
    }
    Ok(url.to_string())
}

/// The stream's address as a camera told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StreamUrl {
    /// At the host that was probed, without credentials.
    pub(super) url: String,
    /// The other host that the camera named.
    pub(super) other_host: Option<String>,
    /// Whether the camera told a name or password in it.
    pub(super) told_credentials: bool,
}

/// `told` as it is used: at the host of `device_url`. `None` for what is no RTSP address.
pub(super) fn stream_url(told: &str, device_url: &str) -> Option<StreamUrl> {
    let rest = told
        .trim()
        .strip_prefix("rtsp://")
        .map(|rest| ("rtsp", rest))
        .or_else(|| told.trim().strip_prefix("rtsps://").map(|r| ("rtsps", r)));
    let (scheme, rest) = rest?;
    let plain = |c: char| !c.is_control() && !c.is_whitespace() && c != '"' && c != '\\';
    if rest.len() > 1000 || !rest.chars().all(plain) {
        return None;
    }
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let (credentials, place) = match authority.rsplit_once('@') {
        Some((credentials, place)) => (Some(credentials), place),
        None => (None, authority),
    };
    // An @ in the path is one of a query with credentials, as some cameras have it; the
    // configuration refuses any. Others write them out.
    let lower = path.to_ascii_lowercase();
    let named = ["password=", "passwd=", "pwd=", "pass="];
    if path.contains('@') || named.iter().any(|name| lower.contains(name)) {
        return None;
    }
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port.parse::<u16>().ok()?)),
        _ => (place, None),
    };
    let device = Url::parse(device_url).ok()?;
    let ours = device.host_str()?;
    let port = port.map_or_else(String::new, |p| format!(":{p}"));
    Some(StreamUrl {
        url: format!("{scheme}://{ours}{port}{path}"),
        other_host: (!host.eq_ignore_ascii_case(ours)).then(|| host.to_owned()),
        told_credentials: credentials.is_some(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_enough_and_a_password_too_much() {
        let service = |host: &str| Ok(format!("http://{host}/onvif/device_service"));
        for (text, wanted) in [
            ("10.0.0.5", service("10.0.0.5")),
            ("camera.example:8000", service("camera.example:8000")),
            ("[fd00::1]:81", service("[fd00::1]:81")),
            ("http://10.0.0.5", service("10.0.0.5")),
            ("https://cam/x/y", Ok("https://cam/x/y".to_owned())),
            ("http://u:pw@cam/", Err(AddressError::Credentials)),
            ("u:pw@cam", Err(AddressError::Credentials)),
        ] {
            assert_eq!(device_url(text), wanted, "{text}");
        }
        for text in ["", "rtsp://cam/", "cam/path", "http://", "cam:x", "a b"] {
            let refused = device_url(text).unwrap_err();
            assert!(matches!(refused, AddressError::NoAddress(_)), "{text}");
        }
    }

    #[test]
    fn a_camera_does_not_choose_who_gets_the_password() {
        let device = "http://10.0.0.5:8000/onvif/device_service";
        let check = |told: &str| stream_url(told, device);
        let at = |url: &str, other: Option<&str>, told_credentials| {
            Some(StreamUrl {
                url: url.to_owned(),
                other_host: other.map(str::to_owned),
                told_credentials,
            })
        };
        for (told, wanted) in [
            (
                "rtsp://10.0.0.5/live?a=b",
                at("rtsp://10.0.0.5/live?a=b", None, false),
            ),
            (
                "rtsp://evil:99/live",
                at("rtsp://10.0.0.5:99/live", Some("evil"), false),
            ),
            (
                "rtsps://a:b@10.0.0.5:322/",
                at("rtsps://10.0.0.5:322/", None, true),
            ),
            ("rtsp://10.0.0.5:x/", None),
            ("http://10.0.0.5/", None),
            ("rtsp://10.0.0.5/a@b", None),
            ("rtsp://10.0.0.5/user=u_Password=p_stream=0.sdp", None),
            ("rtsp://10.0.0.5/\"\nurl = ", None),
        ] {
            assert_eq!(check(told), wanted, "{told}");
        }
    }
}
