//! The one libtorch that everything here is built against: chosen once, laid out where there is none, checked on
//! every use.

mod choice;
mod elf;
mod fetch;
mod layout;
mod lock;

pub(crate) mod command;
pub(crate) mod preflight;

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::workspace::Workspace;

use choice::{Choice, ChoiceFile, Circumstances, Origin};
use layout::Layout;
pub(crate) use layout::{Fault, Flavour};

/// The only release that `tch` 0.24 is written for.
pub(crate) const LIBTORCH_VERSION: &str = "2.11.0";

/// The kernel module's own report; there only when an NVIDIA driver is loaded.
const NVIDIA_DRIVER: &str = "/proc/driver/nvidia/version";

/// Which libtorch to use, as asked for on the command line.
#[derive(clap::Args, Clone, Debug, Default)]
#[command(next_help_heading = "Which libtorch")]
pub(crate) struct Request {
    /// Use the one in this folder from now on. Without any of these flags: LIBTORCH, else the last choice
    #[arg(long = "libtorch", value_name = "DIR", conflicts_with_all = ["cpu", "cuda"])]
    folder: Option<PathBuf>,
    /// Use the CPU-only one in the cache from now on; laid out if need be
    #[arg(long, conflicts_with = "cuda")]
    cpu: bool,
    /// Use the one with CUDA in the cache from now on; laid out if need be. The default where an NVIDIA driver is
    /// loaded and nothing was chosen. It has been laid out, but not run or measured
    #[arg(long)]
    cuda: bool,
}

impl Request {
    fn flavour(&self) -> Option<Flavour> {
        match (self.cpu, self.cuda) {
            (true, _) => Some(Flavour::Cpu),
            (_, true) => Some(Flavour::Cuda),
            _ => None,
        }
    }
}

/// A choice with all that is needed to act on it.
pub(crate) struct Chosen {
    choice: Choice,
    file: ChoiceFile,
    cache: PathBuf,
    /// `LIBTORCH` as the user's shell has it, when that differs from what was chosen last.
    environment: Option<PathBuf>,
}

impl Chosen {
    /// Chooses, and changes nothing.
    pub(crate) fn new(workspace: &Workspace, request: &Request) -> Result<Self> {
        let cache = cache_folder()?;
        let file = ChoiceFile::of(workspace.root());
        let written = file.read()?;
        // Cargo itself sets LIBTORCH to the written value for what it runs.
        let environment = env::var_os("LIBTORCH")
            .filter(|value| !value.is_empty())
            .map(|value| choice::tidy_path(Path::new(&value)))
            .transpose()?
            .filter(|folder| Some(folder) != written.as_ref());
        let requested = request.folder.as_deref().map(choice::tidy_path).transpose()?;
        let choice = Circumstances {
            requested,
            flavour: request.flavour(),
            environment: environment.clone(),
            written,
            driver: has_nvidia_driver(),
        }
        .choose(&cache);
        Ok(Self { choice, file, cache, environment })
    }

    /// Where it is, or will be.
    pub(crate) fn folder(&self) -> PathBuf {
        match &self.choice {
            Choice::Given { folder, .. } => folder.clone(),
            Choice::Managed { flavour, .. } => flavour.folder(&self.cache),
        }
    }

    /// Why this one.
    pub(crate) fn origin(&self) -> Origin {
        match self.choice {
            Choice::Given { origin, .. } | Choice::Managed { origin, .. } => origin,
        }
    }

    /// What it is when it is one of ours, to be laid out and mended. Someone else's folder is never touched.
    pub(crate) fn managed(&self) -> Option<Flavour> {
        match self.choice {
            Choice::Managed { flavour, .. } => Some(flavour),
            Choice::Given { .. } => None,
        }
    }

    /// All that is wrong with it.
    pub(crate) fn faults(&self) -> Vec<Fault> {
        match &self.choice {
            Choice::Given { folder, .. } => layout::faults_of_given(folder),
            Choice::Managed { flavour, .. } => {
                Layout { folder: flavour.folder(&self.cache), flavour: *flavour }.faults()
            }
        }
    }

    /// Makes it ready and remembers it.
    fn make_ready(&self, force: bool) -> Result<()> {
        match &self.choice {
            Choice::Given { folder, origin } => {
                if force {
                    bail!("{} was not laid out by this tool, so --force leaves it alone", folder.display());
                }
                refuse_faulty(folder, *origin)?;
            }
            Choice::Managed { flavour, .. } => fetch::make_ready(&self.cache, *flavour, force)?,
        }
        let folder = self.folder();
        if self.file.write(&folder)? {
            eprintln!("libtorch: {} (remembered in .cargo/libtorch.toml)", folder.display());
        }
        if let Some(other) = self.environment.as_ref().filter(|other| **other != folder) {
            eprintln!(
                "libtorch: LIBTORCH={} in your environment wins in a plain `cargo build`; unset it to build against {}",
                other.display(),
                folder.display(),
            );
        }
        Ok(())
    }
}

/// Makes sure that there is a whole libtorch and that cargo will use it.
pub(crate) fn ensure(workspace: &Workspace, request: &Request) -> Result<()> {
    preflight::require_supported()?;
    Chosen::new(workspace, request)?.make_ready(false)
}

fn refuse_faulty(folder: &Path, origin: Origin) -> Result<()> {
    let faults = layout::faults_of_given(folder);
    if faults.is_empty() {
        return Ok(());
    }
    bail!(
        "{} ({origin}) is not a usable libtorch {LIBTORCH_VERSION}:{}\n\
         mend it, name another with --libtorch, or let `cargo xtask libtorch --cpu` lay one out",
        folder.display(),
        list(&faults),
    )
}

/// The faults, each on a line of its own.
pub(crate) fn list(faults: &[Fault]) -> String {
    faults.iter().map(|fault| format!("\n  - {fault}")).collect()
}

/// Where layouts live: `tapeline/libtorch` in the user's cache folder.
fn cache_folder() -> Result<PathBuf> {
    let from = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = from("XDG_CACHE_HOME")
        .or_else(|| env::home_dir().filter(|home| home.is_absolute()).map(|home| home.join(".cache")))
        .context("neither XDG_CACHE_HOME, HOME nor the user's account names a folder to keep libtorch in")?;
    Ok(cache.join("tapeline").join("libtorch"))
}

/// Is an NVIDIA driver loaded?
pub(crate) fn has_nvidia_driver() -> bool {
    Path::new(NVIDIA_DRIVER).exists()
}
