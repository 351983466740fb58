//! `greyplane audit`: whether the audit log is what was written, and what it says.

use super::Failure;
use anyhow::{Context, anyhow};
use clap::Subcommand;
use greyplane::audit::{self, Asked, Checkpoint, Filter, Outcome, PublicKey, Record, Report};
use std::io::{self, Write};
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The log's folder, as `[console] audit` in the configuration names it.
    #[arg(long, global = true, default_value = "audit")]
    folder: PathBuf,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Find any change, gap or cut; exit code 1 where there is one.
    Verify(Verify),
    /// Print records, the newest last.
    Show(Box<Show>),
    /// Print the last record's SEQ:HASH and the public key, to be kept elsewhere.
    Head,
}

#[derive(Debug, clap::Args)]
struct Verify {
    /// A record that must be there, as `greyplane audit head` printed it then.
    #[arg(long, value_name = "SEQ:HASH")]
    from: Option<Checkpoint>,
    /// Whose signatures count, 64 hexadecimal digits [default: the key in the folder, or the one the log names]
    #[arg(long)]
    key: Option<PublicKey>,
}

#[derive(Debug, clap::Args)]
struct Show {
    /// Who, exactly.
    #[arg(long)]
    actor: Option<String>,
    /// What, exactly: `log-in`.
    #[arg(long)]
    action: Option<String>,
    /// To what; a part of it is enough.
    #[arg(long)]
    object: Option<String>,
    /// done, refused or failed.
    #[arg(long, value_parser = outcome)]
    result: Option<Outcome>,
    /// Not before this time (RFC 3339).
    #[arg(long, value_parser = instant)]
    from: Option<String>,
    /// Before this time (RFC 3339).
    #[arg(long, value_parser = instant)]
    to: Option<String>,
    /// Only those before this record.
    #[arg(long, value_name = "SEQ")]
    before: Option<u64>,
    /// How many.
    #[arg(long, default_value_t = 100)]
    limit: usize,
}

fn outcome(text: &str) -> Result<Outcome, String> {
    let known = Outcome::ALL.into_iter().find(|o| o.name() == text);
    known.ok_or_else(|| "known: done, refused, failed".to_owned())
}

fn instant(text: &str) -> Result<String, String> {
    audit::instant(text).ok_or_else(|| "write it like 2026-11-22T09:30:00Z".to_owned())
}

impl Args {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.action {
            Action::Verify(Verify { from, key }) => {
                let report = look(&self.folder, Asked { key, from })?;
                tell(&report).context("standard output")?;
                match report.is_whole() {
                    true => Ok(()),
                    false => Err(Failure::Said),
                }
            }
            Action::Head => {
                let report = look(&self.folder, Asked::default())?;
                if !report.is_whole() {
                    tell(&report).context("standard output")?;
                    return Err(Failure::Said);
                }
                let mut out = io::stdout().lock();
                let (last, key) = report.last.zip(report.key).context("the log is empty")?;
                writeln!(out, "{last}\nkey {key}").context("standard output")?;
                Ok(())
            }
            Action::Show(asked) => show(&self.folder, *asked),
        }
    }
}

fn look(folder: &std::path::Path, asked: Asked) -> Result<Report, Failure> {
    audit::verify(folder, asked, &|| true).map_err(|error| {
        let what = anyhow!("{}: {error}", folder.display());
        Failure::Usage(what.context("`--folder` names the log's folder"))
    })
}

fn tell(report: &Report) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for fault in &report.faults {
        writeln!(out, "{fault}")?;
    }
    if report.more_faults > 0 {
        writeln!(out, "and {} more", report.more_faults)?;
    }
    for note in &report.notes {
        writeln!(out, "note: {note}")?;
    }
    if let Some(key) = report.key {
        writeln!(out, "key {key}")?;
    }
    let n = report.records;
    match (report.is_whole(), report.last) {
        (true, Some(last)) => writeln!(out, "whole: {n} records, the last is {last}"),
        (true, None) => writeln!(out, "whole: no records"),
        (false, _) => writeln!(out, "BROKEN; {n} records are what was written"),
    }
}

fn show(folder: &std::path::Path, asked: Show) -> Result<(), Failure> {
    let filter = Filter {
        before_seq: asked.before,
        actor: asked.actor,
        action: asked.action,
        object: asked.object,
        result: asked.result,
        from: asked.from,
        to: asked.to,
    };
    let mut found: Vec<Record> = Vec::new();
    let mut rest = filter;
    // A long log is read in parts.
    while found.len() < asked.limit {
        let part = audit::search(folder, &rest, asked.limit - found.len())
            .with_context(|| folder.display().to_string())
            .map_err(Failure::Usage)?;
        found.extend(part.records);
        match part.next_before_seq {
            Some(next) => rest.before_seq = Some(next),
            None => break,
        }
    }
    let mut out = io::stdout().lock();
    for r in found.iter().rev() {
        let detail = serde_json::to_string(&r.detail).context("a record")?;
        let (seq, time, result) = (r.seq, &r.time, r.result.name());
        // Whatever somebody typed must not steer the terminal.
        let plain = |text: &str| text.escape_debug().to_string();
        let who = format!("{}@{}", plain(&r.actor), plain(&r.origin));
        let (action, object) = (plain(&r.action), plain(&r.object));
        writeln!(
            out,
            "{seq}\t{time}\t{who}\t{action}\t{object}\t{result}\t{detail}"
        )
        .context("standard output")?;
    }
    Ok(())
}
