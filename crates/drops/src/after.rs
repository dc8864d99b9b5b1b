//! What happens to a file at its source once our commit is durable.

use serde::{Deserialize, Serialize};

/// What to do with a file that was taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum After {
    /// Leave it; it is known again by its key. The default, because it can lose nothing.
    #[default]
    Keep,
    /// Move it to the folder `move_to`.
    Move,
    /// Delete it.
    Delete,
}
