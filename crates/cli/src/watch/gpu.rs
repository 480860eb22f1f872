//! NVIDIA GPUs, through the library of their driver.

use nvml_wrapper::Nvml;

use super::Figures;

/// What MLflow calls a megabyte.
const MEGABYTE: f64 = 1e6;
const MILLIWATTS: f64 = 1e3;

/// The GPUs of this machine, if it has a driver that can be asked.
pub(super) struct Gpus(Option<Nvml>);

impl Gpus {
    pub(super) fn find() -> Self {
        // The name without a number comes with development packages alone.
        Self(Nvml::builder().lib_path("libnvidia-ml.so.1".as_ref()).init().ok())
    }

    /// What can be asked of each; what cannot is left out.
    pub(super) fn look(&self, figures: &mut Figures) {
        let Some(nvml) = &self.0 else { return };
        for index in 0..nvml.device_count().unwrap_or(0) {
            let Ok(device) = nvml.device_by_index(index) else { continue };
            let mut note = |name: &str, value: f64| {
                figures.insert(format!("system/gpu_{index}_{name}"), value);
            };
            if let Ok(used) = device.utilization_rates() {
                note("utilization_percentage", f64::from(used.gpu));
            }
            if let Ok(memory) = device.memory_info() {
                note("memory_usage_megabytes", memory.used as f64 / MEGABYTE);
                note("memory_usage_percentage", 100.0 * memory.used as f64 / memory.total.max(1) as f64);
            }
            if let Ok(power) = device.power_usage() {
                note("power_usage_watts", f64::from(power) / MILLIWATTS);
            }
        }
    }
}
