//! Lays out libtorch in the cache: wheels through pip, the needed members unpacked beside the final place, checked,
//! then renamed into it. A process that dies on the way leaves only hidden folders, which the next one removes.

#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use super::layout::{Flavour, Layout, VERSION_FILE};
use super::lock::Lock;
use super::{LIBTORCH_VERSION, list, preflight};

const UNPACK: &str = include_str!("unpack.py");

/// The CUDA runtime that `libtorch_cpu.so` itself names, even where no GPU is used.
const CUDA_RUNTIME_WHEELS: [&str; 2] = ["nvidia-cuda-runtime==13.0.*", "nvidia-cuda-cupti==13.0.*"];

/// Only the libraries in a wheel matter here, and they are the same for every Python. Naming one makes any Python
/// fetch them, also one for which there is no wheel.
const WHEEL_TAGS: [&str; 6] = ["--python-version", "3.11", "--implementation", "cp", "--abi", "cp311"];
/// The glibc 2.x that a wheel may ask for; the torch wheel asks for the last.
const WHEEL_GLIBC: std::ops::RangeInclusive<u32> = 17..=28;

/// Makes sure that `cache` holds a whole layout of `flavour`; with `force`, makes it anew.
pub(super) fn make_ready(cache: &Path, flavour: Flavour, force: bool) -> Result<()> {
    let layout = Layout { folder: flavour.folder(cache), flavour };
    if !force && layout.is_recorded() && layout.faults().is_empty() {
        return Ok(());
    }
    fs::create_dir_all(cache).with_context(|| format!("cannot make {}", cache.display()))?;
    let _lock = Lock::acquire(&cache.join(".lock"), || {
        eprintln!("libtorch: another process is laying it out, waiting for it");
    })?;
    // While we waited the other process may have done the work.
    let faults = layout.faults();
    if !force && faults.is_empty() {
        return if layout.is_recorded() { Ok(()) } else { layout.record() };
    }
    if layout.folder.exists() && !force {
        eprintln!(
            "libtorch: {} is damaged and will be laid out again:{}",
            layout.folder.display(),
            list(&faults)
        );
    }
    preflight::Facts::gather(cache).require(flavour)?;
    lay_out(cache, &layout)
}

fn lay_out(cache: &Path, layout: &Layout) -> Result<()> {
    let hidden = format!(".{}.", layout.flavour.name());
    clear(cache, &hidden)?;
    // With our number in it: a pip that outlived a killed process must not write into our folder.
    let staging = cache.join(format!("{hidden}staging-{}", std::process::id()));
    let old = cache.join(format!("{hidden}old"));
    let staged = Layout { folder: staging.join("layout"), flavour: layout.flavour };
    fs::create_dir_all(&staged.folder).with_context(|| format!("cannot make {}", staged.folder.display()))?;

    match layout.flavour {
        Flavour::Cpu => stage_cpu(&staging, &staged.folder)?,
        Flavour::Cuda => stage_cuda(&staging, &staged.folder)?,
    }
    fs::write(staged.folder.join(VERSION_FILE), format!("{LIBTORCH_VERSION}\n"))
        .context("cannot write the version")?;
    let faults = staged.faults();
    ensure!(faults.is_empty(), "what was unpacked is not whole:{}", list(&faults));
    staged.record()?;

    publish(&staged.folder, &layout.folder, &old)?;
    clear(cache, &hidden)?;
    eprintln!("libtorch: {LIBTORCH_VERSION} is ready in {}", layout.folder.display());
    Ok(())
}

/// Puts `staged` in the place of `folder`, once all of it is on the disk.
fn publish(staged: &Path, folder: &Path, old: &Path) -> Result<()> {
    let context = || format!("cannot put {} in its place", folder.display());
    let handle = File::open(staged).with_context(context)?;
    rustix::fs::syncfs(&handle).map_err(io::Error::from).with_context(context)?;
    if folder.exists() {
        fs::rename(folder, old).with_context(context)?;
    }
    fs::rename(staged, folder).with_context(context)
}

fn stage_cpu(staging: &Path, layout: &Path) -> Result<()> {
    let wheels = staging.join("wheels");
    stage(&format!("downloading torch {LIBTORCH_VERSION} and the CUDA runtime that it names (0.6 GB)"));
    let torch = format!("torch=={LIBTORCH_VERSION}");
    download(&wheels, [torch.as_str()].iter().chain(&CUDA_RUNTIME_WHEELS), Dependencies::Without)?;
    stage("unpacking");
    unpack(
        &wheel(&wheels, "torch-")?,
        layout,
        &[
            "torch/include/=include",
            "torch/lib/libtorch_cpu.so=lib",
            "torch/lib/libc10.so=lib",
            "torch/lib/libgomp.so.1=lib",
            "torch/lib/libshm.so=lib",
        ],
    )?;
    unpack(&wheel(&wheels, "nvidia_cuda_runtime-")?, layout, &["nvidia/*/lib/libcudart.so.13=lib"])?;
    unpack(&wheel(&wheels, "nvidia_cuda_cupti-")?, layout, &["nvidia/*/lib/libcupti.so.13=lib"])?;
    // The wheel's own libtorch.so asks for the CUDA libraries; all that is in it is in libtorch_cpu.so too.
    std::os::unix::fs::symlink("libtorch_cpu.so", layout.join("lib/libtorch.so"))
        .context("cannot link libtorch.so")
}

/// Everything that the torch wheel asks of NVIDIA, gathered in one `lib` folder. It was laid out and its needs
/// resolved, but never run: this needs a GPU.
fn stage_cuda(staging: &Path, layout: &Path) -> Result<()> {
    let wheels = staging.join("wheels");
    stage(&format!("downloading torch {LIBTORCH_VERSION} (0.6 GB)"));
    download(&wheels, [format!("torch=={LIBTORCH_VERSION}")], Dependencies::Without)?;
    let torch = wheel(&wheels, "torch-")?;
    unpack(&torch, staging, &["torch-*.dist-info/METADATA=."])?;
    let metadata =
        fs::read_to_string(staging.join("METADATA")).context("cannot read the wheel's metadata")?;
    let requirements = cuda_requirements(&metadata);
    ensure!(!requirements.is_empty(), "the torch wheel names no CUDA library");

    stage("downloading the CUDA libraries (2 GB)");
    let cuda = staging.join("cuda");
    download(&cuda, &requirements, Dependencies::With)?;
    stage("unpacking");
    unpack(&torch, layout, &["torch/include/=include", "torch/lib/lib*.so*=lib"])?;
    remove(&layout.join("lib/libtorch_python.so"))?;
    for entry in fs::read_dir(&cuda).context("cannot list the wheels")? {
        let path = entry.context("cannot list the wheels")?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("nvidia_")) {
            unpack(&path, layout, &["nvidia/*/lib/*.so*=lib"])?;
        }
    }
    Ok(())
}

/// The wheel's requirements that bring CUDA libraries, without their conditions.
fn cuda_requirements(metadata: &str) -> Vec<String> {
    metadata
        .lines()
        .filter_map(|line| line.strip_prefix("Requires-Dist: "))
        .filter(|requirement| requirement.starts_with("nvidia-") || requirement.starts_with("cuda-toolkit"))
        .map(|requirement| requirement.split(';').next().unwrap_or(requirement).trim().to_owned())
        .collect()
}

#[derive(Clone, Copy)]
enum Dependencies {
    With,
    Without,
}

fn download(
    folder: &Path,
    requirements: impl IntoIterator<Item = impl AsRef<str>>,
    dependencies: Dependencies,
) -> Result<()> {
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "download", "--disable-pip-version-check", "--only-binary=:all:"]);
    pip.args(WHEEL_TAGS).args(["--platform", "manylinux2014_x86_64", "--platform", "manylinux1_x86_64"]);
    pip.args(WHEEL_GLIBC.map(|minor| format!("--platform=manylinux_2_{minor}_x86_64")));
    if matches!(dependencies, Dependencies::Without) {
        pip.arg("--no-deps");
    }
    if !io::stderr().is_terminal() {
        pip.args(["--quiet", "--progress-bar", "off"]);
    }
    pip.arg("--dest")
        .arg(folder)
        .args(requirements.into_iter().map(|requirement| requirement.as_ref().to_owned()));
    succeed(&mut pip).context("pip could not download the wheels")
}

fn unpack(wheel: &Path, folder: &Path, rules: &[&str]) -> Result<()> {
    succeed(Command::new("python3").args(["-I", "-c", UNPACK]).arg(wheel).arg(folder).args(rules))
        .with_context(|| format!("cannot unpack {}", wheel.display()))
}

/// Standard output is for results, so a child's goes where our progress goes.
fn succeed(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_os_string();
    let status = command
        .stdout(Stdio::from(io::stderr()))
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot start {}", program.display()))?;
    ensure!(status.success(), "{} ended with {status}", program.display());
    Ok(())
}

/// The one wheel in `folder` whose name starts with `prefix`.
fn wheel(folder: &Path, prefix: &str) -> Result<PathBuf> {
    find(folder, prefix)?.with_context(|| format!("pip left no wheel {prefix}* in {}", folder.display()))
}

/// Removes all that starts with `prefix` in `folder`.
fn clear(folder: &Path, prefix: &str) -> Result<()> {
    while let Some(path) = find(folder, prefix)? {
        remove(&path)?;
    }
    Ok(())
}

/// Something in `folder` whose name starts with `prefix`.
fn find(folder: &Path, prefix: &str) -> Result<Option<PathBuf>> {
    let context = || format!("cannot list {}", folder.display());
    for entry in fs::read_dir(folder).with_context(context)? {
        let entry = entry.with_context(context)?;
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            return Ok(Some(entry.path()));
        }
    }
    Ok(None)
}

/// Removes a file or a folder, if it is there.
fn remove(path: &Path) -> Result<()> {
    let result = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    };
    result.with_context(|| format!("cannot remove {}", path.display()))
}

fn stage(what: &str) {
    eprintln!("libtorch: {what}");
}
