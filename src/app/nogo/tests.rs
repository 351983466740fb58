//! Where nobody may look, over a world that is private on one side.

use super::*;

const REACH: Reach = Reach {
    pan_deg: [-180.0, 180.0],
    tilt_deg: [-90.0, 20.0],
    hfov_deg: [2.0, 60.0],
    endless_pan: true,
    max_speed_deg_s: 100.0,
};

/// Everything to the right of pan 0 is private: the share of the picture there.
fn right_half(at: Standing) -> f64 {
    (0.5 + at.pan_deg / at.hfov_deg).clamp(0.0, 1.0)
}

fn rules(least_hfov_deg: Option<f64>, most_hidden_share: Option<f64>) -> Steering {
    Steering {
        most_speed: 1.0,
        least_hfov_deg,
        most_hidden_share,
    }
}

fn no_go(rules: Steering) -> NoGo<'static> {
    NoGo {
        rules,
        reach: REACH,
        hidden: &right_half,
    }
}

fn at(pan_deg: f64, hfov_deg: f64) -> Standing {
    Standing {
        pan_deg,
        tilt_deg: 0.0,
        hfov_deg,
    }
}

/// As a camera turns: its picture's width in 1.5 s, its lens at half of 2 a second.
fn rates(hfov_deg: f64) -> impl Fn(Deflection) -> Rates {
    move |by| Rates {
        pan_deg_s: by.pan * hfov_deg / 1.5,
        tilt_deg_s: by.tilt * hfov_deg / 1.5,
        ln_focal_s: by.zoom,
    }
}

const fn push(pan: f64, zoom: f64) -> Deflection {
    Deflection {
        pan,
        tilt: 0.0,
        zoom,
    }
}

#[test]
fn it_is_sent_only_where_one_may_look() {
    let both = no_go(rules(Some(5.0), Some(0.95)));
    for (there, may) in [
        (at(0.0, 20.0), true),
        (at(8.9, 20.0), true),
        (at(9.1, 20.0), false),
        (at(180.0, 20.0), false),
        (at(-10.0, 5.0), true),
        (at(-10.0, 4.95), true),
        (at(-10.0, 4.8), false),
    ] {
        assert_eq!(both.place(there).is_ok(), may, "{there:?}");
    }
    let none = no_go(rules(None, None));
    assert_eq!(none.place(at(90.0, 2.0)), Ok(()));
    assert_eq!(
        none.turn(push(1.0, 1.0), None, rates(60.0)),
        Ok(push(1.0, 1.0))
    );
}

#[test]
fn a_turn_slows_down_before_the_edge_and_ends_at_it() {
    let private = no_go(rules(None, Some(0.95)));
    for (now, by, expected) in [
        (at(-60.0, 20.0), push(1.0, 0.0), Some(push(1.0, 0.0))),
        (at(0.0, 20.0), push(1.0, 0.0), Some(push(0.25, 0.0))),
        (at(0.0, 20.0), push(-1.0, 0.0), Some(push(-1.0, 0.0))),
        (at(8.5, 20.0), push(1.0, 0.0), None),
        (at(8.5, 20.0), push(-1.0, 0.0), Some(push(-1.0, 0.0))),
        // Already inside: out again, and no further in.
        (at(9.5, 20.0), push(0.2, 0.0), None),
        (at(9.5, 20.0), push(-0.2, 0.0), Some(push(-0.2, 0.0))),
        (at(40.0, 20.0), push(0.2, 0.0), Some(push(0.2, 0.0))),
        // Closer may be further in, too.
        (at(5.0, 20.0), push(0.0, 1.0), Some(push(0.0, 0.25))),
        (at(9.5, 20.0), push(0.0, -1.0), Some(push(0.0, -1.0))),
    ] {
        let found = private.turn(by, Some(now), rates(now.hfov_deg)).ok();
        assert_eq!(found, expected, "{by:?} at {now:?}");
    }
    assert!(private.turn(push(1.0, 0.0), None, rates(20.0)).is_err());
}

#[test]
fn the_lens_goes_no_closer_than_it_may() {
    let close = no_go(rules(Some(10.0), None));
    for (hfov, by, expected) in [
        (60.0, push(0.5, 1.0), Some(push(0.5, 1.0))),
        (19.0, push(0.5, 1.0), Some(push(0.5, 0.25))),
        (10.2, push(0.5, 1.0), Some(push(0.5, 0.0))),
        (10.2, push(0.0, 1.0), None),
        (9.9, push(0.5, 0.0), Some(push(0.5, 0.0))),
        (9.0, push(0.5, 0.0), None),
        (9.0, push(0.5, -0.1), Some(push(0.5, -0.1))),
    ] {
        let found = close.turn(by, Some(at(0.0, hfov)), rates(hfov)).ok();
        assert_eq!(found, expected, "{by:?} at {hfov}");
    }
}

/// Whatever somebody does with the stick: told again every quarter of a second, with
/// a position that is 0.4 s old, nobody comes to see what nobody may.
#[test]
fn no_stick_leads_where_one_may_not_look() {
    let both = no_go(rules(Some(5.0), Some(0.95)));
    let mut random = 1_u64;
    let mut share = || {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (random >> 33) as f64 / f64::from(1_u32 << 30) - 1.0
    };
    let (mut past, mut now) = (vec![at(-30.0, 40.0)], at(-30.0, 40.0));
    let mut moved = 0;
    for _ in 0..4000 {
        // Mostly into the private side and closer.
        let by = push(share().max(-0.3), share().max(-0.2));
        let known = past[past.len().saturating_sub(2)];
        let rates = rates(known.hfov_deg);
        if let Ok(by) = both.turn(by, Some(known), &rates) {
            now = now.later(rates(by), 0.25, &REACH);
            moved += 1;
        }
        assert!(right_half(now) <= 0.951, "{now:?}");
        assert!(now.hfov_deg >= 4.9, "{now:?}");
        past.push(now);
    }
    assert!(moved > 500, "{moved}");
}
