//! The screen: a line per camera on a terminal, plain lines elsewhere, and a
//! log that does not tear either.

use anyhow::Context;
use greyplane::redact::{Progress, Stage};
use greyplane::web::{CameraStatus, GatewayStatus};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tracing::{Level, Subscriber};
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Lines of the log that may wait to be written.
const LOG_LINES: usize = 4096;

/// Where commands show their progress.
#[derive(Clone, Debug)]
pub(crate) struct Screen {
    lines: MultiProgress,
    live: bool,
}

impl Screen {
    pub(crate) fn new() -> Self {
        Self {
            lines: MultiProgress::new(),
            live: std::io::stderr().is_terminal(),
        }
    }

    /// Starts the log on stderr. Whoever logs never waits for whoever reads:
    /// lines beyond [`LOG_LINES`] are left out and counted. What is left is
    /// written when the guard is dropped.
    pub(crate) fn start_log(&self, filter: &str, json: bool) -> anyhow::Result<WorkerGuard> {
        let filter = EnvFilter::try_new(filter)
            .with_context(|| format!("--log {filter}: not a log filter; try `info`"))?;
        let lost = Arc::new(OnceLock::new());
        let (writer, guard) = NonBlockingBuilder::default()
            .buffered_lines_limit(LOG_LINES)
            .thread_name("log")
            .finish(AboveBoard {
                lines: self.lines.clone(),
                lost: lost.clone(),
                told: 0,
            });
        // Just made: nobody else can have set it.
        let _ = lost.set(writer.error_counter());
        let log = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_ansi(self.live)
            .with_target(false)
            .with_writer(writer);
        let started = match (json, to_the_journal()) {
            (true, false) => log.json().try_init(),
            (false, false) => log.try_init(),
            (true, true) => {
                let log = log.json();
                log.map_event_format(Prioritised).try_init()
            }
            // The journal has its own time.
            (false, true) => log.without_time().map_event_format(Prioritised).try_init(),
        };
        started.map_err(|e| anyhow::anyhow!("the log could not be started: {e}"))?;
        Ok(guard)
    }

    /// A board with a line per camera.
    pub(crate) fn board(&self) -> Board {
        Board {
            screen: self.clone(),
            bars: Vec::new(),
            said: Vec::new(),
            quiet_s: 0.0,
        }
    }

    /// A bar for work that comes to an end; nothing where nobody looks.
    pub(crate) fn bar(&self) -> Bar {
        let bar = self.live.then(|| {
            let bar = self.lines.add(ProgressBar::new(WORK));
            let style = ProgressStyle::with_template(
                "{msg} {wide_bar} {percent:>3} %  {elapsed} gone, {eta} to go",
            );
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        Bar { bar }
    }

    /// Prints one line to stdout without tearing the board.
    #[allow(
        clippy::print_stdout,
        reason = "the one place where commands speak to people"
    )]
    pub(crate) fn say(&self, line: &str) {
        self.lines.suspend(|| println!("{line}"));
    }
}

/// Steps of a [`Bar`].
const WORK: u64 = 10_000;
/// Shows how far a redaction is.
#[derive(Debug)]
pub(crate) struct Bar {
    bar: Option<ProgressBar>,
}

impl Bar {
    pub(crate) fn show(&self, progress: &Progress) {
        let Some(bar) = &self.bar else {
            return;
        };
        let (doing, of) = match progress.stage {
            Stage::Searching => ("searching", "frames"),
            Stage::Writing => ("writing", "frames"),
            Stage::Pictures => ("masking", "pictures"),
        };
        bar.set_message(format!("{doing:<9} {:>6} {of}", progress.frames));
        if let Some(share) = progress.share {
            bar.set_position((share * WORK as f64) as u64);
        }
    }

    pub(crate) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Shows the gateway's state again and again.
#[derive(Debug)]
pub(crate) struct Board {
    screen: Screen,
    bars: Vec<ProgressBar>,
    said: Vec<String>,
    quiet_s: f64,
}

/// Without a terminal, an unchanged state is repeated this often.
const REPEAT_S: f64 = 30.0;

impl Board {
    /// Shows `status`; call it about every `every`.
    pub(crate) fn show(&mut self, status: &GatewayStatus, every: Duration) {
        if self.screen.live {
            self.draw(status);
        } else {
            self.print(status, every);
        }
    }

    fn draw(&mut self, status: &GatewayStatus) {
        while self.bars.len() > status.cameras.len() {
            if let Some(bar) = self.bars.pop() {
                bar.finish_and_clear();
            }
        }
        while self.bars.len() < status.cameras.len() {
            let bar = self.screen.lines.add(ProgressBar::no_length());
            bar.set_style(
                ProgressStyle::with_template("{msg}")
                    .unwrap_or_else(|_| ProgressStyle::default_spinner()),
            );
            self.bars.push(bar);
        }
        for (bar, camera) in self.bars.iter().zip(&status.cameras) {
            bar.set_message(line(camera));
        }
    }

    /// A line where a camera's state changed, and all of them now and then.
    fn print(&mut self, status: &GatewayStatus, every: Duration) {
        self.quiet_s += every.as_secs_f64();
        let repeat = self.quiet_s >= REPEAT_S;
        if repeat {
            self.quiet_s = 0.0;
        }
        self.said.resize(status.cameras.len(), String::new());
        for (said, camera) in self.said.iter_mut().zip(&status.cameras) {
            let state = format!("{} {}", camera.id, camera.state);
            if repeat || *said != state {
                *said = state;
                self.screen.say(&line(camera));
            }
        }
    }
}

fn line(c: &CameraStatus) -> String {
    let mut line = format!(
        "{:<12} {:<9} {:>5.1} fps  {:>5.1} ms (p99 {:.0}, budget {})  {} viewers",
        c.id, c.state, c.fps_out, c.latency_ms.p50, c.latency_ms.p99, c.budget_ms, c.viewers
    );
    if let Some(hz) = c.telemetry_hz {
        line.push_str(&format!("  telemetry {hz:.1} Hz"));
    }
    if let Some(reason) = &c.reason {
        line.push_str(&format!("  {reason}"));
    }
    line
}

/// Whether stderr goes to systemd's journal: `JOURNAL_STREAM` names the device and
/// inode of what a service was given for it (systemd.exec(5)).
fn to_the_journal() -> bool {
    let given = std::env::var("JOURNAL_STREAM").ok();
    let own = rustix::fs::fstat(std::io::stderr()).ok();
    given
        .zip(own)
        .is_some_and(|(given, own)| given == format!("{}:{}", own.st_dev, own.st_ino))
}

/// Puts the priority before each line, as the journal reads it (sd-daemon(3)).
struct Prioritised<F>(F);

impl<S, N, F> FormatEvent<S, N> for Prioritised<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &tracing::Event<'_>,
    ) -> std::fmt::Result {
        let priority = match *event.metadata().level() {
            Level::ERROR => 3,
            Level::WARN => 4,
            Level::INFO => 6,
            Level::DEBUG | Level::TRACE => 7,
        };
        write!(writer, "<{priority}>")?;
        self.0.format_event(context, writer, event)
    }
}

/// Writes the log above the board, on the log's own thread.
struct AboveBoard {
    lines: MultiProgress,
    lost: Arc<OnceLock<ErrorCounter>>,
    told: usize,
}

impl Write for AboveBoard {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        let lost = self.lost.get().map_or(0, ErrorCounter::dropped_lines);
        let more = lost.saturating_sub(self.told);
        self.told = lost;
        self.lines.suspend(|| {
            let mut stderr = std::io::stderr().lock();
            if more > 0 {
                writeln!(stderr, "{more} lines of the log are lost: nobody read it")?;
            }
            stderr.write_all(line)
        })?;
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
