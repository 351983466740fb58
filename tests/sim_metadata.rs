//! The metadata stream of the simulated camera, as a client reads it.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should fail loudly"
)]

mod sim_support;

use std::sync::Arc;

use greyplane::clock::SystemClock;
use greyplane::sim::motion::script::{Place, Script};
use greyplane::sim::{Sim, SimConfig};
use quick_xml::events::Event;

use sim_support::{Packet, Session};

/// Pan, zoom and time of each document, in ONVIF's generic spaces.
struct Told {
    pan: f64,
    zoom: f64,
    utc: String,
}

/// Reads one document, and nothing but well-formed ones.
fn read(document: &str) -> Told {
    let mut reader = quick_xml::Reader::from_str(document);
    let (mut pan, mut zoom, mut utc, mut path) = (None, None, None, Vec::new());
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) => path.push(tag.local_name().as_ref().to_owned()),
            Event::End(_) => drop(path.pop()),
            Event::Empty(tag) if path.iter().any(|name| name == "PTZStatus") => {
                let x = tag
                    .try_get_attribute("x")
                    .unwrap()
                    .map(|x| x.value.parse::<f64>().unwrap());
                match tag.local_name().as_ref() {
                    "PanTilt" => pan = x,
                    "Zoom" => zoom = x,
                    _ => {}
                }
            }
            Event::Text(text) if path.last().is_some_and(|name| name == "UtcTime") => {
                utc = Some(text.to_string());
            }
            Event::Eof => break,
            _ => {}
        }
    }
    Told {
        pan: pan.expect("a pan"),
        zoom: zoom.expect("a zoom"),
        utc: utc.expect("a time"),
    }
}

fn documents(session: &mut Session, count: usize) -> Vec<Told> {
    let (mut open, mut whole) = (Vec::new(), Vec::new());
    session.until("documents", |packet| {
        if let Packet::Metadata(last, part) = packet {
            open.extend_from_slice(part);
            if *last {
                let document = String::from_utf8(std::mem::take(&mut open)).unwrap();
                whole.push(read(&document));
            }
        }
        whole.len() >= count
    });
    whole
}

/// Also for a client that comes after one that wanted the video alone, and the
/// video goes on for that one.
#[test]
fn every_client_that_asks_is_told_where_the_camera_looks() {
    let from = Place {
        pan_deg: -90.0,
        tilt_deg: -12.0,
        zoom: 0.25,
    };
    let config = SimConfig {
        width: 320,
        height: 184,
        bitrate_kbps: 500,
        motion: Script::Still { at: from },
        ..SimConfig::default()
    };
    let sim = Sim::start(config, Arc::new(SystemClock::new())).unwrap();
    let mut video_alone = Session::play(sim.rtsp_url(), true).expect("the video alone");
    let is_video = |p: &Packet| matches!(p, Packet::Media(..));
    video_alone.until("video", is_video);
    for client in 0..2 {
        let mut both = Session::play(sim.rtsp_url(), false)
            .unwrap_or_else(|| panic!("client {client} is let in"));
        let told = documents(&mut both, 3);
        for (earlier, later) in told.iter().zip(&told[1..]) {
            assert!(earlier.utc < later.utc, "{} {}", earlier.utc, later.utc);
        }
        let last = &told[2];
        assert!((last.pan + 0.5).abs() < 0.01, "{}", last.pan);
        assert!((last.zoom - 0.25).abs() < 0.01, "{}", last.zoom);
        both.until("video beside it", is_video);
        video_alone.until("video still", is_video);
    }
}
