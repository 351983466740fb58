use super::*;
use crate::clock::{SimClock, WallTime};
use crate::config::Masks;
use crate::frame::{Matrix, PixelFormat, Plane};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

const SIZE: Size = Size {
    width: 640,
    height: 360,
};

/// Patches of chance brightness, seen from `right` pixels further to the right.
fn street(right: u32) -> Vec<u8> {
    let patch = |x: u32, y: u32, side: u32| {
        let (x, y) = (x / side, y / side);
        let mut h = x.wrapping_mul(0x9E37_79B9) ^ y.wrapping_mul(0x85EB_CA6B) ^ side;
        h ^= h >> 15;
        h = h.wrapping_mul(0x2C1B_3C6D);
        (h >> 20) % 80
    };
    let luma = (0..SIZE.width * SIZE.height).map(|i| {
        let (x, y) = (i % SIZE.width + right, i / SIZE.width);
        (30 + patch(x, y, 11) + patch(x, y, 37)) as u8
    });
    luma.collect()
}

fn with_frame<T>(luma: &[u8], look: impl FnOnce(&FrameRef<'_>) -> T) -> T {
    let uv = vec![128; luma.len() / 2];
    let plane = |data| Plane { data, stride: 640 };
    let planes = vec![plane(luma), plane(&uv)];
    look(&FrameRef::new(PixelFormat::Nv12, SIZE, Matrix::Bt709, planes).unwrap())
}

fn masks(id: &str, to: f64) -> Masks {
    let text = format!(
        r#"{{"format": 1, "camera": "c.{id}", "zones": [{{"id": "a", "mode": "hide", "shape":
           {{"type": "image", "points": [{{"x": 0.1, "y": 0.1}}, {{"x": {to}, "y": 0.1}}, {{"x": 0.3, "y": 0.5}}]}}}}]}}"#
    );
    Ok(Arc::new(
        ZoneSet::parse(text.as_bytes(), &format!("c.{id}")).unwrap(),
    ))
}

fn preset(folder: &tempfile::TempDir, id: &str) -> Preset {
    Preset {
        id: id.into(),
        name: None,
        masks: masks(id, 0.3),
        masks_file: folder.path().join(format!("{id}.json")),
    }
}

fn said(presets: &Presets, right: u32) -> Result<(), String> {
    let (resting, _) = with_frame(&street(right), |frame| presets.see(Some(frame)));
    resting.map(|_| ()).map_err(|reason| reason.to_string())
}

/// Lets it stand there for a while; whether it is shown then.
fn shown(presets: &Presets, right: u32) -> bool {
    (0..12)
        .map(|_| said(presets, right).is_ok())
        .fold(false, |_, now| now)
}

/// A still of what stands there: its name.
fn still(presets: &Presets, right: u32, at: i64) -> String {
    shown(presets, right);
    presets.still(Some(CaptureTime(at))).unwrap();
    at.to_string()
}

/// Somebody vouches for `preset` by that still while the camera looks there.
fn verify(presets: &Presets, preset: &str, still: String, right: u32) -> Result<(), DeskFault> {
    let document = presets
        .configured()
        .into_iter()
        .find(|p| p.id == preset)
        .and_then(|p| p.masks.ok())
        .map_or_else(Vec::new, |zones| zones.document().to_json().unwrap().into());
    verify_by(presets, preset, still, right, &document)
}

/// The same, by the zones of this document.
fn verify_by(
    presets: &Presets,
    preset: &str,
    still: String,
    right: u32,
    document: &[u8],
) -> Result<(), DeskFault> {
    let clock = SimClock::at(WallTime(1_795_000_000_000_000_000));
    let vouch = Vouch {
        still,
        base_sha256: String::new(),
        by: "iris".into(),
        reason: "it fits".into(),
    };
    std::thread::scope(|scope| {
        let verifying = scope.spawn(|| presets.verify(preset, (&vouch, document), &clock));
        let mut now = Mono(1);
        while !verifying.is_finished() {
            let _ = said(presets, right);
            presets.learn(&[], now);
            now = now.plus(LESSON_STEP);
            std::thread::sleep(Duration::from_millis(1));
        }
        verifying.join().unwrap()
    })
}

fn refused(done: Result<(), DeskFault>) -> String {
    match done {
        Err(DeskFault::NotVerified(why)) => why,
        other => panic!("{other:?}"),
    }
}

fn kept_files(preset: &Preset) -> Vec<PathBuf> {
    let entries = fs::read_dir(kept::folder(&preset.masks_file));
    entries.map_or_else(
        |_| Vec::new(),
        |all| all.map(|e| e.unwrap().path()).collect(),
    )
}

#[test]
fn somebodys_word_counts_for_one_place_and_one_version_of_its_zones() {
    let folder = tempfile::tempdir().unwrap();
    let list = [preset(&folder, "north"), preset(&folder, "south")];
    let presets = Presets::new("c", &list);
    assert!(said(&presets, 0).unwrap_err().contains("none is verified"));
    let name = still(&presets, 0, 7);

    let none = verify(&presets, "east", name.clone(), 0);
    assert_eq!(none, Err(DeskFault::NoPreset));
    let unknown = refused(verify(&presets, "north", "8".into(), 0));
    assert!(unknown.contains("does not remember"), "{unknown}");
    let elsewhere = refused(verify(&presets, "north", name.clone(), 300));
    assert!(elsewhere.contains("does not look where"), "{elsewhere}");
    assert!(!shown(&presets, 0) && !shown(&presets, 300));
    assert!(kept_files(&list[0]).is_empty(), "nothing of it is kept");

    verify(&presets, "north", name.clone(), 0).unwrap();
    assert!(shown(&presets, 0) && !shown(&presets, 300) && !shown(&presets, 8));
    assert_eq!(presets.resting(), None);
    assert!(shown(&presets, 0));
    assert_eq!(presets.resting().as_deref(), Some("north"));
    let twin = refused(verify(&presets, "south", name, 0));
    assert!(twin.contains("the same as preset north"), "{twin}");

    // With other zones nobody has vouched for it, and what it looked like is forgotten: the new
    // ones may hide what the old ones did not.
    presets.swap_masks("north", masks("north", 0.31)).unwrap();
    assert!(!shown(&presets, 0));
    assert!(kept_files(&list[0]).is_empty());
    presets.swap_masks("north", masks("north", 0.3)).unwrap();
    assert!(!shown(&presets, 0));
    // Nor for those that were changed by hand, and not reloaded.
    let name = still(&presets, 0, 8);
    let by_hand = masks("north", 0.35).unwrap().document().to_json().unwrap();
    let other = verify_by(&presets, "north", name.clone(), 0, by_hand.as_bytes());
    assert!(refused(other).contains("not those in force"));
    verify(&presets, "north", name, 0).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let [file] = &kept_files(&list[0])[..] else {
        panic!("one look")
    };
    assert_eq!((mode(file), mode(file.parent().unwrap())), (0o600, 0o700));
    // It outlives the camera, and is gone with a word.
    let again = Presets::new("c", &list);
    assert!(shown(&again, 0));
    assert_eq!(again.withdraw("north"), Ok(true));
    assert!(!shown(&again, 0));
    assert!(kept_files(&list[0]).is_empty());
    assert_eq!(again.withdraw("north"), Ok(false));
}

#[test]
fn what_is_on_disk_shows_nothing_private_and_counts_only_whole() {
    let folder = tempfile::tempdir().unwrap();
    let list = [preset(&folder, "north")];
    let presets = Presets::new("c", &list);
    let name = still(&presets, 0, 7);
    verify(&presets, "north", name, 0).unwrap();
    let files = kept_files(&list[0]);
    let [file] = &files[..] else {
        panic!("{files:?}")
    };
    let decoder = png::Decoder::new(std::io::Cursor::new(fs::read(file).unwrap()));
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    let at = |x: usize, y: usize| [pixels[2 * (y * 320 + x)], pixels[2 * (y * 320 + x) + 1]];
    // The zone, what it grows by, and the rim.
    for private in [
        (80, 40),
        (90, 60),
        (60, 16),
        (2, 100),
        (318, 100),
        (100, 177),
    ] {
        assert_eq!(at(private.0, private.1), [0, 0], "{private:?}");
    }
    assert_eq!(at(200, 90)[1], 255, "the street is kept");

    let whole = fs::read(file).unwrap();
    let mut turned = whole.clone();
    turned[200] ^= 0x40;
    for damaged in [
        &whole[..whole.len() / 2],
        &turned[..],
        &[],
        &b"a picture"[..],
    ] {
        fs::write(file, damaged).unwrap();
        assert!(
            !shown(&Presets::new("c", &list), 0),
            "{} bytes",
            damaged.len()
        );
    }
    fs::write(file, &whole).unwrap();
    assert!(shown(&Presets::new("c", &list), 0));
}

#[test]
fn there_is_no_still_of_what_moves_and_none_without_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let presets = Presets::new("c", &[preset(&folder, "north")]);
    assert!(
        presets.still(Some(CaptureTime(1))).is_err(),
        "no picture yet"
    );
    for step in 0..20 {
        let _ = said(&presets, 20 * step);
        assert!(presets.still(Some(CaptureTime(1))).is_err());
    }
    shown(&presets, 0);
    assert_eq!(presets.still(None), Err(Reason::NoCaptureTime));
    assert_eq!(presets.still(Some(CaptureTime(1))), Ok(()));
    // Too small to be compared: covered.
    let (resting, moved) = presets.see(None);
    assert!(resting.is_err() && moved);
}

#[test]
fn a_word_that_is_withdrawn_while_it_is_given_is_not_given() {
    let folder = tempfile::tempdir().unwrap();
    let list = [preset(&folder, "north"), preset(&folder, "south")];
    let presets = Presets::new("c", &list);
    let name = still(&presets, 0, 7);
    std::thread::scope(|scope| {
        let verifying = scope.spawn(|| verify(&presets, "north", name, 0));
        while !presets.is_learning() {
            std::thread::yield_now();
        }
        assert_eq!(presets.withdraw("north"), Ok(false));
        let why = refused(verifying.join().unwrap());
        assert!(why.contains("meanwhile"), "{why}");
    });
    assert!(!shown(&presets, 0));
    assert!(kept_files(&list[0]).is_empty());
    assert!(!shown(&Presets::new("c", &list), 0));
}
