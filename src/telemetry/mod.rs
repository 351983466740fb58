//! Telemetry: cameras' protocols → [`PoseSample`](crate::pose::PoseSample)s.
