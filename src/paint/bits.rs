//! A bitmap with one bit per luma sample, in rows of 64-bit words.
//!
//! Knows spans only; must not know regions or pixels' values. Bits beyond the
//! width are never set, so that words can be counted and compared as they are.

use std::ops::Range;

use crate::frame::MAX_SIDE;
use crate::geom::Size;

/// Samples in a word.
const WORD: usize = u64::BITS as usize;

/// A rectangle of samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) rows: Range<usize>,
    pub(super) columns: Range<usize>,
}

/// The bitmap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bits {
    width: usize,
    height: usize,
    words_per_row: usize,
    words: Vec<u64>,
}

impl Bits {
    /// All clear. Sides beyond [`MAX_SIDE`](crate::frame::MAX_SIDE), which no
    /// frame has, are cut to it.
    pub(super) fn new(size: Size) -> Self {
        let [width, height] = [size.width, size.height].map(|side| side.min(MAX_SIDE) as usize);
        let words_per_row = width.div_ceil(WORD);
        Self {
            width,
            height,
            words_per_row,
            words: vec![0; words_per_row * height],
        }
    }

    /// All of it.
    pub(super) fn area(&self) -> Area {
        Area {
            rows: 0..self.height,
            columns: 0..self.width,
        }
    }

    /// How many samples it has.
    pub(super) fn samples(&self) -> u64 {
        (self.width * self.height) as u64
    }

    /// The words of row `y`; none beyond the last row.
    pub(super) fn row(&self, y: usize) -> &[u64] {
        let start = y * self.words_per_row;
        self.words
            .get(start..start + self.words_per_row)
            .unwrap_or(&[])
    }

    fn row_mut(&mut self, y: usize) -> &mut [u64] {
        let start = y * self.words_per_row;
        self.words
            .get_mut(start..start + self.words_per_row)
            .unwrap_or(&mut [])
    }

    /// Whether sample (`x`, `y`) is set; never outside the bitmap.
    pub(super) fn get(&self, x: usize, y: usize) -> bool {
        self.row(y)
            .get(x / WORD)
            .is_some_and(|word| word >> (x % WORD) & 1 == 1)
    }

    /// Sets `xs` of row `y`, cut to the bitmap.
    pub(super) fn set(&mut self, y: usize, xs: Range<usize>) {
        self.each_word(y, xs, |word, mask| *word |= mask);
    }

    /// Clears `xs` of row `y`, cut to the bitmap.
    pub(super) fn clear(&mut self, y: usize, xs: Range<usize>) {
        self.each_word(y, xs, |word, mask| *word &= !mask);
    }

    fn each_word(&mut self, y: usize, xs: Range<usize>, apply: impl Fn(&mut u64, u64)) {
        let xs = xs.start..xs.end.min(self.width);
        if xs.is_empty() {
            return;
        }
        let (first, last) = (xs.start / WORD, (xs.end - 1) / WORD);
        let head = u64::MAX << (xs.start % WORD);
        let tail = u64::MAX >> (WORD - 1 - (xs.end - 1) % WORD);
        match self.row_mut(y).get_mut(first..last + 1) {
            Some([only]) => apply(only, head & tail),
            Some([begin, middle @ .., end]) => {
                apply(begin, head);
                for word in middle {
                    apply(word, u64::MAX);
                }
                apply(end, tail);
            }
            Some([]) | None => {}
        }
    }

    /// Whether every sample of `area` is set; true for an empty one.
    pub(super) fn is_set(&self, area: &Area) -> bool {
        let columns = area.columns.start..area.columns.end.min(self.width);
        let rows = area.rows.start..area.rows.end.min(self.height);
        if columns.is_empty() {
            return true;
        }
        let words = columns.start / WORD..(columns.end - 1) / WORD + 1;
        rows.into_iter().all(|y| {
            let row = self.row(y).get(words.clone()).unwrap_or(&[]);
            row.iter().enumerate().all(|(i, word)| {
                let start = columns.start.saturating_sub((words.start + i) * WORD);
                let end = (columns.end - (words.start + i) * WORD).min(WORD);
                let mask = (u64::MAX << start) & (u64::MAX >> (WORD - end));
                word & mask == mask
            })
        })
    }

    /// Sets every sample.
    pub(super) fn fill(&mut self) {
        for y in 0..self.height {
            self.set(y, 0..self.width);
        }
    }

    /// Turns every sample of the bitmap over.
    pub(super) fn invert(&mut self) {
        let width = self.width;
        for y in 0..self.height {
            self.each_word(y, 0..width, |word, mask| *word ^= mask);
        }
    }

    /// Adds what `other` (of the same size) has set in `rows`.
    pub(super) fn add(&mut self, other: &Self, rows: Range<usize>) {
        for y in rows {
            for (mine, theirs) in self.row_mut(y).iter_mut().zip(other.row(y)) {
                *mine |= theirs;
            }
        }
    }

    /// How many samples are set.
    pub(super) fn count(&self) -> u64 {
        self.words.iter().map(|w| u64::from(w.count_ones())).sum()
    }
}

/// Calls `each` with every run of set bits in `words`, from left to right.
pub(super) fn each_run(words: impl Iterator<Item = u64>, mut each: impl FnMut(Range<usize>)) {
    let mut open = None;
    let mut base = 0;
    for word in words {
        let mut at = 0;
        while at < WORD {
            let rest = word >> at;
            if let Some(start) = open {
                let ones = (!rest).trailing_zeros() as usize;
                // Bits shifted in from above are clear: only a run that
                // reaches the word's end goes on into the next.
                if at + ones >= WORD {
                    break;
                }
                each(start..base + at + ones);
                open = None;
                at += ones;
            } else if rest == 0 {
                break;
            } else {
                at += rest.trailing_zeros() as usize;
                open = Some(base + at);
            }
        }
        base += WORD;
    }
    if let Some(start) = open {
        each(start..base);
    }
}

#[cfg(test)]
#[allow(
    clippy::single_range_in_vec_init,
    reason = "lists of runs, some with one run in them"
)]
mod tests {
    use super::*;

    fn runs(words: &[u64]) -> Vec<Range<usize>> {
        let mut out = Vec::new();
        each_run(words.iter().copied(), |run| out.push(run));
        out
    }

    #[test]
    fn spans_become_runs() {
        let check = |width: u32, spans: &[Range<usize>], expected: &[Range<usize>]| {
            let mut bits = Bits::new(Size { width, height: 3 });
            for span in spans {
                bits.set(1, span.clone());
            }
            assert_eq!(runs(bits.row(1)), expected, "{spans:?} in {width}");
            let set: usize = expected.iter().map(ExactSizeIterator::len).sum();
            assert_eq!(bits.count(), set as u64);
            for x in 0..width as usize + 70 {
                assert_eq!(bits.get(x, 1), expected.iter().any(|r| r.contains(&x)));
                assert!(!bits.get(x, 0) && !bits.get(x, 2) && !bits.get(x, 3));
            }
            bits.invert();
            assert_eq!(bits.count(), u64::from(width) * 3 - set as u64);
        };
        check(200, &[], &[]);
        check(200, &[0..200], &[0..200]);
        check(200, &[0..1, 63..64, 65..66], &[0..1, 63..64, 65..66]);
        check(200, &[60..64, 64..130], &[60..130]);
        check(200, &[3..7, 5..9, 199..900], &[3..9, 199..200]);
        check(128, &[64..128], &[64..128]);
        check(64, &[0..64], &[0..64]);
        check(1, &[0..9], &[0..1]);
        check(200, &[7..7, 250..260], &[]);
    }

    #[test]
    fn an_area_is_set_when_all_of_it_is() {
        let mut bits = Bits::new(Size {
            width: 200,
            height: 4,
        });
        bits.set(1, 60..130);
        bits.set(2, 0..200);
        let check = |rows, columns: Range<usize>, expected| {
            assert_eq!(bits.is_set(&Area { rows, columns }), expected);
        };
        check(1..3, 60..130, true);
        check(1..2, 64..128, true);
        check(1..2, 70..71, true);
        check(1..3, 59..130, false);
        check(1..3, 60..131, false);
        check(1..4, 60..130, false);
        check(2..3, 0..200, true);
        check(2..3, 0..900, true);
        check(0..4, 7..7, true);
        check(3..3, 0..200, true);
    }

    #[test]
    fn clearing_and_adding_keep_to_their_place() {
        let size = Size {
            width: 130,
            height: 2,
        };
        let (mut a, mut b) = (Bits::new(size), Bits::new(size));
        a.fill();
        a.clear(0, 10..129);
        assert_eq!(runs(a.row(0)), [0..10, 129..130]);
        b.set(0, 64..70);
        b.set(1, 1..2);
        a.clear(1, 0..130);
        a.add(&b, 0..1);
        assert_eq!(runs(a.row(0)), [0..10, 64..70, 129..130]);
        assert!(runs(a.row(1)).is_empty());
    }
}
