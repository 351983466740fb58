//! Proof: camera, gateway and viewer in one run, and what the viewer saw.
//!
//! A [`Scenario`] says how the camera moves, how its telemetry misbehaves and
//! what else goes wrong; [`run`] plays it and gives a [`Report`]; [`watch`]
//! judges any stream. The gateway runs as a child process and is seen only from
//! outside: through its stream, its status page and `/proc`. This module must
//! not know `geom`, `zone`, `plan` or `paint`: where the private places truly
//! lie it asks the simulator, so that one fault cannot hide another.

mod campaign;
mod child;
mod figures;
mod gateway;
mod grey;
mod judge;
mod observer;
mod overcover;
mod picture;
mod plain;
mod relay;
mod report;
mod scenario;
mod stage;
mod stalled;
mod status;
mod viewer;
mod watch;

pub use campaign::{Campaign, CampaignReport, Fault, Record};
pub use judge::{ACROSS, Canary, CanaryError, MIN_AMPLITUDE, Planes, Rgb, SHARE};
pub use plain::{Plain, run as plain};
pub use report::{Report, Verdict};
pub use scenario::{Scenario, ScenarioError, files};
pub use stage::{Progress, StageError, Staging, run};
pub use viewer::ViewerError;
pub use watch::{Leaks, WatchError, WatchReport, watch};
