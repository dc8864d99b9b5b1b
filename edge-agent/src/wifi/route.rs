//! Whether the machine has a route to an address, and word from the kernel when its routes change.
//! It says nothing of what answers there, and no interface has a name here.

use std::fs;
use std::io;
use std::mem;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::Duration;

use tokio::io::unix::AsyncFd;

use crate::clock::timer;

/// A name that is not resolved in this time counts as unknown.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(5);
/// A link that comes up makes a dozen changes at once: they are looked at together.
const SETTLES: Duration = Duration::from_millis(200);
/// What is read of the kernel's messages at once; only that there are any matters.
const MESSAGE_BYTES: usize = 8 * 1024;
/// Links, addresses and routes, as `RTMGRP_*` in linux/rtnetlink.h.
const GROUPS: libc::c_int = libc::RTMGRP_LINK
    | libc::RTMGRP_IPV4_IFADDR
    | libc::RTMGRP_IPV4_ROUTE
    | libc::RTMGRP_IPV6_IFADDR
    | libc::RTMGRP_IPV6_ROUTE;

/// Where requests go first: the server, or the proxy on the way to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    host: String,
    port: u16,
}

impl Target {
    /// The host and port of a URL; `None` when it has none.
    pub fn of(url: &str) -> Option<Target> {
        let url = reqwest::Url::parse(url).ok()?;
        let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
        let port = url.port_or_known_default()?;
        Some(Target { host, port })
    }

    /// Whether the machine has a route to it now. Nothing is sent there. A name that cannot be
    /// resolved has one when there is any route that leaves the machine.
    pub async fn has_route(&self) -> bool {
        if let Ok(address) = self.host.parse::<IpAddr>() {
            return has_route_to(SocketAddr::new(address, self.port));
        }
        let lookup = tokio::net::lookup_host((self.host.as_str(), self.port));
        match tokio::time::timeout(RESOLVE_TIMEOUT, lookup).await {
            Ok(Ok(addresses)) => addresses.into_iter().any(has_route_to),
            Ok(Err(_)) | Err(_) => leaves_the_machine(),
        }
    }
}

/// Asks the kernel, by naming the address as the peer of a socket that then sends nothing.
fn has_route_to(address: SocketAddr) -> bool {
    let any: IpAddr = match address {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    UdpSocket::bind((any, 0)).is_ok_and(|socket| socket.connect(address).is_ok())
}

/// Whether any route goes by another interface than the machine's own.
fn leaves_the_machine() -> bool {
    let v4 = fs::read_to_string("/proc/net/route").unwrap_or_default();
    let v6 = fs::read_to_string("/proc/net/ipv6_route").unwrap_or_default();
    // Behind a line of headings. In the other every interface that is up has link-local routes, so
    // that only a default route counts.
    let names = v4
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().next());
    names.flatten().any(|name| name != "lo") || v6.lines().any(is_default_v6)
}

fn is_default_v6(line: &str) -> bool {
    let mut columns = line.split_whitespace();
    let is_any = columns
        .next()
        .is_some_and(|address| address.bytes().all(|digit| digit == b'0'));
    is_any && columns.next() == Some("00") && columns.last().is_some_and(|name| name != "lo")
}

/// Tells when routes, addresses or links change.
#[derive(Debug)]
pub struct Changes(Option<AsyncFd<OwnedFd>>);

impl Changes {
    /// Listens from now on. Where the kernel does not let it, changes are simply not heard of.
    pub fn listen() -> Changes {
        let socket = socket().and_then(timer::readable);
        if let Err(error) = &socket {
            tracing::info!(%error, "changes of routes are not told to the agent; it looks by itself");
        }
        Changes(socket.ok())
    }

    /// Waits for a change, and until its fellows have come too, but no longer than `longest`;
    /// answers whether there was one.
    pub async fn next(&self, longest: Duration) -> bool {
        let Some(socket) = &self.0 else {
            timer::sleep(longest).await;
            return false;
        };
        tokio::select! {
            () = timer::sleep(longest) => return false,
            () = heard(socket) => {}
        }
        timer::sleep(SETTLES).await;
        drain(socket.get_ref());
        true
    }
}

/// Waits until the socket has something, and takes it.
async fn heard(socket: &AsyncFd<OwnedFd>) {
    match socket.readable().await {
        Ok(mut ready) => {
            drain(socket.get_ref());
            ready.clear_ready();
        }
        // The runtime ends.
        Err(_) => std::future::pending().await,
    }
}

/// Takes everything there is. Too much for the socket to hold is an answer too.
fn drain(socket: &OwnedFd) {
    let mut bytes = [0u8; MESSAGE_BYTES];
    loop {
        // SAFETY: at most as many bytes are written as the buffer has.
        let got = unsafe {
            libc::recv(
                socket.as_raw_fd(),
                bytes.as_mut_ptr().cast(),
                bytes.len(),
                libc::MSG_DONTWAIT,
            )
        };
        let overrun = got < 0 && io::Error::last_os_error().raw_os_error() == Some(libc::ENOBUFS);
        if got <= 0 && !overrun {
            return;
        }
    }
}

fn socket() -> io::Result<OwnedFd> {
    let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: it takes no memory, and answers a new descriptor or -1.
    let fd = unsafe { libc::socket(libc::AF_NETLINK, kind, libc::NETLINK_ROUTE) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new, and nobody else's.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    // SAFETY: all zeros is a valid `sockaddr_nl`.
    let mut address: libc::sockaddr_nl = unsafe { mem::zeroed() };
    address.nl_family = libc::AF_NETLINK as libc::sa_family_t;
    address.nl_groups = GROUPS as u32;
    let len = size_of::<libc::sockaddr_nl>() as libc::socklen_t;
    // SAFETY: `address` is a `sockaddr_nl` of this length.
    let answer = unsafe { libc::bind(fd.as_raw_fd(), (&raw const address).cast(), len) };
    match answer {
        0 => Ok(fd),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_machine_has_a_route_to_itself_and_an_address_by_name_or_number_is_read() {
        for url in [
            "https://127.0.0.1:4433",
            "https://localhost",
            "http://proxy:3128",
        ] {
            assert!(Target::of(url).is_some(), "{url}");
        }
        let number = Target::of("https://[::1]:4433").unwrap();
        assert_eq!((number.host.as_str(), number.port), ("::1", 4433));
        assert_eq!(Target::of("https://127.0.0.1").unwrap().port, 443);
        assert!(
            Target::of("https://127.0.0.1:4433")
                .unwrap()
                .has_route()
                .await
        );
    }

    #[test]
    fn only_a_default_route_beyond_the_machine_counts_where_every_link_has_routes() {
        let zeros = "0".repeat(32);
        let rest = "00 0 00000400 00000001 00000000 00000003";
        assert!(is_default_v6(&format!("{zeros} 00 {zeros} {rest} wlan0")));
        assert!(!is_default_v6(&format!("{zeros} 00 {zeros} {rest} lo")));
        assert!(!is_default_v6(&format!(
            "fe80{} 40 {zeros} {rest} wlan0",
            "0".repeat(28)
        )));
    }
}
