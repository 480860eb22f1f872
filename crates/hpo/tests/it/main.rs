//! The crate as others see it, and as Optuna sees what it stores.
#![cfg(test)]

mod contract;
mod damage;
mod dump;
mod golden;
mod lost_commit;
mod optuna;
mod postgres_server;
mod python;
mod together;
mod worker;
