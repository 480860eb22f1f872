//! Specs that make no sense for a file that does. `tests/config` has whole configurations.

use tapeline_data_pipeline::{DataSpec, FormatSpec, Symbol, SymbolsSpec, SyntheticSpec, TextSpec};

use super::text::{good_rows, with_rows};
use super::{Case, file};

pub(super) fn only(symbols: &[&str]) -> SymbolsSpec {
    SymbolsSpec::Only(symbols.iter().map(|&symbol| Symbol::new(symbol)).collect())
}

fn case(name: &'static str, change: fn(&mut DataSpec)) -> Case {
    file(name, "AAA.csv", with_rows(&good_rows(4))).with(change)
}

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("symbol-asked-for-twice", |spec| spec.source.symbols = only(&["AAA", "AAA"])),
        case("symbol-not-there", |spec| spec.source.symbols = only(&["AAB"])),
        case("column-for-two-things", |spec| spec.source.columns.low = "high".into()),
        case("time-of-day-for-two-things", |spec| spec.source.columns.time_of_day = Some("timestamp".into())),
        case("column-without-a-name", |spec| spec.source.columns.volume = Some(String::new())),
        case("end-before-start", |spec| {
            spec.source.start = Some("2024-01-02T00:00:00Z".parse().unwrap());
            spec.source.end = Some("2024-01-01T00:00:00Z".parse().unwrap());
        }),
        case("delimiter-that-is-a-digit", |spec| {
            spec.source.text = Some(TextSpec { delimiter: Some('1'), ..TextSpec::default() });
        }),
        case("delimiter-that-is-not-ascii", |spec| {
            spec.source.text = Some(TextSpec { delimiter: Some('·'), ..TextSpec::default() });
        }),
        case("delimiter-for-tsv", |spec| {
            spec.source.format = FormatSpec::Tsv;
            spec.source.text = Some(TextSpec { delimiter: Some(';'), ..TextSpec::default() });
        }),
        case("text-for-parquet", |spec| {
            spec.source.format = FormatSpec::Parquet;
            spec.source.text = Some(TextSpec::default());
            spec.source.columns.time_of_day = Some("time".into());
        }),
        case("span-for-the-built-in-market", |spec| {
            (spec.source.path, spec.source.stamp) = (None, None);
            spec.source.format = FormatSpec::Csv;
            spec.source.text = Some(TextSpec::default());
            spec.source.start = Some("2024-01-02T00:00:00Z".parse().unwrap());
            spec.source.synthetic = Some(SyntheticSpec::default());
        }),
    ]
}
