//! A run's targets, held against its scores: in `targets.json`, in the journal, and as a table.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;

use anyhow::{Context, anyhow, ensure};
use comfy_table::{CellAlignment, LineStyle, Table, TableStyle, presets};
use tapeline_artefact::replace_file;
use tapeline_events::{Event, Journal, TargetOutcome, TargetVerdict};
use tapeline_trainer::TargetsSpec;

use crate::failure::Failure;
use crate::report::number::compact;
use crate::run_folder::RunFolder;

/// Lines above, under the header and below, and none between the rows.
const STYLE: TableStyle = presets::UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none());

/// Holds `targets` against `metrics` and whatever was known of the run before, and records the verdicts. Does nothing
/// for a run without targets.
pub(crate) fn check(
    folder: &RunFolder,
    targets: &TargetsSpec,
    metrics: &BTreeMap<String, Option<f64>>,
    journal: &mut Journal,
) -> Result<(), Failure> {
    if targets.0.is_empty() {
        return Ok(());
    }
    let mut known: BTreeMap<String, Option<f64>> = read(folder)?
        .into_iter()
        .filter(|before| before.verdict != TargetVerdict::NotScored)
        .map(|before| (before.metric, before.value))
        .collect();
    known.extend(metrics.clone());
    let outcomes = targets.verdicts(&known);
    let json = serde_json::to_vec_pretty(&outcomes).map_err(Failure::failed)?;
    replace_file(&folder.targets(), &json).map_err(Failure::failed)?;
    journal.append(&Event::TargetsChecked { targets: outcomes });
    Ok(())
}

/// What became of the run's targets so far; nothing for a run without any, or one that was not scored.
pub(crate) fn read(folder: &RunFolder) -> Result<Vec<TargetOutcome>, Failure> {
    let path = folder.targets();
    match fs::read(&path) {
        Ok(bytes) => {
            let outcomes = serde_json::from_slice(&bytes);
            Ok(outcomes.with_context(|| format!("{} cannot be understood", path.display()))?)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(anyhow!(error).context(format!("cannot read {}", path.display())).into()),
    }
}

/// Refuses to require targets that a configuration does not have.
pub(crate) fn check_required(required: bool, targets: &TargetsSpec) -> Result<(), Failure> {
    let some = || {
        ensure!(
            !required || !targets.0.is_empty(),
            "--require-targets: the configuration has no target; give some, such as \
             `targets: {{validation/loss: {{max: 0.9}}}}`"
        );
        Ok(())
    };
    some().map_err(Failure::bad_input)
}

/// An error where a target was missed or has no defined value. One on a span that was not scored stays open.
pub(crate) fn require(outcomes: &[TargetOutcome]) -> Result<(), Failure> {
    let failed: Vec<String> =
        outcomes.iter().filter(|outcome| outcome.verdict.failed()).map(in_words).collect();
    if failed.is_empty() {
        return Ok(());
    }
    let (all, failed) = (outcomes.len(), failed);
    Err(Failure::failed(anyhow!("{} of {all} targets are not met: {}", failed.len(), failed.join("; "))))
}

fn in_words(outcome: &TargetOutcome) -> String {
    format!("{} is {}, wanted {}", outcome.metric, value(outcome), bounds(outcome))
}

/// The targets as a table, or nothing where there is none. Ends with a line break.
pub(crate) fn render(outcomes: &[TargetOutcome]) -> String {
    if outcomes.is_empty() {
        return String::new();
    }
    let mut table = Table::new();
    table.load_style(STYLE).set_header(["target", "bound", "value", "verdict"]);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 1));
        if matches!(index, 1 | 2) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for outcome in outcomes {
        table.add_row([outcome.metric.clone(), bounds(outcome), value(outcome), verdict(outcome).into()]);
    }
    format!("{}\n", table.trim_fmt())
}

/// `≥ 0.02`, `≤ 100`, `0.02 to 0.5`.
pub(crate) fn bounds(outcome: &TargetOutcome) -> String {
    match (outcome.min, outcome.max) {
        (Some(min), Some(max)) => format!("{} to {}", short(min), short(max)),
        (Some(min), None) => format!("≥ {}", short(min)),
        (None, Some(max)) => format!("≤ {}", short(max)),
        (None, None) => "none".into(),
    }
}

/// The value, or a dash where there is none.
pub(crate) fn value(outcome: &TargetOutcome) -> String {
    outcome.value.map_or_else(|| "–".into(), short)
}

/// The verdict in words.
pub(crate) fn verdict(outcome: &TargetOutcome) -> &'static str {
    match outcome.verdict {
        TargetVerdict::NotScored => "not scored yet",
        told => told.name(),
    }
}

/// A whole number whole, anything else with its significant digits.
fn short(number: f64) -> String {
    if number == number.trunc() && number.abs() < 1e6 { format!("{number:.0}") } else { compact(number) }
}

#[cfg(test)]
mod tests;
