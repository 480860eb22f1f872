//! The joint sample of a running trial, as others see it: Optuna's note, which a study of both shares.

use std::collections::BTreeMap;

use crate::{Attributes, Choice, FrozenTrial, RawJson, SearchSpace};

/// The prefix of the system attributes that hold it, a piece under each number from 0.
pub(crate) const PREFIX: &str = "tpe:relative_params:";

/// Characters of a piece, at most. Optuna's databases hold no more in one.
const PIECE: usize = 2045;

/// Whether a joint sample is noted on the trial.
pub(crate) fn is_noted(trial: &FrozenTrial) -> bool {
    trial.system_attributes.range(PREFIX.to_owned()..).next().is_some_and(|(key, _)| key.starts_with(PREFIX))
}

/// The attributes that note `values` of `space`.
pub(crate) fn note(space: &SearchSpace, values: &BTreeMap<String, f64>) -> Attributes {
    let external = |(name, value): (&String, &f64)| {
        let choice = space.get(name)?.external(*value)?;
        Some(format!("{}: {}", ascii_json(name), ascii(&choice.to_json())))
    };
    let text = format!("{{{}}}", values.iter().filter_map(external).collect::<Vec<_>>().join(", "));
    // Everything in it is ASCII, so that no piece ends within a character.
    let piece = |(place, piece): (usize, &[u8])| {
        let piece = String::from_utf8_lossy(piece);
        (format!("{PREFIX}{place}"), RawJson::from_text(serde_json::Value::from(piece).to_string()))
    };
    text.as_bytes().chunks(PIECE).enumerate().map(piece).collect()
}

/// The joint sample that is noted on a trial. `None` if there is none, or one that is only half there.
pub(crate) fn read(trial: &FrozenTrial) -> Option<BTreeMap<String, Choice>> {
    let mut text = String::new();
    for place in 0.. {
        let Some(piece) = trial.system_attributes.get(&format!("{PREFIX}{place}")) else { break };
        text += &serde_json::from_str::<String>(piece.as_str()).ok()?;
    }
    let serde_json::Value::Object(values) = serde_json::from_str(&text).ok()? else { return None };
    Some(values.iter().map(|(name, value)| (name.clone(), Choice::from_json(value))).collect())
}

fn ascii_json(text: &str) -> String {
    ascii(&serde_json::Value::from(text).to_string())
}

/// JSON with everything but ASCII written as `\u` escapes.
fn ascii(json: &str) -> String {
    if json.is_ascii() {
        return json.to_owned();
    }
    let mut units = [0; 2];
    json.chars().fold(String::new(), |mut text, letter| {
        if letter.is_ascii() {
            text.push(letter);
        } else {
            for unit in letter.encode_utf16(&mut units) {
                text += &format!("\\u{unit:04x}");
            }
        }
        text
    })
}
