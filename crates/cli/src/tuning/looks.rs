//! How many trials looked at a validation span: one line for each, beside the experiments, and one that says what the trials
//! of a study see. The more looked, the less the best of them means.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::list_file::ListFile;
use crate::seen::Seen;

const FILE: &str = "validation-looks.jsonl";

#[derive(PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Look {
        at: String,
        data: String,
        study: String,
        trial: u64,
    },
    /// What the trials of a study see, whichever of its bars they choose.
    Sight {
        study: String,
        #[serde(flatten)]
        seen: Seen,
    },
}

/// The list of looks of an output folder.
pub(crate) struct Looks(ListFile);

impl Looks {
    /// The list beside the experiments under `output`.
    pub(crate) fn of(output: &Path) -> Self {
        Self(ListFile::new(output.join(FILE)))
    }

    /// How many trials of other studies looked at something of what the trials of `study` see (`experiment/study`), one of
    /// which scored on the bars with this fingerprint. Its own looks are counted by the study itself, wherever they ran.
    ///
    /// Of bars that no line describes, the fingerprint is all that is known: any two looks at them meet.
    pub(crate) fn of_others(&self, fingerprint: &str, study: &str) -> anyhow::Result<u64> {
        let mut looks = BTreeMap::<(String, String), u64>::new();
        let mut own = Vec::new();
        let mut others = BTreeMap::<String, Vec<Seen>>::new();
        let is_own = |named: &str| named == study || is_old_name(named, study);
        // A line that was torn stands for a look that its study still knows.
        for line in self.0.read()? {
            match line {
                Line::Look { study, .. } if is_own(&study) => {}
                Line::Look { study, data, .. } => *looks.entry((study, data)).or_default() += 1,
                Line::Sight { study, seen } if is_own(&study) => own.push(seen),
                Line::Sight { study, seen } => others.entry(study).or_default().push(seen),
            }
        }
        if !describes(&own, fingerprint) {
            own.push(Seen::bars(fingerprint));
        }
        let meets = |seen: &Seen| own.iter().any(|own| own.meets(seen));
        let is_met = |study: &String, data: &String| {
            let sights = others.get(study).map_or(&[][..], Vec::as_slice);
            sights.iter().any(meets) || (!describes(sights, data) && meets(&Seen::bars(data.as_str())))
        };
        Ok(looks.iter().filter(|((study, data), _)| is_met(study, data)).map(|(_, count)| count).sum())
    }

    /// Writes down what the trials of `study` see, unless it is written there.
    pub(crate) fn describe(&self, study: &str, seen: &Seen) -> anyhow::Result<()> {
        let sight = Line::Sight { study: study.into(), seen: seen.clone() };
        if self.0.read::<Line>()?.contains(&sight) { Ok(()) } else { self.append(&sight) }
    }

    /// Writes down that a trial looks.
    pub(crate) fn note(&self, fingerprint: &str, study: &str, trial: u64, at: String) -> anyhow::Result<()> {
        self.append(&Line::Look { at, data: fingerprint.into(), study: study.into(), trial })
    }

    fn append(&self, line: &Line) -> anyhow::Result<()> {
        self.0.append(line).with_context(|| format!("cannot write {}", self.0.path().display()))
    }
}

/// Whether one of `sights` says what of these bars was seen.
fn describes(sights: &[Seen], fingerprint: &str) -> bool {
    sights.iter().any(|seen| seen.data == fingerprint)
}

/// Whether `named` is what lines of before experiments were named call `study`.
fn is_old_name(named: &str, study: &str) -> bool {
    study.split_once('/').is_some_and(|(_, name)| name == named)
}
