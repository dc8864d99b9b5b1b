//! Fetching from real servers: vsftpd, Dovecot, OpenSSH, and ones that misbehave.

mod servers;
