//! The crate as others see it, and as Optuna sees what it stores.
#![cfg(test)]

mod contract;
mod postgres_server;
mod worker;
