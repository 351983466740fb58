//! Looks at single pictures with every detector that is asked for.
//!
//! Must not know tracks or files.

use crate::detect::{Detection, Detector, PixelBox};
use crate::frame::FrameRef;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The detectors, one for each class that is hidden.
pub struct Seeker {
    detectors: Vec<Box<dyn Detector>>,
    long_side: Option<u32>,
}

impl std::fmt::Debug for Seeker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Seeker({} detectors)", self.detectors.len())
    }
}

impl Seeker {
    /// Looks with `detectors`, with the longer side of the picture brought to
    /// `long_side` samples, or to what each model is made for.
    pub fn new(detectors: Vec<Box<dyn Detector>>, long_side: Option<u32>) -> Self {
        Self {
            detectors,
            long_side,
        }
    }

    /// Everything that is in `frame`, the weakest detections included.
    ///
    /// # Errors
    /// Why the picture was not searched, in words; nothing is known about it
    /// then.
    pub fn search(&mut self, frame: &FrameRef<'_>) -> Result<Vec<Detection>, String> {
        catch_unwind(AssertUnwindSafe(|| self.look(frame)))
            .unwrap_or_else(|_| Err("a detector panicked".to_owned()))
    }

    fn look(&mut self, frame: &FrameRef<'_>) -> Result<Vec<Detection>, String> {
        let whole = PixelBox {
            x0: 0.0,
            y0: 0.0,
            x1: f64::from(frame.size().width),
            y1: f64::from(frame.size().height),
        };
        let mut found = Vec::new();
        for detector in &mut self.detectors {
            let side = self
                .long_side
                .unwrap_or(detector.descriptor().input.long_side);
            let seen = detector.detect(frame, &whole, side);
            found.extend(seen.map_err(|e| e.to_string())?);
        }
        Ok(found)
    }
}
