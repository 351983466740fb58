//! Directions, angles and picture points; the camera model that joins them;
//! polygons on the sphere and in the picture, and their outlines in a frame.
//!
//! Coordinate spaces are types: a [`Direction`] (unit vector), an
//! [`ImagePoint`] (fractions of the frame) and a [`PixelPoint`] do not mix.
//! This module must not know time, cameras' protocols, zones or pixels' values.

mod clip;
mod mount;
mod optics;
mod outline;
mod planar;
mod polygon;
mod rotation;
mod simplify;
mod types;
mod view;

#[cfg(test)]
mod tests;

pub use mount::Mount;
pub use optics::Optics;
pub use outline::{Corner, Field, outline_in_frame};
pub use polygon::{Cap, ImagePolygon, PolygonFault, SpherePolygon};
pub use types::{Angle, Direction, ImagePoint, PixelPoint, Size};
pub use view::{Gaze, View};

/// Why a camera model or a projection cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum GeomError {
    /// A number that is NaN or infinite.
    #[error("{0} is not a finite number")]
    NotFinite(&'static str),
    /// A focal length that is no focal length.
    #[error("a focal length of {0} px is not a lens")]
    Focal(f64),
    /// A side is 0 or beyond 16 384.
    #[error("a frame of {}x{} is not a picture", .0.width, .0.height)]
    Size(Size),
    /// The distortion shows two directions at one point of the frame.
    #[error("the distortion k1 = {k1}, k2 = {k2} folds back inside the frame")]
    FoldedOptics {
        /// Its k1.
        k1: f64,
        /// Its k2.
        k2: f64,
    },
    /// The margin reaches beyond what a flat picture can show.
    #[error("a margin of {0} px has no meaning on this frame")]
    Margin(f64),
}
