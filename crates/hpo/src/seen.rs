//! What a trial's sampler could see, noted on the trial, so that its draw can be repeated whatever ran beside it.
//!
//! The note is a JSON string of ranges of numbers: `0-9,12` for the finished trials, then `;` and the running ones with an
//! `r` behind those that showed their parameters and no joint sample: `0-9,12;10r,11`.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use crate::{FrozenTrial, History, RawJson, TrialState, joint};

/// The system attribute of a trial that holds the note.
pub(crate) const SEEN: &str = "tapeline:seen";

/// What could be seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    finished: Vec<(u64, u64)>,
    /// By number: whether it showed parameters and no joint sample.
    running: BTreeMap<u64, bool>,
}

impl Seen {
    /// What `history` shows to trial `number`.
    pub(crate) fn of(history: &History, number: u64) -> Self {
        let mut seen = Self::default();
        let mut unfinished = history.unfinished().map(|trial| trial.number).peekable();
        let (Some(first), Some(last)) = (history.trials().first(), history.trials().last()) else {
            return seen;
        };
        if history.trials().len() as u64 == last.number - first.number + 1 {
            // Without gaps the finished ones are what lies between the others.
            let mut from = first.number;
            for open in unfinished.by_ref().chain([last.number + 1]) {
                if open > from {
                    seen.finished.push((from, open - 1));
                }
                from = open + 1;
            }
        } else {
            let numbers = history.trials().iter().filter(|trial| trial.state.is_finished());
            for number in numbers.map(|trial| trial.number) {
                match seen.finished.last_mut() {
                    Some((_, last)) if *last + 1 == number => *last = number,
                    _ => seen.finished.push((number, number)),
                }
            }
        }
        for trial in
            history.unfinished().filter(|trial| trial.state == TrialState::Running && trial.number != number)
        {
            let by_params = !joint::is_noted(trial);
            if !by_params || !trial.params.is_empty() {
                seen.running.insert(trial.number, by_params);
            }
        }
        seen
    }

    pub(crate) fn to_json(&self) -> RawJson {
        let mut text = String::from("\"");
        for (place, (from, to)) in self.finished.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            let _ =
                if from == to { write!(text, "{comma}{from}") } else { write!(text, "{comma}{from}-{to}") };
        }
        for (place, (number, by_params)) in self.running.iter().enumerate() {
            let (sign, mark) = (if place == 0 { ";" } else { "," }, if *by_params { "r" } else { "" });
            let _ = write!(text, "{sign}{number}{mark}");
        }
        text.push('"');
        RawJson::from_text(text)
    }

    pub(crate) fn from_json(raw: &RawJson) -> Option<Self> {
        let text = raw.as_str().strip_prefix('"')?.strip_suffix('"')?;
        let (finished, running) = text.split_once(';').unwrap_or((text, ""));
        let mut seen = Self::default();
        for range in finished.split(',').filter(|range| !range.is_empty()) {
            let (from, to) = range.split_once('-').unwrap_or((range, range));
            seen.finished.push((from.parse().ok()?, to.parse().ok()?));
        }
        for number in running.split(',').filter(|number| !number.is_empty()) {
            let bare = number.strip_suffix('r');
            seen.running.insert(bare.unwrap_or(number).parse().ok()?, bare.is_some());
        }
        Some(seen)
    }

    /// The history as it looked then, made of what the trials became.
    pub(crate) fn history(&self, now: &History) -> History {
        let mut then = History::default();
        let finished = self.finished.iter().flat_map(|(from, to)| *from..=*to);
        then.take_in(finished.filter_map(|number| now.trial(number).cloned()));
        for (number, by_params) in &self.running {
            let Some(trial) = now.trial(*number) else { continue };
            let mut running = FrozenTrial::clone(trial);
            running.state = TrialState::Running;
            running.values = None;
            running.completed = None;
            if !by_params {
                running.params.clear();
            }
            then.take_in([Arc::new(running)]);
        }
        then
    }
}
