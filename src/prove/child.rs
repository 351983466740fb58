//! Child processes of a run: started, measured through `/proc`, and never left
//! behind. Must not know what they do.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// What went wrong with a child.
#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    /// It could not be started, or its log not be written.
    #[error("{name} cannot be started: {source}")]
    Start {
        /// What it was to be.
        name: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// It did not say what it should.
    #[error("{name} did not say `{wanted}` within {seconds:.0} s; its last words: {last}")]
    Silent {
        /// Which child.
        name: &'static str,
        /// The start of the line that was waited for.
        wanted: String,
        /// How long.
        seconds: f64,
        /// The end of its log.
        last: String,
    },
}

/// A running child; dropping it kills it and waits for its end.
#[derive(Debug)]
pub(super) struct Child {
    name: &'static str,
    process: std::process::Child,
    lines: crossbeam_channel::Receiver<String>,
    log: std::path::PathBuf,
}

/// Lines of standard output that may wait to be read; later ones are only logged.
const LINES: usize = 256;

impl Child {
    /// Starts `program` with `arguments`; what it prints goes to `log`.
    ///
    /// The child is told to die with us, by way of util-linux' `setpriv` where
    /// there is one: even a killed parent leaves nothing behind.
    ///
    /// # Errors
    /// [`ChildError::Start`].
    pub(super) fn start(
        name: &'static str,
        program: &Path,
        arguments: &[String],
        log: &Path,
    ) -> Result<Self, ChildError> {
        let failed = |source| ChildError::Start { name, source };
        let mut file = File::create(log).map_err(failed)?;
        let errors = file.try_clone().map_err(failed)?;
        let spawn = |mut command: Command| {
            command
                .args(arguments)
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(errors.try_clone()?)
                .spawn()
        };
        let mut guarded = Command::new("setpriv");
        guarded.args(["--pdeathsig", "KILL", "--"]).arg(program);
        let mut process = match spawn(guarded) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => spawn(Command::new(program)),
            other => other,
        }
        .map_err(failed)?;
        let (to, lines) = crossbeam_channel::bounded(LINES);
        if let Some(out) = process.stdout.take() {
            // Ends when the child closes its output, at its end at the latest.
            std::thread::spawn(move || {
                for line in BufReader::new(out).lines().map_while(Result::ok) {
                    let _ = writeln!(file, "{line}");
                    let _ = to.try_send(line);
                }
            });
        }
        Ok(Self {
            name,
            process,
            lines,
            log: log.to_owned(),
        })
    }

    /// The rest of the next line of standard output that begins with `prefix`
    /// and a blank.
    ///
    /// # Errors
    /// [`ChildError::Silent`] when none comes within `wait` or the child ends.
    pub(super) fn line(&self, prefix: &str, wait: Duration) -> Result<String, ChildError> {
        let step = Duration::from_millis(100);
        let mut waited = Duration::ZERO;
        while waited < wait {
            match self.lines.recv_timeout(step) {
                Ok(line) => {
                    if let Some(rest) = line.strip_prefix(prefix).and_then(|r| r.strip_prefix(' '))
                    {
                        return Ok(rest.trim().to_owned());
                    }
                }
                Err(crossbeam_channel::RecvTimeoutError::Timeout) => waited += step,
                Err(crossbeam_channel::RecvTimeoutError::Disconnected) => break,
            }
        }
        Err(ChildError::Silent {
            name: self.name,
            wanted: prefix.to_owned(),
            seconds: wait.as_secs_f64(),
            last: self.last_words(),
        })
    }

    /// Its process id.
    pub(super) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Whether it still runs.
    pub(super) fn is_running(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None))
    }

    /// The last few lines of its log.
    pub(super) fn last_words(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(5)..].join(" | ")
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What a process has used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Used {
    /// User and system time, seconds.
    pub cpu_s: f64,
    /// Resident memory, MiB.
    pub rss_mib: f64,
}

/// What the process `pid` has used so far; `None` once it is gone.
pub(super) fn used(pid: u32) -> Option<Used> {
    let stat = procfs::process::Process::new(i32::try_from(pid).ok()?)
        .and_then(|p| p.stat())
        .ok()?;
    let ticks = (stat.utime + stat.stime) as f64;
    Some(Used {
        cpu_s: ticks / procfs::ticks_per_second() as f64,
        rss_mib: (stat.rss * procfs::page_size()) as f64 / f64::from(1 << 20),
    })
}

/// A directory of our own that goes away with us.
#[derive(Debug)]
pub(super) struct Workplace(std::path::PathBuf);

impl Workplace {
    /// Makes one among the machine's temporary files, readable by us alone.
    ///
    /// # Errors
    /// Why it cannot be made.
    pub(super) fn new(clock: &dyn crate::clock::Clock) -> std::io::Result<Self> {
        use std::os::unix::fs::DirBuilderExt;
        let name = format!("greyplane-prove-{}-{}", std::process::id(), clock.wall().0);
        let path = std::env::temp_dir().join(name);
        std::fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    /// The path of `name` in it.
    pub(super) fn file(&self, name: &str) -> std::path::PathBuf {
        self.0.join(name)
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    fn shell(script: &str, place: &Workplace) -> Child {
        let arguments = ["-c".to_owned(), script.to_owned()];
        Child::start("sh", Path::new("/bin/sh"), &arguments, &place.file("log")).unwrap()
    }

    #[test]
    fn a_child_speaks_is_measured_and_ends_with_its_owner() {
        let place = Workplace::new(&SystemClock::new()).unwrap();
        let mut child = shell("echo noise; echo http there; exec sleep 1000", &place);
        assert_eq!(
            child.line("http", Duration::from_secs(20)).unwrap(),
            "there"
        );
        assert!(child.is_running());
        let pid = child.pid();
        // While the shell becomes `sleep` it has no memory for a moment.
        let has_memory = || {
            std::thread::sleep(Duration::from_millis(10));
            used(pid).is_some_and(|used| used.rss_mib > 0.0)
        };
        assert!((0..1000).any(|_| has_memory()));
        drop(child);
        assert_eq!(used(pid), None, "it is gone");
    }

    #[test]
    fn a_child_that_dies_leaves_its_last_words() {
        let place = Workplace::new(&SystemClock::new()).unwrap();
        let child = shell("echo broken >&2; exit 3", &place);
        let error = child.line("http", Duration::from_secs(20)).unwrap_err();
        assert!(error.to_string().contains("broken"), "{error}");
        let missing = Child::start("x", Path::new("/nonexistent"), &[], &place.file("log"));
        // With setpriv it starts and ends at once; without, it does not start.
        if let Ok(mut child) = missing {
            assert!(child.line("http", Duration::from_secs(20)).is_err());
            // It has closed its output, and ends any moment.
            while child.is_running() {
                std::thread::yield_now();
            }
        }
    }
}
