//! A program that wants bars and windows, and has never heard of libtorch. The program's tests build it in a workspace of its
//! own.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program's own output")]

use std::error::Error;

use tapeline_data_pipeline::{
    DataSpec, LabelSpec, SourceSpec, Span, Split, Stamp, SyntheticSpec, built_in_market, write_parquet,
};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let market = SyntheticSpec { symbols: 2, days: 4, ..SyntheticSpec::default() };
    write_parquet(&built_in_market(&market, Span::ZERO), folder.path())?;

    let spec = DataSpec {
        source: SourceSpec {
            path: Some(folder.path().into()),
            stamp: Some(Stamp::Open),
            ..SourceSpec::default()
        },
        timeframes: vec!["1m".parse()?, "5m".parse()?],
        ..DataSpec::default()
    };
    let pipeline = spec.check()?;
    let (bars, audit) = pipeline.read()?;
    eprintln!("{audit}");
    let data = pipeline.prepare(bars, &[LabelSpec::LogReturn { horizon: 12, lag: 0 }])?;

    let batch = &data.samples(Split::Train)[..32];
    let mut inputs = vec![f32::NAN; batch.len() * data.inputs()[1].window_len()];
    data.fill_inputs(1, batch, &mut inputs)?;
    let finite = inputs.iter().all(|value| value.is_finite());
    println!("{} symbols, {} inputs, finite: {finite}", data.symbols().len(), data.inputs().len());
    Ok(())
}
