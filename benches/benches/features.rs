//! From bars to a dataset: resampling, features, labels, split, scaling, index.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use tapeline_benches::RunFile;

fn prepare(criterion: &mut Criterion) {
    let file = RunFile::hybrid().expect("the benchmark's own configuration");
    let bars = file.bars().expect("the built-in market");
    let tasks = file.tasks.check().expect("sound tasks");
    let pipeline = file.data.check().expect("a sound configuration");
    let count: usize = bars.iter().map(|bars| bars.close.len()).sum();
    let mut group = criterion.benchmark_group("features");
    group.throughput(Throughput::Elements(count as u64));
    group.bench_function("bars to dataset", |bencher| {
        let prepare = |bars| black_box(pipeline.prepare(bars, tasks.labels()).expect("sound bars"));
        bencher.iter_batched(|| bars.clone(), prepare, BatchSize::LargeInput);
    });
    group.finish();
}

criterion_group!(benches, prepare);
criterion_main!(benches);
