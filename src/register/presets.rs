//! Whether a camera that cannot tell where it looks rests on a place that was vouched for.
//!
//! Every picture is asked by itself: what showed the place a moment ago proves nothing of
//! this one. What was vouched for is never adjusted, or a head that creeps would be
//! followed step by step.

use super::reference::Reference;
use super::small::Small;
use std::sync::Arc;

/// So many pictures on end must show a place before one of them is shown: a head that turns
/// passes by.
const RIGHT: u32 = 5;

/// Where a picture was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// At rest on this preset.
    On(usize),
    /// Nobody knows.
    Away(Away),
}

/// Why nobody knows where a picture was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Away {
    /// Nothing was vouched for.
    Unverified,
    /// It shows no place that was vouched for, or not for long enough.
    Elsewhere,
    /// It shows two of them.
    Alike,
}

/// Watches one camera's pictures.
#[derive(Debug, Default)]
pub struct PresetWatch {
    /// What each preset looks like, at several times of the day.
    presets: Vec<Vec<Arc<Reference>>>,
    /// The preset that the newest picture shows, and how many on end have shown it.
    on: Option<usize>,
    right: u32,
    /// Otherwise: what stands still, if anything.
    anchor: Option<Reference>,
    /// How many pictures on end show the same.
    still: u32,
}

impl PresetWatch {
    /// From now on presets look like this; those it knew before are known no more.
    pub fn set(&mut self, presets: Vec<Vec<Arc<Reference>>>) {
        self.presets = presets;
        (self.on, self.right) = (None, 0);
    }

    /// The stream was set up anew: the next picture need not fit the one before.
    pub fn restarted(&mut self) {
        (self.on, self.right, self.still) = (None, 0, 0);
        self.anchor = None;
    }

    /// How many pictures before the newest show what it shows, on end; 0 where it moved.
    pub fn still(&self) -> u32 {
        self.still
    }

    /// Where `picture` was taken.
    ///
    /// # Errors
    /// OpenCV's: then nobody knows.
    pub fn see(&mut self, picture: &Small) -> opencv::Result<Rest> {
        let seen = self.seen(picture);
        if seen.is_err() {
            self.restarted();
        }
        seen
    }

    fn seen(&mut self, picture: &Small) -> opencv::Result<Rest> {
        let mut shown = Vec::new();
        for (preset, references) in self.presets.iter().enumerate() {
            for reference in references {
                if reference.is_seen_in(picture)? {
                    shown.push(preset);
                    break;
                }
            }
        }
        if let [preset] = shown[..] {
            self.anchor = None;
            if self.on == Some(preset) {
                self.right = self.right.saturating_add(1);
                self.still = self.still.saturating_add(1);
            } else {
                (self.on, self.right, self.still) = (Some(preset), 1, 0);
            }
            return Ok(match self.right >= RIGHT {
                true => Rest::On(preset),
                false => Rest::Away(Away::Elsewhere),
            });
        }
        (self.on, self.right) = (None, 0);
        let same = match &self.anchor {
            Some(anchor) => anchor.is_seen_in(picture)?,
            None => false,
        };
        if same {
            self.still = self.still.saturating_add(1);
        } else {
            self.anchor = Reference::of_all(picture).ok();
            self.still = 0;
        }
        Ok(Rest::Away(match shown.len() {
            0 if self.presets.iter().all(Vec::is_empty) => Away::Unverified,
            0 => Away::Elsewhere,
            _ => Away::Alike,
        }))
    }
}

#[cfg(test)]
mod tests;
