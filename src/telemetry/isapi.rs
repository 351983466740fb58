//! What a Hikvision camera answers to `/ISAPI/PTZCtrl/channels/N/status`.
//!
//! `PTZStatus/AbsoluteHigh` with `azimuth` and `elevation` in tenths of degrees and
//! `absoluteZoom` in tenths of the zoom factor (ISAPI 2.0, PTZ service). Nothing that is
//! missing is filled in. Must not know HTTP or time.

use crate::onvif::xml::{Element, XmlError, read};
use crate::pose::profile::RawPosition;
use crate::pose::profile::units::ISAPI;

/// Why an answer is worth nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IsapiError {
    /// Not the bounded XML that an answer is.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// The camera's own words (`ResponseStatus`).
    #[error("camera refuses: {0}")]
    Refuses(String),
    /// Well-formed, but no position; two are none.
    #[error("answer lacks {0}")]
    Lacks(&'static str),
    /// A number that is none.
    #[error("{what} is not a number: {text}")]
    NotANumber {
        /// Which.
        what: &'static str,
        /// What stands there, shortened.
        text: String,
    },
}

/// Where a request for the position of video channel `channel`, from 1 on, goes.
pub(super) fn path(channel: u32) -> String {
    format!("/ISAPI/PTZCtrl/channels/{channel}/status")
}

/// Reads an answer.
///
/// # Errors
/// [`IsapiError`]; a number that is missing is not an error here but absent.
pub fn position(text: &str) -> Result<RawPosition, IsapiError> {
    let root = read(text)?;
    match root.name.as_str() {
        "PTZStatus" => {}
        "ResponseStatus" => return Err(IsapiError::Refuses(refusal(&root))),
        _ => return Err(IsapiError::Lacks("PTZStatus")),
    }
    let at = root
        .only("AbsoluteHigh")
        .ok_or(IsapiError::Lacks("AbsoluteHigh"))?;
    Ok(RawPosition {
        position_space: Some(ISAPI.position_space.to_owned()),
        zoom_space: Some(ISAPI.zoom_space.to_owned()),
        pan: number(at, "azimuth")?,
        tilt: number(at, "elevation")?,
        zoom: number(at, "absoluteZoom")?,
        hfov_deg: None,
    })
}

/// `statusString`, and `subStatusCode` where there is one.
fn refusal(status: &Element) -> String {
    let words = ["statusString", "subStatusCode"];
    let words = words.iter().filter_map(|name| status.only(name));
    let words: Vec<&str> = words.map(|e| e.text.as_str()).collect();
    super::short(&words.join(", "))
}

fn number(holder: &Element, what: &'static str) -> Result<Option<f64>, IsapiError> {
    let Some(element) = holder.only(what) else {
        return Ok(None);
    };
    let not = |_| IsapiError::NotANumber {
        what,
        text: super::short(&element.text),
    };
    element.text.trim().parse().map(Some).map_err(not)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_a_camera_writes_is_read_back(
            azimuth in 0u32..3600, elevation in -900i32..2700, zoom in 10u32..500,
        ) {
            let text = format!(
                "<PTZStatus><AbsoluteHigh><elevation>{elevation}</elevation>\
                 <azimuth>{azimuth}</azimuth><absoluteZoom>{zoom}</absoluteZoom></AbsoluteHigh></PTZStatus>"
            );
            let read = position(&text).unwrap();
            prop_assert_eq!(read.pan, Some(f64::from(azimuth)));
            prop_assert_eq!(read.tilt, Some(f64::from(elevation)));
            prop_assert_eq!(read.zoom, Some(f64::from(zoom)));
        }

        #[test]
        fn no_answer_makes_it_panic(text in "(<|/|>|PTZStatus|AbsoluteHigh|azimuth|[0-9.-]|\\PC){0,60}") {
            let _ = position(&text);
        }
    }
}
