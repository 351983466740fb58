//! What is wrong with a zone document: where, and what to do about it.

use std::fmt;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneError {
    /// Where, as `zones[3].shape.points[17].tilt_deg`; empty for the whole.
    pub path: String,
    /// The line in the file, from 1, where there is one.
    pub line: Option<usize>,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for ZoneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "{}; {}", self.problem, self.remedy)
    }
}

/// Everything that is wrong with a document, up to a hundred things. A document
/// with errors gives no zones at all: cover the camera.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ZoneErrors {
    /// In the order of the document's checks; at least one.
    pub errors: Vec<ZoneError>,
    /// How many more there are.
    pub more: usize,
}

impl fmt::Display for ZoneErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.errors.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
        }
        if self.more > 0 {
            write!(f, "\nand {} more", self.more)?;
        }
        Ok(())
    }
}

impl std::error::Error for ZoneErrors {}
