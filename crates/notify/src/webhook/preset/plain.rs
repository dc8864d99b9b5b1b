//! Our own JSON: everything that a message has, for programs.

use serde_json::{Value, json};

use super::whole;
use crate::limits;
use crate::message::{Kind, MachineRef};
use crate::shown::{Shown, ShownItem};

/// Raised when a field changes its meaning or goes; new fields come without.
const VERSION: u32 = 1;

pub(super) fn body(shown: &Shown) -> Value {
    let (subject, text) = whole(shown);
    let machine = |machine: &MachineRef| {
        json!({
            "id": machine.id,
            "name": machine.name,
            "site": machine.site,
            "location": machine.location,
        })
    };
    let item = |item: &ShownItem| {
        json!({
            "machine_id": item.machine,
            "issue": item.issue,
            "time": item.at.to_rfc3339(),
            "text": item.text,
            "count": item.count,
        })
    };
    let (kind, number) = kind(shown.kind);
    let machines = shown.machines.iter().take(limits::MACHINES);
    json!({
        "version": VERSION,
        "id": shown.id,
        "kind": kind,
        "number": number,
        "alert": shown.alert.as_ref().map(|alert| json!({"id": alert.id, "no": alert.no})),
        "severity": shown.severity.as_str(),
        "issue": shown.issue,
        "machine_id": shown.machines.first().map(|machine| &machine.id),
        "machines": machines.map(machine).collect::<Vec<_>>(),
        "machines_left_out": shown.machines.len().saturating_sub(limits::MACHINES),
        "time": shown.at.to_rfc3339(),
        "time_local": shown.time(),
        "late": shown.is_late,
        "facts": shown.facts,
        "items": shown.items.iter().map(item).collect::<Vec<_>>(),
        "items_left_out": shown.items_left_out,
        "link": shown.link.as_ref().map(|link| link.as_str()),
        "subject": subject,
        "text": text,
    })
}

/// The name, and the number of the repeat or step.
fn kind(kind: Kind) -> (&'static str, Option<u32>) {
    match kind {
        Kind::First => ("first", None),
        Kind::Repeat { n } => ("repeat", Some(n)),
        Kind::Escalation { step } => ("escalation", Some(step)),
        Kind::Resolved => ("resolved", None),
        Kind::Acknowledged => ("acknowledged", None),
        Kind::Group => ("group", None),
        Kind::Digest => ("digest", None),
        Kind::Late => ("late", None),
        Kind::Test => ("test", None),
    }
}
