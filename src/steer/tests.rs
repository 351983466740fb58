//! Against a camera that does as badly as it is told to.

use super::*;
use crate::clock::{Mono, SimClock, SystemClock, WallTime};
use crate::geom::Mount;
use crate::pose::CameraProfile;
use crate::secret::Secret;
use axum::extract::State;
use axum::http::StatusCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::watch;

/// What it does, and what it was asked.
#[derive(Default)]
struct Mood {
    asked: Vec<String>,
    /// So many stops are refused.
    stops_refused: usize,
    /// What it says to every other command.
    fault: Option<(&'static str, &'static str)>,
    presets: String,
}

struct Fake {
    url: String,
    mood: Arc<Mutex<Mood>>,
    /// These operations are not answered until this changes.
    held: watch::Sender<&'static str>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

type Told = (Arc<Mutex<Mood>>, watch::Receiver<&'static str>);

async fn serve(State((mood, mut held)): State<Told>, body: String) -> (StatusCode, String) {
    let inside = body.split("Body>").nth(1).unwrap_or_default();
    let name: String = inside
        .split([':', '>', '/', ' '])
        .find(|word| word.starts_with(char::is_uppercase))
        .unwrap_or_default()
        .to_owned();
    let token = inside.split("PresetToken>").nth(1);
    let token = token.and_then(|t| t.split('<').next()).unwrap_or_default();
    mood.lock().unwrap().asked.push(format!("{name}{token}"));
    let _ = held.wait_for(|held| *held != name).await;
    let mut mood = mood.lock().unwrap();
    let fault = match name.as_str() {
        "GetSystemDateAndTime" | "GetCapabilities" | "GetProfiles" | "GetPresets" => None,
        "Stop" if mood.stops_refused > 0 => {
            mood.stops_refused -= 1;
            Some(("ter:Action", "busy"))
        }
        "Stop" => None,
        _ => mood.fault,
    };
    let answer = match (fault, name.as_str()) {
        (Some((code, reason)), _) => format!(
            "<Fault><Code><Subcode><Value>{code}</Value></Subcode></Code><Reason><Text>{reason}</Text></Reason></Fault>"
        ),
        (None, "GetProfiles") => "<GetProfilesResponse><Profiles token=\"a\"><PTZConfiguration/></Profiles></GetProfilesResponse>".to_owned(),
        (None, "GetPresets") => format!("<GetPresetsResponse>{}</GetPresetsResponse>", mood.presets),
        (None, name) => format!("<{name}Response/>"),
    };
    let status = match fault {
        Some(_) => StatusCode::BAD_REQUEST,
        None => StatusCode::OK,
    };
    (
        status,
        format!("<Envelope><Body>{answer}</Body></Envelope>"),
    )
}

impl Fake {
    fn new() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}/onvif", listener.local_addr().unwrap());
        let mood = Arc::new(Mutex::new(Mood::default()));
        let (held, answers) = watch::channel("");
        let (end, ended) = oneshot::channel::<()>();
        let state = (mood.clone(), answers);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                let routes = axum::Router::new().fallback(serve).with_state(state);
                tokio::select! {
                    served = axum::serve(listener, routes) => served.unwrap(),
                    _ = ended => {}
                }
            });
        });
        Self {
            url,
            mood,
            held,
            end: Some(end),
            thread: Some(thread),
        }
    }

    fn steer(&self) -> Steer {
        steering(&self.url)
    }

    fn steer_by(&self, clock: Arc<dyn Clock>) -> Steer {
        steering_by(&self.url, clock)
    }

    fn mood(&self, change: impl FnOnce(&mut Mood)) {
        change(&mut self.mood.lock().unwrap());
    }

    /// The commands it was given, without what it takes to connect.
    fn asked(&self) -> Vec<String> {
        let asked = self.mood.lock().unwrap().asked.clone();
        let connecting = ["GetSystemDateAndTime", "GetCapabilities", "GetProfiles"];
        asked
            .into_iter()
            .filter(|name| !connecting.contains(&name.as_str()))
            .collect()
    }

    /// Waits for it, however slow the machine.
    fn until(&self, wanted: impl Fn(&[String]) -> bool) {
        for _ in 0..6000 {
            if wanted(&self.asked()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("it never came: {:?}", self.asked());
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.end.take();
        self.thread.take().unwrap().join().unwrap();
    }
}

fn steering(url: &str) -> Steer {
    steering_by(url, Arc::new(SystemClock::new()))
}

fn steering_by(url: &str, clock: Arc<dyn Clock>) -> Steer {
    let settings = OnvifSettings {
        device_url: url.to_owned(),
        user: String::new(),
        password: Secret::new(""),
        profile_token: None,
        ca_pem: None,
        timeout_ms: 60_000,
    };
    let profile = CameraProfile::from_toml(crate::pose::testing::PROFILE).unwrap();
    let aim = Aim::new(Arc::new(profile), Mount::LEVEL);
    Steer::start(settings, aim, clock).unwrap()
}

const RIGHT: Deflection = Deflection {
    pan: 1.0,
    tilt: 0.0,
    zoom: 0.0,
};

fn told<T>(reply: Reply<T>) -> Result<T, SteerError> {
    reply.blocking_recv().unwrap()
}

fn count(asked: &[String], name: &str) -> usize {
    asked.iter().filter(|asked| *asked == name).count()
}

#[test]
fn a_camera_that_turns_is_stopped_until_it_confirms() {
    let fake = Fake::new();
    fake.mood(|mood| mood.stops_refused = 3);
    let steer = fake.steer();
    assert_eq!(told(steer.turn(RIGHT, None, 1.0)), Ok(()));
    // Nobody says anything any more.
    fake.until(|asked| count(asked, "Stop") == 4);
    assert_eq!(fake.asked()[0], "ContinuousMove");
    assert_eq!(told(steer.home()), Ok(()), "it is stopped: it may go on");
}

#[test]
fn whoever_stops_it_is_told_and_it_is_stopped_all_the_same() {
    let fake = Fake::new();
    fake.mood(|mood| mood.stops_refused = 1);
    let steer = fake.steer();
    let refused = told(steer.stop()).unwrap_err().to_string();
    assert!(refused.contains("busy"), "{refused}");
    fake.until(|asked| count(asked, "Stop") == 2);
}

#[test]
fn who_leaves_stops_it() {
    let fake = Fake::new();
    let steer = fake.steer();
    assert_eq!(told(steer.turn(RIGHT, Some(40.0), 1.0)), Ok(()));
    drop(steer);
    assert_eq!(fake.asked().last().map(String::as_str), Some("Stop"));
    let steer = fake.steer();
    let before = fake.asked().len();
    assert_eq!(told(steer.home()), Ok(()));
    drop(steer);
    assert_eq!(
        fake.asked()[before..],
        ["GotoHomePosition"],
        "it goes there"
    );
}

#[test]
fn a_camera_that_is_slow_when_somebody_leaves_is_stopped_all_the_same() {
    let fake = Fake::new();
    let clock = Arc::new(SimClock::at(WallTime(0)));
    let steer = fake.steer_by(clock.clone());
    fake.held.send_replace("ContinuousMove");
    let turn = steer.turn(RIGHT, None, 1.0);
    fake.until(|asked| count(asked, "ContinuousMove") == 1);
    steer.shared.close();
    // Longer than a camera that goes on failing to stop is told to.
    clock.advance(Duration::from_millis(2500));
    fake.held.send_replace("");
    drop(steer);
    assert_eq!(fake.asked(), ["ContinuousMove", "Stop"]);
    assert_eq!(told(turn), Ok(()));
}

/// Breaks whatever asks it in the steering thread, when it is told to.
#[derive(Debug)]
struct Breaks(SystemClock, AtomicBool);

impl Clock for Breaks {
    fn mono(&self) -> Mono {
        let steering = std::thread::current().name() == Some(THREAD);
        assert!(!steering || !self.1.load(Ordering::SeqCst), "for a test");
        self.0.mono()
    }

    fn wall(&self) -> WallTime {
        self.0.wall()
    }
}

#[test]
fn nobody_waits_for_a_thread_that_has_broken() {
    let fake = Fake::new();
    let clock = Arc::new(Breaks(SystemClock::new(), AtomicBool::new(false)));
    let steer = fake.steer_by(clock.clone());
    fake.held.send_replace("ContinuousMove");
    // One is being sent, one waits behind a stop.
    let _turn = steer.turn(RIGHT, None, 1.0);
    fake.until(|asked| count(asked, "ContinuousMove") == 1);
    clock.1.store(true, Ordering::SeqCst);
    let stop = steer.stop();
    let home = steer.home();
    fake.held.send_replace("");
    assert_eq!(told(stop), Err(SteerError::Ending));
    assert_eq!(told(home), Err(SteerError::Ending));
    for _ in 0..40 {
        assert_eq!(told(steer.stop()), Err(SteerError::Ending));
    }
    assert_eq!(told(steer.turn(RIGHT, None, 1.0)), Err(SteerError::Ending));
    assert_eq!(told(steer.presets()), Err(SteerError::Ending));
}

#[test]
fn nobody_is_told_that_it_stands_who_does_not_know() {
    // Nobody sends.
    let (shared, _asked) = Shared::new(Arc::new(SimClock::at(WallTime(0))));
    let shared = Arc::new(shared);
    let mut waiting: Vec<_> = (0..32).map(|_| shared.stop()).collect();
    assert_eq!(told(shared.stop()), Err(SteerError::TooSlow));
    for one in &mut waiting {
        assert!(one.try_recv().is_err(), "it was answered");
    }
    drop(Ends(shared.clone()));
    for one in waiting {
        assert_eq!(told(one), Err(SteerError::Ending));
    }
    assert_eq!(told(shared.stop()), Err(SteerError::Ending));
}

#[test]
fn the_newest_command_is_sent_and_what_it_replaces_is_not() {
    let fake = Fake::new();
    fake.held.send_replace("GotoPreset");
    let steer = fake.steer();
    let first = steer.go_preset("1".to_owned());
    fake.until(|asked| count(asked, "GotoPreset1") == 1);
    let second = steer.go_preset("2".to_owned());
    let third = steer.go_preset("3".to_owned());
    assert_eq!(told(second), Ok(()), "something newer took its place");
    fake.held.send_replace("");
    assert_eq!(told(third), Ok(()));
    drop(first);
    let presets: Vec<String> = fake.asked();
    assert_eq!(presets, ["GotoPreset1", "GotoPreset3"]);
}

#[test]
fn a_question_that_hangs_holds_nothing_up() {
    let fake = Fake::new();
    fake.mood(|mood| {
        mood.presets = "<Preset token=\"a\"/>".to_owned();
    });
    fake.held.send_replace("GetPresets");
    let steer = fake.steer();
    let asked = steer.presets();
    fake.until(|asked| count(asked, "GetPresets") == 1);
    assert_eq!(told(steer.turn(RIGHT, None, 1.0)), Ok(()));
    assert_eq!(told(steer.stop()), Ok(()));
    // It gives up in the end, or is answered.
    fake.held.send_replace("");
    let _ = told(asked);
    let after = told(steer.presets()).unwrap();
    assert_eq!(after.len(), 1);
}

#[test]
fn the_cameras_words_are_passed_on() {
    let fake = Fake::new();
    fake.mood(|mood| mood.fault = Some(("ter:Hot", "the motor is hot")));
    let steer = fake.steer();
    let said = told(steer.home()).unwrap_err().to_string();
    assert!(said.contains("the motor is hot"), "{said}");
    fake.mood(|mood| mood.fault = Some(("ter:NoToken", "no")));
    assert_eq!(
        told(steer.go_preset("7".to_owned())),
        Err(SteerError::NoPreset)
    );
    // Nobody at that address.
    let nobody = steering("http://127.0.0.1:1/onvif");
    let commands: [fn(&Steer) -> Reply<()>; 3] =
        [|s| s.turn(RIGHT, None, 1.0), |s| s.home(), |s| s.stop()];
    for command in commands {
        let Err(SteerError::Camera(words)) = told(command(&nobody)) else {
            panic!("somebody was there")
        };
        assert!(!words.is_empty());
    }
}

#[test]
fn presets_are_read_as_far_as_they_make_sense() {
    let fake = Fake::new();
    let at = |x: &str, y: &str, zoom: &str| {
        format!("<PTZPosition><PanTilt x=\"{x}\" y=\"{y}\"/><Zoom x=\"{zoom}\"/></PTZPosition>")
    };
    let many: String = (0..300)
        .map(|i| format!("<Preset token=\"{i}\"><Name>Preset {i}</Name></Preset>"))
        .collect();
    fake.mood(|mood| {
        mood.presets = format!(
            "<Preset token=\"home\"><Name>square\u{7}</Name>{}</Preset>\
             <Preset><Name>no token</Name></Preset>\
             <Preset token=\"b\"><Name/>{}</Preset><Preset token=\"c\">{}</Preset>{many}",
            at("0.5", "0.0", "0.5"),
            at("NaN", "0.0", "0.5"),
            at("0.5", "much", "0.5"),
        );
    });
    let steer = fake.steer();
    let found = told(steer.presets()).unwrap();
    assert_eq!(found.len(), 303);
    assert_eq!(
        (found[0].token.as_str(), found[0].name.as_str()),
        ("home", "square ")
    );
    assert!(found[0].place.is_some());
    for none in &found[1..] {
        assert_eq!(none.place, None, "{none:?}");
    }
}
