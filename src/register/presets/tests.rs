use super::super::reference::Cells;
use super::super::testing::{SIZE, Street};
use super::*;

const SQUARE: [f64; 3] = [0.0, -12.0, 60.0];
const HARBOUR: [f64; 3] = [75.0, -5.0, 40.0];

fn reference(at: [f64; 3]) -> Arc<Reference> {
    let pictures: Vec<Small> = (0..8).map(|_| Street::default().seen(at)).collect();
    let hidden = Cells::of(SIZE, 1, |x, _| x > 280);
    Arc::new(Reference::learn(&pictures, &hidden).unwrap())
}

fn watch() -> PresetWatch {
    let mut watch = PresetWatch::default();
    watch.set(vec![vec![reference(SQUARE)], vec![reference(HARBOUR)]]);
    watch
}

/// What is said of `n` pictures there, one by one.
fn rests(watch: &mut PresetWatch, at: [f64; 3], n: usize) -> Vec<Rest> {
    let picture = Street::default().seen(at);
    (0..n).map(|_| watch.see(&picture).unwrap()).collect()
}

const AWAY: Rest = Rest::Away(Away::Elsewhere);

#[test]
fn a_tour_is_shown_only_where_it_rests() {
    let mut watch = watch();
    for (preset, at) in [(0, SQUARE), (1, HARBOUR), (0, SQUARE)] {
        let said = rests(&mut watch, at, 8);
        assert_eq!(
            said[..4],
            [AWAY; 4],
            "a head that passes by shows this, too"
        );
        assert_eq!(said[4..], [Rest::On(preset); 4]);
        // The very first picture of a move.
        let [pan, tilt, view] = at;
        assert_eq!(rests(&mut watch, [pan + 0.6, tilt, view], 1), [AWAY]);
        // And no later one, until it rests somewhere.
        for step in 1..10 {
            let moved = [pan + 3.0 * f64::from(step), tilt, view];
            assert_eq!(rests(&mut watch, moved, 1), [AWAY]);
            assert_eq!(watch.still(), 0);
        }
    }
}

#[test]
fn a_preset_saved_elsewhere_stays_covered() {
    let mut watch = watch();
    let [pan, tilt, view] = SQUARE;
    assert_eq!(rests(&mut watch, [pan + 1.0, tilt, view], 20), [AWAY; 20]);
    assert_eq!(watch.still(), 19, "it stands still");
    // Nothing is learnt by looking long enough, nor by creeping there.
    assert_eq!(rests(&mut watch, SQUARE, 5)[4], Rest::On(0));
    for step in 0..50 {
        let crept = [pan + 0.05 * f64::from(step), tilt, view];
        let said = rests(&mut watch, crept, 1)[0];
        if step > 8 {
            assert_eq!(said, AWAY, "step {step}");
        }
    }
}

#[test]
fn what_nobody_vouched_for_or_looks_like_two_is_covered() {
    let mut none = PresetWatch::default();
    assert_eq!(
        rests(&mut none, SQUARE, 6),
        [Rest::Away(Away::Unverified); 6]
    );
    let mut twins = PresetWatch::default();
    twins.set(vec![vec![reference(SQUARE)], vec![reference(SQUARE)]]);
    assert_eq!(rests(&mut twins, SQUARE, 9), [Rest::Away(Away::Alike); 9]);
    // One place at two times of the day is one place.
    let mut watch = PresetWatch::default();
    watch.set(vec![vec![reference(HARBOUR), reference(SQUARE)]]);
    assert_eq!(rests(&mut watch, SQUARE, 6)[5], Rest::On(0));
    // Vouched for no more: with the very next picture.
    watch.set(vec![Vec::new()]);
    assert_eq!(rests(&mut watch, SQUARE, 1), [Rest::Away(Away::Unverified)]);
}

#[test]
fn a_stream_that_begins_anew_is_looked_at_anew() {
    let mut watch = watch();
    assert_eq!(rests(&mut watch, SQUARE, 6)[5], Rest::On(0));
    watch.restarted();
    assert_eq!(
        rests(&mut watch, SQUARE, 5),
        [AWAY, AWAY, AWAY, AWAY, Rest::On(0)]
    );
}
