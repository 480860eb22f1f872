//! `tapeline doctor`: what this binary was built with and what it finds.

use tch::Device;

use crate::failure::{DONE, Failure};
use crate::host;

pub(super) fn run() -> Result<i32, Failure> {
    println!("tapeline   {} ({})", env!("CARGO_PKG_VERSION"), env!("BUILT_FROM_COMMIT"));
    println!("libtorch   {}, expected; {}", tapeline_trainer::LIBTORCH, loaded_libtorch());
    println!("cores      {}", host::cores());
    println!("gpus       {}", tch::Cuda::device_count());
    let probe =
        tch::Tensor::f_ones([2, 2], (tch::Kind::Float, Device::Cpu)).and_then(|ones| ones.f_matmul(&ones));
    match probe {
        Ok(_) => println!("tensors    work"),
        Err(error) => return Err(Failure::failed(error)),
    }
    Ok(DONE)
}

/// The file the libtorch in this process came from.
fn loaded_libtorch() -> String {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let path = maps
        .lines()
        .filter_map(|line| line.split_whitespace().last())
        .find(|path| path.contains("libtorch_cpu"));
    path.map_or_else(|| "its file is unknown".into(), |path| format!("loaded from {path}"))
}
