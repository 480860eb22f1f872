//! What a whole libtorch looks like on disk, and everything that can be wrong with one.
//!
//! ```text
//! lib/            shared libraries; in a CPU-only layout libtorch.so is a link to libtorch_cpu.so
//! include/        headers, as the torch wheel has them
//! build-version   2.11.0
//! layout.json     sizes, written last
//! ```

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::{LIBTORCH_VERSION, elf};

/// Names the release in a layout; torch-sys reads it too.
pub(super) const VERSION_FILE: &str = "build-version";
const SIZES_FILE: &str = "layout.json";

/// Headers that tell a whole `include` from a part of one: the first directory, the C++ API, the version.
const HEADERS: [&str; 3] =
    ["include/ATen/ATen.h", "include/torch/csrc/api/include/torch/torch.h", VERSION_HEADER];
const VERSION_HEADER: &str = "include/torch/headeronly/version.h";

/// From these the loader finds all others.
const ROOTS: [&str; 3] = ["libtorch.so", "libtorch_cpu.so", "libc10.so"];
const CUDA_ROOTS: [&str; 2] = ["libtorch_cuda.so", "libc10_cuda.so"];

/// Comes with glibc, with the C++ compiler, or with the NVIDIA driver.
const OF_THE_SYSTEM: [&str; 12] = [
    "ld-linux-x86-64.so.2",
    "libc.so.6",
    "libcuda.so.1",
    "libdl.so.2",
    "libgcc_s.so.1",
    "libm.so.6",
    "libnvidia-ml.so.1",
    "libpthread.so.0",
    "libresolv.so.2",
    "librt.so.1",
    "libstdc++.so.6",
    "libutil.so.1",
];
const SYSTEM_FOLDERS: [&str; 6] =
    ["/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib"];

/// With or without the CUDA libraries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavour {
    Cpu,
    Cuda,
}

impl Flavour {
    pub(super) const ALL: [Self; 2] = [Self::Cpu, Self::Cuda];

    /// Its folder in `cache`.
    pub(super) fn folder(self, cache: &Path) -> PathBuf {
        cache.join(self.name())
    }

    /// Its folder's name: release and kind.
    pub(super) fn name(self) -> String {
        format!("{LIBTORCH_VERSION}-{}", self.suffix())
    }

    fn suffix(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
        }
    }

    fn roots(self) -> Vec<&'static str> {
        match self {
            Self::Cpu => ROOTS.to_vec(),
            Self::Cuda => [&ROOTS[..], &CUDA_ROOTS[..]].concat(),
        }
    }
}

/// One thing that is wrong with a layout.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("{} is missing", .0.display())]
    Missing(PathBuf),
    #[error("it is libtorch {found}, not {LIBTORCH_VERSION}")]
    Version { found: String },
    #[error("{} holds {found} bytes where {expected} were laid out", path.display())]
    Size { path: PathBuf, expected: u64, found: u64 },
    #[error("{} holds {found} where {expected} were laid out", path.display())]
    Headers { path: PathBuf, expected: String, found: String },
    #[error("{} is unusable: {reason}", path.display())]
    Library { path: PathBuf, reason: String },
    #[error("{} needs {needed}, which is nowhere to be found", path.display())]
    Unresolved { path: PathBuf, needed: String },
    #[error("{} cannot be read: {reason}", path.display())]
    Unreadable { path: PathBuf, reason: String },
}

/// A folder of ours.
pub(super) struct Layout {
    pub(super) folder: PathBuf,
    pub(super) flavour: Flavour,
}

impl Layout {
    /// All that is wrong with it; nothing means that it can be built against and run.
    pub(super) fn faults(&self) -> Vec<Fault> {
        if !self.folder.is_dir() {
            return vec![Fault::Missing(self.folder.clone())];
        }
        let mut faults = Vec::from_iter(faults_of_version_file(&self.folder));
        faults.extend(missing(&self.folder, &HEADERS));
        faults.extend(faults_of_libraries(&self.folder, &self.flavour.roots()));
        faults.extend(self.faults_of_sizes());
        faults
    }

    /// Is there a record of its sizes?
    pub(super) fn is_recorded(&self) -> bool {
        self.folder.join(SIZES_FILE).exists()
    }

    /// Records its sizes, by which later changes are noticed.
    pub(super) fn record(&self) -> Result<()> {
        let sizes =
            Sizes::of(&self.folder).with_context(|| format!("cannot read {}", self.folder.display()))?;
        let (new, old) = (self.folder.join(format!("{SIZES_FILE}.new")), self.folder.join(SIZES_FILE));
        let text = format!("{:#}\n", sizes.to_json());
        fs::write(&new, text)
            .and_then(|()| fs::rename(&new, &old))
            .with_context(|| format!("cannot write {}", old.display()))
    }

    fn faults_of_sizes(&self) -> Vec<Fault> {
        let path = self.folder.join(SIZES_FILE);
        let unreadable = |reason: String| vec![Fault::Unreadable { path: path.clone(), reason }];
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
            Err(error) => return unreadable(error.to_string()),
        };
        let Some(expected) = serde_json::from_str(&text).ok().and_then(|json| Sizes::from_json(&json)) else {
            return unreadable("it is not what was written".to_owned());
        };
        match Sizes::of(&self.folder) {
            Ok(found) => expected.faults(&found, &self.folder),
            Err(error) => unreadable(error.to_string()),
        }
    }
}

/// All that is wrong with a libtorch that someone else laid out: the official archive, or an installed torch package.
pub(super) fn faults_of_given(folder: &Path) -> Vec<Fault> {
    if !folder.is_dir() {
        return vec![Fault::Missing(folder.to_path_buf())];
    }
    let mut faults = missing(folder, &HEADERS);
    if folder.join(VERSION_FILE).exists() {
        faults.extend(faults_of_version_file(folder));
    } else if let Ok(header) = fs::read_to_string(folder.join(VERSION_HEADER)) {
        let found = version_in_header(&header);
        if found != LIBTORCH_VERSION {
            faults.push(Fault::Version { found });
        }
    }
    faults.extend(faults_of_libraries(folder, &ROOTS));
    faults
}

fn missing(folder: &Path, names: &[&str]) -> Vec<Fault> {
    names.iter().map(|name| folder.join(name)).filter(|path| !path.is_file()).map(Fault::Missing).collect()
}

/// `2.11.0+cpu` is 2.11.0 too.
fn faults_of_version_file(folder: &Path) -> Option<Fault> {
    let path = folder.join(VERSION_FILE);
    let Ok(text) = fs::read_to_string(&path) else { return Some(Fault::Missing(path)) };
    let found = text.trim();
    let release = found.split_once('+').map_or(found, |(release, _)| release);
    (release != LIBTORCH_VERSION).then(|| Fault::Version { found: found.to_owned() })
}

/// The release that `version.h` defines, number by number.
fn version_in_header(header: &str) -> String {
    let number = |name: &str| {
        let line = header.lines().find(|line| line.contains(&format!("#define TORCH_VERSION_{name} ")));
        line.and_then(|line| line.split_whitespace().last()).unwrap_or("?").to_owned()
    };
    ["MAJOR", "MINOR", "PATCH"].map(number).join(".")
}

/// Follows what the libraries need, from `roots` on, as the loader would.
fn faults_of_libraries(folder: &Path, roots: &[&str]) -> Vec<Fault> {
    let folder = folder.join("lib");
    let mut faults = missing(&folder, roots);
    let mut seen = BTreeSet::new();
    let mut open: Vec<PathBuf> =
        roots.iter().map(|name| folder.join(name)).filter(|path| path.is_file()).collect();
    while let Some(path) = open.pop() {
        // One library may go by several names.
        if !seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone())) {
            continue;
        }
        let library = match elf::read(&path) {
            Ok(library) => library,
            Err(error) => {
                faults.push(Fault::Library { path, reason: error.to_string() });
                continue;
            }
        };
        for needed in library.needed {
            let near = std::iter::once(&folder).chain(&library.search).map(|near| near.join(&needed));
            if let Some(found) = near.into_iter().find(|candidate| candidate.is_file()) {
                open.push(found);
            } else if !is_of_the_system(&needed) {
                faults.push(Fault::Unresolved { path: path.clone(), needed });
            }
        }
    }
    faults
}

fn is_of_the_system(library: &str) -> bool {
    OF_THE_SYSTEM.contains(&library)
        || SYSTEM_FOLDERS.iter().any(|folder| Path::new(folder).join(library).is_file())
}

/// How large a layout's parts are.
#[derive(Debug, PartialEq, Eq)]
struct Sizes {
    libraries: BTreeMap<String, u64>,
    headers: u64,
    header_bytes: u64,
}

impl Sizes {
    fn of(folder: &Path) -> io::Result<Self> {
        let mut libraries = BTreeMap::new();
        for entry in fs::read_dir(folder.join("lib"))? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                libraries.insert(entry.file_name().to_string_lossy().into_owned(), entry.metadata()?.len());
            }
        }
        let (mut headers, mut header_bytes) = (0, 0);
        let mut open = vec![folder.join("include")];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                if entry.file_type()?.is_dir() {
                    open.push(entry.path());
                } else {
                    headers += 1;
                    header_bytes += entry.metadata()?.len();
                }
            }
        }
        Ok(Self { libraries, headers, header_bytes })
    }

    fn to_json(&self) -> Value {
        json!({
            "version": LIBTORCH_VERSION,
            "lib": self.libraries,
            "include": { "files": self.headers, "bytes": self.header_bytes },
        })
    }

    fn from_json(json: &Value) -> Option<Self> {
        let sizes = json["lib"].as_object()?;
        Some(Self {
            libraries: sizes
                .iter()
                .map(|(name, size)| size.as_u64().map(|size| (name.clone(), size)))
                .collect::<Option<_>>()?,
            headers: json["include"]["files"].as_u64()?,
            header_bytes: json["include"]["bytes"].as_u64()?,
        })
    }

    /// Where `found` differs from this; a library more than was laid out does no harm.
    fn faults(&self, found: &Self, folder: &Path) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (name, expected) in &self.libraries {
            let path = folder.join("lib").join(name);
            match found.libraries.get(name) {
                None => faults.push(Fault::Missing(path)),
                Some(found) if found != expected => {
                    faults.push(Fault::Size { path, expected: *expected, found: *found });
                }
                Some(_) => {}
            }
        }
        if (self.headers, self.header_bytes) != (found.headers, found.header_bytes) {
            let describe = |sizes: &Self| format!("{} files of {} bytes", sizes.headers, sizes.header_bytes);
            let path = folder.join("include");
            faults.push(Fault::Headers { path, expected: describe(self), found: describe(found) });
        }
        faults
    }
}
