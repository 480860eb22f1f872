//! Gathering a batch: windows of each timeframe into one buffer.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tapeline_benches::RunFile;
use tapeline_data_pipeline::Split;

const BATCH: usize = 32;
/// Shares no factor with the number of samples that matters: neighbours in a batch are no neighbours in time.
const STEP: usize = 997;

fn gather(criterion: &mut Criterion) {
    let prepared = RunFile::hybrid().and_then(RunFile::prepare).expect("the benchmark's own configuration");
    let train = prepared.data.samples(Split::Train);
    let samples: Vec<u32> = (0..BATCH).map(|place| train[place * STEP % train.len()]).collect();
    let mut group = criterion.benchmark_group("windows");
    group.throughput(Throughput::Elements(BATCH as u64));
    for (timeframe, layout) in prepared.data.inputs().iter().enumerate() {
        let mut buffer = vec![0.0; BATCH * layout.window_len()];
        group.bench_function(layout.timeframe.to_string(), |bencher| {
            bencher
                .iter(|| prepared.data.fill_inputs(timeframe, &samples, &mut buffer).expect("known samples"));
        });
    }
    group.finish();
}

criterion_group!(benches, gather);
criterion_main!(benches);
