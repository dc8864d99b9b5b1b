//! The servers themselves: they answer, several stand beside each other, and they go.

use std::io::Read;
use std::net::TcpStream;

use tests::services::{Dovecot, Sshd, Vsftpd, VsftpdSetup};
use tests::wait::{self, seconds};

#[test]
fn three_servers_answer_beside_each_other_and_leave_nothing() {
    let (ftp, imap, ssh) = (
        Vsftpd::start(&VsftpdSetup::default()),
        Dovecot::start(),
        Sshd::start(),
    );
    let ports = [ftp.port, imap.port, ssh.port];
    for (port, greeting) in ports.into_iter().zip(["220 ", "* OK ", "SSH-2.0-"]) {
        let said = greeting_of(port);
        assert!(said.starts_with(greeting), "{said}");
    }
    let folders = [ftp.folder(), ssh.folder()];
    drop((ftp, imap, ssh));
    for port in ports {
        wait::until("the port to be free", seconds(10), || {
            TcpStream::connect(("127.0.0.1", port))
                .is_err()
                .then_some(())
        });
    }
    for folder in folders {
        assert!(!folder.exists(), "{} is left", folder.display());
    }
}

fn greeting_of(port: u16) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("a listening port");
    stream.set_read_timeout(Some(seconds(10))).expect("a limit");
    let mut bytes = [0; 64];
    let read = stream.read(&mut bytes).expect("a greeting");
    String::from_utf8_lossy(&bytes[..read]).into_owned()
}
