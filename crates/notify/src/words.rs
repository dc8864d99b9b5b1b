//! The words that all channels have in common: who, what, when, and why now.

use crate::message::{Kind, MachineRef};
use crate::shown::{Shown, ShownItem};
use crate::{clean, limits};

/// `CRITICAL Payment System Down: VM001 Lobby`, with what kind of message it is before it.
pub(crate) fn subject(shown: &Shown) -> String {
    let machines = machines_short(shown);
    let subject = format!(
        "{}{} {}: {machines}{}",
        prefix(shown.kind),
        shown.severity.as_str(),
        shown.issue,
        if shown.is_late { " (late)" } else { "" },
    );
    clean::cut(&subject, limits::SUBJECT_CHARS)
}

/// What stands before everything else, so that a repeat is seen to be one.
pub(crate) fn prefix(kind: Kind) -> String {
    match kind {
        Kind::First => String::new(),
        Kind::Repeat { n } => format!("Repeat {n}: "),
        Kind::Escalation { .. } => "Escalated: ".into(),
        Kind::Resolved => "Resolved: ".into(),
        Kind::Acknowledged => "Acknowledged: ".into(),
        Kind::Group => "Many machines: ".into(),
        Kind::Digest => "Digest: ".into(),
        Kind::Late => "Late summary: ".into(),
        Kind::Test => "Test: ".into(),
    }
}

/// Why it is told now; empty for a first message, which needs no reason.
pub(crate) fn why_now(kind: Kind, is_late: bool) -> String {
    let why = match kind {
        Kind::First | Kind::Digest => String::new(),
        Kind::Repeat { n } => format!("This is repeat {n}: nobody has acknowledged it yet."),
        Kind::Escalation { step } => {
            format!("Nobody has acknowledged it, so it comes to you (step {step}).")
        }
        Kind::Resolved => "It is over.".into(),
        Kind::Acknowledged => "Somebody takes care of it.".into(),
        Kind::Group => "Several machines have the same trouble.".into(),
        Kind::Late => "This came in too late to be told when it happened.".into(),
        Kind::Test => "This is a test.".into(),
    };
    match (is_late, why.is_empty()) {
        (false, _) => why,
        (true, true) => "This is told late.".into(),
        (true, false) => format!("{why} This is told late."),
    }
}

/// Whether somebody is asked to acknowledge.
pub(crate) fn wants_acknowledgement(shown: &Shown) -> bool {
    let asks = matches!(
        shown.kind,
        Kind::First | Kind::Repeat { .. } | Kind::Escalation { .. } | Kind::Group
    );
    asks && shown.alert.is_some()
}

/// The label and the value of everything that every message must carry, and the alert's number.
pub(crate) fn pairs(shown: &Shown) -> Vec<(&'static str, String)> {
    let mut pairs = Vec::with_capacity(6);
    match shown.machines.as_slice() {
        [] => pairs.push(("Machine", "none".into())),
        [one] => {
            pairs.push(("Machine", id_and_name(one)));
            pairs.push(("Site", place(one).unwrap_or_else(|| "not given".into())));
        }
        many => pairs.push(("Machines", machines_long(many))),
    }
    pairs.push(("Issue", shown.issue.clone()));
    pairs.push(("Severity", shown.severity.as_str().into()));
    pairs.push(("Time", shown.time()));
    if let Some(alert) = &shown.alert {
        pairs.push(("Alert", format!("no. {}", alert.no)));
    }
    pairs
}

/// `VM001 Lobby`.
pub(crate) fn id_and_name(machine: &MachineRef) -> String {
    match machine.name.is_empty() || machine.name == machine.id {
        true => machine.id.clone(),
        false => format!("{} {}", machine.id, machine.name),
    }
}

/// `Main Street, second floor`; nothing when neither is known.
pub(crate) fn place(machine: &MachineRef) -> Option<String> {
    let parts = [machine.site.as_str(), machine.location.as_str()];
    let known: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    (!known.is_empty()).then(|| known.join(", "))
}

/// `VM001 Lobby (Main Street, second floor)`.
pub(crate) fn label(machine: &MachineRef) -> String {
    match place(machine) {
        None => id_and_name(machine),
        Some(place) => format!("{} ({place})", id_and_name(machine)),
    }
}

/// What every message must carry, in three lines: what stays when a text is too long.
pub(crate) fn essentials(shown: &Shown) -> String {
    let machine = match shown.machines.as_slice() {
        [] => "none".to_owned(),
        [one] => label(one),
        [first, rest @ ..] => format!("{} and {} more", label(first), rest.len()),
    };
    let (issue, time) = (&shown.issue, shown.time());
    format!("Machine: {machine}\nIssue: {issue}\nTime: {time}")
}

/// A text of `most` characters at most; what must be said stands first when it has to be cut, and
/// is never cut itself.
pub(crate) fn bounded(text: &str, shown: &Shown, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let essentials = essentials(shown);
    let left = most.saturating_sub(essentials.chars().count() + 2);
    let rest = clean::cut(text, left);
    format!("{essentials}\n\n{rest}").trim_end().to_owned()
}

/// `VM001 Lobby`, or `VM001, VM002 and 5 more`.
pub(crate) fn machines_short(shown: &Shown) -> String {
    /// In a subject, which people read 70 characters of.
    const NAMED: usize = 3;
    match shown.machines.as_slice() {
        [] => "no machine".into(),
        [one] => label(one),
        many => listed(many, NAMED, |machine| machine.id.clone()),
    }
}

/// `7: VM001 Lobby (Main Street); VM002 ...`.
pub(crate) fn machines_long(machines: &[MachineRef]) -> String {
    let named = listed(machines, limits::MACHINES_NAMED, label);
    format!("{}: {named}", machines.len())
}

fn listed(machines: &[MachineRef], most: usize, say: impl Fn(&MachineRef) -> String) -> String {
    let named: Vec<String> = machines.iter().take(most).map(say).collect();
    match machines.len().saturating_sub(most) {
        0 => named.join("; "),
        more => format!("{} and {more} more", named.join("; ")),
    }
}

/// `2026-01-22 06:30 PST VM001 Elevated Errors: bill jam (3 times)`.
pub(crate) fn item(item: &ShownItem) -> String {
    let times = match item.count {
        0 | 1 => String::new(),
        count => format!(" ({count} times)"),
    };
    let ShownItem {
        time,
        machine,
        issue,
        text,
        ..
    } = item;
    format!("{time} {machine} {issue}: {text}{times}")
}

/// Every item, and how many are left out, each a line.
pub(crate) fn items(shown: &Shown) -> Vec<String> {
    let mut lines: Vec<String> = shown.items.iter().map(item).collect();
    if shown.items_left_out > 0 {
        lines.push(format!("and {} more", shown.items_left_out));
    }
    lines
}

/// The whole message as plain text, without the subject and the link.
pub(crate) fn text(shown: &Shown) -> String {
    let mut lines = vec![];
    lines.extend(Some(why_now(shown.kind, shown.is_late)).filter(|why| !why.is_empty()));
    lines.extend(Some(shown.facts.clone()).filter(|facts| !facts.is_empty()));
    if !lines.is_empty() {
        lines.push(String::new());
    }
    let pairs = pairs(shown);
    lines.extend(pairs.iter().map(|(name, value)| format!("{name}: {value}")));
    if !shown.items.is_empty() {
        lines.push(String::new());
        lines.extend(items(shown).iter().map(|item| format!("- {item}")));
    }
    lines.join("\n")
}
