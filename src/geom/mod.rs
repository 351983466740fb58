//! Directions, angles and picture points; the camera model that joins them.
//!
//! Coordinate spaces are types: a [`Direction`] (unit vector), an
//! [`ImagePoint`] (fractions of the frame) and a [`PixelPoint`] do not mix.
//! This module must not know time, cameras' protocols, zones or pixels' values.

mod types;

pub use types::{Angle, Direction, ImagePoint, PixelPoint, Size};
