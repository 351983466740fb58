//! In which forms sound is taken, and what silence is in each.

use gstreamer as gst;

/// The codecs whose sound is passed, without coding it anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SoundCodec {
    /// G.711 µ-law, 8 kHz, one channel.
    Pcmu,
    /// G.711 A-law, 8 kHz, one channel.
    Pcma,
    /// AAC-LC, one or two channels.
    Aac,
    /// Opus.
    Opus,
}

/// What is said to a camera that sends another.
const TAKEN: &str = "AAC-LC, G.711 (8 kHz) or Opus, with one or two channels";

/// The form of a sound track. Two forms are equal where nobody needs another SDP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoundForm {
    codec: SoundCodec,
    caps: gst::Caps,
    /// Of AAC; 2 in Opus' own count is of no interest.
    stereo: bool,
    rate: u32,
}

/// The depayloader for what an SDP calls so; none for what is not passed.
pub(super) fn depayloader(media: &gst::StructureRef) -> Result<&'static str, String> {
    let named = media.get::<&str>("encoding-name").ok();
    // RFC 3551, 6: these two need no name.
    let named = named.unwrap_or(match media.get::<i32>("payload") {
        Ok(0) => "PCMU",
        Ok(8) => "PCMA",
        _ => "?",
    });
    match named.to_ascii_uppercase().as_str() {
        "PCMU" => Ok("rtppcmudepay"),
        "PCMA" => Ok("rtppcmadepay"),
        "MPEG4-GENERIC" => Ok("rtpmp4gdepay"),
        "OPUS" => Ok("rtpopusdepay"),
        other => Err(format!(
            "sound in {other} is not passed on: set the camera to {TAKEN}"
        )),
    }
}

impl SoundForm {
    /// Silence of our own, where the camera's sound is not asked for: what every player
    /// knows.
    pub(super) fn muted() -> Self {
        let caps = gst::Caps::builder("audio/x-mulaw")
            .field("rate", 8000)
            .field("channels", 1)
            .build();
        Self {
            codec: SoundCodec::Pcmu,
            caps,
            stereo: false,
            rate: 8000,
        }
    }

    /// The form of what a depayloader gives.
    ///
    /// # Errors
    /// What it is instead, and what to set, for people.
    pub(super) fn read(caps: &gst::Caps) -> Result<Self, String> {
        let s = caps.structure(0).ok_or("sound without a form")?;
        let number = |name: &str| s.get::<i32>(name).ok().and_then(|n| u32::try_from(n).ok());
        let other = |what: &str| format!("{what} is not passed on: set the camera to {TAKEN}");
        let g711 = |codec| match (number("rate"), number("channels").unwrap_or(1)) {
            (Some(8000), 1) => Ok((codec, 8000, false)),
            (rate, channels) => {
                let rate = rate.unwrap_or(0);
                Err(other(&format!(
                    "G.711 with {rate} Hz and {channels} channels"
                )))
            }
        };
        let (codec, rate, stereo) = match s.name().as_str() {
            "audio/x-mulaw" => g711(SoundCodec::Pcmu)?,
            "audio/x-alaw" => g711(SoundCodec::Pcma)?,
            "audio/x-opus" => (SoundCodec::Opus, 48_000, true),
            "audio/mpeg" => {
                let config = s.get::<gst::Buffer>("codec_data").ok();
                let config = config.and_then(|config| Some(config.map_readable().ok()?.to_vec()));
                match config.as_deref().and_then(low_complexity) {
                    Some((rate, stereo)) => (SoundCodec::Aac, rate, stereo),
                    None => return Err(other("this kind of AAC")),
                }
            }
            name => return Err(other(name)),
        };
        Ok(Self {
            codec,
            caps: caps.clone(),
            stereo,
            rate,
        })
    }

    /// Its codec.
    pub fn codec(&self) -> SoundCodec {
        self.codec
    }

    /// Its caps.
    pub fn caps(&self) -> &gst::Caps {
        &self.caps
    }

    /// What it is, for people.
    pub fn name(&self) -> &'static str {
        match self.codec {
            SoundCodec::Pcmu => "G.711 µ-law",
            SoundCodec::Pcma => "G.711 A-law",
            SoundCodec::Aac => "AAC",
            SoundCodec::Opus => "Opus",
        }
    }

    /// How long a piece of [silence](Self::silence) lasts; a piece of AAC is always so long.
    pub(super) fn step_ns(&self) -> u64 {
        match self.codec {
            SoundCodec::Aac => 1024 * 1_000_000_000 / u64::from(self.rate.max(1)),
            _ => 20_000_000,
        }
    }

    /// A piece of silence.
    pub(super) fn silence(&self) -> Vec<u8> {
        match (self.codec, self.stereo) {
            // ITU-T G.711: the smallest positive value.
            (SoundCodec::Pcmu, _) => vec![0xff; 160],
            (SoundCodec::Pcma, _) => vec![0xd5; 160],
            // ISO/IEC 14496-3, 4.4.2.1: one channel, or a pair, without a single band.
            (SoundCodec::Aac, false) => vec![0x01, 0x18, 0x20, 0x07],
            (SoundCodec::Aac, true) => vec![0x21, 0x10, 0x04, 0x60, 0x8c, 0x1c],
            // RFC 6716, 3.1: CELT, 20 ms, and of its frame only the mark for silence.
            (SoundCodec::Opus, _) => vec![0xf8, 0xff, 0xfe],
        }
    }
}

/// Rate, and whether there are two channels, of an AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1)
/// of AAC-LC with 1024 samples a frame; none of any other.
fn low_complexity(config: &[u8]) -> Option<(u32, bool)> {
    const RATES: [u32; 13] = [
        96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025,
        8_000, 7_350,
    ];
    let &[first, second, ..] = config else {
        return None;
    };
    let (kind, rate) = (first >> 3, usize::from((first & 7) << 1 | second >> 7));
    let (channels, short) = ((second >> 3) & 15, second & 4 != 0);
    (kind == 2 && !short && matches!(channels, 1 | 2))
        .then(|| Some((*RATES.get(rate)?, channels == 2)))?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aac(config: &[u8]) -> gst::Caps {
        gst::Caps::builder("audio/mpeg")
            .field("mpegversion", 4)
            .field("stream-format", "raw")
            .field("codec_data", gst::Buffer::from_slice(config.to_vec()))
            .build()
    }

    #[test]
    fn forms_that_are_taken_and_others_that_are_named() {
        gst::init().unwrap();
        let caps = |text: &str| text.parse::<gst::Caps>().unwrap();
        for (caps, name) in [
            (caps("audio/x-mulaw,rate=8000,channels=1"), "G.711 µ-law"),
            (caps("audio/x-alaw,rate=8000,channels=1"), "G.711 A-law"),
            (caps("audio/x-opus,channel-mapping-family=0"), "Opus"),
            // 16 kHz, one channel; 48 kHz, two.
            (aac(&[0x14, 0x08]), "AAC"),
            (aac(&[0x11, 0x90]), "AAC"),
        ] {
            assert_eq!(SoundForm::read(&caps).unwrap().name(), name, "{caps}");
        }
        assert_eq!(SoundForm::read(&aac(&[0x14, 0x08])).unwrap().rate, 16_000);
        let stereo = SoundForm::read(&aac(&[0x11, 0x90])).unwrap();
        assert_eq!(stereo.step_ns(), 21_333_333);
        assert!(stereo.stereo);
        for refused in [
            caps("audio/x-alaw,rate=16000,channels=1"),
            caps("audio/x-mulaw,rate=8000,channels=2"),
            caps("audio/x-adpcm"),
            caps("audio/mpeg,mpegversion=4"),
            // HE-AAC, AAC-LC with 960 samples, 5.1, and half of a configuration.
            aac(&[0x2b, 0x11, 0x88]),
            aac(&[0x14, 0x0c]),
            aac(&[0x11, 0xb0]),
            aac(&[0x14]),
        ] {
            let why = SoundForm::read(&refused).unwrap_err();
            assert!(why.contains("set the camera to AAC-LC"), "{refused}: {why}");
        }
    }

    #[test]
    fn an_sdp_names_what_takes_it_apart_or_is_refused_by_name() {
        gst::init().unwrap();
        let of = |fields: &str| {
            let text = format!("application/x-rtp,media=audio{fields}");
            depayloader(text.parse::<gst::Caps>().unwrap().structure(0).unwrap())
        };
        for (fields, wanted) in [
            (",encoding-name=PCMA", "rtppcmadepay"),
            (",encoding-name=mpeg4-generic", "rtpmp4gdepay"),
            (",payload=(int)0", "rtppcmudepay"),
            (",payload=(int)8", "rtppcmadepay"),
        ] {
            assert_eq!(of(fields), Ok(wanted));
        }
        let why = of(",encoding-name=G726-32").unwrap_err();
        assert!(
            why.starts_with("sound in G726-32 is not passed on"),
            "{why}"
        );
        assert!(of("").is_err());
    }
}
