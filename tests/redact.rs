//! Recordings through `redact`, with a detector that finds what is white: one
//! bright sample in a copy is a leak. No models are needed.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should fail loudly"
)]

use greyplane::detect::{Class, Descriptor, DetectError, Detection, Detector, PixelBox, Search};
use greyplane::frame::FrameRef;
use greyplane::media::ClipReader;
use greyplane::redact::{
    Audio, ModelUsed, RedactError, Report, Seeker, Settings, Stage, redact_clip, redact_folder,
    redact_still, same_name,
};
use gst::prelude::*;
use gstreamer as gst;
use image::{ImageEncoder, Rgb, RgbImage};
use std::path::{Path, PathBuf};

/// Above this a luma sample is what must be hidden; the grey of masks is 128.
const WHITE: u8 = 180;

/// Finds the box around everything white.
struct White {
    descriptor: Descriptor,
    looks: u64,
    /// What it does at which look.
    mood: fn(u64) -> Mood,
}

enum Mood {
    Sees,
    Doubts,
    Misses,
    Fails,
}

impl Detector for White {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn detect(
        &mut self,
        frame: &FrameRef<'_>,
        _area: &PixelBox,
        long_side: u32,
    ) -> Result<Vec<Detection>, DetectError> {
        let mood = (self.mood)(self.looks);
        self.looks += 1;
        let score = match mood {
            Mood::Sees => 0.9,
            Mood::Doubts => 0.15,
            Mood::Misses => return Ok(Vec::new()),
            Mood::Fails => return Err(DetectError::LongSide(long_side)),
        };
        let found = white(frame).map(|at| Detection {
            class: Class::Plate,
            at,
            score,
        });
        Ok(found.into_iter().collect())
    }
}

fn white(frame: &FrameRef<'_>) -> Option<PixelBox> {
    let mut around: Option<PixelBox> = None;
    for y in 0..frame.size().height {
        for (x, v) in (0u32..).zip(frame.row(0, y as usize)) {
            if *v > WHITE {
                let (x, y) = (f64::from(x), f64::from(y));
                let b = around.get_or_insert(PixelBox {
                    x0: x,
                    y0: y,
                    x1: x,
                    y1: y,
                });
                b.x0 = b.x0.min(x);
                b.y0 = b.y0.min(y);
                b.x1 = b.x1.max(x + 1.0);
                b.y1 = b.y1.max(y + 1.0);
            }
        }
    }
    around
}

fn seeker(mood: fn(u64) -> Mood) -> Seeker {
    let text = "class = \"plate\"\ndecoder = \"boxes\"\nthreshold = 0.1\nnms_iou = 0.3\n\
                [input]\nlayout = \"nchw\"\nchannels = \"rgb\"\nlong_side = 4096\n";
    let descriptor = Descriptor::parse(text).unwrap();
    let white = White {
        descriptor,
        looks: 0,
        mood,
    };
    Seeker::new(
        Search::new(vec![Box::new(white)]),
        vec![Class::Plate],
        None,
        true,
    )
}

fn models() -> Vec<ModelUsed> {
    vec![ModelUsed {
        class: Class::Plate,
        name: "white".to_owned(),
        sha256: "0".repeat(64),
        input_long_side: 4096,
        threshold: 0.3,
        keep: 0.15,
    }]
}

fn settings() -> Settings {
    Settings {
        classes: vec![Class::Plate],
        every: 1,
        tiles: true,
        keep: None,
        audio: Audio::Mute,
        bitrate_kbit: None,
        force: false,
    }
}

fn run(from: &Path, to: &Path, mood: fn(u64) -> Mood) -> Result<Report, RedactError> {
    redact_clip(
        from,
        to,
        &settings(),
        &mut seeker(mood),
        models(),
        &mut |_| true,
    )
}

/// Lets GStreamer make a file by `launch`, in which FILE stands for its name.
fn make(file: &Path, launch: &str) {
    gst::init().unwrap();
    let launch = launch.replace("FILE", file.to_str().unwrap());
    let pipeline = gst::parse::launch(&launch).unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let kinds = [gst::MessageType::Eos, gst::MessageType::Error];
    let end = pipeline.bus().unwrap().timed_pop_filtered(None, &kinds);
    assert_eq!(end.unwrap().type_(), gst::MessageType::Eos, "{launch}");
    pipeline.set_state(gst::State::Null).unwrap();
}

/// A white ball that jumps through a black picture, two seconds of it.
const BALL: &str = "videotestsrc pattern=ball num-buffers=50 ! \
                    video/x-raw,format=I420,width=320,height=240,framerate=25/1";

fn ball(folder: &Path) -> PathBuf {
    let file = folder.join("ball.mp4");
    make(
        &file,
        &format!("{BALL} ! x264enc ! mp4mux ! filesink location=FILE"),
    );
    file
}

/// Times of the frames, nanoseconds, and the brightest sample of each.
fn frames(file: &Path) -> Vec<(u64, u8)> {
    let mut reader = ClipReader::open(file).unwrap();
    let mut frames = Vec::new();
    while let Some(frame) = reader.next().unwrap() {
        let view = frame.view().unwrap();
        let rows = (0..view.size().height as usize).map(|y| view.row(0, y));
        let brightest = rows.flatten().max().copied().unwrap();
        frames.push((frame.at_ns(), brightest));
    }
    frames
}

fn assert_hidden(from: &Path, to: &Path) {
    let (was, is) = (frames(from), frames(to));
    assert!(
        was.iter().all(|(_, brightest)| *brightest > WHITE),
        "nothing to hide"
    );
    assert!(
        is.iter().all(|(_, brightest)| *brightest < WHITE),
        "{}: {is:?}",
        from.display()
    );
    assert_eq!(was.len(), is.len());
    for ((was, _), (is, _)) in was.iter().zip(&is) {
        // Stamps in the copy are multiples of 1/90000 s.
        assert!(was.abs_diff(*is) < 12_000, "{was} became {is}");
    }
}

/// Files in a folder, hidden ones too.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.map(|e| e.unwrap().file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn nothing_white_is_left_of_any_kind_of_clip() {
    let cases = [
        ("h264.mp4", format!("{BALL} ! x264enc ! mp4mux ! filesink location=FILE")),
        ("vp8.mkv", format!("{BALL} ! vp8enc ! matroskamux ! filesink location=FILE")),
        ("mjpeg.avi", format!("{BALL} ! jpegenc ! avimux ! filesink location=FILE")),
        (
            "ten-bit.mkv",
            format!("{BALL} ! videoconvert ! video/x-raw,format=I420_10LE ! x264enc ! matroskamux ! filesink location=FILE"),
        ),
        (
            "odd.mkv",
            format!("{BALL} ! videoscale ! video/x-raw,width=331,height=243 ! vp8enc ! matroskamux ! filesink location=FILE"),
        ),
        // One frame in three is gone, and not the same ones: the rate varies.
        (
            "slow.mov",
            "videotestsrc pattern=ball num-buffers=20 ! video/x-raw,width=320,height=240,framerate=7/3 ! \
             x264enc ! qtmux ! filesink location=FILE".to_owned(),
        ),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (name, launch) in cases {
        let (from, to) = (
            folder.path().join(name),
            folder.path().join(format!("{name}.mp4")),
        );
        make(&from, &launch);
        let report = run(&from, &to, |_| Mood::Sees).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!((report.covered_frames, report.gaps), (0, 0), "{name}");
        assert!(!report.tracks.is_empty(), "{name}");
        assert_hidden(&from, &to);
        let upright = ClipReader::open(&to).unwrap().size();
        let even = |side: u32| side / 2 * 2;
        assert_eq!(
            (upright.width, upright.height),
            (even(report.width), even(report.height)),
            "{name}"
        );
    }
}

#[test]
fn a_clip_that_was_taken_sideways_stands_upright() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("from.mp4"), folder.path().join("to.mp4"));
    let made = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(ball(folder.path()))
        .args(["-c", "copy", "-metadata:s:v:0", "rotate=90"])
        .arg(&from)
        .status();
    assert!(
        made.expect("ffmpeg, which `make system` installs")
            .success()
    );
    let report = run(&from, &to, |_| Mood::Sees).unwrap();
    assert_eq!((report.width, report.height), (240, 320));
    assert_hidden(&from, &to);
    let upright = ClipReader::open(&to).unwrap().size();
    assert_eq!((upright.width, upright.height), (240, 320));
}

#[test]
fn a_thing_is_hidden_before_it_is_found_and_while_it_is_missed() {
    let folder = tempfile::tempdir().unwrap();
    let from = ball(folder.path());
    let moods: [fn(u64) -> Mood; 3] = [
        // Found late, but within the half second that is hidden before.
        |look| if look < 4 { Mood::Misses } else { Mood::Sees },
        // Found for sure after 1.4 s, seen faintly all the time before.
        |look| if look < 35 { Mood::Doubts } else { Mood::Sees },
        // Missed two times in three.
        |look| {
            if look % 3 == 0 {
                Mood::Sees
            } else {
                Mood::Misses
            }
        },
    ];
    for (case, mood) in moods.into_iter().enumerate() {
        let to = folder.path().join(format!("{case}.mp4"));
        let report = run(&from, &to, mood).unwrap();
        assert_eq!(report.covered_frames, 0, "case {case}");
        assert_hidden(&from, &to);
    }
}

#[test]
fn a_frame_that_was_not_searched_is_covered_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (ball(folder.path()), folder.path().join("to.mp4"));
    let mood = |look| {
        if look % 10 == 3 {
            Mood::Fails
        } else {
            Mood::Sees
        }
    };
    let report = run(&from, &to, mood).unwrap();
    assert_eq!((report.frames, report.covered_frames), (50, 5));
    assert_eq!(report.covered.get("not-searched"), Some(&5));
    let mut reader = ClipReader::open(&to).unwrap();
    for index in 0.. {
        let Some(frame) = reader.next().unwrap() else {
            assert_eq!(index, 50);
            break;
        };
        let view = frame.view().unwrap();
        // The lower half: black, or grey all over but for the caption.
        let half = 120..240;
        let grey = |v: &u8| (118..=138).contains(v);
        let share = half
            .clone()
            .map(|y| view.row(0, y).iter().filter(|v| grey(v)).count())
            .sum::<usize>() as f64
            / (half.len() * 320) as f64;
        assert_eq!(
            share > 0.9,
            index % 10 == 3,
            "frame {index}: {share} is grey"
        );
    }
    let error = run(&from, &folder.path().join("all.mp4"), |_| Mood::Fails).unwrap_err();
    assert!(matches!(error, RedactError::NotSearched { .. }), "{error}");
    assert_eq!(names(folder.path()), ["ball.mp4", "to.mp4"]);
}

#[test]
fn what_cannot_be_redacted_leaves_nothing_behind() {
    let scratch = tempfile::tempdir().unwrap();
    let path = |name: &str| scratch.path().join(name);
    let from = ball(scratch.path());
    let whole = std::fs::read(&from).unwrap();
    std::fs::write(path("text.mp4"), "no clip at all\n").unwrap();
    std::fs::write(path("empty.mp4"), "").unwrap();
    let list = "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://127.0.0.1:9/a.ts\n";
    std::fs::write(path("list.mp4"), list).unwrap();
    std::fs::write(path("half.mp4"), &whole[..whole.len() / 2]).unwrap();
    make(
        &path("sound.mp4"),
        "audiotestsrc num-buffers=50 ! avenc_aac ! mp4mux ! filesink location=FILE",
    );
    let view = format!("{BALL} ! x264enc tune=zerolatency ! queue max-size-time=0");
    make(
        &path("two.mp4"),
        &format!("{view} ! mp4mux name=both ! filesink location=FILE {view} ! both."),
    );
    std::fs::write(path("taken.mp4"), "precious").unwrap();
    std::os::unix::fs::symlink(&from, path("link.mp4")).unwrap();
    std::fs::create_dir(path("folder.mp4")).unwrap();
    let before = names(scratch.path());
    let cases = [
        ("text.mp4", "out.mp4", "holds no video"),
        ("empty.mp4", "out.mp4", "it is empty"),
        ("list.mp4", "out.mp4", "only application/x-hls was found"),
        ("half.mp4", "out.mp4", "holds no video"),
        ("sound.mp4", "out.mp4", "only audio/mpeg was found"),
        ("two.mp4", "out.mp4", "holds more than one video"),
        ("nothing.mp4", "out.mp4", "cannot read"),
        ("ball.mp4", "taken.mp4", "--force"),
        ("ball.mp4", "ball.mp4", "is the recording itself"),
        ("ball.mp4", "link.mp4", "is the recording itself"),
        ("ball.mp4", "no/folder/out.mp4", "No such file"),
        ("ball.mp4", "folder.mp4", "exists"),
    ];
    for (from, to, told) in cases {
        let error = run(&path(from), &path(to), |_| Mood::Sees)
            .unwrap_err()
            .to_string();
        assert!(error.contains(told), "{from} to {to}: {error}");
        assert_eq!(names(scratch.path()), before, "{from} to {to}");
    }
    assert_eq!(std::fs::read(path("taken.mp4")).unwrap(), b"precious");
    assert_eq!(std::fs::read(&from).unwrap(), whole);
}

#[test]
fn a_file_is_known_by_any_of_its_names() {
    let scratch = tempfile::tempdir().unwrap();
    let path = |name: &str| scratch.path().join(name);
    std::fs::create_dir(path("in")).unwrap();
    std::os::unix::fs::symlink(path("in"), path("also")).unwrap();
    for (a, b, same) in [
        ("out.mp4", "in/../out.mp4", true),
        ("in/out.mp4", "also/out.mp4", true),
        ("in/out.mp4", "out.mp4", false),
        ("in/out.mp4", "in/out.json", false),
        ("nowhere/out.mp4", "nowhere/out.json", false),
    ] {
        assert_eq!(same_name(&path(a), &path(b)), same, "{a} and {b}");
    }
}

#[test]
fn work_that_is_stopped_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (ball(folder.path()), folder.path().join("to.mp4"));
    for (stage, frames) in [(Stage::Searching, 7), (Stage::Writing, 30)] {
        let stopped = redact_clip(
            &from,
            &to,
            &settings(),
            &mut seeker(|_| Mood::Sees),
            models(),
            &mut |p| (p.stage, p.frames) != (stage, frames),
        );
        assert!(matches!(stopped, Err(RedactError::Stopped)));
        assert_eq!(names(folder.path()), ["ball.mp4"]);
    }
}

#[test]
fn a_clip_that_breaks_off_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let from = folder.path().join("long.mp4");
    let launch = "videotestsrc pattern=ball num-buffers=500 ! video/x-raw,width=160,height=120,framerate=25/1 ! \
                  x264enc key-int-max=25 ! mp4mux faststart=true ! filesink location=FILE";
    make(&from, launch);
    let whole = std::fs::read(&from).unwrap();
    std::fs::write(&from, &whole[..whole.len() * 2 / 3]).unwrap();
    let error = run(&from, &folder.path().join("to.mp4"), |_| Mood::Sees).unwrap_err();
    assert!(matches!(error, RedactError::BreaksOff { .. }), "{error}");
    assert_eq!(names(folder.path()), ["long.mp4"]);
}

#[test]
fn sound_is_left_out_or_taken_along_and_tags_never_are() {
    let folder = tempfile::tempdir().unwrap();
    let from = folder.path().join("from.mp4");
    let launch = format!(
        "{BALL} ! x264enc ! mux. \
         audiotestsrc wave=sine freq=440 num-buffers=87 samplesperbuffer=1024 ! \
         audio/x-raw,rate=44100,channels=2 ! taginject tags=\"title=SECRET-TITLE,artist=SECRET-ARTIST,geo-location-latitude=52.123\" ! \
         avenc_aac ! mux. mp4mux name=mux ! filesink location=FILE"
    );
    make(&from, &launch);
    let secret = |file: &Path| {
        let bytes = std::fs::read(file).unwrap();
        bytes.windows(6).any(|w| w == b"SECRET")
    };
    assert!(secret(&from));
    for (audio, sound) in [
        (Audio::Mute, false),
        (Audio::Keep, true),
        (Audio::Distort, true),
    ] {
        let to = folder.path().join(format!("{audio:?}.mp4"));
        let settings = Settings {
            audio,
            ..settings()
        };
        let mut seeker = seeker(|_| Mood::Sees);
        redact_clip(&from, &to, &settings, &mut seeker, models(), &mut |_| true).unwrap();
        assert_hidden(&from, &to);
        let mut reader = ClipReader::open(&to).unwrap();
        while reader.next().unwrap().is_some() {}
        assert_eq!(reader.has_sound(), sound, "{audio:?}");
        if sound {
            let end = reader.others_end_s();
            assert!((1.9..2.3).contains(&end), "{audio:?}: {end} s of sound");
        }
        assert!(!secret(&to), "{audio:?}");
    }
}

/// Black, with a white block in the upper left corner.
fn picture() -> RgbImage {
    RgbImage::from_fn(120, 80, |x, y| {
        let white = (10..30).contains(&x) && (10..20).contains(&y);
        Rgb([if white { 255 } else { 0 }; 3])
    })
}

/// A JPEG with an EXIF block: to be turned by 90° clockwise, taken somewhere.
fn jpeg_with_exif() -> Vec<u8> {
    let mut plain = Vec::new();
    let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut plain, 95);
    encoder
        .write_image(&picture(), 120, 80, image::ExtendedColorType::Rgb8)
        .unwrap();
    // TIFF, little endian: orientation 6, and a maker's text.
    let mut tiff = b"II*\0\x08\0\0\0\x02\0".to_vec();
    tiff.extend([0x12, 0x01, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0]);
    tiff.extend([0x0f, 0x01, 2, 0, 7, 0, 0, 0, 38, 0, 0, 0]);
    tiff.extend([0, 0, 0, 0]);
    tiff.extend(b"SECRET\0");
    let length = u16::try_from(tiff.len() + 8).unwrap().to_be_bytes();
    let app1 = [&[0xff, 0xe1], &length[..], b"Exif\0\0", &tiff].concat();
    let comment = b"\xff\xfe\x00\x08SECRET";
    [&plain[..2], &app1, comment, &plain[2..]].concat()
}

#[test]
fn pictures_are_turned_upright_and_lose_everything_beside_the_picture() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("a.jpg"), folder.path().join("b.jpg"));
    std::fs::write(&from, jpeg_with_exif()).unwrap();
    let report = redact_still(
        &from,
        &to,
        &settings(),
        &mut seeker(|_| Mood::Sees),
        models(),
    );
    let report = report.unwrap();
    assert_eq!((report.width, report.height), (80, 120));
    let bytes = std::fs::read(&to).unwrap();
    for word in [&b"SECRET"[..], b"Exif"] {
        assert!(!bytes.windows(word.len()).any(|w| w == word));
    }
    let copy = image::open(&to).unwrap().into_rgb8();
    assert_eq!(copy.dimensions(), (80, 120));
    let brightest = copy.pixels().map(|p| p.0[0]).max().unwrap();
    assert!(brightest < WHITE, "{brightest}");
    // What was on the left is on top now, to the right.
    let masked = copy.get_pixel(65, 20).0[0];
    assert!((110..150).contains(&masked), "{masked}");
}

#[test]
fn a_folder_is_masked_picture_by_picture() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    std::fs::create_dir_all(from.join("deep")).unwrap();
    picture().save(from.join("one.png")).unwrap();
    std::fs::write(from.join("deep/two.jpg"), jpeg_with_exif()).unwrap();
    std::fs::write(from.join("notes.txt"), "who lives where").unwrap();
    let png = std::fs::read(from.join("one.png")).unwrap();
    std::fs::write(from.join("cut.png"), &png[..png.len() / 2]).unwrap();
    // A picture of 100,000 samples a side, in as many bytes as it takes to say so.
    let mut bomb = png.clone();
    bomb[16..24].copy_from_slice(&[0, 1, 0x86, 0xa0, 0, 1, 0x86, 0xa0]);
    std::fs::write(from.join("huge.png"), bomb).unwrap();
    std::os::unix::fs::symlink(from.join("one.png"), from.join("link.png")).unwrap();

    let mut seeker = seeker(|_| Mood::Sees);
    let inside = redact_folder(
        &from,
        &from.join("to"),
        &settings(),
        &mut seeker,
        &models(),
        &mut |_| true,
    );
    assert!(matches!(inside, Err(RedactError::Within { .. })));
    assert!(!from.join("to").exists());

    let done = redact_folder(&from, &to, &settings(), &mut seeker, &models(), &mut |_| {
        true
    });
    let done = done.unwrap();
    let listed = |left: &[greyplane::redact::Left]| -> Vec<String> {
        left.iter().map(|l| l.name.clone()).collect()
    };
    let masked: Vec<&str> = done
        .pictures
        .iter()
        .map(|r| r.output.name.as_str())
        .collect();
    assert_eq!(masked, ["deep/two.jpg", "one.png"]);
    assert_eq!(listed(&done.skipped), ["link.png", "notes.txt"]);
    assert_eq!(listed(&done.failed), ["cut.png", "huge.png"]);
    assert_eq!(names(&to), ["deep", "one.png"]);
    assert_eq!(names(&to.join("deep")), ["two.jpg"]);
}
