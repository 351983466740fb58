//! Non-maximum suppression: of boxes that name the same thing, the surest stays.

use super::decode::Candidate;

/// Keeps the surest of every group of boxes that overlap by more than `iou`,
/// in falling order of score.
///
/// The known greedy way: each box, from the surest down, stays unless one that
/// stays already overlaps it by more. Time grows with the candidates times the
/// boxes that stay; [`super::decode`] bounds the candidates.
pub fn suppress(mut candidates: Vec<Candidate>, iou: f64) -> Vec<Candidate> {
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Candidate> = Vec::new();
    for candidate in candidates {
        if kept.iter().all(|k| k.at.iou(&candidate.at) <= iou) {
            kept.push(candidate);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::PixelBox;

    #[test]
    fn the_surest_of_overlapping_boxes_stays() {
        let at = |x0: f64, score| Candidate {
            at: PixelBox {
                x0,
                y0: 0.0,
                x1: x0 + 10.0,
                y1: 10.0,
            },
            score,
        };
        let kept = |iou| -> Vec<f32> {
            let all = vec![at(0.0, 0.5), at(2.0, 0.9), at(7.0, 0.8), at(50.0, 0.3)];
            suppress(all, iou).iter().map(|c| c.score).collect()
        };
        // Shifts of 2 and 5 of 10 overlap by 8/12 and 5/15.
        assert_eq!(kept(0.4), [0.9, 0.8, 0.3]);
        assert_eq!(kept(0.3), [0.9, 0.3]);
        assert_eq!(kept(0.7), [0.9, 0.8, 0.5, 0.3]);
    }
}
