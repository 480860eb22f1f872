//! First weights: reproducible, each its own, and of PyTorch's distributions.

use tapeline_models::{InputShape, ModelSpec, NetworkSpec, build};
use tch::{Device, Kind, Tensor};

use crate::contract::networks;

fn example(timeframes: usize) -> NetworkSpec {
    let (_, network) = networks().remove(0);
    let inputs = vec![InputShape { length: 60, features: 8 }; timeframes];
    NetworkSpec { model: ModelSpec::default(), inputs, heads: network.heads }
}

fn values(tensor: &Tensor) -> Vec<f32> {
    Vec::try_from(tensor.detach().flatten(0, -1)).unwrap()
}

#[test]
fn weights_are_a_function_of_the_seed_and_the_name_alone() {
    let three = build(&example(3), 9, Device::Cpu).unwrap();
    let one = build(&example(1), 9, Device::Cpu).unwrap();
    let other = build(&example(1), 10, Device::Cpu).unwrap();
    // The fusion's input differs in width, and with it the range of its first layer.
    for (name, tensor) in one.parameters().iter().filter(|(name, _)| !name.starts_with("fuse.0")) {
        assert_eq!(values(tensor), values(three.parameters().get(name).unwrap()), "{name}");
    }
    let stem = |network: &dyn tapeline_models::Network, index: usize| {
        values(network.parameters().get(&format!("cnn.{index}.stem.weight")).unwrap())
    };
    assert_ne!(stem(three.as_ref(), 0), stem(three.as_ref(), 1));
    assert_ne!(stem(one.as_ref(), 0), stem(other.as_ref(), 0));
}

#[test]
fn uniform_weights_fill_their_range_evenly() {
    let network = build(&example(3), 4, Device::Cpu).unwrap();
    for (name, bound) in [
        ("cnn.0.stem.weight", 8f64.sqrt().recip()),
        ("cnn.1.blocks.2.convs.1.weight", (64.0 * 5.0_f64).sqrt().recip()),
        ("cnn.1.blocks.2.mix.weight", 64f64.sqrt().recip()),
        ("cnn.2.pool.mha.in_proj_weight", (6.0 / 256.0_f64).sqrt()),
        ("cnn.2.pool.mha.out_proj.weight", 64f64.sqrt().recip()),
        ("lstm.lstm.weight_ih_l0", 128f64.sqrt().recip()),
        ("lstm.lstm.bias_hh_l1", 128f64.sqrt().recip()),
        ("fuse.0.weight", 320f64.sqrt().recip()),
        ("price_prediction.weight", 128f64.sqrt().recip()),
    ] {
        let values = values(network.parameters().get(name).unwrap());
        let count = values.len() as f64;
        let largest = values.iter().fold(0.0, |largest: f32, value| largest.max(value.abs()));
        assert!(f64::from(largest) <= bound * (1.0 + 1e-6), "{name}: {largest} is beyond {bound}");
        assert!(f64::from(largest) > bound * (1.0 - 10.0 / count), "{name}: {largest} of {bound}");
        let mean = values.iter().copied().map(f64::from).sum::<f64>() / count;
        let deviation = bound / 3f64.sqrt();
        assert!(mean.abs() < 4.0 * deviation / count.sqrt(), "{name}: mean {mean}");
        let square = values.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>() / count;
        // The variance of a square of a uniform number is 4/45 bound⁴.
        let tolerance = 4.0 * bound.powi(2) * (4.0 / 45.0 / count).sqrt();
        assert!((square - deviation.powi(2)).abs() < tolerance, "{name}: mean square {square}");
    }
}

#[test]
fn norms_biases_and_queries_start_as_in_pytorch() {
    let network = build(&example(1), 4, Device::Cpu).unwrap();
    let all = |name: &str, expected: f32| {
        let found = values(network.parameters().get(name).unwrap());
        assert!(found.iter().all(|&value| value == expected), "{name}");
    };
    for name in ["cnn.0.blocks.0.norm.weight", "lstm.norm.weight", "fuse.2.weight"] {
        all(name, 1.0);
    }
    for name in ["lstm.norm.bias", "lstm.pool.mha.in_proj_bias", "lstm.pool.mha.out_proj.bias", "fuse.2.bias"]
    {
        all(name, 0.0);
    }
    let query = network.parameters().get("lstm.pool.q").unwrap();
    let deviation = query.square().mean(Kind::Double).sqrt().double_value(&[]);
    // 128 draws: the deviation's own deviation is 0.02 / √256.
    assert!((deviation - 0.02).abs() < 4.0 * 0.02 / 16.0, "{deviation}");
}
