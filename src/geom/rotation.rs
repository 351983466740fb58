//! Rotations as 3×3 matrices.

use super::types::Angle;

/// An orthonormal 3×3 matrix, rows first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rotation {
    rows: [[f64; 3]; 3],
}

impl Rotation {
    pub(super) const IDENTITY: Self = Self {
        rows: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    };

    /// Takes (x right, y up, z forward) to (X right, Y down, Z forward). Not
    /// a rotation proper, but orthonormal, which is all that is used here.
    pub(super) const Y_DOWN: Self = Self {
        rows: [[1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, 1.0]],
    };

    /// Turns the direction at pan `angle` to straight ahead.
    pub(super) fn pan(angle: Angle) -> Self {
        let (s, c) = angle.rad().sin_cos();
        Self {
            rows: [[c, 0.0, -s], [0.0, 1.0, 0.0], [s, 0.0, c]],
        }
    }

    /// Turns the direction straight ahead and `angle` up to straight ahead.
    pub(super) fn tilt(angle: Angle) -> Self {
        let (s, c) = angle.rad().sin_cos();
        Self {
            rows: [[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]],
        }
    }

    /// What a camera that turned clockwise by `angle` sees: in coordinates
    /// with y *up*, everything turned counter-clockwise.
    pub(super) fn roll(angle: Angle) -> Self {
        let (s, c) = angle.rad().sin_cos();
        Self {
            rows: [[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]],
        }
    }

    /// `self` after `first`.
    pub(super) fn after(self, first: Self) -> Self {
        let mut rows = [[0.0; 3]; 3];
        for (i, row) in rows.iter_mut().enumerate() {
            for (j, cell) in row.iter_mut().enumerate() {
                *cell = (0..3).map(|k| self.rows[i][k] * first.rows[k][j]).sum();
            }
        }
        Self { rows }
    }

    pub(super) fn apply(&self, v: [f64; 3]) -> [f64; 3] {
        self.rows.map(|row| dot(row, v))
    }

    /// The inverse applied: the transpose.
    pub(super) fn unapply(&self, v: [f64; 3]) -> [f64; 3] {
        let r = &self.rows;
        [0, 1, 2].map(|j| r[0][j] * v[0] + r[1][j] * v[1] + r[2][j] * v[2])
    }
}

pub(super) fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

pub(super) fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}
