//! Who steers, over doubles of cameras and the log.

use super::*;
use crate::audit::{Settings, search};
use crate::clock::{SimClock, WallTime};
use crate::secret::Secret;
use crate::users::{PasswordHash, Role, User, Users};
use crate::web::steering::{CameraPreset, Reach};
use std::future::ready;

const TURN: Wish = Wish::Turn {
    pan: 1.0,
    tilt: 0.0,
    zoom: 0.0,
};

/// A camera that does everything at once, and remembers it.
#[derive(Default)]
struct Camera(Mutex<Vec<&'static str>>);

impl Steering for Camera {
    fn reach(&self, _: &str) -> Result<Reach, SteerFault> {
        Err(SteerFault::Fixed)
    }

    fn steer(&self, _: &str, wish: Wish) -> Answer<()> {
        self.0.lock().unwrap().push(match wish {
            Wish::Turn { .. } => "turn",
            Wish::Stop => "stop",
            _ => "go",
        });
        Box::pin(ready(Ok(())))
    }

    fn presets(&self, _: &str) -> Answer<Vec<CameraPreset>> {
        Box::pin(ready(Err(SteerFault::Fixed)))
    }

    fn let_go(&self, _: &str) {
        self.0.lock().unwrap().push("let go");
    }
}

struct Street {
    holds: Holds,
    camera: Arc<Camera>,
    clock: Arc<SimClock>,
    audit: Audit,
    accounts: Accounts,
    folder: tempfile::TempDir,
}

impl Street {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(SimClock::at(WallTime(0)));
        let audit = Settings::in_folder(folder.path().join("audit"));
        let audit = Audit::start(audit, clock.clone()).unwrap();
        let password = PasswordHash::of(&Secret::new("a password for tests")).unwrap();
        let mut users = Users::default();
        for name in ["iris", "joris"] {
            let user = User {
                name: name.into(),
                password: password.clone(),
                roles: vec![Role::Integrator],
                cameras: vec!["*".into()],
            };
            users.add(user).unwrap();
        }
        users.write(&folder.path().join("users.toml")).unwrap();
        let camera = Arc::new(Camera::default());
        Self {
            holds: Holds::new(camera.clone(), audit.clone(), clock.clone()),
            camera,
            clock,
            accounts: Accounts::new(folder.path().join("users.toml"), audit.clone()),
            audit,
            folder,
        }
    }

    fn by(&self, name: &str, login: &str) -> By {
        let person = self.accounts.person(name).unwrap();
        let origin = "127.0.0.1".parse().unwrap();
        By::person(person, origin, Some(login.to_owned()))
    }

    fn pass(&self, ms: u64) {
        self.clock.advance(Duration::from_millis(ms));
    }

    /// A command of iris that the log knows of, and who gave it.
    fn begun(&self) -> (Ticket, By) {
        let iris = self.by("iris", "a");
        let ticket = self.holds.take("street", &iris).unwrap();
        self.holds.recorded("street", &ticket, true);
        (ticket, iris)
    }

    fn give(&self, ticket: &Ticket, wish: Wish) -> Result<(), Overtaken> {
        self.holds.give("street", ticket, wish).map(drop)
    }

    /// Gives it, and it ends so.
    fn gone(&self, ticket: &Ticket, done: Result<(), SteerFault>) {
        self.give(ticket, Wish::Home).unwrap();
        self.holds.went("street", ticket, &done);
    }

    fn stop(&self, by: &By) -> Result<Stopping, String> {
        self.holds.stop("street", by).map(|(stopping, _)| stopping)
    }

    fn heard(&self) -> Vec<&'static str> {
        self.camera.0.lock().unwrap().clone()
    }
}

#[test]
fn what_a_command_waits_for_may_make_it_moot() {
    type Meanwhile = fn(&Street, &By);
    let cases: [(&str, Meanwhile, Wish, Result<(), Overtaken>); 13] = [
        ("nothing", |_, _| {}, TURN, Ok(())),
        ("a moment", |s, _| s.pass(699), TURN, Ok(())),
        ("too long", |s, _| s.pass(700), TURN, Err(Overtaken::Late)),
        ("not for a place", |s, _| s.pass(2999), Wish::Home, Ok(())),
        (
            "far too long",
            |s, _| s.pass(3000),
            Wish::Home,
            Err(Overtaken::Over),
        ),
        (
            "a stop",
            |s, iris| assert_eq!(s.stop(iris), Ok(Stopping::Counted)),
            Wish::Home,
            Err(Overtaken::Stopped),
        ),
        (
            "a stop, and another command",
            |s, iris| {
                s.stop(iris).unwrap();
                s.holds.take("street", iris).unwrap();
            },
            TURN,
            Err(Overtaken::Stopped),
        ),
        (
            "another command",
            |s, iris| drop(s.holds.take("street", iris).unwrap()),
            TURN,
            Ok(()),
        ),
        (
            "a stop that is refused",
            |s, _| assert_eq!(s.stop(&s.by("joris", "j")), Err("iris".to_owned())),
            TURN,
            Ok(()),
        ),
        (
            "the end of the login",
            |s, _| s.holds.log_out("a"),
            TURN,
            Err(Overtaken::Over),
        ),
        (
            "that, and another login",
            |s, _| {
                s.holds.log_out("a");
                s.holds.take("street", &s.by("iris", "b")).unwrap();
            },
            TURN,
            Err(Overtaken::Over),
        ),
        (
            "another login, which goes on",
            |s, _| {
                s.holds.take("street", &s.by("iris", "b")).unwrap();
                s.holds.log_out("a");
            },
            TURN,
            Err(Overtaken::Over),
        ),
        (
            "somebody else, who is on record",
            |s, _| {
                s.pass(3000);
                let ticket = s.holds.take("street", &s.by("joris", "j")).unwrap();
                s.holds.recorded("street", &ticket, true);
            },
            Wish::Home,
            Err(Overtaken::Over),
        ),
    ];
    let street = Street::new();
    for (what, meanwhile, wish, expected) in cases {
        let (ticket, iris) = street.begun();
        street.camera.0.lock().unwrap().clear();
        meanwhile(&street, &iris);
        assert_eq!(street.give(&ticket, wish), expected, "{what}");
        let moved = street.heard().iter().any(|h| ["turn", "go"].contains(h));
        assert_eq!(moved, expected.is_ok(), "{what}: {:?}", street.heard());
        street.pass(10_000);
    }
}

#[test]
fn what_cannot_be_recorded_is_neither_held_nor_done() {
    let street = Street::new();
    let (iris, joris) = (street.by("iris", "a"), street.by("joris", "j"));
    let first = street.holds.take("street", &iris).unwrap();
    assert!(!first.known);
    assert_eq!(street.give(&first, TURN), Err(Overtaken::Over), "not yet");
    assert_eq!(street.stop(&iris), Ok(Stopping::Unheld));
    street.holds.recorded("street", &first, false);
    assert_eq!(street.holds.holder("street"), None);
    // Whoever comes next is not taken for somebody who is on record, nor hurt by
    // what comes late of the former.
    let second = street.holds.take("street", &joris).unwrap();
    for written in [true, false] {
        street.holds.recorded("street", &first, written);
        assert_eq!(street.give(&second, TURN), Err(Overtaken::Over));
        assert_eq!(street.holds.holder("street").as_deref(), Some("joris"));
    }
    street.holds.recorded("street", &second, true);
    assert_eq!(street.give(&second, TURN), Ok(()));
    assert_eq!(street.give(&first, TURN), Err(Overtaken::Over));
    assert_eq!(street.heard(), ["stop", "turn"]);
    // Once it is known that they steer, it stays known.
    street.holds.recorded("street", &second, false);
    assert!(street.holds.take("street", &joris).unwrap().known);
}

#[test]
fn a_camera_is_held_by_what_it_does() {
    let beyond = || SteerFault::Beyond("too far".to_owned());
    let words = || SteerFault::Camera("busy".to_owned());
    let street = Street::new();
    type Go = fn(&Street, &By);
    let cases: [(&str, Go, bool); 4] = [
        ("nothing", |_, _| {}, false),
        (
            "stops",
            |s, iris| assert_eq!(s.stop(iris), Ok(Stopping::Counted)),
            false,
        ),
        (
            "wishes that come to nothing",
            |s, iris| {
                let ticket = s.holds.take("street", iris).unwrap();
                s.gone(&ticket, Err(SteerFault::NoPreset));
            },
            false,
        ),
        (
            "commands",
            |s, iris| {
                let ticket = s.holds.take("street", iris).unwrap();
                s.gone(&ticket, Ok(()));
            },
            true,
        ),
    ];
    for (what, goes_on, holds) in cases {
        let (ticket, iris) = street.begun();
        street.gone(&ticket, Ok(()));
        for _ in 0..2 {
            street.pass(1400);
            goes_on(&street, &iris);
        }
        street.pass(1400);
        let holder = street.holds.holder("street");
        assert_eq!(holder.is_some(), holds, "{what}");
        street.pass(10_000);
    }
    // Whoever only ever asks for what cannot be has nothing; what a camera
    // refuses it may have begun to do.
    for (fault, holds) in [(beyond(), false), (words(), true)] {
        let (ticket, _) = street.begun();
        street.gone(&ticket, Err(fault.clone()));
        assert_eq!(street.holds.holder("street").is_some(), holds, "{fault:?}");
        street.pass(10_000);
    }
    // But not while something newer is on its way.
    let (ticket, iris) = street.begun();
    let newer = street.holds.take("street", &iris).unwrap();
    street.gone(&ticket, Err(beyond()));
    assert_eq!(street.give(&newer, TURN), Ok(()));
}

#[test]
fn the_end_is_recorded_once_and_of_whom_the_log_knows() {
    let street = Street::new();
    let (ticket, iris) = street.begun();
    street.gone(&ticket, Ok(()));
    street.stop(&iris).unwrap();
    street.holds.log_out("a");
    street.holds.log_out("a");
    assert_eq!(street.heard(), ["go", "stop", "let go"]);
    street
        .holds
        .take("street", &street.by("joris", "j"))
        .unwrap();
    street.holds.log_out("j");
    // Behind what was noted.
    street.audit.append(Entry::new("test", "end")).unwrap();
    let folder = street.folder.path().join("audit");
    let found = search(&folder, &crate::audit::Filter::default(), 100).unwrap();
    let ends: Vec<_> = found
        .records
        .iter()
        .filter(|r| r.action == "steer")
        .collect();
    assert_eq!(ends.len(), 1, "{ends:?}");
    assert_eq!(ends[0].actor, "iris");
    assert_eq!(ends[0].detail["commands"], 2);
    assert_eq!(ends[0].detail["why"], "logged out");
}

#[test]
fn a_viewer_is_nobody_of_the_console_and_has_no_login_that_ends() {
    let street = Street::new();
    let viewer = By::viewer("iris", "127.0.0.1".parse().unwrap());
    let (_, iris) = street.begun();
    let theirs = street.holds.take("street", &viewer).map(drop);
    assert_eq!(theirs, Err("iris".to_owned()), "another iris");
    street.pass(3000);
    let ticket = street.holds.take("street", &viewer).unwrap();
    street.holds.recorded("street", &ticket, true);
    assert_eq!(street.stop(&iris), Err("viewer iris".to_owned()));
    let sessions = crate::web::sessions::Sessions::default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(street.holds.tend(&street.accounts, &sessions));
    assert_eq!(street.give(&ticket, TURN), Ok(()));
    street.pass(3000);
    runtime.block_on(street.holds.tend(&street.accounts, &sessions));
    assert_eq!(street.holds.holder("street"), None);
    assert_eq!(street.heard().last(), Some(&"let go"));
}

#[test]
fn what_nobody_may_look_at_is_told_to_the_log_once() {
    let street = Street::new();
    let barred = || Err(SteerFault::NoGo("private".to_owned()));
    let (ticket, _) = street.begun();
    let mut news = vec![];
    for done in [Ok(()), barred(), barred(), Ok(()), barred()] {
        news.push(street.holds.went("street", &ticket, &done));
    }
    assert_eq!(news, [false, true, false, false, true]);
}
