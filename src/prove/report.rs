//! What a run showed, and whether that is a pass.

use super::campaign::CampaignReport;
use super::overcover::percentile;
use super::scenario::{Expect, Scenario};
use super::status::{CameraStatus, Latency};
use super::watch::Leaks;
use serde::Serialize;
use std::collections::BTreeMap;

/// Median and 99th percentile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Spread {
    /// Median.
    pub p50: f64,
    /// 99th percentile.
    pub p99: f64,
}

impl Spread {
    /// Of `values`, which it sorts; `None` for no values.
    pub(super) fn of(values: &mut [f64]) -> Option<Self> {
        Some(Self {
            p50: percentile(values, 0.5)?,
            p99: percentile(values, 0.99)?,
        })
    }
}

/// At the beginning and at the end of the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct StartEnd {
    /// At the beginning, once everything runs.
    pub start: f64,
    /// At the end.
    pub end: f64,
}

/// Passed or failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Everything the scenario demands was seen.
    Pass,
    /// Something was not: see `failures`.
    Fail,
}

/// The result of one scenario. With several cameras counts are summed and of
/// distributions the worst is given.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The scenario's name.
    pub scenario: String,
    /// From the first frame seen to the end, seconds.
    pub seconds: f64,
    /// Frames the viewer decoded.
    pub frames_seen: u64,
    /// Of these, frames with at least one canary pixel.
    pub canary_frames: u64,
    /// Canary pixels in all frames.
    pub canary_pixels: u64,
    /// The gateway's seconds wholly covered, by reason.
    pub covered_s: BTreeMap<String, f64>,
    /// Share of the frames from the first one on that was not wholly covered
    /// that were not wholly covered, by the viewer's picture.
    pub live_ratio: f64,
    /// How far the grey reaches beyond the private places, degrees, over the
    /// frames that were measured; none where none could be.
    pub overcover_deg: Option<Spread>,
    /// Arrival to encoder, by the gateway's status.
    pub latency_ms: Latency,
    /// The latency budget.
    pub budget_ms: f64,
    /// Frames that left after their budget.
    pub late_frames: u64,
    /// Frames that did not leave, by reason.
    pub dropped: BTreeMap<String, u64>,
    /// The gateway's CPU time over that of a plain decode-encode of the same
    /// stream in the same time; none where it was not measured.
    pub cpu_ratio: Option<f64>,
    /// The gateway's resident memory.
    pub rss_mib: StartEnd,
    /// Smallest and largest number of canary pixels in a frame that had any.
    pub leak_px: Option<[u64; 2]>,
    /// Degrees from the private places to the canary pixel nearest to any. What
    /// lies far away was carried there by the camera's compression; it counts all the same.
    pub leak_away_deg: Option<f64>,
    /// Measured frames in which a private place lay inside the picture; without
    /// any, a clean run proves nothing.
    pub private_frames: u64,
    /// Frames whose over-cover was measured.
    pub overcover_frames: u64,
    /// CPU seconds for each second of video: the gateway, and the plain chain.
    pub cpu_s_per_s: Option<[f64; 2]>,
    /// Distance between the capture time in the masked stream's sender reports
    /// and the true one; none where no frame had both.
    pub capture_error_ms: Option<Spread>,
    /// What the (last) camera's detectors reach, by the gateway's status.
    pub detector: Option<serde_json::Value>,
    /// Times a viewer lost the stream.
    pub disconnects: u64,
    /// Fault by fault, where there was a campaign.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign: Option<CampaignReport>,
    /// Passed or failed.
    pub verdict: Verdict,
    /// What was demanded and not seen.
    pub failures: Vec<String>,
}

/// Share of not covered frames demanded of a healthy scenario.
const HEALTHY_LIVE_RATIO: f64 = 0.99;
/// Share of the camera's frames that must reach the viewer in a healthy one.
const HEALTHY_FRAMES: f64 = 0.8;

impl Report {
    /// The report of a scenario that could not be played.
    pub fn of_failed_stage(scenario: &str, error: &super::StageError) -> Self {
        Self {
            scenario: scenario.to_owned(),
            failures: vec![error.to_string()],
            ..Self::default()
        }
    }

    /// Takes over what a viewer saw.
    pub fn add_leaks(&mut self, leaks: &Leaks) {
        self.frames_seen += leaks.frames_seen;
        self.canary_frames += leaks.canary_frames;
        self.canary_pixels += leaks.canary_pixels;
        if let Some(smallest) = leaks.smallest_leak_px {
            let [low, high] = self.leak_px.unwrap_or([u64::MAX, 0]);
            self.leak_px = Some([low.min(smallest), high.max(leaks.largest_leak_px)]);
        }
    }

    /// Takes over what the gateway says of one camera.
    pub fn add_status(&mut self, camera: &CameraStatus) {
        let worst = &mut self.latency_ms;
        worst.p50 = worst.p50.max(camera.latency_ms.p50);
        worst.p99 = worst.p99.max(camera.latency_ms.p99);
        worst.max = worst.max.max(camera.latency_ms.max);
        self.budget_ms = self.budget_ms.max(camera.budget_ms);
        self.late_frames += camera.late_frames;
        if camera.detector.is_some() {
            self.detector.clone_from(&camera.detector);
        }
        for (reason, frames) in &camera.dropped {
            *self.dropped.entry(reason.clone()).or_default() += frames;
        }
        for (reason, seconds) in &camera.covered_s {
            *self.covered_s.entry(reason.clone()).or_default() += seconds;
        }
    }

    /// Compares with what the scenario demands; `more` are failures noticed
    /// during the run.
    pub fn judge(&mut self, scenario: &Scenario, fps: f64, more: Vec<String>) {
        let mut failures = more;
        let mut demand = |met: bool, text: String| {
            if !met {
                failures.push(text);
            }
        };
        demand(
            self.frames_seen > 0,
            "no frame reached the viewer".to_owned(),
        );
        match scenario.expect {
            Expect::Clean => demand(
                self.canary_frames == 0 || scenario.is_unmasked_clip(),
                format!(
                    "{} canary pixels in {} of {} frames, the nearest {:.2}° from a private place",
                    self.canary_pixels,
                    self.canary_frames,
                    self.frames_seen,
                    self.leak_away_deg.unwrap_or(0.0)
                ),
            ),
            Expect::Leak => demand(
                self.canary_pixels > 0,
                "a leak was made on purpose and not seen".to_owned(),
            ),
        }
        demand(
            self.private_frames > 0 || scenario.is_unmasked_clip(),
            "no private place was ever in the picture: the run shows nothing".to_owned(),
        );
        demand(
            self.late_frames == 0 && self.latency_ms.max <= self.budget_ms,
            format!(
                "{} frames left late; latency up to {:.0} ms of {:.0} ms",
                self.late_frames, self.latency_ms.max, self.budget_ms
            ),
        );
        let floor = match scenario.live_ratio_min {
            Some(given) => given,
            None if scenario.healthy => HEALTHY_LIVE_RATIO,
            None => 0.0,
        };
        demand(
            self.live_ratio >= floor,
            format!(
                "live ratio {:.4}, at least {floor} demanded",
                self.live_ratio
            ),
        );
        if scenario.healthy {
            let wanted = HEALTHY_FRAMES * fps * self.seconds * f64::from(scenario.cameras);
            demand(
                self.frames_seen as f64 >= wanted,
                format!(
                    "{} frames seen, at least {wanted:.0} demanded",
                    self.frames_seen
                ),
            );
        }
        for reason in &scenario.covers {
            demand(
                self.covered_s.get(reason).is_some_and(|s| *s > 0.0),
                format!("never covered for `{reason}`"),
            );
        }
        if let Some(limit) = scenario.overcover_max_deg {
            demand(
                self.overcover_deg.is_some_and(|o| o.p99 <= limit),
                format!(
                    "over-cover p99 {:.2}°, at most {limit}° allowed",
                    self.overcover_deg.map_or(f64::NAN, |o| o.p99)
                ),
            );
        }
        if let Some(limit) = scenario.cpu_ratio_max {
            demand(
                self.cpu_ratio.is_some_and(|r| r <= limit),
                format!("CPU ratio {:?}, at most {limit} allowed", self.cpu_ratio),
            );
        }
        if let Some(limit) = scenario.rss_growth_max_mib {
            // Between faults, where there are some: a storm that is going on holds what it holds.
            let quiet = self.campaign.as_ref().and_then(|c| c.rss_mib.as_ref());
            let grown = quiet.map_or(self.rss_mib.end - self.rss_mib.start, |q| q.end - q.start);
            demand(
                grown <= limit,
                format!("memory grew by {grown:.1} MiB, at most {limit} allowed"),
            );
        }
        // A camera that is started anew by a reload throws its viewers out.
        demand(
            self.disconnects == 0 || scenario.campaign.is_some(),
            format!(
                "a judging viewer lost the stream {} times",
                self.disconnects
            ),
        );
        self.verdict = if failures.is_empty() {
            Verdict::Pass
        } else {
            Verdict::Fail
        };
        self.failures = failures;
    }

    /// One line of a table, as long as [`Report::HEAD`].
    pub fn line(&self) -> String {
        let covered: f64 = self.covered_s.values().sum();
        let over = self.overcover_deg.map_or("      -      -".to_owned(), |o| {
            format!("{:7.2}{:7.2}", o.p50, o.p99)
        });
        let cpu = self
            .cpu_ratio
            .map_or("    -".to_owned(), |r| format!("{r:5.2}"));
        format!(
            "{:<26}{:>7}{:>9}{covered:>9.1}{:>8.4}{over}{:>8.1}{:>8.1}{:>6}{cpu}{:>7.0}  {}",
            self.scenario,
            self.frames_seen,
            self.canary_pixels,
            self.live_ratio,
            self.latency_ms.p99,
            self.latency_ms.max,
            self.late_frames,
            self.rss_mib.end,
            match self.verdict {
                Verdict::Pass => "pass",
                Verdict::Fail => "FAIL",
            }
        )
    }

    /// The head of the table.
    pub const HEAD: &'static str = "scenario                   frames   canary  covered    live  \
                                    over° p50/p99  lat p99     max  late  cpu    MiB  verdict";
}

impl Default for Report {
    fn default() -> Self {
        Self {
            scenario: String::new(),
            seconds: 0.0,
            frames_seen: 0,
            canary_frames: 0,
            canary_pixels: 0,
            covered_s: BTreeMap::new(),
            live_ratio: 0.0,
            overcover_deg: None,
            latency_ms: Latency::default(),
            budget_ms: 0.0,
            late_frames: 0,
            dropped: BTreeMap::new(),
            cpu_ratio: None,
            rss_mib: StartEnd::default(),
            leak_px: None,
            leak_away_deg: None,
            private_frames: 0,
            overcover_frames: 0,
            cpu_s_per_s: None,
            capture_error_ms: None,
            detector: None,
            disconnects: 0,
            campaign: None,
            verdict: Verdict::Fail,
            failures: vec!["not judged".to_owned()],
        }
    }
}
