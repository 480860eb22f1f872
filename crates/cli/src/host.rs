//! The machine and the code behind a run, for its lineage.

use serde::Serialize;
use serde_json::Value;
use tapeline_artefact::Signature;

/// What computed a run.
#[derive(Debug, Serialize)]
pub(crate) struct Host {
    /// The machine's name.
    name: String,
    /// Kernel and processor family.
    system: String,
    /// Logical cores.
    cores: usize,
    /// The commit this binary was built from.
    commit: &'static str,
}

impl Host {
    pub(crate) fn read() -> Self {
        let kernel = |file: &str| {
            let text = std::fs::read_to_string(format!("/proc/sys/kernel/{file}"));
            text.map_or_else(|_| "unknown".into(), |text| text.trim().to_owned())
        };
        Self {
            name: kernel("hostname"),
            system: format!("{} {} {}", std::env::consts::OS, kernel("osrelease"), std::env::consts::ARCH),
            cores: cores(),
            commit: env!("BUILT_FROM_COMMIT"),
        }
    }

    /// The machine's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::to_value(self).unwrap_or(Value::Null)
    }
}

/// Who does something now: the user on this machine.
pub(crate) fn signature() -> Signature {
    Signature { at: crate::clock::now(), by: format!("{}@{}", user(), Host::read().name) }
}

/// The user's name.
pub(crate) fn user() -> String {
    let user = ["USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    user.unwrap_or_else(|| "unknown".into())
}

/// Cores this process may use.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
