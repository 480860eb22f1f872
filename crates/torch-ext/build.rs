//! Compiles `shim/` against the libtorch that torch-sys found, and hands its folder on to whoever links us.
#![expect(clippy::disallowed_methods, reason = "a build script is told everything through its environment")]

use std::env;
use std::path::{Path, PathBuf};

const SOURCES: [&str; 6] =
    ["adamw.cpp", "clip.cpp", "dropout.cpp", "generator.cpp", "process.cpp", "sgd.cpp"];
const HEADERS: [&str; 3] = ["guard.h", "philox.h", "tensors.h"];

fn main() {
    let libdir =
        env::var("DEP_TCH_LIBTORCH_LIB").expect("torch-sys names the folder of libtorch's libraries");
    let libdir = Path::new(&libdir);

    let mut build = cc::Build::new();
    build.cpp(true).std("c++17").pic(true);
    build.define("_GLIBCXX_USE_CXX11_ABI", "1");
    for include in include_folders(libdir) {
        build.flag("-isystem").flag(include.as_os_str());
    }
    for flag in ["-fvisibility=hidden", "-fopenmp", "-Wextra"] {
        build.flag(flag);
    }
    build.files(SOURCES.map(|source| Path::new("shim").join(source)));
    build.compile("tapeline_torch_ext_shim");

    // The OpenMP runtime that libtorch itself loads: a second one would keep its own threads and their number.
    println!("cargo::rustc-link-search=native={}", libdir.display());
    if libdir.join("libgomp.so.1").exists() {
        println!("cargo::rustc-link-lib=dylib:+verbatim=libgomp.so.1");
    } else {
        println!("cargo::rustc-link-lib=gomp");
    }
    println!("cargo::rustc-link-arg=-Wl,-rpath,{}", libdir.display());
    println!("cargo::metadata=libdir={}", libdir.display());
    println!("cargo::rerun-if-env-changed=LIBTORCH_INCLUDE");
    for file in SOURCES.iter().chain(&HEADERS) {
        println!("cargo::rerun-if-changed=shim/{file}");
    }
}

/// Where libtorch's headers are: beside its libraries, unless `LIBTORCH_INCLUDE` names another root.
fn include_folders(libdir: &Path) -> [PathBuf; 2] {
    let root = env::var_os("LIBTORCH_INCLUDE").map_or_else(|| libdir.join(".."), PathBuf::from);
    let include = root.join("include");
    let api = include.join("torch/csrc/api/include");
    [include, api]
}
