//! What the crate promises, checked against formulas written out here.
#![cfg(test)]

mod adamw;
mod autocast;
mod clip;
mod conv_block;
mod dropout;
mod generator;
mod loss_scale;
mod lstm;
mod philox;
mod process;
mod sgd;
