//! What a journal says about learning alone, so that two runs can be compared.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{Event, Outcome, Record};

/// One thing that was learnt or scored: what, when in training, and its numbers. No wall clock, no folder, no sequence
/// number.
#[derive(Clone, Debug, Serialize)]
pub struct ProjectedRow {
    /// The event's kind.
    pub kind: &'static str,
    /// Updates done, where the event says so.
    pub step: Option<u64>,
    /// The epoch, where the event says so.
    pub epoch: Option<u64>,
    /// The event's numbers by name; `None` means undefined.
    #[serde(with = "crate::number::undefined_map")]
    pub metrics: BTreeMap<String, Option<f64>>,
}

/// Equal when every number has the same bits; all NaN are alike.
impl PartialEq for ProjectedRow {
    fn eq(&self, other: &Self) -> bool {
        let bits = |number: f64| if number.is_nan() { f64::NAN.to_bits() } else { number.to_bits() };
        (self.kind, self.step, self.epoch) == (other.kind, other.step, other.epoch)
            && self.metrics.len() == other.metrics.len()
            && self.metrics.iter().zip(&other.metrics).all(|((name, number), (other_name, other_number))| {
                name == other_name && number.map(bits) == other_number.map(bits)
            })
    }
}

impl Eq for ProjectedRow {}

/// The rows of `records` that tell what was learnt: the start, epochs, steps, early stopping, scores and the end. A run
/// that was killed or interrupted any number of times and resumed has the same projection as one that never was.
///
/// Left out is what only tells how the run was kept alive: checkpoints, interruptions, resumptions, warnings, openings of
/// the test span, the machine's figures; what guards say of the numbers that are there; and verdicts on targets, which follow
/// from the scores. Superseded, and dropped, is
/// - by a `resumed_from` at step `s`: every row at a later step, every score and the end;
/// - by a second `run_started` (the first attempt died before its first checkpoint): everything;
/// - by an epoch that ends or stops early a second time (the checkpoint lay between its last step and its end): the first
///   such row. An epoch that is said to start again, inside itself, started the first time.
#[must_use]
pub fn projection(records: &[Record]) -> Vec<ProjectedRow> {
    let mut rows: Vec<ProjectedRow> = Vec::new();
    for record in records {
        match record.event {
            Event::RunStarted { .. } => rows.clear(),
            Event::ResumedFrom { step, .. } => rows.retain(|row| holds_after_resuming_at(step, row)),
            _ => {}
        }
        if let Some(row) = project(&record.event) {
            add(row, &mut rows);
        }
    }
    rows
}

fn holds_after_resuming_at(step: u64, row: &ProjectedRow) -> bool {
    match row.kind {
        "run_started" => true,
        "scored" | "run_ended" => false,
        _ => row.step.is_some_and(|at| at <= step),
    }
}

fn add(row: ProjectedRow, rows: &mut Vec<ProjectedRow>) {
    let once_per_epoch = matches!(row.kind, "epoch_started" | "epoch_ended" | "early_stopped");
    let same = |other: &&mut ProjectedRow| other.kind == row.kind && other.epoch == row.epoch;
    let earlier = if once_per_epoch { rows.iter_mut().rev().find(same) } else { None };
    match earlier {
        Some(_) if row.kind == "epoch_started" => {}
        Some(earlier) => *earlier = row,
        None => rows.push(row),
    }
}

fn project(event: &Event) -> Option<ProjectedRow> {
    let metrics = match event {
        Event::RunStarted { .. }
        | Event::EpochStarted { .. }
        | Event::RunEnded {
            outcome: Outcome::Completed | Outcome::EarlyStopped | Outcome::Stopped, ..
        } => BTreeMap::new(),
        Event::Step { learning_rate, gradient_norm, loss, losses, loss_scale, skipped, .. } => {
            let own = [("learning_rate", learning_rate), ("gradient_norm", gradient_norm), ("loss", loss)];
            let own = own.map(|(name, number)| (name.to_owned(), Some(*number)));
            let of_tasks = losses.iter().map(|(task, number)| (format!("loss/{task}"), Some(*number)));
            let scale = loss_scale.map(|scale| ("loss_scale".to_owned(), Some(scale)));
            let skipped = skipped.then(|| ("skipped".to_owned(), Some(1.0)));
            own.into_iter().chain(of_tasks).chain(scale).chain(skipped).collect()
        }
        Event::EpochEnded { metrics, .. } | Event::Scored { metrics, .. } => metrics.clone(),
        Event::EarlyStopped { best, .. } => BTreeMap::from([("best".to_owned(), Some(*best))]),
        Event::RunEnded { outcome: Outcome::Interrupted, .. }
        | Event::CheckpointDamaged { .. }
        | Event::ResumedFrom { .. }
        | Event::CheckpointSaved { .. }
        | Event::CheckpointFailed { .. }
        | Event::Interrupted { .. }
        | Event::TestSpanOpened { .. }
        | Event::TargetsChecked { .. }
        | Event::StepTimes { .. }
        | Event::Histograms { .. }
        | Event::System { .. }
        | Event::GuardTripped { .. }
        | Event::Warning { .. } => return None,
    };
    Some(ProjectedRow { kind: event.kind(), step: event.step(), epoch: event.epoch(), metrics })
}
