//! A configuration for the camera that was probed: what it told, and for what it cannot
//! tell something that keeps it covered until somebody has measured it. A field of view is
//! never made up for positions that the camera reports. Nothing is overwritten. Must not
//! know passwords: it names where they are.

use super::Report;
use super::head::{HeadFacts, Space, tail};
use crate::pose::profile::{GENERIC_POSITION_SPACE, GENERIC_ZOOM_SPACE};
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// How the gateway is to log in, and what it is to trust: paths and names, never secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Login {
    /// User name; none: without a login.
    pub user: Option<String>,
    /// The file with the password.
    pub password_file: Option<PathBuf>,
    /// Or the environment variable.
    pub password_env: Option<String>,
    /// The CA's certificates, over https.
    pub ca_file: Option<PathBuf>,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum CannotWrite {
    /// The camera told no stream.
    #[error("there is no stream address to write into a configuration")]
    NoStream,
    /// It is there already.
    #[error("{} is there already, and is not overwritten: name another folder", .0.display())]
    Exists(PathBuf),
    /// The disk.
    #[error("{}: {error}", path.display())]
    Disk {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
}

/// Writes `greyplane.toml`, a zone document that hides everything and, for a camera that
/// turns, a profile, into `folder`. The files' paths come back.
///
/// # Errors
/// [`CannotWrite`]; what was written before is taken back.
pub fn write(
    folder: &Path,
    report: &Report,
    login: &Login,
    rate_hz: f64,
) -> Result<Vec<PathBuf>, CannotWrite> {
    let url = report
        .profiles
        .iter()
        .find(|p| report.profile_token.as_ref() == Some(&p.token))
        .and_then(|p| p.url.as_deref())
        .ok_or(CannotWrite::NoStream)?;
    let id = id(report);
    let mut files = vec![
        (
            folder.join("greyplane.toml"),
            configuration(report, &id, url, login, rate_hz),
        ),
        (folder.join(format!("{id}.zones.json")), zones(&id)),
    ];
    if let Some(head) = &report.head {
        files.push((
            folder.join(format!("{id}.profile.toml")),
            profile(report, head),
        ));
    }
    if let Some((path, _)) = files.iter().find(|(path, _)| path.exists()) {
        return Err(CannotWrite::Exists(path.clone()));
    }
    let disk = |path: &Path| {
        let path = path.to_owned();
        move |error| CannotWrite::Disk { path, error }
    };
    fs::create_dir_all(folder).map_err(disk(folder))?;
    let mut written: Vec<PathBuf> = Vec::new();
    for (path, text) in files {
        // Somebody may have made it meanwhile.
        let made = OpenOptions::new().write(true).create_new(true).open(&path);
        let done = made.and_then(|mut file| file.write_all(text.as_bytes()));
        if let Err(e) = done {
            for path in &written {
                // What cannot be removed either is not ours to mend.
                let _ = fs::remove_file(path);
            }
            return Err(disk(&path)(e));
        }
        written.push(path);
    }
    Ok(written)
}

/// Letters and digits of the model.
fn id(report: &Report) -> String {
    let model = report.device.as_ref().map_or("", |d| d.model.as_str());
    let lower = model.to_ascii_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric());
    let id: Vec<&str> = words.filter(|w| !w.is_empty()).take(4).collect();
    let id: String = id.join("-").chars().take(32).collect();
    if id.is_empty() {
        "camera".to_owned()
    } else {
        id
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn configuration(report: &Report, id: &str, url: &str, login: &Login, rate_hz: f64) -> String {
    let device = report.device.clone().unwrap_or_default();
    let mut account = String::new();
    let mut key = |name: &str, value: String| {
        // Into a String: nothing can fail.
        let _ = writeln!(account, "{name} = {}", quoted(&value));
    };
    if let Some(user) = &login.user {
        key("user", user.clone());
        if let Some(file) = &login.password_file {
            key("password_file", absolute(file));
        }
        if let Some(env) = &login.password_env {
            key("password_env", env.clone());
        }
    }
    let mut text = format!(
        "# Written by `greyplane probe` for {} {}, firmware {}.\n\
         # The repository's greyplane.toml is the manual: every key, with its default.\n\
         # The zones hide the whole picture until yours are drawn ({id}.zones.json).\n",
        one_line(&device.manufacturer),
        one_line(&device.model),
        one_line(&device.firmware),
    );
    if report.head.is_some() {
        let _ = writeln!(
            text,
            "# What must be measured stands in {id}.profile.toml; until then the picture stays covered."
        );
    }
    let _ = write!(
        text,
        "\n[[camera]]\nid = {}\nurl = {}\n{account}masks = {}\n",
        quoted(id),
        quoted(url),
        quoted(&format!("{id}.zones.json")),
    );
    if report.head.is_some() {
        let _ = writeln!(text, "profile = {}", quoted(&format!("{id}.profile.toml")));
        let _ = write!(
            text,
            "\n[camera.telemetry]\ndevice_url = {}\n{account}profile_token = {}\nrate_hz = {rate_hz:?}\n",
            quoted(&report.device_url),
            quoted(report.profile_token.as_deref().unwrap_or_default()),
        );
        if let Some(file) = &login.ca_file {
            let _ = writeln!(text, "ca_file = {}", quoted(&absolute(file)));
        }
    }
    text.push_str(
        "\n# Faces and licence plates, after `make models`:\n# [camera.detect]\n# classes = [\"face\", \"plate\"]\n",
    );
    text
}

/// The document's paths are relative to it; these were typed elsewhere.
fn absolute(path: &Path) -> String {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    whole.display().to_string()
}

/// In a comment.
fn one_line(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(80).collect()
}

/// Everything is private until somebody has looked.
fn zones(id: &str) -> String {
    format!(
        r#"{{
  "format": 1,
  "camera": "{id}",
  "zones": [
    {{
      "id": "everything",
      "name": "Hides the whole picture: take it out once the private places are drawn",
      "mode": "hide",
      "shape": {{
        "type": "image",
        "points": [
          {{ "x": -0.1, "y": -0.1 }},
          {{ "x": 1.1, "y": -0.1 }},
          {{ "x": 1.1, "y": 1.1 }},
          {{ "x": -0.1, "y": 1.1 }}
        ]
      }}
    }}
  ]
}}
"#
    )
}

/// Numbers that the camera never reports in this space: what is mapped from them only
/// refuses whatever it does report, and the picture stays covered.
fn beyond(space: Option<[f64; 2]>) -> [f64; 2] {
    let [low, high] = space.unwrap_or([-1.0, 1.0]);
    let far = high.abs().max(low.abs()) + 1000.0 * (high - low).max(1.0);
    [far, far + 1.0]
}

fn pair([a, b]: [f64; 2]) -> String {
    format!("[{a:?}, {b:?}]")
}

fn profile(report: &Report, head: &HeadFacts) -> String {
    let device = report.device.clone().unwrap_or_default();
    let reported = |axis: usize, generic: &str, listed: &[Space]| {
        let seen = report
            .positions
            .as_ref()
            .and_then(|p| p.spaces[axis].first().cloned());
        let first = || listed.first().map(|s| s.uri.clone());
        seen.or_else(first).unwrap_or_else(|| generic.to_owned())
    };
    let positions = reported(0, GENERIC_POSITION_SPACE, &head.positions);
    let zooms = reported(1, GENERIC_ZOOM_SPACE, &head.zooms);
    let space = head.position_space(&positions);
    let zoom = head.zoom_space(&zooms).map(|s| s.x);
    let name = format!(
        "{} {}, NOT MEASURED",
        one_line(&device.manufacturer),
        one_line(&device.model)
    );
    let told = |range: Option<[f64; 2]>| {
        range.map_or("nothing".to_owned(), |[a, b]| format!("{a:?} to {b:?}"))
    };
    let zoom_beyond = beyond(zoom);
    let mut text = format!(
        "# Camera profile, begun by `greyplane probe`. It is valid, and the picture stays covered with\n\
         # it: what the camera cannot tell is mapped from numbers that it never reports. Measure what\n\
         # is marked MEASURE; masks/street.profile.toml shows a finished profile.\n\
         format = 1\nname = {}\nposition_space = {}\nzoom_space = {}\n\n",
        quoted(&name),
        quoted(&positions),
        quoted(&zooms),
    );
    text.push_str(&axes(&positions, space));
    let _ = write!(
        text,
        "\n# MEASURE the horizontal field of view at five zoom positions at least; no camera tells it over\n\
         # ONVIF. The camera tells zoom from {}. Look along a wall of known width and\n\
         # distance: hfov_deg = 2 atan(width / 2 / distance). Then replace both knots, which lie where\n\
         # the camera never is.\n\
         zoom = [\n    {{ zoom = {:?}, hfov_deg = 2.0 }},\n    {{ zoom = {:?}, hfov_deg = 1.0 }},\n]\n",
        told(zoom),
        zoom_beyond[0],
        zoom_beyond[1],
    );
    let measured = report.motion.as_ref().and_then(|m| m.returns_spread);
    let sigma = measured
        .filter(|_| space.is_some_and(Space::is_degrees))
        .map_or(0.1, |[pan, tilt]| (pan.max(tilt) / 2.0).clamp(0.1, 10.0));
    let _ = write!(
        text,
        "\n# MEASURE: barrel distortion, and how the camera hangs.\n\
         distortion = {{ k1 = 0.0, k2 = 0.0 }}\n\
         mount = {{ pan_deg = 0.0, pitch_deg = 0.0, roll_deg = 0.0, upside_down = false }}\n\n\
         # Faster than any head that is known: take the data sheet's figures. Too small is unsafe, too\n\
         # large makes the planes wide.\n\
         limits = {{ max_speed_deg_s = 700.0, max_accel_deg_s2 = 2000.0, max_ln_focal_s = 4.0, max_ln_focal_s2 = 16.0 }}\n\n\
         # MEASURE: how exactly it says where it looks; parallax_deg is 0.57 for 5 cm at 5 m.\n\
         sigma = {{ angle_deg = {sigma:?}, roll_deg = 0.1, ln_focal = 0.01, parallax_deg = 0.57, capture_ms = 5.0 }}\n\n\
         # The longest that 25 pictures a second allow.\n\
         timing = {{ exposure_ms = 40.0, readout_ms = 40.0 }}\n\
         picture = {{ compression_px = 4.0 }}\n",
    );
    text
}

fn axes(uri: &str, space: Option<&Space>) -> String {
    if let Some(space) = space.filter(|s| s.is_degrees())
        && let Some(tilt) = space.y
    {
        let wraps = (space.x[1] - space.x[0] - 360.0).abs() < 1e-6;
        return format!(
            "# As the camera says, in degrees. MEASURE that pan grows to the right and tilt upwards: where it\n\
             # does not, swap the two numbers of to_deg.\n\
             pan = {{ from = {x}, to_deg = {x}, wraps = {wraps} }}\n\
             tilt = {{ from = {y}, to_deg = {y} }}\n",
            x = pair(space.x),
            y = pair(tilt),
        );
    }
    let (pan, tilt) = (space.map(|s| s.x), space.and_then(|s| s.y));
    let line = |range: Option<[f64; 2]>| range.map_or("[?, ?]".to_owned(), pair);
    format!(
        "# MEASURE how many degrees the camera's numbers are: {} has no degrees. Then write\n\
         # pan = {{ from = {}, to_deg = [?, ?], wraps = ? }}\n\
         # tilt = {{ from = {}, to_deg = [?, ?] }}\n\
         # in place of these two, which lie where the camera never is:\n\
         pan = {{ from = {}, to_deg = [0.0, 1.0], wraps = false }}\n\
         tilt = {{ from = {}, to_deg = [0.0, 1.0] }}\n",
        tail(uri),
        line(pan),
        line(tilt),
        pair(beyond(pan)),
        pair(beyond(tilt)),
    )
}
