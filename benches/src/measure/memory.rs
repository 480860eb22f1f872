//! How much memory this process has held at most.

use anyhow::{Context as _, Result};

/// In MiB, as the system counts it.
pub(crate) fn peak() -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status").context("cannot read /proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM is told")?;
    let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse().context("VmHWM is no number")?;
    Ok(kibibytes / 1024.0)
}
