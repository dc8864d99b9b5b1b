//! What a program asks of the system it runs on, as `readelf` shows it.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::shell::{command, read};

/// The C library of Debian 12 and of Raspberry Pi OS bookworm.
const GLIBC_MOST: Version = Version(2, 36);
/// A program that links the C library names at least this version.
const GLIBC_LEAST: Version = Version(2, 17);

/// A version of the C library.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Version(u32, u32);

/// The libraries that a program is linked with.
#[derive(Debug, PartialEq, Eq)]
pub struct Needs {
    /// By their file names.
    libraries: BTreeSet<String>,
    glibc: Version,
}

impl Needs {
    /// Reads them from a binary of any architecture.
    ///
    /// # Errors
    /// It is no program, or `readelf` is not there.
    pub fn read(binary: &Path) -> Result<Needs> {
        let mut readelf = command("readelf", &["--wide", "--dynamic", "--version-info"]);
        readelf.arg(binary).env("LC_ALL", "C");
        Needs::parse(&read(readelf)?)
            .with_context(|| format!("{} is no program for Linux", binary.display()))
    }

    fn parse(text: &str) -> Option<Needs> {
        let between = |line: &str, from: &str, to: &str| {
            let rest = line.split_once(from)?.1;
            Some(rest.split_once(to)?.0.to_owned())
        };
        let libraries = text
            .lines()
            .filter(|line| line.contains("(NEEDED)"))
            .filter_map(|line| between(line, "[", "]"))
            .collect();
        let glibc = text
            .split("GLIBC_")
            .skip(1)
            .filter_map(|rest| {
                let word = rest
                    .split(|c: char| !c.is_ascii_digit() && c != '.')
                    .next()?;
                let mut numbers = word.split('.').map(str::parse);
                Some(Version(numbers.next()?.ok()?, numbers.next()?.ok()?))
            })
            .max()?;
        Some(Needs { libraries, glibc })
    }

    /// Whether it runs on the oldest system that it is made for.
    ///
    /// # Errors
    /// It needs a newer C library, or a library that no dependency is known for.
    pub fn check(&self) -> Result<()> {
        if self.glibc > GLIBC_MOST {
            bail!(
                "the agent would need glibc {}, and Debian 12 has {GLIBC_MOST}; build it on Debian 12",
                self.glibc
            );
        }
        let known = ["ld-linux-", "libc.so.", "libm.so.", "libgcc_s.so."];
        let unknown = |name: &&String| !known.iter().any(|known| name.starts_with(known));
        match self.libraries.iter().find(unknown) {
            Some(name) => bail!("the agent is linked with {name}, which no package is named for"),
            None => Ok(()),
        }
    }

    /// The `Depends` that follow.
    pub fn depends(&self) -> Vec<String> {
        let glibc = self.glibc.max(GLIBC_LEAST);
        let mut depends = vec![format!("libc6 (>= {glibc})")];
        if self
            .libraries
            .iter()
            .any(|name| name.starts_with("libgcc_s.so."))
        {
            // The unwinder has been the same since.
            depends.push("libgcc-s1 (>= 4.2)".to_owned());
        }
        depends
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

impl fmt::Display for Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let libraries: Vec<&str> = self.libraries.iter().map(String::as_str).collect();
        write!(
            f,
            "glibc {} at most (Debian 12 has {GLIBC_MOST}): {}",
            self.glibc,
            libraries.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOWN: &str = "\
 0x0000000000000001 (NEEDED)             Shared library: [libgcc_s.so.1]
 0x0000000000000001 (NEEDED)             Shared library: [libc.so.6]
 0x0000000000000001 (NEEDED)             Shared library: [ld-linux-aarch64.so.1]
  0x0010:   Name: GLIBC_2.17  Flags: none  Version: 4
  0x0020:   Name: GLIBC_2.34  Flags: none  Version: 3
  0x0030:   Name: GCC_3.0  Flags: none  Version: 2";

    #[test]
    fn the_newest_symbol_and_the_libraries_make_the_dependencies() {
        let needs = Needs::parse(SHOWN).expect("it is a program");
        assert_eq!(needs.glibc, Version(2, 34));
        assert_eq!(needs.depends(), ["libc6 (>= 2.34)", "libgcc-s1 (>= 4.2)"]);
        needs.check().expect("Debian 12 has it");
    }

    #[test]
    fn what_debian_12_does_not_have_is_refused() {
        let newer = SHOWN.replace("2.34", "2.38");
        let needs = Needs::parse(&newer).expect("it is a program");
        assert!(
            needs
                .check()
                .unwrap_err()
                .to_string()
                .contains("glibc 2.38")
        );
        let other = SHOWN.replace("libgcc_s.so.1", "libssl.so.3");
        let needs = Needs::parse(&other).expect("it is a program");
        assert!(
            needs
                .check()
                .unwrap_err()
                .to_string()
                .contains("libssl.so.3")
        );
        assert_eq!(Needs::parse("no program"), None);
    }
}
