//! The simulated PTZ camera.
