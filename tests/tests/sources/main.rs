//! Fetching from real servers: vsftpd, Dovecot, OpenSSH, and ones that misbehave.

mod folders;
mod ftp;
mod imap;
mod imap_less;
mod kept;
mod misbehaving;
mod servers;
mod sftp;
mod tokens;
