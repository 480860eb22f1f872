//! What an epoch has made of the features before the heads, on an even choice of samples that stays the same over all epochs.
//!
//! Rows of one choice overlap as their labels do, and symbols move together: a rank IC is held against as many independent rows
//! as there are distinct decisions that no label of another reaches over.

use std::collections::BTreeMap;

use tapeline_artefact::{Rows as FeatureRows, Windows, features_and_branches};
use tapeline_data_pipeline::{Dataset, Split};
use tapeline_evaluation::representation::{
    DimensionIc, MAX_DIMENSIONS, dimension_ic, drift, feature_quality, linear_cka,
};
use tapeline_models::Network;

use super::features;
use super::rows::spread;
use crate::error::TrainError;
use crate::fit::EVALUATION_BATCH;
use crate::metric;
use crate::scorecard::FeatureIc;
use crate::task::{Task, TaskKind, Tasks};

/// So many samples of a span are measured at most: enough for a spectrum of hundreds of features, little beside an epoch.
pub const MOST_MEASURED: usize = 1024;

/// An even choice of a span's samples, the same whenever it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeasuredSamples {
    places: Vec<usize>,
    samples: Vec<u32>,
}

impl MeasuredSamples {
    /// At most [`MOST_MEASURED`] samples of `split`, spread over time and over symbols.
    #[must_use]
    pub fn of(data: &Dataset, split: Split) -> Self {
        let all = data.samples(split);
        let places = spread(all.len(), MOST_MEASURED);
        Self { samples: places.iter().map(|&place| all[place]).collect(), places }
    }

    /// Their ids, ascending.
    #[must_use]
    pub fn samples(&self) -> &[u32] {
        &self.samples
    }

    /// Their rows among `features`, which are about all samples of the span.
    fn among(&self, features: &FeatureRows) -> FeatureRows {
        let rows = self.places.iter().flat_map(|&place| features.row(place).iter().copied());
        FeatureRows { width: features.width, values: rows.collect() }
    }
}

/// The metrics of [`metric::feature_catalogue`] for `network` as it is.
///
/// # Errors
/// [`TrainError::Score`] if a feature is not a finite number; whatever data or network refuse.
pub(crate) fn feature_metrics(
    network: &dyn Network,
    windows: &Windows<'_>,
    tasks: &Tasks,
) -> Result<BTreeMap<String, Option<f64>>, TrainError> {
    let data = windows.data();
    let measured = MeasuredSamples::of(data, Split::Validation);
    let (now, branches) = features_and_branches(network, windows, measured.samples(), EVALUATION_BATCH)?;
    let learned = MeasuredSamples::of(data, Split::Train);
    let (before, _) = features_and_branches(network, windows, learned.samples(), EVALUATION_BATCH)?;

    let score = features::score(&now)?;
    let redundancy = match now.width {
        width if width > MAX_DIMENSIONS => None,
        width => feature_quality(&now.values, width)?.redundancy,
    };
    let moved = drift(&before.values, &now.values, now.width)?;
    let mean =
        |values: Vec<f64>| (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64);
    let agreement: Vec<f64> =
        agreement_of_features(&branches.iter().collect::<Vec<_>>())?.into_iter().flatten().collect();
    let mut metrics: BTreeMap<String, Option<f64>> = [
        ("variance", score.mean_variance),
        ("dead", Some(score.dead as f64)),
        ("effective_rank", score.effective_rank),
        ("redundancy", redundancy),
        ("drift", moved.and_then(mean)),
        ("branch_agreement", mean(agreement)),
    ]
    .into_iter()
    .map(|(name, value)| (format!("features/{name}"), value))
    .collect();
    for (task, horizon, said) in ics(data, tasks, &measured, &now)? {
        let name = |measure| metric::name("features", task.name, horizon, measure);
        let best = said.rank_ic.iter().flatten().map(|ic| ic.abs()).reduce(f64::max);
        metrics.insert(name("best_rank_ic"), best);
        metrics.insert(name("discoveries"), Some(said.discoveries as f64));
    }
    Ok(metrics)
}

/// What each of `features`, which are about all samples of `split`, says of each outcome that is a number.
pub(super) fn dimension_ics(
    data: &Dataset,
    tasks: &Tasks,
    split: Split,
    features: &FeatureRows,
) -> Result<Vec<FeatureIc>, TrainError> {
    let measured = MeasuredSamples::of(data, split);
    let said = ics(data, tasks, &measured, &measured.among(features))?;
    let named = said.into_iter().map(|(task, horizon, said)| FeatureIc {
        task: task.name.into(),
        horizon,
        rows: measured.samples.len(),
        rank_ic: said.rank_ic,
        discoveries: said.discoveries,
    });
    Ok(named.collect())
}

/// By task and horizon; `features` are about the measured samples.
fn ics<'t>(
    data: &Dataset,
    tasks: &'t Tasks,
    measured: &MeasuredSamples,
    features: &FeatureRows,
) -> Result<Vec<(&'t Task, usize, DimensionIc)>, TrainError> {
    let mut found = Vec::new();
    for task in tasks.iter().filter(|task| !matches!(task.kind, TaskKind::Regime { .. })) {
        for (label, &horizon) in task.labels.clone().zip(&task.horizons) {
            let column = &data.labels()[label];
            let present = |row: &usize| !column.values[measured.samples[*row] as usize].is_nan();
            let rows: Vec<usize> = (0..measured.samples.len()).filter(present).collect();
            let of_row = |row: &usize| measured.samples[*row] as usize;
            let series: Vec<u32> = rows.iter().map(|row| data.windows().symbols()[of_row(row)]).collect();
            let outcome: Vec<f64> = rows.iter().map(|row| f64::from(column.values[of_row(row)])).collect();
            let ends = rows.iter().map(|row| column.end[of_row(row)].nanos());
            let times = rows.iter().map(|row| data.windows().decisions()[of_row(row)].nanos());
            let independent = independent_rows(&times.collect::<Vec<_>>(), &ends.collect::<Vec<_>>());
            let values: Vec<f32> = rows.iter().flat_map(|&row| features.row(row).iter().copied()).collect();
            found.push((
                task,
                horizon,
                dimension_ic(&values, features.width, &series, &outcome, independent)?,
            ));
        }
    }
    Ok(found)
}

/// The most rows, decided at `times` (ascending), of which none is decided before the label of the one before it ends.
fn independent_rows(times: &[i64], ends: &[i64]) -> f64 {
    let (mut count, mut free_from) = (0.0, i64::MIN);
    for (&time, &end) in times.iter().zip(ends) {
        if time >= free_from {
            count += 1.0;
            free_from = end.max(time.saturating_add(1));
        }
    }
    count
}

/// Linear CKA of each pair of feature matrices, which are about the same samples; `None` where a side does not vary.
///
/// # Errors
/// [`TrainError::Score`] if they are about different numbers of samples, or a feature is not a finite number.
pub fn agreement_of_features(features: &[&FeatureRows]) -> Result<Vec<Option<f64>>, TrainError> {
    let mut agreement = Vec::new();
    for (place, left) in features.iter().enumerate() {
        for right in &features[place + 1..] {
            agreement.push(linear_cka((&left.values, left.width), (&right.values, right.width))?);
        }
    }
    Ok(agreement)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_whose_labels_overlap_count_once() {
        assert_eq!(independent_rows(&[0, 1, 2, 3, 4, 5], &[3, 4, 5, 6, 7, 8]), 2.0);
        // Two symbols decide at each time: one of them counts.
        assert_eq!(independent_rows(&[0, 0, 2, 2], &[1, 1, 3, 3]), 2.0);
        assert_eq!(independent_rows(&[], &[]), 0.0);
    }
}
