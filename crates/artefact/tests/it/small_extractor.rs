//! An untrained extractor over a market of two days.

use std::path::{Path, PathBuf};

use tapeline_artefact::{ARTEFACT_VERSION, ArtefactError, Description, Extractor};
use tapeline_data_pipeline::feature::{LogReturn, Volume};
use tapeline_data_pipeline::{
    Bars, DataSpec, Dataset, LabelSpec, SequenceLengthSpec, SourceSpec, Span, Split, SyntheticSpec,
    built_in_market,
};
use tapeline_models::{
    CnnSpec, FusionSpec, HeadKind, HeadSpec, HybridSpec, InputShape, LstmSpec, ModelSpec, Network,
    NetworkSpec, build,
};
use tch::Device;

pub(crate) struct SmallExtractor {
    pub(crate) description: Description,
    pub(crate) data: Dataset,
    pub(crate) network: Box<dyn Network>,
}

pub(crate) fn data_spec() -> DataSpec {
    let synthetic = SyntheticSpec { seed: 3, symbols: 1, days: 2, best_ic: 0.4 };
    DataSpec {
        source: SourceSpec { synthetic: Some(synthetic), ..SourceSpec::default() },
        timeframes: ["1m", "5m"].iter().map(|text| text.parse().unwrap()).collect(),
        sequence_length: SequenceLengthSpec::Same(8),
        features: vec![LogReturn.into(), Volume.into()],
        stride: 11,
        ..DataSpec::default()
    }
}

pub(crate) fn labels() -> Vec<LabelSpec> {
    [1, 5].map(|horizon| LabelSpec::LogReturn { horizon, lag: 0 }).to_vec()
}

pub(crate) fn bars(spec: &DataSpec) -> Vec<Bars> {
    built_in_market(spec.source.synthetic.as_ref().unwrap(), Span::ZERO)
}

pub(crate) fn prepared(spec: &DataSpec) -> Dataset {
    spec.check().unwrap().prepare(bars(spec), &labels()).unwrap()
}

impl SmallExtractor {
    pub(crate) fn new() -> Self {
        let data_spec = data_spec();
        let data = prepared(&data_spec);
        let (attention_heads, dropout) = (2, 0.3);
        let cnn =
            CnnSpec { channels: 4, kernel_sizes: vec![3], dilations: vec![1], attention_heads, dropout };
        let lstm = LstmSpec {
            hidden_size: 4,
            num_layers: 1,
            bidirectional: false,
            attention_heads,
            dropout,
            ..LstmSpec::default()
        };
        let fusion = FusionSpec { output_size: 6, dropout, ..FusionSpec::default() };
        let inputs = data.inputs().iter();
        let network_spec = NetworkSpec {
            model: ModelSpec::Hybrid(HybridSpec { cnn, lstm, fusion }),
            inputs: inputs
                .map(|input| InputShape { length: input.length, features: input.width() })
                .collect(),
            heads: vec![HeadSpec {
                name: "price_prediction".into(),
                kind: HeadKind::Regression { outputs: 2 },
            }],
        };
        let network = build(&network_spec, 5, Device::Cpu).unwrap();
        let description = Description {
            version: ARTEFACT_VERSION,
            data: data_spec,
            labels: labels(),
            fitted: data.fitted().clone(),
            network: network_spec,
            lineage: serde_json::json!({ "seed": 5 }),
        };
        Self { description, data, network }
    }

    /// Saves it as a folder inside `parent`.
    pub(crate) fn save(&self, parent: &Path) -> Result<PathBuf, ArtefactError> {
        let folder = parent.join("extractor");
        let samples = self.data.samples(Split::Validation);
        let (network, device) = (self.network.as_ref(), Device::Cpu);
        Extractor::save(&folder, &self.description, network, &self.data, samples, device)?;
        Ok(folder)
    }
}
