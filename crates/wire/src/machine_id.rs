//! The name of a machine: 1 to 10 of `A-Z a-z 0-9 _ -`, because a drop line carries it 24 times a day.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest machine id, in characters.
pub const MACHINE_ID_MAX_CHARS: usize = 10;

/// A valid machine id; case is kept and matters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MachineId(Arc<str>);

/// Why a text is no machine id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MachineIdError {
    /// Nothing there.
    #[error("a machine id is missing; give 1 to 10 of A-Z a-z 0-9 _ -")]
    Empty,
    /// More than ten characters.
    #[error("machine id \"{0}\" is longer than 10 characters; give 1 to 10 of A-Z a-z 0-9 _ -")]
    TooLong(String),
    /// A character outside the set.
    #[error("machine id \"{0}\" has a character that is not one of A-Z a-z 0-9 _ -")]
    BadCharacter(String),
}

impl MachineId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MachineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for MachineId {
    type Err = MachineIdError;

    fn from_str(text: &str) -> Result<MachineId, MachineIdError> {
        let shown = || text.chars().take(40).collect::<String>();
        if text.is_empty() {
            return Err(MachineIdError::Empty);
        }
        if text.chars().count() > MACHINE_ID_MAX_CHARS {
            return Err(MachineIdError::TooLong(shown()));
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if !text.chars().all(allowed) {
            return Err(MachineIdError::BadCharacter(shown()));
        }
        Ok(MachineId(text.into()))
    }
}

impl Serialize for MachineId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for MachineId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<MachineId, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for MachineId {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .pattern(Some("^[A-Za-z0-9_-]{1,10}$"))
            .into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for MachineId {
    fn name() -> std::borrow::Cow<'static, str> {
        "MachineId".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_to_ten_of_the_allowed_characters() {
        assert!("VM001".parse::<MachineId>().is_ok());
        assert!("a_b-C12345".parse::<MachineId>().is_ok());
        assert_eq!("".parse::<MachineId>(), Err(MachineIdError::Empty));
        assert!(matches!(
            "VM000000001".parse::<MachineId>(),
            Err(MachineIdError::TooLong(_))
        ));
        assert!(matches!(
            "VM 01".parse::<MachineId>(),
            Err(MachineIdError::BadCharacter(_))
        ));
        assert!(matches!(
            "VM|01".parse::<MachineId>(),
            Err(MachineIdError::BadCharacter(_))
        ));
    }
}
