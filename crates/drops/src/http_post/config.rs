//! The keys of a source that posts to us.

use serde::{Deserialize, Serialize};

use crate::Secret;

/// USALive's HTTP transport, which posts to `/api/drops/<name>` here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = HttpSource))]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Who posts, for HTTP Basic.
    pub user: String,
    /// Their password.
    #[serde(default)]
    pub password: Secret,
}

/// Shorter passwords are guessed: unlike the other kinds, this one is ours to choose.
const PASSWORD_LEAST: usize = 12;

impl Config {
    pub(crate) fn validate(&self) -> Result<(), String> {
        if self.user.is_empty() || self.user.contains(':') {
            return Err("user is missing, or has a colon, which HTTP Basic cannot carry".into());
        }
        if self.password.expose().chars().count() < PASSWORD_LEAST {
            return Err(format!(
                "password must have {PASSWORD_LEAST} characters or more"
            ));
        }
        Ok(())
    }
}
