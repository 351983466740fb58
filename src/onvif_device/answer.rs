//! What is said to a VMS: envelopes, and faults with ONVIF's own codes (ONVIF Core
//! Specification, 5.8.2; SOAP 1.2 part 2 for what HTTP says with them).

use crate::web::{NotDone, SteerFault};
use axum::http::StatusCode;

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Sender,
    Receiver,
}

/// Why something is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    whose: Whose,
    /// From the general code to the most particular.
    subcodes: &'static [&'static str],
    reason: String,
}

impl Fault {
    fn sender(subcodes: &'static [&'static str], reason: impl Into<String>) -> Self {
        Self {
            whose: Whose::Sender,
            subcodes,
            reason: reason.into(),
        }
    }

    fn receiver(subcodes: &'static [&'static str], reason: impl Into<String>) -> Self {
        Self {
            whose: Whose::Receiver,
            ..Self::sender(subcodes, reason)
        }
    }

    /// It cannot be read.
    pub(super) fn not_well_formed(why: impl ToString) -> Self {
        Self::sender(&["ter:WellFormed"], why.to_string())
    }

    /// Nobody of whom we know that they may. The same words for whoever it is.
    pub(super) fn not_authorized() -> Self {
        Self::sender(&["ter:NotAuthorized"], "sender not authorized")
    }

    /// Something that this device does not do.
    pub(super) fn not_supported(what: &str) -> Self {
        let reason = format!("{what:.60} is not offered: this is a privacy gateway");
        Self::receiver(&["ter:ActionNotSupported"], reason)
    }

    /// Something was given that is not what it should be.
    pub(super) fn invalid(why: impl Into<String>) -> Self {
        Self::sender(&["ter:InvalidArgVal"], why)
    }

    /// No such token.
    pub(super) fn no_such(what: &str, subcodes: &'static [&'static str]) -> Self {
        Self::sender(subcodes, format!("there is no such {what}"))
    }

    /// A place, or a speed, that is beyond the space it is given in, or no number.
    pub(super) fn invalid_position(why: impl Into<String>) -> Self {
        Self::sender(&["ter:InvalidArgVal", "ter:InvalidPosition"], why)
    }

    /// A space that this device does not know.
    pub(super) fn no_space(space: &str) -> Self {
        let reason = format!("there is no space {space:.120}");
        Self::sender(&["ter:InvalidArgVal", "ter:SpaceNotSupported"], reason)
    }

    /// What is asked cannot be done now.
    pub(super) fn not_now(why: impl Into<String>) -> Self {
        Self::receiver(&["ter:Action"], why)
    }

    /// HTTP's word for it.
    pub(super) fn status(&self) -> StatusCode {
        match self.whose {
            Whose::Sender => StatusCode::BAD_REQUEST,
            Whose::Receiver => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    pub(super) fn into_xml(self) -> String {
        let whose = match self.whose {
            Whose::Sender => "s:Sender",
            Whose::Receiver => "s:Receiver",
        };
        let codes = self
            .subcodes
            .iter()
            .rev()
            .fold(String::new(), |inner, code| {
                format!("<s:Subcode><s:Value>{code}</s:Value>{inner}</s:Subcode>")
            });
        let reason = escaped(&self.reason);
        envelope(&format!(
            "<s:Fault><s:Code><s:Value>{whose}</s:Value>{codes}</s:Code><s:Reason>\
             <s:Text xml:lang=\"en\">{reason}</s:Text></s:Reason></s:Fault>"
        ))
    }
}

impl From<NotDone> for Fault {
    fn from(why: NotDone) -> Self {
        match why {
            // Who has an account of the console is no viewer's business.
            NotDone::Theirs(_) => Self::not_now("somebody else steers this camera"),
            NotDone::NotRecorded => {
                Self::not_now("this cannot be recorded in the audit log, so it is not done")
            }
            NotDone::NoLonger => Self::not_authorized(),
            NotDone::Overtaken(overtaken) => Self::not_now(overtaken.why()),
            NotDone::Fault(fault) => fault.into(),
        }
    }
}

impl From<SteerFault> for Fault {
    fn from(fault: SteerFault) -> Self {
        match fault {
            SteerFault::NoCamera => Self::not_now("this camera is not served any more"),
            SteerFault::Fixed
            | SteerFault::ByItself
            | SteerFault::NotOver(_)
            | SteerFault::Unknown(_) => Self::receiver(
                &["ter:ActionNotSupported", "ter:PTZNotSupported"],
                "this camera cannot be steered",
            ),
            SteerFault::Beyond(why) => Self::invalid_position(why),
            SteerFault::NoGo(why) => Self::sender(&["ter:OperationProhibited"], why),
            SteerFault::NoPreset => Self::no_such("preset", &["ter:InvalidArgVal", "ter:NoToken"]),
            // Its own words may tell where it is.
            SteerFault::Camera(words) => {
                tracing::debug!(words, "a camera does not do what a VMS wants");
                Self::not_now("the camera refuses, or cannot be reached")
            }
        }
    }
}

/// Text as XML content.
pub(super) fn escaped(text: &str) -> String {
    // A character that XML cannot carry, even as a reference, is left out.
    let plain = |c: char| c >= ' ' || matches!(c, '\t' | '\n' | '\r');
    let text: String = text.chars().filter(|c| plain(*c)).collect();
    quick_xml::escape::escape(text).into_owned()
}

/// An envelope around a body.
pub(super) fn envelope(body: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:trt="http://www.onvif.org/ver10/media/wsdl" xmlns:tptz="http://www.onvif.org/ver20/ptz/wsdl" xmlns:ter="http://www.onvif.org/ver10/error"><s:Body>{body}</s:Body></s:Envelope>"#
    )
}

/// `<prefix:name>inside</prefix:name>`.
pub(super) fn tagged(name: &str, inside: &str) -> String {
    format!("<{name}>{inside}</{name}>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_say_whose_and_nothing_breaks_out_of_them() {
        let fault = Fault::from(SteerFault::Camera("no way to http://10.0.0.1/".into()));
        assert_eq!(fault.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let text = fault.into_xml();
        assert!(
            text.contains("ter:Action<") && !text.contains("10.0.0.1"),
            "{text}"
        );
        let text = Fault::not_now("<x/>\u{0}").into_xml();
        assert!(
            text.contains("&lt;x/&gt;") && text.contains("ter:Action<"),
            "{text}"
        );
        let fault = Fault::from(SteerFault::NoPreset);
        assert_eq!(fault.status(), StatusCode::BAD_REQUEST);
        let (general, particular) = ("ter:InvalidArgVal", "ter:NoToken");
        let text = fault.into_xml();
        assert!(text.find(general) < text.find(particular), "{text}");
        assert!(crate::onvif::xml::read(&text).is_ok());
    }
}
