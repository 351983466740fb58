//! Which command is sent next, and when the camera must be stopped. Pure: it is told
//! the time, and sends nothing itself.
//!
//! There is room for one command that waits, the newest, and for a stop, which is
//! never lost: it goes before whatever came after it, and again and again until the
//! camera confirms. Whether the camera turns is not what it was told but what it may
//! have understood: a command that may have arrived counts.

use crate::clock::Mono;
use crate::onvif::PtzCommand;
use std::time::Duration;

/// A camera that turns is told to stop when nobody has said for this long that it
/// should go on.
pub const DEAD_MAN: Duration = Duration::from_millis(700);
/// Between two tries to stop, at first, and at least, however many people ask…
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// …and at last.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// So many wait for one stop; more are told that it is on its way.
const MOST_WAITING: usize = 32;

/// What to do now.
#[derive(Debug, PartialEq)]
pub(super) enum Act<R> {
    /// Send this, then say how it [`went`](Helm::went).
    Send(Job<R>),
    /// Nothing before this time; none = before another command.
    Wait(Option<Mono>),
}

/// One command to send, and who waits for it.
#[derive(Debug, PartialEq)]
pub(super) enum Job<R> {
    Stop(Vec<R>),
    Turn(PtzCommand, R),
    Go(PtzCommand, R),
}

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Stop,
    Turn,
    Go,
}

/// How sending went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Went {
    /// The camera confirmed.
    Done,
    /// It cannot have heard it.
    NotSent,
    /// It refused, or nobody knows.
    Unsure,
}

/// A stop that the camera has not confirmed.
#[derive(Clone, Copy, Debug)]
struct Unconfirmed {
    next_try: Mono,
    pause: Duration,
}

#[derive(Debug)]
struct Waiting<R> {
    kind: Kind,
    command: PtzCommand,
    reply: R,
}

/// The state of one camera's steering; `R` is who waits for an answer.
#[derive(Debug)]
pub(super) struct Helm<R> {
    next: Option<Waiting<R>>,
    stop: Option<Unconfirmed>,
    stops_waiting: Vec<R>,
    /// When it was last tried, where nothing else was sent since.
    stop_tried: Option<Mono>,
    /// The camera may be turning.
    turns: bool,
    /// Whether it may have been before what is being sent.
    turned_before: bool,
    /// When somebody last said that it should turn.
    last_wish: Option<Mono>,
}

impl<R> Default for Helm<R> {
    fn default() -> Self {
        Self {
            next: None,
            stop: None,
            stops_waiting: Vec::new(),
            stop_tried: None,
            turns: false,
            turned_before: false,
            last_wish: None,
        }
    }
}

impl<R> Helm<R> {
    /// Somebody wants the camera to turn; who waited for something that is not sent
    /// any more is returned.
    pub(super) fn turn(&mut self, command: PtzCommand, reply: R, now: Mono) -> Option<R> {
        self.last_wish = Some(now);
        self.order(Kind::Turn, command, reply, now)
    }

    /// Somebody wants the camera to go somewhere; as [`turn`](Self::turn).
    pub(super) fn go(&mut self, command: PtzCommand, reply: R, now: Mono) -> Option<R> {
        self.last_wish = None;
        if self.turns {
            self.want_stop(now);
        }
        self.order(Kind::Go, command, reply, now)
    }

    fn order(&mut self, kind: Kind, command: PtzCommand, reply: R, now: Mono) -> Option<R> {
        if self.stop.is_some() {
            self.want_stop(now);
        }
        let waiting = Waiting {
            kind,
            command,
            reply,
        };
        self.next.replace(waiting).map(|former| former.reply)
    }

    /// Somebody wants the camera to stop; as [`turn`](Self::turn).
    ///
    /// # Errors
    /// Who wants it too, where too many wait for one already: it is tried all the
    /// same, and nobody knows yet whether it stands still.
    pub(super) fn stop(&mut self, reply: R, now: Mono) -> (Option<R>, Result<(), R>) {
        self.last_wish = None;
        self.want_stop(now);
        let moot = self.next.take().map(|former| former.reply);
        if self.stops_waiting.len() >= MOST_WAITING {
            return (moot, Err(reply));
        }
        self.stops_waiting.push(reply);
        (moot, Ok(()))
    }

    /// Nothing is sent any more: who waits.
    pub(super) fn end(&mut self) -> Vec<R> {
        let next = self.next.take().map(|next| next.reply);
        self.stops_waiting.drain(..).chain(next).collect()
    }

    /// Nobody steers any more: what turns, stops. Who waited for a turn that is not
    /// sent any more is returned; who waits to go somewhere still does.
    pub(super) fn let_go(&mut self, now: Mono) -> Option<R> {
        self.last_wish = None;
        if self.turns {
            self.want_stop(now);
        }
        self.take_turn()
    }

    fn take_turn(&mut self) -> Option<R> {
        let turn = self.next.take_if(|next| next.kind == Kind::Turn);
        turn.map(|former| former.reply)
    }

    /// At once, but not faster than its pause allows: a camera that is told to stop
    /// without end has no time to.
    fn want_stop(&mut self, now: Mono) {
        let soonest = self.stop_tried.map(|tried| tried.plus(FIRST_PAUSE));
        let next_try = soonest.map_or(now, |soonest| soonest.max(now));
        match &mut self.stop {
            Some(stop) => stop.next_try = stop.next_try.min(next_try),
            None => {
                self.stop = Some(Unconfirmed {
                    next_try,
                    pause: FIRST_PAUSE,
                });
            }
        }
    }

    /// Whether the camera turns, or has not confirmed that it does not.
    pub(super) fn must_stop(&self) -> bool {
        self.turns || self.stop.is_some()
    }

    /// Who waited for a turn that is too old to be sent; to be asked before
    /// [`act`](Self::act).
    pub(super) fn lapsed(&mut self, now: Mono) -> Option<R> {
        let over = self
            .last_wish
            .is_some_and(|wish| now.since(wish) >= DEAD_MAN);
        if !over {
            return None;
        }
        self.last_wish = None;
        if self.turns && self.stop.is_none() {
            self.want_stop(now);
        }
        self.take_turn()
    }

    /// What to do now. What is to be sent must be sent.
    pub(super) fn act(&mut self, now: Mono) -> Act<R> {
        let dead_man = self.last_wish.map(|wish| wish.plus(DEAD_MAN));
        if let Some(stop) = &mut self.stop {
            if stop.next_try <= now {
                // Who asks while it is being tried, asks for another.
                stop.next_try = now.plus(FIRST_PAUSE);
                self.stop_tried = Some(now);
                return Act::Send(Job::Stop(std::mem::take(&mut self.stops_waiting)));
            }
            let times = [Some(stop.next_try), dead_man];
            return Act::Wait(times.into_iter().flatten().min());
        }
        let Some(next) = self.next.take() else {
            return Act::Wait(dead_man);
        };
        self.turned_before = self.turns;
        self.stop_tried = None;
        Act::Send(if next.kind == Kind::Turn {
            // From here on the camera may turn, whatever it answers.
            self.turns = true;
            Job::Turn(next.command, next.reply)
        } else {
            Job::Go(next.command, next.reply)
        })
    }

    /// How sending went. Returned is who waited behind a stop that failed: a camera
    /// that cannot be stopped is not told to go on.
    pub(super) fn went(&mut self, kind: Kind, went: Went, now: Mono) -> Option<R> {
        match (kind, went) {
            (Kind::Stop, Went::Done) => {
                self.turns = false;
                // Somebody may have asked for another one meanwhile.
                if self.stops_waiting.is_empty() {
                    self.stop = None;
                }
                None
            }
            (Kind::Stop, _) => {
                if let Some(stop) = &mut self.stop {
                    stop.next_try = now.plus(stop.pause);
                    stop.pause = stop.pause.saturating_mul(2).min(LONGEST_PAUSE);
                }
                if !self.stops_waiting.is_empty() {
                    self.want_stop(now);
                }
                self.next.take().map(|behind| behind.reply)
            }
            (Kind::Turn, Went::NotSent) => {
                self.turns = self.turned_before;
                None
            }
            (Kind::Turn | Kind::Go, _) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(ms: u64) -> Mono {
        Mono(ms * 1_000_000)
    }

    fn turn() -> PtzCommand {
        PtzCommand::Continuous {
            pan: 0.5,
            tilt: 0.0,
            zoom: 0.0,
            timeout_s: 1,
        }
    }

    fn sent(act: &Act<u32>) -> Option<Kind> {
        match act {
            Act::Send(Job::Stop(_)) => Some(Kind::Stop),
            Act::Send(Job::Turn(..)) => Some(Kind::Turn),
            Act::Send(Job::Go(..)) => Some(Kind::Go),
            Act::Wait(_) => None,
        }
    }

    #[test]
    fn a_newer_command_takes_the_place_of_an_older_one() {
        let mut helm = Helm::default();
        assert_eq!(helm.turn(turn(), 1, at(0)), None);
        assert_eq!(helm.turn(turn(), 2, at(10)), Some(1));
        assert_eq!(helm.go(PtzCommand::Home, 3, at(20)), Some(2));
        assert_eq!(
            helm.act(at(20)),
            Act::Send(Job::Go(PtzCommand::Home, 3)),
            "nothing turned: nothing needs to stop"
        );
    }

    #[test]
    fn whoever_steers_no_more_lets_go_of_the_stick() {
        let mut helm = Helm::default();
        helm.turn(turn(), 1, at(0));
        assert_eq!(sent(&helm.act(at(1))), Some(Kind::Turn));
        helm.went(Kind::Turn, Went::Done, at(5));
        assert_eq!(helm.act(at(699)), Act::Wait(Some(at(700))));
        assert_eq!(helm.lapsed(at(699)), None);
        helm.lapsed(at(700));
        assert_eq!(sent(&helm.act(at(700))), Some(Kind::Stop));
        // It is said again until it is confirmed, with growing pauses.
        let mut tries = vec![];
        let mut now = 700;
        for _ in 0..8 {
            helm.went(Kind::Stop, Went::Unsure, at(now));
            let Act::Wait(Some(next)) = helm.act(at(now)) else {
                panic!("gave up")
            };
            tries.push(next.0 / 1_000_000 - now);
            now = next.0 / 1_000_000;
            assert_eq!(sent(&helm.act(at(now))), Some(Kind::Stop));
        }
        assert_eq!(tries, [200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
        helm.went(Kind::Stop, Went::Done, at(now));
        assert!(!helm.must_stop());
        assert_eq!(helm.act(at(now)), Act::Wait(None));
    }

    #[test]
    fn who_goes_somewhere_stops_first_and_is_not_stopped_after() {
        let mut helm = Helm::default();
        helm.turn(turn(), 1, at(0));
        helm.act(at(0));
        helm.went(Kind::Turn, Went::Done, at(5));
        helm.go(PtzCommand::Home, 2, at(10));
        assert_eq!(sent(&helm.act(at(10))), Some(Kind::Stop));
        helm.went(Kind::Stop, Went::Done, at(12));
        assert_eq!(sent(&helm.act(at(12))), Some(Kind::Go));
        helm.went(Kind::Go, Went::Done, at(14));
        assert_eq!(helm.lapsed(at(5000)), None);
        assert_eq!(helm.act(at(5000)), Act::Wait(None));
    }

    #[test]
    fn a_camera_that_cannot_be_stopped_is_not_told_to_go_on() {
        let mut helm = Helm::default();
        helm.turn(turn(), 1, at(0));
        helm.act(at(0));
        helm.went(Kind::Turn, Went::Unsure, at(5));
        let _ = helm.stop(2, at(10));
        assert_eq!(helm.act(at(10)), Act::Send(Job::Stop(vec![2])));
        helm.turn(turn(), 3, at(11));
        assert_eq!(helm.went(Kind::Stop, Went::Unsure, at(20)), Some(3));
        assert!(helm.must_stop());
        assert_eq!(helm.act(at(210)), Act::Wait(Some(at(220))));
        // Another wish tries to stop it sooner.
        helm.turn(turn(), 4, at(211));
        assert_eq!(sent(&helm.act(at(211))), Some(Kind::Stop));
        helm.went(Kind::Stop, Went::Done, at(215));
        assert_eq!(sent(&helm.act(at(215))), Some(Kind::Turn));
    }

    #[test]
    fn however_often_people_stop_it_the_camera_is_not_drummed_on() {
        // Stops every 20 ms for two seconds, each answered after 5 ms: when it is
        // tried, however it answers.
        for how in [Went::Done, Went::Unsure, Went::NotSent] {
            let mut helm = Helm::default();
            let mut tries = vec![];
            for i in 0u32..100 {
                let now = u64::from(i) * 20;
                let _ = helm.stop(i, at(now));
                if let Act::Send(Job::Stop(_)) = helm.act(at(now)) {
                    tries.push(now);
                    helm.went(Kind::Stop, how, at(now + 5));
                }
            }
            assert_eq!(
                tries,
                [0, 200, 400, 600, 800, 1000, 1200, 1400, 1600, 1800],
                "{how:?}"
            );
        }
        // What was sent since is stopped at once.
        let mut helm = Helm::default();
        for i in 0u32..5 {
            let now = u64::from(i) * 20;
            helm.turn(turn(), 2 * i, at(now));
            assert_eq!(sent(&helm.act(at(now))), Some(Kind::Turn));
            helm.went(Kind::Turn, Went::Done, at(now + 5));
            let _ = helm.stop(2 * i + 1, at(now + 6));
            assert_eq!(sent(&helm.act(at(now + 6))), Some(Kind::Stop));
            helm.went(Kind::Stop, Went::Done, at(now + 8));
        }
    }

    #[test]
    fn a_stop_that_is_wished_while_another_fails_does_not_wait_for_its_pause() {
        let mut helm = Helm::default();
        let _ = helm.stop(1, at(0));
        // Nobody asks again: the pause has grown.
        let mut now = 0;
        for pause in [200, 400, 800, 1600, 3200] {
            assert_eq!(sent(&helm.act(at(now))), Some(Kind::Stop));
            helm.went(Kind::Stop, Went::Unsure, at(now));
            assert_eq!(helm.act(at(now)), Act::Wait(Some(at(now + pause))));
            now += pause;
        }
        assert_eq!(sent(&helm.act(at(now))), Some(Kind::Stop));
        let _ = helm.stop(2, at(now + 10));
        helm.went(Kind::Stop, Went::Unsure, at(now + 50));
        assert_eq!(helm.act(at(now + 50)), Act::Wait(Some(at(now + 200))));
        assert_eq!(helm.act(at(now + 200)), Act::Send(Job::Stop(vec![2])));
        // And it has not shrunk.
        helm.went(Kind::Stop, Went::Unsure, at(now + 250));
        assert_eq!(helm.act(at(now + 250)), Act::Wait(Some(at(now + 5250))));
    }

    #[test]
    fn a_turn_that_never_left_needs_no_stop() {
        let mut helm = Helm::default();
        helm.turn(turn(), 1, at(0));
        helm.act(at(0));
        helm.went(Kind::Turn, Went::NotSent, at(5));
        assert!(!helm.must_stop());
        // But one after another that did.
        helm.turn(turn(), 2, at(10));
        helm.act(at(10));
        helm.went(Kind::Turn, Went::Done, at(15));
        helm.turn(turn(), 3, at(20));
        helm.act(at(20));
        helm.went(Kind::Turn, Went::NotSent, at(25));
        assert!(helm.must_stop());
    }

    #[test]
    fn who_lets_go_stops_what_turns_and_nothing_else() {
        let mut helm = Helm::default();
        helm.go(PtzCommand::Home, 1, at(0));
        helm.act(at(0));
        helm.went(Kind::Go, Went::Done, at(5));
        helm.let_go(at(6));
        assert!(!helm.must_stop(), "it goes where it was sent");
        helm.turn(turn(), 2, at(10));
        helm.act(at(10));
        helm.turn(turn(), 3, at(20));
        helm.went(Kind::Turn, Went::Done, at(25));
        assert_eq!(helm.let_go(at(30)), Some(3));
        assert_eq!(sent(&helm.act(at(30))), Some(Kind::Stop));
    }

    #[test]
    fn so_many_wait_for_a_stop_and_no_more() {
        let mut helm = Helm::default();
        for i in 0..40 {
            let (_, waits) = helm.stop(i, at(0));
            assert_eq!(waits.is_err(), i >= 32);
        }
        helm.turn(turn(), 40, at(0));
        assert_eq!(helm.end().len(), 33);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Turn,
        Go,
        Stop,
        LetGo,
        Pass(u64),
    }

    fn steps() -> impl Strategy<Value = Vec<(Step, u8)>> {
        let step = prop_oneof![
            3 => Just(Step::Turn), 1 => Just(Step::Go), 1 => Just(Step::Stop),
            1 => Just(Step::LetGo), 3 => (1u64..900).prop_map(Step::Pass),
        ];
        prop::collection::vec((step, 0u8..4), 1..60)
    }

    proptest! {
        /// Whatever people do and however badly the camera answers: what is sent is
        /// never an old wish to turn, everybody is answered once, and once the camera
        /// answers again it stands still within the dead man's time and one pause.
        #[test]
        fn in_the_end_it_stands(steps in steps()) {
            let mut helm = Helm::default();
            let (mut now, mut id, mut wish) = (0u64, 0u32, None);
            let mut answered = std::collections::BTreeSet::new();
            // What the camera does: it turns where a turn arrived and no stop after it.
            let mut turning = false;
            let mut run = |helm: &mut Helm<u32>, now: u64, how: u8, wish: Option<u64>,
                           answered: &mut std::collections::BTreeSet<u32>| {
                for _ in 0..8 {
                    answered.extend(helm.lapsed(at(now)));
                    let Act::Send(job) = helm.act(at(now)) else { break };
                    let went = match how { 0 => Went::Unsure, 1 => Went::NotSent, _ => Went::Done };
                    // An unsure camera is the worst: it turns, and does not stop.
                    let kind = match job {
                        Job::Stop(r) => { answered.extend(r); if went == Went::Done { turning = false; } Kind::Stop }
                        Job::Turn(_, r) => {
                            answered.insert(r);
                            assert!(wish.is_some_and(|w| now - w < 700), "an old wish was sent");
                            turning |= went != Went::NotSent;
                            Kind::Turn
                        }
                        Job::Go(_, r) => { answered.insert(r); Kind::Go }
                    };
                    answered.extend(helm.went(kind, went, at(now)));
                }
                turning
            };
            for (step, how) in steps {
                match step {
                    Step::Turn => { wish = Some(now); answered.extend(helm.turn(turn(), id, at(now))); id += 1; }
                    Step::Go => { answered.extend(helm.go(PtzCommand::Home, id, at(now))); id += 1; }
                    Step::Stop => { let (moot, waits) = helm.stop(id, at(now)); answered.extend(moot.into_iter().chain(waits.err())); id += 1; }
                    Step::LetGo => answered.extend(helm.let_go(at(now))),
                    Step::Pass(ms) => now += ms,
                }
                run(&mut helm, now, how, wish, &mut answered);
            }
            now += 700;
            run(&mut helm, now, 3, wish, &mut answered);
            now += 5000;
            let turning = run(&mut helm, now, 3, wish, &mut answered);
            prop_assert!(!turning && !helm.must_stop());
            prop_assert_eq!(answered.len(), id as usize, "somebody waits for ever");
        }
    }
}
