//! Forecasts and outcomes of several series over time.

use std::ops::Range;

use crate::error::{EvaluationError, check_equal_lengths, check_finite};
use crate::pairs::Pairs;

/// Rows of (series, time, forecast, realised), sorted by series and then time, so that nothing depends on the order in which
/// they were given.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    series: Vec<(u32, Range<usize>)>,
    times: Vec<i64>,
    step: Vec<u32>,
    forecast: Vec<f64>,
    realised: Vec<f64>,
}

impl Panel {
    /// Row `i` is series `series[i]` (a symbol, say) decided at `time[i]` (any unit that grows with time).
    ///
    /// # Errors
    /// [`EvaluationError::UnequalLengths`], [`EvaluationError::NotFinite`] and [`EvaluationError::DuplicateRow`].
    pub fn new(
        series: &[u32],
        time: &[i64],
        forecast: &[f64],
        realised: &[f64],
    ) -> Result<Self, EvaluationError> {
        for (column, rows) in
            [("time", time.len()), ("forecast", forecast.len()), ("realised", realised.len())]
        {
            check_equal_lengths(("series", series.len()), (column, rows))?;
        }
        check_finite("forecast", forecast)?;
        check_finite("realised", realised)?;

        let mut order: Vec<usize> = (0..series.len()).collect();
        order.sort_unstable_by_key(|&row| (series[row], time[row]));
        let key = |row: usize| (series[row], time[row]);
        if let Some(twins) = order.windows(2).find(|rows| key(rows[0]) == key(rows[1])) {
            return Err(EvaluationError::DuplicateRow { series: series[twins[0]], time: time[twins[0]] });
        }

        let mut times = time.to_vec();
        times.sort_unstable();
        times.dedup();
        Ok(Self {
            series: runs(order.iter().map(|&row| series[row])),
            step: order
                .iter()
                .map(|&row| times.partition_point(|&earlier| earlier < time[row]) as u32)
                .collect(),
            forecast: order.iter().map(|&row| forecast[row]).collect(),
            realised: order.iter().map(|&row| realised[row]).collect(),
            times,
        })
    }

    /// The distinct times, ascending.
    #[must_use]
    pub fn times(&self) -> &[i64] {
        &self.times
    }

    /// How many series there are.
    #[must_use]
    pub const fn series_count(&self) -> usize {
        self.series.len()
    }

    /// All rows, by series and then time.
    #[must_use]
    pub fn pairs(&self) -> Pairs<'_> {
        Pairs::checked(&self.forecast, &self.realised)
    }

    /// Each series in ascending order of its id, its rows in order of time.
    pub fn by_series(&self) -> impl Iterator<Item = (u32, Pairs<'_>)> {
        self.series.iter().map(|(id, rows)| (*id, self.rows(rows.clone())))
    }

    /// As [`by_series`](Self::by_series), with the index into [`times`](Self::times) of each row.
    pub(crate) fn by_series_with_steps(&self) -> impl Iterator<Item = (&[u32], Pairs<'_>)> {
        self.series.iter().map(|(_, rows)| (&self.step[rows.clone()], self.rows(rows.clone())))
    }

    /// The rows of each time, in order of [`times`](Self::times); within one time in order of series.
    pub(crate) fn by_time(&self) -> Vec<(Vec<f64>, Vec<f64>)> {
        let mut periods = vec![(Vec::new(), Vec::new()); self.times.len()];
        for (&step, (forecast, realised)) in self.step.iter().zip(self.pairs().iter()) {
            let (forecasts, outcomes) = &mut periods[step as usize];
            forecasts.push(forecast);
            outcomes.push(realised);
        }
        periods
    }

    fn rows(&self, rows: Range<usize>) -> Pairs<'_> {
        Pairs::checked(&self.forecast[rows.clone()], &self.realised[rows])
    }
}

/// Each run of equal ids with the rows it covers.
fn runs(ids: impl Iterator<Item = u32>) -> Vec<(u32, Range<usize>)> {
    let mut runs: Vec<(u32, Range<usize>)> = Vec::new();
    for (row, id) in ids.enumerate() {
        match runs.last_mut() {
            Some((last, rows)) if *last == id => rows.end = row + 1,
            _ => runs.push((id, row..row + 1)),
        }
    }
    runs
}
