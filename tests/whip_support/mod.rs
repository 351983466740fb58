//! aiortc as a WHIP server on 127.0.0.1: a stack of WebRTC that is not ours, which
//! decodes what it is given (tests/peers/whip_server.py).
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "each test uses a part of it; a test that fails should fail loudly"
)]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Instant;

use greyplane::egress::{Publication, PublishOver};
use greyplane::geom::Size;
use greyplane::prove::{Canary, Planes, Rgb};
use greyplane::secret::Secret;
use serde_json::{Value, json};

use crate::pipeline_support::{Picture, until};
use crate::publish_support::Pictures;

/// What was told besides pictures, and what was seen in them.
#[derive(Default)]
struct Heard {
    said: Vec<Value>,
    canary_pixels: Vec<u64>,
    key_frames: usize,
}

pub struct WhipServer {
    process: Child,
    wishes: Option<ChildStdin>,
    reader: Option<JoinHandle<()>>,
    heard: Arc<Mutex<Heard>>,
    scheme: &'static str,
    pub port: u16,
    pub pictures: Pictures,
}

/// Whether `make test` made a `.venv` with aiortc in it; a line says so where not.
pub fn there_is_aiortc() -> bool {
    let find = "import importlib.util as u, sys; sys.exit(u.find_spec('aiortc') is None)";
    let has_it = Command::new(python()).args(["-c", find]).status();
    let there = has_it.is_ok_and(|status| status.success());
    if !there {
        println!("skipped: .venv has no aiortc (tests/peers/requirements-whip.txt)");
    }
    there
}

fn python() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv/bin/python")
}

impl WhipServer {
    /// `options` as whip_server.py lists them.
    pub fn start(options: &Value) -> Self {
        let mut process = Command::new(python())
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/whip_server.py"))
            .arg(options.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(process.stdout.take().unwrap());
        let first = next(&mut out).expect("a server that listens").0;
        let port = first["port"].as_u64().unwrap();
        let (pictures, heard) = (Pictures::default(), Arc::new(Mutex::new(Heard::default())));
        let (to, told) = (pictures.clone(), heard.clone());
        let reader = std::thread::spawn(move || {
            while let Some((said, planes)) = next(&mut out) {
                if said["event"] == "picture" {
                    take(&said, planes, &to, &told);
                } else {
                    told.lock().unwrap().said.push(said);
                }
            }
        });
        Self {
            wishes: process.stdin.take(),
            process,
            reader: Some(reader),
            heard,
            scheme: if options["cert"].is_null() {
                "http"
            } else {
                "https"
            },
            port: u16::try_from(port).unwrap(),
            pictures,
        }
    }

    pub fn plain() -> Self {
        Self::start(&json!({}))
    }

    pub fn url(&self) -> String {
        format!("{}://127.0.0.1:{}/market/whip", self.scheme, self.port)
    }

    /// A publication here.
    pub fn publication(&self, name: &str, token: Option<&str>) -> Publication {
        Publication {
            name: name.into(),
            url: self.url(),
            over: PublishOver::Whip {
                token: token.map(Secret::new),
                ca_file: None,
            },
        }
    }

    /// Everything of this kind that was told so far.
    pub fn told(&self, event: &str) -> Vec<Value> {
        let heard = self.heard.lock().unwrap();
        let of = heard.said.iter().filter(|said| said["event"] == event);
        of.cloned().collect()
    }

    pub fn wait_for(&self, event: &str) -> Value {
        until(event, || self.told(event).pop())
    }

    pub fn wait_for_pictures(&self, more_than: usize) {
        let enough = |seen: &[Picture]| (seen.len() > more_than).then_some(());
        self.pictures.wait("pictures", enough);
    }

    /// Pixels of the simulated camera's canary in each picture.
    pub fn canary_pixels(&self) -> Vec<u64> {
        self.heard.lock().unwrap().canary_pixels.clone()
    }

    pub fn key_frames(&self) -> usize {
        self.heard.lock().unwrap().key_frames
    }

    /// `pli` or `bye`.
    pub fn wish(&mut self, what: &str) {
        writeln!(self.wishes.as_mut().unwrap(), "{what}").unwrap();
    }
}

impl Drop for WhipServer {
    /// As a machine that loses power: nobody is told.
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        // Where it panicked the test has failed already.
        let _ = self.reader.take().unwrap().join();
    }
}

/// A line, and the bytes that follow it.
fn next(out: &mut impl BufRead) -> Option<(Value, Vec<u8>)> {
    let mut line = String::new();
    if out.read_line(&mut line).ok()? == 0 {
        return None;
    }
    let said: Value = serde_json::from_str(&line).unwrap();
    let mut planes = vec![0; said["bytes"].as_u64().unwrap_or(0) as usize];
    out.read_exact(&mut planes).ok()?;
    Some((said, planes))
}

fn take(said: &Value, mut planes: Vec<u8>, to: &Pictures, told: &Mutex<Heard>) {
    let number = |name: &str| said[name].as_u64().unwrap() as usize;
    let (width, height) = (number("width"), number("height"));
    let (chroma, luma) = ((width / 2) * (height / 2), width * height);
    let magenta = Canary::new(Rgb([255, 0, 255])).unwrap();
    let (y, uv) = planes.split_at(luma);
    let pixels = magenta.pixels(&Planes {
        width,
        height,
        data: [y, &uv[..chroma], &uv[chroma..]],
        stride: [width, width / 2, width / 2],
    });
    let mut heard = told.lock().unwrap();
    heard.canary_pixels.push(pixels.unwrap());
    heard.key_frames += usize::from(said["key"] == true);
    planes.truncate(luma);
    to.push(Picture {
        size: Size {
            width: width as u32,
            height: height as u32,
        },
        luma: planes,
        capture: None,
        at: Instant::now(),
    });
}
