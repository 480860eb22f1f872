//! In which numbers a step computes, and the loss scale that keeps small gradients above zero in half precision.
//!
//! The forward pass runs under autocast, the loss and the update of the weights in 32 bits, the backward pass in the numbers
//! of the forward pass. With `fp16` the loss is scaled as `torch.amp.GradScaler` scales it: unscale, clip, step, then the
//! scale moves; a gradient that is not finite moves nothing else.

use tapeline_torch_ext::{
    Autocast, CastCache, ScaleGrowth, Tf32, gpu_has_bf16, unscale_gradients, update_loss_scale,
};
use tch::{Device, Kind, Tensor};

use crate::error::TrainError;
use crate::spec::PrecisionSpec;

/// The loss scale before the first step: that of `torch.amp.GradScaler`.
const FIRST_SCALE: f32 = 65_536.0;

/// In which numbers a step computes, decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// 32 bits.
    Fp32,
    /// 32 bits, of which products on a GPU use 19.
    Tf32,
    /// `bfloat16` under autocast.
    Bf16,
    /// `float16` under autocast, with a loss scale.
    Fp16,
}

impl PrecisionSpec {
    /// What it comes to on `device`.
    ///
    /// # Errors
    /// [`TrainError::Precision`] where the device does not have it.
    pub fn on(self, device: Device) -> Result<Precision, TrainError> {
        match self {
            Self::Auto if device.is_cuda() && gpu_has_bf16()? => Ok(Precision::Bf16),
            Self::Auto | Self::Fp32 => Ok(Precision::Fp32),
            Self::Tf32 if !device.is_cuda() => Err(TrainError::Precision { device }),
            Self::Tf32 => Ok(Precision::Tf32),
            Self::Bf16 => Ok(Precision::Bf16),
            Self::Fp16 => Ok(Precision::Fp16),
        }
    }
}

impl From<Precision> for PrecisionSpec {
    fn from(precision: Precision) -> Self {
        match precision {
            Precision::Fp32 => Self::Fp32,
            Precision::Tf32 => Self::Tf32,
            Precision::Bf16 => Self::Bf16,
            Precision::Fp16 => Self::Fp16,
        }
    }
}

impl Precision {
    /// TF32 on a GPU if it is asked for, and not if it is not, as long as the guard lives.
    pub(crate) fn tf32(self, device: Device) -> Result<Option<Tf32>, TrainError> {
        Ok(device.is_cuda().then(|| Tf32::allow(self == Self::Tf32)).transpose()?)
    }

    /// Autocast for the forward pass of the calling thread, as long as the guard lives.
    ///
    /// Without libtorch's memory of casts: threads share it, so that what one of them has cast again, and how a gradient is
    /// rounded, would be left to chance.
    pub(crate) fn autocast(self, device: Device) -> Result<Option<Autocast>, TrainError> {
        let kind = match self {
            Self::Fp32 | Self::Tf32 => return Ok(None),
            Self::Bf16 => Kind::BFloat16,
            Self::Fp16 => Kind::Half,
        };
        Ok(Some(Autocast::enter(device, kind, CastCache::Never)?))
    }

    /// The loss scale that it needs.
    pub(crate) fn scaler(self, device: Device) -> Result<Option<GradScaler>, TrainError> {
        (self == Self::Fp16).then(|| GradScaler::new(device)).transpose()
    }
}

/// A loss scale with the semantics of `torch.amp.GradScaler`, on any device. Nobody waits for the device to know it.
pub(crate) struct GradScaler {
    /// `f32`, 0-dim.
    scale: Tensor,
    /// Good steps since it last moved: `f32`, 0-dim, as all tensors of a checkpoint.
    growth_tracker: Tensor,
    growth: ScaleGrowth,
}

impl GradScaler {
    fn new(device: Device) -> Result<Self, TrainError> {
        Ok(Self {
            scale: Tensor::f_full([0_i64; 0], f64::from(FIRST_SCALE), (Kind::Float, device))?,
            growth_tracker: Tensor::f_zeros([0_i64; 0], (Kind::Float, device))?,
            growth: ScaleGrowth::default(),
        })
    }

    /// What losses are multiplied by, 0-dim. It changes between steps alone.
    pub(crate) fn scale(&self) -> &Tensor {
        &self.scale
    }

    /// Gives `gradients` their own unit back, in place. 1 where one is not finite, 0-dim.
    pub(crate) fn unscale(&self, gradients: &[&Tensor]) -> Result<Tensor, TrainError> {
        Ok(unscale_gradients(gradients, &self.scale)?)
    }

    /// Moves the scale after a step for which `skip` was what [`GradScaler::unscale`] returned.
    pub(crate) fn update(&self, skip: &Tensor) -> Result<(), TrainError> {
        let growth_tracker = self.growth_tracker.f_to_kind(Kind::Int)?;
        update_loss_scale(&self.scale, &growth_tracker, skip, &self.growth)?;
        self.growth_tracker.shallow_clone().f_copy_(&growth_tracker)?;
        Ok(())
    }

    /// What a resume needs. The tensors are those in use.
    pub(crate) fn named(&self) -> [(String, Tensor); 2] {
        [("scale", &self.scale), ("growth_tracker", &self.growth_tracker)]
            .map(|(name, tensor)| (format!("loss_scaler/{name}"), tensor.shallow_clone()))
    }
}

#[cfg(test)]
mod tests;
