//! The program as a shell starts it, in an environment that nobody has set up.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output};

/// Exit codes, as the manual has them.
pub(crate) const DONE: i32 = 0;
pub(crate) const FAILED: i32 = 1;
pub(crate) const BAD_INPUT: i32 = 2;
pub(crate) const INTERRUPTED: i32 = 130;

/// `tapeline` with `arguments` in `folder`.
pub(crate) fn tapeline<A: AsRef<OsStr>>(folder: &Path, arguments: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tapeline"));
    command.args(arguments).current_dir(folder);
    forget_the_user(&mut command);
    command
}

/// Takes out what a user may have set, and the library path that cargo sets for tests: the program finds libtorch itself.
pub(crate) fn forget_the_user(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let name_text = name.to_string_lossy().to_ascii_uppercase();
        if name_text.starts_with("TAPELINE_") || name_text.starts_with("RUST_") {
            command.env_remove(&name);
        }
    }
    command.env_remove("LD_LIBRARY_PATH");
}

/// What the program said and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    /// Waits for `command`. However it ends, it has not panicked, and nothing it says is meant for a terminal.
    pub(crate) fn by(mut command: Command) -> Self {
        Self::of(command.output().unwrap())
    }

    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let said =
            Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) };
        assert!(!said.stderr.contains("panicked"), "{said}");
        assert!(!said.stdout.contains('\u{1b}') && !said.stderr.contains('\u{1b}'), "{said:?}");
        said
    }

    /// Itself, if it ended with `code`.
    #[track_caller]
    pub(crate) fn ended_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Itself, if it complained in these words.
    #[track_caller]
    pub(crate) fn complaining(self, words: &str) -> Self {
        assert!(self.stderr.contains(words), "expected {words:?} in\n{self}");
        self
    }

    /// Itself, if it printed these words.
    #[track_caller]
    pub(crate) fn printing(self, words: &str) -> Self {
        assert!(self.stdout.contains(words), "expected {words:?} in\n{self}");
        self
    }
}

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "code {:?}\nstdout:\n{}\nstderr:\n{}", self.code, self.stdout, self.stderr)
    }
}

/// Sends a signal by its name, such as `INT`.
pub(crate) fn send(signal: &str, process: u32) {
    // The shell's own `kill`: the program of that name is not everywhere.
    let sent =
        Command::new("sh").args(["-c", "kill -s \"$0\" \"$1\"", signal, &process.to_string()]).status();
    assert!(sent.unwrap().success());
}
