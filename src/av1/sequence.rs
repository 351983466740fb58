//! How large the pictures of a sequence may be (AV1 specification, 5.5.1).

/// The largest width and height that a sequence header allows, pixels; none where it is cut off.
/// `header` is that of moving pictures.
pub(super) fn largest_picture(header: &[u8]) -> Option<(u64, u64)> {
    let mut bits = Bits {
        bytes: header,
        at: 0,
    };
    bits.take(5)?; // Profile, still picture, its short header.
    let mut delay_bits = None;
    if bits.flag()? {
        bits.take(64)?; // Ticks and time scale.
        if bits.flag()? {
            bits.skip_uvlc()?;
        }
        if bits.flag()? {
            delay_bits = Some(bits.take(5)? + 1);
            bits.take(42)?; // Ticks, lengths of times.
        }
    }
    let tells_delay = bits.flag()?;
    for _ in 0..=bits.take(5)? {
        bits.take(12)?; // Layers of this operating point.
        if bits.take(5)? > 7 {
            bits.flag()?; // Tier.
        }
        if let Some(length) = delay_bits
            && bits.flag()?
        {
            bits.take(length)?;
            bits.take(length)?;
            bits.flag()?;
        }
        if tells_delay && bits.flag()? {
            bits.take(4)?;
        }
    }
    let (width_bits, height_bits) = (bits.take(4)? + 1, bits.take(4)? + 1);
    Some((bits.take(width_bits)? + 1, bits.take(height_bits)? + 1))
}

/// Bits, the highest of each byte first.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    /// The next `count` bits, 64 at most.
    fn take(&mut self, count: u64) -> Option<u64> {
        let mut value = 0;
        for _ in 0..count {
            let byte = *self.bytes.get(self.at / 8)?;
            value = value << 1 | u64::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }

    fn flag(&mut self) -> Option<bool> {
        Some(self.take(1)? == 1)
    }

    /// A number with as many bits as zeros stand before it (4.10.3).
    fn skip_uvlc(&mut self) -> Option<()> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
        }
        if zeros < 32 {
            self.take(zeros)?;
        }
        Some(())
    }
}
