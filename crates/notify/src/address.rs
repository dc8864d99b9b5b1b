//! Where a recipient is reached: a mailbox, a telephone, or the one place that a webhook knows.

use serde::{Deserialize, Serialize};

/// E.164: a country code and the rest, 15 digits at most; shorter than 7 is a service number.
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// An address that a channel takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = ChannelAddress))]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Address {
    /// A mailbox: `ops@example.com`.
    Email {
        /// Without a name and without `<>`.
        address: String,
    },
    /// A telephone in E.164: `+14155550100`.
    Phone {
        /// `+` and 7 to 15 digits.
        number: String,
    },
    /// A webhook's own.
    Endpoint,
}

impl Address {
    /// A mailbox.
    ///
    /// # Errors
    /// It is none; says what is expected.
    pub fn email(address: &str) -> Result<Address, String> {
        parse_email(address)?;
        Ok(Address::Email {
            address: address.to_owned(),
        })
    }

    /// A telephone; spaces, dots, dashes and brackets between the digits are left out.
    ///
    /// # Errors
    /// It is none; says what is expected.
    pub fn phone(number: &str) -> Result<Address, String> {
        let number: String = number.chars().filter(|c| !" .-()/".contains(*c)).collect();
        check_phone(&number)?;
        Ok(Address::Phone { number })
    }
}

pub(crate) fn parse_email(address: &str) -> Result<lettre::Address, String> {
    address
        .parse()
        .map_err(|_| "an e-mail address looks like ops@example.com".to_owned())
}

pub(crate) fn check_phone(number: &str) -> Result<(), String> {
    let digits = number.strip_prefix('+').unwrap_or("");
    let are_digits = digits.bytes().all(|b| b.is_ascii_digit());
    if are_digits && DIGITS.contains(&digits.len()) && !digits.starts_with('0') {
        return Ok(());
    }
    Err("a telephone number starts with + and the country code: +14155550100".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_e164_and_mailboxes_have_no_name() {
        let number = "+14155550100".to_owned();
        assert_eq!(
            Address::phone("+1 (415) 555-0100"),
            Ok(Address::Phone { number })
        );
        for bad in [
            "4155550100",
            "+0415555010",
            "+1415",
            "+1415555010a",
            "+1234567890123456",
        ] {
            assert!(Address::phone(bad).is_err(), "{bad}");
        }
        assert!(Address::email("ops@example.com").is_ok());
        for bad in [
            "",
            "ops",
            "a@b\r\nBcc: c@d",
            "Ops <ops@example.com>",
            "a@b>c",
        ] {
            assert!(Address::email(bad).is_err(), "{bad}");
        }
    }
}
