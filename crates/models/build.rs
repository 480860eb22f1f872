//! Tells this package's tests and examples where libtorch is.
#![expect(clippy::disallowed_methods, reason = "a build script is told everything through its environment")]

fn main() {
    let libdir = std::env::var("DEP_TAPELINE_TORCH_EXT_LIBDIR").expect("a dependency on tapeline-torch-ext");
    println!("cargo::rustc-link-arg=-Wl,-rpath,{libdir}");
}
