//! Reloads of the gateway's configuration: changed, refused, changed back.

use std::io;
use std::path::{Path, PathBuf};

/// How often, seconds.
const EVERY_S: f64 = 1.0;

/// Reloads while it lasts.
#[derive(Debug)]
pub(super) struct Reloads {
    config: PathBuf,
    masks: PathBuf,
    /// As both were before.
    was: [String; 2],
    due_s: f64,
    count: usize,
    pid: u32,
}

impl Reloads {
    pub(super) fn start(config: &Path, masks: &Path, pid: u32, at_s: f64) -> io::Result<Self> {
        Ok(Self {
            was: [
                std::fs::read_to_string(config)?,
                std::fs::read_to_string(masks)?,
            ],
            config: config.to_owned(),
            masks: masks.to_owned(),
            due_s: at_s,
            count: 0,
            pid,
        })
    }

    /// The next one, where it is time.
    pub(super) fn step(&mut self, at_s: f64) -> io::Result<()> {
        if at_s < self.due_s {
            return Ok(());
        }
        self.due_s = at_s + EVERY_S;
        self.count += 1;
        let [config, masks] = self.variant(self.count);
        self.reload(&config, &masks)
    }

    /// As it was.
    pub(super) fn end(&self) -> io::Result<()> {
        let [config, masks] = &self.was;
        self.reload(config, masks)
    }

    fn reload(&self, config: &str, masks: &str) -> io::Result<()> {
        std::fs::write(&self.masks, masks)?;
        std::fs::write(&self.config, config)?;
        hang_up(self.pid)
    }

    fn variant(&self, count: usize) -> [String; 2] {
        let [config, masks] = &self.was;
        let with = |table: &str, more: &str| {
            let table = format!("{table}\n");
            let changed = config.replace(&table, &format!("{table}{more}\n"));
            [changed, masks.clone()]
        };
        match count % 6 {
            // Between two frames.
            1 => with("[camera.limits]", "widened_deg = 1.25"),
            // Refused: not TOML; an unknown key; masks that are none.
            2 => with("[gateway]", "[[camera"),
            3 => with("[camera.limits]", "glass = true"),
            4 => [config.clone(), "{\"format\": 1}".to_owned()],
            // The camera is started anew.
            5 => with("[camera.encoder]", "gop_frames = 40"),
            _ => self.was.clone(),
        }
    }
}

fn hang_up(pid: u32) -> io::Result<()> {
    let pid = i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    let pid = pid.ok_or_else(|| io::Error::other("no process id"))?;
    Ok(rustix::process::kill_process(
        pid,
        rustix::process::Signal::HUP,
    )?)
}
