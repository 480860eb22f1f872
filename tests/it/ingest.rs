//! `tapeline data ingest` from outside: each vendor's words, and a process that is killed while it writes.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::program::{BAD_INPUT, DONE, Said, tapeline};

/// 2024-12-01T00:00:00Z in seconds: with five hundred hours and more, the year ends among the bars.
const START: i64 = 1_733_011_200;

/// Hours from the `from`th on, as freqtrade writes them.
fn candles(from: usize, count: usize) -> String {
    let rows: Vec<String> = (from..from + count)
        .map(|hour| {
            let (time, price) = ((START + 3600 * hour as i64) * 1000, 100.0 + (hour * 37 % 101) as f64 / 8.0);
            format!("[{time},{price},{},{},{price},{}]", price + 0.5, price - 0.5, hour % 7 + 1)
        })
        .collect();
    format!("[{}]", rows.join(","))
}

fn klines(hours: usize) -> String {
    let mut text = String::new();
    for hour in 0..hours {
        let time = (START + 3600 * hour as i64) * 1000;
        writeln!(text, "{time},100.5,101,99.5,100,7.25,{},0,0,0,0,0", time + 3_599_999).unwrap();
    }
    text
}

fn say<'a>(folder: &TempDir, arguments: impl IntoIterator<Item = &'a str>) -> Said {
    Said::by(tapeline(folder.path(), ["data", "ingest"].into_iter().chain(arguments)))
}

#[test]
fn what_was_ingested_is_told_and_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("BTCUSDT-1h-2024-12.csv"), klines(800)).unwrap();
    let arguments = ["--from", "binance", "--input", "BTCUSDT-1h-2024-12.csv", "--into", "bars"];
    say(&folder, arguments)
        .ended_with(DONE)
        .printing("1 file read: 800 bars, 800 new, 0 there already")
        .printing("2 files written")
        .printing("BTCUSDT  1h");
    say(&folder, arguments).ended_with(DONE).printing("nothing to write");

    let source = "data.source={path: bars, stamp: open}";
    let read = ["data", "audit", "--set", source, "--set", "data.timeframes=[1h]"];
    Said::by(tapeline(folder.path(), read)).ended_with(DONE).printing("BTCUSDT  1h     800");
}

#[test]
fn a_text_is_declared_in_the_words_of_a_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let text = "20240101 0930;1;2;0,5;1,5;7\n20240101 1030;1;2;0,5;1,5;7\n";
    fs::write(folder.path().join("spy.txt"), text).unwrap();
    let source = "data.source.text={delimiter: ';', header: none, decimal: comma, \
                  time: {format: '%Y%m%d %H%M', zone: America/New_York}}";
    let columns =
        "data.source.columns={timestamp: '1', open: '2', high: '3', low: '4', close: '5', volume: '6'}";
    let declared = ["--set", "data.source.stamp=close", "--set", source, "--set", columns];
    let named =
        ["--from", "csv", "--input", "spy.txt", "--into", "bars", "--symbol", "SPY", "--timeframe", "30m"];
    // The bars are an hour apart and cannot be half an hour long.
    say(&folder, named.into_iter().chain(declared)).ended_with(BAD_INPUT).complaining("too_far_apart");
    let named =
        ["--from", "csv", "--input", "spy.txt", "--into", "bars", "--symbol", "SPY", "--timeframe", "15m"];
    say(&folder, named.into_iter().chain(declared)).ended_with(BAD_INPUT).complaining("bars of SPY 15m");
    fs::write(folder.path().join("spy.txt"), text.replace("1030", "0945")).unwrap();
    say(&folder, named.into_iter().chain(declared)).ended_with(DONE).printing("2024-01-01T14:15:00Z");
}

#[test]
fn words_that_do_not_belong_together_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("BTCUSDT-1h-2024-12.csv"), klines(10)).unwrap();
    let from = |vendor| ["--from", vendor, "--input", "BTCUSDT-1h-2024-12.csv", "--into", "bars"];
    say(&folder, from("kraken")).ended_with(BAD_INPUT).complaining("binance, histdata, lean, freqtrade, csv");
    let zone = ["--zone", "America/New_York"];
    say(&folder, from("binance").into_iter().chain(zone)).ended_with(BAD_INPUT).complaining("--from lean");
    let set = ["--set", "data.source.stamp=close"];
    say(&folder, from("binance").into_iter().chain(set)).ended_with(BAD_INPUT).complaining("--from csv");
    let fill = ["--repair", "forward_fill"];
    say(&folder, from("binance").into_iter().chain(fill)).ended_with(BAD_INPUT).complaining("drop_bad_rows");
    say(&folder, from("histdata")).ended_with(BAD_INPUT).complaining("not a file of histdata");
    assert!(!folder.path().join("bars").exists());
}

/// Symbols of the killed ingests; each has two files in the layout.
const SYMBOLS: usize = 24;
const KILLS: u32 = 10;

/// Adds candles of every symbol as files in `folder`.
fn add_candles(folder: &Path, from: usize, count: usize) {
    let text = candles(from, count);
    for symbol in 0..SYMBOLS {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join(format!("S{symbol:02}_USDT-1h.json")), &text).unwrap();
    }
}

/// The words that bring the candles in `input` into the layout `into`.
fn from<'a>(input: &'a str, into: &'a str) -> [&'a str; 6] {
    ["--from", "freqtrade", "--input", input, "--into", into]
}

/// The files of a layout that a reader sees.
fn files(layout: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![layout.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().unwrap().to_string_lossy().starts_with('.') {
                continue;
            }
            if path.is_dir() {
                open.push(path);
            } else {
                found.insert(path.strip_prefix(layout).unwrap().to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    found
}

#[test]
fn each_file_of_a_killed_ingest_is_the_old_one_or_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    add_candles(&folder.path().join("first"), 0, 800);
    add_candles(&folder.path().join("second"), 700, 800);
    say(&folder, from("first", "undisturbed")).ended_with(DONE);
    let old = files(&folder.path().join("undisturbed"));
    let begun = Instant::now();
    say(&folder, from("second", "undisturbed")).ended_with(DONE).printing("48 files written");
    let whole = begun.elapsed();
    let new = files(&folder.path().join("undisturbed"));
    assert_eq!((old.len(), new.len()), (2 * SYMBOLS + 1, 2 * SYMBOLS + 1));

    let mut seen = Vec::new();
    for number in 0..KILLS {
        let into = format!("killed-{number}");
        say(&folder, from("first", &into)).ended_with(DONE);
        let mut process =
            tapeline(folder.path(), ["data", "ingest"].into_iter().chain(from("second", &into)))
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
        // Most of the time is spent before anything is put in place, so most kills come late.
        let share = 1.0 - (f64::from(number) / f64::from(KILLS)).powi(2) / 2.0;
        std::thread::sleep(Duration::from_secs_f64(whole.as_secs_f64() * share));
        process.kill().unwrap();
        process.wait().unwrap();

        let left = files(&folder.path().join(&into));
        assert_eq!(left.keys().collect::<Vec<_>>(), old.keys().collect::<Vec<_>>());
        let replaced = left.iter().filter(|(name, bytes)| {
            assert!(**bytes == old[*name] || **bytes == new[*name], "{} is neither", name.display());
            **bytes == new[*name]
        });
        seen.push(replaced.count());
        say(&folder, from("second", &into)).ended_with(DONE);
        assert_eq!(files(&folder.path().join(&into)), new);
    }
    println!("files that had been replaced when the kill came: {seen:?}");
}
