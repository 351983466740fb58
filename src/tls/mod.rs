//! Certificates: read from files and checked, made where nobody names any,
//! renewed while connections stand.
//!
//! TLS 1.2 and 1.3 by rustls, for whoever serves with it, or connects. This module must not
//! know what is served or asked, to whom, or how.

mod client;
mod live;
mod own;
mod read;

pub use client::client;
pub use live::{Certificate, Settings};
pub use own::{CannotMake, make_own};
pub use read::{About, Files, Unusable, names_in};

#[cfg(test)]
mod tests;
