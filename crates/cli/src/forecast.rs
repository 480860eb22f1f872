//! What a head says of one horizon as columns, in the label's own unit: undone scaling, or one probability for each class.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Array};
use tapeline_artefact::Rows;
use tapeline_data_pipeline::{FittedLabel, Regime};
use tapeline_trainer::class_probabilities;

/// The columns of the horizon at `position` of a head that said `said`: `name` for a number, `name_<class>` for classes.
pub(crate) fn columns(
    name: &str,
    fitted: &FittedLabel,
    position: usize,
    said: &Rows,
) -> Vec<(String, ArrayRef)> {
    let column = |values: Vec<f32>| Arc::new(Float32Array::from(values)) as ArrayRef;
    let rows = 0..said.values.len() / said.width.max(1);
    match fitted {
        FittedLabel::Regression { mean, std } => {
            let value = |row: usize| (f64::from(said.row(row)[position]) * std + mean) as f32;
            vec![(name.to_owned(), column(rows.map(value).collect()))]
        }
        FittedLabel::Regime { .. } => {
            let classes = Regime::ALL.len();
            let scores = position * classes..(position + 1) * classes;
            let mut by_class = vec![Vec::with_capacity(rows.len()); classes];
            for row in rows {
                let probabilities = class_probabilities(&said.row(row)[scores.clone()]);
                by_class.iter_mut().zip(probabilities).for_each(|(column, p)| column.push(p as f32));
            }
            let named = |regime: &Regime| format!("{name}_{}", regime.name());
            Regime::ALL.iter().map(named).zip(by_class.into_iter().map(column)).collect()
        }
    }
}
