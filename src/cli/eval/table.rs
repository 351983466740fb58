//! What was measured over time, for people.

use super::clips::{Measured, Run};
use greyplane::eval::{Held, Spread};

pub(super) fn table(measured: &Measured) -> String {
    let mut lines = vec![format!(
        "{}, {}: {:?}, {} ms delay, {} ms budget, input {}, threshold {}",
        measured.model,
        measured.class,
        measured.what,
        measured.look_delay_ms,
        measured.budget_ms,
        measured.input_long_side,
        measured.threshold,
    )];
    for run in &measured.runs {
        lines.extend(lines_of(run));
    }
    lines.join("\n")
}

fn percent(share: Option<f64>) -> String {
    share.map_or("–".to_owned(), |s| format!("{:.1}", 100.0 * s))
}

fn lines_of(run: &Run) -> Vec<String> {
    let report = &run.report;
    let spread = |s: &Spread, times: f64| {
        let of = |v: Option<f64>| v.map_or("–".to_owned(), |v| format!("{:.1}", v * times));
        format!("{}/{}/{}/{}", of(s.mean), of(s.p50), of(s.p95), of(s.max))
    };
    let mut lines = vec![
        format!(
            "every {}: {} clips, {} frames, {} % of them covered, {:.2} looks and {:.1} ms of CPU a frame",
            run.look_every,
            report.clips,
            report.frames,
            percent(report.covered),
            run.looks_per_frame,
            run.cpu_ms_per_frame.unwrap_or(f64::NAN),
        ),
        format!(
            "  of a frame {} % hidden without need; hidden {} %, {} times what is there (mean/median/95 %/most)",
            percent(report.hidden_outside),
            spread(&report.hidden, 100.0),
            spread(&report.hidden_per_true, 1.0),
        ),
        format!(
            "  {:>9} {:>6} {:>6} {:>9} {:>12} {:>12} {:>12} {:>9}",
            "height px",
            "things",
            "found",
            "hidden %",
            "bare before",
            "in reach",
            "after",
            "flicker/s"
        ),
    ];
    let line = |h: &Held| {
        format!(
            "  {:>9} {:>6} {:>6} {:>9} {:>12} {:>12} {:>12} {:>9}",
            h.height_px,
            h.things,
            h.found,
            percent(h.hidden_frames),
            h.longest_bare_before,
            format!("{} ({})", h.longest_bare_in_reach, h.bare_in_reach),
            format!("{} ({})", h.longest_bare_after, h.bare_after),
            h.flicker_per_s
                .map_or("–".to_owned(), |f| format!("{f:.2}"))
        )
    };
    lines.push(line(&report.all));
    lines.push(line(&report.large));
    lines.extend(report.by_height.iter().map(line));
    lines
}
