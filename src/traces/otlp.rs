//! Stories as OTLP's messages, and what an answer means.
//!
//! <https://opentelemetry.io/docs/specs/otlp/#otlphttp>. The messages are the project's own,
//! `opentelemetry-proto`.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message;

use super::story::{End, FrameParts, Name, Outcome, Story, Task, Turn, What};
use crate::device_http::{BytesAnswer, HttpError, words};

/// W3C's "sampled", and that the parent is known to be ours (`SpanFlags`).
const FLAGS: u32 = 0x101;

/// A request that tells `stories`, and how many spans are in it.
pub(super) fn request(stories: &[Story], instance: &str) -> (Vec<u8>, u64) {
    let spans: Vec<Span> = stories.iter().flat_map(spans).collect();
    let count = spans.len() as u64;
    let (name, version) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    let resource = Resource {
        attributes: vec![
            text("service.name", name),
            text("service.version", version),
            text("service.instance.id", instance),
        ],
        ..Resource::default()
    };
    let scope = InstrumentationScope {
        name: name.to_owned(),
        version: version.to_owned(),
        ..InstrumentationScope::default()
    };
    let request = ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(resource),
            scope_spans: vec![ScopeSpans {
                scope: Some(scope),
                spans,
                schema_url: String::new(),
            }],
            schema_url: String::new(),
        }],
    };
    (request.encode_to_vec(), count)
}

/// What an answer says of the spans it was sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Taken, but for so many.
    Taken {
        /// Those that the collector did not want.
        refused: u64,
    },
    /// Not now: the same may be sent again. Why.
    Later(String),
    /// Not at all. Why.
    Refused(String),
}

pub(super) fn verdict(answer: Result<BytesAnswer, HttpError>) -> Verdict {
    let answer = match answer {
        Ok(answer) => answer,
        Err(HttpError::Unheard(error)) => return Verdict::Later(unheard(&error).to_owned()),
        // It may have taken them: sent again they might be there twice.
        Err(HttpError::Refused { status: 200, .. }) => {
            return Verdict::Refused("an answer that is too long: is this a collector?".to_owned());
        }
        Err(HttpError::Refused { status, .. }) => return not_ok(status),
    };
    match answer.status {
        200 => match ExportTraceServiceResponse::decode(answer.body.as_slice()) {
            Ok(taken) => {
                let partial = taken.partial_success.unwrap_or_default();
                let refused = u64::try_from(partial.rejected_spans).unwrap_or(0);
                Verdict::Taken { refused }
            }
            Err(_) => Verdict::Refused(
                "the answer is not OTLP: is this a collector, and its path for traces?".to_owned(),
            ),
        },
        status => not_ok(status),
    }
}

fn not_ok(status: u16) -> Verdict {
    match status {
        429 | 502..=504 => Verdict::Later(format!("HTTP {status}")),
        // Not followed and not quoted: nothing of an answer is for our log.
        _ => Verdict::Refused(format!("HTTP {status}")),
    }
}

/// In words of ours: TLS's own repeat the names in the certificate of whoever answers.
fn unheard(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "no answer in time"
    } else if words(error).contains("certificate") {
        "its certificate is not trusted: for another name, expired, or of a CA that `ca_file` should name"
    } else if error.is_connect() {
        "it cannot be connected to"
    } else {
        "the connection broke off"
    }
}

/// A story's spans, the whole of it first.
fn spans(story: &Story) -> Vec<Span> {
    let trace = rand::random::<u128>().max(1).to_be_bytes().to_vec();
    let root = rand::random::<u64>().max(1).to_be_bytes().to_vec();
    let began = u64::try_from(story.began.0).unwrap_or(0);
    let at =
        |after: Duration| began.saturating_add(u64::try_from(after.as_nanos()).unwrap_or(u64::MAX));
    let told = told(&story.what);
    let whole = Span {
        trace_id: trace.clone(),
        span_id: root.clone(),
        flags: FLAGS,
        name: told.name.to_owned(),
        kind: told.kind.into(),
        start_time_unix_nano: began,
        end_time_unix_nano: at(story.took),
        attributes: told.attributes,
        status: told.error.then(|| Status {
            code: StatusCode::Error.into(),
            message: String::new(),
        }),
        ..Span::default()
    };
    let part = |part: Part| Span {
        trace_id: trace.clone(),
        span_id: rand::random::<u64>().max(1).to_be_bytes().to_vec(),
        parent_span_id: root.clone(),
        flags: FLAGS,
        name: part.name.to_owned(),
        kind: part.kind.into(),
        start_time_unix_nano: at(part.from),
        end_time_unix_nano: at(part.to),
        ..Span::default()
    };
    let parts = parts(story).into_iter().map(part);
    std::iter::once(whole).chain(parts).collect()
}

/// What is said of a story as a whole.
struct Told {
    name: &'static str,
    kind: SpanKind,
    attributes: Vec<KeyValue>,
    error: bool,
}

fn told(what: &What) -> Told {
    let mut kind = SpanKind::Internal;
    let mut attributes = Vec::new();
    // The code of what went wrong, where something did.
    let mut error = None;
    let name = match what {
        What::Connection { stream, end, .. } => {
            attributes.extend(of(stream));
            error = (*end == End::Lost).then_some("lost");
            attributes.push(text("greyplane.end", end_name(*end)));
            "camera.connection"
        }
        What::Hidden {
            stream,
            state,
            reason,
        } => {
            attributes.extend(of(stream));
            attributes.push(text("greyplane.state", state));
            attributes.push(text("greyplane.reason", reason));
            "picture.hidden"
        }
        What::Frame { stream, parts } => {
            attributes.extend(of(stream));
            let yes = |key: &str, is: bool| attribute(key, Value::BoolValue(is));
            attributes.push(yes("greyplane.frame.evidence", parts.evidence));
            attributes.push(yes("greyplane.frame.covered", parts.covered));
            "frame"
        }
        What::Steering {
            camera,
            turn,
            outcome,
            ..
        } => {
            kind = SpanKind::Server;
            attributes.extend(of(camera));
            attributes.push(text("greyplane.steering.wish", turn_name(*turn)));
            error = not_done(*outcome);
            "steering"
        }
        What::Asked {
            task,
            camera,
            outcome,
        } => {
            attributes.extend(of(camera));
            error = not_done(*outcome);
            match task {
                Task::ClearStill => "still.clear",
                Task::PresetVerification => "preset.verify",
                Task::ProofPack => "proof.make",
            }
        }
        What::Reload { outcome } => {
            error = not_done(*outcome);
            "reload"
        }
        What::Publication {
            camera,
            publication,
            end,
        } => {
            kind = SpanKind::Client;
            attributes.extend(of(camera));
            let (name, _) = publication.parts();
            attributes.push(text("greyplane.publication.name", name));
            attributes.push(text("greyplane.end", end_name(*end)));
            error = (*end == End::Lost).then_some("lost");
            "publication"
        }
    };
    attributes.extend(error.map(|code| text("error.type", code)));
    Told {
        name,
        kind,
        attributes,
        error: error.is_some(),
    }
}

/// A part of a story.
struct Part {
    name: &'static str,
    kind: SpanKind,
    from: Duration,
    to: Duration,
}

fn parts(story: &Story) -> Vec<Part> {
    let part = |name, from, to| Part {
        name,
        kind: SpanKind::Internal,
        from,
        to,
    };
    match &story.what {
        What::Connection {
            connecting,
            shown_after,
            ..
        } => {
            let connect = Part {
                kind: SpanKind::Client,
                ..part("camera.connect", Duration::ZERO, *connecting)
            };
            let shown = shown_after.map(|after| part("picture.first", *connecting, after));
            std::iter::once(connect).chain(shown).collect()
        }
        What::Frame { parts, .. } => {
            let FrameParts {
                decode,
                hold,
                mask,
                encode,
                ..
            } = *parts;
            let mut from = Duration::ZERO;
            let all = [
                ("frame.decode", decode),
                ("frame.hold", hold),
                ("frame.mask", mask),
                ("frame.encode", encode),
            ];
            let one = |(name, took): (&'static str, Duration)| {
                let began = from;
                from += took;
                part(name, began, from)
            };
            all.map(one).into()
        }
        What::Steering { handed_on, .. } => {
            let camera = handed_on.map(|from| Part {
                kind: SpanKind::Client,
                ..part("steering.camera", from, story.took)
            });
            camera.into_iter().collect()
        }
        What::Hidden { .. }
        | What::Asked { .. }
        | What::Reload { .. }
        | What::Publication { .. } => Vec::new(),
    }
}

/// Whose picture it is.
fn of(stream: &Name) -> Vec<KeyValue> {
    let (camera, further) = stream.parts();
    let camera = text("greyplane.camera.id", camera);
    let further = further.map(|name| text("greyplane.stream.name", name));
    std::iter::once(camera).chain(further).collect()
}

fn not_done(outcome: Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::Done => None,
        Outcome::Refused => Some("refused"),
        Outcome::Failed => Some("failed"),
    }
}

fn end_name(end: End) -> &'static str {
    match end {
        End::Lost => "lost",
        End::Ended => "ended",
    }
}

fn turn_name(turn: Turn) -> &'static str {
    match turn {
        Turn::Turn => "turn",
        Turn::Stop => "stop",
        Turn::Go => "go",
        Turn::Look => "look",
        Turn::Home => "home",
        Turn::Preset => "preset",
    }
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Value::StringValue(value.to_owned()))
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}
