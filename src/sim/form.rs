//! In which form the camera sends its video, and its sound if it sends any: what makes
//! the bytes of it. Knows no picture and no RTSP.

use serde::{Deserialize, Serialize};

use super::SimError;

/// What the video is coded as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VideoCodec {
    /// H.264.
    #[default]
    H264,
    /// H.265.
    H265,
    /// JPEG pictures, one after another (RFC 2435).
    Mjpeg,
    /// MPEG-4 part 2, which old cameras send.
    Mpeg4,
    /// AV1.
    Av1,
}

/// In which form pictures go into the encoder.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pixels {
    /// 4:2:0, 8 bits.
    #[default]
    I420,
    /// 4:2:2, 8 bits.
    Y42b,
    /// 4:4:4, 8 bits.
    Y444,
    /// 4:2:0, 10 bits.
    I420_10le,
    /// 4:2:2, 10 bits.
    I422_10le,
}

/// What the sound is coded as: a tone of 1 kHz that sounds in the first half of each second
/// of the camera's time (see [`super::SOUND_HZ`]).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SoundCodec {
    /// There is none.
    #[default]
    None,
    /// G.711 A-law.
    Pcma,
    /// G.711 µ-law.
    Pcmu,
    /// G.726 with 32 kbit/s.
    G726,
    /// AAC-LC, 48 kHz, one channel; 21 ms late, as encoders are that look ahead.
    Aac,
    /// Opus, one channel.
    Opus,
}

impl SoundCodec {
    /// Samples a second before they are coded.
    pub(super) fn rate(self) -> u32 {
        match self {
            Self::None | Self::Pcma | Self::Pcmu | Self::G726 => 8_000,
            Self::Aac | Self::Opus => 48_000,
        }
    }

    /// The elements from samples to RTP packets.
    fn launch(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Pcma => Some("alawenc ! rtppcmapay pt=8"),
            Self::Pcmu => Some("mulawenc ! rtppcmupay pt=0"),
            Self::G726 => Some("avenc_g726 bitrate=32000 ! rtpg726pay pt=97"),
            Self::Aac => {
                Some("audioconvert ! avenc_aac bitrate=48000 ! aacparse ! rtpmp4gpay pt=97")
            }
            Self::Opus => Some("opusenc ! rtpopuspay pt=97"),
        }
    }
}

/// The form of the stream. Every key has a default; unknown keys are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Form {
    /// The codec.
    pub codec: VideoCodec,
    /// What goes into it.
    pub pixels: Pixels,
    /// Luma and chroma use all steps from 0 to 255. MJPEG always does.
    pub full_range: bool,
    /// Lines are sent as two fields (H.264 only).
    pub interlaced: bool,
    /// Width and height of a pixel (H.264 and H.265 only).
    pub pixel_aspect: [i32; 2],
    /// A second stream, with sound.
    pub audio: SoundCodec,
}

impl Default for Form {
    fn default() -> Self {
        Self {
            codec: VideoCodec::default(),
            pixels: Pixels::default(),
            full_range: false,
            interlaced: false,
            pixel_aspect: [1, 1],
            audio: SoundCodec::None,
        }
    }
}

impl Form {
    /// Whether the first video encoder that is tried needs nothing special.
    fn is_plain(&self) -> bool {
        self.pixels == Pixels::I420 && !self.full_range && !self.interlaced
    }

    /// Refuses what no encoder of ours makes.
    pub(super) fn check(&self) -> Result<(), SimError> {
        let refuse = |what: &str| Err(SimError::Config(format!("form: {what}")));
        let [width, height] = self.pixel_aspect;
        if !(1..=99).contains(&width) || !(1..=99).contains(&height) {
            return refuse("pixel_aspect must be two numbers from 1 to 99");
        }
        let shaped = matches!(self.codec, VideoCodec::H264 | VideoCodec::H265);
        if self.pixel_aspect != [1, 1] && !shaped {
            return refuse("only h264 and h265 tell a pixel_aspect");
        }
        if self.interlaced && self.codec != VideoCodec::H264 {
            return refuse("only h264 is sent interlaced");
        }
        let fits = match self.codec {
            VideoCodec::H264 | VideoCodec::H265 => true,
            VideoCodec::Mjpeg => matches!(self.pixels, Pixels::I420 | Pixels::Y42b),
            VideoCodec::Mpeg4 => self.pixels == Pixels::I420,
            VideoCodec::Av1 => !matches!(self.pixels, Pixels::I420_10le | Pixels::I422_10le),
        };
        if !fits {
            return refuse("the codec does not take these pixels");
        }
        Ok(())
    }

    /// The elements from I420 pictures to RTP packets, as for `gst-launch`; `as_it_is`
    /// where what comes in is coded already.
    ///
    /// # Errors
    /// [`SimError::Stream`] where no H.264 encoder is installed.
    pub(super) fn launch(&self, kbps: u32, gop: u32, as_it_is: bool) -> Result<String, SimError> {
        if as_it_is {
            return Ok(format!("queue ! {H264_OUT}"));
        }
        let prepare = self.prepare();
        Ok(match self.codec {
            VideoCodec::H264 => {
                let encoder = self.h264(kbps, gop)?;
                format!("{prepare}{encoder} ! {H264_OUT}")
            }
            VideoCodec::H265 => format!(
                "{prepare}x265enc tune=zerolatency speed-preset=ultrafast bitrate={kbps} \
                 key-int-max={gop} log-level=none option-string=\"pools=none:frame-threads=1\" \
                 ! h265parse ! rtph265pay name=pay0 pt=96 config-interval=-1 \
                 aggregate-mode=zero-latency"
            ),
            VideoCodec::Mjpeg => {
                format!("{prepare}jpegenc quality=85 ! rtpjpegpay name=pay0 pt=26")
            }
            VideoCodec::Mpeg4 => format!(
                "{prepare}avenc_mpeg4 bitrate={} gop-size={gop} ! mpeg4videoparse \
                 ! rtpmp4vpay name=pay0 pt=96 config-interval=-1",
                kbps.saturating_mul(1000)
            ),
            // Unless told, `av1enc` codes without loss, and ends the process at a bitrate.
            VideoCodec::Av1 => format!(
                "{prepare}av1enc usage-profile=realtime cpu-used=10 end-usage=cbr threads=1 \
                 row-mt=false min-quantizer=2 max-quantizer=60 target-bitrate={kbps} keyframe-max-dist={gop} \
                 ! greyplanesimpay name=pay0 pt=96"
            ),
        })
    }

    /// What turns the drawn I420 into what the encoder is to get.
    fn prepare(&self) -> String {
        let format = match self.pixels {
            Pixels::I420 => "I420",
            Pixels::Y42b => "Y42B",
            Pixels::Y444 => "Y444",
            Pixels::I420_10le => "I420_10LE",
            Pixels::I422_10le => "I422_10LE",
        };
        let colours = match (self.codec, self.full_range) {
            (VideoCodec::Mjpeg, _) => ",colorimetry=1:4:0:0",
            (_, true) => ",colorimetry=1:3:5:1",
            (_, false) => "",
        };
        let mut prepare = String::new();
        if format != "I420" || !colours.is_empty() {
            prepare = format!(
                "videoconvert dither=none n-threads=1 ! video/x-raw,format={format}{colours} ! "
            );
        }
        let [width, height] = self.pixel_aspect;
        if self.interlaced {
            prepare.push_str(
                "capssetter caps=\"video/x-raw,interlace-mode=interleaved,\
                 field-order=top-field-first\" ! ",
            );
        }
        if width != height {
            prepare.push_str(&format!(
                "capssetter caps=\"video/x-raw,pixel-aspect-ratio={width}/{height}\" ! "
            ));
        }
        prepare
    }

    fn h264(&self, kbps: u32, gop: u32) -> Result<String, SimError> {
        if gstreamer::ElementFactory::find("x264enc").is_some() {
            let mut x264 = format!(
                "x264enc tune=zerolatency speed-preset=ultrafast threads=1 bitrate={kbps} \
                 key-int-max={gop} vbv-buf-capacity=400 interlaced={}",
                self.interlaced
            );
            if self.is_plain() {
                x264.push_str(" ! video/x-h264,profile=constrained-baseline");
            }
            Ok(x264)
        } else if gstreamer::ElementFactory::find("openh264enc").is_some() {
            Ok(format!(
                "openh264enc rate-control=bitrate bitrate={} gop-size={gop} multi-thread=1",
                kbps.saturating_mul(1000)
            ))
        } else {
            Err(SimError::Stream(
                "no H.264 encoder: install gstreamer1.0-plugins-ugly (x264enc) or -bad \
                 (openh264enc)"
                    .to_owned(),
            ))
        }
    }

    /// The second stream, as payloader number `number`; nothing where there is none.
    pub(super) fn launch_audio(&self, number: u32) -> String {
        let Some(coded) = self.audio.launch() else {
            return String::new();
        };
        format!(
            " appsrc name=sound is-live=true format=time max-buffers=50 leaky-type=downstream \
             caps=audio/x-raw,format=S16LE,layout=interleaved,channels=1,rate={} ! {coded} \
             name=pay{number}",
            self.audio.rate()
        )
    }
}

const H264_OUT: &str =
    "h264parse ! rtph264pay name=pay0 pt=96 config-interval=-1 aggregate-mode=zero-latency";
