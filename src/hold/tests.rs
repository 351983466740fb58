use super::*;

const MS: u64 = 1_000_000;

fn at(ms: u64) -> Mono {
    Mono(ms * MS)
}

fn hold(capacity: usize) -> Hold<char> {
    Hold::new(
        capacity,
        Budget {
            total: Duration::from_millis(250),
            reserve: Duration::from_millis(20),
        },
    )
}

/// Pushes `frames` (name, arrival in ms), then polls at each of `polls` (time
/// in ms, frames whose evidence is complete) and compares what it says.
fn check(frames: &[(char, u64)], polls: &[(u64, &str, &str)]) {
    let mut hold = hold(4);
    for &(name, ms) in frames {
        // The capture time stands for the frame in `ready`.
        let capture = Some(CaptureTime(i64::from(u32::from(name))));
        assert_eq!(hold.push(name, at(ms), capture), Pushed::Held);
    }
    for &(now, complete, expected) in polls {
        let said = match hold.poll(at(now), |capture| {
            complete
                .chars()
                .any(|c| capture == Some(CaptureTime(i64::from(u32::from(c)))))
        }) {
            Polled::Release { held, why, push_by } => {
                format!("{} {why:?} by {}", held.frame, push_by.0 / MS)
            }
            Polled::Late(held) => format!("{} late", held.frame),
            Polled::WaitUntil(t) => format!("wait {}", t.0 / MS),
            Polled::Empty => "empty".to_owned(),
        };
        assert_eq!(said, expected, "polled at {now} ms with {complete:?} known");
    }
}

#[test]
fn frames_leave_by_evidence_or_deadline_and_in_order() {
    let three = [('a', 1000), ('b', 1040), ('c', 1080)];
    check(&[], &[(5, "", "empty")]);
    check(&three, &[(1081, "", "wait 1230")]);
    check(
        &three,
        &[(1081, "a", "a Evidence by 1250"), (1081, "a", "wait 1270")],
    );
    // Evidence for a later frame does not let it overtake.
    check(
        &three,
        &[
            (1081, "bc", "wait 1230"),
            (1100, "abc", "a Evidence by 1250"),
        ],
    );
    // One nanosecond decides: the deadline itself releases.
    check(
        &three,
        &[(1229, "", "wait 1230"), (1230, "", "a Deadline by 1250")],
    );
    // Known in the last moment is still known.
    check(&three, &[(1250, "a", "a Evidence by 1250")]);
    check(&three, &[(1250, "", "a Deadline by 1250")]);
    // After its budget a frame never leaves, known or not.
    check(
        &three,
        &[
            (1251, "abc", "a late"),
            (1251, "", "wait 1270"),
            (1400, "abc", "b late"),
            (1400, "abc", "c late"),
            (1400, "abc", "empty"),
        ],
    );
}

#[test]
fn a_full_hold_gives_up_its_oldest() {
    let mut hold = hold(2);
    for (name, ms) in [('a', 0), ('b', 40)] {
        assert_eq!(hold.push(name, at(ms), None), Pushed::Held);
    }
    let Pushed::Displaced(held) = hold.push('c', at(80), None) else {
        panic!("a third frame found room for two");
    };
    assert_eq!((held.frame, held.arrival), ('a', at(0)));
    assert_eq!(hold.len(), 2);
    assert_eq!(hold.drain().map(|h| h.frame).collect::<String>(), "bc");
    assert!(hold.is_empty());
}

#[test]
fn a_hold_for_nothing_still_holds_one() {
    let mut hold = hold(0);
    assert_eq!(hold.push('a', at(0), None), Pushed::Held);
    assert!(matches!(hold.push('b', at(1), None), Pushed::Displaced(h) if h.frame == 'a'));
}

#[test]
fn a_new_budget_holds_for_those_who_wait() {
    let mut hold = hold(2);
    assert_eq!(hold.push('a', at(1000), None), Pushed::Held);
    hold.set_budget(Budget {
        total: Duration::from_millis(100),
        reserve: Duration::from_millis(200),
    });
    assert!(matches!(
        hold.poll(at(1000), |_| false),
        Polled::Release { why: Why::Deadline, push_by, .. } if push_by == at(1100)
    ));
}

#[test]
fn the_reserve_follows_the_slowest_of_late() {
    let ms = Duration::from_millis;
    let mut reserve = Reserve::new(ms(4), ms(40));
    assert_eq!(reserve.now(), ms(40), "nothing measured yet");
    for _ in 0..200 {
        reserve.took(ms(6));
    }
    assert_eq!(reserve.now(), ms(9));
    reserve.took(ms(20));
    assert_eq!(reserve.now(), ms(30));
    reserve.took(ms(400));
    assert_eq!(reserve.now(), ms(40), "bounded above");
    for _ in 0..200 {
        reserve.took(ms(1));
    }
    assert_eq!(reserve.now(), ms(4), "bounded below");
}
