//! Our libraries in somebody else's workspace: bars without libtorch, and a network trained with it. The programs are examples
//! of their crates, so that whoever changes a library hears of it from the compiler.
//!
//! The workspaces borrow this checkout's lock file, profile and target folder, so that what was built for it serves them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::program::forget_the_user;

const CHECKOUT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The two lines that tell a program where libtorch is, as the first page of `tapeline-torch-ext` has them.
const BUILD_SCRIPT: &str = r#"fn main() {
    let libdir = std::env::var("DEP_TAPELINE_TORCH_EXT_LIBDIR").expect("a dependency on tapeline-torch-ext");
    println!("cargo::rustc-link-arg=-Wl,-rpath,{libdir}");
}
"#;

/// A workspace of one program, outside of this one.
struct Consumer {
    folder: TempDir,
    name: &'static str,
}

impl Consumer {
    /// `main` as a program that depends on `ours` and, as our own libraries do, on `theirs`.
    fn new(name: &'static str, main: &str, ours: &[&str], theirs: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let checkout = fs::canonicalize(CHECKOUT).unwrap();
        let root = fs::read_to_string(checkout.join("Cargo.toml")).unwrap();
        let ours = ours
            .iter()
            .map(|name| format!("tapeline-{name} = {{ path = {:?} }}", checkout.join("crates").join(name)));
        let theirs = theirs.iter().map(|name| {
            let line = root.lines().find(|line| line.starts_with(&format!("{name} = ")));
            line.expect("a dependency of the checkout").to_owned()
        });
        let dependencies: Vec<String> = ours.chain(theirs).collect();
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
             [dependencies]\n{}\n\n[workspace]\n\n{}",
            dependencies.join("\n"),
            ["[profile.dev]", "[profile.dev.package.\"*\"]"].map(|header| section(&root, header)).join("\n")
        );
        fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
        fs::copy(checkout.join("Cargo.lock"), folder.path().join("Cargo.lock")).unwrap();
        fs::create_dir(folder.path().join("src")).unwrap();
        fs::write(folder.path().join("src/main.rs"), main).unwrap();
        Self { folder, name }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Cargo here, as in a fresh shell, with this libtorch.
    fn cargo(&self, libtorch: Option<&str>, arguments: &[&str]) -> Command {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(arguments).arg("--offline").current_dir(self.folder.path());
        forget_the_user(&mut cargo);
        // What cargo says of the package under test is not true of this one.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"].iter().any(|of| name.starts_with(of)) {
                cargo.env_remove(name);
            }
        }
        cargo.env("CARGO_TARGET_DIR", target_folder());
        match libtorch {
            Some(folder) => cargo.env("LIBTORCH", folder),
            None => cargo.env_remove("LIBTORCH"),
        };
        cargo
    }

    /// Builds the program and runs it; what it printed, and what cargo said.
    fn build_and_run(&self, libtorch: Option<&str>) -> (String, String) {
        let built = succeeded(&mut self.cargo(libtorch, &["build", "--verbose"]));
        let mut program = Command::new(target_folder().join("debug").join(self.name));
        forget_the_user(&mut program);
        program.env_remove("LIBTORCH");
        let said = succeeded(program.current_dir(self.folder.path()));
        (String::from_utf8(said.stdout).unwrap(), String::from_utf8(built.stderr).unwrap())
    }

    /// The names of all packages that are built.
    fn packages(&self) -> Vec<String> {
        let tree = ["tree", "--prefix", "none", "--edges", "normal,build", "--format", "{p}"];
        let listed = succeeded(&mut self.cargo(None, &tree));
        let text = String::from_utf8(listed.stdout).unwrap();
        text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
    }
}

#[track_caller]
fn succeeded(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// Where cargo built the program under test.
fn target_folder() -> &'static Path {
    let profile_folder = Path::new(env!("CARGO_BIN_EXE_tapeline")).parent().unwrap();
    profile_folder.parent().unwrap()
}

/// A section of a manifest, header and all.
fn section<'a>(manifest: &'a str, header: &str) -> &'a str {
    let begin = manifest.find(header).expect("the section");
    let rest = &manifest[begin..];
    rest.find("\n\n").map_or(rest, |end| &rest[..=end])
}

/// The libtorch that this test was built with, to the letter: another spelling builds torch-sys again.
const LIBTORCH: &str = env!("LIBTORCH");

#[test]
fn bars_and_windows_do_not_need_libtorch() {
    // `tempfile` also brings features of its dependencies with which this checkout's libraries were built.
    let program = include_str!("../../crates/data-pipeline/examples/windows.rs");
    let consumer = Consumer::new("tapeline-consumer-of-bars", program, &["data-pipeline"], &["tempfile"]);
    let (printed, _) = consumer.build_and_run(None);
    assert_eq!(printed, "2 symbols, 2 inputs, finite: true\n");
    let packages = consumer.packages();
    assert!(packages.iter().any(|name| name == "arrow"), "{packages:?}");
    assert!(!packages.iter().any(|name| name == "tch" || name == "torch-sys"), "{packages:?}");
}

#[test]
fn a_network_is_trained_by_a_program_of_somebody_else() {
    let ours = ["data-pipeline", "events", "models", "torch-ext", "trainer"];
    let program = include_str!("../../crates/trainer/examples/training.rs");
    let consumer = Consumer::new("tapeline-consumer-of-training", program, &ours, &["tch", "tempfile"]);
    fs::write(consumer.file("build.rs"), BUILD_SCRIPT).unwrap();
    let (printed, built) = consumer.build_and_run(Some(LIBTORCH));
    assert!(printed.starts_with("trained ") && printed.ends_with("finite: true\n"), "{printed}");
    for line in built.lines().filter(|line| line.contains("torch-sys v")) {
        println!("{}", line.trim());
    }
}
