//! Repeats a recorded pass, for `scripts/parity.py`: `forward RECORDED RESULTS` reads a file as `scripts/golden_networks.py`
//! describes it, and writes its outputs and gradients as this crate computes them.

#[path = "../tests/it/recorded.rs"]
mod recorded;

use std::error::Error;
use std::path::Path;

use tch::Tensor;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, output] = &arguments[..] else { return Err("usage: forward RECORDED RESULTS".into()) };
    let (spec, tensors) = recorded::read(Path::new(input))?;
    let results: Vec<(String, Tensor)> = recorded::repeat(&spec, &tensors)?.into_iter().collect();
    Tensor::write_safetensors(&results, output)?;
    Ok(())
}
