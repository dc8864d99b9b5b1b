//! Why a user may not read or write something, and the command that changes it.

use std::ffi::CString;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::user::{User, group_name, user_name};

/// What is wanted of a file or directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Want {
    /// To read the file.
    Read,
    /// To go through the directory.
    Pass,
}

/// Where the way to a file ends for this user.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The file, or the directory on the way to it.
    pub at: PathBuf,
    /// What is wrong there.
    pub why: String,
    /// The commands that change it.
    pub advice: String,
}

/// Why `user`, who is this process's, may not read the file; `None` when it may, or when there is no
/// such file.
pub fn refusal(file: &Path, user: &User) -> Option<Refusal> {
    let mut way: Vec<&Path> = file.ancestors().skip(1).collect();
    way.reverse();
    let way = way.into_iter().filter(|dir| !dir.as_os_str().is_empty());
    let steps = way.map(|dir| (dir, Want::Pass)).chain([(file, Want::Read)]);
    for (at, want) in steps {
        let Ok(meta) = fs::metadata(at) else {
            // It is not there, or the step before would have told.
            return None;
        };
        if !may(at, want) {
            return Some(explain(at, &meta, want, user));
        }
    }
    None
}

/// Whether this process may, by its effective user.
fn may(path: &Path, want: Want) -> bool {
    let Ok(path) = CString::new(path.as_os_str().as_bytes()) else {
        return false;
    };
    let mode = match want {
        Want::Read => libc::R_OK,
        Want::Pass => libc::X_OK,
    };
    // SAFETY: the path ends in NUL and outlives the call.
    unsafe { libc::faccessat(libc::AT_FDCWD, path.as_ptr(), mode, libc::AT_EACCESS) == 0 }
}

fn explain(at: &Path, meta: &Metadata, want: Want, user: &User) -> Refusal {
    let (what, letter, group_bit) = match want {
        Want::Read => ("may not read", 'r', 0o040),
        Want::Pass => ("may not enter", 'x', 0o010),
    };
    let (path, name) = (at.display(), &user.name);
    let group = group_name(meta.gid());
    let join = format!("sudo adduser {name} {group}");
    let open = format!("sudo chmod g+{letter} {path}");
    let is_member = user.gids.contains(&meta.gid());
    let has_group_bit = meta.mode() & group_bit != 0;
    let advice = match (meta.gid(), is_member, has_group_bit) {
        // Nobody is to be put into root's group.
        (0, false, _) => format!("sudo setfacl -m u:{name}:{letter} {path}"),
        (_, false, true) => join,
        (_, false, false) => format!("{join} && {open}"),
        (_, true, _) => open,
    };
    Refusal {
        at: at.to_owned(),
        why: format!(
            "{name} {what} {path} (mode {:o}, of {}:{group})",
            meta.mode() & 0o777,
            user_name(meta.uid()),
        ),
        advice,
    }
}

/// Tries to write into a directory.
///
/// # Errors
/// What the system says.
pub fn try_writing(dir: &Path) -> io::Result<()> {
    let probe = dir.join(format!(".vendlog-check-{}", std::process::id()));
    fs::File::create_new(&probe)?;
    fs::remove_file(&probe)
}

/// The first file below `dir` (two levels, as the state directory has) that is not the user's own.
pub fn foreign_file(dir: &Path, user: &User) -> Option<PathBuf> {
    let entries = |dir: &Path| fs::read_dir(dir).into_iter().flatten().flatten();
    let below = entries(dir).flat_map(|entry| {
        let inner: Vec<_> = entries(&entry.path()).map(|entry| entry.path()).collect();
        std::iter::once(entry.path()).chain(inner)
    });
    let mut below = below.into_iter();
    below.find(|path| {
        fs::symlink_metadata(path).is_ok_and(|meta| meta.uid() != user.uid && !user.is_root())
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, chown};

    use super::*;

    fn user(gids: &[u32]) -> User {
        User {
            name: "vendlog-agent".to_owned(),
            uid: 990,
            gids: gids.to_vec(),
        }
    }

    #[test]
    fn the_command_fits_the_owner_the_group_and_the_mode() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("app.log");
        fs::write(&file, "").expect("a file");
        let explain = |mode, gid, gids: &[u32]| {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("a mode");
            let meta = fs::metadata(&file).expect("it is there");
            assert_eq!(meta.gid(), gid);
            explain(&file, &meta, Want::Read, &user(gids)).advice
        };
        let path = file.display();
        let own = fs::metadata(&file).expect("it is there").gid();
        if own == 0 {
            let advice = explain(0o600, 0, &[990]);
            assert_eq!(advice, format!("sudo setfacl -m u:vendlog-agent:r {path}"));
            // Group 4 is adm on every Debian; only root can give a file to it.
            chown(&file, None, Some(4)).expect("we are root");
        }
        let gid = fs::metadata(&file).expect("it is there").gid();
        let group = group_name(gid);
        let join = format!("sudo adduser vendlog-agent {group}");
        assert_eq!(explain(0o640, gid, &[990]), join);
        let both = format!("{join} && sudo chmod g+r {path}");
        assert_eq!(explain(0o600, gid, &[990]), both);
        let open = format!("sudo chmod g+r {path}");
        assert_eq!(explain(0o600, gid, &[990, gid]), open);
    }

    #[test]
    fn what_may_be_read_or_is_not_there_is_no_refusal() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("app.log");
        assert_eq!(refusal(&file, &User::current()), None);
        fs::write(&file, "").expect("a file");
        assert_eq!(refusal(&file, &User::current()), None);
    }
}
