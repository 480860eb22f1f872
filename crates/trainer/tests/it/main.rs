//! The trainer from outside.
#![cfg(test)]

mod augmentation;
mod checkpoint;
mod curriculum;
mod disk;
mod exactness;
mod golden;
mod lineage;
mod resume;
mod score;
mod small_run;
mod spec;
mod stop;
mod threads;
