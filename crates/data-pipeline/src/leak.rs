//! Proof by tampering that nothing sees the future. Bars after some instant are deleted and, separately, replaced by
//! garbage; whatever was knowable at that instant must come out the same, byte for byte:
//!
//! - everything a window is read from, and every raw window decided by then;
//! - all that is fitted, and whatever a curriculum may order samples by, when the instant is the last train decision;
//! - every scaled window, when the instant is that decision or later.
//!
//! Besides, no label of a train or validation sample may end after the next block has begun. The split instants stay frozen.

mod compare;
mod subject;

use std::collections::BTreeSet;
use std::fmt;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use serde::{Deserialize, Serialize};

use crate::bar::Bars;
use crate::batch::Gather;
use crate::dataset::Dataset;
use crate::error::DataError;
use crate::fingerprint::Fingerprint;
use crate::label::LabelSpec;
use crate::pipeline::{Fit, Pipeline};
use crate::spec::Symbol;
use crate::split::{Split, SplitInstants};
use crate::table::Table;
use crate::time::{Timeframe, Timestamp};

use compare::{Place, compare, compare_difficulty, compare_fitted, known_rows, visible_rows};

pub use subject::subject;

/// Garbage prices are this many times the true ones.
const POISON: f64 = 1e6;

/// What was tampered with and compared, and what came out different.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use = "a leak is reported here and nowhere else"]
pub struct LeakCertificate {
    /// What was checked, as [`subject`] hashes it: the certificate speaks of this and of nothing else.
    pub subject: Fingerprint,
    /// The bars among it.
    pub bars: Fingerprint,
    /// The version of this crate that checked it.
    pub tapeline: String,
    /// What the probes were drawn with.
    pub seed: u64,
    /// The split, frozen for all probes.
    pub split: SplitInstants,
    /// Samples whose label ends were compared with the next block's start.
    pub labelled_samples: usize,
    /// The instants after which bars were tampered with.
    pub probes: Vec<Probe>,
    /// What saw the future: at most one finding per probe and way of tampering.
    pub leaks: Vec<Leak>,
}

impl LeakCertificate {
    /// True when nothing saw the future.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.leaks.is_empty()
    }
}

/// One instant after which bars were deleted, and in another pass poisoned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// A decision time; bars available after it were tampered with.
    pub decision: Timestamp,
    /// Samples decided by then, whose windows had to come out the same.
    pub samples: usize,
    /// Table rows available by then, over all symbols and timeframes, that had to come out the same.
    pub rows: usize,
    /// Whether scaled values were compared too: from the last train decision on.
    pub scaled: bool,
}

/// Something that depends on bars it cannot know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leak {
    /// What came out different.
    pub what: Leaked,
    /// How the future was tampered with; `None` for a label over a boundary.
    pub tampering: Option<Tampering>,
    /// The instant after which it was; for a label, the sample's decision.
    pub decision: Timestamp,
    /// Whose, where it is one symbol's.
    pub symbol: Option<Symbol>,
    /// In which timeframe, where it is in one.
    pub timeframe: Option<Timeframe>,
    /// In which channel, or which label.
    pub channel: Option<String>,
}

impl fmt::Display for Leak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.what {
            Leaked::RawRow => "a table row",
            Leaked::ScaledRow => "a scaled table row",
            Leaked::WindowIndex => "the index of windows",
            Leaked::RawWindow => "a window",
            Leaked::ScaledWindow => "a scaled window",
            Leaked::UnavailableRow => "a window with a row from its future",
            Leaked::Fitted => "something fitted",
            Leaked::Difficulty => "the difficulty of a sample",
            Leaked::LabelOverBoundary => "a label that ends in the next block of the split",
        })?;
        if let Some(symbol) = &self.symbol {
            write!(f, ", symbol {symbol}")?;
        }
        if let Some(timeframe) = self.timeframe {
            write!(f, ", timeframe {timeframe}")?;
        }
        match (&self.channel, self.what) {
            (Some(channel), Leaked::LabelOverBoundary | Leaked::Difficulty) => {
                write!(f, ", label {channel}")?;
            }
            (Some(channel), _) => write!(f, ", {channel}")?,
            (None, _) => {}
        }
        match self.tampering {
            Some(Tampering::Deleted) => write!(f, ": changes when bars after {} are deleted", self.decision),
            Some(Tampering::Poisoned) => write!(f, ": changes when bars after {} are garbage", self.decision),
            None => write!(f, ", decided at {}", self.decision),
        }
    }
}

/// What can leak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leaked {
    /// A table row that was available by then.
    RawRow,
    /// The same after scaling.
    ScaledRow,
    /// Which samples there are, or which rows one of them sees.
    WindowIndex,
    /// A window as the network would read it, before scaling.
    RawWindow,
    /// A window as the network reads it.
    ScaledWindow,
    /// A window that ends with a row that was not available at its decision.
    UnavailableRow,
    /// A scale, a target scaling or a threshold.
    Fitted,
    /// What a curriculum orders a sample by: its difficulty, or its regime.
    Difficulty,
    /// A label that ends after the next block of the split has begun.
    LabelOverBoundary,
}

/// What is done to bars after an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tampering {
    /// They are gone.
    Deleted,
    /// Their times stay, their prices and volumes are garbage.
    Poisoned,
}

/// Tampers with `bars` after the last train decision and after `probes` decisions drawn with `seed`, half of them at or
/// after the last train decision. Costs two preparations for each.
///
/// # Errors
/// As [`Pipeline::prepare`]. A leak is not an error: it is in the certificate.
pub fn check(
    pipeline: &Pipeline,
    bars: &[Bars],
    labels: &[LabelSpec],
    probes: usize,
    seed: u64,
) -> Result<LeakCertificate, DataError> {
    let unscaled = pipeline.unscaled(bars)?;
    pipeline.check_windows(&unscaled)?;
    let fingerprint = Fingerprint::of_bars(bars);
    let reference = pipeline.finish(unscaled.clone(), labels, Fit::Resolve, fingerprint.clone())?;
    let split = reference.fitted().split;
    let raw = Gather { inputs: pipeline.inputs(), tables: &unscaled.tables, windows: &unscaled.windows };
    let mut certificate = LeakCertificate {
        subject: subject(&fingerprint, pipeline.spec(), labels, reference.fitted())?,
        bars: fingerprint.clone(),
        tapeline: env!("CARGO_PKG_VERSION").into(),
        seed,
        split,
        labelled_samples: reference.samples(Split::Train).len() + reference.samples(Split::Validation).len(),
        probes: Vec::new(),
        leaks: unavailable_row(raw, reference.symbols())
            .into_iter()
            .chain(label_over_boundary(&reference))
            .collect(),
    };
    for decision in draw(reference.windows().decisions(), split.last_train_decision, probes, seed) {
        let scaled = decision >= split.last_train_decision;
        certificate.probes.push(Probe {
            decision,
            samples: known_rows(reference.windows().decisions(), decision),
            rows: visible(reference.tables(), decision),
            scaled,
        });
        for tampering in [Tampering::Deleted, Tampering::Poisoned] {
            let altered = pipeline.unscaled(&tamper(bars, decision, tampering))?;
            let altered_raw = Gather { tables: &altered.tables, windows: &altered.windows, ..raw };
            let mut found = compare(raw, altered_raw, decision);
            if found.is_none() && scaled {
                let altered = pipeline.finish(altered, labels, Fit::At(split), fingerprint.clone())?;
                found = compare_fitted(reference.fitted(), altered.fitted())
                    .or_else(|| compare_difficulty(&reference, &altered))
                    .or_else(|| compare(reference.gather(), altered.gather(), decision).map(Place::scaled));
            }
            certificate.leaks.extend(found.map(|place| Leak {
                what: place.what,
                tampering: Some(tampering),
                decision,
                symbol: place.symbol.and_then(|symbol| reference.symbols().get(symbol).cloned()),
                timeframe: place.timeframe.map(|timeframe| pipeline.inputs()[timeframe].timeframe),
                channel: place.channel,
            }));
        }
    }
    Ok(certificate)
}

/// The last train decision and `probes` others, in time order.
fn draw(decisions: &[Timestamp], last_train: Timestamp, probes: usize, seed: u64) -> BTreeSet<Timestamp> {
    let mut times = decisions.to_vec();
    times.dedup();
    let (early, late) = times.split_at(times.partition_point(|&decision| decision <= last_train));
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut drawn = BTreeSet::from([last_train]);
    for (pool, count) in [(early, probes / 2), (late, probes - probes / 2)] {
        for _ in 0..count {
            let place = random.next_u64().checked_rem(pool.len() as u64).unwrap_or(0);
            drawn.extend(pool.get(place as usize));
        }
    }
    drawn
}

/// `bars` with those available after `instant` gone or turned to garbage.
fn tamper(bars: &[Bars], instant: Timestamp, tampering: Tampering) -> Vec<Bars> {
    let one = |bars: &Bars| {
        let known = known_rows(&bars.available_at, instant);
        match tampering {
            Tampering::Deleted => bars.take(&(0..known).collect::<Vec<_>>()),
            Tampering::Poisoned => {
                let mut poisoned = bars.clone();
                for row in known..bars.len() {
                    let factor = POISON * (1 + row % 7) as f64;
                    poisoned.open[row] *= factor;
                    poisoned.high[row] *= 4.0 * factor;
                    poisoned.low[row] *= factor / 8.0;
                    poisoned.close[row] *= 2.0 * factor;
                    poisoned.volume[row] = (poisoned.volume[row] + 1.0) * factor;
                }
                poisoned
            }
        }
    };
    bars.iter().map(one).collect()
}

/// Rows of all tables that decisions up to `decision` can see.
fn visible(tables: &[Vec<Table>], decision: Timestamp) -> usize {
    let of_symbol = |symbol: &Vec<Table>| -> usize {
        (0..symbol.len()).map(|timeframe| visible_rows(symbol, timeframe, decision)).sum()
    };
    tables.iter().map(of_symbol).sum()
}

/// The first window, if any, that ends with a row not yet available at its decision.
fn unavailable_row(data: Gather<'_>, symbols: &[Symbol]) -> Option<Leak> {
    (0..data.inputs.len()).find_map(|timeframe| {
        let ends = data.windows.end_rows(timeframe);
        let early = |&sample: &usize| {
            let symbol = data.windows.symbols()[sample] as usize;
            let available = data.tables[symbol][timeframe].available_at().get(ends[sample] as usize);
            available.is_some_and(|&available| available > data.windows.decisions()[sample])
        };
        let sample = (0..data.windows.len()).find(early)?;
        Some(Leak {
            what: Leaked::UnavailableRow,
            tampering: None,
            decision: data.windows.decisions()[sample],
            symbol: symbols.get(data.windows.symbols()[sample] as usize).cloned(),
            timeframe: Some(data.inputs[timeframe].timeframe),
            channel: None,
        })
    })
}

/// The first train or validation sample, if any, with a label that ends after the next block has begun.
fn label_over_boundary(data: &Dataset) -> Option<Leak> {
    let split = data.fitted().split;
    let blocks = [(Split::Train, split.validation_from), (Split::Validation, split.test_from)];
    blocks.into_iter().find_map(|(block, next)| {
        data.samples(block).iter().find_map(|&sample| {
            let column = data.labels().iter().find(|column| column.end[sample as usize] > next)?;
            Some(Leak {
                what: Leaked::LabelOverBoundary,
                tampering: None,
                decision: data.windows().decisions()[sample as usize],
                symbol: data.symbols().get(data.windows().symbols()[sample as usize] as usize).cloned(),
                timeframe: None,
                channel: Some(column.spec.to_string()),
            })
        })
    })
}
