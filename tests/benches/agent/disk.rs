//! A disk whose every written byte is counted, the file system's own included: a fresh ext4 in a file
//! behind a loop device. Needs root.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Room for everything that is written; sparse.
const IMAGE_BYTES: u64 = 512 * 1024 * 1024;
/// The unit of `/sys/block/*/stat`, whatever the device's own is.
const SECTOR_BYTES: u64 = 512;
/// The place of "sectors written" in that line.
const SECTORS_WRITTEN: usize = 6;

/// A mounted disk; unmounted when dropped.
pub struct Disk {
    path: PathBuf,
    device: Option<String>,
}

impl Disk {
    /// Makes and mounts one in `folder`; where that is not allowed, a plain folder of which nothing
    /// is counted.
    pub fn new(folder: &Path) -> Result<Disk> {
        let path = folder.join("disk");
        std::fs::create_dir_all(&path)?;
        let device = match mount(folder, &path) {
            Ok(device) => Some(device),
            Err(error) => {
                eprintln!("no counted disk, because {error:#}");
                None
            }
        };
        Ok(Disk { path, device })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes that the device was given so far, after everything that waits was written to it.
    pub fn written(&self) -> Result<Option<u64>> {
        let Some(device) = &self.device else {
            return Ok(None);
        };
        must(Command::new("sync").arg("-f").arg(&self.path))?;
        let name = device.rsplit('/').next().context("a device has a name")?;
        let stat = std::fs::read_to_string(format!("/sys/block/{name}/stat"))?;
        let sectors = stat.split_whitespace().nth(SECTORS_WRITTEN);
        let sectors: u64 = sectors.context("no count of sectors")?.parse()?;
        Ok(Some(sectors * SECTOR_BYTES))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Some(device) = &self.device {
            let _ = must(Command::new("umount").arg(&self.path));
            let _ = must(Command::new("losetup").args(["--detach", device]));
        }
    }
}

fn mount(folder: &Path, path: &Path) -> Result<String> {
    let image = folder.join("image");
    std::fs::File::create(&image)?.set_len(IMAGE_BYTES)?;
    // Nothing is left for the kernel to write later on its own.
    let now = "lazy_itable_init=0,lazy_journal_init=0";
    must(
        Command::new("mkfs.ext4")
            .args(["-q", "-E", now])
            .arg(&image),
    )?;
    let found = must(
        Command::new("losetup")
            .args(["--find", "--show"])
            .arg(&image),
    )?;
    let device = found.trim().to_owned();
    let mounted = must(Command::new("mount").arg(&device).arg(path));
    if mounted.is_err() {
        must(Command::new("losetup").args(["--detach", &device]))?;
    }
    mounted.map(|_| device)
}

fn must(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    ensure!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
