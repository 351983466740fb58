//! The street: what stands where, in metres around the foot of the camera.
//!
//! x grows to the right of pan 0, z along pan 0, y upwards; the camera hangs at
//! (0, [`CAMERA_HEIGHT_M`], 0) on a mast at the edge of a square. North of the
//! square runs a road with a row of houses behind front gardens; behind the
//! camera a second, narrower street with its houses.
//! Knows neither the lens nor the picture.

pub mod panorama;
pub mod private;
mod texture;

/// Height of the camera above the ground.
pub const CAMERA_HEIGHT_M: f64 = 8.0;

/// Width of one house.
pub(super) const HOUSE_WIDTH_M: f64 = 7.0;
/// Houses per row; the row is centred on x = 0.
pub(super) const HOUSES_PER_ROW: i32 = 22;
/// Where the facades of the northern row stand.
pub(super) const NORTH_FACADE_Z: f64 = 30.0;
/// The northern gardens reach from here to the facade.
pub(super) const NORTH_HEDGE_Z: f64 = 22.0;
/// Where the facades of the southern row stand.
pub(super) const SOUTH_FACADE_Z: f64 = -19.0;
/// The southern gardens reach from here to the facade.
pub(super) const SOUTH_HEDGE_Z: f64 = -12.5;

/// The west end of house `i` of a row.
pub(super) fn house_x(i: i32) -> f64 {
    (f64::from(i) - f64::from(HOUSES_PER_ROW) / 2.0) * HOUSE_WIDTH_M
}

/// A window or a door of a facade: metres from the house's west end and above
/// the ground.
#[derive(Debug, Clone, Copy)]
pub(super) struct Opening {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
    pub(super) top: f64,
}

const fn opening(left: f64, right: f64, bottom: f64, top: f64) -> Opening {
    Opening {
        left,
        right,
        bottom,
        top,
    }
}

/// The windows of every house: living room, two bedrooms.
pub(super) const WINDOWS: [Opening; 3] = [
    opening(2.7, 6.1, 0.7, 2.4),
    opening(0.8, 2.7, 3.5, 4.9),
    opening(4.0, 6.2, 3.5, 4.9),
];
/// The front door of every house.
pub(super) const DOOR: Opening = opening(0.8, 1.8, 0.0, 2.2);

/// What a surface is made of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Material {
    House(u32),
    Roof(u32),
    Block(u32),
    Hedge,
    Car(u32),
    CarGlass(u32),
    Bench,
    Mast,
}

/// A solid thing standing in the street.
#[derive(Debug, Clone, Copy)]
pub(super) enum Solid {
    /// A box along the axes.
    Box {
        x: [f64; 2],
        z: [f64; 2],
        y: [f64; 2],
        material: Material,
    },
    /// A roof plane: height `y[0]` at `z[0]`, `y[1]` at `z[1]`.
    Slope {
        x: [f64; 2],
        z: [f64; 2],
        y: [f64; 2],
        material: Material,
    },
    /// A tree: trunk and round crown, the same from every side.
    Tree {
        x: f64,
        z: f64,
        crown_y: f64,
        radius: f64,
    },
}

/// Everything that stands in the street and does not move.
pub(super) fn solids() -> Vec<Solid> {
    let mut all = Vec::new();
    for i in 0..HOUSES_PER_ROW {
        let x = [house_x(i), house_x(i) + HOUSE_WIDTH_M];
        let seed = i as u32;
        let eaves = 5.6 + f64::from(texture::hash(seed, 7) % 5) * 0.15;
        row_house(&mut all, x, NORTH_FACADE_Z, 1.0, eaves, seed);
        row_house(&mut all, x, SOUTH_FACADE_Z, -1.0, eaves + 0.4, seed + 100);
        front_hedge(&mut all, x, NORTH_HEDGE_Z, 1.0);
        front_hedge(&mut all, x, SOUTH_HEDGE_Z, -1.0);
    }
    for (seed, x, z) in [
        (1, [88.0, 104.0], [-70.0, -8.0]),
        (2, [95.0, 110.0], [-3.0, 60.0]),
        (3, [-108.0, -90.0], [-60.0, 2.0]),
        (4, [-104.0, -88.0], [6.0, 75.0]),
        (5, [-60.0, -25.0], [85.0, 100.0]),
        (6, [-10.0, 20.0], [95.0, 110.0]),
        (7, [40.0, 80.0], [80.0, 95.0]),
        (8, [-45.0, 0.0], [-90.0, -75.0]),
        (9, [25.0, 60.0], [-100.0, -85.0]),
    ] {
        let height = 13.0 + f64::from(texture::hash(seed, 3) % 8) * 1.5;
        all.push(Solid::Box {
            x,
            z,
            y: [0.0, height],
            material: Material::Block(seed),
        });
    }
    for k in -8..=8_i32 {
        let seed = (k + 40) as u32;
        if !texture::hash(seed, 11).is_multiple_of(4) {
            parked_car(&mut all, f64::from(k) * 7.3 + 1.1, 17.1, seed);
        }
        if !texture::hash(seed, 12).is_multiple_of(3) {
            parked_car(&mut all, f64::from(k) * 8.1 - 2.0, -10.6, seed + 60);
        }
    }
    for k in -5..=5_i32 {
        let x = f64::from(k) * 13.5 + 5.0;
        all.push(tree(x, 20.6, 4.3, 1.5, k));
        all.push(tree(x + 4.0, -11.9, 4.0, 1.3, k + 30));
    }
    for (k, (x, z)) in [
        (-17.0, 5.0),
        (-12.0, 8.5),
        (16.0, 6.0),
        (21.0, 2.0),
        (-23.0, 0.5),
    ]
    .into_iter()
    .enumerate()
    {
        all.push(tree(x, z, 4.8, 1.9, k as i32 + 70));
    }
    for (x, z) in [(-9.0, 7.2), (11.0, 7.8), (-14.5, 2.5)] {
        all.push(Solid::Box {
            x: [x, x + 1.8],
            z: [z, z + 0.5],
            y: [0.0, 0.55],
            material: Material::Bench,
        });
    }
    for x in [-31.0, -6.5, 26.0, 50.0] {
        all.push(Solid::Box {
            x: [x, x + 0.14],
            z: [11.6, 11.74],
            y: [0.0, 6.5],
            material: Material::Mast,
        });
    }
    all
}

fn row_house(all: &mut Vec<Solid>, x: [f64; 2], facade: f64, away: f64, eaves: f64, seed: u32) {
    let back = facade + away * 9.0;
    let ridge = facade + away * 4.5;
    all.push(Solid::Box {
        x,
        z: [facade.min(back), facade.max(back)],
        y: [0.0, eaves],
        material: Material::House(seed),
    });
    all.push(Solid::Slope {
        x,
        z: [facade - away * 0.3, ridge],
        y: [eaves - 0.1, eaves + 3.4],
        material: Material::Roof(seed),
    });
    if texture::hash(seed, 21).is_multiple_of(2) {
        let left = x[0] + 1.0;
        all.push(Solid::Box {
            x: [left, left + 0.8],
            z: [ridge - 0.4, ridge + 0.4],
            y: [eaves + 2.4, eaves + 4.4],
            material: Material::Block(seed + 900),
        });
    }
}

fn front_hedge(all: &mut Vec<Solid>, x: [f64; 2], z: f64, away: f64) {
    let thick = [z.min(z + away * 0.6), z.max(z + away * 0.6)];
    // A gap in front of the door lets the path through.
    for x in [[x[0], x[0] + 0.6], [x[0] + 2.0, x[1]]] {
        all.push(Solid::Box {
            x,
            z: thick,
            y: [0.0, 1.0],
            material: Material::Hedge,
        });
    }
    all.push(Solid::Box {
        x: [x[1] - 0.25, x[1] + 0.25],
        z: [
            (z + away * 0.6).min(z + away * 5.0),
            (z + away * 0.6).max(z + away * 5.0),
        ],
        y: [0.0, 0.8],
        material: Material::Hedge,
    });
}

fn parked_car(all: &mut Vec<Solid>, x: f64, z: f64, seed: u32) {
    all.push(Solid::Box {
        x: [x, x + 4.2],
        z: [z, z + 1.75],
        y: [0.0, 0.85],
        material: Material::Car(seed),
    });
    all.push(Solid::Box {
        x: [x + 0.9, x + 3.5],
        z: [z + 0.12, z + 1.63],
        y: [0.85, 1.45],
        material: Material::CarGlass(seed),
    });
}

fn tree(x: f64, z: f64, crown_y: f64, radius: f64, seed: i32) -> Solid {
    let wobble = f64::from(texture::hash(seed as u32, 5) % 100) / 100.0;
    Solid::Tree {
        x: x + wobble,
        z,
        crown_y: crown_y + wobble * 0.5,
        radius: radius + wobble * 0.4,
    }
}
