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

// In the order data flows.
pub mod av1;
pub mod clock;
pub mod event;
pub mod geom;
pub mod secret;
pub mod stamp;

pub mod detect;
pub mod eval;
pub mod frame;
pub mod pose;
pub mod zone;

pub mod schedule;
pub mod track;

pub mod plan;

pub mod hold;
pub mod paint;

#[cfg(feature = "gateway")]
pub mod device_http;
#[cfg(feature = "gateway")]
pub mod onvif;
#[cfg(feature = "gateway")]
pub mod register;
#[cfg(feature = "gateway")]
pub mod steer;
#[cfg(feature = "gateway")]
pub mod still;
#[cfg(feature = "gateway")]
pub mod telemetry;

#[cfg(feature = "gateway")]
pub mod tls;

#[cfg(feature = "gateway")]
pub mod egress;
#[cfg(feature = "gateway")]
pub mod media;
#[cfg(feature = "gateway")]
pub mod notify;
#[cfg(feature = "gateway")]
pub mod pipeline;
#[cfg(feature = "gateway")]
pub mod traces;

pub mod config;

#[cfg(feature = "gateway")]
pub mod archive;
#[cfg(feature = "gateway")]
pub mod audit;
#[cfg(feature = "gateway")]
pub mod machine;
#[cfg(feature = "gateway")]
pub mod metrics;
#[cfg(feature = "gateway")]
pub mod proof;
#[cfg(feature = "gateway")]
pub mod redact;
#[cfg(feature = "gateway")]
pub mod users;
#[cfg(feature = "gateway")]
pub mod web;

#[cfg(feature = "gateway")]
pub mod onvif_device;

#[cfg(feature = "gateway")]
pub mod app;
#[cfg(feature = "gateway")]
pub mod doctor;
#[cfg(feature = "gateway")]
pub mod probe;
#[cfg(feature = "gateway")]
pub mod sim;

#[cfg(feature = "gateway")]
pub mod prove;
