use tapeline_data_pipeline::{
    DataError, DataSpec, FindingKind, LabelSpec, RepairSpec, Span, Stamp, SyntheticSpec, write_parquet,
};

use crate::random_market::{timeframe, walk};

fn built_in(timeframes: &[&str]) -> DataSpec {
    let mut spec = DataSpec {
        timeframes: timeframes.iter().map(|text| timeframe(text)).collect(),
        ..DataSpec::default()
    };
    spec.source.synthetic = Some(SyntheticSpec { symbols: 2, days: 5, ..SyntheticSpec::default() });
    spec
}

#[test]
fn the_oracle_speaks_of_the_next_minute_and_of_no_longer_bar() {
    let prepare = |timeframes: &[&str]| {
        let pipeline = built_in(timeframes).check().unwrap();
        let (bars, report) = pipeline.read().unwrap();
        assert!(!report.has_errors());
        pipeline.prepare(bars, &[LabelSpec::LogReturn { horizon: 1, lag: 0 }]).unwrap()
    };
    let minutes = prepare(&["1m", "5m"]);
    let samples = 0..minutes.windows().len() as u32;
    let (mut product, mut oracle_squares, mut label_squares) = (0.0, 0.0, 0.0);
    for sample in samples {
        let label = f64::from(minutes.labels()[0].values[sample as usize]);
        let oracle = minutes.oracle(sample).unwrap();
        if !label.is_nan() {
            product += oracle * label;
            oracle_squares += oracle * oracle;
            label_squares += label * label;
        }
    }
    let correlation = product / f64::sqrt(oracle_squares * label_squares);
    assert!((correlation - 0.4).abs() < 0.08, "the label is the bar the oracle forecasts: {correlation}");
    assert_eq!(prepare(&["5m", "15m"]).oracle(0), None);
}

#[test]
fn an_error_ends_the_run_unless_a_rule_covers_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut bars = walk("A", timeframe("5m"), 0..500, Span::ZERO, 1);
    bars.close[77] = -1.0;
    write_parquet(&[bars], folder.path()).unwrap();
    let mut spec = DataSpec { timeframes: vec![timeframe("5m")], ..DataSpec::default() };
    spec.source.path = Some(folder.path().into());
    spec.source.stamp = Some(Stamp::Open);

    let error = spec.check().unwrap().read().unwrap_err();
    let DataError::Audit { report } = &error else { panic!("{error}") };
    assert_eq!(report.symbols[0].count_of(FindingKind::PriceNotPositive), 1);

    spec.repair = vec![RepairSpec::DropBadRows];
    let (mended, report) = spec.check().unwrap().read().unwrap();
    assert_eq!(mended[0].len(), 499);
    assert_eq!(report.symbols[0].repairs[0].rows, 1);
}

/// Filled bars are as close as the base says, and would be known an hour before the hour they are copied from has ended.
#[test]
fn filling_hours_with_five_minutes_does_not_hide_that_they_are_hours() {
    let folder = tempfile::tempdir().unwrap();
    let hours = walk("A", timeframe("1h"), 0..500, Span::ZERO, 1);
    write_parquet(&[hours], folder.path()).unwrap();
    let mut spec = DataSpec { timeframes: vec![timeframe("5m")], ..DataSpec::default() };
    spec.source.path = Some(folder.path().into());
    spec.source.stamp = Some(Stamp::Open);
    for repair in [vec![], vec![RepairSpec::ForwardFill { max_bars: 12 }]] {
        spec.repair = repair;
        let text = spec.check().unwrap().read().unwrap_err().to_string();
        assert!(text.contains("too_far_apart in 500 rows of A"), "{text}");
        assert!(text.contains("bars are 1h apart and the first of data.timeframes says 5m; set it to 1h"));
    }
    spec.timeframes = vec![timeframe("1h")];
    assert!(spec.check().unwrap().read().is_ok());
}
