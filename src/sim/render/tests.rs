use super::super::lens::direction;
use super::*;

fn pose(pan_deg: f64, tilt_deg: f64, roll_deg: f64, hfov_deg: f64) -> Pose {
    Pose {
        pan_deg,
        tilt_deg,
        roll_deg,
        zoom: 0.0,
        hfov_deg,
    }
}

/// A texture that says where it was read: luma is the column modulo a period,
/// so that a difference of coordinates is a difference of values.
fn ramp(width: usize, height: usize) -> Texture {
    let y = (0..width * height)
        .map(|i| (i % width * 255 / width) as u8)
        .collect();
    Texture {
        y,
        u: vec![128; width * height / 4],
        v: vec![128; width * height / 4],
        width,
        height,
    }
}

/// The picture agrees with a plain calculation, pixel by pixel: invert the
/// distortion by bisection, turn the ray, meet the poster, read the ramp.
#[test]
fn every_pixel_looks_where_the_lens_equations_say() {
    let size = Size {
        width: 320,
        height: 184,
    };
    let poster = Poster {
        texture: ramp(1024, 1024),
        hfov_deg: 120.0,
    };
    let scale = 512.0 / 60f64.to_radians().tan();
    let backdrop = Backdrop::Poster(Arc::new(poster));
    for (k1, k2) in [(0.0, 0.0), (-0.05, 0.0), (-0.12, 0.03)] {
        for p in [
            pose(0.0, 0.0, 0.0, 60.0),
            pose(12.0, -9.0, 8.0, 40.0),
            pose(-20.0, 5.0, 0.0, 5.0),
        ] {
            let mut out = vec![0; size.i420_len()];
            Renderer::new(k1, k2, false).draw(&backdrop, &p, 0.0, size, &mut out);
            let f = 160.0 / (p.hfov_deg / 2.0).to_radians().tan();
            for (i, j) in [(0, 0), (319, 183), (160, 92), (33, 150), (200, 7), (77, 99)] {
                let (xd, yd) = ((i as f64 + 0.5 - 160.0) / f, (j as f64 + 0.5 - 92.0) / f);
                let rd = xd.hypot(yd);
                let (mut low, mut high) = (0.0, 1.2);
                for _ in 0..60 {
                    let r: f64 = (low + high) / 2.0;
                    if r * (1.0 + k1 * r * r + k2 * r.powi(4)) < rd {
                        low = r;
                    } else {
                        high = r;
                    }
                }
                let (x, y) = (xd * low / rd, yd * low / rd);
                // Turn by roll, then tilt, then pan.
                let (s, c) = p.roll_deg.to_radians().sin_cos();
                let (x, up) = (c * x - s * y, -(s * x + c * y));
                let (s, c) = p.tilt_deg.to_radians().sin_cos();
                let (up, ahead) = (c * up + s, c - s * up);
                let (s, c) = p.pan_deg.to_radians().sin_cos();
                let (x, ahead) = (c * x + s * ahead, c * ahead - s * x);
                let u = 512.0 + x / ahead * scale;
                let v = 512.0 - up / ahead * scale;
                if !(2.0..1022.0).contains(&u) || !(2.0..1022.0).contains(&v) {
                    continue;
                }
                let expected = (u - 0.5) * 255.0 / 1024.0;
                let got = f64::from(out[j * 320 + i]);
                assert!(
                    (got - expected).abs() < 1.2,
                    "{p:?} k1={k1} pixel ({i},{j}): {got}, expected {expected}"
                );
            }
        }
    }
}

/// Whether a direction is inside a place, by great-circle winding angles seen
/// from the direction: nothing here is shared with the overlay's planes.
fn is_inside(place: &PrivatePlace, d: Vec3) -> bool {
    let tangent = |p: Vec3| {
        let along = dot(p, d);
        std::array::from_fn::<f64, 3, _>(|k| p[k] - along * d[k])
    };
    let mut sum = 0.0;
    for (k, &a) in place.outline.iter().enumerate() {
        let b = place.outline[(k + 1) % place.outline.len()];
        let (a, b) = (tangent(a), tangent(b));
        let turn = dot(super::super::lens::cross(a, b), d);
        sum += turn.atan2(dot(a, b));
    }
    sum.abs() > std::f64::consts::PI
}

#[test]
fn the_canary_fills_its_places_and_nothing_else() {
    let size = Size {
        width: 320,
        height: 184,
    };
    let street = Backdrop::Street(street());
    let places = private_places();
    let mut seen = 0usize;
    for p in [
        pose(0.0, -14.0, 0.0, 60.0),
        pose(178.0, -22.0, 5.0, 60.0),
        pose(30.0, -72.0, 0.0, 60.0),
        pose(-20.0, -5.0, 0.0, 6.0),
        pose(123.0, -90.0, 0.0, 60.0),
    ] {
        let mut with = vec![0; size.i420_len()];
        let mut without = vec![0; size.i420_len()];
        Renderer::new(-0.05, 0.0, true).draw(&street, &p, 7.0, size, &mut with);
        Renderer::new(-0.05, 0.0, false).draw(&street, &p, 7.0, size, &mut without);
        let view = View::new(&p, size.width, size.height, -0.05, 0.0);
        let mut lies = vec![None; size.width * size.height];
        for j in 0..size.height {
            for i in 0..size.width {
                let at = |du: f64, dv: f64| {
                    let d = view.direction_at(i as f64 + 0.5 + du, j as f64 + 0.5 + dv);
                    places.iter().any(|place| is_inside(place, normalised(d)))
                };
                let painted = with[j * 320 + i] != without[j * 320 + i];
                let canary = with[j * 320 + i] == CANARY_YUV[0];
                // On an outline a hundredth of a pixel decides.
                let e = 0.05;
                let near: Vec<bool> = [(e, e), (e, -e), (-e, e), (-e, -e)]
                    .map(|(u, v)| at(u, v))
                    .to_vec();
                if near.iter().all(|&x| x == near[0]) {
                    lies[j * 320 + i] = Some(near[0]);
                }
                if near.iter().all(|&x| x) {
                    assert!(canary, "{p:?}: ({i},{j}) inside is not canary");
                    seen += 1;
                } else if near.iter().all(|&x| !x) {
                    assert!(!painted, "{p:?}: ({i},{j}) outside is painted");
                }
            }
        }
        let chroma = size.width * size.height;
        for k in 0..chroma / 4 {
            // A chroma sample colours four pixels, so all four must be the canary's.
            let (i, j) = (k % 160 * 2, k / 160 * 2);
            let four = [(i, j), (i + 1, j), (i, j + 1), (i + 1, j + 1)];
            let lies = four.map(|(i, j)| lies[j * 320 + i]);
            for (plane, value) in [(chroma, CANARY_YUV[1]), (chroma * 5 / 4, CANARY_YUV[2])] {
                let (got, bare) = (with[plane + k], without[plane + k]);
                if lies == [Some(true); 4] {
                    assert_eq!(got, value, "{p:?}: chroma at ({i},{j}) is not canary");
                } else if lies.contains(&Some(false)) {
                    assert_eq!(got, bare, "{p:?}: chroma at ({i},{j}) is painted");
                }
            }
            let (u, v) = (without[chroma + k], without[chroma * 5 / 4 + k]);
            let near = u.abs_diff(CANARY_YUV[1]) < 40 && v.abs_diff(CANARY_YUV[2]) < 60;
            assert!(
                !near,
                "{p:?}: the street has a colour near the canary's: {u} {v}"
            );
        }
    }
    assert!(seen > 5_000, "only {seen} canary pixels were seen");
}

#[test]
fn all_directions_can_be_drawn() {
    let size = Size {
        width: 320,
        height: 184,
    };
    let street = Backdrop::Street(street());
    let mut renderer = Renderer::new(-0.05, 0.0, true);
    for tilt in [-90.0, -60.0, -53.0, -30.0, 0.0, 20.0] {
        for pan in [-180.0, -90.0, -0.01, 0.0, 0.01, 90.0, 179.99, 725.0] {
            for hfov in [60.0, 3.0, 110.0] {
                let mut out = vec![0; size.i420_len()];
                let p = pose(pan, tilt, 3.0, hfov);
                renderer.draw(&street, &p, 0.0, size, &mut out);
                let d = direction(pan, tilt);
                assert!(d.iter().all(|x| x.is_finite()));
                assert!(out[..320 * 184].iter().all(|&y| y >= 16), "{p:?} has holes");
            }
        }
    }
}

#[test]
fn a_buffer_of_the_wrong_length_is_left_alone() {
    let size = Size {
        width: 320,
        height: 184,
    };
    let mut out = vec![7; 10];
    Renderer::new(0.0, 0.0, false).draw(
        &Backdrop::Poster(Arc::new(Poster {
            texture: ramp(64, 64),
            hfov_deg: 60.0,
        })),
        &pose(0.0, 0.0, 0.0, 60.0),
        0.0,
        size,
        &mut out,
    );
    assert_eq!(out, vec![7; 10]);
}
