//! The bare Debian 12 that the package's test installs into: fetched once, kept as an archive.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::say::{duration, say};
use crate::setup;

/// The archive's name in the folder of packages; the test looks for it there.
const NAME: &str = "debian-bookworm.tar";
/// What the maintainer scripts use beyond what every Debian has.
const WITH: &str = "--include=adduser";

/// Fetches it when it is not there.
///
/// # Errors
/// The mirror does not answer, or we are neither root nor is there sudo.
pub fn fetch(folder: &Path) -> Result<()> {
    let archive = folder.join(NAME);
    if archive.is_file() {
        say("package", "the bare Debian for the test is there");
        return Ok(());
    }
    say(
        "package",
        "fetching a bare Debian 12 to install into; this takes a minute, once",
    );
    let began = Instant::now();
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    // A half-fetched one must not be taken for a whole one.
    let partial = folder.join("debian-bookworm.partial.tar");
    let path = partial.to_string_lossy();
    let words = [
        "mmdebstrap",
        "--quiet",
        "--variant=essential",
        WITH,
        "bookworm",
        &path,
    ];
    let by_hand = format!("fetch it with: sudo {}", words.join(" "));
    setup::as_root(&words, &by_hand)?;
    fs::rename(&partial, &archive).context("cannot keep the bare Debian")?;
    say(
        "package",
        format!("fetched in {}", duration(began.elapsed())),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_test_of_the_packages_looks_for_this_archive() {
        let test = crate::shell::root().join("tests/src/package.rs");
        let text = std::fs::read_to_string(test).expect("the test's sources");
        assert!(text.contains(super::NAME));
    }
}
