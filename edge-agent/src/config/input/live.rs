//! `kind = "socket"` and `kind = "syslog"`: inputs that programs write to while the agent runs.

use std::net::SocketAddr;
use std::ops::Range;
use std::path::PathBuf;

use toml::Spanned;

use super::InputKind;
use super::reading::{Reading, build_optional_reading};
use crate::config::values::parsed;
use crate::config::{Mistakes, raw};

/// Where clients look for the agent's socket.
pub const SOCKET_PATH: &str = "/run/vendlog/agent.sock";
/// The agent's user and its group may write: the application's user is put into that group.
pub const SOCKET_MODE: u32 = 0o660;
/// What is said of a UDP address that others than this machine can reach.
pub const LOOPBACK_ONLY: &str = "anyone on the network could write into the log; use 127.0.0.1, or \
     add allow_network = true if that is meant";

/// A socket in the file system, and who may write to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketFile {
    /// Where it is made.
    pub path: PathBuf,
    /// Its permission bits.
    pub mode: u32,
    /// The name of its group; the agent's own when there is none.
    pub group: Option<String>,
}

/// The agent's own socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Socket {
    /// Where it listens.
    pub file: SocketFile,
}

/// What Python's `SysLogHandler` sends.
#[derive(Debug, Clone)]
pub struct Syslog {
    /// A Unix datagram socket.
    pub file: Option<SocketFile>,
    /// A UDP address.
    pub udp: Option<SocketAddr>,
    /// How messages are read; `None`: they are taken as they are, at the time they came.
    pub reading: Option<Reading>,
}

pub(super) fn build_socket(
    input: raw::Input,
    mistakes: &mut Mistakes,
) -> Option<(String, InputKind)> {
    let path = input.path.map(Spanned::into_inner);
    let path = path.unwrap_or_else(|| SOCKET_PATH.into());
    let name = path.display().to_string();
    let file = build_socket_file(path, input.mode, input.group, mistakes)?;
    Some((name, InputKind::Socket(Socket { file })))
}

pub(super) fn build_syslog(
    mut input: raw::Input,
    span: &Range<usize>,
    mistakes: &mut Mistakes,
) -> Option<(String, InputKind)> {
    let reading = build_optional_reading(&mut input, span, mistakes);
    let udp = match &input.udp {
        Some(udp) => Some(build_udp(udp, input.allow_network, mistakes)?),
        None => None,
    };
    let file = match input.path.map(Spanned::into_inner) {
        Some(path) => Some(build_socket_file(path, input.mode, input.group, mistakes)?),
        None => None,
    };
    let name = match (&file, &udp) {
        (Some(file), _) => file.path.display().to_string(),
        (None, Some(udp)) => format!("udp:{udp}"),
        (None, None) => {
            mistakes.at(
                span,
                "syslog input needs path = \"/run/vendlog/syslog.sock\", or udp = \"127.0.0.1:5514\"",
            );
            return None;
        }
    };
    let reading = reading?;
    Some((name, InputKind::Syslog(Syslog { file, udp, reading })))
}

fn build_udp(
    udp: &Spanned<String>,
    allow_network: Option<Spanned<bool>>,
    mistakes: &mut Mistakes,
) -> Option<SocketAddr> {
    let address: SocketAddr = parsed("udp", udp, mistakes)?;
    let is_allowed = allow_network.is_some_and(Spanned::into_inner);
    if !address.ip().is_loopback() && !is_allowed {
        mistakes.at(&udp.span(), format!("udp {address}: {LOOPBACK_ONLY}"));
        return None;
    }
    Some(address)
}

fn build_socket_file(
    path: PathBuf,
    mode: Option<Spanned<String>>,
    group: Option<Spanned<String>>,
    mistakes: &mut Mistakes,
) -> Option<SocketFile> {
    let mode = match mode {
        None => SOCKET_MODE,
        Some(mode) => match u32::from_str_radix(mode.get_ref(), 8) {
            Ok(bits) if bits <= 0o777 => bits,
            _ => {
                let said = mode.get_ref();
                mistakes.at(
                    &mode.span(),
                    format!("mode \"{said}\" is none; write it as chmod does, such as \"0660\""),
                );
                return None;
            }
        },
    };
    let group = group.map(Spanned::into_inner);
    Some(SocketFile { path, mode, group })
}
