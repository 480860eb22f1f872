//! Whether a spec makes sense. All faults are found, each with its path.

use std::collections::BTreeSet;
use std::hash::Hash;

use garde::{Error, Path, Report};

use super::Pipeline;
use crate::spec::{
    DataSpec, FormatSpec, RepairSpec, SequenceLengthSpec, SourceSpec, SplitSpec, SymbolsSpec, SyntheticSpec,
};
use crate::synthetic::STRONGEST_BEST_IC;
use crate::table::InputLayout;
use crate::time::{MINUTE, Span, Timeframe};

/// The longest built-in market: a century ends before instants do.
const MOST_DAYS: usize = 36_500;
/// The largest built-in market, in days of all symbols together: 144 million bars, which take 10 GB.
const MOST_SYMBOL_DAYS: usize = 100_000;
/// How far the shares of a split may add up beside 1.
const SHARES_TOLERANCE: f64 = 1e-9;

impl DataSpec {
    /// The pipeline this spec describes.
    ///
    /// # Errors
    /// All faults, with paths relative to `data`.
    pub fn check(&self) -> Result<Pipeline, Report> {
        let mut report = Report::new();
        check_source(&self.source, &mut report);
        check_repair(&self.repair, &mut report);
        check_timeframes(&self.timeframes, &mut report);
        self.check_base_of_built_in_market(&mut report);
        let lengths = check_lengths(&self.sequence_length, &self.timeframes, &mut report);
        self.check_max_age(&mut report);
        if self.max_gap < Span::ZERO {
            fault(&mut report, Path::new("max_gap"), "must not be negative");
        }
        if self.features.is_empty() {
            fault(&mut report, Path::new("features"), "must name at least one feature");
        }
        check_unique(&self.features, &Path::new("features"), &mut report);
        for (index, feature) in self.features.iter().enumerate() {
            feature.check(&Path::new("features").join(index), &mut report);
        }
        if !(self.scaling.clip.is_finite() && self.scaling.clip > 0.0) {
            fault(&mut report, Path::new("scaling").join("clip"), "must be a finite number above 0");
        }
        check_split(&self.split, &mut report);
        if let Some(augmentation) = &self.augmentation {
            augmentation.check(&self.features, &Path::new("augmentation"), &mut report);
        }
        if self.stride == 0 {
            fault(&mut report, Path::new("stride"), "must be at least 1 bar");
        }
        if !report.is_empty() {
            return Err(report);
        }
        let layout = |(index, (&timeframe, &length))| match index {
            0 => InputLayout::base(timeframe, length, &self.features),
            _ => InputLayout::higher(timeframe, length, &self.features),
        };
        Ok(Pipeline {
            spec: self.clone(),
            inputs: self.timeframes.iter().zip(&lengths).enumerate().map(layout).collect(),
            max_age: self.timeframes.iter().map(|timeframe| self.max_age.get(timeframe).copied()).collect(),
        })
    }

    fn check_base_of_built_in_market(&self, report: &mut Report) {
        let minutes = |base: &&Timeframe| base.nanos() % MINUTE != 0;
        if self.source.path.is_none() && self.timeframes.first().filter(minutes).is_some() {
            fault(
                report,
                Path::new("timeframes").join(0),
                "must be whole minutes: the built-in market has 1m bars",
            );
        }
    }

    fn check_max_age(&self, report: &mut Report) {
        for (timeframe, &oldest) in &self.max_age {
            let path = Path::new("max_age").join(timeframe.to_string());
            if self.timeframes.first() == Some(timeframe) {
                fault(
                    report,
                    path,
                    "is the base timeframe, whose newest bar is the decision itself and never old",
                );
            } else if !self.timeframes.contains(timeframe) {
                fault(report, path, "is not one of data.timeframes");
            } else if oldest < Span::ZERO {
                fault(report, path, "must not be negative");
            }
        }
    }
}

fn fault(report: &mut Report, path: Path, message: impl Into<String>) {
    report.append(path, Error::new(message.into()));
}

fn check_unique<T: Eq + Hash>(values: &[T], path: &Path, report: &mut Report) {
    let mut seen = std::collections::HashSet::new();
    for (index, value) in values.iter().enumerate() {
        if !seen.insert(value) {
            fault(report, path.join(index), "is there twice");
        }
    }
}

fn check_source(source: &SourceSpec, report: &mut Report) {
    let path = Path::new("source");
    if source.publication_lag < Span::ZERO {
        fault(report, path.join("publication_lag"), "must not be negative");
    }
    if let (Some(start), Some(end)) = (source.start, source.end)
        && start >= end
    {
        fault(report, path.join("end"), format!("must be later than source.start, {start}"));
    }
    if let SymbolsSpec::Only(symbols) = &source.symbols {
        if symbols.is_empty() {
            fault(report, path.join("symbols"), "must name at least one symbol, or be `all`");
        }
        check_unique(symbols, &path.join("symbols"), report);
    }
    match (&source.path, &source.synthetic) {
        (Some(_), Some(_)) => {
            fault(report, path.join("synthetic"), "cannot be given together with source.path");
        }
        (Some(_), None) => check_file_source(source, report),
        (None, synthetic) => {
            check_only_for_files(source, report);
            check_synthetic(&synthetic.clone().unwrap_or_default(), report);
        }
    }
}

fn check_file_source(source: &SourceSpec, report: &mut Report) {
    let path = Path::new("source");
    if source.stamp.is_none() {
        fault(
            report,
            path.join("stamp"),
            "is required with source.path: `open` or `close`, whichever end of a bar its time names",
        );
    }
    let columns = &source.columns;
    let mut named = vec![
        ("timestamp", &columns.timestamp),
        ("open", &columns.open),
        ("high", &columns.high),
        ("low", &columns.low),
        ("close", &columns.close),
    ];
    named.extend(columns.time_of_day.iter().map(|column| ("time_of_day", column)));
    named.extend(columns.volume.iter().map(|column| ("volume", column)));
    named.extend(columns.symbol.iter().map(|column| ("symbol", column)));
    let mut seen = BTreeSet::new();
    for (role, column) in named {
        let path = path.join("columns").join(role);
        if column.is_empty() {
            fault(report, path, "must not be empty");
        } else if !seen.insert(column) {
            fault(report, path, format!("{column:?} is named for another column already"));
        }
    }
    check_text(source, report);
}

/// Keys that say nothing about the built-in market.
fn check_only_for_files(source: &SourceSpec, report: &mut Report) {
    let given = [
        ("format", source.format != FormatSpec::Auto),
        ("text", source.text.is_some()),
        ("start", source.start.is_some()),
        ("end", source.end.is_some()),
    ];
    for (key, _) in given.into_iter().filter(|(_, given)| *given) {
        fault(report, Path::new("source").join(key), "is for files; give source.path");
    }
}

/// What is said about texts, and whether it is texts that are read.
fn check_text(source: &SourceSpec, report: &mut Report) {
    let path = Path::new("source");
    if source.format == FormatSpec::Parquet {
        let message = "is for csv and tsv, and source.format is parquet";
        if source.text.is_some() {
            fault(report, path.join("text"), message);
        }
        if source.columns.time_of_day.is_some() {
            fault(report, path.join("columns").join("time_of_day"), message);
        }
    }
    let Some(text) = &source.text else { return };
    let delimiter = path.join("text").join("delimiter");
    match text.delimiter {
        Some(_) if source.format == FormatSpec::Tsv => {
            fault(report, delimiter, "is a tab in tsv; use format: csv with another one");
        }
        Some(character) if !is_delimiter(character) => {
            let message =
                "must be an ASCII character that is no letter, digit, quote, sign, point or line end";
            fault(report, delimiter, message);
        }
        _ => {}
    }
}

fn is_delimiter(character: char) -> bool {
    let inside_cells = character.is_ascii_alphanumeric() || "\"'+-.\r\n\0".contains(character);
    character.is_ascii() && !inside_cells
}

fn check_synthetic(market: &SyntheticSpec, report: &mut Report) {
    let path = Path::new("source").join("synthetic");
    if market.symbols == 0 {
        fault(report, path.join("symbols"), "must be at least 1");
    }
    if market.days == 0 {
        fault(report, path.join("days"), "must be at least 1");
    }
    if market.days > MOST_DAYS {
        fault(report, path.join("days"), format!("must be at most {MOST_DAYS}"));
    } else if market.symbols.saturating_mul(market.days) > MOST_SYMBOL_DAYS {
        let most = MOST_SYMBOL_DAYS / market.days.max(1);
        fault(report, path.join("symbols"), format!("must be at most {most} for so many days"));
    }
    if !(0.0..=STRONGEST_BEST_IC).contains(&market.best_ic) {
        fault(report, path.join("best_ic"), format!("must be at least 0 and at most {STRONGEST_BEST_IC}"));
    }
}

fn check_repair(rules: &[RepairSpec], report: &mut Report) {
    for (index, rule) in rules.iter().enumerate() {
        let path = Path::new("repair").join(index);
        if rules[..index].contains(rule) {
            fault(report, path.clone(), "is there twice");
        }
        if matches!(rule, RepairSpec::ForwardFill { max_bars: 0 }) {
            fault(report, path.join("forward_fill").join("max_bars"), "must be at least 1");
        }
    }
}

fn check_timeframes(timeframes: &[Timeframe], report: &mut Report) {
    let path = Path::new("timeframes");
    let Some((base, higher)) = timeframes.split_first() else {
        return fault(report, path, "must name at least one timeframe");
    };
    for (index, timeframe) in (1..).zip(higher) {
        if timeframes[1..index].contains(timeframe) {
            fault(report, path.join(index), "is there twice");
        } else if timeframe <= base || timeframe.nanos() % base.nanos() != 0 {
            fault(report, path.join(index), format!("{timeframe} is not a multiple of the base, {base}"));
        }
    }
}

/// The window length of each timeframe; empty when there is a fault.
fn check_lengths(lengths: &SequenceLengthSpec, timeframes: &[Timeframe], report: &mut Report) -> Vec<usize> {
    let path = Path::new("sequence_length");
    match lengths {
        SequenceLengthSpec::Same(0) => fault(report, path, "must be at least 1 bar"),
        SequenceLengthSpec::Same(length) => return vec![*length; timeframes.len()],
        SequenceLengthSpec::Each(lengths) => {
            for (timeframe, &length) in lengths {
                if !timeframes.contains(timeframe) {
                    fault(report, path.join(timeframe.to_string()), "is not one of data.timeframes");
                } else if length == 0 {
                    fault(report, path.join(timeframe.to_string()), "must be at least 1 bar");
                }
            }
            for timeframe in timeframes.iter().filter(|timeframe| !lengths.contains_key(timeframe)) {
                fault(
                    report,
                    path.join(timeframe.to_string()),
                    "is missing: each of data.timeframes needs a length",
                );
            }
            return timeframes.iter().filter_map(|timeframe| lengths.get(timeframe).copied()).collect();
        }
    }
    Vec::new()
}

fn check_split(split: &SplitSpec, report: &mut Report) {
    let path = Path::new("split");
    let shares = [("train", split.train), ("validation", split.validation), ("test", split.test)];
    let possible = |share: f64| share > 0.0 && share < 1.0;
    for (name, _) in shares.iter().filter(|(_, share)| !possible(*share)) {
        fault(report, path.join(*name), "must be above 0 and below 1");
    }
    let sum: f64 = shares.iter().map(|(_, share)| share).sum();
    if shares.iter().all(|(_, share)| possible(*share)) && (sum - 1.0).abs() > SHARES_TOLERANCE {
        fault(report, path, format!("train, validation and test must add up to 1; they add up to {sum}"));
    }
}
