use super::otlp::{Verdict, request, verdict};
use super::row::AT_MOST;
use super::*;
use crate::clock::{Clock, SystemClock, WallTime};
use crate::device_http::{BytesAnswer, HttpError};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

/// Longer than anything may take on a busy machine.
const PATIENCE: u32 = 600;

fn story(what: What) -> Story {
    Story {
        began: WallTime(1_800_000_000_000_000_000),
        took: Duration::from_millis(500),
        what,
    }
}

fn reload() -> Story {
    story(What::Reload {
        outcome: Outcome::Done,
    })
}

fn every_kind() -> Vec<Story> {
    let name = || Name::new("street");
    let connection = |shown_after| What::Connection {
        stream: Name::new("street/sub"),
        connecting: Duration::from_millis(80),
        shown_after,
        end: End::Lost,
    };
    let steering = |handed_on, outcome| What::Steering {
        camera: name(),
        turn: Turn::Go,
        handed_on,
        outcome,
    };
    let parts = FrameParts {
        decode: Duration::from_millis(1),
        hold: Duration::from_millis(90),
        mask: Duration::from_millis(4),
        encode: Duration::from_millis(5),
        evidence: true,
        covered: false,
    };
    let stream = name();
    [
        connection(None),
        connection(Some(Duration::from_millis(300))),
        What::Hidden {
            stream: name(),
            state: "covered",
            reason: "starting",
        },
        What::Frame { stream, parts },
        steering(None, Outcome::Refused),
        steering(Some(Duration::from_millis(2)), Outcome::Done),
        What::Asked {
            task: Task::ProofPack,
            camera: name(),
            outcome: Outcome::Done,
        },
        What::Reload {
            outcome: Outcome::Refused,
        },
        What::Publication {
            camera: name(),
            publication: Name::new("main"),
            end: End::Ended,
        },
    ]
    .map(story)
    .into()
}

fn sent(body: &[u8]) -> Vec<Span> {
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    let scopes = request.resource_spans.into_iter();
    let scopes = scopes.flat_map(|of| of.scope_spans);
    scopes.flat_map(|of| of.spans).collect()
}

#[test]
fn every_kind_is_told_in_as_many_spans_as_are_counted() {
    let mut seen = BTreeSet::new();
    for story in every_kind() {
        let (body, count) = request(std::slice::from_ref(&story), "north");
        let spans = sent(&body);
        assert_eq!(spans.len() as u64, count, "{story:?}");
        assert_eq!(count, story.what.spans(), "{story:?}");
        let (root, parts) = spans.split_first().unwrap();
        assert!(root.parent_span_id.is_empty());
        assert_eq!(
            root.end_time_unix_nano - root.start_time_unix_nano,
            500_000_000
        );
        for span in &spans {
            assert_eq!((span.trace_id.len(), span.span_id.len()), (16, 8));
            assert_eq!(span.trace_id, root.trace_id);
            assert!(seen.insert(span.span_id.clone()), "an id twice");
        }
        for part in parts {
            assert_eq!(part.parent_span_id, root.span_id);
            assert!(part.start_time_unix_nano >= root.start_time_unix_nano);
            assert!(part.start_time_unix_nano <= part.end_time_unix_nano);
            assert!(part.end_time_unix_nano <= root.end_time_unix_nano);
        }
        assert!(seen.insert(root.trace_id.clone()), "a trace twice");
    }
}

#[test]
fn a_name_is_a_name_or_unnamed() {
    for (text, parts) in [
        ("street", ("street", None)),
        ("street-2/sub_1", ("street-2", Some("sub_1"))),
        ("", ("unnamed", None)),
        ("rtsp://10.0.0.9/x", ("unnamed", None)),
        ("10.0.0.9", ("unnamed", None)),
        ("/etc/passwd", ("unnamed", None)),
        ("a/b/c", ("unnamed", None)),
        ("olga@example.org", ("unnamed", None)),
        ("a sentence", ("unnamed", None)),
        ("ä", ("unnamed", None)),
    ] {
        assert_eq!(Name::new(text).parts(), parts, "{text}");
    }
    let long = "a".repeat(65);
    assert_eq!(Name::new(&long).parts(), ("unnamed", None));
}

#[test]
fn an_answer_means_taken_later_or_never() {
    let partial = |rejected_spans| {
        let partial_success = Some(ExportTracePartialSuccess {
            rejected_spans,
            error_message: "hunter2".into(),
        });
        ExportTraceServiceResponse { partial_success }.encode_to_vec()
    };
    let page = || b"<html>hunter2".to_vec();
    for (status, body, expected) in [
        (200, Vec::new(), "Taken { refused: 0 }"),
        (200, partial(2), "Taken { refused: 2 }"),
        (200, partial(-1), "Taken { refused: 0 }"),
        (200, page(), "Refused(\"the answer is not OTLP"),
        (204, Vec::new(), "Refused(\"HTTP 204"),
        (307, page(), "Refused(\"HTTP 307\")"),
        (400, page(), "Refused(\"HTTP 400\")"),
        (401, page(), "Refused(\"HTTP 401\")"),
        (429, page(), "Later(\"HTTP 429\")"),
        (500, page(), "Refused(\"HTTP 500\")"),
        (503, page(), "Later(\"HTTP 503\")"),
    ] {
        let said = format!("{:?}", verdict(Ok(BytesAnswer::of(status, body))));
        assert!(said.starts_with(expected), "{status}: {said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
    let long = HttpError::Refused {
        status: 200,
        detail: "answer larger than 64 KiB".into(),
    };
    assert!(matches!(verdict(Err(long)), Verdict::Refused(_)));
    let long = HttpError::Refused {
        status: 503,
        detail: "answer larger than 64 KiB".into(),
    };
    assert_eq!(verdict(Err(long)), Verdict::Later("HTTP 503".to_owned()));
}

#[test]
fn telling_never_waits_and_what_does_not_fit_is_counted() {
    let counts = Arc::new(Counts::default());
    let row = Row::new(counts.clone());
    let frame = || every_kind().remove(3);
    for _ in 0..AT_MOST {
        row.put(frame());
    }
    assert_eq!(counts.figures().dropped, 0);
    for _ in 0..10 {
        row.put(reload());
    }
    // The oldest went, five spans each.
    assert_eq!(counts.figures().dropped, 50);
    let left = row.take(2 * AT_MOST);
    assert_eq!(left.len(), AT_MOST);
    assert!(left[AT_MOST - 10..].iter().all(|s| *s == reload()));
}

/// What a collector does with the nth request.
type Manners = fn(usize, &mut TcpStream) -> std::io::Result<()>;

/// A collector with bad manners on 127.0.0.1; it ends with the test's process.
fn collector(manners: Manners) -> Collector {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for (n, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).unwrap() > 0 {}
            let head = head.to_lowercase();
            let length = head.split("content-length: ").nth(1).unwrap();
            let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
            reader.read_exact(&mut vec![0; length]).unwrap();
            assert!(head.starts_with("post /v1/traces http/1.1"), "{head}");
            assert!(head.contains("authorization: bearer hunter2"), "{head}");
            let _ = manners(n, &mut stream);
        }
    });
    Collector {
        endpoint: format!("http://127.0.0.1:{port}/v1/traces"),
        ca_pem: None,
        headers: vec![("authorization".into(), Secret::new("Bearer hunter2"))],
        instance: None,
    }
}

fn until(traces: &Traces, is: impl Fn(TraceFigures) -> bool) -> TraceFigures {
    for _ in 0..PATIENCE {
        let figures = traces.counts.figures();
        if is(figures) {
            return figures;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("it never came to that: {:?}", traces.counts.figures());
}

fn answer(stream: &mut TcpStream, status: &str, body: &str) -> std::io::Result<()> {
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

#[test]
fn what_a_collector_does_not_take_now_is_sent_again() {
    let at = collector(|n, stream| match n {
        0 => answer(stream, "503 Later", "later"),
        // Gone in the middle of it.
        1 => Ok(()),
        _ => answer(stream, "200 OK", ""),
    });
    let traces = Traces::default();
    assert!(traces.is_idle() && traces.figures().is_none());
    traces.tell(reload());
    traces.set(Some(&at)).unwrap();
    traces.tell(reload());
    traces.tell(every_kind().remove(3));
    let figures = until(&traces, |f| f.taken > 0);
    assert_eq!((figures.taken, figures.failures), (6, 2));
    assert_eq!((figures.dropped, figures.refused), (0, 0));
    // What waits at the end is told on the way out.
    traces.tell(reload());
    traces.stop();
    assert!(traces.is_idle() && traces.figures().is_none());
    until(&traces, |f| f.taken == 7);
}

#[test]
fn bad_answers_are_refusals_and_bounded() {
    let manners: [Manners; 3] = [
        |_, stream| answer(stream, "500 No", "rtsp://u:p@h"),
        |_, stream| answer(stream, "200 OK", "<html>log in first</html>"),
        |_, stream| {
            stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
            loop {
                stream.write_all(b"400\r\n")?;
                stream.write_all(&[b'a'; 0x400])?;
                stream.write_all(b"\r\n")?;
            }
        },
    ];
    let all: Vec<Traces> = manners
        .into_iter()
        .map(|manners| {
            let traces = Traces::default();
            traces.set(Some(&collector(manners))).unwrap();
            traces.tell(every_kind().remove(3));
            traces
        })
        .collect();
    for traces in all {
        let figures = until(&traces, |f| f.failures > 0);
        assert_eq!((figures.refused, figures.taken), (5, 0));
    }
}

#[test]
fn a_collector_that_never_answers_costs_its_own_traces() {
    let at = collector(|_, stream| {
        let mut rest = Vec::new();
        // Until we go.
        stream.read_to_end(&mut rest).map(drop)
    });
    let traces = Traces::default();
    traces.set(Some(&at)).unwrap();
    let all = 50 * AT_MOST;
    let clock = SystemClock::new();
    let mut took: Vec<Duration> = (0..all)
        .map(|_| {
            let story = reload();
            let began = clock.mono();
            traces.tell(story);
            clock.mono().since(began)
        })
        .collect();
    took.sort();
    let (median, most) = (took[all / 2], took[all - 1]);
    println!(
        "telling of {all}: {median:?} each, {:?} of 99 %, {most:?} at most",
        took[all * 99 / 100]
    );
    assert!(traces.figures().unwrap().dropped > 0);
    traces.stop();
    // Nothing was taken, nothing is lost without being counted.
    let figures = until(&traces, |f| f.dropped >= all as u64);
    assert_eq!((figures.taken, figures.dropped), (0, all as u64));
}

#[test]
fn a_drawn_name_is_a_random_uuid() {
    assert_eq!(drawn(0), "00000000-0000-4000-8000-000000000000");
    assert_eq!(drawn(u128::MAX), "ffffffff-ffff-4fff-bfff-ffffffffffff");
}
