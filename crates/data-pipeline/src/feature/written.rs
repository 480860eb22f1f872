//! How a feature stands in a configuration: its kind alone, or a map with its kind and parameters.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{MapAccessDeserializer, MapDeserializer};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use serde_json::{Map, Value as Json};

use super::FeatureSpec;

impl Serialize for FeatureSpec {
    /// Every parameter is spelled out; a feature without any is its kind.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.has_parameters() {
            Self::serialize(self, serializer)
        } else {
            serializer.serialize_str(self.kind())
        }
    }
}

impl<'de> Deserialize<'de> for FeatureSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;
        impl<'de> Visitor<'de> for Written {
            type Value = FeatureSpec;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a feature such as log_return or {kind: rsi, period: 14}")
            }

            fn visit_str<E: Error>(self, kind: &str) -> Result<FeatureSpec, E> {
                FeatureSpec::deserialize(MapDeserializer::new(std::iter::once(("kind", kind))))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<FeatureSpec, A::Error> {
                FeatureSpec::deserialize(MapAccessDeserializer::new(map))
            }
        }
        deserializer.deserialize_any(Written)
    }
}

impl JsonSchema for FeatureSpec {
    fn schema_name() -> Cow<'static, str> {
        "FeatureSpec".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let registered = Self::registered();
        let kinds: Vec<&str> = registered.iter().map(Self::kind).collect();
        let mut forms = vec![json_schema!({ "type": "string", "enum": kinds })];
        forms.extend(registered.iter().map(|feature| map_schema(*feature, generator)));
        json_schema!({ "description": "A feature by its kind, or with parameters.", "anyOf": forms })
    }
}

/// The schema of a map with the kind of `feature` and its parameters.
fn map_schema(feature: FeatureSpec, generator: &mut SchemaGenerator) -> Schema {
    let parameters = feature.parameter_schema(generator);
    let mut properties = Map::new();
    properties.insert("kind".into(), serde_json::json!({ "type": "string", "const": feature.kind() }));
    if let Some(Json::Object(named)) = parameters.get("properties") {
        properties.extend(named.clone());
    }
    json_schema!({
        "type": "object",
        "description": feature.feature().formula(),
        "properties": properties,
        "required": ["kind"],
        "additionalProperties": false,
    })
}
