//! Where a vendor's rows go: sorted out by series, each with the file and the row it stood in.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::error::IngestError;
use super::layout::Series;
use super::spec::LeanPrices;
use super::spill::Spill;
use crate::spec::Symbol;
use crate::time::{Timeframe, Timestamp};

/// Rows from all files. One text, a file or an entry of an archive, is one part.
pub(super) struct Intake<'a> {
    /// Whose bars all are, if that was said.
    symbol: Option<&'a Symbol>,
    /// How long all bars are, if that was said.
    timeframe: Option<Timeframe>,
    only: BTreeSet<&'a Symbol>,
    pub(super) spill: Spill,
    pub(super) parts: Vec<Part>,
    /// Series whose files have no volume.
    pub(super) without_volume: BTreeSet<usize>,
    /// Rows whose local time occurs twice, so that the declared rule decided which it is.
    pub(super) ambiguous_times: usize,
    /// What the bars of a series are made of, where files of one symbol may hold two kinds of prices.
    prices: HashMap<usize, LeanPrices>,
}

/// A text that rows come from.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// The file it is in, by its place among the inputs.
    pub(super) input: usize,
    /// What messages call it: the file, and below it the entry.
    pub(super) label: PathBuf,
}

/// What a vendor's name says of the bars inside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) symbol: Option<Symbol>,
    pub(super) timeframe: Option<Timeframe>,
}

impl Named {
    /// Symbol and timeframe.
    ///
    /// # Errors
    /// Which of them is missing.
    pub(super) fn complete(self) -> Result<(Symbol, Timeframe), &'static str> {
        let symbol = self.symbol.ok_or("its name does not say whose bars these are; name the symbol")?;
        let timeframe =
            self.timeframe.ok_or("its name does not say how long its bars are; name the timeframe")?;
        Ok((symbol, timeframe))
    }
}

impl<'a> Intake<'a> {
    pub(super) fn new(
        symbol: Option<&'a Symbol>,
        timeframe: Option<Timeframe>,
        only: &'a [Symbol],
        spill: Spill,
    ) -> Self {
        let only = only.iter().collect();
        Self {
            symbol,
            timeframe,
            only,
            spill,
            parts: Vec::new(),
            without_volume: BTreeSet::new(),
            ambiguous_times: 0,
            prices: HashMap::new(),
        }
    }

    /// The rows that come next are from a text of the `input`th file, which messages call `label`.
    pub(super) fn begin(&mut self, input: usize, label: &Path) {
        self.parts.push(Part { input, label: label.into() });
    }

    /// What is known of bars that a name says `named` of.
    pub(super) fn known(&self, named: Named) -> Named {
        let symbol = self.symbol.cloned().or(named.symbol).filter(|symbol| !symbol.as_str().is_empty());
        Named { symbol, timeframe: self.timeframe.or(named.timeframe) }
    }

    /// The series of bars that a name says `named` of; `Ok(None)` if they were not asked for.
    ///
    /// # Errors
    /// What nobody says of the bars.
    pub(super) fn series(&mut self, named: Named) -> Result<Option<usize>, &'static str> {
        let (symbol, timeframe) = self.known(named).complete()?;
        let is_wanted = self.only.is_empty() || self.only.contains(&symbol);
        Ok(is_wanted.then(|| self.spill.number_of(&Series { timeframe, symbol })))
    }

    /// Takes note that `series` is made of `prices`; `false` if it is already made of others.
    pub(super) fn agree_on_prices(&mut self, series: usize, prices: LeanPrices) -> bool {
        *self.prices.entry(series).or_insert(prices) == prices
    }

    /// Adds a bar that opens at `open_time`, from row `number` of the current part.
    pub(super) fn push(
        &mut self,
        series: usize,
        number: u64,
        open_time: Timestamp,
        values: [f64; 5],
    ) -> Result<(), IngestError> {
        let part = self.parts.len() - 1;
        self.spill
            .push(series, part, number, open_time, values)
            .map_err(|source| IngestError::WriteFile { path: self.spill.folder().into(), source })
    }

    /// The error that row `number` of the current part has `problem`.
    pub(super) fn row_error(&self, number: u64, problem: impl Into<String>) -> IngestError {
        let label = self.parts.last().map(|part| part.label.clone()).unwrap_or_default();
        IngestError::Row { path: label, row: number, problem: problem.into() }
    }
}
