//! How every file of a source is read, and where its bars go.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::note::SourceNote;
use crate::bar::{Bar, Bars};
use crate::spec::{ColumnsSpec, SourceSpec, Stamp, Symbol};
use crate::time::{Span, Timeframe, Timestamp};

/// How every file of a source is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadPlan<'a> {
    pub(crate) spec: &'a SourceSpec,
    pub(crate) stamp: Stamp,
    pub(crate) timeframe: Timeframe,
}

impl<'a> ReadPlan<'a> {
    pub(crate) const fn columns(&self) -> &'a ColumnsSpec {
        &self.spec.columns
    }

    /// The columns of the numbers of a bar, with what they are for; the volume last, where there is one.
    pub(crate) fn numbers(&self) -> Vec<(&'static str, &'a str)> {
        let columns = self.columns();
        let mut numbers = vec![
            ("open", columns.open.as_str()),
            ("high", &columns.high),
            ("low", &columns.low),
            ("close", &columns.close),
        ];
        numbers.extend(columns.volume.iter().map(|column| ("volume", column.as_str())));
        numbers
    }

    /// Does the bar stamped `stamp` open within `start` and `end`?
    pub(crate) fn wants(&self, stamp: Timestamp) -> bool {
        let [open, ..] = self.times(stamp);
        self.spec.start.is_none_or(|start| start <= open) && self.spec.end.is_none_or(|end| open < end)
    }

    /// May there be a wanted bar among stamps from `first` to `last`?
    pub(crate) fn wants_some(&self, first: Timestamp, last: Timestamp) -> bool {
        let ([first, ..], [last, ..]) = (self.times(first), self.times(last));
        self.spec.start.is_none_or(|start| start <= last) && self.spec.end.is_none_or(|end| first < end)
    }

    /// The bar stamped `stamp` with `numbers` as in [`numbers`](Self::numbers); no volume is a volume of 0.
    pub(crate) fn bar(&self, stamp: Timestamp, numbers: [f64; 5]) -> Bar {
        let [open_time, close_time, available_at] = self.times(stamp);
        let [open, high, low, close, volume] = numbers;
        Bar { open_time, close_time, available_at, open, high, low, close, volume }
    }

    /// First instant, end and availability of the bar stamped `stamp`.
    fn times(&self, stamp: Timestamp) -> [Timestamp; 3] {
        let length = self.timeframe.span();
        let (open, close) = match self.stamp {
            Stamp::Open => (stamp, stamp.plus(length)),
            Stamp::Close => (stamp.plus(Span::from_nanos(-length.nanos())), stamp),
        };
        [open, close, close.plus(self.spec.publication_lag)]
    }
}

/// The bars of one file, symbol by symbol, in the order of its rows.
pub(crate) struct Gathered<'a> {
    timeframe: Timeframe,
    /// Rows of other symbols are passed over; `None` wants all.
    only: Option<&'a BTreeSet<Symbol>>,
    /// Every symbol that was met, and where its bars are if it is wanted.
    places: HashMap<String, Option<Place>>,
    bars: Vec<Bars>,
    ambiguous: Vec<usize>,
}

/// Where the bars of a wanted symbol are.
#[derive(Clone, Copy)]
pub(crate) struct Place(usize);

impl<'a> Gathered<'a> {
    pub(crate) fn new(timeframe: Timeframe, only: Option<&'a BTreeSet<Symbol>>) -> Self {
        Self { timeframe, only, places: HashMap::new(), bars: Vec::new(), ambiguous: Vec::new() }
    }

    /// Where bars of `symbol` go; `None` where they are not wanted.
    pub(crate) fn place(&mut self, symbol: &str) -> Option<Place> {
        if let Some(place) = self.places.get(symbol) {
            return *place;
        }
        let name = Symbol::new(symbol);
        let place = self.only.is_none_or(|only| only.contains(&name)).then(|| {
            self.bars.push(Bars::with_capacity(name, self.timeframe, 0));
            self.ambiguous.push(0);
            Place(self.bars.len() - 1)
        });
        self.places.insert(symbol.to_owned(), place);
        place
    }

    /// Makes room for `rows` more bars.
    pub(crate) fn reserve(&mut self, place: Place, rows: usize) {
        self.bars[place.0].reserve(rows);
    }

    pub(crate) fn push(&mut self, place: Place, bar: Bar) {
        self.bars[place.0].push(bar);
    }

    /// Counts a local time that occurs twice.
    pub(crate) fn note_ambiguous(&mut self, place: Place) {
        self.ambiguous[place.0] += 1;
    }

    /// The symbols that were met, wanted or not.
    pub(crate) fn seen(&self) -> BTreeSet<Symbol> {
        self.places.keys().map(Symbol::new).collect()
    }

    /// Bars and notes of each wanted symbol that was met.
    pub(crate) fn finish(self) -> BTreeMap<Symbol, (Bars, Vec<SourceNote>)> {
        let noted = self.bars.into_iter().zip(self.ambiguous).map(|(bars, rows)| {
            let note = (rows > 0).then_some(SourceNote::AmbiguousTimes { rows });
            (bars.symbol.clone(), (bars, note.into_iter().collect()))
        });
        noted.collect()
    }
}
