//! What `tch` lacks, over a thin C++ shim: fused steps of AdamW, Adam and SGD over plain tensors, clipping by norm, keyed
//! dropout, autocast and loss scaling, the state of libtorch's generators, and the settings of the process; and for the CPU two operations that keep a
//! sample in the nearest memory, a residual block of convolutions and a layer of an LSTM, compiled once per instruction set.
//!
//! It never learns what a market, a network or a configuration is, and no C++ exception leaves it: every function checks what
//! it can before the call and returns the rest as an [`Error`].
//!
//! ```
//! use tapeline_torch_ext::{AdamW, adamw_step};
//! use tch::{Device, Kind, Tensor};
//!
//! let zeros = |shape: &[i64]| Tensor::zeros(shape, (Kind::Float, Device::Cpu));
//! let weight = Tensor::ones([2, 3], (Kind::Float, Device::Cpu)).set_requires_grad(true);
//! let (first, second, step) = ([zeros(&[2, 3])], [zeros(&[2, 3])], [zeros(&[])]);
//!
//! weight.square().sum(Kind::Float).backward();
//! let update = AdamW { learning_rate: 0.1, ..AdamW::default() };
//! adamw_step(&[&weight], &[&weight.grad()], &first, &second, &step, &update, None)?;
//!
//! assert!((weight.double_value(&[0, 0]) - 0.9).abs() < 1e-6);
//! assert_eq!(step[0].double_value(&[]), 1.0);
//! # Ok::<(), tapeline_torch_ext::Error>(())
//! ```
//!
//! # Finding libtorch when the program runs
//! The folder of libtorch's libraries is known when this crate is built, but a library cannot set the search path of the
//! program that links it. A package with a binary, tests or examples lists this crate among its `[dependencies]` (cargo tells
//! the folder to direct dependents only) and has a `build.rs` with this `main`:
//!
//! ```no_run
//! let libdir = std::env::var("DEP_TAPELINE_TORCH_EXT_LIBDIR").expect("a dependency on tapeline-torch-ext");
//! println!("cargo::rustc-link-arg=-Wl,-rpath,{libdir}");
//! ```
//!
//! # What it does not do
//! - Choose: learning rates, norms, probabilities and seeds are the caller's.
//! - Keep state: moments and step counts are the caller's tensors.
//! - Wrap what `tch` already has.

mod adamw;
mod autocast;
mod clip;
mod conv_block;
mod dropout;
mod error;
mod ffi;
mod generator;
mod loss_scale;
mod lstm;
mod operand;
mod process;
mod sgd;

pub use adamw::{AdamW, adam_step, adamw_step};
pub use autocast::{Autocast, CastCache, Tf32, autocast_kind, gpu_has_bf16};
pub use clip::clip_gradient_norm;
pub use conv_block::{ConvBlock, conv_block};
pub use dropout::{DropoutKey, keyed_dropout};
pub use error::Error;
pub use generator::{generator_state, set_generator_state};
pub use loss_scale::{ScaleGrowth, unscale_gradients, update_loss_scale};
pub use lstm::{Direction, Lstm, lstm};
pub use process::{cpu_kernels, keep_freed_memory, on_one_thread, set_threads, use_deterministic_kernels};
pub use sgd::{Sgd, sgd_step};
