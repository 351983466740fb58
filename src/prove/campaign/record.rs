//! What a campaign brought, fault by fault.

use super::growth::{Holding, Trend, median};
use super::{Campaign, Fault};
use serde::Serialize;
use std::collections::BTreeMap;

/// One step of the campaign: a fault, or two.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Record {
    /// What went wrong.
    pub faults: Vec<Fault>,
    /// When the first began, seconds after the first frame.
    pub began_s: f64,
    /// When the last was over.
    pub ended_s: f64,
    /// From then until the viewer saw the first live picture. None where none came.
    pub first_live_s: Option<f64>,
    /// From then until the viewer saw a picture that then stayed live; 0 where it was
    /// live throughout. None where it did not come back.
    pub live_again_s: Option<f64>,
    /// Canary pixels that the viewer saw from the beginning until it was live again.
    pub canary_pixels: u64,
    /// Seconds covered meanwhile, by reason, by the gateway's word.
    pub covered_s: BTreeMap<String, f64>,
    /// Times the viewer lost the stream.
    pub disconnects: u64,
    /// Of a storm, how many viewers came in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub viewers_joined: Option<u32>,
    /// What could not be made to go wrong, or only in part.
    pub remarks: Vec<String>,
}

/// How soon it was live again, over some steps.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Again {
    /// How many steps.
    pub steps: usize,
    /// Seconds, of those that came back.
    pub median_s: Option<f64>,
    /// Likewise.
    pub worst_s: Option<f64>,
    /// How many came back later than allowed, or not.
    pub late: usize,
}

/// One fault over the campaign.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Which.
    pub fault: Fault,
    /// By itself.
    pub alone: Again,
    /// With another.
    pub in_pairs: Again,
    /// First live picture, of both: median and worst, seconds.
    pub first_live_s: Option<[f64; 2]>,
    /// For which the picture was covered in steps of this fault alone.
    pub reasons: Vec<String>,
}

/// From so many steps on it must be seen whether something grows.
const LONG: usize = 8;

/// The campaign.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CampaignReport {
    /// To play it again.
    pub seed: u64,
    /// Each fault.
    pub summary: Vec<Summary>,
    /// Panics in the gateway's log.
    pub panics: u64,
    /// Memory at the healthy stretches, MiB.
    pub rss_mib: Option<Trend>,
    /// Threads there.
    pub threads: Option<Trend>,
    /// File descriptors there.
    pub fds: Option<Trend>,
    /// Viewers in the last stretch: one, ours.
    pub viewers: Option<f64>,
    /// Step by step.
    pub steps: Vec<Record>,
    /// Healthy stretch by healthy stretch.
    pub stretches: Vec<Holding>,
}

impl CampaignReport {
    pub(super) fn new(
        campaign: &Campaign,
        steps: Vec<Record>,
        stretches: Vec<Holding>,
        warm_s: f64,
        panics: u64,
    ) -> Self {
        let trend = |of: fn(&Holding) -> f64| {
            let warm = stretches.iter().filter(|h| h.at_s >= warm_s);
            Trend::of(&warm.map(|h| (h.at_s, of(h))).collect::<Vec<_>>())
        };
        let within_s = campaign.live_within_s;
        let mut faults = campaign.faults.clone();
        faults.sort();
        let of = |fault: Fault| Summary {
            fault,
            alone: again(steps.iter().filter(|r| r.faults == [fault]), within_s),
            in_pairs: again(
                steps
                    .iter()
                    .filter(|r| r.faults.len() > 1 && r.faults.contains(&fault)),
                within_s,
            ),
            first_live_s: first_live(steps.iter().filter(|r| r.faults.contains(&fault))),
            reasons: reasons(steps.iter().filter(|r| r.faults == [fault])),
        };
        Self {
            seed: campaign.seed,
            summary: faults.into_iter().map(of).collect(),
            panics,
            rss_mib: trend(|h| h.rss_mib),
            threads: trend(|h| h.threads),
            fds: trend(|h| h.fds),
            viewers: stretches.last().map(|h| h.viewers),
            steps,
            stretches,
        }
    }

    /// What is not as it should be.
    pub(super) fn failures(&self, campaign: &Campaign) -> Vec<String> {
        let mut failures = Vec::new();
        for step in &self.steps {
            let late = step.live_again_s.is_none_or(|s| s > campaign.live_within_s);
            if late || step.canary_pixels > 0 || !step.remarks.is_empty() {
                failures.push(step.line());
            }
        }
        if self.panics > 0 {
            failures.push(format!("{} panics in the gateway's log", self.panics));
        }
        let grown = |what: &str, trend: Option<Trend>, limit: f64| {
            let trend = trend?;
            (trend.end - trend.start > limit)
                .then(|| format!("{what} grew from {} to {}", trend.start, trend.end))
        };
        let unseen = self.threads.is_none() || self.fds.is_none() || self.rss_mib.is_none();
        if campaign.pairs && self.steps.len() >= LONG && unseen {
            failures.push("too little was seen of what the gateway holds".to_owned());
        }
        failures.extend(grown("threads", self.threads, campaign.threads_growth_max));
        failures.extend(grown("file descriptors", self.fds, campaign.fds_growth_max));
        if self.viewers.is_some_and(|n| n > 1.0) {
            failures.push("viewers were left behind".to_owned());
        }
        failures
    }
}

impl Record {
    /// For people.
    pub(super) fn line(&self) -> String {
        let names: Vec<String> = self.faults.iter().map(name).collect();
        let again = match self.live_again_s {
            Some(s) => {
                let first_s = self.first_live_s.unwrap_or(f64::NAN);
                format!("live after {first_s:.1} s and for good after {s:.1} s")
            }
            None => "not live again".to_owned(),
        };
        format!(
            "{} from {:.1} to {:.1} s: {again}; {} canary pixels; covered {:.1?} {}",
            names.join(" + "),
            self.began_s,
            self.ended_s,
            self.canary_pixels,
            self.covered_s,
            self.remarks.join("; ")
        )
    }
}

/// As it stands in scenarios.
fn name(fault: &Fault) -> String {
    let word = serde_json::to_value(fault).unwrap_or_default();
    word.as_str().unwrap_or_default().to_owned()
}

fn again<'a>(steps: impl Iterator<Item = &'a Record>, within_s: f64) -> Again {
    let all: Vec<Option<f64>> = steps.map(|r| r.live_again_s).collect();
    let back = || all.iter().flatten().copied();
    Again {
        steps: all.len(),
        median_s: median(back()),
        worst_s: back().max_by(f64::total_cmp),
        late: all
            .iter()
            .filter(|s| s.is_none_or(|s| s > within_s))
            .count(),
    }
}

/// Median and worst.
fn first_live<'a>(steps: impl Iterator<Item = &'a Record>) -> Option<[f64; 2]> {
    let all: Vec<f64> = steps.filter_map(|r| r.first_live_s).collect();
    let worst = all.iter().copied().max_by(f64::total_cmp)?;
    Some([median(all.into_iter())?, worst])
}

fn reasons<'a>(steps: impl Iterator<Item = &'a Record>) -> Vec<String> {
    let mut all: Vec<String> = steps.flat_map(|r| r.covered_s.keys().cloned()).collect();
    all.sort();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(faults: &[Fault], live_again_s: Option<f64>) -> Record {
        Record {
            faults: faults.to_vec(),
            live_again_s,
            ..Record::default()
        }
    }

    #[test]
    fn what_is_late_leaks_grows_or_panics_is_a_failure() {
        use Fault::{CameraGone, HalfOpen};
        let campaign = Campaign::default();
        let of = |steps: Vec<Record>, panics| {
            CampaignReport::new(&campaign, steps, Vec::new(), 0.0, panics)
        };
        let good = of(
            vec![
                step(&[CameraGone], Some(1.0)),
                step(&[CameraGone], Some(3.0)),
                step(&[HalfOpen, CameraGone], Some(4.9)),
            ],
            0,
        );
        assert_eq!(good.failures(&campaign), [""; 0]);
        let gone = &good.summary[0];
        assert_eq!((gone.alone.steps, gone.in_pairs.steps), (2, 1));
        assert_eq!(
            (gone.alone.median_s, gone.alone.worst_s),
            (Some(2.0), Some(3.0))
        );
        for (record, panics) in [
            (step(&[CameraGone], Some(5.1)), 0),
            (step(&[CameraGone], None), 0),
            (step(&[CameraGone], Some(1.0)), 1),
            (
                Record {
                    canary_pixels: 4,
                    ..step(&[CameraGone], Some(1.0))
                },
                0,
            ),
        ] {
            let report = of(vec![record], panics);
            assert_eq!(report.failures(&campaign).len(), 1, "{report:?}");
        }
        let mut grown = good;
        grown.viewers = Some(2.0);
        grown.fds = Some(Trend {
            start: 50.0,
            end: 60.0,
            per_hour: 10.0,
        });
        assert_eq!(grown.failures(&campaign).len(), 2);
    }
}
