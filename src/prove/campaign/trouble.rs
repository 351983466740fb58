//! How each fault is made: at the camera, on the wire, on the machine, by viewers.

use super::super::relay::Way;
use super::reloads::Reloads;
use super::storm::Storm;
use super::{Act, Fault, Scene};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::json;
use std::io;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// The picture's size while its SPS is another one.
const OTHER_SIZE: [usize; 2] = [480, 272];
/// Threads that compete with the detectors for their one core.
const COMPETITORS: usize = 40;
/// How much they yield to everybody else; the detectors do as much.
const NICE: i32 = 5;

/// A fault while it lasts, beyond what the camera and the wire do by themselves.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Camera and wire alone.
    None,
    Disk,
    Starved(Starved),
    Storm(Storm),
    Reloads(Reloads),
}

/// What camera and wire do while all of `acts` last.
pub(super) fn turn(scene: &Scene<'_>, acts: &[Act]) -> io::Result<()> {
    let mut way = Way::Open;
    let mut patch = serde_json::Map::new();
    for act in acts {
        match act.fault {
            Fault::CameraGone => way = way.max(Way::Gone),
            Fault::HalfOpen => way = way.max(Way::Dead),
            Fault::PacketLoss => {
                way = way.max(Way::Held);
                // RTP over UDP does not pass the wire.
                patch.insert("rtp_loss".to_owned(), json!(1.0));
            }
            Fault::StatusAfter30S => {
                patch.insert("delay_ms".to_owned(), json!(30_000.0));
            }
            Fault::ClockJump => {
                // From a tenth of a second to some hours, either way.
                let step_s = act.twist.signum() * 10f64.powf(act.twist.abs() * 5.0 - 1.0);
                patch.insert("clock_step_s".to_owned(), json!(step_s));
            }
            Fault::SpsChange => {
                patch.insert("size".to_owned(), json!(OTHER_SIZE));
            }
            Fault::DiskFull | Fault::DetectorStarved | Fault::ViewerStorm | Fault::Reloads => {}
        }
    }
    let faults = scene
        .healthy
        .patched(&patch.into())
        .map_err(io::Error::other)?;
    if scene.sim.faults() != faults {
        scene.sim.set_faults(&faults).map_err(io::Error::other)?;
    }
    for wire in scene.wires {
        wire.turn(way);
    }
    Ok(())
}

impl Trouble {
    pub(super) fn begin(scene: &Scene<'_>, fault: Fault, at_s: f64) -> io::Result<Self> {
        Ok(match fault {
            Fault::DiskFull => {
                limit_files(scene.pid, Some(0))?;
                Self::Disk
            }
            Fault::DetectorStarved => Self::Starved(Starved::start(scene.pid)?),
            Fault::ViewerStorm => Self::Storm(Storm::start(scene.stream)),
            Fault::Reloads => {
                let reloads = Reloads::start(scene.config, scene.masks, scene.pid, at_s)?;
                Self::Reloads(reloads)
            }
            _ => Self::None,
        })
    }

    pub(super) fn step(&mut self, at_s: f64) -> io::Result<()> {
        match self {
            Self::Reloads(reloads) => reloads.step(at_s),
            _ => Ok(()),
        }
    }

    /// Ends it; of a storm, how many viewers came in.
    pub(super) fn end(self, scene: &Scene<'_>) -> io::Result<Option<u32>> {
        match self {
            Self::None => {}
            Self::Disk => limit_files(scene.pid, None)?,
            Self::Starved(starved) => starved.end()?,
            Self::Storm(storm) => return Ok(Some(storm.joined())),
            Self::Reloads(reloads) => reloads.end()?,
        }
        Ok(None)
    }
}

/// Makes every write to a file beyond `most` bytes fail: as a full disk does, but
/// with EFBIG for ENOSPC, for this process alone, and without any privilege. The
/// gateway was started with SIGXFSZ ignored.
fn limit_files(pid: u32, most: Option<u64>) -> io::Result<()> {
    let limit = Rlimit {
        current: most,
        // Once lowered it could not be raised again.
        maximum: None,
    };
    prlimit(pid_of(pid), Resource::Fsize, limit)?;
    Ok(())
}

fn pid_of(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}

/// The detectors' threads on one core that many others want as well. To stop a
/// single thread of another process takes privileges; to leave it a fortieth of a
/// core does not, and can be undone.
#[derive(Debug)]
pub(super) struct Starved {
    threads: Vec<String>,
    /// The cores they had, as `taskset` writes them.
    cores: String,
    over: Arc<AtomicBool>,
    competitors: Vec<JoinHandle<()>>,
}

impl Starved {
    fn start(pid: u32) -> io::Result<Self> {
        let mut threads = Vec::new();
        for entry in std::fs::read_dir(format!("/proc/{pid}/task"))? {
            let path = entry?.path();
            // A thread that is gone by now is none.
            let name = std::fs::read_to_string(path.join("comm")).unwrap_or_default();
            if name.trim() == "detector" {
                threads.extend(path.file_name().map(|n| n.to_string_lossy().into_owned()));
            }
        }
        if threads.is_empty() {
            return Err(io::Error::other("the gateway has no detectors"));
        }
        let cores = cores_of(pid)?;
        let last = cores.rsplit([',', '-']).next().unwrap_or(&cores).to_owned();
        let mut starved = Self {
            threads,
            cores,
            over: Arc::default(),
            competitors: Vec::new(),
        };
        for _ in 0..COMPETITORS {
            let (over, core) = (starved.over.clone(), last.clone());
            starved.competitors.push(std::thread::spawn(move || {
                // One that cannot be bound still competes, elsewhere.
                let me = std::fs::read_link("/proc/thread-self").unwrap_or_default();
                let me = me.file_name().unwrap_or_default().to_string_lossy();
                // As patient as detectors are: the stream itself shall not starve.
                let bound = bind(&me, &core).map(|()| rustix::process::nice(NICE));
                tracing::debug!(?bound, "a competitor");
                while !over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            }));
        }
        for thread in &starved.threads {
            bind(thread, &last)?;
        }
        Ok(starved)
    }

    fn end(self) -> io::Result<()> {
        self.threads
            .iter()
            .try_for_each(|thread| bind(thread, &self.cores))
    }
}

impl Drop for Starved {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        for thread in self.competitors.drain(..) {
            let _ = thread.join();
        }
    }
}

/// On which cores a process may run: `0-3,6`.
fn cores_of(pid: u32) -> io::Result<String> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let cores = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))
        .map(|list| list.trim().to_owned());
    cores.ok_or_else(|| io::Error::other("the system does not tell on which cores"))
}

/// Binds a thread of ours, or of a process of the same user, to `cores`.
fn bind(thread: &str, cores: &str) -> io::Result<()> {
    let done = Command::new("taskset")
        .args(["-p", "-c", cores, thread])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    if done.success() {
        Ok(())
    } else {
        Err(io::Error::other(format!("taskset: {done}")))
    }
}
