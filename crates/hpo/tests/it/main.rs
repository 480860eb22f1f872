//! The crate as others see it, and as Optuna sees what it stores.
#![cfg(test)]
#![expect(
    clippy::disallowed_methods,
    reason = "tests look at what the machine has, and tell workers by variables"
)]

mod contract;
mod damage;
mod dump;
mod encrypted;
mod golden;
mod lost_commit;
mod optuna;
mod patience;
mod python;
mod together;
mod worker;
