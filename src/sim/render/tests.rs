use super::*;

fn pose(pan_deg: f64, tilt_deg: f64, hfov_deg: f64) -> Pose {
    Pose {
        pan_deg,
        tilt_deg,
        roll_deg: 0.0,
        zoom: 0.0,
        hfov_deg,
    }
}
