//! How much the price moves on its way.

use super::Absence;
use crate::price::{PricePath, VARIANCE_FLOOR};

/// ln Σ r² of the `horizon` bars after `row`.
pub(super) fn at(path: &PricePath, row: usize, horizon: usize) -> Result<f64, Absence> {
    let end = path.ahead(row, horizon)?;
    let variance = path.realized_variance(row, end);
    if variance < VARIANCE_FLOOR * horizon as f64 { Err(Absence::BelowFloor) } else { Ok(variance.ln()) }
}
