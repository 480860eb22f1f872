//! Versions in words: a line for each, and all that is known of one. Plain text that fits a log.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use comfy_table::{CellAlignment, LineStyle, Table, TableStyle, presets};
use serde_json::{Value, json};
use tapeline_artefact::{AliasChange, AliasCommand, Aliases, Entry, Evidence, RegistryError, Verdict};

use super::pointing;
use crate::failure::Failure;

/// Lines above, under the header and below, and none between the rows.
const STYLE: TableStyle = presets::UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none());

/// The score that a line has room for.
const SCORE: &str = "validation/loss";

/// A version, whole or not.
pub(super) struct Row {
    model: String,
    version: u32,
    aliases: Vec<String>,
    state: Result<Entry, String>,
}

impl Row {
    /// What was found of a version. One that is damaged has its line, too; other faults are the whole list's.
    pub(super) fn of(
        entry: Result<Entry, RegistryError>,
        model: &str,
        version: u32,
        aliases: &Aliases,
    ) -> Result<Self, Failure> {
        let state = match entry {
            Ok(entry) => Ok(entry),
            Err(
                error @ (RegistryError::Unusable { .. }
                | RegistryError::Parse { .. }
                | RegistryError::Layout { .. }),
            ) => Err(Failure::from(error).message()),
            Err(error) => return Err(error.into()),
        };
        Ok(Self {
            model: model.into(),
            version,
            aliases: aliases.of(version).map(str::to_owned).collect(),
            state,
        })
    }

    pub(super) fn json(&self) -> Value {
        let Self { model, version, aliases, .. } = self;
        match &self.state {
            Err(problem) => {
                json!({ "model": model, "version": version, "aliases": aliases, "damaged": problem })
            }
            Ok(entry) => json!({
                "model": model,
                "version": version,
                "aliases": aliases,
                "damaged": null,
                "artefact": entry.artefact,
                "registered": entry.registered,
                "run": entry.evidence.run,
                "leak_check": leak_check(&entry.evidence),
                "targets": target_counts(&entry.evidence),
                SCORE: score(&entry.evidence),
            }),
        }
    }
}

/// A line for each version.
pub(super) fn render(rows: &[Row]) -> String {
    let mut table = Table::new();
    table.load_style(STYLE);
    table.set_header(["model", "version", "aliases", "registered", "run", "leak check", "targets", "loss"]);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 1));
        if matches!(index, 1 | 7) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut damaged = String::new();
    for Row { model, version, aliases, state } in rows {
        let mut cells = vec![model.clone(), version.to_string(), aliases.join(", ")];
        match state {
            Ok(entry) => cells.extend([
                minutes(&entry.registered.at),
                entry.evidence.run.clone(),
                leak_check(&entry.evidence).unwrap_or("none").into(),
                targets(&entry.evidence),
                score(&entry.evidence).map_or_else(|| "–".into(), |loss| format!("{loss:.5}")),
            ]),
            Err(problem) => {
                cells.push("DAMAGED".into());
                let _ = writeln!(damaged, "{model} {version}: {problem}"); // writing to a String cannot fail
            }
        }
        table.add_row(cells);
    }
    let lines = table.to_string();
    let lines: Vec<&str> = lines.lines().map(str::trim_end).collect();
    format!("{}\n{damaged}", lines.join("\n"))
}

/// The minute of an RFC 3339 instant.
fn minutes(at: &str) -> String {
    at.chars().take("2026-01-31T00:00".len()).map(|c| if c == 'T' { ' ' } else { c }).collect()
}

fn leak_check(evidence: &Evidence) -> Option<&'static str> {
    let certificate = evidence.leak_certificate.as_ref()?;
    Some(if certificate.is_clean() { "clean" } else { "LEAKS" })
}

/// What can become of a target, the worst first.
const VERDICTS: [(Verdict, &str); 4] = [
    (Verdict::Missed, "missed"),
    (Verdict::Undefined, "undefined"),
    (Verdict::NotScored, "not scored"),
    (Verdict::Met, "met"),
];

fn count(evidence: &Evidence, verdict: Verdict) -> usize {
    evidence.targets.iter().filter(|target| target.verdict == verdict).count()
}

/// By verdict, with every verdict there is.
fn target_counts(evidence: &Evidence) -> BTreeMap<String, usize> {
    let counted = |(verdict, word): (Verdict, &str)| (word.replace(' ', "_"), count(evidence, verdict));
    VERDICTS.into_iter().map(counted).collect()
}

fn targets(evidence: &Evidence) -> String {
    let told: Vec<String> = VERDICTS
        .into_iter()
        .map(|(verdict, word)| (count(evidence, verdict), word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    if told.is_empty() { "–".into() } else { told.join(", ") }
}

fn score(evidence: &Evidence) -> Option<f64> {
    evidence.scores.get(SCORE).copied().flatten()
}

/// All that is known of a version.
pub(super) fn details(entry: &Entry, aliases: &Aliases) -> String {
    let Entry { model, version, artefact, registered, evidence, .. } = entry;
    let mut text = format!("{model} version {version}");
    let pointing = pointing(aliases, *version);
    if !pointing.is_empty() {
        text.push_str(&format!(", {pointing}"));
    }
    text.push('\n');
    let mut line = |name: &str, value: String| text.push_str(&format!("{name:<12}{value}\n"));
    line("artefact", artefact.clone());
    line("registered", format!("{} by {}", registered.at, registered.by));
    line("run", evidence.run.clone());
    line("leak check", leak_words(evidence));
    for target in &evidence.targets {
        let verdict = match target.verdict {
            Verdict::Met => "met",
            Verdict::Missed => "MISSED",
            Verdict::Undefined => "UNDEFINED",
            Verdict::NotScored => "NOT SCORED",
        };
        let bound = |word: &str, bound: Option<f64>| {
            bound.map_or_else(String::new, |bound| format!(", at {word} {bound}"))
        };
        let value = target.value.map_or_else(|| "–".into(), |value| value.to_string());
        let bounds = bound("least", target.min) + &bound("most", target.max);
        line("target", format!("{} {value}{bounds}: {verdict}", target.metric));
    }
    for (metric, value) in &evidence.scores {
        line(
            "score",
            format!("{metric} {}", value.map_or_else(|| "undefined".into(), |v| format!("{v:.6}"))),
        );
    }
    for change in aliases.history() {
        let signature = &change.signature;
        line("move", format!("{} {} by {}", signature.at, one_move(model, change), signature.by));
        if let Some(forced) = &change.forced {
            line("", format!("forced ({}): {}", forced.reason, forced.obstacles.join("; ")));
        }
    }
    text
}

fn leak_words(evidence: &Evidence) -> String {
    let Some(certificate) = &evidence.leak_certificate else { return "none".into() };
    let (probes, version) = (certificate.probes.len(), &certificate.tapeline);
    match certificate.leaks.len() {
        0 => format!("clean: {probes} instants probed by tapeline {version}"),
        leaks => format!("{leaks} LEAKS: {probes} instants probed by tapeline {version}"),
    }
}

/// A move in one line.
pub(super) fn one_move(model: &str, change: &AliasChange) -> String {
    let AliasChange { alias, from, to, command, forced, .. } = change;
    let from = from.map_or_else(|| "nothing".into(), |from| format!("version {from}"));
    let how = match (command, forced) {
        (AliasCommand::Promote, None) => "promoted",
        (AliasCommand::Promote, Some(_)) => "promoted by force",
        (AliasCommand::Rollback, _) => "rolled back",
    };
    format!("{alias} of {model}: {from} → version {to} ({how})")
}
