//! A password, token or address that opens a door: shown as `***` wherever it is printed or
//! serialised, wiped when dropped. Only [`crate::ChannelConfig::to_stored`] writes it out.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// What stands for a secret that is set. Read back, it means "as it was".
pub(crate) const SHOWN: &str = "***";

/// A secret text. Empty means that there is none.
#[derive(Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = ChannelSecret, value_type = String, example = "***"))]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The text itself, to be handed to the server it belongs to.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Secret {
        Secret(Zeroizing::new(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() { "none" } else { SHOWN })
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(if self.is_empty() { "" } else { SHOWN })
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        Ok(if *text == SHOWN {
            Secret::default()
        } else {
            Secret(text)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_shown_and_what_is_shown_is_no_secret() {
        let secret = Secret::from("hunter2");
        assert_eq!(format!("{secret:?}"), "***");
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"***\"");
        let back: Secret = serde_json::from_str("\"***\"").unwrap();
        assert!(back.is_empty(), "the stars stand for what is kept already");
    }
}
