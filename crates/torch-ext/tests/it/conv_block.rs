//! The fused block against the same block in libtorch's own operations.

use tapeline_testkit::assert_close;
use tapeline_torch_ext::{ConvBlock, DropoutKey, Error, conv_block, keyed_dropout, set_threads};
use tch::{Device, Kind, Tensor};

const KEY: DropoutKey = DropoutKey { seed: 7, layer: 3, cursor: 41, rank: 0, first: 0 };
const PROBABILITY: f64 = 0.25;

/// A block's weights and an input for it.
struct Case {
    weights: Vec<Tensor>,
    biases: Vec<Tensor>,
    /// Scale, shift, mix and its bias.
    rest: Vec<Tensor>,
    x: Tensor,
    dilation: usize,
}

/// Numbers that look random and are the same each time.
fn noise(shape: &[i64], phase: f64) -> Tensor {
    let count = shape.iter().product::<i64>();
    let angles = Tensor::arange(count, (Kind::Double, Device::Cpu)) * 12.9898 + phase;
    (angles.sin() * 43_758.545_3).sin().to_kind(Kind::Float).reshape(shape)
}

fn weight(shape: &[i64], phase: f64) -> Tensor {
    (noise(shape, phase) * 0.4).set_requires_grad(true)
}

impl Case {
    fn new([batch, time]: [i64; 2], kernels: &[(i64, i64)], dilation: usize) -> Self {
        let channels = kernels.iter().map(|(share, _)| share).sum::<i64>();
        let each = || kernels.iter().zip(1..);
        Self {
            weights: each()
                .map(|(&(share, width), n)| weight(&[share, channels, width], f64::from(n)))
                .collect(),
            biases: each().map(|(&(share, _), n)| weight(&[share], 10.0 + f64::from(n))).collect(),
            rest: vec![
                (noise(&[channels], 21.0) + 1.0).set_requires_grad(true),
                weight(&[channels], 22.0),
                weight(&[channels, channels, 1], 23.0),
                weight(&[channels], 24.0),
            ],
            x: noise(&[batch, time, channels], 31.0).set_requires_grad(true),
            dilation,
        }
    }

    fn block(&self) -> ConvBlock<'_> {
        let [scale, shift, mix, mix_bias] = &self.rest[..] else { unreachable!("four tensors") };
        ConvBlock {
            weights: &self.weights,
            biases: &self.biases,
            dilation: self.dilation,
            scale,
            shift,
            mix,
            mix_bias,
        }
    }

    fn fused(&self) -> Tensor {
        conv_block(&self.x, &self.block(), Some((PROBABILITY, KEY))).unwrap()
    }

    fn by_operation(&self) -> Tensor {
        let block = self.block();
        let channels_first = self.x.transpose(1, 2);
        let convolved: Vec<Tensor> = block
            .weights
            .iter()
            .zip(block.biases)
            .map(|(weight, bias)| {
                let dilation = block.dilation as i64;
                let reach = weight.size()[2] / 2 * dilation;
                channels_first.conv1d(weight, Some(bias), [1], [reach], [dilation], 1)
            })
            .collect();
        let normal =
            Tensor::cat(&convolved, 1).group_norm(1, Some(block.scale), Some(block.shift), 1e-5, false);
        let active = normal.gelu("none").transpose(1, 2).contiguous();
        let dropped = keyed_dropout(&active, PROBABILITY, KEY).unwrap();
        &self.x + dropped.linear(&block.mix.squeeze_dim(2), Some(block.mix_bias))
    }

    /// The gradients of the input and of all weights, for some gradient of the output.
    fn gradients(&self, out: &Tensor) -> Vec<Tensor> {
        let loss = (out * noise(&out.size(), 41.0)).sum(Kind::Float);
        let tensors: Vec<&Tensor> =
            [&self.x].into_iter().chain(&self.weights).chain(&self.biases).chain(&self.rest).collect();
        Tensor::run_backward(&[loss], &tensors, false, false)
    }
}

/// Channels that fill registers exactly, that do not, and that need several panels; widths in any order.
fn cases() -> Vec<Case> {
    vec![
        Case::new([3, 60], &[(22, 3), (21, 5), (21, 7)], 2),
        Case::new([4, 14], &[(4, 3), (4, 5), (4, 7)], 1),
        Case::new([2, 9], &[(12, 5)], 4),
        Case::new([2, 7], &[(24, 7), (23, 3), (23, 1)], 3),
        Case::new([5, 3], &[(1, 3), (1, 1)], 1),
    ]
}

fn bytes(tensors: &[Tensor]) -> Vec<f32> {
    Vec::try_from(Tensor::cat(&tensors.iter().map(|tensor| tensor.reshape([-1])).collect::<Vec<_>>(), 0))
        .unwrap()
}

#[test]
fn outputs_and_gradients_are_those_of_libtorchs_operations() {
    set_threads(1).unwrap();
    for case in cases() {
        let (fused, expected) = (case.fused(), case.by_operation());
        assert_close(&bytes(&[fused.detach()]), &bytes(&[expected.detach()]), 1e-5);
        for (found, expected) in case.gradients(&fused).iter().zip(&case.gradients(&expected)) {
            assert_eq!(found.size(), expected.size());
            let off = ((found - expected).norm() / expected.norm()).double_value(&[]);
            assert!(off <= 1e-5, "a gradient of shape {:?} is off by {off:e}", found.size());
        }
    }
}

#[test]
fn a_sample_does_not_depend_on_its_batch_mates_nor_on_who_computes_it() {
    let case = Case::new([5, 11], &[(6, 3), (6, 5)], 2);
    set_threads(1).unwrap();
    let whole = tch::no_grad(|| conv_block(&case.x, &case.block(), None)).unwrap();
    for sample in 0..5 {
        let alone = tch::no_grad(|| conv_block(&case.x.narrow(0, sample, 1), &case.block(), None)).unwrap();
        assert_eq!(bytes(&[alone]), bytes(&[whole.narrow(0, sample, 1)]));
    }
    set_threads(3).unwrap();
    let shared = tch::no_grad(|| conv_block(&case.x, &case.block(), None)).unwrap();
    let learning = conv_block(&case.x, &case.block(), None).unwrap().detach();
    set_threads(1).unwrap();
    assert_eq!(bytes(&[shared]), bytes(&[whole.shallow_clone()]));
    assert_eq!(bytes(&[learning]), bytes(&[whole]));
}

#[test]
fn gradients_repeat_byte_for_byte_and_hardly_depend_on_the_threads() {
    let case = Case::new([7, 11], &[(6, 3), (6, 5)], 2);
    set_threads(1).unwrap();
    let one = case.gradients(&case.fused());
    set_threads(3).unwrap();
    let (three, again) = (case.gradients(&case.fused()), case.gradients(&case.fused()));
    set_threads(1).unwrap();
    assert_eq!(bytes(&three), bytes(&again));
    assert_close(&bytes(&three), &bytes(&one), 1e-5);
}

#[test]
fn what_does_not_fit_is_refused() {
    let case = Case::new([2, 7], &[(4, 3), (4, 5)], 1);
    let refuse = |x: &Tensor, block: ConvBlock<'_>| conv_block(x, &block, None).unwrap_err();
    assert!(matches!(refuse(&case.x.narrow(2, 0, 6), case.block()), Error::Shape { list: "weights", .. }));
    assert!(matches!(refuse(&case.x.reshape([14, 8]), case.block()), Error::Shape { list: "x", .. }));
    assert!(matches!(refuse(&case.x.to_kind(Kind::Double), case.block()), Error::Kind { .. }));
    assert!(matches!(
        refuse(&case.x, ConvBlock { biases: &case.biases[..1], ..case.block() }),
        Error::Count { list: "biases", .. }
    ));
    assert!(matches!(
        refuse(&case.x, ConvBlock { dilation: 0, ..case.block() }),
        Error::Number { name: "dilation", .. }
    ));
    let even = [weight(&[4, 8, 2], 1.0), weight(&[4, 8, 5], 2.0)];
    assert!(matches!(
        refuse(&case.x, ConvBlock { weights: &even, ..case.block() }),
        Error::Number { name: "width", .. }
    ));
    let narrow = weight(&[3], 1.0);
    assert!(matches!(
        refuse(&case.x, ConvBlock { scale: &narrow, ..case.block() }),
        Error::Shape { list: "scale", .. }
    ));
}
