//! `measure`: one figure of this machine and this build per call, as a line of JSON. `cargo xtask bench` calls it, each time
//! as a fresh process, in turn with its peers.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a program at the edge: it reads the clock and talks to who called it"
)]

#[path = "measure/checkpoint.rs"]
mod checkpoint;
#[path = "measure/gemm.rs"]
mod gemm;
#[path = "measure/memory.rs"]
mod memory;
#[path = "measure/step.rs"]
mod step;
#[path = "measure/windows.rs"]
mod windows;

use clap::Parser;

/// Measures one thing and prints it as a line of JSON.
#[derive(Parser)]
enum Measure {
    Step(step::Step),
    Gemm(gemm::Gemm),
    Windows(windows::Windows),
    Checkpoint(checkpoint::Checkpoint),
}

fn main() -> anyhow::Result<()> {
    tapeline_torch_ext::keep_freed_memory();
    match Measure::parse() {
        Measure::Step(what) => what.run(),
        Measure::Gemm(what) => what.run(),
        Measure::Windows(what) => what.run(),
        Measure::Checkpoint(what) => what.run(),
    }
}
