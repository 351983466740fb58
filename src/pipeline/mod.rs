//! Everything GStreamer between the camera and the egress.
