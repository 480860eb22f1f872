use std::collections::BTreeMap;

use super::Seen;
use crate::RawJson;

#[test]
fn a_note_is_read_as_it_was_written() {
    for (text, finished, running) in [
        ("\"\"", vec![], vec![]),
        ("\"0-9,12\"", vec![(0, 9), (12, 12)], vec![]),
        ("\"0-9;10r,11\"", vec![(0, 9)], vec![(10, true), (11, false)]),
        ("\";3\"", vec![], vec![(3, false)]),
    ] {
        let seen = Seen { finished, running: running.into_iter().collect::<BTreeMap<_, _>>() };
        assert_eq!(seen.to_json().as_str(), text);
        assert_eq!(Seen::from_json(&RawJson::from_text(text)), Some(seen));
    }
    assert_eq!(Seen::from_json(&RawJson::from_text("\"0-x\"")), None);
}
