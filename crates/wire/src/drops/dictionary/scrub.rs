//! What a dictionary must not hold: the values of one machine. A value that several machines say
//! often is part of how the application speaks; any other is replaced by chance in the same shape
//! before anything is learnt from it.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::MachineId;
use crate::template::{self, Kind, Param, Piece};

/// Numbers of at most so many digits are measurements and counts, never an account or a card.
const PLAIN_DIGITS_MAX: usize = 4;
/// A longer value must have been said so often ...
const OFTEN: u32 = 8;
/// ... by so many machines.
const MACHINES: usize = 2;

/// Which values are common, and chance for those that are not.
pub(super) struct Scrub {
    seen: HashMap<String, Seen>,
    dice: u64,
}

struct Seen {
    times: u32,
    machines: Vec<MachineId>,
}

impl Scrub {
    pub(super) fn new() -> Scrub {
        Scrub {
            seen: HashMap::new(),
            dice: 0x5EED,
        }
    }

    /// Counts the values of a text.
    pub(super) fn count(&mut self, machine: &MachineId, text: &str) {
        for param in template::split(text).params {
            if is_plain(&param) {
                continue;
            }
            let seen = self.seen.entry(param.text.into_owned()).or_insert(Seen {
                times: 0,
                machines: Vec::new(),
            });
            seen.times = seen.times.saturating_add(1);
            if seen.machines.len() < MACHINES && !seen.machines.contains(machine) {
                seen.machines.push(machine.clone());
            }
        }
    }

    /// The text without the values that are not common.
    pub(super) fn scrubbed(&mut self, text: &str) -> String {
        let split = template::split(text);
        let mut params = split.params.iter();
        let mut out = String::with_capacity(text.len());
        for piece in template::pieces(&split.template) {
            match piece {
                Ok(Piece::Text(literal)) => out.push_str(literal),
                Ok(Piece::Hole(_)) => {
                    let Some(param) = params.next() else { continue };
                    if is_plain(param) || self.is_common(&param.text) {
                        out.push_str(&param.text);
                    } else {
                        let replaced = self.replaced(&param.text);
                        out.push_str(&replaced);
                    }
                }
                Err(_) => return String::new(),
            }
        }
        out
    }

    fn is_common(&self, value: &str) -> bool {
        self.seen
            .get(value)
            .is_some_and(|seen| seen.times >= OFTEN && seen.machines.len() >= MACHINES)
    }

    /// Other letters and digits of the same kinds.
    fn replaced(&mut self, value: &str) -> String {
        let mut hex = value
            .bytes()
            .all(|b| b.is_ascii_hexdigit() || b"-:x".contains(&b));
        hex &= value.len() >= 8;
        let letters = if hex { 6 } else { 26 };
        let mut out = String::with_capacity(value.len());
        let mut escaped = false;
        for c in value.chars() {
            out.push(match c {
                // What an escape of JSON or Python means must stay whole.
                _ if escaped => c,
                '0'..='9' => char::from(b'0' + self.below(10)),
                'a'..='z' if c != 'x' || !hex => char::from(b'a' + self.below(letters)),
                'A'..='Z' => char::from(b'A' + self.below(letters)),
                c if c.is_alphabetic() => 'x',
                c => c,
            });
            escaped = c == '\\' && !escaped;
        }
        out
    }

    fn below(&mut self, end: u8) -> u8 {
        self.dice = self
            .dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.dice >> 33) % u64::from(end)) as u8
    }
}

/// A value that tells of no one: a small number, an amount, a time.
fn is_plain(param: &Param<'_>) -> bool {
    let digits = param.text.bytes().filter(u8::is_ascii_digit).count();
    match param.kind {
        Kind::Int => digits <= PLAIN_DIGITS_MAX,
        Kind::Dec | Kind::Money => digits <= 2 * PLAIN_DIGITS_MAX,
        Kind::Time => true,
        _ => matches!(param.text, Cow::Borrowed("")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_machine_says_is_replaced_and_what_all_say_stays() {
        let mut scrub = Scrub::new();
        let machines: Vec<MachineId> = ["VM001", "VM002"]
            .map(|id| id.parse().expect("an id"))
            .to_vec();
        for i in 0..40 {
            let machine = &machines[i % 2];
            scrub.count(machine, "card from 'Visa' at 5551234567");
            scrub.count(&machines[0], "user 'joe.doe' ref 9f8e7d6c5b4a3f2e");
        }
        let kept = scrub.scrubbed("card from 'Visa' at 5551234567, attempt 3");
        assert_eq!(kept, "card from 'Visa' at 5551234567, attempt 3");
        let other = scrub.scrubbed("user 'joe.doe' ref 9f8e7d6c5b4a3f2e");
        assert!(
            !other.contains("joe") && !other.contains("9f8e7d6c"),
            "{other}"
        );
        let shape = template::split(&other).template;
        assert_eq!(shape, "user '<str>' ref <hex>", "the shape stays");
    }
}
