//! What presets look like, on disk: one PNG for each time somebody vouched, with what it
//! says about itself in a text chunk. Private cells are black and transparent.

use crate::geom::Size;
use crate::register::Reference;
use crate::zone::ZoneSet;
use atomic_write_file::AtomicWriteFile;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(super) const FORMAT: u32 = 1;
/// The key of the text chunk.
const ABOUT: &str = "greyplane";
/// Larger files are none of ours, bytes.
const LARGEST: u64 = 4 << 20;

/// Who vouched for what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct About {
    pub(super) format: u32,
    /// As the zone document names it.
    pub(super) place: String,
    /// Of the zones that fitted.
    pub(super) zones_sha256: String,
    /// The size of the picture that it was made from.
    pub(super) picture: (u32, u32),
    /// Pixels of it on a cell's side.
    pub(super) cell: u32,
    pub(super) by: String,
    /// RFC 3339.
    pub(super) at: String,
    pub(super) reason: String,
}

/// One look of a preset.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) file: PathBuf,
    pub(super) about: About,
    pub(super) reference: Arc<Reference>,
}

/// What zones say, as one number; `None` where they cannot be written.
pub(super) fn sum(zones: &ZoneSet) -> Option<String> {
    let text = zones.document().to_json().ok()?;
    Some(hex::encode(Sha256::digest(text.as_bytes())))
}

/// The folder beside the zone document.
pub(super) fn folder(masks_file: &Path) -> PathBuf {
    let mut folder = masks_file.as_os_str().to_owned();
    folder.push(".verified");
    folder.into()
}

fn files(masks_file: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder(masks_file)) else {
        return Vec::new();
    };
    let files = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut files: Vec<PathBuf> = files
        .filter(|file| file.extension().is_some_and(|e| e == "png"))
        .collect();
    files.sort();
    files
}

/// What was kept for the zones of `place`, the oldest first. What cannot be read counts for nothing;
/// what was kept for other zones is removed: those that came since may hide what it shows.
pub(super) fn read(masks_file: &Path, place: &str, zones_sha256: &str, most: usize) -> Vec<Kept> {
    let mut kept = Vec::new();
    for file in files(masks_file) {
        match read_one(&file) {
            Ok(one) if one.about.place != place => {
                tracing::warn!(file = %file.display(), "a look of another preset is not used");
            }
            Ok(one) if one.about.zones_sha256 == zones_sha256 => kept.push(one),
            Ok(_) => {
                if let Err(error) = remove(&file) {
                    tracing::warn!(file = %file.display(), %error, "a look with former zones stays on disk");
                }
            }
            Err(why) => tracing::warn!(file = %file.display(), why, "a preset's look is not used"),
        }
    }
    kept.truncate(most);
    kept
}

fn read_one(file: &Path) -> Result<Kept, String> {
    let said = |e: &dyn std::fmt::Display| e.to_string();
    let length = fs::metadata(file).map_err(|e| said(&e))?.len();
    if length > LARGEST {
        return Err(format!("it is {length} bytes long"));
    }
    let bytes = fs::read(file).map_err(|e| said(&e))?;
    let decoder = png::Decoder::new(io::Cursor::new(bytes));
    let mut reader = decoder.read_info().map_err(|e| said(&e))?;
    let info = reader.info();
    let (width, height) = (info.width, info.height);
    if info.color_type != png::ColorType::GrayscaleAlpha || info.bit_depth != png::BitDepth::Eight {
        return Err("it is no picture of grey and alpha".to_owned());
    }
    let mut chunks = info.utf8_text.iter();
    let chunk = chunks.find(|chunk| chunk.keyword == ABOUT);
    let chunk = chunk.ok_or("it says nothing about itself")?;
    let text = chunk.get_text().map_err(|e| said(&e))?;
    let about: About = serde_json::from_str(&text).map_err(|e| said(&e))?;
    if about.format != FORMAT {
        return Err(format!("its format is {}", about.format));
    }
    let room = reader.output_buffer_size().ok_or("it is too large")?;
    let mut pixels = vec![0; room];
    reader.next_frame(&mut pixels).map_err(|e| said(&e))?;
    let (luma, known) = pixels.chunks_exact(2).map(|p| (p[0], p[1] == 255)).unzip();
    let size = Size { width, height };
    let reference = Reference::of(size, about.cell, luma, known).map_err(|e| said(&e))?;
    Ok(Kept {
        file: file.to_owned(),
        about,
        reference: Arc::new(reference),
    })
}

/// Keeps a look for the preset with that zone document, whole or not at all.
pub(super) fn write(masks_file: &Path, about: About, reference: Reference) -> io::Result<Kept> {
    let folder = folder(masks_file);
    // What it shows is for nobody else on this machine.
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)?;
    // In the order in which they were made.
    let name = format!("{}.png", about.at.replace(':', "-"));
    let file = folder.join(name);
    let Size { width, height } = reference.size();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::GrayscaleAlpha);
    encoder.set_depth(png::BitDepth::Eight);
    let text = serde_json::to_string(&about)?;
    encoder
        .add_itxt_chunk(ABOUT.to_owned(), text)
        .map_err(io::Error::other)?;
    let mut writer = encoder.write_header().map_err(io::Error::other)?;
    let cells = reference.luma().iter().zip(reference.known());
    let pixels: Vec<u8> = cells
        .flat_map(|(luma, known)| if *known { [*luma, 255] } else { [0, 0] })
        .collect();
    writer.write_image_data(&pixels).map_err(io::Error::other)?;
    writer.finish().map_err(io::Error::other)?;
    let mut written = AtomicWriteFile::options().mode(0o600).open(&file)?;
    written.write_all(&bytes)?;
    written.commit()?;
    Ok(Kept {
        file,
        about,
        reference: Arc::new(reference),
    })
}

/// Forgets a look; one that is gone is forgotten already.
pub(super) fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Forgets all looks beside this zone document, for good; whether there were any.
pub(super) fn remove_all(masks_file: &Path) -> io::Result<bool> {
    let files = files(masks_file);
    for file in &files {
        remove(file)?;
    }
    if !files.is_empty() {
        // A power cut must not bring them back.
        fs::File::open(folder(masks_file))?.sync_all()?;
    }
    Ok(!files.is_empty())
}
