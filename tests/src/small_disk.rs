//! A small disk that can be filled and freed: a tmpfs that only the test's own process sees, and that
//! goes with it. For root, and for everybody where the system allows user namespaces.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Tells a test's process that it was started where mounting is allowed.
const INSIDE: &str = "VENDLOG_TEST_MAY_MOUNT";
/// How mounting may be allowed: as root, or as the root of a user namespace.
const WAYS: [&[&str]; 2] = [&["-m"], &["-r", "-m"]];
/// The step in which a disk is filled.
const PIECE_BYTES: usize = 64 * 1024;

/// Runs `test` in a process that may mount: this one when it already is, else a new one of the same
/// test binary, for the test of this name alone.
///
/// # Panics
/// The test fails, or nothing here allows a mount.
pub fn where_mounting_is_allowed(name: &str, test: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        return test();
    }
    let may_mount = |way: &&[&str]| {
        let probe = ["mount", "-t", "tmpfs", "tmpfs", "/mnt"];
        let tried = Command::new("unshare").args(*way).args(probe).output();
        tried.is_ok_and(|output| output.status.success())
    };
    let way = WAYS.into_iter().find(may_mount).expect(
        "a small disk needs a mount: run as root, or allow user namespaces \
         (sysctl kernel.unprivileged_userns_clone=1)",
    );
    let this = std::env::current_exe().expect("a running test has a path");
    let output = Command::new("unshare")
        .args(way)
        .arg(this)
        .args(["--exact", "--nocapture", name])
        .env(INSIDE, "1")
        .output()
        .expect("unshare is there");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    println!("{}", text(&output.stdout));
    assert!(
        output.status.success() && text(&output.stdout).contains("1 passed"),
        "{}",
        text(&output.stderr)
    );
}

/// A mounted tmpfs.
pub struct SmallDisk {
    path: PathBuf,
}

impl SmallDisk {
    /// Mounts one of so many bytes at `path`, which is made.
    ///
    /// # Panics
    /// It cannot be mounted.
    pub fn mount(path: &Path, bytes: u64) -> SmallDisk {
        std::fs::create_dir_all(path).expect("a mount point");
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={bytes}"), "tmpfs"])
            .arg(path)
            .status();
        assert!(status.is_ok_and(|s| s.success()), "mounts are allowed here");
        SmallDisk {
            path: path.to_owned(),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Another program takes all but so many bytes.
    ///
    /// # Panics
    /// The disk cannot be written while there is room.
    pub fn fill_but(&self, left_bytes: u64) {
        let mut file = File::options()
            .create(true)
            .append(true)
            .open(self.ballast())
            .expect("the ballast");
        while self.free_bytes() > left_bytes {
            let most = (self.free_bytes() - left_bytes).min(PIECE_BYTES as u64) as usize;
            if file.write_all(&vec![b'x'; most]).is_err() {
                return;
            }
        }
    }

    /// The other program gives it back.
    ///
    /// # Panics
    /// It was never filled.
    pub fn free(&self) {
        std::fs::remove_file(self.ballast()).expect("the ballast goes");
    }

    /// What is left.
    ///
    /// # Panics
    /// The disk is gone.
    pub fn free_bytes(&self) -> u64 {
        let path = self.path.to_str().expect("a path of ours is text");
        let path = std::ffi::CString::new(path).expect("a path has no NUL");
        // SAFETY: the path ends in NUL, and all zeros is a valid `statvfs`.
        let stat = unsafe {
            let mut stat: libc::statvfs = std::mem::zeroed();
            assert_eq!(
                libc::statvfs(path.as_ptr(), &mut stat),
                0,
                "the disk is there"
            );
            stat
        };
        stat.f_bavail * stat.f_frsize
    }

    fn ballast(&self) -> PathBuf {
        self.path.join("another-program")
    }
}
