//! Which digits are a card number: issuer ranges, lengths and the Luhn check.

/// The fewest digits of a card number.
pub(super) const CARD_MIN_DIGITS: usize = 13;
/// The most digits of a card number.
pub(super) const CARD_MAX_DIGITS: usize = 19;

/// First and last six leading digits of a range, and the lengths its numbers have. UATP (1, 15
/// digits) is left out: Python's thread ids look like it, and no vending machine takes it.
const RANGES: &[(u32, u32, &[usize])] = &[
    (400_000, 499_999, &[13, 16, 19]),                 // Visa
    (510_000, 559_999, &[16]),                         // Mastercard
    (222_100, 272_099, &[16]),                         // Mastercard
    (340_000, 349_999, &[15]),                         // American Express
    (370_000, 379_999, &[15]),                         // American Express
    (300_000, 305_999, &[14, 15, 16, 17, 18, 19]),     // Diners Club
    (309_500, 309_599, &[14, 15, 16, 17, 18, 19]),     // Diners Club
    (360_000, 369_999, &[14, 15, 16, 17, 18, 19]),     // Diners Club
    (380_000, 399_999, &[13, 14, 15, 16, 17, 18, 19]), // Diners Club, Hipercard
    (352_800, 358_999, &[16, 17, 18, 19]),             // JCB, LankaPay
    (213_100, 213_199, &[15]),                         // JCB
    (180_000, 180_099, &[15]),                         // JCB
    (310_000, 319_999, &[19]),                         // China T-Union
    (220_000, 220_599, &[16, 17, 18, 19]),             // Mir, Borica
    (500_000, 509_999, &[13, 14, 15, 16, 17, 18, 19]), // Maestro, Verve, Elo, RuPay, Meeza
    (560_000, 589_999, &[13, 14, 15, 16, 17, 18, 19]), // Maestro
    (600_000, 699_999, &[16, 17, 18, 19]),             // Discover, UnionPay, Maestro, RuPay, Troy
    (600_000, 609_999, &[13, 14, 15]),                 // Maestro
    (630_000, 639_999, &[13, 14, 15]),                 // Maestro
    (670_000, 679_999, &[13, 14, 15]),                 // Maestro
    (810_000, 829_999, &[16, 17, 18, 19]),             // UnionPay, RuPay
    (860_000, 860_099, &[16]),                         // UzCard
    (986_000, 986_099, &[16]),                         // Humo
    (970_400, 970_499, &[16, 19]),                     // Napas
    (979_200, 979_299, &[16]),                         // Troy
];

/// Whether these digits (values 0 to 9) are a card number of a known range.
pub(super) fn is_card(digits: &[u8]) -> bool {
    if !(CARD_MIN_DIGITS..=CARD_MAX_DIGITS).contains(&digits.len()) {
        return false;
    }
    let lead = digits[..6]
        .iter()
        .fold(0, |n, digit| n * 10 + u32::from(*digit));
    let known = RANGES.iter().any(|(from, to, lengths)| {
        (*from..=*to).contains(&lead) && lengths.contains(&digits.len())
    });
    known && luhn(digits)
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(i, digit)| match (i % 2, u32::from(*digit)) {
            (0, digit) => digit,
            (_, digit) if digit > 4 => digit * 2 - 9,
            (_, digit) => digit * 2,
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(text: &str) -> bool {
        is_card(&text.bytes().map(|b| b - b'0').collect::<Vec<_>>())
    }

    #[test]
    fn the_brands_own_test_numbers_are_cards() {
        for number in [
            "4111111111111111",
            "4222222222222",
            "5555555555554444",
            "2223003122003222",
            "378282246310005",
            "6011111111111117",
            "30569309025904",
            "3530111333300000",
            "6200000000000005",
            "6759649826438453",
            "5018000000000009",
            "6304000000000000",
        ] {
            assert!(card(number), "{number}");
        }
    }

    #[test]
    fn times_and_wrong_check_digits_are_not() {
        for number in [
            "4111111111111112",
            "1769061495123",
            "1769061495123456",
            "140234567890123",
            "412",
        ] {
            assert!(!card(number), "{number}");
        }
    }
}
