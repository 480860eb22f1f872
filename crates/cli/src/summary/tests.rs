use tapeline_data_pipeline::{SplitInstants, Timestamp};

use super::*;

fn scores(values: &[(&str, Option<f64>)]) -> BTreeMap<String, Option<f64>> {
    values.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
}

#[test]
fn dispersion_is_told_of_every_metric_and_what_is_undefined_is_counted() {
    let runs = [
        scores(&[("validation/loss", Some(1.0)), ("validation/a/h1/mcc", None)]),
        scores(&[("validation/loss", Some(2.0)), ("validation/a/h1/mcc", Some(0.25))]),
    ];
    let spread = Scores::over(&runs.iter().collect::<Vec<_>>());
    let text = dispersion_table("Over two", &spread).text();
    assert!(text.starts_with("Over two\n"), "{text}");
    let line = |name: &str| text.lines().find(|line| line.contains(name)).unwrap().to_owned();
    assert!(
        line("validation/loss").contains("1.500") && line("validation/loss").contains("± 0.7071"),
        "{text}"
    );
    assert!(line("mcc").contains("1 of 2") && !line("mcc").contains('±'), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= usize::from(WIDTH)), "{text}");
}

#[test]
fn the_real_score_is_held_against_the_band() {
    let nulls = [0.01, -0.01, 0.02, 0.0].map(Some);
    let band = |real| NullBand::of(Some(real), &nulls, true);
    for (real, verdict, rank) in [(0.4, "outside", "1 of 5"), (0.005, "inside", "3 of 5")] {
        let bands = Scores([("validation/x".to_owned(), band(real))].into());
        let table = null_table(String::new(), &Scores(scores(&[("validation/x", Some(real))])), &bands, 4);
        assert_eq!(table.rows[0][4], verdict, "{:?}", table.rows);
        assert_eq!(table.rows[0][5], rank);
    }
}

#[test]
fn a_fold_is_a_line_with_the_scores_that_say_most() {
    let metrics = scores(&[
        ("price_prediction/h12/rank_ic_series", Some(0.12)),
        ("price_prediction/h3/rank_ic_series", Some(0.03)),
        ("price_prediction/h3/rmse", Some(0.9)),
        ("regime_detection/h12/mcc", None),
        ("loss", Some(0.8)),
    ]);
    let split = SplitInstants::chronological(Timestamp::MIN, Timestamp::MIN, Timestamp::MAX);
    let (from, to) = ("2024-01-02T00:00:00Z".into(), "2024-03-01T12:00:00Z".into());
    let fold = FoldScores { fold: 1, split, samples: [1200, 30, 4], from, to, metrics: Scores(metrics) };
    let table = fold_table(&[fold]);
    assert_eq!(table.columns[6..], ["h3 rank IC", "h12 rank IC", "h12 MCC"]);
    let expected = ["1", "1,200", "30", "4", "2024-01-02", "2024-03-01", "0.03000", "0.1200", "undefined"];
    assert_eq!(table.rows[0], expected);
}

#[test]
fn names_lose_their_span_alone() {
    let bare = Scores(scores(&[("test/price_prediction/h1/rmse", None), ("test/loss", None)])).without_span();
    assert_eq!(bare.0.keys().collect::<Vec<_>>(), ["loss", "price_prediction/h1/rmse"]);
}
