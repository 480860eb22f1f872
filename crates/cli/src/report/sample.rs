//! A made-up run, for tests to render.

use std::collections::BTreeMap;

use tapeline_events::{Event, Outcome, Record};
use tapeline_trainer::{
    DistributionScore, Estimate, FeatureIc, FeatureScore, PriceBaseline, PriceScore, RegimeBaseline,
    RegimeScore, Scorecard, VolatilityBaseline, VolatilityScore,
};

/// The same noise on every machine: uniform in −0.5..0.5, by a linear congruential generator.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
    }

    /// Nearly normal, unit variance.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.next()).sum()
    }
}

const STEPS_PER_EPOCH: u64 = 120;
const EPOCHS: u64 = 14;

pub(crate) fn lineage() -> serde_json::Value {
    let lineage = serde_json::json!({
        "tapeline": "0.1.0", "libtorch": "2.11.0", "device": "cpu", "threads": 2, "seed": 42,
        "split": { "validation_from": "2025-05-01T00:00:00Z", "test_from": "2025-06-01T00:00:00Z" },
        "network": { "model": { "kind": "hybrid" } },
    });
    serde_json::json!({ "run": RUN, "host": { "system": "linux 6.1.0 x86_64", "cores": 2 }, "lineage": lineage })
}

/// The run's name.
pub(crate) const RUN: &str = "20260131-120000-planted";

/// A configuration as YAML.
pub(crate) const CONFIG: &str =
    "experiment: planted\nseed: 42\ntraining:\n  num_epochs: 50\n  batch_size: 32\n";

pub(crate) fn records() -> Vec<Record> {
    let mut events = vec![
        Event::RunStarted {
            run_id: RUN.into(),
            seed: 42,
            parameters: 318_472,
            samples: [("train", 38_400), ("validation", 8_200), ("test", 8_190)]
                .map(|(split, count)| (split.to_owned(), count))
                .into(),
            steps_per_epoch: STEPS_PER_EPOCH,
            num_epochs: 50,
        },
        Event::Warning { message: "volume is zero in 312 bars of 2 symbols".into() },
    ];
    let mut noise = Noise(7);
    for epoch in 1..=EPOCHS {
        events.push(Event::EpochStarted { epoch, step: (epoch - 1) * STEPS_PER_EPOCH });
        for step in (epoch - 1) * STEPS_PER_EPOCH + 1..=epoch * STEPS_PER_EPOCH {
            events.push(step_event(step, epoch, &mut noise));
        }
        events.push(epoch_ended(epoch));
    }
    let step = EPOCHS * STEPS_PER_EPOCH;
    events.push(Event::CheckpointSaved { step, epoch: EPOCHS, folder: "step-00001680".into(), best: false });
    let metric = "validation/loss".to_owned();
    events.push(Event::EarlyStopped { epoch: EPOCHS, step, metric, best: 0.861_2, best_epoch: 4 });
    events.push(Event::RunEnded { step, epoch: EPOCHS, outcome: Outcome::EarlyStopped });
    let at = "2026-01-31T12:00:00Z";
    let numbered = events.into_iter().zip(0..);
    numbered
        .map(|(event, seq)| Record { schema: tapeline_events::SCHEMA, seq, at: at.into(), event })
        .collect()
}

fn step_event(step: u64, epoch: u64, noise: &mut Noise) -> Event {
    let progress = step as f64 / (EPOCHS * STEPS_PER_EPOCH) as f64;
    let loss = 0.78 + 0.42 * (-6.0 * progress).exp() + 0.12 * noise.normal().abs() * noise.normal();
    let warm = (step as f64 / 240.0).min(1.0);
    let gradient_norm = (0.3 + 3.0 * (-9.0 * progress).exp()) * (0.5 * noise.normal()).exp();
    let learning_rate = 1e-3 * warm * 0.5 * (1.0 + (std::f64::consts::PI * progress * 0.28).cos());
    let loss = if step == 700 { f64::NAN } else { loss };
    let losses = BTreeMap::from([("price_prediction".to_owned(), loss)]);
    Event::Step { step, epoch, learning_rate, gradient_norm, loss, losses, loss_scale: None, skipped: false }
}

fn epoch_ended(epoch: u64) -> Event {
    let x = epoch as f64;
    let skill = |scale: f64| Some(scale * (1.0 - (-x / 2.0).exp()) - 0.004 * (x - 4.0).max(0.0));
    let metrics = [
        ("train/loss", Some(0.78 + 0.4 * (-x / 2.4).exp())),
        ("validation/loss", Some(0.86 + 0.28 * (-x / 1.8).exp() + 0.006 * (x - 4.0).max(0.0))),
        ("validation/price_prediction/h1/rank_ic_series", skill(0.37)),
        ("validation/price_prediction/h12/rank_ic_series", if epoch == 1 { None } else { skill(0.21) }),
        ("validation/volatility_estimation/h12/rank_ic_series", skill(0.62)),
    ];
    let metrics = metrics.map(|(name, value)| (name.to_owned(), value)).into();
    Event::EpochEnded { epoch, step: epoch * STEPS_PER_EPOCH, metrics }
}

fn estimate(value: f64, margin: f64) -> Estimate {
    Estimate { value: Some(value), low: Some(value - margin), high: Some(value + margin) }
}

fn pairs(count: usize, skill: f64, size: f64, level: f64, seed: u64) -> Vec<(f32, f32)> {
    let mut noise = Noise(seed);
    (0..count)
        .map(|_| {
            let known = skill * noise.normal();
            let outcome = known + (1.0 - skill * skill).sqrt() * noise.normal();
            ((level + size * known) as f32, (level + size * outcome) as f32)
        })
        .collect()
}

/// Scores of a span of the built-in market.
pub(crate) fn scorecard(split: &str) -> Scorecard {
    Scorecard {
        split: split.into(),
        samples: 8_190,
        from: "2025-06-01T00:59:00Z".into(),
        to: "2025-06-03T20:41:00Z".into(),
        metrics: BTreeMap::new(),
        price: vec![price(1, 0.372, Some(0.401)), price(3, 0.214, Some(0.233)), price(12, 0.021, None)],
        volatility: vec![volatility()],
        regime: vec![regime()],
        features: FeatureScore {
            dimensions: 128,
            mean_variance: Some(0.214),
            dead: 3,
            effective_rank: Some(41.7),
        },
        feature_ics: vec![FeatureIc {
            task: "price_prediction".into(),
            horizon: 1,
            rows: 1_024,
            rank_ic: (0..128).map(|unit| (unit != 5).then(|| f64::from(unit % 17) * 0.02 - 0.16)).collect(),
            discoveries: 61,
        }],
    }
}

fn price(horizon: usize, ic: f64, best_possible_ic: Option<f64>) -> PriceScore {
    let naive = |name: &str, ic: Option<f64>| PriceBaseline {
        name: name.into(),
        ic_series: ic,
        rank_ic_series: ic.map(|ic| ic * 0.9),
        r2_zero: Some(ic.unwrap_or(0.0) * 0.1 - 0.002),
        directional_accuracy: (name != "zero").then(|| 0.5 + ic.unwrap_or(0.0) / 4.0),
        called_share: Some(if name == "zero" { 0.0 } else { 0.994 }),
    };
    PriceScore {
        task: "price_prediction".into(),
        horizon,
        rows: 8_190 - horizon * 4,
        ic_series: estimate(ic, 0.026),
        rank_ic_series: estimate(ic * 0.94, 0.027),
        rank_ic_cross: Estimate::default(),
        r2_zero: Some(ic * ic - 0.003),
        mae: Some(0.000_41 * (horizon as f64).sqrt()),
        rmse: Some(0.000_57 * (horizon as f64).sqrt()),
        directional_accuracy: Some(0.5 + ic / 3.0),
        called_share: Some(0.994),
        distribution: Some(DistributionScore {
            nominal_coverage: 0.8,
            coverage: Some(0.783),
            pinball: None,
            nll: Some(-4.61),
            crps: Some(0.000_31 * (horizon as f64).sqrt()),
        }),
        per_symbol: vec![
            ("ALPHA".into(), Some(ic * 1.05)),
            ("BETA".into(), Some(ic * 0.97)),
            ("GAMMA".into(), None),
        ],
        best_possible_ic,
        baselines: vec![
            naive("zero", None),
            naive("train_mean", None),
            naive("persistence", Some(-0.041)),
            naive("ridge_last_bar", Some(ic * 0.4)),
        ],
        pairs: pairs(2_000, ic, 0.000_57 * (horizon as f64).sqrt(), 0.0, horizon as u64),
    }
}

fn volatility() -> VolatilityScore {
    let naive = |name: &str, rows: usize, r2: f64, qlike: f64| VolatilityBaseline {
        name: name.into(),
        rows,
        r2_log: Some(r2),
        qlike: Some(qlike),
    };
    VolatilityScore {
        task: "volatility_estimation".into(),
        horizon: 12,
        rows: 8_142,
        r2_log: Some(0.413),
        qlike: Some(0.182_4),
        rank_ic_series: estimate(0.634, 0.031),
        baselines: vec![
            naive("train_mean", 8_142, 0.0, 0.311_8),
            naive("persistence", 8_097, -0.112, 0.402_1),
            naive("ewma", 8_142, 0.288, 0.221_5),
        ],
        pairs: pairs(2_000, 0.64, 0.7, -12.4, 99),
    }
}

fn regime() -> RegimeScore {
    RegimeScore {
        task: "regime_detection".into(),
        horizon: 12,
        rows: 8_142,
        classes: ["bull", "bear", "sideways", "volatile"].map(Into::into).into(),
        shares: vec![0.246, 0.251, 0.271, 0.232],
        class_weights: vec![1.016, 0.996, 0.923, 1.078],
        accuracy: Some(0.447),
        macro_f1: Some(0.431),
        mcc: Some(0.262),
        ece: Some(0.031),
        temperature: Some(1.34),
        ece_calibrated: Some(0.019),
        confusion: vec![
            vec![812, 301, 702, 188],
            vec![287, 840, 731, 186],
            vec![512, 498, 1_020, 176],
            vec![241, 262, 410, 976],
        ],
        baselines: vec![
            RegimeBaseline {
                name: "majority".into(),
                accuracy: Some(0.271),
                macro_f1: Some(0.107),
                mcc: None,
            },
            RegimeBaseline {
                name: "stratified".into(),
                accuracy: Some(0.251),
                macro_f1: Some(0.249),
                mcc: Some(0.001),
            },
            RegimeBaseline {
                name: "persistence".into(),
                accuracy: Some(0.352),
                macro_f1: Some(0.351),
                mcc: Some(0.136),
            },
        ],
    }
}
