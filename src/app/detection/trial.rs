//! The trial pictures: drawn by us, part of the program, never part of a stream.

use crate::detect::{Class, PixelBox};
use crate::frame::{Matrix, Picture};
use crate::geom::Size;
use anyhow::Context;

/// A picture in which a model must find something.
pub(in crate::app) struct Trial {
    pub(in crate::app) class: Class,
    pub(in crate::app) picture: Picture,
    /// Where it is.
    pub(in crate::app) at: PixelBox,
}

/// What `models/selftest/draw.py` drew, and where.
const DRAWN: [(Class, &[u8], [f64; 4]); 2] = [
    (
        Class::Face,
        include_bytes!("../../../models/selftest/face.png"),
        [46.0, 42.0, 111.0, 127.0],
    ),
    (
        Class::Plate,
        include_bytes!("../../../models/selftest/plate.png"),
        [78.0, 76.0, 178.0, 98.0],
    ),
];

impl Trial {
    /// The one for `class`, where there is one: whole figures have none.
    ///
    /// # Errors
    /// Never with the pictures that were built in.
    pub(in crate::app) fn of(class: Class) -> anyhow::Result<Option<Self>> {
        let Some((_, file, [x0, y0, x1, y1])) = DRAWN.iter().find(|(of, ..)| *of == class) else {
            return Ok(None);
        };
        let rgb = image::load_from_memory(file)
            .context("the trial picture")?
            .into_rgb8();
        let size = Size {
            width: rgb.width(),
            height: rgb.height(),
        };
        let at = PixelBox {
            x0: *x0,
            y0: *y0,
            x1: *x1,
            y1: *y1,
        };
        Ok(Some(Self {
            class,
            picture: Picture::from_rgb(&rgb, size, Matrix::Bt709)?,
            at,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drawn_pictures_can_be_read_and_hold_what_they_should() {
        for class in [Class::Face, Class::Plate] {
            let trial = Trial::of(class).unwrap().unwrap();
            let size = trial.picture.size();
            assert!(trial.at.x1 < f64::from(size.width) && trial.at.y1 < f64::from(size.height));
        }
        assert!(Trial::of(Class::Person).unwrap().is_none());
    }
}
