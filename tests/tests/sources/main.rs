//! Fetching from real servers: vsftpd, Dovecot, OpenSSH, and ones that misbehave.

mod folders;
mod ftp;
mod imap;
mod kept;
mod misbehaving;
mod servers;
mod sftp;
