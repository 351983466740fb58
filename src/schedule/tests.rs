use super::*;
use crate::frame::{Matrix, Picture};

const HD: Size = Size {
    width: 1920,
    height: 1080,
};

/// CPU seconds an input sample takes on the machine of these tests.
const COST_S: f64 = 1e-7;

fn rules(cpu_share: f64) -> Rules {
    Rules {
        cpu_share,
        sweep: Duration::from_millis(500),
        long_side: 640,
    }
}

fn grey(size: Size) -> Picture {
    let samples = size.width as usize * size.height as usize;
    Picture::from_rgb(&vec![90; 3 * samples], size, Matrix::Bt709).unwrap()
}

fn at(ms: u64) -> Mono {
    Mono(3_600_000_000_000 + ms * 1_000_000)
}

/// A camera of 25 frames a second for `seconds`: for each look its time and parts.
fn play(
    schedule: &mut Schedule,
    seconds: u64,
    followed: impl Fn(u64) -> Vec<(Class, PixelBox)>,
) -> Vec<(u64, Vec<Part>)> {
    let picture = grey(HD);
    let picture = picture.frame().unwrap();
    let mut looks = Vec::new();
    for ms in (0..seconds * 1000).step_by(40) {
        if at(ms) < schedule.next_look() {
            continue;
        }
        let parts = schedule.parts(at(ms), &picture, &followed(ms));
        let px: f64 = parts.iter().map(Part::cost_px).sum();
        schedule.looked(at(ms), &parts, Duration::from_secs_f64(px * COST_S));
        looks.push((ms, parts));
    }
    looks
}

fn spent_s(looks: &[(u64, Vec<Part>)]) -> f64 {
    let parts = looks.iter().flat_map(|(_, parts)| parts);
    COST_S * parts.map(Part::cost_px).sum::<f64>()
}

#[test]
fn the_budget_is_kept_and_what_it_does_not_reach_is_told() {
    // (share of a core, whether every tile is visited in time)
    for (share, in_time) in [(0.05, false), (0.2, false), (0.9, true), (4.0, true)] {
        let mut schedule = Schedule::new(rules(share), HD);
        let looks = play(&mut schedule, 30, |_| Vec::new());
        let used = spent_s(&looks) / 30.0;
        assert!(used <= share * 1.05, "{used} of {share}");
        let behind = schedule.behind(at(30_000));
        assert_eq!(behind.tiles, 9);
        assert_eq!(behind.overdue == 0, in_time, "{share}: {behind:?}");
        // However small the budget, each tile has its turn.
        let tiles = tiles(HD);
        for tile in &tiles {
            let seen = looks.iter().filter(|(_, parts)| parts.contains(tile));
            assert!(seen.count() >= 1, "{share}: {tile:?}");
        }
        assert!(looks.iter().all(|(_, parts)| parts[0].long_side == 640));
    }
}

#[test]
fn a_small_thing_that_is_followed_is_looked_at_every_time() {
    let small = |ms: u64| {
        let x = 100.0 + ms as f64 * 0.1;
        let at = PixelBox {
            x0: x,
            y0: 500.0,
            x1: x + 20.0,
            y1: 524.0,
        };
        vec![(Class::Face, at)]
    };
    let mut schedule = Schedule::new(rules(0.4), HD);
    for (ms, parts) in play(&mut schedule, 10, small) {
        assert!(
            schedule.shown(&parts, Class::Face, &small(ms)[0].1),
            "{ms}: {parts:?}"
        );
    }
    // What the whole picture shows large enough needs nothing more.
    let large = PixelBox {
        x0: 100.0,
        y0: 500.0,
        x1: 200.0,
        y1: 600.0,
    };
    let mut schedule = Schedule::new(rules(0.4), HD);
    let tiles = tiles(HD);
    for (_, parts) in play(&mut schedule, 2, |_| vec![(Class::Face, large)]) {
        assert!(parts[1..].iter().all(|p| tiles.contains(p)));
    }
}

#[test]
fn what_is_too_small_in_the_picture_itself_is_looked_for_at_its_own_size() {
    let tiny = |_| {
        let at = PixelBox {
            x0: 100.0,
            y0: 500.0,
            x1: 107.0,
            y1: 508.0,
        };
        vec![(Class::Face, at)]
    };
    let is_shown = |schedule: &Schedule, parts: &[Part]| {
        let (class, at) = tiny(0)[0];
        schedule.shown(parts, class, &at)
    };
    let mut schedule = Schedule::new(rules(0.4), HD);
    for (ms, parts) in play(&mut schedule, 2, tiny) {
        assert!(is_shown(&schedule, &parts), "{ms}: {parts:?}");
        assert!(!is_shown(&schedule, &parts[..1]), "{ms}: {parts:?}");
    }
    // A small picture is seen whole at its own size.
    let small = Size {
        width: 640,
        height: 600,
    };
    let schedule = Schedule::new(rules(0.4), small);
    assert!(is_shown(&schedule, &[Part::whole(small, 640)]));
}

#[test]
fn a_tile_in_which_something_moves_is_looked_at_before_the_others() {
    let mut schedule = Schedule::new(rules(0.4), HD);
    let mut seen = vec![0; 9];
    let tiles = tiles(HD);
    for i in 0..250_u64 {
        let (now, mut rgb) = (at(40 * i), vec![90; 1920 * 1080 * 3]);
        if now < schedule.next_look() {
            continue;
        }
        // Twenty samples walk to and fro in the last tile only.
        let x0 = 1500 + (i as usize * 9) % 300;
        for y in 900..924 {
            for x in x0..x0 + 20 {
                rgb[3 * (y * 1920 + x)..][..3].fill(200);
            }
        }
        let picture = Picture::from_rgb(&rgb, HD, Matrix::Bt709).unwrap();
        let parts = schedule.parts(now, &picture.frame().unwrap(), &[]);
        let px: f64 = parts.iter().map(Part::cost_px).sum();
        schedule.looked(now, &parts, Duration::from_secs_f64(px * COST_S));
        for (n, tile) in seen.iter_mut().zip(&tiles) {
            *n += usize::from(parts.contains(tile));
        }
    }
    let others = seen[..8].iter().max().unwrap();
    assert!(seen[8] > 2 * others, "{seen:?}");
}

#[test]
fn a_picture_that_is_shown_large_enough_has_no_tiles() {
    let size = Size {
        width: 768,
        height: 432,
    };
    let mut schedule = Schedule::new(rules(0.5), size);
    let picture = grey(size);
    let parts = schedule.parts(at(0), &picture.frame().unwrap(), &[]);
    assert_eq!(parts, [Part::whole(size, 640)]);
    assert_eq!(schedule.behind(at(9_000)), Behind::default());
}
