use super::*;

#[test]
fn a_collector_is_read_whole_or_refused() {
    let with = |table: &str| format!("{table}\n{MINIMAL}");
    assert_eq!(load_text(MINIMAL).unwrap().traces, None);
    let config = load_text(&with(
        "[traces]\nendpoint = \"https://otel.example.org:4318/v1/traces\"\nheaders_file = \"headers\"\n\
         instance = \"north.1\"\nframe_every_s = 0",
    ))
    .unwrap_or_else(|p| panic!("{p}"));
    let traces = config.traces.unwrap();
    assert_eq!(traces.endpoint, "https://otel.example.org:4318/v1/traces");
    let headers = traces.headers.iter();
    let headers: Vec<_> = headers.map(|(n, v)| (n.as_str(), v.reveal())).collect();
    assert_eq!(
        headers,
        [("authorization", "Bearer hunter2"), ("x-tenant", "a b")]
    );
    assert_eq!(traces.instance.as_deref(), Some("north.1"));
    assert_eq!(traces.frame_every, None);
    let here = "[traces]\nendpoint = \"http://[::1]:4318/v1/traces\"";
    let here = load_text(&with(here)).unwrap().traces.unwrap();
    assert_eq!(here.frame_every, Some(Duration::from_secs(10)));
    assert!(!here.beyond_in_clear && here.headers.is_empty());
    let clear = "[traces]\nendpoint = \"http://192.0.2.1/v1/traces\"\nallow_clear = true";
    assert!(
        load_text(&with(clear))
            .unwrap()
            .traces
            .unwrap()
            .beyond_in_clear
    );
    for (keys, line, what, remedy) in [
        ("", 1, "missing field `endpoint`", ""),
        (
            "endpoint = \"https://u:hunter2@h/v1/traces\"",
            2,
            "carries credentials",
            "",
        ),
        (
            "endpoint = \"https://h/v1/traces?key=hunter2\"",
            2,
            "more in it than a path",
            "headers_file",
        ),
        (
            "endpoint = \"grpc://h:4317\"",
            2,
            "is no address",
            "https://",
        ),
        (
            "endpoint = \"https://h:4318\"",
            2,
            "no address of a collector",
            "/v1/traces",
        ),
        (
            "endpoint = \"https://999.1.1.1/v1/traces\"",
            2,
            "no address of a collector",
            "",
        ),
        (
            "endpoint = \"https://h:0/v1/traces\"",
            2,
            "no address of a collector",
            "",
        ),
        (
            "endpoint = \"http://192.0.2.1/v1/traces\"",
            2,
            "in the clear",
            "allow_clear",
        ),
        (
            "endpoint = \"https://h/v1/traces\"\nallow_clear = true",
            3,
            "of no use",
            "leave it out",
        ),
        (
            "endpoint = \"http://127.0.0.1/v1/traces\"\nca_file = \"secret\"",
            3,
            "no TLS",
            "https://",
        ),
        (
            "endpoint = \"https://h/v1/traces\"\nheaders_file = \"secret\"",
            3,
            "holds a line that is no header",
            "Authorization",
        ),
        (
            "endpoint = \"https://h/v1/traces\"\nheaders_file = \"empty\"",
            3,
            "is empty",
            "",
        ),
        (
            "endpoint = \"https://h/v1/traces\"\nheaders_file = \"own\"",
            3,
            "holds `content-type`",
            "leave that line out",
        ),
        (
            "endpoint = \"https://h/v1/traces\"\ninstance = \"a b\"",
            3,
            "no name for a gateway",
            "",
        ),
        (
            "endpoint = \"https://h/v1/traces\"\nframe_every_s = 3601",
            3,
            "out of range",
            "0 to 3600",
        ),
        (
            "endpoint = \"https://h/v1/traces\"\nsampling = 1",
            3,
            "unknown field",
            "",
        ),
    ] {
        let table = format!("[traces]\n{keys}");
        let problems = load_text(&with(&table)).expect_err(&table).0;
        let first = &problems[0];
        assert_eq!(
            first.at.map(|(line, _)| line),
            Some(line),
            "{table}: {first}"
        );
        assert!(
            first.what.contains(what) && first.remedy.contains(remedy),
            "{table}: {first}"
        );
        assert!(!first.to_string().contains("hunter2"), "{first}");
    }
}
