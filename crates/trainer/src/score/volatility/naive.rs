//! Naive forecasts of realised variance.

use tapeline_evaluation::baseline::{Ewma, VarianceHistory};

use super::least_variance;
use crate::error::TrainError;
use crate::score::Span;
use crate::score::rows::{Rows, train_rows};
use crate::score::train_means::TrainMeans;

/// What is forecast of one decision.
#[derive(Clone, Copy)]
pub(super) struct Forecast {
    pub(super) variance: f64,
    pub(super) log: f64,
}

/// A naive forecast by name: what it says of each row, where it says something.
pub(super) type Named = (&'static str, Vec<Option<Forecast>>);

/// The naive forecasts of `rows`, each where it has one; `mean_logs` are the train means of the label.
pub(super) fn forecasts(
    span: &Span<'_>,
    rows: &Rows,
    label: usize,
    horizon: usize,
    mean_logs: &TrainMeans,
) -> Result<Vec<Named>, TrainError> {
    let train = train_rows(span, label);
    let of_rows = |forecast: &dyn Fn(u32) -> Option<Forecast>| {
        rows.samples.iter().map(|sample| forecast(*sample)).collect::<Vec<_>>()
    };
    let past = |sample: u32| {
        let variance = span.data.past_realized_variance(sample, horizon);
        (variance > 0.0).then(|| variance.max(least_variance(horizon)))
    };
    let mut forecasts = vec![
        ("train_mean", of_rows(&train_mean(span, &train, mean_logs))),
        ("persistence", of_rows(&with_log(span, &train, past))),
    ];
    if let Some(variance) = ewma(span, label, horizon)? {
        forecasts.push(("ewma", of_rows(&with_log(span, &train, |sample| Some(variance(sample))))));
    }
    Ok(forecasts)
}

/// Each symbol's mean variance and mean log variance over train rows.
fn train_mean<'a>(
    span: &Span<'a>,
    (samples, logs): &(Vec<u32>, Vec<f64>),
    mean_logs: &'a TrainMeans,
) -> impl Fn(u32) -> Option<Forecast> + 'a {
    let variances: Vec<f64> = logs.iter().map(|log| log.exp()).collect();
    let mean_variances = TrainMeans::of(span, samples, &variances);
    let symbols = span.data.windows().symbols();
    move |sample| {
        let symbol = symbols[sample as usize];
        let variance = mean_variances.as_ref()?.of_symbol(symbol);
        Some(Forecast { variance, log: mean_logs.of_symbol(symbol) })
    }
}

/// `variance` with its log, moved by each symbol's mean log residual on train rows: the log of an unbiased variance is not an
/// unbiased log.
fn with_log<'a>(
    span: &Span<'a>,
    (samples, logs): &(Vec<u32>, Vec<f64>),
    variance: impl Fn(u32) -> Option<f64> + 'a,
) -> impl Fn(u32) -> Option<Forecast> + 'a {
    let residual = |(&sample, log): (&u32, &f64)| Some((sample, log - variance(sample)?.ln()));
    let (known, residuals): (Vec<u32>, Vec<f64>) = samples.iter().zip(logs).filter_map(residual).unzip();
    let bias = TrainMeans::of(span, &known, &residuals);
    let symbols = span.data.windows().symbols();
    move |sample| {
        let variance = variance(sample)?;
        let bias = bias.as_ref()?.of_symbol(symbols[sample as usize]);
        Some(Forecast { variance, log: variance.ln() + bias })
    }
}

/// The exponentially weighted variance whose decay is chosen on train rows, by sample id. It starts afresh nowhere, but no
/// return over a long gap enters it.
fn ewma<'a>(
    span: &Span<'a>,
    label: usize,
    horizon: usize,
) -> Result<Option<impl Fn(u32) -> f64 + 'a>, TrainError> {
    let windows = span.data.windows();
    let (symbols, base_rows) = (windows.symbols(), windows.end_rows(0));
    let squares: Vec<Vec<f64>> =
        (0..span.data.symbols().len()).map(|symbol| span.data.squared_returns(symbol)).collect();

    let mut train = vec![(Vec::new(), Vec::new()); squares.len()];
    let (samples, logs) = train_rows(span, label);
    for (sample, log) in samples.into_iter().zip(logs) {
        let (decisions, realised) = &mut train[symbols[sample as usize] as usize];
        decisions.push(base_rows[sample as usize] as usize);
        realised.push(log.exp());
    }
    let histories = squares.iter().zip(&train).map(|(squares, (decisions, realised))| {
        // Nothing after the last decision of the train rows is shown to the fit.
        let seen = decisions.iter().max().map_or(0, |last| last + 1);
        VarianceHistory::new(&squares[..seen], decisions, realised)
    });
    let histories: Vec<VarianceHistory<'_>> = histories.collect::<Result<_, _>>()?;
    let Some(ewma) = Ewma::fit(&histories, horizon) else { return Ok(None) };
    let paths: Vec<Vec<f64>> = squares.iter().map(|squares| ewma.variances(squares)).collect();
    let least = least_variance(horizon);
    Ok(Some(move |sample: u32| {
        let sample = sample as usize;
        (horizon as f64 * paths[symbols[sample] as usize][base_rows[sample] as usize]).max(least)
    }))
}
