//! What a delivery cost, in whole millionths, so that a day's sum is exact.

use serde::{Deserialize, Serialize};

/// Digits behind the point that are kept.
const DECIMALS: usize = 6;

/// A price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// Millionths of the unit; never negative.
    pub millionths: u64,
    /// ISO 4217: `USD`.
    pub unit: String,
}

impl Price {
    /// Reads a decimal; a sign is left out, for providers write a debit as negative.
    pub(crate) fn parse(text: &str, unit: &str) -> Option<Price> {
        let text = text.trim().trim_start_matches('-');
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let part: String = part.chars().take(DECIMALS).collect();
        let digits = format!("{whole}{part:0<DECIMALS$}");
        let is_decimal = !whole.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let is_unit = unit.len() == 3 && unit.bytes().all(|b| b.is_ascii_alphabetic());
        (is_decimal && is_unit).then_some(Price {
            millionths: digits.parse().ok()?,
            unit: unit.to_ascii_uppercase(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_read_to_the_millionth() {
        let millionths = |text| Price::parse(text, "usd").map(|price| price.millionths);
        assert_eq!(millionths("-0.00750"), Some(7_500));
        assert_eq!(millionths("1"), Some(1_000_000));
        assert_eq!(millionths("0.0000001"), Some(0));
        assert_eq!(millionths("a.b"), None);
        assert_eq!(millionths(""), None);
        assert_eq!(millionths("99999999999999999999"), None);
    }
}
