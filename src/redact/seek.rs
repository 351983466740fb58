//! Looks at single pictures with every detector that is asked for.
//!
//! Must not know tracks or files.

use crate::detect::{Class, DetectError, Detection, Part, Search, tiles};
use crate::frame::FrameRef;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Looks at all of a picture for every class that is hidden: at the whole, as
/// large as the network likes it, and at tiles of the picture's own size, in
/// which small things are found.
#[derive(Debug)]
pub struct Seeker {
    search: Search,
    classes: Vec<Class>,
    long_side: Option<u32>,
    tiled: bool,
}

impl Seeker {
    /// Looks for `classes`, with the longer side of the whole picture brought to
    /// `long_side` samples, or to what each model is made for; at tiles, too,
    /// where `tiled`.
    pub fn new(search: Search, classes: Vec<Class>, long_side: Option<u32>, tiled: bool) -> Self {
        Self {
            search,
            classes,
            long_side,
            tiled,
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
        let mut found = Vec::new();
        for class in self.classes.clone() {
            let seen = self.look_for(class, frame);
            found.extend(seen.map_err(|e| e.to_string())?);
        }
        Ok(found)
    }

    fn look_for(
        &mut self,
        class: Class,
        frame: &FrameRef<'_>,
    ) -> Result<Vec<Detection>, DetectError> {
        let size = frame.size();
        let usual = self.search.detector(class)?.descriptor().input.long_side;
        let long_side = self.long_side.unwrap_or(usual);
        let mut parts = vec![Part::whole(size, long_side)];
        if self.tiled && size.width.max(size.height) > long_side {
            parts.extend(tiles(size));
        }
        self.search.search(frame, class, &parts, &|_| true)
    }
}
