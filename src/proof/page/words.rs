//! Words that several parts of the page use.

use super::super::language::Language;
use super::super::period::Unknown;
use super::super::span::{instant, written};
use super::super::stance::{Position, Stance};
use crate::detect::Class;

/// An instant of a record or a version, as people read it.
pub(super) fn moment(text: &str) -> String {
    instant(text).map_or_else(|| text.to_owned(), written)
}

/// Where the camera stands.
pub(super) fn position(l: Language, stance: Option<&Stance>, at: Position) -> String {
    let [pan, tilt] = [at.pan_deg, at.tilt_deg].map(|v| l.degrees(v, 1));
    let words = format!("pan {pan}, tilt {tilt}");
    match stance.map(|stance| stance.hfov_deg(at.zoom)) {
        Some(width) => format!(
            "{words}, {} {}",
            l.degrees(width, 1),
            l.say("wide", "breed")
        ),
        None => words,
    }
}

pub(super) fn class(l: Language, class: Class) -> &'static str {
    match class {
        Class::Face => l.say("faces", "gezichten"),
        Class::Plate => l.say("licence plates", "kentekens"),
        Class::Person => l.say("whole figures", "hele personen"),
    }
}

pub(super) fn unknown(l: Language, why: Unknown) -> &'static str {
    match why {
        Unknown::BeforeTheLog => l.say(
            "before the log says anything about this camera",
            "voordat het logboek iets over deze camera zegt",
        ),
        Unknown::Stopped => l.say("the gateway was stopped", "de gateway stond uit"),
        Unknown::Broken => l.say(
            "the gateway ended without saying so (power, crash); from its last record to its next start",
            "de gateway stopte zonder dat te melden (stroom, storing); van de laatste regel tot de volgende start",
        ),
        Unknown::NotConfigured => l.say(
            "the camera was not in the configuration",
            "de camera stond niet in de configuratie",
        ),
        Unknown::AfterTheLog => l.say(
            "after the last record: whether the gateway ran is not known here",
            "na de laatste regel: of de gateway aanstond, is hier niet bekend",
        ),
    }
}

/// A reason's code in words; one that this program does not know stays as it is.
pub(super) fn code(l: Language, code: &str) -> &str {
    match code {
        "starting" => l.say("starting", "start op"),
        "no-capture-time" => l.say("no capture time", "opnametijd onbekend"),
        "capture-time-doubted" => l.say("capture time in doubt", "opnametijd twijfelachtig"),
        "clock-jump" => l.say("a clock jumped", "klok versprongen"),
        "no-position" => l.say("no position", "stand onbekend"),
        "bad-position" => l.say("position refused", "stand geweigerd"),
        "telemetry-stale" => l.say("position too old", "stand te oud"),
        "not-on-preset" => l.say("on no verified preset", "niet op een gecontroleerde preset"),
        "picture-disagrees" => l.say(
            "picture and position disagree",
            "beeld en stand kloppen niet met elkaar",
        ),
        "zoom-outside-calibration" => l.say("zoom not calibrated", "zoom niet gekalibreerd"),
        "margin-too-wide" => l.say("margin too wide", "marge te ruim"),
        "camera-unsteady" => l.say("camera unsteady", "camera niet stabiel"),
        "stream-changed" => l.say("stream changed", "videostroom veranderd"),
        "detector-silent" => l.say("detector silent", "detector reageert niet"),
        "too-many-things" => l.say("too many faces or plates", "te veel gezichten of kentekens"),
        "no-masks" => l.say("no valid zones", "geen geldige maskers"),
        "no-signal" => l.say("no signal", "geen signaal"),
        "paint-failed" => l.say("painting failed", "afdekken mislukt"),
        "internal" => l.say("internal error", "interne fout"),
        other => other,
    }
}
