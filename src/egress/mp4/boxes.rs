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
