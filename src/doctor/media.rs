//! What of GStreamer must be there.

use super::Finding;
use crate::config::{Config, EncoderChoice, PublishOver, Transport};
use crate::pipeline::{ENCODERS, codecs_here, missing_elements, usable_elements};
use std::collections::BTreeSet;

const CHECK: &str = "gstreamer";

/// What every camera needs, and the Debian package it comes in.
const NEEDED: [(&str, &str); 8] = [
    ("rtspsrc", "gstreamer1.0-plugins-good"),
    ("rtpbin", "gstreamer1.0-plugins-good"),
    ("rtph264depay", "gstreamer1.0-plugins-good"),
    ("rtph264pay", "gstreamer1.0-plugins-good"),
    ("h264parse", "gstreamer1.0-plugins-bad"),
    ("appsrc", "gstreamer1.0-plugins-base"),
    ("appsink", "gstreamer1.0-plugins-base"),
    ("videoconvert", "gstreamer1.0-plugins-base"),
];
/// Interleaved or not, packets come through these.
const NEEDED_FOR_UDP: (&str, &str) = ("udpsrc", "gstreamer1.0-plugins-good");
/// What publishes.
const NEEDED_FOR_RTSP: [(&str, &str); 1] = [("rtspclientsink", "gstreamer1.0-rtsp")];
const NEEDED_FOR_SRT: [(&str, &str); 2] = [
    ("mpegtsmux", "gstreamer1.0-plugins-bad"),
    ("srtsink", "gstreamer1.0-plugins-bad"),
];

pub(super) fn gstreamer(config: Option<&Config>) -> Vec<Finding> {
    let mut needed = NEEDED.to_vec();
    if config.is_some_and(|c| {
        c.cameras
            .iter()
            .any(|c| c.source.transport == Transport::Udp)
    }) {
        needed.push(NEEDED_FOR_UDP);
    }
    let publications = config.iter().flat_map(|c| &c.cameras);
    for publication in publications.flat_map(|c| &c.publish) {
        needed.extend(match publication.over {
            PublishOver::Rtsp { .. } => NEEDED_FOR_RTSP.as_slice(),
            PublishOver::Srt { .. } => NEEDED_FOR_SRT.as_slice(),
            PublishOver::Whip { .. } => &[],
        });
    }
    let names: Vec<&str> = needed.iter().map(|(name, _)| *name).collect();
    let missing = match missing_elements(&names) {
        Ok(missing) => missing,
        Err(error) => {
            let remedy = "install GStreamer 1.22 or newer";
            return vec![Finding::bad(CHECK, error.to_string(), remedy)];
        }
    };
    let mut findings = Vec::new();
    if !missing.is_empty() {
        let packages: BTreeSet<&str> = needed
            .iter()
            .filter(|(name, _)| missing.contains(name))
            .map(|(_, package)| *package)
            .collect();
        let packages: Vec<&str> = packages.into_iter().collect();
        findings.push(Finding::bad(
            CHECK,
            format!("elements are missing: {}", missing.join(", ")),
            format!("apt-get install {}", packages.join(" ")),
        ));
    }
    let (mut taken, mut not_taken) = (Vec::new(), Vec::new());
    for (codec, tried) in codecs_here().unwrap_or_default() {
        match tried {
            Ok(()) => taken.push(codec),
            Err(why) => not_taken.push((codec, why)),
        }
    }
    let encoders = usable_elements(&ENCODERS).unwrap_or_default();
    if taken.is_empty() {
        let whys: Vec<String> = not_taken.iter().map(|(_, why)| why.to_string()).collect();
        let what = format!("no camera's video can be decoded: {}", whys.join("; "));
        let remedy = "apt-get install gstreamer1.0-libav";
        findings.push(Finding::bad(CHECK, what, remedy));
    }
    let remedy = "apt-get install gstreamer1.0-plugins-bad (openh264enc) or -ugly (x264enc)";
    if encoders.is_empty() {
        let what = format!("no H.264 encoder works; tried {}", ENCODERS.join(", "));
        findings.push(Finding::bad(CHECK, what, remedy));
    }
    let chosen = config.iter().flat_map(|config| &config.cameras);
    for camera in chosen.filter(|c| c.encoder.choice != EncoderChoice::Auto) {
        let name = camera.encoder.choice.name();
        if !encoders.contains(&name) {
            let what = format!(
                "camera {} wants {name}, which does not work here",
                camera.id
            );
            findings.push(Finding::bad(CHECK, what, "choose `auto`, or install it"));
        }
    }
    if findings.is_empty() {
        let without = match not_taken.as_slice() {
            [] => String::new(),
            some => {
                let names: Vec<&str> = some.iter().map(|(codec, _)| *codec).collect();
                format!(" (not {})", names.join(", "))
            }
        };
        let what = format!(
            "all elements are there; takes {}{without}; encodes with {}",
            taken.join(", "),
            encoders.first().unwrap_or(&"none")
        );
        findings.push(Finding::good(CHECK, what));
    }
    findings
}
