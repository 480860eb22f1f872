//! What a machine must have before anything is downloaded, and the command that installs what it lacks.

#[cfg(test)]
mod tests;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use super::Flavour;

const GIB: u64 = 1 << 30;

/// The only platform that the torch wheel and our build are for.
const OS: &str = "linux";
const ARCH: &str = "x86_64";

/// This is not Linux on x86-64.
#[derive(Debug, thiserror::Error)]
#[error("Tapeline is built for Linux on x86-64, and this is {os} on {arch}")]
pub(crate) struct Unsupported {
    os: &'static str,
    arch: &'static str,
}

/// Refuses a machine on which no later step can work.
pub(crate) fn require_supported() -> Result<(), Unsupported> {
    let (os, arch) = (env::consts::OS, env::consts::ARCH);
    if (os, arch) == (OS, ARCH) { Ok(()) } else { Err(Unsupported { os, arch }) }
}

/// What this machine has.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) distribution: Distribution,
    /// Versions, as each program gives them; `None` where it does not run.
    pub(crate) python: Option<String>,
    pub(crate) pip: Option<String>,
    pub(crate) compiler: Option<String>,
    /// Where layouts are kept, and the bytes free there.
    pub(crate) cache: PathBuf,
    pub(crate) free: Option<u64>,
}

/// A family of distributions, by its package manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Distribution {
    Debian,
    Fedora,
    Arch,
    Other,
}

/// Something to install.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    Python,
    Pip,
    Compiler,
}

/// Something that is missing, in words.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Missing {
    pub(crate) what: String,
    pub(crate) remedy: String,
}

impl Facts {
    /// Looks around.
    pub(crate) fn gather(cache: &Path) -> Self {
        let compiler = env::var_os("CXX").filter(|name| !name.is_empty()).unwrap_or_else(|| "c++".into());
        Self {
            distribution: Distribution::of(&fs::read_to_string("/etc/os-release").unwrap_or_default()),
            python: version(Command::new("python3").arg("--version")),
            pip: version(Command::new("python3").args(["-m", "pip", "--version"])),
            compiler: version(Command::new(compiler).arg("--version")),
            cache: cache.to_path_buf(),
            free: free_bytes(cache),
        }
    }

    /// All that is missing to lay out `flavour` and build against it.
    pub(crate) fn missing(&self, flavour: Flavour) -> Vec<Missing> {
        let programs = [
            (Need::Python, self.python.is_none()),
            // Without Python nobody can say whether it has pip; one command installs both.
            (Need::Pip, self.pip.is_none()),
            (Need::Compiler, self.compiler.is_none()),
        ];
        let mut missing: Vec<Missing> = programs
            .into_iter()
            .filter(|(_, absent)| *absent)
            .map(|(need, _)| Missing {
                what: need.what().to_owned(),
                remedy: self.distribution.install(&[need]),
            })
            .collect();
        missing.extend(self.missing_space(flavour));
        missing
    }

    /// The disk that is missing to lay out `flavour`.
    pub(crate) fn missing_space(&self, flavour: Flavour) -> Option<Missing> {
        let wanted = space_for(flavour);
        let free = self.free.filter(|free| *free < wanted)?;
        Some(Missing {
            what: format!(
                "disk space: {:.1} GiB are free where {} is to be, and {} GiB are needed",
                free as f64 / GIB as f64,
                self.cache.display(),
                wanted / GIB,
            ),
            remedy: "make room, or set XDG_CACHE_HOME to a folder on a larger disk".to_owned(),
        })
    }

    /// Refuses before anything is downloaded.
    pub(crate) fn require(&self, flavour: Flavour) -> Result<()> {
        let missing = self.missing(flavour);
        if missing.is_empty() {
            return Ok(());
        }
        let lines: String =
            missing.iter().map(|item| format!("\n  - {}\n      {}", item.what, item.remedy)).collect();
        bail!("libtorch cannot be laid out, this machine lacks:{lines}")
    }
}

impl Need {
    fn what(self) -> &'static str {
        match self {
            Self::Python => "Python 3 (`python3`)",
            Self::Pip => "pip (`python3 -m pip`)",
            Self::Compiler => "a C++ compiler (`c++`, or the one that CXX names)",
        }
    }
}

impl Distribution {
    /// From the text of `/etc/os-release`.
    fn of(os_release: &str) -> Self {
        let names: Vec<&str> = os_release
            .lines()
            .filter_map(|line| line.strip_prefix("ID=").or_else(|| line.strip_prefix("ID_LIKE=")))
            .flat_map(|value| value.trim_matches(['"', '\'']).split_whitespace())
            .collect();
        let is_like = |family: &[&str]| names.iter().any(|name| family.contains(name));
        if is_like(&["debian", "ubuntu"]) {
            Self::Debian
        } else if is_like(&["fedora", "rhel", "centos"]) {
            Self::Fedora
        } else if is_like(&["arch"]) {
            Self::Arch
        } else {
            Self::Other
        }
    }

    /// The command that installs `needs`.
    pub(crate) fn install(self, needs: &[Need]) -> String {
        let (command, packages): (&str, fn(Need) -> &'static str) = match self {
            Self::Debian => ("sudo apt-get install", |need| match need {
                Need::Python => "python3",
                Need::Pip => "python3-pip",
                Need::Compiler => "g++",
            }),
            Self::Fedora => ("sudo dnf install", |need| match need {
                Need::Python => "python3",
                Need::Pip => "python3-pip",
                Need::Compiler => "gcc-c++",
            }),
            Self::Arch => ("sudo pacman -S", |need| match need {
                Need::Python => "python",
                Need::Pip => "python-pip",
                Need::Compiler => "gcc",
            }),
            Self::Other => ("install with your package manager:", |need| match need {
                Need::Python => "python3",
                Need::Pip => "pip",
                Need::Compiler => "g++",
            }),
        };
        let packages: Vec<&str> = needs.iter().copied().map(packages).collect();
        format!("{command} {}", packages.join(" "))
    }
}

/// Wheels, what is unpacked from them, and pip's own copies, all at once.
fn space_for(flavour: Flavour) -> u64 {
    match flavour {
        Flavour::Cpu => 3 * GIB,
        Flavour::Cuda => 12 * GIB,
    }
}

/// The first line that `command` prints, if it runs and succeeds.
pub(crate) fn version(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    output.status.success().then(|| text.lines().next().unwrap_or_default().trim().to_owned())
}

/// Bytes that we may still write where `path` is or will be.
pub(crate) fn free_bytes(path: &Path) -> Option<u64> {
    let there = path.ancestors().find(|ancestor| ancestor.exists())?;
    let disk = rustix::fs::statvfs(there).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}
