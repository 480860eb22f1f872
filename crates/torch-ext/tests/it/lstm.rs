//! The fused layer against libtorch's own.

use tapeline_testkit::assert_close;
use tapeline_torch_ext::{Direction, Error, Lstm, lstm, set_threads};
use tch::{Device, Kind, Tensor};

/// A layer's weights in PyTorch's order and an input for it.
struct Case {
    weights: [Tensor; 4],
    x: Tensor,
    hidden: i64,
}

/// Numbers that look random and are the same each time.
fn noise(shape: &[i64], phase: f64) -> Tensor {
    let count = shape.iter().product::<i64>();
    let angles = Tensor::arange(count, (Kind::Double, Device::Cpu)) * 12.9898 + phase;
    (angles.sin() * 43_758.545_3).sin().to_kind(Kind::Float).reshape(shape)
}

impl Case {
    fn new([batch, time, inputs, hidden]: [i64; 4]) -> Self {
        let weight = |shape: &[i64], phase| (noise(shape, phase) * 0.5).set_requires_grad(true);
        Self {
            weights: [
                weight(&[4 * hidden, inputs], 1.0),
                weight(&[4 * hidden, hidden], 2.0),
                weight(&[4 * hidden], 3.0),
                weight(&[4 * hidden], 4.0),
            ],
            x: noise(&[batch, time, inputs], 5.0).set_requires_grad(true),
            hidden,
        }
    }

    fn layer(&self, direction: Direction) -> Lstm<'_> {
        let [input_weight, state_weight, input_bias, state_bias] = &self.weights;
        Lstm { input_weight, state_weight, input_bias, state_bias, direction }
    }

    fn fused(&self, direction: Direction) -> Tensor {
        lstm(&self.x, &self.layer(direction)).unwrap()
    }

    /// libtorch knows one direction; the other is the first on the window turned round.
    fn by_operation(&self, direction: Direction) -> Tensor {
        let turned =
            |x: &Tensor| if direction == Direction::Backward { x.flip([1]) } else { x.shallow_clone() };
        let zeros = Tensor::zeros([1, self.x.size()[0], self.hidden], (Kind::Float, Device::Cpu));
        let weights: Vec<&Tensor> = self.weights.iter().collect();
        let (out, _, _) = turned(&self.x).lstm(&[&zeros, &zeros], &weights, true, 1, 0.0, true, false, true);
        turned(&out)
    }

    fn gradients(&self, out: &Tensor) -> Vec<Tensor> {
        let tensors: Vec<&Tensor> = [&self.x].into_iter().chain(&self.weights).collect();
        let loss = (out * noise(&out.size(), 6.0)).sum(Kind::Float);
        Tensor::run_backward(&[loss], &tensors, false, false)
    }
}

/// Hidden units that fill registers exactly and that do not, one sample and several, one bar and many.
fn cases() -> [Case; 4] {
    [[16, 20, 8, 32], [3, 6, 5, 7], [7, 5, 70, 33], [1, 1, 3, 16]].map(Case::new)
}

fn numbers(tensors: &[Tensor]) -> Vec<f32> {
    let flat: Vec<Tensor> = tensors.iter().map(|tensor| tensor.detach().reshape([-1])).collect();
    Vec::try_from(Tensor::cat(&flat, 0)).unwrap()
}

#[test]
fn outputs_and_gradients_are_those_of_libtorchs_operation() {
    set_threads(1).unwrap();
    for case in cases() {
        for direction in [Direction::Forward, Direction::Backward] {
            let (fused, expected) = (case.fused(direction), case.by_operation(direction));
            assert_close(&numbers(&[fused.shallow_clone()]), &numbers(&[expected.shallow_clone()]), 1e-5);
            for (found, expected) in case.gradients(&fused).iter().zip(&case.gradients(&expected)) {
                assert_eq!(found.size(), expected.size());
                let off = (found - expected).norm().double_value(&[]);
                let size = expected.norm().double_value(&[]);
                assert!(off <= 1e-5 * size, "{direction:?}: a gradient {:?} is off by {off:e}", found.size());
            }
        }
    }
}

#[test]
fn a_sample_does_not_depend_on_its_batch_mates_nor_on_who_computes_it() {
    let case = Case::new([5, 9, 6, 20]);
    set_threads(1).unwrap();
    let whole = case.fused(Direction::Forward);
    for sample in 0..5 {
        let alone = lstm(&case.x.narrow(0, sample, 1), &case.layer(Direction::Forward)).unwrap();
        assert_eq!(numbers(&[alone]), numbers(&[whole.narrow(0, sample, 1)]));
    }
    set_threads(3).unwrap();
    let (shared, again) = (case.fused(Direction::Forward), case.fused(Direction::Forward));
    let gradients = [&shared, &again].map(|out| numbers(&case.gradients(out)));
    set_threads(1).unwrap();
    assert_eq!(numbers(&[shared]), numbers(&[whole.shallow_clone()]));
    assert_eq!(gradients[0], gradients[1]);
    assert_close(&gradients[0], &numbers(&case.gradients(&whole)), 1e-4);
}

#[test]
fn an_input_that_learns_nothing_changes_no_gradient_of_a_weight() {
    set_threads(1).unwrap();
    let case = Case::new([4, 6, 5, 12]);
    let learned = |x: &Tensor| {
        let out = lstm(x, &case.layer(Direction::Forward)).unwrap();
        let weights: Vec<&Tensor> = case.weights.iter().collect();
        numbers(&Tensor::run_backward(&[out.square().sum(Kind::Float)], &weights, false, false))
    };
    assert_eq!(learned(&case.x), learned(&case.x.detach()));
}

#[test]
fn what_does_not_fit_is_refused() {
    let case = Case::new([2, 7, 5, 6]);
    let layer = case.layer(Direction::Forward);
    let refuse = |x: &Tensor, layer: Lstm<'_>| lstm(x, &layer).unwrap_err();
    let narrow = case.x.narrow(2, 0, 4);
    assert!(matches!(refuse(&narrow, layer), Error::Shape { list: "input_weight", .. }));
    assert!(matches!(refuse(&case.x.reshape([14, 5]), layer), Error::Shape { list: "x", .. }));
    assert!(matches!(refuse(&case.x.to_kind(Kind::Double), layer), Error::Kind { .. }));
    let wrong = Lstm { state_weight: layer.input_weight, ..layer };
    assert!(matches!(refuse(&case.x, wrong), Error::Shape { .. }));
    let short = case.weights[2].narrow(0, 0, 23);
    assert!(matches!(
        refuse(&case.x, Lstm { state_bias: &short, ..layer }),
        Error::Shape { list: "state_bias", .. }
    ));
}
