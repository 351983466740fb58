//! A result under a temporary name until it is complete.

use super::RedactError;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A file in the result's folder, under a name of its own that begins with a
/// dot. It gets the result's name when it is complete and on the disk; dropped
/// before that, it is removed.
#[derive(Debug)]
pub struct Draft {
    path: PathBuf,
    result: PathBuf,
    force: bool,
    complete: bool,
}

impl Draft {
    /// Begins `result`, which is no file of `originals` and does not exist
    /// unless `force`.
    ///
    /// # Errors
    /// [`RedactError::Same`], [`RedactError::Exists`], or [`RedactError::Io`]
    /// where no file can be made there.
    pub fn begin(result: &Path, originals: &[&Path], force: bool) -> Result<Self, RedactError> {
        for original in originals {
            if same_file(original, result) {
                return Err(RedactError::Same(result.to_owned()));
            }
        }
        let nameless = || {
            let why = std::io::Error::from(std::io::ErrorKind::InvalidFilename);
            RedactError::io(result, why)
        };
        let mut name = OsString::from(".");
        name.push(result.file_name().ok_or_else(nameless)?);
        name.push(format!(".{:016x}.part", rand::random::<u64>()));
        let draft = Self {
            path: result.with_file_name(name),
            result: result.to_owned(),
            force,
            complete: false,
        };
        draft.check_free()?;
        let made = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&draft.path);
        made.map_err(|why| RedactError::io(result, why))?;
        Ok(draft)
    }

    /// Where to write.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the file its name, after everything in it is on the disk.
    ///
    /// # Errors
    /// As [`begin`](Self::begin); the temporary file is removed then.
    pub fn complete(mut self) -> Result<(), RedactError> {
        let io = |why| RedactError::io(&self.result, why);
        File::open(&self.path)
            .and_then(|f| f.sync_all())
            .map_err(io)?;
        self.check_free()?;
        fs::rename(&self.path, &self.result).map_err(io)?;
        self.complete = true;
        let folder = match self.result.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        // The result stands and is whole; only its name may not survive a crash.
        if let Err(error) = File::open(folder).and_then(|f| f.sync_all()) {
            tracing::warn!(folder = %folder.display(), %error, "could not be synchronised");
        }
        Ok(())
    }

    fn check_free(&self) -> Result<(), RedactError> {
        // Also a link that leads nowhere is a name that is taken.
        if !self.force && fs::symlink_metadata(&self.result).is_ok() {
            return Err(RedactError::Exists(self.result.clone()));
        }
        if self.result.is_dir() {
            let why = std::io::Error::from(std::io::ErrorKind::IsADirectory);
            return Err(RedactError::io(&self.result, why));
        }
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.complete {
            // It may never have been made.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Whether a file of either name would be the same, whether there is one or not.
pub fn same_name(a: &Path, b: &Path) -> bool {
    let place = |file: &Path| {
        let folder = match file.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        Some((fs::canonicalize(folder).ok()?, file.file_name()?.to_owned()))
    };
    same_file(a, b) || place(a).is_some_and(|place_a| place(b) == Some(place_a))
}

/// Whether both names lead to the same file, through whatever links.
fn same_file(a: &Path, b: &Path) -> bool {
    match (fs::metadata(a), fs::metadata(b)) {
        (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
        _ => false,
    }
}
