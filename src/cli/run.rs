//! `greyplane run`: the gateway until SIGTERM or Ctrl-C; SIGHUP reloads.

use super::Failure;
use super::terminal::Screen;
use anyhow::Context;
use greyplane::app::Gateway;
use greyplane::clock::SystemClock;
use greyplane::config::{self, Config, Problems};
use greyplane::machine::{give_back_memory, is_root, keep_few_pools, refuse_calls};
use greyplane::pipeline::start_gstreamer;
use sd_notify::NotifyState;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The configuration.
    #[arg(long, default_value = "greyplane.toml")]
    config: PathBuf,
}

/// How often the board and the signals are looked at.
const TICK: Duration = Duration::from_millis(250);
/// How often memory that nobody uses is given back: every minute.
const TICKS_TO_GIVE_BACK: u32 = 240;

impl Args {
    pub(crate) fn run(self, screen: &Screen) -> Result<(), Failure> {
        keep_few_pools();
        let (config, problems) =
            config::load_covering(&self.config).map_err(Failure::Configuration)?;
        warn_of(&problems);
        confine(&config)?;
        let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM]).context("signals")?;
        let mut gateway = Gateway::start(config.clone(), Arc::new(SystemClock::new()))?;
        announce(screen, &gateway, &config);
        let mut board = screen.board();
        tell_systemd(&[NotifyState::Ready]);
        let mut tick = 0;
        loop {
            for signal in signals.pending() {
                match signal {
                    SIGHUP => {
                        tell_systemd(&[NotifyState::Reloading]);
                        gateway.reload(&self.config);
                        tell_systemd(&[NotifyState::Ready]);
                    }
                    _ => {
                        tell_systemd(&[NotifyState::Stopping]);
                        gateway.stop();
                        return Ok(());
                    }
                }
            }
            board.show(&gateway.status(), TICK);
            // Whoever hangs in the line above is ended and started anew.
            tell_systemd(&[NotifyState::Watchdog]);
            tick = (tick + 1) % TICKS_TO_GIVE_BACK;
            if tick == 0 {
                give_back_memory();
            }
            std::thread::sleep(TICK);
        }
    }
}

/// Takes from this process what it will never need, before it hears of a camera.
/// Where that does not work it ends: nobody would notice otherwise.
fn confine(config: &Config) -> Result<(), Failure> {
    if is_root() {
        tracing::warn!(
            "greyplane runs as root, and nothing in it needs that: start it as a user of its own, \
             as the Debian package's service does"
        );
    }
    if !config.filter_system_calls {
        tracing::warn!(
            "system calls are not filtered (`filter_system_calls`): whoever breaks into this \
             process can start programs"
        );
        return Ok(());
    }
    // Looks through its plugins with another program, which afterwards nobody can start.
    start_gstreamer().context("GStreamer")?;
    refuse_calls().context(
        "system calls cannot be filtered; a kernel with CONFIG_SECCOMP_FILTER can, or a container \
         that allows seccomp(2); `filter_system_calls = false` in [gateway] does without",
    )?;
    Ok(())
}

/// Prints the addresses, one a line, for people and for scripts.
pub(crate) fn announce(screen: &Screen, gateway: &Gateway, config: &Config) {
    screen.say(&format!("http {}", gateway.http_url()));
    for camera in &config.cameras {
        screen.say(&format!("stream {}", gateway.stream_url(&camera.id)));
    }
    for camera in &config.cameras {
        for stream in &camera.streams {
            let id = camera.seen_by(stream).id;
            screen.say(&format!("stream {}", gateway.stream_url(&id)));
        }
    }
    if let Some(url) = gateway.metrics_url() {
        screen.say(&format!("metrics {url}"));
    }
}

/// Says how it is to the service manager, where there is one that listens.
fn tell_systemd(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "systemd was not told");
    }
}

fn warn_of(problems: &Problems) {
    for problem in &problems.0 {
        tracing::error!("{problem}; the camera stays covered");
    }
}
