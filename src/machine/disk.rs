//! How full a disk is.

use std::io;
use std::path::Path;

/// The disk under a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// What we may still write, bytes.
    pub free: u64,
    /// All of it, bytes.
    pub size: u64,
}

/// `folder` itself; the folder we are in where it is empty, as the parent of a bare
/// file name is.
pub fn or_here(folder: &Path) -> &Path {
    match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    }
}

/// Whether this process may make files in `folder`, as far as its permissions and
/// the mount tell. Nothing is written.
///
/// # Errors
/// Why not.
pub fn may_write_in(folder: &Path) -> io::Result<()> {
    use rustix::fs::{Access, AtFlags, CWD, accessat};
    // With the rights that are in force, not those of whoever started us.
    accessat(
        CWD,
        folder,
        Access::WRITE_OK | Access::EXEC_OK,
        AtFlags::EACCESS,
    )?;
    Ok(())
}

/// The disk that `path` lies on.
///
/// # Errors
/// What the system says, as where there is no such path.
pub fn space(path: &Path) -> io::Result<Space> {
    let told = rustix::fs::statvfs(path)?;
    Ok(Space {
        free: told.f_bavail.saturating_mul(told.f_frsize),
        size: told.f_blocks.saturating_mul(told.f_frsize),
    })
}
