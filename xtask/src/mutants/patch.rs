//! A mutant: a patch that says which invariant it breaks and which test must notice.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

/// A patch file.
#[derive(Debug)]
pub(super) struct Patch {
    pub(super) path: PathBuf,
    /// The file's name without `.patch`.
    pub(super) name: String,
    /// What it breaks, in words.
    pub(super) invariant: String,
    /// The arguments of cargo, `test` first.
    pub(super) test: Vec<String>,
}

impl Patch {
    /// Reads the patch at `path`.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(path, &text).with_context(|| format!("{} is no mutant", path.display()))
    }

    fn parse(path: &Path, text: &str) -> Result<Self> {
        let header: Vec<&str> =
            text.lines().take_while(|line| !line.starts_with("diff ") && !line.starts_with("--- ")).collect();
        let value = |key: &str| {
            let value =
                header.iter().find_map(|line| line.strip_prefix("# ")?.strip_prefix(key)?.strip_prefix(':'));
            value
                .map(str::trim)
                .filter(|value| !value.is_empty())
                .with_context(|| format!("a line `# {key}: …` must stand before the patch"))
        };
        let words: Vec<&str> = value("test")?.split_whitespace().collect();
        let ["cargo", "test", arguments @ ..] = words.as_slice() else {
            bail!("its test must be a `cargo test` command, not `{}`", words.join(" "));
        };
        if header.len() == text.lines().count() {
            bail!("there is no patch after the header");
        }
        let name = path.file_stem().and_then(|stem| stem.to_str()).context("its name is not UTF-8")?;
        Ok(Self {
            path: path.to_path_buf(),
            name: name.to_owned(),
            invariant: value("invariant")?.to_owned(),
            test: std::iter::once(&"test").chain(arguments).map(|word| (*word).to_owned()).collect(),
        })
    }

    /// The arguments of cargo that compile the test and do not run it.
    pub(super) fn compile(&self) -> Vec<String> {
        let mut arguments: Vec<String> = self.test.iter().take_while(|word| *word != "--").cloned().collect();
        arguments.push("--no-run".to_owned());
        arguments
    }

    /// The command, as a person types it.
    pub(super) fn test_line(&self) -> String {
        format!("cargo {}", self.test.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Patch;

    const DIFF: &str = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-one\n+two\n";

    fn parse(header: &str) -> anyhow::Result<Patch> {
        Patch::parse(Path::new("tests/mutants/no-purge.patch"), &format!("{header}{DIFF}"))
    }

    #[test]
    fn the_header_is_read() {
        let header = "# invariant: labels stay on their side\n# test: cargo test -p tapeline-data-pipeline purge -- --exact\n";
        let patch = parse(header).unwrap();
        assert_eq!(patch.name, "no-purge");
        assert_eq!(patch.invariant, "labels stay on their side");
        assert_eq!(patch.test, ["test", "-p", "tapeline-data-pipeline", "purge", "--", "--exact"]);
        assert_eq!(patch.compile(), ["test", "-p", "tapeline-data-pipeline", "purge", "--no-run"]);
        assert_eq!(patch.test_line(), "cargo test -p tapeline-data-pipeline purge -- --exact");
    }

    #[test]
    fn a_header_that_lacks_something_is_refused() {
        for header in [
            "",
            "# invariant: labels\n",
            "# test: cargo test -p x\n",
            "# invariant:\n# test: cargo test -p x\n",
            "# invariant: labels\n# test: make check\n",
            "# invariant: labels\n# test:\n",
        ] {
            assert!(parse(header).is_err(), "{header}");
        }
    }

    #[test]
    fn words_inside_the_patch_are_no_header() {
        assert!(
            Patch::parse(Path::new("a.patch"), &format!("{DIFF}# invariant: x\n# test: cargo test\n"))
                .is_err()
        );
    }

    #[test]
    fn a_header_alone_is_refused() {
        let alone = "# invariant: labels\n# test: cargo test -p x\n";
        assert!(Patch::parse(Path::new("a.patch"), alone).is_err());
    }
}
