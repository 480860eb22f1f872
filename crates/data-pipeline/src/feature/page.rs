//! The list of features as a page for people.

use std::fmt::Write as _;

use schemars::SchemaGenerator;

use crate::price::VARIANCE_FLOOR;

use super::{Amplified, FeatureSpec, LEFT_OUT_WEIGHT, LONGEST_LOOKBACK, Unit};

/// Every registered feature with its formula, parameters, channels and warm-up, as Markdown that reads well as plain text.
#[must_use]
pub fn page() -> String {
    let mut page = introduction();
    let mut family = "";
    for feature in FeatureSpec::registered() {
        if feature.family() != family {
            family = feature.family();
            page += &format!("\n## {family}\n");
        }
        page += &section(feature);
    }
    page
}

fn introduction() -> String {
    let left_out = 100.0 * LEFT_OUT_WEIGHT;
    format!(
        "# Features\n\n\
         `data.features` lists what is computed from each bar of every timeframe, in the order of the channels: a kind alone \
         for its defaults, or a map.\n\n\
         ```yaml\n\
         data:\n  features: [log_return, {{kind: rsi, period: 21}}, {{kind: yang_zhang, bars: 60}}]\n\
         ```\n\n\
         O, H, L, C and V are the open, high, low, close and volume of a bar, C₋₁ is the close of the bar before. A feature \
         reads its own bar and the bars before it, as many as its warm-up says, and never one after it or beyond a gap longer \
         than `data.max_gap`; a window holds no bar that is still warming up. Exponential weights end where {left_out} % of \
         them is left. Log volatilities are at least those of the floor, ½·ln {VARIANCE_FLOOR:e}. Lookbacks are at most {LONGEST_LOOKBACK} bars. A channel of a feature with other parameters than the \
         defaults has them in its name: `rsi(period=21)`.\n\n\
         Channels marked *scaled* are brought to one scale by `data.scaling`; the others are bounded by what they are. The \
         last word says what happens to a channel when every log return of the price path is multiplied by k.\n"
    )
}

/// One feature of the [`page`].
#[must_use]
pub fn section(feature: FeatureSpec) -> String {
    let mut text = format!("\n### {}\n\n{}\n\n", feature.kind(), feature.feature().formula());
    for parameter in parameters(feature) {
        text += &format!("- parameter `{}: {}`: {}\n", parameter.name, parameter.default, parameter.meaning);
    }
    for channel in feature.feature().channels() {
        let _ = writeln!(text, "- channel `{}`: {}", channel.name, about(channel.unit)); // writing to a String cannot fail
    }
    let warm_up = feature.feature().warm_up();
    text + &format!("- warm-up: {warm_up} bar{}\n", if warm_up == 1 { "" } else { "s" })
}

fn about(unit: Unit) -> String {
    let scaled = if unit.is_scaled() { "scaled" } else { "never scaled" };
    let amplified = match unit.amplified() {
        Amplified::Multiplied => "× k",
        Amplified::Shifted => "+ ln k",
        Amplified::Unmoved => "unmoved",
    };
    format!("{}; {scaled}; {amplified}", unit.name())
}

struct Parameter {
    name: String,
    default: String,
    meaning: String,
}

fn parameters(feature: FeatureSpec) -> Vec<Parameter> {
    let schema = feature.parameter_schema(&mut SchemaGenerator::default());
    let meaning = |name: &str| {
        schema
            .pointer(&format!("/properties/{name}/description"))
            .and_then(|text| Some(text.as_str()?.replace('\n', " ")))
            .unwrap_or_default()
    };
    let parameters = feature.parameters().into_iter();
    parameters
        .map(|(name, default)| Parameter { meaning: meaning(&name), default: default.to_string(), name })
        .collect()
}
