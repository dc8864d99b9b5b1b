//! `cargo xtask package`: the agent as Debian packages, for PCs (amd64) and for the Raspberry Pi
//! with a 64-bit system (arm64). Knows how a package is made; what the agent does is not its matter.

mod arch;
mod base;
mod build;
mod control;
mod elf;
mod tree;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};

use crate::say::{duration, say};
use crate::setup;
use crate::shell::{self, command, must, target};
pub use arch::Arch;

/// What was asked for.
pub struct Options {
    arches: Vec<Arch>,
    out: PathBuf,
}

impl Options {
    /// Reads `[--arch amd64|arm64] [--out DIR]`; `None` when a word is not known.
    pub fn parse(words: &[&str]) -> Option<Options> {
        let mut options = Options {
            arches: Arch::ALL.to_vec(),
            out: folder(),
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match (*word, words.next()?) {
                ("--arch", name) => options.arches = vec![Arch::named(name)?],
                // As the person who types it sees it, not from the root of the tree.
                ("--out", dir) => options.out = std::path::absolute(dir).ok()?,
                _ => return None,
            }
        }
        Some(options)
    }
}

/// Where packages lie, and what making them leaves.
pub fn folder() -> PathBuf {
    target().join("package")
}

/// Builds and packs; prints the path of each package on standard output.
///
/// # Errors
/// Something cannot be installed, built or packed, or would not run on Debian 12.
pub fn run(options: &Options) -> Result<()> {
    setup::for_packages(options.arches.contains(&Arch::Arm64))?;
    for arch in &options.arches {
        let began = Instant::now();
        let binary = build::agent(*arch)?;
        let built = began.elapsed();
        let package = pack(*arch, &binary, &options.out)?;
        say(
            "package",
            format!(
                "{} in {} (building {})",
                package.display(),
                duration(began.elapsed()),
                duration(built)
            ),
        );
        println!("{}", package.display());
    }
    Ok(())
}

/// Both packages and the bare Debian that they are installed into by their tests.
///
/// # Errors
/// As [`run`], or Debian cannot be fetched.
pub fn for_tests() -> Result<()> {
    let options = Options {
        arches: Arch::ALL.to_vec(),
        out: folder(),
    };
    run(&options)?;
    base::fetch(&folder())
}

/// Lays out the files and packs them; the same sources make the same bytes.
fn pack(arch: Arch, binary: &Path, out: &Path) -> Result<PathBuf> {
    let needs = elf::Needs::read(binary)?;
    needs.check()?;
    say("package", format!("{} needs {needs}", arch.debian()));
    let date = control::source_date()?;
    let root = folder().join(format!("tree-{}", arch.debian()));
    if root.exists() {
        fs::remove_dir_all(&root).with_context(|| format!("cannot clear {}", root.display()))?;
    }
    tree::lay_out(&root, binary, date)?;
    control::write(&root, arch, &needs)?;
    fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
    let version = control::version();
    let package = out.join(format!("vendlog-agent_{version}_{}.deb", arch.debian()));
    let mut build = command(
        "dpkg-deb",
        // xz: an older dpkg reads it too.
        &[
            "--root-owner-group",
            "--uniform-compression",
            "-Zxz",
            "--build",
        ],
    );
    build.arg(&root).arg(&package);
    // dpkg-deb makes no file newer than this.
    build.env("SOURCE_DATE_EPOCH", date.to_string());
    build.stdout(std::io::stderr());
    must(build)?;
    Ok(package)
}

/// A file of the tree as text.
fn source(name: &str) -> Result<String> {
    fs::read_to_string(shell::root().join(name)).with_context(|| name.to_owned())
}
