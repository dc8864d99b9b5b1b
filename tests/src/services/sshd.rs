//! A real OpenSSH server that does SFTP and nothing else.

use std::fs;
use std::path::PathBuf;

use super::host::{Host, free_port};
use crate::package::must;

/// A running sshd; the account is [`super::USER`], with its password or with [`Sshd::client_key`].
pub struct Sshd {
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    /// `SHA256:<base64>` of its key.
    pub host_key: String,
    /// A private key that it accepts, in OpenSSH's form, encrypted with [`super::PASSWORD`].
    pub client_key: String,
    host: Host,
}

impl Sshd {
    /// Starts one.
    ///
    /// # Panics
    /// It does not start.
    pub fn start() -> Sshd {
        let mut host = Host::new();
        let port = free_port();
        let host_key = new_key(&host, "host_key", "");
        new_key(&host, "client_key", super::PASSWORD);
        let config = configuration(&host, port);
        let config = host.write("sshd_config", &config, 0o600);
        let path = config.display().to_string();
        host.start("/usr/sbin/sshd", &["-D", "-e", "-f", &path], port);
        Sshd {
            port,
            host_key,
            client_key: fs::read_to_string(host.path("client_key")).expect("the key"),
            host,
        }
    }

    /// The folder that the account starts in.
    pub fn folder(&self) -> PathBuf {
        self.host.home()
    }

    /// Puts a file there, the account's own.
    ///
    /// # Panics
    /// It cannot be written.
    pub fn put(&self, name: &str, bytes: &[u8]) {
        let path = self.folder().join(name);
        fs::write(&path, bytes).expect("a file");
        self.host.give(&path);
    }

    /// Makes a folder there.
    ///
    /// # Panics
    /// It cannot be made.
    pub fn make_folder(&self, name: &str) {
        let path = self.folder().join(name);
        fs::create_dir(&path).expect("a folder");
        self.host.give(&path);
    }

    /// What the server has said.
    pub fn log(&self) -> String {
        self.host.messages()
    }

    /// It ends at once.
    pub fn stop(&mut self) {
        self.host.stop();
    }

    /// It hangs, or goes on.
    pub fn hang(&self, hangs: bool) {
        self.host.hang(hangs);
    }
}

fn configuration(host: &Host, port: u16) -> String {
    let path = |name: &str| host.path(name).display().to_string();
    format!(
        "ListenAddress 127.0.0.1\nPort {port}\nHostKey {}\nPidFile none\nUsePAM no\n\
         PasswordAuthentication yes\nKbdInteractiveAuthentication no\nPubkeyAuthentication yes\n\
         AuthorizedKeysFile {}\nStrictModes no\nMaxStartups 100\nAllowUsers {}\n\
         Subsystem sftp internal-sftp\nForceCommand internal-sftp\n",
        path("host_key"),
        path("client_key.pub"),
        super::USER,
    )
}

/// Makes a key; its fingerprint.
fn new_key(host: &Host, name: &str, passphrase: &str) -> String {
    let path = host.path(name);
    let mut make = std::process::Command::new("ssh-keygen");
    make.args(["-q", "-t", "ed25519", "-N", passphrase, "-C", name, "-f"]);
    must(make.arg(&path));
    let mut show = std::process::Command::new("ssh-keygen");
    let said = must(show.arg("-lf").arg(&path).args(["-E", "sha256"]));
    let fingerprint = said.split_whitespace().nth(1).expect("a fingerprint");
    fingerprint.to_owned()
}
