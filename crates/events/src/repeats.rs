//! Records that say again what was said before: a resumed run repeats the steps behind its checkpoint.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::Event;

/// Tells, of the events of one journal in order, which were told before.
///
/// A run that goes on from a checkpoint repeats what lies behind it, with the same numbers (see
/// [`projection`](crate::projection())) and at a later time. A listener that cannot take back what it wrote keeps the first
/// telling and passes over the repeated ones; so does one that reads the whole journal afterwards, and both end up with the
/// same points. What is told for the first time is never taken for a repetition, wherever the kill came.
#[derive(Clone, Debug, Default)]
pub struct Repeats {
    started: bool,
    /// The latest step that each kind of event was told at.
    steps: BTreeMap<&'static str, u64>,
    /// What was scored last, by split.
    scores: BTreeMap<String, BTreeMap<String, Option<u64>>>,
}

impl Repeats {
    /// True when `event` repeats one that was heard before: a second start, a step, an epoch's beginning or end, an early
    /// stop or a checkpoint at or before the latest of its kind, or the same scores of the same split.
    pub fn hear(&mut self, event: &Event) -> bool {
        match event {
            Event::RunStarted { .. } => std::mem::replace(&mut self.started, true),
            Event::EpochStarted { step, .. }
            | Event::Step { step, .. }
            | Event::StepTimes { step, .. }
            | Event::Histograms { step, .. }
            | Event::EpochEnded { step, .. }
            | Event::EarlyStopped { step, .. }
            | Event::CheckpointSaved { step, .. } => {
                let latest = self.steps.get(event.kind()).copied();
                let repeated = latest.is_some_and(|latest| *step <= latest);
                if !repeated {
                    self.steps.insert(event.kind(), *step);
                }
                repeated
            }
            Event::Scored { split, metrics } => {
                let bits = metrics.iter().map(|(name, number)| (name.clone(), number.map(f64::to_bits)));
                let scores: BTreeMap<_, _> = bits.collect();
                let repeated = self.scores.get(split) == Some(&scores);
                self.scores.insert(split.clone(), scores);
                repeated
            }
            Event::CheckpointDamaged { .. }
            | Event::ResumedFrom { .. }
            | Event::CheckpointFailed { .. }
            | Event::Interrupted { .. }
            | Event::TestSpanOpened { .. }
            | Event::TargetsChecked { .. }
            | Event::System { .. }
            | Event::GuardTripped { .. }
            | Event::Warning { .. }
            | Event::RunEnded { .. } => false,
        }
    }
}
