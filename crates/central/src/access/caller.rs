//! Who is calling, as a request extension. Set by the guard from a credential, by the desktop shell
//! and by the admin socket; never from a header's word.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use wire::MachineId;

/// Who is calling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// The desktop window of this process.
    Window,
    /// Somebody who can open `DATA/admin.sock`, or a command on the data directory.
    Admin,
    /// The agent of a machine.
    Machine(MachineId),
    /// The one that brings files of a source of kind `http`, by that source's own user and password.
    Source(String),
    /// A person with a session, or a script with a token.
    Person {
        /// Their name.
        name: String,
        /// What they may do.
        role: Role,
    },
}

/// What a person may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads everything and changes what is registered.
    Manager,
    /// Reads everything, and answers alerts.
    Technician,
    /// Reads everything, and answers alerts.
    Owner,
    /// Brings drops to `POST /api/drops/{name}` and reads nothing: for the token that the card
    /// reader's service is given.
    Source,
}

/// A word that is no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("role \"{0}\" is not known; use manager, technician, owner or source")]
pub struct UnknownRole(String);

impl Role {
    /// Its name: `manager`, `technician`, `owner`, `source`.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Manager => "manager",
            Role::Technician => "technician",
            Role::Owner => "owner",
            Role::Source => "source",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(word: &str) -> Result<Role, UnknownRole> {
        [Role::Manager, Role::Technician, Role::Owner, Role::Source]
            .into_iter()
            .find(|role| role.as_str() == word)
            .ok_or_else(|| UnknownRole(word.chars().take(40).collect()))
    }
}

/// Who may call a group of routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// The agent of a machine, and nobody else.
    Machine,
    /// Who brings drops: a source by its password, tokens of the role source, managers.
    Deliver,
    /// Everybody who may read: persons of any role but source, the window, the admin.
    Reader,
    /// Who may answer alerts and work on machines: persons of any role but source, the window, the admin.
    Responder,
    /// Who may change what is registered: managers, the window, the admin.
    Manager,
    /// The admin and the window.
    Admin,
}

impl Caller {
    /// As they are called in what they did, such as the acknowledgement of an alert.
    pub fn name(&self) -> String {
        match self {
            Caller::Window => "operator".to_owned(),
            Caller::Admin => "admin".to_owned(),
            Caller::Machine(id) => id.to_string(),
            Caller::Source(id) => id.clone(),
            Caller::Person { name, .. } => name.clone(),
        }
    }

    /// Whether this caller may use routes with this need.
    pub fn may(&self, need: Need) -> bool {
        match (need, self) {
            (Need::Machine, caller) => matches!(caller, Caller::Machine(_)),
            (_, Caller::Window | Caller::Admin) => true,
            (need, Caller::Source(_)) => need == Need::Deliver,
            (_, Caller::Machine(_)) => false,
            (Need::Deliver, Caller::Person { role, .. }) => {
                matches!(role, Role::Source | Role::Manager)
            }
            (Need::Reader | Need::Responder, Caller::Person { role, .. }) => *role != Role::Source,
            (Need::Manager, Caller::Person { role, .. }) => *role == Role::Manager,
            (Need::Admin, Caller::Person { .. }) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_caller_may_exactly_what_the_table_says() {
        let person = |role| Caller::Person {
            name: "p".into(),
            role,
        };
        let machine = Caller::Machine("VM001".parse().unwrap());
        let source = Caller::Source("s1".into());
        for (caller, machine_routes, deliver, read, manage, admin) in [
            (Caller::Window, false, true, true, true, true),
            (Caller::Admin, false, true, true, true, true),
            (machine, true, false, false, false, false),
            (source, false, true, false, false, false),
            (person(Role::Manager), false, true, true, true, false),
            (person(Role::Technician), false, false, true, false, false),
            (person(Role::Owner), false, false, true, false, false),
            (person(Role::Source), false, true, false, false, false),
        ] {
            assert_eq!(caller.may(Need::Machine), machine_routes, "{caller:?}");
            assert_eq!(caller.may(Need::Deliver), deliver, "{caller:?}");
            assert_eq!(caller.may(Need::Reader), read, "{caller:?}");
            assert_eq!(caller.may(Need::Responder), read, "{caller:?}");
            assert_eq!(caller.may(Need::Manager), manage, "{caller:?}");
            assert_eq!(caller.may(Need::Admin), admin, "{caller:?}");
        }
    }
}
