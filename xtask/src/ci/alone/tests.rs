use super::choices;

#[test]
fn a_library_without_features_is_built_once() {
    assert_eq!(choices([].into_iter()), [Vec::<&str>::new()]);
}

#[test]
fn every_feature_is_tried_by_itself() {
    let none = "--no-default-features";
    assert_eq!(
        choices(["default", "postgres", "sqlite"].into_iter()),
        [vec![], vec![none], vec![none, "--features", "postgres"], vec![none, "--features", "sqlite"]]
    );
}
