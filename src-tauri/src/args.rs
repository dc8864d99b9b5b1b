//! The command line of `vendlog`. Wrong use ends with exit code 2 and one line that says why.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;

/// Agents come over the LAN, so the desktop listens on every address unless told otherwise.
const DEFAULT_LISTEN: &str = "0.0.0.0:4433";

/// The desktop app: the fleet and its logs in a window, with the ingest server and the store inside.
#[derive(Debug, Parser)]
#[command(name = "vendlog", version)]
pub struct Args {
    /// Where the store is kept [default: vendlog in the system's folder for application data]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,

    /// The file with the store's key [default: vendlog/store.key in the configuration folder]
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,

    /// The address on which agents deliver; port 0 picks a free one
    #[arg(long, value_name = "ADDR", default_value = DEFAULT_LISTEN)]
    pub listen: SocketAddr,

    /// Start without showing the window; starting vendlog again shows it
    #[arg(long)]
    pub hidden: bool,

    /// Show a running vendlog-server instead of an own store
    #[arg(long, value_name = "URL")]
    pub connect: Option<String>,
}

impl Args {
    /// What is asked for but cannot be done, in words; checked before anything is started.
    pub fn refused(&self) -> Option<String> {
        self.connect.as_ref().map(|url| {
            format!(
                "--connect is not available in this version. Open {url} in a browser with a \
                 sign-in link from vendlog-server, or leave --connect out to use a store on this \
                 computer."
            )
        })
    }
}

/// The data directory when none is named, such as `~/.local/share/vendlog`; None when the system
/// names no folder for application data.
pub fn default_data_dir() -> Option<PathBuf> {
    dirs::data_local_dir().map(|dir| dir.join("vendlog"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_arguments_agents_are_taken_from_the_lan() {
        let args = Args::parse_from(["vendlog"]);
        assert_eq!(args.listen, "0.0.0.0:4433".parse().expect("an address"));
        assert!(!args.hidden);
        assert_eq!(args.refused(), None);
    }

    #[test]
    fn connecting_to_a_server_is_refused_with_what_to_do_instead() {
        let args = Args::parse_from(["vendlog", "--connect", "https://ops-pc:4433"]);
        let words = args.refused().expect("refused");
        assert!(
            words.contains("https://ops-pc:4433") && words.contains("sign-in link"),
            "{words}"
        );
    }

    #[test]
    fn a_port_alone_is_wrong_use() {
        assert!(Args::try_parse_from(["vendlog", "--listen", "4433"]).is_err());
    }
}
