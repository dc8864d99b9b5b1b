//! The kinds of machine that a package is made for.

/// A Debian architecture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arch {
    /// PCs, and this machine.
    Amd64,
    /// A Raspberry Pi 3 or later with a 64-bit system.
    Arm64,
}

impl Arch {
    /// Every one that is packaged.
    pub const ALL: [Arch; 2] = [Arch::Amd64, Arch::Arm64];

    /// By Debian's name.
    pub fn named(name: &str) -> Option<Arch> {
        Arch::ALL.into_iter().find(|arch| arch.debian() == name)
    }

    /// Debian's name.
    pub fn debian(self) -> &'static str {
        match self {
            Arch::Amd64 => "amd64",
            Arch::Arm64 => "arm64",
        }
    }

    /// Rust's target.
    pub fn target(self) -> &'static str {
        match self {
            Arch::Amd64 => "x86_64-unknown-linux-gnu",
            Arch::Arm64 => "aarch64-unknown-linux-gnu",
        }
    }
}
