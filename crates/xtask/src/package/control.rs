//! What dpkg is told of the package: its control file, its scripts, its changelog.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::arch::Arch;
use super::elf::Needs;
use super::source;
use super::tree::put;
use crate::shell::{command, read};

const MAINTAINER: &str = "The Vendlog founders <vendlog@example.com>";
const SCRIPTS: [&str; 3] = ["postinst", "prerm", "postrm"];

/// Debian's version: ours, and the first packaging of it.
pub fn version() -> String {
    format!("{}-1", env!("CARGO_PKG_VERSION"))
}

/// Seconds since 1970 that everything in the package is dated with: `SOURCE_DATE_EPOCH`, else the
/// last commit.
///
/// # Errors
/// It is no number.
pub fn source_date() -> Result<u64> {
    let said = match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(said) => said,
        Err(_) => read(command("git", &["log", "-1", "--format=%ct"]))
            .context("without git, set SOURCE_DATE_EPOCH to the seconds of the release")?,
    };
    said.trim()
        .parse()
        .with_context(|| format!("SOURCE_DATE_EPOCH is no number: {said}"))
}

/// Writes `DEBIAN/` beside the files that are there.
///
/// # Errors
/// A file cannot be read or written.
pub fn write(tree: &Path, arch: Arch, needs: &Needs) -> Result<()> {
    let mut files = Vec::new();
    list(tree, tree, &mut files)?;
    files.sort();
    let mut bytes = 0;
    let mut sums = String::new();
    for file in &files {
        let path = tree.join(file);
        bytes += fs::metadata(&path)
            .with_context(|| path.display().to_string())?
            .len();
        let mut md5sum = command("md5sum", &[file]);
        md5sum.current_dir(tree);
        sums.push_str(&read(md5sum)?);
    }
    put(tree, "DEBIAN/md5sums", sums.as_bytes(), 0o644)?;
    for script in SCRIPTS {
        let text = source(&format!("packaging/debian/{script}"))?;
        put(tree, &format!("DEBIAN/{script}"), text.as_bytes(), 0o755)?;
    }
    let text = control(arch, &needs.depends(), bytes.div_ceil(1024));
    put(tree, "DEBIAN/control", text.as_bytes(), 0o644)
}

fn control(arch: Arch, libraries: &[String], kilobytes: u64) -> String {
    let version = version();
    let arch = arch.debian();
    let libraries = libraries.join(", ");
    format!(
        "Package: vendlog-agent\n\
         Version: {version}\n\
         Architecture: {arch}\n\
         Maintainer: {MAINTAINER}\n\
         Installed-Size: {kilobytes}\n\
         Depends: {libraries}, adduser\n\
         Recommends: systemd, ca-certificates\n\
         Suggests: python3, acl\n\
         Section: admin\n\
         Priority: optional\n\
         Description: delivers a vending machine's logs to the operations PC\n \
         vendlog-agent reads the log of the application on a vending machine, takes out\n \
         card numbers, keeps every entry on the machine's own disk until it is\n \
         delivered, and sends it to the Vendlog server over WiFi.\n \
         .\n \
         The Python module vendlog hands entries to it from the application itself.\n"
    )
}

/// The one entry of the package's own changelog.
///
/// # Errors
/// `date` is not there.
pub fn debian_changelog(date: u64) -> Result<String> {
    let mut words = command("date", &["-u", "-R"]);
    words.arg(format!("-d@{date}")).env("LC_ALL", "C");
    let date = read(words)?;
    let version = version();
    Ok(format!(
        "vendlog-agent ({version}) bookworm; urgency=medium\n\n  \
         * What changed stands in changelog.gz.\n\n -- {MAINTAINER}  {date}"
    ))
}

/// Every file below, as a path from the tree's root.
fn list(tree: &Path, below: &Path, files: &mut Vec<String>) -> Result<()> {
    for entry in fs::read_dir(below).with_context(|| below.display().to_string())? {
        let path: PathBuf = entry?.path();
        if path.is_dir() {
            list(tree, &path, files)?;
        } else {
            let name = path.strip_prefix(tree).context("a file lies in its tree")?;
            files.push(name.to_string_lossy().into_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::root;

    #[test]
    fn the_control_file_names_what_the_program_needs() {
        let text = control(Arch::Arm64, &["libc6 (>= 2.34)".to_owned()], 8655);
        assert!(text.contains("\nArchitecture: arm64\n"), "{text}");
        assert!(
            text.contains("\nDepends: libc6 (>= 2.34), adduser\n"),
            "{text}"
        );
        assert!(text.contains("\nInstalled-Size: 8655\n"), "{text}");
        assert!(text.lines().all(|line| !line.trim().is_empty()), "{text}");
        for script in SCRIPTS {
            let path = root().join("packaging/debian").join(script);
            assert!(path.is_file(), "{}", path.display());
        }
    }
}
