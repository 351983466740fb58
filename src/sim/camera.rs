//! The camera as all its servers share it: clock, drives, faults, presets.
//!
//! Knows no protocol and no picture.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::SimError;
use super::config::SimConfig;
use super::faults::{Faults, Measured, Telemetry};
use super::lens::Pose;
use super::motion::script::Place;
use super::motion::{Motion, Order, built_in_presets};
use super::wall::CameraClock;
use crate::clock::{CaptureTime, Clock, Mono};

/// How long a restart takes until the camera answers again.
const BOOT_NS: u64 = 2_000_000_000;
/// How long it then reports 0, 0, 0 while it homes.
const HOMING_NS: u64 = 4_000_000_000;

/// A preset: token to (name, place).
pub(crate) type Presets = BTreeMap<String, (String, Place)>;

/// The shared camera.
#[derive(Debug)]
pub(crate) struct Camera {
    pub(crate) config: SimConfig,
    clock: Arc<dyn Clock>,
    start_mono: Mono,
    wall: Mutex<CameraClock>,
    motion: Mutex<Motion>,
    faults: Mutex<Faults>,
    telemetry: Mutex<Telemetry>,
    random: Mutex<StdRng>,
    pub(crate) presets: Mutex<Presets>,
    pub(crate) home: Mutex<Place>,
    /// When it last restarted, nanoseconds since the start; `u64::MAX`: never.
    restarted_ns: AtomicU64,
}

/// Locks what a panicking thread may have left: the simulator's state is
/// replaced whole or advanced in steps, so it stays usable.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The truth about one instant.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Truth {
    /// Capture time in the camera's clock, nanoseconds since 1970.
    pub t_ns: i64,
    /// Frame number at or before that time.
    pub frame: u64,
    /// Where the camera really looked.
    #[serde(flatten)]
    pub pose: Pose,
}

impl Camera {
    pub(crate) fn new(config: SimConfig, clock: Arc<dyn Clock>) -> Self {
        let motion = Motion::new(
            config.motion.clone(),
            &config.limits,
            config.curve(),
            config.roll_deg,
        );
        let presets: Presets = built_in_presets()
            .into_iter()
            .enumerate()
            .map(|(i, preset)| ((i + 1).to_string(), preset))
            .collect();
        let home = presets.get("1").map_or(
            Place {
                pan_deg: 0.0,
                tilt_deg: 0.0,
                zoom: 0.0,
            },
            |(_, place)| *place,
        );
        Self {
            start_mono: clock.mono(),
            wall: Mutex::new(CameraClock::new(
                CaptureTime(clock.wall().0),
                config.faults.clock_step_s,
            )),
            motion: Mutex::new(motion),
            faults: Mutex::new(config.faults.clone()),
            telemetry: Mutex::new(Telemetry::default()),
            random: Mutex::new(StdRng::seed_from_u64(config.seed)),
            presets: Mutex::new(presets),
            home: Mutex::new(home),
            restarted_ns: AtomicU64::new(u64::MAX),
            config,
            clock,
        }
    }

    /// Nanoseconds since the camera started.
    pub(crate) fn now_ns(&self) -> u64 {
        u64::try_from(self.clock.mono().since(self.start_mono).as_nanos()).unwrap_or(u64::MAX)
    }

    /// What the camera's clock says at a time since the start.
    pub(crate) fn utc_at(&self, t_ns: u64) -> CaptureTime {
        lock(&self.wall).at(t_ns)
    }

    /// The time since the start, not later than now, at which the camera's
    /// clock said `utc`.
    pub(crate) fn since_start(&self, utc: CaptureTime) -> Option<u64> {
        lock(&self.wall).instant(utc, self.now_ns())
    }

    /// Nanoseconds from one frame to the next.
    pub(crate) fn frame_ns(&self) -> u64 {
        1_000_000_000 / u64::from(self.config.fps.max(1))
    }

    /// The pose at a time since the start, not later than now.
    pub(crate) fn pose_at(&self, t_ns: u64) -> Option<Pose> {
        let mut motion = lock(&self.motion);
        // One step further, so that a time between two steps has both.
        motion.advance_to(t_ns.min(self.now_ns()).saturating_add(1_000_000));
        motion.pose_at(t_ns)
    }

    /// The truth at a time since the start.
    pub(crate) fn truth_at(&self, t_ns: u64) -> Option<Truth> {
        Some(Truth {
            t_ns: self.utc_at(t_ns).0,
            frame: t_ns / self.frame_ns(),
            pose: self.pose_at(t_ns)?,
        })
    }

    pub(crate) fn order(&self, order: Order) {
        lock(&self.motion).order(self.now_ns(), order);
    }

    /// A continuous move that ends by itself.
    pub(crate) fn order_for(&self, order: Order, seconds: Option<f64>) {
        let now = self.now_ns();
        let mut motion = lock(&self.motion);
        motion.order(now, order);
        if let Some(seconds) = seconds {
            motion.turn_until(now.saturating_add((seconds.max(0.0) * 1e9) as u64));
        }
    }

    pub(crate) fn is_scripted(&self) -> bool {
        lock(&self.motion).is_scripted()
    }

    pub(crate) fn faults(&self) -> Faults {
        lock(&self.faults).clone()
    }

    pub(crate) fn set_faults(&self, faults: &Faults) -> Result<(), SimError> {
        faults.check()?;
        let mut current = lock(&self.faults);
        lock(&self.wall).step(self.now_ns(), faults.clock_step_s);
        current.clone_from(faults);
        Ok(())
    }

    /// What telemetry tells now; `None` while the camera boots.
    pub(crate) fn measure(&self) -> Option<Measured> {
        if self.is_booting() {
            return None;
        }
        let now = self.now_ns();
        let mut pose = self.pose_at(now)?;
        let mut moving = lock(&self.motion).moving();
        if self.is_homing() {
            pose.pan_deg = 0.0;
            pose.tilt_deg = 0.0;
            pose.zoom = 0.0;
            moving = (false, false);
        }
        let faults = self.faults();
        Some(lock(&self.telemetry).measure(&faults, now, pose, moving))
    }

    /// How long a telemetry answer is kept back; `None`: for ever.
    pub(crate) fn answer_delay_ms(&self) -> Option<f64> {
        let faults = self.faults();
        let mut random = lock(&self.random);
        if faults.loss > 0.0 && random.random::<f64>() < faults.loss {
            return None;
        }
        Some(faults.delay_ms + faults.jitter_ms * random.random::<f64>())
    }

    /// Whether an RTP packet gets lost.
    pub(crate) fn loses_packet(&self) -> bool {
        let loss = lock(&self.faults).rtp_loss;
        loss > 0.0 && lock(&self.random).random::<f64>() < loss
    }

    /// Restarts the camera: it is away for two seconds, then homes while it
    /// reports 0, 0, 0.
    pub(crate) fn restart(&self) {
        let now = self.now_ns();
        self.restarted_ns.store(now, Ordering::SeqCst);
        let home = *lock(&self.home);
        self.order(Order::Go {
            pan_deg: Some(home.pan_deg),
            tilt_deg: Some(home.tilt_deg),
            zoom: Some(home.zoom),
            speed: Some(0.2),
        });
    }

    pub(crate) fn is_booting(&self) -> bool {
        self.since_restart()
            .is_some_and(|elapsed| elapsed < BOOT_NS)
    }

    fn is_homing(&self) -> bool {
        self.since_restart()
            .is_some_and(|elapsed| elapsed < BOOT_NS + HOMING_NS)
    }

    fn since_restart(&self) -> Option<u64> {
        let at = self.restarted_ns.load(Ordering::SeqCst);
        (at != u64::MAX).then(|| self.now_ns().saturating_sub(at))
    }
}
