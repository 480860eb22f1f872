//! What is done to train samples so that no two epochs see them alike. A sample's [`Plan`] is a function of the epoch's seed
//! and the sample alone, so it is the same for any batch, order and number of threads. Only train samples can be augmented:
//! [`Dataset::fill_inputs`], which everything else reads, never is.

mod amplify;
mod jitter;
mod noise;
mod spec;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use rayon::prelude::*;

use crate::batch::{PARALLEL_FROM, check_buffer};
use crate::dataset::Dataset;
use crate::error::DataError;
use crate::label::FittedLabel;
use crate::split::Split;
use crate::window::MASKED;

use amplify::Amplifier;
pub use spec::{AugmentationSpec, PriceScalingSpec, TemporalJitterSpec};

/// A spec and the seed of one epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Augmentation {
    /// What is done.
    pub spec: AugmentationSpec,
    /// A child of the run's seed for the epoch.
    pub seed: u64,
}

/// What is done to one sample in one epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan {
    /// Base bars by which every window ends before the decision; fewer where history is too short for so many.
    pub shift: usize,
    /// Every log return of the price path is multiplied by this, in windows and labels.
    pub price_factor: f64,
    /// Seeds the noise of the sample, a stream for each timeframe.
    pub noise_key: u64,
}

impl Augmentation {
    /// The plan for `sample`. Each figure is drawn whether it is used or not, so that turning one augmentation on changes no
    /// other.
    #[must_use]
    pub fn plan(&self, sample: u32) -> Plan {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(u64::from(sample));
        let [happens, length, amplitude] = [(); 3].map(|()| unit(&mut random));
        let noise_key = random.next_u64();
        let shift = self.spec.temporal_jitter.filter(|jitter| happens < jitter.probability);
        let shift = shift.map_or(0, |jitter| 1 + (length * jitter.max_shift as f64) as usize);
        let factor = |scaling: PriceScalingSpec| scaling.low + amplitude * (scaling.high - scaling.low);
        Plan { shift, price_factor: self.spec.price_scaling.map_or(1.0, factor), noise_key }
    }
}

/// Uniform in [0, 1), in steps of 2⁻⁵³.
fn unit(random: &mut ChaCha8Rng) -> f64 {
    (random.next_u64() >> 11) as f64 * 2.0_f64.powi(-53)
}

impl Dataset {
    /// What the configuration says is done to train samples, in the epoch with this seed; `None` where it says nothing.
    #[must_use]
    pub fn augmentation(&self, seed: u64) -> Option<Augmentation> {
        self.augmentation.map(|spec| Augmentation { spec, seed })
    }

    /// As [`fill_inputs`](Self::fill_inputs), for train samples that are augmented.
    ///
    /// The windows of a sample with a shift are those of the decision so many base bars earlier, of all timeframes; nothing
    /// in them was unknown at the sample's own decision. Price channels are scaled in their own unit and brought back to the
    /// scaler's; noise is added to channels that the scaler scales. Counts, ages, positions, phases and masks keep what the
    /// bars say, and so does what stood at a floor.
    ///
    /// # Errors
    /// As [`fill_inputs`](Self::fill_inputs), and [`DataError::AugmentSample`] for a sample that is not a train sample.
    pub fn fill_augmented_inputs(
        &self,
        augmentation: &Augmentation,
        timeframe: usize,
        samples: &[u32],
        out: &mut [f32],
    ) -> Result<(), DataError> {
        let window = self.check_timeframe(timeframe)?.window_len();
        self.check_train_samples(samples)?;
        check_buffer(samples.len() * window, out.len())?;
        let amplifier = Amplifier::new(&self.inputs[timeframe], &self.fitted.scaler, timeframe);
        let fill = |sample: u32, out: &mut [f32]| {
            self.fill_planned(
                augmentation,
                &augmentation.plan(sample),
                &amplifier,
                timeframe,
                sample as usize,
                out,
            );
        };
        if out.len() < PARALLEL_FROM {
            samples.iter().zip(out.chunks_exact_mut(window)).for_each(|(&sample, out)| fill(sample, out));
        } else {
            let each = samples.par_iter().zip(out.par_chunks_exact_mut(window));
            each.for_each(|(&sample, out)| fill(sample, out));
        }
        Ok(())
    }

    fn fill_planned(
        &self,
        augmentation: &Augmentation,
        plan: &Plan,
        amplifier: &Amplifier<'_>,
        timeframe: usize,
        sample: usize,
        out: &mut [f32],
    ) {
        let gather = self.gather();
        let moment = jitter::moment(&gather, &self.max_age, sample, plan.shift);
        let end = moment.end_row(&gather, timeframe);
        gather.fill_ending(timeframe, sample, end, moment.decision, out);
        if end == MASKED {
            return;
        }
        if plan.price_factor != 1.0 {
            amplifier.amplify(plan.price_factor, out);
        }
        if let Some(std) = augmentation.spec.noise_std {
            amplifier.disturb(std, plan.noise_key, timeframe, out);
        }
    }

    /// As [`fill_targets`](Self::fill_targets), for train samples that are augmented: where the price path is scaled, so are
    /// the labels that are made of it.
    ///
    /// # Errors
    /// As [`fill_targets`](Self::fill_targets), and [`DataError::AugmentSample`] for a sample that is not a train sample.
    pub fn fill_augmented_targets(
        &self,
        augmentation: &Augmentation,
        label: usize,
        samples: &[u32],
        values: &mut [f32],
        mask: &mut [f32],
    ) -> Result<(), DataError> {
        self.check_train_samples(samples)?;
        self.fill_targets(label, samples, values, mask)?;
        let column = &self.labels[label];
        let FittedLabel::Regression { mean, std } = column.fitted else { return Ok(()) };
        for ((&sample, target), mask) in samples.iter().zip(values).zip(mask) {
            let factor = augmentation.plan(sample).price_factor;
            if factor != 1.0 && *mask != 0.0 {
                let value = column.spec.amplified(f64::from(column.values[sample as usize]), factor);
                *target = ((value - mean) / std) as f32;
            }
        }
        Ok(())
    }

    fn check_train_samples(&self, samples: &[u32]) -> Result<(), DataError> {
        self.check_samples(samples)?;
        let train = self.samples(Split::Train);
        match samples.iter().find(|sample| train.binary_search(sample).is_err()) {
            Some(&sample) => Err(DataError::AugmentSample { sample }),
            None => Ok(()),
        }
    }
}
