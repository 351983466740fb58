//! What the audit log says about a camera in a period: how long its picture was
//! shown, how long covered and why, and for how long nobody knows.

use super::span::{Span, instant, seconds};
use crate::audit::{Outcome, Record};
use crate::clock::WallTime;
use std::collections::BTreeMap;

/// Losses that are listed; the longest are kept.
const LISTED: usize = 40;

/// Why no state is known for a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unknown {
    /// The log had not begun.
    BeforeTheLog,
    /// The gateway was stopped.
    Stopped,
    /// The gateway began anew without having said that it ended.
    Broken,
    /// The camera was taken out of the configuration, or could not be started.
    NotConfigured,
    /// After the last record, where nobody says that the gateway still runs.
    AfterTheLog,
}

/// What the picture was.
#[derive(Clone, Debug, PartialEq)]
enum Now {
    Unknown(Unknown),
    Shown,
    Hidden { code: String, reason: String },
}

/// A time without a picture.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Loss {
    pub(super) from: WallTime,
    pub(super) to: WallTime,
    /// A reason's code.
    pub(super) code: String,
    /// As it was told then.
    pub(super) reason: String,
}

/// The seconds of a period.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tally {
    pub(super) shown_s: f64,
    /// By the reason's code.
    pub(super) covered_s: BTreeMap<String, f64>,
    pub(super) unknown_s: BTreeMap<Unknown, f64>,
    /// The longest, in order of time.
    pub(super) losses: Vec<Loss>,
    pub(super) all_losses: u64,
    /// Painted pictures that did not read back as hidden (they were covered).
    pub(super) read_back_failures: u64,
    /// Clear stills that somebody fetched for setting up.
    pub(super) clear_stills: u64,
    /// Records that the log says were lost.
    pub(super) lost_records: u64,
    /// The first and the last record of the period, and how many lie between.
    pub(super) first_seq: Option<u64>,
    pub(super) last_seq: Option<u64>,
    pub(super) records: u64,
}

/// Reads records in order.
pub(super) struct Clerk<'a> {
    camera: &'a str,
    object: String,
    span: Span,
    now: Now,
    since: WallTime,
    last: WallTime,
    tally: Tally,
}

impl<'a> Clerk<'a> {
    pub(super) fn new(camera: &'a str, span: Span) -> Self {
        Self {
            camera,
            object: format!("camera {camera}"),
            span,
            now: Now::Unknown(Unknown::BeforeTheLog),
            since: WallTime(i64::MIN),
            last: WallTime(i64::MIN),
            tally: Tally::default(),
        }
    }

    pub(super) fn read(&mut self, record: &Record) {
        let Some(at) = instant(&record.time) else {
            return;
        };
        // A clock that was set back makes no time twice.
        let at = at.max(self.last);
        if (self.span.from..self.span.to).contains(&at) {
            self.tally.first_seq.get_or_insert(record.seq);
            self.tally.last_seq = Some(record.seq);
            self.tally.records += 1;
            self.count(record);
        }
        match record.action.as_str() {
            "start" if record.object == "gateway" => {
                if !matches!(self.now, Now::Unknown(_)) {
                    self.turn(self.last, Now::Unknown(Unknown::Broken));
                }
                self.turn(at, hidden("starting", "starting"));
            }
            "stop" if record.object == "gateway" => {
                self.turn(at, Now::Unknown(Unknown::Stopped));
            }
            "state-changed" if record.object == self.object => self.change(at, record),
            "reload" if record.result == Outcome::Done => {
                let changes = text(record, "changes");
                let says = |what: &str| {
                    let wanted = format!("{} {what}", self.camera);
                    changes.split(", ").any(|change| change == wanted)
                };
                if says("removed") || says("failed") {
                    self.turn(at, Now::Unknown(Unknown::NotConfigured));
                } else if says("added") || says("restarted") {
                    self.turn(at, hidden("starting", "starting"));
                }
            }
            _ => {}
        }
        self.last = at;
    }

    fn count(&mut self, record: &Record) {
        if record.action == "read-back" && record.object == self.object {
            self.tally.read_back_failures += 1;
        }
        let own = record.object == self.object && record.result == Outcome::Done;
        self.tally.clear_stills += u64::from(own && record.action == "clear-still");
        if record.action == "records-lost" {
            let lost = record.detail.get("count").and_then(|v| v.as_u64());
            self.tally.lost_records += lost.unwrap_or(1);
        }
    }

    fn change(&mut self, at: WallTime, record: &Record) {
        let now = match text(record, "state") {
            "live" | "widened" => Now::Shown,
            _ => hidden(
                record
                    .detail
                    .get("code")
                    .and_then(|v| v.as_str())
                    .unwrap_or("internal"),
                text(record, "reason"),
            ),
        };
        self.turn(at, now);
    }

    /// From `at` on it is `now`.
    fn turn(&mut self, at: WallTime, now: Now) {
        let (from, to) = (self.since.max(self.span.from), at.min(self.span.to));
        let passed_s = seconds(from, to);
        if passed_s > 0.0 {
            match &self.now {
                Now::Unknown(why) => *self.tally.unknown_s.entry(*why).or_default() += passed_s,
                Now::Shown => self.tally.shown_s += passed_s,
                Now::Hidden { code, reason } => {
                    *self.tally.covered_s.entry(code.clone()).or_default() += passed_s;
                    self.tally.all_losses += 1;
                    self.tally.losses.push(Loss {
                        from,
                        to,
                        code: code.clone(),
                        reason: reason.clone(),
                    });
                    keep_longest(&mut self.tally.losses);
                }
            }
        }
        self.now = now;
        self.since = at;
    }

    /// The period's figures. `runs` says that the gateway still runs, so that what
    /// was last recorded still holds.
    pub(super) fn end(mut self, runs: bool) -> Tally {
        let known = matches!(self.now, Now::Shown | Now::Hidden { .. });
        if known && !runs {
            self.turn(self.last, Now::Unknown(Unknown::AfterTheLog));
        }
        self.turn(self.span.to, Now::Unknown(Unknown::AfterTheLog));
        self.tally
    }
}

fn hidden(code: &str, reason: &str) -> Now {
    Now::Hidden {
        code: code.to_owned(),
        reason: reason.to_owned(),
    }
}

fn text<'r>(record: &'r Record, name: &str) -> &'r str {
    record
        .detail
        .get(name)
        .and_then(|v| v.as_str())
        .unwrap_or("")
}

/// Leaves out the shortest where there are too many.
fn keep_longest(losses: &mut Vec<Loss>) {
    if losses.len() <= LISTED {
        return;
    }
    let length = |loss: &Loss| loss.to.0.saturating_sub(loss.from.0);
    let shortest = (0..losses.len()).min_by_key(|i| length(&losses[*i]));
    if let Some(shortest) = shortest {
        losses.remove(shortest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn record(
        seq: u64,
        time: &str,
        action: &str,
        object: &str,
        detail: serde_json::Value,
    ) -> Record {
        let line = json!({
            "format": 1, "seq": seq, "time": format!("2026-11-{time}Z"), "actor": "greyplane",
            "origin": "gateway", "action": action, "object": object, "result": "done",
            "detail": detail, "prev": "", "sig": "",
        });
        serde_json::from_value(line).unwrap()
    }

    fn state(seq: u64, time: &str, state: &str, code: &str) -> Record {
        let detail = match code {
            "" => json!({"state": state}),
            _ => json!({"state": state, "code": code, "reason": code}),
        };
        record(seq, time, "state-changed", "camera market", detail)
    }

    fn tally(records: &[Record], runs: bool) -> Tally {
        let at = |text| instant(text).unwrap();
        let span = Span {
            from: at("2026-11-02T00:00:00Z"),
            to: at("2026-11-03T00:00:00Z"),
        };
        let mut clerk = Clerk::new("market", span);
        for record in records {
            clerk.read(record);
        }
        let tally = clerk.end(runs);
        let all = tally.shown_s
            + tally.covered_s.values().sum::<f64>()
            + tally.unknown_s.values().sum::<f64>();
        assert!((all - 86_400.0).abs() < 1e-6, "{all} s are not a day");
        tally
    }

    #[test]
    fn every_second_of_a_period_is_told_once() {
        let start = |seq, time| record(seq, time, "start", "gateway", json!({}));
        let stop = |seq, time| record(seq, time, "stop", "gateway", json!({}));
        let reload = |seq, time, what| {
            record(
                seq,
                time,
                "reload",
                "configuration",
                json!({"changes": what}),
            )
        };
        let h = 3600.0;
        type Case<'a> = (&'a str, Vec<Record>, bool, f64, f64, &'a [(Unknown, f64)]);
        let cases: Vec<Case<'_>> = vec![
            (
                "no log",
                vec![],
                true,
                0.0,
                0.0,
                &[(Unknown::BeforeTheLog, 24.0)],
            ),
            (
                "live since yesterday, and it runs",
                vec![start(1, "01T10:00:00"), state(2, "01T10:00:01", "live", "")],
                true,
                24.0,
                0.0,
                &[],
            ),
            (
                "the same, but nobody knows whether it runs",
                vec![
                    start(1, "01T10:00:00"),
                    state(2, "01T10:00:01", "live", ""),
                    record(3, "02T06:00:00", "log-in", "session", json!({})),
                ],
                false,
                6.0,
                0.0,
                &[(Unknown::AfterTheLog, 18.0)],
            ),
            (
                "covered, stopped, started, widened",
                vec![
                    start(1, "01T10:00:00"),
                    state(2, "01T10:00:01", "live", ""),
                    state(3, "02T01:00:00", "covered", "telemetry-stale"),
                    state(4, "02T03:00:00", "live", ""),
                    stop(5, "02T04:00:00"),
                    start(6, "02T10:00:00"),
                    state(7, "02T11:00:00", "widened", ""),
                    state(8, "03T11:00:00", "no-signal", "no-signal"),
                ],
                true,
                15.0,
                3.0,
                &[(Unknown::Stopped, 6.0)],
            ),
            (
                "it broke off: nothing is known from its last record on",
                vec![
                    state(2, "01T10:00:01", "live", ""),
                    record(3, "02T01:00:00", "viewer-joined", "camera other", json!({})),
                    start(4, "02T03:00:00"),
                    state(5, "02T03:00:00", "live", ""),
                ],
                true,
                22.0,
                0.0,
                &[(Unknown::Broken, 2.0)],
            ),
            (
                "another camera's states are not this one's",
                vec![
                    state(1, "01T10:00:01", "live", ""),
                    record(
                        2,
                        "02T01:00:00",
                        "state-changed",
                        "camera market2",
                        json!({"state": "covered"}),
                    ),
                    reload(3, "02T02:00:00", "market2 removed"),
                ],
                true,
                24.0,
                0.0,
                &[],
            ),
            (
                "taken out and put back",
                vec![
                    state(1, "01T10:00:01", "live", ""),
                    reload(2, "02T02:00:00", "viewers' accounts, market removed"),
                    reload(3, "02T05:00:00", "market added"),
                    state(4, "02T06:00:00", "live", ""),
                ],
                true,
                20.0,
                1.0,
                &[(Unknown::NotConfigured, 3.0)],
            ),
            (
                "a clock that was set back",
                vec![
                    state(1, "02T12:00:00", "live", ""),
                    state(2, "02T11:00:00", "covered", "starting"),
                ],
                true,
                0.0,
                12.0,
                &[(Unknown::BeforeTheLog, 12.0)],
            ),
        ];
        for (what, records, runs, shown, covered, unknown) in cases {
            let tally = tally(&records, runs);
            assert_eq!(tally.shown_s, shown * h, "{what}");
            assert_eq!(tally.covered_s.values().sum::<f64>(), covered * h, "{what}");
            let wanted: BTreeMap<_, _> = unknown.iter().map(|(k, v)| (*k, v * h)).collect();
            assert_eq!(tally.unknown_s, wanted, "{what}");
        }
    }

    #[test]
    fn the_longest_losses_are_listed_and_all_are_counted() {
        let mut records = Vec::new();
        for i in 0..60_u64 {
            let minute = format!("02T{:02}:{:02}:", i / 6, i % 6 * 10);
            records.push(state(
                2 * i + 1,
                &format!("{minute}00"),
                "covered",
                "no-position",
            ));
            let until = format!("{minute}{:02}", if i == 30 { 59 } else { 1 + i % 50 });
            records.push(state(2 * i + 2, &until, "live", ""));
        }
        let tally = tally(&records, true);
        assert_eq!((tally.all_losses, tally.losses.len()), (60, LISTED));
        assert!(tally.losses.iter().any(|l| seconds(l.from, l.to) == 59.0));
        assert!(tally.losses.is_sorted_by_key(|l| l.from));
        assert_eq!((tally.first_seq, tally.last_seq), (Some(1), Some(120)));
    }
}
