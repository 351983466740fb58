use super::*;
use crate::event::FrameTimes;

const S: u64 = 1_000_000_000;

fn up(took_ms: u64) -> Event {
    Event::StreamUp {
        camera: "a/sub".into(),
        form: "rtsp://10.0.0.9/secret".into(),
        took: Duration::from_millis(took_ms),
    }
}

fn down() -> Event {
    Event::StreamDown {
        camera: "a/sub".into(),
        detail: "rtsp://10.0.0.9/secret".into(),
        retry_in_ms: 1,
    }
}

fn becomes(to: CameraState) -> Event {
    Event::StateChanged {
        camera: "a/sub".into(),
        to,
    }
}

fn covered(reason: Reason) -> Event {
    becomes(CameraState::Covered(reason))
}

fn silent() -> Event {
    let detail = "rtsp://10.0.0.9/secret".into();
    becomes(CameraState::NoSignal(Reason::NoSignal { detail }))
}

fn live() -> Event {
    becomes(CameraState::Live)
}

/// What is over after each of these, at seconds: from, to, what.
fn played(state: &mut State, events: &[(u64, Event)]) -> Vec<(f64, f64, What)> {
    let s = |at: Mono| at.0 as f64 / 1e9;
    let over = events
        .iter()
        .filter_map(|(at, event)| state.take(event, Mono(at * S)));
    over.map(|(since, until, what)| (s(since), s(until), what))
        .collect()
}

fn hidden(state: &'static str, reason: &'static str) -> What {
    What::Hidden {
        stream: Name::new("a/sub"),
        state,
        reason,
    }
}

fn connection(connecting_ms: u64, shown_after_s: Option<u64>, end: End) -> What {
    What::Connection {
        stream: Name::new("a/sub"),
        connecting: Duration::from_millis(connecting_ms),
        shown_after: shown_after_s.map(Duration::from_secs),
        end,
    }
}

#[test]
fn hidden_pictures_are_told_from_reason_to_reason() {
    let mut state = State::default();
    let told = played(
        &mut state,
        &[
            (10, covered(Reason::Starting)),
            (12, covered(Reason::NoPosition)),
            (15, live()),
            (16, becomes(CameraState::Widened { margin_deg: 2.0 })),
            (20, silent()),
            (29, live()),
        ],
    );
    assert_eq!(
        told,
        [
            (10.0, 12.0, hidden("covered", "starting")),
            (12.0, 15.0, hidden("covered", "no-position")),
            (20.0, 29.0, hidden("no-signal", "no-signal")),
        ]
    );
}

#[test]
fn a_connection_is_told_when_it_is_over() {
    let mut state = State::default();
    let told = played(
        &mut state,
        &[
            (10, covered(Reason::Starting)),
            (12, up(1500)),
            (14, live()),
            (16, covered(Reason::PictureDisagrees)),
            (17, live()),
            (20, down()),
            // Never up: that it cannot be reached is no connection.
            (21, down()),
            (30, up(500)),
            (33, silent()),
            // Lost again for the same reason, which nobody is told.
            (40, up(1000)),
        ],
    );
    let connections = told
        .into_iter()
        .filter(|(.., what)| matches!(what, What::Connection { .. }));
    let lost = connection(1500, None, End::Lost);
    let What::Connection {
        stream,
        connecting,
        end,
        ..
    } = lost
    else {
        unreachable!()
    };
    // The first picture was shown 3.5 s after the connection began.
    let first = What::Connection {
        stream,
        connecting,
        shown_after: Some(Duration::from_millis(3500)),
        end,
    };
    assert_eq!(
        connections.collect::<Vec<_>>(),
        [
            (10.5, 20.0, first),
            (29.5, 33.0, connection(500, None, End::Lost)),
        ]
    );
}

#[test]
fn frames_are_told_as_often_as_configured() {
    let times = FrameTimes {
        decode: Duration::from_millis(1),
        hold: Duration::from_millis(90),
        mask: Duration::from_millis(4),
        encode: Duration::from_millis(5),
        evidence: true,
        covered: false,
    };
    let of = |camera: &str| Event::FrameMeasured {
        camera: camera.into(),
        times,
    };
    let seconds: Vec<(u64, Event)> = (10..25)
        .flat_map(|s| [(s, of("a")), (s, of("b"))])
        .collect();
    let mut state = State::default();
    assert_eq!(played(&mut state, &seconds), []);
    state.frame_every = Some(Duration::from_secs(5));
    let told = played(&mut state, &seconds);
    assert_eq!(told.len(), 6);
    let (since, until, what) = &told[0];
    assert!((until - since - 0.1).abs() < 1e-9);
    let What::Frame { parts, .. } = what else {
        panic!("{what:?}")
    };
    assert_eq!((parts.hold, parts.evidence), (times.hold, true));
}

#[test]
fn what_is_under_way_ends_with_its_camera() {
    let mut state = State::default();
    let published = Event::PublicationUp {
        camera: "a/sub".into(),
        publication: "main".into(),
    };
    let events = [(10, up(0)), (11, published), (12, silent())];
    assert_eq!(played(&mut state, &events), []);
    let open = state.streams.remove("a/sub").unwrap();
    let ended = open.ended("a/sub", Mono(20 * S));
    let whats: Vec<&What> = ended.iter().map(|(.., what)| what).collect();
    assert_eq!(ended.len(), 3);
    assert_eq!(*whats[0], connection(0, None, End::Ended));
    assert_eq!(*whats[1], hidden("no-signal", "no-signal"));
    assert!(matches!(
        whats[2],
        What::Publication {
            end: End::Ended,
            ..
        }
    ));
    assert!(ended.iter().all(|(_, until, _)| *until == Mono(20 * S)));
}

#[test]
fn nothing_that_others_said_is_in_what_is_told() {
    let mut state = State::default();
    let events = [(10, up(0)), (11, silent()), (12, live()), (13, down())];
    let told = format!("{:?}", played(&mut state, &events));
    assert!(
        told.contains("Connection") && told.contains("Hidden"),
        "{told}"
    );
    assert!(
        !told.contains("rtsp") && !told.contains("10.0.0.9"),
        "{told}"
    );
}
