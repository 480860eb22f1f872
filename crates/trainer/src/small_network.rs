//! A network of a few hundred weights and what it is asked, for unit tests.

use tapeline_data_pipeline::{DataSpec, SplitInstants, Timestamp};
use tapeline_models::{
    CnnSpec, FusionSpec, HybridSpec, InputShape, LstmSpec, ModelSpec, Network, NetworkSpec, build,
};
use tch::Device;

use crate::lineage::{LIBTORCH, Lineage};
use crate::spec::{PriceTaskSpec, RegimeTaskSpec, TasksSpec, TrainingSpec, VolatilityTaskSpec};
use crate::task::Tasks;

/// Bars and features of its one timeframe.
pub(crate) const WINDOW: [i64; 2] = [7, 3];

/// Three price horizons, two of volatility, two of regime.
pub(crate) fn tasks() -> Tasks {
    let spec = TasksSpec {
        price_prediction: Some(PriceTaskSpec { horizons: vec![1, 2, 3], ..Default::default() }),
        volatility_estimation: Some(VolatilityTaskSpec { horizons: vec![1, 2], ..Default::default() }),
        regime_detection: Some(RegimeTaskSpec { horizons: vec![1, 2], ..Default::default() }),
    };
    spec.check().unwrap()
}

/// The network for [`tasks`].
pub(crate) fn network() -> Box<dyn Network> {
    build(&network_spec(), 9, Device::Cpu).unwrap()
}

fn network_spec() -> NetworkSpec {
    let dropout = 0.1;
    let cnn = CnnSpec { channels: 4, kernel_sizes: vec![3], dilations: vec![1], attention_heads: 2, dropout };
    let lstm = LstmSpec {
        hidden_size: 4,
        num_layers: 1,
        bidirectional: false,
        attention_heads: 2,
        dropout,
        ..LstmSpec::default()
    };
    let fusion = FusionSpec { output_size: 6, dropout, ..FusionSpec::default() };
    NetworkSpec {
        model: ModelSpec::Hybrid(HybridSpec { cnn, lstm, fusion }),
        inputs: vec![InputShape { length: WINDOW[0] as usize, features: WINDOW[1] as usize }],
        heads: tasks().heads(),
    }
}

/// Where a run of [`network`] would come from.
pub(crate) fn lineage() -> Lineage {
    let instant = Timestamp::from_nanos(0);
    Lineage {
        tapeline: "0".into(),
        libtorch: LIBTORCH.into(),
        device: "cpu".into(),
        threads: 1,
        seed: 9,
        data: "none".into(),
        pipeline: DataSpec::default(),
        split: SplitInstants::chronological(instant, instant, instant),
        labels: Vec::new(),
        tasks: TasksSpec::default(),
        network: network_spec(),
        training: TrainingSpec::default(),
    }
}
