//! The Debian packages of the agent, as `cargo xtask package` made them, and a bare Debian to install
//! them into.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Once;

use crate::binaries::{is_built, root, target};

/// A bare Debian 12; fetched by xtask, which checks that the name is the same.
const DEBIAN: &str = "debian-bookworm.tar";

/// The package for this architecture. Unless xtask has made it, xtask is asked once.
///
/// # Panics
/// It cannot be made.
pub fn package(arch: &str) -> PathBuf {
    let found = folder().join(format!(
        "vendlog-agent_{}-1_{arch}.deb",
        env!("CARGO_PKG_VERSION")
    ));
    assert!(found.is_file(), "{} must be there", found.display());
    found
}

/// Where xtask puts packages; they are as new as the sources.
fn folder() -> PathBuf {
    static MADE: Once = Once::new();
    MADE.call_once(|| {
        if !is_built() {
            xtask(&["package", "--for-tests"]);
        }
    });
    target().join("package")
}

/// Runs xtask.
///
/// # Panics
/// It fails.
pub fn xtask(words: &[&str]) {
    let mut xtask = Command::new(env!("CARGO"));
    xtask.args(["run", "--quiet", "--package", "xtask", "--"]);
    xtask.args(words).current_dir(root());
    let output = xtask.output().expect("cargo can be started");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "xtask {words:?}: {said}");
}

/// Unpacks a package below `to`, without installing it.
///
/// # Panics
/// It cannot be unpacked.
pub fn unpack(package: &Path, to: &Path) {
    let mut unpack = Command::new("dpkg-deb");
    unpack.arg("-x").arg(package).arg(to);
    must(&mut unpack);
}

/// Runs to the end; what it printed.
///
/// # Panics
/// It fails.
pub fn must(command: &mut Command) -> String {
    let output = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{command:?}: {out}{err}");
    out + &err
}

/// A command as root: as we are, or with sudo.
pub fn as_root(program: &str) -> Command {
    let is_root = fs::metadata("/proc/self").is_ok_and(|meta| meta.uid() == 0);
    if is_root {
        return Command::new(program);
    }
    let mut sudo = Command::new("sudo");
    sudo.arg("-n").arg(program);
    sudo
}

/// A bare Debian 12 in a folder of its own; gone when dropped.
pub struct Debian {
    dir: tempfile::TempDir,
}

impl Debian {
    /// A new one.
    ///
    /// # Panics
    /// It cannot be unpacked; that needs root.
    pub fn new() -> Debian {
        let dir = tempfile::tempdir().expect("a directory");
        let archive = folder().join(DEBIAN);
        // Without devices: the packages need none but this.
        let mut tar = as_root("tar");
        tar.args(["--exclude=./dev/*", "-xf"]).arg(archive);
        must(tar.arg("-C").arg(dir.path()));
        let debian = Debian { dir };
        must(
            as_root("mknod")
                .arg(debian.path("dev/null"))
                .args(["c", "1", "3"]),
        );
        must(as_root("chmod").arg("666").arg(debian.path("dev/null")));
        must(as_root("chmod").arg("755").arg(debian.dir.path()));
        debian
    }

    /// A place inside.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name.trim_start_matches('/'))
    }

    /// Runs a shell command inside, as root; what it printed.
    ///
    /// # Panics
    /// It fails.
    pub fn sh(&self, line: &str) -> String {
        must(&mut self.command(&["sh", "-c", line]))
    }

    /// A command inside, as root.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = as_root("chroot");
        command.arg(self.dir.path()).args(words);
        command
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("LC_ALL", "C")
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command
    }

    /// Puts a file inside.
    ///
    /// # Panics
    /// It cannot be written.
    pub fn put(&self, name: &str, text: &str) {
        let apart = tempfile::NamedTempFile::new().expect("a file");
        fs::write(apart.path(), text).expect("it can be written");
        must(
            as_root("install")
                .args(["-m", "644"])
                .arg(apart.path())
                .arg(self.path(name)),
        );
    }

    /// Every path inside with its mode, owner and length, but what dpkg keeps for itself.
    pub fn listing(&self) -> Vec<String> {
        const DPKGS: &str =
            "/var/lib/dpkg/* /var/log/dpkg.log /var/cache/* /var/log/alternatives.log";
        let mut find = String::from("find / -xdev");
        for own in DPKGS.split(' ') {
            find.push_str(&format!(" -not -path '{own}'"));
        }
        // Directories grow as they like.
        find.push_str(" \\( -type d -printf '%p %m %U:%G\\n' -o -printf '%p %m %U:%G %s\\n' \\)");
        let mut lines: Vec<String> = self.sh(&find).lines().map(str::to_owned).collect();
        lines.sort();
        lines
    }
}

impl Default for Debian {
    fn default() -> Debian {
        Debian::new()
    }
}

impl Drop for Debian {
    fn drop(&mut self) {
        // Its files are root's. Never across a mount.
        let mut rm = as_root("rm");
        rm.args(["-rf", "--one-file-system"]).arg(self.dir.path());
        let _ = rm.status();
    }
}
