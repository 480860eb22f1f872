//! Specs as they are written, and the faults they may have.

use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};
use tapeline_models::{
    CnnModelSpec, CnnSpec, FusionKind, FusionSpec, HeadKind, HeadSpec, HybridSpec, InputShape, LstmModelSpec,
    LstmSpec, Mode, ModelError, ModelSpec, NetworkSpec, build,
};
use tch::{Device, Kind, Tensor};

use crate::contract::networks;

fn paths(report: garde::Report) -> Vec<String> {
    report.into_inner().into_iter().map(|(path, _)| path.to_string()).collect()
}

#[test]
fn the_default_is_the_hybrid_of_the_example_and_has_no_fault() {
    let model = ModelSpec::default();
    model.check().unwrap();
    let written = serde_json::json!({
        "kind": "hybrid",
        "cnn": {"channels": 64, "kernel_sizes": [3, 5, 7], "dilations": [1, 2, 4], "attention_heads": 4, "dropout": 0.1},
        "lstm": {"hidden_size": 128, "num_layers": 2, "bidirectional": false, "attention_heads": 4, "dropout": 0.1, "recurrent_dropout": 0.0},
        "fusion": {"kind": "concat", "output_size": 128, "dropout": 0.1},
    });
    assert_eq!(serde_json::to_value(&model).unwrap(), written);
    assert_eq!(serde_json::from_value::<ModelSpec>(serde_json::json!({"kind": "hybrid"})).unwrap(), model);
}

#[test]
fn specs_survive_a_round_trip() {
    for (name, spec) in networks() {
        let text = serde_json::to_string(&spec).unwrap();
        assert_eq!(serde_json::from_str::<NetworkSpec>(&text).unwrap(), spec, "{name}");
    }
}

#[test]
fn unknown_words_are_refused() {
    for text in [
        r#"{"kind": "transformer"}"#,
        r#"{"kind": "hybrid", "cnn": {"chanels": 8}}"#,
        r#"{"kind": "hybrid", "gru": {}}"#,
        r#"{"kind": "hybrid", "fusion": {"kind": "sum"}}"#,
        r#"{"kind": "cnn", "lstm": {}}"#,
        r#"{"kind": "lstm", "cnn": {}}"#,
    ] {
        assert!(serde_json::from_str::<ModelSpec>(text).is_err(), "{text} was taken");
    }
}

#[test]
fn all_faults_of_a_model_are_reported_with_their_paths() {
    let model = ModelSpec::Hybrid(HybridSpec {
        cnn: CnnSpec {
            channels: 10,
            kernel_sizes: vec![3, 4],
            dilations: vec![1, 0],
            attention_heads: 4,
            dropout: f64::NAN,
        },
        lstm: LstmSpec {
            hidden_size: 3,
            num_layers: 0,
            bidirectional: true,
            attention_heads: 4,
            dropout: 1.0,
            ..LstmSpec::default()
        },
        ..HybridSpec::default()
    });
    assert_eq!(
        paths(model.check().unwrap_err()),
        [
            "cnn.kernel_sizes[1]",
            "cnn.dilations[1]",
            "cnn.attention_heads",
            "cnn.dropout",
            "lstm.num_layers",
            "lstm.attention_heads",
            "lstm.dropout",
        ]
    );
}

#[test]
fn each_architecture_checks_the_parts_it_has() {
    let cnn = CnnSpec { channels: 0, ..CnnSpec::default() };
    let lstm = LstmSpec { num_layers: 0, ..LstmSpec::default() };
    let fusion = FusionSpec { kind: FusionKind::Attention, output_size: 30, dropout: 1.0 };
    let faults = |model: ModelSpec| paths(model.check().unwrap_err());
    assert_eq!(
        faults(ModelSpec::Cnn(CnnModelSpec { cnn, fusion: fusion.clone() })),
        ["cnn.channels", "cnn.kernel_sizes", "fusion.output_size", "fusion.dropout"]
    );
    assert_eq!(
        faults(ModelSpec::Lstm(LstmModelSpec { lstm, fusion: fusion.clone() })),
        ["lstm.num_layers", "fusion.output_size", "fusion.dropout"]
    );
    // The other fusions take any width.
    for kind in [FusionKind::Concat, FusionKind::Gated, FusionKind::Bilinear] {
        let fusion = FusionSpec { kind, dropout: 0.0, ..fusion };
        ModelSpec::Hybrid(HybridSpec { fusion, ..HybridSpec::default() }).check().unwrap();
    }
}

#[test]
fn empty_and_crowded_kernels_are_faults() {
    let faults = |kernel_sizes: Vec<usize>, dilations: Vec<usize>| {
        let cnn = CnnSpec { channels: 2, attention_heads: 2, kernel_sizes, dilations, ..CnnSpec::default() };
        paths(ModelSpec::Hybrid(HybridSpec { cnn, ..HybridSpec::default() }).check().unwrap_err())
    };
    assert_eq!(faults(vec![], vec![]), ["cnn.kernel_sizes", "cnn.dilations"]);
    assert_eq!(faults(vec![1, 3, 5], vec![1]), ["cnn.kernel_sizes"]);
}

#[test]
fn a_network_with_faults_is_not_built() {
    let head = |name: &str, outputs| HeadSpec { name: name.into(), kind: HeadKind::Regression { outputs } };
    let spec = NetworkSpec {
        model: ModelSpec::Hybrid(HybridSpec {
            cnn: CnnSpec { channels: 0, kernel_sizes: vec![], ..CnnSpec::default() },
            ..HybridSpec::default()
        }),
        inputs: vec![InputShape { length: 0, features: 8 }],
        heads: vec![head("lstm", 1), head("price", 0), head("price", 1), head("a.b", 1)],
    };
    let Err(ModelError::Spec(report)) = build(&spec, 0, Device::Cpu) else { unreachable!("it was built") };
    assert_eq!(
        paths(report),
        [
            "model.cnn.channels",
            "model.cnn.kernel_sizes",
            "inputs[0].length",
            "heads[0].name",
            "heads[1].kind",
            "heads[2].name",
            "heads[3].name",
        ]
    );
    let nothing = NetworkSpec { model: ModelSpec::default(), inputs: vec![], heads: vec![] };
    assert_eq!(paths(nothing.check().unwrap_err()), ["inputs", "heads"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_passes_the_check_can_be_built_and_run(
        channels in 0..9_usize,
        kernel_sizes in proptest::collection::vec(0..8_usize, 0..4),
        dilations in proptest::collection::vec(0..5_usize, 0..3),
        attention_heads in 0..4_usize,
        hidden_size in 0..7_usize,
        num_layers in 0..3_usize,
        bidirectional in any::<bool>(),
        lengths in proptest::collection::vec(0..9_usize, 1..3),
        features in 1..4_usize,
        architecture in 0..3_usize,
        kind in proptest::sample::select(vec![
            FusionKind::Concat, FusionKind::Gated, FusionKind::Attention, FusionKind::Bilinear,
        ]),
        repair in any::<bool>(),
    ) {
        // Half of the cases are mended, so that enough of them pass.
        let mended = |size: usize, smallest: usize| if repair { size.max(smallest) } else { size };
        let cnn = CnnSpec {
            channels: mended(channels * if repair { attention_heads.max(1) } else { 1 }, 6 * attention_heads.max(1)),
            kernel_sizes: if repair { kernel_sizes.iter().map(|size| size | 1).chain([3]).collect() } else { kernel_sizes },
            dilations: if repair { dilations.iter().map(|&size| size.max(1)).chain([2]).collect() } else { dilations },
            attention_heads: mended(attention_heads, 1),
            dropout: 0.5,
        };
        let lstm = LstmSpec {
            hidden_size: mended(hidden_size, 1),
            num_layers: mended(num_layers, 1),
            bidirectional,
            attention_heads: 1,
            dropout: 0.5,
            ..LstmSpec::default()
        };
        let output_size = if kind == FusionKind::Attention && repair { 8 } else { 5 };
        let fusion = FusionSpec { kind, output_size, ..FusionSpec::default() };
        let model = match architecture {
            0 => ModelSpec::Cnn(CnnModelSpec { cnn, fusion }),
            1 => ModelSpec::Lstm(LstmModelSpec { lstm, fusion }),
            _ => ModelSpec::Hybrid(HybridSpec { cnn, lstm, fusion }),
        };
        let spec = NetworkSpec {
            model,
            inputs: lengths.iter().map(|&length| InputShape { length: mended(length, 1), features }).collect(),
            heads: vec![HeadSpec { name: "task".into(), kind: HeadKind::Regression { outputs: 2 } }],
        };
        let passes = spec.check().is_ok();
        prop_assert_eq!(build(&spec, 0, Device::Cpu).is_ok(), passes);
        if repair {
            prop_assert_eq!(passes, true, "{:?}", spec.check());
        }
        if passes {
            let network = build(&spec, 0, Device::Cpu).unwrap();
            let window = |shape: &InputShape| {
                Tensor::ones([2, shape.length as i64, shape.features as i64], (Kind::Float, Device::Cpu))
            };
            let inputs: Vec<Tensor> = spec.inputs.iter().map(window).collect();
            let outputs = network.forward(&inputs, Mode::Train { seed: 0, cursor: 0, rank: 0, first: 0 }).unwrap();
            prop_assert_eq!(outputs.features.size(), [2, output_size as i64]);
            prop_assert_eq!(outputs.heads[0].size(), [2, 2]);
        }
    }
}
