//! Every decoder on tensors made by hand: one box where it must be found, and
//! every way in which an output may be wrong.

use super::*;
use crate::detect::{Channels, Class, Input, Layout};

const INPUT: Size = Size {
    width: 64,
    height: 32,
};

/// An output that owns its numbers.
#[derive(Clone)]
struct Output {
    name: &'static str,
    shape: Vec<usize>,
    data: Vec<f32>,
}

impl Output {
    fn new(name: &'static str, shape: &[usize]) -> Self {
        let shape = shape.to_vec();
        let data = vec![0.0; shape.iter().product()];
        Self { name, shape, data }
    }

    fn with(mut self, values: &[(usize, f32)]) -> Self {
        for (at, value) in values {
            self.data[*at] = *value;
        }
        self
    }
}

fn descriptor(decoder: DecoderKind) -> Descriptor {
    Descriptor {
        class: Class::Face,
        decoder,
        input: Input {
            layout: Layout::Nchw,
            channels: Channels::Rgb,
            mean: [0.0; 3],
            scale: [1.0; 3],
            long_side: 64,
            fixed: None,
        },
        threshold: 0.5,
        sure: None,
        nms_iou: 0.4,
        class_indices: Vec::new(),
    }
}

fn run(decoder: DecoderKind, outputs: &[Output]) -> Result<Vec<Candidate>, DecodeError> {
    let tensors: Vec<Tensor<'_>> = outputs
        .iter()
        .map(|o| Tensor {
            name: o.name,
            shape: &o.shape,
            data: &o.data,
        })
        .collect();
    decode(&descriptor(decoder), &tensors, INPUT)
}

/// For each decoder: outputs with one sure box, where it is, how sure, and
/// where a score and a number of that box stand (output, index).
struct Case {
    decoder: DecoderKind,
    outputs: Vec<Output>,
    at: [f64; 4],
    score: f32,
    score_at: (usize, usize),
    number_at: (usize, usize),
}

fn cases() -> Vec<Case> {
    use DecoderKind::{Boxes, Centerface, Retinaface, Scrfd, Yolov5, Yolov8, Yunet};
    // Cells of a 64×32 input: 8×4 at stride 8, 4×2 at 16, 2×1 at 32, 16×8 at 4.
    let ln2 = std::f32::consts::LN_2;
    let heads = |names: [&'static str; 3], width: usize, per_cell: usize| {
        [32, 8, 2]
            .into_iter()
            .zip(names)
            .map(move |(n, name)| Output::new(name, &[1, n * per_cell, width]))
            .collect::<Vec<_>>()
    };
    let mut yunet = heads(["cls_8", "cls_16", "cls_32"], 1, 1);
    yunet.extend(heads(["obj_8", "obj_16", "obj_32"], 1, 1));
    yunet.extend(heads(["bbox_8", "bbox_16", "bbox_32"], 4, 1));
    yunet.extend(heads(["kps_8", "kps_16", "kps_32"], 10, 1));
    // Stride 16, row 1, column 2: cell 6. Centre (2.5, 1.25) strides, 2×1 strides.
    yunet[1].data[6] = 0.81;
    yunet[4].data[6] = 1.0;
    yunet[7].data[24..28].copy_from_slice(&[0.5, 0.25, ln2, 0.0]);
    let mut scrfd = heads(["s8", "s16", "s32"], 1, 2);
    scrfd.extend(heads(["b8", "b16", "b32"], 4, 2));
    // Stride 8, row 1, column 3, its second box: 2 · 11 + 1.
    scrfd[0].data[23] = 0.7;
    scrfd[3].data[92..96].copy_from_slice(&[1.0, 0.5, 2.0, 1.5]);
    // Exporters differ in order.
    scrfd.swap(0, 2);
    vec![
        Case {
            decoder: Boxes,
            outputs: vec![
                Output::new("boxes", &[1, 3, 4]).with(&[(4, 5.0), (5, 6.0), (6, 25.0), (7, 16.0)]),
                Output::new("scores", &[1, 3]).with(&[(1, 0.9)]),
            ],
            at: [5.0, 6.0, 25.0, 16.0],
            score: 0.9,
            score_at: (1, 0),
            number_at: (0, 6),
        },
        Case {
            decoder: Yolov8,
            outputs: vec![Output::new("output0", &[1, 6, 42]).with(&[
                (7, 30.0),
                (49, 20.0),
                (91, 10.0),
                (133, 8.0),
                (217, 0.6),
            ])],
            at: [25.0, 16.0, 35.0, 24.0],
            score: 0.6,
            score_at: (0, 170),
            number_at: (0, 91),
        },
        Case {
            decoder: Yolov5,
            outputs: vec![Output::new("output", &[1, 20, 7]).with(&[
                (14, 30.0),
                (15, 20.0),
                (16, 10.0),
                (17, 8.0),
                (18, 0.8),
                (20, 0.75),
            ])],
            at: [25.0, 16.0, 35.0, 24.0],
            score: 0.6,
            score_at: (0, 4),
            number_at: (0, 15),
        },
        Case {
            decoder: Centerface,
            // Row 3, column 5: cell 53 of 128. Twice as wide as high.
            outputs: vec![
                Output::new("537", &[1, 1, 8, 16]).with(&[(53, 0.8)]),
                Output::new("538", &[1, 2, 8, 16]).with(&[(53, ln2), (181, 2.0 * ln2)]),
                Output::new("539", &[1, 2, 8, 16]).with(&[(53, 0.25), (181, 0.5)]),
                Output::new("540", &[1, 10, 8, 16]),
            ],
            at: [16.0, 11.0, 32.0, 19.0],
            score: 0.8,
            score_at: (0, 0),
            number_at: (1, 181),
        },
        Case {
            decoder: Yunet,
            outputs: yunet,
            at: [24.0, 12.0, 56.0, 28.0],
            score: 0.9,
            score_at: (3, 0),
            number_at: (7, 26),
        },
        Case {
            decoder: Scrfd,
            outputs: scrfd,
            at: [16.0, 4.0, 40.0, 20.0],
            score: 0.7,
            score_at: (1, 3),
            number_at: (3, 93),
        },
        Case {
            decoder: Retinaface,
            // The first prior of stride 16 (side 64) after 64 of stride 8: centre
            // moved by a tenth of 64 to the right, size doubled.
            outputs: vec![
                Output::new("boxes", &[1, 84, 4]).with(&[
                    (256, 1.0),
                    (258, 5.0 * ln2),
                    (259, 5.0 * ln2),
                ]),
                Output::new("scores", &[1, 84, 2]).with(&[(129, 0.75)]),
                Output::new("landmarks", &[1, 84, 10]),
            ],
            at: [-49.6, -56.0, 78.4, 72.0],
            score: 0.75,
            score_at: (1, 1),
            number_at: (0, 258),
        },
    ]
}

#[test]
fn every_decoder_finds_its_box() {
    for case in cases() {
        let found = run(case.decoder, &case.outputs).unwrap();
        let [one] = found.as_slice() else {
            panic!("{:?}: {found:?}", case.decoder);
        };
        let got = [one.at.x0, one.at.y0, one.at.x1, one.at.y1];
        let near = got.iter().zip(case.at).all(|(a, b)| (a - b).abs() < 1e-4);
        assert!(near, "{:?}: {got:?}, not {:?}", case.decoder, case.at);
        assert!((one.score - case.score).abs() < 1e-6, "{:?}", case.decoder);
    }
}

#[test]
fn a_number_that_is_none_is_never_a_box_and_never_silence() {
    for case in cases() {
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for (output, index) in [case.score_at, case.number_at] {
                let mut outputs = case.outputs.clone();
                outputs[output].data[index] = value;
                let read = run(case.decoder, &outputs);
                assert!(read.is_err(), "{:?} {value}: {read:?}", case.decoder);
            }
        }
    }
}

#[test]
fn a_score_outside_its_range_is_a_model_misread() {
    for case in cases() {
        for value in [-4.0, 1.5, 80.0] {
            let (output, index) = case.score_at;
            let mut outputs = case.outputs.clone();
            outputs[output].data[index] = value;
            let read = run(case.decoder, &outputs);
            assert!(
                matches!(read, Err(DecodeError::Score { .. })),
                "{:?} {value}: {read:?}",
                case.decoder
            );
        }
    }
}

#[test]
fn missing_and_misshapen_outputs_are_named() {
    for case in cases() {
        let nothing = run(case.decoder, &[]);
        assert!(matches!(nothing, Err(DecodeError::Outputs { got: 0, .. })));
        for output in [case.score_at.0, case.number_at.0] {
            let mut outputs = case.outputs.clone();
            outputs[output].shape.push(2);
            let read = run(case.decoder, &outputs);
            assert!(
                matches!(read, Err(DecodeError::Shape { .. })),
                "{:?}: {read:?}",
                case.decoder
            );
            // A shape that promises more numbers than there are.
            let mut outputs = case.outputs.clone();
            outputs[output].data.pop();
            let read = run(case.decoder, &outputs);
            assert!(
                matches!(read, Err(DecodeError::Shape { .. })),
                "{:?}: {read:?}",
                case.decoder
            );
        }
    }
}

#[test]
fn a_box_inside_out_is_a_fault() {
    let cases = [
        (DecoderKind::Boxes, 0, 6, -30.0),
        (DecoderKind::Yolov5, 0, 16, -10.0),
    ];
    for (decoder, output, index, value) in cases {
        let case = self::cases().into_iter().find(|c| c.decoder == decoder);
        let mut outputs = case.unwrap().outputs;
        outputs[output].data[index] = value;
        let read = run(decoder, &outputs);
        assert!(matches!(read, Err(DecodeError::Box { .. })), "{read:?}");
    }
}

#[test]
fn only_the_classes_asked_for_count() {
    let case = cases()
        .into_iter()
        .find(|c| c.decoder == DecoderKind::Yolov8);
    let outputs = case.unwrap().outputs;
    let tensor = Tensor {
        name: outputs[0].name,
        shape: &outputs[0].shape,
        data: &outputs[0].data,
    };
    let found = |classes: &[usize]| {
        let descriptor = Descriptor {
            class_indices: classes.to_vec(),
            ..descriptor(DecoderKind::Yolov8)
        };
        decode(&descriptor, &[tensor], INPUT).map(|c| c.len())
    };
    assert_eq!((found(&[1]), found(&[0])), (Ok(1), Ok(0)));
    assert!(matches!(found(&[2]), Err(DecodeError::Shape { .. })));
}

#[test]
fn a_crowd_beyond_belief_is_a_fault() {
    let n = MAX_CANDIDATES + 1;
    let (mut scores, mut boxes) = (
        Output::new("scores", &[1, n]),
        Output::new("boxes", &[1, n, 4]),
    );
    scores.data.fill(0.9);
    for corners in boxes.data.chunks_exact_mut(4) {
        corners.copy_from_slice(&[1.0, 1.0, 9.0, 9.0]);
    }
    let read = run(DecoderKind::Boxes, &[boxes, scores]);
    assert_eq!(read, Err(DecodeError::TooMany));
}
