//! Builds the agent for a package: for this machine with our own Rust, for the Pi with Debian's, which
//! has a standard library for it. Each in a build directory of its own, beside the usual one.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use super::arch::Arch;
use super::folder;
use crate::say::say;
use crate::shell::{cargo, command, must, root};

/// Smaller than a release: no line tables, no symbols.
const PROFILE: &str = "packaged";

/// The agent's binary for this kind of machine.
///
/// # Errors
/// It does not build here.
pub fn agent(arch: Arch) -> Result<PathBuf> {
    say(
        "package",
        format!(
            "building the agent for {}; the first time takes minutes",
            arch.debian()
        ),
    );
    let mut build = match arch {
        Arch::Amd64 if !cfg!(all(target_os = "linux", target_arch = "x86_64")) => {
            bail!("the package for amd64 is made on a 64-bit PC with Debian 12")
        }
        Arch::Amd64 => cargo(&["build"]),
        Arch::Arm64 => debians_cargo(),
    };
    let target_dir = folder().join("build");
    build
        .args([
            "--locked",
            "--package",
            "edge-agent",
            "--bin",
            "vendlog-agent",
        ])
        .args([
            "--profile",
            PROFILE,
            "--target",
            arch.target(),
            "--target-dir",
        ])
        .arg(&target_dir)
        .env(
            format!("CARGO_TARGET_{}_RUSTFLAGS", variable(arch).to_uppercase()),
            without_paths(),
        );
    must(build)?;
    Ok(target_dir
        .join(arch.target())
        .join(PROFILE)
        .join("vendlog-agent"))
}

/// `rustc-web` and `cargo-web` with `libstd-rust-web-dev:arm64`, and the linker of
/// `gcc-aarch64-linux-gnu`.
fn debians_cargo() -> Command {
    let mut build = command("/usr/bin/cargo", &["build"]);
    let mut path = OsString::from("/usr/bin:");
    path.push(env::var_os("PATH").unwrap_or_default());
    build.env("PATH", path);
    // What the cargo that started us says of its own toolchain.
    for ours in [
        "CARGO",
        "RUSTC",
        "RUSTDOC",
        "RUSTUP_HOME",
        "RUSTUP_TOOLCHAIN",
        "RUSTFLAGS",
    ] {
        build.env_remove(ours);
    }
    let arch = variable(Arch::Arm64);
    build
        .env(
            format!("CARGO_TARGET_{}_LINKER", arch.to_uppercase()),
            "aarch64-linux-gnu-gcc",
        )
        .env(format!("CC_{arch}"), "aarch64-linux-gnu-gcc")
        .env(format!("AR_{arch}"), "aarch64-linux-gnu-ar");
    build
}

/// The target's name as it stands in names of variables.
fn variable(arch: Arch) -> String {
    arch.target().replace('-', "_")
}

/// The binary must not say where it was built, and be the same wherever that was.
fn without_paths() -> String {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| {
        let home = env::var_os("HOME")?;
        Some(PathBuf::from(home).join(".cargo"))
    });
    let mut flags = format!("--remap-path-prefix={}=/vendlog", root().display());
    if let Some(home) = home {
        flags.push_str(&format!(" --remap-path-prefix={}=/cargo", home.display()));
    }
    flags
}
