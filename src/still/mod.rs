//! The clear still: the one picture that leaves with its zones not hidden.
//!
//! Who sets up zones has to see where the houses are. So one frame may be
//! taken from the stream on its way to being masked. What keeps it apart:
//!
//! * The stream's frame is only lent, to be read: what is kept is a copy.
//! * A plan that spares the zones is a [`StillPlan`], which opens for this
//!   module only; nothing else can paint with it, so no frame of the stream is
//!   ever painted by it. It exists only where the stream's own plan shows
//!   something, and hides every face, plate and person that is looked for.
//! * The copy is painted by [`paint`](crate::paint::paint) at once, while the
//!   frame is still lent, as a carrier that neither the element nor the egress
//!   takes.
//! * A [`ClearStill`] has one way out: [`ClearStill::marked`], a JPEG with names
//!   all over. Whatever held the picture is overwritten when it is dropped.
//!
//! Nothing here writes files. This module must not know GStreamer, HTTP, who may
//! have a still and for how long.

mod mark;
mod picture;
mod plan;
mod slot;
#[cfg(test)]
mod tests;

pub use mark::Mark;
pub use picture::{CannotMark, ClearStill, Jpeg};
pub use plan::StillPlan;
pub use slot::{NoStill, Slot};
