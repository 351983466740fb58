//! `greyplane prove`: plays scenarios, or watches one stream, and judges.

use super::Failure;
use anyhow::{Context, anyhow};
use greyplane::clock::{Clock, SystemClock};
use greyplane::prove::{self, Plain, Progress, Report, Rgb, Scenario, Staging, Verdict};
use greyplane::sim::ClipView;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Scenario files; a directory stands for the .toml files in it.
    #[arg(required_unless_present_any = ["url", "plain"])]
    scenarios: Vec<PathBuf>,
    /// Give the report as JSON, to FILE or to the standard output: an object for
    /// one scenario or stream, an array for several.
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    json: Option<PathBuf>,
    /// Judge this stream instead: rtsp://HOST:PORT/PATH.
    #[arg(long, conflicts_with = "scenarios")]
    url: Option<String>,
    /// The colour that must not be seen (with --url).
    #[arg(long, value_name = "R,G,B", default_value = "255,0,255")]
    canary: Rgb,
    /// How long to judge: a stream for 20 s unless told otherwise, a scenario for
    /// as long as it says.
    #[arg(long)]
    seconds: Option<f64>,
    /// The seed of a campaign of faults, in place of the scenario's.
    #[arg(long, value_name = "N", conflicts_with = "url")]
    seed: Option<u64>,
    /// Let the cameras send this recording's own H.264 in place of a drawn street.
    #[arg(long, value_name = "FILE", conflicts_with = "url")]
    clip: Option<PathBuf>,
    /// Leave a picture of each scenario's worst leak, and logs of failed runs, here.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Decode and encode this stream plainly: the measure for the gateway's CPU.
    #[arg(long, hide = true, conflicts_with_all = ["scenarios", "url"])]
    plain: Option<String>,
    #[arg(long, hide = true, default_value = "tcp")]
    plain_transport: String,
    #[arg(long, hide = true, default_value_t = 4000)]
    plain_bitrate_kbit: u32,
    #[arg(long, hide = true, default_value_t = 50)]
    plain_gop_frames: u32,
}

/// How long a stream is judged.
const URL_SECONDS: f64 = 20.0;

impl Args {
    pub(crate) fn run(self) -> Result<(), Failure> {
        if let Some(url) = &self.plain {
            let plain = Plain {
                url: url.clone(),
                transport: self.plain_transport.clone(),
                bitrate_kbit: self.plain_bitrate_kbit,
                gop_frames: self.plain_gop_frames,
            };
            return Ok(prove::plain(&plain).map_err(|e| anyhow!(e))?);
        }
        if self.seconds.is_some_and(|s| !(s.is_finite() && s > 0.0)) {
            return Err(Failure::Usage(anyhow!("--seconds must be above 0")));
        }
        if self
            .json
            .as_ref()
            .is_some_and(|f| f.extension().is_some_and(|e| e == "toml"))
        {
            return Err(Failure::Usage(anyhow!(
                "--json would overwrite a .toml file; write the scenarios before --json"
            )));
        }
        let stop = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&stop)).context("signals")?;
        }
        match &self.url {
            Some(url) => self.watch(url, &stop),
            None => self.play(&stop),
        }
    }

    fn watch(&self, url: &str, stop: &AtomicBool) -> Result<(), Failure> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let seconds = self.seconds.unwrap_or(URL_SECONDS);
        let mut board = Board::new("stream", seconds);
        let watched = prove::watch(url, self.canary, seconds, &clock, stop, |at_s, leaks| {
            board.show(&Progress {
                at_s,
                frames_seen: leaks.frames_seen,
                canary_pixels: leaks.canary_pixels,
                state: String::new(),
            });
        });
        board.end();
        let report = match watched {
            Ok(report) => report,
            Err(prove::WatchError::Canary(error)) => return Err(Failure::Usage(error.into())),
            Err(error) => return Err(Failure::Failed(error.into())),
        };
        say(&format!(
            "{}: {} frames in {:.0} s, {} canary pixels in {} frames",
            report.url,
            report.leaks.frames_seen,
            report.seconds,
            report.leaks.canary_pixels,
            report.leaks.canary_frames
        ));
        self.write(&serde_json::to_value(&report).context("the report")?)?;
        if report.is_clean() {
            Ok(())
        } else {
            Err(Failure::Said)
        }
    }

    fn play(&self, stop: &AtomicBool) -> Result<(), Failure> {
        let scenarios = self.scenarios().map_err(Failure::Usage)?;
        let staging = Staging {
            program: std::env::current_exe().context("greyplane's own path")?,
            keep: self.keep.clone(),
        };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let mut reports = Vec::new();
        say(Report::HEAD);
        for scenario in &scenarios {
            let mut board = Board::new(&scenario.name, scenario.seconds);
            let played = prove::run(scenario, &staging, &clock, stop, |p| board.show(p));
            board.end();
            let report = match played {
                Ok(report) => report,
                Err(prove::StageError::Stopped) => {
                    return Err(Failure::Failed(anyhow!("stopped")));
                }
                Err(error) => Report::of_failed_stage(&scenario.name, &error),
            };
            say(&report.line());
            for failure in &report.failures {
                say(&format!("    {failure}"));
            }
            reports.push(report);
            // After each, so that a run that is cut short leaves what it found.
            self.write(&json_of(&reports)?)?;
        }
        let failed = reports
            .iter()
            .filter(|r| r.verdict == Verdict::Fail)
            .count();
        let frames: u64 = reports.iter().map(|r| r.frames_seen).sum();
        say(&format!(
            "{} of {} scenarios passed, {frames} frames seen",
            reports.len() - failed,
            reports.len()
        ));
        if self.to_stdout() {
            print(&json_of(&reports)?)?;
        }
        if failed == 0 {
            Ok(())
        } else {
            Err(Failure::Said)
        }
    }

    fn scenarios(&self) -> anyhow::Result<Vec<Scenario>> {
        let files = prove::files(&self.scenarios)?;
        anyhow::ensure!(!files.is_empty(), "no .toml file in the given directories");
        let mut scenarios = Vec::new();
        for file in files {
            let mut scenario = Scenario::load(&file)?;
            if let Some(seconds) = self.seconds {
                scenario.last(seconds);
            }
            match (self.seed, &mut scenario.campaign) {
                (Some(seed), Some(campaign)) => campaign.seed = seed,
                (Some(_), None) => anyhow::bail!("{}: --seed is for a [campaign]", file.display()),
                (None, _) => {}
            }
            if let Some(clip) = &self.clip {
                anyhow::ensure!(
                    scenario.no_zones,
                    "{}: a clip has no private places, so nothing would be proven: --clip is for \
                     scenarios with no_zones",
                    file.display()
                );
                scenario.camera.clip = Some(clip.clone());
                scenario.camera.clip_view = ClipView::AsItIs;
            }
            scenarios.push(scenario);
        }
        Ok(scenarios)
    }

    fn to_stdout(&self) -> bool {
        self.json.as_deref() == Some(Path::new("-"))
    }

    /// Writes the report to the file of `--json`, or to the standard output when
    /// it is about a stream.
    fn write(&self, report: &serde_json::Value) -> anyhow::Result<()> {
        match &self.json {
            Some(_) if self.to_stdout() && self.url.is_some() => print(report),
            Some(file) if !self.to_stdout() => std::fs::write(file, format!("{report:#}\n"))
                .with_context(|| format!("{} cannot be written", file.display())),
            _ => Ok(()),
        }
    }
}

fn json_of(reports: &[Report]) -> anyhow::Result<serde_json::Value> {
    match reports {
        [one] => serde_json::to_value(one),
        many => serde_json::to_value(many),
    }
    .context("the report")
}

fn print(report: &serde_json::Value) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{report:#}").context("standard output")
}

/// A line for people: on the standard error, so that `--json` can be piped.
fn say(line: &str) {
    // Without anybody to read it, it is not missed.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// The progress of one run: a bar on a terminal, a line every ten seconds elsewhere.
struct Board {
    name: String,
    seconds: f64,
    bar: Option<ProgressBar>,
    next_line_s: f64,
}

impl Board {
    fn new(name: &str, seconds: f64) -> Self {
        let target = ProgressDrawTarget::stderr();
        let bar = (!target.is_hidden()).then(|| {
            let bar = ProgressBar::with_draw_target(Some((seconds * 10.0) as u64), target);
            if let Ok(style) = ProgressStyle::with_template("{prefix:<26} {bar:30} {msg}") {
                bar.set_style(style);
            }
            bar.set_prefix(name.to_owned());
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        Self {
            name: name.to_owned(),
            seconds,
            bar,
            next_line_s: 10.0,
        }
    }

    fn show(&mut self, p: &Progress) {
        let words = format!(
            "{:.0}/{:.0} s  {} frames  {} canary px  {}",
            p.at_s, self.seconds, p.frames_seen, p.canary_pixels, p.state
        );
        match &self.bar {
            Some(bar) => {
                bar.set_position((p.at_s * 10.0) as u64);
                bar.set_message(words);
            }
            None if p.at_s >= self.next_line_s => {
                self.next_line_s += 10.0;
                say(&format!("{:<26}{words}", self.name));
            }
            None => {}
        }
    }

    fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
