//! Numbers that survive JSON: finite ones as numbers, the others as `"NaN"`, `"Infinity"` and `"-Infinity"`.
//! A loss that has exploded must be found in the journal as such, not as a `null` or a zero.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A number as it is written.
#[derive(Clone, Copy)]
struct Written(f64);

impl Serialize for Written {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            number if number.is_nan() => serializer.serialize_str("NaN"),
            f64::INFINITY => serializer.serialize_str("Infinity"),
            f64::NEG_INFINITY => serializer.serialize_str("-Infinity"),
            number => serializer.serialize_f64(number),
        }
    }
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberVisitor;

        impl de::Visitor<'_> for NumberVisitor {
            type Value = Written;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(r#"a number, "NaN", "Infinity" or "-Infinity""#)
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Written, E> {
                Ok(Written(number))
            }

            #[expect(
                clippy::cast_precision_loss,
                reason = "a JSON integer in a number's place is that number"
            )]
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Written, E> {
                Ok(Written(number as f64))
            }

            #[expect(
                clippy::cast_precision_loss,
                reason = "a JSON integer in a number's place is that number"
            )]
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Written, E> {
                Ok(Written(number as f64))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Written, E> {
                match text {
                    "NaN" => Ok(Written(f64::NAN)),
                    "Infinity" => Ok(Written(f64::INFINITY)),
                    "-Infinity" => Ok(Written(f64::NEG_INFINITY)),
                    _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }
        }

        deserializer.deserialize_any(NumberVisitor)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's `with` hands out a reference")]
pub(crate) fn serialize<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    Written(*number).serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Written::deserialize(deserializer).map(|written| written.0)
}

/// Named numbers.
pub(crate) mod map {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer};

    use super::Written;

    pub(crate) fn serialize<S: Serializer>(
        numbers: &BTreeMap<String, f64>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(numbers.iter().map(|(name, number)| (name, Written(*number))))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<String, f64>, D::Error> {
        let written = BTreeMap::<String, Written>::deserialize(deserializer)?;
        Ok(written.into_iter().map(|(name, number)| (name, number.0)).collect())
    }
}

/// Named numbers that may be undefined: `null`.
pub(crate) mod undefined_map {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer};

    use super::Written;

    pub(crate) fn serialize<S: Serializer>(
        numbers: &BTreeMap<String, Option<f64>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(numbers.iter().map(|(name, number)| (name, number.map(Written))))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<String, Option<f64>>, D::Error> {
        let written = BTreeMap::<String, Option<Written>>::deserialize(deserializer)?;
        Ok(written.into_iter().map(|(name, number)| (name, number.map(|number| number.0))).collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_number_comes_back_with_its_bits(bits in any::<u64>()) {
            let number = f64::from_bits(bits);
            let text = serde_json::to_string(&Written(number)).unwrap();
            let back: Written = serde_json::from_str(&text).unwrap();
            if number.is_nan() {
                prop_assert!(back.0.is_nan());
            } else {
                prop_assert_eq!(back.0.to_bits(), bits);
            }
        }
    }

    #[test]
    fn what_json_cannot_write_is_spelt_out() {
        let spelt = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0].map(Written);
        assert_eq!(serde_json::to_string(&spelt).unwrap(), r#"["NaN","Infinity","-Infinity",-0.0]"#);
        assert!(serde_json::from_str::<Written>(r#""nan""#).is_err());
        assert!(serde_json::from_str::<Written>("null").is_err());
    }
}
