//! What one thread looks with, and whether it still sees.

use super::trial::Trial;
use crate::clock::Mono;
use crate::detect::{Class, Detection, Part, Search};
use crate::frame::FrameRef;
use anyhow::{Context, bail};
use std::time::Duration;

/// So often a thread looks at its trial pictures.
const TRIAL_EVERY: Duration = Duration::from_secs(60);
/// And so soon again after it failed.
const TRIAL_AGAIN: Duration = Duration::from_secs(1);
/// A model that is well is far surer than this of what it finds there.
const TRIAL_SCORE: f32 = 0.5;
/// What is found there must share this much of the two areas with what is there.
const TRIAL_IOU: f64 = 0.3;

/// What one thread looks with.
pub(in crate::app) struct Looker {
    search: Search,
    trials: Vec<Trial>,
    next_trial: Option<Mono>,
    /// How the last trial ended.
    sees: Result<(), String>,
}

impl Looker {
    pub(in crate::app) fn new(search: Search, trials: Vec<Trial>) -> Self {
        Self {
            search,
            trials,
            next_trial: None,
            sees: Ok(()),
        }
    }

    /// Makes sure, now and then, that every model still finds what it must.
    ///
    /// # Errors
    /// When one does not: then nobody knows what is in other pictures either.
    pub(in crate::app) fn sees(&mut self, now: Mono) -> anyhow::Result<()> {
        if self.next_trial.is_none_or(|due| now >= due) {
            self.sees = self.try_all().map_err(|error| format!("{error:#}"));
            let wait = match self.sees {
                Ok(()) => TRIAL_EVERY,
                Err(_) => TRIAL_AGAIN,
            };
            self.next_trial = Some(now.plus(wait));
        }
        if let Err(why) = &self.sees {
            bail!("{why}");
        }
        Ok(())
    }

    fn try_all(&mut self) -> anyhow::Result<()> {
        for trial in &self.trials {
            let class = trial.class;
            let frame = trial.picture.frame().context("the trial picture")?;
            let size = frame.size();
            let part = Part::whole(size, size.width.max(size.height));
            let found = self
                .search
                .search(&frame, class, &[part], &|_| true)
                .with_context(|| format!("the {class} model fails at its trial picture"))?;
            let is_it = |d: &Detection| d.score >= TRIAL_SCORE && d.at.iou(&trial.at) >= TRIAL_IOU;
            if !found.iter().any(is_it) {
                bail!("the {class} model no longer finds the {class} in its trial picture");
            }
        }
        Ok(())
    }

    /// What of `classes` is in `parts` of a picture and `may_be` there.
    pub(super) fn look(
        &mut self,
        picture: &FrameRef<'_>,
        classes: &[Class],
        parts: &[Part],
        may_be: &dyn Fn(&Detection) -> bool,
    ) -> anyhow::Result<Vec<Detection>> {
        let mut found = Vec::new();
        for class in classes {
            found.extend(self.search.search(picture, *class, parts, may_be)?);
        }
        Ok(found)
    }
}
