use super::*;

#[test]
fn publications_are_read_whole_or_refused() {
    let with = |tables: &str| format!("{MINIMAL}{}", tables.replace('%', "[[camera.publish]]\n"));
    let config = load_text(&with(
        "%url = \"rtsps://media.example.org/a\"\nuser = \"u\"\npassword_file = \"secret\"\n\
         %name = \"b\"\nurl = \"rtsp://localhost:8554/a\"\n\
         %name = \"c\"\nurl = \"srt://[::1]:8890?streamid=publish:a\"\nlatency_ms = 60\n\
         %name = \"d\"\nurl = \"rtsp://192.0.2.1/a\"\nallow_clear = true\n\
         %name = \"e\"\nurl = \"https://media.example.org/a/whip\"\ntoken_file = \"secret\"\n\
         %name = \"f\"\nurl = \"http://localhost:8889/a/whip\"\n",
    ))
    .unwrap_or_else(|p| panic!("{p}"));
    let all = &config.cameras[0].publish;
    let names: Vec<_> = all
        .iter()
        .map(|p| (p.name.as_str(), p.beyond_in_clear))
        .collect();
    assert_eq!(
        names,
        [
            ("main", false),
            ("b", false),
            ("c", false),
            ("d", true),
            ("e", false),
            ("f", false)
        ]
    );
    let PublishOver::Whip { token, .. } = &all[4].over else {
        panic!("{all:?}")
    };
    assert_eq!(token.as_ref().unwrap().reveal(), "pw");
    let PublishOver::Rtsp { login, ca_file } = &all[0].over else {
        panic!("{all:?}")
    };
    let login = login.as_ref().unwrap();
    assert_eq!((login.password.reveal(), ca_file), ("pw", &None));
    let PublishOver::Srt {
        latency,
        passphrase,
        ..
    } = &all[2].over
    else {
        panic!("{all:?}")
    };
    assert_eq!((latency.as_millis(), passphrase), (60, &None));
    let fine = "%url = \"rtsp://127.0.0.1/a\"\n";
    load_text(&with(fine)).unwrap_or_else(|p| panic!("{p}"));
    for (tables, line, what, remedy) in [
        (
            "%url = \"rtsp://u:hunter2@h/a\"",
            7,
            "carries credentials",
            "password_file",
        ),
        (
            "%url = \"rtmp://127.0.0.1/a\"",
            7,
            "is no address",
            "rtsps://",
        ),
        (
            "%url = \"rtsp://192.0.2.1/a\"",
            7,
            "in the clear",
            "rtsps://",
        ),
        (
            "%url = \"rtsp://127.0.0.1.example.org/a\"",
            7,
            "in the clear",
            "allow_clear",
        ),
        (
            "%url = \"srt://192.0.2.1:1\"",
            7,
            "in the clear",
            "passphrase_file",
        ),
        (
            "%url = \"srt://127.0.0.1?streamid=a\"",
            7,
            "names no port",
            "8890",
        ),
        (
            "%url = \"srt://127.0.0.1:1?passphrase=hunter2hunter2\"",
            7,
            "more in it than",
            "passphrase_file",
        ),
        (
            "%url = \"srt://127.0.0.1:1\"\npassphrase_file = \"secret\"",
            8,
            "no passphrase",
            "10 to 79",
        ),
        (
            "%url = \"srt://127.0.0.1:1\"\nuser = \"u\"\npassword_file = \"secret\"",
            7,
            "no `streamid`",
            "publish:PATH",
        ),
        (
            "%url = \"http://192.0.2.1/a/whip\"",
            7,
            "in the clear",
            "https://",
        ),
        (
            "%url = \"https://127.0.0.1/a\"\nuser = \"u\"\npassword_file = \"secret\"",
            8,
            "WHIP has no user",
            "",
        ),
        (
            "%url = \"https://127.0.0.1/a\"\nlatency_ms = 60",
            8,
            "WHIP has no latency_ms",
            "",
        ),
        (
            "%url = \"rtsp://127.0.0.1/a\"\ntoken_file = \"secret\"",
            8,
            "RTSP has no token_file",
            "leave it out",
        ),
        (
            "%url = \"https://127.0.0.1/a\"\ntoken_file = \"cam.json\"",
            8,
            "holds no token",
            "no spaces",
        ),
        (
            "%url = \"rtsp://127.0.0.1/a\"\nlatency_ms = 60",
            8,
            "RTSP has no latency_ms",
            "leave it out",
        ),
        (
            "%url = \"rtsps://192.0.2.1/a\"\nallow_clear = true",
            8,
            "is of no use",
            "leave it out",
        ),
        (
            "%url = \"rtsp://127.0.0.1/a\"\nca_file = \"none\"",
            8,
            "not rtsps",
            "",
        ),
        (
            "%url = \"rtsp://127.0.0.1/a\"\n%url = \"rtsp://127.0.0.1/b\"",
            9,
            "one name",
            "`name`",
        ),
        (
            "%url = \"rtsp://127.0.0.1/a\"\n%name = \"b\"\nurl = \"rtsp://127.0.0.1/a\"",
            10,
            "twice",
            "leave one",
        ),
        (
            "%url = \"rtsp://127.0.0.1/a\"\ntokn = 1",
            8,
            "unknown field",
            "",
        ),
    ] {
        let problems = load_text(&with(tables)).expect_err(tables).0;
        let first = &problems[0];
        assert_eq!(first.at.map_or(0, |(l, _)| l), line, "{first}");
        assert!(
            first.what.contains(what) && first.remedy.contains(remedy),
            "{first}"
        );
        assert!(problems.iter().all(|p| !p.to_string().contains("hunter2")));
    }
}

#[test]
fn other_publications_cost_no_viewer_the_stream() {
    let with = |url: &str| load_text(&format!("{MINIMAL}[[camera.publish]]\nurl = \"{url}\"\n"));
    let one = with("rtsp://127.0.0.1/a").unwrap();
    let mut other = with("rtsp://127.0.0.1/b").unwrap();
    other.cameras[0].masks_file = one.cameras[0].masks_file.clone();
    let changes = diff(&one, &other);
    assert!(
        matches!(&changes[..], [Change::Swap(camera)] if camera.publish == other.cameras[0].publish)
    );
}
