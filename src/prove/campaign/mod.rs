//! A campaign: faults one by one, then in random pairs, with healthy stretches
//! between, for as long as the scenario lasts. The seed decides everything that is
//! random, so that what failed can be played again.
//!
//! Faults are made outside the gateway, never by a switch inside it. Must not know
//! how the gateway works.

mod growth;
mod player;
mod record;
mod reloads;
mod storm;
mod trouble;

pub(super) use player::{Player, Scene};
pub use record::{CampaignReport, Record};

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

/// One thing that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// The camera's ports are closed, its connections with them.
    CameraGone,
    /// Connections to the camera stay and are dead; new ones are taken and never
    /// answered. Afterwards only new ones work.
    HalfOpen,
    /// GetStatus is answered after 30 s.
    #[serde(rename = "status-after-30-s")]
    StatusAfter30S,
    /// The camera's clock jumps, and jumps back.
    ClockJump,
    /// The stream changes to another size, with another SPS, and back.
    SpsChange,
    /// Every packet is lost.
    PacketLoss,
    /// Every write of the gateway to a file fails, its log's included.
    DiskFull,
    /// The detectors' threads get next to no time.
    DetectorStarved,
    /// 200 viewers come; half of them never read; all leave at once.
    ViewerStorm,
    /// The configuration is reloaded every second: changed, refused, changed back.
    Reloads,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::CameraGone,
        Self::HalfOpen,
        Self::StatusAfter30S,
        Self::ClockJump,
        Self::SpsChange,
        Self::PacketLoss,
        Self::DiskFull,
        Self::DetectorStarved,
        Self::ViewerStorm,
        Self::Reloads,
    ];
}

/// `[campaign]` of a scenario.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Campaign {
    /// Decides the order, how long each fault lasts, and how.
    pub seed: u64,
    /// What goes wrong; all there is unless named.
    pub faults: Vec<Fault>,
    /// After each fault alone, pairs until the time is over.
    pub pairs: bool,
    /// How often each is played alone where there are no pairs.
    pub rounds: u32,
    /// Shortest and longest time that a fault lasts, seconds.
    pub lasts_s: [f64; 2],
    /// For so long the picture must be live without a break before the next fault,
    /// seconds.
    pub healthy_s: f64,
    /// A fault must be over for the viewer within so many seconds of its end.
    pub live_within_s: f64,
    /// Most that threads may have grown by at the end.
    pub threads_growth_max: f64,
    /// The same of file descriptors.
    pub fds_growth_max: f64,
}

impl Default for Campaign {
    fn default() -> Self {
        Self {
            seed: 1,
            faults: Fault::ALL.to_vec(),
            pairs: true,
            rounds: 1,
            lasts_s: [2.0, 8.0],
            healthy_s: 5.0,
            live_within_s: 5.0,
            threads_growth_max: 3.0,
            fds_growth_max: 3.0,
        }
    }
}

impl Campaign {
    pub(super) fn check(&self) -> Result<(), String> {
        let [shortest, longest] = self.lasts_s;
        let limits = [self.threads_growth_max, self.fds_growth_max];
        if !(shortest > 0.0 && shortest <= longest && longest <= 600.0) {
            return Err("campaign.lasts_s is [shortest, longest], up to 600".to_owned());
        }
        if ![self.healthy_s, self.live_within_s]
            .iter()
            .all(|s| (0.5..=600.0).contains(s))
        {
            return Err("campaign.healthy_s and live_within_s are from 0.5 to 600".to_owned());
        }
        if !limits.iter().all(|n| (0.0..=1e6).contains(n)) {
            return Err("campaign: growth limits must not be below 0".to_owned());
        }
        if self.rounds == 0 {
            return Err("campaign.rounds is at least 1".to_owned());
        }
        if self.faults.is_empty() || (self.pairs && self.faults.len() < 2) {
            return Err("campaign.faults names none, or too few for pairs".to_owned());
        }
        Ok(())
    }
}

/// One fault of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Act {
    fault: Fault,
    /// Seconds after the step's beginning.
    from_s: f64,
    /// Likewise.
    to_s: f64,
    /// From −1 to 1: how, where a fault has several ways.
    twist: f64,
}

/// What goes wrong, step after step.
#[derive(Debug)]
struct Order {
    campaign: Campaign,
    random: StdRng,
    /// Of the round; the last is the next.
    left: Vec<Vec<Fault>>,
    rounds: u32,
}

impl Order {
    fn new(campaign: &Campaign) -> Self {
        Self {
            campaign: campaign.clone(),
            random: StdRng::seed_from_u64(campaign.seed),
            left: Vec::new(),
            rounds: 0,
        }
    }

    /// The next step: each fault alone, then every pair, and again. `None` where
    /// there are no pairs and each was played often enough.
    fn next(&mut self) -> Option<Vec<Act>> {
        if self.left.is_empty() {
            if self.rounds >= self.campaign.rounds && !self.campaign.pairs {
                return None;
            }
            self.rounds += 1;
            self.fill();
        }
        let faults = self.left.pop()?;
        Some(faults.iter().map(|fault| self.act(*fault)).collect())
    }

    fn fill(&mut self) {
        let faults = self.campaign.faults.clone();
        let mut alone: Vec<_> = faults.iter().map(|fault| vec![*fault]).collect();
        let mut pairs = Vec::new();
        if self.campaign.pairs {
            for (i, one) in faults.iter().enumerate() {
                pairs.extend(faults[i + 1..].iter().map(|other| vec![*one, *other]));
            }
        }
        alone.shuffle(&mut self.random);
        pairs.shuffle(&mut self.random);
        pairs.append(&mut alone);
        self.left = pairs;
    }

    /// Both of a pair begin within two seconds, so that they meet.
    fn act(&mut self, fault: Fault) -> Act {
        let [shortest, longest] = self.campaign.lasts_s;
        let from_s = self.random.random_range(0.0..=2.0_f64).min(shortest);
        let lasts_s = self.random.random_range(shortest..=longest);
        Act {
            fault,
            from_s,
            to_s: from_s + lasts_s,
            twist: self.random.random_range(-1.0..=1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(campaign: &Campaign, count: usize) -> Vec<Vec<Act>> {
        let mut order = Order::new(campaign);
        std::iter::from_fn(|| order.next()).take(count).collect()
    }

    #[test]
    fn each_comes_alone_then_every_pair_and_the_seed_decides() {
        let campaign = Campaign::default();
        let all = steps(&campaign, 10 + 45 + 3);
        let mut alone: Vec<_> = all[..10].iter().map(|step| step[0].fault).collect();
        alone.sort();
        assert_eq!(alone, Fault::ALL);
        let mut pairs: Vec<_> = all[10..55]
            .iter()
            .map(|step| {
                assert_eq!(step.len(), 2);
                let mut pair = [step[0].fault, step[1].fault];
                pair.sort();
                assert!(step[0].from_s < step[1].to_s && step[1].from_s < step[0].to_s);
                pair
            })
            .collect();
        pairs.sort();
        pairs.dedup();
        assert_eq!(pairs.len(), 45);
        assert!(all[55..].iter().all(|step| step.len() == 1), "and again");
        assert_eq!(all, steps(&campaign, 58), "the same seed");
        let other = Campaign {
            seed: 2,
            ..campaign.clone()
        };
        assert_ne!(all, steps(&other, 58));
        for rounds in [1, 3] {
            let alone = Campaign {
                pairs: false,
                rounds,
                ..campaign.clone()
            };
            assert_eq!(steps(&alone, 99).len(), 10 * rounds as usize);
        }
    }
}
