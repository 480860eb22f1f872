use proptest::prelude::*;

use super::{JsonFault, JsonValue};
use crate::{Choice, RawJson};

fn read(text: &str) -> JsonValue {
    JsonValue::parse(text).unwrap()
}

#[test]
fn what_python_writes_beyond_json_is_read() {
    assert!(matches!(read("NaN"), JsonValue::Float(value) if value.is_nan()));
    assert_eq!(read(" -Infinity "), JsonValue::Float(f64::NEG_INFINITY));
    let huge = "1000000000000000000000000000000";
    assert_eq!(read(huge), JsonValue::Verbatim(RawJson::from_text(huge)));
    assert_eq!(read(huge).number(), Some(1e30));
    assert_eq!(read(r#""\ud83d\ude00 \u00e9""#), JsonValue::Text("😀 é".to_owned()));
    assert_eq!(read(r#""\ud83d""#), JsonValue::Verbatim(RawJson::from_text(r#""\ud83d""#)));
    let read_choices = read(r#"["a", null, true, 3, 2.5, [1, {"b": NaN}]]"#);
    let JsonValue::Array(values) = read_choices else { panic!("{read_choices:?}") };
    let choices: Vec<Choice> = values.iter().map(JsonValue::to_choice).collect();
    assert_eq!(choices[..3], [Choice::Text("a".into()), Choice::Null, Choice::Bool(true)]);
    assert_eq!(choices[3..5], [Choice::Int(3), Choice::Float(2.5)]);
    assert_eq!(choices[5], Choice::Json(RawJson::from_text(r#"[1, {"b": NaN}]"#)));
}

#[test]
fn the_last_of_two_equal_keys_counts() {
    assert_eq!(read(r#"{"a": 1, "a": 2}"#).get("a"), Some(&JsonValue::Int(2)));
}

#[test]
fn what_is_not_json_is_named_with_its_place() {
    let cases = [
        ("", "a value", 0),
        ("not json", "a value", 0),
        ("[1, 2", "a comma or the closing bracket", 5),
        ("{\"a\" 1}", "a colon", 5),
        ("{a: 1}", "a string", 1),
        ("1 2", "the end", 2),
        ("01", "a number without a leading 0", 2),
        ("1.", "a digit", 2),
        ("1e", "a digit", 2),
        ("\"\\x\"", "one of \"\\/bfnrtu", 2),
        ("\"\\u12g4\"", "four hexadecimal digits", 3),
        ("\"a\nb\"", "an escape instead of a control character", 2),
        ("\"a", "the end of a string", 2),
        ("'a'", "a value", 0),
        ("nan", "a value", 0),
    ];
    for (text, expected, at) in cases {
        let fault = JsonFault { expected, at };
        assert_eq!(JsonValue::parse(text), Err(fault.clone()), "{text}");
        assert_eq!(JsonValue::check(text), Err(fault), "{text}");
    }
    let deep = "[".repeat(100_000);
    assert_eq!(JsonValue::parse(&deep).unwrap_err().expected, "nothing that is nested deeper");
    assert_eq!(JsonValue::check(&deep).unwrap_err().expected, "nothing that is nested deeper");
}

/// Values whose text says all there is to them.
fn any_value() -> impl Strategy<Value = JsonValue> {
    let leaf = prop_oneof![
        Just(JsonValue::Null),
        any::<bool>().prop_map(JsonValue::Bool),
        any::<i64>().prop_map(JsonValue::Int),
        any::<f64>().prop_filter("equal to itself", |value| !value.is_nan()).prop_map(JsonValue::Float),
        any::<String>().prop_map(JsonValue::Text),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(JsonValue::Array),
            prop::collection::vec((any::<String>(), inner), 0..6).prop_map(JsonValue::Object),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(value in any_value()) {
        let raw = value.to_raw();
        prop_assert!(raw.as_str().is_ascii());
        prop_assert_eq!(raw.parse().unwrap(), value);
        prop_assert!(JsonValue::check(raw.as_str()).is_ok());
    }

    #[test]
    fn no_text_breaks_the_reader(text in "[\\[\\]{}\",:0-9eE.+\\-nultrfasNIiy\\\\ é😀]{0,40}") {
        prop_assert_eq!(JsonValue::parse(&text).is_ok(), JsonValue::check(&text).is_ok());
    }
}
