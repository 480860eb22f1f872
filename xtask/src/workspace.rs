//! Where this checkout is, and how cargo is called in it.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context as _, Result};
use cargo_metadata::{Metadata, MetadataCommand};

/// This checkout.
pub(crate) struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// The checkout that holds this program's manifest.
    pub(crate) fn find() -> Result<Self> {
        // Cargo sets the variable for what it runs; the compiled-in value serves a direct call of the binary.
        let manifest_dir =
            env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root =
            Path::new(&manifest_dir).parent().context("the manifest of xtask has no folder above it")?;
        Ok(Self { root: root.to_path_buf() })
    }

    /// Its top folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// `program` in the top folder.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        forget_cargo_run(&mut command);
        command
    }

    /// Cargo in the top folder, seeing the environment that a plain `cargo build` there would see.
    ///
    /// `LIBTORCH` is taken out, so that the value in `.cargo/libtorch.toml` rules for everyone alike.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = self.command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.env_remove("LIBTORCH");
        command
    }

    /// What `cargo metadata` says of this workspace and, with every feature on, of all it depends on.
    pub(crate) fn metadata(&self) -> Result<Metadata> {
        MetadataCommand::new()
            .current_dir(&self.root)
            .features(cargo_metadata::CargoOpt::AllFeatures)
            .other_options(["--filter-platform".to_owned(), "x86_64-unknown-linux-gnu".to_owned()])
            .exec()
            .context("cargo metadata failed")
    }
}

/// Takes out what `cargo run` set for this program alone: inherited, it would pass for another package's description.
pub(crate) fn forget_cargo_run(command: &mut Command) {
    for (name, _) in env::vars_os() {
        let of_package = name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") || name == "CARGO_BIN_NAME"
        });
        if of_package {
            command.env_remove(name);
        }
    }
}

/// Runs `command` to its end, with our own input and output.
pub(crate) fn run(command: &mut Command) -> Result<ExitStatus> {
    let program = command.get_program().to_os_string();
    command.status().with_context(|| format!("cannot start {}", program.display()))
}

/// The exit code that passes `status` on: its own code, or 128 and the signal's number, as a shell has it.
pub(crate) fn exit_code(status: ExitStatus) -> ExitCode {
    use std::os::unix::process::ExitStatusExt as _;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}
