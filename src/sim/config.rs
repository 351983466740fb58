//! Configuration of a simulated camera, and the profile it publishes.

use std::net::IpAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::SimError;
use super::faults::Faults;
use super::form::Form;
use super::lens::ZoomCurve;
use super::motion::Limits;
use super::motion::script::Script;
use super::render::Size;

/// In which spaces the camera reports and takes positions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PositionSpace {
    /// ONVIF generic: pan and tilt −1…1 over their range, zoom 0…1.
    #[default]
    Generic,
    /// ONVIF spherical degrees for pan and tilt; zoom stays generic.
    Spherical,
}

/// Which time stamps the video's RTP packets carry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stamps {
    /// None.
    #[default]
    None,
    /// RFC 6051's, in RFC 8285's one-byte form.
    Ntp64,
    /// The same in the two-byte form.
    Ntp64TwoByte,
    /// ONVIF's replay extension, in the first packet of each frame.
    OnvifReplay,
}

/// How a clip is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClipView {
    /// The whole clip fills the picture; the camera does not turn.
    #[default]
    Fixed,
    /// The clip hangs in front of the camera, `hfov_deg` wide, and the camera
    /// turns and zooms over it.
    Panned {
        /// Horizontal field of view that the clip fills, degrees.
        hfov_deg: f64,
    },
    /// The clip's own H.264 is sent, undecoded; it tells the size and the frame
    /// rate. The camera does not turn, and nothing can be drawn into the picture.
    AsItIs,
}

/// A simulated camera. Every key has a default; unknown keys are refused.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SimConfig {
    /// Identifier of the camera, used in the mask document.
    pub id: String,
    /// Address to listen on.
    pub listen: IpAddr,
    /// Port of the RTSP server; 0 picks a free one.
    pub rtsp_port: u16,
    /// Port of the ONVIF services; 0 picks a free one.
    pub onvif_port: u16,
    /// Port of the control interface; 0 picks a free one.
    pub control_port: u16,
    /// Port of VISCA over IP (UDP); 0 picks a free one.
    pub visca_port: u16,
    /// Width of the picture in px, a multiple of 8.
    pub width: usize,
    /// Height of the picture in px, a multiple of 8.
    pub height: usize,
    /// A second stream, at `/sub`: the same in this size, px, each a multiple of 8. It has no
    /// metadata and no sound beside it.
    pub sub: Option<[usize; 2]>,
    /// Frames per second.
    pub fps: u32,
    /// Bit rate of the video in kbit/s; MJPEG takes what it needs.
    pub bitrate_kbps: u32,
    /// Frames from one key frame to the next.
    pub gop: u32,
    /// Shortest time between RTCP sender reports, milliseconds.
    pub sender_report_ms: u32,
    /// Time stamps in the video's RTP packets, beside sender reports.
    pub stamps: Stamps,
    /// How often the metadata stream tells the position while it changes, Hz;
    /// 0 leaves the metadata stream out.
    pub metadata_hz: f64,
    /// The metadata stream is packed with gzip.
    pub metadata_gzip: bool,
    /// User for RTSP (Digest) and ONVIF (WS-UsernameToken); none: open.
    pub user: Option<String>,
    /// The user's password.
    pub password: Option<String>,
    /// Paint private places in the canary colour.
    pub canary: bool,
    /// Draw a machine-readable frame number (see [`super::code`]).
    pub frame_code: bool,
    /// Roll of the camera in degrees.
    pub roll_deg: f64,
    /// Radial distortion, third order.
    pub k1: f64,
    /// Radial distortion, fifth order.
    pub k2: f64,
    /// Horizontal field of view at zoom 0, degrees.
    pub wide_hfov_deg: f64,
    /// Horizontal field of view at zoom 1, degrees.
    pub tele_hfov_deg: f64,
    /// Spaces of positions.
    pub position_space: PositionSpace,
    /// Limits of the drives.
    pub limits: Limits,
    /// What the camera does by itself.
    pub motion: Script,
    /// A video file to serve in place of the drawn street, looped.
    pub clip: Option<PathBuf>,
    /// How the clip is shown.
    pub clip_view: ClipView,
    /// What the video is coded as, and whether there is sound.
    pub form: Form,
    /// Faults from the start.
    pub faults: Faults,
    /// Seed of everything random (loss, jitter).
    pub seed: u64,
}

impl std::fmt::Debug for SimConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimConfig")
            .field("id", &self.id)
            .field("size", &(self.width, self.height))
            .field("motion", &self.motion)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

impl Default for SimConfig {
    fn default() -> Self {
        Self {
            id: "street".to_owned(),
            listen: IpAddr::from([127, 0, 0, 1]),
            rtsp_port: 0,
            onvif_port: 0,
            control_port: 0,
            visca_port: 0,
            width: 1280,
            height: 720,
            sub: None,
            fps: 25,
            bitrate_kbps: 6000,
            gop: 25,
            sender_report_ms: 500,
            stamps: Stamps::None,
            metadata_hz: 10.0,
            metadata_gzip: false,
            user: None,
            password: None,
            canary: false,
            frame_code: false,
            roll_deg: 0.0,
            k1: -0.05,
            k2: 0.0,
            wide_hfov_deg: 60.0,
            tele_hfov_deg: 3.0,
            position_space: PositionSpace::Generic,
            limits: Limits::default(),
            motion: Script::default(),
            clip: None,
            clip_view: ClipView::Fixed,
            form: Form::default(),
            faults: Faults::default(),
            seed: 1,
        }
    }
}

impl SimConfig {
    /// Reads a configuration from TOML.
    ///
    /// # Errors
    /// When the text is no TOML, has unknown keys, or [`Self::check`] objects.
    pub fn from_toml(text: &str) -> Result<Self, SimError> {
        let config: Self =
            toml::from_str(text).map_err(|e| SimError::Config(e.to_string().trim().to_owned()))?;
        config.check()?;
        Ok(config)
    }

    /// Refuses numbers that make no camera.
    ///
    /// # Errors
    /// Names the key and what it may be.
    pub fn check(&self) -> Result<(), SimError> {
        let refuse = |what: String| Err(SimError::Config(what));
        let side = |n: usize| n.is_multiple_of(8) && (64..=4096).contains(&n);
        if !side(self.width) || !side(self.height) {
            return refuse(format!(
                "width and height must be multiples of 8 from 64 to 4096, not {} × {}",
                self.width, self.height
            ));
        }
        if let Some([width, height]) = self.sub.filter(|[w, h]| !side(*w) || !side(*h)) {
            return refuse(format!(
                "sub must be multiples of 8 from 64 to 4096, not {width} × {height}"
            ));
        }
        if self.sub.is_some() && self.clip_view == ClipView::AsItIs && self.clip.is_some() {
            return refuse("sub: a clip that is sent as it is has one size".to_owned());
        }
        let within = |name: &str, value: f64, low: f64, high: f64| {
            if value.is_finite() && (low..=high).contains(&value) {
                Ok(())
            } else {
                Err(SimError::Config(format!(
                    "{name} must be from {low} to {high}, not {value}"
                )))
            }
        };
        within("fps", f64::from(self.fps), 1.0, 120.0)?;
        within(
            "bitrate_kbps",
            f64::from(self.bitrate_kbps),
            64.0,
            100_000.0,
        )?;
        within("gop", f64::from(self.gop), 1.0, 1000.0)?;
        within(
            "sender_report_ms",
            f64::from(self.sender_report_ms),
            20.0,
            60_000.0,
        )?;
        within("metadata_hz", self.metadata_hz, 0.0, 100.0)?;
        within("roll_deg", self.roll_deg, -45.0, 45.0)?;
        within("k1", self.k1, -0.3, 0.3)?;
        within("k2", self.k2, -0.2, 0.2)?;
        within("wide_hfov_deg", self.wide_hfov_deg, 1.0, 110.0)?;
        within("tele_hfov_deg", self.tele_hfov_deg, 0.5, self.wide_hfov_deg)?;
        let l = &self.limits;
        within(
            "limits.max_speed_deg_per_s",
            l.max_speed_deg_per_s,
            0.1,
            1000.0,
        )?;
        within(
            "limits.max_acceleration_deg_per_s2",
            l.max_acceleration_deg_per_s2,
            1.0,
            10_000.0,
        )?;
        within("limits.tilt_min_deg", l.tilt_min_deg, -90.0, 89.0)?;
        within(
            "limits.tilt_max_deg",
            l.tilt_max_deg,
            l.tilt_min_deg + 1.0,
            90.0,
        )?;
        within("limits.zoom_full_range_s", l.zoom_full_range_s, 0.1, 100.0)?;
        if let ClipView::Panned { hfov_deg } = self.clip_view {
            within("clip_view.hfov_deg", hfov_deg, 5.0, 140.0)?;
        }
        if let Some(fault) = self.motion.fault() {
            return refuse(format!("motion: {fault}"));
        }
        if self.user.is_some() != self.password.is_some() {
            return refuse("user and password belong together: give both or none".to_owned());
        }
        if self.id.is_empty()
            || !self
                .id
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '-')
        {
            return refuse("id must be letters, digits and dashes".to_owned());
        }
        self.form.check()?;
        self.faults.check()
    }

    /// The size of the picture.
    pub fn size(&self) -> Size {
        Size {
            width: self.width,
            height: self.height,
        }
    }

    /// The zoom lens.
    pub fn curve(&self) -> ZoomCurve {
        ZoomCurve::new(self.wide_hfov_deg, self.tele_hfov_deg)
    }

    /// Whether the camera cannot turn (a clip shown whole).
    pub fn is_fixed(&self) -> bool {
        self.clip.is_some() && matches!(self.clip_view, ClipView::Fixed | ClipView::AsItIs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_valid_and_comes_back_from_toml() {
        let config = SimConfig::default();
        config.check().unwrap();
        let text = toml::to_string(&config).unwrap();
        assert_eq!(SimConfig::from_toml(&text).unwrap(), config);
        assert_eq!(SimConfig::from_toml("").unwrap(), config);
    }

    #[test]
    fn nonsense_is_refused_with_its_key() {
        for (text, needle) in [
            ("colour = 3", "colour"),
            ("width = 1921", "width"),
            ("sub = [641, 360]", "sub"),
            ("k1 = nan", "k1"),
            ("wide_hfov_deg = 200.0", "wide_hfov_deg"),
            ("user = \"a\"", "password"),
            ("id = \"a b\"", "id"),
            ("[faults]\nrtp_loss = 2.0", "rtp_loss"),
            ("[form]\ncodec = \"h263\"", "h263"),
            ("[form]\npixel_aspect = [0, 1]", "pixel_aspect"),
            ("[form]\ncodec = \"mpeg4\"\npixels = \"y444\"", "pixels"),
            ("[form]\ncodec = \"mjpeg\"\ninterlaced = true", "interlaced"),
            ("[motion]\nkind = \"dance\"", "dance"),
            ("[motion]\nkind = \"preset_jumps\"\nevery_s = 0.0", "motion"),
            ("[limits]\nmax_speed_deg_per_s = inf", "max_speed"),
        ] {
            let error = SimConfig::from_toml(text).unwrap_err().to_string();
            assert!(error.contains(needle), "{text}: {error}");
        }
    }

    #[test]
    fn the_password_is_not_in_the_debug_text() {
        let config = SimConfig {
            password: Some("hunter2".into()),
            ..SimConfig::default()
        };
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
