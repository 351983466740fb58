//! What the gateway tells Prometheus, as OpenMetrics text.
//!
//! `design/021-operations.md` lists every metric with its labels; a test holds
//! the list against what a real gateway answers. Takes plain figures and writes
//! them: this module must not know where they come from, and nothing in it can
//! carry a picture, an address, a person's name or a password.

mod camera;
mod gateway;
mod page;

pub use camera::{Camera, CaptureTimes, Detector, Latency, Metadata, Publication, Telemetry};
pub use gateway::{Audit, Bus, Certificate, ClockState, Disk, Gateway, Process, Traces};

use page::Page;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use std::fmt;

/// The media type of what [`text`] writes.
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Everything that is told, at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// The gateway, its process and the machine under it.
    pub gateway: Gateway,
    /// The cameras that run, in the configuration's order.
    pub cameras: Vec<Camera>,
}

impl Collector for Snapshot {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut page = Page(encoder);
        self.gateway.write(&mut page)?;
        camera::write(&self.cameras, &mut page)
    }
}

/// `snapshot` as OpenMetrics 1.0 text.
///
/// # Errors
/// What the formatter reports; nothing in a snapshot can cause it.
pub fn text(snapshot: Snapshot) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(snapshot));
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

#[cfg(test)]
mod tests;
