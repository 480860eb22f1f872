//! All scores of one span.

use tapeline_trainer::{FeatureIc, FeatureScore, Scorecard};

use super::html::{Html, tag};
use super::key_numbers::span_name;
use super::number::{compact, count};
use super::table::{Cell, Table};
use super::{note, part, price, regime, volatility};

pub(super) fn section(scorecard: &Scorecard) -> Html {
    let extent =
        format!("{} decisions from {} to {}.", count(scorecard.samples as u64), scorecard.from, scorecard.to);
    let content = [
        note(extent),
        price::section(&scorecard.price),
        volatility::section(&scorecard.volatility),
        regime::section(&scorecard.regime),
        if scorecard.features.dimensions > 0 {
            features(&scorecard.features, &scorecard.feature_ics)
        } else {
            Html::default()
        },
    ];
    part(format!("{} in full", span_name(&scorecard.split)), Html::from(content))
}

fn features(score: &FeatureScore, ics: &[FeatureIc]) -> Html {
    let mut table =
        Table::of_numbers(&["Features before the heads", "Hardly vary", "Effective rank", "Mean variance"]);
    table.row([
        Cell::name(count(score.dimensions as u64)),
        Cell::number(count(score.dead as u64)),
        Cell::maybe(score.effective_rank, |rank| super::number::fixed(rank, 1)),
        Cell::maybe(score.mean_variance, compact),
    ]);
    let mut alone = Table::of_numbers(&[
        "Outcome",
        "Decisions",
        "Told from noise",
        "Greatest |rank IC|",
        "Mean |rank IC|",
    ]);
    for said in ics {
        let sizes: Vec<f64> = said.rank_ic.iter().flatten().map(|ic| ic.abs()).collect();
        let mean = (!sizes.is_empty()).then(|| sizes.iter().sum::<f64>() / sizes.len() as f64);
        alone.row([
            Cell::name(format!("{}, {} ahead", said.task.replace('_', " "), said.horizon)),
            Cell::number(count(said.rows as u64)),
            Cell::number(format!("{} of {}", said.discoveries, said.rank_ic.len())),
            Cell::maybe(sizes.iter().copied().reduce(f64::max), |ic| super::number::fixed(ic, 3)),
            Cell::maybe(mean, |ic| super::number::fixed(ic, 3)),
        ]);
    }
    let words = "The effective rank is the number of directions that the features really use: the exponential of the \
                 entropy of their covariance's spectrum.";
    let mut content = Html::from([tag("h3", "Features"), table.into_html(), note(words)]);
    if !ics.is_empty() {
        content.push(alone.into_html());
        content.push(note(
            "What each feature alone says of an outcome: its rank IC, a mean over symbols, on an even choice of decisions. Told from \
             noise are as many as Benjamini and Hochberg accept when 5 % of those may be false.",
        ));
    }
    content
}
