//! `greyplane doctor`: whether this machine carries the cameras, a line a check.

use super::Failure;
use anyhow::Context;
use greyplane::doctor::{Finding, Verdict, examine};
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The configuration; without one only the machine is looked at.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

impl Args {
    #[allow(clippy::print_stdout, reason = "the answer to the person who asked")]
    pub(crate) fn run(self) -> Result<(), Failure> {
        let found = examine(self.config.as_deref());
        if self.json {
            let text = serde_json::to_string_pretty(&found).context("the findings")?;
            println!("{text}");
        } else {
            for finding in &found.findings {
                print(finding);
            }
            match (
                found.ok,
                found.findings.iter().any(|f| f.verdict == Verdict::Doubt),
            ) {
                (true, false) => println!("All is in order."),
                (true, true) => println!("It will run; see what is marked `note`."),
                (false, _) => println!("It will not run as configured; see what is marked `bad`."),
            }
        }
        match found.ok {
            true => Ok(()),
            false => Err(Failure::Said),
        }
    }
}

#[allow(clippy::print_stdout, reason = "the answer to the person who asked")]
pub(super) fn print(finding: &Finding) {
    let mark = match finding.verdict {
        Verdict::Good => "ok",
        Verdict::Doubt => "note",
        Verdict::Bad => "bad",
    };
    println!("{mark:<5} {:<14} {}", finding.check, finding.what);
    if let Some(remedy) = &finding.remedy {
        println!("{:<20} → {remedy}", "");
    }
}
