//! The ONVIF services of the simulated camera: Device, Media and PTZ over SOAP.

mod answer;
mod digest;
mod position;
mod ptz;
mod request;
mod server;

pub(crate) use position::{ZOOM_SPACE, metadata_document, pan_tilt_space, wrapped};
pub(crate) use server::OnvifServer;
