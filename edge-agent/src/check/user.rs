//! Who looks: the user whose rights decide. `sudo vendlog-agent check` must see what the service will
//! see, so it looks as the user who owns the state directory.

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A user and its groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The name, or the number of a user without one.
    pub name: String,
    /// The number.
    pub uid: u32,
    /// The numbers of all its groups.
    pub gids: Vec<u32>,
}

impl User {
    /// This process's own.
    pub fn current() -> User {
        // SAFETY: these calls take no memory and cannot fail.
        let (uid, gid) = unsafe { (libc::geteuid(), libc::getegid()) };
        let mut gids = supplementary();
        gids.push(gid);
        gids.sort_unstable();
        gids.dedup();
        User {
            name: user_name(uid),
            uid,
            gids,
        }
    }

    /// Whether the system asks nobody whether it may.
    pub fn is_root(&self) -> bool {
        self.uid == 0
    }

    /// Whether it is in the group of this name.
    pub fn is_in(&self, group: &str) -> bool {
        group_id(group).is_some_and(|gid| self.gids.contains(&gid))
    }
}

/// As root: becomes, for good, the user who owns `state_dir`, with that user's groups. Does nothing
/// for other users, and when root owns it or it is not there.
///
/// # Errors
/// The system does not let us.
pub fn become_owner_of(state_dir: &Path) -> io::Result<()> {
    let Ok(meta) = fs::metadata(state_dir) else {
        return Ok(());
    };
    if !User::current().is_root() || meta.uid() == 0 {
        return Ok(());
    }
    let name = user_name(meta.uid());
    let gid = primary_group(meta.uid()).unwrap_or(meta.gid());
    let c_name = CString::new(name).map_err(io::Error::other)?;
    // SAFETY: the name ends in NUL and outlives the call; this process has one thread.
    let failed = unsafe {
        libc::initgroups(c_name.as_ptr(), gid) != 0
            || libc::setgid(gid) != 0
            || libc::setuid(meta.uid()) != 0
    };
    match failed {
        true => Err(io::Error::last_os_error()),
        false => Ok(()),
    }
}

/// The name of a user, or its number.
pub fn user_name(uid: u32) -> String {
    named("/etc/passwd", uid).unwrap_or_else(|| uid.to_string())
}

/// The name of a group, or its number.
pub fn group_name(gid: u32) -> String {
    named("/etc/group", gid).unwrap_or_else(|| gid.to_string())
}

/// The number of a group.
pub fn group_id(name: &str) -> Option<u32> {
    let text = fs::read_to_string("/etc/group").ok()?;
    let mut lines = text.lines().map(|line| line.split(':'));
    lines.find_map(|mut fields| (fields.next()? == name).then(|| fields.nth(1)?.parse().ok())?)
}

fn primary_group(uid: u32) -> Option<u32> {
    let text = fs::read_to_string("/etc/passwd").ok()?;
    let mut lines = text.lines().map(|line| line.split(':').skip(2));
    lines.find_map(|mut fields| {
        (fields.next()?.parse() == Ok(uid)).then(|| fields.next()?.parse().ok())?
    })
}

/// `name:x:NUMBER:` of these files.
fn named(file: &str, number: u32) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(number)).then(|| name.to_owned())
    })
}

fn supplementary() -> Vec<u32> {
    // SAFETY: with a size of 0 nothing is written.
    let count = unsafe { libc::getgroups(0, std::ptr::null_mut()) };
    let mut gids = vec![0; usize::try_from(count).unwrap_or(0)];
    // SAFETY: there is room for `count` numbers, and no more are written.
    let written = unsafe { libc::getgroups(count, gids.as_mut_ptr()) };
    gids.truncate(usize::try_from(written).unwrap_or(0));
    gids
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_those_of_the_system() {
        assert_eq!(user_name(0), "root");
        assert_eq!(group_name(0), "root");
        assert_eq!(group_id("root"), Some(0));
        assert_eq!(group_id("no such group"), None);
        assert_eq!(user_name(4_000_000_000), "4000000000");
        let user = User::current();
        assert_eq!(user.name, user_name(user.uid));
        assert!(!user.gids.is_empty());
    }
}
