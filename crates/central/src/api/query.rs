//! The query string of the read routes: names, bounds and words of refusal, in one place. A name
//! that is not known is refused, so that a typing error does not silently show everything.

use axum::http::Uri;
use serde::Deserialize;
use store::{EntryQuery, Order};
use utoipa::IntoParams;
use wire::{Level, MachineId, Micros};

use crate::error::ApiError;

/// The most machines or components one query names.
const NAMES_MAX: usize = 500;
/// The longest search, in characters: longer than anything a person types.
const SEARCH_MAX_CHARS: usize = 500;

/// Which entries are wanted; nothing given means everything.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)] // it describes what `entry_query` reads
pub struct FilterParams {
    /// Any of these machines; may repeat.
    pub machine: Option<Vec<String>>,
    /// Filed at or after this time (RFC 3339).
    pub from: Option<String>,
    /// Filed before this time (RFC 3339).
    pub to: Option<String>,
    /// The lowest level shown: DEBUG, INFO, WARN, ERROR or CRITICAL.
    pub level: Option<String>,
    /// Any of these components; may repeat.
    pub component: Option<Vec<String>>,
    /// Words (all must match), `"a phrase"`, `-not`, `field:value` for the context.
    pub q: Option<String>,
}

/// The pairs of a query string; each is taken by name, and none may be left over.
pub struct Pairs {
    pairs: Vec<(String, String)>,
    known: Vec<&'static str>,
}

impl Pairs {
    /// Of this address. A name without a value counts as absent, as an empty form field sends it.
    pub fn of(uri: &Uri) -> Pairs {
        let query = uri.query().unwrap_or_default();
        let pairs = form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .filter(|(_, value)| !value.is_empty())
            .collect();
        Pairs {
            pairs,
            known: Vec::new(),
        }
    }

    /// Every value of this name.
    pub fn all(&mut self, name: &'static str) -> Vec<String> {
        self.known.push(name);
        let (taken, left) = std::mem::take(&mut self.pairs)
            .into_iter()
            .partition(|p| p.0 == name);
        self.pairs = left;
        let taken: Vec<(String, String)> = taken;
        taken.into_iter().map(|(_, value)| value).collect()
    }

    /// The only value of this name.
    ///
    /// # Errors
    /// It is there twice.
    pub fn one(&mut self, name: &'static str) -> Result<Option<String>, ApiError> {
        let mut values = self.all(name);
        if values.len() > 1 {
            return Err(bad(name, "is given more than once; give it once"));
        }
        Ok(values.pop())
    }

    /// A whole number, held within these bounds.
    ///
    /// # Errors
    /// It is no whole number.
    pub fn number(
        &mut self,
        name: &'static str,
        default: usize,
        bounds: std::ops::RangeInclusive<usize>,
    ) -> Result<usize, ApiError> {
        let Some(text) = self.one(name)? else {
            return Ok(default);
        };
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(bad(name, "must be a whole number"));
        }
        let number = text.parse().unwrap_or(usize::MAX); // only digits: too many of them
        Ok(number.clamp(*bounds.start(), *bounds.end()))
    }

    /// Refuses what nobody took.
    ///
    /// # Errors
    /// A name is not known.
    pub fn finish(self) -> Result<(), ApiError> {
        match self.pairs.first() {
            None => Ok(()),
            Some((name, _)) => Err(ApiError::bad_request(
                "unknown_parameter",
                format!(
                    "parameter \"{}\" is not known; use {}",
                    name.chars().take(40).collect::<String>(),
                    self.known.join(", "),
                ),
            )),
        }
    }

    /// The filters that all read routes share.
    ///
    /// # Errors
    /// A machine id, level or time cannot be read; a list or the search is too long.
    pub fn entry_query(&mut self) -> Result<EntryQuery, ApiError> {
        let min_level = match self.one("level")? {
            None => None,
            Some(word) => Some(
                word.parse::<Level>()
                    .map_err(|error| ApiError::bad_request("unknown_level", error.to_string()))?,
            ),
        };
        let q = self.one("q")?.unwrap_or_default();
        if q.chars().count() > SEARCH_MAX_CHARS {
            return Err(bad("q", "is longer than 500 characters; search for less"));
        }
        let components = self.all("component");
        if components.len() > NAMES_MAX {
            return Err(bad("component", "is given more than 500 times"));
        }
        Ok(EntryQuery {
            machines: self.machines()?,
            min_level,
            components,
            from: self.time("from")?,
            to: self.time("to")?,
            q,
        })
    }

    /// The machines named.
    ///
    /// # Errors
    /// One is no machine id, or there are too many.
    pub fn machines(&mut self) -> Result<Vec<MachineId>, ApiError> {
        let names = self.all("machine");
        if names.len() > NAMES_MAX {
            return Err(bad("machine", "is given more than 500 times"));
        }
        names
            .iter()
            .map(|name| {
                name.parse::<MachineId>()
                    .map_err(|error| ApiError::bad_request("bad_machine_id", error.to_string()))
            })
            .collect()
    }

    /// `order`: `desc` or `asc`.
    ///
    /// # Errors
    /// It is neither.
    pub fn order(&mut self, default: Order) -> Result<Order, ApiError> {
        match self.one("order")?.as_deref() {
            None => Ok(default),
            Some("asc") => Ok(Order::Asc),
            Some("desc") => Ok(Order::Desc),
            Some(_) => Err(bad(
                "order",
                "must be desc (newest first) or asc (oldest first)",
            )),
        }
    }

    fn time(&mut self, name: &'static str) -> Result<Option<Micros>, ApiError> {
        let Some(text) = self.one(name)? else {
            return Ok(None);
        };
        // A "+" that was not escaped arrives as a blank: 15:00:00+02:00.
        Micros::parse_rfc3339(&text)
            .or_else(|_| Micros::parse_rfc3339(&text.replace(' ', "+")))
            .map(Some)
            .map_err(|_| bad(name, "must be RFC 3339 such as 2026-01-22T14:30:15.123Z"))
    }
}

fn bad(name: &str, problem: &str) -> ApiError {
    ApiError::bad_request("bad_parameter", format!("parameter \"{name}\" {problem}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(query: &str) -> Pairs {
        Pairs::of(&format!("/api/logs?{query}").parse().unwrap())
    }

    #[test]
    fn everything_the_filters_know_is_read() {
        let mut pairs = pairs(
            "machine=VM001&machine=VM002&level=warning&component=a%20b&q=%22no%20contact%22\
             &from=2026-01-22T14:30:15Z&to=2026-01-22T16:30:15%2B01:00&order=asc&limit=7",
        );
        let query = pairs.entry_query().unwrap();
        assert_eq!(query.machines.len(), 2);
        assert_eq!(query.min_level, Some(Level::Warn));
        assert_eq!(query.components, ["a b"]);
        assert_eq!(query.q, "\"no contact\"");
        let hour = query.to.unwrap().since_us(query.from.unwrap());
        assert_eq!(hour, wire::time::HOUR_US);
        assert_eq!(pairs.order(Order::Desc).unwrap(), Order::Asc);
        assert_eq!(pairs.number("limit", 100, 1..=1000).unwrap(), 7);
        assert!(pairs.finish().is_ok());
    }

    #[test]
    fn a_number_is_held_within_its_bounds() {
        assert_eq!(pairs("").number("limit", 100, 1..=1000).unwrap(), 100);
        assert_eq!(pairs("limit=0").number("limit", 100, 1..=1000).unwrap(), 1);
        let many = "limit=99999999999999999999999";
        assert_eq!(pairs(many).number("limit", 100, 1..=1000).unwrap(), 1000);
        assert!(pairs("limit=-1").number("limit", 100, 1..=1000).is_err());
        assert!(pairs("limit=ten").number("limit", 100, 1..=1000).is_err());
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (query, words) in [
            ("level=LOUD", "DEBUG, INFO, WARN, ERROR or CRITICAL"),
            ("from=yesterday", "RFC 3339"),
            ("machine=VM000000001", "longer than 10"),
            (
                "from=2026-01-22T14:30:15Z&from=2026-01-22T14:30:15Z",
                "more than once",
            ),
        ] {
            let error = pairs(query).entry_query().unwrap_err();
            assert!(
                error.message().contains(words),
                "{query}: {}",
                error.message()
            );
        }
        let mut typo = pairs("machin=VM001");
        typo.entry_query().unwrap();
        let error = typo.finish().unwrap_err();
        assert!(
            error.message().contains("\"machin\""),
            "{}",
            error.message()
        );
        assert!(error.message().contains("machine"), "{}", error.message());
    }
}
