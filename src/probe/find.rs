//! What answers to WS-Discovery on the networks of this machine. What is heard was said by
//! anybody: it is bounded, and shown, and nothing is asked there. Must not know passwords.

use crate::onvif::answers::short;
use oxvif::discovery::{self, DiscoveredDevice};
use serde::Serialize;
use std::time::Duration;
use tokio::time::timeout;

/// More are not listed.
const MOST: usize = 256;
const MOST_ADDRESSES: usize = 8;
/// After the time is over.
const PATIENCE: Duration = Duration::from_secs(2);

/// One device that answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Found {
    /// Addresses of its device service.
    pub addresses: Vec<String>,
    /// What it calls itself; may be empty.
    pub name: String,
    /// What it says that it is; may be empty.
    pub hardware: String,
}

/// Asks once over every interface, and listens for `listens_for`.
///
/// # Errors
/// No socket, or no event loop.
pub fn find(listens_for: Duration) -> std::io::Result<Vec<Found>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let heard = runtime.block_on(async {
        timeout(listens_for + PATIENCE, discovery::probe_result(listens_for)).await
    });
    runtime.shutdown_timeout(Duration::from_millis(50));
    match heard {
        Ok(devices) => Ok(listed(devices?)),
        Err(_) => Ok(Vec::new()),
    }
}

fn listed(devices: Vec<DiscoveredDevice>) -> Vec<Found> {
    let mut found: Vec<Found> = devices.iter().take(MOST).filter_map(one).collect();
    found.sort_by(|a, b| a.addresses.cmp(&b.addresses));
    found.dedup();
    found
}

fn one(device: &DiscoveredDevice) -> Option<Found> {
    let fit = |a: &&String| {
        let known = a.starts_with("http://") || a.starts_with("https://");
        known && a.len() <= 200 && !a.contains('@') && a.chars().all(|c| c.is_ascii_graphic())
    };
    let addresses: Vec<String> = device
        .xaddrs
        .iter()
        .filter(fit)
        .take(MOST_ADDRESSES)
        .cloned()
        .collect();
    let scope = |kind: &str| {
        let mut scopes = device.scopes.iter();
        let prefix = format!("onvif://www.onvif.org/{kind}/");
        let told = scopes
            .find_map(|s| s.strip_prefix(&prefix))
            .unwrap_or_default();
        short(&told.replace("%20", " "))
    };
    (!addresses.is_empty()).then(|| Found {
        addresses,
        name: scope("name"),
        hardware: scope("hardware"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_listed_is_bounded_and_harmless() {
        let device = |xaddrs: &[&str], scopes: &[&str]| DiscoveredDevice {
            endpoint: "urn:uuid:1".to_owned(),
            types: vec![],
            scopes: scopes.iter().map(|s| (*s).to_owned()).collect(),
            xaddrs: xaddrs.iter().map(|s| (*s).to_owned()).collect(),
        };
        let camera = device(
            &[
                "http://10.0.0.5/onvif/device_service",
                "ftp://x",
                "http://u:p@h/",
                "http://a\u{1b}[2J",
            ],
            &[
                "onvif://www.onvif.org/name/Market%20east",
                "onvif://www.onvif.org/hardware/\u{7}X1",
            ],
        );
        let mut all = vec![camera.clone(), camera, device(&["mailto:x"], &[])];
        for n in 0..1000 {
            all.push(device(&[&format!("http://10.1.0.1:{n}/")], &[]));
        }
        let found = listed(all);
        assert!(found.len() <= MOST);
        let camera = found.iter().find(|f| f.name == "Market east").unwrap();
        assert_eq!(camera.addresses, ["http://10.0.0.5/onvif/device_service"]);
        assert_eq!(camera.hardware, " X1");
    }
}
