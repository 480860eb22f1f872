//! Randomness is a tree: one root seed, children derived by name and position. Nothing draws from a global generator.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// What a child seed is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The network's first weights.
    Initialisation,
    /// The order of the samples of one epoch.
    Order,
    /// The order of the samples that a random curriculum goes by.
    Curriculum,
    /// What is done to the train samples of one epoch.
    Augmentation,
    /// The masks of all dropout layers.
    Dropout,
    /// The bootstrap behind a score's interval.
    Bootstrap,
    /// Data with nothing to find.
    Null,
}

impl Purpose {
    const fn name(self) -> &'static str {
        match self {
            Self::Initialisation => "initialisation",
            Self::Order => "order",
            Self::Curriculum => "curriculum",
            Self::Augmentation => "augmentation",
            Self::Dropout => "dropout",
            Self::Bootstrap => "bootstrap",
            Self::Null => "null",
        }
    }
}

fn digest(root: u64, purpose: Purpose, index: u64) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("tapeline 2026 seed tree");
    hasher.update(&root.to_le_bytes());
    hasher.update(&index.to_le_bytes());
    hasher.update(purpose.name().as_bytes());
    *hasher.finalize().as_bytes()
}

/// The child seed of `root` for `purpose`, number `index`.
#[must_use]
pub fn child_seed(root: u64, purpose: Purpose, index: u64) -> u64 {
    let bytes = digest(root, purpose, index);
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[..8]);
    u64::from_le_bytes(word)
}

/// The generator of `root` for `purpose`, number `index`.
pub(crate) fn generator(root: u64, purpose: Purpose, index: u64) -> ChaCha8Rng {
    ChaCha8Rng::from_seed(digest(root, purpose, index))
}

/// `samples` in the order of `epoch`: a function of them and (seed, epoch) alone, the same for any number of threads.
pub(crate) fn shuffled(samples: &[u32], seed: u64, epoch: usize) -> Vec<u32> {
    use rand::seq::SliceRandom;
    let mut order = samples.to_vec();
    order.shuffle(&mut generator(seed, Purpose::Order, epoch as u64));
    order
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::thread;

    use super::{Purpose, child_seed, shuffled};

    const PURPOSES: [Purpose; 7] = [
        Purpose::Initialisation,
        Purpose::Order,
        Purpose::Curriculum,
        Purpose::Augmentation,
        Purpose::Dropout,
        Purpose::Bootstrap,
        Purpose::Null,
    ];

    #[test]
    fn no_two_places_of_the_tree_share_a_seed() {
        let roots = [0, 1, 256, u64::MAX];
        let children = roots.iter().flat_map(|root| {
            let numbered = PURPOSES.iter().flat_map(|purpose| (0..300).map(|index| (*purpose, index)));
            numbered.map(|(purpose, index)| child_seed(*root, purpose, index))
        });
        let children: Vec<u64> = children.collect();
        assert_eq!(children.iter().collect::<BTreeSet<_>>().len(), children.len());
    }

    #[test]
    fn an_order_is_a_permutation_that_depends_on_seed_and_epoch_alone() {
        let samples: Vec<u32> = (10..510).collect();
        let order = shuffled(&samples, 4, 2);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, samples);
        for (seed, epoch) in [(4, 0), (4, 1), (4, 3), (5, 2)] {
            assert_ne!(shuffled(&samples, seed, epoch), order, "seed {seed}, epoch {epoch}");
        }
        thread::scope(|scope| {
            let threads: Vec<_> = (0..3).map(|_| scope.spawn(|| shuffled(&samples, 4, 2))).collect();
            assert!(threads.into_iter().all(|thread| thread.join().unwrap() == order));
        });
    }
}
