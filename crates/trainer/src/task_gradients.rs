//! How the tasks pull at what they share: the length of each one's gradient, and the angle between two.
//!
//! On a batch that is the same after each epoch, without augmentation and dropout and in 32 bits; by the weights that all
//! tasks have in common, with the task's own weight, so that lengths can be compared (Chen et al., "GradNorm", 2018; cosines:
//! Yu et al., "Gradient surgery for multi-task learning", 2020).

use std::collections::BTreeMap;

use tapeline_data_pipeline::Split;
use tapeline_models::Mode;
use tch::{Kind, Tensor};

use crate::balance::Balance;
use crate::error::TrainError;
use crate::feed::Feed;
use crate::fit::Run;
use crate::loss::part_loss;
use crate::spec::PartRatesSpec;

/// `train/<task>/gradient_norm` and `train/gradient_cosine/<task>/<task>`. A cosine is undefined where a gradient is zero.
pub(crate) fn metrics(run: &Run<'_>) -> Result<BTreeMap<String, Option<f64>>, TrainError> {
    let gradients = gradients(run)?;
    let dot =
        |one: &Tensor, other: &Tensor| -> Result<f64, TrainError> { Ok(f64::try_from(one.f_dot(other)?)?) };
    let norms =
        gradients.iter().map(|(_, it)| Ok(dot(it, it)?.sqrt())).collect::<Result<Vec<f64>, TrainError>>()?;
    let mut metrics = BTreeMap::new();
    for (at, ((name, gradient), norm)) in gradients.iter().zip(&norms).enumerate() {
        metrics.insert(format!("train/{name}/gradient_norm"), Some(*norm));
        for ((other_name, other), other_norm) in gradients[..at].iter().zip(&norms) {
            let product = dot(gradient, other)?;
            let lengths = norm * other_norm;
            let cosine = (lengths > 0.0).then(|| product / lengths);
            metrics.insert(format!("train/gradient_cosine/{other_name}/{name}"), cosine);
        }
    }
    Ok(metrics)
}

/// For each task the gradient of its weighted loss by the shared weights, flat, in 64 bits.
fn gradients<'a>(run: &Run<'a>) -> Result<Vec<(&'a str, Tensor)>, TrainError> {
    let samples = fixed_batch(run);
    let mut feed = Feed::new(run.data, run.tasks, run.device)?;
    let (batch, denominators) = (feed.batch(&samples)?, feed.denominators(&samples)?);
    let outputs = run.network.forward(&batch.inputs, Mode::Evaluate)?;
    let balance = Balance::Fixed;
    // The losses with their graph: those of the tasks alone, one at a time.
    let shared: Vec<&Tensor> = run
        .network
        .parameters()
        .iter()
        .filter(|(name, _)| PartRatesSpec::part_of(name) != "heads")
        .map(|(_, tensor)| tensor)
        .collect();
    let mut gradients = Vec::new();
    for (number, task) in run.tasks.iter().enumerate() {
        let only = run.tasks.only(number);
        let loss = part_loss(
            &only,
            &balance,
            &outputs.heads[number..=number],
            &batch.targets[number..=number],
            &denominators.only(number),
        )?;
        let of_task = Tensor::f_run_backward(&[&loss.total], &shared, true, false)?;
        let flat: Vec<Tensor> =
            of_task.iter().map(|it| it.f_reshape([-1])?.f_to_kind(Kind::Double)).collect::<Result<_, _>>()?;
        gradients.push((task.name, Tensor::f_cat(&flat, 0)?));
    }
    Ok(gradients)
}

/// As many train samples as a batch has, spread evenly over the span.
fn fixed_batch(run: &Run<'_>) -> Vec<u32> {
    let all = run.data.samples(Split::Train);
    let count = run.training.batch_size.min(all.len());
    (0..count).map(|number| all[number * all.len() / count]).collect()
}
