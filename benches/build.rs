//! Tells this package's tests and examples where libtorch is; the same two lines serve any consumer.
#![expect(clippy::disallowed_methods, reason = "this is how cargo speaks to a build script")]

fn main() {
    let libdir = std::env::var("DEP_TAPELINE_TORCH_EXT_LIBDIR").unwrap_or_default();
    println!("cargo::rustc-link-arg=-Wl,-rpath,{libdir}");
}
