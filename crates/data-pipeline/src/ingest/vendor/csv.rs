//! Any text whose format is declared in the words of `data.source`.

use std::collections::HashMap;
use std::path::Path;

use super::super::container;
use super::super::error::IngestError;
use super::super::intake::{Intake, Named};
use super::{file_name, without_ending};
use crate::source::plan::ReadPlan;
use crate::source::text::{TextFormat, TextReader};
use crate::source::text_file::columns;
use crate::spec::{FormatSpec, SourceSpec, Symbol, TextSpec};
use crate::time::Timeframe;

const VENDOR: &str = "csv";
const TEXTS: [&str; 3] = [".csv", ".tsv", ".txt"];
const WRAPPED: [&str; 5] = [".zip", ".csv.gz", ".tsv.gz", ".txt.gz", ".gz"];

/// Named for its symbol, unless that stands in a column.
pub(super) fn recognise(path: &Path) -> Result<Named, String> {
    let name = file_name(path);
    let stem = without_ending(&name, &TEXTS).or_else(|| without_ending(&name, &WRAPPED));
    let stem = stem.ok_or("it does not end in .csv, .tsv, .txt, .gz or .zip")?;
    Ok(Named { symbol: Some(Symbol::new(stem)), timeframe: None })
}

pub(super) fn read(
    path: &Path,
    source: &SourceSpec,
    input: usize,
    intake: &mut Intake<'_>,
) -> Result<(), IngestError> {
    let refuse = |problem: String| IngestError::Recognise { path: path.into(), vendor: VENDOR, problem };
    let stamp = source.stamp.ok_or(IngestError::Spec {
        problem: "data.source.stamp is required: `open` or `close`, whichever end of a bar its time names",
    })?;
    let outer = recognise(path).map_err(refuse)?;
    let (_, timeframe) = intake.known(outer.clone()).complete().map_err(|problem| refuse(problem.into()))?;
    let plan = ReadPlan { spec: source, stamp, timeframe };
    container::for_each_text(path, &mut |label, text| {
        let name = file_name(label);
        let inner = recognise(label).unwrap_or_else(|_| outer.clone());
        let default = TextSpec::default();
        let spec = source.text.as_ref().unwrap_or(&default);
        let format = TextFormat { spec, delimiter: delimiter(source, &name), stamp };
        let several = source.columns.symbol.is_some();
        let mut reader = TextReader::open(text, label, format, &columns(&plan, several))?;
        intake.begin(input, label);
        let mut series = SeriesOf { timeframe, known: HashMap::new() };
        while reader.advance()? {
            let place = match (&inner.symbol, several) {
                (Some(symbol), false) => series.number(symbol.as_str(), intake),
                _ => series.number(reader.symbol()?, intake),
            };
            let Some(place) = place.map_err(|problem| refuse(problem.into()))? else { continue };
            let line = reader.line();
            let row = reader.row()?;
            if plan.wants(row.stamp) {
                intake.ambiguous_times += usize::from(row.ambiguous);
                let number = |column: usize| row.numbers.get(column).copied().unwrap_or(0.0);
                let bar = plan.bar(row.stamp, [0, 1, 2, 3, 4].map(number));
                let values = [bar.open, bar.high, bar.low, bar.close, bar.volume];
                intake.push(place, line, bar.open_time, values)?;
            }
            if source.columns.volume.is_none() {
                intake.without_volume.insert(place);
            }
        }
        Ok(())
    })
}

fn delimiter(source: &SourceSpec, name: &str) -> u8 {
    let declared = source.text.as_ref().and_then(|text| text.delimiter);
    let is_tsv = source.format == FormatSpec::Tsv || without_ending(name, &[".tsv", ".tsv.gz"]).is_some();
    let usual = if is_tsv { '\t' } else { ',' };
    u8::try_from(declared.unwrap_or(usual)).unwrap_or(b',')
}

/// Series by the symbol in a row, looked up once for each.
struct SeriesOf {
    timeframe: Timeframe,
    known: HashMap<String, Option<usize>>,
}

impl SeriesOf {
    fn number(&mut self, symbol: &str, intake: &mut Intake<'_>) -> Result<Option<usize>, &'static str> {
        if let Some(&number) = self.known.get(symbol) {
            return Ok(number);
        }
        let named = Named { symbol: Some(Symbol::new(symbol)), timeframe: Some(self.timeframe) };
        let number = intake.series(named)?;
        self.known.insert(symbol.to_owned(), number);
        Ok(number)
    }
}
