//! Where a value stands along an axis, and the round values that label it.

use super::number;

/// A range of values, laid out evenly or by their logarithm.
#[derive(Clone, Debug)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    log: bool,
    /// Labels of its own, instead of round values.
    labels: Option<Vec<Tick>>,
}

/// A labelled value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    pub(super) value: f64,
    pub(super) label: String,
}

impl Scale {
    /// Even, from `low` to `high`; widened where there is nothing between them.
    pub(super) fn linear(low: f64, high: f64) -> Self {
        let widest = low.abs().max(high.abs());
        if high - low > widest * 1e-9 {
            return Self { low, high, log: false, labels: None };
        }
        let margin = if widest > 0.0 { widest * 0.1 } else { 1.0 };
        Self { low: low - margin, high: high + margin, log: false, labels: None }
    }

    /// Even, around all finite `values` and a twentieth more on both sides. `None` without a finite value.
    pub(super) fn around(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let (low, high) = extent(values)?;
        let margin = (high - low) * 0.05;
        Some(Self::linear(low - margin, high + margin))
    }

    /// By logarithm where positive `values` span more than a factor of 30, even otherwise.
    pub(super) fn wide_around(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let (low, high) = extent(values)?;
        if low > 0.0 && high / low > 30.0 {
            Some(Self { low: low / 1.2, high: high * 1.2, log: true, labels: None })
        } else {
            let margin = (high - low) * 0.05;
            Some(Self::linear(low - margin, high + margin))
        }
    }

    /// From 0 to 1 and a little more on both sides, with words at places of it.
    pub(super) fn of_labels(labels: Vec<(f64, String)>) -> Self {
        let labels = labels.into_iter().map(|(value, label)| Tick { value, label }).collect();
        Self { low: -0.08, high: 1.08, log: false, labels: Some(labels) }
    }

    pub(super) const fn low(&self) -> f64 {
        self.low
    }

    pub(super) const fn high(&self) -> f64 {
        self.high
    }

    /// 0 at the low end, 1 at the high end, beyond them outside.
    pub(super) fn fraction(&self, value: f64) -> f64 {
        if self.log {
            (value.max(f64::MIN_POSITIVE).ln() - self.low.ln()) / (self.high.ln() - self.low.ln())
        } else {
            (value - self.low) / (self.high - self.low)
        }
    }

    /// About `wanted` round values inside the range.
    pub(super) fn ticks(&self, wanted: usize) -> Vec<Tick> {
        match &self.labels {
            Some(labels) => labels.clone(),
            None if self.log => self.decades(),
            None => self.even_ticks(wanted),
        }
    }

    fn even_ticks(&self, wanted: usize) -> Vec<Tick> {
        let rough = (self.high - self.low) / wanted.max(1) as f64;
        let power = 10_f64.powf(rough.log10().floor());
        let step =
            [1.0, 2.0, 5.0, 10.0].map(|unit| unit * power).into_iter().find(|step| *step >= rough * 0.999);
        let step = step.unwrap_or(10.0 * power);
        let decimals = (-(step * 1.000_1).log10().floor()).max(0.0);
        let first = (self.low / step - 1e-9).ceil();
        let last = (self.high / step + 1e-9).floor();
        let count = (last - first).clamp(0.0, 100.0);
        let label = |value: f64| {
            if decimals > 5.0 && value != 0.0 {
                format!("{value:.1e}").replace('-', "−")
            } else {
                number::fixed(value, decimals.min(5.0) as usize)
            }
        };
        (0..=count as usize)
            .map(|index| {
                let value = (first + index as f64) * step;
                Tick { value, label: label(value) }
            })
            .collect()
    }

    /// Powers of ten; with 2 and 5 times them where there would be fewer than four.
    fn decades(&self) -> Vec<Tick> {
        let first = self.low.log10().floor() as i32;
        let last = self.high.log10().ceil() as i32;
        let units: &[f64] = if last - first > 3 { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let every = ((last - first) / 6).max(1) as usize;
        let powers = (first..=last).step_by(every);
        let values = powers.flat_map(|power| units.iter().map(move |unit| unit * 10_f64.powi(power)));
        let inside = values.filter(|value| (self.low..=self.high).contains(value));
        inside.map(|value| Tick { value, label: decade_label(value) }).collect()
    }
}

fn decade_label(value: f64) -> String {
    if (1e-3..1e6).contains(&value) {
        let decimals = (-(value * 1.000_1).log10().floor()).max(0.0) as usize;
        number::fixed(value, decimals)
    } else {
        format!("{value:.0e}").replace('-', "−")
    }
}

/// The least and the greatest finite value.
pub(super) fn extent(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    let finite = values.into_iter().filter(|value| value.is_finite());
    finite.fold(None, |range, value| {
        let (low, high) = range.unwrap_or((value, value));
        Some((value.min(low), value.max(high)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: &Scale, wanted: usize) -> Vec<String> {
        scale.ticks(wanted).into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn ticks_are_round_and_inside() {
        assert_eq!(labels(&Scale::linear(0.0, 1.0), 5), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(&Scale::linear(-0.13, 0.42), 5), ["0.0", "0.2", "0.4"]);
        assert_eq!(labels(&Scale::linear(0.0, 48_000.0), 4), ["0", "20,000", "40,000"]);
        assert_eq!(labels(&Scale::linear(0.0, 1e-3), 4), ["0.0000", "0.0005", "0.0010"]);
        assert_eq!(
            labels(&Scale::linear(0.0, 2e-6), 2),
            ["0", "1.0e−6", "2.0e−6"]
                .map(|label| { if label == "0" { "0.00000".to_owned() } else { label.to_owned() } })
        );
    }

    #[test]
    fn wide_ranges_get_decades() {
        let scale = Scale::wide_around([0.02, 700.0]).unwrap();
        assert_eq!(labels(&scale, 5), ["0.1", "1", "10", "100"]);
        assert!((scale.fraction(0.02 / 1.2)).abs() < 1e-12 && (scale.fraction(840.0) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn one_value_and_none_are_ranges_too() {
        let scale = Scale::around([3.0, f64::NAN]).unwrap();
        assert!(scale.low() < 3.0 && scale.high() > 3.0);
        assert!((Scale::around([0.0]).unwrap().fraction(0.0) - 0.5).abs() < 1e-12);
        assert!(Scale::around([f64::NAN, f64::INFINITY]).is_none());
    }
}
