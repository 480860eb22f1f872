//! Against scipy, scikit-learn and independent numpy: `scripts/golden_evaluation.py` writes the files.

use serde_json::Value;
use tapeline_evaluation::baseline::Ewma;
use tapeline_evaluation::calibration::{self, Probabilities};
use tapeline_evaluation::classification::Confusion;
use tapeline_evaluation::direction::{Direction, pesaran_timmermann};
use tapeline_evaluation::representation::{
    benjamini_hochberg, dimension_ic, drift, feature_quality, linear_cka,
};
use tapeline_evaluation::ridge::Ridge;
use tapeline_evaluation::volatility::{self, Variances};
use tapeline_evaluation::{
    Correlation, Pairs, Panel, average_ranks, ic, pearson, regression, spearman, uniqueness,
};

const TOLERANCE: f64 = 1e-10;

struct Golden(Value);

impl Golden {
    fn read(text: &str) -> Self {
        Self(serde_json::from_str(text).unwrap())
    }

    fn number(&self, key: &str) -> f64 {
        self.0[key].as_f64().unwrap_or_else(|| panic!("{key} is no number"))
    }

    fn whole(&self, key: &str) -> usize {
        self.0[key].as_u64().unwrap_or_else(|| panic!("{key} is no whole number")) as usize
    }

    fn maybe(&self, key: &str) -> Vec<Option<f64>> {
        self.0[key]
            .as_array()
            .unwrap_or_else(|| panic!("{key} is no list"))
            .iter()
            .map(Value::as_f64)
            .collect()
    }

    fn numbers(&self, key: &str) -> Vec<f64> {
        self.maybe(key).into_iter().map(Option::unwrap).collect()
    }

    fn labels(&self, key: &str) -> Vec<u32> {
        self.numbers(key).into_iter().map(|label| label as u32).collect()
    }

    fn steps(&self, key: &str) -> Vec<usize> {
        self.numbers(key).into_iter().map(|step| step as usize).collect()
    }

    fn part(&self, key: &str) -> Self {
        Self(self.0[key].clone())
    }

    #[track_caller]
    fn assert(&self, key: &str, found: Option<f64>) {
        close(key, found.unwrap_or_else(|| panic!("{key} is undefined")), self.number(key));
    }

    #[track_caller]
    fn assert_all(&self, key: &str, found: &[f64]) {
        let expected = self.numbers(key);
        assert_eq!(found.len(), expected.len(), "{key}");
        found.iter().zip(&expected).for_each(|(found, expected)| close(key, *found, *expected));
    }
}

#[track_caller]
fn close(key: &str, found: f64, expected: f64) {
    let error = (found - expected).abs() / expected.abs().max(1.0);
    assert!(error <= TOLERANCE, "{key}: found {found}, expected {expected}");
}

#[test]
fn errors_correlations_and_direction() {
    let golden = Golden::read(include_str!("../golden/pairs.json"));
    let (forecast, realised) = (golden.numbers("forecast"), golden.numbers("realised"));
    let pairs = Pairs::new(&forecast, &realised).unwrap();
    golden.assert("pearson", pearson(pairs));
    golden.assert("spearman", spearman(pairs));
    golden.assert_all("ranks", &average_ranks(&forecast));
    golden.assert("mae", regression::mae(pairs));
    golden.assert("mse", regression::mse(pairs));
    golden.assert("rmse", regression::rmse(pairs));
    golden.assert("huber", regression::huber(pairs, golden.number("delta")));
    golden.assert("r2_zero", regression::r2_zero(pairs));
    golden.assert("r2_mean", regression::r2_mean(pairs, golden.number("train_mean")));
    let direction = Direction::of(pairs);
    golden.assert("accuracy", direction.accuracy());
    assert_eq!(direction.called, golden.whole("called"));
    assert!(direction.called < direction.moved && direction.moved < direction.rows, "{direction:?}");
    golden.assert("pesaran_timmermann", pesaran_timmermann(pairs));
}

#[test]
fn information_coefficients() {
    let golden = Golden::read(include_str!("../golden/cross_section.json"));
    let time: Vec<i64> = golden.numbers("time").into_iter().map(|time| time as i64).collect();
    let panel =
        Panel::new(&golden.labels("series"), &time, &golden.numbers("forecast"), &golden.numbers("realised"))
            .unwrap();
    for (name, correlation) in [("pearson", Correlation::Pearson), ("rank", Correlation::Rank)] {
        let golden = golden.part(name);
        let across = ic::cross_section(&panel, correlation);
        assert_eq!(across.undefined, golden.whole("undefined"));
        let expected = golden.maybe("by_period");
        assert_eq!(across.by_period.len(), expected.len());
        for ((period, found), expected) in across.by_period.iter().zip(expected) {
            assert_eq!(found.is_some(), expected.is_some(), "period {period}");
            close("by_period", found.unwrap_or(0.0), expected.unwrap_or(0.0));
        }
        golden.assert("mean", across.mean);
        golden.assert("icir", across.icir);
        golden.assert("hit_rate", across.hit_rate);
        golden.assert("newey_west_t", across.newey_west_t(golden.whole("newey_west_horizon")));

        let series = ic::per_series(&panel, correlation);
        golden
            .assert_all("by_series", &series.by_series.iter().filter_map(|(_, ic)| *ic).collect::<Vec<_>>());
        golden.assert("series_mean", series.mean);
        golden.assert("series_spread", series.spread);
    }
    golden.assert("pooled", ic::pooled_corr(&panel));
}

#[test]
fn classes_and_their_probabilities() {
    let golden = Golden::read(include_str!("../golden/classes.json"));
    let (classes, actual) = (golden.whole("classes"), golden.labels("actual"));
    let probabilities = golden.numbers("probabilities");
    let probabilities = Probabilities::new(classes, &probabilities, &actual).unwrap();
    assert_eq!(probabilities.predicted(), golden.labels("predicted"));
    golden.assert("brier", calibration::brier(&probabilities));
    golden.assert("log_loss", calibration::negative_log_likelihood(&probabilities));
    golden.assert("ece", calibration::expected_calibration_error(&probabilities));

    let confusion = Confusion::new(classes, &probabilities.predicted(), &actual).unwrap();
    let counts: Vec<f64> =
        (0..classes * classes).map(|cell| confusion.count(cell / classes, cell % classes)).collect();
    golden.assert_all("confusion", &counts);
    golden.assert("accuracy", confusion.accuracy());
    golden.assert("macro_f1", confusion.macro_f1());
    golden.assert("mcc", confusion.mcc());
    let scores = confusion.by_class();
    golden.assert_all(
        "precision",
        &scores.iter().map(|class| class.precision.unwrap_or(0.0)).collect::<Vec<_>>(),
    );
    golden.assert_all("recall", &scores.iter().map(|class| class.recall.unwrap_or(0.0)).collect::<Vec<_>>());
    golden.assert_all("f1", &scores.iter().map(|class| class.f1.unwrap_or(0.0)).collect::<Vec<_>>());
    assert_eq!(scores[4].f1, None, "a class that never occurs has no score");
}

#[test]
fn variances() {
    let golden = Golden::read(include_str!("../golden/variances.json"));
    let (forecast, realised) = (golden.numbers("forecast"), golden.numbers("realised"));
    let pairs = Variances::new(&forecast, &realised).unwrap();
    golden.assert("qlike", volatility::qlike(pairs));
    golden.assert("r2_log", volatility::r2_log(pairs, golden.number("train_mean_log")));
    golden.assert("bias_ratio", volatility::bias_ratio(pairs));
    let ewma = Ewma::new(golden.number("decay"), golden.number("start"));
    let last = ewma.variances(&golden.numbers("squared_returns")).last().copied().unwrap();
    close("ewma_last", last / golden.number("ewma_last"), 1.0);
}

#[test]
fn ridge() {
    let golden = Golden::read(include_str!("../golden/ridge.json"));
    let x = golden.numbers("x");
    let fitted =
        Ridge::fit(&x, golden.whole("columns"), &golden.numbers("y"), golden.number("penalty")).unwrap();
    golden.assert_all("weights", fitted.weights());
    golden.assert("intercept", Some(fitted.intercept()));
    golden.assert_all("forecast", &fitted.predict(&x).unwrap());
}

#[test]
fn features() {
    let golden = Golden::read(include_str!("../golden/features.json"));
    let features: Vec<f32> = golden.numbers("features").into_iter().map(|value| value as f32).collect();
    let quality = feature_quality(&features, golden.whole("dim")).unwrap();
    golden.assert_all("variance", &quality.variance);
    golden.assert("dead_share", quality.dead_share);
    golden.assert("effective_rank", quality.effective_rank);
}

#[test]
fn agreement_drift_and_discoveries() {
    let golden = Golden::read(include_str!("../golden/representation.json"));
    let floats =
        |key: &str| -> Vec<f32> { golden.numbers(key).into_iter().map(|value| value as f32).collect() };
    let (features, other, later) = (floats("features"), floats("other"), floats("later"));
    let dim = golden.whole("dim");
    golden.assert("redundancy", feature_quality(&features, dim).unwrap().redundancy);
    let other = (other.as_slice(), golden.whole("other_dim"));
    golden.assert("cka", linear_cka((&features, dim), other).unwrap());
    golden.assert_all("drift", &drift(&features, &later, dim).unwrap().unwrap());
    let (series, outcome) = (golden.labels("series"), golden.numbers("outcome"));
    let said = dimension_ic(&features, dim, &series, &outcome, golden.number("independent")).unwrap();
    assert_eq!(said.rank_ic[dim - 1], None, "a dead unit says nothing");
    golden.assert_all("rank_ic", &said.rank_ic.iter().copied().flatten().collect::<Vec<_>>());
    golden.assert_all("p", &said.p.iter().copied().flatten().collect::<Vec<_>>());
    assert_eq!(said.discoveries, golden.whole("discoveries"));
}

#[test]
fn false_discoveries_are_counted_as_they_were_published() {
    // The fifteen p values of Benjamini and Hochberg 1995, section 3.3: four are accepted at 5 %.
    let p = [
        0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719,
        0.6528, 0.7590, 1.0,
    ];
    let accepted = benjamini_hochberg(&p, 0.05);
    assert_eq!(accepted.iter().filter(|accepted| **accepted).count(), 4);
    assert!(accepted[..4].iter().all(|accepted| *accepted) && benjamini_hochberg(&[], 0.05).is_empty());
}

#[test]
fn overlap() {
    let golden = Golden::read(include_str!("../golden/uniqueness.json"));
    let spans: Vec<_> =
        golden.steps("start").into_iter().zip(golden.steps("end")).map(|(start, end)| start..end).collect();
    let steps = golden.whole("steps");
    assert_eq!(uniqueness::concurrency(&spans, steps).unwrap(), golden.steps("concurrency"));
    golden.assert_all("uniqueness", &uniqueness::mean_uniqueness(&spans, steps).unwrap());
}
