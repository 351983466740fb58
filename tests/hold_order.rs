//! What holds for every hold, whatever comes and whenever it is asked.
#![allow(clippy::panic, reason = "a test that fails should fail loudly")]

use std::time::Duration;

use greyplane::clock::{CaptureTime, Mono};
use greyplane::hold::{Budget, Hold, Polled, Pushed, Why};
use proptest::prelude::*;

/// What happens to a hold in one step.
#[derive(Clone, Debug)]
enum Step {
    /// A frame comes, so many milliseconds later.
    Push(u64),
    /// Its owner asks, so many milliseconds later; evidence reaches as far as
    /// the frame with this number.
    Poll(u64, u32),
    /// A reload changes the budget and the reserve, milliseconds.
    Budget(u64, u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0u64..90).prop_map(Step::Push),
        5 => (0u64..130, 0u32..60).prop_map(|(ms, known)| Step::Poll(ms, known)),
        1 => (0u64..400, 0u64..100).prop_map(|(total, reserve)| Step::Budget(total, reserve)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn frames_leave_once_in_order_and_never_late(
        capacity in 0usize..7,
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let ms = Duration::from_millis;
        let mut budget = Budget { total: ms(250), reserve: ms(20) };
        let mut hold = Hold::new(capacity, budget);
        let mut now = Mono(1_000_000_000);
        let (mut pushed, mut out) = (0u32, Vec::new());
        for step in steps {
            match step {
                Step::Push(after) => {
                    now = now.plus(ms(after));
                    let capture = Some(CaptureTime(i64::from(pushed)));
                    let full = hold.len() == capacity.max(1);
                    match hold.push(pushed, now, capture) {
                        Pushed::Held => prop_assert!(!full),
                        Pushed::Displaced(held) => {
                            prop_assert!(full);
                            out.push(held.frame);
                        }
                    }
                    pushed += 1;
                }
                Step::Poll(after, known) => {
                    now = now.plus(ms(after));
                    let ready = |t: Option<CaptureTime>| t < Some(CaptureTime(i64::from(known)));
                    match hold.poll(now, ready) {
                        Polled::Release { held, why, push_by } => {
                            prop_assert_eq!(push_by, held.arrival.plus(budget.total));
                            prop_assert!(now <= push_by, "{} left late", held.frame);
                            prop_assert_eq!(why == Why::Evidence, held.frame < known);
                            if why == Why::Deadline {
                                let left = push_by.since(now);
                                prop_assert!(left <= budget.reserve, "{left:?} too early");
                            }
                            out.push(held.frame);
                        }
                        Polled::Late(held) => {
                            prop_assert!(now.since(held.arrival) > budget.total);
                            out.push(held.frame);
                        }
                        Polled::WaitUntil(t) => prop_assert!(t > now && !hold.is_empty()),
                        Polled::Empty => prop_assert!(hold.is_empty()),
                    }
                }
                Step::Budget(total, reserve) => {
                    budget = Budget { total: ms(total), reserve: ms(reserve) };
                    hold.set_budget(budget);
                }
            }
            prop_assert!(hold.len() <= capacity.max(1));
        }
        out.extend(hold.drain().map(|held| held.frame));
        prop_assert_eq!(out, (0..pushed).collect::<Vec<_>>(), "each once, in order");
    }
}
