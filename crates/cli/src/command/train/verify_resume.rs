//! `tapeline train --verify-resume`: is this very configuration, on this machine, exact when it is interrupted and resumed?

use std::cell::Cell;
use std::fs;
use std::path::Path;

use anyhow::Context;
use tapeline_artefact::tensors_from_bytes;
use tapeline_data_pipeline::Dataset;
use tapeline_events::{Event, Observer, Record, SCHEMA, projection};
use tapeline_trainer::{Checkpoints, Lineage, Run, Start, fit};
use tch::Tensor;

use crate::config::RunConfig;
use crate::failure::{DONE, FAILED, Failure};
use crate::preparation::Checked;

/// A run with everything that stands still while it is tried.
pub(super) struct Trial<'a> {
    pub(super) config: &'a RunConfig,
    pub(super) checked: &'a Checked,
    pub(super) data: &'a Dataset,
    pub(super) lineage: &'a Lineage,
}

/// Something that two equal runs share: its name and its bytes.
type File = (String, Vec<u8>);

/// What the journal says about learning, among the files.
const JOURNAL: &str = "events";

/// Remembers every event.
#[derive(Default)]
struct Heard(Vec<Record>);

impl Observer for Heard {
    fn observe(&mut self, event: &Event) {
        let seq = self.0.len() as u64;
        self.0.push(Record { schema: SCHEMA, seq, at: String::new(), event: event.clone() });
    }
}

impl Trial<'_> {
    /// Trains `steps` steps at once, and again with an interruption in the middle; says what differs.
    pub(super) fn run(&self, steps: u64) -> Result<i32, Failure> {
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let place = |name| folder.path().join(name);
        let (whole, reached) = self.train(&place("whole"), &[steps])?;
        let middle = reached / 2;
        if middle == 0 {
            return Err(Failure::bad_input(anyhow::anyhow!(
                "a run of {reached} step cannot be interrupted in between; give it more samples or a smaller \
                 training.batch_size, or give --verify-resume at least 2"
            )));
        }
        let (cut, again) = self.train(&place("cut"), &[middle, steps])?;
        if again != reached {
            let reason = format!("{reached} steps at once became {again} with an interruption");
            return Err(Failure::failed(anyhow::anyhow!(reason)));
        }
        Ok(self.report(&whole, &cut, [middle, reached]))
    }

    /// Trains from the start up to each of the steps, with a network that is built anew each time; how far it came.
    fn train(&self, folder: &Path, stops: &[u64]) -> Result<(Vec<File>, u64), Failure> {
        let checkpoints = Checkpoints::at(folder);
        let mut heard = Heard::default();
        let mut start = Start::Fresh;
        let done = Cell::new(0);
        for &stop in stops {
            let network = self.checked.build_network(self.lineage).map_err(Failure::failed)?;
            let of_config =
                self.checked.run(self.config, self.data, network.as_ref(), self.lineage, &checkpoints);
            let run = Run { histograms: false, ..of_config };
            let enough = || {
                done.set(done.get() + 1);
                done.get() == stop
            };
            let ending = fit(&run, start, &enough, &mut heard)?;
            done.set(ending.state.step as u64);
            start = Start::Resume;
        }
        let last = folder.join(format!("step-{:08}", done.get()));
        let mut evidence = files_in(&last).with_context(|| format!("cannot read {}", last.display()))?;
        let learned = serde_json::to_vec(&projection(&heard.0)).map_err(Failure::failed)?;
        evidence.push((JOURNAL.into(), learned));
        Ok((evidence, done.get()))
    }

    fn report(&self, whole: &[File], cut: &[File], [middle, steps]: [u64; 2]) -> i32 {
        let mut differing = 0;
        for (name, bytes) in whole {
            let other = cut.iter().find(|(other, _)| other == name).map(|(_, bytes)| bytes.as_slice());
            let count = other.map_or(bytes.len(), |other| differing_bytes(bytes, other));
            differing += count;
            println!("{name:<24} {:>12} bytes  {count:>8} differ", bytes.len());
            if count > 0 {
                for line in differing_tensors(bytes, other.unwrap_or_default()) {
                    println!("  {line}");
                }
            }
        }
        if differing == 0 {
            println!("exact: {steps} steps at once, and {middle} and then the rest, differ in no byte");
            return DONE;
        }
        println!(
            "not exact: {steps} steps at once, and {middle} and then the rest, differ in {differing} bytes"
        );
        if !self.lineage.is_deterministic() {
            println!(
                "`training.deterministic: true` asks for kernels that repeat themselves on {}",
                self.lineage.device
            );
        }
        FAILED
    }
}

fn files_in(folder: &Path) -> std::io::Result<Vec<File>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        files.push((name, fs::read(path)?));
    }
    files.sort();
    Ok(files)
}

fn differing_bytes(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).filter(|(a, b)| a != b).count() + one.len().abs_diff(other.len())
}

/// The tensors of two files that differ, and by how much; nothing where the files hold no tensors.
fn differing_tensors(one: &[u8], other: &[u8]) -> Vec<String> {
    let (Ok(one), Ok(other)) = (tensors_from_bytes(one), tensors_from_bytes(other)) else {
        return Vec::new();
    };
    let line = |(name, one): &(String, Tensor)| {
        let Some((_, other)) = other.iter().find(|(known, _)| known == name) else {
            return Some(format!("{name} is missing after the interruption"));
        };
        if one.size() != other.size() {
            return Some(format!("{name} has the shape {:?}, and then {:?}", one.size(), other.size()));
        }
        let numbers = |tensor: &Tensor| Vec::<f32>::try_from(tensor.f_reshape([-1]).ok()?).ok();
        let pairs: Vec<(f32, f32)> = numbers(one)?.into_iter().zip(numbers(other)?).collect();
        let differing: Vec<f32> =
            pairs.iter().filter(|(a, b)| a.to_bits() != b.to_bits()).map(|(a, b)| (a - b).abs()).collect();
        let largest = differing.iter().copied().fold(0.0, f32::max);
        let (count, all) = (differing.len(), pairs.len());
        (count > 0).then(|| format!("{name}: {count} of {all} numbers differ, by {largest:e} at most"))
    };
    one.iter().filter_map(line).collect()
}

#[cfg(test)]
mod tests;
