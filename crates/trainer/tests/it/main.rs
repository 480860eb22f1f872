//! The trainer from outside.
#![cfg(test)]

mod augmentation;
mod average;
mod checkpoint;
mod cuda;
mod curriculum;
mod disk;
mod exactness;
mod golden;
mod guard;
mod inside;
mod lineage;
mod lr_find;
mod precision;
mod resume;
mod score;
mod small_run;
mod spec;
mod stop;
mod task_gradients;
mod threads;
