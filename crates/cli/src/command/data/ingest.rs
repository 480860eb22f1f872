//! `tapeline data ingest`: vendors' files into one audited layout of Parquet.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use tapeline_data_pipeline::{
    IngestSpec, LeanPrices, LeanSpec, OnConflict, RepairSpec, SourceSpec, Symbol, Timeframe, Vendor, Zone,
    ingest,
};

use crate::command::ConfigArguments;
use crate::config::Sources;
use crate::failure::{DONE, Failure};

/// What `ingest` takes.
#[derive(Debug, Args)]
pub(in crate::command) struct Arguments {
    /// Whose files they are.
    #[arg(long, value_name = "VENDOR")]
    from: VendorName,
    /// Files, folders (with all below them) and quoted globs such as 'klines/*.zip'.
    #[arg(long, value_name = "PATH", required = true, num_args = 1..)]
    input: Vec<PathBuf>,
    /// The folder of the layout; bars that it has already are passed over.
    #[arg(long, value_name = "FOLDER")]
    into: PathBuf,
    /// Whose bars they are, where the files do not say so or say it otherwise.
    #[arg(long, value_parser = symbol)]
    symbol: Option<Symbol>,
    /// How long the bars are, where the files do not say so, such as 5m, 1h or 1d.
    #[arg(long)]
    timeframe: Option<Timeframe>,
    /// Take the bars of this symbol and no others. May be given many times.
    #[arg(long, value_name = "SYMBOL", value_parser = symbol)]
    only: Vec<Symbol>,
    /// Mend rows by this rule of data.repair before they are merged. May be given many times; the order counts.
    #[arg(long, value_name = "RULE", value_parser = rule)]
    repair: Vec<RepairSpec>,
    /// What to do with a bar that is there already with other numbers.
    #[arg(long, value_enum, default_value = "refuse")]
    on_conflict: ConflictName,
    /// lean: take trades, or the mean of bid and ask, where there are both.
    #[arg(long, value_enum)]
    prices: Option<PricesName>,
    /// lean: the clock of the files, where the market's is not known, such as Asia/Kolkata.
    #[arg(long)]
    zone: Option<Zone>,
    #[command(flatten)]
    declared: ConfigArguments,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum VendorName {
    /// Klines of the archive: spot or USD-M futures, csv or zip, ms or µs.
    Binance,
    /// Minute bars, DAT_ASCII_…_M1_…, csv or zip.
    Histdata,
    /// The zips of Lean's data folder, without options.
    Lean,
    /// Downloaded candles: feather, json or json.gz.
    Freqtrade,
    /// Any text in the words of data.source (stamp, columns, text), by --config or --set.
    Csv,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ConflictName {
    /// Write nothing and name the first of them.
    Refuse,
    /// Keep the bar that was there.
    KeepOld,
    /// Take the bar that comes last.
    KeepNew,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum PricesName {
    /// Trades, with their volume.
    Trades,
    /// The mean of bid and ask, without a volume.
    Mids,
}

pub(super) fn run(arguments: &Arguments) -> Result<i32, Failure> {
    let spec = arguments.spec()?;
    let report = ingest(&spec)?;
    println!("{report}");
    println!("{}", report.audit);
    println!(
        "read it with data.source: {{path: {}, stamp: open}} and one of its timeframes",
        spec.into.display()
    );
    Ok(DONE)
}

impl Arguments {
    fn spec(&self) -> Result<IngestSpec, Failure> {
        self.refuse_words_of_other_vendors()?;
        let vendor = match self.from {
            VendorName::Binance => Vendor::Binance,
            VendorName::Histdata => Vendor::HistData,
            VendorName::Freqtrade => Vendor::Freqtrade,
            VendorName::Lean => Vendor::Lean(LeanSpec {
                prices: self.prices.map(|prices| match prices {
                    PricesName::Trades => LeanPrices::Trades,
                    PricesName::Mids => LeanPrices::Mids,
                }),
                zone: self.zone.clone(),
            }),
            VendorName::Csv => Vendor::Csv(Box::new(self.declared_source()?)),
        };
        Ok(IngestSpec {
            vendor,
            inputs: self.input.clone(),
            into: self.into.clone(),
            symbol: self.symbol.clone(),
            timeframe: self.timeframe,
            only: self.only.clone(),
            repair: self.repair.clone(),
            on_conflict: match self.on_conflict {
                ConflictName::Refuse => OnConflict::Refuse,
                ConflictName::KeepOld => OnConflict::KeepOld,
                ConflictName::KeepNew => OnConflict::KeepNew,
            },
        })
    }

    fn refuse_words_of_other_vendors(&self) -> Result<(), Failure> {
        let refuse = |words| Err(Failure::bad_input(anyhow::anyhow!("{words}")));
        if self.from != VendorName::Lean && (self.prices.is_some() || self.zone.is_some()) {
            return refuse(
                "--prices and --zone belong to --from lean; for csv, the zone is data.source.text.time.zone",
            );
        }
        let is_declared = self.declared.config.is_some() || !self.declared.set.is_empty();
        if self.from != VendorName::Csv && is_declared {
            return refuse(
                "--config and --set declare a format, which --from csv has; other vendors' formats are known",
            );
        }
        Ok(())
    }

    /// What `data.source` says of the text, with the first input for its path.
    fn declared_source(&self) -> Result<SourceSpec, Failure> {
        let path = self.input.first().map_or_else(|| Path::new("."), PathBuf::as_path);
        let path = serde_json::to_string(path).map_err(Failure::bad_input)?;
        let ConfigArguments { config, set } = self.declared.clone();
        // Without a file, nothing of the built-in market is meant. With one, only its path is not.
        let (mut sets, last) = match &config {
            None => (vec![format!("data.source={{path: {path}}}")], None),
            Some(_) => (Vec::new(), Some(format!("data.source.path={path}"))),
        };
        sets.extend(set);
        sets.extend(last);
        let sources = Sources::of_process(config, sets);
        let resolved = crate::config::load(&sources).map_err(Failure::bad_input)?;
        Ok(resolved.config.data.source)
    }
}

fn symbol(text: &str) -> Result<Symbol, String> {
    if text.is_empty() { Err("a symbol has at least one character".into()) } else { Ok(Symbol::new(text)) }
}

/// A rule by its word in `data.repair`.
fn rule(text: &str) -> Result<RepairSpec, String> {
    let word = serde_json::Value::String(text.into());
    serde_json::from_value(word).map_err(|_| {
        format!("{text:?} is none of drop_bad_rows, keep_last_duplicate and sort_by_time, the rules that mend rows")
    })
}
