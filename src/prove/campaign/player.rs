//! Plays a campaign beside the stage's own clock: begins and ends faults, and looks
//! how soon the viewer's picture is live again.

use super::super::figures::Figures;
use super::super::observer::Notes;
use super::super::relay::Relay;
use super::growth::Holding;
use super::record::{CampaignReport, Record};
use super::trouble::{Trouble, turn};
use super::{Act, Campaign, Order};
use crate::clock::Mono;
use crate::sim::{Faults, Sim};
use std::collections::BTreeMap;
use std::path::Path;

/// What faults are made with, and what is seen of the gateway.
#[derive(Debug)]
pub(in crate::prove) struct Scene<'a> {
    /// The camera.
    pub sim: &'a Sim,
    /// What the camera does wrong anyway.
    pub healthy: &'a Faults,
    /// Between it and the gateway.
    pub wires: &'a [Relay],
    /// The gateway's process.
    pub pid: u32,
    /// Its configuration and the camera's masks.
    pub config: &'a Path,
    /// See there.
    pub masks: &'a Path,
    /// The masked stream.
    pub stream: &'a str,
    /// The camera's id.
    pub camera: &'a str,
    /// The gateway's figures, where they could be read.
    pub figures: Option<&'a Figures>,
    /// What the viewer saw.
    pub notes: &'a Notes,
    /// Times the viewer lost the stream.
    pub disconnects: u64,
    /// Now, and in seconds after the first frame.
    pub now: Mono,
    /// See there.
    pub at_s: f64,
}

/// A step that was begun.
#[derive(Debug)]
struct Step {
    record: Record,
    waiting: Vec<Act>,
    lasting: Vec<(Act, Trouble)>,
    /// When the last fault was over.
    over: Option<Mono>,
    before: Before,
}

#[derive(Debug, Default)]
struct Before {
    canary_pixels: u64,
    covered_s: BTreeMap<String, f64>,
    disconnects: u64,
}

/// Longest wait for a live picture; then the campaign ends: what comes after
/// would show nothing.
const GIVE_UP_AFTER_S: f64 = 90.0;
/// A picture this old is none.
const STALE_S: f64 = 1.0;

/// The campaign as it is played.
#[derive(Debug)]
pub(in crate::prove) struct Player {
    campaign: Campaign,
    order: Order,
    seconds: f64,
    step: Option<Step>,
    /// Since when nothing happens, where nothing has happened yet.
    idle_since_s: f64,
    done: bool,
    steps: Vec<Record>,
    stretches: Vec<Holding>,
}

impl Player {
    pub(in crate::prove) fn new(campaign: &Campaign, seconds: f64) -> Self {
        Self {
            campaign: campaign.clone(),
            order: Order::new(campaign),
            seconds,
            step: None,
            idle_since_s: 0.0,
            done: false,
            steps: Vec::new(),
            stretches: Vec::new(),
        }
    }

    /// Whether there is nothing left to play.
    pub(in crate::prove) fn is_done(&self) -> bool {
        self.done
    }

    /// Looks at the scene and does what is due.
    ///
    /// # Errors
    /// When camera or wire cannot be turned; what else cannot be made to go wrong
    /// stands in the report.
    pub(in crate::prove) fn play(&mut self, scene: &Scene<'_>) -> std::io::Result<()> {
        if self.done {
            return Ok(());
        }
        match self.step.take() {
            Some(mut step) if step.over.is_none() => {
                step.go_on(scene)?;
                self.step = Some(step);
            }
            Some(step) => self.look(step, scene),
            None => {
                if self.live_since(scene).is_some() {
                    self.begin(scene);
                } else if scene.at_s - self.idle_since_s > GIVE_UP_AFTER_S {
                    self.done = true;
                }
            }
        }
        Ok(())
    }

    /// Since when the picture is live, where it has been for long enough.
    fn live_since(&self, scene: &Scene<'_>) -> Option<Mono> {
        let since = scene.notes.live_since?;
        let fresh = scene.now.since(scene.notes.last?).as_secs_f64() < STALE_S;
        let lived_s = scene.now.since(since).as_secs_f64();
        (fresh && lived_s >= self.campaign.healthy_s).then_some(since)
    }

    /// A step is over, its faults are; is the picture live again?
    fn look(&mut self, mut step: Step, scene: &Scene<'_>) {
        let over = step.over.unwrap_or(scene.now);
        let live_s = scene.notes.last_live.filter(|at| *at > over);
        let live_s = live_s.map(|at| at.since(over).as_secs_f64());
        // Looked at many times a second: the first is the first.
        step.record.first_live_s = step.record.first_live_s.or(live_s);
        let waited_s = scene.now.since(over).as_secs_f64();
        let live_since = self.live_since(scene);
        let given_up = live_since.is_none() && waited_s > GIVE_UP_AFTER_S;
        // As long without a fault as with a picture: what is late shows itself.
        if !given_up && (live_since.is_none() || waited_s < self.campaign.healthy_s) {
            self.step = Some(step);
            return;
        }
        step.record.live_again_s = live_since.map(|since| since.since(over).as_secs_f64());
        step.before.compare(&mut step.record, scene);
        self.steps.push(step.record);
        self.idle_since_s = scene.at_s;
        self.done = given_up;
        if !given_up {
            self.begin(scene);
        }
        if let Some(record) = self.steps.last() {
            tracing::info!("{}", record.line());
        }
    }

    fn begin(&mut self, scene: &Scene<'_>) {
        let writable = scene
            .figures
            .and_then(|f| f.get("greyplane_audit_writable"));
        if writable == Some(0.0)
            && let Some(last) = self.steps.last_mut()
        {
            last.remarks
                .push("the audit log cannot be written".to_owned());
        }
        let holding = scene
            .figures
            .and_then(|figures| Holding::of(figures, scene.camera, scene.at_s));
        self.stretches.extend(holding);
        let longest_s = self.campaign.lasts_s[1] + 2.0 + 2.0 * self.campaign.healthy_s;
        let acts = (scene.at_s + longest_s < self.seconds)
            .then(|| self.order.next())
            .flatten();
        let Some(acts) = acts else {
            self.done = true;
            return;
        };
        self.step = Some(Step {
            record: Record {
                faults: acts.iter().map(|act| act.fault).collect(),
                began_s: scene.at_s,
                ..Record::default()
            },
            waiting: acts,
            lasting: Vec::new(),
            over: None,
            before: Before::of(scene),
        });
    }

    /// What came of it; `warm_s`: growth counts from here on.
    pub(in crate::prove) fn report(
        self,
        warm_s: f64,
        panics: u64,
    ) -> (CampaignReport, Vec<String>) {
        let campaign = &self.campaign;
        let report = CampaignReport::new(campaign, self.steps, self.stretches, warm_s, panics);
        let mut failures = report.failures(campaign);
        if report.steps.is_empty() {
            failures.push("no fault was played".to_owned());
        }
        (report, failures)
    }
}

impl Step {
    fn go_on(&mut self, scene: &Scene<'_>) -> std::io::Result<()> {
        let since_s = scene.at_s - self.record.began_s;
        let mut told = Vec::new();
        for act in self.waiting.extract_if(.., |act| act.from_s <= since_s) {
            match Trouble::begin(scene, act.fault, scene.at_s) {
                Ok(trouble) => self.lasting.push((act, trouble)),
                Err(error) => told.push(format!("{:?} could not be made: {error}", act.fault)),
            }
        }
        let ends: Vec<_> = self
            .lasting
            .extract_if(.., |(act, _)| act.to_s <= since_s)
            .collect();
        for (act, trouble) in ends {
            match trouble.end(scene) {
                Ok(Some(0)) => told.push("no viewer came in".to_owned()),
                Ok(joined) => self.record.viewers_joined = joined.or(self.record.viewers_joined),
                Err(error) => told.push(format!("{:?} could not be ended: {error}", act.fault)),
            }
        }
        for (act, trouble) in &mut self.lasting {
            if let Err(error) = trouble.step(scene.at_s) {
                told.push(format!("{:?}: {error}", act.fault));
            }
        }
        self.record.remarks.append(&mut told);
        let acts: Vec<Act> = self.lasting.iter().map(|(act, _)| *act).collect();
        turn(scene, &acts)?;
        if self.lasting.is_empty() && self.waiting.is_empty() {
            self.record.ended_s = scene.at_s;
            self.over = Some(scene.now);
        }
        Ok(())
    }
}

impl Before {
    fn of(scene: &Scene<'_>) -> Self {
        let status = scene.figures.map(|figures| figures.status(scene.camera));
        Self {
            canary_pixels: scene.notes.leaks.canary_pixels,
            covered_s: status.map(|s| s.covered_s).unwrap_or_default(),
            disconnects: scene.disconnects,
        }
    }

    /// What is more by now.
    fn compare(&self, record: &mut Record, scene: &Scene<'_>) {
        record.canary_pixels = scene.notes.leaks.canary_pixels - self.canary_pixels;
        record.disconnects = scene.disconnects.saturating_sub(self.disconnects);
        let status = scene.figures.map(|figures| figures.status(scene.camera));
        for (reason, seconds) in status.map(|s| s.covered_s).unwrap_or_default() {
            let more = seconds - self.covered_s.get(&reason).copied().unwrap_or(0.0);
            if more > 1e-6 {
                record.covered_s.insert(reason, more);
            }
        }
    }
}
