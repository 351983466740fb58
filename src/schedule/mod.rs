//! Which parts of a picture are looked at when, within a budget of CPU time.
//!
//! Every look sees the whole picture at the networks' input size. What is too
//! small there is looked for at the picture's own size: around things that are
//! followed, then in tiles, where something moved before where nothing did,
//! and each tile again and again. What the budget does not reach is left for
//! later, and [`Schedule::behind`] tells how much that is.
//!
//! This module must not know detectors, tracks, cameras or threads: it is told
//! what a look has cost.

mod change;

use crate::clock::Mono;
use crate::detect::{Class, Part, PixelBox, tiles};
use crate::frame::FrameRef;
use crate::geom::Size;
use change::Changes;
use std::time::Duration;

/// What a schedule keeps to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// CPU time that looking may take, share of one core, above 0.
    pub cpu_share: f64,
    /// Every tile is to be looked at at least this often.
    pub sweep: Duration,
    /// What the longer side of the whole picture is brought to, input samples.
    pub long_side: u32,
}

/// From which height on a thing is found, input samples: where
/// `design/008-detectors.md` has nearly all of them covered.
fn least_px(class: Class) -> f64 {
    match class {
        Class::Face => 10.0,
        Class::Plate => 6.0,
        Class::Person => 24.0,
    }
}

/// From this scale on a part is shown as large as it is in the picture: sides are rounded.
const NATIVE: f64 = 0.95;

/// How often the whole picture is looked at where the budget allows it. Frames
/// wait in the hold for the next look: with the time that looking takes, two
/// of these fit into a latency budget of 250 ms.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// At least this much of what the whole costs is for what is small, though looks
/// at the whole become rarer by it.
const SMALL_PER_WHOLE: f64 = 1.0 / 3.0;
/// Of what a look may spend on what is small, this much at most goes around
/// followed things.
const CROPS_SHARE: f64 = 0.6;
/// A tile in which something moved is looked at before its time: after this.
const MOVING: Duration = Duration::from_millis(200);
/// While there is not time for all, it is worth this many others.
const MOVING_FIRST: f64 = 3.0;
/// The whole picture at this scale or more shows what tiles would.
const NEARLY_NATIVE: f64 = 0.75;
/// Around a small thing this much is looked at beside it, in its own sides…
const AROUND: f64 = 1.0;
/// …and at least so much altogether, samples of the picture.
const LEAST_CROP_PX: f64 = 96.0;
/// CPU seconds an input sample before anything was measured: a slow machine,
/// two classes.
const FIRST_GUESS_S: f64 = 4e-7;
/// How much a new measurement of the cost counts.
const LEARNING: f64 = 0.2;

/// How far the tiles are behind.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Behind {
    /// Tiles of the picture; 0 where the whole picture shows enough.
    pub tiles: usize,
    /// Those that nobody looked at for longer than they may wait.
    pub overdue: usize,
    /// For how long nobody looked at the one that waits longest.
    pub longest: Duration,
}

struct Tile {
    part: Part,
    seen: Option<Mono>,
    moved: bool,
}

/// One camera's schedule, for one size of its pictures.
pub struct Schedule {
    rules: Rules,
    whole: Part,
    tiles: Vec<Tile>,
    changes: Changes,
    began: Option<Mono>,
    next_look: Mono,
    /// Input samples that may yet be spent on what is small.
    credit_px: f64,
    /// CPU seconds an input sample takes.
    cost_s: f64,
}

impl std::fmt::Debug for Schedule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Schedule")
            .field("rules", &self.rules)
            .field("tiles", &self.tiles.len())
            .finish_non_exhaustive()
    }
}

impl Schedule {
    /// For pictures of `size`.
    pub fn new(rules: Rules, size: Size) -> Self {
        let whole = Part::whole(size, rules.long_side);
        let tiles = if whole.scale() >= NEARLY_NATIVE {
            Vec::new()
        } else {
            tiles(size)
        };
        Self {
            rules,
            whole,
            tiles: tiles
                .into_iter()
                .map(|part| Tile {
                    part,
                    seen: None,
                    moved: false,
                })
                .collect(),
            changes: Changes::default(),
            began: None,
            next_look: Mono(0),
            credit_px: 0.0,
            cost_s: FIRST_GUESS_S,
        }
    }

    /// When the budget allows the next look.
    pub fn next_look(&self) -> Mono {
        self.next_look
    }

    /// The parts of `picture` to look at now; the first is all of it.
    /// `followed` is where known things are, luma samples.
    pub fn parts(
        &mut self,
        now: Mono,
        picture: &FrameRef<'_>,
        followed: &[(Class, PixelBox)],
    ) -> Vec<Part> {
        self.began.get_or_insert(now);
        let mut parts = vec![self.whole];
        if self.tiles.is_empty() {
            return parts;
        }
        let areas: Vec<PixelBox> = self.tiles.iter().map(|t| t.part.area).collect();
        for (tile, moved) in self
            .tiles
            .iter_mut()
            .zip(self.changes.moved(picture, &areas))
        {
            tile.moved |= moved;
        }
        let budget_px = self.rules.cpu_share * LOOK_EVERY.as_secs_f64() / self.cost_s;
        let whole_px = self.whole.cost_px();
        let spare = (budget_px - whole_px).max(SMALL_PER_WHOLE * whole_px);
        let most = areas.iter().map(PixelBox::area).fold(spare, f64::max);
        self.credit_px = (self.credit_px + spare).min(2.0 * most);

        // Tiles have their turn, however much is followed.
        let mut for_crops = self.credit_px.min(CROPS_SHARE * spare);
        for crop in self.crops(followed) {
            if crop.cost_px() <= for_crops {
                for_crops -= crop.cost_px();
                self.credit_px -= crop.cost_px();
                parts.push(crop);
            }
        }
        for i in self.due(now) {
            let part = self.tiles[i].part;
            if part.cost_px() > self.credit_px {
                break;
            }
            self.credit_px -= part.cost_px();
            // What it shows needs no look of its own.
            let of_whole = parts.remove(0);
            parts.retain(|crop| part.area.intersection(&crop.area) != crop.area);
            parts.insert(0, of_whole);
            parts.push(part);
        }
        parts
    }

    /// Says that `parts`, chosen at `began`, were looked at (or that it was
    /// tried) and took `cpu` altogether.
    pub fn looked(&mut self, began: Mono, parts: &[Part], cpu: Duration) {
        let px: f64 = parts.iter().map(Part::cost_px).sum();
        let cost_s = cpu.as_secs_f64() / px.max(1.0);
        self.cost_s += LEARNING * (cost_s - self.cost_s);
        let earned_in = Duration::from_secs_f64(
            (cpu.as_secs_f64() / self.rules.cpu_share.max(0.001)).min(60.0),
        );
        self.next_look = began.plus(earned_in.max(LOOK_EVERY / 2));
        for tile in &mut self.tiles {
            if parts.contains(&tile.part) {
                tile.seen = Some(began);
                tile.moved = false;
            }
        }
    }

    /// Whether a thing at `at` would have been found in one of `parts`, or
    /// cannot be seen because it is outside of the picture.
    pub fn shown(&self, parts: &[Part], class: Class, at: &PixelBox) -> bool {
        let seen = self.whole.area.intersection(at);
        let least_px = least_px(class) * seen.height() / at.height().max(1e-6);
        // What is smaller in the picture itself is shown no larger by any look. If none
        // counted, whatever was once taken for it would be hidden for ever.
        let least_px = least_px.min(NATIVE * seen.height());
        seen.area() <= 0.0 || parts.iter().any(|p| p.shows(&seen, least_px))
    }

    /// How far the tiles are behind at `now`.
    pub fn behind(&self, now: Mono) -> Behind {
        let ages = self.tiles.iter().map(|t| self.age(t, now));
        let longest = ages.clone().max().unwrap_or_default();
        Behind {
            tiles: self.tiles.len(),
            overdue: ages.filter(|age| *age > self.rules.sweep).count(),
            longest,
        }
    }

    fn age(&self, tile: &Tile, now: Mono) -> Duration {
        let since = tile.seen.or(self.began);
        since.map_or(Duration::ZERO, |since| now.since(since))
    }

    /// The tiles whose time has come, the most urgent first.
    fn due(&self, now: Mono) -> Vec<usize> {
        // Begun in time: the look itself takes some.
        let sweep = self.rules.sweep.saturating_sub(LOOK_EVERY);
        let urgency = |tile: &Tile| {
            let (wait, worth) = if tile.moved {
                (MOVING.min(sweep), MOVING_FIRST)
            } else {
                (sweep, 1.0)
            };
            let waited = tile.seen.map_or(f64::INFINITY, |seen| {
                now.since(seen).as_secs_f64() / wait.as_secs_f64().max(0.001)
            });
            (waited >= 1.0).then_some(waited * worth)
        };
        let mut due: Vec<(f64, usize)> = self
            .tiles
            .iter()
            .enumerate()
            .filter_map(|(i, tile)| urgency(tile).map(|u| (u, i)))
            .collect();
        due.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        due.into_iter().map(|(_, i)| i).collect()
    }

    /// Parts around followed things that the whole picture shows too small,
    /// joined where they overlap.
    fn crops(&self, followed: &[(Class, PixelBox)]) -> Vec<Part> {
        let mut areas: Vec<PixelBox> = Vec::new();
        for (class, at) in followed {
            if self.shown(&[self.whole], *class, at) {
                continue;
            }
            let more = |side: f64| (AROUND * side).max(LEAST_CROP_PX - side) / 2.0;
            let (x, y) = (more(at.width()), more(at.height()));
            let mut area = PixelBox {
                x0: at.x0 - x,
                y0: at.y0 - y,
                x1: at.x1 + x,
                y1: at.y1 + y,
            }
            .intersection(&self.whole.area);
            while let Some(i) = areas
                .iter()
                .position(|a| a.intersection(&area).area() > 0.0)
            {
                area = around(&areas.swap_remove(i), &area);
            }
            areas.push(area);
        }
        areas.retain(|a| a.width() >= 1.0 && a.height() >= 1.0);
        areas.into_iter().map(Part::native).collect()
    }
}

fn around(a: &PixelBox, b: &PixelBox) -> PixelBox {
    PixelBox {
        x0: a.x0.min(b.x0),
        y0: a.y0.min(b.y0),
        x1: a.x1.max(b.x1),
        y1: a.y1.max(b.y1),
    }
}

#[cfg(test)]
mod tests;
