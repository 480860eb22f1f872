use std::collections::BTreeMap;

use proptest::prelude::*;
use tapeline_data_pipeline::{
    Bars, DataSpec, FeatureSpec, Fingerprint, Fitted, LabelSpec, Pipeline, SequenceLengthSpec, Span, leak,
};

use crate::feature::with_short_lookbacks;
use crate::random_market::{Random, span, timeframe, walk};

const LABELS: [LabelSpec; 3] = [
    LabelSpec::LogReturn { horizon: 3, lag: 1 },
    LabelSpec::LogRealizedVariance { horizon: 4 },
    LabelSpec::BullBearSidewaysVolatile { horizon: 2 },
];

fn pipeline(max_age: Option<Span>, max_gap: Span, stride: usize, features: &[FeatureSpec]) -> Pipeline {
    let spec = DataSpec {
        features: features.to_vec(),
        timeframes: vec![timeframe("5m"), timeframe("15m"), timeframe("1h")],
        sequence_length: SequenceLengthSpec::Each(BTreeMap::from([
            (timeframe("5m"), 12),
            (timeframe("15m"), 5),
            (timeframe("1h"), 3),
        ])),
        max_age: max_age.map(|age| (timeframe("1h"), age)).into_iter().collect(),
        max_gap,
        stride,
        ..DataSpec::default()
    };
    spec.check().unwrap()
}

#[test]
fn a_clean_certificate_says_what_was_probed() {
    let bars = vec![
        walk("A", timeframe("5m"), 0..1500, Span::ZERO, 1),
        walk("B", timeframe("5m"), (300..1700).filter(|step| step % 13 != 5), Span::ZERO, 2),
    ];
    let certificate =
        leak::check(&pipeline(None, span("4d"), 1, &FeatureSpec::DEFAULT), &bars, &LABELS, 6, 11).unwrap();
    assert!(certificate.is_clean(), "{:?}", certificate.leaks);
    let scaled = certificate.probes.iter().filter(|probe| probe.scaled).count();
    assert!(certificate.probes.len() >= 5 && (3..=4).contains(&scaled), "{:?}", certificate.probes);
    assert!(certificate.probes.iter().any(|probe| probe.decision == certificate.split.last_train_decision));
    assert!(certificate.probes.iter().all(|probe| probe.samples > 0 && probe.rows > probe.samples));
    let text = serde_json::to_string(&certificate).unwrap();
    assert_eq!(serde_json::from_str::<leak::LeakCertificate>(&text).unwrap(), certificate);
}

#[test]
fn a_certificate_speaks_of_what_was_checked_and_of_nothing_else() {
    let bars = vec![walk("A", timeframe("5m"), 0..900, Span::ZERO, 1)];
    let pipeline = pipeline(None, span("4d"), 1, &FeatureSpec::DEFAULT);
    let certificate = leak::check(&pipeline, &bars, &LABELS, 2, 11).unwrap();
    let data = pipeline.prepare(bars.clone(), &LABELS).unwrap();
    let of = |spec: &DataSpec, labels: &[LabelSpec], fitted: &Fitted| {
        leak::subject(data.fingerprint(), spec, labels, fitted).unwrap()
    };
    let (spec, fitted) = (pipeline.spec(), data.fitted());
    assert_eq!(certificate.subject, of(spec, &LABELS, fitted));
    assert_eq!(certificate.bars, *data.fingerprint());

    // Written down and read again, and with its bars moved elsewhere, it is the same.
    let text = serde_json::to_string(&(spec, fitted)).unwrap();
    let (mut again, refitted): (DataSpec, Fitted) = serde_json::from_str(&text).unwrap();
    again.source.path = Some("elsewhere".into());
    assert_eq!(certificate.subject, of(&again, &LABELS, &refitted));

    // Anything else is something else.
    let other_spec = DataSpec { stride: 2, ..spec.clone() };
    assert_ne!(certificate.subject, of(&other_spec, &LABELS, fitted));
    assert_ne!(certificate.subject, of(spec, &LABELS[..2], fitted));
    let mut other_fit = fitted.clone();
    other_fit.scaler.clip += 1.0;
    assert_ne!(certificate.subject, of(spec, &LABELS, &other_fit));
    let mut other_bars = bars;
    other_bars[0].volume[3] += 1.0;
    let other_bars = Fingerprint::of_bars(&other_bars);
    assert_ne!(certificate.subject, leak::subject(&other_bars, spec, &LABELS, fitted).unwrap());
}

/// A clock with single bars missing, pauses of a few bars and, rarely, of many hours.
fn clock(random: &mut Random, start: i64, bars: usize) -> Vec<i64> {
    let mut step = start;
    let mut steps = Vec::with_capacity(bars);
    for _ in 0..bars {
        step += match random.unit() {
            u if u < 0.90 => 1,
            u if u < 0.97 => 2,
            u if u < 0.998 => 3 + (random.bits() % 30) as i64,
            _ => 60 + (random.bits() % 400) as i64,
        };
        steps.push(step);
    }
    steps
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn nothing_sees_the_future_on_any_clock(
        seed: u64,
        symbols in 1_usize..4,
        lag_minutes in prop::sample::select(vec![0, 1, 7, 65]),
        max_age in prop::sample::select(vec![None, Some("30m"), Some("3h")]),
        // Windows of an hour's features with a warm-up of 20 bars do not fit between gaps of two hours.
        (max_gap, features) in prop::sample::select(vec![
            ("2h", FeatureSpec::DEFAULT[..6].to_vec()),
            ("4d", FeatureSpec::DEFAULT.to_vec()),
            ("4d", with_short_lookbacks()),
        ]),
        stride in 1_usize..4,
    ) {
        let mut random = Random(seed);
        let lag = Span::from_nanos(lag_minutes * 60_000_000_000);
        let bars: Vec<Bars> = (0..symbols).map(|symbol| {
            let start = (random.bits() % 500) as i64;
            let steps = clock(&mut random, start, 700);
            walk(&format!("S{symbol}"), timeframe("5m"), steps, lag, random.bits())
        }).collect();
        let pipeline = pipeline(max_age.map(span), span(max_gap), stride, &features);
        let certificate = leak::check(&pipeline, &bars, &LABELS, 6, seed);
        prop_assert!(certificate.is_ok(), "{}", certificate.unwrap_err());
        let certificate = certificate.unwrap();
        prop_assert!(certificate.is_clean(), "{:?}", certificate.leaks);
        prop_assert!(certificate.probes.iter().any(|probe| probe.scaled && probe.samples > 0));
    }
}
