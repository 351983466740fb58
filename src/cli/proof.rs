//! `greyplane proof`: make a proof pack of a camera, and check one.

use super::Failure;
use anyhow::{Context, anyhow};
use clap::Subcommand;
use greyplane::app::usual_face;
use greyplane::audit::PublicKey;
use greyplane::clock::{Clock, SystemClock};
use greyplane::config;
use greyplane::proof::{self, Asked, Language, Span, Subject};
use std::fs;
use std::path::{Path, PathBuf};

/// A larger file is no proof pack, bytes.
const LARGEST: u64 = 256 << 20;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a pack, beside a running gateway or without one; takes seconds of one
    /// core, at low priority. Needs the audit log's key: run it as the gateway's user.
    Make(Make),
    /// Whether a pack is what was made; exit code 1 where it is not.
    Verify(Verify),
}

#[derive(Debug, clap::Args)]
struct Make {
    /// The configuration.
    #[arg(long, default_value = "greyplane.toml")]
    config: PathBuf,
    /// Which camera.
    #[arg(long)]
    camera: String,
    /// The first day of the period (UTC), or an instant (RFC 3339).
    #[arg(long, value_name = "DATE")]
    from: String,
    /// The last day of the period, with all of its hours, or an instant.
    #[arg(long, value_name = "DATE")]
    to: String,
    /// What it is written in: nl or en.
    #[arg(long, default_value = "en")]
    lang: Language,
    /// Where to write it (HTML).
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Debug, clap::Args)]
struct Verify {
    /// The pack.
    file: PathBuf,
    /// Whose signature counts, 64 hexadecimal digits, as `greyplane audit head`
    /// prints it [default: the key that the file names, which proves nothing about who made it]
    #[arg(long, value_name = "PUBLICKEY")]
    key: Option<PublicKey>,
}

impl Args {
    #[allow(clippy::print_stdout, reason = "the answer to the person who asked")]
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.action {
            Action::Make(args) => println!("{}", args.run()?),
            Action::Verify(args) => println!("{}", args.run()?),
        }
        Ok(())
    }
}

impl Make {
    fn run(&self) -> Result<String, Failure> {
        let clock = SystemClock::new();
        let (now, began) = (clock.wall(), clock.mono());
        let usage = |what: anyhow::Error| Failure::Usage(what);
        let span = Span::parse(&self.from, &self.to, now).map_err(|e| usage(e.into()))?;
        // A camera whose zones cannot be read is covered; the pack says so.
        let (config, _) = config::load_covering(&self.config).map_err(Failure::Configuration)?;
        let camera = config.cameras.iter().find(|c| c.id == self.camera);
        let camera = camera.ok_or_else(|| {
            let known: Vec<&str> = config.cameras.iter().map(|c| c.id.as_str()).collect();
            usage(anyhow!(
                "there is no camera {:?} in {}; it has {}",
                self.camera,
                self.config.display(),
                known.join(", ")
            ))
        })?;
        let console = config.console.as_ref().ok_or_else(|| {
            usage(anyhow!(
                "{} has no [console], so there is no audit log and no key to sign with; add one",
                self.config.display()
            ))
        })?;
        // Pictures come first.
        let _ = rustix::process::nice(10);
        let subject = Subject {
            camera,
            detectors: &config.detectors,
            usual_face: usual_face(),
            audit: &console.audit,
            live: None,
            now,
        };
        let asked = Asked {
            span,
            language: self.lang,
        };
        let pack = proof::make(&subject, &asked).map_err(|e| Failure::Failed(e.into()))?;
        let sealed = proof::verify(&pack, None).map_err(|e| Failure::Failed(e.into()))?;
        write(&self.out, &pack)?;
        Ok(format!(
            "{}: {} kB, made in {:.1} s, signed with {}",
            self.out.display(),
            pack.len().div_ceil(1000),
            clock.mono().since(began).as_secs_f64(),
            sealed.key
        ))
    }
}

/// Whole or not at all.
fn write(out: &Path, pack: &[u8]) -> Result<(), Failure> {
    let mut part = out.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    fs::write(&part, pack)
        .and_then(|()| fs::rename(&part, out))
        .with_context(|| format!("cannot write {}", out.display()))?;
    Ok(())
}

impl Verify {
    fn run(&self) -> Result<String, Failure> {
        let name = self.file.display();
        let read = || -> std::io::Result<Vec<u8>> {
            let length = fs::metadata(&self.file)?.len();
            match length > LARGEST {
                true => Err(std::io::Error::other("it is too large to be a proof pack")),
                false => fs::read(&self.file),
            }
        };
        let file = read()
            .with_context(|| name.to_string())
            .map_err(Failure::Usage)?;
        match proof::verify(&file, self.key.as_ref()) {
            Ok(sealed) if self.key.is_some() => Ok(format!(
                "{name} is what was made and signed with {}",
                sealed.key
            )),
            Ok(sealed) => Ok(format!(
                "{name} is what was signed with the key that it names itself, {}; give --key to know whose that is",
                sealed.key
            )),
            Err(why) => Err(Failure::Failed(anyhow!("{name}: {why}"))),
        }
    }
}
