//! `cargo xtask gpu-bundle`: a folder that shows on a machine with a GPU what cannot be shown here.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use cargo_metadata::Message;

use crate::libtorch::{self, Chosen, Request};
use crate::workspace::{self, Workspace};

/// What the folder may weigh: it travels over slow lines.
const MOST_BYTES: u64 = 60 << 20;

/// The library without which a build has no GPU.
const CUDA: &str = "libtorch_cuda.so";

const RUN: &str = "#!/bin/sh
# The tests that need a GPU, a short run, and the training step beside PyTorch's, as one table.
exec \"${PYTHON:-python3}\" \"$(dirname \"$0\")/gpu.py\" \"$@\"
";

/// Make a folder that runs the GPU tests and the comparison with PyTorch elsewhere.
///
/// It needs a machine with a GPU and a Python with torch 2.11 and numpy, and nothing else: `./run.sh` there. Built against
/// libtorch with CUDA (`--cuda` lays it out), which needs no GPU.
#[derive(clap::Args)]
pub(crate) struct GpuBundle {
    #[command(flatten)]
    libtorch: Request,
    /// Where to, in the place of `target/gpu-bundle`; what is there goes
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl GpuBundle {
    pub(crate) fn run(self, workspace: &Workspace) -> Result<ExitCode> {
        libtorch::ensure(workspace, &self.libtorch)?;
        let folder = Chosen::new(workspace, &self.libtorch)?.folder();
        if !folder.join("lib").join(CUDA).is_file() {
            bail!(
                "{} has no {CUDA}: build against one with CUDA, cargo xtask gpu-bundle --cuda",
                folder.display()
            );
        }
        let target = workspace.metadata()?.target_directory.into_std_path_buf();
        let out = self.out.unwrap_or_else(|| target.join("gpu-bundle"));
        if out.exists() {
            fs::remove_dir_all(&out).with_context(|| format!("cannot remove {}", out.display()))?;
        }
        let bin = out.join("bin");
        fs::create_dir_all(&bin).with_context(|| format!("cannot make {}", bin.display()))?;
        for (name, built) in programs(workspace)? {
            let status =
                workspace::run(workspace.command("strip").arg("-o").arg(bin.join(name)).arg(&built))?;
            ensure!(status.success(), "{} could not be stripped", built.display());
        }
        let root = workspace.root();
        copy(&root.join("scripts/gpu.py"), &out.join("gpu.py"))?;
        copy(&root.join("benches/peers/torch_hybrid.py"), &out.join("torch_hybrid.py"))?;
        let configs = out.join("configs");
        fs::create_dir_all(&configs).with_context(|| format!("cannot make {}", configs.display()))?;
        copy(&root.join("configs/quickstart.yaml"), &configs.join("quickstart.yaml"))?;
        let run = out.join("run.sh");
        fs::write(&run, RUN).with_context(|| format!("cannot write {}", run.display()))?;
        fs::set_permissions(&run, fs::Permissions::from_mode(0o755))
            .with_context(|| format!("cannot make {} a program", run.display()))?;

        let bytes = size(&out)?;
        ensure!(
            bytes <= MOST_BYTES,
            "the folder has {} MiB, and {} are allowed",
            bytes >> 20,
            MOST_BYTES >> 20
        );
        println!("{} ({} MiB); there: ./run.sh", out.display(), bytes.div_ceil(1 << 20));
        Ok(ExitCode::SUCCESS)
    }
}

/// The programs of the folder by name, and where cargo has built them.
fn programs(workspace: &Workspace) -> Result<Vec<(&'static str, PathBuf)>> {
    const SOURCES: [(&str, &str); 3] = [
        ("tapeline", "crates/cli/src/main.rs"),
        ("measure", "benches/src/measure.rs"),
        ("trainer-tests", "crates/trainer/tests/it/main.rs"),
    ];
    let mut command = workspace.cargo();
    command.args(["build", "--bins", "--test", "it", "--message-format=json-render-diagnostics"]);
    command
        .args(["tapeline", "tapeline-benches", "tapeline-trainer"].map(|name| format!("--package={name}")));
    let mut child = command.stdout(Stdio::piped()).spawn().context("cannot start cargo")?;
    let said = child.stdout.take().context("cargo says nothing")?;
    let mut found = Vec::new();
    for message in Message::parse_stream(std::io::BufReader::new(said)) {
        if let Message::CompilerArtifact(artifact) =
            message.context("what cargo says cannot be understood")?
            && let Some(path) = artifact.executable
            && let Some((name, _)) =
                SOURCES.iter().find(|(_, source)| artifact.target.src_path.ends_with(source))
        {
            found.push((*name, path.into_std_path_buf()));
        }
    }
    ensure!(child.wait()?.success(), "the programs could not be built");
    for (name, source) in SOURCES {
        ensure!(found.iter().any(|(found, _)| *found == name), "cargo made no program of {source}");
    }
    Ok(found)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display()))?;
    Ok(())
}

/// Bytes of all files below `folder`.
fn size(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let entry = entry?;
        bytes += if entry.file_type()?.is_dir() { size(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(bytes)
}
