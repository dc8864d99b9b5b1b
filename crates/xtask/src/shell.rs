//! Starting other programs, from the root of the tree.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The root of the tree.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("crates/xtask lies two folders below the root")
        .to_owned()
}

/// The build directory.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// A debug binary of the product.
pub fn binary(name: &str) -> PathBuf {
    target()
        .join("debug")
        .join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// A program with its arguments, to be started at the root without standard input.
pub fn command<S: AsRef<OsStr>>(program: impl AsRef<OsStr>, arguments: &[S]) -> Command {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(root())
        .stdin(Stdio::null());
    command
}

/// The cargo that started us, so that `+toolchain` and wrappers stay in force.
pub fn cargo(arguments: &[&str]) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    command(cargo, arguments)
}

/// npm in the folder of the UI.
pub fn npm(arguments: &[&str]) -> Command {
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let mut command = command(npm, arguments);
    command.current_dir(root().join("ui"));
    command
}

/// Runs to the end with the terminal's output.
///
/// # Errors
/// The program cannot be started or fails.
pub fn must(mut command: Command) -> Result<()> {
    let shown = shown(&command);
    let status = command
        .status()
        .with_context(|| format!("cannot start {shown}"))?;
    if status.success() {
        Ok(())
    } else {
        bail!("{shown} failed ({status})")
    }
}

/// Runs to the end and gives back what it printed on standard output; standard error is shown.
///
/// # Errors
/// The program cannot be started, fails, or prints what is no text.
pub fn read(mut command: Command) -> Result<String> {
    let shown = shown(&command);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start {shown}"))?;
    if !output.status.success() {
        bail!("{shown} failed ({})", output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("{shown} printed no text"))
}

/// Runs to the end with this text on standard input; what it prints is not shown.
///
/// # Errors
/// The program cannot be started, or fails.
pub fn feed(mut command: Command, text: &str) -> Result<()> {
    let shown = shown(&command);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start {shown}"))?;
    let mut stdin = child.stdin.take().context("a piped input is there")?;
    let fed = stdin.write_all(text.as_bytes());
    drop(stdin);
    let status = child.wait().with_context(|| format!("{shown} is gone"))?;
    if !status.success() {
        bail!("{shown} failed ({status})");
    }
    fed.with_context(|| format!("{shown} did not read what it was given"))
}

/// Whether it runs and succeeds; its output is not shown.
pub fn works(mut command: Command) -> bool {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program
        .file_name()
        .unwrap_or(command.get_program())
        .to_string_lossy();
    let words: Vec<_> = command
        .get_args()
        .map(|word| word.to_string_lossy())
        .collect();
    format!("{name} {}", words.join(" "))
}
