//! One plane of a frame, or a part of it, at another size.
//!
//! Shrinking averages what each new sample covers (each old one with the share
//! of it that is covered), enlarging is bilinear. Rows first, in 16-bit
//! integers, because that is the pass over all of the source.

use std::ops::Range;

/// Which old samples make each new one along one axis, and their weights.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Taps {
    /// Old samples a new one is made of; the same for all, filled up with weight 0.
    pub(super) per_sample: usize,
    /// The first old sample of each new one.
    starts: Vec<usize>,
    /// `per_sample` weights a new sample, their sum `one`.
    weights: Vec<u32>,
}

impl Taps {
    /// From `range` (in old samples, sample `k` reaching from `k` to `k + 1`)
    /// of an axis of `len` samples to `count` new ones. Weights add up to `one`.
    pub(super) fn new(range: Range<f64>, len: usize, count: usize, one: u32) -> Self {
        let step = (range.end - range.start) / count as f64;
        let per_sample = if step > 1.0 {
            step.ceil() as usize + 1
        } else {
            2
        };
        let per_sample = per_sample.min(len);
        let mut taps = Self {
            per_sample,
            starts: Vec::with_capacity(count),
            weights: Vec::with_capacity(count * per_sample),
        };
        let last = len as f64;
        for i in 0..count {
            let (from, to) = if step > 1.0 {
                let from = range.start + i as f64 * step;
                (from, from + step)
            } else {
                // A window of one sample about the centre weighs its two
                // neighbours as bilinear interpolation does.
                let centre = range.start + (i as f64 + 0.5) * step;
                (centre - 0.5, centre + 0.5)
            };
            let (from, to) = (from.clamp(0.0, last), to.clamp(0.0, last));
            let start = (from as usize).min(len - per_sample);
            let covered = |k: usize| {
                let k = (start + k) as f64;
                ((k + 1.0).min(to) - k.max(from)).max(0.0)
            };
            taps.starts.push(start);
            taps.push_weights((0..per_sample).map(covered), one);
        }
        taps
    }

    /// Scales weights to whole numbers that add up to exactly `one`.
    fn push_weights(&mut self, weights: impl Iterator<Item = f64> + Clone, one: u32) {
        let sum: f64 = weights.clone().sum();
        let (mut reached, mut given) = (0.0, 0);
        for weight in weights {
            reached += weight;
            let share = if sum > 0.0 { reached / sum } else { 1.0 };
            let until = (share * f64::from(one)).round() as u32;
            self.weights.push(until - given);
            given = until;
        }
    }

    /// The old samples that any new one needs.
    fn reach(&self) -> Range<usize> {
        let first = self.starts.iter().min().copied().unwrap_or(0);
        let last = self.starts.iter().max().copied().unwrap_or(0);
        first..last + self.per_sample
    }
}

/// Weights of rows: their products with bytes fit 16 bits.
pub(super) const ROW_ONE: u32 = 256;
/// Weights of columns: their products with weighted rows fit 32 bits.
pub(super) const COLUMN_ONE: u32 = 1 << 14;
/// What a finished sum is of a byte's value.
const UNIT: f32 = 1.0 / (256.0 * 16384.0);

/// One new row of a plane, 0…255, into `out`.
///
/// `row_of` gives old rows; samples of one channel stand `channels` bytes
/// apart in them, the first at `channel`. `sums` is scratch space.
pub(super) fn row<'a>(
    rows: &Taps,
    y: usize,
    row_of: impl Fn(usize) -> &'a [u8],
    sums: &mut Vec<u16>,
    columns: &Taps,
    channels: usize,
) {
    let reach = columns.reach();
    let bytes = reach.start * channels..reach.end * channels;
    sums.clear();
    // Filled from the start, so that columns need no second offset.
    sums.resize(bytes.end, 0);
    let weights = &rows.weights[y * rows.per_sample..(y + 1) * rows.per_sample];
    for (k, weight) in weights.iter().enumerate().filter(|(_, w)| **w > 0) {
        let old = row_of(rows.starts[y] + k);
        let Some(old) = old.get(bytes.clone()) else {
            continue;
        };
        let weight = *weight as u16;
        for (sum, byte) in sums[bytes.clone()].iter_mut().zip(old) {
            // At most 255 · 256 over all rows: their weights add up to 256.
            *sum = sum.wrapping_add(u16::from(*byte).wrapping_mul(weight));
        }
    }
}

/// The columns of a weighted row of [`row`], 0…255.
pub(super) fn columns(
    columns: &Taps,
    sums: &[u16],
    channels: usize,
    channel: usize,
    out: &mut [f32],
) {
    match (columns.per_sample, channels) {
        (2, 1) => fixed::<2, 1>(columns, sums, channel, out),
        (3, 1) => fixed::<3, 1>(columns, sums, channel, out),
        (4, 1) => fixed::<4, 1>(columns, sums, channel, out),
        (2, 2) => fixed::<2, 2>(columns, sums, channel, out),
        (3, 2) => fixed::<3, 2>(columns, sums, channel, out),
        (4, 2) => fixed::<4, 2>(columns, sums, channel, out),
        (per_sample, _) => {
            let weights = columns.weights.chunks_exact(per_sample.max(1));
            for ((out, start), weights) in out.iter_mut().zip(&columns.starts).zip(weights) {
                let samples = sums[start * channels + channel..].iter().step_by(channels);
                let sum: u32 = samples
                    .zip(weights)
                    .map(|(s, w)| u32::from(*s).wrapping_mul(*w))
                    .fold(0, u32::wrapping_add);
                *out = sum as f32 * UNIT;
            }
        }
    }
}

/// The same for the usual numbers of taps, unrolled.
fn fixed<const TAPS: usize, const CHANNELS: usize>(
    columns: &Taps,
    sums: &[u16],
    channel: usize,
    out: &mut [f32],
) {
    let (weights, _) = columns.weights.as_chunks::<TAPS>();
    for ((out, start), weights) in out.iter_mut().zip(&columns.starts).zip(weights) {
        let from = start * CHANNELS + channel;
        let samples = &sums[from..from + (TAPS - 1) * CHANNELS + 1];
        let mut sum = 0_u32;
        for k in 0..TAPS {
            sum = sum.wrapping_add(u32::from(samples[k * CHANNELS]).wrapping_mul(weights[k]));
        }
        *out = sum as f32 * UNIT;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A plane of one row, resampled along it.
    fn resampled(old: &[u8], range: Range<f64>, count: usize) -> Vec<f32> {
        let rows = Taps::new(0.0..1.0, 1, 1, ROW_ONE);
        let taps = Taps::new(range, old.len(), count, COLUMN_ONE);
        let (mut sums, mut out) = (Vec::new(), vec![0.0; count]);
        row(&rows, 0, |_| old, &mut sums, &taps, 1);
        columns(&taps, &sums, 1, 0, &mut out);
        out
    }

    #[test]
    fn shrinking_averages_and_enlarging_interpolates() {
        let cases: [(&[u8], Range<f64>, &[f32]); 7] = [
            (&[10, 20, 30, 40], 0.0..4.0, &[10.0, 20.0, 30.0, 40.0]),
            (&[10, 20, 30, 40], 0.0..4.0, &[15.0, 35.0]),
            (&[10, 20, 30, 40], 1.0..3.0, &[25.0]),
            // Each covers one and a half.
            (&[10, 40, 70], 0.0..3.0, &[20.0, 60.0]),
            (&[0, 0, 0, 0, 0, 0, 0, 0, 0, 200], 0.0..10.0, &[20.0]),
            (&[0, 100], 0.0..2.0, &[0.0, 25.0, 75.0, 100.0]),
            (&[255, 255, 255], 0.5..2.5, &[255.0, 255.0, 255.0, 255.0]),
        ];
        for (old, range, new) in cases {
            let got = resampled(old, range, new.len());
            let near = got.iter().zip(new).all(|(a, b)| (a - b).abs() < 0.05);
            assert!(near, "{old:?}: {got:?}, not {new:?}");
        }
    }
}
