//! What is trained and how, as changes to the small run.

use std::fmt;

use super::dice::Dice;

/// A name, and the changes that it stands for.
type Choice = (&'static str, &'static [&'static str]);

/// One of each is drawn.
const AXES: [&[Choice]; 8] = [
    &[
        ("adamw", &[]),
        ("adam", &["training.optimizer={kind: adam}"]),
        ("sgd", &["training.optimizer={kind: sgd, learning_rate: 0.01}"]),
        ("momentum", &["training.optimizer={kind: sgd, learning_rate: 0.01, momentum: 0.9}"]),
        ("nesterov", &["training.optimizer={kind: sgd, learning_rate: 0.01, momentum: 0.9, nesterov: true}"]),
    ],
    // Of precisions there is one so far.
    &[("fp32", &[])],
    &[
        ("cosine", &[]),
        ("step", &["training.scheduler={kind: step, every_epochs: 1, warmup_epochs: 0.5}"]),
        ("plateau", &["training.scheduler={kind: plateau, patience: 1, warmup_epochs: 0.5}"]),
        ("constant", &["training.scheduler={kind: constant}"]),
    ],
    &[
        ("one batch", &[]),
        ("two batches", &["training.batch_size=16", "training.gradient_accumulation=2"]),
        ("three batches", &["training.batch_size=12", "training.gradient_accumulation=3"]),
    ],
    &[
        ("as it is", &[]),
        ("noise", &["data.augmentation={noise_std: 0.05}"]),
        (
            "augmented",
            &["data.augmentation={noise_std: 0.05, temporal_jitter: {probability: 0.5, max_shift: 3}, \
               price_scaling: {low: 0.8, high: 1.25}}"],
        ),
    ],
    &[
        ("no curriculum", &[]),
        ("volatility", &["training.curriculum={kind: volatility, start: 0.4, epochs: 1}"]),
        ("length", &["training.curriculum={kind: sequence_length, start: 0.4, epochs: 1}"]),
        ("random", &["training.curriculum={kind: random, start: 0.4, epochs: 1}"]),
    ],
    &[("one thread", &[]), ("two threads", &["threads=2"])],
    &[
        ("saved every 3 steps", &[]),
        ("every step", &["training.checkpointing.every_n_steps=1"]),
        ("every 7 steps", &["training.checkpointing.every_n_steps=7"]),
        (
            "every epoch and 50 ms",
            &["training.checkpointing={every_n_epochs: 1, every_n_minutes: 0.000833, keep_last: 1}"],
        ),
    ],
];

/// A choice of each.
pub(super) struct Variant(Vec<Choice>);

impl Variant {
    pub(super) fn draw(dice: &mut Dice) -> Self {
        Self(AXES.iter().map(|choices| choices[dice.below(choices.len() as u64) as usize]).collect())
    }

    /// The changes, as values of `--set`.
    pub(super) fn changes(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().flat_map(|(_, changes)| changes.iter().copied())
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.0.iter().map(|(name, _)| *name).collect();
        f.write_str(&names.join(", "))
    }
}
