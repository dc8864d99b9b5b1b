//! What FTP and SFTP have in common: a folder of files, looked at once a poll.

mod names;

pub(crate) use names::shown_name;
