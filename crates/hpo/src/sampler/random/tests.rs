use super::uniform;
use crate::{CategoricalDistribution, Choice, Distribution, FloatDistribution, IntDistribution, TrialRandom};

fn counts(distribution: &Distribution, draws: u32) -> std::collections::BTreeMap<i64, u32> {
    let mut random = TrialRandom::of(3, 1);
    let mut counts = std::collections::BTreeMap::new();
    for _ in 0..draws {
        let value = uniform(distribution, &mut random);
        assert!(distribution.contains(value), "{value} is not in {distribution:?}");
        *counts.entry((value * 4.0).round() as i64).or_default() += 1;
    }
    counts
}

#[test]
fn the_ends_of_a_grid_come_up_as_often_as_its_middle() {
    for distribution in [
        Distribution::from(IntDistribution::new(1, 5)),
        IntDistribution::stepped(0, 8, 2).into(),
        FloatDistribution::stepped(0.0, 1.0, 0.25).into(),
        CategoricalDistribution { choices: (0..5).map(Choice::Int).collect() }.into(),
    ] {
        let counts = counts(&distribution, 20_000);
        assert_eq!(counts.len(), 5, "{distribution:?}");
        // Five standard deviations of a binomial count around 4,000.
        assert!(counts.values().all(|count| count.abs_diff(4_000) < 283), "{distribution:?}: {counts:?}");
    }
}

#[test]
fn a_log_axis_gives_every_decade_its_share() {
    let mut random = TrialRandom::of(3, 1);
    let distribution = Distribution::from(FloatDistribution::log(1e-4, 1.0));
    let low = (0..20_000).filter(|_| uniform(&distribution, &mut random) < 1e-2).count();
    assert!(low.abs_diff(10_000) < 354, "{low} of 20,000 in the lower half");

    let counts = counts(&IntDistribution::log(1, 100).into(), 20_000);
    let ones = f64::from(counts[&4]) / 20_000.0;
    let expected = (1.5_f64 / 0.5).ln() / (100.5_f64 / 0.5).ln();
    assert!((ones - expected).abs() < 0.015, "{ones} of the draws are 1, {expected} expected");
}
