//! How well a detector hides what it should: labels, and the score against them,
//! in stills and over time.
//!
//! Pure: knows neither files nor models. A detector never sees what stands here.

mod labels;
mod moves;
mod play;
mod score;
mod temporal;

pub use labels::{LabelError, Labelled, LabelledClip, Labels, parse_labels, write_labels};
pub use moves::{Move, Path, Truth};
pub use play::{Look, Schedule, Shown, alone, file, stream};
pub use score::{BUCKETS, Bucket, Report, Score};
pub use temporal::{Held, Moment, Spread, TimeReport, Timeline};
