//! `docs/features.md` is made from the list. `UPDATE_EXPECT=1` rewrites it.

use std::fs;
use std::path::Path;

use tapeline_data_pipeline::feature::{FeatureSpec, page};

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the switch that rewrites golden files is an environment variable"
)]
fn the_page_of_features_is_that_of_the_list() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/features.md");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, page()).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap_or_default() == page(),
        "UPDATE_EXPECT=1 rewrites docs/features.md"
    );
    for spec in FeatureSpec::registered() {
        assert!(page().contains(&format!("\n### {}\n", spec.kind())));
    }
}
