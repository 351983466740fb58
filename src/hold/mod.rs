//! The hold: the bounded queue in which frames wait for their evidence.
//!
//! Generic over what it holds; must not know GStreamer, pixels or poses.
