//! greyplane: a privacy gateway for street cameras.
//!
//! See `ARCHITECTURE.md` for the map of the rooms and the rules between them.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::print_stdout,
        clippy::print_stderr,
        reason = "a test that fails should fail loudly"
    )
)]

#[cfg(feature = "gateway")]
pub mod sim;
