//! How far the price goes.

use super::Absence;
use crate::price::PricePath;

/// ln p(row + lag + horizon) − ln p(row + lag).
pub(super) fn at(path: &PricePath, row: usize, horizon: usize, lag: usize) -> Result<f64, Absence> {
    let entry = path.ahead(row, lag)?;
    let exit = path.ahead(entry, horizon)?;
    Ok(path.log_return(entry, exit))
}
