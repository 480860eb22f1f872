//! Vendors' files into one layout: the same bars whoever wrote them, in the same bytes however they came.

mod appending;
mod made_up;
mod real;
mod refusing;
mod vendors;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tapeline_data_pipeline::{
    Bars, IngestError, IngestReport, IngestSpec, OnConflict, SourceSpec, Stamp, Symbol, Timeframe, Vendor,
    ingest, read_bars,
};
use tempfile::TempDir;

fn timeframe(text: &str) -> Timeframe {
    text.parse().unwrap()
}

/// A folder with vendors' files in `raw` and a layout in `bars`.
struct Workshop(TempDir);

impl Workshop {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("raw")).unwrap();
        Self(folder)
    }

    /// With one file.
    fn with(name: &str, bytes: impl AsRef<[u8]>) -> Self {
        let workshop = Self::new();
        workshop.add(name, bytes);
        workshop
    }

    fn raw(&self) -> PathBuf {
        self.0.path().join("raw")
    }

    fn bars_folder(&self) -> PathBuf {
        self.0.path().join("bars")
    }

    fn add(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.raw().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    /// An ingest of everything in `raw`.
    fn spec(&self, vendor: Vendor) -> IngestSpec {
        IngestSpec {
            vendor,
            inputs: vec![self.raw()],
            into: self.bars_folder(),
            symbol: None,
            timeframe: None,
            only: Vec::new(),
            repair: Vec::new(),
            on_conflict: OnConflict::Refuse,
        }
    }

    fn ingest(&self, vendor: Vendor) -> IngestReport {
        ingest(&self.spec(vendor)).unwrap()
    }

    /// What an ingest of `file` alone says.
    fn ingest_file(&self, vendor: Vendor, file: &Path) -> Result<IngestReport, IngestError> {
        ingest(&IngestSpec { inputs: vec![file.into()], ..self.spec(vendor) })
    }

    /// Why everything in `raw` is refused.
    fn refusal(&self, vendor: Vendor) -> String {
        ingest(&self.spec(vendor)).unwrap_err().to_string()
    }

    /// The bars of one partition, whatever its files.
    fn bars(&self, length: &str, symbol: &str) -> Bars {
        let folder = self.bars_folder().join(format!("timeframe={length}/symbol={symbol}"));
        let mut files: Vec<PathBuf> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let mut bars = Bars::with_capacity(Symbol::new(symbol), timeframe(length), 0);
        for path in files {
            let source = SourceSpec { path: Some(path), stamp: Some(Stamp::Open), ..SourceSpec::default() };
            for part in read_bars(&source, timeframe(length)).unwrap() {
                (0..part.len()).for_each(|row| bars.push(part.get(row).unwrap()));
            }
        }
        bars
    }

    /// Every file of the layout with its bytes.
    fn layout(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        walk(&self.bars_folder(), &mut files);
        files
    }
}

fn walk(folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, files);
        } else {
            let bytes = fs::read(&path).unwrap();
            files.insert(path, bytes);
        }
    }
}

/// The names of a layout's files, below its folder.
fn names(workshop: &Workshop) -> Vec<String> {
    let into = workshop.bars_folder();
    workshop.layout().keys().map(|path| path.strip_prefix(&into).unwrap().display().to_string()).collect()
}
