//! Rows sorted out by series while files are read: in memory while they are few, on disk beyond that, so that memory does
//! not grow with the input.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::layout::Series;
use super::merge::{Origin, Row};
use crate::time::Timestamp;

/// Bytes held in memory over all series: half a million rows.
const MOST_HELD: usize = 32 << 20;
/// Open time, five numbers, file and row number, 8 bytes each.
const ROW_BYTES: usize = 64;

/// Rows of many series. Rows of one series come back in the order in which they went in.
pub(super) struct Spill {
    folder: PathBuf,
    numbers: HashMap<Series, usize>,
    series: Vec<Held>,
    held: usize,
    most_held: usize,
}

/// The rows of one series that are in memory, and whether there are earlier ones on disk.
struct Held {
    series: Series,
    bytes: Vec<u8>,
    on_disk: bool,
}

impl Spill {
    /// None yet; what does not fit into memory goes to `folder`.
    pub(super) fn new(folder: &Path) -> Self {
        let (numbers, series) = (HashMap::new(), Vec::new());
        Self { folder: folder.into(), numbers, series, held: 0, most_held: MOST_HELD }
    }

    /// Where rows go that do not fit into memory.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The number by which rows of `series` are pushed.
    pub(super) fn number_of(&mut self, series: &Series) -> usize {
        if let Some(&number) = self.numbers.get(series) {
            return number;
        }
        let number = self.series.len();
        self.numbers.insert(series.clone(), number);
        self.series.push(Held { series: series.clone(), bytes: Vec::new(), on_disk: false });
        number
    }

    /// Adds a row of a file, the `number`th one, to a series.
    pub(super) fn push(
        &mut self,
        series: usize,
        file: usize,
        number: u64,
        open_time: Timestamp,
        values: [f64; 5],
    ) -> io::Result<()> {
        let bytes = &mut self.series[series].bytes;
        bytes.extend(open_time.nanos().to_le_bytes());
        values.iter().for_each(|value| bytes.extend(value.to_le_bytes()));
        bytes.extend((file as u64).to_le_bytes());
        bytes.extend(number.to_le_bytes());
        self.held += ROW_BYTES;
        if self.held >= self.most_held { self.move_to_disk() } else { Ok(()) }
    }

    /// Everything in memory goes to disk.
    fn move_to_disk(&mut self) -> io::Result<()> {
        for (number, held) in self.series.iter_mut().enumerate().filter(|(_, held)| !held.bytes.is_empty()) {
            let mut file = OpenOptions::new().create(true).append(true).open(path(&self.folder, number))?;
            file.write_all(&held.bytes)?;
            (held.bytes, held.on_disk) = (Vec::new(), true);
        }
        self.held = 0;
        Ok(())
    }

    /// Every series that has been named, by timeframe and symbol, with its number.
    pub(super) fn series(&self) -> Vec<(Series, usize)> {
        let mut series: Vec<_> =
            self.series.iter().enumerate().map(|(number, held)| (held.series.clone(), number)).collect();
        series.sort();
        series
    }

    /// Takes out the rows of a series.
    pub(super) fn take(&mut self, series: usize) -> io::Result<Vec<Row>> {
        let held = &mut self.series[series];
        let mut bytes = Vec::new();
        let path = path(&self.folder, series);
        if held.on_disk {
            File::open(&path)?.read_to_end(&mut bytes)?;
            std::fs::remove_file(&path)?;
            held.on_disk = false;
        }
        self.held -= held.bytes.len();
        bytes.append(&mut std::mem::take(&mut held.bytes));
        Ok(bytes.chunks_exact(ROW_BYTES).map(row).collect())
    }
}

fn path(folder: &Path, series: usize) -> PathBuf {
    folder.join(format!("{series}.rows"))
}

fn row(bytes: &[u8]) -> Row {
    let word = |place: usize| <[u8; 8]>::try_from(&bytes[8 * place..8 * place + 8]).unwrap_or_default();
    let value = |place| f64::from_le_bytes(word(place));
    Row {
        open_time: Timestamp::from_nanos(i64::from_le_bytes(word(0))),
        values: [1, 2, 3, 4, 5].map(value),
        origin: Origin::File(u64::from_le_bytes(word(6)) as usize),
        number: u64::from_le_bytes(word(7)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Symbol;

    /// Rows that have been on disk come back as those that have not.
    #[test]
    fn rows_come_back_in_their_order_wherever_they_were() {
        let taken = |most_held: usize| {
            let folder = tempfile::tempdir().unwrap();
            let mut spill = Spill { most_held, ..Spill::new(folder.path()) };
            for number in 0..100_u64 {
                let symbol = Symbol::new(format!("S{}", number % 3));
                let series = Series { timeframe: "1h".parse().unwrap(), symbol };
                let series = spill.number_of(&series);
                let values = [0.1, f64::NAN, -0.0, 1e300, number as f64];
                let time = Timestamp::from_nanos(-3 + number as i64);
                spill.push(series, 7, number, time, values).unwrap();
            }
            let series = spill.series();
            let rows: Vec<Vec<Row>> = series.iter().map(|&(_, number)| spill.take(number).unwrap()).collect();
            assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none(), "files are left");
            format!("{series:?} {rows:?}")
        };
        assert_eq!(taken(usize::MAX), taken(10 * ROW_BYTES));
    }
}
