//! A scenario: what the camera does, what goes wrong, and what is demanded.
//!
//! TOML; unknown keys are refused. The keys are the fields below, `[camera]` is
//! the simulator's own configuration and `[[at]]` a timeline of faults.

use super::campaign::{Campaign, Fault};
use crate::sim::{Faults, Reports, SimConfig};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// One scenario.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Name in reports.
    pub name: String,
    /// What it shows, for people.
    #[serde(default)]
    pub about: String,
    /// How long it is judged, from the first frame on, seconds.
    pub seconds: f64,
    /// What the viewer must see: no canary (`clean`, the default) or, in a
    /// negative control, some (`leak`).
    #[serde(default)]
    pub expect: Expect,
    /// Nothing is wrong with the camera: at least 99 % of the frames must not be
    /// wholly covered once the clock is mapped, and 80 % must arrive.
    #[serde(default)]
    pub healthy: bool,
    /// At least this share of frames must not be wholly covered.
    pub live_ratio_min: Option<f64>,
    /// Reasons (`covered_s` keys) for which the picture must have been covered.
    #[serde(default)]
    pub covers: Vec<String>,
    /// Largest over-cover allowed (99th percentile), degrees.
    pub overcover_max_deg: Option<f64>,
    /// Measure the CPU against a plain decode-encode of the same stream.
    #[serde(default)]
    pub cpu: bool,
    /// Measure the plain chain for so many seconds *before* the gateway starts,
    /// where the two together are more than a small machine can do.
    pub plain_before_s: Option<f64>,
    /// Largest CPU ratio allowed.
    pub cpu_ratio_max: Option<f64>,
    /// Largest growth of the gateway's memory allowed, MiB.
    pub rss_growth_max_mib: Option<f64>,
    /// How many cameras, all alike but for their seed.
    #[serde(default = "one")]
    pub cameras: u32,
    /// Negative control: the gateway's zones are shifted in pan by this.
    #[serde(default)]
    pub mask_shift_deg: f64,
    /// Negative control: the gateway gets a document without zones.
    #[serde(default)]
    pub no_zones: bool,
    /// Who else watches (the first camera).
    #[serde(default)]
    pub viewers: Viewers,
    /// Cores kept busy by somebody else.
    #[serde(default)]
    pub busy_cores: u32,
    /// The gateway's settings.
    #[serde(default)]
    pub gateway: GatewayKnobs,
    /// The camera.
    #[serde(default)]
    pub camera: SimConfig,
    /// What changes during the run.
    #[serde(default)]
    pub at: Vec<Change>,
    /// Faults one by one and in pairs, for as long as the run lasts.
    pub campaign: Option<Campaign>,
}

fn one() -> u32 {
    1
}

/// What the viewer must see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Expect {
    /// No canary at all.
    #[default]
    Clean,
    /// Canary: the check must be able to fail.
    Leak,
}

/// Viewers besides the judging one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Viewers {
    /// Viewers that receive and do not decode.
    pub ordinary: u32,
    /// Viewers that stop reading after PLAY.
    pub stalled: u32,
}

/// Settings of the gateway; what is absent keeps the gateway's default.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GatewayKnobs {
    /// `latency_budget_ms`.
    pub latency_budget_ms: Option<u32>,
    /// `transport`: `tcp` or `udp`.
    pub transport: Option<String>,
    /// `telemetry.kind`, and the units of the profile with it.
    pub telemetry: Reports,
    /// `telemetry.rate_hz`.
    pub telemetry_rate_hz: Option<f64>,
    /// `telemetry.metadata`.
    pub metadata: Option<bool>,
    /// `encoder.bitrate_kbit`.
    pub bitrate_kbit: Option<u32>,
    /// `limits.max_telemetry_age_ms`.
    pub max_telemetry_age_ms: Option<u32>,
    /// `limits.restart_takes_ms`.
    pub restart_takes_ms: Option<u32>,
    /// `detect.classes`; empty: nothing is looked for.
    pub detect: Vec<String>,
}

/// A change during the run.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// When, seconds after the first frame.
    pub t_s: f64,
    /// These knobs of the camera's faults, the others stay.
    #[serde(default)]
    pub faults: serde_json::Map<String, serde_json::Value>,
    /// The camera restarts and loses its position.
    #[serde(default)]
    pub restart: bool,
}

/// Why a scenario cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The file.
    #[error("{}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not TOML, or unknown keys.
    #[error("{}: {text}", path.display())]
    Form {
        /// Which.
        path: PathBuf,
        /// Where and why.
        text: String,
    },
}

impl Scenario {
    /// Reads the scenario in the file `path`.
    ///
    /// # Errors
    /// [`ScenarioError`] with the place.
    pub fn load(path: &Path) -> Result<Self, ScenarioError> {
        let text = std::fs::read_to_string(path).map_err(|source| ScenarioError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text).map_err(|text| ScenarioError::Form {
            path: path.to_owned(),
            text,
        })
    }

    /// Reads a scenario.
    ///
    /// # Errors
    /// What is wrong and where.
    pub fn parse(text: &str) -> Result<Self, String> {
        let scenario: Self = toml::from_str(text).map_err(|e| e.to_string())?;
        scenario.check()?;
        Ok(scenario)
    }

    /// Whether it shows a clip, in which no place is private and any colour may be:
    /// then nothing is said about leaks.
    pub fn is_unmasked_clip(&self) -> bool {
        self.no_zones && self.camera.clip.is_some()
    }

    /// Makes it last `seconds`; changes after that fall away.
    pub fn last(&mut self, seconds: f64) {
        self.seconds = seconds;
        self.at.retain(|change| change.t_s < seconds);
    }

    fn check(&self) -> Result<(), String> {
        let positive = |name: &str, value: f64| {
            if value.is_finite() && value > 0.0 {
                Ok(())
            } else {
                Err(format!("{name} must be above 0, not {value}"))
            }
        };
        positive("seconds", self.seconds)?;
        let optional = [
            ("overcover_max_deg", self.overcover_max_deg),
            ("cpu_ratio_max", self.cpu_ratio_max),
            ("plain_before_s", self.plain_before_s),
            ("rss_growth_max_mib", self.rss_growth_max_mib),
            ("gateway.telemetry_rate_hz", self.gateway.telemetry_rate_hz),
        ];
        for (name, value) in optional {
            value.map_or(Ok(()), |v| positive(name, v))?;
        }
        if (self.cpu_ratio_max.is_some() || self.plain_before_s.is_some()) && !self.cpu {
            return Err("cpu_ratio_max and plain_before_s need cpu = true".to_owned());
        }
        if self.plain_before_s.is_some_and(|s| s > 600.0) {
            return Err("plain_before_s must be at most 600".to_owned());
        }
        if !self.mask_shift_deg.is_finite() {
            return Err("mask_shift_deg must be a number of degrees".to_owned());
        }
        if self
            .live_ratio_min
            .is_some_and(|r| !(0.0..=1.0).contains(&r))
        {
            return Err("live_ratio_min must be from 0 to 1".to_owned());
        }
        if self.cameras == 0 || self.cameras > 16 {
            return Err(format!(
                "cameras must be from 1 to 16, not {}",
                self.cameras
            ));
        }
        if self.busy_cores > 64 || self.viewers.ordinary > 200 || self.viewers.stalled > 50 {
            return Err("at most 64 busy cores, 200 ordinary and 50 stalled viewers".to_owned());
        }
        if !matches!(
            self.gateway.transport.as_deref(),
            None | Some("tcp" | "udp")
        ) {
            return Err("gateway.transport is `tcp` or `udp`".to_owned());
        }
        self.camera.check().map_err(|e| e.to_string())?;
        self.check_campaign()?;
        let mut faults: Faults = self.camera.faults.clone();
        let mut last_s = 0.0;
        for change in &self.at {
            if !(change.t_s >= last_s && change.t_s < self.seconds) {
                return Err(format!(
                    "[[at]] t_s = {} must not be before the one above nor beyond the end",
                    change.t_s
                ));
            }
            last_s = change.t_s;
            faults = faults
                .patched(&serde_json::Value::Object(change.faults.clone()))
                .map_err(|e| format!("[[at]] t_s = {}: {e}", change.t_s))?;
        }
        Ok(())
    }

    fn check_campaign(&self) -> Result<(), String> {
        let Some(campaign) = &self.campaign else {
            return Ok(());
        };
        campaign.check()?;
        if self.cameras != 1 || !self.at.is_empty() {
            return Err("a [campaign] is for one camera, and without [[at]]".to_owned());
        }
        if self.gateway.telemetry != Reports::Onvif {
            return Err("a [campaign] is for a camera that is asked over ONVIF".to_owned());
        }
        if campaign.faults.contains(&Fault::DetectorStarved) && self.gateway.detect.is_empty() {
            return Err("detector-starved needs classes in gateway.detect".to_owned());
        }
        Ok(())
    }
}

/// The scenario files named by `paths`: a file stands for itself, a directory for
/// the `.toml` files right in it, by name.
///
/// # Errors
/// [`ScenarioError::Read`] where a path cannot be read.
pub fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, ScenarioError> {
    let mut all = Vec::new();
    for path in paths {
        let failed = |source| ScenarioError::Read {
            path: path.clone(),
            source,
        };
        if !path.is_dir() {
            all.push(path.clone());
            continue;
        }
        let mut inside = Vec::new();
        for entry in std::fs::read_dir(path).map_err(failed)? {
            let file = entry.map_err(failed)?.path();
            if file.extension().is_some_and(|e| e == "toml") {
                inside.push(file);
            }
        }
        inside.sort();
        all.append(&mut inside);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_scenario_is_valid_and_named_after_its_file() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
        let folders = ["", "control", "detect", "faults", "picture", "soak"].map(|d| root.join(d));
        let files = files(&folders).unwrap();
        assert!(files.len() >= 20);
        let mut clean_s = 0.0;
        for file in files {
            let scenario = Scenario::load(&file).unwrap();
            assert_eq!(
                file.file_stem().unwrap().to_str(),
                Some(scenario.name.as_str())
            );
            assert!(!scenario.about.is_empty(), "{}", scenario.name);
            if file.parent() == Some(&root) {
                assert_eq!(scenario.expect, Expect::Clean);
                clean_s += scenario.seconds * f64::from(scenario.cameras * scenario.camera.fps);
            }
        }
        assert!(clean_s >= 20_000.0, "{clean_s} frames in all");
    }

    #[test]
    fn mistakes_are_named() {
        let with = |more: &str| Scenario::parse(&format!("name = \"x\"\nseconds = 9.0\n{more}"));
        assert!(with("").is_ok());
        for (text, needle) in [
            ("secs = 3", "secs"),
            ("expect = \"maybe\"", "maybe"),
            ("mask_shift_deg = nan", "mask_shift_deg"),
            ("cameras = 0", "cameras"),
            ("cpu_ratio_max = 1.15", "cpu = true"),
            ("gateway = { transport = \"pigeon\" }", "transport"),
            ("[camera]\nwidht = 640", "widht"),
            ("[[at]]\nt_s = 3.0\nfaults = { lie = 1 }", "lie"),
            ("[[at]]\nt_s = 10.0", "t_s"),
            ("[[at]]\nt_s = 4.0\n[[at]]\nt_s = 3.0", "t_s"),
            ("live_ratio_min = 1.5", "live_ratio_min"),
            ("[campaign]\nfaults = [\"rain\"]", "rain"),
            ("[campaign]\nfaults = [\"half-open\"]", "pairs"),
            ("[campaign]\nlasts_s = [3.0, 2.0]", "lasts_s"),
            ("[campaign]", "gateway.detect"),
            ("cameras = 2\n[campaign]\npairs = false", "one camera"),
        ] {
            let error = with(text).unwrap_err();
            assert!(error.contains(needle), "{text}: {error}");
        }
    }
}
