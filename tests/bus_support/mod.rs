//! Message buses on 127.0.0.1, and those who listen at them: Debian's mosquitto with its
//! own subscriber, and nats-server with a few lines of NATS. They end with the test.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "each test uses a part of it; a test that fails should fail loudly"
)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::tls_support::Pair;

/// Longer than anything may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(90);

pub const USER: &str = "gateway";
pub const PASSWORD: &str = "grey & quiet";

/// A port that was free a moment ago: a server that comes back needs its old one.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

pub fn until<T>(what: &str, mut answer: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = answer() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A program that ends with this process, whatever becomes of it.
fn bound_to_us(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", program]);
    command.stdin(Stdio::null()).stderr(Stdio::null());
    command
}

/// A server of either kind.
pub struct Server {
    child: Child,
    pub port: u16,
}

impl Server {
    fn start(mut command: Command, port: u16) -> Self {
        let child = command.stdout(Stdio::null()).spawn();
        let mut child = child.expect("mosquitto or nats-server is missing: make system");
        until("a server", || {
            let ended = child.try_wait().unwrap();
            assert!(ended.is_none(), "it ended at once: {ended:?}");
            TcpStream::connect(("127.0.0.1", port)).ok()
        });
        Self { child, port }
    }

    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([name, &pid]).status().unwrap();
        assert!(sent.success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a broker asks for.
#[derive(Default)]
pub struct Rules {
    pub login: bool,
    pub tls: Option<Pair>,
}

/// mosquitto at `port`, with its files in `folder`. It keeps nothing over a restart.
pub fn mosquitto(folder: &Path, port: u16, rules: &Rules) -> Server {
    let mut text = format!("listener {port} 127.0.0.1\npersistence false\nuser root\n");
    text += match rules.login {
        true => {
            let file = folder.join("passwords");
            let made = Command::new("mosquitto_passwd")
                .args(["-b", "-c"])
                .arg(&file)
                .args([USER, PASSWORD])
                .status();
            assert!(made.unwrap().success());
            &*format!("allow_anonymous false\npassword_file {}\n", file.display()).leak()
        }
        false => "allow_anonymous true\n",
    };
    if let Some(pair) = &rules.tls {
        pair.put(folder);
        let folder = folder.display();
        text += &format!("certfile {folder}/tls.crt\nkeyfile {folder}/tls.key\n");
    }
    let config = folder.join("mosquitto.conf");
    fs::write(&config, text).unwrap();
    let mut command = bound_to_us("mosquitto");
    command.arg("-c").arg(config);
    Server::start(command, port)
}

/// nats-server at `port`.
pub fn nats(folder: &Path, port: u16, rules: &Rules, token: Option<&str>) -> Server {
    let mut command = bound_to_us("nats-server");
    command.args(["-a", "127.0.0.1", "-p", &port.to_string()]);
    if rules.login {
        command.args(["--user", USER, "--pass", PASSWORD]);
    }
    if let Some(token) = token {
        command.args(["--auth", token]);
    }
    if let Some(pair) = &rules.tls {
        pair.put(folder);
        command.arg("--tls");
        command.arg("--tlscert").arg(folder.join("tls.crt"));
        command.arg("--tlskey").arg(folder.join("tls.key"));
    }
    Server::start(command, port)
}

/// A message, and whether it was kept for whoever comes later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub topic: String,
    pub payload: String,
}

impl Message {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.payload).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }
}

/// mosquitto's own subscriber, with what a broker wants to see of it.
#[derive(Clone)]
pub struct Subscriber {
    pub port: u16,
    pub login: bool,
    pub ca_file: Option<PathBuf>,
}

impl Subscriber {
    pub fn at(server: &Server) -> Self {
        Self {
            port: server.port,
            login: false,
            ca_file: None,
        }
    }

    fn command(&self) -> Command {
        let mut command = bound_to_us("mosquitto_sub");
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string()]);
        if self.login {
            command.args(["-u", USER, "-P", PASSWORD]);
        }
        if let Some(file) = &self.ca_file {
            command.arg("--cafile").arg(file);
        }
        command.args(["-t", "#", "-q", "1", "-F", "%t %p"]);
        command
    }

    /// What the broker keeps for whoever comes now.
    pub fn kept(&self) -> Vec<Message> {
        let mut command = self.command();
        command.args(["--retained-only", "-W", "1"]);
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(message).collect()
    }

    /// What the broker keeps, as soon as it is as `wanted`.
    pub fn wait_kept<T>(&self, what: &str, wanted: impl Fn(&[Message]) -> Option<T>) -> T {
        let mut last = Vec::new();
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            last = self.kept();
            if let Some(found) = wanted(&last) {
                return found;
            }
        }
        panic!("waited in vain for {what}; kept: {last:#?}");
    }

    /// What comes from now on.
    pub fn listen(&self) -> Listener {
        let mut command = self.command();
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let (said, heard) = std::sync::mpsc::sync_channel(10_000);
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                let _ = said.try_send(message(&line));
            }
        });
        Listener { child, heard }
    }
}

/// The payload kept at `topic`.
pub fn at<'a>(kept: &'a [Message], topic: &str) -> Option<&'a Message> {
    kept.iter().find(|m| m.topic == topic)
}

fn message(line: &str) -> Message {
    let (topic, payload) = line.split_once(' ').unwrap_or((line, ""));
    Message {
        topic: topic.to_owned(),
        payload: payload.to_owned(),
    }
}

pub struct Listener {
    child: Child,
    heard: std::sync::mpsc::Receiver<Message>,
}

impl Listener {
    /// The first message that is as wanted.
    pub fn wait(&self, what: &str, wanted: impl Fn(&Message) -> bool) -> Message {
        self.wait_all(what, wanted).pop().unwrap()
    }

    /// The first message that is as wanted, and all that came before it.
    pub fn wait_all(&self, what: &str, wanted: impl Fn(&Message) -> bool) -> Vec<Message> {
        let mut others = Vec::new();
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Ok(message) = self.heard.recv_timeout(Duration::from_millis(200)) {
                let last = wanted(&message);
                others.push(message);
                if last {
                    return others;
                }
            }
        }
        panic!("waited in vain for {what}; heard {others:#?}");
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Somebody who subscribed to everything at a NATS server, over plain TCP.
pub struct NatsEar {
    stream: BufReader<TcpStream>,
}

impl NatsEar {
    pub fn open(port: u16, login: &str) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut ear = Self {
            stream: BufReader::new(stream),
        };
        assert!(ear.line().starts_with("INFO "));
        let hello = format!(
            "CONNECT {{\"verbose\":false,\"pedantic\":false{login}}}\r\nSUB > 1\r\nPING\r\n"
        );
        ear.stream.get_mut().write_all(hello.as_bytes()).unwrap();
        while ear.line() != "PONG" {}
        ear
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        let read = self
            .stream
            .read_line(&mut line)
            .expect("the server says nothing");
        assert!(read > 0, "the server hung up");
        line.trim_end().to_owned()
    }

    fn next(&mut self) -> Message {
        loop {
            let line = self.line();
            if line == "PING" {
                self.stream.get_mut().write_all(b"PONG\r\n").unwrap();
            }
            let Some(rest) = line.strip_prefix("MSG ") else {
                continue;
            };
            let parts: Vec<&str> = rest.split(' ').collect();
            let length: usize = parts.last().unwrap().parse().unwrap();
            let mut payload = vec![0; length + 2];
            self.stream.read_exact(&mut payload).unwrap();
            payload.truncate(length);
            return Message {
                topic: parts[0].to_owned(),
                payload: String::from_utf8(payload).unwrap(),
            };
        }
    }

    /// The first message that is as wanted.
    pub fn wait(&mut self, what: &str, wanted: impl Fn(&Message) -> bool) -> Message {
        let began = Instant::now();
        loop {
            let message = self.next();
            if wanted(&message) {
                return message;
            }
            assert!(began.elapsed() < PATIENCE, "waited in vain for {what}");
        }
    }
}
