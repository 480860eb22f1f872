//! What each symbol's train rows let expect.

use super::Span;

/// A mean over train rows, of each symbol on its own: over all symbols together it would credit a forecast for knowing which
/// symbol it is about.
pub(super) struct TrainMeans {
    by_symbol: Vec<Option<f64>>,
    pooled: f64,
}

impl TrainMeans {
    /// The means of `values`, one for each of these train `samples`. `None` without any.
    pub(super) fn of(span: &Span<'_>, samples: &[u32], values: &[f64]) -> Option<Self> {
        let symbols = span.data.windows().symbols();
        let rows = samples.iter().zip(values).map(|(&sample, &value)| (symbols[sample as usize], value));
        Self::of_rows(span.data.symbols().len(), rows)
    }

    /// The means of (symbol, value).
    fn of_rows(symbols: usize, rows: impl Iterator<Item = (u32, f64)>) -> Option<Self> {
        let mut sums = vec![(0.0, 0_usize); symbols];
        for (symbol, value) in rows {
            let (sum, count) = &mut sums[symbol as usize];
            *sum += value;
            *count += 1;
        }
        let mean = |(sum, count): (f64, usize)| (count > 0).then(|| sum / count as f64);
        let all = sums.iter().fold((0.0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
        Some(Self { pooled: mean(all)?, by_symbol: sums.into_iter().map(mean).collect() })
    }

    /// The mean of `symbol`, or of all symbols together where it has no train row.
    pub(super) fn of_symbol(&self, symbol: u32) -> f64 {
        self.by_symbol.get(symbol as usize).copied().flatten().unwrap_or(self.pooled)
    }
}

#[cfg(test)]
mod tests {
    use super::TrainMeans;

    #[test]
    fn a_symbol_without_train_rows_has_the_mean_of_all() {
        let means = TrainMeans::of_rows(3, [(0, 1.0), (0, 3.0), (1, 8.0)].into_iter()).unwrap();
        assert_eq!([0, 1, 2].map(|symbol| means.of_symbol(symbol)), [2.0, 8.0, 4.0]);
        assert!(TrainMeans::of_rows(3, std::iter::empty()).is_none());
    }
}
