//! The judge: how many pixels of a frame show the canary.
//!
//! A private place is painted by the simulator in a colour that occurs nowhere
//! else; the judge looks for that colour's *direction* in the U/V plane. It must
//! never know zones, poses or masks: it looks at what an observer sees.
//!
//! **The threshold, in numbers.** Magenta (255, 0, 255) lies at (+86, +102) from
//! neutral in BT.709 (+74, +94 in BT.601), so it has an amplitude of 119…133. A
//! chroma sample counts as canary when its component along that direction is at
//! least [`SHARE`] of the amplitude, 50 steps, and its component across is at
//! most [`ACROSS`] of that. 4:2:0 averages 2 × 2 luma pixels: a sliver 1 px
//! wide, or 2 px that straddle two columns, gives half of the amplitude.
//! Measured (`tests/prove_judge.rs`: textured street, x264 superfast twice, at
//! as few bits a pixel as 1, 2 and 4 Mb/s at 720p): the weakest frame of a sliver
//! 1 px wide still reached 59, of 2 px 71, of 3 px 114; pictures without canary
//! reached 37 at most (27 at the rate of 4 Mb/s), always smeared from red beside
//! blue. The simulated street at 300°/s and the rate of 2.8 Mb/s reached between
//! 45 and 50, at 6 Mb/s between 36 and 45. 50 lies between the two.

/// A colour, 8 bits a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rgb(pub [u8; 3]);

impl std::str::FromStr for Rgb {
    type Err = CanaryError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || CanaryError::NotAColour(text.chars().take(40).collect());
        let mut parts = text.split(',').map(|p| p.trim().parse::<u8>());
        let mut next = || parts.next().and_then(Result::ok).ok_or_else(bad);
        let rgb = [next()?, next()?, next()?];
        match parts.next() {
            None => Ok(Self(rgb)),
            Some(_) => Err(bad()),
        }
    }
}

/// Why a colour cannot serve as canary.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CanaryError {
    /// The text is not three numbers.
    #[error("`{0}` is not a colour; write three numbers from 0 to 255: 255,0,255")]
    NotAColour(String),
    /// The colour is too close to grey.
    #[error(
        "canary {0:?} has a chroma amplitude of {1}, at least {MIN_AMPLITUDE} is needed; \
         take a saturated colour such as 255,0,255"
    )]
    TooGrey([u8; 3], i32),
}

/// Share of the canary's chroma amplitude from which a sample counts as canary.
pub const SHARE: f64 = 0.42;
/// Largest component across the canary's direction, as a share of that along it.
pub const ACROSS: f64 = 19.0 / 32.0;
/// Smallest chroma amplitude that can be told from noise at [`SHARE`].
pub const MIN_AMPLITUDE: i32 = 80;

/// The planes of one decoded frame as the viewer got it: I420.
#[derive(Clone, Copy, Debug)]
pub struct Planes<'a> {
    /// Columns of luma.
    pub width: usize,
    /// Rows of luma.
    pub height: usize,
    /// Y, U, V.
    pub data: [&'a [u8]; 3],
    /// Bytes from one row to the next, of each plane.
    pub stride: [usize; 3],
}

impl<'a> Planes<'a> {
    /// The picture's bytes of row `y` of `plane`; empty outside the picture and
    /// where the memory is too short.
    pub fn row(&self, plane: usize, y: usize) -> &'a [u8] {
        let (columns, rows) = match plane {
            0 => (self.width, self.height),
            _ => (self.width.div_ceil(2), self.height.div_ceil(2)),
        };
        let start = y * self.stride[plane];
        if y >= rows {
            return &[];
        }
        self.data[plane].get(start..start + columns).unwrap_or(&[])
    }

    /// Whether every row of every plane is there.
    pub fn is_whole(&self) -> bool {
        self.width > 0
            && self.height > 0
            && !self.row(0, self.height - 1).is_empty()
            && !self.row(1, self.height.div_ceil(2) - 1).is_empty()
            && !self.row(2, self.height.div_ceil(2) - 1).is_empty()
    }
}

/// Fixed-point bits of the unit direction.
const BITS: u32 = 6;

/// A canary colour, ready to be looked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Canary {
    /// Unit direction in the U/V plane, in 1/64.
    along: [i16; 2],
    /// Smallest component along it, in 1/64 of a chroma step.
    at_least: i16,
}

impl Canary {
    /// The canary `rgb`.
    ///
    /// # Errors
    /// [`CanaryError::TooGrey`] for a colour that compression noise could imitate.
    pub fn new(rgb: Rgb) -> Result<Self, CanaryError> {
        // Chroma rows of BT.709 and BT.601, limited range (ITU-T H.273, 8.3);
        // the two differ by 2° for magenta, so their mean serves both.
        let [r, g, b] = rgb.0.map(f64::from);
        let bt709 = [
            -0.1006 * r - 0.3386 * g + 0.4392 * b,
            0.4392 * r - 0.3989 * g - 0.0403 * b,
        ];
        let bt601 = [
            -0.1482 * r - 0.2910 * g + 0.4392 * b,
            0.4392 * r - 0.3678 * g - 0.0714 * b,
        ];
        let amplitude = bt709[0].hypot(bt709[1]).min(bt601[0].hypot(bt601[1]));
        if amplitude < f64::from(MIN_AMPLITUDE) {
            return Err(CanaryError::TooGrey(rgb.0, amplitude as i32));
        }
        let mean = [bt709[0] + bt601[0], bt709[1] + bt601[1]];
        let length = mean[0].hypot(mean[1]);
        let one = f64::from(1 << BITS);
        Ok(Self {
            along: mean.map(|c| (c / length * one).round() as i16),
            at_least: (amplitude * SHARE * one) as i16,
        })
    }

    /// How many luma pixels of the frame show the canary (four for each chroma
    /// sample). `None` for a frame whose memory is too short to be judged.
    pub fn pixels(&self, frame: &Planes<'_>) -> Option<u64> {
        if !frame.is_whole() {
            return None;
        }
        let samples: u64 = (0..frame.height.div_ceil(2))
            .map(|y| u64::from(self.samples_in_row(frame.row(1, y), frame.row(2, y))))
            .sum();
        Some(4 * samples)
    }

    /// Canary samples in a row of U and V.
    fn samples_in_row(&self, u: &[u8], v: &[u8]) -> u32 {
        let mut count = 0u32;
        // Blocks short enough for a 16-bit counter in each lane: the compiler
        // turns the inner loop into vector code (0.4 ms for a 1080p frame, SSE2).
        for (u, v) in u.chunks(4096).zip(v.chunks(4096)) {
            let mut block = 0u16;
            for (&u, &v) in u.iter().zip(v) {
                block = block.wrapping_add(u16::from(self.is_canary(u, v)));
            }
            count += u32::from(block);
        }
        count
    }

    /// Whether one chroma sample shows the canary. All sums stay within
    /// 2 · 128 · 64 = 16384, so nothing wraps; the checks for it would only
    /// keep the compiler from using vectors.
    #[inline(always)]
    pub fn is_canary(&self, u: u8, v: u8) -> bool {
        let (u, v) = (
            i16::from(u).wrapping_sub(128),
            i16::from(v).wrapping_sub(128),
        );
        let [cu, cv] = self.along;
        let along = u.wrapping_mul(cu).wrapping_add(v.wrapping_mul(cv));
        let across = v.wrapping_mul(cu).wrapping_sub(u.wrapping_mul(cv));
        // [`ACROSS`] is 1/2 + 1/16 + 1/32.
        let limit = (along >> 1)
            .wrapping_add(along >> 4)
            .wrapping_add(along >> 5);
        (along >= self.at_least) & (across.wrapping_abs() <= limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canary() -> Canary {
        Canary::new(Rgb([255, 0, 255])).unwrap()
    }

    fn uv709(rgb: [f64; 3]) -> [f64; 2] {
        let [r, g, b] = rgb;
        [
            -0.1006 * r - 0.3386 * g + 0.4392 * b,
            0.4392 * r - 0.3989 * g - 0.0403 * b,
        ]
    }

    fn is_canary(rgb: [f64; 3]) -> bool {
        let [u, v] = uv709(rgb).map(|c| (c + 128.0).round() as u8);
        canary().is_canary(u, v)
    }

    #[test]
    fn colours_are_read() {
        assert_eq!("255, 0,255".parse(), Ok(Rgb([255, 0, 255])));
        for bad in ["", "1,2", "1,2,3,4", "256,0,0", "-1,0,0", "ff00ff", "1,,2"] {
            assert!(bad.parse::<Rgb>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_grey_canary_is_refused() {
        for grey in [[0, 0, 0], [128, 128, 128], [200, 180, 190]] {
            assert!(Canary::new(Rgb(grey)).is_err(), "{grey:?}");
        }
    }

    #[test]
    fn magenta_is_seen_and_the_street_is_not() {
        assert!(is_canary([255.0, 0.0, 255.0]));
        assert!(is_canary([200.0, 0.0, 200.0]), "in shadow");
        let street = [
            [128.0, 128.0, 128.0], // mask
            [160.0, 70.0, 50.0],   // brick
            [200.0, 40.0, 40.0],   // red car
            [30.0, 60.0, 160.0],   // blue car
            [110.0, 160.0, 220.0], // sky
            [60.0, 110.0, 50.0],   // hedge
            [224.0, 180.0, 150.0], // skin
            [240.0, 200.0, 30.0],  // plate
            [90.0, 60.0, 110.0],   // mauve coat
        ];
        for rgb in street {
            assert!(!is_canary(rgb), "{rgb:?}");
        }
    }

    #[test]
    fn half_a_canary_over_any_street_colour_is_seen() {
        for under in [
            [128.0, 128.0, 128.0],
            [160.0, 70.0, 50.0],
            [60.0, 60.0, 70.0],
            [224.0, 180.0, 150.0],
            [230.0, 230.0, 230.0],
        ] {
            let mixed = [0, 1, 2].map(|i| {
                let canary = [255.0, 0.0, 255.0][i];
                (canary + under[i]) / 2.0
            });
            assert!(is_canary(mixed), "{under:?}");
        }
    }

    #[test]
    fn every_sample_of_the_picture_is_counted_and_no_padding() {
        let (width, height) = (37usize, 11usize);
        let (stride, rows) = (24usize, 6usize);
        let y = vec![128u8; 40 * height];
        let mut u = vec![214u8; stride * rows];
        let v = vec![230u8; stride * rows];
        let count = |u: &[u8]| {
            canary().pixels(&Planes {
                width,
                height,
                data: [&y, u, &v],
                stride: [40, stride, stride],
            })
        };
        assert_eq!(count(&u), Some(4 * 19 * 6));
        for row in u.chunks_mut(stride) {
            row[..19].fill(128);
        }
        assert_eq!(count(&u), Some(0), "padding does not count");
        u[5 * stride + 18] = 214;
        assert_eq!(count(&u), Some(4), "the last sample does");
        assert_eq!(count(&u[..5 * stride]), None, "a short frame is no frame");
    }
}
