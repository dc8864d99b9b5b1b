//! A real Dovecot with one mailbox: IMAP with STARTTLS and over TLS, IDLE, password and XOAUTH2
//! (the token is the password).

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::host::{Host, UID, free_port};
use super::{Identity, PASSWORD, USER};

/// What to start.
#[derive(Debug, Clone, Default)]
pub struct DovecotSetup {
    /// More lines of its configuration.
    pub more: Vec<String>,
    /// Where it asks whether a token of XOAUTH2 is good (RFC 7662); then no token is a password.
    pub introspection_url: Option<String>,
}

/// The folder of the home in which the server records what it hears.
const HEARD: &str = "heard";

/// A running Dovecot; the account is [`super::USER`].
pub struct Dovecot {
    /// IMAP in clear and with STARTTLS, on 127.0.0.1.
    pub port: u16,
    /// IMAP over TLS.
    pub tls_port: u16,
    /// Its certificate.
    pub identity: Identity,
    host: Host,
    delivered: AtomicU64,
}

impl Dovecot {
    /// Starts one with an empty mailbox.
    ///
    /// # Panics
    /// It does not start.
    pub fn start() -> Dovecot {
        Dovecot::start_as(&DovecotSetup::default())
    }

    /// One that is set up in another way.
    ///
    /// # Panics
    /// It does not start.
    pub fn start_as(setup: &DovecotSetup) -> Dovecot {
        let mut host = Host::new();
        let identity = Identity::new();
        let (port, tls_port) = (free_port(), free_port());
        let certificate = host.write("certificate.pem", &identity.certificate_pem, 0o600);
        let key = host.write("key.pem", &identity.key_pem, 0o600);
        make_maildir(&host, &host.home().join("mail"));
        let heard = host.home().join(HEARD);
        fs::create_dir(&heard).expect("a folder");
        host.give(&heard);
        let mut config = configuration(&host, [&certificate, &key], [port, tls_port]);
        config.push_str(&passwords(&host, setup.introspection_url.as_deref()));
        for line in &setup.more {
            config.push_str(line);
            config.push('\n');
        }
        let config = host.write("dovecot.conf", &config, 0o600);
        let path = config.display().to_string();
        host.start("/usr/sbin/dovecot", &["-F", "-c", &path], port);
        Dovecot {
            port,
            tls_port,
            identity,
            host,
            delivered: AtomicU64::new(0),
        }
    }

    /// Delivers a mail to the inbox, as a mail server would.
    ///
    /// # Panics
    /// It cannot be written.
    pub fn deliver(&self, mail: &[u8]) {
        let number = self.delivered.fetch_add(1, Ordering::Relaxed);
        let maildir = self.host.home().join("mail");
        let name = format!("{}.{number:06}.vendlog", 1_700_000_000 + number);
        let whole = maildir.join("tmp").join(&name);
        fs::write(&whole, mail).expect("a mail");
        self.host.give(&whole);
        fs::rename(whole, maildir.join("new").join(name)).expect("the same file system");
    }

    /// How many mails a folder holds; `""` is the inbox, others are as `Done`.
    ///
    /// # Panics
    /// There is no such folder.
    pub fn count(&self, folder: &str) -> usize {
        self.mails(folder).len()
    }

    /// The mails of a folder, in no order.
    ///
    /// # Panics
    /// There is no such folder.
    pub fn mails(&self, folder: &str) -> Vec<PathBuf> {
        let mut path = self.host.home().join("mail");
        if !folder.is_empty() {
            path = path.join(format!(".{folder}"));
        }
        let list = |name: &str| fs::read_dir(path.join(name)).expect("a folder of the mailbox");
        list("new")
            .chain(list("cur"))
            .map(|entry| entry.expect("a mail").path())
            .collect()
    }

    /// Makes a folder of the mailbox.
    ///
    /// # Panics
    /// It cannot be made.
    pub fn make_folder(&self, name: &str) {
        make_maildir(
            &self.host,
            &self.host.home().join("mail").join(format!(".{name}")),
        );
    }

    /// The commands that clients have sent since they were signed in, in no order of connections.
    ///
    /// # Panics
    /// They cannot be read.
    pub fn heard(&self) -> String {
        let entries = fs::read_dir(self.host.home().join(HEARD)).expect("a folder");
        let paths = entries.map(|entry| entry.expect("a file").path());
        let heard = paths.filter(|path| path.extension().is_some_and(|end| end == "in"));
        heard
            .map(|path| String::from_utf8_lossy(&fs::read(path).expect("a file")).into_owned())
            .collect()
    }

    /// What the server has logged.
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

/// Who is let in.
fn passwords(host: &Host, introspection_url: Option<&str>) -> String {
    // Readable for Dovecot's own user; a static passdb cannot hold a password with spaces.
    let users = host.write("users", &format!("{USER}:{{PLAIN}}{PASSWORD}\n"), 0o644);
    let users = users.display();
    let Some(url) = introspection_url else {
        return format!("passdb {{\n driver = passwd-file\n args = {users}\n}}\n");
    };
    let tokens = format!(
        "introspection_url = {url}\nintrospection_mode = post\nusername_attribute = username\n\
         active_attribute = active\nactive_value = true\n"
    );
    let tokens = host.write("tokens", &tokens, 0o644);
    format!(
        "passdb {{\n driver = oauth2\n mechanisms = xoauth2\n args = {}\n}}\n\
         passdb {{\n driver = passwd-file\n mechanisms = plain login\n args = {users}\n}}\n",
        tokens.display()
    )
}

fn make_maildir(host: &Host, path: &Path) {
    for name in ["", "new", "cur", "tmp"] {
        let folder = path.join(name);
        fs::create_dir(&folder).expect("a folder");
        host.give(&folder);
    }
}

fn configuration(host: &Host, [certificate, key]: [&Path; 2], ports: [u16; 2]) -> String {
    let path = |name: &str| host.path(name).display().to_string();
    let home = host.home();
    // Without the penalty a second wrong password would wait for seconds.
    format!(
        "base_dir = {run}\nstate_dir = {run}\nlog_path = {log}\nprotocols = imap\n\
         listen = 127.0.0.1\nssl = yes\nssl_cert = <{certificate}\nssl_key = <{key}\n\
         disable_plaintext_auth = no\nauth_mechanisms = plain login xoauth2\n\
         auth_failure_delay = 0\nmail_location = maildir:{home}/mail\n\
         first_valid_uid = {UID}\nmail_max_userip_connections = 50\n\
         mailbox_list_index = no\nmaildir_very_dirty_syncs = no\n\
         rawlog_dir = {home}/{HEARD}\n\
         userdb {{\n driver = static\n args = uid={UID} gid={UID} home={home}\n}}\n\
         service imap-login {{\n chroot =\n\
         inet_listener imap {{\n port = {plain}\n }}\n\
         inet_listener imaps {{\n port = {tls}\n ssl = yes\n }}\n}}\n\
         service stats {{\n chroot =\n}}\nservice anvil {{\n chroot =\n\
         unix_listener anvil-auth-penalty {{\n mode = 0\n }}\n}}\n",
        run = path("run"),
        log = path("log"),
        certificate = certificate.display(),
        key = key.display(),
        home = home.display(),
        plain = ports[0],
        tls = ports[1],
    )
}
