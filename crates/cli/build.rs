//! Tells the binary where libtorch is and which commit it was built from.
#![expect(clippy::disallowed_methods, reason = "this is how cargo speaks to a build script")]

use std::process::Command;

fn main() {
    if let Ok(libdir) = std::env::var("DEP_TAPELINE_TORCH_EXT_LIBDIR") {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{libdir}");
    }
    println!("cargo::rerun-if-changed=../../.git/HEAD");
    println!("cargo::rerun-if-changed=../../.git/refs/heads");
    let commit = Command::new("git").args(["rev-parse", "--short=12", "HEAD"]).output();
    let commit = commit.ok().filter(|output| output.status.success());
    let commit = commit.and_then(|output| String::from_utf8(output.stdout).ok());
    println!("cargo::rustc-env=BUILT_FROM_COMMIT={}", commit.as_deref().map_or("unknown", str::trim));
}
