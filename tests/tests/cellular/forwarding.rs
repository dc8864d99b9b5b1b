//! The simulated USALive against real servers: what it says it delivered is there.

use std::fs;
use std::path::Path;

use tests::services::{Dovecot, FtpTls, Sshd, Vsftpd, VsftpdSetup};
use tests::sources::url;
use tests::{Usalive, wait};

const DROP: &str = "VM001|0122-1430|E|payment|Auth timeout 30s|txn:abc123\n";
const NAME: &str = "VM001-7-1.txt";

#[test]
fn a_drop_is_forwarded_by_every_way_to_real_servers() {
    let folder = tempfile::tempdir().expect("a folder");
    let ftp = Vsftpd::start(&VsftpdSetup::default());
    let ftps = Vsftpd::start(&VsftpdSetup {
        tls: FtpTls::Explicit,
        require_ssl_reuse: true,
        ..VsftpdSetup::default()
    });
    ftps.make_folder("in box");
    let (ssh, mailbox) = (Sshd::start(), Dovecot::start());
    let uploads = folder.path().join("uploads");
    let secure_ftp = url("ftps", ftps.port) + "/in%20box";
    let words = [
        ["--ftp", &url("ftp", ftp.port)],
        ["--ftp", &secure_ftp],
        ["--sftp", &url("sftp", ssh.port)],
        ["--mail", &url("imap", mailbox.port)],
        ["--mail", &url("imaps", mailbox.tls_port)],
    ];
    let usalive = Usalive::start(folder.path(), &uploads, &words.concat());
    fs::write(uploads.join(NAME), DROP).expect("an upload");
    wait::until("every way has it", wait::seconds(30), || {
        (usalive.count("delivered") + usalive.count("failed") == words.len()).then_some(())
    });
    let truth = usalive.finish();
    assert_eq!(
        truth.by_way.values().sum::<u64>(),
        5,
        "{truth:?} {}",
        ftps.log()
    );
    for folder in [ftp.folder(), ftps.folder().join("in box"), ssh.folder()] {
        assert_eq!(text(&folder.join(NAME)), DROP);
    }
    let mails = mailbox.mails("");
    assert_eq!(mails.len(), 2);
    for mail in mails {
        let mail = text(&mail);
        assert!(mail.contains(&format!("filename=\"{NAME}\"")), "{mail}");
    }
}

#[test]
fn a_server_that_is_away_never_gets_the_drop() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut ftp = Vsftpd::start(&VsftpdSetup::default());
    ftp.stop();
    let uploads = folder.path().join("uploads");
    let way = url("ftp", ftp.port);
    let usalive = Usalive::start(folder.path(), &uploads, &["--ftp", &way]);
    fs::write(uploads.join(NAME), DROP).expect("an upload");
    wait::until("it was tried", wait::seconds(30), || {
        (usalive.count("failed") == 1).then_some(())
    });
    let truth = usalive.finish();
    assert_eq!(truth.failed.len(), 1, "live only: {truth:?}");
    assert_eq!(truth.bytes(NAME), DROP.as_bytes());
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
