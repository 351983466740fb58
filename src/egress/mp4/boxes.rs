//! Access units into fragmented MP4 (ISO/IEC 14496-12, 14496-15): an init
//! segment for each form of the stream, one `moof` with one `mdat` a frame.
//!
//! Knows bytes and times only: neither GStreamer nor who watches.

use mp4_atom::{
    Atom, Avc1, Avcc, Codec, Dinf, Dref, DrefEntry, Encode, FourCC, Ftyp, Hdlr, Header, Mdat, Mdhd,
    Mdia, Mfhd, Minf, Moof, Moov, Mvex, Mvhd, Stbl, Stco, Stsd, Tfdt, Tfhd, Tkhd, Traf, Trak, Trex,
    Trun, TrunEntry, TrunSamples, Url, Visual, Vmhd,
};

use super::nal;

/// What every frame is said to last, ns. When a frame is sent nobody knows how
/// long it will be shown, and a browser drops frames up to the next key frame
/// where two are further apart than twice that (Media Source Extensions, 3.5.8):
/// the gateway makes one a second at least.
pub(super) const LASTS_NS: u64 = 1_000_000_000;
const LASTS: u32 = 90_000;
const TIMESCALE: u32 = 90_000;
const TRACK: u32 = 1;
/// Sample flags (14496-12, 8.8.3.1): depends on no other, or on others and is
/// no sync sample.
const KEY: u32 = 0x0200_0000;
const DELTA: u32 = 0x0101_0000;

/// What goes to a viewer, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mp4Part {
    /// The stream begins, or changes its form.
    Form {
        /// What a browser needs to know before: `video/mp4; codecs="avc1.42C01F"`.
        mime: String,
        /// The init segment.
        init: Vec<u8>,
    },
    /// One frame: `moof` and `mdat`.
    Frame(Vec<u8>),
}

/// Why an access unit cannot be shown in a browser.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    #[error("no sequence and picture parameters came before the first picture")]
    NoParameters,
    #[error("the sequence parameters are cut off")]
    CutOff,
    #[error("{0}")]
    Mp4(#[from] mp4_atom::Error),
}

/// One access unit in byte-stream form (H.264, annex B).
#[derive(Clone, Copy, Debug)]
pub(super) struct Unit<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) is_key: bool,
    /// Monotonic.
    pub(super) pts_ns: u64,
    /// Width and height, pixels.
    pub(super) size: (u16, u16),
}

/// The parameters under which pictures are decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Parameters {
    sequence: Vec<Vec<u8>>,
    picture: Vec<Vec<u8>>,
    size: (u16, u16),
}

/// One viewer's stream, from its first key frame on. Its time begins at 0.
#[derive(Debug, Default)]
pub(super) struct Muxer {
    parameters: Option<Parameters>,
    frames: u32,
    last_pts_ns: Option<u64>,
    time_ns: u64,
}

impl Muxer {
    /// What `unit` becomes. Must begin with a key frame, and go on with one
    /// wherever a frame was left out.
    pub(super) fn take(&mut self, unit: Unit<'_>) -> Result<Vec<Mp4Part>, Unusable> {
        let mut parts = Vec::with_capacity(2);
        if unit.is_key {
            let parameters = Parameters::of(&unit);
            // A key frame without any is decoded under those that hold.
            if parameters.are_whole() && self.parameters.as_ref() != Some(&parameters) {
                parts.push(parameters.form()?);
                self.parameters = Some(parameters);
            }
        }
        if self.parameters.is_none() {
            return Err(Unusable::NoParameters);
        }
        // A longer gap than a browser bears is one nobody watched through.
        let since_ns = self
            .last_pts_ns
            .map_or(0, |last| unit.pts_ns.saturating_sub(last));
        self.last_pts_ns = Some(unit.pts_ns);
        self.time_ns += since_ns.min(LASTS_NS);
        self.frames = self.frames.wrapping_add(1);
        parts.push(Mp4Part::Frame(self.fragment(&unit)?));
        Ok(parts)
    }

    fn fragment(&self, unit: &Unit<'_>) -> Result<Vec<u8>, Unusable> {
        let pictures = || nal::units(unit.bytes).filter(|u| belongs_into_samples(u));
        let size: usize = pictures().map(|u| 4 + u.len()).sum();
        let entry = TrunEntry {
            size: u32::try_from(size).ok(),
            flags: Some(if unit.is_key { KEY } else { DELTA }),
            ..TrunEntry::default()
        };
        let moof = |data_offset| Moof {
            mfhd: Mfhd {
                sequence_number: self.frames,
            },
            traf: vec![Traf {
                tfhd: Tfhd {
                    track_id: TRACK,
                    default_base_is_moof: true,
                    ..Tfhd::default()
                },
                tfdt: Some(Tfdt {
                    // 65 years fit.
                    base_media_decode_time: self.time_ns * 9 / 100_000,
                }),
                trun: vec![Trun {
                    data_offset: Some(data_offset),
                    samples: TrunSamples::Explicit(vec![entry]),
                }],
                ..Traf::default()
            }],
        };
        let mut out = Vec::with_capacity(size + 128);
        moof(0).encode(&mut out)?;
        let offset = i32::try_from(out.len() + MDAT_HEAD).unwrap_or(i32::MAX);
        out.clear();
        moof(offset).encode(&mut out)?;
        let head = Header {
            kind: Mdat::KIND,
            size: Some(size),
        };
        head.encode(&mut out)?;
        for picture in pictures() {
            let length = u32::try_from(picture.len()).unwrap_or(u32::MAX);
            out.extend_from_slice(&length.to_be_bytes());
            out.extend_from_slice(picture);
        }
        Ok(out)
    }
}

/// Of an `mdat` with a 32-bit size, bytes.
const MDAT_HEAD: usize = 8;

/// Parameters stand in the init segment, and delimiters nowhere (14496-15,
/// 5.3.2: `avc1`).
fn belongs_into_samples(unit: &[u8]) -> bool {
    use nal::{DELIMITER, FILLER, PICTURE_PARAMETERS, SEQUENCE_PARAMETERS};
    ![DELIMITER, FILLER, PICTURE_PARAMETERS, SEQUENCE_PARAMETERS].contains(&nal::kind(unit))
}

impl Parameters {
    fn of(unit: &Unit<'_>) -> Self {
        let all = |kind| {
            let of_kind = nal::units(unit.bytes).filter(move |u| nal::kind(u) == kind);
            of_kind.map(<[u8]>::to_vec).collect()
        };
        Self {
            sequence: all(nal::SEQUENCE_PARAMETERS),
            picture: all(nal::PICTURE_PARAMETERS),
            size: unit.size,
        }
    }

    fn are_whole(&self) -> bool {
        !self.sequence.is_empty() && !self.picture.is_empty()
    }

    fn form(&self) -> Result<Mp4Part, Unusable> {
        let first = self.sequence.first().ok_or(Unusable::NoParameters)?;
        let &[_, profile, constraints, level, ..] = first.as_slice() else {
            return Err(Unusable::CutOff);
        };
        let (width, height) = self.size;
        let avcc = Avcc {
            configuration_version: 1,
            avc_profile_indication: profile,
            profile_compatibility: constraints,
            avc_level_indication: level,
            length_size: 4,
            sequence_parameter_sets: self.sequence.clone(),
            picture_parameter_sets: self.picture.clone(),
            ext: None,
        };
        let entry = Avc1 {
            visual: Visual {
                data_reference_index: 1,
                width,
                height,
                ..Visual::default()
            },
            avcc,
            ..Avc1::default()
        };
        let mut init = Vec::with_capacity(1024);
        Ftyp {
            major_brand: FourCC::new(b"iso5"),
            minor_version: 0,
            compatible_brands: vec![FourCC::new(b"iso5"), FourCC::new(b"avc1")],
        }
        .encode(&mut init)?;
        movie(entry).encode(&mut init)?;
        Ok(Mp4Part::Form {
            mime: format!("video/mp4; codecs=\"avc1.{profile:02X}{constraints:02X}{level:02X}\""),
            init,
        })
    }
}

/// A movie of one track, whose frames are all in fragments and whose length
/// nobody knows.
fn movie(entry: Avc1) -> Moov {
    let (width, height) = (entry.visual.width, entry.visual.height);
    let track = Trak {
        tkhd: Tkhd {
            track_id: TRACK,
            enabled: true,
            in_movie: true,
            width: width.into(),
            height: height.into(),
            ..Tkhd::default()
        },
        mdia: Mdia {
            mdhd: Mdhd {
                timescale: TIMESCALE,
                language: "und".into(),
                ..Mdhd::default()
            },
            hdlr: Hdlr {
                handler: FourCC::new(b"vide"),
                name: "masked".into(),
            },
            minf: Minf {
                vmhd: Some(Vmhd::default()),
                dinf: Dinf {
                    dref: Dref {
                        entries: vec![DrefEntry::Url(Url::default())],
                    },
                },
                stbl: Stbl {
                    stsd: Stsd {
                        codecs: vec![Codec::Avc1(entry)],
                    },
                    stco: Some(Stco::default()),
                    ..Stbl::default()
                },
                ..Minf::default()
            },
        },
        ..Trak::default()
    };
    Moov {
        mvhd: Mvhd {
            timescale: TIMESCALE,
            next_track_id: TRACK + 1,
            ..Mvhd::default()
        },
        mvex: Some(Mvex {
            mehd: None,
            trex: vec![Trex {
                track_id: TRACK,
                default_sample_description_index: 1,
                default_sample_duration: LASTS,
                ..Trex::default()
            }],
        }),
        trak: vec![track],
        ..Moov::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mp4_atom::Decode;

    const SPS: &[u8] = &[0x67, 0x42, 0xc0, 0x1f, 0x8c];
    const OTHER_SPS: &[u8] = &[0x67, 0x42, 0xc0, 0x28, 0x8c];
    const PPS: &[u8] = &[0x68, 0xce, 0x3c, 0x80];
    const DELIMITER: &[u8] = &[0x09, 0xf0];
    const KEY_PICTURE: &[u8] = &[0x65, 0x88, 0x84];
    const PICTURE: &[u8] = &[0x41, 0x9a];

    fn stream_of(units: &[&[u8]]) -> Vec<u8> {
        units
            .iter()
            .flat_map(|u| [&[0, 0, 0, 1], *u].concat())
            .collect()
    }

    /// Feeds units, each with its stamp in ms; what comes out: `F` and the mime
    /// type's level, or the frame's time in 1/90000 s, `k` where it is a key
    /// frame, and its pictures.
    fn check(units: &[(&[&[u8]], u64)], expected: &[&str]) {
        let mut muxer = Muxer::default();
        let mut said = Vec::new();
        for (units, ms) in units {
            let bytes = stream_of(units);
            let parts = muxer.take(Unit {
                bytes: &bytes,
                is_key: units.iter().any(|u| nal::kind(u) == 5),
                pts_ns: ms * 1_000_000,
                size: (640, 360),
            });
            match parts {
                Ok(parts) => said.extend(parts.iter().map(tell)),
                Err(error) => said.push(format!("error: {error}")),
            }
        }
        assert_eq!(said, expected);
    }

    fn tell(part: &Mp4Part) -> String {
        match part {
            Mp4Part::Form { mime, init } => {
                let mut rest = init.as_slice();
                let ftyp = Ftyp::decode(&mut rest).unwrap();
                let moov = Moov::decode(&mut rest).unwrap();
                assert!(rest.is_empty() && ftyp.major_brand == FourCC::new(b"iso5"));
                let [Codec::Avc1(entry)] = moov.trak[0].mdia.minf.stbl.stsd.codecs.as_slice()
                else {
                    panic!("{moov:?}")
                };
                assert_eq!((entry.visual.width, entry.visual.height), (640, 360));
                assert_eq!(entry.avcc.picture_parameter_sets, [PPS]);
                let level = entry.avcc.avc_level_indication;
                assert!(mime.ends_with(&format!("avc1.42C0{level:02X}\"")), "{mime}");
                format!("F {level:02x}")
            }
            Mp4Part::Frame(bytes) => {
                let mut rest = bytes.as_slice();
                let moof = Moof::decode(&mut rest).unwrap();
                let head = bytes.len() - rest.len();
                let traf = &moof.traf[0];
                let trun = &traf.trun[0];
                assert_eq!(trun.data_offset, Some(head as i32 + 8));
                let data = Mdat::decode(&mut rest).unwrap().data;
                let sample = trun.samples.get(0).unwrap();
                assert!(rest.is_empty() && sample.size == Some(data.len() as u32));
                let time = traf.tfdt.as_ref().unwrap().base_media_decode_time;
                let key = if sample.flags == Some(KEY) { "k" } else { "" };
                format!("{time}{key} {data:02x?}").replace(", ", "")
            }
        }
    }

    #[test]
    fn frames_become_fragments_and_parameters_stand_before_them() {
        let key: &[&[u8]] = &[DELIMITER, SPS, PPS, KEY_PICTURE];
        let other: &[&[u8]] = &[DELIMITER, OTHER_SPS, PPS, KEY_PICTURE];
        let bare: &[&[u8]] = &[KEY_PICTURE];
        let delta: &[&[u8]] = &[DELIMITER, PICTURE];
        let slices: &[&[u8]] = &[PICTURE, PICTURE];
        let k = |time: u32| format!("{time}k [00000003658884]");
        let d = |time: u32| format!("{time} [00000002419a]");
        // The first stamp, whatever it is, is time 0.
        check(
            &[(key, 5_000), (delta, 5_040), (slices, 5_080)],
            &["F 1f", &k(0), &d(3_600), "7200 [00000002419a00000002419a]"],
        );
        // The form is told when it changes, and only then.
        check(
            &[(key, 0), (key, 40), (bare, 80), (other, 120), (delta, 160)],
            &[
                "F 1f",
                &k(0),
                &k(3_600),
                &k(7_200),
                "F 28",
                &k(10_800),
                &d(14_400),
            ],
        );
        // A gap is no longer than a browser bears; time never goes back.
        check(
            &[(key, 0), (key, 60_000), (delta, 60_040), (delta, 50_000)],
            &["F 1f", &k(0), &k(90_000), &d(93_600), &d(93_600)],
        );
        let none = "error: no sequence and picture parameters came before the first picture";
        check(
            &[
                (bare, 0),
                (&[SPS, KEY_PICTURE], 40),
                (delta, 80),
                (key, 120),
            ],
            &[none, none, none, "F 1f", &k(0)],
        );
        let short: &[&[u8]] = &[&[0x67, 0x42], PPS, KEY_PICTURE];
        check(
            &[(short, 0)],
            &["error: the sequence parameters are cut off"],
        );
    }
}
