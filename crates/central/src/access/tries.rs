//! How often an address may try something that needs no credential, in a bounded memory.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use wire::Micros;
use wire::time::MINUTE_US;

/// The time in which tries are counted together.
pub const WINDOW_US: i64 = MINUTE_US;
/// Tries of one address in it: a technician who mistypes a few times, or a workshop that sets up a
/// shelf of machines behind one router, gets through.
const TRIES_MAX: u32 = 30;
/// Addresses that are remembered; beyond it the one whose window began first is forgotten.
const ADDRESSES_MAX: usize = 4096;
/// An IPv6 household has at least so many bits to itself.
const IPV6_PREFIX_BITS: u32 = 64;

/// Counts tries.
#[derive(Default)]
pub struct Tries(Mutex<HashMap<IpAddr, Window>>);

struct Window {
    began: Micros,
    tries: u32,
}

impl Tries {
    /// Whether this address has had its share, without counting.
    pub fn is_spent(&self, address: IpAddr, now: Micros) -> bool {
        let windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        windows.get(&household(address)).is_some_and(|window| {
            (0..WINDOW_US).contains(&now.since_us(window.began)) && window.tries >= TRIES_MAX
        })
    }

    /// Counts a try; `false` when this address has had its share.
    pub fn count(&self, address: IpAddr, now: Micros) -> bool {
        let address = household(address);
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = |window: &Window| !(0..WINDOW_US).contains(&now.since_us(window.began));
        if windows.len() >= ADDRESSES_MAX && !windows.contains_key(&address) {
            windows.retain(|_, window| !is_over(window));
        }
        if windows.len() >= ADDRESSES_MAX && !windows.contains_key(&address) {
            let first = windows.iter().min_by_key(|(_, window)| window.began);
            let first = first.map(|(address, _)| *address);
            first.and_then(|address| windows.remove(&address));
        }
        let window = windows.entry(address).or_insert(Window {
            began: now,
            tries: 0,
        });
        if is_over(window) {
            *window = Window {
                began: now,
                tries: 0,
            };
        }
        window.tries = window.tries.saturating_add(1);
        window.tries <= TRIES_MAX
    }
}

/// The address, or what stands for everybody who shares it.
fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let prefix = v6.to_bits() >> (128 - IPV6_PREFIX_BITS) << (128 - IPV6_PREFIX_BITS);
            IpAddr::V6(prefix.into())
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_has_its_share_a_minute_and_others_have_theirs() {
        let tries = Tries::default();
        let ours = address("10.0.0.1");
        let taken = (0..100).filter(|_| tries.count(ours, Micros(5))).count();
        assert_eq!(taken, TRIES_MAX as usize);
        assert!(tries.is_spent(ours, Micros(6)));
        assert!(!tries.is_spent(ours, Micros(5 + WINDOW_US)));
        assert!(!tries.is_spent(address("10.0.0.2"), Micros(5)));
        assert!(tries.count(address("10.0.0.2"), Micros(5)));
        assert!(
            !tries.count(address("::ffff:10.0.0.1"), Micros(6)),
            "the same"
        );
        assert!(tries.count(ours, Micros(5 + WINDOW_US)));
        assert!(tries.count(ours, Micros(0)), "a clock that was set back");
    }

    #[test]
    fn one_ipv6_household_is_one_address() {
        let tries = Tries::default();
        let taken = (0..1000)
            .map(|n| address(&format!("2001:db8::{n:x}")))
            .filter(|address| tries.count(*address, Micros(0)))
            .count();
        assert_eq!(taken, TRIES_MAX as usize);
        assert!(tries.count(address("2001:db8:0:1::1"), Micros(0)));
    }

    #[test]
    fn a_flood_of_addresses_takes_no_more_memory() {
        let tries = Tries::default();
        for n in 0..20_000u32 {
            assert!(tries.count(IpAddr::V4(n.into()), Micros(i64::from(n))));
        }
        let kept = tries.0.lock().unwrap().len();
        println!("20,000 addresses, {kept} remembered");
        assert!(kept <= ADDRESSES_MAX);
    }
}
