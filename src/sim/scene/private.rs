//! The private places of the street, as polygons of directions.
//!
//! Corners are points of the street seen from the camera; a straight edge in
//! the street is a great circle on the sphere, so the polygons are exact.

use super::{
    CAMERA_HEIGHT_M, HOUSE_WIDTH_M, NORTH_FACADE_Z, NORTH_HEDGE_Z, Opening, SOUTH_FACADE_Z,
    SOUTH_HEDGE_Z, WINDOWS, house_x,
};
use crate::sim::lens::{Vec3, normalised};

/// A private place: its outline as unit directions, in order.
#[derive(Debug, Clone)]
pub struct PrivatePlace {
    /// Stable identifier.
    pub id: String,
    /// For people.
    pub name: String,
    /// Corners; edges are great circles.
    pub outline: Vec<Vec3>,
}

/// x and z of the skylight near the mast.
pub(super) const SKYLIGHT: ([f64; 2], [f64; 2]) = ([-2.6, -1.0], [-2.2, -1.2]);

/// The L-shaped yard at the foot of the mast.
const YARD: [(f64, f64); 6] = [
    (1.5, 1.0),
    (5.5, 1.0),
    (5.5, 4.5),
    (3.5, 4.5),
    (3.5, 2.6),
    (1.5, 2.6),
];

/// Whether a point lies in the yard grown by `rim` metres.
pub(super) fn in_yard(x: f64, z: f64, rim: f64) -> bool {
    let long = x > 1.5 - rim && x < 5.5 + rim && z > 1.0 - rim && z < 2.6 + rim;
    let short = x > 3.5 - rim && x < 5.5 + rim && z > 1.0 - rim && z < 4.5 + rim;
    long || short
}

fn seen(x: f64, y: f64, z: f64) -> Vec3 {
    normalised([x, y - CAMERA_HEIGHT_M, z])
}

fn on_ground(id: &str, name: &str, corners: &[(f64, f64)]) -> PrivatePlace {
    PrivatePlace {
        id: id.to_owned(),
        name: name.to_owned(),
        outline: corners.iter().map(|&(x, z)| seen(x, 0.0, z)).collect(),
    }
}

fn on_facade(id: String, name: String, left: f64, facade: f64, o: &Opening) -> PrivatePlace {
    let (l, r) = (left + o.left, left + o.right);
    PrivatePlace {
        id,
        name,
        outline: vec![
            seen(l, o.bottom, facade),
            seen(l, o.top, facade),
            seen(r, o.top, facade),
            seen(r, o.bottom, facade),
        ],
    }
}

/// All private places.
pub fn private_places() -> Vec<PrivatePlace> {
    let mut all = Vec::new();
    for i in [8, 10, 11, 13, 15] {
        for (k, window) in WINDOWS.iter().enumerate() {
            all.push(on_facade(
                format!("north-{i}-window-{}", k + 1),
                format!("Window {} of house {i}, north side", k + 1),
                house_x(i),
                NORTH_FACADE_Z,
                window,
            ));
        }
    }
    for i in [9, 10, 12] {
        for (k, window) in WINDOWS.iter().enumerate() {
            all.push(on_facade(
                format!("south-{i}-window-{}", k + 1),
                format!("Window {} of house {i}, south side", k + 1),
                house_x(i),
                SOUTH_FACADE_Z,
                window,
            ));
        }
    }
    let (x, h, f) = (house_x(9), NORTH_HEDGE_Z, NORTH_FACADE_Z);
    all.push(on_ground(
        "north-9-garden",
        "Front garden of house 9, north side",
        &[(x + 2.0, h), (x + 2.0, f), (x + 7.0, f), (x + 7.0, h)],
    ));
    let x = house_x(12);
    all.push(on_ground(
        "north-12-garden",
        "Garden of house 12, north side, around the corner of the path",
        &[
            (x, h + 4.0),
            (x, f),
            (x + 7.0, f),
            (x + 7.0, h),
            (x + 2.2, h),
            (x + 2.2, h + 4.0),
        ],
    ));
    // This garden lies across pan 180°.
    let x = house_x(11) - HOUSE_WIDTH_M / 2.0;
    let (h, f) = (SOUTH_HEDGE_Z, SOUTH_FACADE_Z);
    all.push(on_ground(
        "south-11-garden",
        "Garden behind the camera, south side",
        &[
            (x, h),
            (x + 7.0, h),
            (x + 7.0, f),
            (x + 3.0, f),
            (x + 3.0, -16.0),
            (x, -16.0),
        ],
    ));
    all.push(PrivatePlace {
        id: "north-5-house".to_owned(),
        name: "The whole front of house 5, north side".to_owned(),
        outline: vec![
            seen(house_x(5), 0.0, NORTH_FACADE_Z),
            seen(house_x(5), 5.6, NORTH_FACADE_Z),
            seen(house_x(6), 5.6, NORTH_FACADE_Z),
            seen(house_x(6), 0.0, NORTH_FACADE_Z),
        ],
    });
    all.push(on_ground("yard", "Yard at the foot of the mast", &YARD));
    let ([x0, x1], [z0, z1]) = SKYLIGHT;
    all.push(on_ground(
        "skylight",
        "Skylight beside the mast",
        &[(x0, z0), (x0, z1), (x1, z1), (x1, z0)],
    ));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::lens::pan_tilt;

    #[test]
    fn there_are_places_of_every_kind_that_matters() {
        let all = private_places();
        assert!(all.len() >= 12);
        let tilts: Vec<f64> = all
            .iter()
            .flat_map(|p| p.outline.iter().map(|&d| pan_tilt(d).1))
            .collect();
        assert!(tilts.iter().any(|&t| t < -70.0), "near the nadir");
        let across_the_wrap = all.iter().any(|p| {
            let pans: Vec<f64> = p.outline.iter().map(|&d| pan_tilt(d).0).collect();
            pans.iter().any(|&p| p > 150.0) && pans.iter().any(|&p| p < -150.0)
        });
        assert!(across_the_wrap);
        let mut ids: Vec<&str> = all.iter().map(|p| p.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all.len(), "identifiers are unique");
    }
}
