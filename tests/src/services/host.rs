//! What a server believes to be its machine: a mount and process namespace with one more account.
//! When it is dropped, the kernel ends everything inside.

use std::fs::{self, File, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use tempfile::TempDir;

use crate::package::{as_root, must};
use crate::{services, wait};

/// User and group id of the account: above those of people, below `nobody`.
pub const UID: u32 = 64_907;
/// `crypt(3)` of [`services::PASSWORD`].
const PASSWORD_HASH: &str = "$6$vendlog$alC6.frQXjXMEj7L8forM8aO2.vHf6vfkZzXDA1JAi1OGl59ozYnYexV5\
                             OIE7vkuImue3oFgyi/3O8o7TTHXF.";
/// What makes the namespace: the account's files over the system's, and an empty /run. The shell stays
/// as process 1: vsftpd in that place dies of a client that hangs up early.
const ENTER: &str = "mount --bind \"$0/passwd\" /etc/passwd && \
                     mount --bind \"$0/shadow\" /etc/shadow && \
                     mount --bind \"$0/group\" /etc/group && \
                     mount -t tmpfs tmpfs /run && mkdir /run/sshd || exit 1; \"$@\"; exit $?";
/// Where free ports are looked for.
const FIRST_PORT: u16 = 12_000;
/// How many there are.
const PORTS: u16 = 18_000;
/// How long a server may take to answer on its port; it shares the machine with many tests.
const STARTS_WITHIN: Duration = Duration::from_secs(20);

/// A running server and its files.
pub struct Host {
    dir: TempDir,
    child: Option<Child>,
}

impl Host {
    /// A machine with the account and its home, on which nothing runs yet.
    ///
    /// # Panics
    /// We are not root.
    pub fn new() -> Host {
        let dir = tempfile::tempdir().expect("a directory");
        let host = Host { dir, child: None };
        fs::set_permissions(host.path(""), Permissions::from_mode(0o755)).expect("ours");
        let (user, hash) = (services::USER, PASSWORD_HASH);
        let home = host.home();
        fs::create_dir(&home).expect("a home");
        host.give(&home);
        let home = home.display();
        let line = format!("{user}:x:{UID}:{UID}::{home}:/bin/sh\n");
        host.with_line("passwd", &line, 0o644);
        host.with_line("group", &format!("{user}:x:{UID}:\n"), 0o644);
        host.with_line("shadow", &format!("{user}:{hash}:19000::::::\n"), 0o600);
        host
    }

    /// A file of the server, outside of the account's home.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The account's home.
    pub fn home(&self) -> PathBuf {
        self.path("home")
    }

    /// Writes a file of the server.
    ///
    /// # Panics
    /// It cannot be written.
    pub fn write(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).expect("a file");
        fs::set_permissions(&path, Permissions::from_mode(mode)).expect("ours");
        path
    }

    /// Makes the account the owner of a path.
    ///
    /// # Panics
    /// We are not root.
    pub fn give(&self, path: &Path) {
        if chown(path, Some(UID), Some(UID)).is_err() {
            must(as_root("chown").arg(format!("{UID}:{UID}")).arg(path));
        }
    }

    /// Starts the server inside and waits until it listens on `port`.
    ///
    /// # Panics
    /// It does not start; its messages are in the panic.
    pub fn start(&mut self, program: &str, args: &[&str], port: u16) {
        let messages = self.path("messages");
        let open = || {
            let mut options = File::options();
            options.create(true).append(true).open(&messages)
        };
        let mut command = as_root("unshare");
        command
            .args([
                "--mount",
                "--pid",
                "--fork",
                "--kill-child=KILL",
                "sh",
                "-c",
            ])
            .args([ENTER, &self.path("").display().to_string(), program])
            .args(args)
            .stdin(Stdio::null())
            .stdout(open().expect("a file"))
            .stderr(open().expect("a file"))
            .process_group(0);
        let child = command.spawn().expect("unshare is there");
        let child = self.child.insert(child);
        let said = || fs::read_to_string(&messages).unwrap_or_default();
        wait::until(&format!("{program} to listen"), STARTS_WITHIN, || {
            if let Ok(Some(status)) = child.try_wait() {
                panic!("{program} ended with {status}: {}", said());
            }
            std::net::TcpStream::connect(("127.0.0.1", port)).ok()
        });
    }

    /// What the server has said so far.
    pub fn messages(&self) -> String {
        fs::read_to_string(self.path("messages")).unwrap_or_default()
    }

    /// Ends the server and everything that it started, at once.
    pub fn stop(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        let _ = signal("-KILL", child.id()).status();
        let _ = child.wait();
    }

    /// The server hangs: connections are taken by the kernel, nothing is answered. `false` lets it
    /// go on.
    ///
    /// # Panics
    /// It does not run.
    pub fn hang(&self, hangs: bool) {
        let id = self.child.as_ref().expect("a running server").id();
        let name = if hangs { "-STOP" } else { "-CONT" };
        must(&mut signal(name, id));
    }

    fn with_line(&self, name: &str, line: &str, mode: u32) {
        let etc = Path::new("/etc").join(name);
        let mut text = must(as_root("cat").arg(etc));
        text.push_str(line);
        let path = self.write(name, &text, mode);
        must(as_root("chown").arg("0:0").arg(path));
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.stop();
        // What the account made is not ours to remove when we are not root.
        let _ = as_root("chown")
            .args(["-R", &own_uid()])
            .arg(self.dir.path())
            .status();
    }
}

/// A signal to a server's process group.
fn signal(name: &str, id: u32) -> Command {
    let mut command = as_root("kill");
    command.args([name, "--", &format!("-{id}")]);
    command.stderr(Stdio::null());
    command
}

fn own_uid() -> String {
    // SAFETY: getuid takes nothing and cannot fail.
    unsafe { libc::getuid() }.to_string()
}

/// A port that is free now; the server takes it a moment later. Below those that the system gives to
/// outgoing connections: a connection to a free one of these may meet itself and keep the port.
///
/// # Panics
/// There is none.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let begin = std::process::id() as u16;
    (0..PORTS)
        .find_map(|_| {
            let step = NEXT.fetch_add(1, Ordering::Relaxed);
            // Processes that run beside each other start far apart.
            let at = begin.wrapping_mul(101).wrapping_add(step) % PORTS;
            let listener = TcpListener::bind(("127.0.0.1", FIRST_PORT + at)).ok()?;
            Some(listener.local_addr().expect("bound").port())
        })
        .expect("a free port")
}
