//! What is wrong with a zone document: where, and what to do about it.

use std::fmt;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneError {
    /// Where, as `zones[3].shape.points[17].tilt_deg`; empty for the whole.
    pub path: String,
    /// Line and column in the file, counted from 1, where they are known.
    pub at: Option<(usize, usize)>,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for ZoneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((line, column)) = self.at {
            write!(f, "{line}:{column}: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "{}; {}", self.what, self.remedy)
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

impl ZoneErrors {
    /// One thing that is wrong with the document as a whole.
    pub(super) fn whole(what: impl Into<String>, remedy: &str) -> Self {
        Self {
            errors: vec![ZoneError {
                path: String::new(),
                at: None,
                what: what.into(),
                remedy: remedy.to_owned(),
            }],
            more: 0,
        }
    }

    /// The errors that are told one by one.
    pub fn iter(&self) -> std::slice::Iter<'_, ZoneError> {
        self.errors.iter()
    }
}
