//! What is sent to register a machine, and its checks.

use alerts::config::hours::Week;
use serde::Deserialize;
use store::Machine;
use utoipa::ToSchema;
use wire::Micros;

use crate::error::ApiError;

/// The longest text of a field, in characters: more is no name.
const FIELD_MAX_CHARS: usize = 200;
/// The most tags or reader serials.
const LIST_MAX: usize = 50;

/// A machine to register.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMachine {
    /// 1 to 10 of `A-Z a-z 0-9 _ -`.
    #[schema(value_type = wire::MachineId)]
    pub machine_id: String,
    /// A name for people.
    #[serde(default)]
    pub name: String,
    /// Where it stands.
    #[serde(default)]
    pub location: String,
    /// IANA zone such as `America/Los_Angeles`.
    #[serde(default)]
    pub timezone: String,
    /// The customer site.
    #[serde(default)]
    pub site: String,
    /// The service route.
    #[serde(default)]
    pub route: String,
    /// Free words.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Who owns it.
    #[serde(default)]
    pub owner: String,
    /// Opening hours in the user's words.
    #[serde(default)]
    pub opening_hours: String,
    /// Serial numbers of its card readers.
    #[serde(default)]
    pub reader_serials: Vec<String>,
}

impl NewMachine {
    /// The machine to store.
    ///
    /// # Errors
    /// The id is none, a text is too long, or the zone is not known.
    pub fn checked(self, created_at: Micros) -> Result<Machine, ApiError> {
        let id = self
            .machine_id
            .parse()
            .map_err(|error: wire::machine_id::MachineIdError| {
                ApiError::bad_request("bad_machine_id", error.to_string())
            })?;
        let texts = [
            ("name", &self.name),
            ("location", &self.location),
            ("timezone", &self.timezone),
            ("site", &self.site),
            ("route", &self.route),
            ("owner", &self.owner),
            ("opening_hours", &self.opening_hours),
        ];
        for (name, text) in texts {
            checked_text(name, text)?;
        }
        for (name, list) in [
            ("tags", &self.tags),
            ("reader_serials", &self.reader_serials),
        ] {
            if list.len() > LIST_MAX {
                return Err(bad_field(name, "has more than 50 items"));
            }
            list.iter().try_for_each(|text| checked_text(name, text))?;
        }
        checked_zone(&self.timezone)?;
        Ok(Machine {
            id,
            name: self.name,
            location: self.location,
            timezone: self.timezone,
            site: self.site,
            route: self.route,
            tags: self.tags,
            owner: self.owner,
            opening_hours: self.opening_hours,
            reader_serials: self.reader_serials,
            created_at,
        })
    }
}

/// What is to be said of a machine that is there; what is absent stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MachineChange {
    /// A name for people.
    pub name: Option<String>,
    /// Where it stands.
    pub location: Option<String>,
    /// IANA zone such as `America/Los_Angeles`.
    pub timezone: Option<String>,
    /// The customer site.
    pub site: Option<String>,
    /// The service route.
    pub route: Option<String>,
    /// Free words.
    pub tags: Option<Vec<String>>,
    /// Who owns it: id or name of a person who can be told of alerts.
    pub owner: Option<String>,
    /// `Mo-Fr 08:00-20:00; Sa 09:00-14:00`; empty is always.
    pub opening_hours: Option<String>,
    /// Serial numbers of its card readers.
    pub reader_serials: Option<Vec<String>>,
}

impl MachineChange {
    /// The machine as it is to be.
    ///
    /// # Errors
    /// A text is too long, the zone is not known, or the hours cannot be read.
    pub fn checked(self, before: Machine) -> Result<Machine, ApiError> {
        if let Some(Err(error)) = self.opening_hours.as_deref().map(str::parse::<Week>) {
            return Err(ApiError::bad_request("bad_field", error.to_string()));
        }
        let changed = NewMachine {
            machine_id: before.id.to_string(),
            name: self.name.unwrap_or(before.name),
            location: self.location.unwrap_or(before.location),
            timezone: self.timezone.unwrap_or(before.timezone),
            site: self.site.unwrap_or(before.site),
            route: self.route.unwrap_or(before.route),
            tags: self.tags.unwrap_or(before.tags),
            owner: self.owner.unwrap_or(before.owner),
            opening_hours: self.opening_hours.unwrap_or(before.opening_hours),
            reader_serials: self.reader_serials.unwrap_or(before.reader_serials),
        };
        changed.checked(before.created_at)
    }
}

fn checked_text(name: &str, text: &str) -> Result<(), ApiError> {
    if text.chars().count() > FIELD_MAX_CHARS {
        return Err(bad_field(name, "is longer than 200 characters"));
    }
    if text.chars().any(char::is_control) {
        return Err(bad_field(name, "has a control character"));
    }
    Ok(())
}

/// Zones can only be checked where the system knows any.
fn checked_zone(name: &str) -> Result<(), ApiError> {
    let zones = jiff::tz::db();
    if name.is_empty() || zones.is_definitively_empty() || zones.get(name).is_ok() {
        return Ok(());
    }
    Err(bad_field(
        "timezone",
        "is not known; give an IANA zone such as America/Los_Angeles",
    ))
}

fn bad_field(name: &str, problem: &str) -> ApiError {
    ApiError::bad_request("bad_field", format!("field \"{name}\" {problem}"))
}
