//! Where the points of a float's grid are.
//!
//! A step such as 0.1 is meant as the decimal that is written, which no float is: in floats three steps of 0.1 are more than
//! 0.3. So the end of a grid is computed in decimals.

/// The largest `low + k step` that is not above `high`, each taken for the shortest decimal that means it, as Optuna takes them.
pub(super) fn last(low: f64, high: f64, step: f64) -> f64 {
    let Some(grid) = Decimals::of(low, high, step) else { return last_in_floats(low, high, step) };
    let range = grid.high - grid.low;
    // What was once lowered to a point stays there, even if its own shortest decimal has too few digits to meet it.
    if range % grid.step == 0 || grid.point(nearest_count(low, high, step)) == Some(high) {
        return high;
    }
    grid.value(grid.high - range % grid.step).unwrap_or(high)
}

/// `high`, or the point of the grid that it misses by rounding: what was computed in floats ends there.
pub(super) fn mended(low: f64, high: f64, step: f64) -> f64 {
    let point = Decimals::of(low, high, step).and_then(|grid| grid.point(nearest_count(low, high, step)));
    point.filter(|point| (point - high).abs() <= rounding(low, high)).unwrap_or(high)
}

/// Whether `value` is a point of the grid, give or take what is lost by rounding.
pub(super) fn has(low: f64, high: f64, step: f64, value: f64) -> bool {
    let count = nearest_count(low, value, step);
    let point = low + count * step;
    let slack = (1e-8 * step).max(rounding(low, high));
    (0.0..=nearest_count(low, high, step)).contains(&count) && (value - point).abs() <= slack
}

/// How many steps it is from `low` to `value`.
fn nearest_count(low: f64, value: f64, step: f64) -> f64 {
    ((value - low) / step).round()
}

/// How far from each other results may lie that came by different ways to the same point between `low` and `high`.
fn rounding(low: f64, high: f64) -> f64 {
    4.0 * f64::EPSILON * low.abs().max(high.abs())
}

/// For numbers that are too far apart to be written with one exponent.
fn last_in_floats(low: f64, high: f64, step: f64) -> f64 {
    let steps = (high - low) / step;
    if (steps - steps.round()).abs() < 1e-8 { high } else { (low + steps.floor() * step).min(high) }
}

/// Three decimals as multiples of one power of ten.
struct Decimals {
    low: i128,
    high: i128,
    step: i128,
    power: i32,
}

impl Decimals {
    fn of(low: f64, high: f64, step: f64) -> Option<Self> {
        let parts = [shortest(low)?, shortest(high)?, shortest(step)?];
        let power = parts.iter().filter(|(digits, _)| *digits != 0).map(|(_, power)| *power).min()?;
        let scaled = |(digits, own): (i128, i32)| match digits {
            0 => Some(0),
            _ => digits.checked_mul(10_i128.checked_pow((own - power).try_into().ok()?)?),
        };
        let [low, high, step] = parts.map(scaled);
        // Far from the end of the integers, so that sums stay among them.
        let small = |number: i128| number.checked_mul(4).map(|_| number);
        Some(Self { low: small(low?)?, high: small(high?)?, step: small(step?)?, power })
    }

    /// The float that is nearest to so many steps from `low`.
    fn point(&self, count: f64) -> Option<f64> {
        self.value(self.step.checked_mul(count as i128)?.checked_add(self.low)?)
    }

    /// The float that is nearest to a multiple of the power of ten.
    fn value(&self, multiple: i128) -> Option<f64> {
        format!("{multiple}e{}", self.power).parse().ok()
    }
}

/// The shortest decimal that means `value`, as digits and a power of ten.
fn shortest(value: f64) -> Option<(i128, i32)> {
    let text = format!("{value:e}");
    let (digits, power) = text.split_once('e')?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    Some((format!("{whole}{fraction}").parse().ok()?, power.parse::<i32>().ok()? - fraction.len() as i32))
}
