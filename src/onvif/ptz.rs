//! What a PTZ camera is told to do (ONVIF PTZ Service Specification, 5.3 to 5.5).

use super::answers::{self, PresetAnswer};
use super::camera::{CameraError, OnvifCamera, escaped};

/// The spaces in which speeds are told: shares of the highest, −1…1. Every ONVIF
/// camera that turns has them (PTZ Service Specification, 5.2.2).
const VELOCITY: &str = "http://www.onvif.org/ver10/tptz/PanTiltSpaces/VelocityGenericSpace";
const ZOOM_VELOCITY: &str = "http://www.onvif.org/ver10/tptz/ZoomSpaces/VelocityGenericSpace";

/// What a camera is told. Numbers are the camera's own.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum PtzCommand {
    /// Turn and zoom at these shares of the highest speeds, −1…1, and stop by
    /// itself after so many seconds.
    Continuous {
        pan: f64,
        tilt: f64,
        zoom: f64,
        timeout_s: u32,
    },
    /// Stop turning and zooming.
    Stop,
    /// Go there.
    Absolute {
        position_space: String,
        pan: f64,
        tilt: f64,
        /// Space and number; none leaves the zoom as it is.
        zoom: Option<(String, f64)>,
    },
    /// Go home.
    Home,
    /// Go to the preset of this token.
    Preset(String),
}

impl PtzCommand {
    fn name(&self) -> &'static str {
        match self {
            Self::Continuous { .. } => "ContinuousMove",
            Self::Stop => "Stop",
            Self::Absolute { .. } => "AbsoluteMove",
            Self::Home => "GotoHomePosition",
            Self::Preset(_) => "GotoPreset",
        }
    }

    fn answer(&self) -> &'static str {
        match self {
            Self::Continuous { .. } => "ContinuousMoveResponse",
            Self::Stop => "StopResponse",
            Self::Absolute { .. } => "AbsoluteMoveResponse",
            Self::Home => "GotoHomePositionResponse",
            Self::Preset(_) => "GotoPresetResponse",
        }
    }

    /// What follows the profile's token in the request.
    fn inside(&self) -> String {
        match self {
            Self::Continuous {
                pan,
                tilt,
                zoom,
                timeout_s,
            } => format!(
                "<tptz:Velocity><tt:PanTilt x=\"{pan:.6}\" y=\"{tilt:.6}\" space=\"{VELOCITY}\"/>\
                 <tt:Zoom x=\"{zoom:.6}\" space=\"{ZOOM_VELOCITY}\"/></tptz:Velocity>\
                 <tptz:Timeout>PT{timeout_s}S</tptz:Timeout>"
            ),
            Self::Stop => "<tptz:PanTilt>true</tptz:PanTilt><tptz:Zoom>true</tptz:Zoom>".to_owned(),
            Self::Absolute {
                position_space,
                pan,
                tilt,
                zoom,
            } => {
                let zoom = zoom.as_ref().map_or_else(String::new, |(space, x)| {
                    format!("<tt:Zoom x=\"{x:.6}\" space=\"{}\"/>", escaped(space))
                });
                format!(
                    "<tptz:Position><tt:PanTilt x=\"{pan:.6}\" y=\"{tilt:.6}\" space=\"{}\"/>{zoom}</tptz:Position>",
                    escaped(position_space)
                )
            }
            Self::Home => String::new(),
            Self::Preset(token) => {
                format!("<tptz:PresetToken>{}</tptz:PresetToken>", escaped(token))
            }
        }
    }
}

impl OnvifCamera {
    /// Tells the camera; returns when it has said that it does so.
    pub(crate) async fn tell(&self, command: &PtzCommand) -> Result<(), CameraError> {
        let text = self.ptz_call(command.name(), &command.inside()).await?;
        Ok(answers::done(&text, command.answer())?)
    }

    /// The camera's own presets, in its order.
    pub(crate) async fn presets(&self) -> Result<Vec<PresetAnswer>, CameraError> {
        let text = self.ptz_call("GetPresets", "").await?;
        Ok(answers::presets(&text)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_is_what_is_meant() {
        let told = |command: PtzCommand| command.inside();
        let turn = told(PtzCommand::Continuous {
            pan: -0.5,
            tilt: 0.25,
            zoom: 0.0,
            timeout_s: 1,
        });
        for part in [
            "x=\"-0.500000\" y=\"0.250000\"",
            "VelocityGenericSpace",
            "<tt:Zoom x=\"0.000000\"",
            "<tptz:Timeout>PT1S</tptz:Timeout>",
        ] {
            assert!(turn.contains(part), "{turn}");
        }
        let absolute = |zoom| {
            told(PtzCommand::Absolute {
                position_space: "a&b".to_owned(),
                pan: 12.5,
                tilt: -3.0,
                zoom,
            })
        };
        assert!(!absolute(None).contains("Zoom"), "the zoom stays as it is");
        let there = absolute(Some(("z".to_owned(), 0.5)));
        assert!(there.contains("<tt:Zoom x=\"0.500000\" space=\"z\"/>"));
        assert!(there.contains("a&amp;b"));
        let preset = told(PtzCommand::Preset("<x/>".to_owned()));
        assert!(!preset.contains("<x/>"), "{preset}");
    }
}
