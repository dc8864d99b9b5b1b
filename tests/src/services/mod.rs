//! Real servers that forwarders deliver to and that we fetch from: vsftpd, Dovecot, OpenSSH. Each
//! runs by itself on free loopback ports with its own configuration, files and account, in namespaces
//! of its own: nothing of the system changes, and nothing is left. They need root, or sudo.

mod dovecot;
mod host;
mod identity;
mod sshd;
mod tokens;
mod vsftpd;

pub use dovecot::{Dovecot, DovecotSetup};
pub use identity::Identity;
pub use sshd::Sshd;
pub use tokens::{CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, Tokens};
pub use vsftpd::{FtpTls, Vsftpd, VsftpdSetup};

/// The account on each of these servers.
pub const USER: &str = "vend";
/// Its password.
pub const PASSWORD: &str = "S3lls soda, quietly";
