//! `greyplane check`: a configuration with its masks, all mistakes at once.

use super::Failure;
use anyhow::Context;
use greyplane::app::try_models;
use greyplane::config::{self, Kind};
use std::path::PathBuf;

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
            let zones = camera.masks.as_ref().map_or(0, |m| m.zones().len());
            let kind = match camera.kind {
                Kind::Fixed => "fixed",
                Kind::Ptz { .. } => "turning",
            };
            println!("{}: {kind} camera, {zones} zones", camera.id);
        }
        try_models(&config)
            .context("nobody would look at the pictures")
            .map_err(Failure::Usage)?;
        println!("{} is in order.", self.config.display());
        Ok(())
    }
}
