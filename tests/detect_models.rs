//! Real models through the real runtime: what they find, and what is said of
//! files that cannot be used. `make models` must have run.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that fails should fail loudly"
)]

use std::path::{Path, PathBuf};

use greyplane::detect::manifest::{Manifest, usual_folder};
use greyplane::detect::ort::{LoadError, Model, Options, Runtime};
use greyplane::detect::{DecoderKind, Descriptor, Detector, Layout, PixelBox};
use greyplane::eval::{Report, Score, parse_labels};
use greyplane::frame::{Matrix, Picture};
use greyplane::geom::Size;

const ONE_THREAD: Options = Options { threads: 1 };

fn manifest() -> Manifest {
    Manifest::built_in().unwrap()
}

fn folder() -> PathBuf {
    usual_folder(|key| std::env::var_os(key)).expect("a home for models")
}

fn runtime() -> Runtime {
    let runtime = manifest().runtime;
    Runtime::load(&folder().join(runtime.file), Some(&runtime.sha256))
        .unwrap_or_else(|e| panic!("{e}"))
}

fn load(name: &str, change: impl FnOnce(&mut Descriptor)) -> Result<Model, LoadError> {
    let manifest = manifest();
    let entry = manifest.model(name).unwrap();
    let mut descriptor = entry.descriptor.clone();
    change(&mut descriptor);
    let file = folder().join(&entry.file);
    Model::load(
        &runtime(),
        &file,
        Some(&entry.sha256),
        descriptor,
        ONE_THREAD,
    )
}

/// A file of the material for measuring, which lies beside the repository and
/// is not part of it.
fn shared(path: &str) -> Option<PathBuf> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared")
        .join(path);
    if file.exists() {
        return Some(file);
    }
    eprintln!("SKIPPED: {} is not here", file.display());
    None
}

fn whole(size: Size) -> PixelBox {
    PixelBox {
        x0: 0.0,
        y0: 0.0,
        x1: f64::from(size.width),
        y1: f64::from(size.height),
    }
}

/// The score over every `step`-th labelled picture.
fn score(model: &mut Model, dataset: &Path, step: usize, long_side: u32) -> Report {
    let text = std::fs::read_to_string(dataset.join("labels.json")).unwrap();
    let mut score = Score::new(0.3);
    for labelled in parse_labels(&text).unwrap().stills.iter().step_by(step) {
        let read = image::open(dataset.join(&labelled.image))
            .unwrap()
            .into_rgb8();
        let size = Size {
            width: read.width(),
            height: read.height(),
        };
        let picture = Picture::from_rgb(read.as_raw(), size, Matrix::Bt601).unwrap();
        let frame = picture.frame().unwrap();
        let found = model.detect(&frame, &whole(size), long_side).unwrap();
        let truths: Vec<PixelBox> = labelled.boxes.iter().map(|(_, at)| *at).collect();
        score.add(size, &truths, &found);
    }
    score.report()
}

#[test]
fn models_load_and_find_nothing_where_nothing_is() {
    for name in ["centerface", "centerface-int8", "plate-eu"] {
        let mut model = load(name, |_| {}).unwrap_or_else(|e| panic!("{e}"));
        let size = Size {
            width: 333,
            height: 187,
        };
        let grey = Picture::from_rgb(&vec![128; 333 * 187 * 3], size, Matrix::Bt709).unwrap();
        let frame = grey.frame().unwrap();
        for long_side in [64, 320] {
            let found = model.detect(&frame, &whole(size), long_side).unwrap();
            assert_eq!(found, [], "{name}");
        }
    }
}

#[test]
fn plates_on_real_streets_are_covered() {
    let Some(dataset) = shared("data/plates") else {
        return;
    };
    let mut model = load("plate-eu", |_| {}).unwrap();
    let report = score(&mut model, &dataset, 40, 1280);
    assert!(report.all.boxes >= 10, "{report:?}");
    assert!(report.all.covered_90.unwrap() >= 0.9, "{report:?}");
    assert!(report.hidden_outside.unwrap() <= 0.02, "{report:?}");
}

#[test]
fn large_faces_in_real_pictures_are_covered() {
    let Some(dataset) = shared("data/faces") else {
        return;
    };
    let ours = ["centerface", "centerface-int8"];
    let mut models: Vec<_> = ours.map(|n| (n, load(n, |_| {}).unwrap())).into();
    if let Some(file) = shared("models/yunet_n_dynamic.onnx") {
        let manifest = manifest();
        let entry = manifest.model("yunet").unwrap();
        let descriptor = entry.descriptor.clone();
        let yunet = Model::load(
            &runtime(),
            &file,
            Some(&entry.sha256),
            descriptor,
            ONE_THREAD,
        );
        models.push(("yunet", yunet.unwrap()));
    }
    for (name, mut model) in models {
        let report = score(&mut model, &dataset, 6, 640);
        let large = &report.by_height[3];
        assert!(large.boxes >= 5, "{name}: {report:?}");
        assert!(large.covered_90.unwrap() >= 0.8, "{name}: {report:?}");
    }
}

#[test]
fn a_model_misdescribed_is_told_at_the_start() {
    type Change = fn(&mut Descriptor);
    let cases: [(&str, Change, &str); 5] = [
        (
            "centerface",
            |d| d.decoder = DecoderKind::Boxes,
            "reads 2 outputs",
        ),
        (
            "centerface",
            |d| d.decoder = DecoderKind::Retinaface,
            "has the shape",
        ),
        (
            "plate-eu",
            |d| d.decoder = DecoderKind::Yolov8,
            "has the shape",
        ),
        (
            "plate-eu",
            |d| d.input.layout = Layout::Nhwc,
            "one input of 32-bit floats [1, any height, any width, 3]",
        ),
        (
            "plate-eu",
            |d| d.decoder = DecoderKind::Yunet,
            "reads 9 outputs",
        ),
    ];
    for (name, change, told) in cases {
        let error = load(name, change).unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
}

#[test]
fn a_file_that_is_no_model_is_refused_with_its_reason() {
    let manifest = manifest();
    let entry = manifest.model("plate-eu").unwrap();
    let good = std::fs::read(folder().join(&entry.file)).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("model.onnx");
    let cases: [(&[u8], Option<&str>, &str); 5] = [
        (
            &good[..good.len() / 2],
            Some(&entry.sha256),
            "has the SHA-256",
        ),
        (
            &good[..good.len() / 2],
            None,
            "not a model this ONNX Runtime can run",
        ),
        (b"", None, "not a model this ONNX Runtime can run"),
        (
            b"<html>404</html>",
            None,
            "not a model this ONNX Runtime can run",
        ),
        (&unknown_operator(), None, "NoSuchOperator"),
    ];
    for (bytes, sum, told) in cases {
        std::fs::write(&file, bytes).unwrap();
        let refused = Model::load(&runtime(), &file, sum, entry.descriptor.clone(), ONE_THREAD);
        let error = refused.unwrap_err().to_string();
        assert!(
            error.contains(told) && error.contains("model.onnx"),
            "{error}"
        );
    }
    std::fs::remove_file(&file).unwrap();
    let refused = Model::load(
        &runtime(),
        &file,
        None,
        entry.descriptor.clone(),
        ONE_THREAD,
    );
    assert!(refused.unwrap_err().to_string().contains("make models"));
    let other = Runtime::load(&folder().join(&entry.file), Some(&manifest.runtime.sha256));
    assert!(matches!(other, Err(LoadError::Sum { .. })));
}

/// An ONNX file whose only node is none that exists. Field numbers as in onnx.proto.
fn unknown_operator() -> Vec<u8> {
    let bytes = |number: u8, content: &[u8]| {
        let length = u8::try_from(content.len()).expect("short");
        [&[(number << 3) | 2, length], content].concat()
    };
    let node = [bytes(1, b"x"), bytes(2, b"y"), bytes(4, b"NoSuchOperator")].concat();
    let float = bytes(1, &[8, 1]);
    let value = |name: &[u8]| [bytes(1, name), bytes(2, &float)].concat();
    let graph = [
        bytes(1, &node),
        bytes(2, b"g"),
        bytes(11, &value(b"x")),
        bytes(12, &value(b"y")),
    ];
    // IR version 8, opset 13.
    [
        &[8, 8][..],
        &bytes(7, &graph.concat()),
        &bytes(8, &[16, 13]),
    ]
    .concat()
}
