//! A frame number that a machine can read from the picture.
//!
//! 32 cells of 16 × 8 px stand side by side in the bottom left corner, the
//! first at the left edge, black (16) or white (235), most significant bit
//! first: 24 bits of frame number, then 8 bits of checksum, so that a covered
//! or damaged code reads as none. Cells are far larger than a transform block
//! detail, and survive coding at 2 Mb/s twice.

/// Width of a cell in px.
pub const CELL_WIDTH: usize = 16;
/// Height of a cell in px.
pub const CELL_HEIGHT: usize = 8;
/// Number of cells.
pub const CELLS: usize = 32;
/// Width of the whole code in px.
pub const CODE_WIDTH: usize = CELL_WIDTH * CELLS;
/// Frame numbers count modulo this.
pub const MODULUS: u64 = 1 << 24;

const BLACK: u8 = 16;
const WHITE: u8 = 235;

fn checksum(number: u32) -> u32 {
    // CRC-8 with the polynomial x⁸+x²+x+1 (ITU-T I.432.1) over 24 bits, begun
    // at 0x5a so that an all-black row is not a valid code.
    let mut crc: u32 = 0x5a;
    for bit in (0..24).rev() {
        let carry = (crc >> 7) ^ (number >> bit) & 1;
        crc = (crc << 1) & 0xff;
        if carry & 1 == 1 {
            crc ^= 0x07;
        }
    }
    crc
}

/// Draws the code of a frame number (modulo [`MODULUS`]) on a luma plane of
/// `height` rows of `stride` bytes. A picture too small for it stays as it is.
pub fn encode(y: &mut [u8], stride: usize, height: usize, number: u64) {
    if stride < CODE_WIDTH || height < CELL_HEIGHT || y.len() < stride * height {
        return;
    }
    let number = (number % MODULUS) as u32;
    let word = number << 8 | checksum(number);
    for row in height - CELL_HEIGHT..height {
        let line = &mut y[row * stride..row * stride + CODE_WIDTH];
        for (cell, pixels) in line.chunks_exact_mut(CELL_WIDTH).enumerate() {
            let white = word >> (CELLS - 1 - cell) & 1 == 1;
            pixels.fill(if white { WHITE } else { BLACK });
        }
    }
}

/// Reads the frame number from a luma plane; `None` when there is no code, a
/// cell is neither black nor white, or the checksum disagrees.
pub fn decode(y: &[u8], stride: usize, height: usize) -> Option<u32> {
    if stride < CODE_WIDTH || height < CELL_HEIGHT || y.len() < stride * height {
        return None;
    }
    let mut word = 0u32;
    for cell in 0..CELLS {
        let mut sum = 0u32;
        let mut count = 0u32;
        // The rim of a cell is blurred by coding; its inside is not.
        for row in height - CELL_HEIGHT + 2..height - 2 {
            let start = row * stride + cell * CELL_WIDTH + 4;
            for &value in &y[start..start + CELL_WIDTH - 8] {
                sum += u32::from(value);
                count += 1;
            }
        }
        let bit = match sum / count {
            0..=90 => 0,
            160.. => 1,
            _ => return None,
        };
        word = word << 1 | bit;
    }
    let number = word >> 8;
    (checksum(number) == word & 0xff).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        let (stride, height) = (640, 48);
        for number in [0u64, 1, 255, 65_536, 0xab_cdef, MODULUS - 1, MODULUS + 7] {
            let mut y = vec![100u8; stride * height];
            encode(&mut y, stride, height, number);
            assert_eq!(
                decode(&y, stride, height),
                Some((number % MODULUS) as u32),
                "{number}"
            );
        }
    }

    #[test]
    fn what_is_no_code_reads_as_none() {
        let (stride, height) = (640, 48);
        for grey in [0, 16, 90, 128, 235, 255] {
            assert_eq!(decode(&vec![grey; stride * height], stride, height), None);
        }
        let mut y = vec![100u8; stride * height];
        encode(&mut y, stride, height, 1234);
        for row in height - CELL_HEIGHT..height {
            y[row * stride + 32..row * stride + 48].fill(235);
            y[row * stride + 80..row * stride + 96].fill(235);
        }
        assert_eq!(decode(&y, stride, height), None, "two cells painted over");
        assert_eq!(decode(&[], 0, 0), None);
    }
}
