//! Sockets in the file system: who may write to one, what is left of an earlier agent, and that
//! nothing is left of this one.

use std::ffi::CString;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use crate::config::input::SocketFile;

/// A socket's name in the file system, removed when this is dropped.
#[derive(Debug)]
pub struct Named {
    path: PathBuf,
    stamp: Stamp,
}

/// Device, inode, and when it was made: inode numbers are reused at once.
type Stamp = (u64, u64, i64, i64);

fn stamp(path: &Path) -> io::Result<Stamp> {
    let meta = fs::symlink_metadata(path)?;
    Ok((meta.dev(), meta.ino(), meta.ctime(), meta.ctime_nsec()))
}

impl Drop for Named {
    fn drop(&mut self) {
        // Another one may have been put in its place.
        if stamp(&self.path).is_ok_and(|stamp| stamp == self.stamp) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A stream socket that is listened on.
///
/// # Errors
/// Somebody listens there already, or it cannot be made; the text says what to do.
pub fn stream(file: &SocketFile) -> io::Result<(UnixListener, Named)> {
    make_way(&file.path, || UnixStream::connect(&file.path).is_ok())?;
    let listener = UnixListener::bind(&file.path).map_err(|error| explain(&file.path, &error))?;
    Ok((listener, named(file)?))
}

/// A datagram socket.
///
/// # Errors
/// As [`stream`].
pub fn datagram(file: &SocketFile) -> io::Result<(UnixDatagram, Named)> {
    let is_heard = || UnixDatagram::unbound().is_ok_and(|probe| probe.connect(&file.path).is_ok());
    make_way(&file.path, is_heard)?;
    let socket = UnixDatagram::bind(&file.path).map_err(|error| explain(&file.path, &error))?;
    Ok((socket, named(file)?))
}

/// Removes what an agent that was killed left behind.
fn make_way(path: &Path, is_heard: impl Fn() -> bool) -> io::Result<()> {
    let meta = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if let Some(dir) = path.parent() {
                // Binding says it better when this fails.
                let _ = fs::create_dir_all(dir);
            }
            return Ok(());
        }
        meta => meta?,
    };
    let name = path.display();
    if !meta.file_type().is_socket() {
        return Err(io::Error::other(format!(
            "{name} is there and is no socket; remove it, or name another path"
        )));
    }
    if is_heard() {
        return Err(io::Error::other(format!(
            "another program listens on {name}; stop it, or name another path"
        )));
    }
    fs::remove_file(path).map_err(|error| explain(path, &error))
}

/// Until this is done only our own user may write: the umask keeps the others out.
fn named(file: &SocketFile) -> io::Result<Named> {
    let path = &file.path;
    let mut named = Named {
        path: path.clone(),
        stamp: stamp(path)?,
    };
    if let Some(group) = &file.group {
        let id = group_id(group).ok_or_else(|| {
            io::Error::other(format!(
                "group \"{group}\" of {} is not known; make it with: groupadd {group}",
                path.display()
            ))
        })?;
        chown(path, None, Some(id)).map_err(|error| explain(path, &error))?;
    }
    fs::set_permissions(path, Permissions::from_mode(file.mode))
        .map_err(|error| explain(path, &error))?;
    // Changing its rights has changed its time.
    named.stamp = stamp(path)?;
    Ok(named)
}

fn explain(path: &Path, error: &io::Error) -> io::Error {
    io::Error::other(format!(
        "the socket {} cannot be made: {error}; give the agent's user the right to",
        path.display()
    ))
}

/// The number of a group; `None` when there is no such group.
pub fn group_id(name: &str) -> Option<u32> {
    /// Long member lists need more than the usual kilobyte.
    const BUFFER_BYTES: usize = 64 * 1024;
    let name = CString::new(name).ok()?;
    let mut buffer = vec![0; BUFFER_BYTES];
    // SAFETY: all zeros is a valid `group`; the pointers live as long as the call, and the buffer's
    // true length is given.
    unsafe {
        let mut group: libc::group = std::mem::zeroed();
        let mut found = std::ptr::null_mut();
        let answer = libc::getgrnam_r(
            name.as_ptr(),
            &mut group,
            buffer.as_mut_ptr().cast(),
            buffer.len(),
            &mut found,
        );
        (answer == 0 && !found.is_null()).then_some(group.gr_gid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(dir: &Path) -> SocketFile {
        SocketFile {
            path: dir.join("run/agent.sock"),
            mode: 0o620,
            group: Some("root".to_owned()),
        }
    }

    #[test]
    fn a_socket_is_made_with_its_rights_and_removed_again() {
        let dir = tempfile::tempdir().unwrap();
        let file = file(dir.path());
        let (listener, named) = stream(&file).unwrap();
        let mode = fs::metadata(&file.path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o620);
        drop((listener, named));
        assert!(!file.path.exists());
    }

    #[test]
    fn what_a_killed_agent_left_is_replaced_but_not_what_somebody_listens_on() {
        let dir = tempfile::tempdir().unwrap();
        let file = file(dir.path());
        let (listener, left) = stream(&file).unwrap();
        let error = stream(&file).unwrap_err().to_string();
        assert!(error.contains("another program listens"), "{error}");
        drop(listener);
        let (_second, named) = stream(&file).unwrap();
        drop(left);
        assert!(file.path.exists(), "the successor's socket stays");
        drop(named);
        let (first, _left) = datagram(&file).unwrap();
        assert!(datagram(&file).is_err());
        drop(first);
        assert!(datagram(&file).is_ok());
    }

    #[test]
    fn a_file_in_its_place_and_an_unknown_group_are_told() {
        let dir = tempfile::tempdir().unwrap();
        let mut file = file(dir.path());
        file.group = Some("no-such-group".to_owned());
        let error = stream(&file).unwrap_err().to_string();
        assert!(error.contains("groupadd no-such-group"), "{error}");
        assert!(!file.path.exists(), "it is not left with wrong rights");
        fs::write(&file.path, "precious").unwrap();
        let error = stream(&file).unwrap_err().to_string();
        assert!(error.contains("is no socket"), "{error}");
        assert_eq!(fs::read_to_string(&file.path).unwrap(), "precious");
    }
}
