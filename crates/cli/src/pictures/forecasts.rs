//! Outcomes over their forecasts.

use tapeline_trainer::{PriceScore, VolatilityScore};

use super::canvas::{BLUE, Canvas, FAINT, INK, SIDE};
use crate::report::number::compact;
use crate::report::scatter::group_means;
use crate::report::skill::bars;

const LEFT: i32 = 70;
const RIGHT: i32 = SIDE as i32 - 15;
const TOP: i32 = 35;
const BOTTOM: i32 = SIDE as i32 - 45;

/// Share of the values at each end that may lie outside.
const TAIL: f64 = 0.01;

/// What is drawn.
pub(super) struct Shown {
    title: String,
    unit: &'static str,
    /// Forecast and outcome.
    pairs: Vec<(f64, f64)>,
}

impl Shown {
    /// Log returns in basis points.
    pub(super) fn returns(score: &PriceScore) -> Self {
        Self::of(&score.pairs, 1e4, format!("{}, {} ahead", score.task, bars(score.horizon)), "basis points")
    }

    /// Logarithms of realised variances.
    pub(super) fn volatility(score: &VolatilityScore) -> Self {
        let title = format!("{}, {} ahead", score.task, bars(score.horizon));
        Self::of(&score.pairs, 1.0, title, "ln of realised variance")
    }

    fn of(pairs: &[(f32, f32)], factor: f64, title: String, unit: &'static str) -> Self {
        let scaled = pairs.iter().map(|(x, y)| (f64::from(*x) * factor, f64::from(*y) * factor));
        Self { title, unit, pairs: scaled.filter(|(x, y)| x.is_finite() && y.is_finite()).collect() }
    }
}

/// A stretch of values and the pixels that it is drawn over.
struct Axis {
    low: f64,
    high: f64,
    from: i32,
    to: i32,
}

impl Axis {
    /// Over the values without their tails.
    fn over(values: impl Iterator<Item = f64>, from: i32, to: i32) -> Option<Self> {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        let last = values.len().checked_sub(1)?;
        let cut = (last as f64 * TAIL) as usize;
        let (low, high) = (values[cut], values[last - cut]);
        let aside = ((high - low) * 0.04).max(f64::MIN_POSITIVE).max(high.abs() * 1e-9);
        Some(Self { low: low - aside, high: high + aside, from, to })
    }

    fn pixel(&self, value: f64) -> Option<i32> {
        let share = (value - self.low) / (self.high - self.low);
        (0.0..=1.0).contains(&share).then(|| self.from + (share * f64::from(self.to - self.from)) as i32)
    }
}

/// Each pair, the means of equal groups, the line where both are the same, and zero where it is in sight.
pub(super) fn picture(shown: &Shown) -> Canvas {
    let mut canvas = Canvas::new();
    canvas.title(&shown.title);
    let mut pairs = shown.pairs.clone();
    pairs.sort_by(|one, other| one.0.total_cmp(&other.0));
    let x = Axis::over(pairs.iter().map(|pair| pair.0), LEFT, RIGHT);
    let y = Axis::over(pairs.iter().map(|pair| pair.1), BOTTOM, TOP);
    let (Some(x), Some(y)) = (x, y) else {
        canvas.words("no decision has an outcome", (SIDE as i32 / 2, SIDE as i32 / 2), INK);
        return canvas;
    };
    if let Some(zero) = x.pixel(0.0) {
        canvas.line((zero, TOP), (zero, BOTTOM), FAINT);
    }
    if let Some(zero) = y.pixel(0.0) {
        canvas.line((LEFT, zero), (RIGHT, zero), FAINT);
    }
    let (low, high) = (x.low.max(y.low), x.high.min(y.high));
    if let (Some(ax), Some(ay), Some(bx), Some(by)) =
        (x.pixel(low), y.pixel(low), x.pixel(high), y.pixel(high))
        && low < high
    {
        canvas.line((ax, ay), (bx, by), FAINT);
    }
    for (forecast, outcome) in &pairs {
        if let (Some(x), Some(y)) = (x.pixel(*forecast), y.pixel(*outcome)) {
            canvas.dot((x, y), 2, INK);
        }
    }
    for (forecast, outcome) in group_means(&pairs) {
        if let (Some(x), Some(y)) = (x.pixel(forecast), y.pixel(outcome)) {
            canvas.dot((x, y), 9, BLUE);
        }
    }
    canvas.line((LEFT, BOTTOM), (RIGHT, BOTTOM), INK);
    canvas.line((LEFT, TOP), (LEFT, BOTTOM), INK);
    canvas.words(&compact(x.low), (LEFT + 10, BOTTOM + 12), INK);
    canvas.words(&compact(x.high), (RIGHT - 20, BOTTOM + 12), INK);
    canvas.words_before(&compact(y.low), (LEFT - 6, BOTTOM - 6), INK);
    canvas.words_before(&compact(y.high), (LEFT - 6, TOP + 6), INK);
    canvas.words(&format!("outcome over forecast, {}", shown.unit), (SIDE as i32 / 2, BOTTOM + 28), INK);
    canvas
}
