//! The gateway, its process and the machine under it.

use super::page::Page;
use std::fmt;

/// The gateway at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Gateway {
    /// greyplane's version.
    pub version: &'static str,
    /// Whether every camera's picture comes and is not wholly covered.
    pub ready: bool,
    /// Reloads since the start that were made so.
    pub reloads_done: u64,
    /// Reloads since the start that were refused.
    pub reloads_refused: u64,
    /// Whether the last reload was refused: what is configured is not what runs.
    pub last_reload_refused: bool,
    /// How the audit log is doing; none without one.
    pub audit: Option<Audit>,
    /// The certificates in use, by what they are for.
    pub certificates: Vec<Certificate>,
    /// The machine's clock; none where the system does not tell.
    pub clock: Option<ClockState>,
    /// The message buses that are told.
    pub buses: Vec<Bus>,
    /// What became of traces; none while nobody is told.
    pub traces: Option<Traces>,
    /// The disks that are written to.
    pub disks: Vec<Disk>,
    /// The process; none where the system does not tell.
    pub process: Option<Process>,
}

/// How the audit log is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Audit {
    /// Whether it can be written.
    pub writable: bool,
    /// Records that are lost.
    pub lost: u64,
    /// Whether the last look at it found what was written; none before the first.
    pub verified: Option<bool>,
}

/// What became of one message bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bus {
    /// `mqtt` or `nats`.
    pub bus: &'static str,
    /// Whether it takes messages now.
    pub connected: bool,
    /// Connections that it took messages over.
    pub connects: u64,
    /// Tries that came to nothing, and connections that were lost.
    pub failures: u64,
    /// Messages that it took.
    pub sent: u64,
    /// Events that it was away or too slow for.
    pub dropped: u64,
}

/// What became of traces, in spans: the parts that a trace is told in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traces {
    /// Spans that the collector took.
    pub taken: u64,
    /// Spans that it was away or too slow for.
    pub dropped: u64,
    /// Spans that it did not want.
    pub refused: u64,
    /// Requests that came to nothing.
    pub failures: u64,
}

/// How long a certificate is good.
#[derive(Clone, Debug, PartialEq)]
pub struct Certificate {
    /// What it is for.
    pub used_for: &'static str,
    /// When it ends, seconds since the Unix epoch.
    pub expires_s: i64,
}

/// The machine's clock, as the kernel sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClockState {
    /// Whether something keeps it right.
    pub synchronised: bool,
    /// How wrong it may be, seconds.
    pub error_bound_s: f64,
}

/// The disk under a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disk {
    /// What the folder is for.
    pub place: &'static str,
    /// What may still be written, bytes.
    pub free: u64,
    /// All of it, bytes.
    pub size: u64,
}

/// What the process uses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Process {
    /// CPU time since its start, seconds.
    pub cpu_s: f64,
    /// Memory, bytes.
    pub resident: u64,
    /// Open file descriptors.
    pub fds: u64,
    /// The most it may have open.
    pub max_fds: u64,
    /// Threads.
    pub threads: u64,
    /// When it began, seconds since the Unix epoch.
    pub started_s: f64,
}

impl Gateway {
    pub(super) fn write(&self, page: &mut Page<'_>) -> fmt::Result {
        page.info(
            "greyplane_build",
            "The version that runs",
            &vec![("version", self.version)],
        )?;
        page.gauge(
            "greyplane_ready",
            "1 when every camera's picture comes and is not wholly covered",
            u64::from(self.ready),
        )?;
        let reloads = [
            ("done", self.reloads_done),
            ("refused", self.reloads_refused),
        ];
        page.counters(
            "greyplane_reloads",
            "Reloads of configuration and masks, by result",
            reloads.map(|(result, n)| (vec![("result", result)], n)),
        )?;
        page.gauge(
            "greyplane_last_reload_refused",
            "1 when the last reload was refused: what is configured is not what runs",
            u64::from(self.last_reload_refused),
        )?;
        self.write_audit(page)?;
        self.write_buses(page)?;
        self.write_traces(page)?;
        self.write_machine(page)?;
        self.write_process(page)
    }

    fn write_audit(&self, page: &mut Page<'_>) -> fmt::Result {
        let audit = self.audit.iter();
        page.gauges(
            "greyplane_audit_writable",
            "1 when the audit log can be written",
            audit.clone().map(|a| (vec![], u64::from(a.writable))),
        )?;
        page.counters(
            "greyplane_audit_records_lost",
            "Records that did not get into the audit log",
            audit.clone().map(|a| (vec![], a.lost)),
        )?;
        let verified = audit.filter_map(|a| a.verified);
        page.gauges(
            "greyplane_audit_verified",
            "1 when the last look at the whole audit log found what was written",
            verified.map(|is| (vec![], u64::from(is))),
        )
    }

    fn write_buses(&self, page: &mut Page<'_>) -> fmt::Result {
        let of = |bus: &Bus| vec![("bus", bus.bus)];
        let all = || self.buses.iter();
        page.gauges(
            "greyplane_bus_connected",
            "1 while the message bus takes what it is told",
            all().map(|b| (of(b), u64::from(b.connected))),
        )?;
        page.counters(
            "greyplane_bus_connects",
            "Connections over which the message bus took messages",
            all().map(|b| (of(b), b.connects)),
        )?;
        page.counters(
            "greyplane_bus_failures",
            "Tries that came to nothing, and connections that were lost",
            all().map(|b| (of(b), b.failures)),
        )?;
        page.counters(
            "greyplane_bus_messages",
            "Messages that the message bus took",
            all().map(|b| (of(b), b.sent)),
        )?;
        page.counters(
            "greyplane_bus_events_dropped",
            "Events that the message bus was away or too slow for",
            all().map(|b| (of(b), b.dropped)),
        )
    }

    fn write_traces(&self, page: &mut Page<'_>) -> fmt::Result {
        let results = |t: Traces| {
            [
                ("taken", t.taken),
                ("dropped", t.dropped),
                ("refused", t.refused),
            ]
        };
        page.counters(
            "greyplane_trace_spans",
            "Spans, by whether the collector of traces took them",
            (self.traces.into_iter().flat_map(results))
                .map(|(result, n)| (vec![("result", result)], n)),
        )?;
        page.counters(
            "greyplane_trace_failures",
            "Requests to the collector of traces that came to nothing",
            self.traces.map(|t| (vec![], t.failures)),
        )
    }

    fn write_machine(&self, page: &mut Page<'_>) -> fmt::Result {
        page.gauges(
            "greyplane_certificate_expiry_timestamp_seconds",
            "When a certificate ends, since the Unix epoch",
            self.certificates
                .iter()
                .map(|c| (vec![("used_for", c.used_for)], c.expires_s)),
        )?;
        page.gauges(
            "greyplane_clock_synchronised",
            "1 when the kernel says that the machine's clock is kept right",
            self.clock
                .map(|clock| (vec![], u64::from(clock.synchronised))),
        )?;
        page.gauges(
            "greyplane_clock_error_bound_seconds",
            "How wrong the machine's clock may be, as the kernel says",
            self.clock.map(|clock| (vec![], clock.error_bound_s)),
        )?;
        let place = |disk: &'static str| vec![("place", disk)];
        page.gauges(
            "greyplane_disk_free_bytes",
            "What may still be written, by what the folder is for",
            self.disks.iter().map(|d| (place(d.place), d.free)),
        )?;
        page.gauges(
            "greyplane_disk_size_bytes",
            "The size of the disk, by what the folder is for",
            self.disks.iter().map(|d| (place(d.place), d.size)),
        )
    }

    fn write_process(&self, page: &mut Page<'_>) -> fmt::Result {
        let p = self.process;
        page.counters(
            "process_cpu_seconds",
            "CPU time of the process",
            p.map(|p| (vec![], p.cpu_s)),
        )?;
        page.gauges(
            "process_resident_memory_bytes",
            "Memory of the process",
            p.map(|p| (vec![], p.resident)),
        )?;
        page.gauges(
            "process_open_fds",
            "Open file descriptors",
            p.map(|p| (vec![], p.fds)),
        )?;
        page.gauges(
            "process_max_fds",
            "The most file descriptors the process may have open",
            p.map(|p| (vec![], p.max_fds)),
        )?;
        page.gauges(
            "process_threads",
            "Threads of the process",
            p.map(|p| (vec![], p.threads)),
        )?;
        page.gauges(
            "process_start_time_seconds",
            "When the process began, since the Unix epoch",
            p.map(|p| (vec![], p.started_s)),
        )
    }
}
