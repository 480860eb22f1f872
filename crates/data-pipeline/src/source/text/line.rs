//! A text line by line, in bounded memory.

use std::io::{self, BufRead as _, BufReader, Read};

/// The longest line that is read. Bars take a hundred bytes; what is longer is no table, or has lost its line ends.
const MAX_LINE_BYTES: usize = 64 << 10;
/// Bytes that are read at once.
const BUFFER_BYTES: usize = 256 << 10;

/// Why there is no next line.
pub(super) enum LineProblem {
    /// The input failed.
    Read(io::Error),
    /// The line is not text; a verb phrase.
    Text(String),
}

impl From<String> for LineProblem {
    fn from(problem: String) -> Self {
        Self::Text(problem)
    }
}

/// The lines of a text that are not empty.
pub(super) struct Lines<R> {
    input: BufReader<R>,
    /// The line that was read last, counted from 1 as an editor does; 0 before the first.
    number: u64,
    bytes: Vec<u8>,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input: BufReader::with_capacity(BUFFER_BYTES, input), number: 0, bytes: Vec::new() }
    }

    /// The number of the line that was read last.
    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// The next line that is not empty, closed by a line feed and nothing else.
    pub(super) fn next(&mut self) -> Result<Option<&[u8]>, LineProblem> {
        loop {
            self.bytes.clear();
            let mut bounded = self.input.by_ref().take(MAX_LINE_BYTES as u64 + 1);
            let read = bounded.read_until(b'\n', &mut self.bytes).map_err(LineProblem::Read)?;
            if read == 0 {
                return Ok(None);
            }
            self.number += 1;
            if self.number == 1 {
                check_start(&self.bytes)?;
                if self.bytes.starts_with(BYTE_ORDER_MARK) {
                    self.bytes.drain(..BYTE_ORDER_MARK.len());
                }
            }
            if read > MAX_LINE_BYTES {
                return Err(format!(
                    "is longer than {MAX_LINE_BYTES} bytes; is this a table with a line for each bar?"
                )
                .into());
            }
            while self.bytes.last().is_some_and(|end| matches!(end, b'\n' | b'\r')) {
                self.bytes.pop();
            }
            if !self.bytes.is_empty() {
                break;
            }
        }
        if self.bytes.contains(&0) {
            return Err("holds a NUL byte; the file is damaged, or it is no text".to_owned().into());
        }
        if self.bytes.contains(&b'\r') {
            return Err("holds a carriage return; end lines with a line feed".to_owned().into());
        }
        self.bytes.push(b'\n');
        Ok(Some(&self.bytes))
    }
}

/// What some editors write before the first character of UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// How files begin that are no text, and what to do with them.
const NO_TEXTS: [(&[u8], &str); 6] = [
    (b"\xff\xfe", "is UTF-16; save the file as UTF-8"),
    (b"\xfe\xff", "is UTF-16; save the file as UTF-8"),
    (b"PAR1", "is the start of a Parquet file; set data.source.format: parquet"),
    (b"ARROW1", "is the start of an Arrow file, which has to be written as Parquet or text first"),
    (b"PK\x03\x04", "is the start of a zip archive; unpack it first"),
    (b"\x1f\x8b", "is the start of a gzip archive; unpack it first"),
];

fn check_start(bytes: &[u8]) -> Result<(), LineProblem> {
    match NO_TEXTS.iter().find(|(start, _)| bytes.starts_with(start)) {
        Some((_, problem)) => Err((*problem).to_owned().into()),
        None => Ok(()),
    }
}
