//! `greyplane sim`: one simulated camera until Ctrl-C.

use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use greyplane::clock::SystemClock;
use greyplane::sim::config::ClipView;
use greyplane::sim::motion::script::Script;
use greyplane::sim::{Sim, SimConfig};

/// Runs a simulated PTZ camera: a drawn street (or a clip) over RTSP and ONVIF.
#[derive(Debug, clap::Args)]
pub(crate) struct SimArgs {
    /// Configuration in TOML; every key has a default.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address to listen on.
    #[arg(long, value_name = "ADDR")]
    listen: Option<IpAddr>,
    /// Port of the RTSP server; 0 picks a free one.
    #[arg(long, value_name = "PORT")]
    rtsp_port: Option<u16>,
    /// Port of the ONVIF services; 0 picks a free one.
    #[arg(long, value_name = "PORT")]
    onvif_port: Option<u16>,
    /// Port of the control interface; 0 picks a free one.
    #[arg(long, value_name = "PORT")]
    control_port: Option<u16>,
    /// Size of the picture, such as 1920x1080.
    #[arg(long, value_name = "WxH", value_parser = size)]
    size: Option<(usize, usize)>,
    /// What the camera does by itself.
    #[arg(long, value_enum)]
    motion: Option<Motion>,
    /// Paint every private place in magenta, a colour that occurs nowhere else.
    #[arg(long)]
    canary: bool,
    /// Draw a machine-readable frame number at the bottom left.
    #[arg(long)]
    frame_code: bool,
    /// Write the true private places as a mask document.
    #[arg(long, value_name = "FILE")]
    write_zones: Option<PathBuf>,
    /// Write the camera's profile for the gateway.
    #[arg(long, value_name = "FILE")]
    write_profile: Option<PathBuf>,
    /// Serve a video file, looped, in place of the street.
    #[arg(long, value_name = "FILE")]
    clip: Option<PathBuf>,
    /// Turn and zoom over the clip, which then fills this many degrees.
    #[arg(long, value_name = "DEGREES", requires = "clip")]
    clip_hfov: Option<f64>,
    /// Send the clip's own H.264, undecoded (no B-frames; its frame rate is rounded).
    #[arg(long, requires = "clip", conflicts_with = "clip_hfov")]
    clip_as_it_is: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Motion {
    Still,
    SlowPan,
    Sweep,
    PresetJumps,
    ZoomPan,
    Nadir,
}

impl Motion {
    fn script(self) -> Script {
        use greyplane::sim::motion::script::Place;
        match self {
            Self::Still => Script::Still {
                at: Place {
                    pan_deg: 0.0,
                    tilt_deg: -12.0,
                    zoom: 0.0,
                },
            },
            Self::SlowPan => Script::SlowPan {
                deg_per_s: 8.0,
                tilt_deg: -10.0,
                zoom: 0.0,
            },
            Self::Sweep => Script::Sweep {
                peak_deg_per_s: 100.0,
                amplitude_deg: 90.0,
                centre_pan_deg: 0.0,
                tilt_deg: -10.0,
                zoom: 0.0,
            },
            Self::PresetJumps => Script::PresetJumps {
                every_s: 3.0,
                places: Vec::new(),
            },
            Self::ZoomPan => Script::ZoomPan {
                zoom_s: 8.0,
                wide_deg_per_s: 40.0,
                tilt_deg: -7.0,
            },
            Self::Nadir => Script::Nadir {
                period_s: 6.0,
                deg_per_s: 25.0,
                top_tilt_deg: 0.0,
            },
        }
    }
}

fn size(text: &str) -> Result<(usize, usize), String> {
    let wrong = || format!("expected WIDTHxHEIGHT such as 1920x1080, not {text}");
    let (w, h) = text.split_once('x').ok_or_else(wrong)?;
    Ok((
        w.parse().map_err(|_| wrong())?,
        h.parse().map_err(|_| wrong())?,
    ))
}

/// The environment variable that holds the camera's password.
const PASSWORD: &str = "GREYPLANE_SIM_PASSWORD";

fn config(args: &SimArgs) -> anyhow::Result<SimConfig> {
    let mut config = match &args.config {
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            SimConfig::from_toml(&text).with_context(|| path.display().to_string())?
        }
        None => SimConfig::default(),
    };
    if let Some(listen) = args.listen {
        config.listen = listen;
    }
    for (port, given) in [
        (&mut config.rtsp_port, args.rtsp_port),
        (&mut config.onvif_port, args.onvif_port),
        (&mut config.control_port, args.control_port),
    ] {
        *port = given.unwrap_or(*port);
    }
    if let Some((width, height)) = args.size {
        (config.width, config.height) = (width, height);
    }
    if let Some(motion) = args.motion {
        config.motion = motion.script();
    }
    config.canary |= args.canary;
    config.frame_code |= args.frame_code;
    if let Some(clip) = &args.clip {
        config.clip = Some(clip.clone());
    }
    if args.clip_as_it_is {
        config.clip_view = ClipView::AsItIs;
    }
    if let Some(hfov_deg) = args.clip_hfov {
        config.clip_view = ClipView::Panned { hfov_deg };
    }
    if config.user.is_some() && config.password.is_none() {
        config.password = std::env::var(PASSWORD).ok();
    }
    config.check()?;
    Ok(config)
}

fn write(path: Option<&Path>, text: &str) -> anyhow::Result<()> {
    match path {
        Some(path) => {
            std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
        }
        None => Ok(()),
    }
}

/// Starts the camera, prints its three addresses, and waits until `stopped`
/// returns.
///
/// # Errors
/// When the configuration is refused, a file cannot be written or a port is
/// taken.
pub(crate) fn run(args: &SimArgs, stopped: impl FnOnce()) -> anyhow::Result<()> {
    let mut sim = Sim::start(config(args)?, Arc::new(SystemClock::new()))?;
    write(args.write_zones.as_deref(), &sim.zones_json())?;
    write(args.write_profile.as_deref(), &sim.profile().to_toml())?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "RTSP     {}", sim.rtsp_url())?;
    writeln!(out, "ONVIF    {}", sim.onvif_url())?;
    writeln!(out, "control  {}", sim.control_url())?;
    out.flush()?;
    drop(out);
    stopped();
    sim.stop();
    Ok(())
}
