//! Bars that nobody traded, as each vendor would write them.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, TimestampMillisecondArray};
use arrow::ipc::CompressionType;
use arrow::ipc::writer::{FileWriter, IpcWriteOptions};
use tapeline_data_pipeline::Bars;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// 2024-12-30T20:00:00Z in seconds: a year ends among the bars.
pub(super) const START: i64 = 1_735_588_800;

/// A bar: when it opens, in seconds since 1970, and open, high, low, close, volume.
pub(super) type MadeUp = (i64, [f64; 5]);

/// `count` bars that are `step` seconds apart, from `start` on. All numbers have few decimals.
pub(super) fn bars_from(start: i64, step: i64, count: usize) -> Vec<MadeUp> {
    let bar = |place: usize| {
        let price = |offset: usize| ((place * 37 + offset * 11) % 101 + 900) as f64 / 8.0;
        let (open, close) = (price(0), price(1));
        let (high, low) = (open.max(close) + 0.25, open.min(close) - 0.125);
        (start + step * place as i64, [open, high, low, close, (place % 7) as f64 + 0.5])
    };
    (0..count).map(bar).collect()
}

/// Hourly bars from [`START`] on.
pub(super) fn hours(count: usize) -> Vec<MadeUp> {
    bars_from(START, 3600, count)
}

/// What a layout should have: the same, in nanoseconds.
pub(super) fn rows(bars: &Bars) -> Vec<MadeUp> {
    let bar = |row: usize| {
        let bar = bars.get(row).unwrap();
        assert_eq!(bar.open_time.nanos() % 1_000_000_000, 0);
        (bar.open_time.nanos() / 1_000_000_000, [bar.open, bar.high, bar.low, bar.close, bar.volume])
    };
    (0..bars.len()).map(bar).collect()
}

/// Klines whose times are multiplied by `units` per second.
pub(super) fn klines(bars: &[MadeUp], units: i64, header: bool) -> String {
    let mut text = String::new();
    if header {
        text.push_str(
            "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,\
             taker_buy_quote_volume,ignore\n",
        );
    }
    for (time, [open, high, low, close, volume]) in bars {
        let time = time * units;
        let end = time + 3600 * units - 1;
        writeln!(text, "{time},{open:.8},{high:.8},{low:.8},{close:.8},{volume},{end},1.5,12,0.5,0.25,0")
            .unwrap();
    }
    text
}

/// Lines of time, as `stamp` writes it, and the five numbers, between them `delimiter`.
pub(super) fn lines(bars: &[MadeUp], delimiter: char, stamp: impl Fn(i64) -> String) -> String {
    let mut text = String::new();
    for (time, numbers) in bars {
        text.push_str(&stamp(*time));
        numbers.iter().for_each(|number| write!(text, "{delimiter}{number}").unwrap());
        text.push('\n');
    }
    text
}

/// `time` in seconds since 1970 on a clock that is `hours` ahead of UTC, by a pattern.
pub(super) fn on_a_clock(time: i64, hours: i64, pattern: &str) -> String {
    jiff::Timestamp::from_second(time + 3600 * hours).unwrap().strftime(pattern).to_string()
}

/// A zip with these files.
pub(super) fn zipped(files: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

pub(super) fn gzipped(text: &str) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(text.as_bytes()).unwrap();
    gzip.finish().unwrap()
}

/// Candles as freqtrade's JSON has them.
pub(super) fn json(bars: &[MadeUp]) -> String {
    let row = |(time, [open, high, low, close, volume]): &MadeUp| {
        format!("[{}, {open}, {high}, {low}, {close}, {volume}]", time * 1000)
    };
    format!("[{}]", bars.iter().map(row).collect::<Vec<_>>().join(", "))
}

/// Candles as freqtrade's feather files have them: an Arrow file, its columns compressed by LZ4.
pub(super) fn feather(bars: &[MadeUp]) -> Vec<u8> {
    let times = TimestampMillisecondArray::from_iter_values(bars.iter().map(|(time, _)| time * 1000));
    let mut columns: Vec<(&str, ArrayRef)> = vec![("date", Arc::new(times.with_timezone("UTC")))];
    for (place, name) in ["open", "high", "low", "close", "volume"].into_iter().enumerate() {
        let column = bars.iter().map(|(_, numbers)| numbers[place]);
        columns.push((name, Arc::new(Float64Array::from_iter_values(column))));
    }
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME)).unwrap();
    let mut writer = FileWriter::try_new_with_options(Vec::new(), batch.schema_ref(), options).unwrap();
    // Two batches, as pandas writes what does not fit into one.
    let half = batch.num_rows() / 2;
    writer.write(&batch.slice(0, half)).unwrap();
    writer.write(&batch.slice(half, batch.num_rows() - half)).unwrap();
    writer.into_inner().unwrap()
}
