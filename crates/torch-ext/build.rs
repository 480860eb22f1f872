//! Compiles `shim/` against the libtorch that torch-sys found, and hands its folder on to whoever links us.
#![expect(clippy::disallowed_methods, reason = "a build script is told everything through its environment")]

use std::env;
use std::path::{Path, PathBuf};

const SOURCES: [&str; 11] = [
    "adamw.cpp",
    "autocast.cpp",
    "clip.cpp",
    "conv_block.cpp",
    "dropout.cpp",
    "generator.cpp",
    "kernel/choice.cpp",
    "loss_scale.cpp",
    "lstm.cpp",
    "process.cpp",
    "sgd.cpp",
];
/// Plain loops, compiled once per instruction set and chosen when the program runs.
const KERNELS: [&str; 2] = ["kernel/conv_block.cpp", "kernel/lstm.cpp"];
const HEADERS: [&str; 10] = [
    "guard.h",
    "kernel/choice.h",
    "kernel/conv_block.h",
    "kernel/lstm.h",
    "kernel/tile.h",
    "kernel/vector.h",
    "memory.h",
    "philox.h",
    "shares.h",
    "tensors.h",
];

/// An instruction set and what the compiler is told of it.
type InstructionSet = (&'static str, &'static [&'static str]);

const PORTABLE: InstructionSet = ("portable", &[]);
const X86: [InstructionSet; 2] = [
    ("avx2", &["-mavx2", "-mfma"]),
    (
        "avx512",
        &["-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mfma", "-mprefer-vector-width=512"],
    ),
];

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
    let is_x86 = env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "x86_64");
    if is_x86 {
        build.define("TAPELINE_X86", None);
    }
    build.files(SOURCES.map(|source| Path::new("shim").join(source)));
    build.compile("tapeline_torch_ext_shim");
    compile_kernels(PORTABLE);
    if is_x86 {
        X86.into_iter().for_each(compile_kernels);
    }

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
    for file in SOURCES.iter().chain(&KERNELS).chain(&HEADERS) {
        println!("cargo::rerun-if-changed=shim/{file}");
    }
}

fn compile_kernels((name, flags): InstructionSet) {
    let mut build = cc::Build::new();
    build.cpp(true).std("c++17").pic(true);
    // A product and a sum may be rounded once: without it the loops take twice as long.
    build.flag("-ffp-contract=fast").flag("-fvisibility=hidden").flag("-Wextra").flag("-Wno-psabi");
    for flag in flags {
        build.flag(flag);
    }
    build.files(KERNELS.map(|source| Path::new("shim").join(source)));
    build.compile(&format!("tapeline_torch_ext_{name}"));
}

/// Where libtorch's headers are: beside its libraries, unless `LIBTORCH_INCLUDE` names another root.
fn include_folders(libdir: &Path) -> [PathBuf; 2] {
    let root = env::var_os("LIBTORCH_INCLUDE").map_or_else(|| libdir.join(".."), PathBuf::from);
    let include = root.join("include");
    let api = include.join("torch/csrc/api/include");
    [include, api]
}
