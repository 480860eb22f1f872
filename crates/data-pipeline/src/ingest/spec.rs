//! What is ingested, from whom, and what happens to bars that are there already.

use std::fmt;
use std::path::PathBuf;

use crate::spec::{RepairSpec, SourceSpec, Symbol};
use crate::time::Timeframe;
use crate::zone::Zone;

/// Files of one vendor on their way into one layout.
#[derive(Clone, Debug)]
pub struct IngestSpec {
    /// Whose files.
    pub vendor: Vendor,
    /// Files, folders (with all below them) and globs.
    pub inputs: Vec<PathBuf>,
    /// The folder of the layout; it is made if need be.
    pub into: PathBuf,
    /// Whose bars these are, where the files do not say so or say it otherwise.
    pub symbol: Option<Symbol>,
    /// How long the bars are, where the files do not say so.
    pub timeframe: Option<Timeframe>,
    /// Symbols to take; all when empty.
    pub only: Vec<Symbol>,
    /// Rules that mend rows before they are merged, as in `data.repair`. Each use is counted.
    pub repair: Vec<RepairSpec>,
    /// What to do when a bar is there already with other numbers.
    pub on_conflict: OnConflict,
}

/// Who wrote the files, and what has to be known beside them.
#[derive(Clone, Debug, PartialEq)]
pub enum Vendor {
    /// Klines of the exchange's archive: CSV with or without a header, plain or in a zip; epoch ms or µs.
    Binance,
    /// Minute bars of `DAT_ASCII_…` files: semicolons, fixed EST without daylight saving; CSV or zip.
    HistData,
    /// The zips of Lean's data folder, by asset class, market and resolution.
    Lean(LeanSpec),
    /// Candles that freqtrade has downloaded: feather, or JSON, which may be gzipped.
    Freqtrade,
    /// Any text whose format is declared in the words of `data.source`: `stamp`, `columns` and `text`.
    Csv(Box<SourceSpec>),
}

impl Vendor {
    /// Every vendor's name.
    pub const NAMES: [&str; 5] = ["binance", "histdata", "lean", "freqtrade", "csv"];

    /// The name it is asked for by.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Binance => Self::NAMES[0],
            Self::HistData => Self::NAMES[1],
            Self::Lean(_) => Self::NAMES[2],
            Self::Freqtrade => Self::NAMES[3],
            Self::Csv(_) => Self::NAMES[4],
        }
    }
}

impl fmt::Display for Vendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What Lean's file names leave open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeanSpec {
    /// Which files to take. Without a word, either kind; both kinds of one symbol are refused.
    pub prices: Option<LeanPrices>,
    /// The clock that the times show, for markets where it is not known here.
    pub zone: Option<Zone>,
}

/// Which of Lean's prices become bars.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeanPrices {
    /// Bars of trades, with their volume.
    Trades,
    /// The mean of bid and ask, price by price; the volume is 0.
    Mids,
}

/// What happens to a bar that is there already with other numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnConflict {
    /// Nothing is written, and the first such bars are named.
    #[default]
    Refuse,
    /// The bar that was there first stays.
    KeepOld,
    /// The bar that came last stays.
    KeepNew,
}
