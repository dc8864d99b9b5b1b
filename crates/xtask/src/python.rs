//! The tests of the Python module, run by every Python that is found: the oldest ones are on the
//! machines in the field.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::say::say;
use crate::shell::{command, root};

/// Prints version, and fails for one that is too old for the module.
const VERSION: &str = "import sys; print('%d.%d.%d' % sys.version_info[:3]); \
                       sys.exit(sys.version_info < (3, 7))";

/// Runs the module's tests with every interpreter beside each other; how many tests passed.
///
/// # Errors
/// There is no Python 3.7 or later, or a test fails; its output stands above.
pub fn test() -> Result<u64> {
    let interpreters = interpreters();
    if interpreters.is_empty() {
        bail!("there is no Python 3.7 or later; install python3");
    }
    let begin = |(version, path): (String, PathBuf)| Ok((version, begin(&path)?));
    let running: Result<Vec<(String, Child)>> = interpreters.into_iter().map(begin).collect();
    let mut passed = 0;
    let mut failed = Vec::new();
    for (version, child) in running? {
        let output = child.wait_with_output().context("a Python is gone")?;
        let text = String::from_utf8_lossy(&output.stderr);
        match (output.status.success(), ran(&text)) {
            (true, Some(count)) if count > 0 => {
                say("python", format!("{version}: {count} tests passed"));
                passed += count;
            }
            _ => {
                eprintln!("{text}");
                failed.push(version);
            }
        }
    }
    if failed.is_empty() {
        Ok(passed)
    } else {
        bail!(
            "tests of the Python module fail with Python {}",
            failed.join(", ")
        )
    }
}

fn begin(interpreter: &Path) -> Result<Child> {
    let mut tests = command(interpreter, &["-m", "unittest"]);
    tests
        .current_dir(root().join("python"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    tests
        .spawn()
        .with_context(|| format!("cannot start {}", interpreter.display()))
}

/// The count of `Ran 24 tests in 6.4s`.
fn ran(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("Ran "))?;
    line.split(' ').next()?.parse().ok()
}

/// One interpreter of each version: on the PATH, and those of pyenv.
fn interpreters() -> BTreeMap<String, PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = env::split_paths(&path).collect();
    let home = env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    if let Ok(versions) = fs::read_dir(home.join(".pyenv").join("versions")) {
        folders.extend(versions.flatten().map(|entry| entry.path().join("bin")));
    }
    let mut found = BTreeMap::new();
    for path in folders.iter().flat_map(|folder| pythons(folder)) {
        if let Some(version) = version(&path) {
            found.entry(version).or_insert(path);
        }
    }
    found
}

/// `python3` and `python3.N` in a folder.
fn pythons(folder: &Path) -> Vec<PathBuf> {
    let is_python = |name: &str| {
        name.strip_prefix("python3").is_some_and(|rest| {
            rest.is_empty()
                || rest
                    .strip_prefix('.')
                    .is_some_and(|n| n.parse::<u8>().is_ok())
        })
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_name().to_str().is_some_and(is_python))
        .map(|entry| entry.path())
        .collect()
}

/// `None` for one that is too old or does not run, as the shims of pyenv for versions not in use.
fn version(interpreter: &Path) -> Option<String> {
    let output = Command::new(interpreter)
        .args(["-c", VERSION])
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_of_unittest_is_read() {
        assert_eq!(ran("......\n---\nRan 24 tests in 6.4s\n\nOK\n"), Some(24));
        assert_eq!(ran("Traceback"), None);
    }
}
