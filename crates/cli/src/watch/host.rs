//! Processors, memory and disk.

use std::path::PathBuf;

use sysinfo::{CpuRefreshKind, Disks, MemoryRefreshKind, Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use super::Figures;

/// What MLflow calls a megabyte.
const MEGABYTE: f64 = 1e6;

/// The machine but for its GPUs.
pub(super) struct Host {
    /// None where the system cannot be asked.
    system: Option<System>,
    disks: Option<Disks>,
    process: Pid,
    folder: PathBuf,
}

impl Host {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self {
            system: System::new().ok(),
            disks: Disks::new_with_refreshed_list().ok(),
            process: Pid::from_u32(std::process::id()),
            folder,
        }
    }

    /// What can be asked; what cannot is left out.
    pub(super) fn look(&mut self, figures: &mut Figures) {
        let mut note = |name: &str, value: f64| {
            figures.insert(format!("system/{name}"), value);
        };
        if let Some(system) = &mut self.system {
            look_at_system(system, self.process, &mut note);
        }
        if let Some(disks) = &mut self.disks {
            disks.refresh(false);
            // The disk of the folder is the one mounted nearest to it.
            let under = disks.iter().filter(|disk| self.folder.starts_with(disk.mount_point()));
            if let Some(disk) = under.max_by_key(|disk| disk.mount_point().components().count()) {
                let (total, free) = (disk.total_space() as f64, disk.available_space() as f64);
                note("disk_available_megabytes", free / MEGABYTE);
                note("disk_usage_megabytes", (total - free) / MEGABYTE);
                if total > 0.0 {
                    note("disk_usage_percentage", 100.0 * (total - free) / total);
                }
            }
        }
    }
}

fn look_at_system(system: &mut System, process: Pid, note: &mut dyn FnMut(&str, f64)) {
    // Figures that could not be renewed are those of the look before.
    system.refresh_cpu_specifics(CpuRefreshKind::nothing().with_usage());
    system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
    let only = ProcessesToUpdate::Some(&[process]);
    let kind = ProcessRefreshKind::nothing().with_memory().with_cpu();
    let _refused = system.refresh_processes_specifics(only, false, kind);
    note("cpu_utilization_percentage", f64::from(system.global_cpu_usage()));
    let (used, total) = (system.used_memory() as f64, system.total_memory() as f64);
    note("system_memory_usage_megabytes", used / MEGABYTE);
    if total > 0.0 {
        note("system_memory_usage_percentage", 100.0 * used / total);
    }
    if let Some(process) = system.process(process) {
        note("process_memory_megabytes", process.memory() as f64 / MEGABYTE);
        note("process_cpu_percentage", f64::from(process.cpu_usage()));
    }
}
