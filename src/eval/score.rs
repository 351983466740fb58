//! The score of a detector against labelled pictures of one class.
//!
//! What counts is what remains visible: the share of each true box that the
//! found boxes hide, after they are grown as they would be in the stream.
//! Recall and false positives are the usual ones and depend on boxes as found.

use serde::Serialize;

use crate::detect::{Detection, PixelBox};
use crate::geom::Size;

/// From which overlap (intersection over union) a true box counts as found.
pub(super) const HIT_IOU: f64 = 0.5;
/// A found box that shares less than this of the smaller of the two areas with
/// every true box is a false positive.
const FALSE_SHARE: f64 = 0.3;
/// From which share a true box counts as covered.
const COVERED: f64 = 0.9;

/// Upper ends of the height buckets, samples, and their names.
pub const BUCKETS: [(f64, &str); 4] = [
    (16.0, "<16"),
    (32.0, "16-32"),
    (64.0, "32-64"),
    (f64::INFINITY, ">64"),
];

/// Sums over pictures.
#[derive(Clone, Debug)]
pub struct Score {
    grow: f64,
    images: usize,
    false_positives: usize,
    hidden_outside: f64,
    all: Sums,
    by_height: [Sums; 4],
}

#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    boxes: usize,
    hits: usize,
    covered: f64,
    well_covered: usize,
}

/// What the sums say. Shares are 0…1; null where there is nothing to share.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Pictures.
    pub images: usize,
    /// By how much boxes were grown before coverage was measured.
    pub grow: f64,
    /// Found boxes that no true box explains, a picture.
    pub false_positives_per_image: Option<f64>,
    /// Share of a picture that is hidden without need, mean over pictures.
    pub hidden_outside: Option<f64>,
    /// All true boxes.
    pub all: Bucket,
    /// The same by the true box's height.
    pub by_height: [Bucket; 4],
}

/// True boxes of some heights.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bucket {
    /// Heights, samples of the picture.
    pub height_px: &'static str,
    /// True boxes.
    pub boxes: usize,
    /// Share of them that a found box matches at an IoU of 0.5.
    pub recall: Option<f64>,
    /// Mean share of a true box's area that is hidden.
    pub mean_covered: Option<f64>,
    /// Share of true boxes of which 90 % is hidden.
    pub covered_90: Option<f64>,
}

impl Score {
    /// Nothing yet; found boxes will be grown by `grow` (0.3: 1.3 times as
    /// wide and as high).
    pub fn new(grow: f64) -> Self {
        Self {
            grow,
            images: 0,
            false_positives: 0,
            hidden_outside: 0.0,
            all: Sums::default(),
            by_height: [Sums::default(); 4],
        }
    }

    /// One picture: what is there and what was found.
    pub fn add(&mut self, picture: Size, truths: &[PixelBox], found: &[Detection]) {
        let within = PixelBox {
            x0: 0.0,
            y0: 0.0,
            x1: f64::from(picture.width),
            y1: f64::from(picture.height),
        };
        let hidden: Vec<PixelBox> = found
            .iter()
            .map(|d| d.at.grown(self.grow).intersection(&within))
            .collect();
        self.images += 1;
        self.false_positives += found.iter().filter(|d| is_false(&d.at, truths)).count();
        let needed = truths.iter().flat_map(|t| hidden_of(t, &hidden)).collect();
        let outside = union_area(hidden.clone()) - union_area(needed);
        self.hidden_outside += outside.max(0.0) / within.area().max(1.0);

        for (truth, hit) in truths.iter().zip(hits(truths, found)) {
            let covered = union_area(hidden_of(truth, &hidden)) / truth.area();
            let bucket = BUCKETS.iter().position(|(end, _)| truth.height() < *end);
            for sums in [&mut self.all, &mut self.by_height[bucket.unwrap_or(3)]] {
                sums.boxes += 1;
                sums.hits += usize::from(hit);
                sums.covered += covered;
                sums.well_covered += usize::from(covered >= COVERED);
            }
        }
    }

    /// What the sums say.
    pub fn report(&self) -> Report {
        let per_image = |sum: f64| (self.images > 0).then(|| sum / self.images as f64);
        let mut by_height = BUCKETS.map(|(_, name)| Sums::default().bucket(name));
        for (bucket, sums) in by_height.iter_mut().zip(&self.by_height) {
            *bucket = sums.bucket(bucket.height_px);
        }
        Report {
            images: self.images,
            grow: self.grow,
            false_positives_per_image: per_image(self.false_positives as f64),
            hidden_outside: per_image(self.hidden_outside),
            all: self.all.bucket("all"),
            by_height,
        }
    }
}

impl Sums {
    fn bucket(&self, height_px: &'static str) -> Bucket {
        let share = |sum: f64| (self.boxes > 0).then(|| sum / self.boxes as f64);
        Bucket {
            height_px,
            boxes: self.boxes,
            recall: share(self.hits as f64),
            mean_covered: share(self.covered),
            covered_90: share(self.well_covered as f64),
        }
    }
}

/// Which true boxes a found one matches: from the surest down, each takes the
/// best one that is still free.
fn hits(truths: &[PixelBox], found: &[Detection]) -> Vec<bool> {
    let mut hit = vec![false; truths.len()];
    let mut surest: Vec<&Detection> = found.iter().collect();
    surest.sort_by(|a, b| b.score.total_cmp(&a.score));
    for detection in surest {
        let best = truths
            .iter()
            .enumerate()
            .filter(|(i, _)| !hit[*i])
            .map(|(i, t)| (i, t.iou(&detection.at)))
            .filter(|(_, iou)| *iou >= HIT_IOU)
            .max_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((i, _)) = best {
            hit[i] = true;
        }
    }
    hit
}

fn is_false(found: &PixelBox, truths: &[PixelBox]) -> bool {
    truths.iter().all(|t| {
        let smaller = t.area().min(found.area()).max(f64::MIN_POSITIVE);
        t.intersection(found).area() < FALSE_SHARE * smaller
    })
}

/// The parts of a true box that are hidden.
pub(super) fn hidden_of(truth: &PixelBox, hidden: &[PixelBox]) -> Vec<PixelBox> {
    hidden
        .iter()
        .map(|h| h.intersection(truth))
        .filter(|b| b.area() > 0.0)
        .collect()
}

/// The area that boxes cover together, samples²: between each two neighbouring
/// left or right edges, the length of the boxes' joined heights.
pub(super) fn union_area(mut boxes: Vec<PixelBox>) -> f64 {
    boxes.sort_by(|a, b| a.y0.total_cmp(&b.y0));
    let mut edges: Vec<f64> = boxes.iter().flat_map(|b| [b.x0, b.x1]).collect();
    edges.sort_by(f64::total_cmp);
    let mut area = 0.0;
    for slab in edges.windows(2).filter(|s| s[1] > s[0]) {
        let (mut covered, mut reached) = (0.0, f64::NEG_INFINITY);
        for b in boxes.iter().filter(|b| b.x0 <= slab[0] && b.x1 >= slab[1]) {
            covered += (b.y1 - b.y0.max(reached)).max(0.0);
            reached = b.y1.max(reached);
        }
        area += covered * (slab[1] - slab[0]);
    }
    area
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::Class;

    const PICTURE: Size = Size {
        width: 100,
        height: 100,
    };

    fn at(x0: f64, y0: f64, x1: f64, y1: f64) -> PixelBox {
        PixelBox { x0, y0, x1, y1 }
    }

    fn found(at: PixelBox, score: f32) -> Detection {
        let class = Class::Face;
        Detection { class, at, score }
    }

    #[test]
    fn the_area_of_a_union_counts_no_sample_twice() {
        let cases = [
            (vec![], 0.0),
            (vec![at(0.0, 0.0, 10.0, 10.0)], 100.0),
            (
                vec![at(0.0, 0.0, 10.0, 10.0), at(5.0, 5.0, 15.0, 15.0)],
                175.0,
            ),
            (
                vec![at(0.0, 0.0, 10.0, 10.0), at(2.0, 2.0, 8.0, 8.0)],
                100.0,
            ),
            (vec![at(0.0, 0.0, 2.0, 2.0), at(4.0, 0.0, 6.0, 2.0)], 8.0),
            (
                vec![
                    at(0.0, 0.0, 9.0, 3.0),
                    at(0.0, 6.0, 9.0, 9.0),
                    at(3.0, 0.0, 6.0, 9.0),
                ],
                63.0,
            ),
        ];
        for (boxes, area) in cases {
            assert_eq!(union_area(boxes.clone()), area, "{boxes:?}");
        }
    }

    #[test]
    fn a_picture_is_scored_by_what_stays_visible() {
        let mut score = Score::new(0.0);
        let truths = [
            at(0.0, 0.0, 10.0, 10.0),
            at(20.0, 20.0, 60.0, 60.0),
            at(80.0, 0.0, 100.0, 20.0),
        ];
        let detections = [
            found(truths[0], 0.9),
            // Two halves of the second: hidden, but neither is a match.
            found(at(20.0, 20.0, 60.0, 39.0), 0.8),
            found(at(20.0, 39.0, 60.0, 60.0), 0.4),
            // Where nothing is.
            found(at(0.0, 80.0, 10.0, 90.0), 0.5),
        ];
        score.add(PICTURE, &truths, &detections);
        score.add(PICTURE, &[], &[]);
        let report = score.report();
        assert_eq!(report.all.boxes, 3);
        assert_eq!(report.all.covered_90, Some(2.0 / 3.0));
        assert_eq!(report.all.mean_covered, Some(2.0 / 3.0));
        assert_eq!(report.false_positives_per_image, Some(0.5));
        assert_eq!(report.hidden_outside, Some(0.5 * 100.0 / 10_000.0));
        let boxes = report.by_height.each_ref().map(|b| b.boxes);
        assert_eq!(boxes, [1, 1, 1, 0]);
        assert_eq!(report.by_height[0].recall, Some(1.0));
        assert_eq!(report.by_height[3].recall, None);
    }

    #[test]
    fn growing_hides_more_and_stays_in_the_picture() {
        let report = |grow| {
            let mut score = Score::new(grow);
            let truth = at(0.0, 0.0, 20.0, 20.0);
            score.add(PICTURE, &[truth], &[found(at(0.0, 0.0, 16.0, 20.0), 0.9)]);
            score.report()
        };
        let (plain, grown) = (report(0.0), report(0.5));
        assert_eq!(plain.all.mean_covered, Some(0.8));
        assert_eq!(grown.all.mean_covered, Some(1.0));
        // 20 × 25 samples are hidden in the picture, 400 of them rightly.
        assert_eq!(grown.hidden_outside, Some(0.01));
    }

    #[test]
    fn one_found_box_matches_one_true_box() {
        let mut score = Score::new(0.0);
        let truths = [at(0.0, 0.0, 10.0, 10.0), at(1.0, 0.0, 11.0, 10.0)];
        score.add(PICTURE, &truths, &[found(truths[1], 0.9)]);
        assert_eq!(score.report().all.recall, Some(0.5));
    }
}
