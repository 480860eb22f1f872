//! The peak that a step is held against: one large product of single-precision matrices in libtorch.

use std::time::Instant;

use anyhow::Result;
use tch::{Device, Kind, Tensor};

/// Large enough that nothing but the multiplications counts.
const SIZE: i64 = 1536;
/// The best of so many: what the machine can do, not what else it was doing.
const ROUNDS: usize = 12;

/// A large matrix product, in GFLOP/s: the best of several.
#[derive(clap::Args)]
pub(crate) struct Gemm {
    /// Threads that libtorch may use
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

impl Gemm {
    pub(crate) fn run(self) -> Result<()> {
        tapeline_torch_ext::set_threads(self.threads)?;
        let ones = || Tensor::ones([SIZE, SIZE], (Kind::Float, Device::Cpu));
        let (left, right) = (ones(), ones());
        let mut best = f64::INFINITY;
        for _ in 0..ROUNDS {
            let begin = Instant::now();
            let product = left.f_matmul(&right)?;
            best = best.min(begin.elapsed().as_secs_f64());
            anyhow::ensure!(product.double_value(&[0, 0]) == SIZE as f64, "the product is wrong");
        }
        let operations = 2.0 * (SIZE as f64).powi(3);
        println!("{}", serde_json::json!({ "gflop_per_s": operations / best / 1e9 }));
        Ok(())
    }
}
