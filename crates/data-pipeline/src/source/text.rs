//! Text with a line for each bar, in a declared format, row by row and in bounded memory.
//!
//! [`TextReader`] knows nothing of bars: it gives an instant, numbers and a symbol for each row, from any [`Read`]. It
//! reads the columns it is asked for and no others; a row of another width, a line that is not text and a cell that is not
//! what it should be are errors that name the line.

mod clock;
mod line;
mod number;

use std::io::Read;
use std::path::{Path, PathBuf};

use csv_core::{ReadRecordResult, Terminator};

use crate::error::DataError;
use crate::nearest::by_similarity;
use crate::spec::{Header, Stamp, TextSpec};
use crate::time::Timestamp;
use clock::Clock;
use line::{LineProblem, Lines};
use number::number;

/// How a text is written, with the delimiter decided.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TextFormat<'a> {
    /// `data.source.text`; its delimiter is not looked at.
    pub(crate) spec: &'a TextSpec,
    /// Between two cells.
    pub(crate) delimiter: u8,
    /// Which end of a bar a time names: a bare date cannot be a close.
    pub(crate) stamp: Stamp,
}

/// A column to read: what it is for, as in `data.source.columns`, and its name in the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column<'a> {
    pub(crate) role: &'static str,
    pub(crate) name: &'a str,
}

/// The columns to read out of a text.
#[derive(Clone, Debug)]
pub(crate) struct TextColumns<'a> {
    /// One column, or a date and a time of day that are joined by a space.
    pub(crate) time: Vec<Column<'a>>,
    /// Numbers, in the order in which [`TextRow::numbers`] has them.
    pub(crate) numbers: Vec<Column<'a>>,
    /// The symbol, where one file holds several.
    pub(crate) symbol: Option<Column<'a>>,
}

/// What a row says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TextRow<'a> {
    /// Its time.
    pub(crate) stamp: Timestamp,
    /// Does its local time occur twice, so that `ambiguous` decided which it is?
    pub(crate) ambiguous: bool,
    /// One for each of [`TextColumns::numbers`]; an empty cell is NaN.
    pub(crate) numbers: &'a [f64],
}

/// Reads a text row by row: [`advance`](Self::advance), and then what is wanted of the row.
pub(crate) struct TextReader<'a, R> {
    path: PathBuf,
    format: TextFormat<'a>,
    lines: Lines<R>,
    clock: Clock<'a>,
    columns: Vec<(usize, String)>,
    time: std::ops::Range<usize>,
    symbol: Option<usize>,
    /// The cells of the header, where it names the columns.
    header: Option<Vec<String>>,
    /// Cells of every row.
    width: usize,
    cells: Cells,
    /// Is the row in `cells` still to be handed out?
    pending: bool,
    joined: String,
    numbers: Vec<f64>,
}

impl<'a, R: Read> TextReader<'a, R> {
    /// Looks at the first line of `input`, which messages call `path`, and finds the columns.
    ///
    /// # Errors
    /// An input that is empty or no text, or that has no such column.
    pub(crate) fn open(
        input: R,
        path: &Path,
        format: TextFormat<'a>,
        columns: &TextColumns<'_>,
    ) -> Result<Self, DataError> {
        let mut reader = Self {
            path: path.into(),
            format,
            lines: Lines::new(input),
            clock: Clock::new(&format.spec.time, format.stamp),
            columns: Vec::new(),
            time: 0..columns.time.len(),
            symbol: None,
            header: None,
            width: 0,
            cells: Cells::new(format.delimiter),
            pending: false,
            joined: String::new(),
            numbers: Vec::with_capacity(columns.numbers.len()),
        };
        if !reader.next_line()? {
            return Err(DataError::EmptyFile { path: path.into() });
        }
        let first: Vec<String> =
            reader.cells.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect();
        reader.width = first.len();
        let names = match format.spec.header {
            Header::Names => first.clone(),
            Header::None | Header::Ignored => Vec::new(),
        };
        match format.spec.header {
            Header::Names => reader.header = Some(first),
            Header::None => reader.pending = true,
            Header::Ignored => {
                reader.pending = reader.next_line()?;
                reader.width = reader.cells.len();
            }
        }
        let names = if names.is_empty() {
            (1..=reader.width).map(|place| place.to_string()).collect()
        } else {
            names
        };
        reader.find_columns(&names, columns)?;
        Ok(reader)
    }

    fn find_columns(&mut self, names: &[String], columns: &TextColumns<'_>) -> Result<(), DataError> {
        let wanted = columns.time.iter().chain(&columns.numbers).chain(&columns.symbol);
        for &Column { role, name } in wanted {
            let mut places =
                names.iter().enumerate().filter(|(_, known)| *known == name).map(|(place, _)| place);
            let Some(place) = places.next() else { return Err(self.missing_column(names, role, name)) };
            if places.next().is_some() {
                return Err(DataError::DoubledColumn { path: self.path.clone(), role, column: name.into() });
            }
            self.columns.push((place, name.to_owned()));
        }
        self.symbol = columns.symbol.map(|_| self.columns.len() - 1);
        Ok(())
    }

    fn missing_column(&self, names: &[String], role: &'static str, name: &str) -> DataError {
        let is_number = |cell: &String| cell.parse::<f64>().is_ok();
        if self.header.is_some() && names.iter().any(is_number) {
            return self.line_error(
                "looks like a bar where the names of the columns should be; is data.source.text.header: none meant?".into(),
            );
        }
        if let ([whole], Some(_)) = (names, &self.header)
            && let Some(other) = [',', ';', '\t', '|'].into_iter().find(|other| whole.contains(*other))
        {
            let delimiter = char::from(self.format.delimiter);
            return self.line_error(format!(
                "has no {delimiter:?} in it; is data.source.text.delimiter: {other:?} meant?"
            ));
        }
        let nearest = by_similarity(name, names.iter().cloned());
        DataError::MissingColumn { path: self.path.clone(), role, column: name.into(), nearest }
    }

    /// Goes to the next row; `false` at the end.
    ///
    /// # Errors
    /// A line that cannot be read, is no row of this table, or is its header again.
    pub(crate) fn advance(&mut self) -> Result<bool, DataError> {
        if std::mem::take(&mut self.pending) {
            return Ok(true);
        }
        if !self.next_line()? {
            return Ok(false);
        }
        if self.cells.len() != self.width {
            return Err(self.line_error(self.other_width()));
        }
        if let Some(header) = &self.header
            && self.cells.iter().zip(header).all(|(cell, name)| without_mark(cell) == name.as_bytes())
        {
            return Err(self.line_error(
                "is the header again; files were put together with their headers, so remove it".into(),
            ));
        }
        Ok(true)
    }

    fn other_width(&self) -> String {
        let cells = |count: usize| if count == 1 { "1 cell".to_owned() } else { format!("{count} cells") };
        let (found, expected) = (self.cells.len(), self.width);
        let than = if self.header.is_some() { "the header" } else { "the first row" };
        let guess = match found > expected {
            true if self.format.delimiter == b',' => "; is there a comma inside a number?",
            true => "",
            false => "; is it cut short?",
        };
        format!("has {} and {than} has {expected}{guess}", cells(found))
    }

    /// The symbol of this row; empty where there is no symbol column.
    ///
    /// # Errors
    /// An empty cell.
    pub(crate) fn symbol(&self) -> Result<&str, DataError> {
        let Some(column) = self.symbol else { return Ok("") };
        let symbol = self.cell(column)?;
        if symbol.is_empty() {
            return Err(self.cell_error(
                column,
                symbol,
                "is empty; name the bar's symbol or remove the row".into(),
            ));
        }
        Ok(symbol)
    }

    /// The time and the numbers of this row.
    ///
    /// # Errors
    /// The first cell that is not what it should be.
    pub(crate) fn row(&mut self) -> Result<TextRow<'_>, DataError> {
        let mut joined = std::mem::take(&mut self.joined);
        joined.clear();
        for column in self.time.clone() {
            if !joined.is_empty() {
                joined.push(' ');
            }
            joined.push_str(self.cell(column)?);
        }
        self.joined = joined;
        let reading = self.clock.read(&self.joined, self.lines.number());
        let reading = reading.map_err(|problem| self.cell_error(0, &self.joined, problem))?;
        self.numbers.clear();
        let last = self.columns.len() - usize::from(self.symbol.is_some());
        for column in self.time.end..last {
            let cell = self.cell(column)?;
            let value = number(cell, self.format.spec.decimal);
            let value = value.map_err(|problem| self.cell_error(column, cell, problem))?;
            self.numbers.push(value);
        }
        Ok(TextRow { stamp: reading.instant, ambiguous: reading.ambiguous, numbers: &self.numbers })
    }

    /// The line of this row, counted from 1 as an editor does.
    pub(crate) const fn line(&self) -> u64 {
        self.lines.number()
    }

    fn next_line(&mut self) -> Result<bool, DataError> {
        match self.lines.next() {
            Ok(None) => Ok(false),
            Ok(Some(line)) => match self.cells.split(line) {
                Ok(()) => Ok(true),
                Err(problem) => Err(self.line_error(problem.into())),
            },
            Err(LineProblem::Text(problem)) => Err(self.line_error(problem)),
            Err(LineProblem::Read(source)) => {
                Err(DataError::ReadText { path: self.path.clone(), line: self.lines.number() + 1, source })
            }
        }
    }

    fn cell(&self, column: usize) -> Result<&str, DataError> {
        let bytes = self.cells.get(self.columns[column].0);
        str::from_utf8(bytes).map_err(|_| {
            self.cell_error(
                column,
                &String::from_utf8_lossy(bytes),
                "is not UTF-8; save the file as UTF-8".into(),
            )
        })
    }

    fn line_error(&self, problem: String) -> DataError {
        DataError::TextLine { path: self.path.clone(), line: self.lines.number(), problem }
    }

    fn cell_error(&self, column: usize, text: &str, problem: String) -> DataError {
        let (line, column) = (self.lines.number(), self.columns[column].1.clone());
        DataError::TextCell { path: self.path.clone(), line, column, text: shortened(text), problem }
    }
}

/// Characters of a cell that a message shows.
const SHOWN_CHARS: usize = 40;

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS) {
        None => text.into(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// `cell` without a byte order mark, which is left where files were put together.
fn without_mark(cell: &[u8]) -> &[u8] {
    cell.strip_prefix("\u{feff}".as_bytes()).unwrap_or(cell)
}

/// The cells of one line.
struct Cells {
    parser: csv_core::Reader,
    bytes: Vec<u8>,
    ends: Vec<usize>,
    count: usize,
}

impl Cells {
    fn new(delimiter: u8) -> Self {
        let parser =
            csv_core::ReaderBuilder::new().delimiter(delimiter).terminator(Terminator::Any(b'\n')).build();
        Self { parser, bytes: Vec::new(), ends: Vec::new(), count: 0 }
    }

    /// Takes `line`, which ends with a line feed, apart.
    fn split(&mut self, line: &[u8]) -> Result<(), &'static str> {
        if line.iter().filter(|&&byte| byte == b'"').count() % 2 == 1 {
            return Err("opens a quote and does not close it");
        }
        // A cell is at least its delimiter, so there is always room.
        self.bytes.resize(self.bytes.len().max(line.len()), 0);
        self.ends.resize(self.ends.len().max(line.len()), 0);
        let (result, read, _, cells) = self.parser.read_record(line, &mut self.bytes, &mut self.ends);
        if !matches!(result, ReadRecordResult::Record) || read != line.len() {
            return Err("cannot be parted into cells; is a quote out of place?");
        }
        self.count = cells;
        Ok(())
    }

    const fn len(&self) -> usize {
        self.count
    }

    /// Cell `index` without the spaces around it.
    fn get(&self, index: usize) -> &[u8] {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.bytes[start..self.ends[index]].trim_ascii()
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.count).map(|index| self.get(index))
    }
}
