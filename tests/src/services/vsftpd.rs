//! A real vsftpd with one account, plain or with TLS.

use std::fs;
use std::path::PathBuf;

use super::Identity;
use super::host::{Host, free_port};

/// How it encrypts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FtpTls {
    /// Not at all.
    #[default]
    None,
    /// After AUTH TLS, and not without it.
    Explicit,
    /// From the first byte.
    Implicit,
}

/// What to start.
#[derive(Debug, Clone, Default)]
pub struct VsftpdSetup {
    /// How it encrypts.
    pub tls: FtpTls,
    /// Whether a data connection has to resume the control connection's TLS session.
    pub require_ssl_reuse: bool,
    /// More lines of its configuration.
    pub more: Vec<String>,
}

/// A running vsftpd; the account is [`super::USER`], its home is what it sees.
pub struct Vsftpd {
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    /// Its certificate.
    pub identity: Identity,
    host: Host,
}

impl Vsftpd {
    /// Starts one.
    ///
    /// # Panics
    /// It does not start.
    pub fn start(setup: &VsftpdSetup) -> Vsftpd {
        let mut host = Host::new();
        let identity = Identity::new();
        let port = free_port();
        let config = configuration(setup, &host, &identity, port);
        let config = host.write("vsftpd.conf", &config, 0o600);
        fs::create_dir(host.path("empty")).expect("a directory");
        host.start("vsftpd", &[&config.display().to_string()], port);
        Vsftpd {
            port,
            identity,
            host,
        }
    }

    /// The folder that the account sees as `/`.
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

    /// Everything the server has written to its log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.host.path("log")).unwrap_or_default() + &self.host.messages()
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

fn configuration(setup: &VsftpdSetup, host: &Host, identity: &Identity, port: u16) -> String {
    let empty = host.path("empty");
    let log = host.path("log");
    let mut config = format!(
        "listen=YES\nlisten_address=127.0.0.1\nlisten_port={port}\nbackground=NO\n\
         anonymous_enable=NO\nlocal_enable=YES\nwrite_enable=YES\nlocal_umask=022\n\
         chroot_local_user=YES\nallow_writeable_chroot=YES\nsecure_chroot_dir={}\n\
         seccomp_sandbox=NO\nisolate=NO\nisolate_network=NO\nuse_localtime=NO\n\
         max_login_fails=10\ndelay_failed_login=0\nxferlog_enable=YES\nlog_ftp_protocol=YES\n\
         vsftpd_log_file={}\n",
        empty.display(),
        log.display()
    );
    if setup.tls != FtpTls::None {
        let certificate = host.write("certificate.pem", &identity.certificate_pem, 0o600);
        let key = host.write("key.pem", &identity.key_pem, 0o600);
        let yes_no = |yes: bool| if yes { "YES" } else { "NO" };
        config.push_str(&format!(
            "ssl_enable=YES\nforce_local_logins_ssl=YES\nforce_local_data_ssl=YES\n\
             ssl_ciphers=HIGH\nrsa_cert_file={}\nrsa_private_key_file={}\nimplicit_ssl={}\n\
             require_ssl_reuse={}\n",
            certificate.display(),
            key.display(),
            yes_no(setup.tls == FtpTls::Implicit),
            yes_no(setup.require_ssl_reuse),
        ));
    }
    for line in &setup.more {
        config.push_str(line);
        config.push('\n');
    }
    config
}
