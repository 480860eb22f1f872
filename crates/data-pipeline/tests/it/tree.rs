//! Folders that say what is in them, globs, and several files of one symbol.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use tapeline_data_pipeline::{
    Bars, DataSpec, Fingerprint, RepairSpec, SourceSpec, Span, Stamp, Symbol, SymbolsSpec, read_bars,
    write_parquet,
};
use tempfile::TempDir;

use crate::random_market::{timeframe, walk};

/// Writes `bars` as `path` below `root`.
fn put(root: &Path, path: &str, bars: &Bars) {
    let path = root.join(path);
    let folder = path.parent().unwrap();
    let named = Bars { symbol: Symbol::new("written"), ..bars.clone() };
    write_parquet(&[named], folder).unwrap();
    fs::rename(folder.join("written.parquet"), path).unwrap();
}

fn source(path: impl AsRef<Path>) -> SourceSpec {
    SourceSpec { path: Some(path.as_ref().into()), stamp: Some(Stamp::Open), ..SourceSpec::default() }
}

fn bars(symbol: &str, base: &str, rows: std::ops::Range<i64>) -> Bars {
    walk(symbol, timeframe(base), rows, Span::ZERO, 1)
}

fn names(bars: &[Bars]) -> Vec<(&str, usize)> {
    bars.iter().map(|bars| (bars.symbol.as_str(), bars.len())).collect()
}

/// Minutes and five minutes of two symbols, one of them in two files.
fn market() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    put(root, "timeframe=5m/symbol=BTC%2FUSDT/2.parquet", &bars("B", "5m", 50..90));
    put(root, "timeframe=5m/symbol=BTC%2FUSDT/1.parquet", &bars("B", "5m", 0..50));
    put(root, "timeframe=5m/symbol=ETH/x.parquet", &bars("E", "5m", 0..30));
    put(root, "timeframe=1h/symbol=ETH/x.parquet", &bars("E", "1h", 0..20));
    fs::write(root.join("timeframe=5m/symbol=ETH/README.md"), "notes").unwrap();
    folder
}

#[test]
fn folders_name_timeframe_and_symbol() {
    let market = market();
    let read = |base: &str| read_bars(&source(market.path()), timeframe(base)).unwrap();
    assert_eq!(names(&read("5m")), [("BTC/USDT", 90), ("ETH", 30)]);
    assert_eq!(names(&read("1h")), [("ETH", 20)]);
    let whole = &read("5m")[0];
    assert!(whole.open_time.is_sorted());
    assert_eq!(whole.close[..50], bars("B", "5m", 0..50).close);

    let only = SymbolsSpec::Only(vec![Symbol::new("ETH")]);
    let some = SourceSpec { symbols: only, ..source(market.path().join("timeframe=5m")) };
    assert_eq!(names(&read_bars(&some, timeframe("5m")).unwrap()), [("ETH", 30)]);
}

#[test]
fn globs_name_files_and_folders() {
    let market = market();
    let read = |glob: &str| read_bars(&source(market.path().join(glob)), timeframe("5m"));
    assert_eq!(names(&read("timeframe=5m/symbol=*").unwrap()), [("BTC/USDT", 90), ("ETH", 30)]);
    assert_eq!(names(&read("**/*.parquet").unwrap()), [("BTC/USDT", 90), ("ETH", 30)]);
    assert_eq!(names(&read("**/1.parquet").unwrap()), [("BTC/USDT", 50)]);
    let flat = tempfile::tempdir().unwrap();
    for (path, rows) in
        [("2023/AAA.parquet", 0..20), ("2024/AAA.parquet", 20..40), ("2024/.AAB.parquet", 0..9)]
    {
        put(flat.path(), path, &bars("A", "5m", rows));
    }
    let years = read_bars(&source(flat.path().join("*/*.parquet")), timeframe("5m")).unwrap();
    assert_eq!(names(&years), [("AAA", 40)]);
    let literal = flat.path().join("[2023]");
    fs::create_dir(&literal).unwrap();
    put(&literal, "BBB.parquet", &bars("B", "5m", 0..5));
    assert_eq!(names(&read_bars(&source(literal), timeframe("5m")).unwrap()), [("BBB", 5)]);
}

#[test]
fn overlapping_files_are_kept_in_the_order_of_their_names_where_a_rule_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (early, mut late) = (bars("A", "5m", 0..60), bars("A", "5m", 40..100));
    late.volume.iter_mut().for_each(|volume| *volume = 1234.0);
    put(folder.path(), "symbol=A/1.parquet", &early);
    put(folder.path(), "symbol=A/2.parquet", &late);
    let refused = read_bars(&source(folder.path()), timeframe("5m")).unwrap_err().to_string();
    assert!(refused.contains("[keep_last_duplicate]"), "{refused}");
    let spec = DataSpec {
        source: source(folder.path()),
        repair: vec![RepairSpec::KeepLastDuplicate],
        timeframes: vec![timeframe("5m")],
        ..DataSpec::default()
    };
    let (joined, report) = spec.check().unwrap().read().unwrap();
    assert_eq!((joined[0].len(), report.symbols[0].repairs[0].rows), (100, 20));
    assert_eq!(joined[0].volume[..40], early.volume[..40]);
    assert_eq!(joined[0].volume[40..], [1234.0; 60]);
}

/// A link that leads nowhere is a file that cannot be read, and not one that is not there.
#[test]
#[cfg(unix)]
fn a_file_that_cannot_be_opened_is_named() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "AAA.parquet", &bars("A", "5m", 0..20));
    std::os::unix::fs::symlink("nowhere", folder.path().join("BBB.parquet")).unwrap();
    let said = read_bars(&source(folder.path()), timeframe("5m")).unwrap_err().to_string();
    assert!(said.starts_with("cannot open ") && said.ends_with("BBB.parquet"), "{said}");
}

proptest! {
    /// However the bars of a symbol are shared out among files, together they are the same bars.
    #[test]
    fn parts_are_put_together_as_they_were(cuts in proptest::collection::btree_set(1_i64..200, 0..6), reverse: bool) {
        let folder = tempfile::tempdir().unwrap();
        let whole = bars("A", "5m", 0..200);
        let ends: Vec<i64> = std::iter::once(0).chain(cuts).chain([200]).collect();
        for (index, part) in ends.windows(2).enumerate() {
            let rows: Vec<usize> = (part[0] as usize..part[1] as usize).collect();
            let name = if reverse { 9 - index } else { index };
            put(folder.path(), &format!("symbol=A/{name}.parquet"), &whole.take(&rows));
        }
        let read = read_bars(&source(folder.path()), timeframe("5m")).unwrap();
        prop_assert_eq!(Fingerprint::of_bars(&read), Fingerprint::of_bars(&[whole]));
    }
}
