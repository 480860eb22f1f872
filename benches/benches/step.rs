//! What a thread does in a step: forward and backward over its share of a batch, on one thread.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tapeline_benches::RunFile;
use tapeline_models::Mode;
use tch::{Device, Kind, Tensor};

/// Half of the batch of configs/bench/hybrid.yaml.
const SHARE: usize = 16;

fn step(criterion: &mut Criterion) {
    tapeline_torch_ext::keep_freed_memory();
    tapeline_torch_ext::set_threads(1).expect("one thread");
    let prepared = RunFile::hybrid().and_then(RunFile::prepare).expect("the benchmark's own configuration");
    let network = prepared.network(Device::Cpu).expect("a sound network");
    let inputs: Vec<Tensor> = prepared
        .data
        .inputs()
        .iter()
        .map(|layout| {
            let shape = [SHARE, layout.length, layout.width()].map(|size| size as i64);
            Tensor::ones(shape, (Kind::Float, Device::Cpu))
        })
        .collect();
    let mut cursor = 0;
    let mut forward = || {
        cursor += 1;
        let mode = Mode::Train { seed: 1, cursor, rank: 0, first: 0 };
        network.forward(&inputs, mode).expect("inputs that fit")
    };
    let mut group = criterion.benchmark_group("step");
    group.throughput(Throughput::Elements(SHARE as u64));
    group.bench_function("forward", |bencher| bencher.iter(&mut forward));
    group.bench_function("forward and backward", |bencher| {
        bencher.iter(|| {
            let outputs = forward();
            let sums: Vec<Tensor> = outputs.heads.iter().map(|head| head.sum(Kind::Float)).collect();
            let parameters = network.parameters().tensors();
            Tensor::run_backward(&sums, &parameters, false, false)
        });
    });
    group.finish();
}

criterion_group!(benches, step);
criterion_main!(benches);
