//! Turns the list of features into modules, types and the enum that a configuration is read into.

use garde::{Path, Report};
use serde_json::Value as Json;

use super::FeatureSpec;

/// Takes families of `file::Feature` lines. A feature's kind, the word for it in a configuration, is the name of its file.
macro_rules! registry {
    ($($(#[$about:meta])* $family:ident { $($kind:ident::$feature:ident,)+ })+) => {
        $($(#[$about])* mod $family { $(pub(super) mod $kind;)+ })+
        $($(pub use $family::$kind::$feature;)+)+

        /// A feature with its parameters. In a configuration it is `{kind: rsi, period: 14}`, or the kind alone for the
        /// defaults: `rsi`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(remote = "Self", tag = "kind", rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum FeatureSpec {
            $($(
                #[doc = concat!("[`", stringify!($feature), "`]")]
                $feature($feature),
            )+)+
        }

        impl FeatureSpec {
            /// Every feature with its default parameters, in the order of the list.
            #[must_use]
            pub fn registered() -> Vec<Self> {
                vec![$($($feature::default().into(),)+)+]
            }

            /// What it computes.
            #[must_use]
            pub fn feature(&self) -> &dyn Feature {
                match self { $($(Self::$feature(feature) => feature,)+)+ }
            }

            /// The word for it in a configuration.
            #[must_use]
            pub const fn kind(&self) -> &'static str {
                match self { $($(Self::$feature(_) => stringify!($kind),)+)+ }
            }

            /// The family it belongs to.
            #[must_use]
            pub const fn family(&self) -> &'static str {
                match self { $($(Self::$feature(_) => stringify!($family),)+)+ }
            }

            /// The feature of the same kind with its default parameters.
            #[must_use]
            pub fn with_defaults(&self) -> Self {
                match self { $($(Self::$feature(_) => $feature::default().into(),)+)+ }
            }

            /// Whether there is anything to choose besides the kind.
            pub(super) const fn has_parameters(&self) -> bool {
                match self { $($(Self::$feature(_) => size_of::<$feature>() > 0,)+)+ }
            }

            /// The JSON Schema of its parameters.
            pub(super) fn parameter_schema(&self, generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                match self { $($(Self::$feature(_) => <$feature as schemars::JsonSchema>::json_schema(generator),)+)+ }
            }
        }

        $($(
            impl From<$feature> for FeatureSpec {
                fn from(feature: $feature) -> Self {
                    Self::$feature(feature)
                }
            }
        )+)+
    };
}

impl FeatureSpec {
    /// The features of a configuration that names none.
    pub const DEFAULT: [Self; 8] = [
        Self::LogReturn(super::LogReturn),
        Self::Range(super::Range),
        Self::Body(super::Body),
        Self::UpperWick(super::UpperWick),
        Self::LowerWick(super::LowerWick),
        Self::Volume(super::Volume),
        Self::RealizedVolatility(super::RealizedVolatility { bars: super::VOLATILITY_BARS }),
        Self::TimeOfDay(super::TimeOfDay),
    ];

    /// The names of its channels: those of the feature, with every parameter that is not the default, such as
    /// `rsi(period=10)`.
    #[must_use]
    pub fn channel_names(&self) -> Vec<String> {
        let (own, default) = (self.parameters(), self.with_defaults().parameters());
        let changed = own.iter().filter(|(name, value)| default.get(*name) != Some(value));
        let changed: Vec<String> = changed.map(|(name, value)| format!("{name}={value}")).collect();
        let suffix = if changed.is_empty() { String::new() } else { format!("({})", changed.join(",")) };
        self.feature().channels().iter().map(|channel| format!("{}{suffix}", channel.name)).collect()
    }

    /// Its parameters by name, in the order of their declaration.
    pub(super) fn parameters(&self) -> serde_json::Map<String, Json> {
        let Ok(Json::Object(mut written)) = Self::serialize(self, serde_json::value::Serializer) else {
            return serde_json::Map::new();
        };
        written.shift_remove("kind");
        written
    }

    /// Adds what is wrong with its parameters to `report`; `path` is where the feature stands.
    pub fn check(&self, path: &Path, report: &mut Report) {
        self.feature().check(path, report);
    }
}
