//! The command line. Each command is a file: its arguments and what it does.

mod audit;
mod check;
mod demo;
mod doctor;
mod eval;
mod mask;
mod openapi;
mod probe;
mod proof;
mod prove;
mod redact;
mod run;
mod sim;
mod terminal;
mod user;

use anyhow::Context;
use clap::{Parser, Subcommand};
use greyplane::config::Problems;
use greyplane::machine;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::process::ExitCode;

/// A privacy gateway for street cameras: grey planes that follow the camera.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100)]
pub(crate) struct Arguments {
    /// What is logged: error, warn, info, debug, trace, or a filter like `greyplane::pipeline=debug`.
    #[arg(long, global = true, env = "GREYPLANE_LOG", default_value = "info")]
    log: String,
    /// Log as JSON, one object a line.
    #[arg(long, global = true)]
    log_json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway until it is stopped.
    Run(run::Args),
    /// Check a configuration with its masks: all mistakes at once.
    Check(check::Args),
    /// Check this machine: what would keep cameras from running, and what to do.
    Doctor(doctor::Args),
    /// Look at a camera: what it is, what it tells and how well; write a configuration.
    Probe(probe::Args),
    /// Look at mask documents: check, draw, describe.
    Mask(mask::Args),
    /// Run a simulated PTZ camera.
    Sim(sim::SimArgs),
    /// Run a simulated camera and the gateway before it.
    Demo(demo::Args),
    /// Measure a detection model on labelled pictures.
    Eval(eval::Args),
    Redact(redact::Args),
    /// Make and change the accounts of the console.
    User(user::Args),
    /// Check and read the audit log.
    Audit(audit::Args),
    /// Print the document that describes the HTTP API (OpenAPI 3.1).
    Openapi,
    /// Make and check proof packs: what a camera hides, signed, for people.
    Proof(proof::Args),
    /// Play scenarios and judge the masked stream as a viewer.
    Prove(prove::Args),
}

/// How a command failed.
pub(crate) enum Failure {
    /// It ran and failed: exit code 1.
    Failed(anyhow::Error),
    /// It failed and has said so itself: exit code 1.
    Said,
    /// Wrong usage: exit code 2.
    Usage(anyhow::Error),
    /// A configuration that cannot be used: exit code 2.
    Configuration(Problems),
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

impl Arguments {
    pub(crate) fn run(self) -> ExitCode {
        // Before there is a thread, or anything to be kept secret.
        if let Err(error) = machine::forbid_core_dumps() {
            let error = anyhow::Error::new(error);
            return report(Failure::Failed(error.context(
                "core dumps cannot be switched off, and one would hold clear pictures",
            )));
        }
        let screen = terminal::Screen::new();
        let _log = match screen.start_log(&self.log, self.log_json) {
            Ok(log) => log,
            Err(error) => return report(Failure::Usage(error)),
        };
        let done = match self.command {
            Command::Run(args) => args.run(&screen),
            Command::Check(args) => args.run(),
            Command::Doctor(args) => args.run(),
            Command::Probe(args) => args.run(),
            Command::Mask(args) => args.run(),
            Command::Sim(args) => run_sim(&args),
            Command::Demo(args) => args.run(&screen),
            Command::Eval(args) => args.run(),
            Command::Redact(args) => args.run(&screen),
            Command::User(args) => args.run(),
            Command::Audit(args) => args.run(),
            Command::Openapi => openapi::run(),
            Command::Proof(args) => args.run(),
            Command::Prove(args) => args.run(),
        };
        match done {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => report(failure),
        }
    }
}

fn run_sim(args: &sim::SimArgs) -> Result<(), Failure> {
    let mut signals = Signals::new([SIGINT, SIGTERM]).context("signals")?;
    let until_signal = || {
        signals.forever().next();
    };
    sim::run(args, until_signal).map_err(Failure::from)
}

#[allow(
    clippy::print_stderr,
    reason = "a command's last word goes to the person who typed it"
)]
fn report(failure: Failure) -> ExitCode {
    match failure {
        Failure::Said => ExitCode::from(1),
        Failure::Failed(error) => {
            eprintln!("greyplane: {error:#}");
            ExitCode::from(1)
        }
        Failure::Usage(error) => {
            eprintln!("greyplane: {error:#}");
            ExitCode::from(2)
        }
        Failure::Configuration(problems) => {
            eprintln!("{problems}");
            let n = problems.0.len();
            eprintln!(
                "greyplane: {n} {}",
                if n == 1 { "mistake" } else { "mistakes" }
            );
            ExitCode::from(2)
        }
    }
}
