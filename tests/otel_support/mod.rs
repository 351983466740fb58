//! A collector of traces on 127.0.0.1 that reads what it is sent with OpenTelemetry's own
//! classes (tests/peers/otel_collector.py). It ends with the test.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "each test uses a part of it; a test that fails should fail loudly"
)]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::bus_support::until;

fn python() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv/bin/python")
}

/// Whether `make test` made a `.venv` with the classes in it; a line says so where not.
pub fn there_is_opentelemetry() -> bool {
    let import = "import opentelemetry.proto.trace.v1.trace_pb2";
    let has_it = Command::new(python()).args(["-c", import]).status();
    let there = has_it.is_ok_and(|status| status.success());
    if !there {
        println!("skipped: .venv has no opentelemetry-proto (tests/peers/requirements-otel.txt)");
    }
    there
}

pub struct Collector {
    process: Child,
    wishes: ChildStdin,
    heard: Arc<Mutex<Vec<Value>>>,
    pub port: u64,
}

impl Collector {
    /// `options` as otel_collector.py lists them.
    pub fn start(options: &Value) -> Self {
        let mut process = Command::new(python())
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/otel_collector.py"))
            .arg(options.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(process.stdout.take().unwrap());
        let mut first = String::new();
        out.read_line(&mut first).unwrap();
        let first: Value = serde_json::from_str(&first).expect("a collector that listens");
        let heard = Arc::new(Mutex::new(Vec::new()));
        let to = heard.clone();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                to.lock()
                    .unwrap()
                    .push(serde_json::from_str(&line).unwrap());
            }
        });
        Self {
            wishes: process.stdin.take().unwrap(),
            process,
            heard,
            port: first["port"].as_u64().unwrap(),
        }
    }

    /// How it answers from now on.
    pub fn manners(&mut self, how: &str) {
        writeln!(self.wishes, "{how}").unwrap();
        until("other manners", || {
            let heard = self.heard.lock().unwrap();
            let last = heard.iter().rfind(|said| said["event"] == "manners");
            (last?["now"] == how).then_some(())
        });
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Value> {
        let heard = self.heard.lock().unwrap();
        let requests = heard.iter().filter(|said| said["event"] == "request");
        requests.cloned().collect()
    }

    /// The spans that it took, each once.
    pub fn taken(&self) -> Vec<Value> {
        let requests = self.requests().into_iter();
        let took = requests.filter(|request| request["manners"] == "take");
        took.flat_map(|request| request["spans"].as_array().unwrap().clone())
            .collect()
    }

    /// Waits until it took such a span: the span, and its parts.
    pub fn wait(&self, name: &str, is: impl Fn(&Value) -> bool) -> (Value, Vec<Value>) {
        until(name, || {
            let spans = self.taken();
            let whole = spans.iter().find(|s| s["name"] == name && is(s))?;
            let parts = spans.iter().filter(|s| s["parent"] == whole["id"]);
            Some((whole.clone(), parts.cloned().collect()))
        })
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The names of these spans.
pub fn names(spans: &[Value]) -> Vec<&str> {
    spans.iter().map(|s| s["name"].as_str().unwrap()).collect()
}

/// How long a span took, nanoseconds.
pub fn took(span: &Value) -> u64 {
    span["end"].as_u64().unwrap() - span["start"].as_u64().unwrap()
}
