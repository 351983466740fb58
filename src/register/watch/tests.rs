use super::super::testing::{SIZE, Street};
use super::*;
use crate::geom::{Angle, View};
use crate::pose::{Drift, Margin, Support};

/// 25 pictures a second.
const FRAME_S: f64 = 0.04;

fn aspect(frame: u32, [pan, tilt, hfov]: [f64; 3]) -> Aspect {
    Aspect {
        at: CaptureTime(0).plus_seconds(f64::from(frame) * FRAME_S),
        pose: PoseEstimate {
            pan: Angle::from_deg(pan),
            tilt: Angle::from_deg(tilt),
            roll: Angle::default(),
            focal: View::focal_px_of(Angle::from_deg(hfov), SIZE.width) / f64::from(SIZE.width),
            support: Support::Bracketed { gap_s: 0.1 },
            margin: Margin {
                angle: Angle::from_deg(0.2),
                radial: 0.01,
                floor_px: 2.0,
            },
            drift: Drift::default(),
        },
        optics: Optics::default(),
        mount: Mount::default(),
    }
}

/// A camera whose head and whose words are moved apart.
#[derive(Default)]
struct Camera {
    watch: PictureWatch,
    frame: u32,
}

impl Camera {
    /// Shows `n` pictures on the way from `from` to `to` (pans, degrees) with what it tells
    /// about each of them; in how many of them it was doubted.
    fn shows(&mut self, n: u32, from: f64, to: f64, tells: impl Fn(f64) -> f64) -> u32 {
        let mut doubted = 0;
        for i in 1..=n {
            self.frame += 1;
            let pan = from + (to - from) * f64::from(i) / f64::from(n);
            let seen = Street::default().seen([pan, -8.0, 60.0]);
            let told = aspect(self.frame, [tells(pan), -8.0, 60.0]);
            doubted += u32::from(self.watch.see(seen, told).unwrap().doubts);
        }
        doubted
    }
}

#[test]
fn a_camera_that_tells_the_truth_is_never_doubted() {
    let mut camera = Camera::default();
    assert_eq!(camera.shows(55, 0.0, 0.0, |pan| pan), 0);
    assert_eq!(camera.shows(20, 0.0, 80.0, |pan| pan), 0);
    assert_eq!(camera.shows(12, 80.0, 0.0, |pan| pan), 0);
    assert_eq!(camera.shows(20, 0.0, -180.0, |pan| pan), 0);
}

#[test]
fn a_position_that_stands_still_is_doubted_until_it_is_right_again() {
    let mut camera = Camera::default();
    assert_eq!(camera.shows(52, 0.0, 0.0, |pan| pan), 0);
    // Half a degree a picture: seen before it has turned by one.
    assert!(camera.shows(40, 0.0, 20.0, |_| 0.0) >= 38);
    // It rests, and still tells where it was.
    assert_eq!(camera.shows(20, 20.0, 20.0, |_| 0.0), 20);
    // It passes by where it says it stands.
    assert_eq!(camera.shows(40, 20.0, -20.0, |_| 0.0), 40);
    assert_eq!(camera.shows(40, -20.0, 20.0, |_| 0.0), 40);
    // Two wrongs that fit each other.
    assert_eq!(camera.shows(20, 20.0, 40.0, |pan| pan - 20.0), 20);
    // Right again, at a place that nobody saw before.
    assert_eq!(camera.shows(10, 40.0, 40.0, |pan| pan), 10);
    // And where it was before the doubt.
    assert!(camera.shows(40, 40.0, 0.0, |pan| pan) < 40);
    assert_eq!(camera.shows(40, 0.0, 50.0, |pan| pan), 0);
}

#[test]
fn a_position_that_is_beside_the_truth_from_now_on_is_doubted() {
    for lie in [1.5, -5.0, 40.0] {
        let mut camera = Camera::default();
        assert_eq!(camera.shows(52, 0.0, 0.0, |pan| pan), 0);
        assert_eq!(camera.shows(20, 0.0, 10.0, |pan| pan), 0);
        assert_eq!(camera.shows(20, 10.0, 12.0, |pan| pan + lie), 20, "{lie}");
        assert!(camera.shows(20, 12.0, 2.0, |pan| pan) < 20, "{lie}");
    }
}

#[test]
fn what_follows_a_vague_position_is_not_said_to_lie_beside_its_own() {
    let mut watch = PictureWatch::default();
    let mut frame = 0;
    let mut see = |pan: f64, told: f64, off: f64| {
        frame += 1;
        let mut told = aspect(frame, [told, -8.0, 60.0]);
        told.pose.drift.own = [off, 0.0, 0.0];
        let seen = Street::default().seen([pan, -8.0, 60.0]);
        let seen = watch.see(seen, told).unwrap();
        assert!(!seen.doubts, "{pan}");
        seen.beside.deg()
    };
    for i in 0..60 {
        see(0.0, 0.0, if i < 55 { 0.2 } else { 0.1 });
    }
    for (from, off) in [(0.0, 0.8), (60.0, 0.8), (120.0, -0.8)] {
        // On its way nobody knows exactly where it looks…
        let told_of = (1..=30).map(|i| from + f64::from(i) * 2.0);
        let beside = told_of.map(|pan| see(pan, pan + off, 2.0));
        assert!(beside.fold(0.0, f64::max) > 0.6, "{from}");
        // …and then they do.
        let beside = (0..20).map(|_| see(from + 60.0, from + 60.0, 0.1));
        let last = beside.last().unwrap();
        assert!(last < 0.3, "after {from}: {last}");
    }
}

#[test]
fn a_head_that_creeps_is_not_followed() {
    let mut camera = Camera::default();
    assert_eq!(camera.shows(55, 0.0, 0.0, |pan| pan), 0);
    // 3° in 300 pictures, and it tells that it stands: less than a cell between two that
    // pictures are compared with.
    let doubted = camera.shows(300, 0.0, 3.0, |_| 0.0);
    assert!(doubted > 150, "{doubted}");
}

#[test]
fn a_lorry_in_the_way_is_over_when_it_is_gone() {
    let mut camera = Camera::default();
    let still = [0.0, -8.0, 60.0];
    assert_eq!(camera.shows(52, 0.0, 0.0, |pan| pan), 0);
    let mut doubted = 0;
    for i in 0..20 {
        camera.frame += 1;
        let lorry = Some((1.0, f64::from(i) * 4.0));
        let seen = Street {
            lorry,
            ..Street::default()
        }
        .seen(still);
        doubted += u32::from(
            camera
                .watch
                .see(seen, aspect(camera.frame, still))
                .unwrap()
                .doubts,
        );
    }
    println!("{doubted} of 20 pictures of a lorry");
    assert_eq!(camera.shows(30, 0.0, 0.0, |pan| pan), 0);
}

#[test]
fn another_picture_size_begins_anew() {
    let mut camera = Camera::default();
    assert_eq!(camera.shows(52, 0.0, 0.0, |pan| pan), 0);
    let size = Size {
        width: 160,
        height: 90,
    };
    let small = Small::from_luma(size, vec![7; 160 * 90]);
    assert!(
        !camera
            .watch
            .see(small, aspect(53, [0.0, -8.0, 60.0]))
            .unwrap()
            .doubts
    );
    camera.watch.restarted();
    assert_eq!(camera.shows(5, 30.0, 30.0, |pan| pan), 0);
}

#[test]
fn a_camera_that_turned_unseen_is_doubted() {
    let mut camera = Camera::default();
    assert_eq!(camera.shows(52, 0.0, 0.0, |pan| pan), 0);
    // The stream breaks, the head turns meanwhile, and tells that it did not.
    camera.watch.restarted();
    assert_eq!(camera.shows(5, 80.0, 80.0, |_| 0.0), 5);
}

#[test]
fn what_a_late_clock_shows_at_one_speed_is_no_proof() {
    let mut camera = Camera::default();
    assert_eq!(camera.shows(52, 0.0, 0.0, |pan| pan), 0);
    // 25° a second, and a clock that is 0.2 s late.
    let late = |pan: f64| pan - 5.0;
    assert_eq!(camera.shows(20, 5.0, 25.0, |pan| pan), 0);
    assert!(camera.shows(20, 25.0, 45.0, late) >= 19);
    // It comes by again at the same speed, later and later.
    assert_eq!(camera.shows(20, 45.0, 65.0, late), 20);
    assert_eq!(camera.shows(45, -15.0, 30.0, late), 45);
}

#[test]
fn a_camera_with_one_speed_is_believed_again_where_all_is_as_it_was() {
    let mut camera = Camera::default();
    // 25° a second, all the time.
    assert_eq!(camera.shows(120, 0.0, 120.0, |pan| pan), 0);
    camera.watch.restarted();
    // Beside the truth for a while, as fast as ever.
    assert!(camera.shows(20, 0.0, 20.0, |pan| pan + 10.0) >= 19);
    camera.watch.restarted();
    // One place again is not enough, two are.
    let doubted = camera.shows(80, 20.0, 100.0, |pan| pan);
    assert!((2..60).contains(&doubted), "{doubted}");
    assert_eq!(camera.shows(20, 100.0, 120.0, |pan| pan), 0);
}
