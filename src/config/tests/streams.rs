use super::*;

#[test]
fn further_streams_are_read_whole_or_refused() {
    let with = |tables: &str| format!("{MINIMAL}{}", tables.replace('%', "[[camera.stream]]\n"));
    let config = load_text(&with(
        "user = \"u\"\npassword_file = \"secret\"\nstall_ms = 2000\n\
         %name = \"sub\"\nurl = \"rtsp://127.0.0.1/sub\"\n\
         %name = \"wall\"\nurl = \"rtsp://127.0.0.1/wall\"\nbitrate_kbit = 500\n",
    ))
    .unwrap_or_else(|p| panic!("{p}"));
    let camera = &config.cameras[0];
    let [sub, wall] = &camera.streams[..] else {
        panic!("{:?}", camera.streams)
    };
    assert_eq!((sub.name.as_str(), wall.name.as_str()), ("sub", "wall"));
    assert_eq!(
        (sub.encoder.bitrate_kbit, wall.encoder.bitrate_kbit),
        (1000, 500)
    );
    assert_eq!(sub.source.login, camera.source.login);
    assert_eq!(sub.source.stall, camera.source.stall);
    assert_eq!(sub.source.url, "rtsp://127.0.0.1/sub");
    let seen = camera.seen_by(sub);
    assert_eq!((seen.id.as_str(), &seen.source), ("cam/sub", &sub.source));
    assert_eq!(
        (seen.masks, seen.kind),
        (camera.masks.clone(), camera.kind.clone())
    );
    let sub = "name = \"sub\"\nurl = \"rtsp://127.0.0.1/sub\"\n";
    for (tables, what, remedy) in [
        (
            "%name = \"a b\"\nurl = \"rtsp://h/a\"\n".to_owned(),
            "is no name for a stream",
            "letters, digits",
        ),
        (
            "%name = \"main\"\nurl = \"rtsp://h/a\"\n".to_owned(),
            "the camera's own `url`",
            "sub",
        ),
        (
            format!("%{sub}%{}", sub.replace("/sub", "/other")),
            "names a second stream",
            "name of its own",
        ),
        (
            format!("%{sub}%{}", sub.replace("name = \"sub\"", "name = \"b\"")),
            "one of another stream",
            "other size",
        ),
        (
            "%name = \"sub\"\nurl = \"rtsp://127.0.0.1/x\"\n".to_owned(),
            "one of another stream",
            "other size",
        ),
        (
            "%name = \"sub\"\nurl = \"rtsp://u:hunter2@h/a\"\n".to_owned(),
            "carries credentials",
            "password_file",
        ),
        (
            format!("%{sub}bitrate_kbit = 1\n"),
            "out of range",
            "kbit/s",
        ),
        (
            format!("%{sub}masks = \"cam.json\"\n"),
            "masks",
            "greyplane.toml",
        ),
    ] {
        let problems = load_text(&with(&tables)).unwrap_err().to_string();
        assert!(
            problems.contains(what) && problems.contains(remedy),
            "{tables}: {problems}"
        );
        assert!(!problems.contains("hunter2"), "{problems}");
    }
}

#[test]
fn another_stream_starts_its_camera_anew() {
    let one = load_text(MINIMAL).unwrap();
    let stream = "[[camera.stream]]\nname = \"sub\"\nurl = \"rtsp://127.0.0.1/sub\"\n";
    let two = load_text(&format!("{MINIMAL}{stream}")).unwrap();
    assert!(matches!(diff(&one, &two)[..], [Change::Restart(_)]));
}
