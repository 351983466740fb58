//! What the surfaces of the street look like: colours by position.
//!
//! Everything is a pure function of metres, so that the panorama is the same
//! on every machine. No colour comes near the canary's.

use super::{DOOR, HOUSE_WIDTH_M, Material, NORTH_FACADE_Z, NORTH_HEDGE_Z, Opening};
use super::{SOUTH_FACADE_Z, SOUTH_HEDGE_Z, WINDOWS};

/// Red, green, blue, 0…255.
pub(super) type Colour = [f32; 3];

/// A well-mixed number of two numbers.
pub(super) fn hash(a: u32, b: u32) -> u32 {
    let mut h = a.wrapping_mul(0x9e37_79b1) ^ b.wrapping_mul(0x85eb_ca77) ^ 0x27d4_eb2f;
    h ^= h >> 15;
    h = h.wrapping_mul(0x2c1b_3c6d);
    h ^= h >> 12;
    h = h.wrapping_mul(0x297a_2d39);
    h ^ (h >> 15)
}

fn unit(a: i32, b: i32) -> f32 {
    (hash(a as u32, b as u32) & 0xffff) as f32 / 65_535.0
}

/// The integer below; `f64::floor` is a call on processors without SSE 4.1,
/// for which the program is built.
fn below(x: f64) -> i32 {
    let cut = x as i32;
    cut.wrapping_sub(i32::from(f64::from(cut) > x))
}

/// Smooth noise 0…1 with features of size one.
pub(super) fn noise(x: f64, y: f64) -> f32 {
    let (xi, yi) = (below(x), below(y));
    let smooth = |t: f32| t * t * (3.0 - 2.0 * t);
    let (tx, ty) = (
        smooth((x - f64::from(xi)) as f32),
        smooth((y - f64::from(yi)) as f32),
    );
    let top = unit(xi, yi) * (1.0 - tx) + unit(xi.wrapping_add(1), yi) * tx;
    let yj = yi.wrapping_add(1);
    let bottom = unit(xi, yj) * (1.0 - tx) + unit(xi.wrapping_add(1), yj) * tx;
    top * (1.0 - ty) + bottom * ty
}

fn shade(c: Colour, factor: f32) -> Colour {
    [c[0] * factor, c[1] * factor, c[2] * factor]
}

fn mix(a: Colour, b: Colour, part: f32) -> Colour {
    [
        a[0] + (b[0] - a[0]) * part,
        a[1] + (b[1] - a[1]) * part,
        a[2] + (b[2] - a[2]) * part,
    ]
}

/// Whether `x` falls in a line of `width` repeated every `every`.
fn line(x: f64, every: f64, width: f64) -> bool {
    x - f64::from(below(x / every)) * every < width
}

const BRICKS: [Colour; 6] = [
    [158.0, 84.0, 62.0],
    [176.0, 112.0, 84.0],
    [138.0, 74.0, 60.0],
    [201.0, 186.0, 158.0],
    [118.0, 78.0, 64.0],
    [186.0, 138.0, 96.0],
];
/// Nothing in the street is strongly red or strongly blue: where the two meet,
/// half the chroma of each makes a sample that looks like the canary.
const PAINTS: [Colour; 7] = [
    [150.0, 62.0, 40.0],
    [58.0, 72.0, 98.0],
    [226.0, 226.0, 222.0],
    [44.0, 46.0, 50.0],
    [150.0, 154.0, 158.0],
    [38.0, 92.0, 66.0],
    [214.0, 176.0, 62.0],
];
const GLASS: Colour = [52.0, 66.0, 82.0];
const FRAME: Colour = [232.0, 230.0, 222.0];

/// The sky in a direction.
pub(super) fn sky(pan_rad: f64, tilt_rad: f64) -> Colour {
    let high = (tilt_rad / 0.9).clamp(0.0, 1.0) as f32;
    let base = mix([198.0, 212.0, 224.0], [98.0, 146.0, 204.0], high);
    let (x, y) = (pan_rad.cos() * 5.0, pan_rad.sin() * 5.0);
    let stretch = tilt_rad * 16.0;
    let cloud = noise(x * 1.3 + stretch * 0.4, y * 1.3 + stretch) * 0.6
        + noise(x * 3.1 + 9.0, y * 3.1 + stretch * 2.3) * 0.4;
    mix(
        base,
        [238.0, 240.0, 243.0],
        ((cloud - 0.5) * 3.0).clamp(0.0, 0.85),
    )
}

/// The ground at a place, seen from `distance` metres.
pub(super) fn ground(x: f64, z: f64, distance: f64) -> Colour {
    // Patterns finer than the panorama can show fade into their mean.
    let fine = (1.0 - distance / 45.0).clamp(0.0, 1.0) as f32;
    let grain = 0.94 + 0.12 * noise(x * 3.0, z * 3.0);
    let base = if (x * x + z * z) < 0.16 {
        [70.0, 74.0, 78.0]
    } else if let Some(colour) = yard(x, z, fine) {
        colour
    } else if (12.5..19.0).contains(&z) || (-10.8..-5.5).contains(&z) {
        road(x, z)
    } else if (-4.0..11.0).contains(&z) && x.abs() < 26.0 {
        square(x, z, fine)
    } else if (NORTH_HEDGE_Z..NORTH_FACADE_Z).contains(&z) {
        garden(
            x,
            z - NORTH_HEDGE_Z,
            NORTH_FACADE_Z - NORTH_HEDGE_Z,
            0,
            fine,
        )
    } else if z <= SOUTH_HEDGE_Z && z > SOUTH_FACADE_Z {
        garden(
            x,
            SOUTH_HEDGE_Z - z,
            SOUTH_HEDGE_Z - SOUTH_FACADE_Z,
            50,
            fine,
        )
    } else if (-12.5..22.0).contains(&z) {
        pavement(x, z, fine)
    } else {
        [104.0, 122.0, 78.0]
    };
    shade(base, grain)
}

fn pavement(x: f64, z: f64, fine: f32) -> Colour {
    let stone = 158.0 + 12.0 * unit((x / 0.6).floor() as i32, (z / 0.6).floor() as i32) * fine;
    let joint = line(x, 0.6, 0.03) || line(z, 0.6, 0.03);
    let c = [stone, stone - 2.0, stone - 8.0];
    // The kerb.
    if line(z - 12.38, 1e9, 0.12) || line(z - 19.0, 1e9, 0.12) || line(z + 5.5, 1e9, 0.12) {
        return [196.0, 196.0, 192.0];
    }
    if joint {
        shade(c, 1.0 - 0.22 * fine)
    } else {
        c
    }
}

fn road(x: f64, z: f64) -> Colour {
    let tar = 76.0 + 14.0 * noise(x * 0.7, z * 0.7);
    let asphalt = [tar, tar, tar + 3.0];
    let white = [222.0, 222.0, 214.0];
    let zebra = (4.0..8.0).contains(&x) && z > 0.0 && line(z - 12.7, 1.0, 0.5);
    let centre = (z - 15.75).abs() < 0.08 && line(x, 5.0, 2.6) && !(3.0..9.0).contains(&x);
    let parking = (16.75..16.87).contains(&z) || (z > 16.8 && line(x - 0.6, 7.3, 0.1));
    let centre_south = (z + 8.1).abs() < 0.07 && line(x, 4.0, 2.0);
    let bicycles = (12.6..13.5).contains(&z) && !zebra;
    if zebra || centre || parking || centre_south {
        white
    } else if bicycles {
        [138.0, 72.0, 62.0]
    } else {
        asphalt
    }
}

fn square(x: f64, z: f64, fine: f32) -> Colour {
    let (cx, cz) = (x + 3.0, z - 6.0);
    let ring = (cx * cx + cz * cz).sqrt();
    if ring < 1.6 {
        return mix(
            [96.0, 142.0, 160.0],
            [168.0, 196.0, 204.0],
            noise(x * 5.0, z * 5.0),
        );
    }
    if ring < 2.0 {
        return [182.0, 176.0, 164.0];
    }
    let light = ((x / 2.4).floor() as i32 + (z / 2.4).floor() as i32).rem_euclid(2) == 0;
    let base = if light {
        [186.0, 168.0, 146.0]
    } else {
        [162.0, 140.0, 120.0]
    };
    let brick = unit((x / 0.3).floor() as i32, (z / 0.3).floor() as i32);
    let base = shade(base, 0.94 + 0.1 * brick * fine);
    if line(x, 0.3, 0.025) || line(z, 0.3, 0.025) {
        shade(base, 1.0 - 0.2 * fine)
    } else {
        base
    }
}

/// The walled yard at the foot of the mast and the skylight beside it.
fn yard(x: f64, z: f64, fine: f32) -> Option<Colour> {
    let inside = super::private::in_yard(x, z, 0.0);
    if inside {
        let table = (x - 4.5) * (x - 4.5) + (z - 3.4) * (z - 3.4);
        if table < 0.36 {
            return Some([214.0, 198.0, 164.0]);
        }
        if z < 1.7 && x < 4.0 {
            let plank = line(x, 0.18, 0.02);
            let wood = [150.0, 112.0, 76.0];
            return Some(if plank { shade(wood, 0.7) } else { wood });
        }
        return Some(lawn(x, z, fine));
    }
    if super::private::in_yard(x, z, 0.15) {
        return Some([122.0, 92.0, 80.0]);
    }
    let ([x0, x1], [z0, z1]) = super::private::SKYLIGHT;
    if (x0..x1).contains(&x) && (z0..z1).contains(&z) {
        let bar = line(x - x0, 0.4, 0.05) || line(z - z0, 0.4, 0.05);
        return Some(if bar { FRAME } else { [88.0, 112.0, 128.0] });
    }
    None
}

fn lawn(x: f64, z: f64, fine: f32) -> Colour {
    let blade = noise(x * 7.0, z * 7.0) * fine + 0.5 * (1.0 - fine);
    mix([74.0, 116.0, 50.0], [112.0, 150.0, 72.0], blade)
}

fn garden(x: f64, depth: f64, whole: f64, seed: i32, fine: f32) -> Colour {
    let house = (x / HOUSE_WIDTH_M).floor();
    let u = x - house * HOUSE_WIDTH_M;
    let house = house as i32 + seed;
    if (0.7..1.9).contains(&u) {
        let slab = line(depth, 0.5, 0.04);
        return if slab {
            [128.0, 124.0, 116.0]
        } else {
            [176.0, 170.0, 160.0]
        };
    }
    let terrace = whole - depth < 2.2 && u > 2.2;
    if terrace {
        let warm = unit(house, 3);
        return mix([170.0, 144.0, 122.0], [190.0, 182.0, 172.0], warm);
    }
    let bed = u > 5.6 || depth < 1.3;
    if bed {
        let (fx, fz) = ((x / 0.25).floor(), (depth / 0.25).floor());
        let flower = unit(fx as i32, fz as i32 + house * 17);
        let blossom = [
            [206.0, 116.0, 60.0],
            [224.0, 196.0, 70.0],
            [226.0, 222.0, 214.0],
        ];
        if flower > 0.8 {
            return blossom[(flower * 1000.0) as usize % 3];
        }
        return [66.0, 84.0, 42.0];
    }
    lawn(x, depth, fine)
}

/// A vertical surface `u` metres along and `h` metres up, seen from
/// `distance`; `front` is the long side that faces the camera.
pub(super) fn wall(material: Material, u: f64, h: f64, front: bool, distance: f64) -> Colour {
    match material {
        Material::House(seed) => house(seed, u, h, front, distance),
        Material::Roof(seed) => roof(seed, u, h),
        Material::Block(seed) => block(seed, u, h),
        Material::Hedge => hedge(u, h),
        Material::Car(seed) => car_body(seed, u, h, front),
        Material::CarGlass(seed) => car_glass(seed, u, h),
        Material::Bench => shade(
            [128.0, 88.0, 54.0],
            if line(h, 0.14, 0.03) { 0.6 } else { 1.0 },
        ),
        Material::Mast => [88.0, 92.0, 94.0],
    }
}

/// The upper side of a solid at a place.
pub(super) fn top(material: Material, x: f64, z: f64) -> Colour {
    match material {
        Material::Hedge => mix(
            [58.0, 92.0, 44.0],
            [96.0, 136.0, 66.0],
            noise(x * 6.0, z * 6.0),
        ),
        Material::Car(seed) => shade(paint(seed), 1.08),
        Material::CarGlass(seed) => shade(paint(seed), 1.12),
        Material::Bench => [150.0, 106.0, 66.0],
        Material::House(_) | Material::Roof(_) | Material::Block(_) => [112.0, 108.0, 104.0],
        Material::Mast => [96.0, 98.0, 100.0],
    }
}

fn paint(seed: u32) -> Colour {
    PAINTS[hash(seed, 31) as usize % PAINTS.len()]
}

fn within(o: &Opening, u: f64, h: f64, rim: f64) -> bool {
    u > o.left - rim && u < o.right + rim && h > o.bottom - rim && h < o.top + rim
}

fn house(seed: u32, u: f64, h: f64, front: bool, distance: f64) -> Colour {
    let fine = (1.0 - distance / 55.0).clamp(0.0, 1.0) as f32;
    let brick = BRICKS[hash(seed, 1) as usize % BRICKS.len()];
    if front {
        if within(&DOOR, u, h, 0.0) {
            let colour = paint(seed + 5);
            let pane = (1.05..1.55).contains(&u) && (1.3..1.9).contains(&h);
            return if pane { GLASS } else { shade(colour, 0.9) };
        }
        if within(&DOOR, u, h, 0.12) {
            return FRAME;
        }
        for (k, window) in WINDOWS.iter().enumerate() {
            if within(window, u, h, 0.0) {
                return pane(seed, k, window, u, h);
            }
            if within(window, u, h, 0.1) {
                return FRAME;
            }
            if u > window.left - 0.2
                && u < window.right + 0.2
                && (window.bottom - 0.25..window.bottom - 0.1).contains(&h)
            {
                return [176.0, 172.0, 164.0];
            }
        }
        if u < 0.1 {
            return shade(brick, 0.6);
        }
    }
    if h < 0.4 {
        return shade([126.0, 122.0, 116.0], 0.9);
    }
    let course = (h / 0.08).floor();
    let shift = if course as i64 % 2 == 0 { 0.0 } else { 0.12 };
    let tone = unit(((u + shift) / 0.24).floor() as i32, course as i32);
    let stain = noise(u * 0.8 + f64::from(seed), h * 0.8);
    let mortar = line(h, 0.08, 0.014) || line(u + shift, 0.24, 0.014);
    let c = shade(brick, 0.88 + 0.14 * tone * fine + 0.1 * stain);
    if mortar {
        mix(c, [188.0, 182.0, 172.0], 0.4 * fine)
    } else {
        c
    }
}

fn pane(seed: u32, k: usize, window: &Opening, u: f64, h: f64) -> Colour {
    let middle = (window.left + window.right) / 2.0;
    let bar = (u - middle).abs() < 0.04 || (k == 0 && (h - 1.95).abs() < 0.035);
    if bar {
        return FRAME;
    }
    let from_side = (u - window.left).min(window.right - u);
    let curtain = from_side < 0.22 + 0.3 * f64::from(unit(seed as i32, k as i32));
    if curtain {
        let fold = 0.85 + 0.15 * ((u * 40.0).sin() as f32);
        let cloth = [
            [204.0, 190.0, 164.0],
            [160.0, 176.0, 186.0],
            [196.0, 164.0, 140.0],
        ];
        return shade(cloth[hash(seed, 40 + k as u32) as usize % 3], fold);
    }
    let lit = hash(seed, 50 + k as u32).is_multiple_of(3);
    let sill_plant = k == 0 && h < window.bottom + 0.35 && noise(u * 5.0, 3.0) > 0.55;
    if sill_plant {
        return [70.0, 104.0, 58.0];
    }
    let up = ((h - window.bottom) / (window.top - window.bottom)) as f32;
    let sheen = if ((u + h * 0.7) * 1.4).rem_euclid(2.2) < 0.5 {
        1.3
    } else {
        1.0
    };
    let inside = if lit { [196.0, 158.0, 98.0] } else { GLASS };
    shade(mix(shade(inside, 0.8), inside, up), sheen)
}

fn roof(seed: u32, u: f64, h: f64) -> Colour {
    let tiles = [[150.0, 78.0, 56.0], [92.0, 88.0, 90.0], [126.0, 72.0, 58.0]];
    let base = tiles[hash(seed, 2) as usize % 3];
    let row = (h / 0.2).floor();
    let tone = unit((u / 0.3).floor() as i32, row as i32);
    let edge = line(h, 0.2, 0.04);
    shade(base, if edge { 0.72 } else { 0.88 + 0.2 * tone })
}

fn block(seed: u32, u: f64, h: f64) -> Colour {
    let base = [
        [176.0, 168.0, 156.0],
        [150.0, 120.0, 102.0],
        [190.0, 186.0, 180.0],
    ];
    let c = base[hash(seed, 8) as usize % 3];
    let window = u.rem_euclid(3.2) > 1.2 && (0.9..2.3).contains(&h.rem_euclid(3.0)) && seed < 900;
    if window {
        let lit = hash((u / 3.2) as i32 as u32, (h / 3.0) as u32 + seed).is_multiple_of(5);
        return if lit {
            [190.0, 164.0, 112.0]
        } else {
            [70.0, 84.0, 98.0]
        };
    }
    let slab = line(h, 3.0, 0.2);
    shade(
        c,
        if slab {
            0.8
        } else {
            0.92 + 0.1 * noise(u * 0.5, h * 0.5)
        },
    )
}

fn hedge(u: f64, h: f64) -> Colour {
    let leaf = noise(u * 9.0, h * 9.0) * 0.6 + noise(u * 23.0, h * 23.0) * 0.4;
    shade(
        mix([40.0, 70.0, 34.0], [92.0, 128.0, 60.0], leaf),
        0.7 + 0.35 * h as f32,
    )
}

fn car_body(seed: u32, u: f64, h: f64, front: bool) -> Colour {
    if front {
        for hub in [0.85, 3.3] {
            let r = (u - hub).hypot(h - 0.32);
            if r < 0.17 {
                return [176.0, 178.0, 182.0];
            }
            if r < 0.33 {
                return [28.0, 28.0, 30.0];
            }
        }
        if h < 0.16 {
            return [40.0, 40.0, 42.0];
        }
        if line(u - 1.5, 1.25, 0.02) && h > 0.3 && (1.4..3.2).contains(&u) {
            return shade(paint(seed), 0.6);
        }
        if !(0.12..=4.08).contains(&u) && (0.5..0.7).contains(&h) {
            return [206.0, 196.0, 150.0];
        }
    } else if (0.35..0.5).contains(&h) && (0.6..1.12).contains(&u) {
        return [222.0, 190.0, 60.0];
    } else if h < 0.2 {
        return [44.0, 44.0, 46.0];
    }
    shade(paint(seed), 0.72 + 0.3 * h as f32)
}

fn car_glass(seed: u32, u: f64, h: f64) -> Colour {
    if h > 1.38 || line(u, 1.25, 0.07) {
        shade(paint(seed), 0.9)
    } else {
        mix(
            [38.0, 46.0, 54.0],
            [110.0, 130.0, 146.0],
            ((h - 0.85) * 1.2) as f32,
        )
    }
}

/// A tree `across` metres off its axis and `h` metres up; `None` beside it.
pub(super) fn tree(across: f64, h: f64, crown_y: f64, radius: f64) -> Option<Colour> {
    let ragged = 0.85 + 0.3 * f64::from(noise(across * 3.5 + crown_y * 7.0, h * 3.5));
    let r = across.hypot((h - crown_y) * 0.9);
    if r < radius * ragged {
        let leaf = noise(across * 6.0, h * 6.0) * 0.5 + noise(across * 17.0, h * 17.0) * 0.5;
        let light = 0.75 + 0.3 * ((h - crown_y) / radius) as f32;
        return Some(shade(
            mix([48.0, 82.0, 36.0], [122.0, 152.0, 70.0], leaf),
            light,
        ));
    }
    (across.abs() < 0.14 && (0.0..crown_y).contains(&h)).then(|| {
        shade(
            [96.0, 76.0, 56.0],
            0.8 + 0.3 * noise(across * 30.0, h * 4.0),
        )
    })
}
