use super::*;

#[test]
fn buses_are_read_whole_or_refused() {
    let with = |tables: &str| format!("{tables}{MINIMAL}");
    let none = load_text(MINIMAL).unwrap();
    assert_eq!(none.events, Events::default());
    let config = load_text(&with(
        "[events.mqtt]\nurl = \"mqtts://broker.example.org\"\nuser = \"u\"\n\
         password_file = \"secret\"\nhome_assistant = true\n\
         [events.nats]\nurl = \"nats://[::1]:4223/\"\nsubject = \"city.a\"\ntoken_file = \"secret\"\n",
    ))
    .unwrap_or_else(|p| panic!("{p}"));
    let mqtt = config.events.mqtt.unwrap();
    let (host, port) = (mqtt.server.host.as_str(), mqtt.server.port);
    assert_eq!(
        (host, port, mqtt.server.tls),
        ("broker.example.org", 8883, true)
    );
    assert_eq!(mqtt.server.login.unwrap().password.reveal(), "pw");
    assert_eq!(mqtt.discovery.as_deref(), Some("homeassistant"));
    assert_eq!(mqtt.topic, "greyplane");
    let nats = config.events.nats.unwrap();
    let (host, port) = (nats.server.host.as_str(), nats.server.port);
    assert_eq!((host, port, nats.server.tls), ("::1", 4223, false));
    assert_eq!(
        (nats.subject.as_str(), nats.token.unwrap().reveal()),
        ("city.a", "pw")
    );
    let clear = "[events.mqtt]\nurl = \"mqtt://192.0.2.1\"\nallow_clear = true\n";
    let clear = load_text(&with(clear)).unwrap().events.mqtt.unwrap();
    assert!(clear.server.beyond_in_clear && clear.discovery.is_none());
    for (tables, line, what, remedy) in [
        (
            "[events.mqtt]\nurl = \"mqtt://u:hunter2@h\"",
            2,
            "carries credentials",
            "password_file",
        ),
        (
            "[events.mqtt]\nurl = \"tcp://127.0.0.1\"",
            2,
            "is no address",
            "mqtts://",
        ),
        (
            "[events.mqtt]\nurl = \"mqtt://127.0.0.1/a\"",
            2,
            "is no address",
            "nothing behind it",
        ),
        (
            "[events.mqtt]\nurl = \"mqtt://127.0.0.1:0\"",
            2,
            "is no address",
            "",
        ),
        (
            "[events.mqtt]\nurl = \"mqtt://192.0.2.1\"",
            2,
            "in the clear",
            "allow_clear",
        ),
        (
            "[events.nats]\nurl = \"nats://nats.example.org\"",
            2,
            "in the clear",
            "tls://",
        ),
        (
            "[events.mqtt]\nurl = \"mqtts://h\"\nallow_clear = true",
            3,
            "of no use",
            "leave it out",
        ),
        (
            "[events.mqtt]\nurl = \"mqtt://127.0.0.1\"\nca_file = \"none\"",
            3,
            "no TLS",
            "mqtts://",
        ),
        (
            "[events.mqtt]\nurl = \"mqtt://127.0.0.1\"\ntopic = \"a/#\"",
            3,
            "no beginning of a topic",
            "",
        ),
        (
            "[events.mqtt]\nurl = \"mqtt://127.0.0.1\"\ntopic = \"/a\"",
            3,
            "no beginning of a topic",
            "",
        ),
        (
            "[events.nats]\nurl = \"nats://127.0.0.1\"\nsubject = \"a.>\"",
            3,
            "no beginning of a subject",
            "",
        ),
        (
            "[events.mqtt]\nurl = \"mqtt://127.0.0.1\"\ndiscovery_prefix = \"ha\"",
            3,
            "of no use",
            "home_assistant = true",
        ),
        (
            "[events.nats]\nurl = \"nats://127.0.0.1\"\nuser = \"u\"\npassword_file = \"secret\"\ntoken_file = \"secret\"",
            5,
            "one login too many",
            "either a token",
        ),
        (
            "[events.nats]\nurl = \"nats://127.0.0.1\"\ntoken_file = \"empty\"",
            3,
            "is empty",
            "",
        ),
        (
            "[events.mqtt]\nurl = \"mqtt://127.0.0.1\"\npasword = \"x\"",
            3,
            "unknown field",
            "",
        ),
        ("[events.kafka]\nurl = \"x\"", 1, "unknown field", ""),
    ] {
        let problems = load_text(&with(tables)).expect_err(tables).0;
        let first = &problems[0];
        assert_eq!(
            first.at.map(|(line, _)| line),
            Some(line),
            "{tables}: {first}"
        );
        assert!(
            first.what.contains(what) && first.remedy.contains(remedy),
            "{tables}: {first}"
        );
        assert!(!first.to_string().contains("hunter2"), "{first}");
    }
}
