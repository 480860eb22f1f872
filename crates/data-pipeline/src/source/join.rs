//! The bars of one symbol out of several files.

use std::path::PathBuf;

use crate::bar::Bars;
use crate::error::DataError;
use crate::time::Timestamp;

/// What becomes of files that have bars of the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overlap {
    /// They are an error.
    Refuse,
    /// All their bars are read, sorted by time, those of one time in the order of the files.
    Keep,
}

/// One symbol's bars out of `parts`, which are in the order of their files: put together in the order of time. Rows of one
/// file keep their order, unless files overlap and each is sorted.
pub(super) fn join(parts: Vec<(PathBuf, Bars)>, overlap: Overlap) -> Result<Option<Bars>, DataError> {
    let mut parts = parts.into_iter();
    let Some((first_path, first)) = parts.next() else { return Ok(None) };
    if parts.len() == 0 {
        return Ok(Some(first));
    }
    let mut pieces: Vec<Piece> = std::iter::once((first_path, first))
        .chain(parts)
        .filter_map(|(path, bars)| Piece::new(path, bars))
        .collect();
    let sorted_by_time = {
        let mut order: Vec<usize> = (0..pieces.len()).collect();
        order.sort_by_key(|&place| pieces[place].first);
        order
    };
    let overlapping = sorted_by_time.windows(2).find(|pair| pieces[pair[1]].first <= pieces[pair[0]].last);
    if let Some(&[one, other]) = overlapping {
        let (one, other) = (&pieces[one], &pieces[other]);
        if overlap == Overlap::Refuse {
            return Err(DataError::OverlappingFiles {
                symbol: one.bars.symbol.clone(),
                one: one.path.clone(),
                other: other.path.clone(),
                first: other.first,
                last: one.last.min(other.last),
            });
        }
        let sorted = pieces.iter().all(|piece| piece.bars.open_time.is_sorted());
        return Ok(concatenate(pieces).map(|bars| if sorted { by_time(&bars) } else { bars }));
    }
    pieces.sort_by_key(|piece| piece.first);
    Ok(concatenate(pieces))
}

/// The bars of one file.
struct Piece {
    path: PathBuf,
    bars: Bars,
    first: Timestamp,
    last: Timestamp,
}

impl Piece {
    /// `None` when there is no bar.
    fn new(path: PathBuf, bars: Bars) -> Option<Self> {
        let (first, last) = (bars.open_time.iter().min().copied()?, bars.open_time.iter().max().copied()?);
        Some(Self { path, bars, first, last })
    }
}

fn concatenate(pieces: Vec<Piece>) -> Option<Bars> {
    pieces.into_iter().map(|piece| piece.bars).reduce(|mut all, bars| {
        all.append(bars);
        all
    })
}

/// `bars` sorted by time; those of one time keep their order.
fn by_time(bars: &Bars) -> Bars {
    let mut order: Vec<usize> = (0..bars.len()).collect();
    order.sort_by_key(|&row| bars.open_time[row]);
    bars.take(&order)
}
