//! The end of the page: the configuration and the lineage, word for word.

use super::html::{Html, tag};
use super::{ReportInput, part};

pub(super) fn section(input: &ReportInput<'_>) -> Html {
    // A `Value` has string keys and finite numbers, all that JSON asks for.
    let lineage = serde_json::to_string_pretty(input.lineage).unwrap_or_default();
    let fold = |name: &str, text: &str| tag("details", [tag("summary", name), tag("pre", tag("code", text))]);
    let content =
        [fold("Configuration, every default spelled out", input.config_yaml), fold("Lineage", &lineage)];
    part("Configuration and lineage", Html::from(content))
}
