//! `greyplane check`: a configuration with its masks, all mistakes at once.

use super::Failure;
use anyhow::Context;
use greyplane::app::{check_certificates, try_models};
use greyplane::clock::{Clock, SystemClock};
use greyplane::config::{self, Kind, Masks};
use greyplane::users::Users;
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The configuration.
    #[arg(long, default_value = "greyplane.toml")]
    config: PathBuf,
}

impl Args {
    #[allow(clippy::print_stdout, reason = "the answer to the person who asked")]
    pub(crate) fn run(self) -> Result<(), Failure> {
        let config = config::load(&self.config).map_err(Failure::Configuration)?;
        for camera in &config.cameras {
            let count = |masks: &Masks| masks.as_ref().map_or(0, |m| m.zones().len());
            let (kind, zones) = match &camera.kind {
                Kind::Fixed => ("fixed".to_owned(), count(&camera.masks)),
                Kind::Ptz { .. } => ("turning".to_owned(), count(&camera.masks)),
                Kind::Presets(presets) => (
                    format!("{}-preset", presets.len()),
                    presets.iter().map(|p| count(&p.masks)).sum(),
                ),
            };
            let streams = match camera.streams_in_all() {
                1 => String::new(),
                n => format!(", {n} streams"),
            };
            println!("{}: {kind} camera, {zones} zones{streams}", camera.id);
        }
        if let Some(console) = &config.console {
            let users = Users::read(&console.users)
                .with_context(|| {
                    let file = console.users.display();
                    format!("nobody could log in; make the first account: greyplane user --users {file} add NAME --role admin --camera '*'")
                })
                .map_err(Failure::Usage)?;
            println!("console: {} accounts", users.iter().count());
        }
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        for line in check_certificates(&config, &clock).map_err(Failure::Usage)? {
            println!("{line}");
        }
        try_models(&config)
            .context("nobody would look at the pictures")
            .map_err(Failure::Usage)?;
        println!("{} is in order.", self.config.display());
        Ok(())
    }
}
