//! Reading bars: one symbol's Parquet file to checked columns, with audit.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tapeline_benches::RunFile;
use tapeline_data_pipeline::{SourceSpec, Stamp, write_parquet};

fn read(criterion: &mut Criterion) {
    let file = RunFile::hybrid().expect("the benchmark's own configuration");
    let folder = tempfile::tempdir().expect("a folder to write into");
    let bars = file.bars().expect("the built-in market");
    let count: usize = bars.iter().map(|bars| bars.close.len()).sum();
    write_parquet(&bars, folder.path()).expect("bars can be written");
    let source =
        SourceSpec { path: Some(folder.path().into()), stamp: Some(Stamp::Open), ..SourceSpec::default() };
    let spec = tapeline_data_pipeline::DataSpec { source, ..file.data };
    let pipeline = spec.check().expect("a sound configuration");
    let mut group = criterion.benchmark_group("source");
    group.throughput(Throughput::Elements(count as u64));
    group.bench_function("parquet", |bencher| {
        bencher.iter(|| black_box(pipeline.read().expect("bars that were just written")));
    });
    group.finish();
}

criterion_group!(benches, read);
criterion_main!(benches);
