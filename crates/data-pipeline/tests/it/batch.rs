use rayon::ThreadPoolBuilder;
use tapeline_data_pipeline::feature::Body;
use tapeline_data_pipeline::{
    DataError, DataSpec, Dataset, FittedLabel, LabelSpec, MASKED, SequenceLengthSpec, Span,
};

use crate::random_market::{Random, timeframe, walk};

fn data() -> Dataset {
    let labels =
        [LabelSpec::LogReturn { horizon: 3, lag: 0 }, LabelSpec::BullBearSidewaysVolatile { horizon: 3 }];
    let bars = vec![
        walk("A", timeframe("5m"), (0..3000).filter(|step| step % 97 != 0), Span::ZERO, 1),
        walk("B", timeframe("5m"), 500..2500, Span::ZERO, 2),
    ];
    DataSpec::default().check().unwrap().prepare(bars, &labels).unwrap()
}

/// Sample ids in no order, some of them twice.
fn shuffled(data: &Dataset, count: usize) -> Vec<u32> {
    let mut random = Random(9);
    (0..count).map(|_| (random.bits() % data.windows().len() as u64) as u32).collect()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn the_bytes_do_not_depend_on_the_number_of_threads() {
    let data = data();
    let samples = shuffled(&data, 1000);
    for timeframe in 0..data.inputs().len() {
        let one_by_one: Vec<f32> = samples
            .iter()
            .flat_map(|&sample| {
                let mut window = vec![f32::NAN; data.inputs()[timeframe].window_len()];
                data.fill_inputs(timeframe, &[sample], &mut window).unwrap();
                window
            })
            .collect();
        for threads in [1, 2, 3, 8] {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let mut together = vec![f32::NAN; one_by_one.len()];
            pool.install(|| data.fill_inputs(timeframe, &samples, &mut together)).unwrap();
            assert!(bits(&together) == bits(&one_by_one), "{threads} threads, timeframe {timeframe}");
        }
    }
}

#[test]
fn preparing_gives_the_same_bytes_for_any_number_of_threads() {
    let prepared = |threads| {
        let data = ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(data);
        let tables: Vec<_> = data.tables().iter().flatten().map(|table| bits(table.values())).collect();
        let labels: Vec<_> = data.labels().iter().map(|column| bits(&column.values)).collect();
        (serde_json::to_string(data.fitted()).unwrap(), tables, labels, data.windows().clone())
    };
    let one = prepared(1);
    assert!([2, 3, 8].into_iter().all(|threads| prepared(threads) == one));
}

#[test]
fn a_window_is_the_rows_up_to_its_end_row() {
    let data = data();
    for (timeframe, layout) in data.inputs().iter().enumerate() {
        let place = |name: &str| layout.channels.iter().position(|channel| channel == name);
        let (recency_at, age_at) = (place("recency").unwrap(), place("age"));
        for sample in shuffled(&data, 50) {
            let mut window = vec![f32::NAN; layout.window_len()];
            data.fill_inputs(timeframe, &[sample], &mut window).unwrap();
            let end = data.windows().end_rows(timeframe)[sample as usize];
            assert_ne!(end, MASKED);
            let table = &data.tables()[data.windows().symbols()[sample as usize] as usize][timeframe];
            for (step, row) in window.chunks(layout.width()).enumerate() {
                let mut expected = table.row(end as usize + 1 + step - layout.length).to_vec();
                let newer = layout.length - 1 - step;
                expected[recency_at] = -(newer as f32 + 1.0).ln();
                if let Some(channel) = age_at {
                    expected[channel] = data.age(timeframe, sample).unwrap();
                }
                assert_eq!(row, expected);
            }
        }
    }
}

#[test]
fn a_window_may_be_longer_than_16_bits_can_count() {
    let length = usize::from(u16::MAX) + 2;
    let spec = DataSpec {
        timeframes: vec![timeframe("1m")],
        sequence_length: SequenceLengthSpec::Same(length),
        features: vec![Body.into()],
        ..DataSpec::default()
    };
    let bars = walk("A", timeframe("1m"), 0..length as i64 + 40, Span::ZERO, 1);
    let labels = [LabelSpec::LogReturn { horizon: 1, lag: 0 }];
    let data = spec.check().unwrap().prepare(vec![bars], &labels).unwrap();
    let mut window = vec![f32::NAN; data.inputs()[0].window_len()];
    data.fill_inputs(0, &[0], &mut window).unwrap();
    assert_eq!(window[2], -(length as f32).ln());
}

#[test]
fn targets_lead_back_to_the_labels() {
    let data = data();
    let samples: Vec<u32> = (0..data.windows().len() as u32).collect();
    let (mut values, mut mask) = (vec![f32::NAN; samples.len()], vec![f32::NAN; samples.len()]);
    for (label, column) in data.labels().iter().enumerate() {
        data.fill_targets(label, &samples, &mut values, &mut mask).unwrap();
        let mut absent = 0;
        for sample in 0..samples.len() {
            if column.values[sample].is_nan() {
                assert_eq!((values[sample], mask[sample]), (0.0, 0.0));
                absent += 1;
                continue;
            }
            assert_eq!(mask[sample], 1.0);
            let back = match column.fitted {
                FittedLabel::Regression { mean, std } => f64::from(values[sample]) * std + mean,
                FittedLabel::Regime { .. } => f64::from(values[sample]),
            };
            assert!((back - f64::from(column.values[sample])).abs() < 1e-8);
        }
        let counted = column.absent;
        let counts = [counted.past_the_end, counted.beyond_gap, counted.below_floor, counted.too_little_past];
        assert_eq!(counts.iter().sum::<usize>(), absent);
        assert!(absent > 0);
    }
}

#[test]
fn wrong_buffers_and_unknown_samples_are_errors() {
    let data = data();
    let window = data.inputs()[0].window_len();
    let beyond = data.windows().len() as u32;
    let mut out = vec![7.0; 2 * window];
    let lookup = |result| matches!(result, Err(DataError::Lookup { .. }));
    let length = |result| matches!(result, Err(DataError::BufferLength { .. }));
    assert!(length(data.fill_inputs(0, &[0], &mut out)));
    assert!(length(data.fill_inputs(0, &[0, 1, 2], &mut out)));
    assert!(lookup(data.fill_inputs(3, &[0, 1], &mut out)));
    assert!(lookup(data.fill_inputs(0, &[0, beyond], &mut out)));
    assert!(lookup(data.fill_targets(2, &[0], &mut [0.0], &mut [0.0])));
    assert!(lookup(data.fill_targets(0, &[beyond], &mut [0.0], &mut [0.0])));
    assert!(length(data.fill_targets(0, &[0], &mut [0.0, 0.0], &mut [0.0])));
    assert!(length(data.fill_targets(0, &[0], &mut [0.0], &mut [])));
    assert!(out.iter().all(|&value| value == 7.0));
    assert!(data.fill_inputs(0, &[], &mut []).is_ok());
    assert!(lookup(data.last_bar_features(beyond).map(|_| ())));
    assert!(data.past_return(beyond, 1).is_nan());
}
