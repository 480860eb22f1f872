//! The built-in market keeps its promises: the best IC is what was asked for, it takes a pattern and a memory to reach
//! it, and a straight line through the newest bars gets less than half of it.

use std::f64::consts::TAU;

use tapeline_data_pipeline::{
    Bars, Severity, Span, SyntheticSpec, Timeframe, audit, built_in_market, resample,
};

use crate::regression::{Ridge, correlation};

const DAY: i64 = 86_400_000_000_000;

fn market(spec: &SyntheticSpec) -> Vec<Bars> {
    built_in_market(spec, Span::ZERO)
}

fn timeframe(text: &str) -> Timeframe {
    text.parse().unwrap()
}

/// Log return of bar i + 1 over bar i.
fn next_returns(bars: &Bars) -> Vec<f64> {
    bars.close.windows(2).map(|pair| (pair[1] / pair[0]).ln()).collect()
}

fn oracle(bars: &Bars) -> &[f64] {
    bars.oracle.as_deref().unwrap()
}

/// Where the last 15 % of `bars` begin.
fn test_from(bars: &Bars) -> usize {
    bars.len() * 85 / 100
}

/// Pearson correlation over the last 15 % of all symbols at once; their levels are equal by construction.
fn best_ic_on_test(bars: &[Bars]) -> f64 {
    let (mut forecast, mut realised) = (Vec::new(), Vec::new());
    for bars in bars {
        let returns = next_returns(bars);
        forecast.extend_from_slice(&oracle(bars)[test_from(bars)..returns.len()]);
        realised.extend_from_slice(&returns[test_from(bars)..]);
    }
    correlation(&forecast, &realised)
}

#[test]
fn the_best_ic_on_the_test_span_is_the_one_asked_for() {
    for best_ic in [0.1, 0.3, 0.4, 0.5] {
        for seed in [7, 8, 9] {
            let spec = SyntheticSpec { seed, best_ic, ..SyntheticSpec::default() };
            let found = best_ic_on_test(&market(&spec));
            println!("best_ic {best_ic} seed {seed}: {found:.4}");
            assert!((found - best_ic).abs() < 0.02, "asked for {best_ic}, seed {seed} gave {found}");
        }
    }
}

/// Over 1.7 million bars chance leaves less than 0.002 of either figure, so a bias of the calibration would show.
#[test]
fn the_best_ic_is_right_in_the_population() {
    for best_ic in [0.4, 0.7] {
        let (mut forecast, mut realised) = (Vec::new(), Vec::new());
        for bars in market(&SyntheticSpec { seed: 99, symbols: 4, days: 300, best_ic }) {
            let returns = next_returns(&bars);
            forecast.extend_from_slice(&oracle(&bars)[..returns.len()]);
            realised.extend(returns);
        }
        let size = |values: &[f64]| values.iter().map(|value| value * value).sum::<f64>().sqrt();
        let (found, ratio) = (correlation(&forecast, &realised), size(&forecast) / size(&realised));
        println!("best_ic {best_ic}: correlation {found:.4}, ratio of sizes {ratio:.4}");
        assert!((found - best_ic).abs() < 0.006 && (ratio - best_ic).abs() < 0.006, "{found} {ratio}");
    }
}

/// The eight features of one bar, from that bar and the 20 before it.
fn features(bars: &Bars, row: usize) -> Vec<f64> {
    let (open, high, low, close) = (bars.open[row], bars.high[row], bars.low[row], bars.close[row]);
    let returns = bars.close[row - 20..=row].windows(2).map(|pair| (pair[1] / pair[0]).ln());
    let of_day = TAU * bars.close_time[row].nanos().rem_euclid(DAY) as f64 / DAY as f64;
    vec![
        (close / bars.close[row - 1]).ln(),
        (high / low).ln(),
        (close / open).ln(),
        (high / open.max(close)).ln(),
        (open.min(close) / low).ln(),
        bars.volume[row].ln_1p(),
        (returns.map(|value| value * value).sum::<f64>() / 20.0).sqrt().ln(),
        of_day.sin(),
        of_day.cos(),
    ]
}

#[test]
fn a_straight_line_through_the_last_bars_reaches_at_most_half_of_it() {
    for seed in [7, 8, 9] {
        let (mut train, mut test) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
        let mut best = (Vec::new(), Vec::new());
        for bars in market(&SyntheticSpec { seed, ..SyntheticSpec::default() }) {
            let higher = ["5m", "15m"].map(|text| resample(&bars, timeframe(text)).unwrap());
            let returns = next_returns(&bars);
            for (row, &realised) in returns.iter().enumerate().skip(400) {
                let mut inputs = features(&bars, row);
                for bars_above in &higher {
                    let newest =
                        bars_above.available_at.partition_point(|&at| at <= bars.available_at[row]) - 1;
                    inputs.extend(features(bars_above, newest));
                }
                let part = if row < test_from(&bars) { &mut train } else { &mut test };
                part.0.push(inputs);
                part.1.push(realised);
                if row >= test_from(&bars) {
                    best.0.push(oracle(&bars)[row]);
                    best.1.push(realised);
                }
            }
        }
        let ridge = Ridge::fit(&train.0, &train.1, 1e-3);
        let reached = correlation(&ridge.forecast(&test.0), &test.1);
        let best = correlation(&best.0, &best.1);
        println!("seed {seed}: ridge {reached:.4} of {best:.4} = {:.3}", reached / best);
        assert!(reached > 0.0 && reached <= 0.5 * best, "ridge reaches {reached} of {best}");
    }
}

/// The memory as somebody who sees only five-minute volumes can compute it: log volume less a daily sinusoid fitted to
/// it, averaged with a half-life of 12 bars.
fn visible_memory(five: &Bars) -> Vec<f64> {
    let daily: Vec<Vec<f64>> = (five.open_time.iter())
        .map(|open| TAU * open.nanos().rem_euclid(DAY) as f64 / DAY as f64)
        .map(|of_day| vec![of_day.sin(), of_day.cos()])
        .collect();
    let log_volume: Vec<f64> = five.volume.iter().map(|volume| volume.ln()).collect();
    let season = Ridge::fit(&daily, &log_volume, 0.0).forecast(&daily);
    let mean = log_volume.iter().sum::<f64>() / log_volume.len() as f64;
    let forget = 0.5_f64.powf(1.0 / 12.0);
    let mut state = 0.0;
    log_volume
        .iter()
        .zip(&season)
        .map(|(volume, season)| {
            state = forget * state + (1.0 - forget) * (volume - mean - season);
            state
        })
        .collect()
}

#[test]
fn the_local_pattern_and_the_volume_memory_read_out_linearly_reach_nine_tenths() {
    let (mut rows, mut targets, mut alone) = (Vec::new(), Vec::new(), (Vec::new(), Vec::new()));
    for bars in market(&SyntheticSpec::default()) {
        let five = resample(&bars, timeframe("5m")).unwrap();
        let memory = visible_memory(&five);
        let returns = next_returns(&bars);
        for row in 400..returns.len() {
            let last = |back: usize| returns[row - 1 - back];
            let filtered = 0.5 * (last(1) - last(2) - last(3) + last(4));
            let sigma = (returns[row - 60..row].iter().map(|value| value * value).sum::<f64>() / 60.0).sqrt();
            let newest = five.available_at.partition_point(|&at| at <= bars.available_at[row]) - 1;
            rows.push(vec![filtered, sigma * memory[newest]]);
            targets.push(returns[row]);
            alone.0.push(sigma * memory[newest]);
            alone.1.push(oracle(&bars)[row]);
        }
    }
    let forecast = Ridge::fit(&rows, &targets, 0.0).forecast(&rows);
    let reached = correlation(&forecast, &alone.1);
    let memory = correlation(&alone.0, &alone.1);
    println!("readout {reached:.4}, memory alone {memory:.4}");
    assert!(reached > 0.9, "the readout correlates with the oracle by {reached}");
    assert!(
        (memory - 0.35_f64.sqrt()).abs() < 0.06,
        "the visible memory correlates with the oracle by {memory}"
    );
}

#[test]
fn a_market_without_a_signal_has_none() {
    let bars = market(&SyntheticSpec { best_ic: 0.0, ..SyntheticSpec::default() });
    for bars in &bars {
        assert!(oracle(bars).iter().all(|&value| value == 0.0));
        let returns = next_returns(bars);
        let filtered: Vec<f64> = (4..returns.len() - 1)
            .map(|now| returns[now - 1] - returns[now - 2] - returns[now - 3] + returns[now - 4])
            .collect();
        let ic = correlation(&filtered, &returns[5..]);
        assert!(ic.abs() < 4.0 * 1.2 / (filtered.len() as f64).sqrt(), "{} shows an ic of {ic}", bars.symbol);
    }
}

#[test]
fn equal_seeds_give_equal_bytes_on_any_number_of_threads() {
    let spec = SyntheticSpec { days: 3, ..SyntheticSpec::default() };
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| market(&spec))
    };
    let one = on(1);
    assert_eq!(one, on(3));
    let other = market(&SyntheticSpec { seed: 8, ..spec });
    assert_ne!(one[0].close, other[0].close);
    assert_ne!(one[0].close, one[1].close);
}

#[test]
fn the_audit_has_nothing_against_it() {
    let report = audit(&market(&SyntheticSpec::default()));
    assert!(!report.has_errors(), "{report}");
    for symbol in &report.symbols {
        assert_eq!(symbol.count(Severity::Warning), symbol.gaps.unwrap().count, "{report}");
    }
}

#[test]
fn bars_are_late_by_the_publication_lag() {
    let spec = SyntheticSpec { days: 1, symbols: 1, ..SyntheticSpec::default() };
    let lag = Span::from_nanos(7);
    let bars = &built_in_market(&spec, lag)[0];
    assert!((0..bars.len()).all(|row| bars.available_at[row] == bars.close_time[row].plus(lag)));
}

#[test]
fn every_symbol_has_gaps_and_volume() {
    for bars in market(&SyntheticSpec { days: 1, ..SyntheticSpec::default() }) {
        let gaps =
            bars.open_time.windows(2).filter(|pair| pair[1].since(pair[0]) > timeframe("1m").span()).count();
        assert!(gaps >= 1 && bars.len() > 900, "{gaps} gaps in {} bars", bars.len());
        assert!(bars.volume.iter().all(|&volume| volume > 0.0));
    }
}

/// Volatility clusters: the size of a return says something about the size of the one an hour later.
#[test]
fn volatility_clusters() {
    for bars in market(&SyntheticSpec::default()) {
        let sizes: Vec<f64> = next_returns(&bars).iter().map(|value| value.abs()).collect();
        let hour_later = correlation(&sizes[..sizes.len() - 60], &sizes[60..]);
        assert!((0.03..0.3).contains(&hour_later), "{hour_later}");
    }
}
