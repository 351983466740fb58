use super::*;
use crate::clock::{CaptureTime, SystemClock};
use crate::config::{Style, WhenSilent};
use crate::detect::{Class, Descriptor, DetectError};
use crate::detect::{Detection, Detector, PixelBox, Search};
use crate::event::{Event, Reason};
use crate::frame::FrameRef;
use crate::frame::{Matrix, Picture};
use crate::geom::Size;
use crate::track::Hidden;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

const SIZE: Size = Size {
    width: 64,
    height: 48,
};
const FACE: PixelBox = PixelBox {
    x0: 20.0,
    y0: 10.0,
    x1: 30.0,
    y1: 22.0,
};

/// Finds one face in every picture, or does what the case wants.
struct Scripted {
    descriptor: Descriptor,
    wrong: Arc<AtomicBool>,
    panics: bool,
}

impl Detector for Scripted {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn detect(
        &mut self,
        _frame: &FrameRef<'_>,
        area: &PixelBox,
        _long_side: u32,
    ) -> Result<Vec<Detection>, DetectError> {
        if self.wrong.load(Ordering::SeqCst) {
            assert!(!self.panics, "as the case wants");
            let frame = SIZE;
            let area = *area;
            return Err(DetectError::Area { area, frame });
        }
        Ok(vec![Detection {
            class: Class::Face,
            at: FACE,
            score: 0.9,
        }])
    }
}

#[derive(Default)]
struct Faults(Mutex<Vec<String>>);

impl EventSink for Faults {
    fn emit(&self, event: Event) {
        if let Event::DetectorFault { camera, detail } = event {
            lock(&self.0).push(format!("{camera}: {detail}"));
        }
    }
}

struct Rig {
    pool: Pool,
    wrong: Arc<AtomicBool>,
    faults: Arc<Faults>,
}

fn rig(panics: bool) -> Rig {
    rig_with(panics, Vec::new())
}

fn picture() -> Picture {
    Picture::from_rgb(&[90; 64 * 48 * 3], SIZE, Matrix::Bt709).unwrap()
}

fn rig_with(panics: bool, trials: Vec<Trial>) -> Rig {
    let wrong = Arc::new(AtomicBool::new(false));
    let faults = Arc::new(Faults::default());
    let text = "class = \"face\"\ndecoder = \"centerface\"\nthreshold = 0.2\nnms_iou = 0.3\n\
                [input]\nlayout = \"nchw\"\nchannels = \"rgb\"\nlong_side = 640\n";
    let search = Search::new(vec![Box::new(Scripted {
        descriptor: Descriptor::parse(text).unwrap(),
        wrong: wrong.clone(),
        panics,
    })]);
    let looker = Looker::new(search, trials);
    Rig {
        pool: Pool::start(vec![looker], 640, track::Rules::default(), faults.clone()).unwrap(),
        wrong,
        faults,
    }
}

impl Rig {
    fn sight(&self, id: &str, classes: &[Class], when_silent: WhenSilent) -> Arc<Sight> {
        let detect = Detect {
            nearest_m: None,
            classes: classes.to_vec(),
            when_silent,
            max_silence: Duration::from_secs(1),
            style: Style::Solid,
            cpu_share: 64.0,
            sweep: Duration::from_millis(500),
        };
        let clock = Arc::new(SystemClock::new());
        self.pool
            .sight(id, &detect, Motion::Fixed, Waker::default(), clock)
    }
}

fn at(ms: i64) -> CaptureTime {
    CaptureTime(1_700_000_000_000_000_000 + ms * 1_000_000)
}

/// Offers a picture taken at `ms` and waits until it was looked at.
fn show(sight: &Arc<Sight>, ms: i64) {
    assert!(sight.is_free());
    sight.take(at(ms), &picture().frame().unwrap());
    while !sight.is_free() {
        std::thread::yield_now();
    }
}

fn hides_the_face(things: &[Hidden]) -> bool {
    things.iter().any(|h| h.at.intersection(&FACE) == FACE)
}

#[test]
fn what_was_found_is_hidden_and_before_anybody_looked_everything() {
    let rig = rig(false);
    let sight = rig.sight("a", &[Class::Face], WhenSilent::Cover);
    assert_eq!(sight.things(at(0)), Err(Reason::DetectorSilent));
    assert!(!sight.ready(at(0)));
    show(&sight, 0);
    assert!(sight.ready(at(0)) && !sight.ready(at(40)));
    show(&sight, 120);
    for ms in [0, 40, 80, 120, 160] {
        assert!(hides_the_face(&sight.things(at(ms)).unwrap()), "{ms}");
    }
    // Nobody looked for more than a second: neither known nor waited for.
    assert_eq!(sight.things(at(1_200)), Err(Reason::DetectorSilent));
    assert!(sight.ready(at(1_200)));
    sight.forget();
    assert_eq!(sight.things(at(120)), Err(Reason::DetectorSilent));
}

#[test]
fn zones_only_shows_the_rest_when_nobody_looks() {
    let rig = rig(false);
    let sight = rig.sight("a", &[Class::Face], WhenSilent::ZonesOnly);
    assert_eq!(sight.things(at(0)), Ok(Vec::new()));
}

#[test]
fn a_picture_that_could_not_be_looked_at_counts_as_one_at_which_nobody_looked() {
    for panics in [false, true] {
        let rig = rig(panics);
        rig.wrong.store(true, Ordering::SeqCst);
        let sight = rig.sight("a", &[Class::Face], WhenSilent::Cover);
        for ms in [0, 40, 80] {
            show(&sight, ms);
        }
        assert_eq!(sight.things(at(40)), Err(Reason::DetectorSilent));
        assert_eq!(lock(&rig.faults.0).len(), 1, "told once, not every time");
        rig.wrong.store(false, Ordering::SeqCst);
        show(&sight, 120);
        assert!(hides_the_face(&sight.things(at(120)).unwrap()));
    }
}

#[test]
fn a_class_for_which_there_is_no_model_is_not_taken_for_looked_at() {
    let rig = rig(false);
    let sight = rig.sight("a", &[Class::Face, Class::Plate], WhenSilent::Cover);
    show(&sight, 0);
    assert_eq!(sight.things(at(0)), Err(Reason::DetectorSilent));
    assert!(lock(&rig.faults.0)[0].contains("plate"));
}

#[test]
fn a_clock_that_went_back_covers_until_the_next_look() {
    let rig = rig(false);
    let sight = rig.sight("a", &[Class::Face], WhenSilent::Cover);
    show(&sight, 10_000);
    show(&sight, 40);
    for ms in [40, 10_000] {
        assert_eq!(sight.things(at(ms)), Err(Reason::DetectorSilent));
    }
    show(&sight, 80);
    assert!(hides_the_face(&sight.things(at(80)).unwrap()));
}

#[test]
fn cameras_take_turns() {
    let rig = rig(false);
    let sights = ["a", "b", "c"].map(|id| rig.sight(id, &[Class::Face], WhenSilent::Cover));
    for ms in [0, 40, 80] {
        for sight in &sights {
            show(sight, ms);
        }
    }
    for sight in &sights {
        assert!(sight.ready(at(80)));
    }
}

#[test]
fn a_model_that_fails_its_trial_picture_is_not_believed() {
    let elsewhere = PixelBox {
        x0: 40.0,
        x1: 60.0,
        ..FACE
    };
    for (there, believed) in [(FACE, true), (elsewhere, false)] {
        let trial = Trial {
            class: Class::Face,
            picture: picture(),
            at: there,
        };
        let rig = rig_with(false, vec![trial]);
        let sight = rig.sight("a", &[Class::Face], WhenSilent::Cover);
        show(&sight, 0);
        assert_eq!(sight.things(at(0)).is_ok(), believed);
        let told = lock(&rig.faults.0)
            .iter()
            .any(|f| f.contains("trial picture"));
        assert_eq!(told, !believed);
    }
}
