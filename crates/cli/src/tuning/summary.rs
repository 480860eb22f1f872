//! What came of a study, in words for a terminal and in JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use comfy_table::{CellAlignment, LineStyle, Table, TableStyle, presets};
use serde_json::{Value, json};
use tapeline_hpo::{Choice, FrozenTrial, History, Study, TrialState};

use super::attribute::{self, FAIL_REASON};
use super::deflation::Deflated;
use super::looks::Looks;
use super::plan::Plan;
use super::progress::{in_words, short};
use super::standing::{Standing, seconds};
use crate::failure::Failure;
use crate::report::number::{compact, count, percent};

/// Lines above, under the header and below, and none between the rows.
pub(crate) const STYLE: TableStyle = presets::UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none());

/// Failed trials that a status tells of.
const FAILURES_TOLD: usize = 5;

/// The values that a trial was given, by key.
pub(crate) fn values(trial: &FrozenTrial) -> BTreeMap<String, Choice> {
    let value = |(key, param): (&String, &tapeline_hpo::Param)| {
        Some((key.clone(), param.distribution.external(param.value)?))
    };
    trial.params.iter().filter_map(value).collect()
}

/// True for the trial that is the configuration as it stands.
pub(crate) fn is_default(trial: &FrozenTrial) -> bool {
    trial.user_attributes.get(attribute::DEFAULT).is_some_and(|noted| noted.as_str() == "true")
}

/// The complete trial that is the configuration as it stands.
pub(crate) fn default_trial(history: &History) -> Option<&Arc<FrozenTrial>> {
    history.in_state(TrialState::Complete).find(|trial| is_default(trial))
}

/// The best score held against luck; `None` where what luck would find is not known.
pub(crate) fn deflated(plan: &Plan, study: &Study) -> Result<Option<Deflated>, Failure> {
    let history = study.history()?;
    let standing = Standing::of(study.record(), &history);
    let Some(best) = &standing.best else { return Ok(None) };
    let noted = (
        best.values.as_deref().and_then(|values| values.first().copied()),
        attribute::number(&best.user_attributes, attribute::NULL_DEVIATION),
        attribute::text(&best.user_attributes, attribute::DATA),
    );
    let (Some(value), Some(deviation), Some(data)) = noted else { return Ok(None) };
    let looks = looks(plan, &history, &data)?;
    Ok(Some(Deflated::of(value, looks, deviation)))
}

/// How many trials looked at the validation span of this study, which scored on the bars with this fingerprint: its own, and
/// those of others under the same output.
pub(crate) fn looks(plan: &Plan, history: &History, data: &str) -> Result<u64, Failure> {
    // A study has one validation span, whichever of its bars a trial chose.
    let looked = |trial: &&Arc<FrozenTrial>| {
        let scored = trial.state == TrialState::Complete || !trial.intermediate.is_empty();
        scored && trial.user_attributes.contains_key(attribute::DATA)
    };
    let own = history.trials().iter().filter(looked).count() as u64;
    Ok(own + Looks::of(plan.output()).of_others(data, &plan.id())?)
}

/// The end of a search: how many trials, the best beside the default, and what luck alone would have found.
pub(crate) fn text(plan: &Plan, study: &Study) -> Result<String, Failure> {
    let history = study.history()?;
    let standing = Standing::of(study.record(), &history);
    let mut text = counts_line(plan, &standing);
    match &standing.best {
        Some(best) => text.push_str(&best_text(plan, study, best)?),
        None if !standing.front.is_empty() => {
            let _ = writeln!(text, "trials that no other beats in every objective:"); // cannot fail
            text.push_str(&trial_table(plan, &standing.front));
        }
        None => {}
    }
    if let Some(retrained) = super::retrained::read(plan)? {
        text.push_str(&retrained.text());
    }
    Ok(text)
}

fn counts_line(plan: &Plan, standing: &Standing) -> String {
    format!(
        "study {}: {} of {} trials done ({} complete, {} pruned, {} failed), {} running, {} queued\n",
        plan.name,
        standing.spent,
        plan.hpo.trials,
        standing.complete,
        standing.pruned,
        standing.failed,
        standing.running,
        standing.waiting
    )
}

/// Where a study stands, in a few lines.
pub(crate) fn status_text(plan: &Plan, study: &Study) -> Result<String, Failure> {
    let history = study.history()?;
    let standing = Standing::of(study.record(), &history);
    let mut text = counts_line(plan, &standing);
    // Writing to a String cannot fail.
    if let Some(mean) = standing.mean {
        let left = standing.left(plan.hpo.trials, standing.running).unwrap_or_default();
        let _ = writeln!(text, "{:.1}s a trial, {} left", mean.as_secs_f64(), in_words(left));
    }
    match (&standing.best, standing.front.len()) {
        (Some(best), _) => text.push_str(&trial_table(plan, std::slice::from_ref(best))),
        (None, 0) => text.push_str("no complete trial yet\n"),
        (None, _) => text.push_str(&trial_table(plan, &standing.front)),
    }
    let failed: Vec<_> = history.in_state(TrialState::Fail).collect();
    for trial in failed.iter().rev().take(FAILURES_TOLD) {
        let _ = writeln!(text, "trial {} failed: {}", trial.number, reason(trial));
    }
    Ok(text)
}

/// Why a trial failed.
pub(crate) fn reason(trial: &FrozenTrial) -> String {
    let reason = attribute::text(&trial.user_attributes, FAIL_REASON);
    let reason = reason.unwrap_or_else(|| "no reason given".into());
    reason.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The same as JSON.
pub(crate) fn status_json(plan: &Plan, study: &Study) -> Result<Value, Failure> {
    let history = study.history()?;
    let standing = Standing::of(study.record(), &history);
    let failures = history.in_state(TrialState::Fail);
    let failures: Vec<Value> =
        failures.map(|trial| json!({ "trial": trial.number, "reason": reason(trial) })).collect();
    Ok(json!({
        "study": plan.name,
        "storage": plan.url.to_string(),
        "objectives": plan.objectives.iter().map(|objective| &objective.metric).collect::<Vec<_>>(),
        "wanted": plan.hpo.trials,
        "done": standing.spent,
        "complete": standing.complete,
        "pruned": standing.pruned,
        "failed": standing.failed,
        "running": standing.running,
        "queued": standing.waiting,
        "seconds_per_trial": standing.mean.map(|mean| mean.as_secs_f64()),
        "best": standing.best.as_ref().map(|best| trial_json(plan, best)),
        "front": standing.front.iter().map(|trial| trial_json(plan, trial)).collect::<Vec<_>>(),
        "failures": failures,
    }))
}

/// The best trial beside the default, with the flags that make it.
pub(crate) fn best_text(plan: &Plan, study: &Study, best: &Arc<FrozenTrial>) -> Result<String, Failure> {
    let history = study.history()?;
    let mut trials = vec![Arc::clone(best)];
    trials.extend(default_trial(&history).filter(|default| default.number != best.number).cloned());
    let mut text = trial_table(plan, &trials);
    // Writing to a String cannot fail.
    for (key, value) in values(best) {
        let _ = writeln!(text, "  --set {key}={}", value.to_json());
    }
    if let Some(deflated) = deflated(plan, study)? {
        let _ = writeln!(text, "{}", luck(&deflated));
    }
    Ok(text)
}

/// The deflated score in a sentence.
pub(crate) fn luck(deflated: &Deflated) -> String {
    format!(
        "{} trials looked at this validation span or a part of it; the best of as many without any skill is expected at \
         {}. The best here is {} beyond that: a deflated score of {} (0.95 and more is hardly luck)",
        count(deflated.trials),
        compact(deflated.expected_of_luck),
        compact(deflated.score),
        percent(deflated.probability),
    )
}

/// The same as JSON.
pub(crate) fn best_json(plan: &Plan, study: &Study, best: &FrozenTrial) -> Result<Value, Failure> {
    let history = study.history()?;
    let mut json = trial_json(plan, best);
    json["default"] = default_trial(&history).map_or(Value::Null, |default| trial_json(plan, default));
    json["deflated"] = serde_json::to_value(deflated(plan, study)?).map_err(Failure::failed)?;
    Ok(json)
}

/// A trial as JSON.
pub(crate) fn trial_json(plan: &Plan, trial: &FrozenTrial) -> Value {
    let named = plan.objectives.iter().map(|objective| objective.metric.clone());
    let scores: serde_json::Map<String, Value> =
        named.zip(trial.values.iter().flatten().map(|value| json!(value))).collect();
    let params: serde_json::Map<String, Value> = values(trial)
        .into_iter()
        .map(|(key, value)| (key, serde_json::to_value(value).unwrap_or_default()))
        .collect();
    json!({
        "trial": trial.number,
        "is_default": is_default(trial),
        "values": scores,
        "params": params,
        "run": attribute::text(&trial.user_attributes, attribute::RUN),
        "best_epoch": attribute::number(&trial.user_attributes, attribute::BEST_EPOCH),
        "folds": trial.user_attributes.get(attribute::FOLDS)
            .and_then(|folds| serde_json::from_str::<Value>(folds.as_str()).ok()),
        "training_seconds": attribute::number(&trial.user_attributes, attribute::SECONDS),
        "parameters": attribute::number(&trial.user_attributes, attribute::PARAMETERS),
    })
}

/// Trials with their values, a row each.
pub(crate) fn trial_table(plan: &Plan, trials: &[Arc<FrozenTrial>]) -> String {
    let mut table = Table::new();
    let mut header = vec!["trial".to_owned()];
    header.extend(plan.objectives.iter().map(|objective| short(&objective.metric)));
    header.extend(["epoch", "seconds", "parameters", "run"].map(str::to_owned));
    let columns = header.len();
    table.load_style(STYLE).set_header(header);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 1));
        if (1..columns - 1).contains(&index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for trial in trials {
        let note = |key| attribute::number(&trial.user_attributes, key);
        let whole = |number: Option<f64>| number.map_or_else(|| "–".into(), |it| count(it as u64));
        let default = if is_default(trial) { " (default)" } else { "" };
        let mut row = vec![format!("{}{default}", trial.number)];
        row.extend(trial.values.iter().flatten().map(|value| compact(*value)));
        row.push(whole(note(attribute::BEST_EPOCH)));
        row.push(
            note(attribute::SECONDS)
                .or_else(|| seconds(trial))
                .map_or_else(|| "–".into(), |it| format!("{it:.1}")),
        );
        row.push(whole(note(attribute::PARAMETERS)));
        let run = attribute::text(&trial.user_attributes, attribute::RUN).unwrap_or_default();
        row.push(run.rsplit('/').next().unwrap_or_default().to_owned());
        table.add_row(row);
    }
    format!("{}\n", table.trim_fmt())
}
