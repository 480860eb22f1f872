//! Scores of made-up forecasts, and of the naive ones beside them, on markets made to tell a right score from a wrong one.

use tapeline_artefact::{Predictions, Rows};
use tapeline_data_pipeline::{Bars, Dataset, FittedLabel, Span, Split, Timeframe, built_in_market};
use tapeline_trainer::{Calibration, Scorecard, TaskKind, Tasks, VolatilityBaseline, scorecard};

use crate::small_run::{data_spec, tasks_spec};

const SPLIT: Split = Split::Validation;

/// The small market after `edit`.
fn market(edit: impl FnOnce(&mut [Bars])) -> (Dataset, Tasks) {
    let (spec, tasks) = (data_spec(), tasks_spec().check().unwrap());
    let mut bars = built_in_market(spec.source.synthetic.as_ref().unwrap(), Span::ZERO);
    edit(&mut bars);
    let data = spec.check().unwrap().prepare(bars, tasks.labels()).unwrap();
    (data, tasks)
}

/// Every price of a symbol from row `from` on, each through `change`.
fn change_prices(bars: &mut Bars, from: usize, change: impl Fn(f64) -> f64) {
    for prices in [&mut bars.open, &mut bars.high, &mut bars.low, &mut bars.close] {
        prices[from..].iter_mut().for_each(|price| *price = change(*price));
    }
}

/// Predictions of the validation span whose outputs for `task` are `output(sample)` and otherwise something that varies.
fn said(data: &Dataset, tasks: &Tasks, task: &str, output: impl Fn(u32) -> f32) -> Predictions {
    let samples = data.samples(SPLIT);
    let heads = tasks.iter().map(|of| {
        let classes = if let TaskKind::Regime { classes, .. } = of.kind { classes } else { 1 };
        let width = of.horizons.len() * classes;
        let cell = |at: usize| {
            if of.name == task { output(samples[at / width]) } else { (at as f32 * 0.7).sin() }
        };
        Rows { width, values: (0..samples.len() * width).map(cell).collect() }
    });
    let features = Rows { width: 3, values: (0..samples.len() * 3).map(|at| (at as f32).sin()).collect() };
    Predictions { features, heads: heads.collect() }
}

fn scored(data: &Dataset, tasks: &Tasks, said: &Predictions) -> Scorecard {
    let calibration = Calibration::on_validation(data, tasks, said);
    scorecard(data, tasks, SPLIT, said, &calibration, 5).unwrap()
}

fn baseline<'a>(card: &'a Scorecard, name: &str) -> &'a VolatilityBaseline {
    card.volatility[0].baselines.iter().find(|baseline| baseline.name == name).unwrap()
}

/// The label of log variance over `horizon` bars: where it is, and what a standardised output of 0 and of 1 stand for.
fn volatility(data: &Dataset, tasks: &Tasks) -> (usize, usize, f64, f64) {
    let task = tasks.iter().find(|task| task.name == "volatility_estimation").unwrap();
    let label = task.labels.start;
    let FittedLabel::Regression { mean, std } = data.labels()[label].fitted else { panic!("a number") };
    (label, task.horizons[0], mean, std)
}

/// (symbol, sample, log variance) of the samples of `split` that have one.
fn log_variances(data: &Dataset, label: usize, split: Split) -> Vec<(usize, u32, f64)> {
    let row = |&sample: &u32| {
        let symbol = data.windows().symbols()[sample as usize] as usize;
        (symbol, sample, f64::from(data.labels()[label].values[sample as usize]))
    };
    data.samples(split).iter().map(row).filter(|(_, _, log)| !log.is_nan()).collect()
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.collect();
    values.iter().sum::<f64>() / values.len() as f64
}

/// Means of `value` over the train rows of symbol 0 and 1.
fn train_means(rows: &[(usize, u32, f64)], value: impl Fn(u32, f64) -> Option<f64>) -> [f64; 2] {
    [0, 1].map(|symbol| {
        mean(rows.iter().filter(|row| row.0 == symbol).filter_map(|&(_, sample, log)| value(sample, log)))
    })
}

/// A market whose second symbol moves three times as much as the first.
fn uneven_market() -> (Dataset, Tasks) {
    market(|bars| {
        let first = bars[1].close[0];
        change_prices(&mut bars[1], 0, |price| first * (price / first).powi(3));
    })
}

#[test]
fn knowing_which_symbol_it_is_about_is_no_skill() {
    let (data, tasks) = uneven_market();
    let (label, _, mean_log, std) = volatility(&data, &tasks);
    let means = train_means(&log_variances(&data, label, Split::Train), |_, log| Some(log));
    let output =
        |sample: u32| ((means[data.windows().symbols()[sample as usize] as usize] - mean_log) / std) as f32;
    let card = scored(&data, &tasks, &said(&data, &tasks, "volatility_estimation", output));

    let rows = log_variances(&data, label, SPLIT);
    let miss = |expected: &dyn Fn(usize) -> f64| -> f64 {
        rows.iter().map(|(symbol, _, log)| (log - expected(*symbol)).powi(2)).sum()
    };
    let against_all = 1.0 - miss(&|symbol| means[symbol]) / miss(&|_| mean_log);
    assert!(against_all > 0.1, "the symbols do not differ: {against_all}");
    assert!(card.volatility[0].r2_log.unwrap().abs() < 1e-5, "{:?}", card.volatility[0].r2_log);
    assert!(baseline(&card, "train_mean").r2_log.unwrap().abs() < 1e-12);
}

#[test]
fn persistence_forecasts_the_log_and_the_variance_each_without_bias() {
    let (data, tasks) = uneven_market();
    let (label, horizon, ..) = volatility(&data, &tasks);
    let card = scored(&data, &tasks, &said(&data, &tasks, "", |_| 0.0));

    let past = |sample| data.past_realized_variance(sample, horizon);
    let train = log_variances(&data, label, Split::Train);
    let known = |sample| (past(sample) > 0.0).then(|| past(sample).ln());
    let bias = train_means(&train, |sample, log| Some(log - known(sample)?));
    let means = train_means(&train, |_, log| Some(log));
    let rows = log_variances(&data, label, SPLIT);
    let residual: f64 = rows.iter().map(|&(s, i, log)| (log - past(i).ln() - bias[s]).powi(2)).sum();
    let naive: f64 = rows.iter().map(|&(s, _, log)| (log - means[s]).powi(2)).sum();
    let qlike = mean(rows.iter().map(|&(_, i, log)| log.exp() / past(i) - (log - past(i).ln()) - 1.0));

    let found = baseline(&card, "persistence");
    assert_eq!(found.rows, rows.len());
    assert!((found.r2_log.unwrap() - (1.0 - residual / naive)).abs() < 1e-9, "{found:?}");
    assert!((found.qlike.unwrap() - qlike).abs() < 1e-9 * qlike, "{found:?} and {qlike}");
}

#[test]
fn persistence_is_not_scored_where_the_past_stood_still() {
    let (plain, _) = market(|_| {});
    let first = plain.windows().end_rows(0)[plain.samples(SPLIT)[0] as usize] as usize;
    let (data, tasks) = market(|bars| {
        for bars in bars {
            for still in 0..6 {
                let rows = first + 40 + 80 * still..first + 80 + 80 * still;
                let price = bars.close[rows.start];
                for prices in [&mut bars.open, &mut bars.high, &mut bars.low, &mut bars.close] {
                    prices[rows.clone()].fill(price);
                }
            }
        }
    });
    let (label, horizon, ..) = volatility(&data, &tasks);
    let card = scored(&data, &tasks, &said(&data, &tasks, "", |_| 0.0));
    let rows = log_variances(&data, label, SPLIT);
    let known = rows.iter().filter(|row| data.past_realized_variance(row.1, horizon) > 0.0).count();
    let found = baseline(&card, "persistence");
    assert!(known < rows.len(), "no decision came after a still price");
    assert_eq!(found.rows, known);
    assert!(found.qlike.unwrap() < 50.0, "{found:?}");
    assert_eq!(baseline(&card, "ewma").rows, rows.len());
}

#[test]
fn no_naive_forecast_sees_a_return_over_a_long_gap() {
    let days = |count: i64| Span::from_nanos(count * Timeframe::DAY.nanos());
    let with_jump = |factor: f64| {
        let (data, tasks) = market(|bars| {
            for bars in bars {
                for from in [1_700, 3_300] {
                    for times in [&mut bars.open_time, &mut bars.close_time, &mut bars.available_at] {
                        times[from..].iter_mut().for_each(|time| *time = time.plus(days(10)));
                    }
                    change_prices(bars, from, |price| price * factor);
                }
            }
        });
        scored(&data, &tasks, &said(&data, &tasks, "", |_| 0.0))
    };
    let (without, with) = (with_jump(1.0), with_jump(1.5));
    for (a, b) in without.volatility[0].baselines.iter().zip(&with.volatility[0].baselines) {
        assert_eq!(a.rows, b.rows);
        for (a_score, b_score) in [(a.r2_log, b.r2_log), (a.qlike, b.qlike)] {
            assert!((a_score.unwrap() - b_score.unwrap()).abs() < 1e-5, "{a:?} and {b:?}");
        }
    }
}

#[test]
fn a_forecast_that_runs_away_has_no_qlike_and_is_no_error() {
    let (data, tasks) = market(|_| {});
    let card = scored(&data, &tasks, &said(&data, &tasks, "volatility_estimation", |_| 1e30));
    assert_eq!(card.volatility[0].qlike, None);
    assert_eq!(card.metrics["validation/volatility_estimation/h5/qlike"], None);
    assert!(card.volatility[0].r2_log.unwrap() < -1e50);
}

#[test]
fn features_of_any_width_can_be_scored() {
    let (data, tasks) = market(|_| {});
    let mut said = said(&data, &tasks, "", |_| 0.0);
    let count = data.samples(SPLIT).len();
    said.features = Rows { width: 600, values: (0..count * 600).map(|at| (at as f32).sin()).collect() };
    let features = scored(&data, &tasks, &said).features;
    assert_eq!((features.dimensions, features.effective_rank), (600, None));
    assert!((features.mean_variance.unwrap() - 0.5).abs() < 0.05, "{features:?}");
}

#[test]
fn an_interval_for_volatility_needs_eight_days() {
    let (data, tasks) = market(|_| {});
    let card = scored(&data, &tasks, &said(&data, &tasks, "", |_| 0.0));
    let price = card.price[0].rank_ic_series;
    assert!(price.low.is_some() && price.high.is_some(), "{price:?}");
    let volatility = card.volatility[0].rank_ic_series;
    assert!(volatility.value.is_some() && volatility.low.is_none(), "{volatility:?}");
}

#[test]
fn the_share_beside_right_signs_is_that_of_called_decisions() {
    let (data, tasks) = market(|_| {});
    let card = scored(&data, &tasks, &said(&data, &tasks, "", |_| 0.0));
    let of = |name: &str| card.price[0].baselines.iter().find(|baseline| baseline.name == name).unwrap();
    assert_eq!((of("zero").directional_accuracy, of("zero").called_share), (None, Some(0.0)));
    assert!(of("persistence").called_share.unwrap() > 0.9 && card.price[0].called_share.unwrap() > 0.9);
}
