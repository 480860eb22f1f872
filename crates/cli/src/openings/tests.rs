use std::fs;

use tapeline_data_pipeline::Timestamp;

use super::*;

/// A look at the test span of bars of one market, from one instant to another.
fn look(data: &str, symbols: &[&str], from: i64, to: Option<i64>) -> Look {
    let seen = Seen {
        data: data.into(),
        symbols: symbols.iter().map(ToString::to_string).collect(),
        from: Some(Timestamp::from_nanos(from)),
        to: to.map(Timestamp::from_nanos),
    };
    Look { seen, span: Opened::Test }
}

#[test]
fn a_look_counts_for_whatever_it_has_seen() {
    let folder = tempfile::tempdir().unwrap();
    let openings = Openings::of(folder.path());
    let seen = look("bars", &["A", "B"], 100, Some(200));
    assert_eq!(openings.open(&seen, "first", "now".into()).unwrap(), 1);
    for (other, count, what) in [
        (look("bars", &["A", "B"], 100, Some(200)), 1, "the same"),
        (look("more bars", &["A", "B"], 150, None), 1, "a day was appended, and the split moved with it"),
        (look("more bars", &["B", "C"], 0, Some(100)), 1, "one symbol, one instant"),
        (look("bars", &[], 200, None), 1, "bars without names are known by their fingerprint"),
        (look("bars", &["A", "B"], 201, None), 0, "later"),
        (look("bars", &["A", "B"], 0, Some(99)), 0, "earlier"),
        (look("others", &["C"], 100, Some(200)), 0, "another market"),
        (look("others", &[], 100, Some(200)), 0, "another market without names"),
        (Look { span: Opened::OutOfFold, ..seen.clone() }, 0, "blocks of folds are counted apart"),
    ] {
        assert_eq!(openings.count(&other).unwrap(), count, "{what}");
        assert_eq!(openings.is_opened_by("first", &other).unwrap(), count == 1, "{what}");
        assert!(!openings.is_opened_by("second", &other).unwrap(), "{what}");
    }
}

#[test]
fn lists_of_before_spans_were_written_count_for_any_time() {
    let folder = tempfile::tempdir().unwrap();
    let openings = Openings::of(folder.path());
    // The second line was torn, the third one glued to it: neither look came about.
    let list = "{\"at\":\"then\",\"data\":\"bars\",\"run\":\"e/r\"}\n{\"at\":\"the{\"at\":\"then\"}\n{\"at\"";
    fs::write(folder.path().join(FILE), list).unwrap();
    let seen = look("bars", &["A"], 100, None);
    assert_eq!(openings.count(&seen).unwrap(), 1);
    assert_eq!(openings.open(&seen, "e/s", "now".into()).unwrap(), 2);
    assert_eq!(openings.count(&look("other bars", &["A"], 300, None)).unwrap(), 1);
}
