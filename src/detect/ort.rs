//! Networks run by ONNX Runtime. Nothing else knows it.
//!
//! The runtime is a library loaded from a file while the program runs; it and
//! every model with a known sum are refused when the sum is another. A model
//! is tried on a black picture before it is given out, so that a wrong
//! descriptor is told at the start and not in the street.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ::ort::environment::Environment;
use ::ort::logging::LogLevel;
use ::ort::session::Session;
use ::ort::session::builder::SessionBuilder;
use ::ort::value::{Outlet, TensorElementType, TensorRef, ValueType};
use sha2::{Digest, Sha256};

use crate::frame::FrameRef;
use crate::geom::Size;

use super::decode::{Candidate, DecodeError, Tensor, decode};
use super::descriptor::{Input, Layout};
use super::{
    Descriptor, DetectError, Detection, Detector, Letterbox, PixelBox, Preparer, nms::suppress,
};

/// Why the runtime or a model cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error(
        "cannot read {path}: {why}; `make models` fetches what it can, models/README.md says where the rest comes from"
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        why: std::io::Error,
    },
    /// The file is another one, or damaged.
    #[error(
        "{path} has the SHA-256 {got}, but must have {wanted}: it is damaged or another file; remove it and run `make models`"
    )]
    Sum {
        /// The file.
        path: PathBuf,
        /// What its sum must be.
        wanted: String,
        /// What it is.
        got: String,
    },
    /// The library is none, or too old.
    #[error("{path} is not a usable ONNX Runtime: {why}")]
    Runtime {
        /// The library.
        path: PathBuf,
        /// What the loader says.
        why: String,
    },
    /// The runtime refuses the model: cut short, no ONNX file, an operator it does not know.
    #[error(
        "{path} is not a model this ONNX Runtime can run: {why}; fetch it again, or export it with operators of the standard set"
    )]
    Refused {
        /// The model.
        path: PathBuf,
        /// What the runtime says.
        why: String,
    },
    /// Not one picture in.
    #[error("{path} takes {got}; its descriptor needs one input of {wanted}")]
    Input {
        /// The model.
        path: PathBuf,
        /// What it takes, in words.
        got: String,
        /// What it must take, in words.
        wanted: String,
    },
    /// It ran over a black picture, and what came out cannot be read.
    #[error("{why}; the descriptor does not fit the model")]
    Trial {
        /// What happened.
        why: DetectError,
    },
}

/// The loaded library. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Runtime {
    environment: Environment,
}

/// ONNX Runtime allows one environment a process.
static LOADED: Mutex<Option<Environment>> = Mutex::new(None);

impl Runtime {
    /// Loads the library. One process has one: later calls verify their file,
    /// then use what the first one loaded.
    ///
    /// # Errors
    /// [`LoadError`] when the file is missing, has another sum than `sha256`,
    /// or is no ONNX Runtime of version 1.17 or later.
    pub fn load(library: &Path, sha256: Option<&str>) -> Result<Self, LoadError> {
        read_verified(library, sha256)?;
        let fault = |why: String| LoadError::Runtime {
            path: library.to_owned(),
            why,
        };
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(environment) = &*loaded {
            let environment = environment.clone();
            return Ok(Self { environment });
        }
        let environment = ::ort::init_from(library)
            .map_err(|e| fault(e.to_string()))?
            .with_name("greyplane")
            .with_telemetry(false)
            .build()
            .map_err(|e| fault(e.to_string()))?;
        environment.set_log_level(LogLevel::Error);
        *loaded = Some(environment.clone());
        Ok(Self { environment })
    }
}

/// How a model is run.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Threads that one run may use, at least 1.
    pub threads: usize,
}

/// A model that can be run.
pub struct Model {
    name: String,
    descriptor: Descriptor,
    session: Session,
    preparer: Preparer,
    tensor: Vec<f32>,
}

// By hand: a derived one would write the last picture into a log.
impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model").field("name", &self.name).finish()
    }
}

impl Model {
    /// Loads a model file and tries it.
    ///
    /// # Errors
    /// [`LoadError`] says what is wrong with the file or its descriptor.
    pub fn load(
        runtime: &Runtime,
        path: &Path,
        sha256: Option<&str>,
        descriptor: Descriptor,
        options: Options,
    ) -> Result<Self, LoadError> {
        let bytes = read_verified(path, sha256)?;
        // From the very bytes that were verified, not from the file again.
        let session = session(runtime, &bytes, options).map_err(|e| LoadError::Refused {
            path: path.to_owned(),
            why: e.to_string(),
        })?;
        check_input(path, session.inputs(), &descriptor.input)?;
        let mut model = Self {
            name: path.file_name().map_or_else(
                || path.display().to_string(),
                |n| n.to_string_lossy().into_owned(),
            ),
            descriptor,
            session,
            preparer: Preparer::default(),
            tensor: Vec::new(),
        };
        model.try_black().map_err(|why| LoadError::Trial { why })?;
        Ok(model)
    }

    /// Runs once over a black picture.
    fn try_black(&mut self) -> Result<(), DetectError> {
        let [width, height] = self.descriptor.input.fixed.unwrap_or(TRIAL);
        let size = Size { width, height };
        self.tensor.clear();
        self.tensor
            .resize(3 * width as usize * height as usize, 0.0);
        self.search(size).map(|_| ())
    }

    /// Runs the network over `tensor` and reads its outputs.
    fn search(&mut self, input: Size) -> Result<Vec<Candidate>, DetectError> {
        let (width, height) = (input.width as usize, input.height as usize);
        let shape = match self.descriptor.input.layout {
            Layout::Nchw => [1, 3, height, width],
            Layout::Nhwc => [1, height, width, 3],
        };
        let fault = |e: ::ort::Error| DetectError::Run {
            model: self.name.clone(),
            input,
            why: e.to_string(),
        };
        let tensor = TensorRef::from_array_view((shape, self.tensor.as_slice())).map_err(fault)?;
        let outputs = self.session.run(::ort::inputs![tensor]).map_err(fault)?;
        let mut read = Vec::with_capacity(outputs.len());
        for (i, name) in outputs.keys().enumerate() {
            let (shape, data) = outputs[i].try_extract_tensor::<f32>().map_err(fault)?;
            // The runtime gives no negative extents; one would fit no decoder.
            let extent = |n: &i64| usize::try_from(*n).unwrap_or(usize::MAX);
            read.push((name, shape.iter().map(extent).collect::<Vec<_>>(), data));
        }
        let tensors: Vec<Tensor<'_>> = read
            .iter()
            .map(|(name, shape, data)| Tensor { name, shape, data })
            .collect();
        decode(&self.descriptor, &tensors, input).map_err(|why: DecodeError| DetectError::Decode {
            model: self.name.clone(),
            why,
        })
    }
}

/// The trial's picture, where a model takes any size: not square, so that
/// exchanged rows and columns are seen.
const TRIAL: [u32; 2] = [128, 96];

impl Detector for Model {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn detect(
        &mut self,
        frame: &FrameRef<'_>,
        area: &PixelBox,
        long_side: u32,
    ) -> Result<Vec<Detection>, DetectError> {
        let input = &self.descriptor.input;
        let letterbox = Letterbox::new(frame.size(), area, input, long_side)?;
        self.preparer
            .fill(frame, &letterbox, input, &mut self.tensor);
        let candidates = self.search(letterbox.input)?;
        let class = self.descriptor.class;
        let kept = suppress(candidates, f64::from(self.descriptor.nms_iou));
        Ok(kept
            .into_iter()
            .map(|c| Detection {
                class,
                at: letterbox.in_frame(&c.at),
                score: c.score,
            })
            .collect())
    }
}

fn session(runtime: &Runtime, bytes: &[u8], options: Options) -> ::ort::Result<Session> {
    SessionBuilder::new(&runtime.environment)?
        .with_intra_threads(options.threads.max(1))?
        .with_inter_threads(1)?
        // Threads that wait for work must not burn the CPU the encoder needs.
        .with_intra_op_spinning(false)?
        .with_log_level(LogLevel::Error)?
        .commit_from_memory(bytes)
}

/// The whole file, if its sum is the wanted one.
fn read_verified(path: &Path, sha256: Option<&str>) -> Result<Vec<u8>, LoadError> {
    let bytes = std::fs::read(path).map_err(|why| LoadError::Read {
        path: path.to_owned(),
        why,
    })?;
    let Some(wanted) = sha256 else {
        return Ok(bytes);
    };
    let got = hex::encode(Sha256::digest(&bytes));
    if got == wanted {
        return Ok(bytes);
    }
    Err(LoadError::Sum {
        path: path.to_owned(),
        wanted: wanted.to_owned(),
        got,
    })
}

/// That the model takes one picture of 32-bit numbers, of any size or of the
/// descriptor's fixed one.
fn check_input(path: &Path, inputs: &[Outlet], input: &Input) -> Result<(), LoadError> {
    let [height, width] = input.fixed.map_or(
        ["any height".to_owned(), "any width".to_owned()],
        |[w, h]| [h.to_string(), w.to_string()],
    );
    let wanted = match input.layout {
        Layout::Nchw => format!("32-bit floats [1, 3, {height}, {width}]"),
        Layout::Nhwc => format!("32-bit floats [1, {height}, {width}, 3]"),
    };
    let fault = |got: String| LoadError::Input {
        path: path.to_owned(),
        got,
        wanted: wanted.clone(),
    };
    let [one] = inputs else {
        return Err(fault(format!("{} inputs", inputs.len())));
    };
    let ValueType::Tensor { ty, shape, .. } = one.dtype() else {
        return Err(fault("something that is no tensor".to_owned()));
    };
    let extents: Vec<i64> = shape.iter().copied().collect();
    let got = format!("{ty:?} {extents:?} (−1 is any)").replace("-1", "−1");
    let fixed = input.fixed.map(|[w, h]| (i64::from(w), i64::from(h)));
    let fits = match (input.layout, extents.as_slice()) {
        (Layout::Nchw, [n, c, h, w]) | (Layout::Nhwc, [n, h, w, c]) => {
            let free = |extent: i64, wanted: i64| extent == -1 || extent == wanted;
            let sides = match fixed {
                Some((width, height)) => free(*w, width) && free(*h, height),
                None => *w == -1 && *h == -1,
            };
            free(*n, 1) && free(*c, 3) && sides
        }
        _ => false,
    };
    if fits && *ty == TensorElementType::Float32 {
        Ok(())
    } else {
        Err(fault(got))
    }
}
