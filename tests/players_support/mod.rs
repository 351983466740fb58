//! Players that others wrote, and a judge of what they decoded.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    reason = "each test uses a part of it; a test that fails should fail loudly"
)]

use futures::StreamExt;
use greyplane::prove::{Canary, Planes, Rgb};
use greyplane::sim::CANARY_RGB;
use retina::client::{
    Credentials, PlayOptions, Session, SessionOptions, SetupOptions, TcpTransportOptions, Transport,
};
use retina::codec::{CodecItem, FrameFormat};
use std::process::Command;
use std::time::Duration;

/// Long enough for a busy machine; nothing is judged by how long it takes.
const PATIENCE: Duration = Duration::from_secs(60);
/// The size of the pictures that are judged.
pub const WIDTH: usize = 640;
pub const HEIGHT: usize = 360;
/// So many pictures are asked of each player.
pub const FRAMES: usize = 40;

/// What a player decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    pub frames: usize,
    /// Pixels of the canary.
    pub canary: u64,
    /// Frames of one brightness all over: nothing of the street.
    pub flat: usize,
}

/// Looks at frames of I420 that lie one after the other.
pub fn judge(frames: &[u8]) -> Seen {
    let canary = Canary::new(Rgb(CANARY_RGB)).unwrap();
    let (luma, chroma) = (WIDTH * HEIGHT, WIDTH * HEIGHT / 4);
    let mut seen = Seen {
        frames: 0,
        canary: 0,
        flat: 0,
    };
    for frame in frames.chunks_exact(luma + 2 * chroma) {
        let (y, uv) = frame.split_at(luma);
        let (u, v) = uv.split_at(chroma);
        let planes = Planes {
            width: WIDTH,
            height: HEIGHT,
            data: [y, u, v],
            stride: [WIDTH, WIDTH / 2, WIDTH / 2],
        };
        seen.frames += 1;
        seen.canary += canary.pixels(&planes).unwrap();
        seen.flat += usize::from(y.iter().all(|&l| l == y[0]));
    }
    seen
}

/// Runs a player to its end, which comes: what it wrote, or what it complained of.
pub fn play(player: &mut Command) -> Result<Vec<u8>, String> {
    let done = player.output().unwrap();
    let complaint = || {
        let said = [&done.stdout[..], &done.stderr].concat();
        String::from_utf8_lossy(&said).into_owned()
    };
    match done.status.success() {
        true => Ok(done.stdout),
        false => Err(complaint()),
    }
}

/// A program that is ended after a while if it does not end by itself.
pub fn program(name: &str) -> Command {
    let mut command = Command::new("timeout");
    command.arg(PATIENCE.as_secs().to_string()).arg(name);
    command
}

/// What ffmpeg decodes of `input`, a stream's address or a file.
pub fn ffmpeg(input: &str, options: &[&str]) -> Result<Vec<u8>, String> {
    play(
        program("ffmpeg")
            .args(["-v", "error"])
            .args(options)
            .args(["-i", input, "-frames:v", &FRAMES.to_string()])
            .args(["-pix_fmt", "yuv420p", "-f", "rawvideo", "-"]),
    )
}

/// Opens `url` with retina: so many frames of video as `wanted` (H.264, Annex B).
async fn received(
    url: &str,
    login: Option<(&str, &str)>,
    wanted: usize,
) -> Result<Vec<Vec<u8>>, String> {
    let login = login.map(|(username, password)| Credentials {
        username: username.into(),
        password: password.into(),
    });
    let url = url::Url::parse(url).unwrap();
    let mut session = Session::describe(url, SessionOptions::default().creds(login))
        .await
        .map_err(|e| e.to_string())?;
    let tcp = Transport::Tcp(TcpTransportOptions::default());
    let options = SetupOptions::default()
        .transport(tcp)
        .frame_format(FrameFormat::SIMPLE);
    session.setup(0, options).await.map_err(|e| e.to_string())?;
    let playing = session
        .play(PlayOptions::default())
        .await
        .map_err(|e| e.to_string())?;
    let mut items = playing.demuxed().map_err(|e| e.to_string())?;
    let mut frames = Vec::new();
    while frames.len() < wanted {
        match items.next().await {
            Some(Ok(CodecItem::VideoFrame(frame))) => frames.push(frame.data().to_vec()),
            Some(Ok(_)) => {}
            Some(Err(e)) => return Err(e.to_string()),
            None => return Err(format!("ended after {} frames", frames.len())),
        }
    }
    Ok(frames)
}

/// Watches with retina, for as long as it takes to get so many frames as `wanted`.
pub fn retina(
    url: &str,
    login: Option<(&str, &str)>,
    wanted: usize,
) -> Result<Vec<Vec<u8>>, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        tokio::time::timeout(PATIENCE, received(url, login, wanted))
            .await
            .unwrap_or_else(|_| Err("no frames in time".into()))
    })
}
