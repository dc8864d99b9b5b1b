//! What machines send: batches of entries and heartbeats. Answered only after everything accepted is
//! durable.

pub mod batch;
pub mod body;
pub mod care;
pub mod heartbeat;
pub mod logs;
pub mod numbering;
pub mod redact;

use axum::Extension;
use wire::MachineId;

use crate::access::Caller;
use crate::error::ApiError;

/// Holds a body's machine id against the key that sent it.
///
/// # Errors
/// The id is none, or not the key's.
fn sender(caller: &Extension<Caller>, claimed: &str) -> Result<MachineId, ApiError> {
    let claimed: MachineId =
        claimed
            .parse()
            .map_err(|error: wire::machine_id::MachineIdError| {
                ApiError::bad_request("bad_machine_id", error.to_string())
            })?;
    match &caller.0 {
        Caller::Machine(own) if *own == claimed => Ok(claimed),
        Caller::Machine(own) => Err(ApiError::forbidden(
            "wrong_machine",
            format!(
                "the key is of machine {own}, but the body says {claimed}; send each machine's \
                 entries with its own key"
            ),
        )),
        _ => Err(ApiError::forbidden(
            "needs_machine_key",
            "only a machine's own key may send for it",
        )),
    }
}

/// A key may outlive its machine for the moment between check and call.
fn machine_gone(error: ApiError) -> ApiError {
    if error.code() == "no_such_machine" {
        ApiError::unauthorized("the machine of this key was removed; add it again and use its key")
    } else {
        error
    }
}
