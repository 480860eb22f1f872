//! The events of a run, listed as the loop in which they fire.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::histogram::Histogram;
use crate::number;
use crate::step_times::StepTimes;
use crate::target::TargetOutcome;

/// What happens in a run. The loop in which the events fire:
///
/// ```text
/// RunStarted                          once per run; a resumed run says ResumedFrom instead
/// CheckpointDamaged                   on resume, per checkpoint that could not be used
/// ResumedFrom                         on resume
/// for each epoch:
///     EpochStarted                    not again when a run resumes inside the epoch
///     for each batch:
///         Step                        after the update, or in its place where it is skipped
///         GuardTripped                for each guard that sees something in it
///         CheckpointSaved             for each checkpoint that was finished since the step before; or CheckpointFailed
///         if a signal came:              (after an epoch's last batch: EpochEnded first)
///             CheckpointSaved         of the interruption, and of any before it that was still being written
///             Interrupted
///             RunEnded(interrupted)   and out
///     StepTimes, Histograms           where the run has a clock, and where they are wanted
///     EpochEnded                      after validation
///     GuardTripped                    for each guard that sees something in the epoch
///     CheckpointSaved                 of the last epoch, likewise; or CheckpointFailed
///     if nothing improved for long:
///         EarlyStopped                and out of the loop
/// Scored                              per span that is looked at after training
/// TargetsChecked                      if the run has targets
/// RunEnded(completed | early_stopped)
///
/// later, for each `evaluate`:
///     TestSpanOpened                  before the first look, if it is the test span
///     Scored
///     TargetsChecked                  if the run has targets
///
/// System, Warning                     at any time
/// ```
///
/// Checkpoints are written while the training goes on: which step follows the news of one depends on the disk. Among
/// themselves such news come in the order of the steps that they tell of.
///
/// `step` counts the steps done so far, those that were skipped included: the first [`Event::Step`] has step 1, and a
/// checkpoint at step `s` holds the weights after `s` of them. `epoch` counts from 1.
///
/// In JSON an event is an object whose `kind` is the variant's name in snake case. Numbers that JSON cannot write are the
/// strings `"NaN"`, `"Infinity"` and `"-Infinity"`; an undefined metric is `null`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// Data and network stand; the first step comes next.
    RunStarted {
        /// The run's name, unique within its experiment.
        run_id: String,
        /// The root of all randomness of the run.
        seed: u64,
        /// Scalars that the network learns.
        parameters: u64,
        /// Samples of each split, by its name.
        samples: BTreeMap<String, u64>,
        /// Updates per pass over all train samples; a curriculum's first passes have fewer.
        steps_per_epoch: u64,
        /// Passes that are planned.
        num_epochs: u64,
    },
    /// A checkpoint could not be used, and the one before it was.
    CheckpointDamaged {
        /// The damaged checkpoint's folder.
        folder: String,
        /// What is wrong with it.
        reason: String,
        /// The folder that was used in its place; `None` if there is no other.
        used_instead: Option<String>,
    },
    /// The run goes on from a checkpoint. Whatever an earlier record says about later steps no longer holds.
    ResumedFrom {
        /// Updates that the checkpoint holds.
        step: u64,
        /// The epoch that goes on or comes next.
        epoch: u64,
    },
    /// A pass over the train samples begins.
    EpochStarted {
        /// Which pass.
        epoch: u64,
        /// Updates done before it.
        step: u64,
    },
    /// One update of the weights, or one that was skipped.
    Step {
        /// Steps done, this one included.
        step: u64,
        /// The epoch it belongs to.
        epoch: u64,
        /// The rate that this update used.
        #[serde(with = "number")]
        learning_rate: f64,
        /// Euclidean norm of all gradients before clipping.
        #[serde(with = "number")]
        gradient_norm: f64,
        /// The weighted sum over tasks that was followed.
        #[serde(with = "number")]
        loss: f64,
        /// Each task's own loss before its weight, by the task's name.
        #[serde(with = "number::map")]
        losses: BTreeMap<String, f64>,
        /// What the loss was multiplied by for the backward pass, where it was; the norm and the losses are without it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        loss_scale: Option<f64>,
        /// Whether the gradient or the loss was not finite, so that nothing moved but the loss scale.
        #[serde(default, skip_serializing_if = "is_false")]
        skipped: bool,
    },
    /// Something about the training looks wrong.
    GuardTripped {
        /// The last step that it was seen in.
        step: u64,
        /// The epoch it belongs to.
        epoch: u64,
        /// What was looked at.
        guard: Guard,
        /// What was seen, and what to do.
        message: String,
    },
    /// Where the time of the steps of an epoch went, told at its end; after a resumption, of the steps since.
    StepTimes {
        /// Updates done.
        step: u64,
        /// The epoch.
        epoch: u64,
        /// Where it went.
        times: StepTimes,
    },
    /// How weights and gradients lie, told at the end of an epoch.
    Histograms {
        /// Updates done.
        step: u64,
        /// The epoch.
        epoch: u64,
        /// By the tensor's name.
        weights: BTreeMap<String, Histogram>,
        /// Those of the epoch's last step, before clipping and without the loss scale; by the tensor's name.
        gradients: BTreeMap<String, Histogram>,
    },
    /// A pass is over and validation was looked at.
    EpochEnded {
        /// Which pass.
        epoch: u64,
        /// Updates done.
        step: u64,
        /// Metrics by full name, such as `validation/loss`; `None` means undefined.
        #[serde(with = "number::undefined_map")]
        metrics: BTreeMap<String, Option<f64>>,
    },
    /// A checkpoint is on disk, whole, and its pointers have moved. Later steps may have been told before.
    CheckpointSaved {
        /// Updates that it holds.
        step: u64,
        /// The epoch it was saved in.
        epoch: u64,
        /// Its folder's name, such as `step-00001234`.
        folder: String,
        /// Whether `best` now points to it.
        best: bool,
    },
    /// A checkpoint could not be saved; training goes on with the one before it.
    CheckpointFailed {
        /// Updates that it would have held.
        step: u64,
        /// What the system said.
        reason: String,
    },
    /// Training was cut short because a metric stopped improving.
    EarlyStopped {
        /// The last pass.
        epoch: u64,
        /// Updates done.
        step: u64,
        /// The metric that was watched.
        metric: String,
        /// Its best value.
        #[serde(with = "number")]
        best: f64,
        /// The pass that reached it.
        best_epoch: u64,
    },
    /// A signal came; the step was finished and saved.
    Interrupted {
        /// Updates done.
        step: u64,
        /// The epoch that was going on.
        epoch: u64,
    },
    /// The test span was about to be looked at.
    TestSpanOpened {
        /// How often it was opened for this data, this time included.
        times: u64,
        /// Which data: the fingerprint of bars and spec.
        fingerprint: String,
    },
    /// A span was scored.
    Scored {
        /// `train`, `validation` or `test`.
        split: String,
        /// Metrics by full name; `None` means undefined.
        #[serde(with = "number::undefined_map")]
        metrics: BTreeMap<String, Option<f64>>,
    },
    /// The run's targets were held against the scores that there are so far.
    TargetsChecked {
        /// Every target of the run.
        targets: Vec<TargetOutcome>,
    },
    /// What the machine was doing, looked at now and then.
    System {
        /// Figures by name, such as `system/cpu_utilization_percentage`; units are in the names.
        #[serde(with = "number::map")]
        figures: BTreeMap<String, f64>,
    },
    /// Something that a person should know and that stops nothing.
    Warning {
        /// In plain words.
        message: String,
    },
    /// The last event of a training process that was not killed.
    RunEnded {
        /// Updates done.
        step: u64,
        /// The last pass.
        epoch: u64,
        /// Why it ended.
        outcome: Outcome,
    },
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// What is looked at while a run trains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Guard {
    /// A loss or a gradient that is no number any more.
    NonFinite,
    /// A loss far above those before it.
    LossSpike,
    /// A gradient far longer than those before it.
    ExplodingNorm,
    /// Features that say the same of every sample.
    DeadUnits,
    /// Train losses that do not fall.
    NoLearning,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Every planned epoch was trained.
    Completed,
    /// A metric stopped improving.
    EarlyStopped,
    /// Somebody asked for an end after the epoch.
    Stopped,
    /// A signal came; the run can be resumed.
    Interrupted,
}

impl Event {
    /// The variant's name as it stands in JSON.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::RunStarted { .. } => "run_started",
            Self::CheckpointDamaged { .. } => "checkpoint_damaged",
            Self::ResumedFrom { .. } => "resumed_from",
            Self::EpochStarted { .. } => "epoch_started",
            Self::Step { .. } => "step",
            Self::GuardTripped { .. } => "guard_tripped",
            Self::StepTimes { .. } => "step_times",
            Self::Histograms { .. } => "histograms",
            Self::EpochEnded { .. } => "epoch_ended",
            Self::CheckpointSaved { .. } => "checkpoint_saved",
            Self::CheckpointFailed { .. } => "checkpoint_failed",
            Self::EarlyStopped { .. } => "early_stopped",
            Self::Interrupted { .. } => "interrupted",
            Self::TestSpanOpened { .. } => "test_span_opened",
            Self::Scored { .. } => "scored",
            Self::TargetsChecked { .. } => "targets_checked",
            Self::System { .. } => "system",
            Self::Warning { .. } => "warning",
            Self::RunEnded { .. } => "run_ended",
        }
    }

    /// Updates done when it fired, where it says so.
    #[must_use]
    pub const fn step(&self) -> Option<u64> {
        match *self {
            Self::ResumedFrom { step, .. }
            | Self::EpochStarted { step, .. }
            | Self::Step { step, .. }
            | Self::GuardTripped { step, .. }
            | Self::StepTimes { step, .. }
            | Self::Histograms { step, .. }
            | Self::EpochEnded { step, .. }
            | Self::CheckpointSaved { step, .. }
            | Self::CheckpointFailed { step, .. }
            | Self::EarlyStopped { step, .. }
            | Self::Interrupted { step, .. }
            | Self::RunEnded { step, .. } => Some(step),
            Self::RunStarted { .. }
            | Self::CheckpointDamaged { .. }
            | Self::TestSpanOpened { .. }
            | Self::Scored { .. }
            | Self::TargetsChecked { .. }
            | Self::System { .. }
            | Self::Warning { .. } => None,
        }
    }

    /// The epoch it fired in, where it says so.
    #[must_use]
    pub const fn epoch(&self) -> Option<u64> {
        match *self {
            Self::ResumedFrom { epoch, .. }
            | Self::EpochStarted { epoch, .. }
            | Self::Step { epoch, .. }
            | Self::GuardTripped { epoch, .. }
            | Self::StepTimes { epoch, .. }
            | Self::Histograms { epoch, .. }
            | Self::EpochEnded { epoch, .. }
            | Self::CheckpointSaved { epoch, .. }
            | Self::EarlyStopped { epoch, .. }
            | Self::Interrupted { epoch, .. }
            | Self::RunEnded { epoch, .. } => Some(epoch),
            Self::RunStarted { .. }
            | Self::CheckpointDamaged { .. }
            | Self::CheckpointFailed { .. }
            | Self::TestSpanOpened { .. }
            | Self::Scored { .. }
            | Self::TargetsChecked { .. }
            | Self::System { .. }
            | Self::Warning { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_an_object_with_its_kind() {
        let event = Event::CheckpointSaved { step: 12, epoch: 2, folder: "step-00000012".into(), best: true };
        let text = serde_json::to_string(&event).unwrap();
        assert_eq!(
            text,
            r#"{"kind":"checkpoint_saved","step":12,"epoch":2,"folder":"step-00000012","best":true}"#
        );
        assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event);
    }

    #[test]
    fn a_step_says_its_scale_and_that_it_was_skipped_where_it_was_and_older_lines_are_read() {
        let old = r#"{"kind":"step","step":1,"epoch":1,"learning_rate":0.1,"gradient_norm":2.0,"loss":3.0,"losses":{}}"#;
        let plain = serde_json::from_str::<Event>(old).unwrap();
        assert!(matches!(plain, Event::Step { loss_scale: None, skipped: false, .. }));
        assert_eq!(serde_json::to_string(&plain).unwrap(), old);
        let skipped = Event::Step {
            step: 1,
            epoch: 1,
            learning_rate: 0.1,
            gradient_norm: f64::INFINITY,
            loss: 3.0,
            losses: BTreeMap::new(),
            loss_scale: Some(65536.0),
            skipped: true,
        };
        let text = serde_json::to_string(&skipped).unwrap();
        assert!(text.ends_with(r#""loss_scale":65536.0,"skipped":true}"#), "{text}");
        assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), skipped);
    }

    #[test]
    fn the_kind_that_is_told_is_the_kind_that_is_written() {
        let events = [
            Event::ResumedFrom { step: 1, epoch: 1 },
            Event::EarlyStopped {
                epoch: 3,
                step: 9,
                metric: "validation/loss".into(),
                best: 0.5,
                best_epoch: 1,
            },
            Event::RunEnded { step: 9, epoch: 3, outcome: Outcome::EarlyStopped },
            Event::TestSpanOpened { times: 2, fingerprint: "ab".into() },
            Event::GuardTripped { step: 4, epoch: 1, guard: Guard::LossSpike, message: "so".into() },
        ];
        for event in events {
            let json = serde_json::to_value(&event).unwrap();
            assert_eq!(json["kind"], event.kind());
            assert_eq!(json.get("step").and_then(serde_json::Value::as_u64), event.step());
            assert_eq!(json.get("epoch").and_then(serde_json::Value::as_u64), event.epoch());
        }
    }
}
