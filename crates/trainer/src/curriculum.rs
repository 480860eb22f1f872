//! Which train samples, and how many bars of their windows, an epoch learns from: a function of the epoch alone.

mod spec;

use std::borrow::Cow;
use std::collections::BTreeMap;

use rand_chacha::rand_core::Rng as _;
use tapeline_data_pipeline::{Dataset, Difficulty, Regime, Split};
use tch::Tensor;

use crate::error::TrainError;
use crate::metric;
use crate::seed::{Purpose, generator};
use crate::spec::TrainingSpec;
use crate::task::{TaskKind, Tasks};

pub use spec::{CurriculumSpec, LabelMagnitudeSpec, PaceSpec, Pacing};

/// The train samples of a run, epoch by epoch. Without a `training.curriculum` every epoch learns from all of them.
#[derive(Debug)]
pub struct Curriculum<'a> {
    everything: &'a [u32],
    lessons: Lessons,
    regimes: Option<RegimeColumn>,
    batch_size: usize,
    batches_per_step: usize,
}

#[derive(Debug)]
enum Lessons {
    /// Everything from the start.
    Everything,
    /// More and more samples: of each stratum its easiest.
    Samples { pace: PaceSpec, strata: Vec<Stratum> },
    /// More and more bars.
    Bars { pace: PaceSpec },
}

/// The train samples of one symbol and regime, the easiest first.
#[derive(Debug)]
struct Stratum {
    regime: Option<Regime>,
    samples: Vec<u32>,
}

/// A symbol's number, and a regime where it is known.
type Place = (u32, Option<Regime>);

/// The label that strata are made by.
#[derive(Clone, Copy, Debug)]
struct RegimeColumn {
    task: &'static str,
    horizon: usize,
    label: usize,
}

impl<'a> Curriculum<'a> {
    /// The curriculum of `training` on the train samples of `data`, which is labelled for `tasks`; `seed` is the run's.
    ///
    /// # Errors
    /// [`TrainError::CurriculumLabel`] where the difficulty is a return that is not forecast.
    pub fn new(
        data: &'a Dataset,
        tasks: &Tasks,
        training: &TrainingSpec,
        seed: u64,
    ) -> Result<Self, TrainError> {
        let everything = data.samples(Split::Train);
        let regimes = RegimeColumn::first(tasks);
        let by = |pace, hardness: Vec<f64>| Lessons::Samples {
            pace,
            strata: strata(data, everything, &hardness, regimes),
        };
        let measured = |measure| {
            let hardness = |&sample| data.difficulty(sample, measure).unwrap_or(f64::INFINITY);
            everything.iter().map(hardness).collect()
        };
        let lessons = match training.curriculum {
            None => Lessons::Everything,
            Some(CurriculumSpec::SequenceLength(pace)) => Lessons::Bars { pace },
            Some(CurriculumSpec::Volatility(pace)) => by(pace, measured(Difficulty::TrailingVolatility)),
            Some(spec @ CurriculumSpec::LabelMagnitude(LabelMagnitudeSpec { horizon, .. })) => {
                let label = return_label(tasks, horizon)?;
                by(spec.pace(), measured(Difficulty::LabelMagnitude { label }))
            }
            Some(CurriculumSpec::Random(pace)) => {
                let mut random = generator(seed, Purpose::Curriculum, 0);
                by(pace, everything.iter().map(|_| random.next_u64() as f64).collect())
            }
        };
        Ok(Self {
            everything,
            lessons,
            regimes,
            batch_size: training.batch_size.max(1),
            batches_per_step: training.gradient_accumulation.max(1),
        })
    }

    /// The samples that `epoch`, counted from 0, learns from, ascending.
    #[must_use]
    pub fn samples(&self, epoch: usize) -> Cow<'a, [u32]> {
        match &self.lessons {
            Lessons::Samples { pace, strata } if pace.share(epoch) < 1.0 => {
                let easiest = strata.iter().flat_map(|stratum| stratum.easiest(pace.share(epoch)));
                let mut samples: Vec<u32> = easiest.copied().collect();
                samples.sort_unstable();
                samples.into()
            }
            _ => self.everything.into(),
        }
    }

    /// How many samples `epoch`, counted from 0, learns from.
    #[must_use]
    pub fn count(&self, epoch: usize) -> usize {
        match &self.lessons {
            Lessons::Samples { pace, strata } if pace.share(epoch) < 1.0 => {
                strata.iter().map(|stratum| stratum.easiest(pace.share(epoch)).len()).sum()
            }
            _ => self.everything.len(),
        }
    }

    /// Batches of `epoch`, counted from 0.
    #[must_use]
    pub fn batches(&self, epoch: usize) -> usize {
        self.count(epoch).div_ceil(self.batch_size)
    }

    /// Updates of the weights in `epoch`, counted from 0.
    #[must_use]
    pub fn steps(&self, epoch: usize) -> usize {
        self.batches(epoch).div_ceil(self.batches_per_step)
    }

    /// Updates of the weights in an epoch that learns from everything.
    #[must_use]
    pub fn full_steps(&self) -> usize {
        self.everything.len().div_ceil(self.batch_size).div_ceil(self.batches_per_step)
    }

    /// How many of `epochs` finished epochs learned from everything.
    pub(crate) fn full_epochs(&self, epochs: usize) -> usize {
        match &self.lessons {
            Lessons::Everything => epochs,
            Lessons::Samples { pace, .. } | Lessons::Bars { pace } => epochs.saturating_sub(pace.epochs),
        }
    }

    /// The newest bars of `inputs`, `[batch, time, feature]` each, that `epoch` learns from. The rows that are left are those
    /// of the whole window, recency and all: a short window is the end of a long one.
    pub(crate) fn newest_bars(&self, inputs: Vec<Tensor>, epoch: usize) -> Result<Vec<Tensor>, TrainError> {
        let Lessons::Bars { pace } = &self.lessons else { return Ok(inputs) };
        let share = pace.share(epoch);
        let newest = |input: Tensor| {
            let length = input.size().get(1).copied().unwrap_or_default();
            let bars = part_of(length as usize, share) as i64;
            if bars == length { Ok(input) } else { input.f_narrow(1, length - bars, bars)?.f_contiguous() }
        };
        Ok(inputs.into_iter().map(newest).collect::<Result<_, tch::TchError>>()?)
    }

    /// What `epoch` learned from, as metrics: the share of the samples or of the windows, and of the samples the share of
    /// each regime that was known by the last train decision. Empty without a curriculum.
    pub(crate) fn coverage(&self, epoch: usize) -> BTreeMap<String, Option<f64>> {
        match &self.lessons {
            Lessons::Everything => BTreeMap::new(),
            Lessons::Bars { pace } => {
                BTreeMap::from([("curriculum/window_share".into(), Some(pace.share(epoch)))])
            }
            Lessons::Samples { pace, strata } => {
                let share = pace.share(epoch);
                let count = |regime: Option<Regime>| -> usize {
                    let of_regime = strata.iter().filter(|stratum| stratum.regime == regime);
                    of_regime.map(|stratum| stratum.easiest(share).len()).sum()
                };
                let known: usize = Regime::ALL.iter().map(|regime| count(Some(*regime))).sum();
                let eligible = known + count(None);
                let ratio = |part: usize, whole: usize| (whole > 0).then(|| part as f64 / whole as f64);
                let total = ratio(eligible, self.everything.len());
                let mut coverage = BTreeMap::from([("curriculum/sample_share".to_owned(), total)]);
                if let Some(RegimeColumn { task, horizon, .. }) = self.regimes {
                    coverage.extend(Regime::ALL.map(|regime| {
                        let name = format!("{}_share", regime.name());
                        let share = ratio(count(Some(regime)), known);
                        (metric::name("curriculum", task, horizon, &name), share)
                    }));
                }
                coverage
            }
        }
    }
}

impl Stratum {
    fn easiest(&self, share: f64) -> &[u32] {
        &self.samples[..part_of(self.samples.len(), share)]
    }
}

impl RegimeColumn {
    /// The first horizon of the regime task.
    fn first(tasks: &Tasks) -> Option<Self> {
        let task = tasks.iter().find(|task| matches!(task.kind, TaskKind::Regime { .. }))?;
        Some(Self { task: task.name, horizon: *task.horizons.first()?, label: task.labels.start })
    }
}

/// `share` of `count`, rounded up: a share above 0 of anything is something.
fn part_of(count: usize, share: f64) -> usize {
    ((count as f64 * share).ceil() as usize).min(count)
}

/// `samples` by symbol and regime, each stratum by hardness and, of equals, by age.
fn strata(data: &Dataset, samples: &[u32], hardness: &[f64], regimes: Option<RegimeColumn>) -> Vec<Stratum> {
    let mut strata: BTreeMap<Place, Vec<(f64, u32)>> = BTreeMap::new();
    for (&sample, &hardness) in samples.iter().zip(hardness) {
        let symbol = data.windows().symbols()[sample as usize];
        let regime = regimes.and_then(|column| data.known_regime(sample, column.label));
        strata.entry((symbol, regime)).or_default().push((hardness, sample));
    }
    let sorted = |((_, regime), mut samples): (Place, Vec<(f64, u32)>)| {
        samples.sort_unstable_by(|(a, first), (b, second)| a.total_cmp(b).then(first.cmp(second)));
        Stratum { regime, samples: samples.into_iter().map(|(_, sample)| sample).collect() }
    };
    strata.into_iter().map(sorted).collect()
}

/// The label of the return over `horizon`, or of the first that is forecast.
fn return_label(tasks: &Tasks, horizon: Option<usize>) -> Result<usize, TrainError> {
    let price = tasks.iter().find(|task| matches!(task.kind, TaskKind::Price { .. }));
    let found = price.and_then(|task| match horizon {
        None => Some(task.labels.start),
        Some(wanted) => {
            let place = task.horizons.iter().position(|horizon| *horizon == wanted)?;
            Some(task.labels.start + place)
        }
    });
    found.ok_or_else(|| TrainError::CurriculumLabel {
        horizon,
        horizons: price.map(|task| task.horizons.clone()).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests;
