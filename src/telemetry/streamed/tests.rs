use super::*;
use crate::clock::{CaptureTime, SystemClock};
use crate::onvif::utc::UtcStamp;
use crate::onvif::{OnvifSettings, utc};
use crate::pose::profile::RawPosition;
use crate::pose::testing::PROFILE;
use crate::pose::{CameraProfile, TimedSample};
use crate::secret::Secret;
use crate::telemetry::TelemetrySettings;
use crate::telemetry::measure::{Measure, Rationed};
use crate::telemetry::sample_clock::SampleClock;
use crate::telemetry::source::{Asked, Report, Source, Unheard, When};
use std::sync::Mutex;

const EPOCH_S: i64 = 1_795_342_530;

/// A camera that turns at `speed`, is asked twice a second and streams at ten hertz.
struct Camera {
    poller: Poller,
    queue: DocumentQueue,
    said: Arc<Mutex<Vec<TelemetryItem>>>,
    speed: f64,
    /// Tenths of a second from answer to answer.
    every: u32,
    stamp_s: f64,
    lie_deg: f64,
    space: &'static str,
    /// What becomes of positions that came unasked.
    becomes: Arc<Mutex<Pushed>>,
}

impl Camera {
    fn turning(speed: f64) -> Self {
        let profile = Arc::new(CameraProfile::from_toml(PROFILE).unwrap());
        let said = Arc::new(Mutex::new(Vec::new()));
        let into = said.clone();
        let becomes = Arc::new(Mutex::new(Pushed::Taken));
        let verdict = becomes.clone();
        let (queue, documents) = documents();
        let camera = OnvifSettings {
            device_url: String::new(),
            user: String::new(),
            password: Secret::new(""),
            profile_token: None,
            ca_pem: None,
            timeout_ms: 1000,
        };
        let poller = Poller {
            settings: TelemetrySettings {
                source: Source::Onvif(camera),
                rate_hz: 2.0,
            },
            listening: Some(Listening::new(documents, Agreement::new(&profile))),
            profile,
            clock: Arc::new(SystemClock::new()),
            sink: Box::new(move |item| {
                let pushed = match item {
                    TelemetryItem::Sample(_) => Some(Pushed::Taken),
                    TelemetryItem::Streamed(_) => Some(verdict.lock().unwrap().clone()),
                    _ => None,
                };
                into.lock().unwrap().push(item);
                pushed
            }),
            times: SampleClock::default(),
            faults: Rationed::default(),
            measure: Measure::from(Mono(0)),
        };
        Self {
            poller,
            queue,
            said,
            speed,
            every: 5,
            stamp_s: 0.0,
            lie_deg: 0.0,
            space: "PositionGenericSpace",
            becomes,
        }
    }

    fn pan(&self, at_s: f64) -> f64 {
        ((self.speed * at_s + 180.0).rem_euclid(360.0) - 180.0) / 180.0
    }

    fn document(&self, at_s: f64) -> StreamedDocument {
        let stamp_ms = ((at_s + self.stamp_s) * 1e3).round() as i64;
        let whole = utc::format_seconds(EPOCH_S + stamp_ms.div_euclid(1000));
        let stamp = format!(
            "{}.{:03}Z",
            whole.trim_end_matches('Z'),
            stamp_ms.rem_euclid(1000)
        );
        let text = format!(
            "<MetadataStream><PTZ><PTZStatus><Position><PanTilt x=\"{}\" y=\"0\" \
             space=\"http://www.onvif.org/ver10/tptz/PanTiltSpaces/{}\"/><Zoom x=\"0.1\"/></Position>\
             <UtcTime>{stamp}</UtcTime></PTZStatus></PTZ></MetadataStream>",
            self.pan(at_s) + self.lie_deg / 180.0,
            self.space,
        );
        StreamedDocument {
            bytes: text.into_bytes(),
            gzip: false,
            received: mono(at_s + 0.02),
        }
    }

    /// From one tenth of a second to another, that one not included.
    fn play(&mut self, tenths: std::ops::Range<u32>) -> &mut Self {
        for tenth in tenths {
            let at_s = f64::from(tenth) * 0.1;
            if tenth % self.every == 0 {
                let asked_s = at_s - 0.033;
                self.answer(asked_s);
            }
            let document = self.document(at_s);
            self.poller.hear(&document);
        }
        self
    }

    fn answer(&mut self, at_s: f64) {
        let stamp = UtcStamp {
            at: CaptureTime(EPOCH_S * 1_000_000_000).plus_seconds(at_s),
            resolution_ns: 1_000_000,
        };
        let report = Report {
            position: RawPosition {
                pan: Some(self.pan(at_s)),
                tilt: Some(0.0),
                zoom: Some(0.1),
                ..RawPosition::default()
            },
            when: When::Measured(Some(stamp)),
            error: None,
        };
        let taken = self.poller.take(Asked {
            sent: mono(at_s - 0.003),
            received: mono(at_s + 0.003),
            answer: Ok(report),
        });
        assert!(taken, "an answer counts");
    }

    /// What became of the stream since the last time.
    fn counts(&mut self) -> (bool, MetadataCounts) {
        match self.poller.listening.as_mut().unwrap().tell() {
            TelemetryItem::Metadata { leads, counts } => (leads, counts),
            other => panic!("{other:?}"),
        }
    }

    fn said<T>(&self, what: impl Fn(&TelemetryItem) -> Option<T>) -> Vec<T> {
        self.said.lock().unwrap().iter().filter_map(what).collect()
    }
}

/// Our clock when the camera's shows `at_s` after the epoch.
fn mono(at_s: f64) -> Mono {
    Mono(((at_s + 1000.0) * 1e9) as u64)
}

fn streamed(item: &TelemetryItem) -> Option<PoseSample> {
    match item {
        TelemetryItem::Streamed(sample) => Some(sample.clone()),
        _ => None,
    }
}

fn contradicted(item: &TelemetryItem) -> Option<CaptureTime> {
    match item {
        TelemetryItem::Contradicted { since, .. } => Some(*since),
        _ => None,
    }
}

#[test]
fn a_stream_leads_once_answers_have_borne_it_out() {
    let mut camera = Camera::turning(60.0);
    // Nobody has asked the camera yet.
    let early = camera.document(-1.0);
    camera.poller.hear(&early);
    assert_eq!(camera.counts().1.untimed, 1);
    let (leads, counts) = camera.play(0..80).counts();
    assert!(leads && counts.taken >= 35, "{counts:?}");
    assert!(counts.unproven > 30, "the first ones: {counts:?}");
    let samples = camera.said(streamed);
    assert_eq!(samples.len() as u64, counts.taken);
    for sample in samples {
        let at_s = sample
            .at
            .seconds_since(CaptureTime(EPOCH_S * 1_000_000_000));
        let off = sample.pan_deg - 180.0 * camera.pan(at_s);
        let bound = 2.0 * 60.0 * sample.sigma_t_s;
        assert!(off.abs() < bound && sample.sigma_t_s < 0.025, "{sample:?}");
        assert_eq!(sample.hfov_deg, None);
    }
}

#[test]
fn answers_lead_where_they_are_better() {
    let mut camera = Camera::turning(60.0);
    camera.every = 1;
    let (leads, counts) = camera.play(0..60).counts();
    assert!(!leads && counts.taken == 0, "{counts:?}");
    assert!(counts.spare > 30, "{counts:?}");
    // Answers become seldom: the stream leads at once.
    camera.every = 5;
    let (leads, counts) = camera.play(60..100).counts();
    assert!(leads && counts.taken > 30, "{counts:?}");
}

#[test]
fn a_camera_at_rest_proves_nothing() {
    let mut camera = Camera::turning(0.0);
    let (leads, counts) = camera.play(0..40).counts();
    assert!(
        !leads && counts.taken == 0 && counts.unproven > 30,
        "{counts:?}"
    );
}

#[test]
fn stamps_that_begin_to_lie_are_passed_over() {
    for stamp_s in [-0.1, -5.0, 0.1, 3600.0] {
        let mut camera = Camera::turning(60.0);
        assert!(camera.play(0..60).counts().1.taken > 0);
        camera.stamp_s = stamp_s;
        // No answer falls in between.
        let counts = camera.play(61..65).counts().1;
        assert_eq!(
            (counts.taken, counts.untimed),
            (0, 4),
            "{stamp_s}: {counts:?}"
        );
        assert_eq!(camera.play(65..80).counts().1.taken, 0, "{stamp_s}");
        assert!(camera.said(contradicted).is_empty());
    }
}

#[test]
fn stamps_that_lie_from_the_first_on_prove_nothing() {
    // As if every document were so long under way: only the answers can tell.
    let mut camera = Camera::turning(60.0);
    camera.stamp_s = -0.15;
    let counts = camera.play(0..60).counts().1;
    assert_eq!(counts.taken, 0, "{counts:?}");
    assert!(
        camera.said(contradicted).is_empty(),
        "it was never believed"
    );
}

#[test]
fn a_stream_that_was_believed_and_contradicts_makes_both_unknown() {
    let mut camera = Camera::turning(60.0);
    camera.play(0..60).counts();
    camera.lie_deg = 5.0;
    let counts = camera.play(60..80).counts().1;
    let since = camera.said(contradicted);
    assert_eq!(since.len(), 1);
    let since_s = since[0].seconds_since(CaptureTime(EPOCH_S * 1_000_000_000));
    assert!(
        (5.0..6.0).contains(&since_s),
        "the last answer before: {since_s}"
    );
    assert!(counts.taken <= 6 && counts.unproven >= 13, "{counts:?}");
    // Also once it tells the truth again, and over another connection.
    camera.lie_deg = 0.0;
    camera.poller.listening.as_mut().unwrap().begin_anew();
    assert_eq!(camera.play(80..140).counts().1.taken, 0);
}

#[test]
fn what_is_no_position_is_refused_and_counted() {
    let mut camera = Camera::turning(60.0);
    camera.play(0..60).counts();
    camera.space = "SphericalPositionSpaceDegrees";
    camera.play(61..63);
    let hear = |camera: &mut Camera, bytes: &[u8], gzip| {
        camera.poller.hear(&StreamedDocument {
            bytes: bytes.to_vec(),
            gzip,
            received: mono(6.4),
        });
    };
    hear(&mut camera, b"<MetadataStream><PTZ>", false);
    hear(&mut camera, b"<MetadataStream/>", true);
    hear(&mut camera, b"<MetadataStream/>", false);
    let nowhen = b"<MetadataStream><PTZ><PTZStatus><Position><PanTilt x='0' y='0'/><Zoom x='0'/>\
        </Position></PTZStatus></PTZ></MetadataStream>";
    hear(&mut camera, nowhen, false);
    let counts = camera.counts().1;
    assert_eq!((counts.refused, counts.unreadable), (2, 2), "{counts:?}");
    assert_eq!((counts.untimed, counts.taken), (1, 0), "{counts:?}");
    let refused = camera.said(|item| matches!(item, TelemetryItem::Refused { .. }).then_some(()));
    assert_eq!(refused.len(), 3);
    let answers = camera.said(|item| match item {
        TelemetryItem::Sample(TimedSample { sample, .. }) => Some(sample.at),
        _ => None,
    });
    assert_eq!(answers.len(), 12, "answers go on");
}

#[test]
fn what_nobody_reads_in_time_is_lost_and_counted() {
    let mut camera = Camera::turning(0.0);
    for tenth in 0..100 {
        camera.queue.put(camera.document(f64::from(tenth) * 0.1));
    }
    camera.poller.listening.as_mut().unwrap().begin_anew();
    assert_eq!(camera.counts().1.lost, 100);
}

#[test]
fn what_the_history_does_not_take_is_not_counted_as_taken() {
    let reason = Reason::NoPosition;
    for (becomes, count) in [
        (Pushed::NotNews, [1, 0, 0]),
        (Pushed::Unsteady(reason.clone()), [0, 1, 0]),
        (Pushed::Refused(reason), [0, 0, 1]),
    ] {
        let mut camera = Camera::turning(60.0);
        camera.play(0..60).counts();
        let measured_hz =
            |camera: &mut Camera, at_s| camera.poller.measure.due(mono(at_s)).unwrap().0;
        measured_hz(&mut camera, 1e6);
        *camera.becomes.lock().unwrap() = becomes.clone();
        let (leads, found) = camera.play(61..65).counts();
        assert!(!leads && found.taken == 0, "{becomes:?}: {found:?}");
        let passed_over = [found.spare, found.unproven, found.refused];
        assert_eq!(passed_over, count.map(|n| 4 * n), "{becomes:?}");
        assert_eq!(measured_hz(&mut camera, 2e6), 0.0, "{becomes:?}");
    }
}

#[test]
fn answers_without_a_position_vouch_for_nothing() {
    let mut camera = Camera::turning(60.0);
    camera.play(0..60).counts();
    camera.every = u32::MAX;
    for tenth in 61..160 {
        camera.play(tenth..tenth + 1);
        if tenth % 5 == 0 {
            let at_s = f64::from(tenth) * 0.1;
            let fault = Asked {
                sent: mono(at_s),
                received: mono(at_s + 0.003),
                answer: Err(Unheard::refusal("the device is busy")),
            };
            assert!(!camera.poller.take(fault));
        }
    }
    // The last position was asked for at 5.46 s, and three seconds are allowed.
    let counts = camera.counts().1;
    assert!((20..=25).contains(&counts.taken), "{counts:?}");
    assert!(counts.unproven >= 70, "{counts:?}");
}
