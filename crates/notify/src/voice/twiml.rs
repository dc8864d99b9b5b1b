//! What is said, and the TwiML that says it
//! (<https://www.twilio.com/docs/voice/twiml>): `Say` twice, inside a `Gather` where a key counts.

use super::{Config, TWIML_CHARS, press};
use crate::message::{Kind, MachineRef, Severity};
use crate::shown::Shown;
use crate::{clean, limits, template, when, words};

/// Longest facts or own words that are read out, in characters: half a minute.
const SAID_CHARS: usize = 400;
/// Letters of an issue and of a name where a document gets too long; the last always fit.
const CUTS: [usize; 3] = [80, 24, 10];
/// Machines that are named; the rest is counted.
const NAMED: usize = 3;

/// The document, of [`TWIML_CHARS`] at most.
pub(super) fn document(config: &Config, shown: &Shown) -> String {
    let whole = with(config, shown, &spoken(shown));
    let fits = |document: &str| document.chars().count() <= TWIML_CHARS;
    if fits(&whole) {
        return whole;
    }
    // Many letters that XML writes with six: what must be said goes before what else there is.
    let shorter = CUTS
        .into_iter()
        .map(|cut| with(config, shown, &required(shown, cut)));
    let mut last = whole;
    for document in shorter {
        last = document;
        if fits(&last) {
            break;
        }
    }
    last
}

fn with(config: &Config, shown: &Shown, spoken: &str) -> String {
    let open = format!("<Say language=\"{}\">", escaped(&config.language));
    let say = |text: &str| format!("{open}{}</Say>", escaped(text));
    let twice = format!(
        "{}<Pause length=\"1\"/>{}",
        say(spoken),
        say(&format!("Again. {spoken}"))
    );
    let head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response>";
    let asked = press::url(config, shown).filter(|_| words::wants_acknowledgement(shown));
    let Some(url) = asked else {
        return format!("{head}{twice}</Response>");
    };
    format!(
        "{head}<Gather numDigits=\"1\" timeout=\"8\" method=\"POST\" action=\"{}\">{}{twice}{}\
         </Gather>{}</Response>",
        escaped(url.as_str()),
        say("Press 1 at any time to acknowledge."),
        say("Press 1 to acknowledge."),
        say("No key was pressed. Good bye."),
    )
}

/// What is read out, once.
pub(super) fn spoken(shown: &Shown) -> String {
    let (_, own_words) = template::compose(shown);
    let more = own_words.unwrap_or_else(|| shown.facts.clone());
    let more = clean::line(&more, SAID_CHARS);
    let spoken = format!("{} {more}", required(shown, limits::ISSUE_CHARS));
    spoken.trim_end().to_owned()
}

fn required(shown: &Shown, cut: usize) -> String {
    let kind = match shown.kind {
        Kind::First => "Vendlog alert".to_owned(),
        Kind::Repeat { n } => format!("Vendlog alert, repeat {n}"),
        Kind::Escalation { .. } => "Vendlog alert that nobody has acknowledged".into(),
        Kind::Resolved => "Vendlog: resolved".into(),
        Kind::Acknowledged => "Vendlog: acknowledged".into(),
        Kind::Group => "Vendlog alert for many machines".into(),
        Kind::Digest => "Vendlog digest".into(),
        Kind::Late => "Vendlog late summary".into(),
        Kind::Test => "Vendlog test call".into(),
    };
    let severity = match shown.severity {
        Severity::Info => "Information",
        Severity::Warning => "Warning",
        Severity::Error => "Error",
        Severity::Critical => "Critical",
    };
    let machines = match shown.machines.as_slice() {
        [] => "No machine".to_owned(),
        [one] => named(one, cut),
        many => {
            let names: Vec<String> = many
                .iter()
                .take(NAMED)
                .map(|machine| named(machine, cut))
                .collect();
            format!("{} machines: {}", many.len(), names.join("; "))
        }
    };
    let late = if shown.is_late { ", told late" } else { "" };
    let time = when::spoken(shown.at, &shown.timezone);
    format!(
        "{kind}. {severity}. {}. {machines}. Time: {time}{late}.",
        clean::cut(&shown.issue, cut)
    )
}

fn named(machine: &MachineRef, cut: usize) -> String {
    let mut named = format!("Machine {}", clean::cut(&machine.id, cut));
    for (word, text) in [("", &machine.name), ("at ", &machine.site)] {
        if !text.is_empty() {
            named.push_str(&format!(", {word}{}", clean::cut(text, cut)));
        }
    }
    named
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            c => escaped.push(c),
        }
    }
    escaped
}
