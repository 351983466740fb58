//! What may be told: a closed list. Whoever wants to tell more adds a field here, where
//! everybody sees it.

use std::time::Duration;

use crate::clock::WallTime;

/// Names in a configuration are no longer; a stream's is its camera's and its own.
const LONGEST_NAME: usize = 64;

/// The name that a configuration gives to a camera, to one of its streams (`<camera>/<name>`) or
/// to a publication: letters, digits, `-` and `_`, so that neither an address nor a path fits in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// What is no name becomes `unnamed`.
    pub fn new(text: &str) -> Self {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let part = |p: &str| (1..=LONGEST_NAME).contains(&p.len()) && p.chars().all(plain);
        let good = text.split('/').count() <= 2 && text.split('/').all(part);
        Self(if good { text } else { "unnamed" }.to_owned())
    }

    /// The camera's part, and that of a further stream.
    pub(super) fn parts(&self) -> (&str, Option<&str>) {
        match self.0.split_once('/') {
            Some((camera, stream)) => (camera, Some(stream)),
            None => (&self.0, None),
        }
    }
}

/// Something that is over: one trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Story {
    /// When it began, by the gateway's clock.
    pub began: WallTime,
    /// How long it took.
    pub took: Duration,
    /// What it was.
    pub what: What,
}

/// What is told. Durations count from the story's beginning unless said otherwise.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// A connection to a camera, from the first word to the end.
    Connection {
        /// Which stream.
        stream: Name,
        /// How long it took until pictures were negotiated.
        connecting: Duration,
        /// After how long the first picture was shown that was not wholly hidden; none where
        /// none was, or where one was shown before.
        shown_after: Option<Duration>,
        /// How it ended.
        end: End,
    },
    /// A picture wholly hidden, or missing, for one and the same reason.
    Hidden {
        /// Which stream.
        stream: Name,
        /// `covered` or `no-signal`: [`CameraState::name`](crate::event::CameraState::name).
        state: &'static str,
        /// [`Reason::code`](crate::event::Reason::code).
        reason: &'static str,
    },
    /// One frame on its way through the gateway.
    Frame {
        /// Which stream.
        stream: Name,
        /// Where the time went.
        parts: FrameParts,
    },
    /// Somebody turned a camera.
    Steering {
        /// Which.
        camera: Name,
        /// What was wished; not where to.
        turn: Turn,
        /// When the wish was handed on to the camera; none where it was not.
        handed_on: Option<Duration>,
        /// What became of it.
        outcome: Outcome,
    },
    /// Somebody asked for something that takes its time.
    Asked {
        /// For what.
        task: Task,
        /// Of which camera.
        camera: Name,
        /// What became of it.
        outcome: Outcome,
    },
    /// Configuration and masks were read anew.
    Reload {
        /// What became of it.
        outcome: Outcome,
    },
    /// A connection over which a server took a masked stream that is published to it.
    Publication {
        /// Of which camera.
        camera: Name,
        /// The publication's name.
        publication: Name,
        /// How it ended.
        end: End,
    },
}

impl What {
    /// In how many spans it is told.
    pub(super) fn spans(&self) -> u64 {
        match self {
            Self::Connection { shown_after, .. } => 2 + u64::from(shown_after.is_some()),
            Self::Frame { .. } => 5,
            Self::Steering { handed_on, .. } => 1 + u64::from(handed_on.is_some()),
            Self::Hidden { .. }
            | Self::Asked { .. }
            | Self::Reload { .. }
            | Self::Publication { .. } => 1,
        }
    }
}

/// Where a frame's time went, one part after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameParts {
    /// It came later from the decoder than others did.
    pub decode: Duration,
    /// It waited for its evidence, or for the end of its time.
    pub hold: Duration,
    /// What to hide was decided, hidden and read back.
    pub mask: Duration,
    /// The encoder had it, and whoever takes what that gives.
    pub encode: Duration,
    /// Whether its evidence was complete when it left the hold.
    pub evidence: bool,
    /// Whether it left wholly covered.
    pub covered: bool,
}

/// How something ended that was meant to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It was lost.
    Lost,
    /// It was ended by us: a reload, a restart, the gateway's end.
    Ended,
}

/// What became of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was not: it may not be, or not now.
    Refused,
    /// It was tried, and failed.
    Failed,
}

/// What was wished of a camera's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// To turn or zoom by hand.
    Turn,
    /// To stop.
    Stop,
    /// To go to a position.
    Go,
    /// To look along a direction.
    Look,
    /// To go home.
    Home,
    /// To go to a preset.
    Preset,
}

/// What takes its time when somebody asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// A clear still.
    ClearStill,
    /// A look whether a camera rests on a preset, before somebody's word for it counts.
    PresetVerification,
    /// A proof pack.
    ProofPack,
}
