//! The numbers of an event by the names that every tracker shows them under.

use tapeline_events::Event;

/// A number of a run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) name: String,
    pub(crate) value: f64,
}

/// The numbers that `event` tells: `step/…` of an update, the metrics of an epoch under their own names, and `scored/…`
/// of a span that was scored with the best weights; `time/…` of an epoch's steps, seconds a step. What is undefined is left out, what is not finite is not.
pub(crate) fn points(event: &Event) -> Vec<Point> {
    let point = |name: String, value: f64| Point { name, value };
    match event {
        Event::Step { learning_rate, gradient_norm, loss, losses, loss_scale, skipped, .. } => {
            let own = [("loss", loss), ("learning_rate", learning_rate), ("gradient_norm", gradient_norm)];
            let own = own.map(|(name, value)| point(format!("step/{name}"), *value));
            let of_tasks = losses.iter().map(|(task, value)| point(format!("step/{task}/loss"), *value));
            let scale = loss_scale.map(|scale| point("step/loss_scale".into(), scale));
            // Where every step is done there is nothing to draw.
            let skipped = skipped.then(|| point("step/skipped".into(), 1.0));
            own.into_iter().chain(of_tasks).chain(scale).chain(skipped).collect()
        }
        Event::EpochEnded { epoch, metrics, .. } => {
            let defined = metrics.iter().filter_map(|(name, value)| Some(point(name.clone(), (*value)?)));
            std::iter::once(point("epoch".into(), *epoch as f64)).chain(defined).collect()
        }
        Event::Scored { metrics, .. } => {
            let defined = metrics.iter().filter_map(|(name, value)| Some((name, (*value)?)));
            defined.map(|(name, value)| point(format!("scored/{name}"), value)).collect()
        }
        Event::StepTimes { times, .. } => {
            let stages = times.per_step();
            let step = ("step", stages.iter().map(|(_, seconds)| seconds).sum());
            let named = |(stage, seconds): (&str, f64)| point(format!("time/{stage}_seconds"), seconds);
            let stall = point("time/stall_share".into(), times.stall_share());
            std::iter::once(step).chain(stages).map(named).chain([stall]).collect()
        }
        Event::System { figures } => {
            figures.iter().map(|(name, value)| point(name.clone(), *value)).collect()
        }
        _ => Vec::new(),
    }
}
