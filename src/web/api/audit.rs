//! The audit log: searching it, and all of it.

use super::{LoggedIn, Shared};
use crate::audit::{self, Audit, Filter, Outcome, Record};
use crate::users::Role;
use crate::web::error::{ApiError, ErrorBody};
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::Stream;
use serde::{Deserialize, Serialize};
use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use utoipa::ToSchema;

/// Roles that read the audit log.
const READERS: &[Role] = &[Role::Officer, Role::Admin];
const USUAL: usize = 100;
const AT_MOST: usize = 500;
/// An export is read in pieces of this size, bytes…
const PIECE: usize = 64 << 10;
/// …of which so many wait for a slow browser.
const PIECES: usize = 4;

/// Which records; what is left out matches all.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Question {
    /// Only those before this one: the last answer's `next_before_seq`.
    before_seq: Option<u64>,
    /// How many, 1 to 500; else 100.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
    /// Who, exactly.
    actor: Option<String>,
    /// What, exactly: `log-in`.
    action: Option<String>,
    /// To what; a part of it is enough: `market`.
    object: Option<String>,
    /// `done`, `refused` or `failed`.
    #[param(value_type = Option<String>)]
    result: Option<Outcome>,
    /// Not before this time (RFC 3339).
    from: Option<String>,
    /// Before this time (RFC 3339).
    to: Option<String>,
}

/// Records, and whether the log can be trusted.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Page {
    /// The newest first.
    records: Vec<AuditRecord>,
    /// Where to go on; none at the beginning of the log. There may be more even
    /// where fewer than `limit` came: a long log is read in parts.
    #[schema(required)]
    next_before_seq: Option<u64>,
    /// What the last look at the whole log found: after the start and once a day.
    verified: Verified,
}

/// One record.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AuditRecord {
    /// Its place in the log.
    seq: u64,
    /// When, UTC (RFC 3339).
    time: String,
    /// Who.
    actor: String,
    /// From where: an address, or `gateway`.
    origin: String,
    /// What was done.
    action: String,
    /// To what.
    object: String,
    /// `done`, `refused` or `failed`.
    result: &'static str,
    /// More about it.
    #[schema(value_type = Object)]
    detail: serde_json::Map<String, serde_json::Value>,
}

impl From<Record> for AuditRecord {
    fn from(record: Record) -> Self {
        Self {
            seq: record.seq,
            time: record.time,
            actor: record.actor,
            origin: record.origin,
            action: record.action,
            object: record.object,
            result: record.result.name(),
            detail: record.detail,
        }
    }
}

/// Whether the log is what was written.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Verified {
    /// When that was looked at; none = not yet.
    #[schema(required)]
    at: Option<String>,
    /// `whole`, `broken` or `unknown`.
    state: &'static str,
    /// Records that are what was written.
    records: u64,
    /// The last of them, `SEQ:HASH`: to be noted elsewhere.
    #[schema(required)]
    checkpoint: Option<String>,
    /// Whose signatures they bear: the gateway's public key.
    #[schema(required)]
    key: Option<String>,
    /// What is wrong.
    faults: Vec<String>,
}

impl Verified {
    fn of(audit: &Audit) -> Self {
        let Some(checked) = audit.checked() else {
            return Self {
                at: None,
                state: "unknown",
                records: 0,
                checkpoint: None,
                key: None,
                faults: Vec::new(),
            };
        };
        let (report, mut faults) = match checked.found {
            Ok(report) => (report, Vec::new()),
            Err(error) => (audit::Report::default(), vec![error]),
        };
        faults.extend(report.faults.iter().map(ToString::to_string));
        Self {
            at: Some(checked.at),
            state: if faults.is_empty() { "whole" } else { "broken" },
            records: report.records,
            checkpoint: report.last.map(|last| last.to_string()),
            key: report.key.map(|key| key.to_string()),
            faults,
        }
    }
}

/// A time as records write it.
fn instant(text: Option<String>) -> Result<Option<String>, ApiError> {
    let wrong = || {
        let what = "`from` and `to` are times like 2026-11-22T09:30:00Z";
        ApiError::new(StatusCode::BAD_REQUEST, what)
    };
    text.map(|text| audit::instant(&text).ok_or_else(wrong))
        .transpose()
}

/// Records of the audit log, the newest first.
#[utoipa::path(
    get, path = "/api/v1/audit", operation_id = "audit", params(Question),
    security(("session" = ["officer", "admin"])),
    responses(
        (status = 200, body = Page, description = "what matches"),
        (status = 400, body = ErrorBody, description = "no such question"),
        (status = 401, body = ErrorBody, description = "nobody is logged in"),
        (status = 403, body = ErrorBody, description = "not for this role"),
    )
)]
pub(super) async fn search(
    person: LoggedIn,
    State(shared): State<Shared>,
    asked: Result<Query<Question>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Page>, ApiError> {
    person.with(READERS)?;
    let Query(asked) =
        asked.map_err(|error| ApiError::new(StatusCode::BAD_REQUEST, error.body_text()))?;
    let limit = asked.limit.unwrap_or(USUAL).clamp(1, AT_MOST);
    let filter = Filter {
        before_seq: asked.before_seq,
        actor: asked.actor,
        action: asked.action,
        object: asked.object,
        result: asked.result,
        from: instant(asked.from)?,
        to: instant(asked.to)?,
    };
    // One at a time: each reads the disk and takes a core that pictures need.
    let _turn = shared.searches.acquire().await;
    let folder = shared.audit.folder().to_owned();
    let found = tokio::task::spawn_blocking(move || audit::search(&folder, &filter, limit));
    let found = match found.await {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => {
            tracing::error!(%error, "the audit log cannot be read");
            return Err(ApiError::internal());
        }
        Err(_) => return Err(ApiError::internal()),
    };
    Ok(Json(Page {
        records: found.records.into_iter().map(AuditRecord::from).collect(),
        next_before_seq: found.next_before_seq,
        verified: Verified::of(&shared.audit),
    }))
}

/// All of the audit log as it lies on disk: JSON, one record a line.
#[utoipa::path(
    get, path = "/api/v1/audit/export", operation_id = "export_audit",
    security(("session" = ["officer", "admin"])),
    responses(
        (status = 200, content_type = "application/x-ndjson", body = String,
         description = "the lines, with their signatures; ends with the record of this export"),
        (status = 401, body = ErrorBody, description = "nobody is logged in"),
        (status = 403, body = ErrorBody, description = "not for this role"),
        (status = 503, body = ErrorBody, description = "the export cannot be recorded"),
    )
)]
pub(super) async fn export(
    person: LoggedIn,
    State(shared): State<Shared>,
) -> Result<Response, ApiError> {
    let person = person.with(READERS)?;
    person
        .record(person.entry("audit-export", "audit log"))
        .await?;
    let folder = shared.audit.folder().to_owned();
    let (pieces, receiver) = channel(PIECES);
    tokio::task::spawn_blocking(move || {
        let sent = audit::export(&folder).and_then(|export| send(export, &pieces));
        if let Err(error) = sent {
            tracing::error!(%error, "the export of the audit log is not whole");
            let _ = pieces.blocking_send(Err(error));
        }
    });
    let head = [
        (CONTENT_TYPE, "application/x-ndjson"),
        (
            CONTENT_DISPOSITION,
            "attachment; filename=\"greyplane-audit.jsonl\"",
        ),
    ];
    Ok((head, Body::from_stream(Pieces(receiver))).into_response())
}

type Piece = io::Result<Bytes>;

/// Reads to the end, or until nobody listens any more.
fn send(mut export: audit::Export, pieces: &Sender<Piece>) -> io::Result<()> {
    loop {
        let mut piece = vec![0; PIECE];
        let length = export.read(&mut piece)?;
        piece.truncate(length);
        if length == 0 || pieces.blocking_send(Ok(piece.into())).is_err() {
            return Ok(());
        }
    }
}

struct Pieces(Receiver<Piece>);

impl Stream for Pieces {
    type Item = Piece;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Piece>> {
        self.0.poll_recv(context)
    }
}
