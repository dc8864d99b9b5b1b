//! One-time sign-in links: made by the admin, good for ten minutes and one browser, in memory only.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use wire::Micros;
use wire::time::MINUTE_US;

use super::caller::Role;
use super::keys;
use crate::error::ApiError;

/// How long a link can be used: time enough to carry it to a browser by hand.
pub const LINK_LIFE_US: i64 = 10 * MINUTE_US;
/// The most links that wait at once; the oldest goes first.
const LINKS_MAX: usize = 100;

/// Whom a link signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guest {
    /// The name of the session.
    pub name: String,
    /// What the session may do.
    pub role: Role,
}

/// The links that were made and not used yet, by the SHA-256 of their secret.
#[derive(Default)]
pub struct SigninLinks(Mutex<HashMap<[u8; 32], (Micros, Guest)>>);

impl SigninLinks {
    /// Makes a link's secret for this guest.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn make(&self, guest: Guest, now: Micros) -> Result<String, ApiError> {
        let secret = keys::random_secret()?;
        let mut links = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        links.retain(|_, (ends, _)| now < *ends);
        if links.len() >= LINKS_MAX {
            let oldest = links
                .iter()
                .min_by_key(|(_, (ends, _))| *ends)
                .map(|(hash, _)| *hash);
            oldest.and_then(|hash| links.remove(&hash));
        }
        links.insert(keys::sha256(&secret), (now.plus_us(LINK_LIFE_US), guest));
        Ok(secret)
    }

    /// Takes the link with this secret: whom it signs in, once.
    pub fn take(&self, secret: &str, now: Micros) -> Option<Guest> {
        let mut links = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (ends, guest) = links.remove(&keys::sha256(secret))?;
        (now < ends).then_some(guest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guest() -> Guest {
        Guest {
            name: "ops".into(),
            role: Role::Manager,
        }
    }

    #[test]
    fn a_link_signs_in_once() {
        let links = SigninLinks::default();
        let secret = links.make(guest(), Micros(0)).unwrap();
        assert_eq!(links.take("another", Micros(1)), None);
        assert_eq!(links.take(&secret, Micros(1)), Some(guest()));
        assert_eq!(links.take(&secret, Micros(2)), None, "it was used");
    }

    #[test]
    fn a_link_ends_after_ten_minutes() {
        let links = SigninLinks::default();
        let secret = links.make(guest(), Micros(0)).unwrap();
        assert_eq!(links.take(&secret, Micros(10 * MINUTE_US)), None);
    }

    #[test]
    fn only_so_many_links_wait() {
        let links = SigninLinks::default();
        let first = links.make(guest(), Micros(0)).unwrap();
        for at in 1..=LINKS_MAX as i64 {
            links.make(guest(), Micros(at)).unwrap();
        }
        assert_eq!(
            links.take(&first, Micros(200)),
            None,
            "the oldest made room"
        );
    }
}
