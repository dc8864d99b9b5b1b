//! The words of `vendlog-sim usalive`.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::{ArgGroup, Args};
use jiff::SignedDuration;

use super::{Dress, Fates, MailForm, MailLook, Options, Way, WaySettings};

/// At least one of these must be named.
const WAYS: [&str; 4] = ["ftp", "sftp", "mail", "http"];

/// Forwards uploads; user and password of a way stand in its URL.
#[derive(Args)]
#[command(group(ArgGroup::new("way").required(true).multiple(true).args(WAYS)))]
pub struct UsaliveArgs {
    /// The folder of finished uploads; each file is removed when it has been forwarded.
    #[arg(long)]
    uploads: PathBuf,
    /// Move each upload here instead, lost or forwarded; on the same file system.
    #[arg(long)]
    keep: Option<PathBuf>,
    /// Upload to a folder: ftp://USER:PASSWORD@HOST:PORT/FOLDER, ftps:// with explicit TLS.
    #[arg(long)]
    ftp: Vec<String>,
    /// Upload to a folder: sftp://USER[:PASSWORD]@HOST:PORT/FOLDER (// before an absolute one).
    #[arg(long)]
    sftp: Vec<String>,
    /// A private key for --sftp instead of the password.
    #[arg(long)]
    sftp_key: Option<PathBuf>,
    /// Mail to a mailbox: imap://USER:PASSWORD@HOST:PORT/FOLDER, imaps://…, or maildir:/FOLDER.
    #[arg(long)]
    mail: Vec<String>,
    /// POST to URL/NAME, with Basic when the URL has a user.
    #[arg(long)]
    http: Vec<String>,
    /// The only HTTPS server to trust, sha256/…; any certificate will do when absent.
    #[arg(long)]
    pin: Option<String>,
    /// Each file goes by one of the ways, by chance, instead of by all.
    #[arg(long)]
    spread: bool,
    /// The share that is never forwarded, 0 to 1.
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    loss: f64,
    /// The share that is forwarded twice, 0 to 1.
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    double: f64,
    /// How long every file waits, such as 2s.
    #[arg(long, default_value = "0s", value_parser = duration)]
    delay: Duration,
    /// How much longer a file may wait, by chance: files overtake each other.
    #[arg(long, default_value = "0s", value_parser = duration)]
    shuffle: Duration,
    /// Decides everything that is left to chance.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What is done to each file, separated by commas.
    #[arg(long, value_enum, value_delimiter = ',')]
    dress: Vec<Dress>,
    /// Where in a mail the file is.
    #[arg(long, value_enum, default_value = "attachment")]
    mail_form: MailForm,
    /// Lines of the service stand below each mail.
    #[arg(long)]
    footer: bool,
    /// How long an HTTP receiver gets nothing more after it answered 500.
    #[arg(long, default_value = "5m", value_parser = duration)]
    invalid_for: Duration,
}

impl UsaliveArgs {
    /// What they ask for.
    ///
    /// # Errors
    /// A URL is wrong.
    pub fn options(self) -> Result<Options> {
        let settings = WaySettings {
            mail: MailLook {
                form: self.mail_form,
                has_footer: self.footer,
            },
            sftp_key: self.sftp_key,
            pin: self.pin,
            invalid_for: self.invalid_for,
        };
        let flags: [(&str, &[&str], &[String]); 4] = [
            ("--ftp", &["ftp", "ftps"], &self.ftp),
            ("--sftp", &["sftp"], &self.sftp),
            ("--mail", &["imap", "imaps", "maildir"], &self.mail),
            ("--http", &["http", "https"], &self.http),
        ];
        let mut ways = Vec::new();
        for (flag, schemes, urls) in flags {
            for url in urls {
                let way = Way::open(url, &settings).with_context(|| format!("{flag} {url}"))?;
                ensure!(
                    schemes.contains(&way.name()),
                    "{flag} takes a URL with {}",
                    schemes.join(" or ")
                );
                ways.push(way);
            }
        }
        Ok(Options {
            uploads: self.uploads,
            keep: self.keep,
            ways,
            fates: Fates {
                seed: self.seed,
                loss: self.loss,
                double: self.double,
                delay: self.delay,
                shuffle: self.shuffle,
                spread: self.spread,
            },
            dress: self.dress,
        })
    }
}

/// Forwards until the process is asked to end, then what is left.
///
/// # Errors
/// As [`super::run`]; or signals cannot be heard.
pub async fn run(args: UsaliveArgs) -> Result<()> {
    let options = args.options()?;
    let stop = asked_to_end()?;
    super::run(options, stop, Box::new(super::print)).await?;
    Ok(())
}

#[cfg(unix)]
fn asked_to_end() -> Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut term = signal(SignalKind::terminate()).context("cannot hear signals")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot hear signals")?;
    Ok(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn asked_to_end() -> Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("must be a number from 0 to 1".to_owned()),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let signed = text
        .parse::<SignedDuration>()
        .map_err(|error| error.to_string())?;
    Duration::try_from(signed).map_err(|_| "must not be negative".to_owned())
}
