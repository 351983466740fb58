//! What an Axis camera answers to `/axis-cgi/com/ptz.cgi?query=position`.
//!
//! Lines of `name=value`: pan and tilt in degrees, zoom in steps from 1 to 9999, and
//! names that are not read here (VAPIX, "Pan/tilt/zoom API", PTZ control). Nothing that
//! is missing is filled in. Must not know HTTP or time.

use crate::pose::profile::RawPosition;
use crate::pose::profile::units::VAPIX;

/// Longer answers are refused.
pub const MOST_BYTES: usize = 16 * 1024;

/// Why an answer is worth nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VapixError {
    /// The camera's own words.
    #[error("camera refuses: {0}")]
    Refuses(String),
    /// Not one of the three names.
    #[error("answer is no position")]
    NoPosition,
    /// Two values for one name: neither is taken.
    #[error("{0} is given twice")]
    Twice(&'static str),
    /// A number that is none.
    #[error("{what} is not a number: {text}")]
    NotANumber {
        /// Which.
        what: &'static str,
        /// What stands there, shortened.
        text: String,
    },
    /// A zoom that there is not.
    #[error("zoom {0} is none: steps go from 1 to 9999")]
    NoZoom(String),
    /// Longer than any position.
    #[error("answer has more than {MOST_BYTES} bytes")]
    TooLong,
}

/// Where a request for the position of video channel `channel`, from 1 on, goes.
pub(super) fn path_and_query(channel: u32) -> (String, Option<String>) {
    let query = if channel == 1 {
        "query=position".to_owned()
    } else {
        format!("query=position&camera={channel}")
    };
    ("/axis-cgi/com/ptz.cgi".to_owned(), Some(query))
}

/// Reads an answer.
///
/// # Errors
/// [`VapixError`]; a number that is missing is not an error here but absent.
pub fn position(text: &str) -> Result<RawPosition, VapixError> {
    if text.len() > MOST_BYTES {
        return Err(VapixError::TooLong);
    }
    let text = text.trim();
    // Errors come with status 200, as "Error: …".
    if text.starts_with("Error") || text.starts_with("# Error") {
        return Err(VapixError::Refuses(super::short(text)));
    }
    let (mut pan, mut tilt, mut zoom) = (None, None, None);
    for line in text.lines() {
        let Some((name, value)) = line.split_once('=') else {
            continue;
        };
        match name.trim() {
            "pan" => set(&mut pan, "pan", value)?,
            "tilt" => set(&mut tilt, "tilt", value)?,
            "zoom" => set(&mut zoom, "zoom", value)?,
            _ => {}
        }
    }
    if pan.is_none() && tilt.is_none() && zoom.is_none() {
        return Err(VapixError::NoPosition);
    }
    // The profile has some slack for rounding; here zero means that nobody knows.
    if let Some(step) = zoom
        && !(VAPIX.zoom[0]..=VAPIX.zoom[1]).contains(&step)
    {
        return Err(VapixError::NoZoom(step.to_string()));
    }
    Ok(RawPosition {
        position_space: Some(VAPIX.position_space.to_owned()),
        zoom_space: Some(VAPIX.zoom_space.to_owned()),
        pan,
        tilt,
        zoom,
        hfov_deg: None,
    })
}

fn set(slot: &mut Option<f64>, what: &'static str, text: &str) -> Result<(), VapixError> {
    if slot.is_some() {
        return Err(VapixError::Twice(what));
    }
    let number = text.trim().parse().map_err(|_| VapixError::NotANumber {
        what,
        text: super::short(text),
    })?;
    *slot = Some(number);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_a_camera_writes_is_read_back(
            pan in -180.0..180.0_f64, tilt in -90.0..20.0_f64, zoom in 1u32..9999, crlf: bool,
        ) {
            let end = if crlf { "\r\n" } else { "\n" };
            let text = format!("pan={pan:.4}{end}tilt={tilt:.4}{end}zoom={zoom}{end}autofocus=on{end}");
            let read = position(&text).unwrap();
            prop_assert!((read.pan.unwrap() - pan).abs() < 1e-4);
            prop_assert!((read.tilt.unwrap() - tilt).abs() < 1e-4);
            prop_assert_eq!(read.zoom, Some(f64::from(zoom)));
        }

        #[test]
        fn no_answer_makes_it_panic_or_invents_a_number(text in "(pan|tilt|zoom|=|-|[0-9.]|\n|\\PC){0,60}") {
            if let Ok(read) = position(&text) {
                for (name, number) in [("pan", read.pan), ("tilt", read.tilt), ("zoom", read.zoom)] {
                    prop_assert!(number.is_none() || text.contains(name));
                }
            }
        }
    }
}
