//! What is read from ONVIF answers: positions, presets, and the few needed to ask
//! for them.
//!
//! Nothing that is missing is filled in: a missing number stays missing until
//! the camera profile refuses it. Must not know HTTP or time.

use super::utc::{self, UtcStamp};
use super::xml::{Element, XmlError, read};
use crate::pose::profile::RawPosition;

/// Why an answer is worth nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// Not the bounded XML that an answer is.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// A SOAP fault.
    #[error("camera refuses: {code} {reason}")]
    Fault {
        /// The innermost code.
        code: String,
        /// The camera's words, shortened.
        reason: String,
    },
    /// Well-formed, but not what was asked for.
    #[error("answer lacks {what}")]
    Lacks {
        /// The element.
        what: &'static str,
    },
    /// A number that is none.
    #[error("{what} is not a number: {text}")]
    NotANumber {
        /// Which.
        what: &'static str,
        /// What stands there, shortened.
        text: String,
    },
}

impl AnswerError {
    /// Whether the camera says that there is no preset of that token (ONVIF PTZ
    /// Service Specification, 5.4.4).
    pub fn is_no_preset(&self) -> bool {
        matches!(self, Self::Fault { code, .. } if code.contains("NoToken"))
    }

    /// Whether the camera says that the credentials are wrong.
    pub fn is_unauthorised(&self) -> bool {
        matches!(self, Self::Fault { code, reason }
            if code.contains("NotAuthorized") || code.contains("FailedAuthentication")
                || reason.contains("NotAuthorized"))
    }
}

/// What a head says of its motion. Kept for diagnosis; never believed: cameras
/// exist that are for ever `MOVING`, or for ever `IDLE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moving {
    /// At rest.
    Idle,
    /// Under way.
    Moving,
    /// The camera does not know, or says nothing that is defined.
    Unknown,
}

/// What a GetStatus answer, or a document of the metadata stream, says of one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct PtzStatus {
    /// The position as written.
    pub position: RawPosition,
    /// MoveStatus of pan/tilt.
    pub pan_tilt: Moving,
    /// MoveStatus of zoom.
    pub zoom: Moving,
    /// What the camera calls an error, where it names one.
    pub error: Option<String>,
    /// When the position was measured, as written.
    pub utc: Option<UtcStamp>,
}

/// Reads a GetStatus answer (ONVIF PTZ Service Specification, 5.3.3).
///
/// # Errors
/// [`AnswerError`]; a missing position is not an error here but absent numbers.
pub fn ptz_status(text: &str) -> Result<PtzStatus, AnswerError> {
    let root = read(text)?;
    let status = response(&root, "GetStatusResponse")?
        .only("PTZStatus")
        .ok_or(AnswerError::Lacks { what: "PTZStatus" })?;
    read_status(status)
}

/// Reads what stands in a PTZStatus.
pub(super) fn read_status(status: &Element) -> Result<PtzStatus, AnswerError> {
    let moving = |axis: &str| {
        let word = status.path(&["MoveStatus", axis]).map(|e| e.text.as_str());
        match word {
            Some("IDLE") => Moving::Idle,
            Some("MOVING") => Moving::Moving,
            _ => Moving::Unknown,
        }
    };
    Ok(PtzStatus {
        position: match status.only("Position") {
            Some(holder) => position(holder)?,
            None => RawPosition::default(),
        },
        pan_tilt: moving("PanTilt"),
        zoom: moving("Zoom"),
        error: status
            .only("Error")
            .map(|e| short(&e.text))
            .filter(|e| is_error(e)),
        utc: status.only("UtcTime").and_then(|e| utc::parse(&e.text)),
    })
}

/// One preset as the camera lists it.
#[derive(Clone, Debug, PartialEq)]
pub struct PresetAnswer {
    /// Its token.
    pub token: String,
    /// Its name, shortened; empty where it has none.
    pub name: String,
    /// Where it is, as written; numbers that are none are missing ones.
    pub position: RawPosition,
}

/// Reads a GetPresets answer (ONVIF PTZ Service Specification, 5.4.3). Presets
/// without a token cannot be gone to and are left out.
///
/// # Errors
/// [`AnswerError`].
pub fn presets(text: &str) -> Result<Vec<PresetAnswer>, AnswerError> {
    let root = read(text)?;
    let answer = response(&root, "GetPresetsResponse")?;
    let all = answer.children.iter().filter(|c| c.name == "Preset");
    Ok(all
        .filter_map(|preset| {
            Some(PresetAnswer {
                token: preset.attribute("token")?.to_owned(),
                name: preset
                    .only("Name")
                    .map_or_else(String::new, |e| short(&e.text)),
                position: preset
                    .only("PTZPosition")
                    .and_then(|p| position(p).ok())
                    .unwrap_or_default(),
            })
        })
        .collect())
}

/// Reads the answer to a command, which says no more than that it was taken.
///
/// # Errors
/// [`AnswerError`].
pub fn done(text: &str, name: &'static str) -> Result<(), AnswerError> {
    response(&read(text)?, name).map(|_| ())
}

/// Reads any answer: what stands in the `…Response` to the operation `name`.
///
/// # Errors
/// [`AnswerError`].
pub fn any(text: &str, name: &str) -> Result<Element, AnswerError> {
    let root = read(text)?;
    let wanted = format!("{name}Response");
    body(&root)?
        .only(&wanted)
        .cloned()
        .ok_or(AnswerError::Lacks {
            what: "the answer to what was asked",
        })
}

/// Reads what stands in a Position or a PTZPosition.
fn position(holder: &Element) -> Result<RawPosition, AnswerError> {
    let (pan_tilt, zoom) = (holder.only("PanTilt"), holder.only("Zoom"));
    let space = |e: Option<&Element>| {
        e.and_then(|e| e.attribute("space"))
            .map(str::trim)
            .filter(|s| !s.is_empty())
            .map(str::to_owned)
    };
    Ok(RawPosition {
        position_space: space(pan_tilt),
        zoom_space: space(zoom),
        pan: number("pan", pan_tilt, "x")?,
        tilt: number("tilt", pan_tilt, "y")?,
        zoom: number("zoom", zoom, "x")?,
        hfov_deg: None,
    })
}

/// Cameras fill the optional Error element when there is none.
fn is_error(text: &str) -> bool {
    let plain: String = text
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_ascii_lowercase();
    !matches!(plain.as_str(), "" | "noerror" | "none" | "no" | "ok" | "0")
}

/// A media profile that may carry a PTZ configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaProfile {
    /// Its token.
    pub token: String,
    /// Whether it has a PTZ configuration.
    pub has_ptz: bool,
}

/// Reads a GetProfiles answer.
///
/// # Errors
/// [`AnswerError`].
pub fn profiles(text: &str) -> Result<Vec<MediaProfile>, AnswerError> {
    let root = read(text)?;
    let answer = response(&root, "GetProfilesResponse")?;
    Ok(answer
        .children
        .iter()
        .filter(|c| c.name == "Profiles")
        .filter_map(|p| {
            Some(MediaProfile {
                token: p.attribute("token")?.to_owned(),
                has_ptz: p.only("PTZConfiguration").is_some(),
            })
        })
        .collect())
}

/// Reads a GetSystemDateAndTime answer: seconds since 1970.
///
/// # Errors
/// [`AnswerError`].
pub fn system_time_s(text: &str) -> Result<i64, AnswerError> {
    let root = read(text)?;
    let utc = response(&root, "GetSystemDateAndTimeResponse")?
        .path(&["SystemDateAndTime", "UTCDateTime"])
        .ok_or(AnswerError::Lacks {
            what: "UTCDateTime",
        })?;
    let field =
        |group: &str, name: &str| -> Option<i64> { utc.path(&[group, name])?.text.parse().ok() };
    let read_all = || {
        utc::unix_seconds(
            field("Date", "Year")?,
            field("Date", "Month")?,
            field("Date", "Day")?,
            field("Time", "Hour")?,
            field("Time", "Minute")?,
            field("Time", "Second")?,
        )
    };
    read_all().ok_or(AnswerError::Lacks {
        what: "a valid UTCDateTime",
    })
}

/// Where the media and PTZ services are, as the camera says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Services {
    /// Address of the media service.
    pub media: Option<String>,
    /// Address of the PTZ service.
    pub ptz: Option<String>,
}

/// Reads a GetCapabilities answer.
///
/// # Errors
/// [`AnswerError`].
pub fn services(text: &str) -> Result<Services, AnswerError> {
    let root = read(text)?;
    let all = response(&root, "GetCapabilitiesResponse")?
        .only("Capabilities")
        .ok_or(AnswerError::Lacks {
            what: "Capabilities",
        })?;
    let address = |name: &str| {
        all.path(&[name, "XAddr"])
            .map(|e| e.text.clone())
            .filter(|a| !a.is_empty())
    };
    Ok(Services {
        media: address("Media"),
        ptz: address("PTZ"),
    })
}

fn response<'a>(root: &'a Element, name: &'static str) -> Result<&'a Element, AnswerError> {
    body(root)?
        .only(name)
        .ok_or(AnswerError::Lacks { what: name })
}

/// The body, where it is no fault.
fn body(root: &Element) -> Result<&Element, AnswerError> {
    let body = root
        .only("Body")
        .filter(|_| root.name == "Envelope")
        .ok_or(AnswerError::Lacks {
            what: "a SOAP body",
        })?;
    if let Some(fault) = body.only("Fault") {
        let code = fault
            .path(&["Code", "Subcode", "Subcode", "Value"])
            .or_else(|| fault.path(&["Code", "Subcode", "Value"]))
            .or_else(|| fault.path(&["Code", "Value"]))
            .or_else(|| fault.only("faultcode"));
        let reason = fault
            .path(&["Reason", "Text"])
            .or_else(|| fault.only("faultstring"));
        return Err(AnswerError::Fault {
            code: code.map(|e| short(&e.text)).unwrap_or_default(),
            reason: reason.map(|e| short(&e.text)).unwrap_or_default(),
        });
    }
    Ok(body)
}

fn number(
    what: &'static str,
    element: Option<&Element>,
    attribute: &str,
) -> Result<Option<f64>, AnswerError> {
    let Some(text) = element.and_then(|e| e.attribute(attribute)) else {
        return Ok(None);
    };
    // `NaN` and `INF` are numbers to xs:float: the profile refuses them.
    match text.trim() {
        "INF" => Ok(Some(f64::INFINITY)),
        "-INF" => Ok(Some(f64::NEG_INFINITY)),
        text => text.parse().map(Some).map_err(|_| AnswerError::NotANumber {
            what,
            text: short(text),
        }),
    }
}

/// The camera's words end up in logs and on pictures: one short line of them.
pub(crate) fn short(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(80)
        .collect()
}

#[cfg(test)]
mod tests;
