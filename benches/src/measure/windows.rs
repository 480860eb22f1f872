//! Filling of batches: windows of all timeframes and targets, gathered into buffers on the host.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result};
use tapeline_benches::{Prepared, RunFile};
use tapeline_data_pipeline::{Split, WindowTransform};
use tapeline_trainer::{Purpose, child_seed};

use crate::memory;

/// How many windows a second are gathered from the data of configs/bench/hybrid.yaml.
#[derive(clap::Args)]
pub(crate) struct Windows {
    /// Threads that fill
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Samples per batch
    #[arg(long, default_value_t = 32)]
    batch: usize,
    /// Times that all train samples are gone through; the fastest counts
    #[arg(long, default_value_t = 30)]
    epochs: usize,
    /// Instead of measuring, write tables, end rows, targets and one batch into this folder, for the peer
    #[arg(long, value_name = "DIR")]
    export: Option<PathBuf>,
}

/// The buffers of one batch.
struct Buffers {
    /// One per timeframe, `[batch, time, channel]`.
    inputs: Vec<Vec<f32>>,
    /// One per label: values and mask.
    targets: Vec<(Vec<f32>, Vec<f32>)>,
}

impl Buffers {
    fn fill(&mut self, prepared: &Prepared, samples: &[u32]) -> Result<()> {
        for (timeframe, layout) in prepared.data.inputs().iter().enumerate() {
            self.inputs[timeframe].resize(samples.len() * layout.window_len(), 0.0);
            prepared.data.fill_inputs(timeframe, samples, &mut self.inputs[timeframe])?;
        }
        for (label, (values, mask)) in self.targets.iter_mut().enumerate() {
            values.resize(samples.len(), 0.0);
            mask.resize(samples.len(), 0.0);
            prepared.data.fill_targets(label, samples, values, mask)?;
        }
        Ok(())
    }
}

impl Windows {
    pub(crate) fn run(self) -> Result<()> {
        rayon::ThreadPoolBuilder::new().num_threads(self.threads).build_global()?;
        let prepared = RunFile::hybrid()?.prepare()?;
        let labels = prepared.data.labels().len();
        let mut buffers = Buffers {
            inputs: vec![Vec::new(); prepared.data.inputs().len()],
            targets: vec![Default::default(); labels],
        };
        let order = shuffled(&prepared);
        if let Some(folder) = &self.export {
            return export(&prepared, &order[..self.batch], &mut buffers, folder);
        }
        let mut best = f64::INFINITY;
        for _ in 0..self.epochs {
            let begin = Instant::now();
            for samples in order.chunks(self.batch) {
                buffers.fill(&prepared, samples)?;
            }
            best = best.min(begin.elapsed().as_secs_f64());
        }
        let windows = order.len() * prepared.data.inputs().len();
        println!(
            "{}",
            serde_json::json!({ "windows_per_s": windows as f64 / best, "peak_mib": memory::peak()? })
        );
        Ok(())
    }
}

/// The train samples in an order without a pattern.
fn shuffled(prepared: &Prepared) -> Vec<u32> {
    let mut order = prepared.data.samples(Split::Train).to_vec();
    order.sort_by_key(|&sample| child_seed(prepared.file.seed, Purpose::Order, u64::from(sample)));
    order
}

/// What the peer needs to gather the same windows, as raw little-endian numbers beside a description.
fn export(prepared: &Prepared, batch: &[u32], buffers: &mut Buffers, folder: &Path) -> Result<()> {
    let train = prepared.data.samples(Split::Train);
    buffers.fill(prepared, batch)?;
    let write = |name: String, bytes: Vec<u8>| {
        let path = folder.join(name);
        fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))
    };
    let mut timeframes = Vec::new();
    for (number, layout) in prepared.data.inputs().iter().enumerate() {
        let table = &prepared.data.tables()[0][number];
        let ends = prepared.data.windows().end_rows(number);
        write(format!("table_{number}"), bytes(table.values()))?;
        write(
            format!("ends_{number}"),
            train.iter().flat_map(|&id| ends[id as usize].to_le_bytes()).collect(),
        )?;
        write(format!("batch_{number}"), bytes(&buffers.inputs[number]))?;
        // What is written into a window after its rows were copied is ours alone: the peer copies rows.
        let ours = layout.transforms.iter().filter_map(|transform| match *transform {
            WindowTransform::Recency { channel } | WindowTransform::Age { channel } => Some(channel),
            WindowTransform::Mask => None,
        });
        timeframes.push(serde_json::json!({
            "length": layout.length,
            "channels": layout.channels.len(),
            "written_by_us": ours.collect::<Vec<_>>(),
        }));
    }
    let place = |id: &u32| train.binary_search(id).map_err(|_| anyhow::anyhow!("{id} is no train sample"));
    let places = batch.iter().map(place).collect::<Result<Vec<_>>>()?;
    let mut values = vec![0.0; train.len()];
    let mut mask = vec![0.0; train.len()];
    for label in 0..prepared.data.labels().len() {
        prepared.data.fill_targets(label, train, &mut values, &mut mask)?;
        write(format!("target_{label}"), bytes(&values))?;
        write(format!("mask_{label}"), bytes(&mask))?;
    }
    let description = serde_json::json!({
        "samples": train.len(),
        "labels": prepared.data.labels().len(),
        "timeframes": timeframes,
        "batch": places,
    });
    write("description.json".into(), description.to_string().into_bytes())
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}
