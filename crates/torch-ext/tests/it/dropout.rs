//! Keyed dropout: which mask, how many survivors, what gradient.

use proptest::prelude::{ProptestConfig, any, proptest};
use tapeline_torch_ext::{DropoutKey, Error, keyed_dropout, set_threads};
use tch::{Device, Kind, Tensor};

use crate::philox::philox;

const KEY: DropoutKey = DropoutKey { seed: 7, layer: 3, cursor: 41, rank: 0, first: 0 };

fn ones(shape: &[i64]) -> Tensor {
    Tensor::ones(shape, (Kind::Float, Device::Cpu))
}

fn mask(count: i64, probability: f64, key: DropoutKey) -> Vec<f32> {
    Vec::try_from(keyed_dropout(&ones(&[count]), probability, key).unwrap()).unwrap()
}

fn halves(value: u64) -> [u32; 2] {
    [value as u32, (value >> 32) as u32]
}

/// The mask by the documented rule.
fn expected_mask(count: usize, probability: f64, key: DropoutKey) -> Vec<f32> {
    let ([l0, l1], [r0, r1]) = (halves(key.layer), halves(key.rank));
    let [low, high, ..] = philox([l0, l1, r0, r1], halves(key.seed));
    let [c0, c1] = halves(key.cursor);
    let word = |index: usize| {
        let [b0, b1] = halves(index as u64 / 4);
        philox([b0, b1, c0, c1], [low, high])[index % 4]
    };
    let survivor = (1.0 / (1.0 - probability)) as f32;
    let kept = |index| f64::from(word(index)) >= (probability * 2f64.powi(32)).floor();
    (0..count).map(|index| if kept(index) { survivor } else { 0.0 }).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_mask_is_the_documented_function_of_key_and_index(
        seed in any::<u64>(),
        layer in any::<u64>(),
        cursor in any::<u64>(),
        rank in any::<u64>(),
        count in 1..300_usize,
        probability in 0.0..0.99_f64,
    ) {
        let key = DropoutKey { seed, layer, cursor, rank, first: 0 };
        assert_eq!(mask(count as i64, probability, key), expected_mask(count, probability, key));
    }
}

#[test]
fn one_thread_and_two_give_the_same_bytes() {
    // Long enough for two threads to share it, and ending within a block.
    let count = 1_000_003;
    set_threads(1).unwrap();
    let one = mask(count, 0.1, KEY);
    set_threads(2).unwrap();
    let two = mask(count, 0.1, KEY);
    assert!(one == two, "the masks differ");
    assert!(one == expected_mask(count as usize, 0.1, KEY), "both differ from the documented mask");
}

#[test]
fn the_share_of_survivors_is_as_asked() {
    let count = 400_000;
    for probability in [0.1, 0.25, 0.5, 0.9] {
        let kept = mask(count, probability, KEY).iter().filter(|&&value| value > 0.0).count() as f64;
        let expected = count as f64 * (1.0 - probability);
        let deviation = (count as f64 * probability * (1.0 - probability)).sqrt();
        assert!((kept - expected).abs() < 4.0 * deviation, "{probability}: {kept} kept, expected {expected}");
    }
    assert!(mask(1000, 0.0, KEY).iter().all(|&value| value == 1.0));
}

#[test]
fn every_field_of_the_key_matters() {
    let reference = mask(4096, 0.5, KEY);
    for (field, other) in [
        ("seed", DropoutKey { seed: 8, ..KEY }),
        ("layer", DropoutKey { layer: 4, ..KEY }),
        ("cursor", DropoutKey { cursor: 42, ..KEY }),
        ("rank", DropoutKey { rank: 1, ..KEY }),
        ("seed above 32 bits", DropoutKey { seed: 7 | 1 << 40, ..KEY }),
        ("cursor above 32 bits", DropoutKey { cursor: 41 | 1 << 40, ..KEY }),
    ] {
        let same = mask(4096, 0.5, other).iter().zip(&reference).filter(|(a, b)| a == b).count();
        // Independent masks agree in half the places: 2048 ± 4 · 32.
        assert!((1920..=2176).contains(&same), "{field}: {same} of 4096 places agree");
    }
}

#[test]
fn the_gradient_passes_where_the_value_did() {
    let x = (ones(&[6, 50]) * 3.0).set_requires_grad(true);
    let out = keyed_dropout(&x, 0.4, KEY).unwrap();
    let upstream = Tensor::arange(300, (Kind::Float, Device::Cpu)).reshape([6, 50]);
    (&out * &upstream).sum(Kind::Float).backward();
    let mask = keyed_dropout(&ones(&[6, 50]), 0.4, KEY).unwrap();
    assert_eq!(x.grad(), mask * upstream);
}

#[test]
fn the_mask_goes_by_position_whatever_the_layout() {
    let x = Tensor::arange(60, (Kind::Float, Device::Cpu)).reshape([5, 12]);
    let transposed = x.transpose(0, 1).contiguous().transpose(0, 1);
    let out = keyed_dropout(&x, 0.5, KEY).unwrap();
    assert_eq!(keyed_dropout(&transposed, 0.5, KEY).unwrap(), out);
    let double = keyed_dropout(&x.to_kind(Kind::Double), 0.5, KEY).unwrap();
    assert_eq!(double.kind(), Kind::Double);
    assert_eq!(double.to_kind(Kind::Float), out);
}

#[test]
fn what_is_no_probability_is_refused() {
    for probability in [-0.1, 1.0, f64::NAN, f64::INFINITY] {
        let error = keyed_dropout(&ones(&[3]), probability, KEY).unwrap_err();
        assert!(matches!(error, Error::Number { name: "probability", .. }), "{error}");
    }
}

#[test]
fn a_part_of_a_batch_gets_its_part_of_the_mask() {
    set_threads(1).unwrap();
    // Samples of 15 numbers: their masks begin anywhere in a block of four words.
    for shape in [[9, 3, 5], [9, 1, 1], [9, 4, 70]] {
        let whole = keyed_dropout(&ones(&shape), 0.4, KEY).unwrap();
        for (first, count) in [(0, 4), (1, 1), (3, 6), (7, 2)] {
            let [_, time, channels] = shape;
            let key = DropoutKey { first: first as u64, ..KEY };
            let part = keyed_dropout(&ones(&[count, time, channels]), 0.4, key).unwrap();
            assert!(part.equal(&whole.narrow(0, first, count)), "{count} samples from {first} of {shape:?}");
        }
    }
}
