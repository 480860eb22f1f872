//! Exponentially weighted averages with an end. A recursion never forgets its first value, so it would depend on how much
//! history lies before; here the weights stop where next to nothing is left, and are scaled to add up to 1.

/// The share of the weight of an endless average that is left out: values differ from the recursion's by about a thousandth.
pub const LEFT_OUT_WEIGHT: f64 = 1e-3;

/// Weights α·(1 − α)ᵏ for the value k bars ago.
#[derive(Clone, Debug)]
pub(super) struct Ewma {
    /// Oldest first.
    weights: Vec<f64>,
}

impl Ewma {
    /// The average with this weight α of the newest value, which is above 0 and at most 1.
    pub(super) fn new(alpha: f64) -> Self {
        let bars = Self::bars(alpha);
        let weights: Vec<f64> = (0..bars).rev().map(|age| alpha * (1.0 - alpha).powi(age as i32)).collect();
        let total: f64 = weights.iter().sum();
        Self { weights: weights.into_iter().map(|weight| weight / total).collect() }
    }

    /// How many values an average with this α reads.
    pub(super) fn bars(alpha: f64) -> usize {
        if alpha >= 1.0 { 1 } else { (LEFT_OUT_WEIGHT.ln() / (1.0 - alpha).ln()).ceil() as usize }
    }

    /// How many values it reads.
    pub(super) fn len(&self) -> usize {
        self.weights.len()
    }

    /// The average of `values`, as many as it reads, oldest first.
    pub(super) fn of(&self, values: &[f64]) -> f64 {
        self.weights.iter().zip(values).map(|(weight, value)| weight * value).sum()
    }

    /// The average that ends with each value from number [`len`](Self::len) on.
    pub(super) fn over(&self, values: &[f64]) -> Vec<f64> {
        values.windows(self.len()).map(|recent| self.of(recent)).collect()
    }
}

/// α of an average called "over n bars" in Wilder's way: 1 / n.
pub(super) fn wilder(bars: usize) -> f64 {
    1.0 / bars as f64
}

/// α of an average with this span: 2 / (n + 1), so that its values are as old on average as those of n equal weights.
pub(super) fn span(bars: usize) -> f64 {
    2.0 / (bars as f64 + 1.0)
}
