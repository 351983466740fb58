//! Whether the picture agrees with where the camera says it looks.
//!
//! Telemetry can lie with a straight face: a position that stands still under a fresh time
//! stamp, a clock that is half a second off, a head that slipped. Then zones are drawn
//! beside the houses, and nothing in the numbers shows it. The picture does: two pictures
//! and the two positions that go with them must turn alike. What is found here may cover a
//! picture; it never uncovers one, and it never moves a zone.
//!
//! [`Small`] is a picture made small, [`compare`] lays one over the other as their
//! positions say and measures what is left, [`PictureWatch`] remembers which pictures were
//! in order and decides. This module and the simulator's renderer are the only ones that
//! know OpenCV. It must not know zones, plans or GStreamer.

mod compare;
mod small;
#[cfg(test)]
mod testing;
mod watch;

pub use compare::{Compared, Outlook, compare};
pub use small::Small;
pub use watch::{Aspect, PictureWatch, Seen};
