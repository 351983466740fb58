//! `greyplane probe`: what a camera is, what it tells and how well, a line a finding; and
//! a configuration for it.

use super::Failure;
use super::doctor;
use anyhow::{Context, anyhow};
use greyplane::clock::{Clock, SystemClock};
use greyplane::doctor::{Finding, Verdict};
use greyplane::probe::{self, Login, ProbeSettings, Report, Turn, device_url, find};
use greyplane::secret::Secret;
use signal_hook::consts::{SIGINT, SIGTERM};
use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The camera: HOST, HOST:PORT or http(s)://HOST[:PORT]/onvif/device_service.
    #[arg(required_unless_present = "find")]
    address: Option<String>,
    /// Look for cameras on this network (WS-Discovery), and list what answers.
    #[arg(long, conflicts_with_all = ["address", "turn", "write"])]
    find: bool,
    /// The camera's account.
    #[arg(long)]
    user: Option<String>,
    /// A file with its password.
    #[arg(long, requires = "user", conflicts_with = "password_env")]
    password_file: Option<PathBuf>,
    /// An environment variable with its password.
    #[arg(long, requires = "user")]
    password_env: Option<String>,
    /// PEM certificates that alone are trusted over https.
    #[arg(long)]
    ca_file: Option<PathBuf>,
    /// The media profile to look at; without it the first with PTZ, or the first.
    #[arg(long)]
    profile_token: Option<String>,
    /// Questions for the position, per second.
    #[arg(long, default_value_t = 10.0)]
    rate: f64,
    /// For how long the position is asked for.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// For how long the stream is looked at; with --find, for how long is listened.
    #[arg(long, default_value_t = 8.0)]
    look_seconds: f64,
    /// How long one answer may take.
    #[arg(long, default_value_t = 2000)]
    timeout_ms: u64,
    /// Turn the camera by about 5 degrees, several times, and put it back; asks before.
    #[arg(long = "move")]
    turn: bool,
    /// With --move: do not ask.
    #[arg(long, requires = "turn")]
    yes: bool,
    /// With --move: go to this preset of the camera, too, three times.
    #[arg(long, requires = "turn", value_name = "TOKEN or NAME")]
    preset: Option<String>,
    /// Write a configuration for the camera into this folder; nothing is overwritten.
    #[arg(long, value_name = "DIR")]
    write: Option<PathBuf>,
    /// Write what was found as JSON; `-` is the standard output.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

impl Args {
    pub(crate) fn run(self) -> Result<(), Failure> {
        within("--rate", self.rate, 0.2, 100.0)?;
        within("--seconds", self.seconds, 0.1, 3600.0)?;
        within("--look-seconds", self.look_seconds, 0.1, 600.0)?;
        within("--timeout-ms", self.timeout_ms as f64, 50.0, 60_000.0)?;
        if self.find {
            return self.list();
        }
        let settings = self.settings()?;
        let stop = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            signal_hook::flag::register(signal, stop.clone()).context("signals")?;
        }
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let quiet = self.json_to_stdout();
        let tell = |finding: &Finding| {
            if !quiet {
                doctor::print(finding);
            }
        };
        let report = probe::probe(&settings, &clock, &stop, &tell).context("no event loop")?;
        if let Some(file) = &self.json {
            put(
                file,
                &serde_json::to_string_pretty(&report).context("the report")?,
            )?;
        }
        let written = match &self.write {
            Some(folder) if report.device.is_some() && !report.broken_off => {
                self.write(folder, &report, quiet)
            }
            _ => Ok(()),
        };
        if !quiet {
            say(last_word(&report));
        }
        written?;
        match report.ok {
            true => Ok(()),
            false => Err(Failure::Said),
        }
    }

    fn json_to_stdout(&self) -> bool {
        self.json.as_deref() == Some(Path::new("-"))
    }

    fn settings(&self) -> Result<ProbeSettings, Failure> {
        let address = self.address.as_deref().unwrap_or_default();
        let device_url = device_url(address).map_err(|e| Failure::Usage(anyhow!(e)))?;
        let ca_pem = match &self.ca_file {
            Some(path) => Some(read(path)?.into()),
            None => None,
        };
        let turn = self.turn.then(|| Turn {
            preset: self.preset.clone(),
        });
        if turn.is_some() && !self.yes {
            self.permitted()?;
        }
        Ok(ProbeSettings {
            device_url,
            user: self.user.clone().unwrap_or_default(),
            password: self.password()?,
            ca_pem,
            profile_token: self.profile_token.clone(),
            timeout_ms: self.timeout_ms,
            rate_hz: self.rate,
            asks_for: Duration::from_secs_f64(self.seconds),
            looks_for: Duration::from_secs_f64(self.look_seconds),
            turn,
        })
    }

    fn password(&self) -> Result<Secret, Failure> {
        let text = match (&self.password_file, &self.password_env) {
            (Some(path), _) => read(path)?,
            (None, Some(name)) => std::env::var(name)
                .map_err(|e| Failure::Usage(anyhow!("--password-env {name}: {e}")))?,
            (None, None) if self.user.is_some() => {
                let missing = anyhow!("--user needs --password-file or --password-env");
                return Err(Failure::Usage(missing));
            }
            (None, None) => String::new(),
        };
        Ok(Secret::new(text.trim_end_matches(['\r', '\n'])))
    }

    /// Asks whoever sits there. Nobody there, no permission.
    #[allow(clippy::print_stderr, reason = "a question to the person who typed it")]
    fn permitted(&self) -> Result<(), Failure> {
        let refused = |why: &str| Err(Failure::Usage(anyhow!("{why}")));
        if !std::io::stdin().is_terminal() {
            return refused(
                "--move asks before it turns the camera, and nobody can answer here: give --yes",
            );
        }
        let preset = match &self.preset {
            Some(preset) => format!(", and to its preset {preset:?}"),
            None => String::new(),
        };
        eprint!(
            "The camera will turn by about {} degrees, several times, to the side and up or down{preset}, and come back.\n\
             Whoever watches sees it turn. Go on? [y/N] ",
            Turn::ABOUT_DEG
        );
        let _ = std::io::stderr().flush();
        let mut answer = String::new();
        std::io::stdin()
            .lock()
            .read_line(&mut answer)
            .context("your answer")?;
        match answer.trim() {
            "y" | "Y" | "yes" => Ok(()),
            _ => refused("not turned, nothing asked"),
        }
    }

    fn write(&self, folder: &Path, report: &Report, quiet: bool) -> Result<(), Failure> {
        let login = Login {
            user: self.user.clone(),
            password_file: self.password_file.clone(),
            password_env: self.password_env.clone(),
            ca_file: self.ca_file.clone(),
        };
        let files = probe::write(folder, report, &login, self.rate);
        let files = files
            .map_err(|e| Failure::Failed(anyhow!(e).context("no configuration was written")))?;
        if !quiet {
            for file in &files {
                say(&format!("wrote {}", file.display()));
            }
            say(
                "The picture stays covered until zones are drawn and, for a camera that turns, the profile is measured.",
            );
        }
        Ok(())
    }

    fn list(&self) -> Result<(), Failure> {
        let found = find(Duration::from_secs_f64(self.look_seconds)).context("WS-Discovery")?;
        if let Some(file) = &self.json {
            put(
                file,
                &serde_json::to_string_pretty(&found).context("the list")?,
            )?;
        }
        if self.json_to_stdout() {
            return Ok(());
        }
        for device in &found {
            let first = device.addresses.first().map_or("", String::as_str);
            say(&format!("{first:<48} {} {}", device.name, device.hardware));
            for other in device.addresses.iter().skip(1) {
                say(&format!("{other:<48} the same"));
            }
        }
        say(match found.is_empty() {
            true => {
                "Nothing answered. Cameras answer on their own network only, and many have WS-Discovery switched off."
            }
            false => {
                "What answers may say anything: compare with the device before you give it a password."
            }
        });
        Ok(())
    }
}

fn last_word(report: &Report) -> &'static str {
    let doubt = report.findings.iter().any(|f| f.verdict == Verdict::Doubt);
    match (report.ok, report.broken_off, doubt) {
        (_, true, _) => "Broken off.",
        (true, _, false) => "All is in order.",
        (true, _, true) => "It can be masked; see what is marked `note`.",
        (false, _, _) => "As it is it cannot be masked, or not well; see what is marked `bad`.",
    }
}

fn within(name: &str, value: f64, low: f64, high: f64) -> Result<(), Failure> {
    match (low..=high).contains(&value) {
        true => Ok(()),
        false => Err(Failure::Usage(anyhow!(
            "{name} is {value}: give {low} to {high}"
        ))),
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(path);
    text.with_context(|| path.display().to_string())
        .map_err(Failure::Usage)
}

fn put(file: &Path, text: &str) -> Result<(), Failure> {
    if file == Path::new("-") {
        say(text);
        return Ok(());
    }
    let written = std::fs::write(file, format!("{text}\n"));
    Ok(written.with_context(|| file.display().to_string())?)
}

#[allow(clippy::print_stdout, reason = "the answer to the person who asked")]
fn say(line: &str) {
    println!("{line}");
}
