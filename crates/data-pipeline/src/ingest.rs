//! Vendors' files into one layout of Parquet: once, and again whenever there is more.

mod audited;
mod container;
mod error;
mod input;
mod intake;
mod layout;
mod lock;
mod merge;
mod partition;
mod report;
mod rows;
mod spec;
mod spill;
mod vendor;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use self::container::hash;
use self::input::Input;
use self::intake::Intake;
use self::layout::{Series, periods};
use self::lock::Exclusive;
use self::merge::{Merged, Origin, Row, merge};
use self::partition::{Partition, Source};
use self::spill::Spill;
use crate::audit::{Severity, SymbolAudit, audit};
use crate::bar::{Bar, Bars};
use crate::repair::RepairCount;
use crate::spec::RepairSpec;
use crate::time::Timestamp;

pub use error::{Conflict, IngestError};
pub use report::{IngestReport, PassedOver};
pub use spec::{IngestSpec, LeanPrices, LeanSpec, OnConflict, Vendor};

/// Reads the files of `spec.inputs` and merges their bars into the layout at `spec.into`:
///
/// ```text
/// <into>/timeframe=1h/symbol=BTCUSDT/2024.parquet   a year of bars (a month, for bars below a minute)
/// <into>/audit.json                                 what was found in them
/// ```
///
/// Each file has the columns `timestamp` (ns, UTC, the bar's open), `open`, `high`, `low`, `close` and `volume`, sorted by
/// time, and says in its metadata where its bars come from: names and BLAKE3 hashes of the vendor's files. The reader of
/// `data.source.path` takes the folder as it is, with `stamp: open`.
///
/// The bytes of a file depend on its bars and their sources alone: the same ingest again changes no byte, and two halves
/// make the same files as the whole. A bar that is there already with the same numbers is passed over; one with other
/// numbers is refused, or `spec.on_conflict` decides. Rows that cannot be true are refused, unless `spec.repair` covers
/// them, and so is a result that the audit finds fault with. Nothing is written before everything has been read, merged
/// and audited. Then files are put in place one by one, each the old one or the new one whenever the process is killed;
/// the same ingest again brings such a layout to its end.
///
/// Memory grows with the bars of one symbol and timeframe, not with the input: rows are sorted out on disk. A second
/// process in the same layout is refused.
///
/// # Errors
/// The first fault, with its file and row; see [`IngestError`].
pub fn ingest(spec: &IngestSpec) -> Result<IngestReport, IngestError> {
    check(spec)?;
    let (inputs, passed_over) = recognised(spec)?;
    let exclusive = Exclusive::acquire(&spec.into)?;
    let spill = Spill::new(exclusive.staging());
    let mut intake = Intake::new(spec.symbol.as_ref(), spec.timeframe, &spec.only, spill);
    let mut sources = Vec::with_capacity(inputs.len());
    for (place, path) in inputs.iter().enumerate() {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        sources.push(Source { name, blake3: hash(path)?, repairs: Vec::new() });
        vendor::read(&spec.vendor, path, place, &mut intake)?;
    }
    let (files, ambiguous_times) = (inputs.len(), intake.ambiguous_times);
    let mut report = IngestReport { files, passed_over, ambiguous_times, ..IngestReport::default() };
    report.repairs.extend(spec.repair.iter().map(|&rule| RepairCount { rule, rows: 0 }));
    let mut merging = Merging { spec, sources, exclusive: &exclusive, report, staged: Vec::new() };
    let mut audits = BTreeMap::new();
    for (series, number) in intake.spill.series() {
        if let Some(audit) = merging.merge(&series, number, &mut intake)? {
            audits.insert(series, audit);
        }
    }
    let mut report = merging.put_in_place()?;
    report.audit = audited::update(&spec.into, exclusive.staging(), &audits)?;
    Ok(report)
}

fn check(spec: &IngestSpec) -> Result<(), IngestError> {
    if spec.repair.iter().any(|rule| matches!(rule, RepairSpec::ForwardFill { .. })) {
        let problem = "forward_fill makes up bars, which do not belong into a layout that others read; let the run that needs \
                       them ask for it in data.repair";
        return Err(IngestError::Spec { problem });
    }
    Ok(())
}

/// The files to read, and those that are none of the vendor's.
fn recognised(spec: &IngestSpec) -> Result<(Vec<PathBuf>, Vec<PassedOver>), IngestError> {
    let vendor = spec.vendor.name();
    let (mut recognised, mut passed_over) = (Vec::new(), Vec::new());
    let nothing = Path::new("");
    let asked = Intake::new(spec.symbol.as_ref(), spec.timeframe, &[], Spill::new(nothing));
    for Input { path, named } in input::files(&spec.inputs)? {
        let known = vendor::recognise(&spec.vendor, &path)
            .and_then(|named| asked.known(named).complete().map_err(str::to_owned));
        match known {
            Ok(_) => recognised.push(path),
            Err(problem) if named => return Err(IngestError::Recognise { path, vendor, problem }),
            Err(problem) => passed_over.push(PassedOver { path, problem }),
        }
    }
    if recognised.is_empty() {
        Err(IngestError::NoInput { vendor, passed_over })
    } else {
        Ok((recognised, passed_over))
    }
}

/// Series on their way into the layout. Nothing in it changes before [`Self::put_in_place`].
struct Merging<'a> {
    spec: &'a IngestSpec,
    /// One for each input, in their order.
    sources: Vec<Source>,
    exclusive: &'a Exclusive,
    report: IngestReport,
    /// Files that are done, and where they belong below the layout's folder.
    staged: Vec<(PathBuf, PathBuf)>,
}

impl Merging<'_> {
    /// Merges the rows of one series and stages the files that change. Returns the audit of all its bars, if there are any.
    fn merge(
        &mut self,
        series: &Series,
        number: usize,
        intake: &mut Intake<'_>,
    ) -> Result<Option<SymbolAudit>, IngestError> {
        let folder = intake.spill.folder().to_owned();
        let raw = intake.spill.take(number);
        let raw = raw.map_err(|source| IngestError::ReadFile { path: folder, source })?;
        let (rows, repairs) = rows::checked(series, &raw, &intake.parts, &self.spec.repair)?;
        drop(raw);
        if intake.without_volume.contains(&number) {
            self.report.without_volume.push(series.symbol.clone());
        }
        self.report.bars += rows.len();
        let old = Partition::read(&self.spec.into, series)?;
        let merged = merge(old_rows(&old.bars).chain(rows).collect(), self.spec.on_conflict);
        if merged.conflicts > 0 && self.spec.on_conflict == OnConflict::Refuse {
            return Err(conflict(series, merged, intake));
        }
        let bars = bars_of(series, &merged.rows);
        if bars.is_empty() {
            return Ok(None);
        }
        let audit = audit(std::slice::from_ref(&bars)).symbols.remove(0);
        if let Some(finding) = audit.findings.iter().find(|found| found.kind.severity() == Severity::Error) {
            let Series { symbol, timeframe } = series.clone();
            return Err(IngestError::Result { symbol, timeframe, finding: Box::new(finding.clone()) });
        }
        self.count(&merged);
        self.stage(series, &bars, &merged, &old, intake, &repairs)?;
        Ok(Some(audit))
    }

    fn count(&mut self, merged: &Merged) {
        self.report.new += merged.new;
        self.report.identical += merged.identical;
        self.report.kept += merged.kept;
        self.report.replaced += merged.replaced;
    }

    /// Writes the files of `series` that are not in the layout as they should be.
    fn stage(
        &mut self,
        series: &Series,
        bars: &Bars,
        merged: &Merged,
        old: &Partition,
        intake: &Intake<'_>,
        repairs: &rows::Repairs,
    ) -> Result<(), IngestError> {
        for counts in repairs.values() {
            for (total, count) in self.report.repairs.iter_mut().zip(counts) {
                total.rows += count.rows;
            }
        }
        let mut witnesses = merged.witnesses.iter().peekable();
        for (period, range) in periods(series.timeframe, &bars.open_time) {
            let mut inputs = BTreeSet::new();
            while let Some((_, part)) = witnesses.next_if(|(place, _)| *place < range.end) {
                inputs.insert(intake.parts[*part].input);
            }
            let before = old.sources.get(&period);
            let mut sources = before.cloned().unwrap_or_default();
            for input in inputs {
                let mended = repairs.get(&input).into_iter().flatten().filter(|count| count.rows > 0);
                sources.add(&Source { repairs: mended.copied().collect(), ..self.sources[input].clone() });
            }
            let is_old = |row: &Row| row.origin == Origin::Layout;
            if before == Some(&sources) && merged.rows[range.clone()].iter().all(is_old) {
                continue;
            }
            let staged = self.exclusive.staging().join(format!("{}.parquet", self.staged.len()));
            partition::write(&bars.take(&range.collect::<Vec<_>>()), &sources, &staged)?;
            self.staged.push((staged, series.folder().join(period.file_name())));
        }
        Ok(())
    }

    /// Puts every staged file in its place, and makes the names last.
    fn put_in_place(mut self) -> Result<IngestReport, IngestError> {
        let write_error = |path: &Path, source| IngestError::WriteFile { path: path.into(), source };
        let mut folders = BTreeSet::new();
        for (staged, place) in std::mem::take(&mut self.staged) {
            let path = self.spec.into.join(&place);
            let folder = path.parent().unwrap_or(&self.spec.into);
            let moved = fs::create_dir_all(folder).and_then(|()| fs::rename(&staged, &path));
            moved.map_err(|source| write_error(&path, source))?;
            // Its own, that of the timeframe, and the layout's.
            folders.extend(folder.ancestors().take(3).map(Path::to_owned));
            self.report.written.push(place);
        }
        for folder in folders {
            audited::sync_folder(&folder).map_err(|source| write_error(&folder, source))?;
        }
        Ok(self.report)
    }
}

/// The bars of the layout as rows.
fn old_rows(bars: &Bars) -> impl Iterator<Item = Row> {
    (0..bars.len()).filter_map(|row| bars.get(row)).zip(1..).map(|(bar, number)| Row {
        open_time: bar.open_time,
        values: [bar.open, bar.high, bar.low, bar.close, bar.volume],
        origin: Origin::Layout,
        number,
    })
}

/// Rows as bars of `series`, in their order.
fn bars_of(series: &Series, rows: &[Row]) -> Bars {
    let mut bars = Bars::with_capacity(series.symbol.clone(), series.timeframe, rows.len());
    for &Row { open_time, values: [open, high, low, close, volume], .. } in rows {
        let close_time: Timestamp = open_time.plus(series.timeframe.span());
        bars.push(Bar { open_time, close_time, available_at: close_time, open, high, low, close, volume });
    }
    bars
}

fn conflict(series: &Series, merged: Merged, intake: &Intake<'_>) -> IngestError {
    let from = |origin: Origin, number: u64| match origin {
        Origin::Layout => "the layout".into(),
        Origin::File(part) => format!("row {number} of {}", intake.parts[part].label.display()),
    };
    let first = merged.first_conflicts.into_iter();
    IngestError::Conflict {
        symbol: series.symbol.clone(),
        timeframe: series.timeframe,
        count: merged.conflicts,
        first: first
            .map(|(conflict, origin, number)| Conflict { from: from(origin, number), ..conflict })
            .collect(),
    }
}
