//! The folders that are written to.

use super::Finding;
use crate::config::Config;
use crate::machine::{Space, may_write_in, or_here, space};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// With less than this nothing can be relied on, bytes.
const LEAST: u64 = 100 << 20;
/// With less than this, and less than a tenth of the disk, it will be full some day.
const LITTLE: u64 = 10 << 30;

pub(super) fn places(config: Option<&Config>) -> Vec<Finding> {
    let Some(config) = config else {
        return Vec::new();
    };
    let mut folders: BTreeMap<PathBuf, Vec<&'static str>> = BTreeMap::new();
    let mut add = |folder: Option<&Path>, what| {
        let folder = folder.map(standing);
        let uses = folder.map(|folder| folders.entry(folder).or_default());
        if let Some(uses) = uses.filter(|uses| !uses.contains(&what)) {
            uses.push(what);
        }
    };
    // Without a console nothing is ever written.
    if let Some(console) = &config.console {
        add(Some(&console.audit), "the audit log");
        for camera in &config.cameras {
            for file in camera.masks_files() {
                add(file.parent(), "zones and their versions");
            }
        }
    }
    if folders.is_empty() {
        return vec![Finding::good(
            "disk",
            "without a console nothing is written",
        )];
    }
    folders
        .iter()
        .flat_map(|(folder, uses)| place(folder, &uses.join(", ")))
        .collect()
}

/// The folder, or the nearest one above it that is there: it will be made in that.
fn standing(folder: &Path) -> PathBuf {
    let there = folder.ancestors().map(or_here).find(|f| f.exists());
    there.unwrap_or(Path::new("/")).to_owned()
}

fn place(folder: &Path, uses: &str) -> Vec<Finding> {
    let (who, shown) = (uses, folder.display());
    if !folder.is_dir() {
        let what = format!("{shown}, for {who}, is no folder");
        return vec![Finding::bad("write", what, "name a folder, or make it one")];
    }
    let write = match may_write_in(folder) {
        Ok(()) => Finding::good("write", format!("{shown} can be written, for {who}")),
        Err(error) => Finding::bad(
            "write",
            format!("{shown} cannot be written, for {who}: {error}"),
            format!("run as the user that greyplane runs as, or: chown greyplane {shown}"),
        ),
    };
    let disk = match space(folder) {
        Ok(space) => judge_space(space, folder, who),
        Err(error) => Finding::doubt(
            "disk",
            format!("{shown} does not tell how full it is: {error}"),
            "look at `df`",
        ),
    };
    vec![write, disk]
}

pub(super) fn judge_space(space: Space, folder: &Path, uses: &str) -> Finding {
    const CHECK: &str = "disk";
    let gib = space.free as f64 / f64::from(1 << 30);
    let what = format!(
        "{gib:.1} GiB are free under {}, for {uses}",
        folder.display()
    );
    let remedy = "make room: when the audit log cannot be written, nobody gets into the console";
    if space.free < LEAST {
        Finding::bad(CHECK, what, remedy)
    } else if space.free < LITTLE && space.free < space.size / 10 {
        Finding::doubt(CHECK, what, remedy)
    } else {
        Finding::good(CHECK, what)
    }
}
