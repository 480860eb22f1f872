//! Events in words.

use std::collections::BTreeMap;
use std::time::Duration;

use tapeline_events::{Event, Outcome};

use super::Plan;
use super::rate::Rate;
use crate::report::number::{UNDEFINED, compact, count, fixed};

/// What a person should read about an event at once; nothing about steps and epochs.
pub(crate) fn announcement(event: &Event) -> Option<String> {
    let words = match event {
        Event::RunStarted { parameters, samples, steps_per_epoch, num_epochs, .. } => {
            let train = samples.get("train").copied().unwrap_or(0);
            format!(
                "training {} parameters on {} samples: {} steps per epoch, at most {num_epochs} epochs",
                count(*parameters),
                count(train),
                count(*steps_per_epoch)
            )
        }
        Event::ResumedFrom { step, epoch } => {
            format!("resumed after step {}, going on in epoch {epoch}", count(*step))
        }
        Event::CheckpointDamaged { folder, reason, used_instead } => {
            let instead = used_instead.as_deref().unwrap_or("nothing");
            format!("warning: the checkpoint {folder} is damaged ({reason}); {instead} is used instead")
        }
        Event::CheckpointFailed { step, reason } => {
            format!("warning: the checkpoint at step {} could not be saved: {reason}", count(*step))
        }
        Event::EarlyStopped { metric, best, best_epoch, .. } => {
            format!("stopped early: {metric} has not improved since epoch {best_epoch} ({})", compact(*best))
        }
        Event::Interrupted { step, epoch } => {
            format!("interrupted after step {} in epoch {epoch}", count(*step))
        }
        Event::TestSpanOpened { times: 1, .. } => {
            "the test span of this data is opened for the first time".into()
        }
        Event::TestSpanOpened { times, .. } => {
            format!("warning: the test span of this data has now been opened {times} times")
        }
        Event::Warning { message } | Event::GuardTripped { message, .. } => format!("warning: {message}"),
        Event::RunEnded { step, outcome: Outcome::Completed, .. } => {
            format!("trained {} steps", count(*step))
        }
        Event::RunEnded { step, outcome: Outcome::Stopped, .. } => {
            format!("stopped as asked after {} steps", count(*step))
        }
        Event::RunEnded { outcome: Outcome::EarlyStopped | Outcome::Interrupted, .. }
        | Event::System { .. }
        | Event::EpochStarted { .. }
        | Event::Step { .. }
        | Event::StepTimes { .. }
        | Event::Histograms { .. }
        | Event::EpochEnded { .. }
        | Event::CheckpointSaved { .. }
        | Event::Scored { .. }
        | Event::TargetsChecked { .. } => return None,
    };
    Some(printable(&words))
}

/// An epoch that is over: its losses.
pub(crate) fn epoch_line(
    epoch: u64,
    step: u64,
    metrics: &BTreeMap<String, Option<f64>>,
    plan: &Plan,
) -> String {
    let loss = |name: &str| {
        metrics.get(name).copied().map(|loss| loss.map_or_else(|| UNDEFINED.into(), loss_figure))
    };
    let losses = [("train", loss("train/loss")), ("validation", loss("validation/loss"))];
    let losses: Vec<String> =
        losses.into_iter().filter_map(|(split, loss)| Some(format!("{split} loss {}", loss?))).collect();
    let place = format!("epoch {epoch}/{} · step {}", plan.num_epochs, count(step));
    std::iter::once(place).chain(losses).collect::<Vec<_>>().join(" · ")
}

/// The loss of a step and its parts.
pub(super) fn loss_words(loss: f64, losses: &BTreeMap<String, f64>) -> String {
    let parts: Vec<String> =
        losses.iter().map(|(task, loss)| format!("{} {}", printable(task), loss_figure(*loss))).collect();
    let parts = if parts.len() > 1 { format!(" ({})", parts.join(", ")) } else { String::new() };
    format!("loss {}{parts}", loss_figure(loss))
}

/// Rate and time left; empty until there is a rate.
pub(super) fn pace_words(rate: &Rate, plan: &Plan) -> String {
    let Some(steps) = rate.steps_per_second() else { return String::new() };
    let samples = fixed(steps * plan.samples_per_step(), 0);
    let left = rate.left(plan).map_or_else(String::new, |left| format!(" · {} left", duration(left)));
    format!(" · {} steps/s · {samples} samples/s{left}", fixed(steps, 1))
}

fn loss_figure(loss: f64) -> String {
    fixed(loss, 4)
}

/// The two largest units: `2h 05m`, `3m 12s`, `8s`.
pub(crate) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{}h {:02}m", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{}d {:02}h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

/// Without control characters, which a terminal would obey.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_two_units() {
        let words = [8, 192, 7_500, 180_000].map(|seconds| duration(Duration::from_secs(seconds)));
        assert_eq!(words, ["8s", "3m 12s", "2h 05m", "2d 02h"]);
    }
}
