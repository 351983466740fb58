//! `greyplane doctor`: what of this machine would keep cameras from running, or
//! from running well, each with what to do about it.
//!
//! Looks, and changes nothing. A check gathers facts and hands them to a pure
//! function that judges. Must not know how a gateway runs.

mod cpu;
mod machine;
mod media;
mod places;

use crate::app::try_models;
use crate::config::{self, Camera, Config, Kind};
use serde::Serialize;
use std::path::Path;

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// In order.
    Good,
    /// It runs, but not as well as it could, or not for ever.
    Doubt,
    /// Something will not run.
    Bad,
}

/// What one check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which check; stable.
    pub check: &'static str,
    /// How it came out.
    pub verdict: Verdict,
    /// What was found, a sentence.
    pub what: String,
    /// What to do about it, a sentence; none where all is good.
    pub remedy: Option<String>,
}

impl Finding {
    pub(crate) fn good(check: &'static str, what: impl Into<String>) -> Self {
        Self {
            check,
            verdict: Verdict::Good,
            what: what.into(),
            remedy: None,
        }
    }

    pub(crate) fn doubt(
        check: &'static str,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            verdict: Verdict::Doubt,
            remedy: Some(remedy.into()),
            ..Self::good(check, what)
        }
    }

    pub(crate) fn bad(
        check: &'static str,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            verdict: Verdict::Bad,
            ..Self::doubt(check, what, remedy)
        }
    }
}

/// Everything that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Findings {
    /// Whether nothing is bad.
    pub ok: bool,
    /// One or more for each check.
    pub findings: Vec<Finding>,
}

/// Looks at this machine, and at what `configuration` asks of it. Takes up to
/// five seconds of one core.
pub fn examine(configuration: Option<&Path>) -> Findings {
    let mut findings = Vec::new();
    let config = configuration.and_then(|path| configured(path, &mut findings));
    let config = config.as_ref();
    findings.extend(media::gstreamer(config));
    findings.extend(models(config));
    findings.extend(config.and_then(presets));
    findings.push(machine::clock());
    findings.extend(machine::secrecy());
    findings.push(machine::system_calls(config));
    findings.push(machine::open_files(config));
    findings.extend(machine::datagrams(config));
    findings.extend(places::places(config));
    findings.push(cpu::headroom(config));
    Findings {
        ok: findings.iter().all(|f| f.verdict != Verdict::Bad),
        findings,
    }
}

/// The configuration, as far as it can be used at all.
fn configured(path: &Path, findings: &mut Vec<Finding>) -> Option<Config> {
    const CHECK: &str = "configuration";
    let (config, problems) = match config::load_covering(path) {
        Ok((config, problems)) => (Some(config), problems),
        Err(problems) => (None, problems),
    };
    for problem in &problems.0 {
        let place = match problem.at {
            Some((line, column)) => format!("{}:{line}:{column}", problem.file.display()),
            None => problem.file.display().to_string(),
        };
        let what = format!("{place}: {}", problem.what);
        findings.push(Finding::bad(CHECK, what, problem.remedy.clone()));
    }
    if let Some(config) = config.as_ref().filter(|_| problems.is_empty()) {
        let cameras = match config.cameras.len() {
            1 => "1 camera".to_owned(),
            n => format!("{n} cameras"),
        };
        let what = format!("{} is in order: {cameras}", path.display());
        findings.push(Finding::good(CHECK, what));
    }
    config
}

/// Whether anybody can vouch for the presets of cameras that cannot tell where they look.
fn presets(config: &Config) -> Option<Finding> {
    let resting = |c: &&Camera| matches!(c.kind, Kind::Presets(_));
    let cameras: Vec<&str> = config
        .cameras
        .iter()
        .filter(resting)
        .map(|c| &*c.id)
        .collect();
    let offered = config.console.as_ref().is_some_and(|c| c.clear_still);
    (!cameras.is_empty()).then(|| judge_presets(&cameras.join(", "), offered))
}

fn judge_presets(cameras: &str, stills_are_offered: bool) -> Finding {
    const CHECK: &str = "presets";
    match stills_are_offered {
        true => Finding::good(
            CHECK,
            format!("the presets of {cameras} can be vouched for"),
        ),
        false => Finding::doubt(
            CHECK,
            format!(
                "nobody can vouch for new presets of {cameras}, or for changed zones: they stay covered"
            ),
            "write `clear_still = true` under [console]: whoever vouches looks at a clear still",
        ),
    }
}

/// Runtime and models, by their hashes, and one look with each.
fn models(config: Option<&Config>) -> Option<Finding> {
    const CHECK: &str = "models";
    let config = config?;
    if config.cameras.iter().all(|c| c.detect.is_none()) {
        return Some(Finding::good(CHECK, "no camera looks for faces or plates"));
    }
    Some(match try_models(config) {
        Ok(()) => Finding::good(
            CHECK,
            "runtime and models have the hashes they should, and look",
        ),
        Err(error) => Finding::bad(
            CHECK,
            format!("nobody would look at the pictures: {error:#}"),
            "run `make models`, and name their folder as `folder` in [detectors]",
        ),
    })
}

#[cfg(test)]
mod tests;
