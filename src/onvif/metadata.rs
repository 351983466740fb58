//! Documents of ONVIF's metadata stream → what they say of the head and the lens.
//!
//! A document is a `tt:MetadataStream` in XML, or that in gzip (ONVIF Streaming
//! Specification, 5.2.1). Of all that may stand in it only `tt:PTZ` is read; what
//! analytics and events say is passed over. A `FieldOfView`, which cameras may tell since
//! version 24.12, is not read either: a lens is where its profile says. Must not know
//! RTP or time.

use super::answers::{AnswerError, PtzStatus, read_status};
use super::xml::{self, MOST_BYTES, XmlError};
use flate2::read::GzDecoder;
use std::borrow::Cow;
use std::io::Read;

/// Larger documents are refused before anything is unpacked.
pub const MOST_PACKED: usize = MOST_BYTES;
/// One document tells no more moments than this.
pub const MOST_STATUSES: usize = 16;

/// Why a document was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// Larger than [`MOST_PACKED`], or than [`MOST_BYTES`] once it is unpacked.
    #[error("metadata document has more than {MOST_BYTES} bytes")]
    TooLarge,
    /// Not gzip, though the stream says so, or cut short.
    #[error("metadata document is no gzip: {0}")]
    NotGzip(String),
    /// Not UTF-8.
    #[error("metadata document is not UTF-8")]
    NotText,
    /// Some other document.
    #[error("metadata document is a {0}")]
    Other(String),
    /// More moments than [`MOST_STATUSES`].
    #[error("metadata document has more than {MOST_STATUSES} positions")]
    TooMany,
    /// Not bounded XML, or a number that is none.
    #[error("metadata document: {0}")]
    Answer(#[from] AnswerError),
}

impl From<XmlError> for MetadataError {
    fn from(e: XmlError) -> Self {
        Self::Answer(e.into())
    }
}

/// The text of a document as it came; `gzip` where the stream's name says that it is
/// packed. What unpacks to more than is read is not unpacked to its end.
///
/// # Errors
/// [`MetadataError`].
pub fn text(bytes: &[u8], gzip: bool) -> Result<Cow<'_, str>, MetadataError> {
    if bytes.len() > MOST_PACKED {
        return Err(MetadataError::TooLarge);
    }
    if !gzip {
        let text = std::str::from_utf8(bytes).map_err(|_| MetadataError::NotText)?;
        return Ok(Cow::Borrowed(text));
    }
    let mut unpacked = Vec::new();
    let mut reader = GzDecoder::new(bytes).take(MOST_BYTES as u64 + 1);
    reader
        .read_to_end(&mut unpacked)
        .map_err(|e| MetadataError::NotGzip(e.to_string()))?;
    if unpacked.len() > MOST_BYTES {
        return Err(MetadataError::TooLarge);
    }
    let text = String::from_utf8(unpacked).map_err(|_| MetadataError::NotText)?;
    Ok(Cow::Owned(text))
}

/// Every `tt:PTZStatus` right in a `tt:PTZ` that tells a position or an error, in the
/// document's order. A camera may be set to tell no more than whether it moves: that is
/// left out, and so is a document without any.
///
/// # Errors
/// [`MetadataError`]; one bad number spoils its whole document.
pub fn ptz_statuses(text: &str) -> Result<Vec<PtzStatus>, MetadataError> {
    let root = xml::read(text)?;
    if root.name != "MetadataStream" {
        return Err(MetadataError::Other(super::answers::short(&root.name)));
    }
    let told = root.children.iter().filter(|c| c.name == "PTZ");
    let told = told.flat_map(|ptz| ptz.children.iter().filter(|c| c.name == "PTZStatus"));
    let mut statuses = Vec::new();
    for status in told {
        let has_position = status.children.iter().any(|c| c.name == "Position");
        let status = read_status(status)?;
        if !has_position && status.error.is_none() {
            continue;
        }
        if statuses.len() >= MOST_STATUSES {
            return Err(MetadataError::TooMany);
        }
        statuses.push(status);
    }
    Ok(statuses)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(bytes).unwrap();
        gzip.finish().unwrap()
    }

    #[test]
    fn what_is_packed_is_unpacked_and_a_bomb_is_not() {
        let document = "<tt:MetadataStream xmlns:tt=\"x\"/>";
        assert_eq!(text(document.as_bytes(), false).unwrap(), document);
        let gzip = packed(document.as_bytes());
        assert_eq!(text(&gzip, true).unwrap(), document);
        // 64 MiB of spaces in some 64 kB: no more than the limit is ever unpacked.
        let bomb = packed(&vec![b' '; 64 << 20]);
        assert!(bomb.len() < MOST_PACKED, "{}", bomb.len());
        assert_eq!(text(&bomb, true), Err(MetadataError::TooLarge));
        let large = vec![b' '; MOST_BYTES + 1];
        assert_eq!(text(&large, false), Err(MetadataError::TooLarge));
        // The end of a stream holds its checksum: cut off, it is refused.
        let cut = &gzip[..gzip.len() - 5];
        assert!(matches!(text(cut, true), Err(MetadataError::NotGzip(_))));
        let plain = text(document.as_bytes(), true);
        assert!(matches!(plain, Err(MetadataError::NotGzip(_))));
        assert_eq!(text(&[0xff, 0xfe], false), Err(MetadataError::NotText));
    }

    #[test]
    fn no_more_moments_are_read_than_a_camera_tells() {
        let status = "<PTZStatus><Position><Zoom x=\"0\"/></Position></PTZStatus>";
        let with = |n: usize| {
            let all = status.repeat(n);
            ptz_statuses(&format!(
                "<MetadataStream><PTZ>{all}</PTZ></MetadataStream>"
            ))
        };
        assert_eq!(with(MOST_STATUSES).unwrap().len(), MOST_STATUSES);
        assert_eq!(with(MOST_STATUSES + 1), Err(MetadataError::TooMany));
    }
}
