//! What our own process uses.

use procfs::process::{LimitValue, Process};
use procfs::{Current, Uptime};

/// What the process uses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usage {
    /// CPU time since its start, seconds.
    pub cpu_s: f64,
    /// Resident memory, bytes.
    pub resident: u64,
    /// Open file descriptors.
    pub fds: u64,
    /// Threads.
    pub threads: u64,
    /// How long ago it began, seconds.
    pub age_s: f64,
}

/// What this process uses; none where the system does not tell.
pub fn usage() -> Option<Usage> {
    let me = Process::myself().ok()?;
    let stat = me.stat().ok()?;
    let ticks_s = 1.0 / procfs::ticks_per_second() as f64;
    let up_s = Uptime::current().ok()?.uptime;
    Some(Usage {
        cpu_s: (stat.utime + stat.stime) as f64 * ticks_s,
        resident: stat.rss.saturating_mul(procfs::page_size()),
        fds: me.fd_count().ok()? as u64,
        threads: u64::try_from(stat.num_threads).ok()?,
        age_s: (up_s - stat.starttime as f64 * ticks_s).max(0.0),
    })
}

/// Whether this process runs as root, which may nearly everything.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The most files, sockets included, that this process may have open.
pub fn open_files_limit() -> Option<u64> {
    let limits = Process::myself().ok()?.limits().ok()?;
    Some(match limits.max_open_files.soft_limit {
        LimitValue::Unlimited => u64::MAX,
        LimitValue::Value(files) => files,
    })
}
