//! Files that only their owner may read, made durably. What differs between systems sits here.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Makes a directory (and its parents) that only its owner may enter; their names are durable on
/// return. An existing one is left as it is.
pub(crate) fn make_private_dir(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let missing = path
        .ancestors()
        .take_while(|dir| !dir.as_os_str().is_empty() && !dir.is_dir());
    let made: Vec<&Path> = missing.collect();
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    system::private_dir(&mut builder);
    builder.create(path)?;
    // The name of each lies in its parent: one that is not durable takes all below with it.
    made.into_iter().try_for_each(sync_parent)
}

/// Makes an empty file that only its owner may read; its name is durable on return.
pub(crate) fn create_private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    system::private_file(&mut options);
    let file = options.open(path)?;
    file.sync_all()?;
    sync_parent(path)?;
    Ok(file)
}

/// Opens a private file for reading and writing, making it when it is not there.
pub(crate) fn open_private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    system::private_file(&mut options);
    options.open(path)
}

/// Puts a whole private file in place or nothing: written aside, synced, renamed, directory synced.
pub(crate) fn write_private_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(format!(".new-{}", std::process::id()));
    let aside = Path::new(&aside);
    let _ = fs::remove_file(aside);
    let written = (|| {
        let mut file = create_private_file(aside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(aside, path)
    })();
    if let Err(error) = written {
        let _ = fs::remove_file(aside);
        return Err(error);
    }
    sync_parent(path)
}

/// Makes the names in a directory durable.
pub(crate) fn sync_dir(path: &Path) -> io::Result<()> {
    system::sync_dir(path)
}

/// Whether nobody but the owner can read the file.
pub(crate) fn is_private(path: &Path) -> io::Result<bool> {
    system::is_private(path)
}

fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_dir(parent),
        _ => sync_dir(Path::new(".")),
    }
}

#[cfg(unix)]
mod system {
    use std::fs::{self, DirBuilder, File, OpenOptions};
    use std::io;
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
    use std::path::Path;

    pub(super) fn private_dir(builder: &mut DirBuilder) {
        builder.mode(0o700);
    }

    pub(super) fn private_file(options: &mut OpenOptions) {
        options.mode(0o600);
    }

    pub(super) fn sync_dir(path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    pub(super) fn is_private(path: &Path) -> io::Result<bool> {
        Ok(fs::metadata(path)?.permissions().mode() & 0o077 == 0)
    }
}

/// On Windows files inherit the rights of the user's own directory, and names are durable with
/// their file; there is nothing to add.
#[cfg(not(unix))]
mod system {
    use std::fs::{DirBuilder, OpenOptions};
    use std::io;
    use std::path::Path;

    pub(super) fn private_dir(_: &mut DirBuilder) {}

    pub(super) fn private_file(_: &mut OpenOptions) {}

    pub(super) fn sync_dir(_: &Path) -> io::Result<()> {
        Ok(())
    }

    pub(super) fn is_private(_: &Path) -> io::Result<bool> {
        Ok(true)
    }
}
