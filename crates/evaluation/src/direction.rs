//! Whether forecasts have the right sign.

use serde::{Deserialize, Serialize};

use crate::pairs::{Pairs, ratio};

/// How often the sign was right, over rows where there is a sign to be right about.
///
/// A row whose outcome is 0 has no direction; a forecast of exactly 0 makes no call. Both are left out and counted, so that
/// silence is neither rewarded nor punished, and the zero forecast's accuracy is undefined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Direction {
    /// All rows.
    pub rows: usize,
    /// Rows whose outcome is not 0.
    pub moved: usize,
    /// Rows whose outcome and forecast are both not 0.
    pub called: usize,
    /// Of those, rows with equal signs.
    pub hits: usize,
}

impl Direction {
    /// Counts the signs of `pairs`.
    #[must_use]
    pub fn of(pairs: Pairs<'_>) -> Self {
        let mut counts = Self { rows: pairs.len(), ..Self::default() };
        for (forecast, realised) in pairs.iter() {
            counts.moved += usize::from(realised != 0.0);
            if let Some(right) = hit(forecast, realised) {
                counts.called += 1;
                counts.hits += usize::from(right);
            }
        }
        counts
    }

    /// The share of called rows with the right sign.
    #[must_use]
    pub fn accuracy(&self) -> Option<f64> {
        ratio(self.hits as f64, self.called as f64)
    }

    /// The share of all rows that [`accuracy`](Self::accuracy) speaks of.
    #[must_use]
    pub fn called_share(&self) -> Option<f64> {
        ratio(self.called as f64, self.rows as f64)
    }

    /// The share of all rows whose outcome is not 0.
    #[must_use]
    pub fn moved_share(&self) -> Option<f64> {
        ratio(self.moved as f64, self.rows as f64)
    }
}

/// Whether a forecast has the outcome's sign; `None` where either is 0.
#[must_use]
pub fn hit(forecast: f64, realised: f64) -> Option<bool> {
    (forecast != 0.0 && realised != 0.0).then_some((forecast > 0.0) == (realised > 0.0))
}

/// The statistic of Pesaran and Timmermann (1992) over called rows: the accuracy against that of signs drawn independently
/// with the same shares, standard normal when forecasts know nothing *and labels do not overlap* (take one row in h). `None`
/// where the forecasts or the outcomes have one sign only: a constant sign has no skill to test.
#[must_use]
pub fn pesaran_timmermann(pairs: Pairs<'_>) -> Option<f64> {
    let called: Vec<(f64, f64)> =
        pairs.iter().filter(|&(forecast, realised)| hit(forecast, realised).is_some()).collect();
    let rows = called.len() as f64;
    let share = |of: &dyn Fn(&(f64, f64)) -> bool| called.iter().filter(|row| of(row)).count() as f64 / rows;
    let (up, forecast_up) = (share(&|row| row.1 > 0.0), share(&|row| row.0 > 0.0));
    let accuracy = share(&|row| (row.0 > 0.0) == (row.1 > 0.0));
    let spread = |p: f64| p * (1.0 - p);
    let by_chance = up * forecast_up + (1.0 - up) * (1.0 - forecast_up);
    let of_accuracy = spread(by_chance) / rows;
    let of_chance = ((2.0 * up - 1.0).powi(2) * spread(forecast_up)
        + (2.0 * forecast_up - 1.0).powi(2) * spread(up)
        + 4.0 * spread(up) * spread(forecast_up) / rows)
        / rows;
    let variance = of_accuracy - of_chance;
    // Both have two signs and there are two rows or more: only then is the difference of variances positive.
    (spread(up) > 0.0 && spread(forecast_up) > 0.0 && variance > f64::EPSILON / rows)
        .then(|| (accuracy - by_chance) / variance.sqrt())
}
